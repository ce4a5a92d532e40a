#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn stat_fields_count_from_the_last_bracket() {
    let text = "4242 (a ) name (x)) S 17 4242 4242 0 -1 4194560 1 2 3 4 250 130 9 9 20 0 1 0 100 1 2\n";
    assert_eq!(parse_stat(text), Some(Stat { parent: 17, ticks: 380 }));
}

#[test]
fn text_that_is_cut_short_gives_nothing() {
    for text in ["", "12", "12 (x)", "12 (x) S", "12 (x) S 1 2 3 4 5 6 7 8 9 10 11"] {
        assert_eq!(parse_stat(text), None, "{text}");
    }
    assert_eq!(parse_schedstat_ns(""), None);
    assert_eq!(parse_resident_kb("Name:\tx\nVmSize:\t 10 kB\n"), None);
    assert_eq!(parse_busy_ticks("cpu0 1 2 3\n"), 0);
}

#[test]
fn schedstat_and_status() {
    assert_eq!(parse_schedstat_ns("123456789 55 7\n"), Some(123_456_789));
    assert_eq!(
        parse_resident_kb("Name:\tx\nVmHWM:\t 99 kB\nVmRSS:\t    2044 kB\nRssAnon: 1 kB\n"),
        Some(2044)
    );
}

#[test]
fn busy_is_all_but_idle_and_iowait_and_guest() {
    let text = "cpu  100 10 20 9999 888 3 4 5 70 80\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
    assert_eq!(parse_busy_ticks(text), 142);
}

#[test]
fn descendants_of_descendants() {
    let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 9)]);
    assert_eq!(descendants(2, &parents), [2, 3, 4]);
    assert_eq!(descendants(7, &parents), [7]);
}

fn tree(threads: &[(u32, u64)], ticks_ns: u64) -> Tree {
    Tree { threads: threads.iter().copied().collect(), ticks_ns, resident_kb: 5 }
}

#[test]
fn an_ended_thread_turns_to_ticks() {
    let before = tree(&[(1, 1_000), (2, 5_000)], 10_000_000);
    assert_eq!(before.until(&tree(&[(1, 3_000), (2, 5_000), (3, 1_000)], 0)).cpu_us, 3.0);
    assert_eq!(before.until(&tree(&[(1, 3_000)], 40_000_000)).cpu_us, 30_000.0);
    assert_eq!(Tree::default().until(&tree(&[], 20_000_000)).cpu_us, 20_000.0);
}

#[test]
fn unwatched_time_is_foreign() {
    let before = Snapshot { at_ns: 0, busy_ns: 0, processes: vec![tree(&[(1, 0)], 0)] };
    let after = Snapshot {
        at_ns: 2_000_000_000,
        busy_ns: 3_000_000_000,
        processes: vec![tree(&[(1, 2_000_000_000)], 0)],
    };
    let between = before.until(&after);
    assert_eq!(between.seconds, 2.0);
    assert_eq!(between.foreign_cores, 0.5);
}

#[test]
fn this_process_is_seen_to_work() {
    let pid = std::process::id();
    let before = Snapshot::take(&[pid]);
    let start = now_ns();
    while now_ns() - start < 60_000_000 {}
    let used = before.until(&Snapshot::take(&[pid])).used[0];
    assert!(used.cpu_us > 1_000.0, "{used:?}");
    assert!(used.resident_after_kb > 100);
    assert!(resident_kb(pid) > 100);
}
