#![allow(clippy::unwrap_used, clippy::panic)]

mod history;
mod typed;

use serde_json::{Value, json};

use super::table::{TOOLS, TYPED};
use crate::json::Document;
use crate::test_support::{
    END, begin, call, choice, decoded, fold, more, options, raw, start, stop, written,
};
use crate::{
    Block, ClientDialect, Content, Delta, Dialect, EncodeOptions, Encoded, Encoder, Event, Fault, Finish,
    Response, Signature, Undo,
};

const OTHERS: [Dialect; 5] = [
    Dialect::OpenaiChat,
    Dialect::AnthropicMessages,
    Dialect::GeminiGenerate,
    Dialect::CohereChat,
    Dialect::OllamaChat,
];

/// What a vendor is sent for these fields of a client of Responses.
fn send(fields: Value, upstream: Dialect) -> Result<(Value, Encoded), Fault> {
    let mut body = json!({"model": "m", "input": "q"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut request = decoded(ClientDialect::OpenaiResponses, body.to_string())?;
    request.client = Some(ClientDialect::OpenaiResponses);
    let encoded = upstream.encode(&mut request, &EncodeOptions::default())?;
    Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded))
}

fn chat(fields: Value) -> (Value, Encoded) {
    send(fields, Dialect::OpenaiChat).unwrap()
}

/// The names of the functions in a Chat Completions body.
fn names(body: &Value) -> Vec<&str> {
    let tools = body["tools"].as_array().into_iter().flatten();
    tools.map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}

#[test]
fn schemas_are_schemas() {
    let all = TOOLS.iter().map(|tool| tool.parameters).chain(TYPED.iter().map(|tool| tool.parameters));
    for text in all {
        let schema: Value = serde_json::from_str(text).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(schema["type"], "object");
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(properties.contains_key(name.as_str().unwrap()), "{name}");
        }
    }
    for tool in TOOLS {
        let schema: Value = serde_json::from_str(tool.parameters).unwrap();
        for need in tool.needs {
            assert!(schema["properties"].get(need.field).is_some(), "{}", need.field);
        }
    }
}

/// A server that copies OpenAI's Responses, and no more of it than functions.
#[test]
fn a_copy_of_responses_gets_functions() {
    let options = EncodeOptions { takes: Some(Vec::new()), ..EncodeOptions::default() };
    let body = json!({
        "model": "m",
        "tools": [
            {"type": "custom", "name": "patch"},
            {"type": "namespace", "name": "files", "description": "", "tools": [
                {"type": "function", "name": "read", "parameters": {"type": "object"}}]},
            {"type": "shell", "environment": {"type": "local"}},
            {"type": "tool_search"},
            {"type": "web_search"},
        ],
        "input": [
            {"role": "user", "content": "q"},
            {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "+a"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
            {"type": "function_call", "call_id": "c2", "namespace": "files", "name": "read", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c2", "output": "a"},
        ],
    });
    let mut request = decoded(ClientDialect::OpenaiResponses, body.to_string()).unwrap();
    request.client = Some(ClientDialect::OpenaiResponses);
    let encoded = Dialect::OpenaiResponses.encode(&mut request, &options).unwrap();
    let sent: Value = serde_json::from_slice(&encoded.body).unwrap();
    let tools = sent["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| tool["type"] == "function"), "{sent}");
    let names: Vec<&Value> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["patch", "files__read", "shell"]);
    let items = sent["input"].as_array().unwrap();
    let kinds: Vec<&str> = items.iter().filter_map(|item| item["type"].as_str()).collect();
    let calls = ["function_call", "function_call_output"];
    assert_eq!(
        kinds.iter().filter(|kind| **kind != "message").collect::<Vec<_>>(),
        [&calls[0], &calls[1], &calls[0], &calls[1]]
    );
    assert!(!sent.to_string().contains("namespace"), "{sent}");
    assert_eq!(encoded.dropped, ["tools[3]", "web_search_options"]);
}

#[test]
fn tools_that_are_no_functions_are_seen() {
    let function = json!({"type": "function", "name": "namespace", "parameters": {"properties": {"type": {"const": "custom"}}}});
    for (tools, input, expected) in [
        (json!([function]), json!("custom"), false),
        (
            json!([{"type": "web_search"}, {"type": "mcp"}]),
            json!([{"role": "user", "content": "namespace"}]),
            false,
        ),
        (json!([{"type": "shell", "environment": {"type": "container_auto"}}]), json!("q"), false),
        (json!([{"type": "shell", "environment": {"type": "local"}}]), json!("q"), true),
        (json!([function, {"type": "custom", "name": "f"}]), json!("q"), true),
        (json!([{"type": "namespace", "name": "n", "tools": []}]), json!("q"), true),
        (json!(null), json!([{"type": "custom_tool_call", "call_id": "c"}]), true),
        (json!(null), json!([{"type": "function_call", "namespace": "n"}]), true),
        (json!(null), json!([{"type": "additional_tools", "tools": []}]), true),
        (json!(null), json!([{"type": "local_shell_call"}]), true),
        (json!(null), json!([{"type": "tool_search_call", "execution": "server"}]), false),
        (json!("shell"), json!({"type": "custom_tool_call"}), false),
    ] {
        let body = json!({"tools": tools, "input": input}).to_string();
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(super::is_in(&document), expected, "{body}");
    }
}

#[track_caller]
fn check_tool(entry: Value, name: &str, dropped: &[&str]) {
    for upstream in OTHERS {
        let (body, encoded) = send(json!({"tools": [entry]}), upstream).unwrap();
        assert!(body.to_string().contains(&format!(r#""name":"{name}""#)), "{body}");
        assert_eq!(encoded.dropped, dropped, "{}", upstream.name());
    }
    let (body, encoded) = send(json!({"tools": [entry]}), Dialect::OpenaiResponses).unwrap();
    assert_eq!(body["tools"], json!([entry]));
    assert!(encoded.undo.is_empty() && encoded.dropped.is_empty());
}

#[test]
fn tools_of_clients_become_functions() {
    check_tool(json!({"type": "local_shell"}), "local_shell", &[]);
    check_tool(json!({"type": "shell"}), "shell", &[]);
    check_tool(json!({"type": "shell", "environment": {"type": "local"}}), "shell", &[]);
    let skilled = json!({"type": "shell", "allowed_callers": ["direct"], "environment": {"type": "local", "skills": []}});
    check_tool(skilled, "shell", &["tools[0].allowed_callers", "tools[0].environment.skills"]);
    check_tool(json!({"type": "apply_patch"}), "apply_patch", &[]);
    check_tool(json!({"type": "tool_search", "execution": "client"}), "tool_search", &[]);
    let parameters = json!({"type": "object", "properties": {"query": {"type": "string"}}});
    let search = json!({"type": "tool_search", "execution": "client", "description": "Find.", "parameters": parameters});
    check_tool(search.clone(), "tool_search", &[]);
    let function = json!({"name": "tool_search", "description": "Find.", "parameters": parameters});
    assert_eq!(
        chat(json!({"tools": [search]})).0["tools"],
        json!([{"type": "function", "function": function}])
    );
}

#[test]
fn tools_that_a_function_cannot_stand_for_are_refused() {
    for entry in [
        json!({"type": "shell", "environment": {"type": "container_auto"}}),
        json!({"type": "shell", "environment": {"type": "container_reference", "container_id": "c"}}),
        json!({"type": "computer_use_preview", "display_width": 1, "display_height": 1, "environment": "browser"}),
        json!({"type": "computer"}),
    ] {
        for upstream in OTHERS {
            let tools = json!([{"type": "function", "name": "f"}, entry]);
            let fault = send(json!({"tools": tools}), upstream).map(drop).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tools[1]")), "{entry}");
        }
    }
}

/// Nobody hides the tools from the model, so that it sees all of them.
#[test]
fn a_search_that_the_vendor_runs_is_not_missed() {
    for choice in [Value::Null, json!("auto")] {
        let tools = json!([{"type": "tool_search"}, {"type": "function", "name": "f", "strict": true, "defer_loading": true}]);
        let (body, encoded) = chat(json!({"tools": tools, "tool_choice": choice}));
        assert_eq!(names(&body), ["f"]);
        assert_eq!(encoded.dropped, ["tools[1].defer_loading", "tools[0]"]);
    }
}

/// It would not be found there without that vendor's own search.
#[test]
fn no_tool_is_hidden_at_another_vendor() {
    let tools = json!([{"type": "tool_search"}, {"type": "function", "name": "f", "defer_loading": true,
        "allowed_callers": ["programmatic"]}]);
    let (body, mut encoded) = send(json!({"tools": tools}), Dialect::AnthropicMessages).unwrap();
    assert_eq!(body["tools"], json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]));
    encoded.dropped.sort();
    assert_eq!(encoded.dropped, ["tools[0]", "tools[1].allowed_callers", "tools[1].defer_loading"]);
}

#[test]
fn a_choice_by_type_is_one_by_name() {
    let tools = json!([{"type": "shell"}, {"type": "apply_patch"}]);
    for kind in ["shell", "apply_patch"] {
        let (body, encoded) = chat(json!({"tools": tools, "tool_choice": {"type": kind}}));
        assert_eq!(body["tool_choice"], json!({"type": "function", "function": {"name": kind}}));
        assert_eq!(encoded.dropped, Vec::<String>::new());
    }
}

#[test]
fn two_tools_of_one_name_are_told_apart() {
    let tools = json!([{"type": "shell"}, {"type": "function", "name": "shell"}]);
    let (body, encoded) = chat(json!({"tools": tools}));
    assert_eq!(names(&body), ["shell_call", "shell"]);
    let output = answer(&encoded.undo, r#"{"commands":["ls"]}"#, "shell_call", 0, 0);
    assert_eq!(output["type"], "shell_call");
    assert_eq!(answer(&encoded.undo, "{}", "shell", 0, 0)["type"], "function_call");
}

/// The one item of an answer that makes this call, which says `early` bytes with its start and cuts the rest at `at`:
/// the same unary and streamed.
#[track_caller]
fn answer(undo: &Undo, arguments: &str, name: &str, early: usize, at: usize) -> Value {
    let mut response = Response {
        choices: vec![choice(vec![call("c", name, arguments)], Finish::ToolCalls)],
        ..Response::default()
    };
    undo.response(&mut response);
    let whole: Value =
        serde_json::from_slice(&ClientDialect::OpenaiResponses.encode(&response, &options(true))).unwrap();
    let said = |text: &str| more(Delta::Arguments(text.to_owned()));
    let events = [
        start(),
        begin(call("c", name, &arguments[..early])),
        said(&arguments[early..at]),
        said(&arguments[at..]),
        END,
        stop(0, Finish::ToolCalls),
        Event::Finish,
    ];
    let (mut undo, mut told) = (undo.clone(), Vec::new());
    for event in events {
        let mut batch = vec![event];
        undo.events(&mut batch);
        told.append(&mut batch);
    }
    assert_eq!(fold(&told).choices, response.choices, "{arguments} at {early}, {at}");
    let items =
        |kind: &str| streamed(&told).into_iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let (added, done) = (items("response.output_item.added"), items("response.output_item.done"));
    assert_eq!((added.len(), done.len()), (1, 1));
    for field in ["id", "type", "call_id"] {
        assert_eq!(added[0]["item"][field], done[0]["item"][field]);
    }
    assert_eq!(
        (&added[0]["item"]["status"], &done[0]["item"]["status"]),
        (&json!("in_progress"), &json!("completed"))
    );
    assert_eq!(whole["output"], json!([done[0]["item"]]));
    done[0]["item"].clone()
}

fn streamed(events: &[Event]) -> Vec<Value> {
    let stream = written(Encoder::new(ClientDialect::OpenaiResponses, options(true), false), events);
    let text = String::from_utf8(stream).unwrap();
    text.lines()
        .filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
        .collect()
}

/// Calls of each tool: the arguments that a model writes, and what else the item says than its type, ids and status.
fn calls() -> Vec<(&'static str, Value, Value)> {
    let ls = json!({"command": ["ls", "-a \"é\""], "working_directory": "/w"});
    let run = json!({"commands": ["ls", "pwd"], "timeout_ms": 5});
    let create = json!({"type": "create_file", "path": "a", "diff": "+x\n"});
    let delete = json!({"type": "delete_file", "path": "a"});
    let mut exec = json!({"type": "exec", "env": {}});
    exec.as_object_mut().unwrap().extend(ls.as_object().unwrap().clone());
    vec![
        ("local_shell", ls, json!({"action": exec})),
        ("shell", run.clone(), json!({"action": run})),
        ("apply_patch", create.clone(), json!({"operation": create})),
        ("apply_patch", delete.clone(), json!({"operation": delete})),
        ("tool_search", json!({"query": "q"}), json!({"arguments": {"query": "q"}, "execution": "client"})),
        ("tool_search", json!({}), json!({"arguments": {}, "execution": "client"})),
    ]
}

fn all_tools() -> Value {
    json!([
        {"type": "local_shell"}, {"type": "shell"}, {"type": "apply_patch"},
        {"type": "tool_search", "execution": "client"}
    ])
}

#[test]
fn calls_come_back_as_items() {
    for upstream in OTHERS {
        let undo = send(json!({"tools": all_tools()}), upstream).unwrap().1.undo;
        for (tool, said, mut item) in calls() {
            let tool = TOOLS.iter().find(|known| known.name == tool).unwrap();
            let common = json!({"id": format!("{}_9_o0", tool.prefix), "type": tool.call, "call_id": "c", "status": "completed"});
            item.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
            let text = said.to_string();
            let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for &early in &cuts {
                for &at in cuts.iter().filter(|at| **at >= early).step_by(7) {
                    assert_eq!(answer(&undo, &text, tool.name, early, at), item);
                }
            }
        }
    }
}

#[test]
fn what_makes_no_item_stays_a_call() {
    let undo = chat(json!({"tools": all_tools()})).1.undo;
    for (name, arguments) in [
        ("shell", r#"{"commands":["l"#),
        ("shell", "{}"),
        ("shell", r#"{"commands":"ls"}"#),
        ("shell", r#"{"commands":[1]}"#),
        ("shell", "[]"),
        ("local_shell", r#"{"command":null}"#),
        ("apply_patch", r#"{"type":"update_file","path":"a"}"#),
        ("apply_patch", r#"{"type":"move_file","path":"a","diff":""}"#),
        ("apply_patch", r#"{"type":"delete_file"}"#),
        ("tool_search", "[]"),
    ] {
        let item = answer(&undo, arguments, name, 0, 1);
        let expected = json!({"id": "fc_9_o0", "type": "function_call", "status": "completed", "call_id": "c",
            "name": name, "arguments": arguments});
        assert_eq!(item, expected);
    }
    assert_eq!(answer(&undo, "", "tool_search", 0, 0)["arguments"], json!({}));
}

#[test]
fn a_call_without_an_id_gets_one_and_keeps_its_proof() {
    let undo = chat(json!({"tools": all_tools()})).1.undo;
    let proof = Signature { dialect: Dialect::GeminiGenerate, value: "s".into() };
    let block = Block { signature: Some(proof.clone()), ..call("", "shell", r#"{"commands":["ls"]}"#) };
    let late = Block { signature: None, ..block.clone() };
    let end = [END, stop(0, Finish::ToolCalls), Event::Finish];
    for head in
        [vec![start(), begin(block)], vec![start(), begin(late), more(Delta::Signature(proof.clone()))]]
    {
        let mut events = [head, end.to_vec()].concat();
        undo.clone().events(&mut events);
        let told = streamed(&events);
        let output = told.last().unwrap()["response"]["output"].as_array().unwrap().clone();
        assert_eq!(output[1]["type"], "shell_call");
        assert!(output[1]["call_id"].as_str().is_some_and(|id| !id.is_empty()), "{output:?}");
        // Both come back to the vendor that gave the proof.
        let input = [&[json!({"role": "user", "content": "q"})], output.as_slice()].concat();
        let (body, _) = send(json!({"input": input, "tools": all_tools()}), Dialect::GeminiGenerate).unwrap();
        let part = &body["contents"][1]["parts"][0];
        assert_eq!(
            (&part["functionCall"]["name"], &part["thoughtSignature"]),
            (&json!("shell"), &json!("s"))
        );
    }
}

#[test]
fn the_vendors_own_items_keep_their_fields() {
    let value = raw(
        json!({"id": "tsc_1", "type": "tool_search_call", "call_id": null, "execution": "server", "arguments": {}}),
    );
    let block = Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value: value.clone() });
    let told = streamed(&[start(), begin(block), END, stop(0, Finish::Stop), Event::Finish]);
    assert_eq!(told.last().unwrap()["response"]["output"], json!([value.to_value()]));
}
