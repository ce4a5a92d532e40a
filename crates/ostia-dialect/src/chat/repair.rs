//! What every answer is held to, whatever its dialect: a reason to end that fits what was said, and arguments that are
//! JSON.
//!
//! Servers say `stop` of an answer with calls (OpenAI itself where the choice of a tool was forced) and `tool_calls` of
//! one without; an agent that believes them does not run the tool, or waits for ever: can1357/oh-my-pi#12224,
//! BerriAI/litellm#37792, weave-os/router#293, rescrv/claudius#106.

use crate::chat::anthropic_messages;
use crate::chat::tools::arguments::Progress;
use crate::json::Document;
use crate::{Choice, Content, Delta, Event, Finish, Response, Signature, ToolKind};

/// What a call without arguments says.
const NO_ARGUMENTS: &str = "{}";

/// Repairs a whole answer.
pub(crate) fn response(response: &mut Response) {
    response.choices.iter_mut().for_each(choice);
}

fn choice(choice: &mut Choice) {
    let (mut has_calls, mut awaits) = (false, false);
    let last = choice.blocks.len();
    for (position, block) in choice.blocks.iter_mut().enumerate() {
        let Content::ToolCall { arguments, kind, .. } = &mut block.content else { continue };
        has_calls = true;
        awaits |= block.signature.as_ref().is_none_or(|signature| !is_called_by_code(signature));
        let is_cut = breaks_off(choice.finish) && position + 1 == last;
        if *kind == ToolKind::Function && arguments.trim().is_empty() && !is_cut {
            arguments.push_str(NO_ARGUMENTS);
        }
    }
    choice.finish = fitting(choice.finish, has_calls, awaits);
}

/// The reason that fits an answer with or without calls; `awaits`: some of them the client has to answer. One that was cut
/// off or held back stays so.
fn fitting(finish: Finish, has_calls: bool, awaits: bool) -> Finish {
    match finish {
        Finish::Stop if awaits => Finish::ToolCalls,
        Finish::ToolCalls if !has_calls => Finish::Stop,
        Finish::Stop | Finish::ToolCalls => finish,
        Finish::Length | Finish::ContentFilter | Finish::Refusal | Finish::Pause => finish,
    }
}

/// Was the tool called by code that the vendor runs? What the client answers goes there, and the answer may be over without
/// it: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/programmatic-tool-calling>.
fn is_called_by_code(signature: &Signature) -> bool {
    let caller = anthropic_messages::caller(signature);
    let document = caller.and_then(|caller| Document::parse_to(caller.as_bytes(), 1).ok());
    document.is_some_and(|document| document.root().str("type").is_some_and(|kind| kind != "direct"))
}

/// Repairs a stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    choices: Vec<Known>,
}

/// A choice that has called.
#[derive(Debug)]
struct Known {
    index: u32,
    /// One of the calls has to be answered by the client.
    awaits: bool,
    /// The open block is a call of a function: what has come of its arguments.
    arguments: Option<Progress>,
}

impl Stream {
    /// Repairs the events from this one on, which are the next of the stream.
    pub(crate) fn events(&mut self, events: &mut Vec<Event>, from: usize) {
        let mut at = from;
        while at < events.len() {
            match &mut events[at] {
                Event::BlockStart { choice, block } => {
                    if let Content::ToolCall { arguments, kind, .. } = &block.content {
                        let by_code = block.signature.as_ref().is_some_and(is_called_by_code);
                        self.call(*choice, *kind, arguments, !by_code);
                    }
                }
                Event::Delta { choice, delta: Delta::Arguments(more) } => {
                    if let Some(arguments) = self.arguments(*choice).filter(|before| before.is_blank()) {
                        arguments.take(more);
                    }
                }
                Event::BlockEnd { choice } => {
                    let choice = *choice;
                    let is_blank = self.end(choice);
                    if is_blank && !is_cut(&events[at..], choice) {
                        let delta = Delta::Arguments(NO_ARGUMENTS.to_owned());
                        events.insert(at, Event::Delta { choice, delta });
                        at += 1;
                    }
                }
                Event::Stop { choice, finish, .. } => {
                    let known = self.choices.iter().find(|known| known.index == *choice);
                    *finish = fitting(*finish, known.is_some(), known.is_some_and(|known| known.awaits));
                }
                Event::Start { .. }
                | Event::Delta { .. }
                | Event::Logprobs { .. }
                | Event::Extra { .. }
                | Event::Meta { .. }
                | Event::Usage(_)
                | Event::Finish => {}
            }
            at += 1;
        }
    }

    fn call(&mut self, choice: u32, kind: ToolKind, arguments: &str, awaits: bool) {
        let mut progress = Progress::default();
        progress.take(arguments);
        let arguments = (kind == ToolKind::Function).then_some(progress);
        match self.choices.iter_mut().find(|known| known.index == choice) {
            Some(known) => (known.arguments, known.awaits) = (arguments, known.awaits || awaits),
            None => self.choices.push(Known { index: choice, awaits, arguments }),
        }
    }

    fn arguments(&mut self, choice: u32) -> Option<&mut Progress> {
        self.choices.iter_mut().find(|known| known.index == choice)?.arguments.as_mut()
    }

    /// A block ends: was it a call of which nothing more is known?
    fn end(&mut self, choice: u32) -> bool {
        let known = self.choices.iter_mut().find(|known| known.index == choice);
        known.and_then(|known| known.arguments.take()).is_some_and(|arguments| arguments.is_blank())
    }
}

/// Does the choice break off right behind its block, which is the first of these events?
fn is_cut(events: &[Event], choice: u32) -> bool {
    let next = events.iter().find_map(|event| match event {
        Event::BlockStart { choice: begins, .. } if *begins == choice => Some(false),
        Event::Stop { choice: ends, finish, .. } if *ends == choice => Some(breaks_off(*finish)),
        _ => None,
    });
    next.unwrap_or(false)
}

/// Does an answer with this reason end before the model had said everything? A call at its end that has no arguments was
/// cut off before them.
fn breaks_off(finish: Finish) -> bool {
    match finish {
        Finish::Length | Finish::ContentFilter => true,
        Finish::Stop | Finish::ToolCalls | Finish::Refusal | Finish::Pause => false,
    }
}

#[cfg(test)]
mod tests;
