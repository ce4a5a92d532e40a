//! Ids of calls. Every vendor joins a result to its call by one, and has a mind of its own what it looks like. What a
//! vendor takes stays as it is; ids that are missing, that are there twice or that do not fit become others, the same in
//! the call and in its result.
//!
//! A second call with the id of an earlier one is another call: its result is the one that follows it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

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
    /// What the calls are called now, and whether they have a result.
    calls: Vec<(String, bool)>,
    /// Calls that wait for a result, by their id.
    by_id: BTreeMap<String, Waiting>,
    /// Those without an id, and those with one, by their tool and all together.
    unnamed: Tools,
    named: Tools,
    /// How often the model has begun to speak.
    turn: usize,
    speaks: bool,
}

/// Calls that may have no result yet, turn by turn.
#[derive(Default)]
struct Waiting(Vec<(usize, VecDeque<usize>)>);

/// The same by the tool that is called.
#[derive(Default)]
struct Tools {
    all: Waiting,
    each: BTreeMap<String, Waiting>,
}

impl Waiting {
    fn push(&mut self, turn: usize, call: usize) {
        match self.0.last_mut().filter(|(last, _)| *last == turn) {
            Some((_, calls)) => calls.push_back(call),
            None => self.0.push((turn, VecDeque::from([call]))),
        }
    }

    /// The first of the newest turn that has no result.
    fn take(&mut self, calls: &mut [(String, bool)]) -> Option<String> {
        loop {
            let (_, turn) = self.0.last_mut()?;
            match turn.pop_front().map(|call| &mut calls[call]) {
                Some((_, true)) => {}
                Some((id, answered)) => {
                    *answered = true;
                    return Some(id.clone());
                }
                None => _ = self.0.pop(),
            }
        }
    }
}

impl Tools {
    fn push(&mut self, tool: &str, turn: usize, call: usize) {
        self.all.push(turn, call);
        self.each.entry(tool.to_owned()).or_default().push(turn, call);
    }

    /// A call of this tool, or of any.
    fn take(&mut self, tool: Option<&str>, calls: &mut [(String, bool)]) -> Option<String> {
        let of_tool = tool.and_then(|tool| self.each.get_mut(tool)).and_then(|waiting| waiting.take(calls));
        of_tool.or_else(|| self.all.take(calls))
    }
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
            calls: Vec::new(),
            by_id: BTreeMap::new(),
            unnamed: Tools::default(),
            named: Tools::default(),
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
        self.last.insert(id.to_owned(), other.clone());
        let call = self.calls.len();
        self.calls.push((other.clone(), false));
        match id {
            "" => self.unnamed.push(tool, self.turn, call),
            id => {
                self.by_id.entry(id.to_owned()).or_default().push(self.turn, call);
                self.named.push(tool, self.turn, call);
            }
        }
        other
    }

    /// The id of the call that this answers: of those that wait, the first of the newest turn. Results without an id
    /// go by the tool where they name it.
    fn result(&mut self, id: &str, tool: Option<&str>) -> String {
        let found = match id {
            "" if self.times.contains_key("") => self.unnamed.take(tool, &mut self.calls),
            "" => self.named.take(tool, &mut self.calls),
            id => self.by_id.get_mut(id).and_then(|waiting| waiting.take(&mut self.calls)),
        };
        match found.or_else(|| self.last.get(id).filter(|_| !id.is_empty()).cloned()) {
            Some(other) => other,
            None if id.is_empty() => self.call_less(),
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

    /// A new id for the call that is the `before + 1`th with this one.
    fn fresh(&mut self, id: &str, before: u32) -> String {
        // Ids that were changed because there are others like them must not meet those that were changed for their
        // looks: each call counts from a number of its own.
        let numbers = (0..).map(|more: u32| before.wrapping_mul(1 << 16).wrapping_add(more));
        let mut ids = numbers.map(|number| self.spelling.respelled(id, number));
        ids.find(|fresh| self.taken.insert(fresh.clone())).unwrap_or_default()
    }
}
