//! A pause of transfers.

use std::time::{Duration, SystemTime};

use moorage_chunk::Hold;
use moorage_control::state::Timestamp;

/// A pause as the data layer has it.
pub(super) fn hold(until: Option<Timestamp>) -> Hold {
    Hold {
        until: until.map(|until| SystemTime::UNIX_EPOCH + Duration::from_millis(until.0)),
    }
}
