//! Tools and the choice among them: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools>.

use super::extras::{Extras, Place};
use crate::chat::rules::Rules;
use crate::chat::tools::schema;
use crate::json::{Document, Json, Writer};
use crate::{Dialect, Fault, Request, Tool, ToolChoice, WebSearch};

/// The vendor's web search that every model with web search takes, without a code execution tool beside it.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>
pub(in crate::chat::anthropic_messages::request) const WEB_SEARCH: &str = "web_search_20250305";

/// The tools that go upstream, and the choice.
pub(super) struct Toolbox<'r> {
    /// Each with its number in the request.
    tools: Vec<(usize, &'r Tool)>,
    web_search: Option<&'r WebSearch>,
    choice: Option<Choice<'r>>,
    one_call: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    None,
    Tool(&'r str),
}

impl<'r> Toolbox<'r> {
    /// Sorts the tools. Fails on a custom tool, whose free text the vendor's tools cannot take.
    pub(super) fn of(
        request: &'r Request,
        rules: &Rules,
        dropped: &mut Vec<String>,
    ) -> Result<Toolbox<'r>, Fault> {
        let mut tools = Vec::new();
        for (at, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Custom { .. } => {
                    let what = "custom tools have no form in this model's API; use a function";
                    let path = format!("tools[{at}]");
                    return Err(Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path));
                }
                Tool::Hosted { dialect, .. } if *dialect != Dialect::AnthropicMessages => {
                    dropped.push(format!("tools[{at}]"));
                }
                Tool::Function { .. } | Tool::Hosted { .. } if allowed(request, tool) => {
                    tools.push((at, tool))
                }
                Tool::Function { .. } | Tool::Hosted { .. } => {}
            }
        }
        let has_search = tools.iter().any(|(_, tool)| name(tool).is_some_and(|name| name == "web_search"));
        let web_search = request.web_search.as_ref().filter(|_| !has_search);
        if web_search.and_then(|search| search.context_size.as_deref()).is_some_and(|size| size != "medium") {
            dropped.push("web_search_options.search_context_size".into());
        }
        let mut toolbox = Toolbox { tools, web_search, choice: None, one_call: false };
        toolbox.choose(request, rules, dropped);
        Ok(toolbox)
    }

    /// Without tools there is no choice to make; `auto` and `none` then mean nothing and the others cannot be met.
    fn choose(&mut self, request: &'r Request, rules: &Rules, dropped: &mut Vec<String>) {
        let choice = request.tool_choice.as_ref().map(|choice| match choice {
            ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => Choice::Auto,
            ToolChoice::None => Choice::None,
            ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => Choice::Any,
            ToolChoice::Named(name) => Choice::Tool(name),
        });
        let forced = matches!(choice, Some(Choice::Any | Choice::Tool(_)));
        let refused = forced && !rules.forced_tools;
        if forced && (refused || self.is_empty()) {
            dropped.push("tool_choice".into());
        }
        if self.is_empty() {
            return;
        }
        self.choice = if refused { Some(Choice::Auto) } else { choice };
        self.one_call = request.parallel_tool_calls == Some(false) && self.choice != Some(Choice::None);
        if self.one_call && self.choice.is_none() {
            self.choice = Some(Choice::Auto);
        }
    }

    fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.web_search.is_none()
    }

    /// Has the model to call a tool? It cannot think then.
    pub(super) fn forced(&self) -> bool {
        matches!(self.choice, Some(Choice::Any | Choice::Tool(_)))
    }

    /// The fields `tools` and `tool_choice`.
    pub(super) fn write(&self, out: &mut Writer, extras: &Extras<'_>) {
        if self.is_empty() {
            return;
        }
        out.field_array("tools", |out| {
            self.tools.iter().for_each(|(at, tool)| write_tool(out, tool, extras.at(Some(Place::Tool(*at)))));
            if let Some(search) = self.web_search {
                write_search(out, search);
            }
        });
        let Some(choice) = self.choice else { return };
        out.field_object("tool_choice", |out| {
            let (kind, name) = match choice {
                Choice::Auto => ("auto", None),
                Choice::Any => ("any", None),
                Choice::None => ("none", None),
                Choice::Tool(name) => ("tool", Some(name)),
            };
            out.field_str("type", kind);
            name.into_iter().for_each(|name| out.field_str("name", name));
            if self.one_call {
                out.field_bool("disable_parallel_tool_use", true);
            }
        });
    }
}

/// The dialect cannot name a subset of the tools, so the others are left away.
fn allowed(request: &Request, tool: &Tool) -> bool {
    let Some(ToolChoice::Allowed { names, .. }) = &request.tool_choice else { return true };
    name(tool).is_some_and(|name| names.contains(&name))
}

fn name(tool: &Tool) -> Option<String> {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name.clone()),
        Tool::Hosted { value, name, .. } => {
            let document = Document::parse(value.as_str().as_bytes()).ok()?;
            Some(document.root().str("name").map_or_else(|| name.clone(), |name| name.into_owned()))
        }
    }
}

fn write_tool(out: &mut Writer, tool: &Tool, extras: &[(&str, &Json)]) {
    match tool {
        Tool::Hosted { value, .. } | Tool::Custom { value, .. } => out.raw(value.as_str()),
        Tool::Function { name, description, parameters, strict, cache_control } => out.object(|out| {
            out.field_str("name", name);
            description.iter().for_each(|text| out.field_str("description", text));
            // The vendor wants a schema even for a tool that takes nothing.
            let schema = parameters.as_ref().map_or(schema::NOTHING, |schema| schema.as_str());
            out.field_raw("input_schema", schema);
            strict.iter().for_each(|strict| out.field_bool("strict", *strict));
            cache_control.iter().for_each(|marker| out.field_raw("cache_control", marker.as_str()));
            extras.iter().for_each(|(name, value)| out.field_raw(name, value.as_str()));
        }),
    }
}

fn write_search(out: &mut Writer, search: &WebSearch) {
    out.object(|out| {
        out.field_str("type", WEB_SEARCH);
        out.field_str("name", "web_search");
        let Some(location) = &search.user_location else { return };
        let Ok(document) = Document::parse(location.as_str().as_bytes()) else { return };
        // Chat Completions puts the place one level deeper than Responses and this dialect do.
        let place = document.root().some("approximate").unwrap_or(document.root());
        out.field_object("user_location", |out| {
            out.field_str("type", "approximate");
            for name in ["city", "region", "country", "timezone"] {
                place.some(name).into_iter().for_each(|value| out.field_raw(name, value.text()));
            }
        });
    });
}
