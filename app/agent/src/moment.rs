//! A moment: for waiting, which no change of the clock disturbs, and for a person.

use std::time::SystemTime;

use moorage_control::state::Timestamp;
use tokio::time::Instant;

/// Now, or another moment of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For waiting.
    pub(crate) instant: Instant,
    /// For a person.
    pub(crate) wall: Timestamp,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Moment {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let milliseconds = since_epoch.map_or(0, |time| time.as_millis());
        Moment {
            instant: Instant::now(),
            wall: Timestamp(u64::try_from(milliseconds).unwrap_or(u64::MAX)),
        }
    }
}
