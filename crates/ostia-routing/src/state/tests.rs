use super::*;
use crate::config::{Config, Node, Retry};

fn route(content: u64, targets: usize) -> Route {
    let mut route = Route::new(&Config::default());
    (route.content, route.sizes) = (content, Sizes { targets, gauges: 0, turns: 1 });
    route
}

fn at(seconds: u64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

#[test]
fn requests_of_one_config_share_and_others_do_not() {
    let state = State::default();
    let (one, other) = (route(1, 2), route(1 + SHARDS as u64, 2));
    assert!(state.peek(&one, at(0)).is_none());
    assert!(Arc::ptr_eq(&state.slots(&one, at(0)), &state.slots(&one, at(1))));
    assert!(!Arc::ptr_eq(&state.slots(&one, at(0)), &state.slots(&other, at(1))));
    assert_eq!((state.slots(&one, at(0)).turn(0), state.slots(&one, at(0)).turn(0)), (0, 1));
    assert_eq!(state.slots(&other, at(0)).turn(0), 0);
    assert!(state.slots(&one, at(0)).target(2).is_none());
}

#[test]
fn what_was_used_least_recently_goes() {
    let state = State::default();
    let routes: Vec<Route> = (0..4).map(|n| route(n * SHARDS as u64, SHARD_SLOTS_MAX / 3 - 2)).collect();
    for (second, route) in
        [&routes[0], &routes[1], &routes[2], &routes[0], &routes[3]].into_iter().enumerate()
    {
        state.slots(route, at(second as u64));
    }
    let kept: Vec<bool> = routes.iter().map(|route| state.peek(route, at(9)).is_some()).collect();
    assert_eq!(kept, [true, false, false, true]);
}

#[test]
fn one_that_is_too_large_is_kept_alone() {
    let state = State::default();
    state.slots(&route(0, 1), at(0));
    state.slots(&route(SHARDS as u64, SHARD_SLOTS_MAX * 2), at(1));
    assert!(state.peek(&route(0, 1), at(2)).is_none());
    state.slots(&route(0, 1), at(3));
    assert!(state.peek(&route(0, 1), at(3)).is_some());
    assert!(state.peek(&route(SHARDS as u64, 1), at(3)).is_none());
}

#[test]
fn a_copy_is_its_own() {
    let root = Node { retry: Some(Retry { attempts: 1, ..Retry::default() }), ..Node::default() };
    let route = Route::new(&Config { root, content: 5 });
    let slots = State::default().slots(&route, at(0));
    let copy = slots.copy();
    copy.turn(0);
    assert_eq!(copy.sizes(), slots.sizes());
    assert_eq!(slots.sizes().targets, 1);
}
