//! What is kept of requests: that it is all there, that it adds up, and that only operators see it.

pub mod servers;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE, once};

pub const CHAT: &str = "/v1/chat/completions";
/// What may be missing after `kill -9`: what ended in the last moments before (docs/records.md).
const LOSS_MAX: Duration = Duration::from_secs(1);

pub fn body(stream: bool) -> String {
    json!({"model": "gpt-4o-mini", "stream": stream, "messages": [{"role": "user", "content": "say a"}]})
        .to_string()
}

pub fn asked(gateway: &Gateway, path: &str) -> Value {
    Ask::new("GET", path).to(gateway).json()
}

/// What is told at this path, once it is so.
#[track_caller]
pub fn told(gateway: &Gateway, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    once(|| match asked(gateway, path) {
        told if is_so(&told) => Ok(told),
        told => Err(format!("{path}: {told}")),
    })
}

#[track_caller]
pub fn listed(gateway: &Gateway, count: usize) -> Vec<Value> {
    let list = told(gateway, "/v1/logs?limit=500", |list| {
        list["data"].as_array().is_some_and(|all| all.len() >= count)
    });
    list["data"].as_array().unwrap().clone()
}

#[test]
fn a_call_is_kept_and_told() {
    let answer = Answer::json(openai::chat("a")).header("x-request-id", "req-1");
    let (gateway, upstream) = (Gateway::start(), Upstream::always(answer));
    assert!(
        gateway.printed().contains("records.db, with the bodies of all requests"),
        "{}",
        gateway.printed()
    );
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false))
        .header("x-ostia-trace-id", "trace-1")
        .header("x-portkey-metadata", r#"{"team":"red"}"#)
        .header("x-portkey-span-id", "s-2")
        .header("x-portkey-parent-span-id", "s-1")
        .header("user-agent", "tester/1");
    assert_eq!(ask.to(&gateway).status, 200);
    let record = &listed(&gateway, 1)[0];
    let expected = json!({
        "trace_id": "trace-1", "span_id": "s-2", "parent_span_id": "s-1", "operation": "openai_chat", "method": "POST",
        "path": CHAT, "metadata": {"team": "red"}, "user_agent": "tester/1", "client": "127.0.0.1", "model": "gpt-4o-mini",
        "status": 200, "stream": false, "end": "whole", "finish_reason": "stop", "error": null,
        "request_bytes": body(false).len(), "response_bytes": openai::chat("a").len(),
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}: {record}");
    }
    let attempt = &record["attempts"][0];
    let expected = json!({
        "target": "config", "provider": "openai", "model": "gpt-4o-mini", "answered_model": "gpt-4o-mini-2024-07-18",
        "status": 200, "outcome": "answered", "request_id": "req-1", "finish_reason": "stop",
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&attempt[name], value, "{name}: {record}");
    }
    // 9 x 0.15 + 2 x 0.60 dollars for a million.
    assert_eq!(attempt["cost"]["amount"], "0.00000255", "{record}");
    let at = |name: &str| attempt[name].as_u64().unwrap();
    assert!(at("sent_us") <= at("connected_us") && at("connected_us") <= at("first_byte_us"), "{record}");
    assert!(
        at("first_byte_us") <= at("ended_us") && at("ended_us") <= record["duration_us"].as_u64().unwrap()
    );

    let id = record["id"].as_str().unwrap();
    let one = asked(&gateway, &format!("/v1/logs/{id}"));
    assert_eq!(one["request"]["body"], crate::json(&body(false)));
    assert_eq!(one["response"]["body"], crate::json(&openai::chat("a")));
    for name in ["trace-1", "req-1", id] {
        assert_eq!(asked(&gateway, &format!("/v1/traces/{name}"))["data"][0]["id"], id, "{name}");
    }
    let metrics = Ask::new("GET", "/metrics").to(&gateway);
    let line = "ostia_attempts_total{provider=\"openai\",outcome=\"answered\"} 1";
    assert!(metrics.text().lines().any(|told| told == line), "{}", metrics.text());
    let summary = asked(&gateway, "/v1/analytics/summary?group_by=model");
    assert_eq!(summary["total"]["cost"], json!({"USD": "0.00000255"}), "{summary}");
    assert_eq!(
        (&summary["groups"][0]["name"], &summary["groups"][0]["requests"]),
        (&json!("gpt-4o-mini"), &json!(1))
    );
    let series = asked(&gateway, "/v1/analytics/series?since=1h&group_by=model");
    assert_eq!(
        (&series["object"], &series["step_seconds"]),
        (&json!("analytics.series"), &json!(60)),
        "{series}"
    );
    let line = &series["series"][0];
    let points = line["points"].as_array().unwrap();
    assert_eq!((&line["name"], points.len()), (&json!("gpt-4o-mini"), 61), "{series}");
    let point = points.iter().find(|point| point["requests"] == 1).unwrap();
    assert_eq!(point["tokens"], json!({"input": 9, "output": 2, "cached": 0}), "{point}");
    assert_eq!(
        (&point["cost"], &point["cost_unknown"]),
        (&json!({"USD": "0.00000255"}), &json!(0)),
        "{point}"
    );
    assert!(point["latency_ms"]["p50"].is_u64() && point["first_token_ms"]["p50"].is_null(), "{point}");
    assert_eq!(Ask::new("GET", "/v1/logs/no-such").to(&gateway).status, 404);
    assert_eq!(Ask::new("GET", "/v1/logs?colour=red").to(&gateway).status, 400);
}

#[test]
fn secrets_are_not_kept() {
    let refused = json!({"error": {"message": "Incorrect API key: sk-client-0123456789abcdef", "type": "invalid_request_error",
                                   "code": "invalid_api_key"}});
    let upstream = Upstream::always(Answer::json(refused.to_string()).status(401));
    let gateway = Gateway::with("records: {mask: [user, error.message]}");
    let mut asked: Value = crate::json(&body(false));
    asked["user"] = "someone".into();
    let ask = Ask::post(CHAT, asked.to_string())
        .header("authorization", "Bearer sk-client-0123456789abcdef")
        .header("x-ostia-provider", "openai")
        .header("x-ostia-custom-host", &upstream.url());
    assert_eq!(ask.to(&gateway).status, 401);
    let id = listed(&gateway, 1)[0]["id"].as_str().unwrap().to_owned();
    let one = self::asked(&gateway, &format!("/v1/logs/{id}"));
    assert_eq!(one["request"]["body"]["user"], "***", "{one}");
    assert_eq!(one["attempts"][0]["error"]["message"], "Incorrect API key: ***", "{one}");
    assert!(!one.to_string().contains("0123456789abcdef"), "{one}");
    let quiet = ask.header("x-portkey-debug", "false").to(&gateway);
    assert_eq!(quiet.status, 401);
    let newest = &listed(&gateway, 2)[0];
    assert_eq!(
        (&newest["request"], &newest["response"]),
        (&json!({"missing": "off"}), &json!({"missing": "off"}))
    );
    assert_eq!(newest["attempts"][0]["error"].get("message"), None, "{newest}");
}

#[test]
fn a_trace_goes_on_at_the_provider() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("a"))));
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false))
        .header("traceparent", &format!("00-{trace}-{span}-01"))
        .header("baggage", "team=red");
    let reply = ask.to(&gateway);
    assert_eq!(reply.header("x-ostia-trace-id"), Some(trace));
    let record = &listed(&gateway, 1)[0];
    assert_eq!((&record["trace_id"], &record["parent_span_id"]), (&json!(trace), &json!(span)));
    assert_eq!(record["metadata"], json!({"team": "red"}));
    let attempt = record["attempts"][0]["span_id"].as_str().unwrap();
    assert_ne!(record["span_id"], attempt);
    assert_eq!(upstream.last().header("traceparent"), Some(format!("00-{trace}-{attempt}-01")));
    Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway);
    assert_eq!(upstream.last().header("traceparent"), None, "nobody asked for a trace");
}

#[test]
fn requests_of_a_conversation_are_found_together() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("a"))));
    let chat = || Ask::post_at(&upstream, "openai", CHAT, body(false));
    let messages = |user_id: &str| {
        let body = json!({"model": "gpt-4o-mini", "max_tokens": 9, "metadata": {"user_id": user_id},
                          "messages": [{"role": "user", "content": "say a"}]});
        Ask::post_at(&upstream, "openai", "/v1/messages", body.to_string())
    };
    let asks = [
        (
            chat().header("x-ostia-session", "own").header("x-portkey-metadata", r#"{"session_id":"no"}"#),
            Some("own"),
        ),
        (
            chat().header("x-ostia-metadata", r#"{"_session":"said"}"#).header("session_id", "no"),
            Some("said"),
        ),
        (chat().header("session-id", "codex"), Some("codex")),
        (chat().header("session_id", "codex"), Some("codex")),
        (
            messages("user_1_account__session_claude").header("x-claude-code-session-id", "claude-2"),
            Some("claude-2"),
        ),
        (messages("user_1_account__session_claude"), Some("claude")),
        (messages(r#"{"device_id":"d","session_id":"claude"}"#), Some("claude")),
        (chat(), None),
    ];
    for (number, (ask, session)) in asks.iter().enumerate() {
        assert_eq!(ask.to(&gateway).status, 200);
        assert_eq!(listed(&gateway, number + 1)[0]["session"], json!(session), "{number}");
    }
    let first = asked(&gateway, "/v1/sessions?limit=2");
    let second = asked(&gateway, &format!("/v1/sessions?after={}", first["next"].as_str().unwrap()));
    let all: Vec<_> =
        [&first, &second].into_iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
    let ids: Vec<_> = all.iter().map(|session| session["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["claude", "claude-2", "codex", "said", "own"]);
    assert_eq!((&all[0]["requests"], &all[0]["tokens"]["input"]), (&json!(2), &json!(18)), "{first}");
    assert_eq!((&all[0]["models"], &all[0]["cost"]), (&json!(["gpt-4o-mini"]), &json!({"USD": "0.0000051"})));
    let of = asked(&gateway, "/v1/logs?session=codex");
    assert_eq!(of["data"].as_array().unwrap().len(), 2, "{of}");
}

#[test]
fn answers_that_go_on_from_each_other_are_one_session() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with(&format!(
        "providers:\n  box: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n",
        upstream.url()
    ));
    let respond = |previous: Option<&str>| {
        let body = json!({"model": "m", "input": "say a", "previous_response_id": previous});
        let reply =
            Ask::post("/v1/responses", body.to_string()).header("x-ostia-provider", "box").to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["id"].as_str().unwrap().to_owned()
    };
    let root = respond(None);
    let second = respond(Some(&root));
    respond(Some(&second));
    respond(None);
    listed(&gateway, 4);
    let session = asked(&gateway, &format!("/v1/logs?session={root}"));
    assert_eq!(session["data"].as_array().unwrap().len(), 3, "{session}");
}

#[test]
fn large_answers_are_read_on_the_way() {
    let mut answer: Value = crate::json(&openai::chat(&"word ".repeat(200_000)));
    answer["usage"] = json!({"prompt_tokens": 7, "completion_tokens": 200_000, "total_tokens": 200_007});
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(answer.to_string())));
    assert_eq!(
        Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway).body.len(),
        answer.to_string().len()
    );
    let record = &listed(&gateway, 1)[0];
    assert_eq!(record["attempts"][0]["usage"]["completion_tokens"], 200_000, "{record}");
    assert_eq!(record["response"], json!({"cut": true}));
    assert_eq!(record["response_bytes"], answer.to_string().len());
}

/// What a provider bills: calls that reached it, and tokens of answers that it told to the end.
#[derive(Debug, Default)]
struct Bill {
    calls: AtomicU64,
    tokens: Mutex<(u64, u64)>,
}

/// Tokens of every answer.
const BILLED: (u64, u64) = (9, 2);

impl Bill {
    /// An answer whose tokens are told.
    fn told(&self, answer: Answer) -> Answer {
        let mut tokens = self.tokens.lock().unwrap();
        *tokens = (tokens.0 + BILLED.0, tokens.1 + BILLED.1);
        answer
    }
}

/// A provider that fails in all ways, in turn, and bills what it does.
fn unsteady(bill: Arc<Bill>, gate: Gate) -> Upstream {
    Upstream::serve(move |request: &Request| {
        let number = bill.calls.fetch_add(1, Ordering::SeqCst);
        let stream = request.json()["stream"] == true;
        let whole = openai::chat_stream_with_usage(&["first", "second"]);
        let half = whole[..whole.find("second").unwrap()].rfind("data: ").unwrap();
        match (number % 7, stream) {
            (0, _) => Answer::json(r#"{"error":{"message":"failed","type":"server_error"}}"#).status(500),
            (1, _) => Answer::json(r#"{"error":{"message":"later","type":"rate_limit"}}"#).status(429),
            // Before it has said anything.
            (2, true) => Answer::stream(whole).broken_after(10, Step::Reset),
            (2, false) => Answer::json(openai::chat("a")).broken_after(10, Step::Reset),
            // In the middle.
            (3, true) => Answer::stream(whole).broken_after(half, Step::Cut),
            // To be left.
            (4, true) => {
                Answer::stream(whole[..half].to_owned()).then(Step::Wait(gate.clone())).then(Step::Cut)
            }
            (5, false) => bill.told(Answer::json(openai::chat(&"a".repeat(100_000)))),
            (_, true) => bill.told(Answer::stream(whole)),
            (_, false) => bill.told(Answer::json(openai::chat("a"))),
        }
    })
}

/// What the tokens of all answers cost, for [`balance`].
pub const PRICES: &str = "prices: {openai/gpt-4o-mini: {input: 1.5, output: 2}}\n";

#[test]
fn the_books_balance() {
    balance(&[Gateway::with(PRICES)], || {});
}

/// Asks these gateways, which keep records in one place, in front of providers that fail in all ways, and holds what is told against
/// what was billed; `meanwhile` something else happens.
pub fn balance(gateways: &[Gateway], meanwhile: impl FnOnce()) {
    let (bill, gate) = (Arc::<Bill>::default(), Gate::new());
    let first = unsteady(bill.clone(), gate.clone());
    let second = unsteady(bill.clone(), gate.clone());
    let target =
        |upstream: &Upstream| json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "k"});
    let config = json!({"strategy": {"mode": "fallback"}, "retry": {"attempts": 2}, "targets": [target(&first), target(&second)]});
    let config = config.to_string();
    let gateway = &gateways[0];
    let ask_all = |thread: usize| {
        for number in 0..20 {
            let stream = (number + thread).is_multiple_of(2);
            let ask = Ask::post(CHAT, body(stream));
            let ask = match number % 3 {
                0 => ask.at(&first, "openai"),
                _ => ask.header("x-ostia-config", &config),
            };
            let mut open = ask.open(&gateways[thread % gateways.len()]);
            match stream {
                // What does not come to its end is left.
                true => drop(open.read_until(Duration::from_millis(300), |reply| reply.whole)),
                false => drop(open.finish()),
            }
        }
    };
    thread::scope(|scope| {
        (0..6).for_each(|thread| drop(scope.spawn(move || ask_all(thread))));
        meanwhile();
    });
    let requests = 6 * 20;
    gate.open();
    let calls = || bill.calls.load(Ordering::SeqCst);
    let path = "/v1/analytics/summary?since=1h";
    let summary = told(gateway, path, |told| {
        told["total"]["requests"] == requests && told["total"]["attempts"] == calls()
    });
    let total = &summary["total"];
    let number = |name: &str| total[name].as_u64().unwrap();
    let (prompt, completion) = (number("prompt_tokens"), number("completion_tokens"));
    // In units of 10^-7 dollars: 15 and 20 for a token.
    let sum = prompt * 15 + completion * 20;
    let cost: f64 = total["cost"]["USD"].as_str().unwrap().parse().unwrap();
    assert_eq!((cost * 1e7).round() as u64, sum, "{summary}");
    // The same from the records themselves.
    let (mut attempts, mut all, mut exact, mut estimated) = (0, (0, 0), (0, 0), 0);
    let mut after = String::new();
    loop {
        let page = asked(gateway, &format!("/v1/logs?limit=50{after}"));
        for attempt in
            page["data"].as_array().unwrap().iter().flat_map(|record| record["attempts"].as_array().unwrap())
        {
            assert!(attempt["cost_unknown"].is_null(), "{attempt}");
            let count = |name: &str| attempt["usage"][name].as_u64().unwrap_or_default();
            let tokens = (count("prompt_tokens"), count("completion_tokens"));
            attempts += 1;
            all = (all.0 + tokens.0, all.1 + tokens.1);
            match attempt["usage_estimated"] == true {
                true => estimated += 1,
                false => exact = (exact.0 + tokens.0, exact.1 + tokens.1),
            }
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!((attempts, all), (calls(), (prompt, completion)));
    // An answer may have been told when its client had left by then: nobody read what it cost, which is estimated.
    let billed = *bill.tokens.lock().unwrap();
    let unread = (billed.0 - exact.0) / BILLED.0;
    assert_eq!((exact.0 + unread * BILLED.0, exact.1 + unread * BILLED.1), billed, "{summary}");
    assert!(unread <= estimated, "{summary}");
}

#[test]
fn hedged_and_abandoned_calls_are_booked() {
    let slow = Upstream::always(Answer::json(openai::chat("slow")).first(Step::Stall));
    let fast = Upstream::always(Answer::json(openai::chat("fast")));
    let target =
        |upstream: &Upstream| json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "k"});
    let config = json!({"strategy": {"mode": "fallback"}, "hedge": {"after": 50, "budget": 100}, "targets": [target(&slow), target(&fast)]});
    let gateway = Gateway::start();
    let reply = Ask::post(CHAT, body(false)).header("x-ostia-config", &config.to_string()).to(&gateway);
    assert_eq!((reply.status, slow.count(), fast.count()), (200, 1, 1));
    let record = &listed(&gateway, 1)[0];
    let outcomes: Vec<_> =
        record["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["outcome"]).collect();
    assert_eq!(outcomes, ["abandoned", "answered"], "{record}");
    assert_eq!(record["decisions"]["result"], "answered", "{record}");

    let open = Ask::post_at(&slow, "openai", CHAT, body(false)).open(&gateway);
    assert!(slow.wait_for_requests(2, PATIENCE));
    drop(open);
    let record = &listed(&gateway, 2)[0];
    assert_eq!((&record["end"], &record["status"]), (&json!("client_left"), &json!(499)), "{record}");
    assert_eq!(record["attempts"][0]["outcome"], "abandoned", "{record}");
}

/// A gateway that keeps its data there.
fn keeping_in(folder: &Path) -> Gateway {
    Setup::new().env("OSTIA_DATA", &folder.display().to_string()).start()
}

#[test]
fn nothing_is_lost_at_an_orderly_end_and_little_at_another() {
    let folder = tempfile::TempDir::new().unwrap();
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false));
    let mut gateway = keeping_in(folder.path());
    (0..30).for_each(|_| assert_eq!(ask.to(&gateway).status, 200));
    gateway.terminate();
    assert!(gateway.wait(PATIENCE).is_some());

    let mut gateway = keeping_in(folder.path());
    let ended: Vec<Instant> = (0..60)
        .map(|number| {
            assert_eq!(ask.to(&gateway).status, 200);
            thread::sleep(Duration::from_millis(number % 3 * 10));
            Instant::now()
        })
        .collect();
    gateway.signal("KILL");
    let killed = Instant::now();
    assert!(gateway.wait(PATIENCE).is_some());
    let safe = ended.iter().filter(|ended| killed - **ended > LOSS_MAX).count();

    let gateway = keeping_in(folder.path());
    let kept = asked(&gateway, "/v1/logs?limit=500")["data"].as_array().unwrap().len();
    assert!((30 + safe..=90).contains(&kept), "{kept} kept, 30 + {safe} had to be");
    let summary = asked(&gateway, "/v1/analytics/summary?since=1h");
    assert_eq!(summary["total"]["requests"], kept, "sums are those of the records");
}

#[test]
fn only_operators_see_it() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    // Right after the start there may be nothing to read yet.
    let status = |gateway: &Gateway, ask: Ask| {
        let end = Instant::now() + PATIENCE;
        loop {
            match ask.to(gateway).status {
                503 if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
                status => return status,
            }
        }
    };
    let logs = || Ask::new("GET", "/v1/logs");
    // This machine, without any keys: programs, and no pages.
    let open = Gateway::with("cors: {origins: ['*']}");
    assert_eq!(status(&open, logs()), 200);
    assert_eq!(status(&open, logs().header("origin", "https://evil.example")), 403);
    assert_eq!(status(&open, logs().host("evil.example")), 403);
    // With keys, and none for operators: nobody.
    let keyed = Gateway::with("auth: {keys: [pk-client]}");
    assert_eq!(status(&keyed, logs().header("x-ostia-api-key", "pk-client")), 403);
    // With one for operators: whoever shows that.
    let admin = Gateway::with("auth: {keys: [pk-client], admin_keys: [pk-admin]}");
    for path in [
        "/v1/logs",
        "/v1/logs/x",
        "/v1/logs/exports",
        "/v1/logs/exports/x/download",
        "/v1/traces/x",
        "/v1/analytics/summary",
        "/v1/analytics/series",
        "/v1/analytics/cache",
        "/v1/sessions",
        "/metrics",
    ] {
        assert_eq!(status(&admin, Ask::new("GET", path)), 401, "{path}");
        assert_eq!(
            status(&admin, Ask::new("GET", path).header("x-ostia-api-key", "pk-client")),
            401,
            "{path}"
        );
    }
    assert_eq!(status(&admin, logs().header("authorization", "Bearer pk-admin")), 200);
    // One key may be both.
    let both = Gateway::with("auth: {keys: [pk-both], admin_keys: [pk-both]}");
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).without("authorization");
    assert_eq!(
        status(&both, ask.header("x-ostia-api-key", "pk-both").header("authorization", "Bearer sk-1")),
        200
    );
    assert_eq!(status(&both, logs().header("x-ostia-api-key", "pk-both")), 200);
    // It is no key for a provider, and never goes to one.
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).without("authorization");
    let ask = ask.header("x-ostia-api-key", "pk-client").header("authorization", "Bearer pk-admin");
    ask.header("x-ostia-forward-headers", "x-other").header("x-other", "pk-admin").to(&admin);
    assert!(
        upstream
            .requests()
            .iter()
            .all(|request| request.headers.iter().all(|(_, value)| !value.contains("pk-admin")))
    );
}

#[test]
fn records_that_are_off_leave_nothing() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with("records: off");
    assert_eq!(Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway).status, 200);
    assert_eq!(Ask::new("GET", "/v1/logs").to(&gateway).status, 404);
    assert!(!gateway.folder().join("data").exists());
    gateway.says("none are kept (records: off)");
}

#[test]
fn a_directory_that_cannot_be_written_stops_nobody() {
    let folder = tempfile::TempDir::new().unwrap();
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = keeping_in(&blocked);
    let ready = told(&gateway, "/ready", |told| !told["records"].is_null());
    assert_eq!((&ready["status"], &ready["records"]["written"]), (&json!("ready"), &json!(false)));
    assert_eq!(Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway).status, 200);
    std::fs::remove_file(&blocked).unwrap();
    told(&gateway, "/ready", |told| told["records"].is_null());
    assert_eq!(listed(&gateway, 1).len(), 1);
    let printed = gateway.says("are written to");
    let said = |words: &str| printed.matches(words).count();
    assert_eq!((said("cannot be written"), said("are written to")), (1, 1), "{printed}");
}

#[test]
fn all_of_it_in_one_answer() {
    let gateway = Gateway::start();
    let entry = |number: usize| {
        json!({"request": {"url": "https://a.example/v1/x", "body": {"model": "m", "n": number}},
               "response": {"status": 200, "body": {"text": format!("needle-{number}.")}, "response_time": number}})
    };
    for hundred in 0..5 {
        let all: Vec<Value> = (0..90).map(|number| entry(hundred * 90 + number)).collect();
        let reply = Ask::post("/v1/logs", json!(all).to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    listed(&gateway, 450);
    let export = |query: &str| {
        let reply = Ask::new("GET", &format!("/v1/logs/export{query}")).to(&gateway);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
        reply.text().lines().map(crate::json).collect::<Vec<Value>>()
    };
    let all = export("");
    let ids: std::collections::BTreeSet<_> = all.iter().map(|told| told["id"].as_str().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (450, 450));
    let some = export("?bodies=true&latency_min=400");
    assert_eq!(some.len(), 50);
    assert!(some.iter().all(|told| told["request"]["body"]["n"].as_u64() >= Some(400)), "{}", some[0]);
    assert_eq!(export("?model=none").len(), 0);
    assert_eq!(Ask::new("GET", "/v1/logs/export?limit=1").to(&gateway).status, 400);
    // A page looks for a short time only, and its `next` goes on.
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = asked(&gateway, &format!("/v1/logs?text=NEEDLE-41.&limit=5{after}"));
        found.extend(page["data"].as_array().unwrap().iter().map(|told| told["duration_us"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, [json!(41_000)]);
    for wrong in ["7", "[]", "{}", r#"{"request":{},"response":{"status":7}}"#, "[1]", "{"] {
        assert_eq!(Ask::post("/v1/logs", wrong).to(&gateway).status, 400, "{wrong}");
    }
}

#[test]
fn clients_say_what_they_think_of_their_own() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::with(
        "auth: {keys: [{key: pk-red, name: red}, {key: pk-blue, name: blue}], admin_keys: [pk-admin]}",
    );
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header("x-ostia-trace-id", "trace-red");
    assert_eq!(ask.header("x-ostia-api-key", "pk-red").to(&gateway).status, 200);
    let feedback = |key: &str, trace: &str| {
        let body = json!({"trace_id": trace, "value": 3}).to_string();
        Ask::post("/v1/feedback", body).without("authorization").header("x-ostia-api-key", key).to(&gateway)
    };
    // Records that were handed over before are written first.
    let own = feedback("pk-red", "trace-red");
    assert_eq!(own.status, 200, "{}", own.text());
    assert_eq!(feedback("pk-blue", "trace-red").status, 404);
    assert_eq!(feedback("pk-red", "trace-of-nobody").status, 404);
    assert_eq!(feedback("pk-other", "trace-red").status, 401);
    assert_eq!(feedback("pk-admin", "trace-of-nobody").status, 200);
    let id = own.json()["feedback_ids"][0].as_str().unwrap().to_owned();
    let change = |key: &str, id: &str| {
        let ask = Ask::new("PUT", &format!("/v1/feedback/{id}")).body(r#"{"value": -4, "weight": 0.5}"#);
        ask.header("content-type", "application/json").header("x-ostia-api-key", key).to(&gateway).status
    };
    assert_eq!([change("pk-blue", &id), change("pk-red", "none"), change("pk-red", &id)], [404, 404, 200]);
    let admin = |path: &str| Ask::new("GET", path).header("x-ostia-api-key", "pk-admin").to(&gateway).json();
    let one = admin("/v1/logs?feedback_max=-1")["data"][0]["id"].as_str().unwrap().to_owned();
    let told = &admin(&format!("/v1/logs/{one}"))["feedback"][0];
    assert_eq!((&told["value"], &told["weight"], &told["id"]), (&json!(-4), &json!(0.5), &json!(id)));
    assert_eq!(Ask::post("/v1/logs", "{}").header("x-ostia-api-key", "pk-red").to(&gateway).status, 401);
}

#[test]
fn a_key_says_what_is_kept_of_its_bodies() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let check = |of_all: &str, key: &str, header: Option<&str>, expected: Option<&str>| {
        let gateway = Gateway::with(&format!(
            "records: {{bodies: {of_all}}}\nauth: {{keys: [pk-plain, {{key: pk-off, bodies: off}}, {{key: pk-full, bodies: full}}, \
             {{key: pk-errors, bodies: errors}}], admin_keys: [pk-admin]}}"
        ));
        let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header("x-ostia-api-key", key);
        let ask = header.map_or(ask.clone(), |debug| ask.clone().header("x-ostia-debug", debug));
        assert_eq!(ask.to(&gateway).status, 200);
        let admin =
            |path: &str| Ask::new("GET", path).header("x-ostia-api-key", "pk-admin").to(&gateway).json();
        let one = once(|| match &admin("/v1/logs")["data"][0] {
            Value::Null => Err("nothing is written".to_owned()),
            one => Ok(one.clone()),
        });
        let one = admin(&format!("/v1/logs/{}", one["id"].as_str().unwrap()));
        for side in ["request", "response"] {
            assert_eq!(one[side]["missing"].as_str(), expected, "{of_all} {key}: {one}");
            assert_eq!(one[side]["body"].is_object(), expected.is_none(), "{of_all} {key}: {one}");
        }
    };
    check("full", "pk-plain", None, None);
    check("full", "pk-off", None, Some("off"));
    check("full", "pk-errors", None, Some("no_error"));
    check("off", "pk-plain", None, Some("off"));
    check("off", "pk-full", None, None);
    check("off", "pk-full", Some("false"), Some("off"));
}

#[test]
fn logs_on_a_terminal() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = Gateway::start();
    Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway);
    listed(&gateway, 1);
    let data = gateway.folder().join("data").display().to_string();
    let run = |args: &[&str]| {
        let setup =
            args.iter().fold(Setup::new().env("OSTIA_DATA", &data).arg("logs"), |setup, arg| setup.arg(arg));
        let output = setup.run();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (is_good, text) = run(&["export", "--bodies"]);
    assert!(is_good && crate::json(&text)["request"]["body"] == crate::json(&body(false)), "{text}");
    assert_eq!(run(&["export", "--session", "none"]), (true, String::new()));
    let (is_good, text) = run(&[]);
    assert!(is_good && text.contains("openai/gpt-4o-mini tokens=9+2 cost=0.00000255 USD"), "{text}");
    assert_eq!(crate::json(&run(&["--json"]).1)["status"], 200);
    let other = |args: &[&str]| {
        let setup = args.iter().fold(Setup::new().env("OSTIA_DATA", &data), |setup, arg| setup.arg(arg));
        let output = setup.run();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (is_good, text) = other(&["top", "--once", "--since", "1h"]);
    let line = text.lines().find(|line| line.starts_with("gpt-4o-mini ")).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(is_good && words[..6] == ["gpt-4o-mini", "1", "0", "9", "2", "0.0000"], "{text}");
    // At another price, while the gateway runs.
    let file = gateway.folder().join("prices.yaml");
    std::fs::write(&file, "prices: {openai/gpt-4o-mini: {input: 1.5, output: 2}}\n").unwrap();
    let reprice = ["reprice", "--since", "1h", "--config", file.to_str().unwrap()];
    for changed in [1, 0] {
        let (is_good, text) = other(&reprice);
        let expected = format!("1 of 1 requests gone through, {changed} cost something else now.");
        assert!(is_good && text.trim() == expected, "{text}");
    }
    let summary = asked(&gateway, "/v1/analytics/summary?since=1h");
    assert_eq!(summary["total"]["cost"], json!({"USD": "0.0000175"}), "{summary}");
    assert!(!other(&["reprice", "--since", "soon"]).0);
    assert_eq!(run(&["--status", "error"]), (true, String::new()));
    assert!(!run(&["--status", "good"]).0);
}
