//! A request made one that its vendor takes, before it is written in the vendor's dialect.
//!
//! Each step changes the request in place, and tells what is lost by the client's paths. What an answer has to have changed
//! back is in [`Undo`].

use crate::chat::limits::{self, Limits};
use crate::chat::rules;
use crate::chat::tools::{arguments, client_run, custom, hosted, namespace, schema};
use crate::chat::undo::Arguments;
use crate::{ClientDialect, Dialect, EncodeOptions, Encoded, Fault, Request, Undo};

/// Fields by which vendors of several dialects mean different things, with the dialects that have them. A client of any other
/// dialect means the vendor whom it asks. Fields of a tool have no number here.
///
/// Sources: <https://platform.claude.com/docs/en/build-with-claude/context-editing>,
/// <https://platform.openai.com/docs/guides/compaction>; <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference>,
/// <https://platform.openai.com/docs/guides/tools-tool-search>: each hides a tool from the model until its own search finds it,
/// and names callers of its own.
const HOMONYMS: [(&str, &[Dialect]); 3] = [
    ("context_management", &[Dialect::AnthropicMessages, Dialect::OpenaiResponses]),
    ("tools[].allowed_callers", &[Dialect::AnthropicMessages, Dialect::OpenaiResponses]),
    ("tools[].defer_loading", &[Dialect::AnthropicMessages, Dialect::OpenaiResponses]),
];

/// What was done to a request.
#[derive(Debug)]
pub(crate) struct Adapted {
    /// Paths of what was lost.
    dropped: Vec<String>,
    undo: Undo,
    tools: Tools,
}

/// Where the tools of the list that is written stand in the client's own.
#[derive(Debug, Default)]
struct Tools {
    /// Each of them; empty where nothing has changed.
    places: Vec<String>,
    /// Fields that the client's decoder has told, by the client's paths.
    told: Vec<String>,
}

/// Changes a request so that this upstream can take it.
///
/// # Errors
/// 400 for what the upstream has nothing like, naming its place.
pub(crate) fn adapt(
    request: &mut Request,
    upstream: Dialect,
    options: &EncodeOptions,
) -> Result<Adapted, Fault> {
    let (mut undo, mut dropped) = (Undo::default(), Vec::new());
    for (name, tool) in client_run::replace(request, upstream, options, &mut dropped)? {
        let own = undo.own(&name);
        (own.name, own.arguments) = (tool.name.to_owned(), Arguments::Item(tool));
    }
    if !options.has_types_of(Dialect::OpenaiResponses, upstream) {
        namespace::flatten(request, &mut undo, &mut dropped)?;
    }
    if matches!(upstream, Dialect::AnthropicMessages | Dialect::GeminiGenerate | Dialect::BedrockConverse) {
        arguments::check(request)?;
    }
    if !upstream.has_custom_tools() || !options.takes("custom_tools") {
        for name in custom::replace(request) {
            undo.own(&name).arguments = Arguments::FreeText;
        }
    }
    let (mut schemas, tools) = (schema::adapt(request, upstream, &mut undo), Tools::of(request));
    schemas.iter_mut().for_each(|path| tools.put_right(path));
    dropped.append(&mut schemas);
    hosted::replace(request, upstream, options, &mut dropped)?;
    if upstream == Dialect::OpenaiResponses
        && !options.takes("web_search")
        && request.web_search.take().is_some()
    {
        dropped.push("web_search_options".to_owned());
    }
    dropped.append(&mut rules::adapt(request, upstream));
    leave_homonyms(request, upstream, &mut dropped);
    let tools = Tools::of(request);
    let mut beyond = Vec::new();
    limits::fit(request, &limits_of(upstream, options), &mut undo, &mut beyond)?;
    beyond.iter_mut().for_each(|path| tools.put_right(path));
    dropped.append(&mut beyond);
    Ok(Adapted { dropped, undo, tools })
}

/// What a row says of limits is about the formats of OpenAI.
fn limits_of(upstream: Dialect, options: &EncodeOptions) -> Limits {
    let limits = Limits::of(upstream);
    match upstream {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => limits.with(&options.limits),
        Dialect::AnthropicMessages
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => limits,
    }
}

/// Leaves out what the client's vendor calls by the name of something else of the upstream's.
fn leave_homonyms(request: &mut Request, upstream: Dialect, dropped: &mut Vec<String>) {
    let Some(client) = request.client.map(ClientDialect::dialect).filter(|client| *client != upstream) else {
        return;
    };
    let is_called = |name: &str, known: &str| match known.strip_prefix("tools[]") {
        Some(field) => name.starts_with("tools[") && name.ends_with(field),
        None => name == known,
    };
    let means_another = |name: &str| {
        let meant = HOMONYMS.iter().find(|(known, _)| is_called(name, known));
        meant.is_some_and(|(_, by)| by.contains(&client) && by.contains(&upstream))
    };
    request.extra.retain(|(name, value)| {
        let is_left = means_another(name);
        if is_left && value.as_str() != "null" {
            dropped.push(name.clone());
        }
        !is_left
    });
}

impl Adapted {
    /// Tells what was lost, and what has to be undone in the answer.
    pub(crate) fn report(self, encoded: &mut Encoded) {
        encoded.dropped.iter_mut().for_each(|path| self.tools.put_right(path));
        for path in self.dropped {
            if !encoded.dropped.contains(&path) {
                encoded.dropped.push(path);
            }
        }
        encoded.undo = self.undo;
    }
}

impl Tools {
    fn of(request: &Request) -> Tools {
        let places = request.tool_places.clone();
        let told = request.extra.iter().filter(|(name, _)| !places.is_empty() && name.starts_with("tools["));
        Tools { told: told.map(|(name, _)| name.clone()).collect(), places }
    }

    /// A path of the encoder's in the client's own list.
    fn put_right(&self, path: &mut String) {
        let place = path.strip_prefix("tools[").and_then(|rest| rest.split_once(']'));
        let Some((Ok(at), rest)) = place.map(|(at, rest)| (at.parse::<usize>(), rest)) else { return };
        if let Some(place) = self.places.get(at).filter(|_| !self.told.contains(path)) {
            *path = format!("{place}{rest}");
        }
    }
}
