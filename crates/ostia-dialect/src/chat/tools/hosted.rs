//! Tools that a vendor runs itself, before another vendor: they become that vendor's own where it has their like, and are
//! refused where it has not. Left out, they would be missed: the model would answer as if they were there.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::json::{Document, Json, Node};
use crate::{Dialect, EncodeOptions, Fault, Request, Tool, ToolChoice, WebSearch};

/// What a tool does for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    WebSearch,
    CodeExecution,
    WebFetch,
}

/// What the services are called, without the dates that some vendors append. No name means two things.
const NAMES: &[(&str, Service)] = &[
    // <https://platform.openai.com/docs/guides/tools-web-search>
    ("web_search", Service::WebSearch),
    ("web_search_preview", Service::WebSearch),
    // <https://ai.google.dev/gemini-api/docs/google-search>
    ("googleSearch", Service::WebSearch),
    ("google_search", Service::WebSearch),
    ("googleSearchRetrieval", Service::WebSearch),
    ("google_search_retrieval", Service::WebSearch),
    // <https://platform.openai.com/docs/guides/tools-code-interpreter>
    ("code_interpreter", Service::CodeExecution),
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool>
    ("code_execution", Service::CodeExecution),
    // <https://ai.google.dev/gemini-api/docs/code-execution>
    ("codeExecution", Service::CodeExecution),
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool>
    ("web_fetch", Service::WebFetch),
    // <https://ai.google.dev/gemini-api/docs/url-context>
    ("urlContext", Service::WebFetch),
    ("url_context", Service::WebFetch),
];

/// How a dialect asks for a service.
#[derive(Debug, Clone, Copy)]
enum Wording {
    /// In [`Request::web_search`], which its encoder writes.
    WebSearch,
    /// With a tool of this name and entry.
    Entry(&'static str, &'static str),
}

/// Which services the dialects have, and how they ask for them.
const OFFERS: &[(Dialect, Service, Wording)] = &[
    (Dialect::OpenaiChat, Service::WebSearch, Wording::WebSearch),
    (Dialect::OpenaiResponses, Service::WebSearch, Wording::WebSearch),
    (Dialect::AnthropicMessages, Service::WebSearch, Wording::WebSearch),
    (Dialect::GeminiGenerate, Service::WebSearch, Wording::WebSearch),
    (
        Dialect::OpenaiResponses,
        Service::CodeExecution,
        Wording::Entry("code_interpreter", r#"{"type":"code_interpreter","container":{"type":"auto"}}"#),
    ),
    (
        Dialect::AnthropicMessages,
        Service::CodeExecution,
        Wording::Entry(
            "code_execution_20250825",
            r#"{"type":"code_execution_20250825","name":"code_execution"}"#,
        ),
    ),
    (
        Dialect::GeminiGenerate,
        Service::CodeExecution,
        Wording::Entry("codeExecution", r#"{"codeExecution":{}}"#),
    ),
    (
        Dialect::AnthropicMessages,
        Service::WebFetch,
        Wording::Entry("web_fetch_20250910", r#"{"type":"web_fetch_20250910","name":"web_fetch"}"#),
    ),
    (Dialect::GeminiGenerate, Service::WebFetch, Wording::Entry("urlContext", r#"{"urlContext":{}}"#)),
];

/// Fields of an entry that are no settings, or that [`Request::web_search`] has a place for.
const CARRIED: [&str; 4] = ["type", "name", "search_context_size", "user_location"];

/// How the types of searches among the client's own tools begin. They find the tools that the vendor does not show to the
/// model; where all are shown, there is nothing to search for: <https://platform.openai.com/docs/guides/tools-tool-search>,
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool>.
const TOOL_SEARCH: &str = "tool_search";

/// Replaces the tools that other vendors run. What the upstream's own have no setting for goes to `dropped`, by path.
///
/// # Errors
/// 400 for a tool that the upstream has nothing like, naming its place.
pub(crate) fn replace(
    request: &mut Request,
    upstream: Dialect,
    options: &EncodeOptions,
    dropped: &mut Vec<String>,
) -> Result<(), Fault> {
    let is_strange = |tool: &Tool| is_strange(tool, upstream, options);
    if !request.tools.iter().any(is_strange) {
        return Ok(());
    }
    // The upstream calls its own tool by another name, if it can be told to call it at all.
    let is_lost = request.tools.iter().any(|tool| is_strange(tool) && is_chosen(tool, request));
    for (tool, place) in request.take_tools() {
        match &tool {
            Tool::Hosted { .. } if is_strange(&tool) && is_barred(&tool, request) => {}
            Tool::Hosted { name, .. } if is_strange(&tool) && is_tool_search(name) => {
                dropped.push(place);
            }
            Tool::Hosted { dialect, name, value } if is_strange(&tool) => {
                let wording =
                    wording(name, upstream).ok_or_else(|| refusal(&place, name, *dialect, upstream))?;
                lost_settings(&place, name, value, dropped);
                reword(value, wording, upstream, place, request);
            }
            Tool::Function { .. } | Tool::Custom { .. } | Tool::Hosted { .. } => {
                request.put_tool(tool, place)
            }
        }
    }
    if is_lost {
        request.tool_choice = None;
        dropped.push("tool_choice".into());
    }
    Ok(())
}

fn reword(value: &Json, wording: Wording, upstream: Dialect, place: String, request: &mut Request) {
    match wording {
        Wording::Entry(name, entry) => {
            let value = Json::build(|w| w.raw(entry));
            request.put_tool(Tool::Hosted { dialect: upstream, name: name.to_owned(), value }, place);
        }
        Wording::WebSearch => {
            request.web_search.get_or_insert_with(|| web_search(value));
        }
    }
}

fn is_strange(tool: &Tool, upstream: Dialect, options: &EncodeOptions) -> bool {
    let Tool::Hosted { dialect, name, .. } = tool else { return false };
    *dialect != upstream || is_tool_search(name) && !options.has_types_of(*dialect, upstream)
}

/// How the upstream asks for what the tool of this name does; `None` where it cannot.
fn wording(name: &str, upstream: Dialect) -> Option<Wording> {
    let undated = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let (_, service) = NAMES.iter().find(|(known, _)| *known == undated)?;
    let offer = OFFERS.iter().find(|(dialect, offered, _)| *dialect == upstream && offered == service);
    offer.map(|(.., wording)| *wording)
}

/// What an upstream has like another vendor's tool.
pub(crate) enum Like {
    /// A search of the web, which may depend on the model.
    Search,
    /// A tool of its own.
    Tool,
}

/// Is it a search among the client's own tools?
pub(crate) fn is_tool_search(name: &str) -> bool {
    name.starts_with(TOOL_SEARCH)
}

/// What the upstream has like the tool of this name, if anything.
pub(crate) fn like(name: &str, upstream: Dialect) -> Option<Like> {
    wording(name, upstream).map(|wording| match wording {
        Wording::WebSearch => Like::Search,
        Wording::Entry(..) => Like::Tool,
    })
}

fn refusal(path: &str, name: &str, owner: Dialect, upstream: Dialect) -> Fault {
    let (owner, upstream) = (owner.name(), upstream.name());
    let what = format!(
        "`{name}` belongs to providers that speak {owner}, and one that speaks {upstream} has nothing like it. \
         Choose a provider that has it, or leave the tool out."
    );
    Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path)
}

fn web_search(value: &Json) -> WebSearch {
    let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return WebSearch::default() };
    let root = document.root();
    WebSearch {
        context_size: root.str("search_context_size").map(Cow::into_owned),
        user_location: root.some("user_location").map(Json::of),
    }
}

/// The settings of a tool that stay behind. Of a tool that is the only key of its entry, they are below that key.
fn lost_settings(place: &str, name: &str, value: &Json, dropped: &mut Vec<String>) {
    let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return };
    let root = document.root();
    let (settings, path) = match root.some(name).filter(|_| root.some("type").is_none()) {
        Some(inner) => (inner, format!("{place}.{name}")),
        None => (root, place.to_owned()),
    };
    let is_lost = |(field, value): &(Cow<'_, str>, Node<'_>)| {
        !CARRIED.contains(&field.as_ref()) && !value.is_null() && !is_default(field, *value)
    };
    dropped.extend(settings.fields().filter(is_lost).map(|(field, _)| format!("{path}.{field}")));
}

/// The container that a vendor chooses by itself, which its entry has to ask for.
fn is_default(field: &str, value: Node<'_>) -> bool {
    field == "container" && value.str("type").as_deref() == Some("auto") && value.fields().count() == 1
}

/// Does the client's choice of tools name this one, by its name or its type?
fn is_chosen(tool: &Tool, request: &Request) -> bool {
    let (Some(choice), Tool::Hosted { name, value, .. }) = (&request.tool_choice, tool) else { return false };
    let chosen = match choice {
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => return false,
        ToolChoice::Named(name) => std::slice::from_ref(name),
        ToolChoice::Allowed { names, .. } => names,
    };
    let document = Document::parse(value.as_str().as_bytes());
    let own_name = document.as_ref().ok().and_then(|document| document.root().str("name"));
    chosen.iter().any(|chosen| chosen == name || Some(chosen.as_str()) == own_name.as_deref())
}

/// Does the client's choice allow other tools only? What may not be called is not missed.
fn is_barred(tool: &Tool, request: &Request) -> bool {
    matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })) && !is_chosen(tool, request)
}
