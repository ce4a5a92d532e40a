#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use ostia_dialect::observe::Count;
use ostia_dialect::{Fault, FaultKind, Usage};
use ostia_store::CacheStatus;

use super::cause::Cause;
use super::text::Formatter;
use super::*;

/// A request with all that a line tells of it, and how this one differs.
#[derive(Debug)]
struct Request {
    began: Instant,
    trace_id: HeaderValue,
    provider: HeaderValue,
    count: Count,
    cause: Option<Cause>,
    change: fn(&mut Access<'_>),
}

impl Request {
    fn new(change: fn(&mut Access<'_>)) -> Request {
        let [trace_id, provider] = ["t-1", "openai"].map(HeaderValue::from_static);
        let count = Some(Usage { prompt: 12, completion: 34, ..Usage::default() }).into();
        Request { began: Instant::now(), trace_id, provider, count, cause: None, change }
    }
}

impl Logged for Request {
    fn access(&self) -> Access<'_> {
        let mut access = Access {
            began: self.began,
            took: Duration::from_millis(450),
            status: 200,
            method: &Method::POST,
            path: "/v1/chat/completions",
            client: None,
            peer: Some(IpAddr::from([127, 0, 0, 1])),
            provider: Some(&self.provider),
            key: None,
            model: Some("gpt-4o"),
            count: &self.count,
            cache: None,
            cost: None,
            first_token: Some(Duration::from_micros(120_500)),
            retries: 0,
            trace_id: Some(&self.trace_id),
            end: End::Whole,
            cause: self.cause.as_ref(),
        };
        (self.change)(&mut access);
        access
    }
}

/// The line without its time.
fn told(request: &Request, format: Format) -> String {
    let mut text = String::new();
    Formatter { format, has_colours: false }.access(&request.access(), &mut text);
    timeless(&text, format)
}

fn timeless(text: &str, format: Format) -> String {
    let start = if format == Format::Json { r#"{"time":"2026-11-29T02:16:17.123Z","#.len() } else { 25 };
    text[start..].to_owned()
}

#[track_caller]
fn check(change: fn(&mut Access<'_>), cause: Option<Cause>, text: &str, json: &str) {
    let request = Request { cause, ..Request::new(change) };
    for (format, expected) in [(Format::Text, text), (Format::Json, json)] {
        assert_eq!(told(&request, format), format!("{expected}\n"));
    }
}

#[test]
fn lines_of_requests() {
    check(
        |_| {},
        None,
        "200 POST /v1/chat/completions peer=127.0.0.1 to=openai/gpt-4o tokens=12+34 first_token=120ms took=450ms trace=t-1",
        r#""level":"info","target":"access","status":200,"method":"POST","path":"/v1/chat/completions","peer":"127.0.0.1","provider":"openai","model":"gpt-4o","tokens_in":12,"tokens_out":34,"first_token_ms":120.5,"duration_ms":450.0,"trace_id":"t-1","end":"whole"}"#,
    );
    let fault = Fault::new(FaultKind::RateLimit, "secret").with_code("rate_limit_exceeded");
    check(
        |access| access.cost = Some(Price { amount: "0.25".into(), currency: "EUR".into() }),
        None,
        "200 POST /v1/chat/completions peer=127.0.0.1 to=openai/gpt-4o tokens=12+34 cost=0.25EUR first_token=120ms took=450ms trace=t-1",
        r#""level":"info","target":"access","status":200,"method":"POST","path":"/v1/chat/completions","peer":"127.0.0.1","provider":"openai","model":"gpt-4o","tokens_in":12,"tokens_out":34,"cost":"0.25","currency":"EUR","first_token_ms":120.5,"duration_ms":450.0,"trace_id":"t-1","end":"whole"}"#,
    );
    check(
        |access| {
            access.cache = Some(CacheStatus::SemanticHit);
            access.cost = Some(Price { amount: "0".into(), currency: "USD".into() });
        },
        None,
        "200 POST /v1/chat/completions peer=127.0.0.1 to=openai/gpt-4o tokens=12+34 cache=semantic_hit cost=0 first_token=120ms took=450ms trace=t-1",
        r#""level":"info","target":"access","status":200,"method":"POST","path":"/v1/chat/completions","peer":"127.0.0.1","provider":"openai","model":"gpt-4o","tokens_in":12,"tokens_out":34,"cache":"semantic_hit","cost":"0","currency":"USD","first_token_ms":120.5,"duration_ms":450.0,"trace_id":"t-1","end":"whole"}"#,
    );
    check(
        |access| {
            (access.client, access.status, access.retries) = (Some("team a"), 429, 2);
            (access.count, access.first_token, access.model) = (&Count::None, None, None);
        },
        Some(Cause::from(&fault.with_detail("none left"))),
        r#"429 POST /v1/chat/completions client="team a" to=openai retries=2 took=450ms trace=t-1 error="rate limit (rate_limit_exceeded): none left; wait, or add targets to the config""#,
        r#""level":"warn","target":"access","status":429,"method":"POST","path":"/v1/chat/completions","client":"team a","peer":"127.0.0.1","provider":"openai","retries":2,"duration_ms":450.0,"trace_id":"t-1","end":"whole","error":{"kind":"rate limit","code":"rate_limit_exceeded","detail":"none left","remedy":"wait, or add targets to the config"}}"#,
    );
    check(
        |access| {
            (access.provider, access.model, access.count, access.trace_id) = (None, None, &Count::None, None);
            (access.first_token, access.peer, access.end) = (None, None, End::ClientLeft);
            access.took = Duration::from_micros(250);
        },
        None,
        "200 POST /v1/chat/completions took=0.25ms end=client_left",
        r#""level":"warn","target":"access","status":200,"method":"POST","path":"/v1/chat/completions","duration_ms":0.25,"end":"client_left"}"#,
    );
}

#[test]
fn colours_are_all_that_a_terminal_gets_besides() {
    let request = Request::new(|_| {});
    let mut coloured = String::new();
    Formatter { format: Format::Text, has_colours: true }.access(&request.access(), &mut coloured);
    let plain = ["\u{1b}[0m", "\u{1b}[2m", "\u{1b}[32m"]
        .iter()
        .fold(coloured.clone(), |text, code| text.replace(code, ""));
    assert!(coloured.contains("\u{1b}[32m200\u{1b}[0m"), "{coloured:?}");
    assert_eq!(plain[25..], told(&request, Format::Text));
}

#[test]
fn what_clients_choose_stays_on_its_line() {
    const HOSTILE: &str = "a\n2026-11-29 200 GET /\u{1b}[31m \"x\" \u{85}";
    let request = Request::new(|access| {
        (access.path, access.model, access.client) = (HOSTILE, Some(HOSTILE), Some(HOSTILE));
    });
    for format in [Format::Text, Format::Json] {
        let line = told(&request, format);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains('\u{1b}') && !line.trim_end().contains(char::is_control), "{line:?}");
    }
}

#[test]
fn what_the_gateway_says() {
    let said = |format| {
        let at = Instant::now();
        let said =
            Said { at, level: Level::Error, target: Target::Config, text: "one\ntwo \"x\"\n".to_owned() };
        let mut text = String::new();
        Formatter { format, has_colours: false }.said(&said, &mut text);
        timeless(&text, format)
    };
    assert_eq!(said(Format::Text), "error config: one\ntwo \"x\"\n");
    let json = r#""level":"error","target":"config","message":"one\ntwo \"x\""}"#;
    assert_eq!(said(Format::Json), format!("{json}\n"));
}

/// What a writer writes that starts when all is handed over.
fn written(writer: Writer) -> String {
    let (stop, stopped) = channel();
    drop(stop);
    let mut out = Vec::new();
    writer.run(&stopped, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn nobody_waits_for_a_slow_writer_and_what_is_lost_is_counted() {
    let (log, writer) = Log::new(Filter::default(), Format::Text);
    let request = Arc::new(Request::new(|access| access.path = "/v1/models"));
    (0..LINES_MAX + 123).for_each(|_| log.access(&request));
    let text = written(writer);
    assert_eq!(text.matches("POST /v1/models").count(), LINES_MAX);
    assert!(text.contains("123 lines of the log were lost"), "{}", &text[..200]);
}

#[test]
fn filters_hold() {
    type Change = fn(&mut Access<'_>);
    let (call, probe): (Change, Change) = (|_| {}, |access| access.path = "/health");
    let client_error: Change = |access| access.status = 404;
    for (filter, change, expected) in [
        ("info", call, 1),
        ("warn", call, 0),
        ("warn", client_error, 1),
        ("error", client_error, 0),
        ("info", probe, 0),
        ("access=debug", probe, 1),
        ("access=off", call, 0),
    ] {
        let (log, writer) = Log::new(filter.parse().unwrap(), Format::Text);
        log.access(&Arc::new(Request::new(change)));
        drop(log);
        assert_eq!(written(writer).lines().count(), expected, "{filter}");
    }
}

/// Prints what it costs a core to hand a line over: `cargo test -p ostia what_a_line_costs -- --nocapture`. Without optimisation it is
/// some twenty times as much as with it; the bound is for machines that do much else.
#[test]
fn what_a_line_costs() {
    const LINES: u32 = 200_000;
    let (log, writer) = Log::new(Filter::default(), Format::Text);
    let (stop, stopped) = channel();
    let writing = std::thread::spawn(move || writer.run(&stopped, &mut std::io::sink()));
    let began = Instant::now();
    for _ in 0..LINES {
        log.access(&Arc::new(Request::new(|_| {})));
    }
    let each = began.elapsed() / LINES;
    drop(stop);
    writing.join().unwrap();
    std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("a line costs {each:?}\n")).unwrap();
    assert!(each < Duration::from_micros(50), "{each:?}");
}
