//! Turns as items.

use super::*;
use crate::test_support::{call, signed, thought};

/// The items of a conversation, and what of it is lost.
fn check_items(messages: Vec<Message>, items: Value, reported: &[&str]) {
    check(|request| request.messages = messages, json!({"input": items}), reported);
}

fn medium(kind: MediaKind, source: Source) -> Block {
    Block::new(Content::Media(Media { kind, source, mime: None, name: None, detail: None }))
}

fn said(role: &str, content: Value) -> Value {
    json!({"type": "message", "role": role, "content": content})
}

#[test]
fn turns_keep_their_order_and_their_roles() {
    check_items(
        vec![
            Message::text(Role::System, "s"),
            Message::text(Role::Developer, "d"),
            Message::text(Role::User, "q"),
            Message::text(Role::Assistant, "a"),
            turn(Role::User, vec![Block::text("b"), Block::text("c")]),
            Message::text(Role::System, "late"),
            turn(Role::Assistant, vec![Block::text("")]),
        ],
        json!([
            said("system", json!("s")),
            said("developer", json!("d")),
            said("user", json!("q")),
            said("assistant", json!("a")),
            said("user", json!([{"type": "input_text", "text": "b"}, {"type": "input_text", "text": "c"}])),
            said("system", json!("late")),
        ]),
        &[],
    );
}

#[test]
fn instructions_are_those_that_the_client_set_apart() {
    let messages = vec![Message::text(Role::System, "s"), Message::text(Role::User, "Hi")];
    check(
        |request| {
            request.messages = messages.clone();
            request.places = vec!["instructions".into(), "input[0]".into()];
        },
        json!({"instructions": "s"}),
        &[],
    );
    check_items(messages.clone(), json!([said("system", json!("s")), said("user", json!("Hi"))]), &[]);
    // Alone they are all that there is to answer.
    check(
        |request| {
            request.messages = messages[..1].to_vec();
            request.places = vec!["instructions".into()];
        },
        json!({"input": [said("system", json!("s"))]}),
        &[],
    );
}

#[test]
fn a_request_without_anything_to_answer_is_refused() {
    for messages in [vec![], vec![turn(Role::User, vec![])], vec![Message::text(Role::Assistant, "")]] {
        let fault =
            encoded(Dialect::OpenaiResponses, &request(|request| request.messages = messages)).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("messages")));
    }
    check(
        |request| {
            request.messages.clear();
            request.extra.push(("prompt".into(), raw(json!({"id": "pmpt_1"}))));
        },
        json!({"input": [], "prompt": {"id": "pmpt_1"}}),
        &[],
    );
}

#[test]
fn images_and_files_are_parts() {
    let file = |source, name: Option<&str>| {
        let name = name.map(str::to_owned);
        let mime = Some("application/pdf".to_owned()).filter(|_| matches!(source, Source::Base64(_)));
        Block::new(Content::Media(Media { kind: MediaKind::Document, source, mime, name, detail: None }))
    };
    let image = |source, mime: Option<&str>, detail: Option<&str>| {
        let (mime, detail) = (mime.map(str::to_owned), detail.map(str::to_owned));
        Block::new(Content::Media(Media { kind: MediaKind::Image, source, mime, name: None, detail }))
    };
    let sound = |mime: &str| {
        let (kind, source) = (MediaKind::Audio, Source::Base64("AAAA".into()));
        let mime = Some(mime.to_owned());
        Block::new(Content::Media(Media { kind, source, mime, name: None, detail: None }))
    };
    let url = || Source::Url("https://x.test/a".into());
    check_items(
        vec![turn(
            Role::User,
            vec![
                Block::text("see"),
                image(url(), None, Some("low")),
                image(Source::Base64("iVBORw0KGgo=".into()), None, None),
                image(Source::Base64("AAAA".into()), Some("image/heic"), None),
                image(Source::FileId("file-1".into()), None, None),
                file(Source::Base64("JVBE".into()), None),
                file(url(), Some("a.pdf")),
                file(Source::FileId("file-2".into()), None),
                file(Source::Text("hi".into()), Some("a.txt")),
                sound("audio/mpeg"),
                sound("audio/flac"),
                medium(MediaKind::Video, url()),
            ],
        )],
        json!([said(
            "user",
            json!([
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "https://x.test/a", "detail": "low"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
                {"type": "input_image", "image_url": "data:image/heic;base64,AAAA", "detail": "auto"},
                {"type": "input_image", "file_id": "file-1", "detail": "auto"},
                {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                {"type": "input_file", "file_url": "https://x.test/a"},
                {"type": "input_file", "file_id": "file-2"},
                {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            ])
        )]),
        &["messages[0].content[6].file.filename", "messages[0].content[10]", "messages[0].content[11]"],
    );
}

#[test]
fn calls_and_results_are_items_and_their_kinds_agree() {
    let (id, name, arguments) = ("c2".into(), "look".into(), "free".into());
    let free = Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Custom });
    check_items(
        vec![
            turn(
                Role::Assistant,
                vec![
                    Block::text("I look."),
                    call("c1", "look", "{\"a\":"),
                    free,
                    call("c3", "look", " "),
                    Block::new(Content::Refusal("No.".into())),
                ],
            ),
            turn(Role::Tool, vec![result("c1", vec![Block::text("1")], true)]),
            turn(
                Role::User,
                vec![
                    result(
                        "c2",
                        vec![Block::text("2"), medium(MediaKind::Image, Source::FileId("f".into()))],
                        false,
                    ),
                    result("c3", vec![medium(MediaKind::Audio, Source::FileId("f".into()))], true),
                    Block::text("so?"),
                ],
            ),
        ],
        json!([
            said("assistant", json!("I look.")),
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{\"INVALID_JSON\":\"{\\\"a\\\":\"}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "look", "input": "free"},
            {"type": "function_call", "call_id": "c3", "name": "look", "arguments": "{}"},
            said("assistant", json!([{"type": "refusal", "refusal": "No."}])),
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [
                {"type": "input_text", "text": "2"},
                {"type": "input_image", "file_id": "f", "detail": "auto"},
            ]},
            {"type": "function_call_output", "call_id": "c3", "output": ""},
            said("user", json!("so?")),
        ]),
        &["messages[1].is_error", "messages[2].content[1].is_error", "messages[2].content[1].content[0]"],
    );
}

#[test]
fn thoughts_and_items_go_back_to_their_vendor_only() {
    let foreign = |dialect, value| Block::new(Content::Foreign { dialect, value: raw(value) });
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed"});
    check_items(
        vec![
            Message::text(Role::User, "q"),
            turn(
                Role::Assistant,
                vec![
                    signed(thought("Hm."), Dialect::OpenaiResponses, "gAAA"),
                    signed(thought(""), Dialect::OpenaiResponses, "gBBB"),
                    signed(thought("Ah."), Dialect::AnthropicMessages, "sig"),
                    thought(""),
                    foreign(Dialect::OpenaiResponses, search.clone()),
                    foreign(Dialect::AnthropicMessages, json!({"type": "redacted_thinking", "data": "x"})),
                    signed(
                        call("c", "look", "{}"),
                        Dialect::OpenaiResponses,
                        r#"{"caller":{"type":"program","caller_id":"p"},"namespace":"n"}"#,
                    ),
                    signed(call("d", "look", "{}"), Dialect::GeminiGenerate, "sig"),
                    medium(MediaKind::Image, Source::Base64("AAAA".into())),
                ],
            ),
        ],
        json!([
            said("user", json!("q")),
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"},
            {"type": "reasoning", "summary": [], "encrypted_content": "gBBB"},
            search,
            {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}",
             "caller": {"type": "program", "caller_id": "p"}, "namespace": "n"},
            {"type": "function_call", "call_id": "d", "name": "look", "arguments": "{}"},
        ]),
        &["messages[1].reasoning_content", "messages[1].content[5]", "messages[1].content[8]"],
    );
}

#[test]
fn own_sources_go_back_with_their_words() {
    let cited = |values: Vec<Value>| {
        let source =
            |value| Citation { url: None, title: None, start: None, end: None, value: Some(raw(value)) };
        Block::new(Content::Text { text: "x".into(), citations: values.into_iter().map(source).collect() })
    };
    let own = json!({"type": "url_citation", "url": "https://x.test", "start_index": 0, "end_index": 1});
    let chats = json!({"type": "url_citation", "url_citation": {"url": "https://x.test"}});
    check_items(
        vec![
            turn(Role::Assistant, vec![cited(vec![own.clone(), chats.clone()]), Block::text("y")]),
            turn(Role::Assistant, vec![cited(vec![chats])]),
        ],
        json!([
            said(
                "assistant",
                json!([
                    {"type": "output_text", "text": "x", "annotations": [own]},
                    {"type": "output_text", "text": "y", "annotations": []},
                ])
            ),
            said("assistant", json!("x")),
        ]),
        &["messages[0].annotations", "messages[1].annotations"],
    );
}

#[test]
fn marks_without_a_place_are_reported() {
    let mut marked = Block::text("Hi");
    marked.cache_control = Some(raw(json!({"type": "ephemeral"})));
    check(
        |request| {
            request.messages =
                vec![Message { role: Role::User, name: Some("u".into()), blocks: vec![marked] }]
        },
        json!({}),
        &["messages[0].name", "messages[0].content[0].cache_control"],
    );
}

#[test]
fn marks_on_results_are_lost_where_the_client_has_them() {
    let marked = |block| Block { cache_control: Some(raw(json!({"type": "ephemeral"}))), ..block };
    let answer = |id: &str| marked(result(id, vec![marked(Block::text("a"))], false));
    let item = |id: &str| json!({"type": "function_call_output", "call_id": id, "output": "a"});
    check_items(
        vec![turn(Role::Tool, vec![answer("c")]), turn(Role::Tool, vec![answer("d"), answer("e")])],
        json!([item("c"), item("d"), item("e")]),
        &[
            "messages[0].cache_control",
            "messages[0].content[0].cache_control",
            "messages[1].content[0].cache_control",
            "messages[1].content[0].content[0].cache_control",
            "messages[1].content[1].cache_control",
            "messages[1].content[1].content[0].cache_control",
        ],
    );
}

#[test]
fn names_of_pictures_and_sounds_are_lost() {
    let named = |kind, mime: &str| {
        let (source, mime) = (Source::Base64("AAAA".into()), Some(mime.into()));
        Block::new(Content::Media(Media { kind, source, mime, name: Some("a".into()), detail: None }))
    };
    let blocks = vec![named(MediaKind::Image, "image/png"), named(MediaKind::Audio, "audio/wav")];
    let content = json!([
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]);
    let lost = ["messages[0].content[0].file.filename", "messages[0].content[1].file.filename"];
    check_items(vec![turn(Role::User, blocks)], json!([said("user", content)]), &lost);
}
