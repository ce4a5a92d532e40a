//! Ids of calls that a client is given: such as the vendor of the client's own dialect takes back, because the client
//! may go on there. Vendors without ids, or with the same one twice in an answer, get others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::spelling::{escaped, made_up};
use super::{Characters, Limits, Spelling};
use crate::Dialect;

/// The ids of the calls of one choice.
#[derive(Debug)]
pub(crate) struct GivenIds {
    spelling: Spelling,
    choice: u32,
    /// As the upstream gave them.
    given: BTreeSet<Box<str>>,
    count: u32,
}

impl GivenIds {
    /// Of a choice of an answer in this dialect.
    pub(crate) fn of(client: Dialect, choice: u32) -> GivenIds {
        GivenIds { spelling: Limits::of(client).tool_ids.takes, choice, given: BTreeSet::new(), count: 0 }
    }

    /// The id of the next call. Ids that are made up are made of `id_suffix`.
    pub(crate) fn next<'i>(&mut self, id: &'i str, id_suffix: &str) -> Cow<'i, str> {
        let position = self.count;
        self.count += 1;
        let is_new = self.given.insert(id.into());
        match id {
            "" => made_up(id_suffix, self.choice, position).into(),
            id if is_new && self.spelling.takes(id) => id.into(),
            id if is_new && self.can_escape() => escaped(id).into(),
            id if is_new => self.spelling.respelled(id, 0).into(),
            // The same id with the same number at the same place is the same in each copy of the answer.
            id => self.spelling.respelled(id, position).into(),
        }
    }

    fn can_escape(&self) -> bool {
        self.spelling.characters >= Characters::Dash && self.spelling.chars_max.is_none()
    }
}
