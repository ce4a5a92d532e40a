//! What a client says while an answer is under way (`response.steer`), in front of providers that know nothing of it.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::responses::{answer, connect, create, hear, id_of, said, turn, turns};
use super::tools::Socket;
use crate::gateway::Gateway;

fn steer(socket: &mut Socket, previous: &Value, input: &Value) {
    let event = json!({"type": "response.steer", "previous_response_id": previous, "input": input});
    socket.send(Message::text(event.to_string())).unwrap();
}

/// An answer of which only the beginning comes before the test wants the rest.
fn in_two(stream: &str, gate: &Gate) -> Answer {
    let middle = stream.find("\n\n").unwrap() + 2;
    Answer::stream(stream).split_after(middle, Step::Wait(gate.clone()))
}

/// Asks, and waits until the answer has an id.
fn begun(socket: &mut Socket, fields: &Value) -> Value {
    create(socket, fields);
    let created = hear(socket);
    assert_eq!(created["type"], "response.created", "{created}");
    created["response"]["id"].clone()
}

/// The next event of this kind.
fn hear_kind(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let event = hear(socket);
        if event["type"] == kind {
            return event;
        }
        assert_ne!(event["type"], "error", "{event}");
    }
}

#[test]
fn what_is_said_meanwhile_is_the_next_turn() {
    for store in [true, false] {
        let gateway = Gateway::start();
        let gate = Gate::new();
        let upstream = Upstream::in_turn(vec![
            in_two(&anthropic::message_stream(&["A long plan"]), &gate),
            Answer::stream(anthropic::message_stream(&["A short plan"])),
        ]);
        let mut socket = connect(&gateway, &upstream, "anthropic");
        let fields =
            json!({"input": "Plan it.", "stream_id": "main", "store": store, "max_output_tokens": 7});
        let first = begun(&mut socket, &fields);
        steer(&mut socket, &first, &json!("Keep it small."));
        steer(&mut socket, &first, &json!([{"role": "user", "content": "And cheap."}]));
        let mut events = vec![hear_kind(&mut socket, "response.steer.accepted")];
        gate.open();
        events.extend(answer(&mut socket));
        let accepted: Vec<&Value> =
            events.iter().filter(|event| event["type"] == "response.steer.accepted").collect();
        assert_eq!(accepted.len(), 2);
        for event in &accepted {
            assert_eq!(
                (&event["steer"]["previous_response_id"], &event["stream_id"]),
                (&first, &json!("main"))
            );
            assert!(event["steer"]["id"].as_str().unwrap().starts_with("steer_"), "{event}");
        }
        let numbers: Vec<u64> =
            events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
        let from = numbers[0];
        assert_eq!(numbers, (from..from + numbers.len() as u64).collect::<Vec<_>>(), "{events:?}");
        assert_eq!(id_of(&events), first.as_str().unwrap());
        // The next answer comes by itself, with the settings of the one before.
        let next = answer(&mut socket);
        assert_eq!(
            (next[0]["type"].as_str(), said(&next).as_str()),
            (Some("response.created"), "A short plan")
        );
        assert!(next.iter().all(|event| event["stream_id"] == "main"));
        assert_ne!(id_of(&next), first.as_str().unwrap());
        let told: String =
            turns(&upstream).into_iter().map(|(role, text)| format!("{role}: {text}|")).collect();
        assert!(told.starts_with("user: Plan it.|assistant: A long plan|user: "), "{told}");
        assert!(told.contains("Keep it small.") && told.contains("And cheap."), "{told}");
        assert_eq!(upstream.last().json()["max_tokens"], 7);
        assert_eq!(upstream.count(), 2);
    }
}

#[test]
fn what_is_said_waits_for_results_of_tools() {
    for (waits, id) in [(true, "anthropic"), (false, "anthropic"), (true, "mistral")] {
        let gateway = Gateway::start();
        let gate = Gate::new();
        let call = json!({"role": "assistant", "tool_calls": [
            {"index": 0, "id": "toolu_01", "type": "function", "function": {"name": "status", "arguments": "{}"}}]});
        let (tool, text) = match id {
            "anthropic" => (anthropic::tool_stream("status", &["{}"]), anthropic::message_stream(&["Done"])),
            _ => (
                format!(
                    "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
                    openai::chunk(&call, &Value::Null),
                    openai::chunk(&json!({}), &json!("tool_calls"))
                ),
                openai::chat_stream(&["Done"]),
            ),
        };
        let upstream = Upstream::in_turn(vec![in_two(&tool, &gate), Answer::stream(text)]);
        let mut socket = connect(&gateway, &upstream, id);
        let tools = json!([{"type": "function", "name": "status", "parameters": {"type": "object"}}]);
        let fields = json!({"input": "How far?", "store": false, "max_output_tokens": 9, "tools": tools});
        let first = begun(&mut socket, &fields);
        steer(&mut socket, &first, &json!("Be brief."));
        hear_kind(&mut socket, "response.steer.accepted");
        let result = json!({"store": false, "max_output_tokens": 9, "tools": tools, "previous_response_id": first,
                            "input": [{"type": "function_call_output", "call_id": "toolu_01", "output": "half"}]});
        if !waits {
            // The client may be quicker: then there is nothing to wait for.
            create(&mut socket, &result);
        }
        gate.open();
        id_of(&answer(&mut socket));
        if waits {
            let pending = hear(&mut socket);
            assert_eq!(
                (&pending["type"], &pending["reason"], &pending["required_input"]),
                (
                    &json!("response.steer.pending"),
                    &json!("waiting_for_required_input"),
                    &json!([{"type": "function_call_output", "call_id": "toolu_01", "name": "status"}])
                )
            );
            create(&mut socket, &result);
        }
        let next = answer(&mut socket);
        assert_eq!((said(&next).as_str(), upstream.count()), ("Done", 2), "{next:?}");
        let body = upstream.last().text();
        assert!(body.contains("Be brief.") && body.contains("half"), "{body}");
        // A result stands right behind its call, as vendors want it.
        let roles: Vec<String> =
            turns_of(&upstream.last().json()).iter().map(|(role, _)| role.clone()).collect();
        match id {
            "anthropic" => assert_eq!(roles, ["user", "assistant", "user"], "{body}"),
            _ => assert_eq!(roles, ["user", "assistant", "tool", "user"], "{body}"),
        }
    }
}

fn turns_of(body: &Value) -> Vec<(String, Value)> {
    let turn = |turn: &Value| (turn["role"].as_str().unwrap().to_owned(), turn["content"].clone());
    body["messages"].as_array().unwrap().iter().map(turn).collect()
}

#[test]
fn what_cannot_be_said_is_given_back() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let upstream = Upstream::serve(move |_| in_two(&anthropic::message_stream(&["Hi"]), &gate));
    let mut socket = connect(&gateway, &upstream, "anthropic");
    let fields = |lane: &str| json!({"input": "x", "stream_id": lane, "max_output_tokens": 9});
    let check = |socket: &mut Socket, previous: &Value, input: Value, code: &str, lane: Value| {
        steer(socket, previous, &input);
        let failed = hear_kind(socket, "response.steer.failed");
        assert_eq!(
            (&failed["error"]["code"], &failed["error"]["type"], &failed["stream_id"]),
            (&json!(code), &json!("invalid_request_error"), &lane),
            "{failed}"
        );
        assert_eq!((&failed["steer"]["input"], &failed["steer"]["previous_response_id"]), (&input, previous));
        assert!(failed["steer"].get("id").is_none() && failed["sequence_number"].is_u64(), "{failed}");
    };
    check(&mut socket, &json!("resp_x"), json!("a"), "response_not_found", Value::Null);
    let one = begun(&mut socket, &fields("a"));
    check(&mut socket, &one, json!([]), "invalid_input", json!("a"));
    check(&mut socket, &one, json!([{"role": "system", "content": "x"}]), "invalid_input", json!("a"));
    let mut bound = fields("b");
    bound["context_management"] = json!([{"type": "compaction", "compact_threshold": 1000}]);
    let other = begun(&mut socket, &bound);
    check(&mut socket, &other, json!("a"), "steering_not_supported", json!("b"));
    // So much may wait.
    for _ in 0..16 {
        steer(&mut socket, &one, &json!("more"));
        hear_kind(&mut socket, "response.steer.accepted");
    }
    check(&mut socket, &one, json!("too much"), "too_many_pending_steers", json!("a"));
    drop(socket);
    // An event that lacks what it has to have is no input that could be given back.
    let quick = Upstream::always(Answer::stream(anthropic::message_stream(&["Hi"])));
    let mut socket = connect(&gateway, &quick, "anthropic");
    for (event, param) in [
        (json!({"type": "response.steer", "input": "x"}), "previous_response_id"),
        (json!({"type": "response.steer", "previous_response_id": "resp_1"}), "input"),
    ] {
        socket.send(Message::text(event.to_string())).unwrap();
        let error = hear(&mut socket);
        assert_eq!((&error["type"], &error["error"]["param"]), (&json!("error"), &json!(param)));
    }
    create(&mut socket, &fields("a"));
    let ended = json!(id_of(&answer(&mut socket)));
    check(&mut socket, &ended, json!("late"), "response_already_completed", Value::Null);
}

#[test]
fn what_is_queued_is_given_back_where_no_answer_follows() {
    let gateway = Gateway::start();
    let gates = [Gate::new(), Gate::new()];
    let stream = anthropic::message_stream(&["Hi"]);
    let fails = Answer::json(anthropic::error("invalid_request_error", "no")).status(400);
    let broken = |gate: &Gate| {
        let (one, _) = stream.split_at(stream.find("\n\n").unwrap() + 2);
        Answer::stream(one).then(Step::Wait(gate.clone())).then(Step::Cut)
    };
    let upstream = Upstream::in_turn(vec![in_two(&stream, &gates[0]), fails, broken(&gates[1])]);
    let mut socket = connect(&gateway, &upstream, "anthropic");
    let fields = json!({"input": "x", "store": false, "max_output_tokens": 9});
    for (ended, gate) in ["response.completed", "error"].into_iter().zip(&gates) {
        let first = begun(&mut socket, &fields);
        steer(&mut socket, &first, &json!("more"));
        let accepted = hear_kind(&mut socket, "response.steer.accepted");
        gate.open();
        let events = answer(&mut socket);
        let last = events.last().unwrap();
        assert!(last["type"] == ended || ended == "error" && last["type"] == "response.failed", "{last}");
        if ended == "response.completed" {
            assert_eq!(hear(&mut socket)["status"], 400);
        }
        let failed = hear(&mut socket);
        assert_eq!(
            (&failed["type"], &failed["error"]["code"], &failed["steer"]["id"]),
            (&json!("response.steer.failed"), &json!("successor_creation_failed"), &accepted["steer"]["id"]),
            "{failed}"
        );
        assert_eq!(failed["steer"]["input"], "more");
    }
    assert_eq!(turns(&upstream).last(), Some(&turn("user", "x")));
}
