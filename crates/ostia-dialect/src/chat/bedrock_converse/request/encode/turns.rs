//! Turns: system turns are lifted out, the rest becomes a dialogue in which user and assistant take turns, the user first
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>).

use super::blocks::{self, Placed, Point, Scribe, cache_point};
use super::media;
use crate::chat::order;
use crate::chat::rules::{CachePoints, Rules};
use crate::json::Writer;
use crate::{Content, Fault, Request, Role};

/// What the user says where the conversation ended with words of the model's, and the model does not go on with them.
const GO_ON: &str = "Continue exactly where you left off.";
/// What the user says where the conversation begins with words of the model's: "A conversation must start with a user message."
/// (<https://github.com/langgenius/dify/issues/12340>).
const OPENING: &str = "Begin.";

/// The conversation in the vendor's order. Holds only what can be said.
pub(super) struct Conversation<'r> {
    system: Vec<Placed<'r>>,
    turns: Vec<Turn<'r>>,
    /// The model is asked to go on.
    asks_to_go_on: bool,
    rules: &'r Rules,
}

/// One turn; consecutive turns of one speaker are one: "A conversation must alternate between user and assistant roles."
/// (<https://github.com/langchain-ai/langchain-aws/issues/130>).
struct Turn<'r> {
    assistant: bool,
    /// The results of calls stand before anything else.
    results: Vec<Placed<'r>>,
    rest: Vec<Placed<'r>>,
}

impl<'r> Conversation<'r> {
    /// Sorts the turns; reports what is left out. Fails where nothing is left to answer.
    pub(super) fn of(
        request: &'r Request,
        rules: &'r Rules,
        dropped: &mut Vec<String>,
    ) -> Result<Conversation<'r>, Fault> {
        let (system, turns) = (Vec::new(), Vec::new());
        let mut conversation = Conversation { system, turns, asks_to_go_on: false, rules };
        for at in order::results_behind_calls(&request.messages) {
            let message = &request.messages[at];
            if message.name.is_some() && message.role != Role::Tool {
                dropped.push(format!("messages[{at}].name"));
            }
            let kept = blocks::sayable(message, at, rules, dropped)?;
            match message.role {
                Role::System | Role::Developer => conversation.system.extend(kept),
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
        if !rules.converse.mixed_results {
            conversation.report_mixed(dropped);
        }
        if request.cache_control.is_some() && rules.converse.cache_points == CachePoints::Never {
            dropped.push("cache_control".into());
        }
        Ok(conversation)
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

    /// Reports what cannot stand in a result, where it may not stand beside one.
    fn report_mixed(&self, dropped: &mut Vec<String>) {
        let mixed = self.turns.iter().filter(|turn| !turn.results.is_empty());
        let rest = mixed.flat_map(|turn| &turn.rest);
        let lost = rest.filter(|placed| !blocks::joins_result(placed.block, self.rules));
        dropped
            .extend(lost.map(|Placed { place, .. }| format!("messages[{}].content[{}]", place.0, place.1)));
    }

    /// The last word has to be the user's
    /// (<https://github.com/microsoft/semantic-kernel/issues/10281>).
    fn ask_to_go_on(&mut self, dropped: &mut Vec<String>) {
        let Some(turn) = self.turns.last().filter(|turn| turn.assistant) else { return };
        // A call waits for its result, and what the vendor did itself goes back as it is.
        let is_said = |placed: &&Placed<'_>| {
            blocks::is_words(placed.block) || blocks::is_thought(placed.block, self.rules)
        };
        let Some(last) = turn.rest.last().filter(is_said) else { return };
        self.asks_to_go_on = true;
        dropped.push(format!("messages[{}].prefix", last.place.0));
    }

    /// May a model that thinks on a budget go on from here? Its last turn must not be a prefill, and if it called tools, must
    /// begin with the thoughts that led there.
    pub(super) fn allows_budget(&self) -> bool {
        if !self.asks_to_go_on && self.turns.last().is_some_and(|turn| turn.assistant) {
            return false;
        }
        let Some(turn) = self.turns.iter().rev().find(|turn| turn.assistant) else { return true };
        let calls = turn.rest.iter().any(|placed| matches!(placed.block.content, Content::ToolCall { .. }));
        !calls || turn.rest.first().is_some_and(|placed| blocks::is_thought(placed.block, self.rules))
    }

    /// The fields `system` and `messages`.
    pub(super) fn write(&self, w: &mut Writer, request: &Request) {
        let mut scribe = Scribe { request, rules: self.rules, names: media::Names::default() };
        let has_system = self.rules.converse.system;
        if has_system && !self.system.is_empty() {
            w.field_array("system", |w| {
                self.system.iter().for_each(|placed| scribe.write(w, placed, false));
            });
        }
        // Models without a system prompt hear it from the user.
        let lead: &[Placed<'_>] = if has_system { &[] } else { &self.system };
        let begins = self.turns.first().is_some_and(|turn| turn.assistant);
        w.field_array("messages", |w| {
            if begins {
                message(w, false, |w| match lead {
                    [] => text(w, OPENING),
                    lead => lead.iter().for_each(|placed| scribe.write(w, placed, false)),
                });
            }
            let last = self.turns.len().saturating_sub(1);
            for (at, turn) in self.turns.iter().enumerate() {
                let lead = if at == 0 && !begins { lead } else { &[] };
                let is_last = at == last && !self.asks_to_go_on;
                turn.write(w, &mut scribe, lead, is_last);
            }
            if self.asks_to_go_on {
                message(w, false, |w| {
                    text(w, GO_ON);
                    whole_point(w, request, self.rules);
                });
            }
        });
    }
}

impl Turn<'_> {
    fn write(&self, w: &mut Writer, scribe: &mut Scribe<'_>, lead: &[Placed<'_>], is_last: bool) {
        message(w, self.assistant, |w| {
            lead.iter().for_each(|placed| scribe.write(w, placed, false));
            if !self.results.is_empty() && !self.rest.is_empty() && !scribe.rules.converse.mixed_results {
                self.write_as_results(w, scribe);
                return;
            }
            let last = self.rest.len().saturating_sub(1);
            self.results.iter().for_each(|placed| scribe.write(w, placed, false));
            for (at, placed) in self.rest.iter().enumerate() {
                // Anthropic's models refuse a prefill that ends in white space.
                scribe.write(w, placed, is_last && self.assistant && at == last);
            }
            if !self.assistant && !self.has_words() && lead.is_empty() {
                self.name_documents(w);
            }
            if is_last && !self.assistant {
                whole_point(w, scribe.request, scribe.rules);
            }
        });
    }

    /// "Conversation blocks and tool result blocks cannot be provided in the same turn."
    /// (<https://github.com/browser-use/browser-use/issues/710>): what stands beside the results stands in the last one.
    fn write_as_results(&self, w: &mut Writer, scribe: &mut Scribe<'_>) {
        let last = self.results.len() - 1;
        for (at, placed) in self.results.iter().enumerate() {
            let more = if at == last { self.rest.as_slice() } else { &[] };
            scribe.result(w, placed.block, more);
        }
    }

    fn has_words(&self) -> bool {
        self.rest.iter().any(|placed| blocks::is_words(placed.block))
    }

    /// A document has to stand beside words
    /// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>): its turn names it.
    fn name_documents(&self, w: &mut Writer) {
        let documents = self.rest.iter().filter_map(|placed| media::document(&placed.block.content));
        let documents: Vec<&str> = documents.map(media::title).collect();
        if !documents.is_empty() {
            text(w, &documents.join(", "));
        }
    }
}

fn message(w: &mut Writer, assistant: bool, content: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.field_str("role", if assistant { "assistant" } else { "user" });
        w.field_array("content", content);
    });
}

fn text(w: &mut Writer, text: &str) {
    w.object(|w| w.field_str("text", text));
}

/// The marker that is meant for the whole prompt stands at its end.
fn whole_point(w: &mut Writer, request: &Request, rules: &Rules) {
    let points = rules.converse.cache_points;
    if let Some(marker) = request.cache_control.as_ref().filter(|_| points != CachePoints::Never) {
        cache_point(w, &Point::of(marker, points));
    }
}
