//! Which result answers which call. The vendor joins them by id where there is one, else by name and order
//! (<https://ai.google.dev/api/caching#FunctionCall>); the hub joins them by id alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{field, list};
use crate::json::Node;

/// The calls of a conversation, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Ids that the client gave anywhere: an invented one is none of them.
    given: BTreeSet<String>,
    invented: usize,
    /// The function of each call.
    names: BTreeMap<String, String>,
    /// Calls of each function, oldest first, that no result was joined to by name.
    waiting: BTreeMap<String, VecDeque<String>>,
    answered: BTreeSet<String>,
}

impl Calls {
    /// No calls yet of a conversation of these contents.
    pub(super) fn of(contents: &[Node<'_>]) -> Calls {
        let parts = contents.iter().filter_map(|content| field(*content, "parts")).flat_map(list);
        let ids = parts.filter_map(|part| {
            let piece = field(part, "functionCall").or_else(|| field(part, "functionResponse"))?;
            Some(piece.str("id")?.into_owned())
        });
        Calls { given: ids.collect(), ..Calls::default() }
    }

    /// The id of the next call, which is the client's or made from the call's position.
    pub(super) fn call(&mut self, id: Option<String>, name: &str) -> String {
        let id = id.unwrap_or_else(|| self.invent());
        self.names.insert(id.clone(), name.to_owned());
        self.waiting.entry(name.to_owned()).or_default().push_back(id.clone());
        id
    }

    /// The id and the function of the call that a result answers; `None` where nothing tells the function.
    pub(super) fn answer(&mut self, id: Option<String>, name: Option<String>) -> Option<(String, String)> {
        if let Some(id) = &id
            && let Some(called) = self.names.get(id)
        {
            self.answered.insert(id.clone());
            return Some((id.clone(), name.unwrap_or_else(|| called.clone())));
        }
        let name = name?;
        let id = self.oldest(&name).or(id).unwrap_or_else(|| self.invent());
        Some((id, name))
    }

    /// The oldest call of this function that has no result.
    fn oldest(&mut self, name: &str) -> Option<String> {
        let waiting = self.waiting.get_mut(name)?;
        while let Some(id) = waiting.pop_front() {
            if self.answered.insert(id.clone()) {
                return Some(id);
            }
        }
        None
    }

    fn invent(&mut self) -> String {
        loop {
            let id = format!("call_{}", self.invented);
            self.invented += 1;
            if !self.given.contains(&id) {
                return id;
            }
        }
    }
}
