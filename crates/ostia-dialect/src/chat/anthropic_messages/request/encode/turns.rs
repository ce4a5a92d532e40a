//! Turns: system turns are lifted out, the rest becomes a dialogue of user and assistant.
//! <https://platform.claude.com/docs/en/build-with-claude/working-with-messages>

use super::blocks::{self, Placed};
use super::extras::Extras;
use crate::chat::order;
use crate::chat::rules::Rules;
use crate::json::{Document, Writer};
use crate::{Block, Content, Dialect, Fault, Message, Role};

/// What the user says where the conversation ended with words of the model's, and the model does not go on with them.
const GO_ON: &str = "Continue exactly where you left off.";

/// The conversation in the vendor's order. Holds only what can be said.
pub(super) struct Conversation<'r> {
    system: Vec<Placed<'r>>,
    /// The client wrote a system turn, be it an empty one.
    has_system: bool,
    turns: Vec<Turn<'r>>,
    /// The model is asked to go on.
    asks_to_go_on: bool,
}

/// One turn; consecutive turns of one speaker are one.
struct Turn<'r> {
    assistant: bool,
    /// The vendor wants the results of calls before anything else.
    results: Vec<Placed<'r>>,
    rest: Vec<Placed<'r>>,
}

impl<'r> Conversation<'r> {
    /// Sorts the turns; reports what is left out. Fails where nothing is left to answer.
    pub(super) fn of(
        messages: &'r [Message],
        rules: &Rules,
        dropped: &mut Vec<String>,
    ) -> Result<Conversation<'r>, Fault> {
        let (system, turns) = (Vec::new(), Vec::new());
        let mut conversation = Conversation { system, has_system: false, turns, asks_to_go_on: false };
        for at in order::results_behind_calls(messages) {
            let message = &messages[at];
            if message.name.is_some() && message.role != Role::Tool {
                dropped.push(format!("messages[{at}].name"));
            }
            let kept = blocks::sayable(message, at, dropped)?;
            match message.role {
                Role::System | Role::Developer => {
                    conversation.has_system = true;
                    conversation.system.extend(kept);
                }
                Role::User | Role::Tool => conversation.add(false, kept),
                Role::Assistant => conversation.add(true, kept),
            }
        }
        if conversation.turns.is_empty() {
            let what = "at least one user or assistant message with content is needed";
            return Err(Fault::invalid(format!("Invalid `messages`: {what}")).with_param("messages"));
        }
        if !rules.prefill {
            conversation.ask_to_go_on(dropped);
        }
        Ok(conversation)
    }

    /// "The conversation must end with a user message." A turn that the vendor paused ends with work of the vendor's own, and
    /// goes back as it is.
    fn ask_to_go_on(&mut self, dropped: &mut Vec<String>) {
        let Some(turn) = self.turns.last().filter(|turn| turn.assistant) else { return };
        let Some(last) = turn.rest.last().filter(|placed| blocks::is_words(placed.block)) else { return };
        self.asks_to_go_on = true;
        dropped.extend(last.message().map(|number| format!("messages[{number}].prefix")));
    }

    /// Adds to the last turn if the same side spoke it. A turn without content is left out: the vendor refuses it.
    fn add(&mut self, assistant: bool, blocks: Vec<Placed<'r>>) {
        if blocks.is_empty() {
            return;
        }
        let (results, rest): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|placed| matches!(placed.block.content, Content::ToolResult { .. }));
        match self.turns.last_mut().filter(|turn| turn.assistant == assistant) {
            Some(turn) => {
                turn.results.extend(results);
                turn.rest.extend(rest);
            }
            None => self.turns.push(Turn { assistant, results, rest }),
        }
    }

    /// May a model that thinks on a budget go on from here? Its last turn must not be a prefill, and if it called
    /// tools, must begin with the thoughts that led there.
    /// <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>
    pub(super) fn allows_budget(&self) -> bool {
        if self.is_prefilled() {
            return false;
        }
        let Some(turn) = self.turns.iter().rev().find(|turn| turn.assistant) else { return true };
        let calls = turn.rest.iter().any(|placed| matches!(placed.block.content, Content::ToolCall { .. }));
        !calls || turn.rest.first().is_some_and(|placed| is_thought(placed.block))
    }

    /// Does the answer begin in the request?
    fn is_prefilled(&self) -> bool {
        !self.asks_to_go_on && self.turns.last().is_some_and(|turn| turn.assistant)
    }

    /// The fields `system` and `messages`.
    pub(super) fn write(&self, out: &mut Writer, extras: &Extras<'_>) {
        match self.system.as_slice() {
            [] if self.has_system => out.field_str("system", ""),
            [] => {}
            [
                Placed {
                    block: Block { content: Content::Text { text, .. }, cache_control: None, .. }, ..
                },
            ] => out.field_str("system", text),
            blocks => out.field_array("system", |out| {
                blocks.iter().for_each(|placed| blocks::write(out, placed, extras, false));
            }),
        }
        let last = self.turns.len().saturating_sub(1);
        out.field_array("messages", |out| {
            for (at, turn) in self.turns.iter().enumerate() {
                turn.write(out, extras, at == last);
            }
            if self.asks_to_go_on {
                out.object(|out| {
                    out.field_str("role", "user");
                    out.field_array("content", |out| out.object(|out| write_text(out, GO_ON)));
                });
            }
        });
    }
}

impl Turn<'_> {
    fn write(&self, out: &mut Writer, extras: &Extras<'_>, last: bool) {
        out.object(|out| {
            out.field_str("role", if self.assistant { "assistant" } else { "user" });
            out.field_array("content", |out| {
                let final_block = self.results.len() + self.rest.len() - 1;
                for (at, placed) in self.results.iter().chain(&self.rest).enumerate() {
                    // The vendor refuses a prefill that ends in white space.
                    let trim = last && self.assistant && at == final_block;
                    blocks::write(out, placed, extras, trim);
                }
            });
        });
    }
}

fn write_text(out: &mut Writer, text: &str) {
    out.field_str("type", "text");
    out.field_str("text", text);
}

fn is_thought(block: &Block) -> bool {
    match &block.content {
        Content::Reasoning(_) => true,
        Content::Foreign { dialect: Dialect::AnthropicMessages, value } => {
            let document = Document::parse(value.as_str().as_bytes());
            document
                .is_ok_and(|block| block.root().str("type").is_some_and(|kind| kind == "redacted_thinking"))
        }
        Content::Foreign { .. }
        | Content::Text { .. }
        | Content::Refusal(_)
        | Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. } => false,
    }
}
