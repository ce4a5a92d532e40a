//! What the record of a request says of its answer, however that was carried.

use ostia_testkit::vendor::{anthropic, cohere, gemini, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE, once};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// A request at this path. What is no conversation has a field more than it needs.
fn body(stream: bool) -> String {
    json!({"model": "m", "stream": stream, "max_tokens": 9, "input": "x", "prompt": "x",
           "messages": [{"role": "user", "content": "x"}]})
    .to_string()
}

fn record(gateway: &Gateway, trace_id: &str) -> Value {
    Ask::new("GET", &format!("/v1/explain/{trace_id}")).to(gateway).json()
}

/// What the record says of this answer to a request at this path: tokens read and written, and why it ended.
#[track_caller]
fn check(provider: &str, path: &str, answer: Answer, is_stream: bool, tokens: (u64, u64), finish: Value) {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(answer));
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": provider, "custom_host": upstream.url(), "api_key": "k"}]});
    let alone = Ask::post_at(&upstream, provider, path, body(is_stream)).header("x-ostia-trace-id", "alone");
    let routed = Ask::post(path, body(is_stream))
        .header("x-ostia-config", &config.to_string())
        .header("x-ostia-trace-id", "routed");
    for (ask, trace_id) in [(alone, "alone"), (routed, "routed")] {
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{provider} {path}: {}", reply.text());
        let told = record(&gateway, trace_id);
        let usage = &told["usage"];
        assert_eq!(
            (&usage["prompt_tokens"], &usage["completion_tokens"], &told["finish_reason"]),
            (&json!(tokens.0), &json!(tokens.1), &finish),
            "{provider} {path} {trace_id}: {told}"
        );
        assert_eq!(usage["total_tokens"], json!(tokens.0 + tokens.1));
        assert_eq!(told["first_token_ms"].is_u64(), is_stream, "{provider} {path} {trace_id}: {told}");
    }
}

#[test]
fn whole_answers() {
    let whole = |provider, path, text: String, tokens, finish: Value| {
        check(provider, path, Answer::json(text), false, tokens, finish);
    };
    whole("openai", CHAT, openai::chat("a"), (9, 2), json!("stop"));
    whole("openai", "/v1/completions", openai::completion("a"), (5, 7), json!("stop"));
    whole("openai", "/v1/embeddings", openai::embeddings(&[&[0.5]]), (8, 0), Value::Null);
    whole("openai", RESPONSES, openai::response("a").to_string(), (9, 2), json!("stop"));
    whole("anthropic", MESSAGES, anthropic::message("a"), (10, 3), json!("stop"));
    let vector = r#"{"data":[{"embedding":[0.5],"index":0}],"usage":{"total_tokens":4}}"#;
    whole("voyage", "/v1/embeddings", vector.to_owned(), (4, 0), Value::Null);
    let usage = r#""usage":{"input_tokens":3,"output_tokens":272,"total_tokens":275}"#;
    let picture = format!(r#"{{"data":[{{"b64_json":"aGk="}}],{usage}}}"#);
    whole("openai", "/v1/images/generations", picture, (3, 272), Value::Null);
    // Translated.
    whole("anthropic", CHAT, anthropic::message("a"), (10, 3), json!("stop"));
    whole("google", CHAT, gemini::generate("a"), (7, 2), json!("stop"));
    whole("openai", MESSAGES, openai::chat("a"), (9, 2), json!("stop"));
    whole("cohere", "/v1/embeddings", cohere::embed(&[&[0.5]]), (4, 0), Value::Null);
}

#[test]
fn streams() {
    let stream = |provider, path, text: String, tokens| {
        check(provider, path, Answer::stream(text), true, tokens, json!("stop"));
    };
    stream("openai", CHAT, openai::chat_stream_with_usage(&["a", "b"]), (9, 2));
    stream("anthropic", MESSAGES, anthropic::message_stream(&["a", "b"]), (10, 3));
    stream("openai", RESPONSES, openai::response_stream("ab"), (9, 2));
    // Translated.
    stream("anthropic", CHAT, anthropic::message_stream(&["a", "b"]), (10, 3));
    stream("google", MESSAGES, gemini::generate_stream(&["a", "b"]), (7, 2));
    stream("openai", MESSAGES, openai::chat_stream_with_usage(&["a", "b"]), (9, 2));
}

#[test]
fn an_attempt_that_failed_leaves_nothing_in_the_record() {
    let gateway = Gateway::start();
    let empty = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let (first, second) =
        (Upstream::always(Answer::json(empty)), Upstream::always(Answer::json(openai::chat("a"))));
    let target =
        |upstream: &Upstream| json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "k"});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [target(&first), target(&second)]});
    let ask = Ask::post(CHAT, body(false)).header("x-ostia-config", &config.to_string());
    assert_eq!(ask.header("x-ostia-trace-id", "t").to(&gateway).status, 200);
    assert_eq!((first.count(), second.count()), (1, 1));
    assert_eq!(record(&gateway, "t")["usage"]["prompt_tokens"], 9);
}

#[test]
fn a_stream_that_the_client_leaves_closes_its_record() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let stream = anthropic::message_stream(&["first", "second"]);
    let at = stream.find("second").and_then(|at| stream[..at].rfind("event: ")).unwrap();
    let answer = Answer::stream(stream[..at].to_owned()).then(Step::Wait(gate.clone()));
    let upstream = Upstream::always(answer);
    let ask = Ask::post_at(&upstream, "anthropic", MESSAGES, body(true)).header("x-ostia-trace-id", "left");
    let mut open = ask.open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    assert_eq!(record(&gateway, "left")["first_token_ms"], Value::Null);
    drop(open);
    once(|| match record(&gateway, "left") {
        record if record["first_token_ms"].is_null() => Err(record),
        _ => Ok(()),
    });
    gate.open();
}
