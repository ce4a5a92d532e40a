//! Turns and their blocks.

use serde_json::{Value, json};

use super::{CLAUDE, OWN, encode, of_chat, of_messages};
use crate::test_support::{call, raw, result, signed, thought, turn};
use crate::{Block, Citation, Content, Dialect, Message, Request, Role};

fn request(messages: Vec<Message>) -> Request {
    Request { model: CLAUDE.into(), messages, ..Request::default() }
}

#[track_caller]
fn check(messages: Vec<Message>, expected: Value, lost: &[&str]) {
    let (body, dropped) = encode(&request(messages)).unwrap();
    assert_eq!(
        (body["messages"].clone(), dropped),
        (expected, lost.iter().map(|&path| path.into()).collect())
    );
}

#[test]
fn speakers_take_turns_and_the_user_begins() {
    let text = |role, text: &str| Message::text(role, text);
    check(
        vec![
            text(Role::System, "s"),
            text(Role::User, "a"),
            text(Role::User, "b"),
            text(Role::Assistant, "c"),
            text(Role::Developer, "d"),
            text(Role::Assistant, "e"),
            text(Role::User, "f"),
        ],
        json!([{"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
               {"role": "assistant", "content": [{"text": "c"}, {"text": "e"}]},
               {"role": "user", "content": [{"text": "f"}]}]),
        &[],
    );
    check(
        vec![text(Role::Assistant, "hello"), text(Role::User, "a")],
        json!([{"role": "user", "content": [{"text": "Begin."}]}, {"role": "assistant", "content": [{"text": "hello"}]},
               {"role": "user", "content": [{"text": "a"}]}]),
        &[],
    );
    // A prefill, whose last white space is refused.
    check(
        vec![text(Role::User, "a"), text(Role::Assistant, "b \n")],
        json!([{"role": "user", "content": [{"text": "a"}]}, {"role": "assistant", "content": [{"text": "b"}]}]),
        &[],
    );
}

#[test]
fn results_stand_first_and_say_how_it_went() {
    check(
        vec![
            Message::text(Role::User, "q"),
            turn(Role::Assistant, [Block::text("so"), call("c", "f", "{\"a\":1}"), call("d", "g", "")]),
            turn(Role::Tool, [result("c", [Block::text("1"), Block::text("2")], false)]),
            Message::text(Role::User, "and"),
            turn(Role::Tool, [result("d", [], true)]),
        ],
        json!([{"role": "user", "content": [{"text": "q"}]},
               {"role": "assistant", "content": [{"text": "so"}, {"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1}}},
                                                 {"toolUse": {"toolUseId": "d", "name": "g", "input": {}}}]},
               {"role": "user", "content": [
                   {"toolResult": {"toolUseId": "c", "content": [{"text": "1"}, {"text": "2"}]}},
                   {"toolResult": {"toolUseId": "d", "content": [{"text": "(no output)"}], "status": "error"}},
                   {"text": "and"}]}]),
        &[],
    );
}

#[test]
fn thoughts_go_back_with_the_proofs_of_their_vendor() {
    let hidden = raw(json!({"type": "redacted_thinking", "data": "EqQC"}));
    let own = raw(json!({"reasoningContent": {"redactedContent": "RXFRQw=="}}));
    let foreign =
        |dialect, value: &crate::json::Json| Block::new(Content::Foreign { dialect, value: value.clone() });
    check(
        vec![
            Message::text(Role::User, "q"),
            turn(
                Role::Assistant,
                [
                    signed(thought("a"), OWN, "sa"),
                    signed(thought("b"), Dialect::AnthropicMessages, "sb"),
                    signed(thought("c"), Dialect::GeminiGenerate, "sc"),
                    thought("d"),
                    foreign(Dialect::AnthropicMessages, &hidden),
                    foreign(OWN, &own),
                    foreign(Dialect::OpenaiResponses, &own),
                    Block::text("x"),
                ],
            ),
            Message::text(Role::User, "r"),
        ],
        json!([{"role": "user", "content": [{"text": "q"}]},
               {"role": "assistant", "content": [
                   {"reasoningContent": {"reasoningText": {"text": "a", "signature": "sa"}}},
                   {"reasoningContent": {"reasoningText": {"text": "b", "signature": "sb"}}},
                   {"reasoningContent": {"redactedContent": "RXFRQw=="}},
                   {"reasoningContent": {"redactedContent": "RXFRQw=="}},
                   {"text": "x"}]},
               {"role": "user", "content": [{"text": "r"}]}]),
        &["messages[1].reasoning_content", "messages[1].content[6]"],
    );
}

#[test]
fn citations_of_the_vendors_own_go_back() {
    let own = json!({"title": "T", "sourceContent": [{"text": "s"}], "location": {"web": {"url": "https://a.example"}}});
    let cited =
        |value: &Value| Citation { url: None, title: None, start: None, end: None, value: Some(raw(value)) };
    let other = json!({"type": "char_location", "cited_text": "x"});
    let said = |text: &str, citations| Block::new(Content::Text { text: text.into(), citations });
    check(
        vec![
            Message::text(Role::User, "q"),
            turn(Role::Assistant, [said("a", vec![cited(&own)]), said("b", vec![cited(&other)])]),
            Message::text(Role::User, "r"),
        ],
        json!([{"role": "user", "content": [{"text": "q"}]},
               {"role": "assistant", "content": [
                   {"citationsContent": {"content": [{"text": "a"}], "citations": [own]}}, {"text": "b"}]},
               {"role": "user", "content": [{"text": "r"}]}]),
        &["messages[1].annotations"],
    );
}

#[test]
fn cache_points_follow_what_is_marked() {
    let marked = |text: &str, ttl: Option<&str>| {
        let mut control = json!({"type": "ephemeral"});
        ttl.into_iter().for_each(|ttl| control["ttl"] = json!(ttl));
        json!({"type": "text", "text": text, "cache_control": control})
    };
    let (body, dropped) = of_messages(
        CLAUDE,
        json!({"system": [marked("s", Some("1h"))], "cache_control": {"type": "ephemeral"},
               "messages": [{"role": "user", "content": [marked("a", None), {"type": "text", "text": "b"}]},
                            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
                            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [marked("r", Some("5m"))]}]}],
               "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}]}),
    );
    let point = json!({"cachePoint": {"type": "default"}});
    assert_eq!(body["system"], json!([{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]));
    assert_eq!(body["messages"][0]["content"], json!([{"text": "a"}, point, {"text": "b"}]));
    assert_eq!(
        body["messages"][2]["content"],
        json!([{"toolResult": {"toolUseId": "c", "content": [{"text": "r"}]}},
               {"cachePoint": {"type": "default", "ttl": "5m"}}, point])
    );
    // One mark more than the vendor takes: the first goes.
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(dropped, ["tools[0].cache_control"]);
}

#[test]
fn nothing_to_answer() {
    assert_eq!(
        encode(&request(vec![Message::text(Role::System, "s")])).unwrap_err().param.as_deref(),
        Some("messages")
    );
    let (body, _) = of_chat(
        CLAUDE,
        json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}),
    );
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "a"}]}]));
}
