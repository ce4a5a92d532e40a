//! Names of tools that the vendor does not take, spelled otherwise wherever they stand: in tools, in the choice among
//! them, in calls and results of the history. [`Undo`] gives the client its own names back.

use std::collections::{BTreeMap, BTreeSet};

use super::Spelling;
use crate::json::Json;
use crate::{Content, OutputFormat, Request, Tool, ToolChoice, Undo};

/// Respells the names that do not fit.
pub(super) fn apply(request: &mut Request, spelling: &Spelling, undo: &mut Undo) {
    if let Some(OutputFormat::JsonSchema { name, .. }) = &mut request.output_format
        && !spelling.takes(name)
    {
        // Nobody hears of it again.
        *name = spelling.respelled(name, 0);
    }
    let mut fits = true;
    each(request, &mut |name| fits &= spelling.takes(name));
    if fits {
        return;
    }
    let mut taken = BTreeSet::new();
    each(request, &mut |name| _ = taken.insert(name.clone()));
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    each(request, &mut |name| {
        if spelling.takes(name) {
            return;
        }
        let other = known.entry(name.clone()).or_insert_with(|| {
            let mut names = (0..).map(|number| spelling.respelled(name, number));
            names.find(|fresh| taken.insert(fresh.clone())).unwrap_or_default()
        });
        name.clone_from(other);
    });
    undo.rename(known);
}

/// Every name of a tool that the client runs.
pub(super) fn each(request: &mut Request, visit: &mut dyn FnMut(&mut String)) {
    for tool in &mut request.tools {
        match tool {
            Tool::Function { name, .. } => visit(name),
            Tool::Custom { name, value } => {
                let before = name.clone();
                visit(name);
                if *name != before {
                    *value = renamed(value, name);
                }
            }
            // The vendor's own, by its own name.
            Tool::Hosted { .. } => {}
        }
    }
    match &mut request.tool_choice {
        Some(ToolChoice::Named(name)) => visit(name),
        Some(ToolChoice::Allowed { names, .. }) => names.iter_mut().for_each(&mut *visit),
        None | Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) => {}
    }
    for block in request.messages.iter_mut().flat_map(|message| &mut message.blocks) {
        match &mut block.content {
            Content::ToolCall { name, .. } => visit(name),
            Content::ToolResult { name: Some(name), .. } => visit(name),
            Content::ToolResult { name: None, .. }
            | Content::Text { .. }
            | Content::Refusal(_)
            | Content::Reasoning(_)
            | Content::Media(_)
            | Content::Foreign { .. } => {}
        }
    }
}

/// The entry of a free-text tool under another name. Chat Completions has it one level deeper than Responses.
fn renamed(entry: &Json, name: &str) -> Json {
    let mut value = entry.to_value();
    let place = if value.get("custom").is_some() { &mut value["custom"]["name"] } else { &mut value["name"] };
    *place = name.into();
    Json::from_value(&value)
}
