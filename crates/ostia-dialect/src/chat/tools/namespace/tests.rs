#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::joined;
use crate::test_support::{END, begin, call, choice, decoded, fold, more, options, start, stop, written};
use crate::{
    Block, ClientDialect, Content, Delta, Dialect, EncodeOptions, Encoder, Event, Fault, Finish, Response,
    ToolKind, Undo,
};

const OTHERS: [Dialect; 4] =
    [Dialect::OpenaiChat, Dialect::AnthropicMessages, Dialect::GeminiGenerate, Dialect::CohereChat];

/// What a vendor of this dialect is sent for these fields of a client of Responses.
struct Sent {
    body: Value,
    dropped: Vec<String>,
    undo: Undo,
}

fn send(fields: Value, upstream: Dialect) -> Result<Sent, Fault> {
    let mut body = json!({"model": "m", "input": "q"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut request = decoded(ClientDialect::OpenaiResponses, body.to_string())?;
    let encoded = upstream.encode(&mut request, &EncodeOptions::default())?;
    let body = serde_json::from_slice(&encoded.body).unwrap();
    Ok(Sent { body, dropped: encoded.dropped, undo: encoded.undo })
}

fn chat(fields: Value) -> Sent {
    send(fields, Dialect::OpenaiChat).unwrap()
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}})
}

fn container(name: &str, tools: &[Value]) -> Value {
    json!({"type": "namespace", "name": name, "description": "", "tools": tools})
}

/// The names of the tools that a vendor is sent.
fn names(body: &Value) -> Vec<&str> {
    let tools = body["tools"].as_array().into_iter().flatten();
    let name =
        |tool: &'_ Value| ["function", "custom"].into_iter().find_map(|field| tool.get(field)).is_some();
    tools
        .flat_map(|tool| match tool.get("functionDeclarations") {
            Some(list) => list.as_array().unwrap().iter().collect(),
            None if name(tool) => vec![tool.get("function").unwrap_or(&tool["custom"])],
            None => vec![tool],
        })
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_tools_of_a_container_stand_in_the_list() {
    let patch = json!({"type": "custom", "name": "patch", "format": {"type": "text"}});
    let tools = json!([
        function("f"),
        container("docs", &[function("search"), patch]),
        container("functions", &[function("g")])
    ]);
    for upstream in OTHERS {
        let Sent { body, dropped, .. } = send(json!({"tools": tools}), upstream).unwrap();
        let expected = ["f", "docs__search", "docs__patch", "g"];
        assert_eq!(names(&body), expected, "{}", upstream.name());
        assert_eq!(dropped, Vec::<String>::new());
    }
    let to_own = send(json!({"tools": tools}), Dialect::OpenaiResponses).unwrap();
    assert_eq!(to_own.body["tools"][1], tools[1]);
    assert!(to_own.undo.is_empty());
}

#[test]
fn what_is_said_of_a_container_is_told_with_its_first_tool() {
    for (entry, own) in [
        (json!({"type": "function", "name": "f", "description": "d"}), "d\n\n"),
        (json!({"type": "function", "name": "f"}), ""),
        (json!({"type": "custom", "name": "f", "description": "d"}), "d\n\n"),
        (json!({"type": "custom", "name": "f"}), ""),
    ] {
        let mut tools = container("crm", &[entry, function("g")]);
        tools["description"] = "Customers.".into();
        let body = chat(json!({"tools": [tools]})).body;
        let told = |at: usize| {
            let tool = &body["tools"][at];
            tool.get("function").unwrap_or(&tool["custom"])["description"].clone()
        };
        assert_eq!((told(0), told(1)), (json!(format!("{own}Of all `crm` tools: Customers.")), Value::Null));
    }
}

#[test]
fn losses_and_faults_have_the_clients_places() {
    let mut deferred = function("b");
    deferred["defer_loading"] = true.into();
    let mut odd = function("z");
    odd["odd"] = 1.into();
    let tools = json!([container("n", &[function("a"), deferred, json!({"type": "mcp"})]), odd]);
    let mut dropped = chat(json!({"tools": tools})).dropped;
    dropped.sort();
    assert_eq!(dropped, ["tools[0].tools[1].defer_loading", "tools[0].tools[2]", "tools[1].odd"]);
    for (broken, path) in [
        (json!({"type": "namespace", "tools": []}), "tools[1].name"),
        (json!({"type": "namespace", "name": "n"}), "tools[1].tools"),
        (json!({"type": "namespace", "name": "n", "tools": {}}), "tools[1].tools"),
        (container("n", &[function("a"), json!({"type": "function"})]), "tools[1].tools[1].name"),
    ] {
        let fault =
            send(json!({"tools": [function("f"), broken]}), Dialect::OpenaiChat).map(drop).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(path)));
        assert!(fault.message.contains(&format!("`{path}`")), "{fault}");
    }
}

#[track_caller]
fn check_choice(asked: Value, expected: Value) {
    let tools = json!([
        function("plain"),
        container("n", &[function("a"), function("b")]),
        container("m", &[function("a")])
    ]);
    let Sent { body, dropped, .. } = chat(json!({"tools": tools, "tool_choice": asked}));
    assert_eq!((&body["tool_choice"], dropped.len()), (&expected, 0), "{asked}");
}

#[test]
fn a_choice_means_what_it_meant() {
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let allowed = |mode: &str, names: &[&str]| {
        let tools: Vec<Value> = names.iter().map(|name| named(name)).collect();
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
    };
    check_choice(json!({"type": "function", "name": "plain"}), named("plain"));
    check_choice(json!({"type": "function", "name": "b"}), named("n__b"));
    check_choice(json!({"type": "function", "name": "a"}), named("n__a"));
    check_choice(json!({"type": "function", "name": "a", "namespace": "m"}), named("m__a"));
    check_choice(json!({"type": "function", "name": "n__a"}), named("n__a"));
    check_choice(json!({"type": "function", "name": "n"}), allowed("required", &["n__a", "n__b"]));
    let tools = json!([{"type": "function", "name": "plain"}, {"type": "namespace", "name": "n"}]);
    check_choice(
        json!({"type": "allowed_tools", "mode": "auto", "tools": tools}),
        allowed("auto", &["plain", "n__a", "n__b"]),
    );
    check_choice(json!("required"), json!("required"));
}

#[test]
fn calls_of_earlier_have_the_names_of_the_list() {
    let tools = json!([function("found"), function("n__a"), container("n", &[function("a")])]);
    let call = |namespace: &str, name: &str| json!({"type": "function_call", "call_id": "c", "namespace": namespace, "name": name, "arguments": "{}"});
    let free =
        json!({"type": "custom_tool_call", "call_id": "c", "namespace": "n", "name": "p", "input": "x"});
    let input = json!([
        {"role": "user", "content": "q"}, call("n", "a"), call("gone", "b"), call("found", "found"), call("functions", "n__a"), free,
        {"type": "function_call_output", "call_id": "c", "output": "r"},
    ]);
    let body = chat(json!({"tools": tools, "input": input})).body;
    let calls = body["messages"][1]["tool_calls"].as_array().unwrap();
    let called: Vec<&str> = calls
        .iter()
        .map(|call| call.get("function").unwrap_or(&call["custom"])["name"].as_str().unwrap())
        .collect();
    assert_eq!(called, ["n__a_2", "gone__b", "found", "n__a", "n__p"]);
    assert_eq!(names(&body), ["found", "n__a", "n__a_2"]);
    // Its own vendor is told what it has said.
    let body = send(json!({"tools": tools, "input": input}), Dialect::OpenaiResponses).unwrap().body;
    assert_eq!(body["input"][1], call("n", "a"));
}

/// The items of an answer, unary and streamed, that makes these calls.
fn told(undo: &Undo, blocks: Vec<Block>) -> Vec<Value> {
    let mut response =
        Response { choices: vec![choice(blocks.clone(), Finish::ToolCalls)], ..Response::default() };
    undo.response(&mut response);
    let whole: Value =
        serde_json::from_slice(&ClientDialect::OpenaiResponses.encode(&response, &options(true))).unwrap();
    let mut events = vec![start()];
    for block in blocks {
        let mut begun = block.clone();
        let Content::ToolCall { arguments, .. } = &mut begun.content else { panic!() };
        let said = std::mem::take(arguments);
        events.extend([begin(begun), more(Delta::Arguments(said)), END]);
    }
    events.extend([stop(0, Finish::ToolCalls), Event::Finish]);
    let mut undo = undo.clone();
    undo.events(&mut events);
    assert_eq!(fold(&events).choices, response.choices);
    let stream = written(Encoder::new(ClientDialect::OpenaiResponses, options(true), false), &events);
    let text = String::from_utf8(stream).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    let done = data.iter().filter(|event| event["type"] == "response.output_item.done");
    assert_eq!(
        done.map(|event| event["item"].clone()).collect::<Vec<_>>(),
        *whole["output"].as_array().unwrap()
    );
    for event in data.iter().filter(|event| event["type"] == "response.output_item.added") {
        let at = event["output_index"].as_u64().unwrap() as usize;
        assert_eq!(event["item"]["namespace"], whole["output"][at]["namespace"]);
    }
    whole["output"].as_array().unwrap().clone()
}

#[test]
fn calls_come_back_with_their_container() {
    let patch = json!({"type": "custom", "name": "patch"});
    let tools = json!([function("f"), container("docs", &[function("f"), patch])]);
    for upstream in OTHERS {
        let undo = send(json!({"tools": tools}), upstream).unwrap().undo;
        let free = match upstream.has_custom_tools() {
            true => Block::new(Content::ToolCall {
                id: "c".into(),
                name: "docs__patch".into(),
                arguments: "x".into(),
                kind: ToolKind::Custom,
            }),
            false => call("c", "docs__patch", r#"{"input":"x"}"#),
        };
        let output = told(&undo, vec![call("a", "f", "{}"), call("b", "docs__f", r#"{"a":1}"#), free]);
        let common = |at: usize, kind: &str| {
            let prefix = if kind == "function_call" { "fc" } else { "ctc" };
            json!({"id": format!("{prefix}_9_o{at}"), "type": kind, "status": "completed"})
        };
        let with = |mut item: Value, more: Value| {
            item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            item
        };
        let expected = [
            with(common(0, "function_call"), json!({"call_id": "a", "name": "f", "arguments": "{}"})),
            with(
                common(1, "function_call"),
                json!({"call_id": "b", "name": "f", "namespace": "docs", "arguments": "{\"a\":1}"}),
            ),
            with(
                common(2, "custom_tool_call"),
                json!({"call_id": "c", "name": "patch", "namespace": "docs", "input": "x"}),
            ),
        ];
        assert_eq!(output, expected, "{}", upstream.name());
    }
}

#[test]
fn arguments_of_a_function_are_not_held() {
    let mut undo = chat(json!({"tools": [container("n", &[function("f")])]})).undo;
    let mut events = vec![begin(call("c", "n__f", ""))];
    undo.events(&mut events);
    let expected = Block { namespace: Some("n".into()), ..call("c", "f", "") };
    assert_eq!(events, [begin(expected)]);
    let said = vec![more(Delta::Arguments("{".into()))];
    let mut events = said.clone();
    undo.events(&mut events);
    assert_eq!(events, said);
}

proptest! {
    #[test]
    fn names_are_never_alike_and_are_undone(
        plain in prop::collection::btree_set("[a_]{1,4}", 0..4),
        members in prop::collection::btree_set(("[a_]{1,3}", "[a_]{1,3}"), 1..9),
    ) {
        let tools: Vec<Value> = plain.iter().map(|name| function(name))
            .chain(members.iter().map(|(space, name)| container(space, &[function(name)])))
            .collect();
        let history: Vec<Value> = members.iter().map(|(space, name)| {
            json!({"type": "function_call", "call_id": "c", "namespace": space, "name": name, "arguments": "{}"})
        }).collect();
        let input = json!([[json!({"role": "user", "content": "q"})].as_slice(), history.as_slice()].concat());
        let Sent { body, undo, .. } = chat(json!({"tools": tools, "input": input}));
        let flat = names(&body);
        prop_assert_eq!(flat.iter().collect::<std::collections::HashSet<_>>().len(), plain.len() + members.len());
        let calls = body["messages"][1]["tool_calls"].as_array().unwrap();
        let called: Vec<&str> = calls.iter().map(|call| call["function"]["name"].as_str().unwrap()).collect();
        prop_assert_eq!(&called, &flat[plain.len()..]);
        let output = told(&undo, flat.iter().map(|name| call("c", name, "{}")).collect());
        let own = |item: &Value| (item["namespace"].as_str().map(str::to_owned), item["name"].as_str().unwrap().to_owned());
        let expected: Vec<_> = plain.iter().map(|name| (None, name.clone()))
            .chain(members.iter().map(|(space, name)| (Some(space.clone()), name.clone()))).collect();
        prop_assert_eq!(output.iter().map(own).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn joined_names() {
    for (space, name, flat) in
        [("mcp__docs", "f", "mcp__docs__f"), ("mcp__docs__", "f", "mcp__docs__f"), ("functions", "f", "f")]
    {
        assert_eq!(joined(space, name), flat);
    }
}
