use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{ANTHROPIC, NameRule, Names, fit};
use super::tool;
use crate::json::Json;

const RULE: NameRule = NameRule { marks: "_.-", chars_max: 64 };

/// "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'", which is asked of names at the top only.
#[test]
fn a_name_that_is_refused_is_named() {
    let long = "a".repeat(65);
    for name in ["$filter", "@odata.id", "filter[name]", "größe", "a b", "", &long] {
        let schema = json!({"type": "object", "properties": {"ok.-_1": {}, name: {}}}).to_string();
        let fault = fit(&[tool(&schema, None)], &ANTHROPIC, |_| true, &mut Vec::new()).unwrap_err();
        assert_eq!(fault.param, Some(format!("tools[0].function.parameters.properties.{name}")));
    }
    let below = json!({"type": "object", "properties": {"a": {"properties": {"$b": {}}}}}).to_string();
    assert!(fit(&[tool(&below, None)], &ANTHROPIC, |_| true, &mut Vec::new()).is_ok());
}

#[test]
fn names_change_wherever_the_schema_has_them() {
    let schema = json!({"type": "object", "properties": {
        "$filter": {"type": "string"}, "_filter": {"description": "d"}, "@top": {"description": "e"},
        "like": {"$ref": "#/properties/@top"},
    }, "required": ["$filter", "like"], "dependentRequired": {"@top": ["$filter"]}});
    let (renamed, names) = Names::replace(&Json::from_value(&schema), &RULE).unwrap();
    let Value::Object(map) = renamed.to_value() else { panic!("an object") };
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
    let schema = Json::from_value(&json!({"type": "object", "properties": {"a": {}}}));
    assert_eq!(Names::replace(&schema, &RULE), None);
    let (_, names) = Names::replace(&Json::from_value(&json!({"properties": {"$a": {}}})), &RULE).unwrap();
    for arguments in [r#"{"b":1}"#, "[]", "{", ""] {
        assert_eq!((names.arguments_out(arguments), names.arguments_back(arguments)), (None, None));
    }
}

proptest! {
    #[test]
    fn names_are_taken_apart_and_undone(own in prop::collection::hash_set(prop_oneof!["[a$_]{0,3}", "[$@a]{60,70}"], 1..8)) {
        let properties: serde_json::Map<String, Value> = own.iter().map(|name| (name.clone(), json!({}))).collect();
        let schema = Json::from_value(&json!({"properties": properties, "required": own}));
        let Some((renamed, names)) = Names::replace(&schema, &RULE) else {
            prop_assert!(own.iter().all(|name| RULE.takes(name)));
            return Ok(());
        };
        prop_assert_eq!(Names::replace(&schema, &RULE), Some((renamed.clone(), names.clone())));
        let sent = renamed.to_value()["properties"].as_object().unwrap().clone();
        prop_assert_eq!(sent.len(), own.len());
        prop_assert!(sent.keys().all(|name| RULE.takes(name)));
        let arguments = Value::Object(properties).to_string();
        let out = names.arguments_out(&arguments).unwrap();
        let known: serde_json::Map<String, Value> = serde_json::from_str(&out).unwrap();
        prop_assert!(known.keys().eq(sent.keys()));
        prop_assert_eq!(names.arguments_back(&out).unwrap(), arguments);
    }
}
