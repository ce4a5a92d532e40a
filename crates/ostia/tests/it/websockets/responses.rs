//! The Responses API over a WebSocket, in front of providers that know nothing of it.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::tools::{Client, Socket, close, close_of};
use crate::gateway::{Gateway, Setup};
use crate::wire::PATIENCE;

pub(super) fn connect(gateway: &Gateway, upstream: &Upstream, id: &str) -> Socket {
    let client = Client::new("/v1/responses")
        .header("x-ostia-provider", id)
        .header("x-ostia-custom-host", &upstream.url())
        .header("authorization", "Bearer sk-client")
        .header("openai-beta", "responses_websockets=2026-02-06");
    client.to(gateway).0
}

/// `response.create` with these fields besides.
pub(super) fn create(socket: &mut Socket, fields: &Value) {
    let mut event = json!({"type": "response.create", "model": "m"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    socket.send(Message::text(event.to_string())).unwrap();
}

pub(super) fn hear(socket: &mut Socket) -> Value {
    match socket.read().unwrap() {
        Message::Text(text) => crate::json(&text),
        other => panic!("{other:?}"),
    }
}

/// The events of one answer.
pub(super) fn answer(socket: &mut Socket) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let event = hear(socket);
        let kind = event["type"].as_str().unwrap().to_owned();
        events.push(event);
        if ["response.completed", "response.incomplete", "response.failed", "error"].contains(&kind.as_str())
        {
            return events;
        }
    }
}

pub(super) fn said(events: &[Value]) -> String {
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    deltas.map(|event| event["delta"].as_str().unwrap()).collect()
}

pub(super) fn id_of(events: &[Value]) -> &str {
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed", "{last}");
    last["response"]["id"].as_str().unwrap()
}

/// What an upstream of Anthropic's was told: role and text of each turn.
pub(super) fn turns(upstream: &Upstream) -> Vec<(String, String)> {
    let body = upstream.last().json();
    let text = |content: &Value| match content.as_array() {
        Some(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        None => content.as_str().unwrap().to_owned(),
    };
    let turn = |turn: &Value| (turn["role"].as_str().unwrap().to_owned(), text(&turn["content"]));
    body["messages"].as_array().unwrap().iter().map(turn).collect()
}

pub(super) fn turn(role: &str, text: &str) -> (String, String) {
    (role.into(), text.into())
}

#[test]
fn a_conversation_is_led_on_one_connection() {
    let upstream = Upstream::in_turn(vec![
        Answer::stream(anthropic::message_stream(&["Ro", "me"])),
        Answer::stream(anthropic::message_stream(&["On the Tiber"])),
    ]);
    for store in [true, false] {
        let gateway = Setup::new().arg("--log").arg("access=info").start();
        let mut socket = connect(&gateway, &upstream, "anthropic");
        create(&mut socket, &json!({"input": "Which city?", "store": store, "max_output_tokens": 9}));
        let first = answer(&mut socket);
        let numbers: Vec<_> = first.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..first.len() as u64).collect::<Vec<_>>());
        assert_eq!((first[0]["type"].as_str(), said(&first).is_empty()), (Some("response.created"), false));
        let fields = json!({"input": [{"role": "user", "content": "Where?"}], "store": store,
                            "previous_response_id": id_of(&first), "max_output_tokens": 9});
        create(&mut socket, &fields);
        id_of(&answer(&mut socket));
        let told = turns(&upstream);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!((&told[0], &told[2]), (&turn("user", "Which city?"), &turn("user", "Where?")));
        assert_eq!(told[1].0, "assistant");
        assert_eq!(upstream.last().header("openai-beta"), None);
        socket.close(None).unwrap();
        close_of(&mut socket);
        // Each is a request of its own, and so is the connection.
        gateway.wait_until(|| gateway.printed().matches("/v1/responses").count() == 3);
        let printed = gateway.printed();
        let posts: Vec<_> = printed.lines().filter(|line| line.contains("POST")).collect();
        assert_eq!(posts.len(), 2, "{printed}");
        assert!(posts.iter().all(|line| line.contains("anthropic") && line.contains("200")), "{printed}");
    }
}

#[test]
fn a_provider_that_has_the_api_is_sent_all_that_it_did_not_keep() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream(openai::response_stream("Rome")));
    let mut socket = connect(&gateway, &upstream, "openai");
    create(&mut socket, &json!({"input": "Which city?", "store": false}));
    let first = answer(&mut socket);
    assert_eq!(said(&first), "Rome");
    // As it came, but for what is of the connection.
    let body = upstream.last().json();
    assert_eq!(body, json!({"model": "m", "input": "Which city?", "store": false, "stream": true}));
    create(&mut socket, &json!({"input": [], "store": false, "previous_response_id": id_of(&first)}));
    answer(&mut socket);
    let body = upstream.last().json();
    let items = body["input"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["content"], &items[1]["id"]),
        (2, &json!("Which city?"), &json!("msg_1"))
    );
    assert!(body.get("previous_response_id").is_none());
    // What it keeps itself it is asked for by name.
    create(&mut socket, &json!({"input": [], "previous_response_id": "resp_of_its_own"}));
    answer(&mut socket);
    assert_eq!(upstream.last().json()["previous_response_id"], "resp_of_its_own");
}

#[test]
fn a_request_may_only_prepare_the_next() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream(anthropic::message_stream(&["Hi"])));
    let mut socket = connect(&gateway, &upstream, "anthropic");
    create(&mut socket, &json!({"input": "Be brief.", "generate": false, "store": false}));
    let prepared = answer(&mut socket);
    assert_eq!((prepared.len(), upstream.count()), (2, 0));
    assert_eq!(prepared[1]["response"]["output"], json!([]));
    let fields = json!({"input": [{"role": "user", "content": "Hello"}], "store": false,
                        "previous_response_id": id_of(&prepared), "max_output_tokens": 9});
    create(&mut socket, &fields);
    assert_eq!(said(&answer(&mut socket)), "Hi");
    let words: String = turns(&upstream).into_iter().map(|(_, text)| text).collect();
    assert!(words.contains("Be brief.") && words.contains("Hello"), "{words}");
}

#[test]
fn errors_are_events_and_the_connection_goes_on() {
    let gateway = Gateway::start();
    let refusal =
        Answer::json(anthropic::error("rate_limit_error", "slowly")).status(429).header("retry-after", "7");
    let broken =
        Answer::stream(anthropic::message_stream(&["Half of an answer"])).broken_after(700, Step::Cut);
    let upstream = Upstream::in_turn(vec![
        refusal,
        Answer::json(anthropic::error("invalid_request_error", "no")).status(400),
        broken,
        Answer::stream(anthropic::message_stream(&["Whole"])),
    ]);
    let mut socket = connect(&gateway, &upstream, "anthropic");
    let fields = &json!({"input": "x", "max_output_tokens": 9, "stream_id": "main"});
    create(&mut socket, fields);
    let error = hear(&mut socket);
    assert_eq!(
        (&error["type"], &error["status"], &error["stream_id"]),
        (&json!("error"), &json!(429), &json!("main"))
    );
    assert!(error["error"]["message"].as_str().unwrap().contains("slowly"), "{error}");
    assert_eq!(error["headers"]["retry-after"], "7");
    create(&mut socket, fields);
    assert_eq!(hear(&mut socket)["status"], 400);
    create(&mut socket, fields);
    let events = answer(&mut socket);
    let last = events.last().unwrap();
    assert!(
        events.len() > 1 && ["error", "response.failed"].contains(&last["type"].as_str().unwrap()),
        "{last}"
    );
    for (message, param) in [
        (Message::text(r#"{"type":"response.create","model":7}"#), json!("model")),
        (Message::text(r#"{"type":"response.cancel"}"#), json!("type")),
        (Message::text(r#"{"type":"response.create","background":true}"#), json!("background")),
        (Message::text("hello"), Value::Null),
        (Message::binary(vec![1]), Value::Null),
        (
            Message::text(
                r#"{"type":"response.create","model":"m","previous_response_id":"resp_x","input":"x"}"#,
            ),
            json!("previous_response_id"),
        ),
    ] {
        socket.send(message.clone()).unwrap();
        let error = hear(&mut socket);
        assert_eq!(
            (&error["type"], &error["status"], &error["error"]["param"]),
            (&json!("error"), &json!(400), &param),
            "{message:?}"
        );
    }
    create(&mut socket, fields);
    let events = answer(&mut socket);
    assert_eq!(said(&events), "Whole");
    assert!(events.iter().all(|event| event["stream_id"] == "main"));
}

#[test]
fn one_of_a_lane_is_answered_after_the_other() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let upstream = Upstream::in_turn(vec![
        Answer::stream(openai::chat_stream(&["one"])).first(Step::Wait(gate.clone())),
        Answer::stream(openai::chat_stream(&["two"])),
    ]);
    let mut socket = connect(&gateway, &upstream, "mistral");
    for _ in 0..2 {
        create(&mut socket, &json!({"input": "x", "stream_id": "a"}));
    }
    assert!(upstream.wait_for_requests(1, PATIENCE));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(upstream.count(), 1);
    // Pings are answered meanwhile.
    socket.send(Message::Ping("there?".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("there?".into()));
    gate.open();
    for text in ["one", "two"] {
        let events = answer(&mut socket);
        assert_eq!(said(&events), text);
        assert!(events.iter().all(|event| event["stream_id"] == "a"), "{events:?}");
    }
}

#[test]
fn a_client_that_leaves_takes_its_request_with_it() {
    for says_so in [true, false] {
        let gateway = Gateway::start();
        let mut stream =
            Answer::stream_in(["data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"]);
        stream = stream.then(Step::Stall);
        let upstream = Upstream::always(stream);
        let mut socket = connect(&gateway, &upstream, "mistral");
        create(&mut socket, &json!({"input": "x"}));
        assert_eq!(hear(&mut socket)["type"], "response.created");
        if says_so {
            socket.close(close(1000, "")).unwrap();
            close_of(&mut socket);
        }
        drop(socket);
        assert!(upstream.wait_for_leaving(1, PATIENCE));
    }
}

#[test]
fn each_request_follows_the_config() {
    let busy = Upstream::always(Answer::json("{}").status(503));
    let upstream = Upstream::always(Answer::stream(anthropic::message_stream(&["Hi"])));
    let gateway = Gateway::start();
    let config = json!({
        "strategy": {"mode": "fallback"},
        "targets": [
            {"provider": "openai", "api_key": "sk-1", "custom_host": busy.url()},
            {"provider": "anthropic", "api_key": "sk-2", "custom_host": upstream.url(), "override_params": {"max_tokens": 7}},
        ],
    });
    let client = Client::new("/v1/responses").header("x-ostia-config", &config.to_string());
    let (mut socket, agreed) = client.to(&gateway);
    assert!(agreed.headers().contains_key("x-ostia-trace-id"));
    for number in 1..=2 {
        create(&mut socket, &json!({"input": "x"}));
        assert_eq!(said(&answer(&mut socket)), "Hi");
        assert_eq!((busy.count(), upstream.count()), (number, number));
    }
}

#[test]
fn a_key_is_wanted_before_anything_is_said() {
    let upstream = Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])));
    let file = format!(
        "auth: {{ keys: [gw-1] }}\nproviders: {{ mistral: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-1 }} }}\ndefault_provider: mistral\n",
        upstream.url()
    );
    let gateway = Gateway::with(&file);
    assert_eq!(Client::new("/v1/responses").refused_by(&gateway).status(), 401);
    let (mut socket, _) = Client::new("/v1/responses").header("authorization", "Bearer gw-1").to(&gateway);
    create(&mut socket, &json!({"input": "x"}));
    let events = answer(&mut socket);
    assert_eq!(said(&events), "Hi", "{events:?}");
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-1"));
}

#[test]
fn it_may_be_open_for_so_long() {
    let gateway = Gateway::with("websockets: { total: 400ms, idle: 10s }");
    let upstream = Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])));
    let mut socket = connect(&gateway, &upstream, "mistral");
    create(&mut socket, &json!({"input": "x"}));
    answer(&mut socket);
    let error = hear(&mut socket);
    assert_eq!(error["error"]["code"], "websocket_connection_limit_reached");
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1000));
    let gateway = Gateway::with("websockets: { idle: 300ms, frame_bytes: 1KiB }");
    let mut socket = connect(&gateway, &upstream, "mistral");
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1001));
    let mut socket = connect(&gateway, &upstream, "mistral");
    create(&mut socket, &json!({"input": "x".repeat(2000)}));
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1009));
}

#[test]
fn the_gateway_stops_when_it_has_answered() {
    let mut gateway = Gateway::with("timeouts: { drain: 20s }");
    let gate = Gate::new();
    let upstream =
        Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])).first(Step::Wait(gate.clone())));
    let mut idle = connect(&gateway, &upstream, "mistral");
    let mut busy = connect(&gateway, &upstream, "mistral");
    create(&mut busy, &json!({"input": "x"}));
    assert!(upstream.wait_for_requests(1, PATIENCE));
    let asked = Instant::now();
    gateway.terminate();
    assert_eq!(close_of(&mut idle).map(|(code, _)| code), Some(1012));
    gate.open();
    assert_eq!(said(&answer(&mut busy)), "Hi");
    assert_eq!(close_of(&mut busy).map(|(code, _)| code), Some(1012));
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

#[test]
fn a_client_that_waits_hears_that_the_connection_lives() {
    let gateway = Gateway::with("timeouts: { keep_alive: 100ms }\nwebsockets: { idle: 400ms }");
    let gate = Gate::new();
    let upstream =
        Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])).first(Step::Wait(gate.clone())));
    let mut socket = connect(&gateway, &upstream, "mistral");
    // What a client says counts, if it is only that it is there.
    for _ in 0..8 {
        socket.send(Message::Ping("".into())).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong("".into()));
        std::thread::sleep(Duration::from_millis(100));
    }
    create(&mut socket, &json!({"input": "x"}));
    for _ in 0..3 {
        assert_eq!(socket.read().unwrap(), Message::Ping("".into()));
    }
    gate.open();
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["type"] != "response.completed") {
        if let Message::Text(text) = socket.read().unwrap() {
            events.push(crate::json(&text));
        }
    }
    assert_eq!(said(&events), "Hi");
}

#[test]
fn a_key_that_is_taken_away_opens_nothing_on_an_open_connection() {
    let upstream = Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])));
    let file = |key: &str| {
        let url = upstream.url();
        format!(
            "auth: {{ keys: [{key}] }}\nproviders: {{ own: {{ base_url: '{url}', dialects: [openai_chat], auth: none }} }}\n\
             default_provider: own\n"
        )
    };
    let gateway = Gateway::with(&file("gw-1"));
    let (mut socket, _) = Client::new("/v1/responses").header("authorization", "Bearer gw-1").to(&gateway);
    create(&mut socket, &json!({"input": "x"}));
    assert_eq!(said(&answer(&mut socket)), "Hi");
    gateway.write("ostia.yaml", &file("gw-2"));
    assert!(gateway.reload().status.success());
    create(&mut socket, &json!({"input": "x"}));
    assert_eq!(hear(&mut socket)["error"]["code"], "websocket_connection_limit_reached");
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1000));
    assert_eq!(upstream.count(), 1);
}
