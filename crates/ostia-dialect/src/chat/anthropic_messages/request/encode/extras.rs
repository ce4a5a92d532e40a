//! What a client said of its blocks and tools in the vendor's own words, for which the hub has no room. The client half
//! leaves it in [`Request::extra`] under the hub's path (`messages[2].content[0].citations`); here it finds its place
//! again. Anything else by such a path is unknown to the vendor too, and is reported.

use std::collections::HashMap;

use crate::json::Json;
use crate::{Content, MediaKind, Request, Source, Tool};

/// Fields of tools that the client runs.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference>
const TOOL_FIELDS: [&str; 4] =
    ["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"];

/// Where in the hub's request a block or a tool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `tools[i]`
    Tool(usize),
    /// `messages[i].content[j]`
    Block(usize, usize),
    /// `.content[k]` of the result there.
    Inner(usize, usize, usize),
}

/// The fields by the place of their block or tool.
#[derive(Default)]
pub(super) struct Extras<'r> {
    fields: HashMap<Place, Vec<(&'r str, &'r Json)>>,
    /// What of [`Request::extra`] has no such place.
    pub(super) rest: Vec<(&'r str, &'r Json)>,
}

impl<'r> Extras<'r> {
    /// Takes what fits its block or tool.
    pub(super) fn of(request: &'r Request) -> Extras<'r> {
        let mut extras = Extras::default();
        for (path, value) in &request.extra {
            let owned =
                path.rsplit_once('.').and_then(|(owner, field)| Some((place_of(owner, request)?, field)));
            match owned.filter(|(place, field)| fits(request, *place, field)) {
                Some((place, field)) => extras.fields.entry(place).or_default().push((field, value)),
                None => extras.rest.push((path, value)),
            }
        }
        extras
    }

    /// The fields of the block or tool at this place.
    pub(super) fn at(&self, place: Option<Place>) -> &[(&'r str, &'r Json)] {
        place.and_then(|place| self.fields.get(&place)).map_or(&[], Vec::as_slice)
    }

    /// The whole block at this place as the client wrote it, where the hub holds only its gist.
    pub(super) fn whole(&self, place: Option<Place>) -> Option<&'r Json> {
        let whole = self.at(place).iter().find(|(field, _)| matches!(*field, "document" | "search_result"));
        whole.map(|(_, value)| *value)
    }
}

impl Place {
    /// The number of the message, if it is a place in one.
    pub(super) fn message(self) -> Option<usize> {
        match self {
            Place::Tool(_) => None,
            Place::Block(message, _) | Place::Inner(message, ..) => Some(message),
        }
    }

    /// The block at this place of a result; nothing has a place below that.
    pub(super) fn inside(self, at: usize) -> Option<Place> {
        match self {
            Place::Block(message, result) => Some(Place::Inner(message, result, at)),
            Place::Tool(_) | Place::Inner(..) => None,
        }
    }

    fn of(path: &str) -> Option<Place> {
        if let Some((at, "")) = index(path, "tools[") {
            return Some(Place::Tool(at));
        }
        let (message, rest) = index(path, "messages[")?;
        let (at, rest) = index(rest, ".content[")?;
        let block = Place::Block(message, at);
        if rest.is_empty() {
            return Some(block);
        }
        index(rest, ".content[")
            .filter(|(_, rest)| rest.is_empty())
            .and_then(|(inner, _)| block.inside(inner))
    }
}

/// A tool may stand elsewhere in the list than in the client's.
fn place_of(owner: &str, request: &Request) -> Option<Place> {
    match Place::of(owner)? {
        Place::Tool(_) if !request.tool_places.is_empty() => {
            request.tool_places.iter().position(|place| place == owner).map(Place::Tool)
        }
        place => Some(place),
    }
}

fn fits(request: &Request, place: Place, field: &str) -> bool {
    let block = |message: usize, at: usize| request.messages.get(message)?.blocks.get(at);
    let block = match place {
        Place::Tool(at) => {
            let is_function = matches!(request.tools.get(at), Some(Tool::Function { .. }));
            return is_function && TOOL_FIELDS.contains(&field);
        }
        Place::Block(message, at) => block(message, at),
        Place::Inner(message, at, inner) => match block(message, at).map(|block| &block.content) {
            Some(Content::ToolResult { content, .. }) => content.get(inner),
            _ => None,
        },
    };
    block.is_some_and(|block| takes(&block.content, field))
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

/// The number behind `open`, and what follows its bracket.
fn index<'p>(path: &'p str, open: &str) -> Option<(usize, &'p str)> {
    let (number, rest) = path.strip_prefix(open)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}
