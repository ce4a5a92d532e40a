#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(loom)]
mod orders;

use super::*;
use crate::outcome::Class;

/// Outcomes second by second: `.` good, `x` failed (503), `-` says nothing; a number waits so many seconds.
/// `/` ends what happens; then what the breaker does at the end.
fn check(config: &config::Breaker, story: &str, expected: &str) {
    let (rule, breaker) = (Rule::new(config), Breaker::default());
    let mut now = Time::from_micros(5_000_000);
    for word in story.split_whitespace() {
        if let Ok(seconds) = word.parse() {
            now = now.after(Duration::from_secs(seconds));
            continue;
        }
        for letter in word.chars() {
            let verdict = match letter {
                '.' => Verdict::SUCCESS,
                'x' => Verdict::of_status(503),
                _ => Verdict::ClientGone,
            };
            let pass = breaker.enter(&rule, now).unwrap_or_else(|| panic!("refused in {story}"));
            breaker.leave(&rule, pass, verdict, now);
        }
    }
    let state = match breaker.state(now) {
        State::Closed => "closed".to_owned(),
        State::Open(until) => format!("open for {} ms", remaining_ms(until, now)),
        State::HalfOpen => "half-open".to_owned(),
    };
    assert_eq!(state, expected, "{story}");
}

fn counting(failures: u64) -> config::Breaker {
    config::Breaker { failure_threshold: Some(failures), ..config::Breaker::default() }
}

#[test]
fn stories() {
    let three = counting(3);
    check(&three, "xx", "closed");
    check(&three, "xxx", "open for 30000 ms");
    check(&three, "x.x.-x", "open for 30000 ms");
    check(&three, "xx 61 x", "closed");
    check(&three, "xxx 29", "open for 1000 ms");
    check(&three, "xxx 30", "half-open");
    check(&three, "xxx 30 .", "closed");
    check(&three, "xxx 30 . xx", "closed");
    check(&three, "xxx 30 x", "open for 30000 ms");
    check(&three, "xxx 30 -", "half-open");
    check(&three, "xxx 30 - .", "closed");
    let half = config::Breaker {
        failure_threshold_percentage: Some(50.0),
        minimum_requests: Some(4),
        cooldown_interval_ms: Some(45_000),
        ..config::Breaker::default()
    };
    check(&half, "xxx", "closed");
    check(&half, "..xx", "open for 45000 ms");
    check(&half, "...xx", "closed");
    check(&config::Breaker::default(), "xxxx", "closed");
    check(&config::Breaker::default(), "xxxxx", "open for 30000 ms");
}

#[test]
fn one_probe_at_a_time() {
    let (rule, breaker) = (Rule::new(&counting(1)), Breaker::default());
    let at = |seconds: u64| Time::from_micros(seconds * 1_000_000);
    breaker.leave(&rule, Pass::Usual, Verdict::Unreachable, at(1));
    assert_eq!(breaker.enter(&rule, at(2)), None);
    let lost = breaker.enter(&rule, at(31)).unwrap();
    assert_eq!(breaker.enter(&rule, at(60)), None);
    // The first probe never came back: another one goes, and the late verdict of the first is not heard.
    let second = breaker.enter(&rule, at(61)).unwrap();
    breaker.leave(&rule, lost, Verdict::SUCCESS, at(62));
    assert_eq!(breaker.state(at(62)), State::HalfOpen);
    breaker.leave(&rule, second, Verdict::SUCCESS, at(63));
    assert_eq!(breaker.state(at(63)), State::Closed);
}

#[test]
fn what_counts_as_failure() {
    let default = Rule::new(&counting(1));
    let listed = Rule::new(&config::Breaker { failure_status_codes: Some([429].into()), ..counting(1) });
    let refused = |status| Verdict::Refused { status, class: Class::of_status(status) };
    for (verdict, by_default, by_list) in [
        (Verdict::SUCCESS, Some(false), Some(false)),
        (refused(429), Some(false), Some(true)),
        (refused(500), Some(true), Some(false)),
        (refused(400), Some(false), Some(false)),
        (Verdict::Unreachable, Some(true), Some(true)),
        (Verdict::Broken, Some(true), Some(true)),
        (Verdict::BadAnswer, Some(true), Some(true)),
        (Verdict::Late(Limit::FirstByte), Some(true), Some(false)),
        (Verdict::Late(Limit::Deadline), None, None),
        (Verdict::Untranslatable, None, None),
        (Verdict::SignIn, None, None),
        (Verdict::Denied, None, None),
        (Verdict::ClientGone, None, None),
    ] {
        assert_eq!(
            (default.is_failure(verdict), listed.is_failure(verdict)),
            (by_default, by_list),
            "{verdict:?}"
        );
    }
}

#[test]
fn extreme_times_do_not_panic() {
    let (rule, breaker) = (Rule::new(&counting(1)), Breaker::default());
    for now in [Time::from_micros(0), Time::from_micros(u64::MAX)] {
        breaker.leave(&rule, Pass::Usual, Verdict::Unreachable, now);
        breaker.enter(&rule, now);
        breaker.counts(now);
    }
}
