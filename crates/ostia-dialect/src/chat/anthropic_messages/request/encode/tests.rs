#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod output;
mod thinking;
mod tools;
mod turns;

use serde_json::{Value, json};

use crate::test_support::{encoded, function, raw, turn};
use crate::{
    Block, Citation, Content, Dialect, Fault, Logprobs, Media, MediaKind, Message, OutputFormat, Reasoning,
    Request, Role, Source, Tool, ToolChoice, ToolKind, WebSearch,
};

const SONNET: &str = "claude-sonnet-4-5";

/// A request with one user turn, changed by `change`.
fn request(change: impl FnOnce(&mut Request)) -> Request {
    let mut request = Request { model: SONNET.into(), ..Request::default() };
    request.messages.push(Message::text(Role::User, "Hi"));
    request.sampling.max_tokens = Some(100);
    change(&mut request);
    request
}

fn body(request: &Request) -> (Value, Vec<String>) {
    let encoded = encoded(Dialect::AnthropicMessages, request).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded.dropped)
}

/// The body is the plain one with these fields added or replaced, and just this is reported.
fn check(change: impl FnOnce(&mut Request), fields: Value, reported: &[&str]) {
    let request = request(change);
    let (body, dropped) = body(&request);
    let content = json!([{"type": "text", "text": "Hi"}]);
    let mut expected = json!({
        "model": request.model,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": content}],
    });
    for (name, value) in fields.as_object().unwrap() {
        expected[name] = value.clone();
    }
    assert_eq!(body, expected);
    assert_eq!(dropped, reported);
}

/// The whole conversation, as `system` and `messages`.
fn check_turns(messages: Vec<Message>, system: Value, turns: Value, reported: &[&str]) {
    let (body, dropped) = body(&request(|request| request.messages = messages));
    assert_eq!(body["messages"], turns);
    assert_eq!(body["system"], system);
    assert_eq!(dropped, reported);
}

fn check_fault(change: impl FnOnce(&mut Request), param: &str) {
    let Fault { status, param: blamed, .. } =
        encoded(Dialect::AnthropicMessages, &request(change)).unwrap_err();
    assert_eq!((status, blamed.as_deref()), (400, Some(param)));
}

fn call(id: &str, arguments: &str) -> Block {
    let (id, name, arguments) = (id.into(), "look".into(), arguments.into());
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

fn result(id: &str, content: Vec<Block>, is_error: bool) -> Message {
    let block = Block::new(Content::ToolResult { id: id.into(), name: None, content, is_error });
    turn(Role::Tool, vec![block])
}

fn marked(text: &str) -> Block {
    Block { cache_control: Some(raw(r#"{"type":"ephemeral"}"#)), ..Block::text(text) }
}

fn medium(kind: MediaKind, source: Source) -> Media {
    Media { kind, source, mime: None, name: None, detail: None }
}

#[test]
fn plain_request() {
    check(|_| {}, json!({}), &[]);
    check(|request| request.stream = true, json!({"stream": true}), &[]);
}

#[test]
fn max_tokens_are_made_up_only_where_absent() {
    for (model, tokens) in [
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-haiku-20241022", 8192),
        ("claude-opus-4-0", 32_000),
        (SONNET, 64_000),
        ("claude-opus-5", 64_000),
        ("some-other-model", 32_000),
    ] {
        let change = |request: &mut Request| {
            request.model = model.into();
            request.sampling.max_tokens = None;
        };
        check(change, json!({"max_tokens": tokens}), &[]);
    }
}

#[test]
fn another_end_user_in_the_metadata_is_lost() {
    for (id, reported) in [("u", &[][..]), ("v", &["metadata.user_id"][..])] {
        let change = |request: &mut Request| {
            request.user = Some("u".into());
            request.extra.push(("metadata".into(), raw(format!(r#"{{"user_id":"{id}"}}"#))));
        };
        check(change, json!({"metadata": {"user_id": "u"}}), reported);
    }
}

#[test]
fn headers_hold_what_was_asked_and_what_is_needed() {
    let headers =
        |change: fn(&mut Request)| encoded(Dialect::AnthropicMessages, &request(change)).unwrap().headers;
    assert_eq!(headers(|_| {}), []);
    let asked = headers(|request| {
        request.extra.push(("betas".into(), raw(r#"["a-1","b-2"]"#)));
        request.extra.push(("anthropic_beta".into(), raw(r#""b-2, c-3""#)));
        request.extra.push(("anthropic_version".into(), raw(r#""2023-06-01""#)));
        let file = medium(MediaKind::Image, Source::FileId("f1".into()));
        request.messages.push(turn(Role::User, vec![Block::new(Content::Media(file))]));
    });
    assert_eq!(asked, [("anthropic-beta", "b-2,c-3,a-1,files-api-2025-04-14".to_owned())]);
}

#[test]
fn sampling() {
    let sampled = |model: &str,
                   temperature: Option<&str>,
                   top_p: Option<&str>,
                   top_k: Option<&str>,
                   fields: Value,
                   reported: &[&str]| {
        let change = |request: &mut Request| {
            request.model = model.into();
            request.sampling.temperature = temperature.map(raw);
            request.sampling.top_p = top_p.map(raw);
            request.sampling.top_k = top_k.map(raw);
        };
        check(change, fields, reported);
    };
    let old = "claude-3-5-haiku-20241022";
    sampled(
        old,
        Some("0.2"),
        Some("0.9"),
        Some("5"),
        json!({"temperature": 0.2, "top_p": 0.9, "top_k": 5}),
        &[],
    );
    sampled(old, Some("1.4"), None, None, json!({"temperature": 1}), &["temperature"]);
    sampled(SONNET, Some("0.2"), Some("0.9"), None, json!({"temperature": 0.2}), &["top_p"]);
    sampled(SONNET, None, Some("0.9"), None, json!({"top_p": 0.9}), &[]);
    sampled(
        "claude-opus-4-7",
        Some("0.2"),
        Some("0.9"),
        Some("5"),
        json!({}),
        &["temperature", "top_p", "top_k"],
    );
    sampled("claude-opus-4-7", Some("1"), Some("1.0"), None, json!({}), &[]);
}

#[test]
fn stop_sequences() {
    let stop = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    check(|request| request.sampling.stop = stop(&["END"]), json!({"stop_sequences": ["END"]}), &[]);
    check(
        |request| request.sampling.stop = stop(&["\n", "END"]),
        json!({"stop_sequences": ["END"]}),
        &["stop"],
    );
    check(|request| request.sampling.stop = stop(&["\n\n"]), json!({}), &["stop"]);
}

#[test]
fn fields_without_a_place_are_reported() {
    let change = |request: &mut Request| {
        let sampling = &mut request.sampling;
        sampling.seed = Some(raw("1"));
        sampling.presence_penalty = Some(raw("0.1"));
        sampling.frequency_penalty = Some(raw("0.1"));
        sampling.logit_bias = Some(raw("{}"));
        sampling.n = Some(2);
        sampling.logprobs = Some(Logprobs { top: Some(3) });
        request.output_format = Some(OutputFormat::JsonObject);
        request.service_tier = Some("flex".into());
        request.extra.push(("store".into(), raw("true")));
        request.extra.push(("prediction".into(), raw("null")));
    };
    let reported = [
        "response_format",
        "service_tier",
        "store",
        "n",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ];
    check(change, json!({}), &reported);
    check(|request| request.sampling.n = Some(1), json!({}), &[]);
}

#[test]
fn the_rest_of_the_fields() {
    check(|request| request.user = Some("u1".into()), json!({"metadata": {"user_id": "u1"}}), &[]);
    let metadata =
        |text: &'static str| move |request: &mut Request| request.extra.push(("metadata".into(), raw(text)));
    let reported = ["metadata.team"];
    check(metadata(r#"{"user_id":"u2","team":"x"}"#), json!({"metadata": {"user_id": "u2"}}), &reported);
    check(metadata("7"), json!({}), &["metadata"]);
    for (tier, sent) in [("auto", "auto"), ("default", "standard_only"), ("standard_only", "standard_only")] {
        check(|request| request.service_tier = Some(tier.into()), json!({"service_tier": sent}), &[]);
    }
    let marker = json!({"type": "ephemeral"});
    check(
        |request| request.cache_control = Some(raw(r#"{"type":"ephemeral"}"#)),
        json!({"cache_control": marker}),
        &[],
    );
    let change = |request: &mut Request| {
        request.extra.push(("container".into(), raw(r#""c1""#)));
        request.extra.push(("mcp_servers".into(), raw("[]")));
        request.extra.push(("stream_options".into(), raw("{}")));
    };
    check(change, json!({"container": "c1", "mcp_servers": []}), &[]);
}
