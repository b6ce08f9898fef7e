//! Clippy with warnings as errors.

use std::time::Duration;

use anyhow::Result;

use crate::run;
use crate::table::Outcome;

/// A cold build of every dependency on two cores takes most of it.
const LIMIT: Duration = Duration::from_secs(1500);

pub(crate) fn run() -> Result<Outcome> {
    let mut clippy = run::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    Ok(Outcome::check(run::finish(&mut clippy, LIMIT)?.success))
}
