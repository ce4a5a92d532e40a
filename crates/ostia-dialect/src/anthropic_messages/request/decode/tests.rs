#![allow(clippy::unwrap_used)]

use super::{WORDS, decode};
use crate::anthropic_messages::request::encode;
use crate::json::Document;

/// What a client says, and what an upstream of the same dialect is told: the same, in its normal form.
fn check(fields: &str, expected: &str) {
    let body = format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":9000,{fields}}}"#);
    let encoded = encode(&decode(body.as_bytes()).unwrap()).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&encoded.body).unwrap();
    let expected: serde_json::Value =
        serde_json::from_str(&format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":9000,{expected}}}"#))
            .unwrap();
    assert_eq!(told, expected);
    assert_eq!(encoded.dropped, Vec::<String>::new(), "{fields}");
}

fn same(fields: &str) {
    check(fields, fields);
}

#[test]
fn what_is_said_comes_out_again() {
    let q = r#""messages":[{"role":"user","content":[{"type":"text","text":"q"}]}]"#;
    same(q);
    for field in [
        r#""system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]"#,
        r#""system":"s""#,
        r#""stop_sequences":["x"]"#,
        r#""temperature":0.5"#,
        r#""top_k":5"#,
        r#""metadata":{"user_id":"u"}"#,
        r#""thinking":{"type":"enabled","budget_tokens":2000}"#,
        r#""stream":true"#,
        r#""tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#,
        r#""tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"}"#,
        r#""tools":[{"type":"bash_20250124","name":"bash"}]"#,
    ] {
        same(&format!("{field},{q}"));
    }
}

#[test]
fn turns_of_an_agent() {
    same(
        r#""messages":[{"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral"}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"proof"},{"type":"redacted_thinking","data":"d"},
            {"type":"text","text":"a"},{"type":"tool_use","id":"c1","name":"f","input":{"x":[1.50]}},{"type":"tool_use","id":"c2","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"no","is_error":true},
            {"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
            {"type":"text","text":"go on"}]}],
        "tools":[{"name":"f","input_schema":{"type":"object"}}]"#,
    );
}

#[test]
fn every_mistake_is_named() {
    for (body, param) in [
        ("[]", ""),
        (r#"{"messages":[],"max_tokens":1,"model":"m"}"#, "messages"),
        (r#"{"messages":[{"role":"user","content":"q"}],"max_tokens":"1","model":"m"}"#, "max_tokens"),
        (r#"{"messages":[{"role":"robot","content":"q"}],"max_tokens":1,"model":"m"}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":7}],"max_tokens":1,"model":"m"}"#, "messages[0].content"),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"q"}]}],"max_tokens":1,"model":"m"}"#,
            "messages[0].content[0].type",
        ),
        (
            r#"{"messages":[{"role":"user","content":"q"}],"max_tokens":1,"model":"m","tools":[{"name":"f"}]}"#,
            "tools[0].input_schema",
        ),
        (
            r#"{"messages":[{"role":"user","content":"q"}],"max_tokens":1,"model":"m","thinking":{"type":"x"}}"#,
            "thinking.type",
        ),
        (
            r#"{"messages":[{"role":"user","content":"q"}],"max_tokens":1,"model":"m","tool_choice":{"type":"x"}}"#,
            "tool_choice.type",
        ),
    ] {
        let fault = decode(body.as_bytes()).unwrap_err();
        assert_eq!(
            (fault.status, fault.param.as_deref().unwrap_or_default()),
            (400, param),
            "{body}: {fault}"
        );
    }
}

#[test]
fn fields_that_nobody_knows_are_kept_for_the_report() {
    let body = br#"{"model":"m","max_tokens":1,"container":"c","messages":[{"role":"user","content":"q"}]}"#;
    let request = decode(body).unwrap();
    assert_eq!(request.extra[0].0, "container");
    assert_eq!(request.places, ["messages[0]"]);
    assert!(WORDS.iter().all(|(hub, own)| hub != own));
    assert!(Document::parse(body).is_ok());
}
