//! Clients that do not read, do not finish, or end half of their connection; and the end of the gateway itself.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Gate, Step, Upstream};

use crate::gateway::Gateway;
use crate::wire::{Ask, Open, PATIENCE};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const STREAM: &str =
    r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
/// Far more than the sockets on the way hold.
const LARGE: usize = 64 << 20;

/// A stream of OpenAI's that begins and then says nothing more.
fn stalled(gate: &Gate) -> Answer {
    let begun = format!(
        "data: {}\n\n",
        openai::chunk(&serde_json::json!({"content": "On the"}), &serde_json::Value::Null)
    );
    let answer = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    answer.then(Step::Send(begun.into_bytes())).then(Step::Wait(gate.clone())).then(Step::Stall)
}

#[test]
fn a_client_that_never_reads_is_cut_off_when_its_time_is_over() {
    let events = format!(
        "data: {}\n\n",
        openai::chunk(&serde_json::json!({"content": "x"}), &serde_json::Value::Null)
    );
    let events = events.repeat(100).into_bytes();
    let stream = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    let stream = stream.then(Step::Repeat(events, LARGE / 10_000));
    let whole = Answer::with("application/octet-stream", vec![b'x'; LARGE]);
    for (path, body, answer) in [
        ("/v1/chat/completions", STREAM, &stream),
        ("/v1/messages", STREAM, &stream),
        ("/v1/files", "{}", &whole),
    ] {
        let gateway = Gateway::with("timeouts: { first_byte: 1s, total: 2s }");
        let upstream = Upstream::always(answer.clone());
        let provider = if path == "/v1/files" { "openai" } else { "groq" };
        let began = Instant::now();
        let open = Ask::post_at(&upstream, provider, path, body).open(&gateway);
        assert!(upstream.wait_for_leaving(1, PATIENCE), "{path}: the provider is let go");
        assert!(began.elapsed() > Duration::from_secs(1), "{path}: {:?}", began.elapsed());
        drop(open);
    }
}

#[test]
fn a_client_that_ends_its_half_after_the_request_gets_its_answer() {
    let gateway = Gateway::start();
    let late = |answer: Answer| answer.first(Step::Pause(Duration::from_millis(1500)));
    for (answer, body, words) in [
        (Answer::json(openai::chat("Rome")), CHAT, "Rome"),
        (late(Answer::json(openai::chat("Rome"))), CHAT, "Rome"),
        (Answer::stream(openai::chat_stream(&["On the", " Tiber"])), STREAM, "[DONE]"),
        (late(Answer::stream(openai::chat_stream(&["On the", " Tiber"]))), STREAM, "[DONE]"),
    ] {
        let upstream = Upstream::always(answer);
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body);
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        stream.write_all(&ask.bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&text);
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_client_that_leaves_before_its_answer_is_noticed() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json("{}").first(Step::Stall));
    drop(Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT).open(&gateway));
    assert!(upstream.wait_for_leaving(1, PATIENCE));
}

#[test]
fn what_is_open_when_the_gateway_stops_ends_with_an_error_in_the_clients_words() {
    let mut gateway = Gateway::with("timeouts: { drain: 1s }");
    let gate = Gate::default();
    let chat = Upstream::always(stalled(&gate));
    let events = anthropic::message_stream(&["On the", " Tiber"]);
    let first: String = events.split_inclusive("\n\n").take(3).collect();
    let messages = Answer::empty().header("content-type", "text/event-stream").framing(Framing::Chunked);
    let messages = Upstream::always(messages.then(Step::Send(first.into_bytes())).then(Step::Stall));
    let silent = Upstream::always(Answer::json("{}").first(Step::Stall));
    let mut opens = Vec::new();
    for (upstream, provider, path, body, told) in [
        (&chat, "openai", "/v1/chat/completions", STREAM, "gateway_stopping"),
        (&chat, "groq", "/v1/messages", STREAM, "event: error"),
        (&messages, "anthropic", "/v1/messages", STREAM, "event: error"),
        (&messages, "anthropic", "/v1/chat/completions", STREAM, "gateway_stopping"),
        (
            &messages,
            "anthropic",
            "/v1/responses",
            r#"{"model":"m","stream":true,"input":"x"}"#,
            "response.failed",
        ),
    ] {
        let mut open = Ask::post_at(upstream, provider, path, body).open(&gateway);
        assert!(open.read_words("data: ", PATIENCE), "{path} at {provider} has begun");
        opens.push((open, path, told));
    }
    let waiting = Ask::post_at(&silent, "openai", "/v1/chat/completions", CHAT).open(&gateway);
    assert!(silent.wait_for_requests(1, PATIENCE));
    let mut half = Open::connect(&gateway);
    half.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: loc");
    gateway.terminate();
    for (open, path, told) in opens {
        let reply = open.finish();
        assert!(reply.text().contains(told), "{path}: {}", reply.text());
        assert!(reply.text().contains("shutting down"), "{path}: {}", reply.text());
        assert!(!reply.whole, "{path}: nobody takes it for the whole");
    }
    let reply = waiting.finish();
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (503, Some("gateway_stopping")));
    assert!(gateway.wait(Duration::from_secs(4)).is_some_and(|status| status.success()));
    drop(half);
}

#[test]
fn half_a_head_does_not_hold_up_the_end() {
    let mut gateway = Gateway::start();
    let mut open = Open::connect(&gateway);
    open.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: loc");
    let mut idle = Ask::new("GET", "/health").open(&gateway);
    assert_eq!(idle.next().status, 200);
    gateway.terminate();
    assert!(gateway.wait(Duration::from_secs(5)).is_some_and(|status| status.success()));
}

#[test]
fn a_second_signal_does_not_wait() {
    let mut gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json("{}").first(Step::Stall));
    let open = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT).open(&gateway);
    assert!(upstream.wait_for_requests(1, PATIENCE));
    gateway.terminate();
    std::thread::sleep(Duration::from_millis(300));
    gateway.terminate();
    assert_eq!(open.finish().status, 503);
    assert!(gateway.wait(Duration::from_secs(5)).is_some_and(|status| status.success()));
}

#[test]
fn a_hangup_is_no_end() {
    let gateway = Gateway::start();
    let id = gateway.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    gateway.says("is reloaded");
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
}
