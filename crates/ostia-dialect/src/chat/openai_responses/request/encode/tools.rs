//! Tools and the choice among them: <https://platform.openai.com/docs/guides/function-calling>.
//!
//! The vendor takes a function without `strict` for a strict one; every other dialect, Chat Completions among them, takes
//! it for one that is not. The hub does not know which a client meant that left it out, and the schema of a function that
//! was not written for it fails as a strict one, so `strict: false` is said.

use crate::chat::tools::schema;
use crate::json::{Document, Node, Writer};
use crate::{Dialect, Request, Tool, ToolChoice, WebSearch};

/// The name that the vendor's web search goes by, and its forms begin with.
const WEB_SEARCH: &str = "web_search";

/// The fields `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn write(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    let mut tools = Vec::new();
    for (at, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { cache_control, .. } => {
                if cache_control.is_some() {
                    dropped.push(format!("tools[{at}].cache_control"));
                }
                tools.push(tool);
            }
            Tool::Custom { .. } | Tool::Hosted { dialect: Dialect::OpenaiResponses, .. } => tools.push(tool),
            Tool::Hosted { .. } => dropped.push(format!("tools[{at}]")),
        }
    }
    let searches =
        tools.iter().any(|tool| matches!(tool, Tool::Hosted { name, .. } if name.starts_with(WEB_SEARCH)));
    let web_search = request.web_search.as_ref().filter(|_| !searches);
    if !tools.is_empty() || web_search.is_some() {
        w.field_array("tools", |w| {
            tools.iter().for_each(|tool| write_tool(w, tool));
            web_search.iter().for_each(|search| write_search(w, search));
        });
        request.tool_choice.iter().for_each(|choice| write_choice(w, choice, &tools));
        request
            .parallel_tool_calls
            .iter()
            .for_each(|parallel| w.field_bool("parallel_tool_calls", *parallel));
    } else if request.tool_choice.as_ref().is_some_and(is_forced) {
        dropped.push("tool_choice".into());
    }
}

fn write_tool(w: &mut Writer, tool: &Tool) {
    match tool {
        Tool::Hosted { value, .. } => w.raw(value.as_str()),
        Tool::Custom { name, value } => match Document::parse(value.as_str().as_bytes()) {
            Ok(document) => {
                let root = document.root();
                w.object(|w| write_custom(w, name, root.some("custom").unwrap_or(root)));
            }
            Err(_) => w.raw(value.as_str()),
        },
        Tool::Function { name, description, parameters, strict, .. } => w.object(|w| {
            w.field_str("type", "function");
            w.field_str("name", name);
            description.iter().for_each(|text| w.field_str("description", text));
            let parameters = parameters.as_ref().map(|schema| schema.as_str());
            w.field_raw("parameters", parameters.unwrap_or(schema::NOTHING));
            w.field_bool("strict", strict.unwrap_or(false));
        }),
    }
}

/// Chat Completions keeps a free-text tool's fields one level deeper than this dialect, and its grammar too.
fn write_custom(w: &mut Writer, name: &str, custom: Node<'_>) {
    w.field_str("type", "custom");
    w.field_str("name", name);
    for (field, value) in custom.fields().filter(|(field, _)| field != "type" && field != "name") {
        match value.some("grammar").filter(|_| field == "format") {
            Some(grammar) => w.field_object("format", |w| {
                w.field_str("type", "grammar");
                grammar.fields().for_each(|(field, value)| w.field_raw(&field, value.text()));
            }),
            None => w.field_raw(&field, value.text()),
        }
    }
}

fn write_search(w: &mut Writer, search: &WebSearch) {
    w.object(|w| {
        w.field_str("type", WEB_SEARCH);
        search.context_size.iter().for_each(|size| w.field_str("search_context_size", size));
        let Some(location) = &search.user_location else { return };
        let Ok(document) = Document::parse(location.as_str().as_bytes()) else { return };
        // Chat Completions puts the place one level deeper than this dialect does.
        let place = document.root().some("approximate").unwrap_or(document.root());
        w.field_object("user_location", |w| {
            w.field_str("type", "approximate");
            for (name, value) in place.fields().filter(|(name, _)| name != "type") {
                w.field_raw(&name, value.text());
            }
        });
    });
}

fn is_forced(choice: &ToolChoice) -> bool {
    match choice {
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { required: false, .. } => false,
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. } => true,
    }
}

fn write_choice(w: &mut Writer, choice: &ToolChoice, tools: &[&Tool]) {
    match choice {
        ToolChoice::Auto => w.field_str("tool_choice", "auto"),
        ToolChoice::None => w.field_str("tool_choice", "none"),
        ToolChoice::Required => w.field_str("tool_choice", "required"),
        ToolChoice::Named(name) => w.field_object("tool_choice", |w| write_reference(w, name, tools)),
        ToolChoice::Allowed { names, required } => w.field_object("tool_choice", |w| {
            w.field_str("type", "allowed_tools");
            w.field_str("mode", if *required { "required" } else { "auto" });
            w.field_array("tools", |w| {
                names.iter().for_each(|name| w.object(|w| write_reference(w, name, tools)));
            });
        }),
    }
}

/// A tool by its name: functions and free-text tools have one, the vendor's own go by their type.
fn write_reference(w: &mut Writer, name: &str, tools: &[&Tool]) {
    let named = tools.iter().find(|tool| {
        let (Tool::Function { name: known, .. }
        | Tool::Custom { name: known, .. }
        | Tool::Hosted { name: known, .. }) = tool;
        known == name
    });
    let kind = match named {
        Some(Tool::Hosted { .. }) => return w.field_str("type", name),
        Some(Tool::Custom { .. }) => "custom",
        Some(Tool::Function { .. }) | None => "function",
    };
    w.field_str("type", kind);
    w.field_str("name", name);
}
