#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod property;

use serde_json::{Value, json};

use crate::chat::limits::made_up;
use crate::chat::openai_chat::response::encode;
use crate::chat::openai_chat::stream::Encoder;
use crate::test_support::{
    self, END, begin, call, fold, more, options, raw, say, start, stop, thought, value,
};
use crate::{
    Block, Citation, ClientDialect, Content, Delta, Dialect, Event, Fault, Finish, Media, MediaKind,
    RenderOptions, Signature, Source, ToolKind, Usage,
};

/// The client's stream of these events.
fn written(events: &[Event], options: RenderOptions) -> Vec<u8> {
    test_support::written(crate::Encoder::new(ClientDialect::OpenaiChat, options, false), events)
}

/// The chunks of a client's stream, which has to end with `[DONE]`.
fn chunks(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let body = text.strip_suffix("data: [DONE]\n\n").expect("the end");
    body.split_terminator("\n\n")
        .map(|event| value(event.strip_prefix("data: ").unwrap().as_bytes()))
        .collect()
}

/// The deltas that a client sees of these events, without the first one, which tells the role, and the last one, which
/// tells the reason.
#[track_caller]
fn check(events: &[Event], strict: &[Value], besides: &[Value]) {
    let all = [&[start()], events, &[stop(0, Finish::Stop), Event::Finish]].concat();
    let deltas = |strict| {
        let chunks = chunks(&written(&all, options(strict)));
        let mut deltas: Vec<Value> =
            chunks.iter().map(|chunk| chunk["choices"][0]["delta"].clone()).collect();
        assert_eq!(deltas.remove(0), json!({"role": "assistant"}));
        assert_eq!(deltas.pop(), Some(json!({})));
        deltas
    };
    assert_eq!(deltas(true), strict);
    assert_eq!(deltas(false), besides);
}

#[test]
fn words() {
    check(
        &[begin(thought("")), say("r"), END, begin(Block::text("a")), say("b"), say(""), END],
        &[json!({"reasoning_content": "r"}), json!({"content": "a"}), json!({"content": "b"})],
        &[
            json!({"reasoning_content": "r", "content_blocks": [{"index": 0, "delta": {"thinking": "r"}}]}),
            json!({"content": "a", "content_blocks": [{"index": 1, "delta": {"text": "a"}}]}),
            json!({"content": "b", "content_blocks": [{"index": 1, "delta": {"text": "b"}}]}),
        ],
    );
    // In `content_blocks` it would come back as a text besides.
    let refusal = begin(Block::new(Content::Refusal("no".into())));
    let shown = [json!({"refusal": "no"})];
    check(&[refusal, END], &shown, &shown);
}

#[test]
fn proofs() {
    let proof = |dialect| more(Delta::Signature(Signature { dialect, value: "s".into() }));
    let shown = json!({"content_blocks": [{"index": 0, "delta": {"signature": "s"}}]});
    check(&[begin(thought("")), proof(Dialect::AnthropicMessages), END], &[], &[shown]);
    let wrapped =
        json!({"content_blocks": [{"index": 0, "delta": {"signature": "ostia1.own.gemini_generate.cw"}}]});
    check(&[begin(thought("")), proof(Dialect::GeminiGenerate), END], &[], &[wrapped]);
    let head = json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]});
    let google = json!({"google": {"thought_signature": "s"}});
    let late = json!({"tool_calls": [{"index": 0, "extra_content": google}]});
    let events = [begin(call("c", "f", "")), proof(Dialect::GeminiGenerate), END];
    check(&events, std::slice::from_ref(&head), &[head.clone(), late]);
    let wrapped = json!({"google": {"thought_signature": "ostia1.own.anthropic_messages.cw"}});
    let late = json!({"tool_calls": [{"index": 0, "extra_content": wrapped}]});
    let events = [begin(call("c", "f", "")), proof(Dialect::AnthropicMessages), END];
    check(&events, std::slice::from_ref(&head), &[head.clone(), late]);
    let mut signed = call("c", "f", "");
    signed.signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
    let mut shown = head.clone();
    shown["tool_calls"][0]["extra_content"] = google;
    check(&[begin(signed), END], &[head], &[shown]);
}

#[test]
fn calls_are_numbered() {
    let mut custom = call("d", "g", "fr");
    if let Content::ToolCall { kind, .. } = &mut custom.content {
        *kind = ToolKind::Custom;
    }
    let arguments = |text: &str| more(Delta::Arguments(text.into()));
    let expected = [
        json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        json!({"tool_calls": [{"index": 1, "id": "d", "type": "custom", "custom": {"name": "g", "input": "fr"}}]}),
        json!({"tool_calls": [{"index": 1, "custom": {"input": "ee"}}]}),
    ];
    let events = [begin(call("c", "f", "")), arguments("{}"), END, begin(custom), arguments("ee"), END];
    check(&events, &expected, &expected);
}

#[test]
fn invented_call_ids_are_those_of_the_whole_answer() {
    let mut events = vec![start()];
    for choice in [0, 1] {
        for _ in 0..2 {
            events.push(Event::BlockStart { choice, block: call("", "f", "{}") });
            events.push(Event::BlockEnd { choice });
        }
    }
    events.extend([stop(0, Finish::ToolCalls), stop(1, Finish::ToolCalls), Event::Finish]);
    let mut streamed: Vec<Value> = chunks(&written(&events, options(true)))
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].get(0).map(|call| call["id"].clone()))
        .collect();
    assert_eq!(streamed, [made_up("9", 0, 0), made_up("9", 0, 1), made_up("9", 1, 0), made_up("9", 1, 1)]);
    let whole = value(&encode(&fold(&events), &options(true)));
    for choice in whole["choices"].as_array().unwrap() {
        for call in choice["message"]["tool_calls"].as_array().unwrap() {
            assert_eq!(streamed.remove(0), call["id"]);
        }
    }
    assert!(streamed.is_empty());
}

#[test]
fn sources_have_their_place_in_the_whole_text() {
    let citation = |url: Option<&str>, start: Option<u64>| Citation {
        url: url.map(str::to_owned),
        title: None,
        start,
        end: start,
        value: None,
    };
    let cite = |url, start| more(Delta::Citation(citation(url, start)));
    let note = |start: u64, end: u64| {
        json!({"annotations": [{"type": "url_citation",
            "url_citation": {"url": "u", "title": "", "start_index": start, "end_index": end}}]})
    };
    let second = begin(Block::text(""));
    let events = [
        begin(Block::text("né")),
        END,
        second,
        say("two"),
        cite(Some("u"), None),
        cite(Some("u"), Some(1)),
        cite(None, None),
        END,
    ];
    let block = |index: u64, text: &str| json!({"content": text, "content_blocks": [{"index": index, "delta": {"text": text}}]});
    check(
        &events,
        &[json!({"content": "né"}), json!({"content": "two"}), note(2, 5), note(1, 1)],
        &[block(0, "né"), block(1, "two"), note(2, 5), note(1, 1)],
    );
}

#[test]
fn blocks_that_come_whole() {
    let hidden = raw(r#"{"type":"redacted_thinking","data":"d"}"#);
    let foreign = Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value: hidden });
    let shown =
        json!({"content_blocks": [{"index": 0, "delta": {"type": "redacted_thinking", "data": "d"}}]});
    check(&[begin(foreign), END], &[], &[shown]);
    // Not to be taken for Anthropic's on its way back.
    let searched = raw(r#"{"type":"web_search_call"}"#);
    let foreign = Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value: searched });
    let wrapped = "ostia1.foreign.openai_responses.eyJ0eXBlIjoid2ViX3NlYXJjaF9jYWxsIn0";
    let wrapped =
        json!({"content_blocks": [{"index": 0, "delta": {"type": "redacted_thinking", "data": wrapped}}]});
    check(&[begin(foreign), END], &[], &[wrapped]);
    let audio = raw(r#"{"audio":{"id":"a","data":"AAAA"}}"#);
    let recording = Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value: audio });
    let shown = [json!({"audio": {"id": "a", "data": "AAAA"}})];
    check(&[begin(recording), END], &shown, &shown);
    let (kind, source) = (MediaKind::Image, Source::Base64("AAAA".into()));
    let image = Media { kind, source, mime: None, name: None, detail: None };
    let part = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let mut signed = part.clone();
    signed["extra_content"] = json!({"google": {"thought_signature": "s"}});
    let shown = json!({"images": [part], "content_blocks": [{"index": 0, "delta": signed}]});
    let signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
    let image = Block { signature, ..Block::new(Content::Media(image)) };
    check(&[begin(image), END], &[json!({"images": [part]})], &[shown]);
}

#[test]
fn a_chunk_has_exactly_the_fields_of_the_vendor() {
    let extra = |choice, name: &str| Event::Extra { choice, name: name.into(), value: raw("1") };
    let events = [
        start(),
        begin(Block::text("a")),
        Event::Logprobs { choice: 0, value: raw(r#"{"content":[]}"#) },
        END,
        Event::Meta { service_tier: Some("flex".into()), system_fingerprint: None },
        Event::Meta { service_tier: Some("flex".into()), system_fingerprint: None },
        extra(Some(0), "seed"),
        extra(None, "citations"),
        stop(0, Finish::Length),
        Event::Usage(Usage { prompt: 3, completion: 4, ..Usage::default() }),
        Event::Finish,
    ];
    let chunk = |delta: Value, logprobs: Value, finish: Value| {
        json!({"id": "a", "object": "chat.completion.chunk", "created": 5, "model": "m",
            "choices": [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]})
    };
    let mut usage = chunk(json!({}), Value::Null, Value::Null);
    usage["choices"] = json!([]);
    usage["usage"] = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0}});
    let mut expected = [
        chunk(json!({"role": "assistant"}), Value::Null, Value::Null),
        chunk(json!({"content": "a"}), Value::Null, Value::Null),
        chunk(json!({}), json!({"content": []}), Value::Null),
        chunk(json!({}), Value::Null, json!("length")),
        usage,
    ];
    // Told once it is known.
    expected[3..].iter_mut().for_each(|chunk| chunk["service_tier"] = json!("flex"));
    assert_eq!(chunks(&written(&events, options(true))), expected);
    let mut quiet = options(true);
    quiet.include_usage = false;
    assert_eq!(chunks(&written(&events, quiet)), expected[..4]);
    let open = chunks(&written(&events, options(false)));
    assert!(open.iter().all(|chunk| chunk["provider"] == "p"));
    assert_eq!(open[3]["choices"][0]["seed"], 1);
    assert_eq!((&open[4]["citations"], &open[4]["choices"]), (&json!(1), &json!([])));
}

#[test]
fn what_the_upstream_left_out_is_filled_in() {
    let start = Event::Start { id: String::new(), model: String::new(), created: None };
    for chunk in chunks(&written(&[start, stop(0, Finish::Stop), Event::Finish], options(true))) {
        assert_eq!(
            (&chunk["id"], &chunk["model"], &chunk["created"]),
            (&json!("chatcmpl-9"), &json!("asked"), &json!(7))
        );
    }
}

#[test]
fn a_failure_is_an_event_of_its_own() {
    let mut out = Vec::new();
    Encoder::new(options(true)).fail(&Fault::upstream("broke off"), &mut out);
    let data = out.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
    let error = json!({"message": "broke off", "type": "upstream_error", "param": null, "code": null});
    assert_eq!(value(data), json!({"error": error, "provider": "p"}));
}
