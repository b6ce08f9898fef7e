//! Instants of the format and the injected clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds and nanoseconds since 1970, as stored in attributes (spec 20-model section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds since the epoch.
    pub seconds: i64,
    /// Remaining nanoseconds, 0 to 999 999 999.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// From seconds and nanoseconds.
    pub const fn new(seconds: i64, nanoseconds: u32) -> Self {
        Timestamp { seconds, nanoseconds }
    }

    /// Nanoseconds since the epoch, clamped to a signed 64-bit number as SQL engines store it.
    pub fn clamped_nanos(self) -> i64 {
        self.seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::from(self.nanoseconds))
    }

    /// The time between two instants; `None` when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Option<Duration> {
        let seconds = self.seconds.checked_sub(earlier.seconds)?;
        let nanoseconds = i64::from(self.nanoseconds) - i64::from(earlier.nanoseconds);
        let (seconds, nanoseconds) = if nanoseconds < 0 {
            (seconds.checked_sub(1)?, nanoseconds + 1_000_000_000)
        } else {
            (seconds, nanoseconds)
        };
        Some(Duration::new(
            u64::try_from(seconds).ok()?,
            u32::try_from(nanoseconds).ok()?,
        ))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp::new(
                i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                after.subsec_nanos(),
            ),
            Err(before) => {
                let before = before.duration();
                let seconds = -i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                match before.subsec_nanos() {
                    0 => Timestamp::new(seconds, 0),
                    n => Timestamp::new(seconds - 1, 1_000_000_000 - n),
                }
            }
        }
    }
}

impl From<Timestamp> for SystemTime {
    /// Saturates at the epoch for instants that the platform can not hold.
    fn from(time: Timestamp) -> Self {
        let nanoseconds = time.nanoseconds.min(999_999_999);
        match u64::try_from(time.seconds) {
            Ok(seconds) => UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)),
            Err(_) => UNIX_EPOCH
                .checked_sub(Duration::from_secs(time.seconds.unsigned_abs()))
                .and_then(|t| t.checked_add(Duration::from_nanos(u64::from(nanoseconds)))),
        }
        .unwrap_or(UNIX_EPOCH)
    }
}

/// Source of wall-clock time, injected so that a failing run can be replayed.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
