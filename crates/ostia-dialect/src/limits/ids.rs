//! Ids of calls. Every vendor joins a result to its call by one, and has a mind of its own what it looks like. What a
//! vendor takes stays as it is; ids that are missing, that are there twice or that do not fit become others, the same in
//! the call and in its result.
//!
//! A second call with the id of an earlier one is another call: its result is the one that follows it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Spelling;
use super::spelling::unescaped;
use crate::{Content, Message, Role};

/// Makes the ids of a conversation fit.
pub(super) fn apply(messages: &mut [Message], spelling: &Spelling) {
    unescape(messages);
    if fit(messages, spelling) {
        return;
    }
    let mut ids = Ids::of(messages, spelling);
    for message in messages {
        ids.begin(message.role);
        for block in &mut message.blocks {
            match &mut block.content {
                Content::ToolCall { id, name, .. } => *id = ids.call(id, name),
                Content::ToolResult { id, name, .. } => *id = ids.result(id, name.as_deref()),
                Content::Text { .. }
                | Content::Refusal(_)
                | Content::Reasoning(_)
                | Content::Media(_)
                | Content::Foreign { .. } => {}
            }
        }
    }
}

/// Ids that a client was given in another form than the vendor's are that vendor's own again.
fn unescape(messages: &mut [Message]) {
    for block in messages.iter_mut().flat_map(|message| &mut message.blocks) {
        if let Content::ToolCall { id, .. } | Content::ToolResult { id, .. } = &mut block.content
            && let Some(own) = unescaped(id)
        {
            *id = own;
        }
    }
}

/// Are all ids taken, and is each that of one call?
fn fit(messages: &[Message], spelling: &Spelling) -> bool {
    let mut calls = HashSet::new();
    messages.iter().flat_map(|message| &message.blocks).all(|block| match &block.content {
        Content::ToolCall { id, .. } => spelling.takes(id) && calls.insert(id.as_str()),
        Content::ToolResult { id, .. } => spelling.takes(id),
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::Media(_)
        | Content::Foreign { .. } => true,
    })
}

/// The calls of a conversation, as far as it was read.
struct Ids<'s> {
    spelling: &'s Spelling,
    /// Ids of the client's, and those that were given to calls: a new one is none of them.
    taken: BTreeSet<String>,
    /// How many calls had this id.
    times: BTreeMap<String, u32>,
    /// What became of the last call with this id.
    last: BTreeMap<String, String>,
    /// Calls without a result.
    waiting: Vec<Waiting>,
    /// How often the model has begun to speak.
    turn: usize,
    speaks: bool,
}

/// A call that has no result yet.
struct Waiting {
    id: String,
    tool: String,
    turn: usize,
    other: String,
}

impl<'s> Ids<'s> {
    fn of(messages: &[Message], spelling: &'s Spelling) -> Ids<'s> {
        let given =
            messages.iter().flat_map(|message| &message.blocks).filter_map(|block| match &block.content {
                Content::ToolCall { id, .. } | Content::ToolResult { id, .. } => Some(id.clone()),
                _ => None,
            });
        Ids {
            spelling,
            taken: given.collect(),
            times: BTreeMap::new(),
            last: BTreeMap::new(),
            waiting: Vec::new(),
            turn: 0,
            speaks: false,
        }
    }

    /// A message of this role follows.
    fn begin(&mut self, role: Role) {
        let speaks = role == Role::Assistant;
        self.turn += usize::from(speaks && !self.speaks);
        self.speaks = speaks;
    }

    fn call(&mut self, id: &str, tool: &str) -> String {
        let times = self.times.entry(id.to_owned()).or_default();
        let before = *times;
        *times += 1;
        let other = match before {
            0 if self.spelling.takes(id) => id.to_owned(),
            _ => self.fresh(id, before),
        };
        let (id, tool) = (id.to_owned(), tool.to_owned());
        self.last.insert(id.clone(), other.clone());
        self.waiting.push(Waiting { id, tool, turn: self.turn, other: other.clone() });
        other
    }

    /// The id of the call that this answers: of those that wait, the first of the newest turn. Results without an id
    /// go by the tool where they name it.
    fn result(&mut self, id: &str, tool: Option<&str>) -> String {
        let fits = |call: &Waiting| call.id == id || id.is_empty() && !self.times.contains_key("");
        let named = |call: &Waiting| fits(call) && tool.is_none_or(|tool| tool == call.tool);
        let found = match id.is_empty() {
            true => self.newest(named).or_else(|| self.newest(fits)),
            false => self.newest(fits),
        };
        if let Some(at) = found {
            return self.waiting.remove(at).other;
        }
        match self.last.get(id) {
            _ if id.is_empty() => self.call_less(),
            Some(other) => other.clone(),
            None if self.spelling.takes(id) => id.to_owned(),
            None => self.spelling.respelled(id, 0),
        }
    }

    /// An id for a result of which nothing tells the call.
    fn call_less(&mut self) -> String {
        let times = self.times.entry(String::new()).or_default();
        let before = *times;
        *times += 1;
        self.fresh("", before)
    }

    fn newest(&self, fits: impl Fn(&Waiting) -> bool) -> Option<usize> {
        let turn = self.waiting.iter().rev().find(|call| fits(call))?.turn;
        self.waiting.iter().position(|call| call.turn == turn && fits(call))
    }

    /// A new id for the call that is the `before + 1`th with this one.
    fn fresh(&mut self, id: &str, before: u32) -> String {
        // Ids that were changed because there are others like them must not meet those that were changed for their
        // looks: each call counts from a number of its own.
        let numbers = (0..).map(|more: u32| before.wrapping_mul(1 << 16).wrapping_add(more));
        let mut ids = numbers.map(|number| self.spelling.respelled(id, number));
        ids.find(|fresh| self.taken.insert(fresh.clone())).unwrap_or_default()
    }
}
