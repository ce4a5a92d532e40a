#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::decode;
use crate::test_support::raw;
use crate::{Block, Citation, Content, Dialect, FaultKind, Finish, Signature, ToolKind, Usage};

fn signed(mut block: Block, value: &str) -> Block {
    block.signature = Some(Signature { dialect: Dialect::AnthropicMessages, value: value.into() });
    block
}

/// A message with this content gives these blocks.
fn check(content: &str, blocks: Vec<Block>) {
    let body = format!(r#"{{"id":"msg_1","type":"message","model":"claude-x","content":[{content}]}}"#);
    let response = decode(body.as_bytes()).unwrap();
    assert_eq!((response.id.as_str(), response.model.as_str()), ("msg_1", "claude-x"));
    assert_eq!(response.choices.len(), 1);
    assert_eq!(response.choices[0].blocks, blocks);
}

#[test]
fn blocks() {
    check("", vec![]);
    check(r#"{"type":"text","text":"Hé"}"#, vec![Block::text("Hé")]);
    let thought = || Block::new(Content::Reasoning("Hm.".into()));
    check(r#"{"type":"thinking","thinking":"Hm.","signature":"s"}"#, vec![signed(thought(), "s")]);
    check(r#"{"type":"thinking","thinking":"Hm.","signature":""}"#, vec![thought()]);
    let call = |arguments: &str| {
        let (id, name, arguments) = ("t1".into(), "look".into(), arguments.into());
        Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Function })
    };
    check(r#"{"type":"tool_use","id":"t1","name":"look","input":{"x": 1.0}}"#, vec![call(r#"{"x": 1.0}"#)]);
    check(r#"{"type":"tool_use","id":"t1","name":"look","caller":{"type":"direct"}}"#, vec![call("{}")]);
    let caller = r#"{"type":"code_execution_20250825","tool_id":"s1"}"#;
    let text = format!(r#"{{"type":"tool_use","id":"t1","name":"look","input":{{}},"caller":{caller}}}"#);
    check(&text, vec![signed(call("{}"), caller)]);
    for foreign in [
        r#"{"type":"redacted_thinking","data":"xyz"}"#,
        r#"{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"}}"#,
        r#"{"type":"block_of_tomorrow","n":[1]}"#,
    ] {
        let content = Content::Foreign { dialect: Dialect::AnthropicMessages, value: raw(foreign) };
        check(foreign, vec![Block::new(content)]);
    }
}

#[test]
fn citations_stand_for_their_block() {
    let web = r#"{"type":"web_search_result_location","url":"https://x.test","title":"X","cited_text":"b"}"#;
    let page = r#"{"type":"page_location","document_title":"Plan","document_index":0}"#;
    let content = format!(
        r#"{{"type":"text","text":"Né "}},{{"type":"text","text":"two","citations":[{web},{page}]}}"#
    );
    let cite = |url: Option<&str>, title: &str, value: &str| Citation {
        url: url.map(Into::into),
        title: Some(title.into()),
        start: Some(3),
        end: Some(6),
        value: Some(raw(value)),
    };
    let citations = vec![cite(Some("https://x.test"), "X", web), cite(None, "Plan", page)];
    check(&content, vec![Block::text("Né "), Block::new(Content::Text { text: "two".into(), citations })]);
}

#[test]
fn stop_reasons() {
    let cases = [
        (r#""end_turn""#, Finish::Stop, Some("end_turn")),
        (r#""stop_sequence""#, Finish::Stop, Some("stop_sequence")),
        (r#""max_tokens""#, Finish::Length, Some("max_tokens")),
        (r#""model_context_window_exceeded""#, Finish::Length, Some("model_context_window_exceeded")),
        (r#""tool_use""#, Finish::ToolCalls, Some("tool_use")),
        (r#""refusal""#, Finish::Refusal, Some("refusal")),
        (r#""pause_turn""#, Finish::Pause, Some("pause_turn")),
        (r#""tomorrow""#, Finish::Stop, Some("tomorrow")),
        ("null", Finish::Stop, None),
    ];
    for (word, finish, native) in cases {
        let body = format!(r#"{{"content":[],"stop_reason":{word},"stop_sequence":null}}"#);
        let choice = decode(body.as_bytes()).unwrap().choices.remove(0);
        assert_eq!((choice.finish, choice.native_finish.as_deref()), (finish, native));
    }
}

#[test]
fn usage_counts_the_cache_into_the_prompt() {
    let check = |usage: &str, expected: Option<Usage>| {
        let body = format!(r#"{{"content":[],"usage":{usage}}}"#);
        assert_eq!(decode(body.as_bytes()).unwrap().usage, expected);
    };
    check("null", None);
    check("{}", None);
    let plain = Usage { prompt: 3, completion: 4, ..Usage::default() };
    check(r#"{"input_tokens":3,"output_tokens":4}"#, Some(plain));
    let cached = Usage {
        prompt: 33,
        completion: 4,
        cached: Some(10),
        cache_written: Some(20),
        reasoning: Some(2),
        ..Usage::default()
    };
    let text = r#"{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":10,
        "cache_creation_input_tokens":20,"output_tokens_details":{"thinking_tokens":2}}"#;
    check(text, Some(cached));
}

#[test]
fn vendor_fields_are_kept_beside() {
    let body = r#"{"content":[],"stop_reason":"refusal","stop_sequence":"END","stop_details":{"category":"bio"},
        "container":{"id":"c1"},"usage":{"input_tokens":1,"output_tokens":1,"service_tier":"standard",
        "server_tool_use":{"web_search_requests":1}}}"#;
    let response = decode(body.as_bytes()).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), raw(value));
    let extra =
        vec![field("container", r#"{"id":"c1"}"#), field("server_tool_use", r#"{"web_search_requests":1}"#)];
    assert_eq!(response.extra, extra);
    assert_eq!(response.choices[0].extra, vec![field("stop_details", r#"{"category":"bio"}"#)]);
    assert_eq!(response.choices[0].stop_sequence.as_deref(), Some("END"));
    assert_eq!(response.service_tier.as_deref(), Some("default"));
}

#[test]
fn what_is_no_answer_is_a_fault() {
    let check = |body: &str, kind: FaultKind, status: u16| {
        let fault = decode(body.as_bytes()).unwrap_err();
        assert_eq!((fault.kind, fault.status), (kind, status), "{body}");
    };
    let envelope = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    check(envelope, FaultKind::Overloaded, 529);
    check("<html>", FaultKind::Upstream, 502);
    check("", FaultKind::Upstream, 502);
    check("{}", FaultKind::Upstream, 502);
    check(r#"{"content":"x"}"#, FaultKind::Upstream, 502);
}
