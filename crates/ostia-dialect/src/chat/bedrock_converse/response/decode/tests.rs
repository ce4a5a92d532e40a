#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::test_support::{call, raw, signed, thought};
use crate::{Block, Citation, Content, Dialect, FaultKind, Finish, Media, MediaKind, Source, Usage};

const OWN: Dialect = Dialect::BedrockConverse;

fn answer(content: Value) -> Value {
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn",
           "usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, "metrics": {"latencyMs": 5}})
}

fn read(answer: &Value) -> Response {
    decode(answer.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn check(content: Value, expected: Vec<Block>) {
    assert_eq!(read(&answer(content)).choices[0].blocks, expected);
}

fn foreign(value: Value) -> Block {
    Block::new(Content::Foreign { dialect: OWN, value: raw(value) })
}

#[test]
fn blocks_of_every_kind() {
    check(json!([]), vec![]);
    check(json!([{"text": "a", "type": "text"}, {"text": ""}]), vec![Block::text("a"), Block::text("")]);
    check(
        json!([{"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}},
               {"reasoningContent": {"reasoningText": {"text": "u"}}}]),
        vec![signed(thought("t"), OWN, "s"), thought("u")],
    );
    let hidden = json!({"reasoningContent": {"redactedContent": "RXFRQw=="}});
    check(json!([hidden]), vec![foreign(hidden)]);
    check(
        json!([{"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1.50}}}, {"toolUse": {"toolUseId": "d", "name": "g"}}]),
        vec![call("c", "f", r#"{"a":1.5}"#), call("d", "g", "{}")],
    );
    let ran = json!({"toolUse": {"toolUseId": "s", "name": "n", "type": "server_tool_use", "input": {}}});
    let came = json!({"toolResult": {"toolUseId": "s", "type": "t", "content": [{"json": {"a": 1}}]}});
    check(json!([ran, came]), vec![foreign(ran), foreign(came)]);
    // Beside such tools the client's calls say their type too.
    let own = json!({"toolUse": {"toolUseId": "c", "name": "f", "type": "tool_use", "input": {"a": 1}}});
    check(json!([own]), vec![call("c", "f", r#"{"a":1}"#)]);
    let novel = json!({"ofTomorrow": {"x": [1]}});
    check(json!([novel]), vec![foreign(novel)]);
    let picture = Media {
        kind: MediaKind::Image,
        source: Source::Base64("iVBORw0KGgo=".into()),
        mime: Some("image/png".into()),
        name: None,
        detail: None,
    };
    check(
        json!([{"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}]),
        vec![Block::new(Content::Media(picture))],
    );
}

#[test]
fn citations_name_the_block() {
    let web = json!({"title": "T", "location": {"web": {"url": "https://a.example"}}});
    let found = json!({"source": "https://b.example", "sourceContent": [{"text": "s"}],
                       "location": {"searchResultLocation": {"searchResultIndex": 0, "start": 0, "end": 1}}});
    let page = json!({"title": "doc", "source": "s3://b/k", "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}});
    let cited = |url: Option<&str>, title: Option<&str>, value: &Value| Citation {
        url: url.map(str::to_owned),
        title: title.map(str::to_owned),
        start: Some(2),
        end: Some(4),
        value: Some(raw(value)),
    };
    let text =
        |text: &str, citations: Vec<Citation>| Block::new(Content::Text { text: text.into(), citations });
    check(
        json!([{"text": "Zü"}, {"citationsContent": {"content": [{"text": "r"}, {"text": "i"}], "citations": [web, found, page]}},
               {"citationsContent": {"content": []}}]),
        vec![
            Block::text("Zü"),
            text(
                "ri",
                vec![
                    cited(Some("https://a.example"), Some("T"), &web),
                    cited(Some("https://b.example"), None, &found),
                    cited(None, Some("doc"), &page),
                ],
            ),
            text("", vec![]),
        ],
    );
}

#[test]
fn what_stands_beside() {
    let mut body = answer(json!([{"text": "a"}]));
    body["additionalModelResponseFields"] = json!({"stop_sequence": "X"});
    body["trace"] = json!({"guardrail": {"actionReason": "r"}});
    body["performanceConfig"] = json!({"latency": "optimized"});
    body["serviceTier"] = json!({"type": "flex"});
    body["usage"] = json!({"inputTokens": 7, "outputTokens": 2, "totalTokens": 19, "cacheReadInputTokens": 4,
        "cacheWriteInputTokens": 6, "cacheDetails": [{"ttl": "1h", "inputTokens": 6}]});
    let response = read(&body);
    let usage = Usage {
        prompt: 17,
        completion: 2,
        cached: Some(4),
        cache_written: Some(6),
        cache_written_1h: Some(6),
        ..Usage::default()
    };
    assert_eq!(response.usage, Some(usage));
    assert_eq!(response.service_tier.as_deref(), Some("flex"));
    assert_eq!(response.choices[0].stop_sequence.as_deref(), Some("X"));
    let names: Vec<&str> = response.extra.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["additionalModelResponseFields", "metrics", "trace", "performanceConfig", "cacheDetails"];
    assert_eq!(names, expected);
    assert_eq!((response.id.as_str(), response.model.as_str()), ("", ""));
}

#[test]
fn stop_reasons() {
    for (word, expected) in [
        ("end_turn", Ok(Finish::Stop)),
        ("stop_sequence", Ok(Finish::Stop)),
        ("tool_use", Ok(Finish::ToolCalls)),
        ("max_tokens", Ok(Finish::Length)),
        ("model_context_window_exceeded", Ok(Finish::Length)),
        ("guardrail_intervened", Ok(Finish::ContentFilter)),
        ("content_filtered", Ok(Finish::ContentFilter)),
        ("refusal", Ok(Finish::Refusal)),
        ("pause_turn", Ok(Finish::Pause)),
        ("of_tomorrow", Ok(Finish::Stop)),
        ("malformed_tool_use", Err((502, "malformed_tool_use"))),
        ("malformed_model_output", Err((502, "malformed_model_output"))),
    ] {
        let mut body = answer(json!([]));
        body["stopReason"] = json!(word);
        let read = decode(body.to_string().as_bytes());
        match expected {
            Ok(finish) => {
                let choice = read.unwrap().choices.remove(0);
                assert_eq!((choice.finish, choice.native_finish.as_deref()), (finish, Some(word)));
            }
            Err((status, kind)) => {
                let fault = read.unwrap_err();
                assert_eq!((fault.status, fault.vendor_type.as_deref()), (status, Some(kind)));
            }
        }
    }
}

#[test]
fn errors() {
    let fails = |body: Value| decode(body.to_string().as_bytes()).unwrap_err();
    let throttled =
        fails(json!({"__type": "com.amazon.coral.service#ThrottlingException", "message": "slow"}));
    assert_eq!(
        (throttled.kind, throttled.status, throttled.message.as_str()),
        (FaultKind::RateLimit, 429, "slow")
    );
    let fault = fails(json!({"Message": "no"}));
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Server, "no"));
    assert!(fails(json!({})).message.contains("without a message"));
    assert_eq!(decode(b"<html>").unwrap_err().kind, FaultKind::Upstream);
}
