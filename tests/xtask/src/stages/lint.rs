//! Clippy with warnings as errors.

use std::time::Duration;

use anyhow::Result;

use crate::run;
use crate::table::Outcome;

/// A cold build of every dependency and of every test on two cores.
const LIMIT: Duration = Duration::from_secs(2400);

/// Builds what the tests run, with the lints in the compiler: another build only for them would take half as long again.
pub(crate) fn run() -> Result<Outcome> {
    let mut build = run::cargo_with_lints(&["test", "--workspace", "--all-targets", "--no-run"]);
    let built = run::finish(&mut build, LIMIT)?;
    Ok(Outcome::check(built.success && !warns(&built.output)))
}

/// Whether a build had something to say. Cargo says it again when it takes a crate from an earlier build.
pub(super) fn warns(output: &str) -> bool {
    output.lines().any(|line| line.starts_with("warning: "))
}
