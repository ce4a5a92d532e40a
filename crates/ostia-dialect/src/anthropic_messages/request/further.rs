//! What a client said of its blocks and tools in the vendor's own words, for which the hub has no room. The client half
//! leaves it in [`Request::extra`] under the hub's path (`messages[2].content[0].citations`); here it finds its place
//! again. Anything else by such a path is unknown to the vendor too, and is reported.

use std::collections::{HashMap, HashSet};

use crate::json::Json;
use crate::{Block, Content, MediaKind, Request, Source, Tool};

/// Fields of tools that the client runs.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference>
const TOOL_FIELDS: [&str; 4] =
    ["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"];

/// The fields by the path of their block or tool.
#[derive(Default)]
pub(super) struct Further<'r> {
    fields: HashMap<&'r str, Vec<(&'r str, &'r Json)>>,
    paths: HashSet<&'r str>,
}

impl<'r> Further<'r> {
    /// Takes what fits its block or tool.
    pub(super) fn of(request: &'r Request) -> Further<'r> {
        let mut further = Further::default();
        for (path, value) in &request.extra {
            let Some((owner, field)) = path.rsplit_once('.') else { continue };
            if fits(request, owner, field) {
                further.fields.entry(owner).or_default().push((field, value));
                further.paths.insert(path);
            }
        }
        further
    }

    /// The fields of the block or tool at this path.
    pub(super) fn at(&self, owner: &str) -> &[(&'r str, &'r Json)] {
        self.fields.get(owner).map_or(&[], Vec::as_slice)
    }

    /// The whole block at this path as the client wrote it, where the hub holds only its gist.
    pub(super) fn whole(&self, owner: &str) -> Option<&'r Json> {
        let whole = self.at(owner).iter().find(|(field, _)| matches!(*field, "document" | "search_result"));
        whole.map(|(_, value)| *value)
    }

    /// Has this path of [`Request::extra`] found its place?
    pub(super) fn holds(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
}

fn fits(request: &Request, owner: &str, field: &str) -> bool {
    if let Some((at, "")) = index(owner, "tools[") {
        let is_function = matches!(request.tools.get(at), Some(Tool::Function { .. }));
        return is_function && TOOL_FIELDS.contains(&field);
    }
    block(request, owner).is_some_and(|block| takes(&block.content, field))
}

/// Is this a field of such a block? <https://platform.claude.com/docs/en/api/messages/create>, `ContentBlockParam`
fn takes(content: &Content, field: &str) -> bool {
    match content {
        Content::Media(medium) => match (medium.kind, field) {
            (MediaKind::Document, "citations" | "context") | (MediaKind::Image, "transformations") => true,
            (MediaKind::Document, "document" | "search_result") => matches!(medium.source, Source::Text(_)),
            _ => false,
        },
        Content::ToolCall { .. } | Content::ToolResult { .. } => field == "toolset_name",
        Content::Text { .. } | Content::Refusal(_) | Content::Reasoning(_) | Content::Foreign { .. } => false,
    }
}

/// The block at `messages[i].content[j]`, or at `.content[k]` of the result there.
fn block<'r>(request: &'r Request, path: &str) -> Option<&'r Block> {
    let (message, rest) = index(path, "messages[")?;
    let (at, rest) = index(rest, ".content[")?;
    let block = request.messages.get(message)?.blocks.get(at)?;
    match (rest, &block.content) {
        ("", _) => Some(block),
        (rest, Content::ToolResult { content, .. }) => match index(rest, ".content[")? {
            (inner, "") => content.get(inner),
            _ => None,
        },
        _ => None,
    }
}

/// The number behind `open`, and what follows its bracket.
fn index<'p>(path: &'p str, open: &str) -> Option<(usize, &'p str)> {
    let (number, rest) = path.strip_prefix(open)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}
