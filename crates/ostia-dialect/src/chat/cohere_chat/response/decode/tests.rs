#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::json;

use super::*;
use crate::test_support::{call, raw, thought};
use crate::{Citation, FaultKind, Finish, Meter, Metered, Usage};

fn text(text: &str) -> Block {
    Block::text(text)
}

/// Decodes an answer with this message and compares its blocks.
#[track_caller]
fn check(message: serde_json::Value, blocks: Vec<Block>) -> Choice {
    let body = json!({"id": "r1", "message": message, "finish_reason": "COMPLETE"});
    let mut response = decode(body.to_string().as_bytes()).unwrap();
    assert_eq!(response.id, "r1");
    assert_eq!(response.choices.len(), 1);
    let choice = response.choices.remove(0);
    assert_eq!(choice.blocks, blocks);
    choice
}

#[test]
fn texts_thoughts_plans_and_calls() {
    check(json!({"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}), vec![text("Hi")]);
    check(json!({"content": "Hi"}), vec![text("Hi")]);
    check(json!({"content": null, "tool_calls": []}), vec![]);
    let calls = json!([
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]);
    check(
        json!({"tool_plan": "I will", "tool_calls": calls}),
        vec![text("I will"), call("c1", "f", "{\"a\": 1}"), call("c2", "g", "{}")],
    );
    check(
        json!({"tool_plan": "P", "content": [{"type": "thinking", "thinking": "T"}, {"type": "text", "text": "X"}]}),
        vec![thought("T"), text("P"), text("X")],
    );
    let novel = json!({"type": "novel", "x": 1});
    check(
        json!({"content": [novel]}),
        vec![Block::new(Content::Foreign { dialect: Dialect::CohereChat, value: raw(novel) })],
    );
}

#[test]
fn citations_hang_on_the_text_that_they_quote_in() {
    let in_text = json!({"start": 0, "end": 4, "text": "Rome", "type": "TEXT_CONTENT", "content_index": 1,
        "sources": [{"type": "document", "id": "d1", "document": {"title": "One", "text": "..."}},
                    {"type": "tool", "id": "t1", "tool_output": {"title": "Two", "url": "https://two.example"}},
                    {"type": "tool", "id": "t2", "tool_output": {"url": "https://three.example"}}]});
    let in_plan = json!({"start": 0, "end": 2, "text": "Go", "type": "PLAN", "sources": []});
    let in_thought = json!({"start": 0, "end": 1, "text": "T", "type": "THINKING_CONTENT", "sources": []});
    let message = json!({"tool_plan": "Göh", "citations": [in_text, in_plan, in_thought],
        "content": [{"type": "thinking", "thinking": "T"}, {"type": "text", "text": "Rome"}]});
    let plan = Content::Text {
        text: "Göh".into(),
        citations: vec![Citation {
            url: None,
            title: None,
            start: Some(0),
            end: Some(2),
            value: Some(raw(in_plan)),
        }],
    };
    let cited = |url: &str, title: Option<&str>, value| Citation {
        url: Some(url.into()),
        title: title.map(Into::into),
        start: Some(3),
        end: Some(7),
        value,
    };
    let rome = Content::Text {
        text: "Rome".into(),
        citations: vec![
            cited("https://two.example", Some("Two"), Some(raw(in_text))),
            cited("https://three.example", None, None),
        ],
    };
    let choice = check(message, vec![thought("T"), Block::new(plan), Block::new(rome)]);
    assert_eq!(choice.extra, [("citations".to_owned(), raw(json!([in_thought])))]);
}

#[track_caller]
fn finish(word: &str) -> Result<Finish, Fault> {
    let body = json!({"id": "r", "message": {"content": []}, "finish_reason": word});
    let choice = decode(body.to_string().as_bytes())?.choices.remove(0);
    assert_eq!(choice.native_finish.as_deref(), Some(word));
    Ok(choice.finish)
}

#[test]
fn finish_reasons() {
    assert_eq!(finish("COMPLETE"), Ok(Finish::Stop));
    assert_eq!(finish("STOP_SEQUENCE"), Ok(Finish::Stop));
    assert_eq!(finish("MAX_TOKENS"), Ok(Finish::Length));
    assert_eq!(finish("TOOL_CALL"), Ok(Finish::ToolCalls));
    assert_eq!(finish("ERROR_TOXIC"), Ok(Finish::ContentFilter));
    assert_eq!(finish("SOMETHING_NEW"), Ok(Finish::Stop));
    assert_eq!(finish("ERROR").unwrap_err().kind, FaultKind::Server);
    assert_eq!(finish("TIMEOUT").unwrap_err().status, 504);
}

#[test]
fn usage_counts_tokens_and_falls_back_to_billed_units() {
    let usage = |usage: serde_json::Value| {
        let body = json!({"id": "r", "message": {}, "finish_reason": "COMPLETE", "usage": usage});
        let response = decode(body.to_string().as_bytes()).unwrap();
        (response.usage, response.extra.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
    };
    let billed = json!({"input_tokens": 5, "output_tokens": 4});
    assert_eq!(
        usage(json!({"billed_units": billed, "cached_tokens": 48,
            "tokens": {"input_tokens": 60.0, "output_tokens": 9, "reasoning_tokens": 3}})),
        (
            Some(Usage {
                prompt: 60,
                completion: 9,
                cached: Some(48),
                reasoning: Some(3),
                metered: Metered::one(Meter::BilledInput, 5).with(Meter::BilledOutput, 4),
                ..Usage::default()
            }),
            vec!["billed_units".to_owned()],
        )
    );
    assert_eq!(
        usage(json!({"billed_units": billed})).0,
        Some(Usage { prompt: 5, completion: 4, ..Usage::default() })
    );
    assert_eq!(usage(json!({})).0, None);
}

#[test]
fn log_probabilities_keep_their_digits_and_pieces_of_several_tokens_are_summed() {
    let body = r#"{"id":"r","message":{},"finish_reason":"COMPLETE","logprobs":[
        {"text":"é","token_ids":[1],"logprobs":[-0.10]},{"text":"ab","token_ids":[2,3],"logprobs":[-0.5,-0.25]}]}"#;
    let logprobs = decode(body.as_bytes()).unwrap().choices.remove(0).logprobs.unwrap();
    assert_eq!(
        logprobs.as_str(),
        concat!(
            r#"{"content":[{"token":"é","logprob":-0.10,"bytes":[195,169],"top_logprobs":[]},"#,
            r#"{"token":"ab","logprob":-0.75,"bytes":[97,98],"top_logprobs":[]}]}"#
        )
    );
}

#[test]
fn errors() {
    let fault = decode(br#"{"id":"e1","message":"no such model"}"#).unwrap_err();
    assert_eq!((fault.status, fault.message.as_str()), (502, "no such model"));
    assert_eq!(decode(b"<html>").unwrap_err().kind, FaultKind::Upstream);
    assert_eq!(decode(b"[]").unwrap_err().status, 502);
}
