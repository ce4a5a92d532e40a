use serde_json::json;

use super::{check_turns, request, result};
use crate::chat::openai_chat::request::encode;
use crate::test_support::{call, raw, thought, turn};
use crate::{
    Block, Citation, Content, Dialect, EncodeOptions, Media, MediaKind, Message, Role, Signature, Source,
    ToolKind,
};

fn medium(kind: MediaKind, source: Source, mime: Option<&str>, name: Option<&str>) -> Block {
    let (mime, name) = (mime.map(str::to_owned), name.map(str::to_owned));
    Block::new(Content::Media(Media { kind, source, mime, name, detail: None }))
}

fn image(data: &str) -> Block {
    medium(MediaKind::Image, Source::Base64(data.into()), None, None)
}

fn foreign(dialect: Dialect, value: &str) -> Block {
    Block::new(Content::Foreign { dialect, value: raw(value) })
}

fn question() -> Message {
    Message::text(Role::User, "q")
}

#[test]
fn media_that_chat_clients_do_not_write() {
    let bytes = |data: &str| Source::Base64(data.into());
    let file =
        |name: &str, data: &str| json!({"type": "file", "file": {"filename": name, "file_data": data}});
    for (block, part) in [
        (
            image("iVBORw0KGgo="),
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}),
        ),
        (image("/9j/"), json!({"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/"}})),
        (
            medium(MediaKind::Audio, bytes("AAAA"), Some("audio/mpeg"), None),
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
        ),
        (
            medium(MediaKind::Audio, bytes("UklGRg=="), None, None),
            json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
        ),
        (
            medium(MediaKind::Document, bytes("AAAA"), None, None),
            file("document.pdf", "data:application/pdf;base64,AAAA"),
        ),
        (
            medium(MediaKind::Document, bytes("//8="), Some("text/plain"), Some("a.txt")),
            file("a.txt", "data:text/plain;base64,//8="),
        ),
        (
            medium(MediaKind::Document, bytes("aGk="), Some("text/csv; charset=utf-8"), Some("a.csv")),
            json!({"type": "text", "text": "a.csv:\nhi"}),
        ),
        (
            medium(MediaKind::Document, Source::Text("hi".into()), None, None),
            json!({"type": "text", "text": "hi"}),
        ),
    ] {
        let expected = json!([{"role": "user", "content": [{"type": "text", "text": "q"}, part]}]);
        check_turns(
            vec![turn(Role::User, [Block::text("q"), block])],
            &EncodeOptions::default(),
            expected,
            &[],
        );
    }
    let at = |kind| medium(kind, Source::Url("https://x.test/a".into()), None, None);
    let blocks = [Block::text("q"), at(MediaKind::Document), at(MediaKind::Audio), at(MediaKind::Video)];
    check_turns(
        vec![turn(Role::User, blocks)],
        &EncodeOptions::default(),
        json!([{"role": "user", "content": "q"}]),
        &["messages[0].content[1]", "messages[0].content[2]", "messages[0].content[3]"],
    );
    check_turns(
        vec![
            turn(Role::System, [image("AAAA"), Block::text("s")]),
            question(),
            turn(Role::Assistant, [image("AAAA")]),
        ],
        &EncodeOptions::default(),
        json!([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]),
        &["messages[0].content[0]", "messages[2].content[0]"],
    );
}

#[test]
fn attachments_of_results_follow_all_results() {
    let answered =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let shown = |data: &str| json!({"type": "image_url", "image_url": {"url": format!("data:image/jpeg;base64,{data}")}});
    let said = |text: &str| json!({"type": "text", "text": text});
    let expected = json!([
        {"role": "assistant", "content": null, "tool_calls": [answered("a"), answered("b")]},
        {"role": "tool", "tool_call_id": "a", "content": "The result is attached to the next message."},
        {"role": "tool", "tool_call_id": "b", "content": "x\ny"},
        {"role": "user", "content": [
            said("Attached to the result of the call a:"), shown("AA"),
            said("Attached to the result of the call b:"), shown("BB")]},
        {"role": "user", "content": "q"}
    ]);
    let calls = turn(Role::Assistant, [call("a", "f", ""), call("b", "f", "{}")]);
    let (a, b) = (result("a", None, [image("AA")]), result("b", None, ["x", "y"].map(Block::text).to_vec()));
    let mut b = b;
    if let Content::ToolResult { content, .. } = &mut b.content {
        content.insert(1, image("BB"));
    }
    let apart = vec![calls.clone(), turn(Role::Tool, [a.clone()]), turn(Role::Tool, [b.clone()]), question()];
    check_turns(apart, &EncodeOptions::default(), expected.clone(), &[]);
    // As Messages clients send them: among the user's words, which they may even follow.
    let together = vec![calls, turn(Role::User, [Block::text("q"), a, b])];
    check_turns(together, &EncodeOptions::default(), expected, &[]);
}

#[test]
fn losses_of_results() {
    let mut failed = result("c", None, [foreign(Dialect::AnthropicMessages, "{}")]);
    failed.cache_control = Some(raw("{}"));
    if let Content::ToolResult { is_error, .. } = &mut failed.content {
        *is_error = true;
    }
    let message = json!({"role": "tool", "tool_call_id": "c", "content": ""});
    check_turns(
        vec![turn(Role::Tool, [failed.clone()])],
        &EncodeOptions::default(),
        json!([message]),
        &["messages[0].cache_control", "messages[0].is_error", "messages[0].content[0]"],
    );
    check_turns(
        vec![turn(Role::User, [Block::text("q"), failed])],
        &EncodeOptions::default(),
        json!([message, {"role": "user", "content": "q"}]),
        &[
            "messages[0].content[1].cache_control",
            "messages[0].content[1].is_error",
            "messages[0].content[1].content[0]",
        ],
    );
}

#[test]
fn thoughts_go_back_where_they_are_wanted() {
    let turns = || {
        vec![question(), turn(Role::Assistant, [thought("r"), thought(""), Block::text("a"), thought("s")])]
    };
    let bare = json!({"role": "assistant", "content": "a"});
    check_turns(turns(), &EncodeOptions::default(), json!([{"role": "user", "content": "q"}, bare]), &[]);
    let field = EncodeOptions { reasoning_field: Some("thoughts".into()), ..EncodeOptions::default() };
    let told = json!({"role": "assistant", "thoughts": "r\n\ns", "content": "a"});
    check_turns(turns(), &field, json!([{"role": "user", "content": "q"}, told]), &[]);
    let parts = EncodeOptions { reasoning_parts: true, ..EncodeOptions::default() };
    let part = |text: &str| json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]});
    let told = json!({"role": "assistant", "content": [part("r"), {"type": "text", "text": "a"}, part("s")]});
    check_turns(turns(), &parts, json!([{"role": "user", "content": "q"}, told]), &[]);
    // Nothing else was said: without the field there is no turn.
    let alone = || vec![question(), turn(Role::Assistant, [thought("r")])];
    check_turns(alone(), &EncodeOptions::default(), json!([{"role": "user", "content": "q"}]), &[]);
    let told = json!({"role": "assistant", "thoughts": "r", "content": ""});
    check_turns(alone(), &field, json!([{"role": "user", "content": "q"}, told]), &[]);
}

#[test]
fn a_turn_in_pieces_is_one_message() {
    let answered =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let field = EncodeOptions { reasoning_field: Some("thoughts".into()), ..EncodeOptions::default() };
    let piece = |block| turn(Role::Assistant, [block]);
    check_turns(
        vec![
            piece(thought("r")),
            piece(call("a", "f", "{}")),
            piece(call("b", "f", "{}")),
            turn(Role::Tool, [result("a", None, [])]),
            turn(Role::Tool, [result("b", None, [])]),
            piece(Block::text("x")),
            piece(Block::text("y")),
        ],
        &field,
        json!([
            {"role": "assistant", "thoughts": "r", "content": null, "tool_calls": [answered("a"), answered("b")]},
            {"role": "tool", "tool_call_id": "a", "content": ""},
            {"role": "tool", "tool_call_id": "b", "content": ""},
            {"role": "assistant", "content": "x"},
            {"role": "assistant", "content": "y"}
        ]),
        &[],
    );
}

#[test]
fn what_this_vendor_wrote_and_what_others_did() {
    let own = |value| foreign(Dialect::OpenaiChat, value);
    let blocks = [
        own(r#"{"type":"reference","reference_ids":[1]}"#),
        own(r#"{"audio":{"id":"a","data":"AAAA","transcript":"t","expires_at":1}}"#),
        foreign(Dialect::AnthropicMessages, r#"{"type":"redacted_thinking","data":"d"}"#),
    ];
    check_turns(
        vec![turn(Role::Assistant, blocks)],
        &EncodeOptions::default(),
        json!([{"role": "assistant", "content": [{"type": "reference", "reference_ids": [1]}], "audio": {"id": "a"}}]),
        &["messages[0].content[2]"],
    );
    let mut signed = call("c", "f", "{}");
    let mut quoting = Block::text("a");
    let proof = |dialect| Some(Signature { dialect, value: "s".into() });
    (signed.signature, quoting.signature) =
        (proof(Dialect::AnthropicMessages), proof(Dialect::GeminiGenerate));
    let citation = Citation { url: None, title: None, start: None, end: None, value: None };
    quoting.content = Content::Text { text: "a".into(), citations: vec![citation] };
    quoting.cache_control = Some(raw("{}"));
    let free = Content::ToolCall {
        id: "d".into(),
        name: "g".into(),
        arguments: String::new(),
        kind: ToolKind::Custom,
    };
    check_turns(
        vec![turn(Role::Assistant, [quoting, signed, Block::new(free)])],
        &EncodeOptions::default(),
        json!([{"role": "assistant", "content": "a", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "d", "type": "custom", "custom": {"name": "g", "input": ""}}]}]),
        &["messages[0].content[0].cache_control", "messages[0].content[0].citations"],
    );
}

#[test]
fn something_must_be_said() {
    for messages in [vec![], vec![turn(Role::User, [])], vec![turn(Role::Assistant, [thought("r")])]] {
        let fault =
            encode(&request(|request| request.messages = messages), &EncodeOptions::default()).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("messages")));
    }
}

#[test]
fn details_and_names_without_a_place_are_reported() {
    let detailed = |mut block: Block| {
        if let Content::Media(medium) = &mut block.content {
            medium.detail = Some("low".into());
        }
        block
    };
    let file = Source::FileId("f".into());
    let blocks = vec![
        detailed(medium(MediaKind::Image, file, None, Some("a.png"))),
        detailed(medium(MediaKind::Image, Source::Url("https://x.test/a".into()), None, Some("a.png"))),
        medium(MediaKind::Audio, Source::Base64("AAAA".into()), Some("audio/wav"), Some("a.wav")),
    ];
    let expected = json!([{"role": "user", "content": [
        {"type": "file", "file": {"filename": "a.png", "file_id": "f"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]}]);
    let dropped = [
        "messages[0].content[0].image_url.detail",
        "messages[0].content[1].file.filename",
        "messages[0].content[2].file.filename",
    ];
    check_turns(vec![turn(Role::User, blocks)], &EncodeOptions::default(), expected, &dropped);
}
