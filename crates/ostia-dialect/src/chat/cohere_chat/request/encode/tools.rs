//! Tools and the choice among them.

use super::own_field;
use crate::chat::tools::schema;
use crate::json::Writer;
use crate::{Dialect, Fault, Request, Tool, ToolChoice};

/// The tools that the model gets to see, with their places in the client's list.
pub(super) struct Offer<'a> {
    tools: Vec<(usize, &'a Tool)>,
}

impl<'a> Offer<'a> {
    /// All tools, or the chosen ones: the vendor cannot name a tool in its choice (only `REQUIRED` and `NONE`), so a
    /// choice among tools is said by offering no others.
    ///
    /// Fails with 400 where none of the chosen tools exists.
    pub(super) fn of(request: &'a Request) -> Result<Offer<'a>, Fault> {
        let all = request.tools.iter().enumerate();
        let names = match &request.tool_choice {
            None | Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) => {
                return Ok(Offer { tools: all.collect() });
            }
            Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
            Some(ToolChoice::Allowed { names, .. }) => names,
        };
        let tools: Vec<_> = all.filter(|(_, tool)| names.iter().any(|name| name == name_of(tool))).collect();
        if tools.is_empty() {
            let what = format!("Invalid `tool_choice`: no tool is called {}", names.join(", "));
            return Err(Fault::invalid(what).with_param("tool_choice"));
        }
        Ok(Offer { tools })
    }
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name, .. } => name,
    }
}

/// Writes `tools`, `strict_tools` and `tool_choice`.
pub(super) fn write(offer: &Offer<'_>, request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
    let (sayable, other): (Vec<_>, Vec<_>) = offer.tools.iter().partition(|(_, tool)| is_sayable(tool));
    dropped.extend(other.iter().map(|(place, _)| format!("tools[{place}]")));
    if !sayable.is_empty() {
        w.field_array("tools", |w| {
            for (place, tool) in &sayable {
                entry(w, *place, tool, dropped);
            }
        });
        strict(w, &sayable, request, dropped);
    }
    let choice = match &request.tool_choice {
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => return,
        Some(ToolChoice::None) => "NONE",
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. }) => {
            "REQUIRED"
        }
    };
    if sayable.is_empty() && !other.is_empty() {
        dropped.push("tool_choice".into());
    } else {
        w.field_str("tool_choice", choice);
    }
}

fn is_sayable(tool: &Tool) -> bool {
    match tool {
        Tool::Function { .. } => true,
        Tool::Custom { .. } => false,
        Tool::Hosted { dialect, .. } => *dialect == Dialect::CohereChat,
    }
}

fn entry(w: &mut Writer, place: usize, tool: &Tool, dropped: &mut Vec<String>) {
    match tool {
        Tool::Function { name, description, parameters, strict: _, cache_control } => {
            w.object(|w| {
                w.field_str("type", "function");
                w.field_object("function", |w| {
                    w.field_str("name", name);
                    if let Some(description) = description {
                        w.field_str("description", description);
                    }
                    // The vendor wants a schema even for a tool that takes nothing.
                    let parameters = parameters.as_ref().map(|schema| schema.as_str());
                    w.field_raw("parameters", parameters.unwrap_or(schema::NOTHING));
                });
            });
            if cache_control.is_some() {
                dropped.push(format!("tools[{place}].cache_control"));
            }
        }
        Tool::Custom { value, .. } | Tool::Hosted { value, .. } => w.raw(value.as_str()),
    }
}

/// Strictness is one switch for all tools: it is set where all functions ask for it, and where only some do it is
/// dropped, because the vendor refuses schemas in strict mode that it takes otherwise.
fn strict(w: &mut Writer, tools: &[(usize, &Tool)], request: &Request, dropped: &mut Vec<String>) {
    if own_field(request, "strict_tools").is_some() {
        return;
    }
    let wants = |tool: &Tool| matches!(tool, Tool::Function { strict: Some(true), .. });
    if tools.iter().all(|(_, tool)| wants(tool)) {
        w.field_bool("strict_tools", true);
        return;
    }
    let some = tools.iter().filter(|(_, tool)| wants(tool));
    dropped.extend(some.map(|(place, _)| format!("tools[{place}].strict")));
}
