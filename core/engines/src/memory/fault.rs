//! Failures on purpose.

use std::fmt::Debug;

use moorage_model::Result;

/// Decides around each commit whether it fails, for tests of what a failing engine may leave behind.
pub trait CommitFault: Debug + Send + Sync {
    /// Called before the writes of `verb` are applied; an error keeps them from being applied.
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
