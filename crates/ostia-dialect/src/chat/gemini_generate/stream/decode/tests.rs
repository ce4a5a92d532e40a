#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use crate::test_support::{self, call, is_whole, read_cut, thought};
use crate::{Block, Content, Dialect, Finish, Response, Signature};

fn sse(data: &[&str]) -> String {
    data.iter().map(|data| format!("data: {data}\r\n\r\n")).collect()
}

/// The answer of a stream, which is the same for every split, and the same where the events come as one array.
fn fold(data: &[&str]) -> Response {
    let text = sse(data);
    let (events, ended) = read_cut(Dialect::GeminiGenerate, text.as_bytes());
    ended.unwrap();
    let whole = test_support::fold(&events);
    assert_eq!(Dialect::GeminiGenerate.decode(format!("[{}]", data.join(",")).as_bytes()).unwrap(), whole);
    whole
}

/// The blocks and the end of the only choice of a stream.
fn check(data: &[&str], blocks: &[Block], finish: Finish) {
    let response = fold(data);
    assert_eq!(response.choices.len(), 1);
    assert_eq!(response.choices[0].blocks, blocks);
    assert_eq!(response.choices[0].finish, finish);
}

fn signed(mut block: Block, value: &str) -> Block {
    block.signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: value.to_owned() });
    block
}

#[test]
fn text_is_joined_and_usage_may_come_after_the_reason() {
    let response = fold(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"Grüß "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"gemini-2.5-flash","responseId":"r1","createTime":"2026-05-04T20:01:02.264968Z"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Gott"}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"{"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":9,"thoughtsTokenCount":3,"serviceTier":"standard"}}"#,
    ]);
    assert_eq!((response.id.as_str(), response.model.as_str()), ("r1", "gemini-2.5-flash"));
    assert_eq!(response.created, Some(1_777_924_862));
    assert_eq!(response.choices[0].blocks, [Block::text("Grüß Gott")]);
    assert_eq!(response.choices[0].native_finish.as_deref(), Some("STOP"));
    let usage = response.usage.unwrap();
    assert_eq!((usage.prompt, usage.completion, usage.total, usage.reasoning), (4, 5, None, Some(3)));
    assert_eq!(response.service_tier.as_deref(), Some("default"));
}

#[test]
fn a_new_kind_or_a_signature_makes_a_new_block() {
    check(
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"I ","thought":true}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"think.","thought":true},{"text":"So"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"!"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"Yes","thoughtSignature":"b25l"},{"text":"No"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"dHdv"}]},"finishReason":"MAX_TOKENS"}]}"#,
        ],
        &[
            thought("I think."),
            Block::text("So!"),
            signed(Block::text("Yes"), "b25l"),
            signed(Block::text("No"), "dHdv"),
        ],
        Finish::Length,
    );
}

#[test]
fn calls_come_whole() {
    check(
        &[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"c1","name":"a","args":{"x": [1, 2.50]}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"b"}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#,
        ],
        &[signed(call("c1", "a", r#"{"x":[1,2.50]}"#), "c2ln"), call("", "b", "{}")],
        Finish::ToolCalls,
    );
}

#[test]
fn calls_in_pieces_are_put_together() {
    check(
        &[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a","willContinue":true},"thoughtSignature":"c2ln"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.x","stringValue":"A","willContinue":true}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.x","stringValue":"B"}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"b","partialArgs":[{"jsonPath":"$.y","numberValue":1}]}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"c","willContinue":true}}]},"finishReason":"STOP"}]}"#,
        ],
        &[signed(call("", "a", r#"{"x":"AB"}"#), "c2ln"), call("", "b", r#"{"y":1}"#), call("", "c", "{}")],
        Finish::ToolCalls,
    );
}

#[test]
fn words_between_the_pieces_of_a_call_do_not_end_it() {
    check(
        &[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a","willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"So"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.x","numberValue":1}]}}]}}]}"#,
            r#"{"candidates":[{"finishReason":"STOP"}]}"#,
        ],
        &[Block::text("So"), call("", "a", r#"{"x":1}"#)],
        Finish::ToolCalls,
    );
}

#[test]
fn halves_of_characters_meet() {
    check(
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"a\ud83d","thought":true}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"\ude00b","thought":true},{"text":"c\ud83d"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"\ude01\ud83d"}]},"finishReason":"STOP"}]}"#,
        ],
        &[thought("a\u{1f600}b"), Block::text("c\u{1f601}\u{fffd}")],
        Finish::Stop,
    );
}

#[test]
fn an_answer_that_failed_is_an_error() {
    let text = sse(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"So"}]}}]}"#,
        r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"print(f)"}]}"#,
    ]);
    let (events, ended) = read_cut(Dialect::GeminiGenerate, text.as_bytes());
    assert!(!is_whole(&events));
    assert!(ended.unwrap_err().message.contains("print(f)"));
}

#[test]
fn sources_are_told_in_characters() {
    let response = fold(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"Größe zählt. Immer"}]},"groundingMetadata":{}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":" noch."}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},{"retrievedContext":{"title":"B"}}],"groundingSupports":[{"segment":{"endIndex":15,"text":"Größe zählt."},"groundingChunkIndices":[0]},{"segment":{"startIndex":16,"endIndex":27,"text":"Immer noch."},"groundingChunkIndices":[0,1,9]},{"segment":{"startIndex":3,"endIndex":4,"text":"nowhere"},"groundingChunkIndices":[1]}]}}]}"#,
    ]);
    let Content::Text { citations, .. } = &response.choices[0].blocks[0].content else { panic!() };
    let got: Vec<_> =
        citations.iter().map(|c| (c.url.as_deref(), c.title.as_deref(), c.start, c.end)).collect();
    assert_eq!(
        got,
        [
            (Some("https://a.example"), Some("A"), Some(0), Some(12)),
            (Some("https://a.example"), Some("A"), Some(13), Some(24)),
            (None, Some("B"), Some(13), Some(24)),
            (None, Some("B"), None, None),
        ]
    );
    assert_eq!(response.choices[0].extra.len(), 1);
}

#[test]
fn several_candidates_are_kept_apart() {
    let response = fold(&[
        r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"B"}]}},{"index":0,"content":{"parts":[{"text":"A"}]}}]}"#,
        r#"{"candidates":[{"index":0,"finishReason":"STOP"},{"index":1,"finishReason":"SAFETY"}]}"#,
    ]);
    let ends: Vec<_> = response.choices.iter().map(|choice| (choice.index, choice.finish)).collect();
    assert_eq!(ends, [(0, Finish::Stop), (1, Finish::ContentFilter)]);
    assert_eq!(response.choices[0].blocks, [Block::text("A")]);
}

#[test]
fn a_refused_prompt_is_an_empty_answer() {
    check(
        &[
            r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":2}}"#,
        ],
        &[],
        Finish::ContentFilter,
    );
}

#[test]
fn what_is_not_whole_is_a_fault() {
    let cases = [
        (sse(&[]), 502, "broke off"),
        (sse(&[r#"{"candidates":[{"content":{"parts":[{"text":"Hal"}]}}]}"#]), 502, "broke off"),
        (sse(&[r#"{"candidates":[{"content":{"par"#]), 502, "not valid JSON"),
        (sse(&["7"]), 502, "no JSON object"),
        (sse(&[r#"{"candidates":[{"index":4000000000}]}"#]), 502, "candidate number"),
        (
            sse(&[
                r#"{"candidates":[{"content":{"parts":[{"text":"Hal"}]}}]}"#,
                r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            ]),
            503,
            "The model is overloaded.",
        ),
    ];
    for (text, status, message) in cases {
        let fault = read_cut(Dialect::GeminiGenerate, text.as_bytes()).1.unwrap_err();
        assert_eq!(fault.status, status, "{fault}");
        assert!(fault.message.contains(message), "{fault}");
    }
}

/// Pieces of responses, whole and broken, in any order.
fn any_event() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        r#"{"text":"a"}"#,
        r#"{"text":""}"#,
        r#"{"text":"b","thought":true}"#,
        r#"{"text":"c","thoughtSignature":"s"}"#,
        r#"{"text":"","thoughtSignature":"s"}"#,
        r#"{"thoughtSignature":"s"}"#,
        r#"{"functionCall":{"name":"f","willContinue":true}}"#,
        r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a[1]","stringValue":"x"}],"willContinue":true}}"#,
        r#"{"functionCall":{}}"#,
        r#"{"functionCall":{"name":"g","args":{"a":1}},"thoughtSignature":"s"}"#,
        r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
        r#"{"executableCode":{"code":"1"}}"#,
        "{}",
        "null",
    ]);
    let end = prop::sample::select(vec!["", r#","finishReason":"STOP""#, r#","finishReason":null"#]);
    let parts = prop::collection::vec(part, 0..4);
    (0..3u32, parts, end).prop_map(|(index, parts, end)| {
        format!(
            "{{\"candidates\":[{{\"index\":{index},\"content\":{{\"parts\":[{}]}}{end}}}]}}",
            parts.join(",")
        )
    })
}

proptest! {
    #[test]
    fn any_order_of_parts_keeps_the_grammar(data in prop::collection::vec(any_event(), 0..8), cut in any::<prop::sample::Index>()) {
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        let text = sse(&data);
        let (head, tail) = text.as_bytes().split_at(cut.index(text.len() + 1));
        for pieces in [&[head, tail][..], &[head]] {
            let (events, ended) = test_support::read(Dialect::GeminiGenerate, pieces);
            prop_assert_eq!(is_whole(&events), ended.is_ok());
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let _ = test_support::read(Dialect::GeminiGenerate, &[head, tail]);
        let _ = Dialect::GeminiGenerate.decode(&bytes);
    }
}
