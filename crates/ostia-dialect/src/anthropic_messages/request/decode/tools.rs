//! Tools: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview>.

use crate::json::{Json, Node};
use crate::openai_chat::part::{optional_str, report_unknown};
use crate::{Dialect, Fault, Request, Tool, ToolChoice, WebSearch};

/// The vendor's own web search, without its date.
const WEB_SEARCH: &str = "web_search_";

/// Adds a tool to the request. The client's own have no type, or `custom`; all others are the vendor's.
pub(super) fn decode_tool(tool: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    tool.expect_fields()?;
    match optional_str(tool, "type")?.as_deref() {
        None | Some("custom") => {
            let function = decode_function(tool, request)?;
            request.tools.push(function);
        }
        Some(kind) if kind.starts_with(WEB_SEARCH) => {
            let location = tool.some("user_location").map(Json::of);
            request.web_search = Some(WebSearch { context_size: None, user_location: location });
            report_unknown(tool, &["type", "name", "user_location", "cache_control"], &mut request.extra);
        }
        Some(kind) => {
            let (name, value) = (kind.to_owned(), Json::of(tool));
            request.tools.push(Tool::Hosted { dialect: Dialect::AnthropicMessages, name, value });
        }
    }
    Ok(())
}

fn decode_function(tool: Node<'_>, request: &mut Request) -> Result<Tool, Fault> {
    const KNOWN: &[&str] = &["type", "name", "description", "input_schema", "strict", "cache_control"];
    report_unknown(tool, KNOWN, &mut request.extra);
    let schema = tool.expect("input_schema")?;
    schema.expect_fields()?;
    Ok(Tool::Function {
        name: tool.expect("name")?.expect_str()?.into_owned(),
        description: optional_str(tool, "description")?,
        parameters: Some(Json::of(schema)),
        strict: tool.some("strict").map(|strict| strict.expect_bool()).transpose()?,
        cache_control: tool.some("cache_control").map(Json::of),
    })
}

pub(super) fn decode_tool_choice(choice: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = choice.expect("type")?;
    request.tool_choice = Some(match kind.expect_str()?.as_ref() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.expect("name")?.expect_str()?.into_owned()),
        _ => return Err(kind.invalid("must be auto, any, none or tool")),
    });
    if let Some(disabled) = choice.some("disable_parallel_tool_use") {
        request.parallel_tool_calls = Some(!disabled.expect_bool()?);
    }
    report_unknown(choice, &["type", "name", "disable_parallel_tool_use"], &mut request.extra);
    Ok(())
}
