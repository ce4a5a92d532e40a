//! What was changed in a request for its vendor's sake, changed back in the answer: the client's tools under the names and
//! with the arguments that the client knows.

mod kept;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::chat::tools::client_run::ClientTool;
use crate::chat::tools::custom::text_of;
use crate::chat::tools::schema::Names;
use crate::{Block, Content, Delta, Dialect, Event, Response, ToolKind};

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
    /// The container that it is in.
    pub(crate) namespace: Option<String>,
    /// The names that the vendor takes for arguments in place of the client's.
    pub(crate) properties: Option<Names>,
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
    /// They hold the fields of a call that is an item of its own.
    Item(&'static ClientTool),
}

/// A call whose arguments are changed when they are whole.
#[derive(Debug, Clone)]
struct Held {
    choice: u32,
    /// The place of its tool.
    tool: usize,
    /// The arguments so far.
    arguments: String,
    /// The block, where it cannot begin before it is whole.
    unbegun: Option<Block>,
}

impl Own {
    /// The arguments of a call, of which the vendor wrote these, in the client's words.
    fn told(&self, arguments: String) -> String {
        let named = self.properties.as_ref().and_then(|names| names.arguments_back(&arguments));
        let arguments = named.unwrap_or(arguments);
        match self.arguments {
            Arguments::Same | Arguments::Item(_) => arguments,
            Arguments::FreeText => text_of(arguments),
        }
    }
}

impl Undo {
    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The tool that the upstream knows by this name, as the client knows it: to be changed. What is done to a tool in
    /// several steps comes together here, so that an answer is undone in one.
    pub(crate) fn own(&mut self, upstream: &str) -> &mut Own {
        let at = self.tools.iter().position(|(name, _)| name == upstream).unwrap_or_else(|| {
            let name = upstream.to_owned();
            let own = Own { name, namespace: None, properties: None, arguments: Arguments::Same };
            self.tools.push((upstream.to_owned(), own));
            self.tools.len() - 1
        });
        &mut self.tools[at].1
    }

    /// The upstream knows tools by other names than those so far, which are the keys.
    pub(crate) fn rename(&mut self, mut names: BTreeMap<String, String>) {
        for (known, _) in &mut self.tools {
            if let Some(other) = names.remove(known) {
                *known = other;
            }
        }
        for (name, upstream) in names {
            let own = Own { name, namespace: None, properties: None, arguments: Arguments::Same };
            self.tools.push((upstream, own));
        }
    }

    /// A whole answer in the client's words.
    pub fn response(&self, response: &mut Response) {
        if self.is_empty() {
            return;
        }
        for block in response.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
            if let Some(tool) = self.begin(block) {
                self.finish(tool, block);
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
                let tool = self.begin(&mut block);
                if let Some(block) = self.hold(choice, tool, block) {
                    out.push(Event::BlockStart { choice, block });
                }
            }
            Event::Delta { choice, delta } => match self.held(choice) {
                Some(at) => self.more(at, delta, out),
                None => out.push(Event::Delta { choice, delta }),
            },
            Event::BlockEnd { choice } => {
                if let Some(at) = self.held(choice) {
                    let held = self.held.swap_remove(at);
                    self.tell(held, out);
                }
                out.push(Event::BlockEnd { choice });
            }
            other => out.push(other),
        }
    }

    /// Keeps the arguments of a call that begins, if they have to be changed, and the block itself where they decide what
    /// it is. Gives what can be told of it already.
    fn hold(&mut self, choice: u32, tool: Option<usize>, mut block: Block) -> Option<Block> {
        let Some(tool) = tool else { return Some(block) };
        let own = &self.tools[tool].1;
        let is_item = match own.arguments {
            Arguments::Same if own.properties.is_none() => return Some(block),
            Arguments::Same | Arguments::FreeText => false,
            Arguments::Item(_) => true,
        };
        let arguments = match &mut block.content {
            Content::ToolCall { arguments, .. } => std::mem::take(arguments),
            _ => String::new(),
        };
        let (told, unbegun) = if is_item { (None, Some(block)) } else { (Some(block), None) };
        self.held.push(Held { choice, tool, arguments, unbegun });
        told
    }

    /// More of a call that is held.
    fn more(&mut self, at: usize, delta: Delta, out: &mut Vec<Event>) {
        let held = &mut self.held[at];
        let choice = held.choice;
        match (delta, &mut held.unbegun) {
            (Delta::Arguments(more), _) => held.arguments.push_str(&more),
            (Delta::Signature(signature), Some(block)) => block.signature = Some(signature),
            (delta, _) => out.push(Event::Delta { choice, delta }),
        }
        if held.arguments.len() > HELD_BYTES_MAX {
            let Held { arguments, unbegun, .. } = self.held.swap_remove(at);
            out.extend(unbegun.map(|block| Event::BlockStart { choice, block }));
            out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
        }
    }

    /// What was held of a call that is whole.
    fn tell(&self, held: Held, out: &mut Vec<Event>) {
        let Held { choice, tool, arguments, unbegun } = held;
        if let Some(mut block) = unbegun {
            if let Content::ToolCall { arguments: whole, .. } = &mut block.content {
                *whole = arguments;
            }
            self.finish(tool, &mut block);
            out.push(Event::BlockStart { choice, block });
            return;
        }
        let arguments = self.tools[tool].1.told(arguments);
        if !arguments.is_empty() {
            out.push(Event::Delta { choice, delta: Delta::Arguments(arguments) });
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
        block.namespace.clone_from(&own.namespace);
        if own.arguments == Arguments::FreeText {
            *kind = ToolKind::Custom;
        }
        Some(tool)
    }

    /// Makes the arguments of a whole call those of the client's tool.
    fn finish(&self, tool: usize, block: &mut Block) {
        let Content::ToolCall { id, arguments, .. } = &mut block.content else { return };
        let own = &self.tools[tool].1;
        *arguments = own.told(std::mem::take(arguments));
        // What makes no item is told as the call of a function that the model has made of it.
        if let Arguments::Item(kind) = own.arguments
            && let Some(value) = kind.item(id, arguments)
        {
            block.content = Content::Foreign { dialect: Dialect::OpenaiResponses, value };
        }
    }
}
