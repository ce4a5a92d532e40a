//! `toolConfig`: tools and the choice among them
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>).

use std::collections::HashSet;

use super::blocks::{Point, cache_point};
use crate::chat::rules::{CachePoints, ForcedCalls, Rules, ToolUse};
use crate::chat::tools::schema;
use crate::json::Writer;
use crate::{Content, Dialect, Fault, Request, Tool, ToolChoice};

/// The tools that go upstream, and the choice.
pub(super) struct Toolbox<'r> {
    /// Each with its number in the request.
    tools: Vec<(usize, &'r Tool)>,
    /// Tools of the history, where no others are offered.
    known: Vec<&'r str>,
    choice: Choice<'r>,
    rules: &'r Rules,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    Tool(&'r str),
}

impl<'r> Toolbox<'r> {
    /// Sorts the tools.
    ///
    /// Fails for tools of a model that takes none, or none in a stream, and for a tool of free text.
    pub(super) fn of(
        request: &'r Request,
        rules: &'r Rules,
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
                Tool::Hosted { dialect, .. } if *dialect != Dialect::BedrockConverse => {
                    dropped.push(format!("tools[{at}]"));
                }
                Tool::Function { .. } | Tool::Hosted { .. } => tools.push((at, tool)),
            }
        }
        let mut toolbox = Toolbox { tools, known: Vec::new(), choice: Choice::Auto, rules };
        toolbox.choose(request, dropped);
        if toolbox.tools.is_empty() {
            toolbox.known = tools_of_history(request);
        }
        toolbox.check(request)?;
        Ok(toolbox)
    }

    /// Some models cannot be forced, and some to any call only: then the one tool is all that is offered. The vendor has no
    /// word for "none" (<https://github.com/boto/boto3/issues/4687>): the tools stay away, unless the history needs them.
    fn choose(&mut self, request: &'r Request, dropped: &mut Vec<String>) {
        let forced_calls = self.rules.converse.forced_calls;
        let is_forced = match &request.tool_choice {
            None | Some(ToolChoice::Auto) => return,
            Some(ToolChoice::None) => {
                match tools_of_history(request).is_empty() {
                    true => self.tools.clear(),
                    false if self.tools.is_empty() => {}
                    false => dropped.push("tool_choice".into()),
                }
                return;
            }
            Some(ToolChoice::Allowed { names, required }) => {
                self.tools.retain(|(_, tool)| names.iter().any(|name| name == name_of(tool)));
                *required
            }
            Some(ToolChoice::Required | ToolChoice::Named(_)) => true,
        };
        if is_forced && (self.tools.is_empty() || self.cannot_be_forced()) {
            dropped.push("tool_choice".into());
            return;
        }
        self.choice = match &request.tool_choice {
            Some(ToolChoice::Named(name)) if forced_calls == ForcedCalls::Named => Choice::Tool(name),
            Some(ToolChoice::Named(name)) => {
                self.tools.retain(|(_, tool)| name_of(tool) == name);
                Choice::Any
            }
            _ if is_forced => Choice::Any,
            _ => Choice::Auto,
        };
    }

    fn cannot_be_forced(&self) -> bool {
        !self.rules.forced_tools || self.rules.converse.forced_calls == ForcedCalls::Never
    }

    /// "This model doesn't support tool use." and "This model doesn't support tool use in streaming mode.", told before it is
    /// asked.
    fn check(&self, request: &Request) -> Result<(), Fault> {
        if self.tools.is_empty() && self.known.is_empty() {
            return Ok(());
        }
        let what = match self.rules.converse.tools {
            ToolUse::All => return Ok(()),
            ToolUse::Whole if !request.stream => return Ok(()),
            ToolUse::Whole => "this model takes tools only where the answer is not streamed",
            ToolUse::Never => "this model takes no tools",
        };
        let what = format!("Invalid `tools`: {what}. Ask for another model, or leave the tools out.");
        Err(Fault::invalid(what).with_param("tools"))
    }

    /// Has the model to call a tool? It cannot think then.
    pub(super) fn forced(&self) -> bool {
        self.choice != Choice::Auto
    }

    /// Are there tools that the client offers?
    pub(super) fn offers(&self) -> bool {
        !self.tools.is_empty()
    }

    /// The field `toolConfig`.
    pub(super) fn write(&self, w: &mut Writer) {
        if self.tools.is_empty() && self.known.is_empty() {
            return;
        }
        w.field_object("toolConfig", |w| {
            w.field_array("tools", |w| {
                self.tools.iter().for_each(|(_, tool)| self.write_tool(w, tool));
                self.known.iter().for_each(|name| {
                    w.object(|w| {
                        w.field_object("toolSpec", |w| {
                            w.field_str("name", name);
                            w.field_object("inputSchema", |w| w.field_raw("json", schema::NOTHING));
                        });
                    });
                });
            });
            let (kind, name) = match self.choice {
                Choice::Auto => return,
                Choice::Any => ("any", None),
                Choice::Tool(name) => ("tool", Some(name)),
            };
            w.field_object("toolChoice", |w| {
                w.field_object(kind, |w| name.iter().for_each(|name| w.field_str("name", name)));
            });
        });
    }

    fn write_tool(&self, w: &mut Writer, tool: &Tool) {
        let Tool::Function { name, description, parameters, strict, cache_control } = tool else {
            if let Tool::Hosted { value, .. } = tool {
                w.raw(value.as_str());
            }
            return;
        };
        w.object(|w| {
            w.field_object("toolSpec", |w| {
                w.field_str("name", name);
                // The vendor refuses an empty one.
                let description = description.as_deref().filter(|text| !text.trim().is_empty());
                description.into_iter().for_each(|text| w.field_str("description", text));
                let parameters = parameters.as_ref().map_or(schema::NOTHING, |schema| schema.as_str());
                w.field_object("inputSchema", |w| w.field_raw("json", parameters));
                if *strict == Some(true) && self.rules.converse.formats {
                    w.field_bool("strict", true);
                }
            });
        });
        if let Some(marker) = cache_control.as_ref().filter(|_| self.takes_points()) {
            cache_point(w, &Point::of(marker, self.rules.converse.cache_points));
        }
    }

    fn takes_points(&self) -> bool {
        self.rules.converse.cache_points == CachePoints::All
    }

    /// Reports what of the tools' own marks the model does not take.
    pub(super) fn report(&self, dropped: &mut Vec<String>) {
        for (at, tool) in &self.tools {
            let Tool::Function { strict, cache_control, .. } = tool else { continue };
            if cache_control.is_some() && !self.takes_points() {
                dropped.push(format!("tools[{at}].cache_control"));
            }
            if *strict == Some(true) && !self.rules.converse.formats {
                dropped.push(format!("tools[{at}].strict"));
            }
        }
    }
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name, .. } => name,
    }
}

/// The tools that were called before: "The toolConfig field must be defined when using toolUse and toolResult content blocks."
/// (<https://github.com/langgenius/dify/issues/17545>).
fn tools_of_history(request: &Request) -> Vec<&str> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    let mut has_results = false;
    for block in request.messages.iter().flat_map(|message| &message.blocks) {
        match &block.content {
            Content::ToolCall { name, .. } if seen.insert(name.as_str()) => names.push(name.as_str()),
            Content::ToolResult { .. } => has_results = true,
            Content::ToolCall { .. }
            | Content::Text { .. }
            | Content::Refusal(_)
            | Content::Reasoning(_)
            | Content::Media(_)
            | Content::Foreign { .. } => {}
        }
    }
    if names.is_empty() && has_results {
        names.push(NAMELESS);
    }
    names
}

/// What a tool is called of which there are results alone.
const NAMELESS: &str = "tool";
