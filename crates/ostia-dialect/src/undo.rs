//! What was changed in a request for its vendor's sake, changed back in the answer: the client's tools under the names and
//! with the arguments that the client knows.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::custom_tool::text_of;
use crate::{Block, Content, Delta, Event, Response, ToolKind};

/// Most bytes of a streamed call that are held until it is whole. A longer one goes on as it comes, as the vendor wrote it.
const HELD_BYTES_MAX: usize = 8 << 20;

/// How an answer is told in the client's own words. The default changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Undo {
    /// The tools that the upstream knows under another name or in another form, by the name that it knows.
    tools: Vec<(String, Own)>,
    /// Streamed calls that are not whole yet. One for each choice at most.
    held: Vec<Held>,
}

/// A tool as the client knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Own {
    /// Its name.
    pub(crate) name: String,
    /// What becomes of the arguments of a call.
    pub(crate) arguments: Arguments,
}

/// What becomes of the arguments of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arguments {
    /// They are what the client expects.
    Same,
    /// They hold the free text of a custom tool.
    FreeText,
}

/// A call whose arguments are changed when they are whole.
#[derive(Debug, Clone)]
struct Held {
    choice: u32,
    /// The place of its tool.
    tool: usize,
    /// The arguments so far.
    arguments: String,
}

impl Arguments {
    fn undo(&self, arguments: String) -> String {
        match self {
            Arguments::Same => arguments,
            Arguments::FreeText => text_of(arguments),
        }
    }
}

impl Undo {
    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Calls of the tool that the upstream knows by this name are to be told as calls of the client's own.
    pub(crate) fn tool(&mut self, upstream: &str, own: Own) {
        self.tools.push((upstream.to_owned(), own));
    }

    /// The upstream knows tools by other names than those so far, which are the keys.
    pub(crate) fn rename(&mut self, mut names: BTreeMap<String, String>) {
        for (known, _) in &mut self.tools {
            if let Some(other) = names.remove(known) {
                *known = other;
            }
        }
        for (name, upstream) in names {
            self.tools.push((upstream, Own { name, arguments: Arguments::Same }));
        }
    }

    /// A whole answer in the client's words.
    pub fn response(&self, response: &mut Response) {
        if self.is_empty() {
            return;
        }
        for block in response.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
            let Some(tool) = self.begin(block) else { continue };
            if let Content::ToolCall { arguments, .. } = &mut block.content {
                *arguments = self.tools[tool].1.arguments.undo(std::mem::take(arguments));
            }
        }
    }

    /// The same for events: arguments that have to be changed wait until the call is whole.
    pub fn events(&mut self, events: &mut Vec<Event>) {
        let begins = |event: &Event| matches!(event, Event::BlockStart { .. });
        if self.is_empty() || self.held.is_empty() && !events.iter().any(begins) {
            return;
        }
        for event in std::mem::take(events) {
            self.event(event, events);
        }
    }

    fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::BlockStart { choice, mut block } => {
                if let Some(tool) = self.begin(&mut block) {
                    self.hold(choice, tool, &mut block);
                }
                out.push(Event::BlockStart { choice, block });
            }
            Event::Delta { choice, delta: Delta::Arguments(more) } => match self.held(choice) {
                Some(at) => {
                    self.held[at].arguments.push_str(&more);
                    if self.held[at].arguments.len() > HELD_BYTES_MAX {
                        let Held { choice, arguments, .. } = self.held.swap_remove(at);
                        out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
                    }
                }
                None => out.push(Event::Delta { choice, delta: Delta::Arguments(more) }),
            },
            Event::BlockEnd { choice } => {
                if let Some(at) = self.held(choice) {
                    let Held { tool, arguments, .. } = self.held.swap_remove(at);
                    let arguments = self.tools[tool].1.arguments.undo(arguments);
                    if !arguments.is_empty() {
                        out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
                    }
                }
                out.push(Event::BlockEnd { choice });
            }
            other => out.push(other),
        }
    }

    /// Keeps the arguments of a call that begins, if they have to be changed.
    fn hold(&mut self, choice: u32, tool: usize, block: &mut Block) {
        if self.tools[tool].1.arguments == Arguments::Same {
            return;
        }
        if let Content::ToolCall { arguments, .. } = &mut block.content {
            self.held.push(Held { choice, tool, arguments: std::mem::take(arguments) });
        }
    }

    fn held(&self, choice: u32) -> Option<usize> {
        self.held.iter().position(|held| held.choice == choice)
    }

    /// Makes a call one of the client's tool; gives the tool's place. The arguments are still the vendor's.
    fn begin(&self, block: &mut Block) -> Option<usize> {
        let Content::ToolCall { name, kind, .. } = &mut block.content else { return None };
        let tool = self.tools.iter().position(|(upstream, _)| upstream == name)?;
        let (_, own) = &self.tools[tool];
        name.clone_from(&own.name);
        if own.arguments == Arguments::FreeText {
            *kind = ToolKind::Custom;
        }
        Some(tool)
    }
}
