//! This machine's clock against those of the providers, which tell the time in the header `Date`.

use std::time::{Duration, SystemTime};

use super::report::Finding;

/// Their seconds are whole, and answers take a while.
const DIFFERENCE_MAX: Duration = Duration::from_secs(30);

/// A time that a provider told, and when.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// What it said.
    pub date: SystemTime,
    /// When it said so, by this machine's clock.
    pub here: SystemTime,
}

/// `None` where nobody told the time. One provider may be wrong: what most of them say counts.
pub fn compare(told: impl Iterator<Item = Told>) -> Option<Finding> {
    let mut ahead: Vec<i64> = told.map(|Told { date, here }| seconds(here) - seconds(date)).collect();
    ahead.sort_unstable();
    let ahead = *ahead.get(ahead.len() / 2)?;
    let (by, where_to) = (ahead.unsigned_abs(), if ahead > 0 { "ahead of" } else { "behind" });
    Some(match Duration::from_secs(by) > DIFFERENCE_MAX {
        false => Finding::ok("clock", "agrees with the providers"),
        true => {
            let next =
                "set it by NTP (timedatectl set-ntp true): certificates and signed requests depend on it";
            Finding::warn("clock", format!("{by} s {where_to} the providers"), next)
        }
    })
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_what_is_told_counts() {
        let check = |ahead: &[i64], expected: Option<Finding>| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
            let told = ahead.iter().map(|ahead| {
                let date = SystemTime::UNIX_EPOCH + Duration::from_secs((1_000_000 - ahead).unsigned_abs());
                Told { date, here: now }
            });
            assert_eq!(compare(told), expected, "{ahead:?}");
        };
        let agrees = Finding::ok("clock", "agrees with the providers");
        let next = "set it by NTP (timedatectl set-ntp true): certificates and signed requests depend on it";
        check(&[], None);
        check(&[0], Some(agrees.clone()));
        check(&[-30, 30, 900], Some(agrees));
        check(&[90, 88, 0], Some(Finding::warn("clock", "88 s ahead of the providers", next)));
        check(&[-90], Some(Finding::warn("clock", "90 s behind the providers", next)));
    }
}
