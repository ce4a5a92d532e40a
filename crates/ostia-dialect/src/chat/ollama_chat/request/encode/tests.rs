#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::test_support::{function, raw, result, signed, thought, turn};
use crate::{
    Block, Content, Dialect, Logprobs, Media, MediaKind, Message, Role, Sampling, Source, Tool, ToolChoice,
    ToolKind, WebSearch,
};

/// Encodes, and compares the body as a value and the list of what was dropped.
#[track_caller]
fn check(request: Request, body: Value, dropped: &[&str]) {
    let encoded = encode(&request).unwrap();
    let sent: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(sent, body);
    assert_eq!(encoded.dropped, dropped);
    assert!(encoded.headers.is_empty());
}

fn ask(messages: Vec<Message>) -> Request {
    Request { model: "qwen3".into(), messages, ..Request::default() }
}

fn hello() -> Request {
    ask(vec![Message::text(Role::User, "Hello")])
}

/// The body for [`hello`] with more fields.
fn hello_and(fields: Value) -> Value {
    let mut body =
        json!({"model": "qwen3", "stream": false, "messages": [{"role": "user", "content": "Hello"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// The body for these messages.
fn told(messages: Value) -> Value {
    json!({"model": "qwen3", "stream": false, "messages": messages})
}

fn media(kind: MediaKind, source: Source, mime: Option<&str>) -> Block {
    Block::new(Content::Media(Media { kind, source, mime: mime.map(Into::into), name: None, detail: None }))
}

fn call(id: &str, arguments: &str, kind: ToolKind) -> Block {
    let (id, name, arguments) = (id.to_owned(), "look".to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind })
}

fn extra(fields: Value) -> Vec<(String, Json)> {
    fields.as_object().unwrap().iter().map(|(name, value)| (name.clone(), raw(value))).collect()
}

#[test]
fn content_is_a_string_with_images_beside_it() {
    let base64 = |data: &str| Source::Base64(data.into());
    let mut user = turn(
        Role::User,
        [
            Block::text("See"),
            media(MediaKind::Image, base64("iVBORw0KGgo="), Some("image/png")),
            Block::text("this"),
            media(MediaKind::Image, Source::Url("https://a.example/b.png".into()), None),
            media(MediaKind::Audio, base64("AAAA"), Some("audio/wav")),
            media(MediaKind::Document, base64("dHdv"), Some("text/plain")),
            media(MediaKind::Document, base64("JVBERi0="), Some("application/pdf")),
        ],
    );
    user.name = Some("Ada".into());
    check(
        ask(vec![Message::text(Role::Developer, "Be brief"), user]),
        told(json!([
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "See\n\nthis\n\ntwo", "images": ["iVBORw0KGgo="]}])),
        &["messages[1].name", "messages[1].content[3]", "messages[1].content[4]", "messages[1].content[6]"],
    );
}

#[test]
fn calls_and_results() {
    let called = [
        thought("I need it"),
        Block::text("I will "),
        Block::text("look"),
        call("c1", r#"{"at":"Rome"}"#, ToolKind::Function),
        call("c2", "", ToolKind::Function),
        call("", "cut {\"off", ToolKind::Function),
    ];
    let image = media(MediaKind::Image, Source::Base64("AAAA".into()), None);
    let named = Block::new(Content::ToolResult {
        id: String::new(),
        name: Some("other".into()),
        content: vec![Block::text("z")],
        is_error: false,
    });
    check(
        ask(vec![
            turn(Role::Assistant, called),
            turn(Role::Assistant, [Block::text("!")]),
            turn(Role::Tool, [result("c1", [Block::text("a"), image], false)]),
            turn(Role::Tool, [result("c2", [Block::text("b"), Block::text("c")], true), named]),
        ]),
        told(json!([
            {"role": "assistant", "content": "I will look!", "thinking": "I need it", "tool_calls": [
                {"id": "c1", "function": {"name": "look", "arguments": {"at": "Rome"}}},
                {"id": "c2", "function": {"name": "look", "arguments": {}}},
                {"function": {"name": "look", "arguments": {"INVALID_JSON": "cut {\"off"}}}]},
            {"role": "tool", "tool_name": "look", "tool_call_id": "c1", "content": "a", "images": ["AAAA"]},
            {"role": "tool", "tool_name": "look", "tool_call_id": "c2", "content": "b\n\nc"},
            {"role": "tool", "tool_name": "other", "content": "z"}])),
        &["messages[3].content[0].is_error"],
    );
}

#[test]
fn what_others_wrote_for_themselves_is_dropped() {
    let foreign = Content::Foreign { dialect: Dialect::GeminiGenerate, value: raw("{}") };
    let mut marked = Block::text("Hi");
    marked.cache_control = Some(raw("{}"));
    let blocks = [
        signed(thought("hm"), Dialect::AnthropicMessages, "s"),
        marked,
        Block::new(foreign),
        Block::new(Content::Refusal("No".into())),
    ];
    check(
        ask(vec![turn(Role::Assistant, blocks), turn(Role::User, []), Message::text(Role::User, "Why?")]),
        told(json!([{"role": "assistant", "content": "HiNo"}, {"role": "user", "content": "Why?"}])),
        &["messages[0].content[0]", "messages[0].content[1].cache_control", "messages[0].content[2]"],
    );
}

#[test]
fn options_hold_the_parameters() {
    let mut request = hello();
    request.sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(raw("0.50")),
        top_p: Some(raw("1")),
        top_k: Some(raw("40")),
        stop: vec!["x".into()],
        seed: Some(raw("7")),
        presence_penalty: Some(raw("0.1")),
        frequency_penalty: Some(raw("0.2")),
        n: Some(2),
        logprobs: Some(Logprobs { top: Some(3) }),
        logit_bias: Some(raw("{}")),
    };
    request.extra = extra(json!({
        "options": {"num_ctx": 8192, "temperature": 1.5, "of_tomorrow": [1], "min_p": 0.1},
        "min_p": 0.2, "repetition_penalty": 1.1, "num_gpu": null, "keep_alive": "10m", "truncate": false,
        "shift": true, "unknown": 1}));
    check(
        request,
        hello_and(json!({
            "options": {"num_predict": 9, "temperature": 0.5, "top_p": 1, "top_k": 40, "seed": 7,
                "presence_penalty": 0.1, "frequency_penalty": 0.2, "stop": ["x"],
                "num_ctx": 8192, "of_tomorrow": [1], "min_p": 0.1, "repeat_penalty": 1.1},
            "logprobs": true, "top_logprobs": 3, "keep_alive": "10m", "truncate": false, "shift": true})),
        &["options.temperature", "min_p", "unknown", "n", "logit_bias"],
    );
    let request = Request { extra: extra(json!({"options": "many", "num_ctx": 4096})), ..hello() };
    check(request, hello_and(json!({"options": {"num_ctx": 4096}})), &["options"]);
    let request = Request { extra: extra(json!({"options": {}, "keep_alive": null})), ..hello() };
    check(request, hello_and(json!({})), &[]);
}

#[test]
fn own_fields_are_known() {
    for name in ["options", "think", "keep_alive", "format", "num_ctx", "min_p", "repetition_penalty"] {
        assert!(is_own_field(name), "{name}");
    }
    for name in ["temperature", "top_k", "messages", "thinking", "metadata"] {
        assert!(!is_own_field(name), "{name}");
    }
    let with = |fields: Value| has_own_fields(&Request { extra: extra(fields), ..hello() });
    assert!(with(json!({"think": false})) && !with(json!({"think": null, "user_id": 1})));
}

#[test]
fn thinking_is_a_switch_or_a_level() {
    let check = |reasoning: Reasoning, think: Value, dropped: &[&str]| {
        let fields = if think.is_null() { json!({}) } else { json!({"think": think}) };
        check(Request { reasoning: Some(reasoning), ..hello() }, hello_and(fields), dropped);
    };
    let effort = |level: &str| Reasoning { effort: Some(level.into()), ..Reasoning::default() };
    let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
    check(effort("none"), json!(false), &[]);
    check(effort("minimal"), json!("low"), &["reasoning_effort"]);
    check(effort("low"), json!("low"), &[]);
    check(effort("medium"), json!("medium"), &[]);
    check(effort("high"), json!("high"), &[]);
    check(effort("max"), json!("high"), &["reasoning_effort"]);
    check(budget(0), json!(false), &[]);
    check(budget(1024), json!("low"), &[]);
    check(budget(2000), json!("medium"), &[]);
    let both = Reasoning { budget_tokens: Some(9000), ..effort("low") };
    check(both, json!("low"), &["thinking.budget_tokens"]);
    check(Reasoning { enabled: Some(true), ..Reasoning::default() }, json!(true), &[]);
    check(Reasoning { enabled: Some(false), ..effort("high") }, json!(false), &[]);
    check(Reasoning { adaptive: true, ..effort("low") }, json!("low"), &[]);
    check(Reasoning { adaptive: true, ..Reasoning::default() }, json!(true), &[]);
    let hidden = Reasoning { visible: Some(false), ..Reasoning::default() };
    check(hidden, Value::Null, &["reasoning.visible"]);
}

#[test]
fn the_clients_own_words_count_where_the_hub_says_nothing() {
    let own = json!({"think": "max", "format": {"type": "object"}});
    check(Request { extra: extra(own.clone()), ..hello() }, hello_and(own.clone()), &[]);
    let request = Request {
        extra: extra(own),
        reasoning: Some(Reasoning { effort: Some("low".into()), ..Reasoning::default() }),
        output_format: Some(OutputFormat::JsonObject),
        ..hello()
    };
    check(request, hello_and(json!({"think": "low", "format": "json"})), &["think", "format"]);
}

#[test]
fn a_schema_is_the_format() {
    let format = |description: Option<&str>| OutputFormat::JsonSchema {
        name: "n".into(),
        description: description.map(Into::into),
        schema: raw(json!({"type": "object"})),
        strict: Some(true),
    };
    let body = hello_and(json!({"format": {"type": "object"}}));
    check(Request { output_format: Some(format(None)), ..hello() }, body.clone(), &[]);
    let described = Request { output_format: Some(format(Some("d"))), ..hello() };
    check(described, body, &["response_format.json_schema.description"]);
}

#[test]
fn tools_and_the_choice_among_them() {
    let tools = || {
        let strict = Tool::Function {
            name: "look".into(),
            description: Some("d".into()),
            parameters: Some(raw(json!({"type": "object", "properties": {}}))),
            strict: Some(true),
            cache_control: Some(raw("{}")),
        };
        vec![strict, function("clock"), Tool::Custom { name: "patch".into(), value: raw("{}") }]
    };
    let nothing = json!({"type": "object", "properties": {}});
    let look =
        json!({"type": "function", "function": {"name": "look", "description": "d", "parameters": nothing}});
    let clock = json!({"type": "function", "function": {"name": "clock", "parameters": nothing}});
    let check = |choice: Option<ToolChoice>, offered: &[&Value], dropped: &[&str]| {
        let fields = if offered.is_empty() { json!({}) } else { json!({"tools": offered}) };
        let request = Request { tools: tools(), tool_choice: choice, ..hello() };
        check(request, hello_and(fields), dropped);
    };
    let (custom, strict) = ("tools[2]", ["tools[0].strict", "tools[0].cache_control"]);
    check(None, &[&look, &clock], &[custom, strict[0], strict[1]]);
    check(Some(ToolChoice::None), &[], &[]);
    check(Some(ToolChoice::Required), &[&look, &clock], &[custom, strict[0], strict[1], "tool_choice"]);
    check(Some(ToolChoice::Named("clock".into())), &[&clock], &["tool_choice"]);
    let allowed = |required| ToolChoice::Allowed { names: vec!["look".into()], required };
    check(Some(allowed(false)), &[&look], &strict);
    check(Some(allowed(true)), &[&look], &[strict[0], strict[1], "tool_choice"]);
    let request = Request { tools: tools(), tool_choice: Some(ToolChoice::Named("no".into())), ..hello() };
    assert_eq!(encode(&request).unwrap_err().param.as_deref(), Some("tool_choice"));
}

#[test]
fn every_property_is_an_object() {
    let check = |given: &str, sent: &str| {
        let parameters = Some(raw(given));
        let Tool::Function { name, .. } = function("look") else { panic!("a function") };
        let tool = Tool::Function { name, description: None, parameters, strict: None, cache_control: None };
        let body = encode(&Request { tools: vec![tool], ..hello() }).unwrap().body;
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(&format!(r#""parameters":{sent}}}"#)), "{body}");
    };
    let kept = r#"{"type":"object", "properties":{"a":{"default":true,"enum":[true,1.50]}}, "additionalProperties":false}"#;
    check(kept, kept);
    check(
        r#"{"type":"object","properties":{"a":true,"b":{"anyOf":[{"properties":{"c":false}},true]}}}"#,
        r#"{"type":"object","properties":{"a":{},"b":{"anyOf":[{"properties":{"c":{"not":{}}}},{}]}}}"#,
    );
}

#[test]
fn what_the_vendor_has_no_word_for() {
    let request = Request {
        stream: true,
        parallel_tool_calls: Some(false),
        web_search: Some(WebSearch::default()),
        user: Some("u".into()),
        service_tier: Some("flex".into()),
        cache_control: Some(raw("{}")),
        ..hello()
    };
    check(
        request,
        hello_and(json!({"stream": true})),
        &["parallel_tool_calls", "web_search_options", "user", "service_tier", "cache_control"],
    );
}
