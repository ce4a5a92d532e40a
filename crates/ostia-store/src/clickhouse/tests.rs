//! ClickHouse's own engine (chdb) behind its HTTP interface, beside SQLite: both are told the same, and have to answer the same.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ostia_catalog::Catalog;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{ClickHouse, Http, HttpAnswer, HttpCall};
use crate::answers::{Fact, GroupBy, ReadError};
use crate::body::{Kept, Missing};
use crate::engine::{Engine, Place};
use crate::feedback::{Feedback, FeedbackChange};
use crate::price::{Priced, Prices};
use crate::query::{Column, Filter, Page, PageSize};
use crate::reader::Reader;
use crate::record::{Attempt, Cost, Outcome, Record, Usage};
use crate::record_error::RecordError;
use crate::retention::Retention;
use crate::steps::Steps;
use crate::summary::{Grouping, Sums};
use crate::tests::cases::CASES;
use crate::write_error::WriteError;

/// Names the Python of `cargo xtask clients`.
const PYTHON: &str = "OSTIA_TEST_PYTHON";
const PASSWORD: &str = "secret 'with' \"quotes\"";
const NOW_MS: i64 = 1_795_939_200_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A server that runs. It is killed when it is dropped.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    _folder: Option<TempDir>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// A server without tables, if this machine has one.
    fn start() -> Option<Served> {
        Served::losing(0)
    }

    /// One that loses every so manieth answer to what is written.
    fn losing(every: u32) -> Option<Served> {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let mut served = Served::over(&data, every)?;
        served._folder = Some(folder);
        Some(served)
    }

    /// One whose data stays in this folder, and is there still if it was started there before.
    pub(crate) fn start_in(folder: &Path) -> Option<Served> {
        Served::over(folder, 0)
    }

    fn over(data: &Path, losing_every: u32) -> Option<Served> {
        let Some(python) = std::env::var_os(PYTHON) else {
            let words = format!(
                "{PYTHON} names no Python that has chdb. By hand: export {PYTHON}=$(cargo xtask clients)\n"
            );
            assert!(std::env::var_os("CI").is_none(), "{words}");
            // Past the test runner, which keeps what a good test prints to itself.
            let _ = std::io::stderr().write_all(format!("SKIPPED: {words}").as_bytes());
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ostia/tests/servers/clickhouse.py");
        let mut command = Command::new(python);
        command.arg(script).arg(data).stdout(Stdio::piped());
        command.env("CLICKHOUSE_PASSWORD", PASSWORD).env("LOSE_EVERY", losing_every.to_string());
        let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listens on ").unwrap().parse().unwrap();
        Some(Served { child, address, _folder: None })
    }

    pub(crate) fn place(&self) -> Place {
        Place::ClickHouse(self.server())
    }

    /// A database of this name in which nothing is yet.
    fn database(&self, name: &str) -> Place {
        self.server().command(&format!("CREATE DATABASE {name}")).unwrap();
        Place::ClickHouse(ClickHouse { database: name.to_owned(), ..self.server() })
    }

    fn server(&self) -> ClickHouse {
        ClickHouse {
            http: Arc::new(Direct(self.address)),
            user: "ostia".into(),
            password: Some(PASSWORD.into()).into(),
            database: "ostia".into(),
            told: format!("clickhouse://{}/ostia", self.address),
        }
    }
}

/// A connection for each call.
struct Direct(SocketAddr);

impl Http for Direct {
    fn call(&self, call: HttpCall) -> Result<HttpAnswer, String> {
        self.answer(call).map_err(|error| error.to_string())
    }
}

impl Direct {
    fn answer(&self, call: HttpCall) -> std::io::Result<HttpAnswer> {
        let mut stream = TcpStream::connect(self.0)?;
        stream.set_read_timeout(Some(call.within))?;
        let mut head = format!("POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", call.target);
        for (name, value) in &call.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", call.body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(&call.body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let broken = || std::io::Error::other("it closed the connection without an answer");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
        let status = std::str::from_utf8(&answer[9..12]).ok().and_then(|status| status.parse().ok());
        Ok(HttpAnswer { status: status.ok_or_else(broken)?, body: answer.split_off(end + 4) })
    }
}

/// A number that looks like chance and is the same every time (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One of these by chance.
fn one_of<T: Clone>(chance: u64, all: &[T]) -> T {
    all[(chance % all.len() as u64) as usize].clone()
}

fn attempt(chance: u64, is_last: bool) -> Attempt {
    let outcomes = [Outcome::Answered, Outcome::Broken, Outcome::Failed, Outcome::Abandoned];
    let outcome = if is_last { one_of(chance, &outcomes) } else { one_of(chance, &outcomes[2..]) };
    let usage = Usage {
        prompt_tokens: chance % 5000,
        completion_tokens: chance / 3 % 900,
        cached_tokens: chance / 5 % 100,
        reasoning_tokens: chance / 7 % 50,
        ..Usage::default()
    };
    let amounts = ["0.000123", "1.5", "0.000000000000000001", "0", "12345678.9"];
    let cost = Cost {
        amount: one_of(chance / 11, &amounts).into(),
        currency: one_of(chance / 13, &["USD", "USD", "CNY"]).into(),
        ..Cost::default()
    };
    let is_priced = !chance.is_multiple_of(4);
    Attempt {
        target: format!("config.targets[{}]", chance % 2),
        provider: one_of(chance / 17, &["openai", "groq", "it's"]).into(),
        model: one_of(chance / 19, &[Some("m-1"), Some("m-2"), None]).map(str::to_owned),
        outcome,
        request_id: chance.is_multiple_of(3).then(|| format!("req-{}", chance % 300)),
        usage: (!chance.is_multiple_of(5)).then_some(usage),
        cost: is_priced.then_some(cost),
        cost_unknown: (!is_priced && chance.is_multiple_of(8)).then(|| "nobody knows".to_owned()),
        error: (outcome == Outcome::Failed)
            .then(|| RecordError { class: "server".into(), ..RecordError::default() }),
        ..Attempt::default()
    }
}

/// Requests of some twenty days, of all kinds. Several have the same time.
fn records() -> Vec<Record> {
    (0..400)
        .map(|number: u64| {
            let chance = mixed(number);
            let body = |seed: u64| match seed % 4 {
                0 => Kept::Missing(one_of(seed / 4, &[Missing::None, Missing::Off, Missing::QueueFull])),
                1 => {
                    Kept::Bytes { bytes: vec![0xff, 0, b'W', b'h', b'a', b'l', b'e', b'\t', 0xfe], total: 9 }
                }
                2 => Kept::Bytes { bytes: format!("data: needle-{number}\n\n").into_bytes(), total: 99 },
                _ => Kept::Bytes {
                    bytes: json!({"text": format!("a \"whale\"\n{number}")}).to_string().into_bytes(),
                    total: 30,
                },
            };
            let attempts = chance / 23 % 4;
            Record {
                id: format!("id-{number}"),
                trace_id: format!("trace-{}", chance % 120),
                session: (!chance.is_multiple_of(3)).then(|| format!("session '{}'\\", chance / 29 % 40)),
                started_ms: NOW_MS - (number / 3 * 3 * 71) as i64 * MINUTE_MS - (number % 2) as i64,
                method: "POST".into(),
                operation: one_of(chance / 31, &[Some("openai_chat"), None]).map(str::to_owned),
                key: one_of(chance / 37, &[Some("red"), Some("blue\tkey"), None]).map(str::to_owned),
                metadata: one_of(
                    chance / 41,
                    &[
                        vec![],
                        vec![("_user", "u-1")],
                        vec![("_user", "u'2\\"), ("team", "")],
                        vec![("te\"am", "x\ny")],
                    ],
                )
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
                model: one_of(chance / 43, &[Some("m-1"), Some("m-3"), None]).map(str::to_owned),
                status: one_of(chance / 47, &[200, 200, 404, 499, 503, 0]),
                end: one_of(chance / 53, &["whole", "whole", "broken", "client_left"]).into(),
                duration_us: chance / 59 % 9_000_000,
                first_token_us: chance.is_multiple_of(2).then_some(chance / 61 % 2_000_000),
                attempts: (0..attempts)
                    .map(|place| attempt(mixed(chance + place), place + 1 == attempts))
                    .collect(),
                request: body(chance / 67),
                response: body(chance / 71),
                ..Record::default()
            }
        })
        .collect()
}

fn feedback() -> Vec<Feedback> {
    (0..60)
        .map(|number: u64| {
            let chance = mixed(1000 + number);
            Feedback {
                id: format!("feedback-{number}"),
                // Some are of traces that nobody knows.
                trace_id: format!("trace-{}", chance % 150),
                created_ms: NOW_MS - (number * 200 * MINUTE_MS as u64) as i64,
                value: (chance % 21) as i64 - 10,
                weight: one_of(chance, &[1.0, 0.5, 0.25]),
                metadata: chance.is_multiple_of(2).then(|| json!({"text": "it's\n\"good\""})),
                key: None,
            }
        })
        .collect()
}

fn filters() -> Vec<Filter> {
    let some = |text: &str| Some(text.to_owned());
    let all = Filter::default;
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let mut filters = vec![
        all(),
        Filter { from_ms: Some(NOW_MS - 5 * DAY_MS), to_ms: Some(NOW_MS - DAY_MS), ..all() },
        Filter { provider: some("it's"), ..all() },
        Filter { provider: some("nobody"), ..all() },
        Filter { model: some("m-1"), key: some("blue\tkey"), ..all() },
        Filter { operation: some("openai_chat"), ..all() },
        Filter { session: some("session '7'\\"), ..all() },
        Filter { cost_nano: (Some(1), Some(1_500_000_000)), ..all() },
        Filter { duration_ms: (Some(1000), Some(5000)), ..all() },
        Filter { tokens: (Some(3000), None), ..all() },
        Filter { prompt_tokens: (None, Some(2000)), completion_tokens: (Some(100), None), ..all() },
        Filter { metadata: pair("_user", "u'2\\"), ..all() },
        Filter { metadata: pair("te\"am", "x\ny"), ..all() },
        Filter { metadata: pair("team", ""), ..all() },
        Filter { metadata: pair("none", ""), ..all() },
        Filter { feedback: (Some(-2.5), Some(4.0)), ..all() },
        Filter { feedback: (None, Some(0.0)), status: some("error"), ..all() },
        Filter {
            choices: vec![vec![
                vec![(Column::Status, "404".into())],
                vec![(Column::Provider, "groq".into()), (Column::Model, "m-1".into())],
            ]],
            ..all()
        },
        Filter {
            choices: vec![vec![vec![(Column::Status, "none".into())], vec![(Column::Key, "red".into())]]],
            ..all()
        },
    ];
    filters.extend(
        ["success", "error", "client_left", "4xx", "404", "600"]
            .map(|status| Filter { status: some(status), ..all() }),
    );
    filters.extend(
        ["trace-7", "id-9", "req-3", "req-6", "none"].map(|trace| Filter { trace: some(trace), ..all() }),
    );
    filters
}

/// All pages of a list.
fn walked(
    mut read: impl FnMut(Page) -> Result<(Vec<Value>, Option<String>), ReadError>,
    size: u32,
) -> Vec<Value> {
    let (mut all, mut page) = (Vec::new(), Page { after: None, size: PageSize::new(size).unwrap() });
    loop {
        let (rows, next) = read(page).unwrap();
        assert!(rows.len() <= size as usize && (next.is_none() || rows.len() == size as usize), "{next:?}");
        all.extend(rows);
        let Some(next) = next else { return all };
        page.after = Page::cursor(&next);
    }
}

/// What is asked about requests, and its answer.
struct Asked<'a> {
    reader: &'a mut Reader,
    filter: &'a Filter,
    told: Vec<(String, String)>,
}

impl Asked<'_> {
    fn tell(&mut self, name: impl Into<String>, answer: impl Into<String>) {
        self.told.push((name.into(), answer.into()));
    }

    /// One question of each kind.
    fn some(&mut self) {
        let (reader, filter) = (&mut *self.reader, self.filter);
        let list = walked(|page| reader.list(filter, page), 400);
        let ids: Vec<_> = list.iter().map(|row| row["id"].to_string()).collect();
        self.tell("list", ids.join(" "));
        self.sums(Grouping::Provider);
        self.tally(Fact::User);
        self.groups(&GroupBy::Metadata("_user".to_owned()), (0, 2));
        self.thought();
    }

    /// All of them.
    fn all(&mut self) {
        let (reader, filter) = (&mut *self.reader, self.filter);
        let list = json!(walked(|page| reader.list(filter, page), 150)).to_string();
        let bodies = json!(walked(|page| reader.list_with_bodies(filter, page), 250)).to_string();
        let (newer, _) = reader.newer(filter, 0, 1000).unwrap();
        let sessions = |page: Page| {
            let (sessions, next) = reader.sessions(filter, page)?;
            Ok((sessions.into_iter().map(|session| json!(format!("{session:?}"))).collect(), next))
        };
        let sessions = json!(walked(sessions, 15)).to_string();
        self.tell("list", list);
        self.tell("bodies", bodies);
        self.tell("newer", json!(newer).to_string());
        self.tell("sessions", sessions);
        for by in [Grouping::None, Grouping::Provider, Grouping::Model, Grouping::Key] {
            self.sums(by);
            self.series(by, 25);
        }
        for fact in [Fact::User, Fact::Failure, Fact::Retries, Fact::Fallback] {
            self.tally(fact);
        }
        let named = |name: &str| GroupBy::Metadata(name.to_owned());
        for by in [GroupBy::Provider, GroupBy::Model, named("te\"am"), named("none")] {
            self.groups(&by, (1, 50));
        }
    }

    fn sums(&mut self, by: Grouping) {
        let sums = self.reader.sums(self.filter, by, NOW_MS).unwrap();
        self.tell(format!("sums {by:?}"), format!("{sums:?}"));
    }

    fn series(&mut self, by: Grouping, days: i64) {
        let steps = Steps::of(NOW_MS - days * DAY_MS, NOW_MS + 1, None, NOW_MS).unwrap();
        let mut series = self.reader.series(self.filter, by, &steps).unwrap();
        let mut others: Vec<String> = std::mem::take(&mut series.others).into_iter().collect();
        others.sort();
        self.tell(format!("series {by:?} {days}"), format!("{others:?} {series:?}"));
    }

    fn tally(&mut self, fact: Fact) {
        let mut tally = self.reader.tally(self.filter, &steps(), fact).unwrap();
        tally.sort_by(|one, other| (one.start_ms, &one.name).cmp(&(other.start_ms, &other.name)));
        self.tell(format!("tally {fact:?}"), format!("{tally:?}"));
    }

    fn groups(&mut self, by: &GroupBy, page: (u32, u32)) {
        let (count, groups) = self.reader.groups(self.filter, by, page).unwrap();
        self.tell(format!("groups {by:?}"), format!("{count} {}", rounded(&groups)));
    }

    fn thought(&mut self) {
        let mut thought = self.reader.feedback(self.filter, &steps()).unwrap();
        thought.sort_by(|one, other| {
            (one.start_ms, one.value, &one.model).cmp(&(other.start_ms, other.value, &other.model))
        });
        self.tell("feedback", rounded(&thought));
    }
}

/// All days.
fn steps() -> Steps {
    Steps::of(NOW_MS - 25 * DAY_MS, NOW_MS + 1, None, NOW_MS).unwrap()
}

/// Averages may differ in their last digit.
fn rounded(all: &impl std::fmt::Debug) -> String {
    let text = format!("{all:?}");
    let word = |word: &str| match word.trim_end_matches([',', '}', ']', ')', ' ']).parse::<f64>() {
        Ok(number) if word.contains('.') => format!("{number:.6}"),
        Ok(_) | Err(_) => word.to_owned(),
    };
    text.split_inclusive([' ', '(']).map(word).collect()
}

/// Both are told the same, and have to answer the same.
struct Both {
    engines: [Engine; 2],
    readers: [Reader; 2],
    _folder: TempDir,
    _served: Served,
}

impl Both {
    fn start() -> Option<Both> {
        let served = Served::start()?;
        let folder = TempDir::new().unwrap();
        let places = [Place::File(folder.path().join("records.db")), served.place()];
        Some(Both {
            engines: places.each_ref().map(Engine::of),
            readers: places.each_ref().map(Reader::of),
            _folder: folder,
            _served: served,
        })
    }

    fn each(&mut self, work: impl FnMut(&mut Engine)) {
        self.engines.iter_mut().for_each(work);
    }

    #[track_caller]
    fn agree(&mut self, filter: &Filter, ask: impl Fn(&mut Asked<'_>)) {
        let [sqlite, clickhouse] = self.readers.each_mut().map(|reader| {
            let mut asked = Asked { reader, filter, told: Vec::new() };
            ask(&mut asked);
            asked.told
        });
        for ((name, expected), (_, told)) in sqlite.into_iter().zip(clickhouse) {
            assert!(expected == told, "{name} of {filter:?}\nSQLite:     {expected}\nClickHouse: {told}");
        }
    }
}

#[test]
fn an_answer_that_is_late_is_none() {
    let Some(served) = Served::start() else { return };
    let place = served.place();
    Engine::of(&place).open().unwrap();
    let mut reader = Reader::of(&place);
    assert_eq!(
        reader
            .list(&Filter::default(), Page { after: None, size: PageSize::new(9).unwrap() })
            .unwrap()
            .0
            .len(),
        0
    );
    reader.set_due(Some(std::time::Instant::now()));
    assert_eq!(reader.sums(&Filter::default(), Grouping::None, NOW_MS), Err(ReadError::TooSlow));
    reader.set_due(None);
    assert!(reader.sums(&Filter::default(), Grouping::None, NOW_MS).is_ok());
}

#[test]
fn every_question_has_the_answer_that_sqlite_gives() {
    let Some(mut both) = Both::start() else { return };
    let (records, feedback) = (records(), feedback());
    both.each(|engine| {
        engine.write(&records[..250]).unwrap();
        engine.write(&records[250..]).unwrap();
        engine.keep_feedback(&feedback).unwrap().unwrap();
        let change = FeedbackChange { value: Some(10), weight: Some(0.75), metadata: None };
        engine.change_feedback("feedback-3", None, &change).unwrap().unwrap();
        assert!(engine.change_feedback("none", None, &change).unwrap().is_err());
        assert!(engine.change_feedback("feedback-4", Some("red"), &change).unwrap().is_err());
    });
    let filters = filters();
    filters.iter().for_each(|filter| both.agree(filter, |asked| asked.some()));
    [&filters[0], &filters[8]].iter().for_each(|filter| both.agree(filter, |asked| asked.all()));
    for record in records.iter().step_by(37) {
        let told = both.readers.each_mut().map(|reader| reader.one(&record.id).unwrap());
        assert_eq!(told[0], told[1]);
        let traces = both.readers.each_mut().map(|reader| reader.trace(&record.trace_id).unwrap());
        assert_eq!(traces[0], traces[1]);
    }
    for text in ["whale", "\"Whale\"", "NEEDLE-4", "needle-41\n", "e\t", "it's", "none"] {
        let found = both.readers.each_mut().map(|reader| {
            let page = Page { after: None, size: PageSize::new(30).unwrap() };
            let found = reader.search_for(&Filter::default(), text, page, Duration::from_secs(60)).unwrap();
            (found.data, found.looked_at, found.next.is_some())
        });
        assert_eq!(found[0], found[1], "{text}");
    }
}

#[test]
fn what_holds_for_all_engines() {
    let Some(served) = Served::start() else { return };
    for (number, (name, case)) in CASES.iter().enumerate() {
        eprintln!("{name}");
        case(&served.database(&format!("case_{number}")));
    }
}

#[test]
fn what_is_written_twice_is_one() {
    let Some(mut both) = Both::start() else { return };
    let records = records();
    both.each(|engine| {
        engine.write(&[&records[..], &records[..5]].concat()).unwrap();
        // The answer was lost.
        engine.write(&records).unwrap();
    });
    both.agree(&Filter::default(), |asked| asked.all());
    both.each(|engine| engine.write(&records[100..150]).unwrap());
    both.agree(&Filter::default(), |asked| asked.some());
}

#[test]
fn new_prices_on_old_records() {
    let Some(mut both) = Both::start() else { return };
    let records = records();
    let catalog = Arc::new(Catalog::embedded());
    let prices = Prices {
        pricing: Box::new(|_, model| match model {
            "m-1" => Priced::ByOperator { input: 2.0, output: 3.0 },
            _ => Priced::ByCatalogue,
        }),
        trusts_cache: Box::new(|_| true),
        catalog: Box::new(move || catalog.clone()),
    };
    both.each(|engine| engine.write(&records).unwrap());
    let mut told = Vec::new();
    for from_ms in [NOW_MS - 3 * DAY_MS, 0, 0] {
        let mut progress = Vec::new();
        both.each(|engine| progress.push(engine.reprice(from_ms, &prices, &mut |_| {}).unwrap()));
        assert_eq!(progress[0], progress[1]);
        told.push(progress[0]);
    }
    assert!(told[0].changed > 0 && told[1].changed > 0 && told[2].changed == 0, "{told:?}");
    filters()[..9].iter().for_each(|filter| both.agree(filter, |asked| asked.some()));
}

#[test]
fn old_days_go_one_by_one() {
    let Some(mut both) = Both::start() else { return };
    let records = records();
    both.each(|engine| engine.write(&records).unwrap());
    let engine = &mut both.engines[1];
    // Bodies are kept for seven days, and the days are whole.
    let mut steps = 0;
    while engine.retain(&Retention::default(), NOW_MS).unwrap() {
        steps += 1;
    }
    let first_ms = records.iter().map(|record| record.started_ms).min().unwrap();
    assert_eq!(steps, NOW_MS / DAY_MS - 7 - first_ms / DAY_MS);
    let reader = &mut both.readers[1];
    let all = walked(|page| reader.list(&Filter::default(), page), 500);
    assert_eq!(all.len(), records.len());
    let of = |record: &Record| all.iter().find(|told| told["id"] == record.id).unwrap()["request"].clone();
    for record in &records {
        let is_old = record.started_ms < (NOW_MS / DAY_MS - 7) * DAY_MS;
        match &record.request {
            Kept::Missing(missing) => assert_eq!(of(record), json!({"missing": missing.as_str()})),
            Kept::Bytes { .. } if is_old => assert_eq!(of(record), json!({"missing": "aged_out"})),
            Kept::Bytes { .. } => assert!(of(record)["cut"].is_boolean()),
        }
    }
    // Too much of it: all but the last day.
    let small = Retention { record_bytes: 1, ..Retention::default() };
    while engine.retain(&small, NOW_MS).unwrap() {}
    let left = walked(|page| reader.list(&Filter::default(), page), 500);
    let last_day = records.iter().filter(|record| record.started_ms / DAY_MS == NOW_MS / DAY_MS).count();
    assert_eq!(left.len(), last_day);
    // What is old goes, whatever it is.
    let short = Retention { records: Duration::from_secs(1), ..Retention::default() };
    while engine.retain(&short, NOW_MS + 40 * DAY_MS).unwrap() {}
    assert_eq!(
        reader.list(&Filter::default(), Page { after: None, size: PageSize::DEFAULT }).unwrap().0.len(),
        0
    );
}

#[test]
fn lost_answers_lose_and_double_nothing() {
    let Some(served) = Served::losing(3) else { return };
    let records = records();
    let mut engine = Engine::of(&served.place());
    let mut lost = 0;
    for batch in records.chunks(20) {
        while let Err(error) = engine.write(batch) {
            assert!(matches!(error, WriteError::Unavailable(_)), "{error:?}");
            lost += 1;
            assert!(lost < 100, "{error:?}");
        }
    }
    assert!(lost > 10, "{lost}");
    let mut expected = Sums::default();
    let folder = TempDir::new().unwrap();
    let file = Place::File(folder.path().join("records.db"));
    Engine::of(&file).write(&records).unwrap();
    let told =
        |place: &Place| Reader::of(place).sums(&Filter::default(), Grouping::Provider, NOW_MS).unwrap().1;
    let (sqlite, clickhouse) = (told(&file), told(&served.place()));
    assert_eq!(sqlite, clickhouse);
    sqlite.iter().for_each(|group| expected.plus(&group.sums));
    assert_eq!(expected.requests, records.len() as u64);
}

#[test]
fn two_that_start_at_once_and_one_of_a_newer_version() {
    let Some(served) = Served::start() else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Engine::of(&served.place()).open().unwrap());
        }
    });
    served.server().command("INSERT INTO ostia_versions VALUES (99)").unwrap();
    let told = Engine::of(&served.place()).open().unwrap_err().to_string();
    assert!(told.contains("newer version") && told.contains("99"), "{told}");
}

#[test]
fn what_is_wrong_is_said() {
    let Some(served) = Served::start() else { return };
    let check = |server: ClickHouse, words: &str| {
        let told = Engine::of(&Place::ClickHouse(server)).open().unwrap_err();
        assert!(matches!(&told, WriteError::Unavailable(why) if why.contains(words)), "{told:?}");
        assert!(!format!("{told:?}").contains("secret"), "{told:?}");
    };
    let right = || served.server();
    check(ClickHouse { password: Some("secret".into()).into(), ..right() }, "Authentication failed");
    check(ClickHouse { database: "other".into(), ..right() }, "other");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(ClickHouse { http: Arc::new(Direct(closed)), ..right() }, "refused");
    assert!(
        matches!(Reader::of(&served.place()).one("x"), Err(ReadError::Unreadable(why)) if why.contains("Unknown table"))
    );
    assert!(!format!("{:?}", right()).contains("secret"));
}

/// What is told when this server is tried: whether all of it works, and these words.
#[track_caller]
fn tried(server: ClickHouse, works: bool, words: &[&str]) {
    let found = Place::ClickHouse(server).examine();
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
    let Some(served) = Served::start() else { return };
    let server = || served.server();
    tried(server(), true, &["ClickHouse 2", "no tables yet", "`ostia` may make the tables"]);
    let tables = "SELECT count() FROM system.tables WHERE database = 'ostia'";
    let none = super::server::Parameters::default();
    assert_eq!(server().number(tables, &none), Ok(0));
    let Place::ClickHouse(own) = served.place() else { unreachable!() };
    Engine::of(&served.place()).open().unwrap();
    tried(own, true, &["the newest"]);
    server().command("INSERT INTO ostia_versions SELECT 99").unwrap();
    tried(server(), false, &["newer gateway", "-> renew this gateway"]);
    tried(
        ClickHouse { password: Some("s3cret".into()).into(), ..server() },
        false,
        &["Authentication failed", "-> look at `ostia` and its password"],
    );
    tried(
        ClickHouse { database: "nothing".into(), ..server() },
        false,
        &["nothing", "-> CREATE DATABASE nothing"],
    );
    let nobody = Arc::new(Direct(SocketAddr::from(([127, 0, 0, 1], 1))));
    tried(
        ClickHouse { http: nobody, ..server() },
        false,
        &["refused", "-> see that ClickHouse's HTTP interface"],
    );
}
