#![allow(clippy::unwrap_used)]
use super::*;
use crate::outcome::{Class, Limit};

#[test]
fn waits_that_are_told() {
    let wall = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let check = |headers: &[(&str, &str)], further: bool, expected_ms: Option<u64>| {
        let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let told = told_wait(header, further, wall);
        assert_eq!(told, expected_ms.map(Duration::from_millis), "{headers:?}");
    };
    check(&[], true, None);
    check(&[("retry-after", "3")], false, Some(3000));
    check(&[("retry-after", " 0.5 ")], false, Some(500));
    check(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], false, Some(30_000));
    check(&[("retry-after", "Sunday, 06-Nov-94 08:49:38 GMT")], false, Some(1000));
    check(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], false, Some(0));
    check(&[("retry-after", "-1")], false, None);
    check(&[("retry-after", "soon")], false, None);
    check(&[("retry-after", "inf")], false, None);
    check(&[("retry-after", "")], false, None);
    check(&[("retry-after-ms", "20"), ("retry-after", "3")], false, Some(3000));
    check(&[("retry-after-ms", "20"), ("retry-after", "3")], true, Some(20));
    check(&[("x-ms-retry-after-ms", "30"), ("retry-after", "3")], true, Some(30));
    check(&[("retry-after-ms", "x"), ("retry-after", "3")], true, Some(3000));
    let huge = told_wait(|_| Some("99999999999999999999999999"), false, wall);
    assert_eq!(huge, Some(Duration::MAX));
}

#[test]
fn what_is_tried_again() {
    let rule = |statuses: Option<Vec<u16>>| {
        let config = config::Retry {
            attempts: 1,
            on_status_codes: statuses.map(Into::into),
            ..config::Retry::default()
        };
        Rule::new(&config).unwrap()
    };
    let (default, listed) = (rule(None), rule(Some(vec![408, 246, 446])));
    let refused = |status| Verdict::Refused { status, class: Class::of_status(status) };
    for status in STATUSES {
        assert!(default.wants(refused(status)) && !listed.wants(refused(status)), "{status}");
    }
    for (verdict, by_default, by_list) in [
        (refused(400), false, false),
        // No wait mends these, whatever their status is.
        (Verdict::Refused { status: 429, class: Class::Quota }, false, false),
        (Verdict::Refused { status: 408, class: Class::ContextLength }, false, false),
        (Verdict::Refused { status: 500, class: Class::ContentPolicy }, false, false),
        (Verdict::SUCCESS, false, false),
        (Verdict::Success { status: 246 }, false, true),
        (Verdict::Denied, false, true),
        (Verdict::Late(Limit::FirstByte), false, true),
        (Verdict::Unreachable, true, true),
        (Verdict::BadAnswer, true, true),
        (Verdict::Untranslatable, false, false),
        (Verdict::SignIn, false, false),
        (Verdict::ClientGone, false, false),
    ] {
        assert_eq!((default.wants(verdict), listed.wants(verdict)), (by_default, by_list), "{verdict:?}");
    }
    assert!(Rule::new(&config::Retry::default()).is_none());
    // What the target says of it goes before every list.
    let told = |verdict, again| default.wants_again(Outcome { again, ..Outcome::of(verdict) });
    assert!(told(refused(409), Some(true)) && !told(refused(503), Some(false)));
    assert!(told(refused(503), None) && !told(refused(409), None));
    assert!(!told(Verdict::Refused { status: 429, class: Class::Quota }, Some(true)));
    assert!(told(Verdict::Unreachable, Some(false)) && !told(Verdict::SUCCESS, Some(true)));
}

#[test]
fn backoff_is_even_and_bounded() {
    let mut dice = Dice::new(3);
    for (retry, most) in [(0, 1), (1, 2), (4, 16), (5, 16), (u32::MAX, 16)] {
        let waits: Vec<f64> = (0..1000).map(|_| backoff(retry, &mut dice).as_secs_f64()).collect();
        let mean = waits.iter().sum::<f64>() / 1000.0 / f64::from(most);
        assert!(waits.iter().all(|wait| *wait <= f64::from(most)), "{retry}");
        assert!((mean - 0.5).abs() < 0.05, "{retry}: {mean}");
    }
}

#[test]
fn an_outage_is_not_amplified() {
    // 1000 requests a second, all failing: a fifth of them may be tried again, and ten a second besides.
    let (budget, rate) = (Budget::default(), Rate::new(20.0, RETRIES_PER_SECOND));
    let mut retries = 0;
    for request in 0..100_000_u64 {
        let now = Time::from_micros(request * 1000);
        budget.earn(rate, now);
        retries += u64::from(budget.take(rate, now));
    }
    assert!((20_900..=21_200).contains(&retries), "{retries}");
}

#[test]
fn budgets_of_the_quiet_and_of_none() {
    let (budget, rate) = (Budget::default(), Rate::new(5.0, 1));
    let takes = |seconds: u64| {
        let now = Time::from_micros(seconds * 1_000_000);
        (0..100).filter(|_| budget.take(rate, now)).count()
    };
    assert_eq!((takes(0), takes(3), takes(1000)), (10, 3, 10));
    assert!(!Budget::default().take(Rate::new(0.0, 10), Time::default()));
    let last = Time::from_micros(u64::MAX);
    budget.earn(rate, last);
    budget.take(rate, last);
}
