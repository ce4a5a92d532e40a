//! Days of the calendar, as they stand in the data.

use std::fmt;

/// A day: `2026-11-29`. Compares as days do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let mut part = |width: usize| {
            let digits = parts.next()?;
            let is_number = digits.len() == width && digits.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        if parts.next().is_some() {
            return None;
        }
        Date::of(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// That day, if there is one.
    pub fn of(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Date { year, month, day })
    }

    /// The day in UTC, so many seconds after 1970 began. Nothing after the year 9999.
    ///
    /// Years begin in March here, so that the leap day is their last
    /// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
    pub fn at_unix_s(seconds: u64) -> Option<Date> {
        const DAYS_IN_400_YEARS: u64 = 146_097;
        const DAYS_BEFORE_1970: u64 = 719_468;
        let days = seconds / 86_400 + DAYS_BEFORE_1970;
        let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = u16::try_from(era * 400 + year + next).ok().filter(|year| *year < 10_000)?;
        Date::of(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// As a number of eight digits.
    pub(crate) fn packed(self) -> u64 {
        u64::from(self.year) * 10_000 + u64::from(self.month) * 100 + u64::from(self.day)
    }

    pub(crate) fn unpacked(packed: u64) -> Option<Date> {
        let part = |divisor: u64, modulus: u64| u8::try_from(packed / divisor % modulus).ok();
        Date::of(u16::try_from(packed / 10_000).ok()?, part(100, 100)?, part(1, 100)?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

crate::as_text::as_text!(Date, Date::to_string, Date::parse);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_exist() {
        for text in ["2026-11-29", "2024-02-29", "2000-02-29", "0001-01-01"] {
            let date = Date::parse(text).unwrap();
            assert_eq!((date.to_string().as_str(), Date::unpacked(date.packed())), (text, Some(date)));
        }
        for text in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "2026-11-00", "x", "2026-11-29-1"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        let at = |seconds: u64| Date::at_unix_s(seconds).map(|date| date.to_string());
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_795_910_400, "2026-11-29"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(at(seconds).as_deref(), Some(expected), "{seconds}");
        }
        assert_eq!(at(u64::MAX), None);
        assert!(Date::parse("2026-12-01") > Date::parse("2026-11-30"));
    }
}
