//! Calls and answers of the client's tools in the history, and the tools that came with them.

use std::borrow::Cow;

use super::table::{ClientTool, TOOL_SEARCH, TOOLS};
use crate::chat::openai_responses::request::decode_tool;
use crate::chat::tools::namespace::joined;
use crate::json::{Document, Node};
use crate::{Block, Content, Dialect, EncodeOptions, Fault, Request, Role, Tool, ToolKind};

/// An item that brings tools along: openai/codex, `codex-rs/protocol/src/models.rs`, `AdditionalTools`.
const ADDITIONAL_TOOLS: &str = "additional_tools";
/// Items that hold free text.
const CUSTOM: [&str; 2] = ["custom_tool_call", "custom_tool_call_output"];
/// How the places of items begin.
const INPUT: &str = "input";
/// A block of Anthropic's that names a tool which a search has found:
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool>.
const TOOL_REFERENCE: &str = "tool_reference";

/// Makes calls of functions and their results of the items in the history, and takes the tools that they bring.
///
/// # Errors
/// 400 for a tool that is none, naming its place.
pub(super) fn replace(
    request: &mut Request,
    upstream: Dialect,
    options: &EncodeOptions,
) -> Result<(), Fault> {
    let is_strange = |block: &Block| is_strange(block, upstream, options);
    if !request.messages.iter().flat_map(|message| &message.blocks).any(is_strange) {
        return Ok(());
    }
    let (mut history, mut emptied) = (History::default(), Vec::new());
    for (at, message) in request.messages.iter_mut().enumerate() {
        let place = request.places.get(at).map_or("", String::as_str);
        if !message.blocks.iter().any(is_strange) {
            continue;
        }
        for mut block in std::mem::take(&mut message.blocks) {
            let stays = !is_strange(&block) || history.block(&mut block, place)?;
            message.blocks.extend(stays.then_some(block));
        }
        let is_result = |block: &Block| matches!(block.content, Content::ToolResult { .. });
        match message.blocks.as_slice() {
            [] => emptied.push(at),
            blocks if message.role == Role::User && blocks.iter().all(is_result) => message.role = Role::Tool,
            _ => {}
        }
    }
    for at in emptied.into_iter().rev() {
        request.messages.remove(at);
        request.places.remove(at);
    }
    request.web_search = request.web_search.take().or(history.others.web_search);
    request.extra.extend(history.others.extra);
    load(request, history.tools);
    Ok(())
}

/// An item of Responses before another vendor, or the result of a search of Anthropic's.
fn is_strange(block: &Block, upstream: Dialect, options: &EncodeOptions) -> bool {
    match &block.content {
        Content::Foreign { dialect: owner @ Dialect::OpenaiResponses, .. } => {
            !options.has_types_of(*owner, upstream)
        }
        Content::ToolResult { content, .. } if upstream != Dialect::AnthropicMessages => {
            content.iter().any(|block| reference(block).is_some())
        }
        _ => false,
    }
}

/// What the vendor has found, it had been given.
pub(super) fn is_vendors(item: Node<'_>) -> bool {
    item.str("execution").as_deref() == Some("server")
}

/// Is it an item that only tools other than functions make?
pub(super) fn is_others(kind: &str) -> bool {
    kind == ADDITIONAL_TOOLS || CUSTOM.contains(&kind)
}

/// Adds tools to those of the request, but for those that are there already.
fn load(request: &mut Request, tools: Vec<(Tool, String)>) {
    if tools.is_empty() {
        return;
    }
    for (tool, place) in request.take_tools() {
        request.put_tool(tool, place);
    }
    for (tool, place) in tools {
        if !request.tools.iter().any(|known| is_same(known, &tool)) {
            request.put_tool(tool, place);
        }
    }
}

/// Containers of one name may hold different tools each time.
fn is_same(known: &Tool, tool: &Tool) -> bool {
    match (known, tool) {
        (Tool::Hosted { value: known, .. }, Tool::Hosted { value, .. }) => known == value,
        (
            Tool::Function { name: known, .. } | Tool::Custom { name: known, .. },
            Tool::Function { name, .. } | Tool::Custom { name, .. },
        ) => known == name,
        _ => false,
    }
}

#[derive(Debug, Default)]
struct History {
    /// The tools that came along, each with its place.
    tools: Vec<(Tool, String)>,
    /// The id of each item that is a call, and of the call.
    calls: Vec<(String, String)>,
    /// What came along besides: a search of the web, and fields that nobody knows.
    others: Request,
}

impl History {
    /// Changes a block; gives whether it stays.
    fn block(&mut self, block: &mut Block, place: &str) -> Result<bool, Fault> {
        let value = match &mut block.content {
            Content::Foreign { value, .. } => value,
            Content::ToolResult { content, .. } => {
                name_tools(content);
                return Ok(true);
            }
            _ => return Ok(true),
        };
        // In a conversation of another dialect the vendor's items are opaque values, and calls without their results.
        if !place.starts_with(INPUT) {
            return Ok(true);
        }
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return Ok(true) };
        let item = document.root();
        let kind = item.str("type").unwrap_or_default();
        if kind == ADDITIONAL_TOOLS {
            self.take(item, place)?;
            return Ok(false);
        }
        if is_vendors(item) {
            return Ok(true);
        }
        let content = if let Some(tool) = ClientTool::of_call(&kind) {
            self.call(tool, item)
        } else if let Some(tool) = TOOLS.iter().find(|tool| tool.output == kind) {
            if tool.name == TOOL_SEARCH {
                self.take(item, place)?;
            }
            self.result(tool, item)
        } else {
            return Ok(true);
        };
        block.content = content;
        Ok(true)
    }

    fn call(&mut self, tool: &ClientTool, item: Node<'_>) -> Content {
        let text = |name: &str| item.str(name).map(Cow::into_owned);
        let id = text("call_id").or_else(|| text("id")).unwrap_or_default();
        self.calls.extend(text("id").map(|item| (item, id.clone())));
        let arguments = tool.arguments(item);
        Content::ToolCall { id, name: tool.name.to_owned(), arguments, kind: ToolKind::Function }
    }

    /// An output names its call, but for that of `local_shell`, which may name the item.
    fn result(&mut self, tool: &ClientTool, item: Node<'_>) -> Content {
        let named = item.str("call_id").or_else(|| item.str("id")).unwrap_or_default().into_owned();
        let known = self.calls.iter().rev().find(|(id, _)| *id == named);
        let id = known.map_or(named, |(_, call)| call.clone());
        let said = match (tool.name, item.some("output")) {
            (TOOL_SEARCH, _) => found(item),
            (_, Some(output)) => output.as_str().unwrap_or(Cow::Borrowed(output.text())).into_owned(),
            (_, None) => item.str("status").unwrap_or_default().into_owned(),
        };
        let is_error = item.str("status").as_deref() == Some("failed");
        Content::ToolResult { id, name: None, content: vec![Block::text(said)], is_error }
    }

    /// The tools in an item.
    fn take(&mut self, item: Node<'_>, place: &str) -> Result<(), Fault> {
        let Some(list) = item.some("tools") else { return Ok(()) };
        let (in_place, before) = (|fault: Fault| fault.below(place), self.others.extra.len());
        for (at, tool) in list.expect_items().map_err(in_place)?.enumerate() {
            decode_tool(tool, &mut self.others).map_err(in_place)?;
            let place = format!("{place}.tools[{at}]");
            self.tools.extend(self.others.tools.pop().map(|tool| (tool, place)));
        }
        self.others.extra[before..].iter_mut().for_each(|(path, _)| *path = format!("{place}.{path}"));
        Ok(())
    }
}

/// The names of the tools that were found. What they are is in the list of tools.
fn found(item: Node<'_>) -> String {
    let name = |tool: Node<'_>| tool.str("name").unwrap_or_default().into_owned();
    let names = item.some("tools").into_iter().flat_map(|tools| tools.items()).flat_map(|tool| {
        match tool.some("tools") {
            Some(inner) => inner.items().map(|inner| joined(&name(tool), &name(inner))).collect(),
            None => vec![name(tool)],
        }
    });
    match names.collect::<Vec<_>>().as_slice() {
        [] => "No tools were found.".to_owned(),
        names => format!("These tools can be called now: {}", names.join(", ")),
    }
}

/// Says in words which tools a search has found.
fn name_tools(content: &mut [Block]) {
    for block in content {
        if let Some(name) = reference(block) {
            *block = Block::text(format!("This tool can be called now: {name}"));
        }
    }
}

fn reference(block: &Block) -> Option<String> {
    let Content::Foreign { dialect: Dialect::AnthropicMessages, value } = &block.content else { return None };
    let document = Document::parse(value.as_str().as_bytes()).ok()?;
    let is_reference = document.root().str("type").as_deref() == Some(TOOL_REFERENCE);
    document.root().str("tool_name").filter(|_| is_reference).map(Cow::into_owned)
}
