//! What vendors take as the schema of a tool's arguments.

use serde_json::Value;

use super::rule::{Checked, Word, join, refuse, require};

/// The rules of one vendor.
#[derive(Debug)]
pub(super) struct Takes {
    /// Keywords that may not stand at the top.
    pub not_at_top: &'static [&'static str],
    /// The only keywords, where there are only some.
    pub keywords: Option<&'static [&'static str]>,
    /// What names of properties look like, where that matters.
    pub names: Option<Word>,
    /// Arrays have to say of what.
    pub items: bool,
    /// Properties that are required have to be there.
    pub required: bool,
}

impl Takes {
    pub fn check(&self, schema: &Value, path: &str) -> Checked {
        let kind = schema["type"].as_str().unwrap_or_default();
        require(kind.eq_ignore_ascii_case("object"), path, "schema must have type 'object'")?;
        for keyword in self.not_at_top {
            require(
                schema.get(keyword).is_none(),
                path,
                &format!("schema has '{keyword}' at the top level"),
            )?;
        }
        self.inside(schema, path)
    }

    fn inside(&self, schema: &Value, path: &str) -> Checked {
        let Some(fields) = schema.as_object() else {
            return require(schema.is_boolean(), path, "schema is no object");
        };
        for (keyword, value) in fields {
            let known = self.keywords.is_none_or(|known| known.contains(&keyword.as_str()));
            require(known, &join(path, keyword), "unknown name: cannot find field")?;
            let path = join(path, keyword);
            match (keyword.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                    for (name, member) in members {
                        if let (Some(word), "properties") = (&self.names, keyword.as_str()) {
                            word.check(&Value::String(name.clone()), &path)?;
                        }
                        self.inside(member, &join(&path, name))?;
                    }
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(members)) => {
                    members.iter().try_for_each(|member| self.inside(member, &path))?;
                }
                ("items" | "not", Value::Object(_)) => self.inside(value, &path)?,
                ("required", Value::Array(names)) if self.required => {
                    let properties = &schema["properties"];
                    let found =
                        |name: &Value| name.as_str().is_some_and(|name| properties.get(name).is_some());
                    require(names.iter().all(found), &path, "property is not defined")?;
                }
                _ => {}
            }
        }
        let is_array = schema["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("array"));
        require(!self.items || !is_array || schema.get("items").is_some(), path, "array schema missing items")
    }
}

/// Strict mode: every object is closed and all of its properties are required
/// (<https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>).
pub(super) fn check_strict(schema: &Value, path: &str) -> Checked {
    if let Some(properties) = schema["properties"].as_object() {
        require(
            schema["additionalProperties"] == false,
            path,
            "'additionalProperties' is required to be false",
        )?;
        let required = |name: &String| {
            schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
        };
        require(properties.keys().all(required), path, "'required' is required to name every property")?;
        for (name, member) in properties {
            check_strict(member, &join(path, name))?;
        }
    }
    match &schema["items"] {
        Value::Null => Ok(()),
        Value::Object(_) => check_strict(&schema["items"], &join(path, "items")),
        _ => refuse(path, "items is no schema"),
    }
}
