#![allow(clippy::unwrap_used)]

use super::CustomTools;
use crate::openai_chat::request::decode;
use crate::{Block, Content, Delta, Event, Fold, Tool, ToolKind};

fn replaced() -> (crate::Request, CustomTools) {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"q"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"patch","input":"a\n\"b\""}}]},
        {"role":"tool","tool_call_id":"c","content":"done"}],
        "tools":[{"type":"custom","custom":{"name":"patch","description":"Edits.","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: /x/"}}}},
                 {"type":"function","function":{"name":"other"}}]}"#;
    let mut request = decode(body.as_bytes()).unwrap();
    let tools = CustomTools::replace(&mut request).unwrap();
    (request, tools)
}

#[test]
fn a_function_takes_the_place_of_each() {
    let (request, _) = replaced();
    let Tool::Function { name, description, parameters, .. } = &request.tools[0] else { unreachable!() };
    assert_eq!(name, "patch");
    assert_eq!(description.as_deref(), Some("Edits.\n`input` has to follow this lark grammar:\nstart: /x/"));
    assert!(parameters.as_ref().unwrap().as_str().contains(r#""required":["input"]"#));
    let Content::ToolCall { arguments, kind, .. } = &request.messages[1].blocks[0].content else {
        unreachable!()
    };
    assert_eq!((arguments.as_str(), *kind), (r#"{"input":"a\n\"b\""}"#, ToolKind::Function));
}

#[test]
fn nothing_to_do_without_them() {
    let mut request = decode(br#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#).unwrap();
    assert!(CustomTools::replace(&mut request).is_none());
}

fn call(name: &str, arguments: &str) -> Block {
    let kind = ToolKind::Function;
    Block::new(Content::ToolCall { id: "c".into(), name: name.into(), arguments: arguments.into(), kind })
}

/// The call that a client sees of these pieces of arguments, in the first of which the call begins.
fn check(name: &str, pieces: &[&str], expected: (&str, ToolKind)) {
    let (_, mut tools) = replaced();
    let mut events = vec![Event::Start { id: String::new(), model: String::new(), created: None }];
    events.push(Event::BlockStart { choice: 0, block: call(name, pieces[0]) });
    for piece in &pieces[1..] {
        events.push(Event::Delta { choice: 0, delta: Delta::Arguments((*piece).to_owned()) });
    }
    events.push(Event::BlockEnd { choice: 0 });
    events.push(Event::Finish);
    let mut whole = Fold::default();
    events.clone().into_iter().for_each(|event| whole.push(event));
    let mut whole = whole.finish().unwrap();
    tools.response(&mut whole);
    let mut streamed = Fold::default();
    for event in events {
        let mut one = vec![event];
        tools.events(&mut one);
        one.into_iter().for_each(|event| streamed.push(event));
    }
    assert_eq!(streamed.finish().unwrap(), whole);
    let Content::ToolCall { arguments, kind, .. } = &whole.choices[0].blocks[0].content else {
        unreachable!()
    };
    assert_eq!((arguments.as_str(), *kind), expected);
}

#[test]
fn calls_are_free_text_again() {
    check("patch", &["", r#"{"inp"#, r#"ut":"x\ny"}"#], ("x\ny", ToolKind::Custom));
    check("patch", &[r#"{"input":"x"}"#], ("x", ToolKind::Custom));
    check("patch", &["", r#"{"other":1}"#], (r#"{"other":1}"#, ToolKind::Custom));
    check("other", &["", r#"{"input":"x"}"#], (r#"{"input":"x"}"#, ToolKind::Function));
}
