//! Amounts of bytes as people read them.

use std::fmt;

/// Names of binary units, smallest first; each is 1024 times the one before.
const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number of bytes that displays as `1.5 GiB`, with one decimal where it says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        let mut units = UNITS.iter();
        let mut unit = units.next().copied().unwrap_or_default();
        if self.0 < 1024 {
            return write!(f, "{} {unit}", self.0);
        }
        while value >= 1024.0
            && let Some(larger) = units.next()
        {
            unit = larger;
            value /= 1024.0;
        }
        write!(f, "{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_in_their_largest_unit() {
        let shown = |bytes| ByteSize(bytes).to_string();
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(1023), "1023 B");
        assert_eq!(shown(1024), "1.0 KiB");
        assert_eq!(shown(3 << 29), "1.5 GiB");
        assert_eq!(shown(u64::MAX), "16.0 EiB");
    }
}
