#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;

fn sizes(targets: usize) -> Sizes {
    Sizes { targets, gauges: 0, turns: 1 }
}

fn take(state: &State, content: u64, targets: usize) -> Arc<Slots> {
    state.take(content, sizes(targets)).expect("slots")
}

fn is_kept(state: &State, content: u64) -> bool {
    state.0.lock().unwrap().entries.contains_key(&content)
}

#[test]
fn requests_of_one_config_share_and_others_do_not() {
    let state = State::default();
    let (one, other) = (take(&state, 1, 2), take(&state, 2, 2));
    assert!(Arc::ptr_eq(&one, &take(&state, 1, 2)));
    assert!(!Arc::ptr_eq(&one, &other));
    assert_eq!((one.turn(0), one.turn(0), other.turn(0)), (0, 1, 0));
    assert!(one.target(2).is_none());
    assert!(state.take(3, Sizes::default()).is_none());
}

#[test]
fn what_was_taken_least_recently_goes() {
    let state = State::default();
    for content in [0, 1, 2, 0, 3] {
        take(&state, content, SLOTS_MAX / 3 - 2);
    }
    assert_eq!([0, 1, 2, 3].map(|content| is_kept(&state, content)), [true, false, false, true]);
}

#[test]
fn what_a_route_still_has_stays() {
    let state = State::default();
    let held = take(&state, 0, SLOTS_MAX / 3 - 2);
    for content in 1..4 {
        take(&state, content, SLOTS_MAX / 3 - 2);
    }
    assert!(is_kept(&state, 0) && Arc::ptr_eq(&held, &take(&state, 0, 1)));
}

#[test]
fn one_that_is_too_large_is_kept_alone() {
    let state = State::default();
    take(&state, 0, 1);
    take(&state, 1, SLOTS_MAX * 2);
    assert_eq!((is_kept(&state, 0), is_kept(&state, 1)), (false, true));
    take(&state, 0, 1);
    assert_eq!((is_kept(&state, 0), is_kept(&state, 1)), (true, false));
}

#[test]
fn a_copy_is_its_own() {
    let slots = take(&State::default(), 5, 1);
    let copy = slots.copy();
    copy.turn(0);
    assert_eq!(copy.sizes(), slots.sizes());
    assert_eq!((slots.turn(0), copy.turn(0)), (0, 1));
}
