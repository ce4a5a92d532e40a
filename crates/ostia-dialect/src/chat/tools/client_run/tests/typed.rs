//! Anthropic's tools, before other vendors.

use serde_json::{Value, json};

use super::names;
use crate::test_support::decoded;
use crate::{ClientDialect, Dialect, EncodeOptions, Encoded, Fault};

fn send(fields: Value, upstream: Dialect) -> Result<(Value, Encoded), Fault> {
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut request = decoded(ClientDialect::AnthropicMessages, body.to_string())?;
    let encoded = upstream.encode(&mut request, &EncodeOptions::default())?;
    Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded))
}

const OTHERS: [Dialect; 4] =
    [Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::GeminiGenerate, Dialect::CohereChat];

#[track_caller]
fn check(entry: Value, name: &str, has: &[&str], has_not: &[&str], dropped: &[&str]) {
    for upstream in OTHERS {
        let choice = json!({"type": "tool", "name": name});
        let (body, encoded) = send(json!({"tools": [entry], "tool_choice": choice}), upstream).unwrap();
        let text = body["tools"].to_string();
        assert!(text.contains(&format!(r#""name":"{name}""#)), "{text}");
        assert!(has.iter().all(|word| text.contains(word)), "{text}");
        assert!(!has_not.iter().any(|word| text.contains(word)), "{text}");
        let lost: Vec<&String> = encoded.dropped.iter().filter(|path| path.starts_with("tools[")).collect();
        assert_eq!(lost, dropped);
        assert!(encoded.undo.is_empty());
    }
    let (body, _) = send(json!({"tools": [entry]}), Dialect::AnthropicMessages).unwrap();
    assert_eq!(body["tools"], json!([entry]));
}

#[test]
fn tools_of_clients_become_functions() {
    let editor = "str_replace_based_edit_tool";
    check(json!({"type": "bash_20250124", "name": "bash"}), "bash", &["restart"], &[], &[]);
    check(json!({"type": "bash_20271231", "name": "bash"}), "bash", &["restart"], &[], &[]);
    check(
        json!({"type": "text_editor_20250728", "name": editor, "max_characters": 9}),
        editor,
        &["insert_text"],
        &["undo_edit"],
        &["tools[0].max_characters"],
    );
    check(
        json!({"type": "text_editor_20250429", "name": editor}),
        editor,
        &["new_str"],
        &["undo_edit", "insert_text"],
        &[],
    );
    let old = "str_replace_editor";
    check(json!({"type": "text_editor_20250124", "name": old}), old, &["undo_edit"], &["insert_text"], &[]);
    check(json!({"type": "memory_20250818", "name": "memory"}), "memory", &["/memories", "rename"], &[], &[]);
    let screen = json!({"type": "computer_20250124", "name": "computer", "display_width_px": 1024,
        "display_height_px": 768, "display_number": 1});
    check(screen, "computer", &["pixels: 1024.", "pixels: 768.", "triple_click"], &[], &[]);
    let screen = json!({"type": "computer_20241022", "name": "computer", "display_width_px": 1, "display_height_px": 2});
    check(screen, "computer", &["double_click"], &["triple_click"], &[]);
}

#[test]
fn a_mark_for_the_cache_stays() {
    let mark = json!({"type": "ephemeral"});
    let (_, encoded) = send(
        json!({"tools": [{"type": "bash_20250124", "name": "bash", "cache_control": mark}]}),
        Dialect::OpenaiChat,
    )
    .unwrap();
    assert!(!encoded.dropped.iter().any(|path| path == "tools[0].type"));
}

#[test]
fn others_are_refused() {
    for kind in
        ["bash", "bash_toolset_20260801", "computer_toolset_20260801", "advisor_20260301", "bash_2025x"]
    {
        let tools = json!([{"type": kind, "name": "x"}]);
        let fault = send(json!({"tools": tools}), Dialect::OpenaiChat).map(drop).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tools[0]")), "{kind}");
    }
}

#[test]
fn a_search_for_tools_is_not_missed_and_what_it_found_is_named() {
    let deferred = json!({"name": "f", "input_schema": {"type": "object"}, "defer_loading": true});
    for kind in
        ["tool_search_tool_regex_20251119", "tool_search_tool_bm25_20251119", "tool_search_tool_regex"]
    {
        let tools = json!([{"type": kind, "name": "s"}, deferred]);
        let found = json!([{"type": "tool_reference", "tool_name": "f"}]);
        let messages = json!([
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "find", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": found}]},
        ]);
        let (body, encoded) =
            send(json!({"tools": tools, "messages": messages}), Dialect::OpenaiChat).unwrap();
        assert_eq!(names(&body), ["f"]);
        assert_eq!(body["messages"][2]["content"], "This tool can be called now: f");
        assert_eq!(encoded.dropped, ["tools[1].defer_loading", "tools[0]"], "{kind}");
    }
}

#[test]
fn fields_of_a_tool_stay_with_it_where_others_go() {
    let hidden = json!({"type": "function", "function": {"name": "f"}, "defer_loading": true});
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}],
        "tools": [{"type": "web_search"}, hidden, {"type": "function", "function": {"name": "g"}}]});
    let mut request = decoded(ClientDialect::OpenaiChat, body.to_string()).unwrap();
    let encoded = Dialect::AnthropicMessages.encode(&mut request, &EncodeOptions::default()).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let hidden = body["tools"].as_array().unwrap().iter().filter(|tool| tool.get("defer_loading").is_some());
    assert_eq!(hidden.map(|tool| tool["name"].as_str().unwrap()).collect::<Vec<_>>(), ["f"], "{body}");
}
