//! Tools and the choice among them: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools>.

use super::{beyond, optional_str};
use crate::chat::anthropic_messages::request::encode::tools::WEB_SEARCH;
use crate::json::{Json, Node};
use crate::{Dialect, Fault, Request, Tool, ToolChoice, WebSearch};

/// What the types of all web searches begin with.
const WEB_SEARCH_PREFIX: &str = "web_search_";
/// The fields of a tool that the hub has room for.
const TOOL_FIELDS: &[&str] = &["type", "name", "description", "input_schema", "strict", "cache_control"];

/// The field `tools`.
pub(super) fn decode(tools: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for tool in tools.expect_items()? {
        match optional_str(tool, "type")?.as_deref() {
            None | Some("custom") => {
                let at = request.tools.len();
                request.extra.extend(beyond(tool, TOOL_FIELDS, format_args!("tools[{at}].")));
                request.tools.push(decode_function(tool)?);
            }
            Some(kind) => decode_hosted(tool, kind, request),
        }
    }
    Ok(())
}

fn decode_function(tool: Node<'_>) -> Result<Tool, Fault> {
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

/// A tool of the vendor's own, which only the vendor understands.
///
/// A web search is a wish that others understand too. Where it says more than that wish can hold (domains, a newer
/// version), the tool itself stands beside it: an upstream of this dialect takes that one, and others report it.
fn decode_hosted(tool: Node<'_>, kind: &str, request: &mut Request) {
    if kind.starts_with(WEB_SEARCH_PREFIX) {
        let user_location = tool.some("user_location").map(Json::of);
        request.web_search = Some(WebSearch { context_size: None, user_location });
        let held = beyond(tool, &["type", "name", "user_location"], "").next().is_none();
        if held && kind == WEB_SEARCH {
            return;
        }
    }
    let (name, value) = (kind.to_owned(), Json::of(tool));
    request.tools.push(Tool::Hosted { dialect: Dialect::AnthropicMessages, name, value });
}

/// The field `tool_choice`, which also says whether one turn may hold several calls.
pub(super) fn decode_choice(choice: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = choice.expect("type")?;
    request.tool_choice = Some(match kind.expect_str()?.as_ref() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.expect("name")?.expect_str()?.into_owned()),
        _ => return Err(kind.invalid("must be auto, any, tool or none")),
    });
    if let Some(disable) = choice.some("disable_parallel_tool_use")
        && disable.expect_bool()?
    {
        request.parallel_tool_calls = Some(false);
    }
    let known = &["type", "name", "disable_parallel_tool_use"];
    request.extra.extend(beyond(choice, known, "tool_choice."));
    Ok(())
}
