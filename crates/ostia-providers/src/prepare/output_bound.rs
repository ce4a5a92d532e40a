//! The most tokens of an answer: one bound, which each dialect calls by another name, and Chat Completions by two, of which
//! OpenAI refuses the pair (<https://platform.openai.com/docs/api-reference/chat/create>). A config that sets it, fills it
//! in or leaves it out means the bound, whichever of the names it and the client use.

use std::borrow::Cow;

use ostia_dialect::Api;
use ostia_dialect::Fault;
use ostia_dialect::api::OutputBound;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;

/// What configs may call it: the names that the table of APIs has for it, inside an object with the object before.
const NAMES: [&str; 6] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "generationConfig.maxOutputTokens",
    "generation_config.max_output_tokens",
    "options.num_predict",
];

/// Is this a name of the bound?
pub(super) fn is_named(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Sets the bound in a body of this api, under the name that it has there already; else under `name`, where the dialect
/// has it. Calls without an answer of words have no bound, and stay as they are.
///
/// # Errors
/// Google's object of settings is not JSON.
pub(super) fn set(splice: &mut Splice<'_>, api: Api, name: &str, value: &Json) -> Result<(), Fault> {
    let OutputBound { objects, fields, .. } = api.output_bound();
    let Some(first) = objects.first() else {
        set_field(splice, fields, name, value);
        return Ok(());
    };
    let outer = objects.iter().find(|name| splice.has(name)).unwrap_or(first);
    let object = splice.get(outer).filter(|text| text.starts_with('{')).unwrap_or("{}");
    let document = Document::parse_to(object.as_bytes(), 1)
        .map_err(|fault| Fault::invalid(format!("`{outer}` is {fault}.")))?;
    let mut inner = Splice::new(&document)?;
    set_field(&mut inner, fields, name, value);
    let object = String::from_utf8_lossy(&inner.finish()).into_owned();
    splice.set(outer, Json::build(|w| w.raw(&object)));
    Ok(())
}

fn set_field(splice: &mut Splice<'_>, fields: &[&str], name: &str, value: &Json) {
    let given = fields.iter().find(|field| splice.has(field));
    let Some(field) = given.or_else(|| fields.iter().find(|field| **field == name)).or(fields.first()) else {
        return;
    };
    for other in fields.iter().filter(|other| *other != field) {
        splice.remove(other);
    }
    splice.set(field, value.clone());
}

/// Does the body say it?
pub(super) fn is_given(splice: &Splice<'_>, api: Api) -> bool {
    let said = |text: Option<&str>| text.is_some_and(|text| text != "null");
    let OutputBound { objects, fields, .. } = api.output_bound();
    if objects.is_empty() {
        return fields.iter().any(|field| said(splice.get(field)));
    }
    objects.iter().filter_map(|name| splice.get(name)).any(|object| {
        let document = Document::parse_to(object.as_bytes(), 1);
        document.is_ok_and(|object| fields.iter().any(|name| object.root().some(name).is_some()))
    })
}

/// Does a config leave the bound out?
pub(super) fn is_dropped(paths: &[String]) -> bool {
    paths.iter().any(|path| is_named(path))
}

/// What a config leaves out of a body of this api that is handed on: the bound under all of its names. Where the vendor
/// has to be told one, the config has to use the very name.
pub(super) fn dropped(paths: &[String], api: Api) -> Cow<'_, [String]> {
    match is_dropped(paths) && !api.output_bound().is_required {
        true => Cow::Owned(paths.iter().cloned().chain(NAMES.map(str::to_owned)).collect()),
        false => Cow::Borrowed(paths),
    }
}

/// The same for a body that is translated: its bound goes once it has been read, because Messages has to have one till then.
pub(super) fn dropped_but_it(paths: &[String]) -> Cow<'_, [String]> {
    match is_dropped(paths) {
        true => Cow::Owned(paths.iter().filter(|path| !is_named(path)).cloned().collect()),
        false => Cow::Borrowed(paths),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;

    #[test]
    fn configs_may_use_every_name() {
        for OutputBound { objects, fields, .. } in Api::ALL.map(Api::output_bound) {
            let inside = |(object, field)| format!("{object}.{field}");
            let nested = objects.iter().zip(fields).map(inside);
            let names: Vec<String> = match objects {
                [] => fields.iter().map(|&field| field.to_owned()).collect(),
                _ => nested.collect(),
            };
            assert!(names.iter().all(|name| is_named(name)), "{names:?}");
        }
    }

    #[test]
    fn one_bound_whatever_it_is_called() {
        let check = |api: Api, body: &str, name: &str, expected: &str| {
            let document = Document::parse_to(body.as_bytes(), 1).unwrap();
            let mut splice = Splice::new(&document).unwrap();
            set(&mut splice, api, name, &Json::from_value(&Value::from(7))).unwrap();
            assert_eq!(String::from_utf8(splice.finish()).unwrap(), expected, "{body} {name}");
        };
        let chat = Api::OpenaiChat;
        check(chat, r#"{"max_tokens":1}"#, "max_completion_tokens", r#"{"max_tokens":7}"#);
        check(chat, r#"{"max_completion_tokens":1}"#, "max_tokens", r#"{"max_completion_tokens":7}"#);
        check(
            chat,
            r#"{"max_tokens":1,"max_completion_tokens":2}"#,
            "max_tokens",
            r#"{"max_completion_tokens":7}"#,
        );
        check(chat, r#"{"n":1}"#, "max_tokens", r#"{"n":1,"max_tokens":7}"#);
        check(chat, r#"{"n":1}"#, "max_output_tokens", r#"{"n":1,"max_completion_tokens":7}"#);
        check(Api::OpenaiResponses, r#"{}"#, "max_tokens", r#"{"max_output_tokens":7}"#);
        check(Api::AnthropicMessages, r#"{"max_tokens":1}"#, "max_output_tokens", r#"{"max_tokens":7}"#);
        check(Api::OpenaiEmbeddings, r#"{"input":""}"#, "max_tokens", r#"{"input":""}"#);
        let gemini = Api::GeminiGenerate;
        check(gemini, r#"{}"#, "max_tokens", r#"{"generationConfig":{"maxOutputTokens":7}}"#);
        check(
            gemini,
            r#"{"generationConfig":{"topK": 1, "maxOutputTokens": 9}}"#,
            "generationConfig.maxOutputTokens",
            r#"{"generationConfig":{"topK": 1, "maxOutputTokens": 7}}"#,
        );
        check(
            gemini,
            r#"{"generation_config":{"max_output_tokens":9}}"#,
            "max_tokens",
            r#"{"generation_config":{"max_output_tokens":7}}"#,
        );
    }

    #[test]
    fn what_is_said_already() {
        let check = |api: Api, body: &str, expected: bool| {
            let document = Document::parse_to(body.as_bytes(), 1).unwrap();
            assert_eq!(is_given(&Splice::new(&document).unwrap(), api), expected, "{body}");
        };
        check(Api::OpenaiChat, r#"{"max_completion_tokens":1}"#, true);
        check(Api::OpenaiChat, r#"{"max_tokens":null}"#, false);
        check(Api::OpenaiResponses, r#"{"max_tokens":1}"#, false);
        check(Api::GeminiGenerate, r#"{"generationConfig":{"maxOutputTokens":1}}"#, true);
        check(Api::GeminiGenerate, r#"{"generationConfig":{"topK":1}}"#, false);
    }
}
