use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{Route, State};

use super::super::{from_value, parse};

const KEYS: [&str; 28] = [
    "strategy",
    "mode",
    "targets",
    "conditions",
    "query",
    "then",
    "default",
    "provider",
    "apiKey",
    "api_key",
    "retry",
    "attempts",
    "cache",
    "weight",
    "custom_host",
    "override_params",
    "drop_params",
    "input_guardrails",
    "checks",
    "sticky",
    "enabled",
    "before_request_hooks",
    "vertexServiceAccountJson",
    "aws_region",
    "$and",
    "metadata.a",
    "ÄbÇ",
    "cb_config",
];
const TEXTS: [&str; 8] =
    ["single", "conditional", "http://a", "https://[", "tools[", "a[0]", "", "guardrail"];

/// Values that are likely to reach every reader.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let fields = proptest::collection::vec((proptest::sample::select(&KEYS[..]), inner.clone()), 0..6);
        let object = fields.prop_map(|fields| {
            Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
            )
        });
        prop_oneof![proptest::collection::vec(inner, 0..4).prop_map(Value::Array), object]
    })
}

proptest! {
    #[test]
    fn random_text_never_panics(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn random_values_resolve_or_are_explained(value in value()) {
        match from_value(&value) {
            Ok(parsed) => {
                let route = Route::new(&parsed.config, &State::default());
                prop_assert!(!route.expect("a small route").leaves().is_empty());
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    #[test]
    fn text_and_value_agree(value in value()) {
        let by_value = from_value(&value).map(|parsed| format!("{parsed:?}"));
        let by_text = parse(&value.to_string()).map(|parsed| format!("{parsed:?}"));
        prop_assert_eq!(by_value, by_text);
    }
}
