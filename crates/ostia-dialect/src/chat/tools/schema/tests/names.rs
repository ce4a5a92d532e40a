use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::rules::ANTHROPIC;
use super::super::{NameRule, Names, adapt};
use super::{fitted, tool};
use crate::{
    Block, Choice, Content, Dialect, Finish, Message, Request, Response, Role, Tool, ToolKind, Undo,
};

const RULE: NameRule = NameRule { marks: "_.-", chars_max: 64 };

fn replace(schema: &Value) -> Option<(Value, Names)> {
    let mut schema = schema.clone();
    let names = Names::replace(&mut schema, &RULE)?;
    Some((schema, names))
}

/// "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'", which is asked of names at the top only.
#[test]
fn a_name_that_is_refused_is_another_one_upstream_and_itself_again_in_the_answer() {
    let long = "a".repeat(65);
    for name in ["$filter", "@odata.id", "filter[name]", "größe", "a b", "", &long] {
        let schema =
            json!({"type": "object", "properties": {"ok.-_1": {}, name: {}}, "required": [name]}).to_string();
        let call = Content::ToolCall {
            id: "c".into(),
            name: "f".into(),
            arguments: json!({name: 1}).to_string(),
            kind: ToolKind::Function,
        };
        let blocks = vec![Block::new(call)];
        let mut request = Request { tools: vec![tool(&schema, None)], ..Request::default() };
        request.messages = vec![Message { role: Role::Assistant, name: None, blocks }];
        let mut undo = Undo::default();
        assert_eq!(adapt(&mut request, Dialect::AnthropicMessages, &mut undo), Vec::<String>::new());
        let Tool::Function { parameters: Some(sent), .. } = &request.tools[0] else { panic!("a function") };
        let sent = sent.to_value();
        let names: Vec<&String> = sent["properties"].as_object().unwrap().keys().collect();
        assert!(RULE.takes(names[1]) && names[0] == "ok.-_1", "{names:?}");
        assert_eq!(sent["required"], json!([names[1]]));
        let block = &request.messages[0].blocks[0];
        let Content::ToolCall { arguments, .. } = &block.content else { panic!("a call") };
        assert_eq!(*arguments, json!({names[1]: 1}).to_string());
        let choice = Choice {
            index: 0,
            blocks: vec![block.clone()],
            finish: Finish::ToolCalls,
            native_finish: None,
            stop_sequence: None,
            logprobs: None,
            extra: Vec::new(),
        };
        let mut answer = Response { choices: vec![choice], ..Response::default() };
        undo.response(&mut answer);
        let Content::ToolCall { arguments, .. } = &answer.choices[0].blocks[0].content else {
            panic!("a call")
        };
        assert_eq!(*arguments, json!({name: 1}).to_string());
    }
    let below = json!({"type": "object", "properties": {"a": {"properties": {"$b": {}}}}});
    assert_eq!(fitted(&ANTHROPIC, &below, None).0, below);
}

#[test]
fn names_change_wherever_the_schema_has_them() {
    let schema = json!({"type": "object", "properties": {
        "$filter": {"type": "string"}, "_filter": {"description": "d"}, "@top": {"description": "e"},
        "like": {"$ref": "#/properties/@top"},
    }, "required": ["$filter", "like"], "dependentRequired": {"@top": ["$filter"]}});
    let (renamed, names) = replace(&schema).unwrap();
    let Value::Object(map) = renamed else { panic!("an object") };
    let sent: Vec<&String> = map["properties"].as_object().unwrap().keys().collect();
    let filter = sent[0];
    assert!(filter.starts_with("_filter_") && RULE.takes(filter), "{filter}");
    assert_eq!(sent[1..], ["_filter", "_top", "like"]);
    assert_eq!(map["properties"][filter], json!({"type": "string", "description": "Stands for `$filter`."}));
    assert_eq!(map["properties"]["_top"]["description"], "e (stands for `@top`)");
    assert_eq!(map["properties"]["like"], json!({"$ref": "#/properties/_top"}));
    assert_eq!(map["required"], json!([filter, "like"]));
    assert_eq!(map["dependentRequired"], json!({"_top": [filter]}));
    let arguments = r#"{"$filter": 1.0,"other":{"$filter":2}}"#;
    let out = names.arguments_out(arguments).unwrap();
    assert_eq!(out, format!(r#"{{"{filter}":1.0,"other":{{"$filter":2}}}}"#));
    assert_eq!(names.arguments_back(&out).unwrap(), r#"{"$filter":1.0,"other":{"$filter":2}}"#);
}

#[test]
fn what_needs_no_other_name_is_left() {
    assert_eq!(replace(&json!({"type": "object", "properties": {"a": {}}})), None);
    let (_, names) = replace(&json!({"properties": {"$a": {}}})).unwrap();
    for arguments in [r#"{"b":1}"#, "[]", "{", ""] {
        assert_eq!((names.arguments_out(arguments), names.arguments_back(arguments)), (None, None));
    }
}

proptest! {
    #[test]
    fn names_are_taken_apart_and_undone(own in prop::collection::hash_set(prop_oneof!["[a$_]{0,3}", "[$@a]{60,70}"], 1..8)) {
        let properties: serde_json::Map<String, Value> = own.iter().map(|name| (name.clone(), json!({}))).collect();
        let schema = json!({"properties": properties, "required": own});
        let Some((renamed, names)) = replace(&schema) else {
            prop_assert!(own.iter().all(|name| RULE.takes(name)));
            return Ok(());
        };
        prop_assert_eq!(replace(&schema), Some((renamed.clone(), names.clone())));
        let sent = renamed["properties"].as_object().unwrap().clone();
        prop_assert_eq!(sent.len(), own.len());
        prop_assert!(sent.keys().all(|name| RULE.takes(name)));
        let arguments = Value::Object(properties).to_string();
        let out = names.arguments_out(&arguments).unwrap();
        let known: serde_json::Map<String, Value> = serde_json::from_str(&out).unwrap();
        prop_assert!(known.keys().eq(sent.keys()));
        prop_assert_eq!(names.arguments_back(&out).unwrap(), arguments);
    }
}
