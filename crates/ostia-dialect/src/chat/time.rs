//! Times of answers: Unix seconds to RFC 3339 and back.

/// The time of these Unix seconds as RFC 3339 in UTC: the way back from [`unix_seconds`]. By hand, since the libraries that
/// know it (`time`, `jiff`, `chrono`) have a clock, and pure crates do without
/// (<https://howardhinnant.github.io/date_algorithms.html>).
pub(crate) fn timestamp(seconds: u64) -> String {
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March of the year 0, in eras of 400 years, which all have as many days.
    let day = days.saturating_add(719_468);
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Unix seconds of a time such as `2026-05-04T20:01:02.264968Z` (RFC 3339, UTC, which may be written `+00:00`).
pub(crate) fn unix_seconds(time: &str) -> Option<u64> {
    let (date, clock) = time.strip_suffix('Z').or_else(|| time.strip_suffix("+00:00"))?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|field| field.parse::<u64>().ok());
    let mut clock = clock.split('.').next()?.splitn(3, ':').map(|field| field.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days_to_1970 = 719_468;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - days_to_1970;
    (hour < 24 && minute < 60 && second <= 60).then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}
