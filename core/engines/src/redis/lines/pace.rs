//! Whether a server answers fast enough to be waited for.

use std::time::{Duration, Instant};

/// A server whose answers take longer than this on average is far away, or waits for a slow disk: a thread that waits
/// that long is missed more than two hops cost.
const NEAR: Duration = Duration::from_micros(400);
/// The last answer is one part in so many of the average.
const AVERAGED: u32 = 8;
/// How long no line is used after one was too slow or broke; it doubles each time.
const FIRST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How fast the answers came since the last rest.
pub(super) struct Pace {
    average: Duration,
    next_rest: Duration,
    resting_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace {
            average: Duration::ZERO,
            next_rest: FIRST_REST,
            resting_until: None,
        }
    }

    pub(super) fn is_resting(&self, now: Instant) -> bool {
        self.resting_until.is_some_and(|until| now < until)
    }

    pub(super) fn rest(&mut self, now: Instant) {
        self.resting_until = Some(now + self.next_rest);
        self.next_rest = (self.next_rest * 2).min(LONGEST_REST);
        self.average = Duration::ZERO;
    }

    /// An answer took so long.
    pub(super) fn note(&mut self, took: Duration, now: Instant) {
        // One answer alone, however late, does not make a server slow.
        self.average = (self.average * (AVERAGED - 1) + took.min(NEAR * AVERAGED / 2)) / AVERAGED;
        if self.average > NEAR {
            self.rest(now);
        } else if took <= NEAR && self.resting_until.take().is_some() {
            self.next_rest = FIRST_REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_micros(50);
    const SLOW: Duration = Duration::from_secs(3);

    #[test]
    fn a_server_is_slow_after_some_late_answers_but_not_after_one() {
        let (now, mut pace) = (Instant::now(), Pace::new());
        for _ in 0..20 {
            pace.note(FAST, now);
        }
        pace.note(SLOW, now);
        assert!(!pace.is_resting(now));
        for _ in 0..3 {
            pace.note(SLOW, now);
        }
        assert!(pace.is_resting(now));
        assert!(!pace.is_resting(now + FIRST_REST));
    }

    #[test]
    fn rests_double_until_an_answer_is_fast_again() {
        let (mut now, mut pace) = (Instant::now(), Pace::new());
        let mut rests = Vec::new();
        for _ in 0..8 {
            pace.rest(now);
            let until = pace.resting_until.unwrap_or(now);
            rests.push((until - now).as_millis());
            now = until;
        }
        assert_eq!(rests, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        pace.note(FAST, now);
        pace.rest(now);
        assert!(!pace.is_resting(now + FIRST_REST));
    }
}
