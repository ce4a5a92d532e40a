//! Times and sizes as people write them: `500ms`, `5s`, `64MiB`.

use std::time::Duration;

const TIME_UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A time: a whole number and `ms`, `s`, `m` or `h`; a plain number is milliseconds.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    amount(text, &TIME_UNITS).map(Duration::from_millis)
}

/// The same, also in days (`d`).
pub(crate) fn age(text: &str) -> Option<Duration> {
    let [units @ .., hours] = TIME_UNITS;
    let [ms, s, m] = units;
    amount(text, &[ms, s, m, hours, ("d", 86_400_000)]).map(Duration::from_millis)
}

/// A size in bytes: a whole number and `B`, `KB`, `MB`, `GB` (thousands) or `KiB`, `MiB`, `GiB` (1024s); a plain
/// number is bytes.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    amount(text, &SIZE_UNITS)
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let (number, unit) =
        text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = unit.trim();
    let factor = match units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1,
        None => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time as it is written, for messages.
pub(crate) fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis % 1000 {
        0 => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}

/// A size as it is written, for messages.
pub(crate) fn bytes_text(bytes: u64) -> String {
    let units = SIZE_UNITS.iter().skip(4).rev();
    match units.into_iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)) {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => format!("{bytes}B"),
    }
}
