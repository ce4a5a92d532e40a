//! Containers of tools (`namespace`) for vendors that have none: each of their tools becomes one of the list, under a
//! joined name. Its calls get their own name and container back by [`Undo`].
//!
//! Sources: <https://platform.openai.com/docs/guides/tools-tool-search>; openai/codex issues 23186, 26234 and 36942, which
//! show that the client knows a call by both.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::chat::openai_responses::request::decode_tool;
use crate::json::{Document, Json};
use crate::{Content, Dialect, Fault, Request, Tool, ToolChoice, Undo};

/// The type of a container.
pub(crate) const NAMESPACE: &str = "namespace";
/// What stands between the two names.
const JOINT: &str = "__";
/// The container of what stands in none, which need not be said: openai/codex, `codex-rs/protocol/src/tool_name.rs`.
const DEFAULT: &str = "functions";

/// The name of a tool in a container, where nothing else is called so.
pub(crate) fn joined(namespace: &str, name: &str) -> String {
    match namespace {
        DEFAULT | "" => name.to_owned(),
        _ if namespace.ends_with(JOINT) => format!("{namespace}{name}"),
        _ => format!("{namespace}{JOINT}{name}"),
    }
}

/// Flattens the containers of a request, in the history and in the choice too.
///
/// # Errors
/// 400 for what is no container or no tool, naming its place.
pub(crate) fn flatten(
    request: &mut Request,
    undo: &mut Undo,
    dropped: &mut Vec<String>,
) -> Result<(), Fault> {
    if !has_any(request) {
        return Ok(());
    }
    let mut names = Names::of(request);
    for (tool, place) in request.take_tools() {
        match &tool {
            Tool::Hosted { dialect: Dialect::OpenaiResponses, name, value } if name == NAMESPACE => {
                let mut members = members(value, &place, &mut names, undo)?;
                dropped.append(&mut members.dropped);
                members.tools.into_iter().for_each(|(tool, place)| request.put_tool(tool, place));
            }
            _ => request.put_tool(tool, place),
        }
    }
    rename_calls(request, &mut names);
    choose(request, &names);
    Ok(())
}

fn has_any(request: &Request) -> bool {
    let mut blocks = request.messages.iter().flat_map(|message| &message.blocks);
    request.tools.iter().any(|tool| matches!(tool, Tool::Hosted { name, .. } if name == NAMESPACE))
        || blocks.any(|block| block.namespace.is_some())
}

/// The tools of one container, each with its place.
#[derive(Default)]
struct Members {
    tools: Vec<(Tool, String)>,
    dropped: Vec<String>,
}

fn members(value: &Json, place: &str, names: &mut Names, undo: &mut Undo) -> Result<Members, Fault> {
    let document = Document::parse(value.as_str().as_bytes())
        .map_err(|fault| Fault::invalid(format!("Invalid `{place}`: {fault}")).with_param(place))?;
    let container = document.root();
    let in_place = |fault: Fault| fault.below(place);
    let namespace =
        container.expect("name").and_then(|name| name.expect_str()).map_err(in_place)?.into_owned();
    let list = container.expect("tools").map_err(in_place)?;
    let mut description = container.str("description").filter(|text| !text.is_empty());
    let (mut members, mut one) = (Members::default(), Request::default());
    for (at, inner) in list.expect_items().map_err(in_place)?.enumerate() {
        decode_tool(inner, &mut one).map_err(in_place)?;
        members.dropped.extend(one.extra.drain(..).map(|(path, _)| format!("{place}.{path}")));
        let place = format!("{place}.tools[{at}]");
        let Some(mut tool) = one.tools.pop() else { continue };
        let Some(name) = name_of(&tool) else {
            members.dropped.push(place);
            continue;
        };
        // What a search has found comes with every answer of it again.
        let Some(flat) = names.add(&namespace, &name) else { continue };
        let own = undo.own(&flat);
        (own.name, own.namespace) = (name, Some(namespace.clone()));
        rename(&mut tool, flat);
        if let Some(text) = description.take() {
            describe(&mut tool, &namespace, &text);
        }
        members.tools.push((tool, place));
    }
    Ok(members)
}

fn name_of(tool: &Tool) -> Option<String> {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name.clone()),
        Tool::Hosted { .. } => None,
    }
}

/// A free-text tool has its name in its entry too.
fn rename(tool: &mut Tool, flat: String) {
    match tool {
        Tool::Function { name, .. } => *name = flat,
        Tool::Custom { name, value } => {
            *value = with(value, "name", &flat);
            *name = flat;
        }
        Tool::Hosted { .. } => {}
    }
}

/// What all tools of the container have in common is told once, with the first of them.
fn describe(tool: &mut Tool, namespace: &str, text: &str) {
    let whole = |own: Option<Cow<'_, str>>| {
        let common = format!("Of all `{namespace}` tools: {text}");
        own.map_or_else(|| common.clone(), |own| format!("{own}\n\n{common}"))
    };
    match tool {
        Tool::Function { description, .. } => {
            *description = Some(whole(description.as_deref().map(Cow::Borrowed)))
        }
        Tool::Custom { value, .. } => {
            let document = Document::parse(value.as_str().as_bytes());
            let custom = document.as_ref().ok().and_then(|document| document.root().some("custom"));
            let text = whole(custom.and_then(|custom| custom.str("description")));
            *value = with(value, "description", &text);
        }
        Tool::Hosted { .. } => {}
    }
}

/// The entry `{"type": "custom", "custom": {...}}` with another text in one of the inner fields.
fn with(value: &Json, field: &str, text: &str) -> Json {
    let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return value.clone() };
    Json::build(|w| {
        w.object(|w| {
            for (name, outer) in document.root().fields() {
                if name != "custom" {
                    w.field_raw(&name, outer.text());
                    continue;
                }
                w.field_object("custom", |w| {
                    let others = outer.fields().filter(|(name, _)| name != field);
                    others.for_each(|(name, value)| w.field_raw(&name, value.text()));
                    w.field_str(field, text);
                });
            }
        });
    })
}

/// Which name each tool has now. No two have the same.
#[derive(Debug, Default)]
struct Names {
    taken: HashSet<String>,
    /// Container, name, and the name for both.
    members: Vec<(String, String, String)>,
}

impl Names {
    /// Of the tools that are in no container.
    fn of(request: &Request) -> Names {
        Names { taken: request.tools.iter().filter_map(name_of).collect(), members: Vec::new() }
    }

    fn find(&self, namespace: &str, name: &str) -> Option<&str> {
        let member = self.members.iter().find(|(space, own, _)| space == namespace && own == name);
        member.map(|(.., flat)| flat.as_str())
    }

    /// The name for a new tool; `None` for one that has its name.
    fn add(&mut self, namespace: &str, name: &str) -> Option<String> {
        if self.find(namespace, name).is_some() {
            return None;
        }
        let plain = joined(namespace, name);
        let mut numbered = (2..).map(|number| format!("{plain}_{number}"));
        let flat = match self.taken.contains(&plain) {
            true => numbered.find(|name| !self.taken.contains(name)).unwrap_or_default(),
            false => plain,
        };
        self.taken.insert(flat.clone());
        self.members.push((namespace.to_owned(), name.to_owned(), flat.clone()));
        Some(flat)
    }

    /// The name for a call of earlier. A tool in no container was called in the default one, or, if a search had found it,
    /// in one of its own name.
    fn of_call(&mut self, namespace: &str, name: &str) -> String {
        match self.find(namespace, name) {
            Some(flat) => flat.to_owned(),
            None if [name, DEFAULT].contains(&namespace) && self.taken.contains(name) => name.to_owned(),
            None => self.add(namespace, name).unwrap_or_default(),
        }
    }

    /// The names that are meant by one in the choice, which does not say the container.
    fn chosen(&self, name: &str) -> Vec<String> {
        if self.taken.contains(name) {
            return vec![name.to_owned()];
        }
        let own = self.members.iter().find(|(_, own, _)| own == name);
        let of_container = self.members.iter().filter(|(space, ..)| space == name);
        let flats: Vec<String> = own.into_iter().chain(of_container).map(|(.., flat)| flat.clone()).collect();
        if flats.is_empty() { vec![name.to_owned()] } else { flats }
    }
}

fn rename_calls(request: &mut Request, names: &mut Names) {
    let mut renamed: Vec<(String, String)> = Vec::new();
    for block in request.messages.iter_mut().flat_map(|message| &mut message.blocks) {
        match (&mut block.content, block.namespace.take()) {
            (Content::ToolCall { id, name, .. }, Some(namespace)) => {
                *name = names.of_call(&namespace, name);
                renamed.push((id.clone(), name.clone()));
            }
            (Content::ToolResult { id, name: Some(name), .. }, _) => {
                let call = renamed.iter().rev().find(|(call, _)| call == id);
                call.iter().for_each(|(_, flat)| name.clone_from(flat));
            }
            _ => {}
        }
    }
}

fn choose(request: &mut Request, names: &Names) {
    match &mut request.tool_choice {
        Some(ToolChoice::Named(name)) => match names.chosen(name).as_slice() {
            [one] => name.clone_from(one),
            several => {
                let names = several.to_vec();
                request.tool_choice = Some(ToolChoice::Allowed { names, required: true });
            }
        },
        Some(ToolChoice::Allowed { names: allowed, .. }) => {
            *allowed = allowed.iter().flat_map(|name| names.chosen(name)).collect();
        }
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) | None => {}
    }
    let Some(at) = request.extra.iter().position(|(name, _)| name == "tool_choice") else { return };
    let Ok(document) = Document::parse(request.extra[at].1.as_str().as_bytes()) else { return };
    let (space, name) = (document.root().str(NAMESPACE), document.root().str("name"));
    let flat = names.find(&space.unwrap_or_default(), &name.unwrap_or_default());
    if let Some(flat) = flat.map(str::to_owned) {
        request.tool_choice = Some(ToolChoice::Named(flat));
        request.extra.remove(at);
    }
}
