//! What holds whatever the engine: each case gets a place where nothing is kept yet.

use std::cell::Cell;

use super::*;
use crate::answers::{CacheUse, Fact, GroupBy, Session};
use crate::feedback::{Feedback, FeedbackChange, NotTheirs};
use crate::results::{Actor, CacheResult, CacheStatus, CheckResult, GuardrailPhase, GuardrailResult};
use crate::spans::{AppLog, Joined, Span};
use crate::sqlite::{database, packed};

/// What holds, as its test.
type Case = fn(&Place);

/// All of them, by name.
pub(crate) const CASES: [(&str, Case); 17] = [
    ("what is written is read", what_is_written_is_read),
    ("what is written again is not two", what_is_written_again_is_not_two),
    ("filters", filters),
    ("long metadata", long_metadata),
    ("pages", pages),
    ("news", news),
    ("sessions", sessions),
    ("texts in bodies", texts_in_bodies),
    ("new prices", new_prices),
    ("results of caches and guardrails", results),
    ("sums", sums),
    ("series", series),
    ("tallies", tallies),
    ("feedback", feedback),
    ("prompt caches", prompt_caches),
    ("spans of applications", spans),
    ("retention", retention),
];

thread_local! {
    /// Is what is written packed at once, as far as it can be?
    static IS_PACKED: Cell<bool> = const { Cell::new(false) };
}

/// So many requests are packed together here.
const TOGETHER: i64 = 3;

/// Runs this over engines that pack what is written, as far as they pack at all.
pub(crate) fn packed(run: impl FnOnce()) {
    IS_PACKED.set(true);
    run();
    IS_PACKED.set(false);
}

fn write(place: &Place, records: &[Record]) {
    let mut engine = Engine::of(place);
    engine.write(records).unwrap();
    if !IS_PACKED.get() {
        return;
    }
    match (&mut engine, place) {
        (Engine::Sqlite(_), Place::File(path)) => {
            let mut connection = database::open(path).unwrap();
            while packed::step(&mut connection, TOGETHER).unwrap() {}
        }
        (Engine::Postgres(own), _) => while own.pack(TOGETHER, now_ms()).unwrap() {},
        _ => {}
    }
}

fn ids(listed: &[serde_json::Value]) -> Vec<&str> {
    listed.iter().map(|told| told["id"].as_str().unwrap()).collect()
}

fn what_is_written_is_read(place: &Place) {
    let (store, said) = store(place, &["user"]);
    let now = now_ms();
    for number in 0..5 {
        store.queue().hand_over(Box::new(Ready(record(&number.to_string(), now + number))));
    }
    store.finish();
    assert!(said.lock().unwrap().is_empty(), "{:?}", said.lock().unwrap());
    let mut reader = Reader::of(place);
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
    assert!(reader.trace("trace-9").unwrap().is_empty());
}

/// A commit may be done whose answer was lost: then all of it comes again.
fn what_is_written_again_is_not_two(place: &Place) {
    let now = now_ms();
    let all: Vec<Record> = (0..20).map(|number| record(&number.to_string(), now - number)).collect();
    let mut engine = Engine::of(place);
    engine.write(&[all[0].clone(), all[0].clone()]).unwrap();
    engine.write(&all).unwrap();
    engine.write(&all).unwrap();
    let mut reader = Reader::of(place);
    assert_eq!(reader.list(&Filter::default(), page(50)).unwrap().0.len(), 20);
    let (_, groups) = reader.sums(&Filter::default(), Grouping::Provider, now).unwrap();
    let of = |name: &str| &groups.iter().find(|group| group.name == name).unwrap().sums;
    assert_eq!((of("openai").requests, of("openai").attempts, of("groq").attempts), (20, 20, 20));
    assert_eq!(of("openai").prompt_tokens, 20_000);
}

fn filters(place: &Place) {
    let mut left =
        Record { end: "client_left".into(), status: 499, duration_us: 9_000_000, ..record("left", 3000) };
    left.key = None;
    let failed = Record { status: 503, attempts: Vec::new(), ..record("failed", 2000) };
    write(place, &[record("good", 1000), failed, left]);
    let mut reader = Reader::of(place);
    let mut check = |filter: Filter, expected: &[&str]| {
        let (told, _) = reader.list(&filter, page(10)).unwrap();
        assert_eq!(ids(&told), expected, "{filter:?}");
        // Sums count the same requests.
        let (_, groups) = reader.sums(&filter, Grouping::None, now_ms()).unwrap();
        if !filter.is_of_sums() {
            assert_eq!(groups.iter().map(|group| group.sums.requests).sum::<u64>(), expected.len() as u64);
        }
    };
    let status = |status: &str| Filter { status: Some(status.into()), ..Filter::default() };
    let choice = |choice: &[(Column, &str)]| {
        let choice = choice.iter().map(|(column, value)| (*column, (*value).to_owned())).collect();
        Filter { choices: vec![vec![choice]], ..Filter::default() }
    };
    let metadata =
        |name: &str, value: &str| Filter { metadata: vec![(name.into(), value.into())], ..Filter::default() };
    check(Filter::default(), &["left", "failed", "good"]);
    check(status("success"), &["good"]);
    check(status("error"), &["failed"]);
    check(status("client_left"), &["left"]);
    check(status("5xx"), &["failed"]);
    check(status("499"), &["left"]);
    check(Filter { from_ms: Some(2000), to_ms: Some(3000), ..Filter::default() }, &["failed"]);
    check(Filter { provider: Some("openai".into()), ..Filter::default() }, &["left", "good"]);
    check(Filter { key: Some("team".into()), ..Filter::default() }, &["failed", "good"]);
    check(metadata("user", "u-good"), &["good"]);
    check(metadata("us\"er", "u-good"), &[]);
    check(metadata("user", "u-\"; DROP TABLE requests; --?$1"), &[]);
    check(Filter { duration_ms: (Some(1000), None), ..Filter::default() }, &["left"]);
    check(Filter { duration_ms: (None, Some(i64::MAX)), ..Filter::default() }, &["left", "failed", "good"]);
    check(Filter { tokens: (Some(1100), Some(1100)), ..Filter::default() }, &["left", "good"]);
    check(Filter { prompt_tokens: (None, Some(999)), ..Filter::default() }, &["failed"]);
    check(Filter { trace: Some("req-good".into()), ..Filter::default() }, &["good"]);
    check(Filter { trace: Some("trace-left".into()), key: Some("team".into()), ..Filter::default() }, &[]);
    check(choice(&[(Column::Status, "503")]), &["failed"]);
    check(choice(&[(Column::Status, "good")]), &[]);
    check(choice(&[(Column::Provider, "openai"), (Column::Key, "team")]), &["good"]);
}

/// An engine may keep less of it in its columns than is in the record.
fn long_metadata(place: &Place) {
    let (name, value) = ("n\u{0}".to_owned(), "\u{1f980}".repeat(128));
    let metadata = [(name.clone(), value.clone())];
    let own = Record { metadata: metadata.clone().into(), ..record("own", 1000) };
    write(place, &[own, record("b", 1000), record("c", 1000), record("d", 1000)]);
    let mut reader = Reader::of(place);
    let filter = Filter { metadata: metadata.to_vec(), ..Filter::default() };
    assert_eq!(ids(&reader.list(&filter, page(9)).unwrap().0), ["own"]);
    let (_, groups) = reader.sums(&filter, Grouping::None, 9000).unwrap();
    assert_eq!(groups.iter().map(|group| group.sums.requests).sum::<u64>(), 1);
    let (count, groups) = reader.groups(&Filter::default(), &GroupBy::Metadata(name), (0, 9)).unwrap();
    assert_eq!((count, groups[0].requests), (1, 1));
}

fn pages(place: &Place) {
    let now = now_ms();
    // Some at the same moment, and some on days that are far apart.
    let times = [0, 1, 1, 1, 2, 3 * DAY_MS, 80 * DAY_MS, 80 * DAY_MS + 1];
    let all: Vec<Record> =
        (0_i64..).zip(times).map(|(number, ago)| record(&number.to_string(), now - ago)).collect();
    write(place, &all);
    let mut reader = Reader::of(place);
    for filter in [Filter::default(), Filter { key: Some("team".into()), ..Filter::default() }] {
        let (mut after, mut told) = (None, Vec::new());
        loop {
            let (listed, next) = reader.list(&filter, Page { after, ..page(3) }).unwrap();
            told.extend(ids(&listed).into_iter().map(str::to_owned));
            let Some(next) = next else { break };
            after = Page::cursor(&next);
            assert!(after.is_some(), "{next}");
        }
        // Of those of one moment the one that was written last is the newest.
        assert_eq!(told, ["0", "3", "2", "1", "4", "5", "6", "7"], "{filter:?}");
    }
}

fn news(place: &Place) {
    let now = now_ms();
    write(place, &[record("a", now)]);
    let mut reader = Reader::of(place);
    let last = reader.last_number().unwrap();
    assert_eq!(reader.newer(&Filter::default(), last, 10).unwrap(), (Vec::new(), last));
    // Written later, though it came earlier.
    write(place, &[record("b", now - 2 * DAY_MS), record("c", now)]);
    let (told, behind) = reader.newer(&Filter::default(), last, 1).unwrap();
    assert_eq!(ids(&told), ["b"]);
    let (told, behind) = reader.newer(&Filter::default(), behind, 10).unwrap();
    assert_eq!(ids(&told), ["c"]);
    assert_eq!(behind, reader.last_number().unwrap());
    let other = Filter { key: Some("nobody".into()), ..Filter::default() };
    assert!(reader.newer(&other, last, 10).unwrap().0.is_empty());
}

fn sessions(place: &Place) {
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
    write(place, &all);
    let mut reader = Reader::of(place);
    let (first, next) = reader.sessions(&Filter::default(), page(2)).unwrap();
    let ids = |told: &[Session]| told.iter().map(|told| told.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["d", "b"]);
    let after = Page::cursor(&next.unwrap());
    // What comes meanwhile changes nothing, and a session is told once.
    write(place, &[of("e", 9)]);
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

fn texts_in_bodies(place: &Place) {
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
    write(place, &all);
    let mut reader = Reader::of(place);
    let mut check = |text: &str, expected: &[&str]| {
        let found = reader.search(&Filter::default(), text, page(10)).unwrap();
        assert_eq!((ids(&found.data), found.next, found.looked_at), (expected.to_vec(), None, 3), "{text}");
    };
    check("whale", &["b", "a"]);
    check("\"Whale\"\nat", &["a"]);
    check("\"whale", &["a"]);
    check("shark", &[]);
    // Where the time is over the next page goes on, and each looks at one at least.
    let (mut after, mut told, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = Page { after, ..page(10) };
        let found = reader.search_for(&Filter::default(), "whale", page, Duration::ZERO).unwrap();
        told.extend(ids(&found.data).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = found.next else { break };
        after = Page::cursor(&next);
    }
    assert_eq!((told, pages), (vec!["b".to_owned(), "a".to_owned()], 3));
    let filter = Filter { from_ms: Some(1500), key: Some("team".into()), ..Filter::default() };
    assert_eq!(reader.search(&filter, "whale", page(10)).unwrap().data.len(), 1);
    let (told, _) = reader.list_with_bodies(&Filter::default(), page(10)).unwrap();
    let body = |at: usize| &told[at]["response"]["body"];
    assert_eq!((body(2), body(0)), (&"data: a WHALE".into(), &serde_json::Value::Null));
}

/// As if the prices had been known from the beginning.
fn new_prices(place: &Place) {
    let now = now_ms();
    let mut all: Vec<Record> =
        (0..300).map(|number| record(&number.to_string(), now - number * 900_000)).collect();
    for record in &mut all {
        record.attempts[1].model = Some("nobody-knows-it".into());
        for attempt in &mut record.attempts {
            let _ = at(None).price(attempt, record.started_ms);
        }
    }
    write(place, &all);
    let again = |from_ms: i64| {
        let mut told = 0;
        let tell = |progress: crate::Progress| told = progress.seen;
        let progress = crate::reprice(place, from_ms, &at(Some(2.0)), tell).unwrap();
        assert_eq!(told, progress.seen);
        (progress.all, progress.seen, progress.changed)
    };
    let costs = || {
        let mut reader = Reader::of(place);
        let dear = Filter { cost_nano: (Some(2_200_000), Some(2_200_000)), ..Filter::default() };
        let (_, groups) = reader.sums(&Filter::default(), Grouping::Model, now).unwrap();
        let sums = &groups.iter().find(|group| group.name == "nobody-knows-it").unwrap().sums;
        let (_, counted) = reader
            .sums(&Filter { tokens: (Some(1), None), ..Filter::default() }, Grouping::None, now)
            .unwrap();
        assert_eq!((&counted[0].sums.cost, counted[0].sums.unpriced), (&sums.cost, sums.unpriced));
        let listed = reader.list(&dear, page(500)).unwrap().0.len();
        (listed, sums.costs().get("USD").cloned().unwrap_or_default(), sums.unpriced)
    };
    assert_eq!(costs(), (0, String::new(), 300));
    assert_eq!(again(now - 899_000), (1, 1, 1));
    assert_eq!(costs(), (1, "0.0022".to_owned(), 299));
    assert_eq!(again(0), (300, 300, 299));
    assert_eq!(costs(), (300, "0.66".to_owned(), 0));
    assert_eq!(again(0), (300, 300, 0), "once is enough");
    assert_eq!(costs(), (300, "0.66".to_owned(), 0));
}

/// They stand in the document, so that a filter by them looks for nothing; new prices leave an answer from a cache where it is.
fn results(place: &Place) {
    let (store, _) = store(place, &[]);
    let error = RecordError {
        class: "TimeoutError".into(),
        message: Some("sent sk-0123456789abcdef".into()),
        code: None,
    };
    let check = |id: &str, error| CheckResult {
        id: id.into(),
        verdict: id == "default.wordCount",
        transformed: false,
        duration_us: Some(1500),
        error,
    };
    let guardrail = GuardrailResult {
        id: "g-1".into(),
        name: None,
        by: Actor::Upstream,
        phase: GuardrailPhase::BeforeRequest,
        verdict: false,
        denied: true,
        transformed: false,
        duration_us: Some(2000),
        checks: vec![check("default.wordCount", None), check("default.webhook", Some(error))],
    };
    let cache = CacheResult {
        status: CacheStatus::SemanticHit,
        by: Actor::Upstream,
        age_s: Some(12),
        similarity: Some(0.93),
    };
    let mut kept = record("kept", now_ms());
    (kept.cache, kept.attempts[1].cache) = (Some(cache), Some(cache));
    kept.guardrails.push(guardrail);
    store.queue().hand_over(Box::new(Ready(kept)));
    store.queue().hand_over(Box::new(Ready(record("plain", now_ms() - 1000))));
    store.finish();
    let told = |id: &str| Reader::of(place).one(id).unwrap().unwrap();
    let one = told("kept");
    assert_eq!(
        one["cache"],
        serde_json::json!({"status": "semantic_hit", "by": "upstream", "age_s": 12, "similarity": 0.93})
    );
    assert_eq!(
        one["guardrails"],
        serde_json::json!([{
            "id": "g-1", "by": "upstream", "phase": "before_request", "verdict": false, "denied": true, "duration_us": 2000,
            "checks": [
                {"id": "default.wordCount", "verdict": true, "duration_us": 1500},
                {"id": "default.webhook", "verdict": false, "duration_us": 1500,
                 "error": {"class": "TimeoutError", "message": "sent ***"}},
            ],
        }])
    );
    let cost = |id: &str| told(id)["attempts"][1]["cost"]["amount"].as_str().map(str::to_owned);
    assert_eq!((cost("kept").as_deref(), cost("plain").as_deref()), (Some("0"), Some("0.00021")));
    let plain = told("plain");
    assert!(plain.get("cache").is_none() && plain.get("guardrails").is_none(), "{plain}");
    let changed = crate::reprice(place, 0, &at(Some(2.0)), |_| ()).unwrap().changed;
    assert_eq!((changed, cost("kept").as_deref(), cost("plain").as_deref()), (1, Some("0"), Some("0.0022")));
    // From then on nobody believes the provider.
    let unbelieved = Prices { trusts_cache: Box::new(|_| false), ..at(Some(2.0)) };
    let changed = crate::reprice(place, 0, &unbelieved, |_| ()).unwrap().changed;
    assert_eq!((changed, cost("kept").as_deref()), (1, Some("0.0022")));
    assert_eq!(told("kept")["cache"], one["cache"]);
}

fn sums(place: &Place) {
    let (store, _) = store(place, &[]);
    let now = now_ms();
    for number in 0..700 {
        store.queue().hand_over(Box::new(Ready(record(&number.to_string(), now - number * 1000))));
    }
    store.finish();
    let mut reader = Reader::of(place);
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

fn series(place: &Place) {
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
    write(place, &all);
    let mut reader = Reader::of(place);
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

fn tallies(place: &Place) {
    let now = now_ms();
    let of = |number: i64| {
        let user = [("_user".to_owned(), format!("u{}", number % 3))];
        let status = if number < 4 { 500 } else { 200 };
        let model = Some(format!("m{}", number % 2));
        let mut record =
            Record { status, model, metadata: user.into(), ..record(&number.to_string(), now - number) };
        record.attempts[0].target = if number == 9 { "config".into() } else { "other".into() };
        record
    };
    write(place, &(0..10).map(of).collect::<Vec<_>>());
    let mut reader = Reader::of(place);
    let steps = Steps { from_ms: now - now % DAY_MS - DAY_MS, to_ms: now + DAY_MS, step_ms: DAY_MS };
    let mut tally = |fact: Fact| {
        let tallies = reader.tally(&Filter::default(), &steps, fact).unwrap();
        assert!(tallies.iter().all(|tally| tally.start_ms % DAY_MS == 0), "{tallies:?}");
        // The moments may be of two days, at midnight.
        let mut counts = std::collections::BTreeMap::new();
        tallies.into_iter().for_each(|tally| *counts.entry(tally.name).or_insert(0) += tally.count);
        counts.into_iter().collect::<Vec<_>>()
    };
    let counts = |all: &[(&str, u64)]| {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(tally(Fact::User), counts(&[("u0", 4), ("u1", 3), ("u2", 3)]));
    assert_eq!(tally(Fact::Failure), counts(&[("500", 4)]));
    assert_eq!(tally(Fact::Retries), counts(&[("1", 1)]));
    assert_eq!(tally(Fact::Fallback), counts(&[("1", 5)]));
    let mut groups = |by: &GroupBy, page: (u32, u32)| {
        let (all, rows) = reader.groups(&Filter::default(), by, page).unwrap();
        let row = |row: crate::GroupRow| {
            assert_eq!((row.avg_tokens, row.feedback), (1100.0, None));
            assert!(row.last_ms <= now && row.last_ms > now - 10);
            (row.name, row.requests)
        };
        (all, rows.into_iter().map(row).collect::<Vec<_>>())
    };
    assert_eq!(groups(&GroupBy::Provider, (0, 5)), (1, counts(&[("openai", 10)])));
    assert_eq!(groups(&GroupBy::Model, (0, 5)), (2, counts(&[("m0", 5), ("m1", 5)])));
    assert_eq!(groups(&GroupBy::Metadata("_user".into()), (1, 1)), (3, counts(&[("u1", 3)])));
    assert_eq!(groups(&GroupBy::Metadata("none".into()), (0, 5)), (0, Vec::new()));
}

fn feedback(place: &Place) {
    let now = now_ms();
    let mut engine = Engine::of(place);
    let second = Record { trace_id: "trace-a".into(), model: Some("second".into()), ..record("b", now + 1) };
    let first = Record { model: Some("first".into()), ..record("a", now) };
    engine.write(&[first, second, record("c", now)]).unwrap();
    let of = |id: &str, trace: &str, value: i64, key: Option<&str>| Feedback {
        id: id.into(),
        trace_id: trace.into(),
        created_ms: now,
        value,
        weight: 0.5,
        metadata: Some(serde_json::json!({"text": "\u{0}?"})),
        key: key.map(str::to_owned),
    };
    let team = Some("team");
    assert_eq!(
        engine.keep_feedback(&[of("1", "trace-a", 4, team), of("2", "trace-a", -2, None)]).unwrap(),
        Ok(())
    );
    // All of them, or none.
    let refused = engine.keep_feedback(&[of("3", "trace-c", 1, team), of("4", "nobody", 1, team)]).unwrap();
    assert_eq!(refused, Err(NotTheirs("nobody".to_owned())));
    let others = engine.keep_feedback(&[of("3", "trace-c", 1, Some("other"))]).unwrap();
    assert_eq!(others, Err(NotTheirs("trace-c".to_owned())));
    assert_eq!(engine.keep_feedback(&[of("5", "nobody", 1, None)]).unwrap(), Ok(()));
    let change = FeedbackChange { value: Some(6), ..FeedbackChange::default() };
    assert_eq!(engine.change_feedback("1", Some("other"), &change).unwrap(), Err(NotTheirs("1".to_owned())));
    assert_eq!(engine.change_feedback("1", team, &change).unwrap(), Ok(()));
    let change = FeedbackChange { weight: Some(1.0), ..FeedbackChange::default() };
    assert_eq!(engine.change_feedback("2", None, &change).unwrap(), Ok(()));
    let mut reader = Reader::of(place);
    let one = reader.one("a").unwrap().unwrap();
    let told: Vec<_> = one["feedback"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["value"].as_i64(), one["weight"].as_f64()))
        .collect();
    assert_eq!(told, [(Some(6), Some(0.5)), (Some(-2), Some(1.0))]);
    assert_eq!(one["feedback"][0]["metadata"]["text"], "\u{0}?");
    // 6 x 0.5 and -2 x 1 are 0.5 on average.
    let mut check = |least: f64, most: f64, expected: &[&str]| {
        let filter = Filter { feedback: (Some(least), Some(most)), ..Filter::default() };
        assert_eq!(ids(&reader.list(&filter, page(9)).unwrap().0), expected);
    };
    check(0.5, 0.5, &["b", "a"]);
    check(0.6, 9.0, &[]);
    let steps =
        Steps { from_ms: now / DAY_MS * DAY_MS, to_ms: now / DAY_MS * DAY_MS + DAY_MS, step_ms: DAY_MS };
    let mut thought = |filter: Filter| {
        let mut told = reader.feedback(&filter, &steps).unwrap();
        told.sort_by_key(|told| told.value);
        told.into_iter().map(|told| (told.value, told.model, told.count, told.weighted)).collect::<Vec<_>>()
    };
    let first = Some("first".to_owned());
    let all = [(-2, first.clone(), 1, -2.0), (1, None, 1, 0.5), (6, first.clone(), 1, 3.0)];
    assert_eq!(thought(Filter::default()), all);
    let of_second = Filter { model: Some("second".into()), ..Filter::default() };
    assert_eq!(thought(of_second), [all[0].clone(), all[2].clone()]);
    assert_eq!(thought(Filter { model: Some("none".into()), ..Filter::default() }), []);
    let (_, groups) = reader.groups(&Filter::default(), &GroupBy::Model, (0, 9)).unwrap();
    let of = |name: &str| groups.iter().find(|group| group.name == name).unwrap().feedback;
    assert_eq!((of("first"), of("second"), of("gpt-4o-mini")), (Some((1, 0.5)), Some((1, 0.5)), None));
}

fn prompt_caches(place: &Place) {
    let now = now_ms() / 60_000 * 60_000;
    let call = |number: i64, cached_tokens| {
        let usage = Usage { prompt_tokens: 2000, cached_tokens, ..Usage::default() };
        let (provider, model) = ("openai".to_owned(), Some("m".to_owned()));
        let (outcome, usage) = (Outcome::Answered, Some(usage));
        let attempt = Attempt { provider, model, outcome, usage, ..Attempt::default() };
        let body = format!("body {number}").into_bytes();
        let request = Kept::Bytes { total: body.len() as u64 + 1, bytes: body };
        let (id, attempts) = (format!("r-{number}"), vec![attempt]);
        Record { started_ms: now + number, attempts, request, ..Record { id, ..session_call() } }
    };
    write(place, &[call(1, 0), call(2, 1920), call(3, 256)]);
    let mut reader = Reader::of(place);
    let (falls, compared) = reader.cache_falls(&Filter::default()).unwrap();
    assert_eq!((falls.len(), compared), (1, 2), "{falls:?}");
    assert_eq!((falls[0].tokens(), falls[0].started_ms), (1664, (now + 2, now + 3)));
    let (before, after) = reader.compared(&falls[0]).unwrap();
    assert_eq!((before.id.as_str(), after.id.as_str()), ("r-2", "r-3"));
    assert_eq!((before.request, after.response), (Some((b"body 2".to_vec(), true)), None));
    let expected = CacheUse {
        key: "team".to_owned(),
        provider: "openai".to_owned(),
        model: "m".to_owned(),
        attempts: 3,
        prompt_tokens: 6000,
        cached_tokens: 2176,
    };
    for filter in [Filter::default(), Filter { session: Some("s".to_owned()), ..Filter::default() }] {
        let (_, groups) = reader.cache_use(&filter, now + 10).unwrap();
        assert_eq!(groups, std::slice::from_ref(&expected), "{filter:?}");
    }
    assert_eq!(reader.count(&Filter::default(), 100).unwrap(), 3);
    assert_eq!(reader.count(&Filter::default(), 2).unwrap(), 2);
    // Another key's call between them, which has a cache of its own.
    let others = Record { id: "r-other".to_owned(), key: Some("other".to_owned()), ..call(2, 0) };
    write(place, &[others]);
    assert_eq!(reader.cache_falls(&Filter::default()).unwrap(), (falls, 2));
}

fn session_call() -> Record {
    Record {
        session: Some("s".to_owned()),
        key: Some("team".to_owned()),
        status: 200,
        end: "whole".to_owned(),
        ..Record::default()
    }
}

fn spans(place: &Place) {
    let span = |trace_id: &str, span_id: &str, key: Option<&str>, name: &str| Span {
        trace_id: trace_id.to_owned(),
        span_id: span_id.to_owned(),
        key: key.map(str::to_owned),
        name: name.to_owned(),
        ..Span::default()
    };
    let log = AppLog { trace_id: "t".to_owned(), body: "said".into(), ..AppLog::default() };
    let mut engine = Engine::of(place);
    let now = now_ms();
    let first = vec![span("t", "1", None, "first"), span("t", "2", None, "second")];
    let others = AppLog { key: Some("b".to_owned()), ..log.clone() };
    engine.join(&Joined { spans: first, logs: vec![log.clone(), others.clone()] }, now - 1).unwrap();
    // The same again, the same of another key, and one of another trace.
    let again =
        vec![span("t", "1", None, "again"), span("t", "1", Some("b"), "b's"), span("u", "1", None, "u")];
    engine.join(&Joined { spans: again, logs: vec![log.clone(), others.clone()] }, now).unwrap();
    let mut reader = Reader::of(place);
    let told = reader.joined("t").unwrap();
    let names: Vec<_> = told.spans.iter().map(|span| (span.name.as_str(), span.key.as_deref())).collect();
    assert_eq!(names, [("first", None), ("second", None), ("b's", Some("b"))]);
    let as_told = |log: AppLog| AppLog { trace_id: String::new(), ..log };
    assert_eq!(told.logs, [log, others].map(as_told));
    assert_eq!(reader.joined("v").unwrap(), Joined::default());
}

fn retention(place: &Place) {
    let now = now_ms();
    let all: Vec<Record> = (0..1000)
        .map(|number| record(&number.to_string(), now - if number < 500 { 10 * DAY_MS } else { 0 }))
        .collect();
    let mut engine = Engine::of(place);
    engine.write(&all).unwrap();
    while engine.retain(&Retention::default(), now).unwrap() {}
    let mut reader = Reader::of(place);
    let one = reader.one("0").unwrap().unwrap();
    assert_eq!(one["request"], serde_json::json!({"missing": "aged_out"}));
    assert_eq!(reader.one("500").unwrap().unwrap()["request"]["body"]["user"], "u");
    let old = Filter { to_ms: Some(now - DAY_MS), ..Filter::default() };
    assert_eq!(reader.list(&old, page(500)).unwrap().0.len(), 500);
    let by_time = Retention { records: Duration::from_secs(5 * 86_400), ..Retention::default() };
    while engine.retain(&by_time, now).unwrap() {}
    assert!(reader.list(&old, page(500)).unwrap().0.is_empty());
    assert!(reader.trace("trace-0").unwrap().is_empty() && reader.one("req-0").unwrap().is_none());
    assert_eq!(reader.list(&Filter::default(), page(500)).unwrap().0.len(), 500);
    // It goes on as before.
    engine.write(&[record("new", now), record("late", now - 10 * DAY_MS)]).unwrap();
    assert!(reader.one("new").unwrap().is_some() && reader.one("late").unwrap().is_some());
}
