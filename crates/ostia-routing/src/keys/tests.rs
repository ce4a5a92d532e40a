#![allow(clippy::unwrap_used)]

#[cfg(loom)]
mod orders;

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

fn keys(weights: &[u32], state: &State) -> Keys {
    let secrets: Vec<SecretString> = (0..weights.len()).map(|place| format!("sk-{place}").into()).collect();
    let given: Vec<(&SecretString, u32)> = secrets.iter().zip(weights.iter().copied()).collect();
    Keys::new("own", &given, state)
}

/// One request: what each key answers it, by place (`.` good, `4` 429 without a time, `7` 429 for seven seconds, `x` not
/// accepted, `q` no credit, `f` not allowed, `n` not found), and the keys that it asked, in order, counted from 1. A number waits so many
/// seconds.
fn check(story: &[(&str, &str)], expected_resting: &str) {
    let state = State::default();
    let mut now = at(100);
    let first = story.iter().find(|(what, _)| what.parse::<u64>().is_err()).unwrap().0;
    let keys = keys(&vec![1; first.len()], &state);
    for (answers, expected) in story {
        if let (Ok(seconds), true) = (answers.parse::<u64>(), expected.is_empty()) {
            now = now.after(Duration::from_secs(seconds));
            continue;
        }
        // The same affinity for all: which key comes first depends on nothing but who rests.
        let asked = ask(&keys, Some(8), answers, now);
        assert_eq!(asked, *expected, "{answers} in {story:?}");
    }
    let turn = keys.first(None, 1, now);
    let resting: Vec<String> = keys
        .describe(&turn, now)
        .resting
        .iter()
        .map(|resting| format!("{}: {} {}", resting.key, resting.why.as_str(), resting.for_ms))
        .collect();
    assert_eq!(resting.join(", "), expected_resting, "{story:?}");
}

fn ask(keys: &Keys, affinity: Option<u64>, answers: &str, now: Time) -> String {
    let mut asked = String::new();
    let mut turn = keys.first(affinity, 1, now);
    loop {
        asked.push_str(&(turn.place() + 1).to_string());
        let fault = match answers.as_bytes()[turn.place()] {
            b'4' => KeyFault::RateLimit(None),
            b'7' => KeyFault::RateLimit(Some(Duration::from_secs(7))),
            b'd' => KeyFault::RateLimit(Some(Duration::from_secs(86_400))),
            b'x' => KeyFault::Refused,
            b'q' => KeyFault::Quota,
            b'f' => KeyFault::NotAllowed,
            b'n' => KeyFault::NotFound,
            _ => {
                keys.answered(&turn, now);
                return asked;
            }
        };
        if !keys.next(&mut turn, fault, now) {
            return asked;
        }
    }
}

#[test]
fn stories() {
    // The affinity is assigned to the first key, then the second.
    check(&[("..", "1"), ("..", "1")], "");
    check(&[("4.", "12"), ("..", "2")], "1 of 2: too many requests 10000");
    check(&[("7.", "12"), ("6", ""), ("..", "2")], "1 of 2: too many requests 1000");
    check(&[("7.", "12"), ("7", ""), ("..", "1")], "");
    check(&[("d.", "12")], "1 of 2: too many requests 3600000");
    // Another one was good enough for the same request: it is the key.
    check(&[("x.", "12"), ("..", "2")], "1 of 2: not accepted 600000");
    check(&[("q.", "12")], "1 of 2: no credit left 600000");
    // No key was: it may be the request.
    check(&[("xx", "12")], "1 of 2: not accepted 10000, 2 of 2: not accepted 10000");
    // It may do other things.
    check(&[("f.", "12"), ("..", "1")], "");
    check(&[("ff", "12")], "");
    check(&[("n.", "12"), ("..", "1")], "");
    // It may be at a key that rests.
    check(&[("4.", "12"), ("1", ""), (".n", "21")], "");
    // All rest: the one that is free first is asked, and no other.
    check(
        &[("77", "12"), ("2", ""), ("4.", "1")],
        "1 of 2: too many requests 10000, 2 of 2: too many requests 5000",
    );
    check(&[("74", "12"), ("2", ""), ("..", "1")], "2 of 2: too many requests 8000");
    // A bad key is no answer while another one only rests.
    check(&[(".4", "1"), ("4.", "12"), ("1", ""), (".x", "21")], "2 of 2: not accepted 600000");
    check(
        &[("4.", "12"), ("1", ""), ("4x", "21")],
        "1 of 2: too many requests 10000, 2 of 2: not accepted 10000",
    );
}

/// The key that comes next for a caller is the one that it would have without the first.
#[test]
fn what_is_not_found_is_looked_for_where_its_caller_comes_next() {
    let state = State::default();
    let secrets: Vec<SecretString> = (0..9).map(|key| format!("sk-{key}").into()).collect();
    let of = |places: &[usize]| {
        let given: Vec<(&SecretString, u32)> = places.iter().map(|place| (&secrets[*place], 1)).collect();
        Keys::new("own", &given, &state)
    };
    let (old, new) = (of(&[0, 1, 2, 3, 4, 5, 6, 7]), of(&[0, 1, 2, 3, 4, 5, 6, 7, 8]));
    for caller in 0..200 {
        let affinity = Some(affinity(&[&[caller]]));
        let kept_at = old.first(affinity, 0, at(1)).place();
        let mut turn = new.first(affinity, 0, at(1));
        if turn.place() != kept_at {
            assert!(turn.place() == 8 && new.next(&mut turn, KeyFault::NotFound, at(1)));
        }
        assert_eq!(turn.place(), kept_at, "{caller}");
    }
    // No more than a few are asked for what is nowhere.
    assert_eq!(ask(&new, Some(1), "nnnnnnnnn", at(1)).len(), 4);
}

#[test]
fn the_newest_answer_of_a_resting_key_counts() {
    let keys = keys(&[1], &State::default());
    ask(&keys, None, "d", at(0));
    ask(&keys, None, "7", at(1));
    assert_eq!(keys.rests[0].state(at(1)), Some((Why::RateLimit, at(8))));
    // One that was under way before knows less: the longer rest stays.
    let mut old = keys.first(None, 1, at(9));
    ask(&keys, None, "7", at(10));
    keys.note(&mut old, KeyFault::RateLimit(Some(Duration::from_secs(1))), at(11));
    assert_eq!(keys.rests[0].state(at(11)), Some((Why::RateLimit, at(17))));
    // And its good answer does not end a rest that began later.
    keys.answered(&old, at(11));
    assert!(keys.rests[0].state(at(11)).is_some());
}

#[test]
fn keys_are_drawn_by_weight() {
    let keys = keys(&[1, 3, 6], &State::default());
    let check = |affinity: fn(u64) -> Option<u64>| {
        let mut counts = [0_usize; 3];
        (0..10_000).for_each(|seed| counts[keys.first(affinity(seed), seed, at(1)).place()] += 1);
        for (count, expected) in counts.into_iter().zip([1_000, 3_000, 6_000]) {
            assert!(count.abs_diff(expected) < 200, "{counts:?}");
        }
    };
    check(|_| None);
    check(|seed| Some(affinity(&[&seed.to_le_bytes()])));
}

#[test]
fn a_reload_keeps_what_is_known_of_a_key_and_whose_it_is() {
    let state = State::default();
    let secrets: [SecretString; 3] = ["a", "b", "c"].map(Into::into);
    let [a, b, c] = secrets.each_ref();
    let before = Keys::new("own", &[(a, 1), (b, 1)], &state);
    before.rests[1].begin(0, Why::Refused, at(100));
    let after = Keys::new("own", &[(c, 1), (b, 2), (a, 1)], &state);
    assert_eq!(after.rests[1].state(at(1)), Some((Why::Refused, at(100))));
    assert!(after.rests[2].state(at(1)).is_none());
    // The same key at another provider is another one.
    assert!(Keys::new("other", &[(b, 1)], &state).rests[0].state(at(1)).is_none());
    drop((before, after));
    assert!(Keys::new("own", &[(b, 1)], &state).rests[0].state(at(1)).is_none());
    // Wherever a key stands in the list, its callers find it.
    let (one, turned) =
        (Keys::new("own", &[(a, 1), (c, 1)], &state), Keys::new("own", &[(c, 1), (a, 1)], &state));
    for caller in 0..100 {
        let place = |keys: &Keys| keys.first(Some(affinity(&[&[caller]])), 0, at(1)).place();
        assert_eq!(place(&one), 1 - place(&turned), "{caller}");
    }
}

#[test]
fn words_do_not_run_together() {
    assert_ne!(affinity(&[b"ab", b"c"]), affinity(&[b"a", b"bc"]));
}

proptest! {
    /// Whatever keys answer: each is asked once at most, one is always asked, none is passed over that does not rest, and
    /// a good one that does not rest answers.
    #[test]
    fn every_request_asks_somebody_once(
        weights in prop::collection::vec(1_u32..9, 1..KEYS_MAX),
        requests in prop::collection::vec((any::<u64>(), any::<bool>(), 0_u64..20, any::<prop::sample::Index>()), 1..20),
        letters in prop::collection::vec(prop::sample::select(b".47dxq".to_vec()), KEYS_MAX * 4),
    ) {
        let keys = keys(&weights, &State::default());
        let mut now = at(1);
        for (seed, is_sticky, wait, offset) in requests {
            now = now.after(Duration::from_secs(wait));
            let offset = offset.index(letters.len() - keys.len());
            let answers = &letters[offset..offset + keys.len()];
            let awake: Vec<bool> = keys.rests.iter().map(|rest| rest.state(now).is_none()).collect();
            let mut turn = keys.first(is_sticky.then_some(seed), seed, now);
            let (mut asked, mut resting_asked, mut answered) = (vec![false; keys.len()], 0, false);
            loop {
                prop_assert!(!std::mem::replace(&mut asked[turn.place()], true));
                resting_asked += usize::from(!awake[turn.place()]);
                let fault = match answers[turn.place()] {
                    b'x' => KeyFault::Refused,
                    b'q' => KeyFault::Quota,
                    b'.' => {
                        keys.answered(&turn, now);
                        answered = true;
                        break;
                    }
                    _ => KeyFault::RateLimit(None),
                };
                if !keys.next(&mut turn, fault, now) {
                    break;
                }
            }
            prop_assert!(resting_asked <= 1);
            let is_good = |place: usize| awake[place] && answers[place] == b'.';
            prop_assert!(answered || !(0..keys.len()).any(is_good));
            prop_assert!(answered || (0..keys.len()).all(|place| asked[place] || !awake[place]));
        }
    }
}
