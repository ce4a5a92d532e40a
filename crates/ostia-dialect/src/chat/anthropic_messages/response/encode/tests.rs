#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use serde_json::{Value, json};

use super::encode;
use crate::chat::anthropic_messages::response::decode::decode;
use crate::chat::limits::made_up;
use crate::chat::opaque::{self, Opaque};
use crate::json::Json;
use crate::test_support::{call, choice, options, raw, thought};
use crate::{
    Block, Citation, Content, Dialect, Finish, Media, MediaKind, Response, Signature, Source, Usage,
};

fn answer(blocks: Vec<Block>, finish: Finish) -> Response {
    let choices = vec![choice(blocks, finish)];
    Response { id: "id".into(), model: "told".into(), choices, ..Response::default() }
}

fn written(response: &Response) -> Value {
    serde_json::from_slice(&encode(response, &options(true))).unwrap()
}

/// These blocks are this content.
fn check(blocks: Vec<Block>, content: Value) {
    assert_eq!(written(&answer(blocks, Finish::Stop))["content"], content);
}

/// An answer changed so has these fields.
fn check_fields(change: impl FnOnce(&mut Response), fields: Value) {
    let mut response = answer(vec![Block::text("Hi")], Finish::Stop);
    change(&mut response);
    let message = written(&response);
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&message[name], value, "{name}");
    }
}

fn proof(dialect: Dialect, proof: &str) -> Signature {
    Signature { dialect, value: proof.into() }
}

fn signed(block: Block, signature: Signature) -> Block {
    Block { signature: Some(signature), ..block }
}

#[test]
fn the_envelope() {
    let unknown = json!({"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                         "output_tokens": 0});
    let message = json!({
        "id": "id", "type": "message", "role": "assistant", "model": "told", "stop_reason": "end_turn",
        "stop_sequence": null, "usage": unknown, "content": [{"type": "text", "text": "Hi"}],
    });
    assert_eq!(written(&answer(vec![Block::text("Hi")], Finish::Stop)), message);
    let empty = written(&Response::default());
    assert_eq!((&empty["id"], &empty["model"]), (&json!("msg_9"), &json!("asked")));
    assert_eq!((&empty["content"], &empty["stop_reason"]), (&json!([]), &json!("end_turn")));
}

#[test]
fn usage_counts_the_cache_apart() {
    let usage = Usage {
        prompt: 10,
        completion: 5,
        cached: Some(3),
        cache_written: Some(2),
        reasoning: Some(4),
        ..Usage::default()
    };
    check_fields(
        |response| {
            response.usage = Some(usage);
            response.service_tier = Some("default".into());
            response.extra = vec![("server_tool_use".into(), raw(json!({"web_search_requests": 1})))];
        },
        json!({"usage": {
            "input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
            "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 4},
            "server_tool_use": {"web_search_requests": 1}, "service_tier": "standard"}}),
    );
    let mut flex = answer(vec![], Finish::Stop);
    flex.service_tier = Some("flex".into());
    assert_eq!(written(&flex)["usage"].get("service_tier"), None);
    let lenient = encode(&flex, &options(false));
    let lenient: Value = serde_json::from_slice(&lenient).unwrap();
    assert_eq!(lenient["usage"]["service_tier"], "flex");
}

#[test]
fn the_parts_of_a_prompt_are_no_more_than_it_has() {
    let check = |cached: u64, cache_written: u64, parts: [u64; 3]| {
        let usage = Usage {
            prompt: 10,
            cached: Some(cached),
            cache_written: Some(cache_written),
            ..Usage::default()
        };
        let mut response = answer(vec![], Finish::Stop);
        response.usage = Some(usage);
        let told = &written(&response)["usage"];
        let names = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        assert_eq!(names.map(|name| told[name].as_u64().unwrap()), parts, "{cached} {cache_written}");
    };
    check(3, 2, [5, 3, 2]);
    check(10, 0, [0, 10, 0]);
    check(12, 0, [0, 10, 0]);
    check(7, 5, [0, 7, 3]);
    check(12, 5, [0, 10, 0]);
}

#[test]
fn why_it_ended() {
    for (finish, native, stop_sequence, reason) in [
        (Finish::Stop, None, None, "end_turn"),
        (Finish::Stop, Some("stop"), Some("x"), "stop_sequence"),
        (Finish::Length, Some("MAX_TOKENS"), None, "max_tokens"),
        (Finish::Length, Some("model_context_window_exceeded"), None, "model_context_window_exceeded"),
        (Finish::ToolCalls, Some("stop"), None, "tool_use"),
        (Finish::ContentFilter, Some("SAFETY"), None, "refusal"),
        (Finish::Refusal, None, None, "refusal"),
        (Finish::Pause, None, None, "pause_turn"),
        (Finish::Pause, Some("compaction"), None, "compaction"),
    ] {
        check_fields(
            |response| {
                let choice = &mut response.choices[0];
                choice.finish = finish;
                choice.native_finish = native.map(Into::into);
                choice.stop_sequence = stop_sequence.map(Into::into);
            },
            json!({"stop_reason": reason, "stop_sequence": stop_sequence}),
        );
    }
    let refusal = Block::new(Content::Refusal("No.".into()));
    let message = written(&answer(vec![refusal], Finish::Stop));
    assert_eq!(message["content"], json!([{"type": "text", "text": "No."}]));
    assert_eq!(message["stop_reason"], "refusal");
}

#[test]
fn calls() {
    let input = |arguments: &str, input: Value| {
        let block = json!({"type": "tool_use", "id": "a", "name": "look", "input": input});
        check(vec![call("a", "look", arguments)], json!([block]));
    };
    input(r#"{"x": 1.0}"#, json!({"x": 1.0}));
    input(" {}", json!({}));
    input("", json!({}));
    input(" null ", json!({}));
    for broken in [r#"{"x":"#, "[1]", "nu", "nullx", "say \"hi\"\n"] {
        input(broken, json!({ "INVALID_JSON": broken }));
    }
    check(
        vec![call("", "look", "{}"), Block::text("and"), call("", "look", "{}")],
        json!([
            {"type": "tool_use", "id": made_up("9", 0, 0), "name": "look", "input": {}},
            {"type": "text", "text": "and"},
            {"type": "tool_use", "id": made_up("9", 0, 1), "name": "look", "input": {}},
        ]),
    );
}

#[test]
fn proofs() {
    let thinking = |signature: &str| json!([{"type": "thinking", "thinking": "Hm.", "signature": signature}]);
    let google = || proof(Dialect::GeminiGenerate, "g");
    check(vec![thought("Hm.")], thinking(""));
    check(vec![signed(thought("Hm."), proof(Dialect::AnthropicMessages, "EqQB"))], thinking("EqQB"));
    check(vec![signed(thought("Hm."), google())], thinking(&opaque::encode(&Opaque::Own(google()))));
    let carrier = |wrapped: Opaque| json!({"type": "redacted_thinking", "data": opaque::encode(&wrapped)});
    let used = json!({"type": "tool_use", "id": "a", "name": "look", "input": {}});
    check(vec![signed(call("a", "look", "{}"), google())], json!([carrier(Opaque::Next(google())), used]));
    let caller = json!({"type": "code_execution_20250825", "tool_id": "s"});
    let mut called = used.clone();
    called["caller"] = caller.clone();
    let own = proof(Dialect::AnthropicMessages, &caller.to_string());
    check(vec![signed(call("a", "look", "{}"), own)], json!([called]));
    check(
        vec![signed(Block::text("Hi"), google())],
        json!([{"type": "text", "text": "Hi"}, carrier(Opaque::Previous(google()))]),
    );
}

#[test]
fn blocks_that_one_vendor_knows() {
    let foreign = |dialect, said: &Value| Block::new(Content::Foreign { dialect, value: raw(said.clone()) });
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}});
    check(vec![foreign(Dialect::AnthropicMessages, &search)], json!([search]));
    let item = json!({"type": "web_search_call", "id": "w"});
    let wrapped =
        opaque::encode(&Opaque::Foreign { dialect: Dialect::OpenaiResponses, value: raw(item.clone()) });
    check(
        vec![foreign(Dialect::OpenaiResponses, &item)],
        json!([{"type": "redacted_thinking", "data": wrapped}]),
    );
}

#[test]
fn media_are_shown() {
    let show = |kind, source, name: Option<&str>, text: &str| {
        let name = name.map(str::to_owned);
        let medium = Media { kind, source, mime: None, name, detail: None };
        check(vec![Block::new(Content::Media(medium))], json!([{"type": "text", "text": text}]));
    };
    let data = || Source::Base64("AAAA".into());
    show(MediaKind::Image, data(), None, "![image](data:image/png;base64,AAAA)");
    show(MediaKind::Audio, data(), None, "[audio](data:audio/wav;base64,AAAA)");
    let url = Source::Url("https://x.test/a".into());
    show(MediaKind::Document, url, Some("plan.pdf"), "[plan.pdf](https://x.test/a)");
    show(MediaKind::Document, Source::Text("words".into()), None, "words");
}

#[test]
fn sources() {
    let cite = |url: Option<&str>, value: Option<Json>| Citation {
        url: url.map(Into::into),
        title: Some("T".into()),
        start: Some(0),
        end: Some(2),
        value,
    };
    let page = json!({"type": "page_location", "document_title": "T"});
    let google = json!({"web": {"uri": "https://x.test"}});
    let citations = vec![
        cite(None, Some(raw(page.clone()))),
        cite(Some("https://x.test"), Some(raw(google))),
        cite(None, None),
    ];
    let web = json!({"type": "web_search_result_location", "url": "https://x.test", "title": "T",
                     "cited_text": "", "encrypted_index": ""});
    check(
        vec![Block::new(Content::Text { text: "Hi".into(), citations })],
        json!([{"type": "text", "text": "Hi", "citations": [page, web]}]),
    );
}

#[test]
fn the_vendors_own_answer_stays_as_it_was() {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "EqQC"},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            {"type": "text", "text": "Hi", "citations": [
                {"type": "web_search_result_location", "url": "u", "title": "T", "cited_text": "c",
                 "encrypted_index": "i"}]},
            {"type": "tool_use", "id": "a", "name": "look", "input": {"x": 1.0}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
        "context_management": {"applied_edits": []},
        "usage": {"input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
                  "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 4},
                  "server_tool_use": {"web_search_requests": 1}, "service_tier": "standard"},
    });
    assert_eq!(written(&decode(message.to_string().as_bytes()).unwrap()), message);
}
