//! The fields of a request that its answer repeats.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/object>.

use crate::RenderOptions;
use crate::json::{Document, Json, Node, Writer};

/// Each field, and what the API says where the request does not; a field without that is left out then.
const ECHOED: [(&str, Option<&str>); 22] = [
    ("background", Some("false")),
    ("conversation", None),
    ("instructions", Some("null")),
    ("max_output_tokens", Some("null")),
    ("max_tool_calls", Some("null")),
    ("metadata", Some("{}")),
    ("parallel_tool_calls", Some("true")),
    ("previous_response_id", Some("null")),
    ("prompt", None),
    ("prompt_cache_key", Some("null")),
    ("prompt_cache_retention", Some("null")),
    ("reasoning", Some(r#"{"effort":null,"summary":null}"#)),
    ("safety_identifier", Some("null")),
    ("store", Some("true")),
    ("temperature", Some("1")),
    ("text", Some(r#"{"format":{"type":"text"}}"#)),
    ("tool_choice", Some(r#""auto""#)),
    ("tools", Some("[]")),
    ("top_logprobs", Some("0")),
    ("top_p", Some("1")),
    ("truncation", Some(r#""disabled""#)),
    ("user", Some("null")),
];

/// The tier that was asked for; an answer tells the one that served it, where that is known.
const SERVICE_TIER: &str = "service_tier";

/// The fields of a request that its answer repeats, in the answer's form.
pub fn echo(document: &Document<'_>) -> Vec<(String, Json)> {
    if !document.is_whole() {
        return Document::parse(document.text().as_bytes()).map_or(Vec::new(), |whole| echo(&whole));
    }
    let names = ECHOED.iter().map(|(name, _)| *name).chain([SERVICE_TIER]);
    let given = names.filter_map(|name| Some((name, document.root().some(name)?)));
    given.map(|(name, value)| (name.to_owned(), repeated(name, value))).collect()
}

/// Writes the repeated fields, and the tier that served the answer.
pub(in crate::chat::openai_responses) fn write(
    w: &mut Writer,
    options: &RenderOptions,
    service_tier: Option<&str>,
) {
    let given =
        |wanted: &str| options.echo.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    for (name, usual) in ECHOED {
        if let Some(value) = given(name).or(usual) {
            w.field_raw(name, value);
        }
    }
    match service_tier {
        Some(tier) => w.field_str(SERVICE_TIER, tier),
        None => w.field_raw(SERVICE_TIER, given(SERVICE_TIER).unwrap_or("null")),
    }
}

/// Is this one of the repeated fields?
pub(in crate::chat::openai_responses) fn holds(name: &str) -> bool {
    name == SERVICE_TIER || ECHOED.iter().any(|(known, _)| *known == name)
}

fn repeated(name: &str, value: Node<'_>) -> Json {
    match name {
        "conversation" if value.is_string() => with(value, &[("id", value.text())]),
        "text" => with(value, &[("format", r#"{"type":"text"}"#)]),
        "reasoning" => with(value, &[("effort", "null"), ("summary", "null")]),
        "tools" => Json::build(|w| {
            w.array(|w| {
                for tool in value.items() {
                    let function = tool.str("type").as_deref() == Some("function");
                    let usual: &[_] = &[("description", "null"), ("parameters", "null"), ("strict", "null")];
                    w.raw(if function { with(tool, usual) } else { Json::of(tool) }.as_str());
                }
            });
        }),
        _ => Json::of(value),
    }
}

/// An object with these fields where it has not got them: typed clients require them.
fn with(object: Node<'_>, usual: &[(&str, &str)]) -> Json {
    Json::build(|w| {
        w.object(|w| {
            for (name, value) in object.fields() {
                w.field_raw(&name, value.text());
            }
            for (name, value) in usual.iter().filter(|(name, _)| object.get(name).is_none()) {
                w.field_raw(name, value);
            }
        });
    })
}
