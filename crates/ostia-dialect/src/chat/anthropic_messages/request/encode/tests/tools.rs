use serde_json::{Value, json};

use super::*;

#[test]
fn tools() {
    let written = |tool: Tool, expected: Value| {
        check(|request| request.tools = vec![tool], json!({"tools": [expected]}), &[]);
    };
    let empty = json!({"type": "object", "properties": {}});
    written(function("look"), json!({"name": "look", "input_schema": empty}));
    let schema = r##"{"type":"object","properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}},"additionalProperties":false}"##;
    let full = Tool::Function {
        name: "look".into(),
        description: Some("Looks.".into()),
        parameters: Some(raw(schema)),
        strict: Some(true),
        cache_control: Some(raw(r#"{"type":"ephemeral"}"#)),
    };
    let expected = json!({
        "name": "look",
        "description": "Looks.",
        "input_schema": serde_json::from_str::<Value>(schema).unwrap(),
        "strict": true,
        "cache_control": {"type": "ephemeral"},
    });
    written(full, expected);
    let own = Tool::Hosted {
        dialect: Dialect::AnthropicMessages,
        name: "bash_20250124".into(),
        value: raw(r#"{"type":"bash_20250124","name":"bash"}"#),
    };
    written(own, json!({"type": "bash_20250124", "name": "bash"}));
}

#[test]
fn tool_choice() {
    let tool = |name| json!({"name": name, "input_schema": {"type": "object", "properties": {}}});
    let both = json!([tool("look"), tool("hear")]);
    let chosen = |choice: Option<ToolChoice>, parallel: Option<bool>, expected: Value, tools: Value| {
        let change = |request: &mut Request| {
            request.tools = vec![function("look"), function("hear")];
            request.tool_choice = choice;
            request.parallel_tool_calls = parallel;
        };
        check(change, json!({"tools": tools, "tool_choice": expected}), &[]);
    };
    chosen(Some(ToolChoice::Auto), Some(true), json!({"type": "auto"}), both.clone());
    chosen(Some(ToolChoice::None), Some(false), json!({"type": "none"}), both.clone());
    chosen(Some(ToolChoice::Required), None, json!({"type": "any"}), both.clone());
    let named = json!({"type": "tool", "name": "look", "disable_parallel_tool_use": true});
    chosen(Some(ToolChoice::Named("look".into())), Some(false), named, both.clone());
    chosen(None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true}), both);
    let some = |required| Some(ToolChoice::Allowed { names: vec!["hear".into()], required });
    chosen(some(true), None, json!({"type": "any"}), json!([tool("hear")]));
    chosen(some(false), None, json!({"type": "auto"}), json!([tool("hear")]));
    check(|request| request.tool_choice = Some(ToolChoice::Auto), json!({}), &[]);
    check(|request| request.tool_choice = Some(ToolChoice::Required), json!({}), &["tool_choice"]);
}

#[test]
fn a_model_that_cannot_be_forced_is_asked() {
    let change = |request: &mut Request| {
        request.model = "claude-opus-5-5".into();
        request.tools = vec![function("look")];
        request.tool_choice = Some(ToolChoice::Required);
    };
    let tools = json!([{"name": "look", "input_schema": {"type": "object", "properties": {}}}]);
    check(change, json!({"tools": tools, "tool_choice": {"type": "auto"}}), &["tool_choice"]);
}

#[test]
fn web_search() {
    let plain = json!({"type": "web_search_20250305", "name": "web_search"});
    check(|request| request.web_search = Some(WebSearch::default()), json!({"tools": [plain]}), &[]);
    let located = json!([{
        "type": "web_search_20250305",
        "name": "web_search",
        "user_location": {"type": "approximate", "city": "Ostia", "country": "IT"},
    }]);
    for place in [
        r#"{"type":"approximate","approximate":{"country":"IT","city":"Ostia"}}"#,
        r#"{"type":"approximate","country":"IT","city":"Ostia","region":null}"#,
    ] {
        let search = WebSearch { context_size: Some("low".into()), user_location: Some(raw(place)) };
        let reported = ["web_search_options.search_context_size"];
        check(|request| request.web_search = Some(search), json!({"tools": located}), &reported);
    }
    let value = r#"{"type":"web_search_20260318","name":"web_search"}"#;
    let change = |request: &mut Request| {
        request.web_search = Some(WebSearch::default());
        let name = "web_search_20260318".into();
        request.tools = vec![Tool::Hosted { dialect: Dialect::AnthropicMessages, name, value: raw(value) }];
    };
    check(change, json!({"tools": [serde_json::from_str::<Value>(value).unwrap()]}), &[]);
}
