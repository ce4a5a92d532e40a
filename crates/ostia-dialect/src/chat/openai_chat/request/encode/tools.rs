//! Tools and the choice among them: <https://platform.openai.com/docs/guides/function-calling?api-mode=chat>.

use crate::json::Writer;
use crate::{Dialect, EncodeOptions, Request, Tool, ToolChoice};

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`.
///
/// Without tools the vendor refuses the other two. They mean nothing then, but for a call that cannot be
/// made, or a search of the web that cannot be forbidden: that is reported.
///
/// Servers that know no choice of several get no others than these.
pub(super) fn write(w: &mut Writer, request: &Request, options: &EncodeOptions, dropped: &mut Vec<String>) {
    report(&request.tools, dropped);
    let choice = request.tool_choice.as_ref();
    let among = match choice {
        Some(ToolChoice::Allowed { names, required }) if !options.takes("allowed_tools") => {
            Some((names, *required))
        }
        _ => None,
    };
    let is_barred =
        |tool: &Tool| among.is_some_and(|(names, _)| !name(tool).is_some_and(|name| names.contains(name)));
    if !request.tools.iter().any(is_sayable) {
        match request.tool_choice {
            None | Some(ToolChoice::Auto) => {}
            Some(ToolChoice::None) if request.web_search.is_none() => {}
            Some(
                ToolChoice::None | ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { .. },
            ) => {
                dropped.push("tool_choice".into());
            }
        }
        return;
    }
    w.field_array("tools", |w| {
        let tools = request.tools.iter().filter(|tool| is_sayable(tool) && !is_barred(tool));
        tools.for_each(|tool| write_tool(w, tool));
    });
    match (choice, among) {
        (_, Some((_, required))) => w.field_str("tool_choice", if required { "required" } else { "auto" }),
        (Some(choice), None) => write_choice(w, choice, &request.tools),
        (None, None) => {}
    }
    request.parallel_tool_calls.iter().for_each(|many| w.field_bool("parallel_tool_calls", *many));
}

fn is_sayable(tool: &Tool) -> bool {
    match tool {
        Tool::Function { .. } | Tool::Custom { .. } => true,
        Tool::Hosted { dialect, .. } => *dialect == Dialect::OpenaiChat,
    }
}

/// The name by which the client calls it.
fn name(tool: &Tool) -> Option<&String> {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name),
        Tool::Hosted { .. } => None,
    }
}

fn report(tools: &[Tool], dropped: &mut Vec<String>) {
    for (at, tool) in tools.iter().enumerate() {
        if !is_sayable(tool) {
            dropped.push(format!("tools[{at}]"));
        }
        if matches!(tool, Tool::Function { cache_control: Some(_), .. }) {
            dropped.push(format!("tools[{at}].cache_control"));
        }
    }
}

fn write_tool(w: &mut Writer, tool: &Tool) {
    match tool {
        Tool::Custom { value, .. } | Tool::Hosted { value, .. } => w.raw(value.as_str()),
        Tool::Function { name, description, parameters, strict, cache_control: _ } => w.object(|w| {
            w.field_str("type", "function");
            w.field_object("function", |w| {
                w.field_str("name", name);
                description.iter().for_each(|text| w.field_str("description", text));
                parameters.iter().for_each(|schema| w.field_raw("parameters", schema.as_str()));
                strict.iter().for_each(|strict| w.field_bool("strict", *strict));
            });
        }),
    }
}

fn write_choice(w: &mut Writer, choice: &ToolChoice, tools: &[Tool]) {
    w.key("tool_choice");
    match choice {
        ToolChoice::Auto => w.string("auto"),
        ToolChoice::None => w.string("none"),
        ToolChoice::Required => w.string("required"),
        ToolChoice::Named(name) => write_name(w, name, tools),
        ToolChoice::Allowed { names, required } => w.object(|w| {
            w.field_str("type", "allowed_tools");
            w.field_object("allowed_tools", |w| {
                w.field_str("mode", if *required { "required" } else { "auto" });
                w.field_array("tools", |w| names.iter().for_each(|name| write_name(w, name, tools)));
            });
        }),
    }
}

/// `{"type": "function", "function": {"name": "f"}}`, or the same with `custom`.
fn write_name(w: &mut Writer, wanted: &str, tools: &[Tool]) {
    let is_custom = |tool: &Tool| matches!(tool, Tool::Custom { name, .. } if name == wanted);
    let kind = if tools.iter().any(is_custom) { "custom" } else { "function" };
    w.object(|w| {
        w.field_str("type", kind);
        w.field_object(kind, |w| w.field_str("name", wanted));
    });
}
