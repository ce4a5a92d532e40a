use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::SchemaRules;
use super::super::rules::{ANTHROPIC, COHERE, GEMINI_OPENAPI, OPENAI};
use super::fitted;

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "array"})),
        Just(json!({"type": ["object", "null"]})),
        Just(json!({"const": 1, "minimum": 2})),
        Just(json!({"$ref": "#/$defs/a"})),
        Just(json!({"$ref": "#"})),
        Just(json!(true)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let fields = prop::collection::btree_map("[abc]", inner, 0..3)
            .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()));
        let names = prop::collection::vec("[abc]", 0..3).prop_map(|names| json!(names));
        let keyword = prop_oneof![
            ("(anyOf|oneOf|allOf)", list.prop_map(|list| json!(list))),
            ("(properties|[$]defs)", fields),
            ("required", names),
            ("(additionalProperties|not)", Just(json!(false))),
        ];
        prop::collection::vec(keyword, 0..5)
            .prop_map(|keywords| Value::Object(keywords.into_iter().collect::<Map<_, _>>()))
    })
}

/// What the vendors' words ask of the top.
fn obeys(takes: &SchemaRules, schema: &Value) {
    let map = schema.as_object().unwrap();
    assert_eq!(map["type"], "object", "{schema}");
    assert!(
        !map.keys().any(|name| name == "$ref" || takes.refused_at_top.contains(&name.as_str())),
        "{schema}"
    );
    assert!(map.get("properties").map_or(!takes.properties_required, Value::is_object), "{schema}");
}

proptest! {
    #[test]
    fn what_comes_out_is_taken_and_stays(schema in schema(), strict in any::<bool>()) {
        for takes in [&ANTHROPIC, &OPENAI, &GEMINI_OPENAPI, &COHERE] {
            let (once, _, strict, _) = fitted(takes, &schema, Some(strict));
            obeys(takes, &once);
            let (twice, description, same, dropped) = fitted(takes, &once, strict);
            prop_assert_eq!((&twice, same), (&once, strict));
            prop_assert_eq!((description.as_str(), dropped), ("d", vec![]));
        }
    }
}
