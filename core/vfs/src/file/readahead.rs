//! What a handle will probably read next.

use std::ops::Range;

/// First window, bytes: what a kernel reads ahead by itself is no larger.
const FIRST_WINDOW: u64 = 1 << 20;
/// Reads this far before or behind the expected place still count as sequential: kernels send the parts of their own
/// readahead in any order.
const SLACK: u64 = 1 << 20;
/// Equal distances in a row that make a stride.
const STRIDES_SEEN: u32 = 2;

/// Recognises sequential, strided and random reads of one handle.
#[derive(Debug, Default)]
pub(crate) struct Readahead {
    /// End of the furthest read of the current run.
    expected: u64,
    /// Bytes to be asked for ahead; 0 while reads look random.
    window: u64,
    /// Everything before it was asked for.
    asked: u64,
    last_start: u64,
    stride: u64,
    strides: u32,
}

impl Readahead {
    /// Notes a read of `len` bytes at `offset` and returns what to fetch now. The window doubles up to `max` bytes.
    pub(crate) fn next(&mut self, offset: u64, len: u64, max: u64) -> Option<Range<u64>> {
        let end = offset.saturating_add(len);
        let sequential =
            offset <= self.expected.saturating_add(SLACK) && end.saturating_add(SLACK) >= self.expected;
        let range = if sequential {
            self.forward(end, max)
        } else {
            self.window = 0;
            self.expected = end;
            self.asked = end;
            self.strided(offset, len)
        };
        self.last_start = offset;
        range
    }

    fn forward(&mut self, end: u64, max: u64) -> Option<Range<u64>> {
        self.strides = 0;
        self.expected = self.expected.max(end);
        let start = self.asked.max(self.expected);
        // Half a window is still under way or read already: nothing to do yet.
        if self.window > 0 && start - self.expected > self.window / 2 {
            return None;
        }
        self.window = if self.window == 0 {
            FIRST_WINDOW.min(max)
        } else {
            (self.window * 2).min(max)
        };
        let until = self.expected.saturating_add(self.window);
        self.asked = self.asked.max(until);
        (start < until).then_some(start..until)
    }

    fn strided(&mut self, offset: u64, len: u64) -> Option<Range<u64>> {
        let stride = offset.saturating_sub(self.last_start);
        if stride == 0 || stride != self.stride {
            self.stride = stride;
            self.strides = 1;
            return None;
        }
        self.strides += 1;
        let next = offset.saturating_add(stride);
        (self.strides >= STRIDES_SEEN).then(|| next..next.saturating_add(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_sequential_run_doubles_its_window_up_to_the_limit() {
        let mut readahead = Readahead::default();
        let mut asked = 0;
        let mut largest = 0;
        for step in 0..256 {
            if let Some(range) = readahead.next(step * MIB / 4, MIB / 4, 8 * MIB) {
                assert!(range.start >= asked, "nothing is asked for twice");
                asked = range.end;
                largest = largest.max(range.end - (step + 1) * MIB / 4);
            }
        }
        assert_eq!(largest, 8 * MIB);
    }

    #[test]
    fn random_reads_ask_for_nothing() {
        let mut readahead = Readahead::default();
        readahead.next(0, 4096, 8 * MIB);
        for offset in [900, 100, 700, 300, 12, 555, 42].map(|n| n * 10 * MIB) {
            assert_eq!(readahead.next(offset, 4096, 8 * MIB), None);
        }
    }

    #[test]
    fn equal_distances_are_followed() {
        let mut readahead = Readahead::default();
        let reads: Vec<_> = (1..6)
            .map(|n| readahead.next(n * 16 * MIB, 4096, 8 * MIB))
            .collect();
        assert_eq!(reads.last(), Some(&Some(96 * MIB..96 * MIB + 4096)));
    }

    #[test]
    fn reads_of_one_run_may_arrive_out_of_order() {
        let mut readahead = Readahead::default();
        for step in [0, 2, 1, 3, 5, 4] {
            readahead.next(step * MIB / 8, MIB / 8, 8 * MIB);
        }
        assert!(readahead.window > 0);
    }
}
