//! Unit, integration and documentation tests of every crate.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::run::Finished;
use crate::table::Outcome;
use crate::{run, tools};

const LIMIT: Duration = Duration::from_secs(2400);

pub(crate) fn run() -> Result<Outcome> {
    let arguments = ["test", "--workspace", "--no-fail-fast", "--", "--show-output"];
    let mut tests = run::cargo_with_lints(&arguments);
    if tools::fixtures().is_some() {
        // The tests that let independent readers judge a database look for a python3 that has their packages.
        let programs = tools::python()?.parent().map(Path::to_path_buf);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = programs.into_iter().chain(std::env::split_paths(&path));
        tests.env("PATH", std::env::join_paths(path)?);
    }
    Ok(outcome_of(&run::finish(&mut tests, LIMIT)?))
}

/// What a run of tests that shows the output of each came to; those that skipped themselves are named.
pub(super) fn outcome_of(finished: &Finished) -> Outcome {
    let skipped = skipped(&finished.output);
    for (test, why) in &skipped {
        println!("SKIPPED: {test}: {why}");
    }
    let mut outcome = count(&finished.output, skipped.len() as u64);
    if !finished.success && outcome.failed == 0 {
        outcome.failed = 1;
    }
    outcome
}

/// Adds up the closing lines of the test runner. A test that finds what it needs missing says so and ends as one that
/// passed: it is counted as skipped.
fn count(output: &str, skipped_themselves: u64) -> Outcome {
    let mut outcome = Outcome {
        skipped: skipped_themselves,
        ..Outcome::default()
    };
    for line in output.lines() {
        if let Some(result) = line.strip_prefix("test result: ") {
            outcome.passed += number_before(result, " passed");
            outcome.failed += number_before(result, " failed");
            outcome.skipped += number_before(result, " ignored");
        }
    }
    outcome.passed = outcome.passed.saturating_sub(skipped_themselves);
    outcome
}

/// The tests that passed and say that they were skipped, each with the reason: what a test printed stands below its
/// name, and what passed stands apart from what failed.
fn skipped(output: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut passed = false;
    let mut test = None;
    for line in output.lines() {
        match line {
            "successes:" => (passed, test) = (true, None),
            "failures:" => (passed, test) = (false, None),
            _ if line.starts_with("test result: ") => (passed, test) = (false, None),
            _ => {}
        }
        let name = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(name) = name {
            test = passed.then_some(name);
        }
        let why = ["SKIPPED: ", "skipped: "]
            .iter()
            .find_map(|word| line.strip_prefix(word));
        if let Some(why) = why
            && let Some(test) = test.take()
        {
            found.push((test, why));
        }
    }
    found
}

fn number_before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{count, skipped};

    const OUTPUT: &str = "
running 4 tests
test failing ... FAILED
test looking ... ok
test mounting ... ok
test reading ... ok

successes:

---- looking stdout ----
nothing skipped: all is here

---- mounting stdout ----
SKIPPED: no usable /dev/fuse
SKIPPED: no usable /dev/fuse

---- reading stdout ----
skipped: no fixtures

successes:
    looking
    mounting
    reading

failures:

---- failing stdout ----
skipped: no openssl

failures:
    failing

test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn a_test_that_says_it_was_skipped_did_not_pass() {
        let why = [("mounting", "no usable /dev/fuse"), ("reading", "no fixtures")];
        assert_eq!(skipped(OUTPUT), why);
        let outcome = count(OUTPUT, why.len() as u64);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (1, 1, 4));
    }
}
