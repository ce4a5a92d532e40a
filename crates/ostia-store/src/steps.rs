//! A time cut into equal steps, for series.

use crate::retention::MINUTES_KEPT;
use crate::rollup::WIDTHS_MS;

/// Most points of a series.
pub const POINTS_MAX: i64 = 500;
/// Most points where nobody says how long a step is.
const POINTS_DEFAULT: i64 = 120;
const MINUTE: i64 = WIDTHS_MS[0];
const HOUR: i64 = WIDTHS_MS[1];
const DAY: i64 = WIDTHS_MS[2];
/// Longer times are told by day where nobody says: a month has too many sums by hour to be added up while somebody waits.
const BY_DAY: i64 = 10 * DAY;
/// Steps that people read with ease.
const READABLE: [i64; 12] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
];

/// A time from the beginning of its first step to the end of its last one, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The first moment.
    pub from_ms: i64,
    /// The first moment behind it.
    pub to_ms: i64,
    /// Of each.
    pub step_ms: i64,
}

/// Why a time cannot be cut so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// A step has to be of whole minutes.
    NoWholeMinutes,
    /// A step has to be of whole hours, because sums by minute are not kept for so long.
    NoWholeHours,
    /// There are more than [`POINTS_MAX`] steps.
    TooMany,
}

impl Steps {
    /// Cuts a time into steps so long, or where nobody says into at most `POINTS_DEFAULT` that people read with ease.
    ///
    /// # Errors
    /// There are no sums for steps so long, or too many steps.
    pub fn of(from_ms: i64, to_ms: i64, wanted_ms: Option<i64>, now_ms: i64) -> Result<Steps, StepError> {
        let least = least_width_ms(from_ms, now_ms);
        let step_ms = wanted_ms.unwrap_or_else(|| readable(to_ms.saturating_sub(from_ms)).max(least));
        if step_ms < MINUTE || step_ms % MINUTE != 0 {
            return Err(StepError::NoWholeMinutes);
        }
        if step_ms % least != 0 {
            return Err(StepError::NoWholeHours);
        }
        let (from_ms, to_ms) = whole((from_ms, to_ms), step_ms);
        let steps = Steps { from_ms, to_ms, step_ms };
        if steps.count() > POINTS_MAX { Err(StepError::TooMany) } else { Ok(steps) }
    }

    /// From when to when they are.
    pub(crate) fn time(&self) -> (i64, i64) {
        (self.from_ms, self.to_ms)
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        self.to_ms.saturating_sub(self.from_ms) / self.step_ms
    }

    /// When each begins.
    pub fn starts(&self) -> impl Iterator<Item = i64> {
        let Steps { from_ms, step_ms, .. } = *self;
        (0..self.count()).map(move |number| from_ms + number * step_ms)
    }

    /// The beginning of the one that holds this moment.
    pub(crate) fn start_of(&self, ms: i64) -> i64 {
        ms.div_euclid(self.step_ms) * self.step_ms
    }

    /// By which sums they are added up: the longest that fit.
    pub(crate) fn width_ms(&self) -> i64 {
        WIDTHS_MS.into_iter().rev().find(|width_ms| self.step_ms % width_ms == 0).unwrap_or(MINUTE)
    }
}

/// The shortest sums that are kept of a time that begins then.
pub(crate) fn least_width_ms(from_ms: i64, now_ms: i64) -> i64 {
    let minutes_kept_ms = MINUTES_KEPT.as_millis() as i64;
    if now_ms.saturating_sub(from_ms) < minutes_kept_ms { MINUTE } else { HOUR }
}

/// The time with what is missing of the first and last part of this width.
pub(crate) fn whole((from_ms, to_ms): (i64, i64), width_ms: i64) -> (i64, i64) {
    let end = to_ms.saturating_add(width_ms - 1).div_euclid(width_ms) * width_ms;
    (from_ms.div_euclid(width_ms) * width_ms, end)
}

/// A time of whole minutes in pieces that each have sums of a width of their own: days, and what is left of them before and behind by
/// hour and by minute.
pub(crate) fn pieces((from_ms, to_ms): (i64, i64)) -> Vec<(i64, (i64, i64))> {
    let up = |ms: i64, width_ms: i64| ms.saturating_add(width_ms - 1).div_euclid(width_ms) * width_ms;
    let down = |ms: i64, width_ms: i64| ms.div_euclid(width_ms) * width_ms;
    let (first_hour, last_hour) = (up(from_ms, HOUR).min(to_ms), down(to_ms, HOUR).max(from_ms));
    if first_hour >= last_hour {
        // The minutes up to an hour, and those behind it.
        return vec![(MINUTE, (from_ms, to_ms))];
    }
    let (first_day, last_day) = (up(first_hour, DAY).min(last_hour), down(last_hour, DAY).max(first_hour));
    let hours = match first_day < last_day {
        true => {
            vec![(HOUR, (first_hour, first_day)), (DAY, (first_day, last_day)), (HOUR, (last_day, last_hour))]
        }
        false => vec![(HOUR, (first_hour, last_hour))],
    };
    let minutes = [(MINUTE, (from_ms, first_hour)), (MINUTE, (last_hour, to_ms))];
    let all = minutes.into_iter().chain(hours);
    all.filter(|(_, (from_ms, to_ms))| from_ms < to_ms).collect()
}

fn readable(time_ms: i64) -> i64 {
    let least = if time_ms > BY_DAY { DAY } else { MINUTE };
    let is_enough = |step_ms: &i64| *step_ms >= least && time_ms / step_ms <= POINTS_DEFAULT;
    let days = || (time_ms / POINTS_DEFAULT / DAY + 1) * DAY;
    READABLE.into_iter().find(is_enough).unwrap_or_else(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_939_200_000;

    #[test]
    fn steps_that_people_read() {
        let check = |time_ms: i64, step_ms: i64| {
            let steps = Steps::of(NOW - time_ms, NOW, None, NOW).unwrap();
            assert_eq!(steps.step_ms, step_ms, "{time_ms}");
            assert!(steps.count() <= POINTS_DEFAULT + 1);
            assert!(steps.from_ms <= NOW - time_ms && steps.to_ms >= NOW);
            assert_eq!(steps.starts().count() as i64, steps.count());
        };
        check(1, MINUTE);
        check(HOUR, MINUTE);
        check(6 * HOUR, 5 * MINUTE);
        check(DAY, 15 * MINUTE);
        check(7 * DAY, 2 * HOUR);
        check(10 * DAY, 2 * HOUR);
        check(30 * DAY, DAY);
        check(400 * DAY, 7 * DAY);
        check(NOW, 174 * DAY);
    }

    #[test]
    fn pieces_are_all_of_the_time() {
        let check = |from_ms: i64, to_ms: i64, count: usize| {
            let mut pieces = pieces((from_ms, to_ms));
            pieces.sort_by_key(|(_, (from_ms, _))| *from_ms);
            assert_eq!(pieces.len(), count, "{pieces:?}");
            let mut last = from_ms;
            for (width_ms, (from_ms, to_ms)) in pieces {
                assert!(from_ms == last && from_ms < to_ms, "{from_ms} {to_ms}");
                assert!(from_ms % width_ms == 0 && to_ms % width_ms == 0, "{width_ms}");
                last = to_ms;
            }
            assert_eq!(last, to_ms);
        };
        let day = NOW / DAY * DAY;
        check(day, day + MINUTE, 1);
        check(day + 59 * MINUTE, day + 61 * MINUTE, 1);
        check(day + 59 * MINUTE, day + 121 * MINUTE, 3);
        check(day, day + HOUR, 1);
        check(day, day + DAY, 1);
        check(day - 2 * DAY - HOUR - MINUTE, day + HOUR + MINUTE, 5);
        check(day - DAY + HOUR, day + DAY - HOUR, 1);
    }

    #[test]
    fn steps_that_somebody_wants() {
        let check = |age_ms: i64, wanted: i64, expected: Result<i64, StepError>| {
            let from_ms = NOW - age_ms;
            let steps = Steps::of(from_ms, from_ms + DAY, Some(wanted), NOW);
            assert_eq!(steps.map(|steps| steps.width_ms()), expected, "{age_ms} {wanted}");
        };
        check(DAY, 3 * MINUTE, Ok(MINUTE));
        check(DAY, 90 * MINUTE, Ok(MINUTE));
        check(DAY, 2 * HOUR, Ok(HOUR));
        check(DAY, DAY, Ok(DAY));
        check(DAY, 0, Err(StepError::NoWholeMinutes));
        check(DAY, MINUTE + 1, Err(StepError::NoWholeMinutes));
        check(DAY, 2 * MINUTE, Err(StepError::TooMany));
        check(9 * DAY, 10 * MINUTE, Err(StepError::NoWholeHours));
        check(9 * DAY, HOUR, Ok(HOUR));
        // Where nobody says, it is as long as it has to be.
        assert_eq!(
            Steps::of(NOW - 9 * DAY, NOW - 9 * DAY + HOUR, None, NOW).map(|steps| steps.step_ms),
            Ok(HOUR)
        );
    }
}
