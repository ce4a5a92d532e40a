//! The store as a whole: what holds for every engine ([`cases`]), and what for its file.

pub(crate) mod cases;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ostia_catalog::Catalog;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::answers::{ANSWER_WITHIN, ReadError};
use crate::body::Kept;
use crate::engine::{Engine, Place};
use crate::feedback::Feedback;
use crate::finisher::Finisher;
use crate::orders::Done;
use crate::price::{Priced, Prices};
use crate::query::{Column, Filter, Page, PageSize};
use crate::queue::Unwritten;
use crate::reader::{Reader, Readers};
use crate::record::{Attempt, Outcome, Record, Usage};
use crate::record_error::RecordError;
use crate::retention::Retention;
use crate::spans::Joined;
use crate::sqlite::{self, conditions, database, feedback, insert, reprice, retention};
use crate::steps::Steps;
use crate::summary::{Grouping, Sums};
use crate::writer::Store;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 86_400_000;

#[derive(Debug)]
pub(crate) struct Ready(pub(crate) Record);

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

pub(crate) type Said = Arc<Mutex<Vec<String>>>;

pub(crate) fn store(place: &Place, mask: &[&str]) -> (Store, Said) {
    let said = Said::default();
    let tell = said.clone();
    let mask = mask.iter().map(|path| (*path).to_owned()).collect();
    let tell = Box::new(move |text| tell.lock().unwrap().push(text));
    let finisher = Finisher { prices: at(None), mask, metrics: Arc::default(), observer: None };
    (Store::start(place.clone(), Retention::default(), finisher, tell).unwrap(), said)
}

fn file(path: &Path) -> Place {
    Place::File(path.to_owned())
}

fn reader(path: &Path) -> Reader {
    Reader::of(&file(path))
}

/// Prices of an operator who says that a million tokens cost so much; `None`: says nothing.
pub(crate) fn at(price: Option<f64>) -> Prices {
    let catalog = Arc::new(Catalog::embedded());
    let priced =
        price.map_or(Priced::ByCatalogue, |price| Priced::ByOperator { input: price, output: price });
    Prices {
        pricing: Box::new(move |_, _| priced),
        trusts_cache: Box::new(|_| true),
        catalog: Box::new(move || catalog.clone()),
    }
}

pub(crate) fn record(id: &str, started_ms: i64) -> Record {
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

pub(crate) fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

pub(crate) fn page(size: u32) -> Page {
    Page { after: None, size: PageSize::new(size).unwrap() }
}

#[test]
fn every_case_over_a_file() {
    let all = || {
        for (name, case) in cases::CASES {
            eprintln!("{name}");
            let folder = TempDir::new().unwrap();
            case(&file(&folder.path().join("records.db")));
        }
    };
    all();
    cases::packed(all);
}

#[test]
fn a_file_is_for_its_owner_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data/records.db");
    let (store, _) = store(&file(&path), &[]);
    until("the file", || path.exists());
    store.finish();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
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
        let progress = reprice::all(&mut connection, from_ms, &at(Some(2.0)), &mut |_| {}).unwrap();
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
    connection.execute_batch(include_str!("sqlite/tables_1.sql")).unwrap();
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

/// A file whose ids stood in an index for each kind.
#[test]
fn ids_of_an_older_version_are_found() {
    let folder = TempDir::new().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    let own = Record { trace_id: "own".into(), ..record("own", 3000) };
    let all = [Record { session: Some("talk".into()), ..record("a", 1000) }, record("b", 2000), own];
    insert::write(&mut database::open(&new).unwrap(), &all).unwrap();
    let connection = Connection::open(&old).unwrap();
    for step in [
        include_str!("sqlite/tables_1.sql"),
        include_str!("sqlite/tables_2.sql"),
        include_str!("sqlite/tables_3.sql"),
    ] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", 3).unwrap();
    connection.execute("ATTACH ?1 AS new", [new.to_str().unwrap()]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO main.requests SELECT * FROM new.requests;
             INSERT INTO main.names SELECT value ->> '$.request_id', number FROM new.requests, \
             json_each(document, '$.attempts') WHERE value ->> '$.request_id' IS NOT NULL",
        )
        .unwrap();
    drop(connection);
    drop(database::open(&old).unwrap());
    let ids = |path: &Path| -> Vec<[i64; 3]> {
        let connection = Connection::open(path).unwrap();
        let mut select = connection.prepare("SELECT segment, hash, request FROM ids").unwrap();
        let rows = select.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert_eq!(ids(&old), ids(&new));
    let mut reader = reader(&old);
    for (id, expected) in [("trace-a", "a"), ("req-b", "b"), ("own", "own"), ("req-own", "own")] {
        assert_eq!(reader.trace(id).unwrap()[0]["id"], expected, "{id}");
    }
    let session = Filter { session: Some("talk".into()), ..Filter::default() };
    assert_eq!(reader.list(&session, page(10)).unwrap().0.len(), 1);
}

/// Ids are found in every segment, and what has the same hash by chance is not taken for one of them.
#[test]
fn ids_are_found_over_all_time() {
    const SEGMENTS: i64 = 5;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    for segment in 0..SEGMENTS {
        let id = segment.to_string();
        let asked = Record { trace_id: "all".into(), session: Some("talk".into()), ..record(&id, segment) };
        insert::write(&mut connection, &[asked]).unwrap();
        // As if the requests in between had gone, and those of a whole segment each second time.
        connection
            .execute_batch(&format!(
                "UPDATE requests SET number = {0} WHERE number = (SELECT max(number) FROM requests);
                 UPDATE ids SET segment = {0} >> 14, request = {0} WHERE request = (SELECT max(request) FROM ids)",
                (segment * 2 + 1) << 14
            ))
            .unwrap();
    }
    let number = 1 << 14;
    connection.execute("INSERT INTO ids SELECT 1, id_hash('another'), ?1", [number]).unwrap();
    let mut reader = reader(&path);
    assert_eq!(reader.trace("all").unwrap().len(), SEGMENTS as usize);
    assert_eq!(reader.trace("req-3").unwrap()[0]["id"], "3");
    assert!(reader.trace("another").unwrap().is_empty(), "it is only the hash");
    let session = Filter { session: Some("talk".into()), ..Filter::default() };
    assert_eq!(reader.list(&session, page(10)).unwrap().0.len(), SEGMENTS as usize);
    assert_eq!(reader.sessions(&Filter::default(), page(10)).unwrap().0[0].sums.requests, SEGMENTS as u64);
}

/// Feedback's traces are found alike one after the other and in one pass, whether a request's own id names them or a client's word.
#[test]
fn feedback_is_about_requests_before_and_after_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    let mut connection = database::open(&path).unwrap();
    let asked = |id: &str, trace: &str, model: &str| Record {
        trace_id: trace.into(),
        model: Some(model.into()),
        ..record(id, 1)
    };
    let all = [
        asked("own", "own", "first"),
        asked("1", "own", "second"),
        asked("2", "named", "third"),
        asked("3", "named", "fourth"),
    ];
    insert::write(&mut connection, &all).unwrap();
    // Others may have the same hash.
    connection.execute("INSERT INTO ids SELECT 0, id_hash('named'), 1", []).unwrap();
    let thought = |id: &str, trace: &str| Feedback {
        id: id.into(),
        trace_id: trace.into(),
        created_ms: 5,
        value: 2,
        weight: 0.5,
        ..Feedback::default()
    };
    let thoughts =
        [thought("a", "own"), thought("b", "named"), thought("c", "named"), thought("d", "nobody")];
    feedback::keep(&mut connection, &thoughts).unwrap().unwrap();
    let mut reader = sqlite::Reader::new(&path);
    let steps = Steps { from_ms: 0, to_ms: 10, step_ms: 10 };
    let mut counted = |filter: &Filter| {
        let mut all = reader.feedback(filter, &steps).unwrap();
        all.sort_by(|one, other| one.model.cmp(&other.model));
        all.into_iter().map(|one| (one.model, one.count, one.weighted)).collect::<Vec<_>>()
    };
    let of = |model: &str, count: u64| (Some(model.to_owned()), count, count as f64);
    assert_eq!(counted(&Filter::default()), [(None, 1, 1.0), of("first", 1), of("third", 2)]);
    let of_model = Filter { model: Some("fourth".into()), ..Filter::default() };
    assert_eq!(counted(&of_model), [of("third", 2)]);
    // Those that came later are found, and those that go are none.
    insert::write(&mut connection, &[asked("4", "nobody", "fifth")]).unwrap();
    assert_eq!(counted(&Filter::default()), [of("fifth", 1), of("first", 1), of("third", 2)]);
    connection.execute("DELETE FROM requests WHERE id IN ('2', '4')", []).unwrap();
    assert_eq!(counted(&Filter::default()), [(None, 1, 1.0), of("first", 1), of("fourth", 2)]);
    let left: i64 =
        connection.query_row("SELECT count(*) FROM requests_with_feedback", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 3);
}

/// However many looks it takes.
#[test]
fn an_answer_that_is_late_is_none() {
    let folder = TempDir::new().unwrap();
    let place = file(&folder.path().join("records.db"));
    let session =
        |number: i64| Record { session: Some(number.to_string()), ..record(&number.to_string(), number) };
    Engine::of(&place).write(&(0..20).map(session).collect::<Vec<_>>()).unwrap();
    let readers = Readers::start(&place).unwrap();
    let asked = |late: Duration| {
        let (sender, answer) = std::sync::mpsc::channel();
        let question = move |reader: &mut Reader| {
            reader.set_due(Some(Instant::now() + ANSWER_WITHIN - late));
            let sums =
                reader.sums(&Filter { tokens: (Some(0), None), ..Filter::default() }, Grouping::None, 9);
            sender
                .send((reader.sessions(&Filter::default(), page(9)).map(|(all, _)| all.len()), sums.is_ok()))
                .unwrap();
        };
        readers.ask(question).unwrap();
        answer.recv().unwrap()
    };
    assert_eq!(asked(Duration::ZERO), (Ok(9), true));
    assert_eq!(asked(ANSWER_WITHIN), (Err(ReadError::TooSlow), false));
    // The next one has its own time.
    assert_eq!(asked(Duration::ZERO), (Ok(9), true));
}

/// None of these may look through all requests.
#[test]
fn ids_are_looked_up() {
    const NUMBER: &str = "INTEGER PRIMARY KEY";
    const SESSION: &str = "INDEX requests_by_session";
    let folder = TempDir::new().unwrap();
    let connection = database::open(&folder.path().join("records.db")).unwrap();
    let check = |index: &str, filter: Filter| {
        let conditions = conditions::of(&filter);
        let text = format!(
            "EXPLAIN QUERY PLAN SELECT document FROM requests {} ORDER BY started_ms DESC, number DESC LIMIT 51",
            conditions.text()
        );
        let mut select = connection.prepare(&text).unwrap();
        let rows =
            select.query_map(rusqlite::params_from_iter(&conditions.values), |row| row.get(3)).unwrap();
        let plan: Vec<String> = rows.map(Result::unwrap).collect();
        let is_looked_up = |step: &String| step.starts_with(&format!("SEARCH requests USING {index}"));
        assert!(plan.iter().any(is_looked_up), "{plan:#?}");
        let is_seen_whole = |step: &String| step.starts_with("SCAN requests") || step.starts_with("SCAN ids");
        let is_sorted = plan.iter().any(|step| step.contains("ORDER BY"));
        assert_eq!(is_sorted, index == NUMBER, "{plan:#?}");
        assert!(!plan.iter().any(is_seen_whole), "{plan:#?}");
    };
    let time = Filter { from_ms: Some(1), to_ms: Some(2), ..Filter::default() };
    check(NUMBER, Filter { trace: Some("t".into()), ..Filter::default() });
    check(NUMBER, Filter { trace: Some("t".into()), ..time.clone() });
    check(SESSION, Filter { session: Some("s".into()), ..Filter::default() });
    check(SESSION, Filter { session: Some("s".into()), status: Some("error".into()), ..time.clone() });
    check(NUMBER, Filter { feedback: (Some(1.0), None), ..time });
}

#[test]
fn a_file_that_cannot_be_written_stops_nobody() {
    let folder = TempDir::new().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file where a directory should be").unwrap();
    let path = blocked.join("records.db");
    let (store, said) = store(&file(&path), &[]);
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
    assert!(reader(&path).one("kept").unwrap().is_some());
}

/// Somebody waits for an order: it does not wait for the engine, of which a full batch says that it is away.
#[test]
fn an_order_is_answered_while_nothing_can_be_written() {
    let folder = TempDir::new().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file where a directory should be").unwrap();
    let (store, _) = store(&file(&blocked.join("records.db")), &[]);
    for number in 0..2100 {
        store.queue().hand_over(Box::new(Ready(light(&number.to_string()))));
    }
    let (tell, told) = channel();
    let order = |tell: Sender<Done>| {
        store.orders().join(Joined::default(), now_ms(), move |done| drop(tell.send(done))).unwrap();
    };
    order(tell.clone());
    assert!(told.recv_timeout(PATIENCE).unwrap().is_err());
    fs::remove_file(&blocked).unwrap();
    until("it writes again", || store.queue().health().written == 2100);
    order(tell);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Ok(Ok(())));
    store.finish();
}

/// A record with nothing in it that takes long to write.
fn light(id: &str) -> Record {
    let (request, response) = (Kept::default(), Kept::default());
    Record { attempts: Vec::new(), request, response, ..record(id, 1) }
}

/// More always comes: an order still finds all records that were handed over before, and its turn.
#[test]
fn an_order_has_its_turn_behind_the_records_before_it() {
    const OTHERS: usize = 60_000;
    let folder = TempDir::new().unwrap();
    let (store, _) = store(&file(&folder.path().join("records.db")), &[]);
    let (tell, told) = channel();
    let feedback = Feedback {
        id: "f".into(),
        trace_id: "trace-first".into(),
        created_ms: now_ms(),
        value: 1,
        weight: 1.0,
        metadata: None,
        key: Some("team".into()),
    };
    let hand_over = |record: Record| store.queue().hand_over(Box::new(Ready(record)));
    (0..5000).for_each(|number| hand_over(light(&format!("before-{number}"))));
    hand_over(Record { trace_id: "trace-first".into(), ..light("first") });
    let written = store.queue().clone();
    store
        .orders()
        .keep(vec![feedback], move |done| drop(tell.send((done, written.health().written))))
        .unwrap();
    let found = (0..OTHERS).find_map(|number| {
        until("room", || store.queue().health().waiting < 12_000);
        hand_over(light(&number.to_string()));
        told.try_recv().ok()
    });
    let (done, written) = found.unwrap();
    assert_eq!(done, Ok(Ok(())));
    assert!(written >= 5001, "{written}");
    drop(store);
}

#[test]
fn a_gateway_without_requests_finds_that_records_can_be_written_again() {
    let folder = TempDir::new().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file where a directory should be").unwrap();
    let (store, _) = store(&file(&blocked.join("records.db")), &[]);
    until("a problem", || store.queue().health().problem.is_some());
    fs::remove_file(&blocked).unwrap();
    until("none", || store.queue().health().problem.is_none());
    store.finish();
}

#[test]
fn a_damaged_file_is_put_aside() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    fs::write(&path, "this is no database ".repeat(1000)).unwrap();
    let (store, said) = store(&file(&path), &[]);
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
    let (store, _) = store(&file(&path), &[]);
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
    let one = reader(&path).one("0").unwrap().unwrap();
    assert_eq!(one["request"], serde_json::json!({"missing": "aged_out"}));

    let by_time = Retention { records: Duration::from_secs(5 * 86_400), ..Retention::default() };
    while retention::step(&mut connection, &by_time, now).unwrap() {}
    assert_eq!((count(&connection, "requests"), count(&connection, "ids")), (500, 2000));
    assert_eq!(reader(&path).trace("trace-0").unwrap().len(), 0, "its request is gone");
    assert_eq!(reader(&path).trace("trace-999").unwrap().len(), 1);
    let by_size = Retention { record_bytes: 1, body_bytes: 1, ..Retention::default() };
    while retention::step(&mut connection, &by_size, now).unwrap() {}
    assert_eq!((count(&connection, "requests"), count(&connection, "bodies")), (0, 0));
    assert_eq!(count(&connection, "ids"), 0, "no segment has any requests");
    let totals: i64 = connection.query_row("SELECT sum(bytes) FROM totals", [], |row| row.get(0)).unwrap();
    assert_eq!(totals, 0);
}
