//! What clients send back.

use serde_json::{Value, json};

use super::{OTHERS, all_tools, calls, chat, names, send};
use crate::chat::tools::client_run::table::TOOLS;
use crate::test_support::decoded;
use crate::{ClientDialect, Dialect, EncodeOptions};

fn question() -> Value {
    json!({"role": "user", "content": "q"})
}

/// The messages behind the question that Chat Completions is sent for these items.
fn messages(items: &[Value]) -> (Vec<Value>, Vec<String>) {
    let input = [&[question()], items].concat();
    let (body, encoded) = chat(json!({"input": input}));
    (body["messages"].as_array().unwrap()[1..].to_vec(), encoded.dropped)
}

#[track_caller]
fn check_pair(call: Value, output: Value, name: &str, arguments: Value, said: &str) {
    let (told, dropped) = messages(&[call, output]);
    let arguments = arguments.to_string();
    let call = json!({"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}});
    assert_eq!(told[0]["tool_calls"], json!([call]));
    assert_eq!(told[1], json!({"role": "tool", "tool_call_id": "c", "content": said}));
    assert_eq!((told.len(), dropped.len()), (2, 0), "{dropped:?}");
}

#[test]
fn items_become_calls_and_results() {
    for (name, said, fields) in calls() {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let mut item = json!({"type": tool.call, "id": "i", "call_id": "c", "status": "completed"});
        item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let (output, text) = match name {
            "tool_search" => (json!({"tools": [], "execution": "client"}), "No tools were found."),
            _ => (json!({"output": "done"}), "done"),
        };
        let mut result = json!({"type": tool.output, "call_id": "c"});
        result.as_object_mut().unwrap().extend(output.as_object().unwrap().clone());
        check_pair(item, result, name, said, text);
    }
}

#[test]
fn outputs_of_all_kinds() {
    let shell = json!({"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}});
    let chunks = json!([{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]);
    let output =
        json!({"type": "shell_call_output", "call_id": "c", "max_output_length": 9, "output": chunks});
    check_pair(shell.clone(), output, "shell", json!({"commands": ["ls"]}), &chunks.to_string());
    // The output of a local shell may name the item.
    let action = json!({"type": "exec", "command": ["ls"], "env": {}});
    let local = json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c", "action": action});
    for id in ["c", "lsh_1"] {
        let output = json!({"type": "local_shell_call_output", "id": id, "output": "{}"});
        check_pair(local.clone(), output, "local_shell", json!({"command": ["ls"]}), "{}");
    }
    let output = json!({"type": "function_call_output", "call_id": "c", "output": "r"});
    check_pair(local, output, "local_shell", json!({"command": ["ls"]}), "r");
    let operation = json!({"type": "delete_file", "path": "a"});
    let patch = json!({"type": "apply_patch_call", "call_id": "c", "operation": operation});
    let output = json!({"type": "apply_patch_call_output", "call_id": "c", "status": "completed"});
    check_pair(patch.clone(), output, "apply_patch", operation, "completed");
    let output =
        json!({"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no"});
    let (body, _) = send(json!({"input": [question(), patch, output]}), Dialect::AnthropicMessages).unwrap();
    let result = &body["messages"][2]["content"][0];
    assert_eq!((&result["type"], &result["is_error"]), (&json!("tool_result"), &json!(true)));
}

#[test]
fn several_calls_of_one_turn_stay_one_turn() {
    let call = |id: &str| json!({"type": "shell_call", "call_id": id, "action": {"commands": ["ls"]}});
    let output = |id: &str| json!({"type": "shell_call_output", "call_id": id, "output": []});
    let input = json!([question(), call("a"), call("b"), output("a"), output("b")]);
    for upstream in OTHERS {
        let (body, _) = send(json!({"input": input, "tools": all_tools()}), upstream).unwrap();
        let text = body.to_string();
        assert!(!text.contains("shell_call"), "{}: {text}", upstream.name());
    }
    let (body, _) = chat(json!({"input": input}));
    assert_eq!(body["messages"][1]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"].as_array().unwrap().len(), 4);
}

#[test]
fn the_owner_of_the_items_gets_them_as_they_are() {
    let items = [
        json!({"type": "additional_tools", "role": "developer", "tools": []}),
        question(),
        json!({"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}}),
        json!({"type": "shell_call_output", "call_id": "c", "output": []}),
    ];
    let (body, _) = send(json!({"input": items}), Dialect::OpenaiResponses).unwrap();
    assert_eq!(body["input"][0], items[0]);
    assert_eq!(body["input"].as_array().unwrap()[2..], items[2..]);
}

#[test]
fn what_the_vendor_has_searched_is_left_out() {
    let searched = [
        json!({"type": "tool_search_call", "call_id": null, "execution": "server", "arguments": {}}),
        json!({"type": "tool_search_output", "call_id": null, "execution": "server", "tools": []}),
    ];
    let (told, dropped) = messages(&[&searched[..], &[question()]].concat());
    assert!(
        told.iter().all(|message| message.get("tool_calls").is_none() && message["role"] != "tool"),
        "{told:?}"
    );
    assert_eq!(dropped.len(), 2);
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}})
}

#[test]
fn tools_that_come_along_join_the_list() {
    let docs =
        |tools: &[Value]| json!({"type": "namespace", "name": "docs", "description": "", "tools": tools});
    let more = json!({"type": "additional_tools", "role": "developer",
        "tools": [{"type": "custom", "name": "exec"}, docs(&[function("a")]), function("f"), {"type": "web_search"}]});
    let search = |id: &str| json!({"type": "tool_search_call", "call_id": id, "execution": "client", "arguments": {"query": "q"}});
    let found = |id: &str, tools: Value| json!({"type": "tool_search_output", "call_id": id, "execution": "client", "tools": tools});
    let input = json!([
        more,
        question(),
        search("1"),
        found("1", json!([docs(&[function("a"), function("b")]), function("late")])),
        search("2"),
        found("2", json!([docs(&[function("b")]), function("late")])),
    ]);
    let tools = json!([function("f"), {"type": "tool_search", "execution": "client"}]);
    let (body, encoded) = send(json!({"input": input, "tools": tools}), Dialect::AnthropicMessages).unwrap();
    let list: Vec<&str> =
        body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(list, ["f", "tool_search", "exec", "docs__a", "docs__b", "late", "web_search"]);
    let told = &body["messages"][2]["content"][0];
    assert!(told.to_string().contains("These tools can be called now: docs__a, docs__b, late"), "{told}");
    assert_eq!(body["messages"][0]["role"], "user");
    assert_eq!(encoded.dropped, Vec::<String>::new());
}

#[test]
fn tools_that_come_along_have_places_too() {
    let more =
        |tools: Value| json!([{"type": "additional_tools", "role": "developer", "tools": tools}, question()]);
    let odd = json!({"type": "function", "name": "f", "odd": 1});
    let (body, encoded) = chat(json!({"input": more(json!([odd, {"type": "tool_search"}]))}));
    assert_eq!((names(&body), body["messages"].as_array().unwrap().len()), (vec!["f"], 1));
    assert_eq!(encoded.dropped, ["input[0].tools[0].odd", "input[0].tools[1]"]);
    for (tools, path) in [
        (json!([{"type": "file_search"}]), "input[0].tools[0]"),
        (json!([function("f"), {"name": "f"}]), "input[0].tools[1].type"),
        (json!({}), "input[0].tools"),
    ] {
        let fault = send(json!({"input": more(tools)}), Dialect::OpenaiChat).map(drop).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(path)));
        assert!(fault.message.contains(&format!("`{path}`")), "{fault}");
    }
}

/// In a conversation of another dialect such items are opaque values.
#[test]
fn opaque_items_stay_there() {
    let value = crate::test_support::raw(
        json!({"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}}),
    );
    let wrapped = crate::chat::opaque::encode(&crate::chat::opaque::Opaque::Foreign {
        dialect: Dialect::OpenaiResponses,
        value,
    });
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "redacted_thinking", "data": wrapped}, {"type": "text", "text": "a"}]},
        {"role": "user", "content": "q"}]});
    let mut request = decoded(ClientDialect::AnthropicMessages, body.to_string()).unwrap();
    let encoded = Dialect::OpenaiChat.encode(&mut request, &EncodeOptions::default()).unwrap();
    assert_eq!(encoded.dropped, ["messages[1].content[0]"]);
}
