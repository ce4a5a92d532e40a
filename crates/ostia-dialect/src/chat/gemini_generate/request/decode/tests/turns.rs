use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde_json::{Value, json};

use super::{check, check_same, read, refuses};
use crate::chat::opaque::{self, Opaque};
use crate::test_support::{call, raw, signed, thought, turn};
use crate::{Block, Content, Dialect, Media, MediaKind, Message, Role, Signature, Source};

fn contents(contents: Value) -> Value {
    json!({"contents": contents})
}

fn model(parts: Value) -> Value {
    contents(json!([{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": parts}]))
}

/// The blocks that the model is said to have said.
#[track_caller]
fn said(parts: Value, blocks: &[Block]) {
    let request = read(&model(parts));
    assert_eq!(request.messages[1].blocks, blocks);
    assert!(request.extra.is_empty(), "{:?}", request.extra);
}

fn result(id: &str, name: &str, text: &str, is_error: bool) -> Block {
    let (id, name, content) = (id.to_owned(), Some(name.to_owned()), vec![Block::text(text)]);
    Block::new(Content::ToolResult { id, name, content, is_error })
}

fn signature(dialect: Dialect, value: &str) -> Signature {
    Signature { dialect, value: value.to_owned() }
}

/// An opaque value as an answer has it, in the alphabet in which the vendor's SDKs send bytes back.
fn opaque(piece: &Opaque) -> String {
    BASE64_URL_SAFE.encode(opaque::encode(piece))
}

#[test]
fn turns_keep_their_speakers_and_places() {
    let body = json!({
        "contents": [
            {"parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}]},
            {"role": "user", "parts": {"text": "d"}},
        ],
        "system_instruction": {"role": "system", "parts": [{"text": "s"}, {"text": "t"}]},
    });
    let request = read(&body);
    assert_eq!(
        request.messages,
        [
            turn(Role::System, vec![Block::text("s"), Block::text("t")]),
            turn(Role::User, vec![Block::text("a"), Block::text("b")]),
            turn(Role::Assistant, vec![Block::text("c")]),
            turn(Role::User, vec![Block::text("d")]),
        ]
    );
    assert_eq!(request.places, ["systemInstruction", "contents[0]", "contents[1]", "contents[2]"]);
    let single = read(&json!({"contents": {"parts": [{"text": "a"}]}, "systemInstruction": "s"}));
    assert_eq!(single.places, ["systemInstruction", "contents"]);
    assert_eq!(single.messages[0], Message::text(Role::System, "s"));
}

#[test]
fn whole_conversations_come_out_as_they_went_in() {
    check_same(&json!({
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [
                {"text": "q"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=1"}},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
                {"inlineData": {"mimeType": "text/csv", "data": "YSxi"}},
            ]},
            {"role": "model", "parts": [
                {"text": "Hm.", "thought": true, "thoughtSignature": "b25l"},
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": true},
                {"text": "So.", "thoughtSignature": "dHdv"},
                {"functionCall": {"id": "c1", "name": "f", "args": {"x": [1, 2.50]}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "c2", "name": "g", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "rain"}}},
                {"functionResponse": {"id": "c2", "name": "g", "response": {"error": "broken"}}},
                {"text": "Go on"},
            ]},
        ],
    }));
}

#[test]
fn results_in_any_shape_come_out_with_the_same_meaning() {
    let result = |id: &str, response: Value| {
        json!({"contents": [
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [{"functionCall": {"id": id, "name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": id, "name": "f", "response": response}}]},
        ]})
    };
    for (said, heard) in [
        (json!({"output": "x"}), json!({"output": "x"})),
        (json!({"result": "x"}), json!({"output": "x"})),
        (json!({"result": {"a": 1}}), json!({"a": 1})),
        (json!({"result": [1, "b"]}), json!({"output": "[1,\"b\"]"})),
        (json!({"error": "no"}), json!({"error": "no"})),
        (json!({"error": {"code": 1}}), json!({"error": "{\"code\":1}"})),
        (json!({"error": "no", "code": 1}), json!({"error": "no", "code": 1})),
        (json!({"temperature": 21.50, "unit": null}), json!({"temperature": 21.50, "unit": null})),
        (json!({}), json!({})),
    ] {
        check(&result("c", said), &result("c", heard), &[]);
    }
}

#[test]
fn what_a_function_shows_goes_with_its_result() {
    let parts = json!([{"inline_data": {"mime_type": "image/png", "data": "__79"}},
        {"fileData": {"fileUri": "files/abc", "mimeType": "application/pdf"}}]);
    let answer = json!({"functionResponse": {"name": "f", "response": {}, "parts": parts}});
    let request = read(&contents(json!([{"parts": [answer]}])));
    let media = |kind, source, mime: &str| {
        Block::new(Content::Media(Media {
            kind,
            source,
            mime: Some(mime.to_owned()),
            name: None,
            detail: None,
        }))
    };
    let content = vec![
        media(MediaKind::Image, Source::Base64("//79".to_owned()), "image/png"),
        media(MediaKind::Document, Source::FileId("files/abc".to_owned()), "application/pdf"),
    ];
    let (id, name) = ("call_0".to_owned(), Some("f".to_owned()));
    let result = Block::new(Content::ToolResult { id, name, content, is_error: false });
    assert_eq!(request.messages, [turn(Role::Tool, vec![result])]);
}

#[test]
fn calls_without_ids_are_joined_by_name_and_order() {
    let call_of = |name: &str, args: Value| json!({"functionCall": {"name": name, "args": args}});
    let answer_of =
        |name: &str, text: &str| json!({"functionResponse": {"name": name, "response": {"output": text}}});
    let request = read(&contents(json!([
        {"role": "user", "parts": [{"text": "q"}]},
        {"role": "model", "parts": [
            call_of("f", json!({"n": 1})),
            {"functionCall": {"id": "call_1", "name": "f"}},
            call_of("g", json!({})),
            call_of("f", json!({"n": 3})),
        ]},
        {"role": "function", "parts": [
            {"text": "and"},
            answer_of("g", "G"),
            {"functionResponse": {"id": "call_1", "response": {"output": "second"}}},
            answer_of("f", "first"),
            answer_of("f", "third"),
            answer_of("f", "orphan"),
        ]},
    ])));
    assert_eq!(
        request.messages[1..],
        [
            turn(
                Role::Assistant,
                vec![
                    call("call_0", "f", r#"{"n":1}"#),
                    call("call_1", "f", "{}"),
                    call("call_2", "g", "{}"),
                    call("call_3", "f", r#"{"n":3}"#),
                ]
            ),
            turn(
                Role::Tool,
                vec![
                    result("call_2", "g", "G", false),
                    result("call_1", "f", "second", false),
                    result("call_0", "f", "first", false),
                    result("call_3", "f", "third", false),
                    result("call_4", "f", "orphan", false),
                ]
            ),
            turn(Role::User, vec![Block::text("and")]),
        ]
    );
    assert_eq!(request.places[1..], ["contents[1]", "contents[2]", "contents[2]"]);
}

#[test]
fn a_stream_handed_back_is_one_turn() {
    let own = |parts: Value| json!({"role": "model", "parts": parts});
    let request = read(&contents(json!([
        {"role": "user", "parts": [{"text": "q"}]},
        own(json!([{"text": "I ", "thought": true}])),
        own(json!([{"text": "think.", "thought": true}, {"text": "So"}])),
        own(json!([{"text": "!"}])),
        own(json!([{"text": "Yes", "thoughtSignature": "b25l"}, {"text": "No"}])),
        own(json!([{"text": "", "thoughtSignature": "dHdv"}])),
        own(json!([{"text": ""}])),
        own(json!([])),
        {"role": "user", "parts": [{"text": "r"}]},
    ])));
    let google = Dialect::GeminiGenerate;
    let blocks = vec![
        thought("I think."),
        Block::text("So!"),
        signed(Block::text("Yes"), google, "b25l"),
        signed(Block::text("No"), google, "dHdv"),
    ];
    assert_eq!(request.messages.len(), 3);
    assert_eq!(request.messages[1], turn(Role::Assistant, blocks));
    assert_eq!(request.places, ["contents[0]", "contents[1]", "contents[8]"]);
}

#[test]
fn opaque_values_are_read() {
    let claude = |value: &str| signature(Dialect::AnthropicMessages, value);
    let own = opaque(&Opaque::Own(claude("EqQB+/==")));
    said(
        json!([{"text": "Hm.", "thought": true, "thoughtSignature": own}, {"text": "So."}]),
        &[signed(thought("Hm."), Dialect::AnthropicMessages, "EqQB+/=="), Block::text("So.")],
    );
    let late = opaque(&Opaque::Previous(claude("late")));
    said(
        json!([
            {"text": "H", "thought": true},
            {"text": "m.", "thought": true},
            {"text": "", "thought": true, "thoughtSignature": late},
            {"text": "So."},
        ]),
        &[signed(thought("Hm."), Dialect::AnthropicMessages, "late"), Block::text("So.")],
    );
    // A thought that is not shown is a block of its own, whatever stands before it.
    said(
        json!([{"text": "So."}, {"text": "", "thought": true, "thoughtSignature": own}]),
        &[Block::text("So."), signed(thought(""), Dialect::AnthropicMessages, "EqQB+/==")],
    );
    let responses =
        BASE64_STANDARD.encode(opaque::encode(&Opaque::Own(signature(Dialect::OpenaiResponses, "gAAA"))));
    said(
        json!([{"functionCall": {"id": "c", "name": "f", "args": {}}, "thought_signature": responses}]),
        &[signed(call("c", "f", "{}"), Dialect::OpenaiResponses, "gAAA")],
    );
    let value = raw(json!({"type": "redacted_thinking", "data": "x"}));
    let foreign = opaque(&Opaque::Foreign { dialect: Dialect::AnthropicMessages, value: value.clone() });
    said(
        json!([{"text": "", "thought": true, "thoughtSignature": foreign}]),
        &[Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value })],
    );
}

#[test]
fn an_opaque_value_without_its_block_is_reported() {
    let late = opaque(&Opaque::Previous(signature(Dialect::AnthropicMessages, "x")));
    let request = read(&model(json!([{"text": "", "thoughtSignature": late}, {"text": "a"}])));
    assert_eq!(request.messages[1].blocks, [Block::text("a")]);
    let paths: Vec<&str> = request.extra.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["contents[1].parts[0].thoughtSignature"]);
}

#[test]
fn fields_that_no_other_vendor_has_are_reported_where_they_stood() {
    let body = json!({
        "contents": [
            {"role": "user", "parts": [{
                "fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"},
                "videoMetadata": {"startOffset": "2s"},
            }], "odd": 1},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {}, "willContinue": true}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c", "name": "f", "response": {"output": ""}, "scheduling": "SILENT"}},
            ]},
        ],
        "systemInstruction": {"parts": [{"text": "s"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
    });
    let upstream = json!({
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"}}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"output": ""}}}]},
        ],
    });
    let dropped = [
        "systemInstruction.parts[1].inlineData",
        "contents[0].odd",
        "contents[0].parts[0].videoMetadata",
        "contents[1].parts[0].functionCall.willContinue",
        "contents[2].parts[0].functionResponse.scheduling",
    ];
    check(&body, &upstream, &dropped);
}

#[test]
fn files_are_of_the_kind_that_their_type_or_address_tells() {
    for (file, kind) in [
        (json!({"fileUri": "https://youtu.be/1"}), MediaKind::Video),
        (json!({"fileUri": "https://a.example/a.png?x=1"}), MediaKind::Image),
        (json!({"fileUri": "https://a.example/a"}), MediaKind::Document),
        (json!({"fileUri": "files/abc", "mimeType": "audio/wav"}), MediaKind::Audio),
        (json!({"file_uri": "gs://b/a", "mime_type": "text/html"}), MediaKind::Document),
    ] {
        let request = read(&contents(json!([{"parts": [{"fileData": file}]}])));
        let Content::Media(media) = &request.messages[0].blocks[0].content else { panic!() };
        assert_eq!(media.kind, kind, "{file}");
    }
}

#[test]
fn turns_that_are_none_name_the_field() {
    let user = |part: Value| contents(json!([{"parts": [part]}]));
    refuses(&contents(json!([])), "contents");
    refuses(&contents(json!("hi")), "contents");
    refuses(&contents(json!([{"role": "system", "parts": []}])), "contents[0].role");
    refuses(&contents(json!([{"role": "user"}])), "contents[0].parts");
    refuses(&user(json!("hi")), "contents[0].parts[0]");
    refuses(&user(json!({"text": 1})), "contents[0].parts[0].text");
    refuses(&user(json!({"text": "", "thought": 1})), "contents[0].parts[0].thought");
    refuses(&user(json!({"inlineData": {"mimeType": "image/png"}})), "contents[0].parts[0].inlineData.data");
    refuses(&user(json!({"fileData": {}})), "contents[0].parts[0].fileData.fileUri");
    refuses(&user(json!({"functionCall": {"args": {}}})), "contents[0].parts[0].functionCall.name");
    refuses(
        &user(json!({"functionCall": {"name": "f", "args": "{}"}})),
        "contents[0].parts[0].functionCall.args",
    );
    refuses(&user(json!({"functionResponse": {"response": {}}})), "contents[0].parts[0].functionResponse");
    let text = json!({"functionResponse": {"name": "f", "response": "x"}});
    refuses(&user(text), "contents[0].parts[0].functionResponse.response");
}

#[test]
fn an_empty_thought_signs_no_words() {
    let own = |block| signed(block, Dialect::GeminiGenerate, "b25l");
    let part = json!({"text": "", "thought": true, "thoughtSignature": "b25l"});
    said(json!([{"text": "a"}, part]), &[Block::text("a"), own(thought(""))]);
    said(json!([{"text": "a"}, {"text": "", "thoughtSignature": "b25l"}]), &[own(Block::text("a"))]);
}
