//! What a record costs the thread that writes: `cargo bench -p ostia-store --bench writer`. CPU time of that thread, from the queue to the
//! end of the transaction, over a file in which there are many records already.
//!
//! `OSTIA_BENCH_FILLED` and `OSTIA_BENCH_RECORDS` say how many are there before, and how many are measured; `TMPDIR` where the file lies. To
//! see where it goes: `perf record -g` over the executable, whose thread is `ostia-records`.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ostia_catalog::Catalog;
use ostia_store::{
    Attempt, Counter, Filter, Finisher, Outcome, Page, PageSize, Place, Priced, Prices, Queue, Reader,
    Record, RecordError, Retention, Store, Unwritten, Usage,
};

/// Records that are in the file before, and that are measured.
const FILLED: u64 = 300_000;
const MEASURED: u64 = 100_000;
/// So many wait at most: more than a batch has, and fewer than the queue holds.
const WAITING_MAX: usize = 8_000;
/// A load that one core of the gateway does not notice: batches are as small as the time that a record waits makes them.
const PER_SECOND: u64 = 500;
const PACED: u64 = 5_000;
/// So many are looked for by each of their ids.
const LOOK_UPS: u64 = 500;
/// When the first of them came, in milliseconds since 1970, and how many come in a millisecond.
const BEGAN_MS: i64 = 1_795_939_200_000;
const PER_MS: u64 = 10;

/// What clients say of their requests.
#[derive(Clone, Copy)]
enum Kind {
    /// Nothing: one model, one key, ids of the gateway's own.
    Plain,
    /// Ids of traces, sessions, metadata; several models and keys; one call of twenty fails first.
    Varied,
}

fn main() {
    let filled = from_environment("OSTIA_BENCH_FILLED", FILLED);
    let measured = from_environment("OSTIA_BENCH_RECORDS", MEASURED);
    println!("us a record: CPU time of the thread that writes, and by the clock\n");
    for (name, kind) in [("plain", Kind::Plain), ("varied", Kind::Varied)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.db");
        counted(&format!("{name}: priced and counted, not written"), kind, measured);
        let mut run = Run::start(&path, kind);
        run.report(&format!("{name}: the first {filled}"), filled, None);
        run.report(&format!("{name}: {measured} more"), measured, None);
        run.report(&format!("{name}: {PACED} at {PER_SECOND}/s"), PACED, Some(PER_SECOND));
        let next = run.next;
        run.store.finish();
        look_up(&path, kind, next);
        let bytes = std::fs::metadata(&path).unwrap().len() / (filled + measured + PACED);
        println!("{:<48} {bytes:>8} bytes of the file a record\n", "");
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

/// A store that is written to.
struct Run {
    store: Store,
    kind: Kind,
    next: u64,
}

impl Run {
    fn start(path: &Path, kind: Kind) -> Run {
        let tell = Box::new(|text| println!("{text}"));
        let place = Place::File(path.to_owned());
        let store = Store::start(place, Retention::default(), finisher(), tell).unwrap();
        Run { store, kind, next: 0 }
    }

    fn report(&mut self, what: &str, count: u64, per_second: Option<u64>) {
        let (began, worked, before) =
            (Instant::now(), worked("ostia-records"), self.store.queue().health().written);
        for number in 0..count {
            if let Some(per_second) = per_second {
                let due = Duration::from_micros(number * 1_000_000 / per_second);
                thread::sleep(due.saturating_sub(began.elapsed()));
            }
            hand_over(self.store.queue(), record(self.kind, self.next));
            self.next += 1;
        }
        while self.store.queue().health().written < before + count {
            thread::sleep(Duration::from_millis(1));
        }
        let (took, worked) = (began.elapsed(), self::worked("ostia-records") - worked);
        tell(what, worked, took, count);
        assert_eq!(self.store.queue().health().lost, 0);
    }
}

/// How long it takes to find one by its ids.
fn look_up(path: &Path, kind: Kind, count: u64) {
    let mut reader = Reader::of(&Place::File(path.to_owned()));
    let page = Page { after: None, size: PageSize::new(50).unwrap() };
    let mut timed = |what: &str, find: &mut dyn FnMut(&mut Reader, &Record) -> usize| {
        let began = Instant::now();
        for number in 0..LOOK_UPS {
            assert!(find(&mut reader, &record(kind, mixed(number) % count)) > 0, "{what}");
        }
        println!(
            "  found by {what:<37} {:>8} {:>8.1}",
            "",
            began.elapsed().as_secs_f64() * 1e6 / LOOK_UPS as f64
        );
    };
    timed("its id", &mut |reader, record| reader.one(&record.id).unwrap().iter().len());
    timed("its trace", &mut |reader, record| reader.trace(&record.trace_id).unwrap().len());
    timed("its provider's id", &mut |reader, record| {
        reader.trace(record.attempts[0].request_id.as_deref().unwrap()).unwrap().len()
    });
    timed("its session, a page of 50", &mut |reader, record| {
        let Some(session) = record.session.clone() else { return 1 };
        let filter = Filter { session: Some(session), ..Filter::default() };
        reader.list(&filter, page).unwrap().0.len()
    });
}

/// What the same thread does where no records are kept.
fn counted(what: &str, kind: Kind, count: u64) {
    let counter = Counter::start(finisher()).unwrap();
    let began = Instant::now();
    (0..count).for_each(|number| hand_over(counter.queue(), record(kind, number)));
    while counter.queue().health().waiting > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    tell(what, worked("ostia-counts"), began.elapsed(), count);
    counter.finish();
}

fn tell(what: &str, worked: Duration, took: Duration, count: u64) {
    let us = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    println!("{what:<48} {:>8.1} {:>8.1}", us(worked), us(took));
}

fn hand_over(queue: &Queue, record: Record) {
    while queue.health().waiting > WAITING_MAX {
        thread::sleep(Duration::from_millis(1));
    }
    queue.hand_over(Box::new(Ready(record)));
}

fn finisher() -> Finisher {
    let catalog = Arc::new(Catalog::embedded());
    let pricing = Box::new(|_: &str, _: &str| Priced::ByCatalogue);
    let prices =
        Prices { pricing, trusts_cache: Box::new(|_| true), catalog: Box::new(move || catalog.clone()) };
    Finisher { prices, mask: Vec::new(), metrics: Arc::default(), observer: None }
}

/// CPU time of the thread of this name.
fn worked(name: &str) -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let folder = task.unwrap().path();
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        if text("comm").trim() == name {
            let told = text("schedstat");
            return Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap());
        }
    }
    // The system has not named it yet: it has done nothing.
    Duration::ZERO
}

/// A record that is finished already: what that takes is the gateway's own.
#[derive(Debug)]
struct Ready(Record);

impl Unwritten for Ready {
    fn bytes(&self) -> usize {
        2_000
    }

    fn give_up_bodies(&mut self) -> bool {
        false
    }

    fn finish(self: Box<Self>) -> Record {
        self.0
    }
}

/// A number that looks like chance and is the same every time (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// As the gateway names requests: the time first.
fn id(number: u64, started_ms: i64) -> String {
    format!("{:012x}7{:019x}", started_ms, u128::from(mixed(number)))
}

fn record(kind: Kind, number: u64) -> Record {
    let started_ms = BEGAN_MS + (number / PER_MS) as i64;
    let id = id(number, started_ms);
    let plain = Record {
        trace_id: id.clone(),
        id,
        span_id: Some(format!("{:016x}", mixed(number))),
        started_ms,
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        operation: Some("openai_chat".into()),
        user_agent: Some("OpenAI/Python 2.54.0".into()),
        client: Some("10.1.2.3".into()),
        model: Some("gpt-4o-mini".into()),
        status: 200,
        end: "whole".into(),
        finish_reason: Some("stop".into()),
        duration_us: 1000 + mixed(number) % 5_000_000,
        upstream_us: 900,
        request_bytes: 300,
        response_bytes: 1300,
        attempts: vec![attempt("openai", "gpt-4o-mini", number)],
        ..Record::default()
    };
    match kind {
        Kind::Plain => plain,
        Kind::Varied => varied(plain, number),
    }
}

fn varied(plain: Record, number: u64) -> Record {
    let chance = mixed(number);
    let (provider, model) = [
        ("openai", "gpt-4o-mini"),
        ("openai", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-20250514"),
        ("groq", "llama-3.3-70b-versatile"),
    ][(chance % 4) as usize];
    let failed = Attempt {
        outcome: Outcome::Failed,
        status: Some(503),
        usage: None,
        error: Some(RecordError { class: "upstream".into(), code: None, message: Some("overloaded".into()) }),
        ..attempt(provider, model, number + (1 << 40))
    };
    let answered = attempt(provider, model, number);
    let is_retried = chance.is_multiple_of(20);
    Record {
        // The client's own, of some four requests each.
        trace_id: format!("{:032x}", u128::from(mixed(number / 4)) << 64),
        session: chance.is_multiple_of(2).then(|| format!("session-{}", chance / 2 % 5_000)),
        key: Some(format!("team-{}", chance / 13 % 12)),
        metadata: [
            ("_user".to_owned(), format!("user-{}", chance / 17 % 2_000)),
            ("environment".to_owned(), "production".to_owned()),
            ("feature".to_owned(), format!("feature-{}", chance / 19 % 20)),
        ]
        .into(),
        model: Some(model.into()),
        stream: chance.is_multiple_of(3),
        first_token_us: chance.is_multiple_of(3).then_some(1000 + chance % 700_000),
        attempts: if is_retried { vec![failed, answered] } else { vec![answered] },
        ..plain
    }
}

fn attempt(provider: &str, model: &str, number: u64) -> Attempt {
    let chance = mixed(number);
    let (prompt_tokens, completion_tokens) = (100 + chance % 9_000, chance % 800);
    Attempt {
        target: "config".into(),
        provider: provider.into(),
        span_id: Some(format!("{chance:016x}")),
        model: Some(model.into()),
        answered_model: Some(model.into()),
        status: Some(200),
        outcome: Outcome::Answered,
        request_id: Some(format!("req_{:016x}{:016x}", mixed(chance), chance)),
        sent_us: 120,
        first_byte_us: Some(400_000),
        ended_us: 900_000,
        usage: Some(Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            cached_tokens: chance % 100,
            ..Usage::default()
        }),
        finish_reason: Some("stop".into()),
        ..Attempt::default()
    }
}
