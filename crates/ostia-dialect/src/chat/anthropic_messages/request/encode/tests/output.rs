use serde_json::{Value, json};

use super::*;

#[test]
fn output_format() {
    let formatted = |schema: &str, sent: Value, reported: &[&str]| {
        let schema = raw(schema);
        let format =
            OutputFormat::JsonSchema { name: "answer".into(), description: None, schema, strict: Some(true) };
        let config = json!({"format": {"type": "json_schema", "schema": sent}});
        check(|request| request.output_format = Some(format), json!({"output_config": config}), reported);
    };
    let fitting = r#"{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false}"#;
    formatted(fitting, serde_json::from_str(fitting).unwrap(), &[]);
    let at = "response_format.json_schema.schema";
    formatted(
        r#"{"type":"object","properties":{"x":{"type":"integer","minimum":1,"description":"Count."}}}"#,
        json!({"type": "object", "additionalProperties": false, "properties":
            {"x": {"type": "integer", "description": "Count. (minimum: 1)"}}}),
        &[&format!("{at}.properties.x.minimum")],
    );
    formatted(
        r#"{"type":"array","minItems":1,"maxItems":3,"items":{"oneOf":[{"type":"string","format":"regex"},{"type":"null"}]}}"#,
        json!({"type": "array", "minItems": 1, "description": "(maxItems: 3)", "items": {"anyOf": [
            {"type": "string", "description": "(format: \"regex\")"}, {"type": "null"}]}}),
        &[&format!("{at}.maxItems"), &format!("{at}.items.anyOf[0].format")],
    );
    formatted(
        r#"{"anyOf":[{"type":"null"}],"oneOf":[{"type":"string"}]}"#,
        json!({"anyOf": [{"type": "null"}], "description": "(oneOf: [{\"type\":\"string\"}])"}),
        &[&format!("{at}.oneOf")],
    );
    formatted(
        r#"{"type":"object","additionalProperties":true,"$defs":{"a":{"type":"string","pattern":"^(?=x)"}}}"#,
        json!({"type": "object", "additionalProperties": false, "description": "(additionalProperties: true)",
            "$defs": {"a": {"type": "string", "description": "(pattern: \"^(?=x)\")"}}}),
        &[&format!("{at}.$defs.a.pattern"), &format!("{at}.additionalProperties")],
    );
}

#[test]
fn output_config_in_the_vendors_words_comes_first() {
    let change = |request: &mut Request| {
        request.model = "claude-opus-4-5".into();
        request.extra.push(("output_config".into(), raw(r#"{"effort":"low","task_budget":{"total":9}}"#)));
        request.extra.push(("output_format".into(), raw(r#"{"type":"json_schema","schema":{}}"#)));
    };
    let config = json!({"effort": "low", "task_budget": {"total": 9}, "format": {"type": "json_schema", "schema": {}}});
    check(change, json!({"output_config": config}), &[]);
}

#[test]
fn what_cannot_be_said_is_reported() {
    let object = |request: &mut Request| request.output_format = Some(OutputFormat::JsonObject);
    check(object, json!({}), &["response_format"]);
    check(|request| request.output_format = Some(OutputFormat::Text), json!({}), &[]);
    check(|request| request.extra.push(("output_config".into(), raw("3"))), json!({}), &["output_config"]);
}
