//! The client's body to the canonical request.
//!
//! Source: <https://platform.claude.com/docs/en/api/messages>.

mod blocks;
mod tools;

use self::blocks::decode_turn;
use self::tools::{decode_tool, decode_tool_choice};
use crate::json::{Document, Json, Node};
use crate::openai_chat::part::{optional_str, report_unknown};
use crate::{Fault, Message, OutputFormat, Reasoning, Request, Role};

/// What the hub calls by another name than this dialect does: the hub's name and the dialect's.
pub const WORDS: &[(&str, &str)] = &[
    ("max_completion_tokens", "max_tokens"),
    ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
    ("reasoning", "thinking"),
    ("reasoning_effort", "output_config.effort"),
    ("response_format", "output_config.format"),
    ("stop", "stop_sequences"),
    ("user", "metadata.user_id"),
    ("web_search_options", "tools"),
];

/// Reads a whole request, also one that is only to be counted: `max_tokens` may be missing.
///
/// # Errors
/// 400 that names the field and what it must be.
pub fn decode(body: &[u8]) -> Result<Request, Fault> {
    let document =
        Document::parse(body).map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))?;
    let root = document.root();
    let mut request = Request { include_usage: true, ..Request::default() };
    // The operator's words stand first, wherever the client wrote them.
    for name in ["system", "messages"] {
        if let Some(value) = root.some(name) {
            decode_field(name, value, &mut request)?;
        }
    }
    for (name, value) in root.expect_fields()? {
        if !value.is_null() && !matches!(name.as_ref(), "system" | "messages") {
            decode_field(&name, value, &mut request)?;
        }
    }
    root.expect("model")?;
    root.expect("messages")?;
    Ok(request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    match name {
        "model" => request.model = value.expect_str()?.into_owned(),
        "system" => {
            let blocks = blocks::decode_content(value, &mut request.extra)?;
            push(request, Message { role: Role::System, name: None, blocks }, "system".into());
        }
        "messages" => decode_messages(value, request)?,
        "stream" => request.stream = value.expect_bool()?,
        "tools" => {
            for tool in value.expect_items()? {
                decode_tool(tool, request)?;
            }
        }
        "tool_choice" => decode_tool_choice(value, request)?,
        "thinking" => decode_thinking(value, request)?,
        "output_config" => decode_output(value, request)?,
        // The older name of `output_config.format`.
        "output_format" => request.output_format = Some(decode_format(value, &mut request.extra)?),
        "metadata" => {
            value.expect_fields()?;
            request.user = optional_str(value, "user_id")?;
            report_unknown(value, &["user_id"], &mut request.extra);
        }
        "service_tier" => request.service_tier = Some(value.expect_str()?.into_owned()),
        "cache_control" => request.cache_control = Some(Json::of(value)),
        _ => return decode_sampling(name, value, request),
    }
    Ok(())
}

fn decode_sampling(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    let number = || value.expect_number().map(|_| Some(Json::of(value)));
    match name {
        "max_tokens" => sampling.max_tokens = Some(value.expect_u64()?),
        "temperature" => sampling.temperature = number()?,
        "top_p" => sampling.top_p = number()?,
        "top_k" => sampling.top_k = number()?,
        "stop_sequences" => {
            let stops = value.expect_items()?.map(|stop| Ok(stop.expect_str()?.into_owned()));
            sampling.stop = stops.collect::<Result<_, Fault>>()?;
        }
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

fn decode_messages(messages: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let mut count = 0;
    for message in messages.expect_items()? {
        count += 1;
        let place = message.path();
        for turn in decode_turn(message, &mut request.extra)? {
            push(request, turn, place.clone());
        }
    }
    if count == 0 {
        return Err(messages.invalid("must hold at least one message"));
    }
    Ok(())
}

fn push(request: &mut Request, message: Message, place: String) {
    request.messages.push(message);
    request.places.push(place);
}

fn reasoning(request: &mut Request) -> &mut Reasoning {
    request.reasoning.get_or_insert_default()
}

fn decode_thinking(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = value.expect("type")?;
    let (enabled, adaptive) = match kind.expect_str()?.as_ref() {
        "enabled" => (true, false),
        "adaptive" => (true, true),
        "disabled" => (false, false),
        _ => return Err(kind.invalid("must be enabled, adaptive or disabled")),
    };
    let budget = value.some("budget_tokens").map(|budget| budget.expect_u64()).transpose()?;
    let display = optional_str(value, "display")?;
    report_unknown(value, &["type", "budget_tokens", "display"], &mut request.extra);
    let reasoning = reasoning(request);
    (reasoning.enabled, reasoning.adaptive, reasoning.budget_tokens) = (Some(enabled), adaptive, budget);
    reasoning.visible = display.map(|display| display != "omitted");
    Ok(())
}

fn decode_output(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    value.expect_fields()?;
    if let Some(effort) = optional_str(value, "effort")? {
        reasoning(request).effort = Some(effort);
    }
    if let Some(format) = value.some("format") {
        request.output_format = Some(decode_format(format, &mut request.extra)?);
    }
    report_unknown(value, &["effort", "format"], &mut request.extra);
    Ok(())
}

fn decode_format(format: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<OutputFormat, Fault> {
    let kind = format.expect("type")?;
    if kind.expect_str()? != "json_schema" {
        return Err(kind.invalid("must be json_schema"));
    }
    report_unknown(format, &["type", "schema"], unknown);
    let schema = format.expect("schema")?;
    schema.expect_fields()?;
    Ok(OutputFormat::JsonSchema {
        name: "response".into(),
        description: None,
        schema: Json::of(schema),
        strict: None,
    })
}

#[cfg(test)]
mod tests;
