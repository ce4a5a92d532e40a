//! Tools that the client runs itself and that only one vendor has a type for (`shell`, `apply_patch`, `tool_search`,
//! Anthropic's `bash`), before another vendor: each becomes a function, and so do the calls of it in the history. Its
//! calls become what they were by `Undo`.
//!
//! What a client has found or sent on the way (`tool_search_output`, `additional_tools`) joins the list of tools.

mod history;
mod item;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::ClientTool;

use self::table::{Runner, TOOLS, TYPED, TypedTool};
use crate::chat::tools::namespace::NAMESPACE;
use crate::json::{Document, Json, Node};
use crate::{Dialect, EncodeOptions, Fault, Request, Tool, ToolChoice};

/// What the hub calls the choice of a tool that it has no word for.
const TOOL_CHOICE: &str = "tool_choice";

/// The type of a tool that takes free text.
const CUSTOM: &str = "custom";

/// Is this a tool of a type that one vendor has, which becomes a function, or several, before the others?
pub(crate) fn is_client_run(tool: &Tool) -> bool {
    let Tool::Hosted { dialect, name, value } = tool else { return false };
    match dialect {
        Dialect::OpenaiResponses if name == NAMESPACE => true,
        Dialect::OpenaiResponses => own_tool(name).is_some_and(|tool| {
            let document = Document::parse(value.as_str().as_bytes());
            document.is_ok_and(|document| tool.is_run_by_client(document.root()))
        }),
        Dialect::AnthropicMessages => typed_tool(name).is_some(),
        Dialect::OpenaiChat
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => false,
    }
}

/// Are there tools, or calls of them, in this Responses request that go by other types than `function`? Servers that copy the
/// API refuse them or leave them out: ggml-org/llama.cpp issue 20156, vllm-project/vllm issue 49493,
/// lmstudio-ai/lmstudio-bug-tracker issue 1810.
pub fn is_in(document: &Document<'_>) -> bool {
    let any = |list: &str, is_own: fn(&str, Node<'_>) -> bool| {
        let text = document.root().some(list).map_or("", |list| list.text());
        Document::parse_to(text.as_bytes(), 3).is_ok_and(|list| {
            list.root().items().any(|item| item.str("type").is_some_and(|kind| is_own(&kind, item)))
        })
    };
    any("tools", |kind, tool| match own_tool(kind) {
        Some(own) => own.is_run_by_client(tool),
        None => [CUSTOM, NAMESPACE].contains(&kind),
    }) || any("input", |kind, item| {
        let kinds = |tool: &ClientTool| [tool.call, tool.output].contains(&kind);
        item.some(NAMESPACE).is_some()
            || history::is_others(kind)
            || TOOLS.iter().any(kinds) && !history::is_vendors(item)
    })
}

pub(crate) fn own_tool(kind: &str) -> Option<&'static ClientTool> {
    TOOLS.iter().find(|tool| tool.name == kind)
}

fn typed_tool(kind: &str) -> Option<&'static TypedTool> {
    TYPED.iter().find(|tool| tool.kinds.iter().any(|known| is_dated(kind, known)))
}

/// Replaces the tools that clients run, and the calls of them in the history. Gives the functions whose calls are items of
/// the client's, by name. What is lost goes to `dropped`, by path.
///
/// # Errors
/// 400 for a tool in the history that is none.
pub(crate) fn replace(
    request: &mut Request,
    upstream: Dialect,
    options: &EncodeOptions,
    dropped: &mut Vec<String>,
) -> Result<Vec<(String, &'static ClientTool)>, Fault> {
    history::replace(request, upstream, options)?;
    let mut items = Vec::new();
    for at in 0..request.tools.len() {
        let Tool::Hosted { dialect, name, value } = &request.tools[at] else { continue };
        if options.has_types_of(*dialect, upstream) {
            continue;
        }
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { continue };
        let place = request.tool_place(at);
        let tool = match dialect {
            Dialect::OpenaiResponses => own_item(name, document.root(), request, &mut items, &place, dropped),
            Dialect::AnthropicMessages => typed(name, document.root(), &place, dropped),
            Dialect::OpenaiChat
            | Dialect::GeminiGenerate
            | Dialect::CohereChat
            | Dialect::BedrockConverse
            | Dialect::OllamaChat
            | Dialect::ReplicateText => None,
        };
        if let Some(tool) = tool {
            request.tools[at] = tool;
        }
    }
    if !options.has_types_of(Dialect::OpenaiResponses, upstream) {
        choose(request);
    }
    Ok(items)
}

/// The function for a tool whose calls are items of their own.
fn own_item(
    kind: &str,
    entry: Node<'_>,
    request: &Request,
    items: &mut Vec<(String, &'static ClientTool)>,
    place: &str,
    dropped: &mut Vec<String>,
) -> Option<Tool> {
    let tool = own_tool(kind).filter(|tool| tool.is_run_by_client(entry))?;
    let runner = tool.runner.as_ref();
    // Two tools of one name cannot be told apart; the one with a name of its own keeps it.
    let is_taken = request.tools.iter().any(|other| is_called(other, tool.name));
    let name = if is_taken { format!("{}_call", tool.name) } else { tool.name.to_owned() };
    items.push((name.clone(), tool));
    let known = ["type", "description", "parameters", runner.map_or("", Runner::top)];
    lost(entry, &known, place, dropped);
    if let Some(below) = runner.and_then(|runner| entry.some(runner.below?)) {
        lost(below, &["type"], &format!("{place}.{}", runner.map_or("", Runner::top)), dropped);
    }
    let description =
        entry.str("description").map_or_else(|| tool.description.to_owned(), |own| own.into_owned());
    let parameters =
        entry.some("parameters").map_or_else(|| Json::build(|w| w.raw(tool.parameters)), Json::of);
    Some(Tool::Function {
        name,
        description: Some(description),
        parameters: Some(parameters),
        strict: None,
        cache_control: None,
    })
}

fn is_called(tool: &Tool, wanted: &str) -> bool {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => name == wanted,
        Tool::Hosted { .. } => false,
    }
}

/// The function for a tool whose calls are calls as any other.
fn typed(kind: &str, entry: Node<'_>, place: &str, dropped: &mut Vec<String>) -> Option<Tool> {
    let tool = typed_tool(kind)?;
    let told: Vec<&str> = tool.told.iter().map(|(field, _)| *field).collect();
    lost(entry, &[&["type", "name", "cache_control"], told.as_slice()].concat(), place, dropped);
    Some(Tool::Function {
        name: entry.str("name").map_or_else(|| tool.name.to_owned(), |name| name.into_owned()),
        description: Some(description(tool, entry)),
        parameters: Some(Json::build(|w| w.raw(tool.parameters))),
        strict: None,
        cache_control: entry.some("cache_control").map(Json::of),
    })
}

/// Is this the type, or the type up to its date (`bash_` and `bash_20250124`)?
fn is_dated(kind: &str, known: &str) -> bool {
    let date = kind.strip_prefix(known);
    date.is_some_and(|date| {
        date.bytes().all(|byte| byte.is_ascii_digit()) && (date.is_empty() != known.ends_with('_'))
    })
}

fn description(tool: &TypedTool, entry: Node<'_>) -> String {
    let settings = tool.told.iter().filter_map(|(field, words)| Some((words, entry.some(field)?)));
    let told = settings.map(|(words, value)| format!(" {words}: {}.", value.text()));
    std::iter::once(tool.description.to_owned()).chain(told).collect()
}

/// Reports the settings that a function has no room for.
fn lost(object: Node<'_>, known: &[&str], place: &str, dropped: &mut Vec<String>) {
    let fields = object.fields().filter(|(name, value)| !known.contains(&name.as_ref()) && !value.is_null());
    dropped.extend(fields.map(|(name, _)| format!("{place}.{name}")));
}

/// The choice of such a tool goes by its type: <https://platform.openai.com/docs/api-reference/responses/create>,
/// `tool_choice`. As a function it has a name.
fn choose(request: &mut Request) {
    let Some(at) = request.extra.iter().position(|(name, _)| name == TOOL_CHOICE) else { return };
    let Ok(document) = Document::parse(request.extra[at].1.as_str().as_bytes()) else { return };
    let kind = document.root().str("type").unwrap_or_default();
    let is_there =
        |tool: &&ClientTool| tool.name == kind && request.tools.iter().any(|own| is_called(own, tool.name));
    if let Some(tool) = TOOLS.iter().find(is_there) {
        request.tool_choice = Some(ToolChoice::Named(tool.name.to_owned()));
        request.extra.remove(at);
    }
}

impl ClientTool {
    fn is_run_by_client(&self, entry: Node<'_>) -> bool {
        self.runner.as_ref().is_none_or(|runner| runner.is_client(entry))
    }
}

impl Runner {
    /// The field of the tool that holds the answer.
    fn top(&self) -> &'static str {
        self.below.unwrap_or(self.field)
    }

    fn is_client(&self, entry: Node<'_>) -> bool {
        let object = self.below.map_or(Some(entry), |below| entry.some(below));
        match object.and_then(|object| object.str(self.field)) {
            Some(runner) => runner == self.client,
            None => self.unsaid,
        }
    }
}
