//! Tools, and which of them is to be called.

use crate::json::{Json, Node, Writer, optional_bool, optional_str, report_unknown};
use crate::{Dialect, Fault, Request, Tool, ToolChoice, WebSearch};

/// Reads `tools`.
pub(super) fn decode(tools: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    tools.expect_items()?.try_for_each(|tool| decode_tool(tool, request))
}

/// Reads one entry of `tools`, or of the other lists that hold the same.
pub(crate) fn decode_tool(tool: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = tool.expect("type")?.expect_str()?;
    match kind.as_ref() {
        "function" => request.tools.push(function(tool, &mut request.extra)?),
        "custom" => request.tools.push(custom(tool, &mut request.extra)?),
        kind if is_web_search(kind) => request.web_search = Some(web_search(tool, &mut request.extra)?),
        kind => request.tools.push(Tool::Hosted {
            dialect: Dialect::OpenaiResponses,
            name: kind.to_owned(),
            value: Json::of(tool),
        }),
    }
    Ok(())
}

/// `web_search`, `web_search_preview`, and either with a date behind it (`web_search_2025_08_26`).
fn is_web_search(kind: &str) -> bool {
    let Some(rest) = kind.strip_prefix("web_search") else { return false };
    let date = rest.strip_prefix("_preview").unwrap_or(rest);
    let dated = |date: &str| date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    // Anthropic's dates have no underscores in them.
    date.is_empty() || date.starts_with("_20") && date.len() == "_2025_08_26".len() && dated(date)
}

fn web_search(tool: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<WebSearch, Fault> {
    report_unknown(tool, &["type", "search_context_size", "user_location"], unknown);
    let location = tool.some("user_location");
    if let Some(location) = location {
        location.expect_fields()?;
    }
    Ok(WebSearch {
        context_size: optional_str(tool, "search_context_size")?,
        user_location: location.map(Json::of),
    })
}

/// A function. Where `strict` is absent this API takes it for true and others for false, so it stays unsaid.
fn function(tool: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Tool, Fault> {
    report_unknown(tool, &["type", "name", "description", "parameters", "strict"], unknown);
    let parameters = tool.some("parameters");
    // `true` and `false` are schemas too; whether a vendor takes them is for the vendor to say.
    if let Some(parameters) = parameters.filter(|parameters| parameters.as_bool().is_none()) {
        parameters.expect_fields()?;
    }
    Ok(Tool::Function {
        name: name_of(tool)?,
        description: optional_str(tool, "description")?,
        parameters: parameters.map(Json::of),
        strict: optional_bool(tool, "strict")?,
        cache_control: None,
    })
}

/// A tool that takes free text, in the shape of Chat Completions: all but its type stands in an object of its
/// own.
fn custom(tool: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Tool, Fault> {
    report_unknown(tool, &["type", "name", "description", "format"], unknown);
    let (name, description) = (name_of(tool)?, optional_str(tool, "description")?);
    let format = tool.some("format");
    if let Some(format) = format {
        format.expect("type")?.expect_str()?;
    }
    let value = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "custom");
            w.field_object("custom", |w| {
                w.field_str("name", &name);
                if let Some(description) = &description {
                    w.field_str("description", description);
                }
                if let Some(format) = format {
                    w.key("format");
                    custom_format(w, format);
                }
            });
        });
    });
    Ok(Tool::Custom { name, value })
}

/// `{"type": "grammar", "syntax", "definition"}` is flat here and has an object around the last two there.
fn custom_format(w: &mut Writer, format: Node<'_>) {
    if format.str("type").as_deref() != Some("grammar") {
        return w.raw(format.text());
    }
    w.object(|w| {
        w.field_str("type", "grammar");
        w.field_object("grammar", |w| {
            for (name, value) in format.fields().filter(|(name, _)| name != "type") {
                w.field_raw(&name, value.text());
            }
        });
    });
}

/// Reads `tool_choice`. The choice of a tool that the vendor runs has no word in the hub: it stays as it is.
pub(super) fn decode_choice(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let choice = match value.as_str() {
        Some(mode) => match mode.as_ref() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return Err(value.invalid("must be auto, none, required or an object that names a tool")),
        },
        None => match value.expect("type")?.expect_str()?.as_ref() {
            // The container of the tool has no word in the hub either.
            "function" | "custom" if value.some("namespace").is_none() => ToolChoice::Named(name_of(value)?),
            "allowed_tools" => allowed(value, &mut request.extra)?,
            _ => {
                request.extra.push(("tool_choice".to_owned(), Json::of(value)));
                return Ok(());
            }
        },
    };
    request.tool_choice = Some(choice);
    Ok(())
}

/// `{"type": "allowed_tools", "mode", "tools": [...]}`. Tools that the vendor runs have no name but their
/// type, and the search of the web is no tool of the hub.
fn allowed(value: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<ToolChoice, Fault> {
    let mode = value.expect("mode")?;
    let required = match mode.expect_str()?.as_ref() {
        "auto" => false,
        "required" => true,
        _ => return Err(mode.invalid("must be auto or required")),
    };
    let mut names = Vec::new();
    for tool in value.expect("tools")?.expect_items()? {
        let name = tool.some("name").map_or_else(|| tool.expect("type"), Ok)?.expect_str()?;
        if is_web_search(&name) {
            unknown.push((tool.path(), Json::of(tool)));
        } else {
            names.push(name.into_owned());
        }
    }
    Ok(ToolChoice::Allowed { names, required })
}

fn name_of(tool: Node<'_>) -> Result<String, Fault> {
    Ok(tool.expect("name")?.expect_str()?.into_owned())
}
