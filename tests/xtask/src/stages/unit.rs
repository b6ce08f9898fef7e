//! Unit, integration and documentation tests of every crate.

use std::time::Duration;

use anyhow::Result;

use crate::run;
use crate::table::Outcome;

const LIMIT: Duration = Duration::from_secs(2400);

pub(crate) fn run() -> Result<Outcome> {
    let finished = run::finish(&mut run::cargo(&["test", "--workspace", "--no-fail-fast"]), LIMIT)?;
    let mut outcome = count(&finished.output);
    if !finished.success && outcome.failed == 0 {
        outcome.failed = 1;
    }
    Ok(outcome)
}

/// Adds up the closing lines of the test runner and the tests that say they were skipped.
fn count(output: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in output.lines() {
        if let Some(result) = line.strip_prefix("test result: ") {
            outcome.passed += number_before(result, " passed");
            outcome.failed += number_before(result, " failed");
            outcome.skipped += number_before(result, " ignored");
        }
    }
    outcome
}

fn number_before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}
