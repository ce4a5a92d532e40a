//! Free-text tools for vendors that have none: each becomes a function with one text argument, and its calls become
//! free text again.
//!
//! Source: <https://platform.openai.com/docs/guides/function-calling#custom-tools>.

use crate::json::{Document, Json, Node};
use crate::{Block, Content, Delta, Event, Request, Response, Tool, ToolKind};

/// Most bytes of arguments that are held until a call is whole; a longer call keeps its arguments as they came.
const HELD_BYTES_MAX: usize = 16 << 20;

/// The tools of a request that were turned into functions.
#[derive(Debug, Clone)]
pub struct CustomTools {
    names: Vec<String>,
    held: Vec<Held>,
}

/// An open call whose arguments wait.
#[derive(Debug, Clone)]
struct Held {
    choice: u32,
    arguments: String,
}

impl CustomTools {
    /// Replaces the free-text tools of a request, and the calls of them in its history. `None` if there are none.
    pub fn replace(request: &mut Request) -> Option<CustomTools> {
        let mut names = Vec::new();
        for tool in &mut request.tools {
            if let Tool::Custom { name, value } = tool {
                names.push(name.clone());
                *tool = function(name, value);
            }
        }
        let blocks = request.messages.iter_mut().flat_map(|message| &mut message.blocks);
        for block in blocks {
            if let Content::ToolCall { arguments, kind: kind @ ToolKind::Custom, .. } = &mut block.content {
                *kind = ToolKind::Function;
                *arguments = wrapped(arguments);
            }
        }
        (!names.is_empty()).then_some(CustomTools { names, held: Vec::new() })
    }

    /// Gives the calls in an answer their free text back.
    pub fn response(&self, response: &mut Response) {
        for block in response.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
            if let Content::ToolCall { name, arguments, kind, .. } = &mut block.content
                && self.names.contains(name)
            {
                *kind = ToolKind::Custom;
                *arguments = unwrapped(arguments);
            }
        }
    }

    /// The same for events: the text of a call waits until the call is whole.
    pub fn events(&mut self, events: &mut Vec<Event>) {
        let came = std::mem::take(events);
        for event in came {
            self.event(event, events);
        }
    }

    fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::BlockStart { choice, mut block } => {
                if let Some(arguments) = self.begin(&mut block) {
                    self.held.push(Held { choice, arguments });
                }
                out.push(Event::BlockStart { choice, block });
            }
            Event::Delta { choice, delta: Delta::Arguments(more) } => match self.held_of(choice) {
                Some(at) if self.held[at].arguments.len() + more.len() <= HELD_BYTES_MAX => {
                    self.held[at].arguments.push_str(&more);
                }
                Some(at) => {
                    let arguments = self.held.remove(at).arguments + &more;
                    out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
                }
                None => out.push(Event::Delta { choice, delta: Delta::Arguments(more) }),
            },
            Event::BlockEnd { choice } => {
                if let Some(at) = self.held_of(choice) {
                    let text = unwrapped(&self.held.remove(at).arguments);
                    out.push(Event::Delta { choice, delta: Delta::Arguments(text) });
                }
                out.push(Event::BlockEnd { choice });
            }
            other => out.push(other),
        }
    }

    /// The arguments that a free-text call began with; it begins without them.
    fn begin(&self, block: &mut Block) -> Option<String> {
        let Content::ToolCall { name, arguments, kind, .. } = &mut block.content else { return None };
        if !self.names.contains(name) {
            return None;
        }
        *kind = ToolKind::Custom;
        Some(std::mem::take(arguments))
    }

    fn held_of(&self, choice: u32) -> Option<usize> {
        self.held.iter().position(|held| held.choice == choice)
    }
}

fn function(name: &str, value: &Json) -> Tool {
    let document = Document::parse(value.as_str().as_bytes()).ok();
    let custom = document.as_ref().map(Document::root).and_then(|root| root.some("custom"));
    let said = custom.and_then(|custom| custom.str("description")).unwrap_or_default();
    let grammar = custom.and_then(|custom| custom.some("format")?.some("grammar")).map(grammar);
    let description = [said.as_ref(), grammar.as_deref().unwrap_or_default()].join("\n");
    let parameters = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "object");
            w.field_object("properties", |w| {
                w.field_object("input", |w| {
                    w.field_str("type", "string");
                    w.field_str("description", "The whole input of the tool, as free text.");
                });
            });
            w.field_array("required", |w| w.string("input"));
            w.field_bool("additionalProperties", false);
        });
    });
    let description = description.trim();
    Tool::Function {
        name: name.to_owned(),
        description: (!description.is_empty()).then(|| description.to_owned()),
        parameters: Some(parameters),
        strict: None,
        cache_control: None,
    }
}

/// What the vendor would have held the model to, told to the model.
fn grammar(grammar: Node<'_>) -> String {
    let text = |name| grammar.str(name).unwrap_or_default().into_owned();
    format!("`input` has to follow this {} grammar:\n{}", text("syntax"), text("definition"))
}

fn wrapped(text: &str) -> String {
    Json::build(|w| w.object(|w| w.field_str("input", text))).as_str().to_owned()
}

/// The text in `{"input": text}`; anything else is handed on as it is.
fn unwrapped(arguments: &str) -> String {
    let document = Document::parse(arguments.as_bytes()).ok();
    let text = document.as_ref().and_then(|document| Some(document.root().str("input")?.into_owned()));
    text.unwrap_or_else(|| arguments.to_owned())
}

#[cfg(test)]
mod tests;
