#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::{encode, failed, id, pending};
use crate::chat::limits::made_up;
use crate::chat::opaque::{self, Opaque};
use crate::chat::openai_responses::request::echo;
use crate::json::Document;
use crate::test_support::{choice, decoded, options, raw, thought};
use crate::{
    Block, Choice, Citation, ClientDialect, Content, Dialect, Fault, FaultKind, Finish, Media, MediaKind,
    RenderOptions, Response, Role, Signature, Source, ToolKind, Usage,
};

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn answer(blocks: Vec<Block>) -> Response {
    Response { choices: vec![choice(blocks, Finish::Stop)], ..Response::default() }
}

/// The items that a client sees of these blocks. When it sends them back, they are these blocks again.
#[track_caller]
fn check(blocks: Vec<Block>, expected: Value) {
    let body = value(&encode(&answer(blocks.clone()), &options(true)));
    assert_eq!(body["output"], expected);
    let back = json!({"model": "m", "input": body["output"]}).to_string();
    let request = decoded(ClientDialect::OpenaiResponses, &back).unwrap();
    assert_eq!(request.messages.len(), 1, "{back}");
    assert_eq!((request.messages[0].role, &request.messages[0].blocks), (Role::Assistant, &blocks), "{back}");
    assert!(request.extra.is_empty(), "{:?}", request.extra);
}

fn call(id: &str, kind: ToolKind) -> Block {
    Block::new(Content::ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), kind })
}

fn proof(dialect: Dialect) -> Signature {
    Signature { dialect, value: "proof".into() }
}

fn signed(block: Block, dialect: Dialect) -> Block {
    Block { signature: Some(proof(dialect)), ..block }
}

fn message(at: u64, parts: Value) -> Value {
    json!({"id": format!("msg_9_o{at}"), "type": "message", "status": "completed", "role": "assistant", "content": parts})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn function_call(at: u64) -> Value {
    json!({"id": format!("fc_9_o{at}"), "type": "function_call", "status": "completed", "call_id": "c", "name": "f",
           "arguments": "{}"})
}

fn carrier(at: u64, wrapped: &Opaque) -> Value {
    json!({"id": format!("rs_9_o{at}"), "type": "reasoning", "summary": [], "encrypted_content": opaque::encode(wrapped)})
}

#[test]
fn words_that_follow_one_another_stand_in_one_message() {
    check(
        vec![
            Block::text("a"),
            Block::text("b"),
            Block::new(Content::Refusal("no".into())),
            call("c", ToolKind::Function),
            Block::text("d"),
        ],
        json!([
            message(0, json!([part("a"), part("b"), {"type": "refusal", "refusal": "no"}])),
            function_call(1),
            message(2, json!([part("d")])),
        ]),
    );
}

#[test]
fn calls() {
    check(
        vec![call("c", ToolKind::Function), call("d", ToolKind::Custom)],
        json!([
            function_call(0),
            {"id": "ctc_9_o1", "type": "custom_tool_call", "status": "completed", "call_id": "d", "name": "f", "input": "{}"},
        ]),
    );
    let invented = vec![thought("a"), call("", ToolKind::Function), call("", ToolKind::Function)];
    let body = value(&encode(&answer(invented), &options(true)));
    assert_eq!(
        (&body["output"][1]["call_id"], &body["output"][2]["call_id"]),
        (&json!(made_up("9", 0, 0)), &json!(made_up("9", 0, 1)))
    );
}

#[test]
fn thoughts_and_their_proofs() {
    let summary = json!([{"type": "summary_text", "text": "hm"}]);
    check(vec![thought("hm")], json!([{"id": "rs_9_o0", "type": "reasoning", "summary": summary}]));
    let own = json!({"id": "rs_9_o0", "type": "reasoning", "summary": [], "encrypted_content": "proof"});
    check(vec![signed(thought(""), Dialect::OpenaiResponses)], json!([own]));
    let claude = Dialect::AnthropicMessages;
    let wrapped = opaque::encode(&Opaque::Own(proof(claude)));
    check(
        vec![signed(thought("hm"), claude)],
        json!([{"id": "rs_9_o0", "type": "reasoning", "summary": summary, "encrypted_content": wrapped}]),
    );
}

#[test]
fn proofs_of_other_blocks_go_before_them() {
    let gemini = Dialect::GeminiGenerate;
    let next = |at| carrier(at, &Opaque::Next(proof(gemini)));
    check(
        vec![
            Block::text("a"),
            signed(Block::text(""), gemini),
            signed(call("c", ToolKind::Function), gemini),
        ],
        json!([
            message(0, json!([part("a")])),
            next(1),
            message(2, json!([part("")])),
            next(3),
            function_call(4)
        ]),
    );
}

#[test]
fn blocks_that_only_a_vendor_knows() {
    let own = raw(r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#);
    let other = raw(r#"{"type":"redacted_thinking","data":"d"}"#);
    let (claude, openai) = (Dialect::AnthropicMessages, Dialect::OpenaiResponses);
    let wrapped = Opaque::Foreign { dialect: claude, value: other.clone() };
    check(
        vec![
            Block::new(Content::Foreign { dialect: openai, value: own.clone() }),
            Block::text("a"),
            Block::new(Content::Foreign { dialect: claude, value: other }),
        ],
        json!([own.to_value(), message(1, json!([part("a")])), carrier(2, &wrapped)]),
    );
    let nameless = Block::new(Content::Foreign { dialect: openai, value: raw(r#"{"type":"program"}"#) });
    let body = value(&encode(&answer(vec![Block::text("a"), nameless]), &options(true)));
    assert_eq!(body["output"][1], json!({"id": "item_9_o1", "type": "program"}));
}

fn media(kind: MediaKind, source: Source) -> Media {
    Media { kind, source, mime: None, name: None, detail: None }
}

#[test]
fn media_of_a_model() {
    let png =
        Media { mime: Some("image/png".into()), ..media(MediaKind::Image, Source::Base64("AAAA".into())) };
    check(
        vec![Block::new(Content::Media(png))],
        json!([{"id": "ig_9_o0", "type": "image_generation_call", "status": "completed", "output_format": "png",
                "result": "AAAA"}]),
    );
    let (url, data) = (|| Source::Url("https://e.org/a".into()), || Source::Base64("AAAA".into()));
    for (media, told) in [
        (media(MediaKind::Image, url()), "![image](https://e.org/a)"),
        (media(MediaKind::Video, url()), "[video](https://e.org/a)"),
        (media(MediaKind::Document, Source::Text("words".into())), "words"),
        (media(MediaKind::Document, Source::FileId("f-1".into())), "[document: the provider's file f-1]"),
        (
            media(MediaKind::Audio, data()),
            "[audio: 3 bytes of an unknown type, for which this API has no form]",
        ),
    ] {
        let body = value(&encode(&answer(vec![Block::new(Content::Media(media))]), &options(true)));
        assert_eq!(body["output"], json!([message(0, json!([part(told)]))]));
    }
}

#[test]
fn sources_have_their_place_in_their_part() {
    let citation = |url: Option<&str>, place: Option<(u64, u64)>, own: Option<&str>| Citation {
        url: url.map(str::to_owned),
        title: None,
        start: place.map(|(start, _)| start),
        end: place.map(|(_, end)| end),
        value: own.map(raw),
    };
    let cited = |text: &str, citations| Block::new(Content::Text { text: text.into(), citations });
    let file = r#"{"type":"file_citation","file_id":"f","filename":"a.pdf","index":1}"#;
    let blocks = vec![
        cited("n\u{e9}", vec![citation(Some("u"), Some((0, 1)), None)]),
        cited(
            "three",
            vec![
                citation(Some("u"), Some((3, 5)), Some(r#"{"type":"web_search_result_location"}"#)),
                citation(Some("u"), None, None),
                citation(None, Some((2, 4)), Some(file)),
                citation(None, Some((2, 4)), None),
            ],
        ),
    ];
    let note = |start: u64, end: u64| json!({"type": "url_citation", "url": "u", "title": "", "start_index": start, "end_index": end});
    let body = value(&encode(&answer(blocks), &options(true)));
    let parts = &body["output"][0]["content"];
    assert_eq!(parts[0]["annotations"], json!([note(0, 1)]));
    assert_eq!(
        parts[1]["annotations"],
        json!([note(1, 3), note(0, 5), serde_json::from_str::<Value>(file).unwrap()])
    );
}

#[test]
fn logprobs_stand_with_the_text() {
    let mut choice = choice(vec![thought("a"), Block::text("b"), Block::text("c")], Finish::Stop);
    choice.logprobs = Some(raw(r#"{"content":[{"token":"b","logprob":-0.5}],"refusal":null}"#));
    let body = value(&encode(&Response { choices: vec![choice], ..Response::default() }, &options(true)));
    let parts = &body["output"][1]["content"];
    assert_eq!(parts[0]["logprobs"], json!([{"token": "b", "logprob": -0.5}]));
    assert_eq!(parts[1]["logprobs"], json!([]));
}

#[test]
fn how_an_answer_ended() {
    let refusal = || Block::new(Content::Refusal("no".into()));
    for (block, finish, status, reason) in [
        (Block::text("a"), Finish::Stop, "completed", None),
        (Block::text("a"), Finish::Pause, "completed", None),
        (call("c", ToolKind::Function), Finish::ToolCalls, "completed", None),
        (call("c", ToolKind::Function), Finish::Length, "incomplete", Some("max_output_tokens")),
        (Block::text("a"), Finish::ContentFilter, "incomplete", Some("content_filter")),
        (Block::text("a"), Finish::Refusal, "incomplete", Some("content_filter")),
        (refusal(), Finish::Refusal, "completed", None),
    ] {
        let choices = vec![choice(vec![Block::text("first"), thought("then"), block], finish)];
        let body = value(&encode(&Response { choices, ..Response::default() }, &options(true)));
        let details = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
        assert_eq!((&body["status"], &body["incomplete_details"]), (&json!(status), &details), "{finish:?}");
        // Only the last item can be cut off.
        assert_eq!(
            (&body["output"][0]["status"], &body["output"][2]["status"]),
            (&json!("completed"), &json!(status))
        );
    }
}

#[test]
fn an_answer_has_every_field_that_typed_clients_require() {
    let usage = Usage { prompt: 9, completion: 4, cached: Some(2), reasoning: Some(1), ..Usage::default() };
    let mut response = Response {
        id: "upstream-1".into(),
        model: "m-1".into(),
        created: Some(5),
        usage: Some(usage),
        service_tier: Some("priority".into()),
        system_fingerprint: Some("fp".into()),
        extra: vec![("citations".into(), raw("[1]")), ("status".into(), raw("2"))],
        ..answer(vec![Block::text("a")])
    };
    response.choices[0].extra = vec![("safetyRatings".into(), raw("[]")), ("citations".into(), raw("[2]"))];
    let expected = json!({
        "id": "resp_9", "object": "response", "created_at": 5, "status": "completed", "error": null,
        "incomplete_details": null, "model": "m-1", "output": [message(0, json!([part("a")]))],
        "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
                  "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 13},
        "background": false, "instructions": null, "max_output_tokens": null, "max_tool_calls": null, "metadata": {},
        "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
        "prompt_cache_retention": null, "reasoning": {"effort": null, "summary": null}, "safety_identifier": null,
        "service_tier": "priority", "store": true, "temperature": 1, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1, "truncation": "disabled", "user": null,
    });
    assert_eq!(value(&encode(&response, &options(true))), expected);
    let mut besides = expected;
    besides["provider"] = json!("p");
    besides["safetyRatings"] = json!([]);
    besides["citations"] = json!([2]);
    assert_eq!(value(&encode(&response, &options(false))), besides);
    assert_eq!(id(&options(true)), "resp_9");
}

#[test]
fn an_answer_repeats_its_request() {
    let asked = br#"{"model":"m","input":"q","instructions":"s","temperature":0.50,"metadata":{"k":"v"},
        "conversation":"conv_1","service_tier":"flex","tools":[{"type":"web_search"}],"store":false}"#;
    let options = RenderOptions { echo: echo(&Document::parse(asked).unwrap()), ..options(true) };
    let body = value(&encode(&answer(vec![]), &options));
    for (name, told) in [
        ("instructions", json!("s")),
        ("temperature", json!(0.5)),
        ("metadata", json!({"k": "v"})),
        ("conversation", json!({"id": "conv_1"})),
        ("service_tier", json!("flex")),
        ("tools", json!([{"type": "web_search"}])),
        ("store", json!(false)),
        ("model", json!("asked")),
        ("created_at", json!(7)),
        ("output", json!([])),
        ("usage", Value::Null),
    ] {
        assert_eq!(body[name], told, "{name}");
    }
}

#[test]
fn answers_that_are_not_there() {
    for status in ["queued", "in_progress", "cancelled"] {
        let body = value(&pending(&options(true), status));
        assert_eq!(
            (&body["status"], &body["output"], &body["error"]),
            (&json!(status), &json!([]), &Value::Null)
        );
        assert_eq!(
            (&body["id"], &body["model"], &body["usage"]),
            (&json!("resp_9"), &json!("asked"), &Value::Null)
        );
    }
    for (fault, code) in [
        (Fault::upstream("broke off"), "server_error"),
        (Fault::new(FaultKind::RateLimit, "slow down"), "rate_limit_exceeded"),
        (Fault::invalid("no"), "invalid_prompt"),
        (Fault::new(FaultKind::ContextLength, "long"), "context_length_exceeded"),
        (Fault::new(FaultKind::Quota, "empty"), "insufficient_quota"),
    ] {
        let body = value(&failed(&fault, &options(true)));
        assert_eq!(body["status"], "failed");
        assert_eq!(body["error"], json!({"code": code, "message": fault.message}));
    }
}

#[test]
fn of_several_answers_the_first_is_told() {
    let second = Choice { index: 1, ..choice(vec![Block::text("b")], Finish::Length) };
    let mut response = answer(vec![Block::text("a")]);
    response.choices.insert(0, second);
    let body = value(&encode(&response, &options(true)));
    assert_eq!(
        (&body["status"], &body["output"][0]["content"][0]["text"]),
        (&json!("completed"), &json!("a"))
    );
}
