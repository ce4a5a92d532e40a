//! The store as a whole, over files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ostia_catalog::Catalog;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::body::Kept;
use crate::finisher::Finisher;
use crate::price::{Priced, Prices};
use crate::query::{Filter, Page, PageSize};
use crate::queue::Unwritten;
use crate::reader::Reader;
use crate::record::{Attempt, Outcome, Record, RecordError, Usage};
use crate::retention::{self, Retention};
use crate::steps::Steps;
use crate::summary::{Grouping, Sums};
use crate::writer::Store;
use crate::{database, insert};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 86_400_000;

#[derive(Debug)]
struct Ready(Record);

impl Unwritten for Ready {
    fn bytes(&self) -> usize {
        0
    }

    fn give_up_bodies(&mut self) -> bool {
        false
    }

    fn finish(self: Box<Self>) -> Record {
        self.0
    }
}

type Said = Arc<Mutex<Vec<String>>>;

fn store(path: &Path, mask: &[&str]) -> (Store, Said) {
    let said = Said::default();
    let tell = said.clone();
    let mask = mask.iter().map(|path| (*path).to_owned()).collect();
    let tell = Box::new(move |text| tell.lock().unwrap().push(text));
    let finisher = Finisher { prices: at(None), mask, metrics: Arc::default(), observer: None };
    (Store::start(path.to_owned(), Retention::default(), finisher, tell).unwrap(), said)
}

/// Prices of an operator who says that a million tokens cost so much; `None`: says nothing.
fn at(price: Option<f64>) -> Prices {
    let catalog = Arc::new(Catalog::embedded());
    let priced =
        price.map_or(Priced::ByCatalogue, |price| Priced::ByOperator { input: price, output: price });
    Prices { pricing: Box::new(move |_, _| priced), catalog: Box::new(move || catalog.clone()) }
}

fn record(id: &str, started_ms: i64) -> Record {
    let usage = Usage { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, ..Usage::default() };
    let attempt = Attempt {
        target: "config".into(),
        provider: "openai".into(),
        model: Some("gpt-4o-mini".into()),
        status: Some(200),
        outcome: Outcome::Answered,
        request_id: Some(format!("req-{id}")),
        usage: Some(usage),
        ..Attempt::default()
    };
    let failed = Attempt {
        provider: "groq".into(),
        outcome: Outcome::Failed,
        error: Some(RecordError {
            class: "server".into(),
            message: Some("Bearer abcdefghijklmnop".into()),
            code: None,
        }),
        usage: None,
        request_id: None,
        ..attempt.clone()
    };
    Record {
        id: id.into(),
        trace_id: format!("trace-{id}"),
        started_ms,
        status: 200,
        end: "whole".into(),
        duration_us: 40_000,
        key: Some("team".into()),
        metadata: [("user".to_owned(), format!("u-{id}"))].into(),
        attempts: vec![failed, attempt],
        request: Kept::Bytes { bytes: br#"{"user":"u","model":"m"}"#.to_vec(), total: 24 },
        response: Kept::Bytes { bytes: b"data: x".to_vec(), total: 100 },
        ..Record::default()
    }
}

fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

fn page(size: u32) -> Page {
    Page { after: None, size: PageSize::new(size).unwrap() }
}

#[test]
fn what_is_written_is_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data/records.db");
    let (store, said) = store(&path, &["user"]);
    let now = now_ms();
    for number in 0..5 {
        store.queue().hand_over(Box::new(Ready(record(&number.to_string(), now + number))));
    }
    // The same once more is not two.
    store.queue().hand_over(Box::new(Ready(record("4", now))));
    store.finish();
    assert!(said.lock().unwrap().is_empty());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));

    let mut reader = Reader::new(&path);
    let ids = |listed: &[serde_json::Value]| {
        listed.iter().map(|told| told["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, next) = reader.list(&Filter::default(), page(2)).unwrap();
    assert_eq!(ids(&first), ["4", "3"]);
    let after = Page::cursor(&next.unwrap());
    let (second, next) = reader.list(&Filter::default(), Page { after, ..page(3) }).unwrap();
    assert_eq!((ids(&second), next), (vec!["2".into(), "1".into(), "0".into()], None));

    let one = reader.one("3").unwrap().unwrap();
    assert_eq!(one["request"]["body"], serde_json::json!({"user": "***", "model": "m"}));
    assert_eq!(
        one["response"],
        serde_json::json!({"missing": "off"}),
        "it could not be searched for what is masked"
    );
    assert_eq!(one["attempts"][1]["cost"]["amount"], "0.00021");
    assert_eq!(one["attempts"][0]["error"]["message"], "***");
    assert_eq!(reader.one("9").unwrap(), None);
    for name in ["trace-3", "req-3", "3"] {
        assert_eq!(ids(&reader.trace(name).unwrap()), ["3"], "{name}");
    }
}

#[test]
fn filters() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let mut left =
        Record { end: "client_left".into(), status: 499, duration_us: 9_000_000, ..record("left", 3000) };
    left.key = None;
    let failed = Record { status: 503, attempts: Vec::new(), ..record("failed", 2000) };
    insert::write(&mut connection, &[record("good", 1000), failed, left]).unwrap();
    let mut reader = Reader::new(&path);
    let mut check = |filter: Filter, expected: &[&str]| {
        let (told, _) = reader.list(&filter, page(10)).unwrap();
        let ids: Vec<_> = told.iter().map(|told| told["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{filter:?}");
        // Sums count the same requests.
        let (_, groups) = reader.sums(&filter, Grouping::None, now_ms()).unwrap();
        if !filter.is_of_sums() {
            assert_eq!(groups.iter().map(|group| group.sums.requests).sum::<u64>(), expected.len() as u64);
        }
    };
    let status = |status: &str| Filter { status: Some(status.into()), ..Filter::default() };
    check(Filter::default(), &["left", "failed", "good"]);
    check(status("success"), &["good"]);
    check(status("error"), &["failed"]);
    check(status("client_left"), &["left"]);
    check(status("5xx"), &["failed"]);
    check(status("499"), &["left"]);
    check(Filter { from_ms: Some(2000), to_ms: Some(3000), ..Filter::default() }, &["failed"]);
    check(Filter { provider: Some("openai".into()), ..Filter::default() }, &["left", "good"]);
    check(Filter { key: Some("team".into()), ..Filter::default() }, &["failed", "good"]);
    check(Filter { metadata: vec![("user".into(), "u-good".into())], ..Filter::default() }, &["good"]);
    check(Filter { metadata: vec![("us\"er".into(), "u-good".into())], ..Filter::default() }, &[]);
    check(Filter { duration_ms: (Some(1000), None), ..Filter::default() }, &["left"]);
    check(Filter { tokens: (Some(1100), Some(1100)), ..Filter::default() }, &["left", "good"]);
    check(Filter { trace: Some("req-good".into()), ..Filter::default() }, &["good"]);
}

#[test]
fn sessions() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let of = |session: &str, number: i64| Record {
        session: (!session.is_empty()).then(|| session.to_owned()),
        model: Some(format!("m{number}")),
        status: if number == 4 { 500 } else { 200 },
        ..record(&number.to_string(), number * 1000)
    };
    let all: Vec<Record> = ["a", "b", "", "a", "c", "b", "d"]
        .iter()
        .zip(1..)
        .map(|(session, number)| of(session, number))
        .collect();
    insert::write(&mut connection, &all).unwrap();
    let mut reader = Reader::new(&path);
    let (first, next) = reader.sessions(&Filter::default(), page(2)).unwrap();
    let ids = |told: &[crate::reader::Session]| told.iter().map(|told| told.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["d", "b"]);
    let after = Page::cursor(&next.unwrap());
    // What comes meanwhile changes nothing, and a session is told once.
    insert::write(&mut connection, &[of("e", 9)]).unwrap();
    let (second, next) = reader.sessions(&Filter::default(), Page { after, ..page(2) }).unwrap();
    assert_eq!((ids(&second), next), (vec!["c".to_owned(), "a".to_owned()], None));
    let a = &second[1];
    assert_eq!((a.first_ms, a.last_ms, a.sums.requests, a.sums.failed), (1000, 4000, 2, 1));
    assert_eq!(
        (a.sums.prompt_tokens, a.models.iter().map(String::as_str).collect()),
        (2000, vec!["m1", "m4"])
    );
    let filter = Filter { model: Some("m2".into()), ..Filter::default() };
    let (told, _) = reader.sessions(&filter, page(2)).unwrap();
    assert_eq!((ids(&told), told[0].sums.requests), (vec!["b".to_owned()], 1));
    let filter = Filter { session: Some("b".into()), ..Filter::default() };
    assert_eq!(reader.list(&filter, page(9)).unwrap().0.len(), 2);
}

#[test]
fn texts_in_bodies_are_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let with = |id: &str, started_ms: i64, request: &str, response: &str| {
        let kept = |text: &str| Kept::Bytes { bytes: text.as_bytes().to_vec(), total: text.len() as u64 };
        Record { request: kept(request), response: kept(response), ..record(id, started_ms) }
    };
    let without = Record { request: Kept::default(), response: Kept::default(), ..record("none", 4000) };
    let all = [
        with("a", 1000, r#"{"content":"The \"Whale\"\nat sea"}"#, "x"),
        with("b", 2000, "{}", "data: a WHALE"),
        with("c", 3000, "{}", "nothing"),
        without,
    ];
    insert::write(&mut connection, &all).unwrap();
    let mut reader = Reader::new(&path);
    let mut check = |text: &str, expected: &[&str]| {
        let found = reader.search(&Filter::default(), text, page(10)).unwrap();
        let ids: Vec<_> = found.data.iter().map(|told| told["id"].as_str().unwrap()).collect();
        assert_eq!((ids, found.next, found.looked_at), (expected.to_vec(), None, 3), "{text}");
    };
    check("whale", &["b", "a"]);
    check("\"Whale\"\nat", &["a"]);
    check("\"whale", &["a"]);
    check("shark", &[]);
    // Where the time is over the next page goes on, and each looks at one at least.
    let (mut after, mut ids, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = Page { after, ..page(10) };
        let found = reader.search_for(&Filter::default(), "whale", page, Duration::ZERO).unwrap();
        ids.extend(found.data.iter().map(|told| told["id"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = found.next else { break };
        after = Page::cursor(&next);
    }
    assert_eq!((ids, pages), (vec!["b".to_owned(), "a".to_owned()], 3));
    let filter = Filter { from_ms: Some(1500), key: Some("team".into()), ..Filter::default() };
    assert_eq!(reader.search(&filter, "whale", page(10)).unwrap().data.len(), 1);
    let (told, _) = reader.list_with_bodies(&Filter::default(), page(10)).unwrap();
    let body = |at: usize| &told[at]["response"]["body"];
    assert_eq!((body(2), body(0)), (&"data: a WHALE".into(), &serde_json::Value::Null));
}

#[test]
fn new_prices_on_old_records() {
    let folder = TempDir::new().unwrap();
    let [repriced, fresh] = ["repriced", "fresh"].map(|name| folder.path().join(name));
    let now = now_ms();
    let records = |price: Option<f64>| {
        let prices = at(price);
        let mut all: Vec<Record> =
            (0..300).map(|number| record(&number.to_string(), now - number * 90_000)).collect();
        for record in &mut all {
            record.attempts[1].model = Some("nobody-knows-it".into());
            for attempt in &mut record.attempts {
                assert!(!prices.price(attempt, record.started_ms) || price.is_none());
            }
        }
        all
    };
    insert::write(&mut database::open(&fresh).unwrap(), &records(Some(2.0))).unwrap();
    let mut connection = database::open(&repriced).unwrap();
    insert::write(&mut connection, &records(None)).unwrap();
    let mut again = |from_ms: i64| {
        let progress = crate::reprice::all(&mut connection, from_ms, &at(Some(2.0)), &mut |_| {}).unwrap();
        (progress.all, progress.seen, progress.changed)
    };
    assert_eq!(again(now - 89_000), (1, 1, 1));
    assert_eq!(again(0), (300, 300, 299));
    assert_eq!(again(0), (300, 300, 0), "once is enough");
    let dump = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let rows = |text: &str| -> Vec<String> {
            let mut select = connection.prepare(text).unwrap();
            let rows = select.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let sums = "SELECT json_array(width_ms, start_ms, provider, model, key, currency, requests, failed, attempts, \
                    failed_attempts, prompt_tokens, completion_tokens, unpriced, cost, duration_us, hex(durations)) \
                    FROM sums ORDER BY width_ms, start_ms, provider, model, currency";
        let requests =
            "SELECT json_array(id, cost_nano, costs, unpriced, document) FROM requests ORDER BY number";
        let totals = "SELECT json_array(name, bytes) FROM totals ORDER BY name";
        [sums, requests, totals].into_iter().flat_map(rows).collect()
    };
    assert_eq!(dump(&repriced), dump(&fresh), "as if the prices had been known");
}

#[test]
fn sums_are_those_of_the_records() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let (store, _) = store(&path, &[]);
    let now = now_ms();
    for number in 0..700 {
        store.queue().hand_over(Box::new(Ready(record(&number.to_string(), now - number * 1000))));
    }
    store.finish();
    let mut reader = Reader::new(&path);
    for days in [1, 30, 300] {
        let filter = Filter { from_ms: Some(now - days * DAY_MS), to_ms: Some(now + 1), ..Filter::default() };
        let (_, groups) = reader.sums(&filter, Grouping::Provider, now).unwrap();
        let of = |name: &str| &groups.iter().find(|group| group.name == name).unwrap().sums;
        assert_eq!(
            (of("openai").requests, of("openai").attempts, of("openai").failed_attempts),
            (700, 700, 0)
        );
        assert_eq!((of("groq").requests, of("groq").attempts, of("groq").failed_attempts), (0, 700, 700));
        assert_eq!(of("openai").prompt_tokens, 700_000);
        assert_eq!(of("openai").costs()["USD"], "0.147", "{days} days");
        assert_eq!(of("openai").durations.percentile_ms(50), Some(45));
    }
}

#[test]
fn series_are_those_of_the_records() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let now = now_ms() / DAY_MS * DAY_MS + DAY_MS / 2;
    let all: Vec<Record> = (0..300)
        .map(|number| {
            let mut record = record(&number.to_string(), now - number * 60_000);
            record.model = Some(format!("model-{:02}", number % 25));
            record.attempts.iter_mut().for_each(|attempt| attempt.model.clone_from(&record.model));
            (number, record)
        })
        .map(|(number, record)| Record {
            first_token_us: (number % 2 == 0).then_some(5_000),
            status: if number < 30 { 500 } else { 200 },
            ..record
        })
        .collect();
    insert::write(&mut connection, &all).unwrap();
    let mut reader = Reader::new(&path);
    let mut check = |filter: &Filter, step_ms: i64| {
        let steps = Steps::of(now - 300 * 60_000, now + 1, Some(step_ms), now).unwrap();
        let all = reader.series(filter, Grouping::None, &steps).unwrap();
        let mut total = Sums::default();
        all.lines[0].points.values().for_each(|sums| total.plus(sums));
        assert_eq!((all.lines.len(), all.rest.len(), total.requests), (1, 0, 300));
        assert_eq!((total.failed, total.first_tokens.percentile_ms(99)), (30, Some(6)));
        assert_eq!((total.attempts, total.prompt_tokens), (600, 300_000));
        let starts: Vec<i64> = all.lines[0].points.keys().copied().collect();
        assert!(starts.iter().all(|start| start % step_ms == 0), "{starts:?}");
        let by_model = reader.series(filter, Grouping::Model, &steps).unwrap();
        let requests = |points: &std::collections::BTreeMap<i64, Sums>| {
            points.values().map(|sums| sums.requests).sum::<u64>()
        };
        assert_eq!((by_model.lines.len(), by_model.others.len(), requests(&by_model.rest)), (20, 5, 60));
        assert!(by_model.lines.iter().all(|line| requests(&line.points) == 12));
        total
    };
    let kept = check(&Filter::default(), 60_000);
    assert_eq!(check(&Filter::default(), 3_600_000).requests, kept.requests);
    // The same from the records themselves.
    let counted = check(&Filter { tokens: (Some(1), None), ..Filter::default() }, 60_000);
    assert_eq!(counted, kept);
}

#[test]
fn tables_of_an_older_version_are_brought_up() {
    let folder = TempDir::new().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    let mut broken = record("b", 2000);
    broken.end = "broken".into();
    let prices = at(Some(1.0));
    let mut all = [Record { first_token_us: Some(7), ..record("a", 1000) }, broken];
    all.iter_mut()
        .flat_map(|record| &mut record.attempts)
        .for_each(|attempt| assert!(!prices.price(attempt, 0)));
    all[1].metadata.clear();
    insert::write(&mut database::open(&new).unwrap(), &all).unwrap();
    let connection = Connection::open(&old).unwrap();
    connection.execute_batch(include_str!("tables_1.sql")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.execute("ATTACH ?1 AS new", [new.to_str().unwrap()]).unwrap();
    let columns = "number, id, started_ms, trace_id, operation, key, provider, model, status, end, duration_us, tokens, \
                   cost_nano, document, request_state, response_state";
    connection
        .execute_batch(&format!("INSERT INTO main.requests ({columns}) SELECT {columns} FROM new.requests"))
        .unwrap();
    drop(connection);
    drop(database::open(&old).unwrap());
    let facts = |path: &Path| -> Vec<Vec<rusqlite::types::Value>> {
        let connection = Connection::open(path).unwrap();
        let mut select = connection
            .prepare(
                "SELECT session, first_token_us, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, \
                 failed_attempts, retries, fell_back, unpriced, costs, metadata FROM requests ORDER BY number",
            )
            .unwrap();
        let rows = select.query_map([], |row| (0..13).map(|at| row.get(at)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert_eq!(facts(&old), facts(&new));
}

#[test]
fn a_file_that_cannot_be_written_stops_nobody() {
    let folder = TempDir::new().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file where a directory should be").unwrap();
    let path = blocked.join("records.db");
    let (store, said) = store(&path, &[]);
    until("a problem", || store.queue().health().problem.is_some());
    store.queue().hand_over(Box::new(Ready(record("kept", now_ms()))));
    thread::sleep(Duration::from_millis(300));
    fs::remove_file(&blocked).unwrap();
    until("it writes again", || store.queue().health().written == 1);
    assert_eq!(store.queue().health().problem, None);
    store.finish();
    let said = said.lock().unwrap();
    assert!(
        said.len() == 2 && said[0].contains("cannot be written") && said[1].contains("again"),
        "{said:?}"
    );
    assert!(Reader::new(&path).one("kept").unwrap().is_some());
}

#[test]
fn a_damaged_file_is_put_aside() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    fs::write(&path, "this is no database ".repeat(1000)).unwrap();
    let (store, said) = store(&path, &[]);
    store.queue().hand_over(Box::new(Ready(record("a", now_ms()))));
    until("it writes", || store.queue().health().written == 1);
    store.finish();
    assert!(said.lock().unwrap()[0].contains("damaged"));
    let names =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("damaged-")).count(), 1);
}

#[test]
fn another_process_that_holds_the_file_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let (store, _) = store(&path, &[]);
    until("the file", || path.exists());
    thread::sleep(Duration::from_millis(200));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    store.queue().hand_over(Box::new(Ready(record("a", now_ms()))));
    until("a problem", || store.queue().health().problem.is_some());
    other.execute_batch("ROLLBACK").unwrap();
    until("it writes again", || store.queue().health().written == 1);
    store.finish();
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    drop(database::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let told = database::open(&path).unwrap_err().to_string();
    assert!(told.contains("newer version"), "{told}");
}

#[test]
fn what_is_old_or_too_much_goes_in_small_steps() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let now = now_ms();
    let all: Vec<Record> = (0..1000)
        .map(|number| record(&number.to_string(), now - if number < 500 { 10 * DAY_MS } else { 0 }))
        .collect();
    insert::write(&mut connection, &all).unwrap();
    let count = |connection: &Connection, table: &str| -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let mut steps = 0;
    while retention::step(&mut connection, &Retention::default(), now).unwrap() {
        steps += 1;
    }
    assert_eq!((steps, count(&connection, "bodies"), count(&connection, "requests")), (2, 500, 1000));
    let one = Reader::new(&path).one("0").unwrap().unwrap();
    assert_eq!(one["request"], serde_json::json!({"missing": "aged_out"}));

    let by_time = Retention { records: Duration::from_secs(5 * 86_400), ..Retention::default() };
    while retention::step(&mut connection, &by_time, now).unwrap() {}
    assert_eq!((count(&connection, "requests"), count(&connection, "names")), (500, 500));
    let by_size = Retention { record_bytes: 1, body_bytes: 1, ..Retention::default() };
    while retention::step(&mut connection, &by_size, now).unwrap() {}
    assert_eq!((count(&connection, "requests"), count(&connection, "bodies")), (0, 0));
    let totals: i64 = connection.query_row("SELECT sum(bytes) FROM totals", [], |row| row.get(0)).unwrap();
    assert_eq!(totals, 0);
}
