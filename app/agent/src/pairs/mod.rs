//! Sync pairs: each is kept in sync by a process of its own, `moorage pair keep`, for as long as nothing holds it.
//!
//! The process watches the local folder, runs when something changes and from time to time, and says what came of it. It
//! may die at any moment: a run that is cut off is followed by one that looks at both sides anew. What is held (paused, or
//! its volume not mounted) has no process, so that it holds no volume either.

mod kept;
mod process;
mod requests;
mod tending;
mod validity;

pub(crate) use kept::{KeptPair, PairEntry};
