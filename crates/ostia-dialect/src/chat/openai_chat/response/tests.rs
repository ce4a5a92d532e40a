#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use serde_json::{Value, json};

use crate::chat::limits::made_up;
use crate::chat::openai_chat::response::encode;
use crate::test_support::{call, choice, options, raw, thought, value};
use crate::{
    Block, Choice, Citation, Content, Dialect, Fault, FaultKind, Finish, Media, MediaKind, Response,
    Signature, Source, ToolKind, Usage,
};

fn decode(body: &[u8]) -> Result<Response, Fault> {
    Dialect::OpenaiChat.decode(body)
}

/// The answer with this message and these fields of its choice.
fn answer(message: Value, choice: Value) -> Response {
    let mut first = json!({"index": 0, "message": message, "finish_reason": "stop"});
    for (name, field) in choice.as_object().unwrap() {
        first[name] = field.clone();
    }
    let body =
        json!({"id": "a", "object": "chat.completion", "created": 5, "model": "m", "choices": [first]});
    decode(body.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn check_blocks(message: Value, expected: &[Block]) {
    assert_eq!(answer(message.clone(), json!({})).choices[0].blocks, expected, "{message}");
}

#[test]
fn what_vendors_say() {
    check_blocks(
        json!({"role": "assistant", "content": "x", "refusal": null, "annotations": []}),
        &[Block::text("x")],
    );
    for name in ["reasoning_content", "reasoning"] {
        check_blocks(json!({"content": "x", name: "r"}), &[thought("r"), Block::text("x")]);
    }
    // OpenRouter gives its reasoning twice.
    let twice = json!({"content": "x", "reasoning": "r", "reasoning_details": [{"type": "reasoning.text", "text": "r"}]});
    check_blocks(twice, &[thought("r"), Block::text("x")]);
    // Mistral's reasoning models answer with parts.
    let parts = json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}, {"type": "text", "text": "s"}]},
        {"type": "text", "text": "x"}]});
    check_blocks(parts, &[thought("rs"), Block::text("x")]);
    let part = json!({"type": "reference", "reference_ids": [1]});
    let foreign = Content::Foreign { dialect: Dialect::OpenaiChat, value: raw(&part) };
    check_blocks(json!({"content": [part]}), &[Block::new(foreign)]);
    check_blocks(json!({"content": null, "refusal": "no"}), &[Block::new(Content::Refusal("no".into()))]);
    check_blocks(json!({"content": ""}), &[]);
}

#[test]
fn calls() {
    let function = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":"}});
    check_blocks(json!({"content": null, "tool_calls": [function]}), &[call("c", "f", "{\"a\":")]);
    // Snowflake fills in every field that there is.
    let shell = json!({"name": "", "input": ""});
    let filled =
        json!({"id": "c", "type": "function", "custom": shell, "function": {"name": "f", "arguments": "{}"}});
    check_blocks(json!({"tool_calls": [filled]}), &[call("c", "f", "{}")]);
    let object = json!({"id": "c", "function": {"name": "f", "arguments": {"a": 1}}});
    check_blocks(json!({"tool_calls": [object]}), &[call("c", "f", "{\"a\":1}")]);
    check_blocks(json!({"function_call": {"name": "f", "arguments": "{}"}}), &[call("f", "f", "{}")]);
    let mut custom = call("c", "g", "free");
    if let Content::ToolCall { kind, .. } = &mut custom.content {
        *kind = ToolKind::Custom;
    }
    let call_of = json!({"id": "c", "type": "custom", "custom": {"name": "g", "input": "free"}});
    check_blocks(json!({"tool_calls": [call_of]}), &[custom]);
    let mut signed = call("c", "f", "{}");
    signed.signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
    for (outside, inside) in
        [(json!({"google": {"thought_signature": "s"}}), Value::Null), (Value::Null, json!("s"))]
    {
        let function = json!({"name": "f", "arguments": "{}", "thought_signature": inside});
        let one = json!({"id": "c", "function": function, "extra_content": outside});
        check_blocks(json!({"tool_calls": [one]}), std::slice::from_ref(&signed));
    }
}

#[test]
fn empty_shells_are_no_calls() {
    let shell = json!({"content": "x", "function_call": {"name": "", "arguments": ""}, "refusal": "",
        "audio": {"id": "", "data": "", "transcript": "", "expires_at": 0},
        "tool_calls": [{"id": "", "type": "", "function": {"name": "", "arguments": ""}}]});
    let response = answer(shell, json!({"finish_reason": ""}));
    assert_eq!(response.choices[0].blocks, [Block::text("x")]);
    assert_eq!((response.choices[0].finish, &response.choices[0].native_finish), (Finish::Stop, &None));
}

#[test]
fn media_and_sources() {
    let image = |source, mime: Option<&str>| {
        let mime = mime.map(str::to_owned);
        Block::new(Content::Media(Media { kind: MediaKind::Image, source, mime, name: None, detail: None }))
    };
    let images = json!([{"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://x/y"}}]);
    let expected = [
        image(Source::Base64("AAAA".into()), Some("image/webp")),
        image(Source::Url("https://x/y".into()), None),
    ];
    check_blocks(json!({"content": null, "images": images}), &expected);
    let audio = json!({"id": "a", "data": "AAAA", "transcript": "t", "expires_at": 1});
    let value = raw(json!({"audio": audio}));
    let foreign = Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value });
    check_blocks(json!({"content": null, "audio": audio}), &[foreign]);
    let note = json!({"type": "url_citation", "url_citation": {"url": "https://x", "title": "X", "start_index": 1, "end_index": 2}});
    let citation = Citation {
        url: Some("https://x".into()),
        title: Some("X".into()),
        start: Some(1),
        end: Some(2),
        value: Some(raw(&note)),
    };
    let cited =
        |words: &str| Block::new(Content::Text { text: words.into(), citations: vec![citation.clone()] });
    check_blocks(json!({"content": "né", "annotations": [note]}), &[cited("né")]);
    check_blocks(json!({"content": null, "annotations": [note]}), &[cited("")]);
}

#[test]
fn finish_reasons() {
    for (word, finish) in [
        ("stop", Finish::Stop),
        ("eos", Finish::Stop),
        ("eos_token", Finish::Stop),
        ("length", Finish::Length),
        ("model_length", Finish::Length),
        ("content_filter", Finish::ContentFilter),
        ("content_filter: RECITATION", Finish::ContentFilter),
        ("word of tomorrow", Finish::Stop),
    ] {
        let response = answer(json!({"content": "x"}), json!({"finish_reason": word}));
        assert_eq!(response.choices[0].finish, finish, "{word}");
        assert_eq!(response.choices[0].native_finish.as_deref(), Some(word));
    }
    let details = json!({"finish_reason": null, "finish_details": {"type": "max_tokens"}});
    assert_eq!(answer(json!({"content": "x"}), details).choices[0].finish, Finish::Length);
    let called = json!({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]});
    assert_eq!(answer(called, json!({"finish_reason": null})).choices[0].finish, Finish::ToolCalls);
}

#[test]
fn choices_that_failed_are_errors() {
    let fails = |choice: Value| {
        let mut body = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}}]});
        choice.as_object().unwrap().iter().for_each(|(name, value)| body["choices"][0][name] = value.clone());
        decode(body.to_string().as_bytes())
    };
    for (choice, status, message) in [
        (json!({"finish_reason": "error", "error": {"code": 503, "message": "gone"}}), 503, "gone"),
        (json!({"finish_reason": null, "error": {"message": "gone"}}), 502, "gone"),
        (json!({"finish_reason": "error", "error": "gone"}), 502, "gone"),
        (json!({"finish_reason": "stop", "error": {"code": 7}}), 502, "without a message"),
        (json!({"finish_reason": "error"}), 502, "(error)"),
        (json!({"finish_reason": "error", "error": null}), 502, "(error)"),
        (json!({"finish_reason": "abort", "error": {}}), 502, "(abort)"),
        (json!({"finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL"}), 502, "MALFORMED"),
    ] {
        let fault = fails(choice.clone()).unwrap_err();
        assert_eq!(fault.status, status, "{choice}");
        assert!(fault.message.contains(message), "{choice}: {fault}");
    }
    for choice in
        [json!({"finish_reason": "stop", "error": null}), json!({"error": ""}), json!({"error": {}})]
    {
        assert!(fails(choice.clone()).is_ok(), "{choice}");
    }
}

#[test]
fn facts_beside_the_choices() {
    let body = json!({"id": "a", "object": "chat.completion", "created": 5, "model": "m", "service_tier": "default",
        "system_fingerprint": "fp", "obfuscation": "xx", "citations": ["https://x"], "prompt_filter_results": null,
        "choices": [{"index": 1, "message": {"content": "b"}, "finish_reason": "stop", "content_filter_results": {"h": 1},
            "logprobs": {"content": []}, "seed": null}]});
    let response = decode(body.to_string().as_bytes()).unwrap();
    let expected = Response {
        id: "a".into(),
        model: "m".into(),
        created: Some(5),
        choices: vec![Choice {
            index: 1,
            blocks: vec![Block::text("b")],
            finish: Finish::Stop,
            native_finish: Some("stop".into()),
            stop_sequence: None,
            logprobs: Some(raw(r#"{"content":[]}"#)),
            extra: vec![("content_filter_results".into(), raw(r#"{"h":1}"#))],
        }],
        usage: None,
        service_tier: Some("default".into()),
        system_fingerprint: Some("fp".into()),
        extra: vec![("citations".into(), raw(r#"["https://x"]"#))],
    };
    assert_eq!(response, expected);
}

#[track_caller]
fn check_usage(fields: Value, expected: Usage) {
    let mut body = json!({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]});
    for (name, field) in fields.as_object().unwrap() {
        body[name] = field.clone();
    }
    assert_eq!(decode(body.to_string().as_bytes()).unwrap().usage, Some(expected), "{fields}");
}

#[test]
fn usage() {
    let plain = Usage { prompt: 3, completion: 4, ..Usage::default() };
    check_usage(json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}), plain);
    check_usage(json!({"x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 4}}}), plain);
    let other_total = Usage { total: Some(20), ..plain };
    check_usage(
        json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 20}}),
        other_total,
    );
    let cached = Usage { cached: Some(2), ..plain };
    for name in ["prompt_cache_hit_tokens", "cached_tokens"] {
        check_usage(json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4, name: 2}}), cached);
    }
    check_usage(
        json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 5, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 6, "audio_tokens": 7, "accepted_prediction_tokens": 8,
                "rejected_prediction_tokens": 9}}}),
        Usage {
            cached: Some(2),
            cache_written: Some(1),
            reasoning: Some(6),
            audio_prompt: Some(5),
            audio_completion: Some(7),
            accepted_prediction: Some(8),
            rejected_prediction: Some(9),
            ..plain
        },
    );
    let most = u64::MAX;
    let absurd = Usage { prompt: most, completion: most, total: None, ..Usage::default() };
    check_usage(
        json!({"usage": {"prompt_tokens": most, "completion_tokens": most, "total_tokens": most}}),
        absurd,
    );
    assert_eq!(absurd.total(), most);
}

#[test]
fn answers_that_are_none() {
    for (body, status, kind, message) in [
        ("", 502, FaultKind::Upstream, "not valid JSON"),
        ("<html>", 502, FaultKind::Upstream, "not valid JSON"),
        ("{}", 502, FaultKind::Upstream, "no `choices`"),
        (r#"{"error":{"message":"slow down","code":429}}"#, 429, FaultKind::RateLimit, "slow down"),
        (r#"{"error":"no such model"}"#, 502, FaultKind::Upstream, "no such model"),
        (r#"{"message":"gone"}"#, 502, FaultKind::Upstream, "gone"),
        (r#"{"error":{"message":"bad"},"choices":[]}"#, 502, FaultKind::Upstream, "bad"),
    ] {
        let fault = decode(body.as_bytes()).unwrap_err();
        assert_eq!((fault.status, fault.kind), (status, kind), "{body}");
        assert!(fault.message.contains(message), "{body}: {fault}");
    }
    assert!(decode(br#"{"error":null,"choices":[{"message":{"content":"x"}}]}"#).is_ok());
}

/// An answer of these blocks.
fn response(blocks: Vec<Block>) -> Response {
    let called = blocks.iter().any(|block| matches!(block.content, Content::ToolCall { .. }));
    let choice = choice(blocks, if called { Finish::ToolCalls } else { Finish::Stop });
    Response {
        id: "a".into(),
        model: "m".into(),
        created: Some(5),
        choices: vec![choice],
        ..Response::default()
    }
}

/// The message that a strict client sees of these blocks, and the fields that others see besides.
#[track_caller]
fn check_message(blocks: Vec<Block>, strict: Value, besides: Value) {
    let message =
        |strict| value(&encode(&response(blocks.clone()), &options(strict)))["choices"][0]["message"].clone();
    let mut expected = json!({"role": "assistant", "content": null, "refusal": null});
    merge(&mut expected, &strict);
    assert_eq!(message(true), expected);
    merge(&mut expected, &besides);
    assert_eq!(message(false), expected);
}

fn merge(into: &mut Value, from: &Value) {
    for (name, field) in from.as_object().unwrap() {
        into[name] = field.clone();
    }
}

#[test]
fn a_strict_answer_has_exactly_the_fields_of_the_vendor() {
    let mut whole = response(vec![Block::text("x")]);
    whole.usage =
        Some(Usage { prompt: 3, completion: 4, cached: Some(1), cache_written: Some(2), ..Usage::default() });
    whole.service_tier = Some("default".into());
    whole.system_fingerprint = Some("fp".into());
    whole.extra = vec![("citations".into(), raw("[]"))];
    whole.choices[0].extra = vec![("seed".into(), raw("1"))];
    let mut expected = json!({"id": "a", "object": "chat.completion", "created": 5, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x", "refusal": null}, "logprobs": null,
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0}},
        "service_tier": "default", "system_fingerprint": "fp"});
    assert_eq!(value(&encode(&whole, &options(true))), expected);
    expected["provider"] = json!("p");
    expected["citations"] = json!([]);
    expected["choices"][0]["seed"] = json!(1);
    expected["choices"][0]["message"]["content_blocks"] = json!([{"type": "text", "text": "x"}]);
    expected["usage"]["cache_creation_input_tokens"] = json!(2);
    expected["usage"]["cache_read_input_tokens"] = json!(1);
    assert_eq!(value(&encode(&whole, &options(false))), expected);
}

#[test]
fn what_the_upstream_left_out_is_filled_in() {
    let body = value(&encode(&Response::default(), &options(true)));
    assert_eq!(
        body,
        json!({"id": "chatcmpl-9", "object": "chat.completion", "created": 7, "model": "asked", "choices": []})
    );
}

#[test]
fn messages() {
    check_message(vec![], json!({"content": ""}), json!({"content_blocks": []}));
    let mut thought = thought("r");
    thought.signature = Some(Signature { dialect: Dialect::AnthropicMessages, value: "s".into() });
    check_message(
        vec![thought, Block::text("a"), Block::text("b")],
        json!({"content": "ab", "reasoning_content": "r"}),
        json!({"content_blocks": [{"type": "thinking", "thinking": "r", "signature": "s"},
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
    );
    let refusal = Block::new(Content::Refusal("no".into()));
    check_message(vec![refusal], json!({"refusal": "no"}), json!({"content_blocks": []}));
    let hidden = Content::Foreign {
        dialect: Dialect::AnthropicMessages,
        value: raw(r#"{"type":"redacted_thinking"}"#),
    };
    check_message(
        vec![Block::new(hidden), Block::text("a")],
        json!({"content": "a"}),
        json!({"content_blocks": [{"type": "redacted_thinking"}, {"type": "text", "text": "a"}]}),
    );
}

#[test]
fn calls_of_an_answer() {
    let mut signed = call("c", "f", "{}");
    signed.signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
    let function =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let calls = json!([function("c"), function(&made_up("9", 0, 1))]);
    let mut shown = calls.clone();
    shown[0]["extra_content"] = json!({"google": {"thought_signature": "s"}});
    check_message(
        vec![signed, call("", "f", "{}")],
        json!({"tool_calls": calls}),
        json!({"tool_calls": shown, "content_blocks": []}),
    );
}

#[test]
fn sources_have_their_place_in_the_whole_text() {
    let citation = |start: Option<u64>| Citation {
        url: Some("https://x".into()),
        title: None,
        start,
        end: start.map(|start| start + 1),
        value: None,
    };
    let nowhere = Citation { url: None, ..citation(None) };
    let second =
        Content::Text { text: "two".into(), citations: vec![citation(None), citation(Some(1)), nowhere] };
    let note = |start: u64, end: u64| {
        json!({"type": "url_citation",
            "url_citation": {"url": "https://x", "title": "", "start_index": start, "end_index": end}})
    };
    check_message(
        vec![Block::text("né "), Block::new(second)],
        json!({"content": "né two", "annotations": [note(3, 6), note(1, 2)]}),
        json!({"content_blocks": [{"type": "text", "text": "né "}, {"type": "text", "text": "two"}]}),
    );
}

#[test]
fn media_of_an_answer() {
    let media = |kind, source, mime: &str| {
        Block::new(Content::Media(Media { kind, source, mime: Some(mime.into()), name: None, detail: None }))
    };
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/gif;base64,AAAA"}});
    check_message(
        vec![media(MediaKind::Image, Source::Base64("AAAA".into()), "image/gif")],
        json!({"content": "", "images": [image]}),
        json!({"content_blocks": [image]}),
    );
    check_message(
        vec![media(MediaKind::Audio, Source::Base64("AAAA".into()), "audio/wav")],
        json!({"content": "", "audio": {"id": "chatcmpl-9", "data": "AAAA", "transcript": "", "expires_at": 7}}),
        json!({"content_blocks": []}),
    );
    let own = json!({"id": "a", "data": "AAAA", "transcript": "t", "expires_at": 1});
    let value = raw(json!({"audio": own}));
    check_message(
        vec![Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value })],
        json!({"content": "", "audio": own}),
        json!({"content_blocks": []}),
    );
}
