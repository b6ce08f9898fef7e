//! Lengths of time as people type them.

use std::time::Duration;

/// Parses `500ms`, `12s`, `2m`, `1h`, `7d` or a plain number of seconds.
pub(crate) fn from_seconds(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        unit => return Err(format!("{unit:?} is no unit of time; use ms, s, m, h or d")),
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * seconds_per_unit).ok())
        .ok_or_else(|| {
            format!("{text:?} is no length of time; write a number and a unit, such as 500ms or 12s")
        })
}

/// As [`from_seconds`], but a number needs its unit: for times before which something is lost.
pub(crate) fn with_unit(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if !text.ends_with(|last: char| last.is_ascii_alphabetic()) {
        return Err(format!(
            "{text:?} has no unit; write for example {text}d or {text}h"
        ));
    }
    from_seconds(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_which_something_is_lost_needs_its_unit() {
        assert_eq!(with_unit("7d"), Ok(Duration::from_secs(604_800)));
        for text in ["5", "5.", ""] {
            assert!(with_unit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_numbers_are_seconds() {
        assert_eq!(from_seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(from_seconds("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(from_seconds("2h"), Ok(Duration::from_secs(7200)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "-1", "1y", "s", "1.2.3"] {
            assert!(from_seconds(text).is_err(), "{text}");
        }
    }
}
