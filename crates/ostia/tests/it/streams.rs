//! Streams are streams: at once, no faster than the client, and no longer than anybody listens.

use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Gate, Step, Upstream};

use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

const BODY: &str = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
/// Within this time an event has to be with the client. The machine may be busy.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Provider, path, and a stream in two halves; the words in the first.
fn halves() -> Vec<(&'static str, &'static str, String, String)> {
    let cut = |stream: String| {
        let at = stream.find("second").unwrap();
        let at = stream[..at].rfind("\n\n").unwrap() + 2;
        (stream[..at].to_owned(), stream[at..].to_owned())
    };
    let (openai, openai_rest) = cut(openai::chat_stream(&["first", "second"]));
    let (anthropic, anthropic_rest) = cut(anthropic::message_stream(&["first", "second"]));
    vec![
        ("openai", "/v1/chat/completions", openai, openai_rest),
        ("anthropic", "/v1/messages", anthropic.clone(), anthropic_rest.clone()),
        ("anthropic", "/v1/chat/completions", anthropic, anthropic_rest),
    ]
}

#[test]
fn an_event_is_there_before_the_next_is_sent() {
    let gateway = Gateway::start();
    for (provider, path, first, second) in halves() {
        for framing in [Framing::Chunked, Framing::Close] {
            let gate = Gate::new();
            let answer = Answer::stream(first.clone())
                .then(Step::Wait(gate.clone()))
                .then(Step::Send(second.clone().into()));
            let upstream = Upstream::always(answer.framing(framing));
            let mut open = Ask::post_at(&upstream, provider, path, BODY).open(&gateway);
            assert!(upstream.wait_for_requests(1, PATIENCE));
            let start = Instant::now();
            assert!(open.read_words("first", PATIENCE), "{provider} {path}");
            assert!(start.elapsed() < AT_ONCE, "{provider} {path}: {:?}", start.elapsed());
            gate.open();
            let reply = open.finish();
            assert!(reply.whole && reply.text().contains("second"), "{provider} {path}");
        }
    }
}

#[test]
fn the_head_does_not_wait_for_the_first_event() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let answer = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    let answer = answer.then(Step::Wait(gate.clone())).then(Step::Send(openai::chat_stream(&["a"]).into()));
    let upstream = Upstream::always(answer);
    let mut open = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).open(&gateway);
    assert!(open.read_until(PATIENCE, |reply| reply.status == 200).is_some());
    gate.open();
    assert!(open.finish().whole);
}

#[test]
fn passed_through_bodies_are_not_held_either() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let answer = Answer::with("application/octet-stream", "first").framing(Framing::Chunked);
    let upstream = Upstream::always(answer.then(Step::Wait(gate.clone())).then(Step::Send("second".into())));
    let mut open = Ask::new("GET", "/v1/proxy/x").at(&upstream, "openai").open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    gate.open();
    assert_eq!(open.finish().text(), "firstsecond");
}

#[test]
fn a_slow_client_holds_the_upstream_back() {
    let gateway = Gateway::start();
    let upstream_bytes: u64 = 200 << 20;
    let event = format!(
        "data: {}\n\n",
        openai::chunk(&serde_json::json!({"content": "x".repeat(16_000)}), &serde_json::Value::Null)
    );
    let events = upstream_bytes as usize / event.len();
    let anthropic_event = format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{}\"}}}}\n\n",
        "x".repeat(16_000)
    );
    let start = anthropic::message_stream(&["first"]);
    let start = &start[..start.find("event: content_block_stop").unwrap()];
    for (provider, path, answer) in [
        (
            "openai",
            "/v1/chat/completions",
            Answer::stream(event.clone()).then(Step::Repeat(event.into(), events)),
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            Answer::stream(start).then(Step::Repeat(anthropic_event.into(), events)),
        ),
    ] {
        let upstream = Upstream::always(answer);
        let idle_kib = gateway.resident_kib();
        let mut open = Ask::post_at(&upstream, provider, path, BODY).open(&gateway);
        assert!(open.read_until(PATIENCE, |reply| !reply.body.is_empty()).is_some());
        // The client reads no more: what is under way fills the buffers of three sockets, and then all stand still.
        let sent = standstill(&upstream);
        let kib = gateway.resident_kib();
        assert!(sent < 32 << 20, "{provider}: {sent} bytes were sent to a client that does not read");
        assert!(kib < idle_kib + (20 << 10), "{provider}: {idle_kib} KiB grew to {kib} KiB");
        drop(open);
        assert!(upstream.wait_for_leaving(1, Duration::from_secs(1)), "{provider}");
    }
}

/// Waits until no more bytes are sent.
fn standstill(upstream: &Upstream) -> u64 {
    let end = Instant::now() + PATIENCE;
    let mut sent = upstream.sent_bytes();
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(250));
        let now = upstream.sent_bytes();
        if now == sent {
            break;
        }
        sent = now;
    }
    sent
}

#[test]
fn a_client_that_leaves_ends_the_call() {
    let gateway = Gateway::start();
    for (provider, path, first, _) in halves() {
        // In the middle of the stream.
        let upstream = Upstream::always(Answer::stream(first).then(Step::Stall));
        let mut open = Ask::post_at(&upstream, provider, path, BODY).open(&gateway);
        assert!(open.read_words("first", PATIENCE));
        drop(open);
        assert!(upstream.wait_for_leaving(1, Duration::from_secs(1)), "{provider} {path}: in the middle");
        // Before there is an answer, and before its first event.
        let headless = Answer::empty().first(Step::Stall);
        let bodiless = Answer::empty()
            .header("content-type", "text/event-stream")
            .framing(Framing::Chunked)
            .then(Step::Stall);
        for answer in [headless, bodiless] {
            let upstream = Upstream::always(answer);
            let open = Ask::post_at(&upstream, provider, path, BODY).open(&gateway);
            assert!(upstream.wait_for_requests(1, PATIENCE));
            drop(open);
            assert!(upstream.wait_for_leaving(1, Duration::from_secs(1)), "{provider} {path}: before");
        }
    }
    let upstream = Upstream::always(Answer::with("x/y", "first").framing(Framing::Chunked).then(Step::Stall));
    let mut open = Ask::new("GET", "/v1/files/x/content").at(&upstream, "openai").open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    drop(open);
    assert!(upstream.wait_for_leaving(1, Duration::from_secs(1)), "passed through");
}

#[test]
fn an_upstream_that_falls_silent_is_given_up() {
    let gateway = Gateway::with("timeouts: { idle: 200ms, first_byte: 300ms }");
    for (provider, path, first, _) in halves() {
        let upstream = Upstream::always(Answer::stream(first).then(Step::Stall));
        let start = Instant::now();
        let reply = Ask::post_at(&upstream, provider, path, BODY).to(&gateway);
        let told = format!("{provider} {path}: {}", reply.text());
        assert!(start.elapsed() < Duration::from_secs(3), "{told}");
        assert!(!reply.whole && reply.text().contains("first"), "{told}");
        assert!(reply.text().contains("\"error\"") && reply.text().contains("timeout_error"), "{told}");
        assert!(upstream.wait_for_leaving(1, Duration::from_secs(1)), "{told}");
        let upstream = Upstream::always(Answer::empty().first(Step::Stall));
        let reply = Ask::post_at(&upstream, provider, path, BODY).to(&gateway);
        assert_eq!(reply.status, 504, "{provider} {path}: {}", reply.text());
        assert!(reply.text().contains("timeout_error"));
    }
}

#[test]
fn slow_but_steady_is_fine() {
    let gateway = Gateway::with("timeouts: { idle: 400ms, first_byte: 400ms }");
    let stream = openai::chat_stream(&["a", "b", "c", "d"]);
    let events: Vec<&str> = stream.split_inclusive("\n\n").collect();
    let answer = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    let answer = events.iter().fold(answer, |answer, event| {
        answer.then(Step::Send(event.as_bytes().to_vec())).then(Step::Pause(Duration::from_millis(100)))
    });
    let upstream = Upstream::always(answer);
    let reply = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).to(&gateway);
    assert_eq!((reply.text(), reply.whole), (stream.as_str(), true));
}

#[test]
fn an_event_without_end_is_not_collected_forever() {
    let gateway = Gateway::start();
    for (provider, path, _, _) in halves() {
        let upstream = Upstream::always(
            Answer::stream("data: {\"x\":\"").then(Step::Repeat(vec![b'x'; 64 << 10], 3000)),
        );
        let reply = Ask::post_at(&upstream, provider, path, BODY).to(&gateway);
        assert!(!reply.whole && reply.text().contains("event of more than"), "{provider} {path}");
        assert!(upstream.wait_for_leaving(1, PATIENCE), "{provider} {path}");
    }
    assert!(gateway.resident_kib() < 250 << 10, "{} KiB", gateway.resident_kib());
}

#[test]
fn many_streams_at_once() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream_in(["a", "b"].map(|text| {
        format!("data: {}\n\n", openai::chunk(&serde_json::json!({"content": text}), &"stop".into()))
    })));
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY);
    let opens: Vec<_> = (0..100).map(|_| ask.open(&gateway)).collect();
    for open in opens {
        let reply = open.finish();
        assert!(reply.whole && reply.text().ends_with("data: [DONE]\n\n"));
    }
    assert_eq!(upstream.count(), 100);
}
