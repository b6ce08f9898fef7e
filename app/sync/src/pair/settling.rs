//! Whether a change could hide behind unchanged times.

use std::time::Duration;

use moorage_model::Timestamp;

/// Longer than the clock of any file system stands still: FAT counts two seconds.
const TICK: Duration = Duration::from_secs(2);

/// Whether a content that was read at `now`, and noted with the same times at `seen_at`, can not have been changed in
/// between without another time: the clock of its side has moved on since. Both instants are of one clock, which may be
/// wrong, and may even have been set back.
pub(super) fn has_settled(seen_at: i64, now: Timestamp) -> bool {
    let seen_at = of_nanoseconds(seen_at);
    now.since(seen_at).is_some_and(|passed| passed > TICK)
}

/// A time as a row has it.
pub(super) fn of_nanoseconds(since_epoch: i64) -> Timestamp {
    Timestamp::new(
        since_epoch.div_euclid(1_000_000_000),
        u32::try_from(since_epoch.rem_euclid(1_000_000_000)).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_settles_once_the_clock_has_moved_on() {
        let at = |seconds| Timestamp::new(seconds, 0);
        assert!(has_settled(at(10).clamped_nanos(), at(13)));
        assert!(!has_settled(at(10).clamped_nanos(), at(11)));
        assert!(!has_settled(at(10).clamped_nanos(), at(5)));
    }
}
