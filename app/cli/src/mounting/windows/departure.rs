//! Taking a mount away: the process that serves it does that itself.

use std::path::Path;

use moorage_winfsp::StopMount;

use super::backend::Session;

/// What takes one mount away.
#[derive(Clone, Debug)]
pub(super) struct Departure(StopMount);

impl Departure {
    /// That of a mount at this point.
    pub(super) fn of(_point: &Path, session: &Session) -> Departure {
        Departure(session.stopper())
    }

    /// Unmounts; programs that use it get errors from now on.
    pub(super) fn leave(&self) {
        self.0.stop();
    }

    /// As [`Departure::leave`].
    pub(super) fn force(&self) {
        self.leave();
    }
}
