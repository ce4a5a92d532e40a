//! Every order in which two cores can meet at a key.

use loom::sync::Arc;
use loom::thread;

use super::super::*;

const NOW: Time = Time::from_micros(1_000_000);
const SOON: Time = Time::from_micros(2_000_000);
const LATE: Time = Time::from_micros(9_000_000);

#[test]
fn loom_of_two_rests_the_longer_one_stays() {
    loom::model(|| {
        let rest = Arc::new(Rest::default());
        let other = rest.clone();
        let there = thread::spawn(move || other.begin(0, Why::RateLimit, LATE));
        rest.begin(0, Why::RateLimit, SOON);
        there.join().unwrap();
        assert_eq!(rest.state(NOW), Some((Why::RateLimit, LATE)));
    });
}

#[test]
fn loom_a_good_answer_ends_no_rest_that_it_does_not_know() {
    loom::model(|| {
        let rest = Arc::new(Rest::default());
        rest.begin(0, Why::RateLimit, SOON);
        let seen = rest.word();
        let other = rest.clone();
        let there = thread::spawn(move || other.begin(seen, Why::Refused, LATE));
        rest.end(seen);
        there.join().unwrap();
        assert_eq!(rest.state(NOW), Some((Why::Refused, LATE)));
    });
}

#[test]
fn loom_a_rest_that_was_ended_is_not_prolonged() {
    loom::model(|| {
        let rest = Arc::new(Rest::default());
        rest.begin(0, Why::Refused, SOON);
        let seen = rest.word();
        let other = rest.clone();
        let there = thread::spawn(move || other.prolong(LATE));
        rest.end(seen);
        there.join().unwrap();
        let state = rest.state(NOW);
        assert!(state.is_none() || state == Some((Why::Refused, LATE)), "{state:?}");
    });
}
