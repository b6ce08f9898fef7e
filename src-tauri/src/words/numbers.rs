//! Quantities in the manner of one language.

/// Steps between decimal units, as file managers show sizes.
const STEP: u64 = 1000;
/// The units above a byte.
const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
/// Digits that are grouped.
const GROUP: usize = 3;

/// How a language writes numbers.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) point: char,
    pub(crate) group: char,
    pub(crate) byte: &'static str,
    pub(crate) bytes: &'static str,
}

impl Numbers {
    /// A whole number.
    pub(crate) fn count(&self, value: u64) -> String {
        let digits = value.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / GROUP);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(GROUP) {
                text.push(self.group);
            }
            text.push(digit);
        }
        text
    }

    /// A size in bytes with at most one digit after the point: `1.2 GB`.
    pub(crate) fn bytes(&self, value: u64) -> String {
        if value < STEP {
            let noun = if value == 1 { self.byte } else { self.bytes };
            return format!("{value} {noun}");
        }
        // Tenths of the unit, rounded; a value that rounds to 1000 is 1 of the next one.
        let (mut tenths, mut unit) = (tenths(value, STEP), 0);
        let mut divisor = STEP;
        while tenths >= STEP * 10 && unit + 1 < UNITS.len() {
            divisor = divisor.saturating_mul(STEP);
            unit += 1;
            tenths = self::tenths(value, divisor);
        }
        let unit = UNITS.get(unit).copied().unwrap_or_default();
        let (whole, tenth) = (self.count(tenths / 10), tenths % 10);
        if tenth == 0 {
            format!("{whole} {unit}")
        } else {
            format!("{whole}{}{tenth} {unit}", self.point)
        }
    }
}

fn tenths(value: u64, divisor: u64) -> u64 {
    let (whole, rest) = (value / divisor, value % divisor);
    // `divisor` is a power of ten of at least 1000.
    let tenth = divisor / 10;
    whole
        .saturating_mul(10)
        .saturating_add((rest + tenth / 2) / tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Numbers = Numbers {
        point: '.',
        group: ',',
        byte: "byte",
        bytes: "bytes",
    };

    #[test]
    fn sizes_read_as_in_the_window() {
        for (value, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (999_940, "999.9 kB"),
            (999_950, "1 MB"),
            (1_200_000_000, "1.2 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(ENGLISH.bytes(value), text, "{value}");
        }
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (value, text) in [
            (7, "7"),
            (1_234, "1,234"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(ENGLISH.count(value), text);
        }
    }
}
