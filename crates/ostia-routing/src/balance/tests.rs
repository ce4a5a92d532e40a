#![allow(clippy::unwrap_used)]
use super::*;

fn pool<'a>(weights: &'a [f64], tried: &[usize]) -> Pool<'a> {
    let mut set = Set::default();
    tried.iter().for_each(|index| set.insert(*index));
    Pool { weights, tried: set }
}

/// How often each member is chosen, in percent.
fn shares(members: usize, mut choose: impl FnMut() -> Option<usize>) -> Vec<i64> {
    let mut counts = vec![0; members];
    (0..10_000).for_each(|_| counts[choose().unwrap()] += 1);
    counts.iter().map(|count| (f64::from(*count) / 100.0).round() as i64).collect()
}

fn near(found: &[i64], expected: &[i64]) {
    let close = found.iter().zip(expected).all(|(left, right)| (left - right).abs() <= 2);
    assert!(close && found.len() == expected.len(), "{found:?} is not about {expected:?}");
}

#[test]
fn weights_converge() {
    let mut dice = Dice::new(1);
    let weights = [9.0, 1.0, 0.0, 10.0];
    near(&shares(4, || pool(&weights, &[]).at(dice.unit())), &[45, 5, 0, 50]);
    near(&shares(4, || pool(&weights, &[3]).at(dice.unit())), &[90, 10, 0, 0]);
    assert_eq!(pool(&weights, &[0, 1, 3]).at(0.5), None);
    assert_eq!(pool(&weights, &[]).at(1.0), Some(3));
    assert_eq!(pool(&[], &[]).at(0.0), None);
}

#[test]
fn turns() {
    let order = |weights: &[f64], tried: &[usize], turns: u64| {
        let members = (0..turns).map(|turn| pool(weights, tried).in_turn(turn));
        members.map(|member| member.map_or("-".to_owned(), |index| index.to_string())).collect::<String>()
    };
    assert_eq!(order(&[1.0; 3], &[], 7), "0120120");
    assert_eq!(order(&[1.0; 3], &[1], 6), "022022");
    assert_eq!(order(&[1.0, 0.0, 1.0], &[], 6), "022022");
    assert_eq!(order(&[1.0; 2], &[0, 1], 2), "--");
    let mut turn = 0;
    near(
        &shares(2, || {
            turn += 1;
            pool(&[3.0, 1.0], &[]).in_turn(turn)
        }),
        &[75, 25],
    );
    let weighted = order(&[3.0, 1.0], &[], 100);
    assert!(!weighted.contains("00000") && !weighted.contains("11"), "{weighted}");
}

#[test]
fn callers_stay_and_move_only_when_they_must() {
    let identities = [11, 22, 33];
    let of =
        |weights: &[f64], tried: &[usize], key: u64| pool(weights, tried).of_key(key, &identities).unwrap();
    let keys = || (0..10_000_u64).map(|key| Hash::new().number(key).finish());
    let mut key = 0;
    near(
        &shares(3, || {
            key += 1;
            Some(of(&[2.0, 1.0, 1.0], &[], key))
        }),
        &[50, 25, 25],
    );
    for key in keys() {
        let before = of(&[1.0; 3], &[], key);
        let without = of(&[1.0; 3], &[1], key);
        assert!(before == 1 || without == before, "only callers of the missing one move");
        let heavier = of(&[2.0, 1.0, 1.0], &[], key);
        assert!(heavier == before || heavier == 0, "callers move only to the one that got more");
    }
}

#[test]
fn a_choice_lasts_as_long_as_its_window() {
    for caller in [0, 5, 3599, 3600, u64::MAX] {
        let keys: Vec<u64> = (0..7200).map(|second| sticky_key(caller, 3600, 1_000_000 + second)).collect();
        let changes = keys.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((1..=2).contains(&changes), "{caller}: {changes}");
    }
    sticky_key(u64::MAX, 0, u64::MAX);
}

#[test]
fn the_least() {
    let mut dice = Dice::new(5);
    let costs = [3.0, 1.0, 1.0, f64::INFINITY];
    near(&shares(4, || pool(&[1.0; 4], &[]).least(|index| costs[index], &mut dice)), &[0, 50, 50, 0]);
    assert_eq!(pool(&[1.0; 4], &[1, 2]).least(|index| costs[index], &mut dice), Some(0));
    assert_eq!(pool(&[9.0, 1.0, 0.0, 1.0], &[]).least(|index| costs[index], &mut dice), Some(0));
    assert_eq!(pool(&[1.0; 4], &[0, 1, 2]).least(|index| costs[index], &mut dice), Some(3));
    assert_eq!(pool(&[1.0; 4], &[0, 1, 2, 3]).least(|index| costs[index], &mut dice), None);
    assert_eq!(pool(&[1.0; 2], &[]).least(|_| f64::NAN, &mut dice).map(|index| index < 2), Some(true));
    near(
        &shares(4, || pool(&[1.0; 4], &[]).cheaper_of_two(|index| costs[index], &mut dice)),
        &[17, 42, 42, 0],
    );
    assert_eq!(pool(&[1.0; 4], &[0, 1, 2]).cheaper_of_two(|index| costs[index], &mut dice), Some(3));
    assert_eq!(pool(&[0.0; 4], &[]).cheaper_of_two(|index| costs[index], &mut dice), None);
}

#[test]
fn latency_jumps_up_and_comes_down_slowly() {
    let gauge = Gauge::default();
    let at = |seconds: u64| Time::from_micros(seconds * 1_000_000);
    assert_eq!((gauge.cost(at(1)), gauge.latency_us(at(1))), (0.0, None));
    gauge.begin();
    assert_eq!(gauge.cost(at(1)), UNKNOWN_US);
    gauge.observe(Duration::from_millis(100), at(1));
    assert_eq!((gauge.cost(at(1)), gauge.latency_us(at(1))), (200_000.0, Some(100_000.0)));
    gauge.observe(Duration::from_millis(900), at(1));
    assert_eq!(gauge.latency_us(at(1)), Some(900_000.0));
    gauge.observe(Duration::from_millis(100), at(11));
    let average = gauge.latency_us(at(11)).unwrap();
    assert!((394_000.0..395_000.0).contains(&average), "{average}");
    assert!(gauge.latency_us(at(60)).unwrap() < 10_000.0);
    gauge.fail(at(60));
    assert_eq!(gauge.latency_us(at(60)), Some(5_000_000.0));
    assert_eq!(gauge.latency_us(at(59)), Some(5_000_000.0), "another core's clock reads a little less");
    gauge.end();
    gauge.end();
    assert_eq!(gauge.pending(), 0);
    gauge.observe(Duration::MAX, Time::from_micros(u64::MAX));
}
