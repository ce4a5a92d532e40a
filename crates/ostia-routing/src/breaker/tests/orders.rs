//! Every order in which two cores can meet at a breaker.

use loom::sync::Arc;
use loom::thread;

use super::super::*;

const OPENED: Time = Time::from_micros(1_000_000);
const LATER: Time = Time::from_micros(60_000_000);

fn rule() -> Rule {
    Rule::new(&config::Breaker { failure_threshold: Some(2), ..config::Breaker::default() })
}

fn open() -> Arc<Breaker> {
    let breaker = Breaker::default();
    breaker.word.store(lease(OPENED), Ordering::Release);
    Arc::new(breaker)
}

#[test]
fn loom_one_probe() {
    loom::model(|| {
        let breaker = open();
        let other = breaker.clone();
        let there = thread::spawn(move || other.enter(&rule(), LATER).is_some());
        let here = breaker.enter(&rule(), LATER).is_some();
        assert!(here ^ there.join().unwrap(), "exactly one is the probe");
        assert_eq!(breaker.state(LATER), State::HalfOpen);
    });
}

#[test]
fn loom_a_probe_comes_back_while_another_asks() {
    loom::model(|| {
        let breaker = open();
        let probe = breaker.enter(&rule(), LATER).unwrap();
        let other = breaker.clone();
        let there = thread::spawn(move || other.enter(&rule(), LATER));
        breaker.leave(&rule(), probe, Verdict::SUCCESS, LATER);
        let there = there.join().unwrap();
        assert!(there.is_none() || there == Some(Pass::Usual), "refused before, let through after");
        assert_eq!(breaker.state(LATER), State::Closed);
    });
}

#[test]
fn loom_failures_of_two_cores_add_up() {
    loom::model(|| {
        let breaker = Arc::new(Breaker::default());
        let other = breaker.clone();
        let there = thread::spawn(move || other.leave(&rule(), Pass::Usual, Verdict::Unreachable, LATER));
        breaker.leave(&rule(), Pass::Usual, Verdict::Unreachable, LATER);
        there.join().unwrap();
        assert!(matches!(breaker.state(LATER), State::Open(_)));
    });
}
