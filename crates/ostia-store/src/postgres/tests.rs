//! The cases of every engine, and what only a server can do, over a real one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ostia_testkit::postgres::PASSWORD;
use tokio::net::TcpStream;

use super::*;
use crate::answers::{DAY_MS, GroupBy, ReadError};
use crate::body::Kept;
use crate::engine::{Engine, Place};
use crate::network::Connecting;
use crate::query::{Column, Filter};
use crate::reader::Reader;
use crate::spans::{AppLog, Joined, Span};
use crate::steps::Steps;
use crate::summary::{Grouping, Sums};
use crate::tests::cases::{self, CASES};
use crate::tests::{Ready, now_ms, page, record, store, until};

/// Opens connections to this machine.
#[derive(Debug)]
struct Here;

impl Connect for Here {
    fn connect<'a>(&'a self, _host: &'a str, port: u16) -> Connecting<'a> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Box::pin(async move { Ok(Box::new(TcpStream::connect(address).await?) as Box<_>) })
    }
}

/// A server, and how many databases it has.
pub(crate) struct Databases {
    pub(crate) server: ostia_testkit::Postgres,
    made: AtomicUsize,
}

impl Databases {
    pub(crate) fn start() -> Option<Databases> {
        Some(Databases { server: ostia_testkit::Postgres::start()?, made: AtomicUsize::new(0) })
    }

    /// A server whose databases stay in this folder.
    pub(crate) fn start_in(folder: &Path) -> Option<Databases> {
        Some(Databases { server: ostia_testkit::Postgres::start_in(folder)?, made: AtomicUsize::new(0) })
    }

    /// A database that is there.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        Place::Postgres(Arc::new(self.shown(name, PASSWORD)))
    }

    /// A new database.
    pub(crate) fn place(&self) -> (Place, String) {
        let name = format!("db{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.server.create(&name);
        (Place::Postgres(Arc::new(self.shown(&name, PASSWORD))), name)
    }

    fn shown(&self, database: &str, password: &str) -> Server {
        Server {
            host: "127.0.0.1".to_owned(),
            port: self.server.port(),
            user: "ostia".to_owned(),
            password: Some(password.to_owned().into()).into(),
            database: database.to_owned(),
            encryption: Encryption::Off,
            connect: Arc::new(Here),
        }
    }
}

#[test]
fn every_case_over_a_server() {
    let Some(databases) = Databases::start() else { return };
    let all = || {
        for (name, case) in CASES {
            eprintln!("{name}");
            case(&databases.place().0);
        }
    };
    all();
    cases::packed(all);
}

fn sums_of(place: &Place) -> Sums {
    let (_, groups) = Reader::of(place).sums(&Filter::default(), Grouping::None, now_ms()).unwrap();
    groups.into_iter().next().map(|group| group.sums).unwrap_or_default()
}

/// All of them start at once, on nothing, and each also writes what the others write.
#[test]
fn several_gateways_write_to_one_store() {
    const WRITERS: usize = 4;
    const BATCHES: usize = 15;
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms();
    let shared: Vec<Record> = (0..30).map(|number| record(&format!("shared-{number}"), now)).collect();
    let write = |writer: usize| {
        let mut engine = Engine::of(&place);
        for batch in 0..BATCHES {
            let id = |number: usize| format!("{writer}-{batch}-{number}");
            // Some are of days that nobody has made yet.
            let ago = (batch % 3) as i64 * DAY_MS;
            let mut all: Vec<Record> = (0..20).map(|number| record(&id(number), now - ago)).collect();
            all.extend(shared.iter().cloned());
            engine.write(&all).unwrap();
            engine.retain(&Retention::default(), now).unwrap();
        }
    };
    std::thread::scope(|scope| (0..WRITERS).for_each(|writer| drop(scope.spawn(move || write(writer)))));
    let all = WRITERS * BATCHES * 20 + shared.len();
    let sums = sums_of(&place);
    assert_eq!((sums.requests, sums.attempts), (all as u64, 2 * all as u64));
    let counted = Filter { duration_ms: (Some(0), None), ..Filter::default() };
    let (_, groups) = Reader::of(&place).sums(&counted, Grouping::None, now).unwrap();
    assert_eq!(groups[0].sums, sums, "sums are those of the records");
    let counts = databases.server.sql(
        &name,
        "SELECT sum(requests) FROM ostia.days; SELECT count(DISTINCT number) FROM ostia.requests; \
         SELECT sum(requests) FROM ostia.sums WHERE width_ms = 60000",
    );
    assert_eq!(counts, format!("{all}\n{all}\n{all}"));
}

#[test]
fn a_server_that_comes_and_goes() {
    let Some(mut databases) = Databases::start() else { return };
    let (place, _) = databases.place();
    databases.server.crash();
    // The start does not wait for it.
    let began = std::time::Instant::now();
    let (store, said) = store(&place, &[]);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let now = now_ms();
    let hand_over = |numbers: std::ops::Range<i64>| {
        for number in numbers {
            store.queue().hand_over(Box::new(Ready(record(&number.to_string(), now + number))));
        }
    };
    hand_over(0..10);
    until("a problem", || store.queue().health().problem.is_some());
    databases.server.run();
    until("it writes", || store.queue().health().written == 10);
    for round in 1..4 {
        let numbers = round * 100..round * 100 + 50;
        hand_over(numbers);
        databases.server.crash();
        hand_over(round * 100 + 50..round * 100 + 100);
        std::thread::sleep(Duration::from_millis(300));
        databases.server.run();
        until("it writes again", || store.queue().health().written == 10 + round as u64 * 100);
    }
    store.finish();
    let sums = sums_of(&place);
    assert_eq!((sums.requests, sums.attempts), (310, 620));
    let said = said.lock().unwrap();
    let count = |words: &str| said.iter().filter(|line| line.contains(words)).count();
    assert_eq!(count("cannot be written"), count("are written to"), "{said:?}");
    assert!(count("are written to") <= 4 && !said.iter().any(|line| line.contains(PASSWORD)), "{said:?}");
}

/// Nobody asks anything of it meanwhile, and nobody hears that it was away.
#[test]
fn a_server_that_is_started_anew() {
    let Some(mut databases) = Databases::start() else { return };
    let (place, _) = databases.place();
    let (store, said) = store(&place, &[]);
    let hand_over = |id: &str| store.queue().hand_over(Box::new(Ready(record(id, now_ms()))));
    hand_over("before");
    until("it writes", || store.queue().health().written == 1);
    // It has looked for what is old once, and does so again after ten seconds.
    std::thread::sleep(Duration::from_millis(300));
    let mut reader = Reader::of(&place);
    assert!(reader.one("before").unwrap().is_some());
    databases.server.crash();
    databases.server.run();
    hand_over("after");
    until("it writes on", || store.queue().health().written == 2);
    assert!(reader.one("after").unwrap().is_some());
    store.finish();
    assert_eq!(*said.lock().unwrap(), [] as [String; 0]);
}

#[test]
fn what_a_server_refuses_is_told_without_the_password() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let refused = |server: Server, words: &str| {
        let place = Place::Postgres(Arc::new(server));
        let told = Engine::of(&place).write(&[record("a", now_ms())]).unwrap_err();
        assert!(matches!(&told, WriteError::Unavailable(told) if told.contains(words)), "{told:?}");
        let read = Reader::of(&place).one("a").unwrap_err();
        assert!(matches!(&read, ReadError::Unreadable(told) if told.contains(words)), "{read:?}");
        assert!(!format!("{told} {read:?} {place:?} {place}").contains("s3cret"));
    };
    refused(databases.shown(&name, "s3cret"), "password authentication failed");
    refused(databases.shown("nothing", PASSWORD), "does not exist");
    let unreachable = Server { port: 1, ..databases.shown(&name, PASSWORD) };
    refused(unreachable, "no connection");
    // Nothing is kept yet, and then something that only newer versions know.
    assert!(
        Reader::of(&place).last_number().unwrap_err()
            == ReadError::Unreadable("nothing is kept there yet".into())
    );
    Engine::of(&place).open().unwrap();
    assert_eq!(Reader::of(&place).last_number(), Ok(0));
    databases.server.sql(&name, "UPDATE ostia.version SET version = 99");
    refused(databases.shown(&name, PASSWORD), "newer version");
    assert_eq!(databases.server.sql(&name, "SELECT version FROM ostia.version"), "99");
}

#[test]
fn texts_that_no_column_holds() {
    let Some(databases) = Databases::start() else { return };
    let (place, _) = databases.place();
    let long = "x".repeat(100_000);
    let mut odd = Record {
        model: Some(format!("a\0{long}")),
        session: Some(format!("s\0{long}")),
        trace_id: format!("t\0{long}"),
        key: Some(long.clone()),
        metadata: [("na\0me".to_owned(), format!("\0{long}"))].into(),
        operation: Some("o\0".into()),
        ..record("odd", now_ms())
    };
    odd.attempts[1].request_id = Some(format!("r\0{long}"));
    let other = Record { model: Some(format!("a\0{long}y")), ..record("other", now_ms()) };
    Engine::of(&place).write(&[odd.clone(), other]).unwrap();
    let mut reader = Reader::of(&place);
    let filter = Filter { model: odd.model.clone(), key: odd.key.clone(), ..Filter::default() };
    assert_eq!(reader.list(&filter, page(9)).unwrap().0.len(), 1);
    let filter = Filter {
        session: odd.session.clone(),
        metadata: vec![("na\0me".to_owned(), odd.metadata["na\0me"].clone())],
        ..Filter::default()
    };
    assert_eq!(reader.list(&filter, page(9)).unwrap().0.len(), 1);
    let chosen = vec![(Column::Model, odd.model.clone().unwrap()), (Column::Key, long.clone())];
    let filter = Filter { choices: vec![vec![chosen]], ..Filter::default() };
    assert_eq!(reader.list(&filter, page(9)).unwrap().0.len(), 1);
    for name in [&odd.trace_id, odd.attempts[1].request_id.as_ref().unwrap()] {
        assert_eq!(reader.trace(name).unwrap()[0]["model"].as_str(), odd.model.as_deref());
    }
}

/// The plan of a question, as the server tells it.
fn plan(databases: &Databases, name: &str, text: &str) -> String {
    databases.server.sql(name, &format!("SET search_path = ostia; EXPLAIN {text}"))
}

#[test]
fn names_are_looked_up_in_indexes_and_touch_the_days_they_are_of() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms();
    let mut engine = Engine::of(&place);
    for day in 0..40 {
        let all: Vec<Record> = (0..200)
            .map(|number| Record {
                session: Some(format!("session-{}", number % 20)),
                ..record(&format!("{day}-{number}"), now - day * DAY_MS)
            })
            .collect();
        engine.write(&all).unwrap();
    }
    databases.server.sql(&name, "ANALYZE");
    let look_up = plan(
        &databases,
        &name,
        "SELECT DISTINCT started_ms, number FROM names WHERE kind = 0 AND name = ANY('{req-7-7}')",
    );
    assert!(look_up.contains("Index") && !look_up.contains("Seq Scan"), "{look_up}");
    let day = now - 7 * DAY_MS;
    let one = plan(
        &databases,
        &name,
        &format!(
            "SELECT id FROM requests WHERE started_ms >= {0} AND started_ms < {0} + {DAY_MS} \
             AND number = ANY('{{5,6}}'::bigint[])",
            day / DAY_MS * DAY_MS
        ),
    );
    // How, is the server's to say: a small day is read as fast as its index.
    assert_eq!(one.matches(" on requests_").count(), 1, "{one}");
    let failed = plan(
        &databases,
        &name,
        &format!(
            "SELECT id FROM requests WHERE started_ms >= {now} - {DAY_MS} AND started_ms < {now} \
             AND (status >= 400 OR \"end\" = 'broken') AND \"end\" <> 'client_left'"
        ),
    );
    assert!(failed.contains("Index") && !failed.contains("Seq Scan"), "{failed}");
    let documents = format!(
        "SELECT document FROM documents WHERE started_ms = ANY('{{{day}}}'::bigint[]) AND number = ANY('{{5,6}}'::bigint[])"
    );
    let documents = plan(&databases, &name, &documents);
    assert_eq!(documents.matches(" on documents_").count(), 1, "{documents}");
    let bodies = format!(
        "SELECT 1 FROM bodies WHERE started_ms = ANY('{{{now},{day}}}'::bigint[]) AND number = ANY('{{5,6}}'::bigint[])"
    );
    let bodies = plan(&databases, &name, &bodies);
    assert_eq!(bodies.matches(" on bodies_").count(), 2, "{bodies}");
    let mut reader = Reader::of(&place);
    for (trace, id) in [("req-7-7", "7-7"), ("trace-39-0", "39-0"), ("0-0", "0-0")] {
        assert_eq!(reader.trace(trace).unwrap()[0]["id"], id);
    }
    let session = Filter { session: Some("session-3".into()), ..Filter::default() };
    assert_eq!(reader.list(&session, page(500)).unwrap().0.len(), 400);
}

/// Of more feedback than is looked at at once, about traces one of which has more requests than a name is looked up for.
#[test]
fn all_feedback_counts_however_much_there_is() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms() / DAY_MS * DAY_MS;
    let of = |id: &str, model: &str, started_ms: i64| Record {
        model: Some(model.into()),
        trace_id: format!("trace-{model}"),
        ..record(id, started_ms)
    };
    let later = Record { key: Some("other".into()), ..of("later", "quiet", now - DAY_MS) };
    let all = [of("quiet", "quiet", now - 2 * DAY_MS), later, of("busy", "busy", now)];
    Engine::of(&place).write(&all).unwrap();
    let add = format!(
        "INSERT INTO ostia.names SELECT 'trace-busy', 0, {now}, 100 + number FROM generate_series(1, 10000) AS number; \
         INSERT INTO ostia.feedback SELECT 'quiet-' || number, 'trace-quiet', {now} + number / 3, 2, 0.5 \
         FROM generate_series(1, 1200) AS number; \
         INSERT INTO ostia.feedback SELECT 'busy-' || number, 'trace-busy', {now} + number, 1, 1 \
         FROM generate_series(1, 900) AS number"
    );
    databases.server.sql(&name, &add);
    let mut reader = Reader::of(&place);
    let steps = Steps { from_ms: now - DAY_MS, to_ms: now + DAY_MS, step_ms: 4 * DAY_MS };
    let mut check = |filter: Filter, expected: &[(i64, &str, u64, f64)]| {
        let told = reader.feedback(&filter, &steps).unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.value, one.model.as_deref().unwrap_or("none"), one.count, one.weighted))
            .collect();
        assert_eq!(told, expected, "{filter:?}");
    };
    let (busy, quiet) = ((1, "busy", 900, 900.0), (2, "quiet", 1200, 1200.0));
    check(Filter::default(), &[busy, quiet]);
    check(Filter { key: Some("other".into()), ..Filter::default() }, &[quiet]);
    check(Filter { trace: Some("later".into()), ..Filter::default() }, &[quiet]);
    check(Filter { key: Some("team".into()), trace: Some("later".into()), ..Filter::default() }, &[]);
    let mut check = |filter: Filter, expected: &[(&str, Option<(u64, f64)>)]| {
        let (_, groups) = reader.groups(&filter, &GroupBy::Model, (0, 9)).unwrap();
        let told: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.feedback)).collect();
        assert_eq!(told, expected, "{filter:?}");
    };
    check(Filter::default(), &[("quiet", Some((2, 1.0))), ("busy", Some((1, 1.0)))]);
    let today = Filter { from_ms: Some(now), ..Filter::default() };
    check(today, &[("busy", Some((1, 1.0)))]);
}

#[test]
fn days_are_made_ahead_and_dropped_as_a_whole() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms();
    let mut engine = Engine::of(&place);
    let all: Vec<Record> = (0..60).map(|day| record(&day.to_string(), now - day * DAY_MS)).collect();
    engine.write(&all).unwrap();
    let count = |table: &str| -> i64 {
        let text = format!("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ostia.{table}'::regclass");
        databases.server.sql(&name, &text).parse().unwrap()
    };
    let kept = |requests: i64, bodies: i64| {
        assert_eq!((count("requests"), count("bodies")), (requests, bodies));
    };
    kept(60, 60);
    let mut drain = |retention: &Retention| while engine.retain(retention, now).unwrap() {};
    drain(&Retention::default());
    // And tomorrow. The day that began seven days ago is not over its time yet.
    kept(61, 9);
    let days = |days: u32| Duration::from_secs(86_400) * days;
    drain(&Retention { records: days(20), ..Retention::default() });
    kept(22, 9);
    drain(&Retention { body_bytes: 1, ..Retention::default() });
    // The day under way stays.
    kept(22, 2);
    drain(&Retention { record_bytes: 1, ..Retention::default() });
    kept(2, 2);
    assert!(count("names") <= 2);
    let rest = Reader::of(&place).list(&Filter::default(), page(9)).unwrap().0;
    assert_eq!((rest.len(), &rest[0]["id"]), (1, &"0".into()));
}

/// How long a full batch takes: `cargo test -p ostia-store -- --ignored --nocapture full_batches`.
#[test]
#[ignore = "measures"]
fn full_batches() {
    const BATCHES: i64 = 40;
    const RECORDS: i64 = 512;
    let Some(databases) = Databases::start() else { return };
    let (place, _) = databases.place();
    let now = now_ms();
    let mut engine = Engine::of(&place);
    engine.open().unwrap();
    let batch = |batch: i64| -> Vec<Record> {
        (0..RECORDS).map(|number| record(&format!("{batch}-{number}"), now - batch * 1000 - number)).collect()
    };
    let batches: Vec<_> = (0..BATCHES).map(batch).collect();
    let began = std::time::Instant::now();
    batches.iter().for_each(|batch| engine.write(batch).unwrap());
    let took = began.elapsed();
    eprintln!("{BATCHES} batches of {RECORDS} in {took:?}, {:?} each", took / BATCHES as u32);
    assert_eq!(sums_of(&place).requests, (BATCHES * RECORDS) as u64);
}

/// What is told when this place is tried: whether all of it works, and these words.
#[track_caller]
fn tried(place: &Place, works: bool, words: &[&str]) {
    let found = place.examine();
    let told: Vec<String> = found
        .iter()
        .map(|one| format!("{} -> {}", one.found, one.next.clone().unwrap_or_default()))
        .collect();
    let told = told.join("\n");
    assert_eq!(found.iter().all(|one| one.next.is_none()), works, "{told}");
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {told}");
    assert!(!told.contains(PASSWORD) && !told.contains("s3cret"), "{told}");
}

#[test]
fn a_server_is_tried_and_left_as_it_is() {
    let Some(mut databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    tried(&place, true, &["PostgreSQL 1", "not encrypted", "no tables yet; the gateway makes them"]);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'ostia'";
    assert_eq!(databases.server.sql(&name, schemas), "0");
    Engine::of(&place).open().unwrap();
    tried(&place, true, &["the newest"]);
    databases.server.sql(&name, "UPDATE ostia.version SET version = 1");
    tried(&place, true, &["version 1, brought to"]);
    databases.server.sql(&name, "UPDATE ostia.version SET version = 99");
    tried(&place, false, &["newer gateway; this one knows", "-> renew this gateway"]);
    assert_eq!(databases.server.sql(&name, "SELECT version FROM ostia.version"), "99");

    let place_of = |server: Server| Place::Postgres(Arc::new(server));
    let wrong = place_of(databases.shown(&name, "s3cret"));
    tried(&wrong, false, &["password authentication failed", "-> look at the password of `ostia`"]);
    let nothing = place_of(databases.shown("nothing", PASSWORD));
    tried(&nothing, false, &["does not exist", "-> CREATE DATABASE nothing OWNER ostia"]);
    let closed = place_of(Server { port: 1, ..databases.shown(&name, PASSWORD) });
    tried(&closed, false, &["no connection", "-> see that PostgreSQL listens at 127.0.0.1:1"]);
    let nobody = place_of(Server { user: "nobody".to_owned(), ..databases.shown(&name, PASSWORD) });
    tried(&nobody, false, &["nobody"]);

    let (_, other) = databases.place();
    databases.server.sql(&other, &format!("CREATE ROLE reads LOGIN PASSWORD '{PASSWORD}'"));
    let reads = |name: &str| place_of(Server { user: "reads".to_owned(), ..databases.shown(name, PASSWORD) });
    tried(&reads(&other), false, &["`reads` may not make any", "-> as its owner: GRANT CREATE ON DATABASE"]);
    Engine::of(&place_of(databases.shown(&other, PASSWORD))).open().unwrap();
    databases
        .server
        .sql(&other, "GRANT USAGE ON SCHEMA ostia TO reads; GRANT SELECT ON ostia.version TO reads");
    tried(&reads(&other), false, &["the newest, but `reads` may not write"]);
    databases.server.sql(&other, "GRANT ostia TO reads");
    tried(&reads(&other), true, &["the newest"]);
    databases.server.sql(&other, "ALTER ROLE reads SET default_transaction_read_only = on");
    tried(&reads(&other), false, &["nothing can be written there", "-> name the primary"]);
    databases.server.crash();
    tried(&place, false, &["no connection"]);
}

/// Documents of before there was a table for them are told, searched and given new prices where they stand.
#[test]
fn documents_of_an_older_store_stay_where_they_are() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms();
    let mut engine = Engine::of(&place);
    let of = |id: &str| Record {
        request: Kept::Bytes { bytes: id.as_bytes().to_vec(), total: id.len() as u64 },
        ..record(id, now)
    };
    engine.write(&[of("old")]).unwrap();
    databases.server.sql(
        &name,
        "UPDATE ostia.requests SET document = (SELECT document FROM ostia.documents); DROP TABLE ostia.documents; \
         DROP TABLE ostia.totals; DROP TABLE ostia.packed_columns; DROP TABLE ostia.packed; DROP FUNCTION ostia.requests_taken CASCADE; \
         ALTER TABLE ostia.days DROP packed_before, DROP packed; DROP INDEX ostia.requests_failed; ALTER TABLE ostia.requests ALTER document SET NOT NULL; UPDATE ostia.version SET version = 2",
    );
    drop(engine);
    let mut engine = Engine::of(&place);
    engine.open().unwrap();
    engine
        .write(&[of("new"), Record { id: "late".to_owned(), ..record("late", now - 50 * DAY_MS) }])
        .unwrap();
    let mut reader = Reader::of(&place);
    let mut told: Vec<String> =
        reader.list(&Filter::default(), page(9)).unwrap().0.iter().map(|row| row["id"].to_string()).collect();
    told.sort();
    assert_eq!(told, ["\"late\"", "\"new\"", "\"old\""]);
    assert_eq!(reader.search(&Filter::default(), "OLD", page(9)).unwrap().data[0]["id"], "old");
    let progress = engine.reprice(0, &crate::tests::at(Some(7.0)), &mut |_| {}).unwrap();
    assert_eq!((progress.seen, progress.changed), (3, 3));
    for id in ["old", "new", "late"] {
        let told = reader.one(id).unwrap().unwrap();
        assert!(told["attempts"][1]["cost"]["priced_as"] == "operator", "{told}");
    }
    let apart = "SELECT count(*) FILTER (WHERE document IS NOT NULL) FROM ostia.requests; SELECT count(*) FROM ostia.documents";
    assert_eq!(databases.server.sql(&name, apart), "1\n2");
    let few = Retention { records: Duration::from_secs(86_400), ..Retention::default() };
    while engine.retain(&few, now + 9 * DAY_MS).unwrap() {}
    assert_eq!(databases.server.sql(&name, "SELECT count(*) FROM ostia.documents"), "0");
}

/// Of each kind some steps' worth, sent twice.
#[test]
fn spans_of_applications_are_bounded_by_size_too() {
    let Some(databases) = Databases::start() else { return };
    let (place, name) = databases.place();
    let now = now_ms();
    let mut engine = Engine::of(&place);
    let span = |number: usize| Span {
        trace_id: format!("trace-{number}"),
        span_id: "1".to_owned(),
        name: "n".repeat(100),
        ..Span::default()
    };
    let log = |number: usize| AppLog {
        trace_id: format!("trace-{number}"),
        body: "l".repeat(100).into(),
        ..AppLog::default()
    };
    for first in [0, 0, 1000, 2000] {
        let numbers = first..first + 1000;
        let logs = numbers.clone().filter(|_| first > 0).map(log).collect();
        engine.join(&Joined { spans: numbers.map(span).collect(), logs }, now + first as i64).unwrap();
    }
    let told = |text: &str| databases.server.sql(&name, text).parse::<u64>().unwrap();
    let all = "SELECT sum(octet_length(document)) FROM \
               (SELECT document FROM ostia.spans UNION ALL SELECT document FROM ostia.span_logs) AS kept";
    let bytes = || {
        let total = told("SELECT bytes FROM ostia.totals WHERE name = 'spans'");
        assert_eq!(total, told(all), "the total is that of the rows");
        total
    };
    let before = bytes();
    assert_eq!(
        (told("SELECT count(*) FROM ostia.spans"), told("SELECT count(*) FROM ostia.span_logs")),
        (3000, 2000)
    );
    while engine.retain(&Retention { body_bytes: before, ..Retention::default() }, now).unwrap() {}
    assert_eq!(bytes(), before);
    while engine.retain(&Retention { body_bytes: before / 2, ..Retention::default() }, now).unwrap() {}
    let after = bytes();
    assert!(after <= before / 2 && after > before / 4, "{after} of {before}");
    // The newest stay.
    assert_eq!(Reader::of(&place).joined("trace-2999").unwrap().spans.len(), 1);
    assert_eq!(Reader::of(&place).joined("trace-0").unwrap().spans.len(), 0);
    let week = Duration::from_secs(8 * 86_400).as_millis() as i64;
    while engine.retain(&Retention::default(), now + week).unwrap() {}
    assert_eq!(told("SELECT bytes FROM ostia.totals WHERE name = 'spans'"), 0);
}
