//! Trying the same target again: what for, after how long, and how often at most.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use crate::config::{self, RETRY_BUDGET_PERCENT, RETRY_WAIT_MS};
use crate::hash::Dice;
use crate::outcome::{Outcome, Verdict};
use crate::time::Time;

/// The statuses that are tried again where the config does not say.
const STATUSES: [u16; 6] = [429, 500, 502, 503, 504, 529];
/// The longest wait before the first retry; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait that nobody asked for.
const BACKOFF_MAX: Duration = Duration::from_secs(16);
/// Retries a second that a quiet target may always have, beside its share of the requests.
pub(crate) const RETRIES_PER_SECOND: u64 = 10;

/// When and how often a target is tried again.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) attempts: u32,
    statuses: config::Statuses,
    pub(crate) wait_max: Duration,
    pub(crate) budget: Rate,
}

impl Rule {
    /// `None` if the config asks for no retry.
    pub(crate) fn new(config: &config::Retry) -> Option<Rule> {
        let percent = config.budget_percent.unwrap_or(RETRY_BUDGET_PERCENT);
        (config.attempts > 0).then(|| Rule {
            attempts: config.attempts,
            statuses: config.on_status_codes.clone(),
            wait_max: Duration::from_millis(config.max_wait_ms.unwrap_or(RETRY_WAIT_MS)),
            budget: Rate::new(percent, RETRIES_PER_SECOND),
        })
    }

    /// Whether this is worth another try at the same target. What the target itself says of it goes before the list.
    pub(crate) fn wants_again(&self, Outcome { verdict, again, .. }: Outcome) -> bool {
        match (verdict, again) {
            (Verdict::Refused { class, .. }, Some(again)) => again && class.may_pass(),
            _ => self.wants(verdict),
        }
    }

    /// The same where the target says nothing. Lists of statuses say nothing of failures that have none.
    pub(crate) fn wants(&self, verdict: Verdict) -> bool {
        let list = self.statuses.as_deref().unwrap_or(&STATUSES);
        match verdict {
            Verdict::Unreachable | Verdict::Broken | Verdict::BadAnswer => true,
            Verdict::Success { status } => list.contains(&status),
            Verdict::Refused { status, class } => list.contains(&status) && class.may_pass(),
            Verdict::Late(_) => list.contains(&408),
            Verdict::Denied => list.contains(&446),
            Verdict::Untranslatable | Verdict::SignIn | Verdict::ClientGone => false,
        }
    }
}

/// How long to wait before a retry (0 for the first): anything up to a bound that doubles, so that clients
/// that failed together do not come back together ("full jitter").
pub(crate) fn backoff(retry: u32, dice: &mut Dice) -> Duration {
    BACKOFF.saturating_mul(1 << retry.min(16)).min(BACKOFF_MAX).mul_f64(dice.unit())
}

/// How long an answer asks to be left alone. `header` gives the value of a header by its name in lower case.
///
/// `retry-after` is read as seconds or as an HTTP date (RFC 9110, section 10.2.3), which is compared with
/// `wall`. Where `further` (`use_retry_after_header`), `retry-after-ms` and `x-ms-retry-after-ms` go before
/// it. A date that has passed means no wait; what cannot be read is not there.
pub fn told_wait<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    further: bool,
    wall: SystemTime,
) -> Option<Duration> {
    let millis = |name| header(name).and_then(|text| seconds(text, 1e-3)).filter(|_| further);
    let usual = || {
        let text = header("retry-after")?;
        let date = || httpdate::parse_http_date(text.trim()).ok();
        seconds(text, 1.0).or_else(|| Some(date()?.duration_since(wall).unwrap_or_default()))
    };
    millis("retry-after-ms").or_else(|| millis("x-ms-retry-after-ms")).or_else(usual)
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = Some(text.trim()).filter(digits)?.parse().ok()?;
    // Longer than there is time means: do not come back.
    Some(Duration::try_from_secs_f64(number * unit).unwrap_or(Duration::MAX))
}

/// How fast a budget fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// What one use costs, in microseconds of filling.
    token_us: i64,
    /// What one request adds.
    share_us: i64,
}

impl Rate {
    /// A share of the requests in percent, and so many each second besides; nothing at all for 0 percent.
    pub(crate) fn new(percent: f64, per_second: u64) -> Rate {
        let token_us = i64::try_from(1_000_000 / per_second.max(1)).unwrap_or(i64::MAX);
        Rate { token_us, share_us: (token_us as f64 * percent / 100.0) as i64 }
    }
}

/// A bucket of tokens that fills with time and with requests. It is kept as the time at which it was (or will
/// be) empty: every token taken moves that time towards now, every request moves it back.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

/// Most that a bucket holds, as time of filling.
const BUDGET_US_MAX: i64 = 10_000_000;

impl Default for Budget {
    fn default() -> Budget {
        // Empty so long ago that it is full.
        Budget(AtomicI64::new(-BUDGET_US_MAX))
    }
}

impl Budget {
    /// Adds one request's share.
    pub(crate) fn earn(&self, rate: Rate, now: Time) {
        self.change(now, |empty| Some(empty - rate.share_us));
    }

    /// Takes one token; false if there is none.
    pub(crate) fn take(&self, rate: Rate, now: Time) -> bool {
        let micros = signed(now);
        let taken = |empty: i64| Some(empty.saturating_add(rate.token_us)).filter(|empty| *empty <= micros);
        rate.share_us > 0 && self.change(now, taken)
    }

    fn change(&self, now: Time, change: impl Fn(i64) -> Option<i64>) -> bool {
        let full = signed(now) - BUDGET_US_MAX;
        let change = |empty: i64| change(empty.max(full)).map(|empty| empty.max(full));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }

    /// A budget of its own, filled in the same way.
    pub(crate) fn copy(&self) -> Budget {
        Budget(AtomicI64::new(self.0.load(Ordering::Relaxed)))
    }
}

fn signed(now: Time) -> i64 {
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}
