//! Failures on purpose.

use std::fmt::Debug;

use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;

/// Decides around each commit whether it fails, for tests of what a failing engine may leave behind.
pub trait CommitFault: Debug + Send + Sync {
    /// Called before the writes of `verb` are applied; an error keeps them from being applied. An error of kind
    /// `Conflict` makes the engine run the job again, as a lost race would.
    ///
    /// # Errors
    /// The failure to report.
    fn before_commit(&self, verb: &'static str) -> Result<()>;

    /// Called after the writes of `verb` were applied; an error is reported although they were.
    ///
    /// # Errors
    /// The failure to report.
    fn after_commit(&self, verb: &'static str) -> Result<()>;
}

/// Faults at rates out of 1000, in a sequence that a seed decides.
#[derive(Debug)]
pub struct SeededFaults {
    state: Mutex<u64>,
    /// Commits that lose a race and run again.
    pub conflicts: u64,
    /// Commits that fail and leave nothing.
    pub before: u64,
    /// Commits that are reported failed although they were applied, as when a connection breaks.
    pub after: u64,
}

impl SeededFaults {
    /// No faults yet; set the rates.
    pub fn new(seed: u64) -> SeededFaults {
        SeededFaults {
            state: Mutex::new(seed),
            conflicts: 0,
            before: 0,
            after: 0,
        }
    }

    /// The next number of a splitmix64 sequence, below 1000.
    fn draw(&self) -> u64 {
        let mut state = self.state.lock();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % 1000
    }
}

impl CommitFault for SeededFaults {
    fn before_commit(&self, verb: &'static str) -> Result<()> {
        let drawn = self.draw();
        if drawn < self.conflicts {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{verb}: injected conflict"),
            ));
        }
        if drawn < self.conflicts + self.before {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("{verb}: injected failure before the commit"),
            ));
        }
        Ok(())
    }

    fn after_commit(&self, verb: &'static str) -> Result<()> {
        if self.draw() < self.after {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("{verb}: injected failure after the commit"),
            ));
        }
        Ok(())
    }
}
