//! The grammar of a stream as a check. Decoders keep it by how they are built; tests and fuzz targets prove it with
//! this.

use crate::{Block, Content, Delta, Event};

/// Follows a stream and says which event breaks the grammar of [`Event`]s.
///
/// ```
/// use ostia_dialect::{Event, EventGrammar};
/// let mut grammar = EventGrammar::default();
/// grammar.push(&Event::Start { id: "a".into(), model: "m".into(), created: None }).unwrap();
/// assert!(grammar.push(&Event::BlockEnd { choice: 0 }).is_err());
/// assert!(grammar.finish().is_err());
/// ```
#[derive(Debug, Default)]
pub struct EventGrammar {
    started: bool,
    finished: bool,
    choices: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    index: u32,
    block: Option<Room>,
    stopped: bool,
}

/// What the open block can still take.
#[derive(Debug, Clone, Copy)]
enum Room {
    Text,
    Words,
    Arguments,
    Nothing,
}

impl EventGrammar {
    /// Takes the next event. The error names what is wrong with it.
    pub fn push(&mut self, event: &Event) -> Result<(), &'static str> {
        if self.finished {
            return Err("an event follows the end");
        }
        if self.started == matches!(event, Event::Start { .. }) {
            return Err(if self.started {
                "the stream starts twice"
            } else {
                "an event comes before the start"
            });
        }
        match event {
            Event::Start { .. } => self.started = true,
            Event::BlockStart { choice, block } => self.living(*choice)?.start(block)?,
            Event::Delta { choice, delta } => self.living(*choice)?.delta(delta)?,
            Event::BlockEnd { choice } => {
                self.living(*choice)?.block.take().ok_or("a block ends that is not open")?;
            }
            Event::Stop { choice, .. } => self.living(*choice)?.stop()?,
            Event::Logprobs { .. } | Event::Extra { .. } | Event::Meta { .. } | Event::Usage(_) => {}
            Event::Finish => self.end()?,
        }
        Ok(())
    }

    /// The stream is over. Fails where it was not whole.
    pub fn finish(&self) -> Result<(), &'static str> {
        if self.finished { Ok(()) } else { Err("the stream has no end") }
    }

    fn end(&mut self) -> Result<(), &'static str> {
        if self.choices.is_empty() {
            return Err("a stream ends that gave no answer");
        }
        if self.choices.iter().any(|choice| !choice.stopped) {
            return Err("a stream ends before an answer does");
        }
        self.finished = true;
        Ok(())
    }

    /// The choice of this number, which must not have ended.
    fn living(&mut self, index: u32) -> Result<&mut Open, &'static str> {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(Open { index, block: None, stopped: false });
            self.choices.len() - 1
        });
        let choice = &mut self.choices[at];
        if choice.stopped { Err("an event follows the end of its choice") } else { Ok(choice) }
    }
}

impl Open {
    fn start(&mut self, block: &Block) -> Result<(), &'static str> {
        let room = match block.content {
            Content::Text { .. } => Room::Text,
            Content::Refusal(_) | Content::Reasoning(_) => Room::Words,
            Content::ToolCall { .. } => Room::Arguments,
            Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => Room::Nothing,
        };
        match self.block.replace(room) {
            None => Ok(()),
            Some(_) => Err("a block starts inside another"),
        }
    }

    fn delta(&self, delta: &Delta) -> Result<(), &'static str> {
        let room = self.block.ok_or("a delta comes outside of a block")?;
        match (delta, room) {
            (Delta::Text(_), Room::Text | Room::Words)
            | (Delta::Citation(_), Room::Text)
            | (Delta::Arguments(_), Room::Arguments)
            | (Delta::Signature(_), _) => Ok(()),
            (Delta::Text(_) | Delta::Citation(_) | Delta::Arguments(_), _) => {
                Err("a delta does not fit the open block")
            }
        }
    }

    fn stop(&mut self) -> Result<(), &'static str> {
        if self.block.is_some() {
            return Err("a choice stops inside a block");
        }
        self.stopped = true;
        Ok(())
    }
}
