//! Calendar dates in UTC: names of hourly trash directories and times in session records.

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// A UTC date and hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UtcTime {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl UtcTime {
    /// From seconds since 1970, by the proleptic Gregorian calendar.
    pub(crate) fn from_unix(seconds: i64) -> UtcTime {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years begin in March here, so that the leap day is the last day of a year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        UtcTime {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest % 3600 / 60,
            second: rest % 60,
        }
    }

    /// Seconds since 1970.
    pub(crate) fn to_unix(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = (self.month + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        days * DAY + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// `YYYY-MM-DD-HH`, the name of an hourly trash directory (spec 70-semantics section 3).
    pub(crate) fn hour_name(self) -> String {
        format!(
            "{:04}-{:02}-{:02}-{:02}",
            self.year, self.month, self.day, self.hour
        )
    }

    /// The beginning of the hour that a trash directory is named after; `None` for other names.
    pub(crate) fn from_hour_name(name: &[u8]) -> Option<UtcTime> {
        let text = std::str::from_utf8(name).ok()?;
        let mut parts = text.split('-');
        let mut number = |digits: usize, range: std::ops::RangeInclusive<i64>| {
            let part = parts.next()?;
            let valid = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|value| valid && range.contains(value))
        };
        let (year, month) = (number(4, 0..=9999)?, number(2, 1..=12)?);
        let (day, hour) = (number(2, 1..=31)?, number(2, 0..=23)?);
        let time = UtcTime {
            year,
            month,
            day,
            hour,
            minute: 0,
            second: 0,
        };
        // A day that the month does not have comes back as another date.
        (parts.next().is_none() && UtcTime::from_unix(time.to_unix()) == time).then_some(time)
    }

    /// RFC 3339 with whole seconds, in UTC.
    pub(crate) fn rfc3339_seconds(self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }

    /// Unix seconds of an RFC 3339 text with whole seconds, in UTC or with an offset; `None` for any other text.
    pub(crate) fn from_rfc3339(text: &[u8]) -> Option<i64> {
        /// Letters of the time of day.
        const CLOCK: usize = "HH:MM:SS".len();
        let text = std::str::from_utf8(text).ok()?;
        let (date, time) = text.split_once('T')?;
        let (clock, zone) = time.split_at_checked(CLOCK)?;
        let offset = match zone.as_bytes() {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), ..] => {
                let (hours, minutes) = zone.get(1..)?.split_once(':')?;
                let seconds = two_digits(hours, 0..=23)? * 3600 + two_digits(minutes, 0..=59)? * 60;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        let mut parts = clock.split(':');
        let hour = parts.next()?;
        let start = UtcTime::from_hour_name(format!("{date}-{hour}").as_bytes())?.to_unix();
        let minute = two_digits(parts.next()?, 0..=59)?;
        let second = two_digits(parts.next()?, 0..=59)?;
        parts
            .next()
            .is_none()
            .then_some(start + minute * 60 + second - offset)
    }

    /// `YYYY-MM-DD-HHMMSS`, the time in the name of a backup (spec 80-dump section 2).
    pub(crate) fn backup_time(self) -> String {
        format!("{}{:02}{:02}", self.hour_name(), self.minute, self.second)
    }

    /// Unix seconds of the time in the name of a backup; `None` for other texts.
    pub(crate) fn from_backup_time(text: &str) -> Option<i64> {
        /// Where the minutes begin.
        const MINUTE: usize = "YYYY-MM-DD-HH".len();
        /// Where the seconds begin.
        const SECOND: usize = MINUTE + 2;
        let start = UtcTime::from_hour_name(text.get(..MINUTE)?.as_bytes())?.to_unix();
        let minute = two_digits(text.get(MINUTE..SECOND)?, 0..=59)?;
        let second = two_digits(text.get(SECOND..)?, 0..=59)?;
        Some(start + minute * 60 + second)
    }

    /// RFC 3339 with nanoseconds, in UTC.
    pub(crate) fn rfc3339(self, nanoseconds: u32) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{nanoseconds:09}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

fn two_digits(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let valid = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| valid && range.contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_texts_are_read_with_their_offsets_and_nothing_else_is() {
        let time = UtcTime::from_unix(1_700_000_000);
        assert_eq!(time.rfc3339_seconds(), "2023-11-14T22:13:20Z");
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-15T06:13:20+08:00",
            "2023-11-14T16:43:20-05:30",
        ] {
            assert_eq!(
                UtcTime::from_rfc3339(text.as_bytes()),
                Some(1_700_000_000),
                "{text}"
            );
        }
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13Z",
            "2023-11-31T22:13:20Z",
            "T::Z",
        ] {
            assert_eq!(UtcTime::from_rfc3339(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn known_instants_have_their_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000000Z"),
            (951_868_799, "2000-02-29T23:59:59.000000000Z"),
            (1_700_000_000, "2023-11-14T22:13:20.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.000000000Z"),
        ] {
            assert_eq!(UtcTime::from_unix(seconds).rfc3339(0), text);
            assert_eq!(UtcTime::from_unix(seconds).to_unix(), seconds);
        }
    }

    #[test]
    fn hour_names_parse_back_and_others_do_not() {
        let time = UtcTime::from_unix(1_700_000_000);
        assert_eq!(time.hour_name(), "2023-11-14-22");
        assert_eq!(
            UtcTime::from_hour_name(b"2023-11-14-22").unwrap().to_unix(),
            1_700_000_000 / 3600 * 3600
        );
        for name in [
            "2023-02-30-01",
            "2023-13-01-00",
            "2023-1-01-00",
            "2023-11-14-24",
            "2023-11-14-22-1",
            "+023-11-14-22",
            "x",
        ] {
            assert_eq!(UtcTime::from_hour_name(name.as_bytes()), None, "{name}");
        }
    }
}
