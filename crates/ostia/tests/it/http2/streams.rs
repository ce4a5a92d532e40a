//! Streams side by side.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Gate, Step, Upstream};
use serde_json::{Value, json};

use super::client::{Http2, run};
use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

const STREAM: &str =
    r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// A stream of OpenAI's that is held back in its middle.
fn held(gate: &Gate) -> Answer {
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let at = stream[..at].rfind("\n\n").unwrap() + 2;
    Answer::stream(stream[..at].to_owned())
        .then(Step::Wait(gate.clone()))
        .then(Step::Send(stream[at..].into()))
}

/// A stream of OpenAI's that stops in its middle.
fn stalled() -> Answer {
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let answer = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    answer.then(Step::Send(stream[..at].into())).then(Step::Stall)
}

/// A stream that does not end soon.
fn long(bytes: usize) -> Answer {
    let event = format!("data: {}\n\n", openai::chunk(&json!({"content": "x"}), &Value::Null)).repeat(100);
    let stream = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    stream.then(Step::Repeat(event.clone().into_bytes(), bytes / event.len()))
}

#[test]
fn a_hundred_streams_on_one_connection() {
    let gateway = Gateway::with("workers: 1");
    let gate = Gate::new();
    let upstream = Upstream::always(held(&gate));
    run(async {
        let client = Http2::to(&gateway).await;
        let mut replies = Vec::new();
        for at in 0..100 {
            let path = if at % 2 == 0 { "/v1/chat/completions" } else { "/v1/messages" };
            let mut reply = client.ask(&Ask::post_at(&upstream, "groq", path, STREAM)).await;
            reply.read_words("first").await;
            replies.push(reply);
        }
        gate.open();
        for (at, mut reply) in replies.into_iter().enumerate() {
            let (text, broken) = reply.rest().await;
            let end = if at % 2 == 0 { "[DONE]" } else { "message_stop" };
            assert!(broken.is_none() && text.contains("second") && text.contains(end), "{at}: {text}");
        }
    });
    assert_eq!(upstream.count(), 100);
}

#[test]
fn a_slow_reader_holds_up_nobody() {
    let gateway = Gateway::with("workers: 1");
    let much = Upstream::always(long(64 << 20));
    let little = Upstream::always(Answer::json(openai::chat("Rome")));
    run(async {
        let client = Http2::with_window(&gateway, 64 << 10).await;
        let slow = [
            Ask::post_at(&much, "openai", "/v1/chat/completions", STREAM),
            Ask::post_at(&much, "groq", "/v1/messages", STREAM),
            Ask::new("GET", "/v1/files/f").at(&much, "openai"),
        ];
        let mut unread = Vec::new();
        for ask in &slow {
            unread.push(client.ask(ask).await);
        }
        let before = gateway.resident_kib();
        for _ in 0..200 {
            let reply = client.ask(&Ask::post_at(&little, "openai", "/v1/chat/completions", CHAT)).await;
            assert!(reply.text().await.contains("Rome"));
        }
        // What they do not read is not read from the providers either.
        let grown = gateway.resident_kib().saturating_sub(before);
        assert!(grown < 8 << 10, "{grown} KiB");
        assert!(much.sent_bytes() < 32 << 20, "{}", much.sent_bytes());
    });
}

#[test]
fn a_stream_that_the_client_resets_cancels_its_call_alone() {
    let gateway = Gateway::start();
    let (silent, gate) = (Upstream::always(Answer::json("{}").first(Step::Stall)), Gate::new());
    let (open, left) = (Upstream::always(held(&gate)), Upstream::always(stalled()));
    run(async {
        let client = Http2::to(&gateway).await;
        let mut other = client.ask(&Ask::post_at(&open, "openai", "/v1/chat/completions", STREAM)).await;
        let mut begun = client.ask(&Ask::post_at(&left, "openai", "/v1/chat/completions", STREAM)).await;
        begun.read_words("first").await;
        let (request, _) = Ask::post_at(&silent, "openai", "/v1/chat/completions", "").request("http");
        let (_response, mut stream) = client.send.clone().send_request(request, false).unwrap();
        stream.send_data(CHAT.into(), true).unwrap();
        let blocking = |upstream: Upstream, count| {
            tokio::task::spawn_blocking(move || {
                assert!(upstream.wait_for_requests(count, PATIENCE));
                upstream
            })
        };
        let silent = blocking(silent, 1).await.unwrap();
        // Before its head, and in the middle of its body.
        stream.send_reset(h2::Reason::CANCEL);
        drop(begun);
        let left = tokio::task::spawn_blocking(move || {
            (silent.wait_for_leaving(1, PATIENCE), left.wait_for_leaving(1, PATIENCE))
        });
        assert_eq!(left.await.unwrap(), (true, true));
        gate.open();
        assert!(other.rest().await.0.contains("[DONE]"));
    });
    gateway.says(" 499 POST /v1/chat/completions");
}

#[test]
fn a_connection_that_ends_cancels_all_of_its_calls() {
    let gateway = Gateway::start();
    let silent = Upstream::always(Answer::json("{}").first(Step::Stall));
    let begun = Upstream::always(stalled());
    run(async {
        let client = Http2::to(&gateway).await;
        for _ in 0..3 {
            let mut reply = client.ask(&Ask::post_at(&begun, "openai", "/v1/chat/completions", STREAM)).await;
            reply.read_words("first").await;
            std::mem::forget(reply);
        }
        let (request, _) = Ask::new("GET", "/v1/files/f").at(&silent, "openai").request("http");
        let waiting = client.send.clone().send_request(request, true).unwrap();
        let silent = tokio::task::spawn_blocking(move || {
            assert!(silent.wait_for_requests(1, PATIENCE));
            silent
        });
        let silent = silent.await.unwrap();
        client.driver.abort();
        let left = tokio::task::spawn_blocking(move || {
            (silent.wait_for_leaving(1, PATIENCE), begun.wait_for_leaving(3, PATIENCE))
        });
        assert_eq!(left.await.unwrap(), (true, true));
        drop(waiting);
    });
}

#[test]
fn a_stream_that_is_not_read_is_reset_when_its_time_is_over() {
    let gateway = Gateway::with("timeouts: { first_byte: 1s, total: 2s }");
    let much = Upstream::always(long(64 << 20));
    run(async {
        let client = Http2::with_window(&gateway, 64 << 10).await;
        let began = Instant::now();
        let mut reply = client.ask(&Ask::post_at(&much, "openai", "/v1/chat/completions", STREAM)).await;
        let left = tokio::task::spawn_blocking(move || much.wait_for_leaving(1, PATIENCE));
        assert!(left.await.unwrap(), "the provider is let go");
        assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(reply.rest().await.1, Some(h2::Reason::CANCEL));
        assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200, "the connection stays");
    });
}

#[test]
fn signs_of_life_and_late_answers_are_each_streams_own() {
    let gateway = Gateway::with("timeouts: { keep_alive: 200ms }");
    let gate = Gate::new();
    let chat = Upstream::always(held(&gate));
    // Its provider is there, and says nothing yet.
    let late = Answer::stream(": thinking\n\n").then(Step::Wait(gate.clone()));
    let message = anthropic::message_stream(&["first", "second"]);
    let late = Upstream::always(late.then(Step::Send(message.into())));
    let target = json!({"provider": "anthropic", "api_key": "k", "custom_host": late.url()});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [target, target]}).to_string();
    run(async {
        let client = Http2::to(&gateway).await;
        let mut chat = client.ask(&Ask::post_at(&chat, "openai", "/v1/chat/completions", STREAM)).await;
        let ask = Ask::post("/v1/messages", STREAM).header("x-ostia-config", &config);
        let mut late = client.ask(&ask).await;
        assert_eq!(late.status, 200, "it begins before it is known whose it is");
        late.read_words(": keep-alive").await;
        chat.read_words(": keep-alive").await;
        gate.open();
        assert!(chat.rest().await.0.contains("[DONE]"));
        assert!(late.rest().await.0.contains("message_stop"));
    });
}

#[test]
fn the_error_of_a_broken_stream_comes_before_its_end() {
    let gateway = Gateway::start();
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let upstream = Upstream::always(Answer::stream(stream.clone()).broken_after(at, Step::Reset));
    run(async {
        // The second one has to wait for the client before the error fits.
        for window in [1 << 20, 300] {
            let client = Http2::with_window(&gateway, window).await;
            for (path, words) in [("/v1/chat/completions", "\"error\""), ("/v1/messages", "event: error")] {
                let mut reply = client.ask(&Ask::post_at(&upstream, "groq", path, STREAM)).await;
                let (text, reason) = reply.rest().await;
                assert!(text.contains("first") && text.contains(words), "{path} {window}: {text}");
                // Whoever was told in full needs no broken end as well.
                assert!(matches!(reason, None | Some(h2::Reason::INTERNAL_ERROR)), "{path}: {reason:?}");
            }
        }
    });
}
