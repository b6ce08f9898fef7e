//! `cargo fmt --check`.

use std::time::Duration;

use anyhow::Result;

use crate::run;
use crate::table::Outcome;

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run() -> Result<Outcome> {
    Ok(Outcome::check(
        run::finish(&mut run::cargo(&["fmt", "--all", "--check"]), LIMIT)?.success,
    ))
}
