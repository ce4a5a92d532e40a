//! What a file says, for whoever may see the configuration but no credential.

use serde_json::{Map, Value as Json};

use super::shown::{NUMBER_MAX, is_map, is_reference, looks_secret};
use crate::shape::{FILE, Shape};
use crate::tree::{Tree, Value};

/// Stands for what is not shown.
const HIDDEN: &str = "(hidden)";

/// All of it.
pub(super) fn written(tree: &Tree) -> Json {
    told(tree, &FILE)
}

fn told(tree: &Tree, shape: &Shape) -> Json {
    match &tree.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Float(number) => (*number).into(),
        Value::Integer(number) if shape.is_public() || number.unsigned_abs() <= NUMBER_MAX => {
            (*number).into()
        }
        Value::Text(text) if is_shown(text, shape) => text.as_str().into(),
        Value::Integer(_) | Value::Text(_) => HIDDEN.into(),
        Value::List(items) => items.iter().map(|item| told(item, shape.item())).collect(),
        Value::Map(map) => {
            let is_map = is_map(map, shape);
            let entry = |(key, tree): &(crate::tree::Key, Tree)| {
                let is_named = (is_map || key.name.starts_with('$')) && !looks_secret(&key.name);
                let name = if is_named { &key.name } else { HIDDEN };
                (name.to_owned(), told(tree, shape.of(&key.name)))
            };
            Json::Object(map.iter().map(entry).collect::<Map<_, _>>())
        }
    }
}

fn is_shown(text: &str, shape: &Shape) -> bool {
    is_reference(text) || text.starts_with("file:") || shape.is_public() && !looks_secret(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_is_shown() {
        let check = |text: &str, expected: serde_json::Value| {
            assert_eq!(crate::check("f", text, &|_| Some("v".into())).report.written(), expected, "{text}");
        };
        check("", json!(null));
        check(
            "listen: 127.0.0.1:1\nlimits: {body_bytes: 1MiB}",
            json!({"listen": "127.0.0.1:1", "limits": {"body_bytes": "1MiB"}}),
        );
        check(
            "auth: {keys: [secret, \"${KEY}\", {key: \"file:/x\", name: red}], admin_keys: [12345678]}",
            json!({"auth": {"keys": ["(hidden)", "${KEY}", {"key": "file:/x", "name": "red"}], "admin_keys": ["(hidden)"]}}),
        );
        check(
            "providers: {openai: {api_key: sk-1234, models: [a]}}\ndefault_provider: sk-oops",
            json!({"providers": {"openai": {"api_key": "(hidden)", "models": ["a"]}}, "default_provider": "(hidden)"}),
        );
        // A credential that YAML took for a map.
        check("auth: {keys: [{SECRET: x}]}", json!({"auth": {"keys": [{"(hidden)": "(hidden)"}]}}));
    }
}
