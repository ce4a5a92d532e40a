//! The end of the gateway, as streams see it.

use std::time::Duration;

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Gate, Step, Upstream};

use super::client::{Http2, run};
use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

const STREAM: &str =
    r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;

/// The first part of a stream, and the rest of it.
fn halves(stream: &str) -> (Vec<u8>, Vec<u8>) {
    let at = stream.find("second").unwrap();
    let at = stream[..at].rfind("\n\n").unwrap() + 2;
    (stream[..at].into(), stream[at..].into())
}

#[test]
fn open_streams_come_to_their_end_and_no_other_one_begins() {
    let mut gateway = Gateway::with("workers: 1");
    let gate = Gate::new();
    let (first, rest) = halves(&openai::chat_stream(&["first", "second"]));
    let upstream =
        Upstream::always(Answer::stream(first).then(Step::Wait(gate.clone())).then(Step::Send(rest)));
    run(async {
        let client = Http2::to(&gateway).await;
        let idle = Http2::to(&gateway).await;
        assert_eq!(idle.ask(&Ask::new("GET", "/health")).await.status, 200);
        let mut replies = Vec::new();
        for _ in 0..5 {
            let mut reply =
                client.ask(&Ask::post_at(&upstream, "openai", "/v1/chat/completions", STREAM)).await;
            reply.read_words("first").await;
            replies.push(reply);
        }
        gateway.terminate();
        idle.ended().await.unwrap();
        // Told that none is taken any more, the client opens none.
        let refused = loop {
            match client.try_ask(&Ask::new("GET", "/ready")).await {
                Ok(reply) => assert!(matches!(reply.status, 200 | 503)),
                Err(error) => break error,
            }
        };
        assert!(refused.is_go_away() || refused.is_io() || refused.reason().is_some(), "{refused:?}");
        gate.open();
        for mut reply in replies {
            let (text, broken) = reply.rest().await;
            assert!(broken.is_none() && text.contains("[DONE]"), "{text}");
        }
        client.ended().await.unwrap();
    });
    assert_eq!(gateway.wait(Duration::from_secs(5)).and_then(|status| status.code()), Some(0));
}

#[test]
fn what_is_open_when_the_gateway_stops_ends_with_an_error_in_its_clients_words() {
    for at_once in [false, true] {
        let drain = if at_once { "1h" } else { "1s" };
        let mut gateway = Gateway::with(&format!("timeouts: {{ drain: {drain}, total: 1h }}"));
        let stalled = |stream: &str| {
            let answer = Answer::empty().header("content-type", "text/event-stream");
            answer.framing(Framing::Chunked).then(Step::Send(halves(stream).0)).then(Step::Stall)
        };
        let chat = Upstream::always(stalled(&openai::chat_stream(&["first", "second"])));
        let messages = Upstream::always(stalled(&anthropic::message_stream(&["first", "second"])));
        let silent = Upstream::always(Answer::json("{}").first(Step::Stall));
        run(async {
            let client = Http2::to(&gateway).await;
            let mut replies = Vec::new();
            for (upstream, provider, path, body, told) in [
                (&chat, "openai", "/v1/chat/completions", STREAM, "gateway_stopping"),
                (&chat, "groq", "/v1/messages", STREAM, "event: error"),
                (&messages, "anthropic", "/v1/chat/completions", STREAM, "gateway_stopping"),
                (
                    &messages,
                    "anthropic",
                    "/v1/responses",
                    r#"{"model":"m","stream":true,"input":"x"}"#,
                    "response.failed",
                ),
            ] {
                let mut reply = client.ask(&Ask::post_at(upstream, provider, path, body)).await;
                reply.read_words("first").await;
                replies.push((reply, path, told));
            }
            let waiting = Ask::post_at(&silent, "openai", "/v1/chat/completions", STREAM);
            let waiting = client.try_ask(&waiting);
            let ended = async {
                let asked = tokio::task::spawn_blocking(move || {
                    assert!(silent.wait_for_requests(1, PATIENCE));
                    silent
                });
                let _silent = asked.await.unwrap();
                gateway.terminate();
                if at_once {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    gateway.terminate();
                }
                for (mut reply, path, told) in replies {
                    let (text, _) = reply.rest().await;
                    assert!(text.contains(told), "{path}: {text}");
                }
            };
            let (waiting, ()) = tokio::join!(waiting, ended);
            let waiting = waiting.unwrap();
            assert_eq!(waiting.status, 503);
            assert_eq!(waiting.json().await["error"]["code"], "gateway_stopping");
        });
        assert_eq!(gateway.wait(Duration::from_secs(5)).and_then(|status| status.code()), Some(0));
    }
}

#[test]
fn whoever_is_connected_already_is_served() {
    let mut gateway = Gateway::with("workers: 2");
    // While it stands still clients are let in by the system alone.
    gateway.signal("STOP");
    let asked = |gateway: &Gateway| {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(gateway.address).unwrap();
        stream.write_all(&super::frames::opening("/v1/models")).unwrap();
        stream
    };
    let asked: Vec<_> = (0..50).map(|_| asked(&gateway)).collect();
    gateway.terminate();
    gateway.signal("CONT");
    for mut stream in asked {
        let frames = super::frames::read_all(&mut stream);
        assert!(frames.iter().any(|frame| frame.kind == 0 && !frame.payload.is_empty()), "{frames:?}");
    }
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
}
