#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod property;

use serde_json::{Value, json};

use super::{ARGUMENTS_BYTES_MAX, Encoder};
use crate::chat::gemini_generate::response;
use crate::chat::limits::made_up;
use crate::chat::opaque::{self, Opaque};
use crate::json::Json;
use crate::test_support::{self, decoded, fold, options, raw, stop, thought};
use crate::{
    Block, Citation, ClientDialect, Content, Delta, Dialect, Event, Fault, Finish, Media, MediaKind,
    Signature, Source, ToolKind, Usage,
};

/// The client's stream of these events.
fn written(events: &[Event], array: bool) -> String {
    let encoder = crate::Encoder::new(ClientDialect::GeminiGenerate, options(true), array);
    String::from_utf8(test_support::written(encoder, events)).unwrap()
}

/// The chunks, which are the same in both framings.
fn chunks(events: &[Event]) -> Vec<Value> {
    let text = written(events, false);
    let body = text.strip_suffix("\r\n\r\n").expect("the end");
    let chunks: Vec<Value> = body
        .split("\r\n\r\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let array: Vec<Value> = serde_json::from_str(&written(events, true)).unwrap();
    assert_eq!(array, chunks);
    chunks
}

/// The blocks that come back when a client sends these candidates' contents as what the model said.
fn handed_back(contents: Vec<Value>) -> Vec<Block> {
    let mut all = vec![json!({"role": "user", "parts": [{"text": "q"}]})];
    all.extend(contents);
    let body = json!({ "contents": all }).to_string();
    let request = decoded(ClientDialect::GeminiGenerate, body).unwrap();
    assert!(request.extra.is_empty(), "{:?}", request.extra);
    request.messages.into_iter().skip(1).flat_map(|message| message.blocks).collect()
}

/// Checks the parts that a stream of these blocks is told in, and that what the client hands back are the same blocks,
/// whether it got them in one piece or in chunks.
#[track_caller]
fn check(blocks: Vec<(Block, Vec<Delta>)>, parts: Value) {
    let mut events = vec![start()];
    for (block, deltas) in blocks {
        events.push(Event::BlockStart { choice: 0, block });
        events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: 0, delta }));
        events.push(Event::BlockEnd { choice: 0 });
    }
    events.extend([stop(0, Finish::Stop), Event::Finish]);
    let chunks = chunks(&events);
    let contents: Vec<Value> = chunks.iter().map(|chunk| chunk["candidates"][0]["content"].clone()).collect();
    let told: Vec<Value> =
        contents.iter().flat_map(|content| content["parts"].as_array().unwrap().clone()).collect();
    let (last, told) = told.split_last().unwrap();
    assert_eq!(last, &json!({"text": ""}));
    assert_eq!(Value::from(told), parts);

    let whole: Value = serde_json::from_slice(&response::encode(&fold(&events), &options(true))).unwrap();
    let again = handed_back(contents);
    assert_eq!(again, handed_back(vec![whole["candidates"][0]["content"].clone()]));
    assert_eq!(again, fold(&events).choices[0].blocks);
}

fn start() -> Event {
    Event::Start { id: "r".into(), model: "m".into(), created: None }
}

fn words(text: &str) -> Delta {
    Delta::Text(text.into())
}

fn call(id: &str, arguments: &str) -> Block {
    let (id, name, arguments) = (id.to_owned(), "f".to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
}

fn signature(dialect: Dialect) -> Signature {
    Signature { dialect, value: "c2ln".into() }
}

fn signed(block: Block, dialect: Dialect) -> Block {
    Block { signature: Some(signature(dialect)), ..block }
}

fn opaque(piece: &Opaque) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(crate::chat::opaque::encode(piece))
}

#[test]
fn words_go_out_as_they_come() {
    check(
        vec![(thought(""), vec![words("I "), words("think.")]), (Block::text("So"), vec![words("!")])],
        json!([{"text": "I ", "thought": true}, {"text": "think.", "thought": true}, {"text": "So"}, {"text": "!"}]),
    );
}

#[test]
fn calls_go_out_whole() {
    let pieces = ["{\"x\":", "1}"].map(|piece| Delta::Arguments(piece.into())).to_vec();
    check(
        vec![(call("c", ""), pieces), (call("d", "{}"), vec![])],
        json!([
            {"functionCall": {"id": "c", "name": "f", "args": {"x": 1}}},
            {"functionCall": {"id": "d", "name": "f", "args": {}}},
        ]),
    );
}

/// The vendor's SDK reads line by line.
#[test]
fn a_chunk_is_one_line() {
    let value = Json::build(|w| w.raw("{\n  \"a\": \"\\n\"\r\n}"));
    let events = [
        start(),
        Event::BlockStart { choice: 0, block: call("c", "{\r\n  \"x\": 1\n}") },
        Event::BlockEnd { choice: 0 },
        Event::Extra { choice: Some(0), name: "groundingMetadata".into(), value },
        stop(0, Finish::ToolCalls),
        Event::Finish,
    ];
    for line in written(&events, false).split("\r\n\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line}");
    }
    let told = chunks(&events);
    assert_eq!(told[0]["candidates"][0]["content"]["parts"][0]["functionCall"]["args"], json!({"x": 1}));
    assert_eq!(told[1]["candidates"][0]["groundingMetadata"], json!({"a": "\n"}));
}

#[test]
fn own_signatures_stand_as_they_are() {
    let google = Dialect::GeminiGenerate;
    check(
        vec![
            (Block::text(""), vec![words("Yes"), Delta::Signature(signature(google))]),
            (signed(call("c", "{}"), google), vec![]),
            (Block::text(""), vec![Delta::Signature(signature(google))]),
        ],
        json!([
            {"text": "Yes"},
            {"text": "", "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
            {"text": "", "thoughtSignature": "c2ln"},
        ]),
    );
}

#[test]
fn signatures_of_others_are_wrapped() {
    let claude = Dialect::AnthropicMessages;
    let own = opaque(&Opaque::Own(signature(claude)));
    check(
        vec![
            (Block::text("a"), vec![]),
            (thought(""), vec![Delta::Signature(signature(claude))]),
            (thought(""), vec![words("Hm."), Delta::Signature(signature(claude))]),
            (signed(call("c", "{}"), claude), vec![]),
        ],
        json!([
            {"text": "a"},
            {"text": "", "thought": true, "thoughtSignature": own},
            {"text": "Hm.", "thought": true},
            {"text": "", "thought": true, "thoughtSignature": opaque(&Opaque::Previous(signature(claude)))},
            {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": own},
        ]),
    );
}

#[test]
fn blocks_of_one_vendor_only_pass() {
    let foreign = |dialect, value: &Value| Content::Foreign { dialect, value: Json::from_value(value) };
    let code = json!({"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"});
    let hidden = json!({"type": "redacted_thinking", "data": "x"});
    let claude = foreign(Dialect::AnthropicMessages, &hidden);
    let Content::Foreign { dialect, value } = claude.clone() else { panic!() };
    check(
        vec![(Block::new(foreign(Dialect::GeminiGenerate, &code)), vec![]), (Block::new(claude), vec![])],
        json!([code, {"text": "", "thought": true, "thoughtSignature": opaque(&Opaque::Foreign { dialect, value })}]),
    );
}

#[test]
fn media_are_parts() {
    let media = |kind, source, mime: &str| {
        (
            Block::new(Content::Media(Media {
                kind,
                source,
                mime: Some(mime.into()),
                name: None,
                detail: None,
            })),
            vec![],
        )
    };
    check(
        vec![
            media(MediaKind::Image, Source::Base64("iVBORw0KGgo=".into()), "image/png"),
            media(MediaKind::Audio, Source::Base64("AAAA".into()), "audio/wav"),
            media(MediaKind::Image, Source::Url("https://a.example/a.png".into()), "image/png"),
        ],
        json!([
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/a.png"}},
        ]),
    );
}

/// Everything that ends an answer comes in the last chunk, and nothing of it before.
#[test]
fn the_end_is_one_chunk() {
    let usage = Usage { prompt: 5, completion: 9, reasoning: Some(4), cached: Some(2), ..Usage::default() };
    let sources = json!({"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]});
    let events = [
        Event::Start { id: String::new(), model: String::new(), created: Some(1_777_924_862) },
        Event::BlockStart { choice: 0, block: Block::text("a") },
        Event::Delta {
            choice: 0,
            delta: Delta::Citation(Citation {
                url: Some("u".into()),
                title: Some("t".into()),
                start: None,
                end: None,
                value: None,
            }),
        },
        Event::BlockEnd { choice: 0 },
        Event::BlockStart { choice: 1, block: Block::text("b") },
        Event::BlockEnd { choice: 1 },
        Event::Stop { choice: 1, finish: Finish::Length, native: None, stop_sequence: None },
        Event::Extra { choice: None, name: "promptFeedback".into(), value: raw(json!({"a": 1})) },
        Event::Extra { choice: None, name: "citations".into(), value: raw(json!([])) },
        Event::Extra { choice: Some(0), name: "avgLogprobs".into(), value: raw(json!(-0.5)) },
        Event::Meta { service_tier: Some("default".into()), system_fingerprint: None },
        stop(0, Finish::ToolCalls),
        Event::Usage(usage),
        Event::Finish,
    ];
    let head = |mut chunk: Value| {
        chunk["modelVersion"] = "asked".into();
        chunk["responseId"] = "9".into();
        chunk["createTime"] = "2026-05-04T20:01:02Z".into();
        chunk
    };
    let content = |text: &str| json!({"role": "model", "parts": [{"text": text}]});
    let expected = [
        head(json!({"candidates": [{"content": content("a"), "index": 0}]})),
        head(json!({"candidates": [{"content": content("b"), "index": 1}]})),
        head(json!({
            "candidates": [
                {"content": content(""), "finishReason": "STOP", "groundingMetadata": sources, "avgLogprobs": -0.5, "index": 0},
                {"content": content(""), "finishReason": "MAX_TOKENS", "index": 1},
            ],
            "promptFeedback": {"a": 1},
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5, "thoughtsTokenCount": 4,
                "cachedContentTokenCount": 2, "totalTokenCount": 14, "serviceTier": "standard"},
        })),
    ];
    assert_eq!(chunks(&events), expected);
}

#[test]
fn probabilities_go_out_beside_the_words() {
    let token = json!({"token": "a", "logprob": -0.50, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -0.50}]});
    let value = raw(json!({ "content": [token] }));
    let events = [
        start(),
        Event::BlockStart { choice: 0, block: Block::text("a") },
        Event::Logprobs { choice: 0, value },
        Event::BlockEnd { choice: 0 },
        stop(0, Finish::Stop),
        Event::Finish,
    ];
    let google = json!({"token": "a", "logProbability": -0.5});
    let expected = json!({"chosenCandidates": [google], "topCandidates": [{"candidates": [google]}]});
    assert_eq!(chunks(&events)[1]["candidates"][0]["logprobsResult"], expected);
}

/// A call that was cut off is no call; what came of it is told as the vendor tells such calls.
#[test]
fn calls_that_are_no_object_are_told_at_the_end() {
    let long = "x".repeat(ARGUMENTS_BYTES_MAX + 1);
    for (pieces, finish, reason, message) in [
        (
            vec!["{\"x\":"],
            Finish::ToolCalls,
            "MALFORMED_FUNCTION_CALL",
            "Malformed function call: f({\"x\":)".to_owned(),
        ),
        (vec!["[1]"], Finish::Length, "MAX_TOKENS", "Malformed function call: f([1])".to_owned()),
        (
            vec![&long, "y"],
            Finish::ToolCalls,
            "MALFORMED_FUNCTION_CALL",
            format!("Malformed function call: f({})", "x".repeat(1000)),
        ),
    ] {
        let mut events = vec![start(), Event::BlockStart { choice: 0, block: call("c", "") }];
        events.extend(
            pieces
                .iter()
                .map(|piece| Event::Delta { choice: 0, delta: Delta::Arguments((*piece).to_owned()) }),
        );
        events.extend([Event::BlockEnd { choice: 0 }, stop(0, finish), Event::Finish]);
        let told = chunks(&events);
        assert_eq!(told.len(), 1);
        let candidate = &told[0]["candidates"][0];
        assert_eq!(
            (&candidate["finishReason"], &candidate["finishMessage"]),
            (&json!(reason), &json!(message))
        );
    }
}

#[test]
fn calls_without_ids_get_one() {
    let mut events = vec![start()];
    for choice in [0, 1, 0] {
        events.push(Event::BlockStart { choice, block: call("", "{}") });
        events.push(Event::BlockEnd { choice });
    }
    events.extend([0, 1].map(|choice| Event::Stop {
        choice,
        finish: Finish::ToolCalls,
        native: None,
        stop_sequence: None,
    }));
    events.push(Event::Finish);
    let ids = |chunks: &[Value]| -> Vec<Value> {
        let candidates = chunks.iter().flat_map(|chunk| chunk["candidates"].as_array().unwrap().clone());
        let parts =
            candidates.flat_map(|candidate| candidate["content"]["parts"].as_array().unwrap().clone());
        parts.map(|part| part["functionCall"]["id"].clone()).filter(|id| !id.is_null()).collect()
    };
    assert_eq!(ids(&chunks(&events)), [made_up("9", 0, 0), made_up("9", 1, 0), made_up("9", 0, 1)]);
    let whole: Value = serde_json::from_slice(&response::encode(&fold(&events), &options(true))).unwrap();
    assert_eq!(ids(&[whole]), [made_up("9", 0, 0), made_up("9", 0, 1), made_up("9", 1, 0)]);
}

#[test]
fn a_stream_that_breaks_does_not_look_whole() {
    let events = [
        start(),
        Event::BlockStart { choice: 0, block: Block::text("a") },
        Event::BlockEnd { choice: 0 },
        stop(0, Finish::Stop),
    ];
    let fault = Fault::new(crate::FaultKind::Overloaded, "Broken.");
    let error = r#"{"error":{"code":503,"message":"Broken.","status":"UNAVAILABLE"}}"#;
    let chunk = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]},"index":0}],"modelVersion":"m","responseId":"r"}"#;
    for (array, told, expected) in [
        (false, &events[..], format!("data: {chunk}\r\n\r\ndata: {error}\r\n\r\n")),
        (true, &events[..], format!("[{chunk},\r\n{error}\n]")),
        (false, &[], format!("data: {error}\r\n\r\n")),
        (true, &[], format!("[{error}\n]")),
    ] {
        let (mut encoder, mut out) = (Encoder::new(options(true), array), Vec::new());
        told.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.fail(&fault, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        // The upstream's half reads the error out of either framing.
        if array {
            assert_eq!(response::decode(expected.as_bytes()).unwrap_err().status, 503);
        }
    }
}

#[test]
fn opaque_values_are_whole() {
    let text = opaque(&Opaque::Own(signature(Dialect::CohereChat)));
    use base64::Engine as _;
    let bytes = base64::prelude::BASE64_STANDARD.decode(text).unwrap();
    assert!(opaque::decode(std::str::from_utf8(&bytes).unwrap()).is_some());
}
