//! Every fuzz target for a few seconds, from its seeds and from what earlier runs found interesting.

use anyhow::Result;

use crate::fuzz;
use crate::table::Outcome;

/// Time of each target in seconds: replays the corpus and tries some hundred thousand inputs more.
const SECONDS_PER_TARGET: u64 = 5;

pub(crate) fn run() -> Result<Outcome> {
    fuzz::explore(&fuzz::targets()?, SECONDS_PER_TARGET)
}
