//! What the other stages need from outside.

use anyhow::Result;

use crate::table::Outcome;
use crate::tools;

pub(crate) fn run() -> Result<Outcome> {
    tools::debian_packages()?;
    Ok(Outcome::check(true))
}
