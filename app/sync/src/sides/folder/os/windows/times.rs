//! Times of files as Windows has them: in ticks since 1601.

use std::fs::{File, FileTimes};
use std::io::{self, Result};
use std::time::{Duration, SystemTime};

use moorage_model::Timestamp;

/// Between 1601, where Windows counts from, and 1970, in seconds.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS_PER_SECOND: i64 = 10_000_000;
const NANOSECONDS_PER_TICK: i64 = 100;

/// A time of the system, in ticks.
pub(super) fn timestamp(ticks: i64) -> Timestamp {
    let nanoseconds = ticks.rem_euclid(TICKS_PER_SECOND) * NANOSECONDS_PER_TICK;
    Timestamp::new(
        ticks.div_euclid(TICKS_PER_SECOND) - EPOCH_SECONDS,
        u32::try_from(nanoseconds).unwrap_or(0),
    )
}

/// Sets when a file was changed.
///
/// # Errors
/// `InvalidInput` for a time that the system does not have.
pub(super) fn set_time(file: &File, modified: Timestamp) -> Result<()> {
    let out_of_range = || io::Error::from(io::ErrorKind::InvalidInput);
    let part = Duration::from_nanos(modified.nanoseconds.into());
    let seconds = Duration::from_secs(modified.seconds.unsigned_abs());
    let whole = if modified.seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    let time = whole
        .and_then(|whole| whole.checked_add(part))
        .ok_or_else(out_of_range)?;
    file.set_times(FileTimes::new().set_modified(time))
}
