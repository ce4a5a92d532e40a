//! Free-text tools for vendors that have none: each becomes a function with one text argument, and its calls become
//! free text again.

#[cfg(test)]
mod tests;

use crate::json::{Document, Json, Node, Writer};
use crate::{Block, Content, Delta, Event, Request, Response, Tool, ToolKind};

/// The argument that holds the text.
const INPUT: &str = "input";
/// Most bytes of a streamed call that are held until it is whole. A longer one goes on as it comes, in JSON.
const HELD_BYTES_MAX: usize = 8 << 20;

/// The tools of a request that were turned into functions.
#[derive(Debug, Clone)]
pub struct CustomTools {
    names: Vec<String>,
    /// Streamed calls that are not whole yet: the choice, and the arguments so far. One for each choice at most.
    held: Vec<(u32, String)>,
}

impl CustomTools {
    /// Replaces the free-text tools of a request, and the calls of them in its history. `None` if there are none.
    ///
    /// Fields of a tool that have no place in a function go to [`Request::extra`], by path.
    pub fn replace(request: &mut Request) -> Option<CustomTools> {
        let blocks = request.messages.iter_mut().flat_map(|message| &mut message.blocks);
        blocks.for_each(replace_call);
        let mut names = Vec::new();
        for (at, tool) in request.tools.iter_mut().enumerate() {
            let Tool::Custom { name, value } = tool else { continue };
            names.push(name.clone());
            *tool = function(name, value, &format!("tools[{at}]"), &mut request.extra);
        }
        (!names.is_empty()).then_some(CustomTools { names, held: Vec::new() })
    }

    /// Gives the calls in an answer their free text back.
    pub fn response(&self, response: &mut Response) {
        for block in response.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
            if let Some(arguments) = self.begin(block) {
                *arguments = text_of(std::mem::take(arguments));
            }
        }
    }

    /// The same for events: the text of a call waits until the call is whole.
    pub fn events(&mut self, events: &mut Vec<Event>) {
        if self.held.is_empty() && !events.iter().any(|event| matches!(event, Event::BlockStart { .. })) {
            return;
        }
        for event in std::mem::take(events) {
            self.event(event, events);
        }
    }

    fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::BlockStart { choice, mut block } => {
                if let Some(arguments) = self.begin(&mut block) {
                    let arguments = std::mem::take(arguments);
                    self.held.push((choice, arguments));
                }
                out.push(Event::BlockStart { choice, block });
            }
            Event::Delta { choice, delta: Delta::Arguments(more) } => match self.held(choice) {
                Some(at) => {
                    self.held[at].1.push_str(&more);
                    if self.held[at].1.len() > HELD_BYTES_MAX {
                        let (choice, arguments) = self.held.swap_remove(at);
                        out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
                    }
                }
                None => out.push(Event::Delta { choice, delta: Delta::Arguments(more) }),
            },
            Event::BlockEnd { choice } => {
                if let Some(at) = self.held(choice) {
                    let text = text_of(self.held.swap_remove(at).1);
                    if !text.is_empty() {
                        out.push(Event::Delta { choice, delta: Delta::Arguments(text) });
                    }
                }
                out.push(Event::BlockEnd { choice });
            }
            other => out.push(other),
        }
    }

    fn held(&self, choice: u32) -> Option<usize> {
        self.held.iter().position(|(held, _)| *held == choice)
    }

    /// Makes a call of one of the tools a free-text call; hands out its arguments, which are still JSON.
    fn begin<'b>(&self, block: &'b mut Block) -> Option<&'b mut String> {
        match &mut block.content {
            Content::ToolCall { name, arguments, kind, .. } if self.names.contains(name) => {
                *kind = ToolKind::Custom;
                Some(arguments)
            }
            _ => None,
        }
    }
}

fn replace_call(block: &mut Block) {
    if let Content::ToolCall { arguments, kind: kind @ ToolKind::Custom, .. } = &mut block.content {
        *kind = ToolKind::Function;
        let object = Json::build(|w| w.object(|w| w.field_str(INPUT, arguments)));
        *arguments = object.as_str().to_owned();
    }
}

/// The text in `{"input": "..."}`. What else a model may have written instead is the text itself: nothing is lost, and
/// the tool will say what it makes of it.
fn text_of(arguments: String) -> String {
    let text = Document::parse(arguments.as_bytes()).ok().and_then(|document| {
        let root = document.root();
        let fields = root.fields().count();
        match root.str(INPUT) {
            None if fields == 0 && root.is_object() => Some(String::new()),
            text => text.filter(|_| fields == 1).map(|text| text.into_owned()),
        }
    });
    text.unwrap_or(arguments)
}

/// The function for a tool `{"type": "custom", "custom": {"name", "description", "format"}}`.
fn function(name: &str, value: &Json, path: &str, unknown: &mut Vec<(String, Json)>) -> Tool {
    let document = Document::parse(value.as_str().as_bytes());
    let root = document.as_ref().ok().map(|document| document.root());
    let custom = root.and_then(|root| root.some("custom"));
    let mut report = |object: Option<Node<'_>>, known: &[&str], path: &str| {
        let fields = object.into_iter().flat_map(|object| object.fields());
        let others = fields.filter(|(name, value)| !known.contains(&name.as_ref()) && !value.is_null());
        unknown.extend(others.map(|(name, value)| (format!("{path}.{name}"), Json::of(value))));
    };
    report(root, &["type", "custom", "cache_control"], path);
    report(custom, &["name", "description", "format"], &format!("{path}.custom"));
    Tool::Function {
        name: name.to_owned(),
        description: custom.and_then(description),
        parameters: Some(parameters()),
        strict: None,
        cache_control: root.and_then(|root| root.some("cache_control")).map(Json::of),
    }
}

/// The client's description. A vendor that cannot hold the model to a grammar can at least be told of it.
fn description(custom: Node<'_>) -> Option<String> {
    let own = custom.str("description").map(|text| text.into_owned());
    let grammar = custom.some("format").and_then(|format| format.some("grammar"));
    let told = grammar.map(|grammar| {
        let text = |name: &str| grammar.str(name).unwrap_or_default();
        format!("`{INPUT}` must follow this grammar (syntax: {}):\n{}", text("syntax"), text("definition"))
    });
    match (own, told) {
        (Some(own), Some(told)) => Some(format!("{own}\n\n{told}")),
        (own, told) => own.or(told),
    }
}

/// The schema of the one argument.
fn parameters() -> Json {
    Json::build(|w: &mut Writer| {
        w.object(|w| {
            w.field_str("type", "object");
            w.field_object("properties", |w| {
                w.field_object(INPUT, |w| {
                    w.field_str("type", "string");
                    w.field_str("description", "The whole input of the tool, as plain text.");
                });
            });
            w.field_array("required", |w| w.string(INPUT));
            w.field_bool("additionalProperties", false);
        });
    })
}
