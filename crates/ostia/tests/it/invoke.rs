//! Clients of Messages in front of Anthropic's models at Bedrock: relayed to InvokeModel, whose streams are Messages inside of
//! Amazon's binary messages.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ostia_testkit::event_stream::{chunk, exception};
use ostia_testkit::model::{Call, Speech, Turn};
use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::{anthropic, bedrock};
use ostia_testkit::{Answer, Framing, Request, Step, Upstream, split};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const PATH: &str = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const PROOF: &str = "cHJvb2Y=";

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::with(&format!("providers:\n  bedrock:\n    base_url: '{}'\n    local: true\n", upstream.url()))
}

fn ask(path: &str, more: Value) -> Ask {
    let mut body =
        json!({"model": MODEL, "max_tokens": 4000, "messages": [{"role": "user", "content": "Hello"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Ask::post(path, body.to_string())
        .header("x-ostia-provider", "bedrock")
        .header("x-api-key", "sk-client")
        .header("anthropic-version", "2023-06-01")
}

fn messages(more: Value) -> Ask {
    ask("/v1/messages?beta=true", more)
}

/// Server-sent events of Messages, as InvokeModelWithResponseStream wraps them.
fn wrapped(events: &str) -> Vec<u8> {
    crate::data_of(events).into_iter().flat_map(|data| chunk(&crate::json(data))).collect()
}

/// A stream in these pieces, each a chunk that arrives alone.
fn in_pieces<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Answer {
    let answer = Answer::empty().header("content-type", bedrock::STREAM).framing(Framing::Chunked);
    pieces.into_iter().fold(answer, |answer, piece| answer.then(Step::Send(piece.as_ref().to_vec())))
}

/// A vendor that refuses what Bedrock refuses, and else thinks, speaks and calls.
fn vendor(request: &Request) -> Answer {
    if let Err(refusal) = Vendor::Invoke.check(request, PROOF) {
        return Vendor::Invoke.refuse(&refusal);
    }
    let call = Call {
        id: "toolu_1".into(),
        namespace: None,
        name: "look".into(),
        arguments: json!({"city": "Rome"}),
    };
    let thought = Some(("I have to look.".to_owned(), PROOF.to_owned()));
    let turn = Turn { thought, text: Some("Hi thére".into()), calls: vec![call] };
    let stream = request.target.ends_with("/invoke-with-response-stream");
    let answer = Speech::Messages.answer(&turn, stream);
    match stream {
        true => in_pieces([wrapped(&String::from_utf8(answer.body()).unwrap())]),
        false => answer,
    }
}

/// Events as a client reads them, the data as JSON.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let blocks = reply.text().split("\n\n").filter(|block| !block.is_empty());
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
    };
    blocks.map(|block| (field(block, "event: "), crate::json(&field(block, "data: ")))).collect()
}

#[test]
fn what_a_messages_client_says_arrives_and_what_the_model_says_comes_back() {
    let upstream = Upstream::serve(vendor);
    let gateway = gateway(&upstream);
    let tool = json!({"type": "bash_20250124", "name": "bash"});
    let more = json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "tools": [tool], "service_tier": "auto",
                      "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}});
    let betas = "context-management-2025-06-27,oauth-2025-04-20";
    let whole = messages(more.clone()).header("anthropic-beta", betas).to(&gateway);
    let seen = upstream.last();
    assert_eq!(
        (whole.status, seen.target.as_str()),
        (200, format!("{PATH}/invoke").as_str()),
        "{}",
        whole.text()
    );
    assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
    assert_eq!((seen.header("anthropic-beta"), seen.header("anthropic-version")), (None, None));
    assert_eq!(seen.json()["anthropic_beta"], json!(["context-management-2025-06-27"]));
    assert_eq!(
        (&seen.json()["tools"], &seen.json()["context_management"]),
        (&json!([tool]), &more["context_management"])
    );
    assert_eq!(whole.header("x-ostia-dropped"), Some("service_tier, anthropic-beta.oauth-2025-04-20"));
    let mut streamed = more;
    streamed["stream"] = json!(true);
    let reply = messages(streamed).header("anthropic-beta", betas).to(&gateway);
    assert_eq!(upstream.last().target, format!("{PATH}/invoke-with-response-stream"));
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let said = events(&reply);
    assert!(said.iter().all(|(name, data)| data["type"] == name.as_str()), "{said:?}");
    assert_eq!(said.last().unwrap().0, "message_stop");
    for words in ["I have", "Hi", "look", "Rome"] {
        assert!(whole.text().contains(words) && reply.text().contains(words), "{words}: {}", reply.text());
    }
}

#[test]
fn streams_over_cuts() {
    let stream = wrapped(&anthropic::message_stream(&["Hi", " thére"]));
    let whole =
        events(&messages(json!({"stream": true})).to(&gateway(&Upstream::always(in_pieces([&stream])))));
    for (cut, pieces) in split::sample(&stream) {
        let upstream = Upstream::always(in_pieces(&pieces));
        let reply = messages(json!({"stream": true})).to(&gateway(&upstream));
        assert_eq!((reply.status, events(&reply)), (200, whole.clone()), "{cut}");
    }
}

#[test]
fn failures_in_a_stream_are_events_of_anthropics() {
    let stream = wrapped(&anthropic::message_stream(&["Hi", "there"]));
    let first = wrapped(
        &anthropic::message_stream(&["Hi", "there"]).split("\n\n").take(4).collect::<Vec<_>>().join("\n\n"),
    );
    let mut spoiled = stream.clone();
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    for (name, stream, words) in [
        ("thrown", [first.clone(), exception("modelStreamErrorException", "it broke")].concat(), "it broke"),
        ("throttled", [first.clone(), exception("throttlingException", "too fast")].concat(), "too fast"),
        ("cut off", first.clone(), "before the answer was whole"),
        ("cut within", stream[..first.len() + 5].to_vec(), "within a message"),
        ("spoiled", spoiled, "checksum"),
    ] {
        let reply = messages(json!({"stream": true})).to(&gateway(&Upstream::always(in_pieces([stream]))));
        let said = events(&reply);
        let (event, data) = said.last().unwrap();
        assert_eq!((event.as_str(), &data["type"]), ("error", &json!("error")), "{name}: {}", reply.text());
        let message = data["error"]["message"].as_str().unwrap();
        assert!(message.contains(words) && data["error"]["type"].is_string(), "{name}: {data}");
        assert!(reply.text().contains("Hi"), "{name}: what came before counts");
    }
}

#[test]
fn an_exception_before_the_first_word_is_a_failed_attempt() {
    let spare = Upstream::always(Answer::stream(anthropic::message_stream(&["Hi"])));
    let upstream = Upstream::always(in_pieces([exception("throttlingException", "words")]));
    let gateway = Gateway::with(&format!(
        "providers:\n  bedrock: {{base_url: '{}', local: true}}\n  anthropic: {{base_url: '{}', local: true}}\n",
        upstream.url(),
        spare.url()
    ));
    let target = |id: &str| json!({"provider": id, "api_key": "sk"});
    let config =
        json!({"strategy": {"mode": "fallback"}, "targets": [target("bedrock"), target("anthropic")]});
    let reply = messages(json!({"stream": true}))
        .without("x-ostia-provider")
        .header("x-ostia-config", &config.to_string())
        .to(&gateway);
    assert_eq!(
        (reply.status, reply.header("x-ostia-provider")),
        (200, Some("anthropic")),
        "{}",
        reply.text()
    );
}

#[test]
fn refusals_have_anthropics_form_and_bedrocks_status() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
    ] {
        let upstream = Upstream::always(Answer::json(bedrock::error("the words")).status(status));
        for stream in [false, true] {
            let reply = messages(json!({"stream": stream}))
                .header("x-ostia-config", r#"{"retry":{"attempts":0}}"#)
                .to(&gateway(&upstream));
            assert_eq!(reply.status, status);
            assert_eq!(reply.json()["type"], "error");
            let error = &reply.json()["error"];
            assert_eq!((error["type"].as_str(), error["message"].as_str()), (Some(kind), Some("the words")));
        }
    }
}

/// A whole answer where a stream was asked for, and a stream where none was, are no answers.
#[test]
fn what_was_not_asked_for_is_told() {
    let whole = Answer::json(anthropic::message("Hi"));
    let stream = in_pieces([wrapped(&anthropic::message_stream(&["Hi"]))]);
    for (asks, answer) in [(true, whole), (false, stream)] {
        let reply = messages(json!({"stream": asks})).to(&gateway(&Upstream::always(answer)));
        assert_eq!((reply.status, reply.json()["type"].as_str()), (502, Some("error")), "{}", reply.text());
    }
}

#[test]
fn tokens_are_counted_in_the_clients_words() {
    let upstream = Upstream::always(Answer::json(r#"{"inputTokens":23}"#));
    let reply =
        ask("/v1/messages/count_tokens", json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}))
            .header("anthropic-beta", "context-1m-2025-08-07")
            .to(&gateway(&upstream));
    assert_eq!((reply.status, reply.json()), (200, json!({"input_tokens": 23})));
    let seen = upstream.last();
    assert_eq!(seen.target, format!("{}/count-tokens", PATH.replace("us.", "")));
    let body = BASE64_STANDARD.decode(seen.json()["input"]["invokeModel"]["body"].as_str().unwrap()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&body["anthropic_beta"], &body["tools"][0]["name"]),
        (&json!(["context-1m-2025-08-07"]), &json!("bash"))
    );
}

fn embed(model: &str, input: Value) -> Ask {
    Ask::post("/v1/embeddings", json!({"model": model, "input": input}).to_string())
        .header("x-ostia-provider", "bedrock")
        .header("authorization", "Bearer sk-client")
}

/// One text a call, and tokens in the body or in a header.
#[test]
fn a_list_of_texts_becomes_calls_of_one_each() {
    let upstream = Upstream::serve(|request| {
        let text: f64 = request.json()["inputText"].as_str().unwrap().parse().unwrap();
        let answer = Answer::json(json!({"embedding": [text]}).to_string());
        answer.header("x-amzn-bedrock-input-token-count", "2")
    });
    let gateway = gateway(&upstream);
    let texts: Vec<String> = (0..30).map(|at| at.to_string()).collect();
    let reply = embed("amazon.titan-embed-text-v2:0", json!(texts)).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = reply.json();
    let vectors: Vec<&Value> =
        answer["data"].as_array().unwrap().iter().map(|entry| &entry["embedding"][0]).collect();
    assert_eq!(
        vectors,
        (0..30).map(|at| json!(f64::from(at))).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    assert_eq!(answer["usage"], json!({"prompt_tokens": 60, "total_tokens": 60}));
    assert_eq!(upstream.last().target, "/model/amazon.titan-embed-text-v2%3A0/invoke");
    assert_eq!(upstream.requests().len(), 30);
    let none = embed("amazon.titan-embed-text-v2:0", json!(vec!["a"; 2049])).to(&gateway);
    assert_eq!(
        (none.status, none.json()["error"]["param"].as_str()),
        (400, Some("input")),
        "{}",
        none.text()
    );
}

/// Where one of several calls fails the request has failed, with that answer.
#[test]
fn one_call_of_several_that_fails_is_told() {
    let upstream = Upstream::serve(|request| match request.json()["inputText"].as_str() {
        Some("bad") => Answer::json(bedrock::error("the words")).status(400),
        _ => Answer::json(json!({"embedding": [1.0], "inputTextTokenCount": 1}).to_string()),
    });
    let gateway = gateway(&upstream);
    let reply = embed("amazon.titan-embed-text-v2:0", json!(["a", "b", "bad"])).to(&gateway);
    assert_eq!((reply.status, reply.json()["error"]["message"].as_str()), (400, Some("the words")));
    // What the others took is charged for, and by no more than they asked.
    let attempts = &crate::store::listed(&gateway, 1)[0]["attempts"];
    let told: Vec<_> =
        attempts.as_array().unwrap().iter().map(|attempt| &attempt["usage"]["prompt_tokens"]).collect();
    assert_eq!(told, [&json!(1), &json!(1), &Value::Null], "{attempts}");
    assert!(attempts[0]["usage_estimated"].is_null() && attempts[0]["outcome"] == "failed", "{attempts}");
}
