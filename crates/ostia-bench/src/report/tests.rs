#![allow(clippy::unwrap_used)]
use super::*;
use crate::account::Used;
use crate::histogram::Quantiles;
use crate::load::Measured;
use crate::record::{Failure, Life, Memory, Setup};

fn quantiles(p50_us: f64) -> Option<Quantiles> {
    Some(Quantiles { count: 9, p50_us, p90_us: p50_us, p99_us: 2.0 * p50_us, p999_us: 0.0, max_us: 0.0 })
}

/// A window of 2 s with 1000 answers and 4000 chunks.
fn sample(system: System, workload: &str, cpu_us: f64, p50_us: f64) -> Sample {
    let used = Used { cpu_us, resident_before_kb: 1_024, resident_after_kb: 3_072 };
    let processes = match system {
        System::Direct => BTreeMap::new(),
        System::Nginx | System::Ostia => BTreeMap::from([("gateway".to_owned(), used)]),
    };
    let measured = Measured {
        seconds: 2.0,
        answers: 1_000,
        errors: 0,
        error_first: None,
        unfinished: 0,
        latency: quantiles(p50_us),
        chunks: 4_000,
        first_chunk: quantiles(p50_us),
        chunk: quantiles(p50_us),
        chunks_late: 0.25,
        streams_open: 100,
        reloads: None,
        processes,
        foreign_cores: 0.01,
    };
    Sample { system, workload: workload.into(), round: 1, tries: 1, measured }
}

fn run(samples: Vec<Sample>) -> Run {
    let setup = Setup {
        rounds: 3,
        window_ms: 2_000,
        gateway_core: 0,
        load_core: 1,
        processor: "a processor".into(),
        kernel: "6".into(),
        nginx: None,
        gateway: Some(("/bin/ostia".into(), 5_000_000)),
    };
    Run { setup, samples, lives: Vec::new(), memories: Vec::new(), failures: Vec::new() }
}

#[test]
fn a_rate_is_held_against_nginx_and_the_direct_way() {
    let run = run(vec![
        sample(System::Direct, "rate-500", 0.0, 60.0),
        sample(System::Nginx, "rate-500", 20_000.0, 160.0),
        sample(System::Ostia, "rate-500", 30_000.0, 200.0),
    ]);
    let text = text(&run);
    let row = |label: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.replace(label, "").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("direct"), ["500", "-", "60", "120", "-", "0.01", "0"]);
    assert_eq!(row("ostia / nginx"), ["1.00x", "1.50x", "1.25x", "1.25x", "-", "-", "-"]);
    assert_eq!(row("added over nginx"), ["-", "-", "+40", "+80", "-", "-", "-"]);
    assert_eq!(row("added over direct"), ["-", "-", "+140", "+280", "-", "-", "-"]);
}

#[test]
fn a_translated_workload_is_held_against_the_plain_one() {
    let run = run(vec![
        sample(System::Nginx, "unary-300", 20_000.0, 160.0),
        sample(System::Ostia, "unary-300", 40_000.0, 180.0),
        sample(System::Ostia, "translated-300", 50_000.0, 200.0),
    ]);
    let summary = &json(&run)["summary"]["translated-300"]["cpu_us_per_request"];
    assert_eq!(
        (&summary["ostia_over_nginx"], &summary["translated_over_relayed"]),
        (&json!(2.5), &json!(1.25))
    );
    assert_eq!(summary["ostia"]["median"], 50.0);
    assert_eq!(summary.get("nginx"), None);
    let text = text(&run);
    assert!(text.contains("nginx unary-300") && text.contains("ostia unary-300"), "{text}");
    let ratios: Vec<&str> = text.lines().filter(|line| line.contains("translated / relayed")).collect();
    assert_eq!(ratios.len(), 1, "only what is translated has the ratio: {text}");
    assert!(ratios[0].contains("1.25x"), "{text}");
}

#[test]
fn another_way_of_serving_is_held_against_the_plain_one_and_nginx_too() {
    let mut reloaded = sample(System::Ostia, "reloads-300", 60_000.0, 180.0);
    reloaded.measured.reloads = Some(31);
    let run = run(vec![
        sample(System::Nginx, "unary-300", 20_000.0, 160.0),
        sample(System::Nginx, "log-off-300", 15_000.0, 160.0),
        sample(System::Ostia, "unary-300", 40_000.0, 180.0),
        sample(System::Ostia, "log-off-300", 36_000.0, 180.0),
        reloaded,
    ]);
    let summary = json(&run)["summary"].clone();
    let ratios = &summary["log-off-300"]["cpu_us_per_request"];
    assert_eq!((&ratios["ostia_over_plain"], &ratios["nginx_over_plain"]), (&json!(0.9), &json!(0.75)));
    assert_eq!(ratios["ostia_over_nginx"], json!(2.4));
    assert_eq!(summary["reloads-300"]["reloads"]["ostia"]["median"], 31.0);
    assert_eq!(summary["reloads-300"]["cpu_us_per_request"]["ostia_over_plain"], json!(1.5));
    let text = text(&run);
    let row = |label: &str| text.lines().find(|line| line.trim_start().starts_with(label)).map(str::to_owned);
    assert!(row("ostia log-off-300 / unary-300").is_some_and(|row| row.contains("0.90x")), "{text}");
    assert!(row("nginx log-off-300 / unary-300").is_some_and(|row| row.contains("0.75x")), "{text}");
    assert_eq!(row("nginx reloads-300 / unary-300"), None, "{text}");
    assert!(!text.contains("translated / relayed"), "{text}");
}

#[test]
fn streams_are_told_by_the_chunk() {
    let run = run(vec![sample(System::Ostia, "stream-spaced", 36_000.0, 80.0)]);
    let summary = &json(&run)["summary"]["stream-spaced"];
    assert_eq!(summary["cpu_us_per_chunk"]["ostia"]["median"], 9.0);
    assert_eq!(summary["chunks_per_s"]["ostia"]["median"], 2_000.0);
    assert_eq!(summary["chunks_late_percent"]["ostia"]["median"], 25.0);
    assert_eq!(summary["cpu_us_per_chunk"].get("ostia_over_nginx"), None);
}

#[test]
fn memory_is_told_by_the_stream() {
    let run = run(vec![sample(System::Ostia, "streams-1000", 1.0, 1.0)]);
    let per_stream = &json(&run)["summary"]["streams-1000"]["kb_per_stream"];
    assert_eq!(per_stream["ostia"]["median"], 20.48);
}

#[test]
fn medians_and_spreads() {
    let of = |values: &[f64]| Spread::of(values.to_vec());
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
    assert_eq!(of(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
}

#[test]
fn failures_and_lives_are_told() {
    let mut run = run(Vec::new());
    let reason = "ended by itself".into();
    run.failures.push(Failure { system: System::Ostia, workload: "start".into(), round: 2, reason });
    run.lives.push(Life { system: System::Nginx, round: 1, start_ms: 12.0, idle_kb: 2_048, after_kb: 4_096 });
    let text = text(&run);
    assert!(text.contains("FAILED in round 2: start ostia: ended by itself"));
    assert!(text.lines().any(|line| line.split_whitespace().eq(["nginx", "12", "2", "-", "4"])), "{text}");
}

#[test]
fn memory_is_told_minute_by_minute() {
    let mut run = run(Vec::new());
    let minutes_kb = vec![25_600, 30_720];
    let workload = "records-memory".into();
    let memory =
        Memory { system: System::Ostia, workload, round: 1, idle_kb: 20_480, minutes_kb, rested_kb: 22_528 };
    run.memories.push(memory);
    let line =
        "records-memory ostia, round 1: 20 MB idle; 25 30 after each minute; 22 after 30 s, 1.10 x idle";
    assert!(text(&run).lines().any(|told| told == line), "{}", text(&run));
}

#[test]
fn a_window_without_answers_has_no_cost() {
    let mut sample = sample(System::Ostia, "unary-300", 5.0, 1.0);
    sample.measured.answers = 0;
    sample.measured.latency = None;
    assert_eq!((cpu_per_request(&sample), answers_per_s(&sample)), (None, None));
    assert!(line(&sample).starts_with("unary-300            ostia "));
}
