//! How long questions take where much is kept. Not run by itself; from the crate's folder:
//!
//!     OSTIA_SCALE=/tmp/scale cargo test --release -p ostia-store -- --ignored --nocapture scale::
//!
//! Fills each engine once in that folder (`scale::in_a_file`, `in_postgres`, `in_clickhouse`) with a million records
//! (`OSTIA_SCALE_RECORDS`) of thirty days, and asks each question many times (`OSTIA_SCALE_ONLY`: those with this in their names).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::answers::{Fact, GroupBy, ReadError};
use crate::clickhouse::tests::Served;
use crate::engine::{Engine, Place};
use crate::feedback::Feedback;
use crate::postgres::tests::Databases;
use crate::query::{Filter, Page, PageSize};
use crate::reader::Reader;
use crate::record::{Attempt, Cost, Outcome, Record, Usage};
use crate::retention::Retention;
use crate::sqlite::database;
use crate::steps::Steps;
use crate::summary::Grouping;

const RECORDS: u64 = 1_000_000;
const BATCH: u64 = 2048;
/// So often somebody said what they think.
const FEEDBACK: u64 = 2000;
const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 30;
/// The last moment of them.
const END_MS: i64 = 1_795_939_200_000;
const ROUNDS: usize = 10;
/// What the slowest question but one in twenty may take.
const P95_MAX: Duration = Duration::from_millis(300);
/// What a start may take where all of them are there.
const START_MAX: Duration = Duration::from_secs(1);

/// As many records as are wanted.
fn records() -> u64 {
    std::env::var("OSTIA_SCALE_RECORDS").ok().and_then(|count| count.parse().ok()).unwrap_or(RECORDS)
}

/// A number that looks like chance and is the same every time (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn record(number: u64, all: u64) -> Record {
    let chance = mixed(number);
    let started_ms =
        END_MS - DAYS * DAY_MS + (DAYS as f64 * DAY_MS as f64 / all as f64 * number as f64) as i64;
    let provider = ["openai", "anthropic", "google", "groq", "mistral"][(chance % 5) as usize];
    let model = format!("{provider}-model-{}", chance / 7 % 6);
    let is_failed = (chance / 11).is_multiple_of(50);
    let attempt = Attempt {
        target: "config".into(),
        provider: provider.into(),
        model: Some(model.clone()),
        answered_model: Some(format!("{model}-2026-11-01")),
        status: Some(if is_failed { 503 } else { 200 }),
        outcome: if is_failed { Outcome::Failed } else { Outcome::Answered },
        request_id: Some(format!("req_{:016x}", mixed(chance))),
        sent_us: 120,
        first_byte_us: Some(400_000),
        ended_us: 900_000,
        usage: (!is_failed).then_some(Usage {
            prompt_tokens: 100 + chance % 9000,
            completion_tokens: chance % 800,
            total_tokens: 100 + chance % 9000 + chance % 800,
            cached_tokens: chance % 100,
            ..Usage::default()
        }),
        finish_reason: Some("stop".into()),
        cost: (!is_failed).then(|| Cost {
            amount: format!("0.0{:06}", chance % 1_000_000),
            currency: "USD".into(),
            priced_as: format!("{provider}/{model}"),
            catalogue: "models.dev 2026-11-20, litellm 2026-11-20".into(),
            lines: vec![
                ("input".into(), 100, "0.00000015".into()),
                ("output".into(), 20, "0.0000006".into()),
            ],
        }),
        ..Attempt::default()
    };
    Record {
        id: format!("{:032x}", u128::from(mixed(number)) << 64 | u128::from(number)),
        trace_id: format!("{:032x}", mixed(number / 4)),
        session: number
            .is_multiple_of(2)
            .then(|| format!("session-{}", mixed(number / 2 / 30 % 5000 + number / 400_000 * 5000))),
        started_ms,
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        operation: Some("openai_chat".into()),
        key: Some(format!("team-{}", chance / 13 % 12)),
        metadata: [("_user".to_owned(), format!("user-{}", chance / 17 % 2000))].into(),
        user_agent: Some("OpenAI/Python 2.54.0".into()),
        client: Some("10.1.2.3".into()),
        model: Some(model),
        status: if is_failed { 503 } else { 200 },
        stream: chance.is_multiple_of(2),
        end: "whole".into(),
        finish_reason: Some("stop".into()),
        duration_us: 1000 + chance % 5_000_000,
        upstream_us: 900,
        first_token_us: chance.is_multiple_of(2).then_some(1000 + chance % 700_000),
        request_bytes: 2000,
        response_bytes: 900,
        attempts: vec![attempt],
        ..Record::default()
    }
}

/// The folder of all of it.
fn folder() -> PathBuf {
    let folder = std::env::var_os("OSTIA_SCALE").map_or_else(std::env::temp_dir, PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes what is not there yet.
fn fill(place: &Place) {
    let mut engine = Engine::of(place);
    engine.open().unwrap();
    let all = records();
    let there = Reader::of(place).count(&Filter::default(), all).unwrap();
    let (began, worked) = (Instant::now(), cpu());
    for first in (there..all).step_by(BATCH as usize) {
        let batch: Vec<Record> = (first..all.min(first + BATCH)).map(|number| record(number, all)).collect();
        engine.write(&batch).unwrap();
    }
    let wrote = all - there.min(all);
    if wrote == 0 {
        return;
    }
    let feedback: Vec<Feedback> = (0..FEEDBACK.min(all)).map(|number| feedback(number, all)).collect();
    engine.keep_feedback(&feedback).unwrap().unwrap();
    eprintln!(
        "{wrote} records made and written in {:?}, {:.1} us of CPU each on this side",
        began.elapsed(),
        (cpu() - worked).as_secs_f64() * 1e6 / wrote as f64,
    );
}

/// What somebody thought of a trace.
fn feedback(number: u64, all: u64) -> Feedback {
    let about = record(mixed(number) % all, all);
    Feedback {
        id: format!("thought-{number}"),
        trace_id: about.trace_id,
        created_ms: about.started_ms + 1000,
        value: (number % 21) as i64 - 10,
        weight: 1.0,
        ..Feedback::default()
    }
}

/// As the thread that writes does it in between.
fn pack(place: &Place) {
    let (began, mut engine) = (Instant::now(), Engine::of(place));
    while engine.retain(&Retention::default(), END_MS).unwrap() {}
    eprintln!("packed in {:?}", began.elapsed());
}

/// Tables and indexes of a file, where this SQLite can tell.
fn tell_sizes(path: &Path) {
    let (connection, all) = (database::open(path).unwrap(), records());
    let bytes = std::fs::metadata(path).unwrap().len();
    eprintln!("{bytes} bytes, {} each", bytes / all);
    let text = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12";
    let Ok(mut select) = connection.prepare(text) else { return };
    let size = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64));
    for (name, bytes) in select.query_map([], size).unwrap().map(Result::<(String, u64), _>::unwrap) {
        eprintln!("  {name}: {} bytes a record", bytes / all);
    }
}

/// What this thread has worked so far: on a machine that is busy with other things it says more than a clock.
fn cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// Asks many times, and tells how long it took.
fn timed(name: &str, slow: &mut Vec<String>, mut ask: impl FnMut(usize) -> Result<usize, ReadError>) {
    if std::env::var("OSTIA_SCALE_ONLY").is_ok_and(|only| !name.contains(&only)) {
        return;
    }
    let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
    let mut found = 0;
    for round in 0..ROUNDS {
        let (began, cpu) = (Instant::now(), cpu());
        match ask(round) {
            Ok(count) => found = count,
            Err(error) => return slow.push(format!("{name}: {error:?}")),
        }
        times.push(began.elapsed());
        cpu_times.push(self::cpu() - cpu);
    }
    times.sort();
    cpu_times.sort();
    let (p50, p95) = (times[ROUNDS / 2], times[ROUNDS * 95 / 100]);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    eprintln!("{:8.1} {:8.1} {:8.1}  {name} ({found})", ms(p50), ms(p95), ms(cpu_times[ROUNDS / 2]));
    if p95 > P95_MAX {
        slow.push(format!("{name}: {p95:?}"));
    }
}

/// How long it takes until records could be written, where they are there already.
fn start(place: &Place) {
    let began = Instant::now();
    Engine::of(place).open().unwrap();
    eprintln!("opened in {:?}", began.elapsed());
    assert!(began.elapsed() < START_MAX);
}

#[test]
#[ignore = "fills a gigabyte"]
fn in_a_file() {
    let path = folder().join("scale.db");
    ask(&Place::File(path.clone()));
    tell_sizes(&path);
}

#[test]
#[ignore = "fills gigabytes"]
fn in_postgres() {
    const NAME: &str = "scale";
    let Some(databases) = Databases::start_in(&folder().join("postgres")) else { return };
    if databases.server.sql("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{NAME}'")) != "1"
    {
        databases.server.create(NAME);
    }
    ask(&databases.place_of(NAME));
}

#[test]
#[ignore = "fills a gigabyte"]
fn in_clickhouse() {
    let Some(served) = Served::start_in(&folder().join("clickhouse")) else { return };
    ask(&served.place());
}

/// Fills it, and asks all there is to ask.
fn ask(place: &Place) {
    fill(place);
    pack(place);
    start(place);
    let mut reader = Reader::of(place);
    let slow = &mut Vec::new();
    eprintln!("  p50 ms   p95 ms   cpu ms");
    ask_for_requests(&mut reader, slow);
    ask_for_sums(&mut reader, slow);
    ask_for_counts(&mut reader, slow);
    assert!(slow.is_empty(), "{slow:#?}");
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ask_for_requests(reader: &mut Reader, slow: &mut Vec<String>) {
    let all = records();
    let size = |size| Page { after: None, size: PageSize::new(size).unwrap() };
    let one = |round: usize| record(mixed(round as u64) % all, all);
    let filters: [(&str, Filter); 12] = [
        ("all", Filter::default()),
        ("status=error", Filter { status: some("error"), ..Filter::default() }),
        ("status=404, none", Filter { status: some("404"), ..Filter::default() }),
        ("provider", Filter { provider: some("groq"), ..Filter::default() }),
        ("provider, none", Filter { provider: some("nobody"), ..Filter::default() }),
        ("model, none", Filter { model: some("nothing"), ..Filter::default() }),
        ("key", Filter { key: some("team-3"), ..Filter::default() }),
        ("key, none", Filter { key: some("nobody"), ..Filter::default() }),
        (
            "latency and tokens",
            Filter { duration_ms: (Some(4990), None), tokens: (Some(9500), None), ..Filter::default() },
        ),
        ("cost", Filter { cost_nano: (Some(99_990_000), None), ..Filter::default() }),
        ("metadata", Filter { metadata: vec![("_user".into(), "user-77".into())], ..Filter::default() }),
        ("metadata, none", Filter { metadata: vec![("_user".into(), "nobody".into())], ..Filter::default() }),
    ];
    for (name, filter) in &filters {
        timed(&format!("logs {name}"), slow, |_| Ok(reader.list(filter, size(50))?.0.len()));
    }
    let middle = Page { after: Some((END_MS - 15 * DAY_MS, 0)), ..size(500) };
    timed("logs, 500 in the middle", slow, |_| Ok(reader.list(&Filter::default(), middle)?.0.len()));
    timed("one", slow, |round| Ok(reader.one(&one(round).id)?.iter().len()));
    timed("trace", slow, |round| Ok(reader.trace(&one(round).trace_id)?.len()));
    timed("request id", slow, |round| {
        Ok(reader.trace(one(round).attempts[0].request_id.as_deref().unwrap())?.len())
    });
    timed("session", slow, |round| {
        let session = record(mixed(round as u64) % all / 2 * 2, all).session;
        Ok(reader.list(&Filter { session, ..Filter::default() }, size(50))?.0.len())
    });
    timed("sessions", slow, |_| Ok(reader.sessions(&Filter::default(), size(50))?.0.len()));
    let later = Page { after: Some((END_MS - 15 * DAY_MS, 0)), ..size(50) };
    timed("sessions, a later page", slow, |_| Ok(reader.sessions(&Filter::default(), later)?.0.len()));
}

fn ask_for_sums(reader: &mut Reader, slow: &mut Vec<String>) {
    for days in [1, DAYS] {
        let time = Filter { from_ms: Some(END_MS - days * DAY_MS), to_ms: Some(END_MS), ..Filter::default() };
        let errors = Filter { status: some("error"), ..time.clone() };
        let costly = Filter { tokens: (Some(1), None), ..time.clone() };
        let steps = Steps::of(END_MS - days * DAY_MS, END_MS, None, END_MS).unwrap();
        for (name, filter) in [("", &time), (" of errors", &errors), (" by tokens", &costly)] {
            for by in [Grouping::None, Grouping::Model] {
                timed(&format!("summary {days}d{name} {by:?}"), slow, |_| {
                    Ok(reader.sums(filter, by, END_MS)?.1.len())
                });
                timed(&format!("series {days}d{name} {by:?}"), slow, |_| {
                    Ok(reader.series(filter, by, &steps)?.lines.len())
                });
            }
        }
    }
}

/// Portkey's graphs and groups, prompt caches, and what the live tail asks.
fn ask_for_counts(reader: &mut Reader, slow: &mut Vec<String>) {
    for days in [1, DAYS] {
        let time = Filter { from_ms: Some(END_MS - days * DAY_MS), to_ms: Some(END_MS), ..Filter::default() };
        let steps = Steps::of(END_MS - days * DAY_MS, END_MS, None, END_MS).unwrap();
        for fact in [Fact::User, Fact::Failure, Fact::Retries, Fact::Fallback] {
            timed(&format!("tally {days}d {fact:?}"), slow, |_| Ok(reader.tally(&time, &steps, fact)?.len()));
        }
        for by in [GroupBy::Provider, GroupBy::Model, GroupBy::Metadata("_user".into())] {
            timed(&format!("groups {days}d {by:?}"), slow, |_| {
                Ok(reader.groups(&time, &by, (0, 50))?.1.len())
            });
        }
        timed(&format!("feedback {days}d"), slow, |_| Ok(reader.feedback(&time, &steps)?.len()));
        let of_key = Filter { key: Some("team-3".into()), ..time.clone() };
        timed(&format!("feedback {days}d, a key's"), slow, |_| Ok(reader.feedback(&of_key, &steps)?.len()));
        timed(&format!("cache use {days}d"), slow, |_| Ok(reader.cache_use(&time, END_MS)?.1.len()));
        timed(&format!("cache falls {days}d"), slow, |_| Ok(reader.cache_falls(&time)?.0.len()));
        timed(&format!("count {days}d"), slow, |_| Ok(reader.count(&time, 50_000)? as usize));
    }
    timed("last number", slow, |_| Ok(reader.last_number()? as usize));
    let newest = reader.last_number().unwrap();
    timed("newer than the last 50", slow, |_| {
        Ok(reader.newer(&Filter::default(), newest - 50, 100)?.0.len())
    });
}
