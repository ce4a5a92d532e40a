//! Several answers at once on one WebSocket of the Responses API: a lane for each (`stream_id`).

use std::collections::BTreeMap;
use std::time::Duration;

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use super::responses::{answer, connect, create, hear, id_of, said, turn, turns};
use super::tools::{Socket, close_of};
use crate::gateway::Gateway;
use crate::wire::PATIENCE;

/// The events of so many answers, by lane, each in its order.
fn answers(socket: &mut Socket, count: usize) -> BTreeMap<String, Vec<Value>> {
    let mut lanes = BTreeMap::<String, Vec<Value>>::new();
    let mut ended = 0;
    while ended < count {
        let event = hear(socket);
        let kind = event["type"].as_str().unwrap();
        ended += usize::from(["response.completed", "response.failed", "error"].contains(&kind));
        lanes.entry(event["stream_id"].as_str().unwrap_or_default().to_owned()).or_default().push(event);
    }
    lanes
}

/// An answer that waits for the test, if the request says so.
fn held(gate: &Gate, request: &Request, stream: String) -> Answer {
    let answer = Answer::stream(stream);
    match request.text().contains("wait") {
        true => answer.first(Step::Wait(gate.clone())),
        false => answer,
    }
}

#[test]
fn a_slow_lane_holds_up_no_other() {
    for (id, stream) in [
        ("mistral", openai::chat_stream(&["H", "i"])),
        ("anthropic", anthropic::message_stream(&["H", "i"])),
        ("google", gemini::generate_stream(&["H", "i"])),
    ] {
        let gateway = Gateway::start();
        let gate = Gate::new();
        let of_upstream = gate.clone();
        let upstream = Upstream::serve(move |request| held(&of_upstream, request, stream.clone()));
        let mut socket = connect(&gateway, &upstream, id);
        for (lane, input) in [("slow", "wait"), ("quick", "x"), ("slow", "x"), ("quick", "y")] {
            create(&mut socket, &json!({"input": input, "stream_id": lane, "max_output_tokens": 9}));
        }
        // The lane without a name is one of its own.
        create(&mut socket, &json!({"input": "x", "max_output_tokens": 9}));
        let first = answers(&mut socket, 3);
        assert_eq!(first.keys().map(String::as_str).collect::<Vec<_>>(), ["", "quick"], "{id}");
        assert_eq!((said(&first[""]), said(&first["quick"])), ("Hi".to_owned(), "HiHi".to_owned()), "{id}");
        assert!(first[""].iter().all(|event| event.get("stream_id").is_none()), "{id}");
        gate.open();
        assert_eq!(said(&answers(&mut socket, 2)["slow"]), "HiHi", "{id}");
        assert_eq!(upstream.count(), 5);
    }
}

#[test]
fn a_conversation_is_forked() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let of_upstream = gate.clone();
    let upstream =
        Upstream::serve(move |request| held(&of_upstream, request, anthropic::message_stream(&["A plan"])));
    let mut socket = connect(&gateway, &upstream, "anthropic");
    let fields = |input: &str, lane: &str, previous: &Value| json!({"input": input, "stream_id": lane, "store": false, "previous_response_id": previous, "max_output_tokens": 9});
    create(&mut socket, &fields("Plan it.", "planner", &Value::Null));
    let parent = json!(id_of(&answer(&mut socket)));
    create(&mut socket, &fields("wait: find gaps", "critic", &parent));
    create(&mut socket, &fields("Add steps", "planner", &parent));
    assert_eq!(answers(&mut socket, 1).keys().collect::<Vec<_>>(), ["planner"]);
    gate.open();
    id_of(&answers(&mut socket, 1)["critic"]);
    let asked = upstream.requests();
    assert_eq!(asked.len(), 3);
    for request in &asked[1..] {
        let turns = request.json()["messages"].as_array().unwrap().len();
        assert_eq!(turns, 3, "each goes on from the first: {}", request.text());
    }
    // And so does each branch from its own.
    let again = fields("Go on", "critic", &parent);
    create(&mut socket, &again);
    answer(&mut socket);
    assert_eq!(turns(&upstream).last(), Some(&turn("user", "Go on")));
}

#[test]
fn so_many_are_answered_at_once_and_the_others_wait() {
    const AT_ONCE: usize = 16;
    let gateway = Gateway::start();
    let gate = Gate::new();
    let stream = Answer::stream(openai::chat_stream(&["Hi"])).first(Step::Wait(gate.clone()));
    let upstream = Upstream::always(stream);
    let mut socket = connect(&gateway, &upstream, "mistral");
    for number in 0..AT_ONCE + 4 {
        create(&mut socket, &json!({"input": "x", "stream_id": format!("lane-{number}")}));
    }
    assert!(upstream.wait_for_requests(AT_ONCE, PATIENCE));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(upstream.count(), AT_ONCE);
    gate.open();
    let all = answers(&mut socket, AT_ONCE + 4);
    assert_eq!(all.len(), AT_ONCE + 4);
    assert!(all.values().all(|events| said(events) == "Hi"));
}

#[test]
fn what_is_wrong_in_a_lane_is_told_there() {
    let gateway = Gateway::start();
    let upstream = Upstream::serve(|request| match request.text().contains("fail") {
        true => Answer::json(openai::error("slowly", "rate_limit_error", "slow")).status(429),
        false => Answer::stream(openai::chat_stream(&["Hi"])),
    });
    let mut socket = connect(&gateway, &upstream, "mistral");
    create(&mut socket, &json!({"input": "fail", "stream_id": "a"}));
    create(&mut socket, &json!({"input": "x", "stream_id": "b"}));
    let both = answers(&mut socket, 2);
    assert_eq!((&both["a"][0]["status"], said(&both["b"]).as_str()), (&json!(429), "Hi"));
    for (fields, lane, code) in [
        (json!({"input": "x", "stream_id": ""}), Value::Null, json!("invalid_stream_id")),
        (json!({"input": "x", "stream_id": "a b"}), Value::Null, json!("invalid_stream_id")),
        (json!({"input": "x", "stream_id": "a", "background": true}), json!("a"), Value::Null),
    ] {
        create(&mut socket, &fields);
        let error = hear(&mut socket);
        assert_eq!(
            (&error["stream_id"], &error["status"], &error["error"]["code"]),
            (&lane, &json!(400), &code)
        );
    }
    for number in 0..31 {
        create(&mut socket, &json!({"input": "x", "generate": false, "stream_id": format!("l{number}")}));
        let events = answer(&mut socket);
        let error = events.last().unwrap();
        match number {
            // `a` and `b` are two of 32.
            0..30 => assert_eq!(error["type"], "response.completed"),
            _ => assert_eq!(error["error"]["code"], "websocket_stream_limit_reached"),
        }
        assert_eq!(error["stream_id"], format!("l{number}"));
    }
    create(&mut socket, &json!({"input": "x", "stream_id": "l7"}));
    assert_eq!(said(&answer(&mut socket)), "Hi");
}

#[test]
fn a_client_that_reads_nothing_holds_up_all_of_its_lanes() {
    const PIECES: usize = 40_000;
    let gateway = Gateway::start();
    let piece = format!("data: {}\n\n", openai::chunk(&json!({"content": "x".repeat(1000)}), &Value::Null));
    let stream = Answer::stream("").then(Step::Repeat(piece.into_bytes(), PIECES));
    let upstream = Upstream::always(stream);
    let mut socket = connect(&gateway, &upstream, "mistral");
    let before = gateway.resident_kib();
    for lane in ["a", "b", "c", "d"] {
        create(&mut socket, &json!({"input": "x", "stream_id": lane}));
    }
    assert!(upstream.wait_for_requests(4, PATIENCE));
    let moves = || {
        let sent = upstream.sent_bytes();
        std::thread::sleep(Duration::from_secs(1));
        upstream.sent_bytes() > sent
    };
    // What the sockets between hold of it.
    while moves() {
        assert!(upstream.sent_bytes() < (4 * PIECES * 1000 / 2) as u64, "{} bytes", upstream.sent_bytes());
    }
    assert!(gateway.resident_kib() < before + (16 << 10), "{} KiB", gateway.resident_kib() - before);
    drop(socket);
    assert!(upstream.wait_for_leaving(4, PATIENCE));
}

#[test]
fn a_client_that_leaves_takes_all_of_its_requests_with_it() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream("").then(Step::Stall));
    let mut socket = connect(&gateway, &upstream, "mistral");
    for lane in ["a", "b"] {
        create(&mut socket, &json!({"input": "x", "stream_id": lane}));
    }
    assert!(upstream.wait_for_requests(2, PATIENCE));
    drop(socket);
    assert!(upstream.wait_for_leaving(2, PATIENCE));
}

#[test]
fn all_lanes_are_answered_before_the_gateway_stops() {
    let mut gateway = Gateway::with("timeouts: { drain: 20s }");
    let gate = Gate::new();
    let stream = Answer::stream(openai::chat_stream(&["Hi"])).first(Step::Wait(gate.clone()));
    let upstream = Upstream::always(stream);
    let mut socket = connect(&gateway, &upstream, "mistral");
    for lane in ["a", "b"] {
        create(&mut socket, &json!({"input": "x", "stream_id": lane}));
    }
    assert!(upstream.wait_for_requests(2, PATIENCE));
    gateway.terminate();
    gate.open();
    let both = answers(&mut socket, 2);
    assert!(["a", "b"].iter().all(|lane| said(&both[*lane]) == "Hi"));
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1012));
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
}
