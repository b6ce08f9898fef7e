//! Times of this program in the protocol of the agent.

use std::time::SystemTime;

use moorage_control::state::Timestamp;

/// A time as the protocol of the agent has it.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
