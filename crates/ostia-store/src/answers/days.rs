//! Days on which there is any of what is asked for, as times.

use crate::rollup::WIDTHS_MS;

/// A day, in milliseconds.
pub(crate) const DAY_MS: i64 = WIDTHS_MS[2];

/// From, and to before.
pub(crate) type Time = (Option<i64>, Option<i64>);

/// Days, the latest first, as times; those that follow each other as one.
pub(crate) fn joined(days: &[i64]) -> Vec<(i64, i64)> {
    let mut times: Vec<(i64, i64)> = Vec::new();
    for day in days {
        match times.last_mut() {
            Some((first, _)) if *first == day + DAY_MS => *first = *day,
            _ => times.push((*day, day + DAY_MS)),
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_follow_each_other() {
        let check = |days: &[i64], expected: &[(i64, i64)]| {
            let days: Vec<i64> = days.iter().map(|day| day * DAY_MS).collect();
            let expected: Vec<_> =
                expected.iter().map(|(first, end)| (first * DAY_MS, end * DAY_MS)).collect();
            assert_eq!(joined(&days), expected);
        };
        check(&[], &[]);
        check(&[7], &[(7, 8)]);
        check(&[9, 8, 7, 3, 1, 0], &[(7, 10), (3, 4), (0, 2)]);
    }
}
