//! Sizes as people type and read them.

/// Names of binary units, smallest first; each is 1024 times the one before.
const UNITS: [char; 7] = ['B', 'K', 'M', 'G', 'T', 'P', 'E'];

/// Power of 1024 that a number without a unit counts.
#[derive(Clone, Copy, Debug)]
struct Unit(u32);

/// Parses `4M`, `4MiB`, `1.5G` or a plain number of `default` units into bytes.
fn bytes(text: &str, default: Unit) -> Result<u64, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("{text:?} is no size; write a number and a unit, such as 512M or 10G"))?;
    let power = match unit.trim().to_ascii_uppercase().as_str() {
        "" => default.0,
        unit => power(unit).ok_or_else(|| format!("{unit:?} is no unit; use B, K, M, G, T, P or E"))?,
    };
    let value = number * f64::from(1u32 << 10).powi(i32::try_from(power).unwrap_or(0));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked; a fraction of a byte is dropped"
    )]
    if value <= i64::MAX as f64 {
        Ok(value as u64)
    } else {
        Err(format!("{text:?} is larger than 2^63 bytes"))
    }
}

fn power(unit: &str) -> Option<u32> {
    let mut letters = unit.chars();
    let first = letters.next()?;
    let known = UNITS.iter().position(|&unit| unit == first)?;
    let rest_is_fine = matches!(letters.as_str(), "" | "B" | "IB") && (known > 0 || unit.len() == 1);
    rest_is_fine.then_some(u32::try_from(known).ok()?)
}

/// For flags whose plain numbers count KiB; the result is bytes.
pub(crate) fn from_kib(text: &str) -> Result<u64, String> {
    bytes(text, Unit(1))
}

/// For flags whose plain numbers count MiB; the result is bytes.
pub(crate) fn from_mib(text: &str) -> Result<u64, String> {
    bytes(text, Unit(2))
}

/// For flags whose plain numbers count GiB; the result is bytes.
pub(crate) fn from_gib(text: &str) -> Result<u64, String> {
    bytes(text, Unit(3))
}

/// `1.5 GiB`, with one decimal where it says something.
pub(crate) fn show(bytes: u64) -> String {
    moorage_model::ByteSize(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_count_the_units_of_their_flag() {
        assert_eq!(from_kib("4096"), Ok(4 << 20));
        assert_eq!(from_mib("300"), Ok(300 << 20));
        assert_eq!(from_gib("2"), Ok(2 << 30));
    }

    #[test]
    fn units_are_binary_in_every_spelling() {
        for text in ["4M", "4m", "4MB", "4MiB", "4 MiB", "4096K", "4194304B"] {
            assert_eq!(from_gib(text), Ok(4 << 20), "{text}");
        }
        assert_eq!(from_gib("1.5"), Ok(3 << 29));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "x", "-1", "4X", "4iB", "9E", "1.2.3"] {
            assert!(from_gib(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_read_back() {
        assert_eq!(show(0), "0 B");
        assert_eq!(show(1023), "1023 B");
        assert_eq!(show(3 << 29), "1.5 GiB");
    }
}
