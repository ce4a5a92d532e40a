#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::test_support::raw;
use crate::{
    Block, Citation, Content, Dialect, Logprobs, Media, MediaKind, Message, Role, Signature, Source, Tool,
    ToolChoice, ToolKind, WebSearch,
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
    Request { model: "command".into(), messages, ..Request::default() }
}

fn hello() -> Request {
    ask(vec![Message::text(Role::User, "Hello")])
}

/// The body for [`hello`] with more fields.
fn hello_and(fields: Value) -> Value {
    let mut body = json!({"model": "command",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn turn(role: Role, contents: Vec<Content>) -> Message {
    Message { role, name: None, blocks: contents.into_iter().map(Block::new).collect() }
}

fn weather(strict: Option<bool>) -> Tool {
    Tool::Function {
        name: "weather".into(),
        description: Some("Tells the weather".into()),
        parameters: Some(raw(json!({"type": "object", "properties": {"at": {"type": "string"}}}))),
        strict,
        cache_control: None,
    }
}

fn clock() -> Tool {
    Tool::Function {
        name: "clock".into(),
        description: None,
        parameters: None,
        strict: None,
        cache_control: None,
    }
}

fn weather_entry() -> Value {
    json!({"type": "function", "function": {"name": "weather", "description": "Tells the weather",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}})
}

fn clock_entry() -> Value {
    json!({"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}})
}

fn call(id: &str, arguments: &str, kind: ToolKind) -> Content {
    Content::ToolCall { id: id.into(), name: "weather".into(), arguments: arguments.into(), kind }
}

fn result(id: &str, content: Vec<Block>, is_error: bool) -> Content {
    Content::ToolResult { id: id.into(), name: None, content, is_error }
}

fn media(kind: MediaKind, source: Source, mime: Option<&str>) -> Media {
    Media { kind, source, mime: mime.map(Into::into), name: None, detail: None }
}

#[test]
fn roles_and_parts() {
    let mut user = turn(
        Role::User,
        vec![
            Content::Text { text: "See".into(), citations: vec![] },
            Content::Media(Media {
                detail: Some("low".into()),
                ..media(MediaKind::Image, Source::Url("https://a.example/b.png".into()), None)
            }),
            Content::Media(media(MediaKind::Image, Source::Base64("AAAA".into()), Some("image/webp"))),
            Content::Media(media(MediaKind::Image, Source::Base64("iVBORw0KGgoAAA".into()), None)),
            Content::Media(media(MediaKind::Audio, Source::Base64("AAAA".into()), Some("audio/wav"))),
            Content::Media(media(MediaKind::Image, Source::FileId("file-1".into()), None)),
        ],
    );
    user.name = Some("Ada".into());
    check(
        ask(vec![Message::text(Role::Developer, "Be brief"), Message::text(Role::System, "Be kind"), user]),
        json!({"model": "command", "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Be brief"}]},
            {"role": "system", "content": [{"type": "text", "text": "Be kind"}]},
            {"role": "user", "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgoAAA"}}]}]}),
        &["messages[2].name", "messages[2].content[4]", "messages[2].content[5]"],
    );
}

#[test]
fn a_turn_of_which_nothing_is_left_is_left_out() {
    let audio = Content::Media(media(MediaKind::Audio, Source::Base64("AAAA".into()), None));
    check(
        ask(vec![
            turn(Role::User, vec![audio]),
            turn(Role::Assistant, vec![]),
            Message::text(Role::User, "Hello"),
        ]),
        hello_and(json!({})),
        &["messages[0].content[0]"],
    );
}

#[test]
fn text_documents_go_beside_the_conversation() {
    let note = |source, mime| {
        let media = Media { name: Some("a.txt".into()), ..media(MediaKind::Document, source, mime) };
        Content::Media(media)
    };
    let mut request = ask(vec![turn(
        Role::User,
        vec![
            note(Source::Text("one".into()), None),
            note(Source::Base64("dHdv".into()), Some("text/plain")),
            note(Source::Base64("dHdv".into()), Some("application/pdf")),
            Content::Text { text: "Hello".into(), citations: vec![] },
        ],
    )]);
    request.extra.push(("documents".into(), raw(json!(["zero", {"id": "z", "data": {"text": "z"}}]))));
    check(
        request,
        hello_and(json!({"documents": ["zero", {"id": "z", "data": {"text": "z"}},
            {"data": {"title": "a.txt", "text": "one"}}, {"data": {"title": "a.txt", "text": "two"}}]})),
        &["messages[0].content[2]"],
    );
}

#[test]
fn calls_and_results() {
    check(
        ask(vec![
            turn(
                Role::Assistant,
                vec![
                    Content::Reasoning("I need it".into()),
                    Content::Text { text: "I will look".into(), citations: vec![] },
                    call("c1", r#"{"at":"Rome"}"#, ToolKind::Function),
                    call("c2", "", ToolKind::Function),
                    call("c3", "free \"text\"", ToolKind::Custom),
                ],
            ),
            turn(Role::Tool, vec![result("c1", vec![Block::text("sunny")], false)]),
            turn(
                Role::Tool,
                vec![
                    result("c2", vec![Block::text("a"), Block::text("b")], true),
                    result(
                        "c3",
                        vec![
                            Block::new(Content::Media(media(
                                MediaKind::Document,
                                Source::Text("t".into()),
                                None,
                            ))),
                            Block::new(Content::Media(media(
                                MediaKind::Image,
                                Source::Url("u".into()),
                                None,
                            ))),
                        ],
                        false,
                    ),
                    result("c4", vec![], false),
                ],
            ),
        ]),
        json!({"model": "command", "messages": [
            {"role": "assistant",
             "content": [{"type": "thinking", "thinking": "I need it"}, {"type": "text", "text": "I will look"}],
             "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"at\":\"Rome\"}"}},
                {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
                {"id": "c3", "type": "function",
                 "function": {"name": "weather", "arguments": "{\"input\":\"free \\\"text\\\"\"}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "c2",
             "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "tool", "tool_call_id": "c3",
             "content": [{"type": "document", "document": {"data": {"text": "t"}}}]},
            {"role": "tool", "tool_call_id": "c4", "content": ""}]}),
        &[
            "messages[0].content[4].type",
            "messages[2].content[0].is_error",
            "messages[2].content[1].content[1]",
        ],
    );
}

#[test]
fn proofs_and_blocks_of_others_are_dropped_and_own_ones_return() {
    let signed = |content| Block {
        signature: Some(Signature { dialect: Dialect::AnthropicMessages, value: "s".into() }),
        ..Block::new(content)
    };
    let own = json!({"start": 0, "end": 2, "text": "Hi", "sources": [{"type": "tool", "id": "t"}]});
    let citation =
        |value: Value| Citation { url: None, title: None, start: None, end: None, value: Some(raw(value)) };
    let mut marked = Block::text("Hi");
    marked.cache_control = Some(raw(json!({"type": "ephemeral"})));
    marked.content = Content::Text {
        text: "Hi".into(),
        citations: vec![citation(own.clone()), citation(json!({"type": "url_citation"}))],
    };
    let foreign = |dialect| Content::Foreign { dialect, value: raw(json!({"type": "novel"})) };
    let blocks = vec![
        signed(Content::Reasoning("hm".into())),
        marked,
        Block::new(foreign(Dialect::CohereChat)),
        Block::new(foreign(Dialect::GeminiGenerate)),
        signed(call("c", "{}", ToolKind::Function)),
    ];
    check(
        ask(vec![Message { role: Role::Assistant, name: None, blocks }]),
        json!({"model": "command", "messages": [{"role": "assistant",
            "content": [{"type": "text", "text": "Hi"}, {"type": "novel"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
            "citations": [own]}]}),
        &[
            "messages[0].content[0]",
            "messages[0].content[1].cache_control",
            "messages[0].content[3]",
            "messages[0].content[4].signature",
            "messages[0].content[1].citations",
        ],
    );
}

#[test]
fn results_stand_behind_the_turn_that_called() {
    let words = |role, text: &str| Message::text(role, text);
    let answer = |id: &str| turn(Role::Tool, vec![result(id, vec![Block::text("r")], false)]);
    let entry =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}});
    check(
        ask(vec![
            turn(
                Role::Assistant,
                vec![call("a", "{}", ToolKind::Function), call("b", "{}", ToolKind::Function)],
            ),
            words(Role::Assistant, "I wait"),
            answer("a"),
            words(Role::User, "well?"),
            words(Role::Assistant, ""),
            answer("b"),
        ]),
        json!({"model": "command", "messages": [
            {"role": "assistant", "content": [{"type": "text", "text": "I wait"}],
             "tool_calls": [entry("a"), entry("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "r"},
            {"role": "tool", "tool_call_id": "b", "content": "r"},
            {"role": "user", "content": [{"type": "text", "text": "well?"}]}]}),
        &[],
    );
}

#[test]
fn sampling_in_the_vendors_words() {
    let number = |text: &str| Some(raw(text));
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: number("0.5"),
        top_p: number("0.9"),
        top_k: number("40"),
        stop: vec!["a".into(), "b".into()],
        seed: number("7"),
        presence_penalty: number("0.1"),
        frequency_penalty: number("0.2"),
        n: Some(2),
        logprobs: Some(Logprobs { top: Some(3) }),
        logit_bias: Some(raw(json!({"1": 2}))),
    };
    check(
        Request { sampling, stream: true, ..hello() },
        hello_and(
            json!({"max_tokens": 9, "temperature": 0.5, "p": 0.9, "k": 40, "stop_sequences": ["a", "b"],
            "seed": 7, "presence_penalty": 0.1, "frequency_penalty": 0.2, "logprobs": true, "stream": true}),
        ),
        &["top_logprobs", "n", "logit_bias"],
    );
}

#[test]
fn tools_and_choices() {
    let tools = vec![weather(None), clock()];
    let with = |choice| Request { tools: tools.clone(), tool_choice: choice, ..hello() };
    let both = json!([weather_entry(), clock_entry()]);
    check(with(None), hello_and(json!({"tools": both})), &[]);
    check(with(Some(ToolChoice::Auto)), hello_and(json!({"tools": both})), &[]);
    check(with(Some(ToolChoice::None)), hello_and(json!({"tools": both, "tool_choice": "NONE"})), &[]);
    check(
        with(Some(ToolChoice::Required)),
        hello_and(json!({"tools": both, "tool_choice": "REQUIRED"})),
        &[],
    );
    let one = json!([clock_entry()]);
    check(
        with(Some(ToolChoice::Named("clock".into()))),
        hello_and(json!({"tools": one, "tool_choice": "REQUIRED"})),
        &[],
    );
    let allowed = |required| Some(ToolChoice::Allowed { names: vec!["clock".into()], required });
    check(with(allowed(false)), hello_and(json!({"tools": one})), &[]);
    check(with(allowed(true)), hello_and(json!({"tools": one, "tool_choice": "REQUIRED"})), &[]);

    let fault = encode(&with(Some(ToolChoice::Named("radio".into())))).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tool_choice")));
    assert!(fault.message.contains("radio"), "{fault}");
}

#[test]
fn strictness_is_one_switch() {
    let with = |tools| Request { tools, ..hello() };
    check(
        with(vec![weather(Some(true))]),
        hello_and(json!({"tools": [weather_entry()], "strict_tools": true})),
        &[],
    );
    check(with(vec![weather(Some(false))]), hello_and(json!({"tools": [weather_entry()]})), &[]);
    check(
        with(vec![clock(), weather(Some(true))]),
        hello_and(json!({"tools": [clock_entry(), weather_entry()]})),
        &["tools[1].strict"],
    );
    check(
        Request {
            extra: vec![("strict_tools".into(), raw(json!(false)))],
            ..with(vec![weather(Some(true))])
        },
        hello_and(json!({"tools": [weather_entry()], "strict_tools": false})),
        &[],
    );
}

#[test]
fn tools_of_other_kinds_are_dropped() {
    let custom = Tool::Custom { name: "sql".into(), value: raw(json!({"type": "custom"})) };
    let hosted = Tool::Hosted {
        dialect: Dialect::OpenaiResponses,
        name: "web_search".into(),
        value: raw(json!({"type": "web_search"})),
    };
    check(
        Request { tools: vec![custom.clone(), clock(), hosted], ..hello() },
        hello_and(json!({"tools": [clock_entry()]})),
        &["tools[0]", "tools[2]"],
    );
    check(
        Request { tools: vec![custom], tool_choice: Some(ToolChoice::Named("sql".into())), ..hello() },
        hello_and(json!({})),
        &["tools[0]", "tool_choice"],
    );
}

#[test]
fn output_formats() {
    let with = |format| Request { output_format: Some(format), ..hello() };
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    check(with(OutputFormat::Text), hello_and(json!({})), &[]);
    check(
        with(OutputFormat::JsonObject),
        hello_and(json!({"response_format": {"type": "json_object"}})),
        &[],
    );
    check(
        with(OutputFormat::JsonSchema {
            name: "n".into(),
            description: Some("d".into()),
            schema: raw(schema.clone()),
            strict: Some(true),
        }),
        hello_and(json!({"response_format": {"type": "json_object", "json_schema": schema}})),
        &["response_format.json_schema.description"],
    );
}

#[test]
fn thinking_is_written_where_it_differs_from_the_default() {
    let with = |reasoning| Request { reasoning: Some(reasoning), ..hello() };
    let effort = |word: &str| Reasoning { effort: Some(word.into()), ..Reasoning::default() };
    let disabled = || hello_and(json!({"thinking": {"type": "disabled"}}));
    check(with(effort("none")), disabled(), &[]);
    check(with(Reasoning { enabled: Some(false), ..Reasoning::default() }), disabled(), &[]);
    check(with(effort("high")), hello_and(json!({})), &["reasoning_effort"]);
    check(
        with(Reasoning { budget_tokens: Some(500), visible: Some(false), ..Reasoning::default() }),
        hello_and(json!({"thinking": {"type": "enabled", "token_budget": 500}})),
        &["reasoning.visible"],
    );
    check(
        with(Reasoning { adaptive: true, ..Reasoning::default() }),
        hello_and(json!({"thinking": {"type": "enabled"}})),
        &[],
    );
}

#[test]
fn extra_fields() {
    let extra = |fields: Value| {
        let fields = fields.as_object().unwrap();
        fields.iter().map(|(name, field)| (name.clone(), Json::from_value(field))).collect()
    };
    let own = json!({"citation_options": {"mode": "fast"}, "safety_mode": "OFF", "priority": 3, "k": 5, "p": 0.2,
        "raw_prompting": true, "thinking": {"type": "enabled"}});
    check(Request { extra: extra(own.clone()), ..hello() }, hello_and(own), &[]);
    check(
        Request {
            extra: extra(json!({"metadata": {"a": "b"}, "k": 5, "store": null, "documents": "none"})),
            sampling: Sampling { top_k: Some(raw(json!(4))), ..Sampling::default() },
            parallel_tool_calls: Some(false),
            web_search: Some(WebSearch::default()),
            user: Some("u".into()),
            service_tier: Some("flex".into()),
            cache_control: Some(raw(json!({}))),
            include_usage: true,
            ..hello()
        },
        hello_and(json!({"k": 4})),
        &[
            "metadata",
            "k",
            "documents",
            "parallel_tool_calls",
            "web_search_options",
            "user",
            "service_tier",
            "cache_control",
        ],
    );
}
