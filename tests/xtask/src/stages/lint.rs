//! Clippy with warnings as errors, and a look at the workflows.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::table::Outcome;
use crate::{run, tools};

/// A cold build of every dependency and of every test on two cores.
const LIMIT: Duration = Duration::from_secs(2400);

/// Builds what the tests run, with the lints in the compiler: another build only for them would take half as long again.
pub(crate) fn run() -> Result<Outcome> {
    let mut build = run::cargo_with_lints(&["test", "--workspace", "--all-targets", "--no-run"]);
    let built = run::finish(&mut build, LIMIT)?;
    let mut outcome = Outcome::check(built.success && !warns(&built.output));
    outcome.add(&workflows()?);
    Ok(outcome)
}

/// What runs on computers that nobody has here is at least written as its service reads it.
fn workflows() -> Result<Outcome> {
    /// Reading a few small files.
    const LIMIT: Duration = Duration::from_secs(60);
    match tools::workflow_checker() {
        Ok(checker) => {
            let mut check = Command::new(checker);
            let checked = run::finish(check.current_dir(run::repository()), LIMIT)?;
            Ok(Outcome::check(checked.success))
        }
        Err(missing) => Ok(Outcome::skip(&format!("workflows are not checked: {missing}"))),
    }
}

/// Whether a build had something to say. Cargo says it again when it takes a crate from an earlier build.
pub(super) fn warns(output: &str) -> bool {
    output.lines().any(|line| line.starts_with("warning: "))
}
