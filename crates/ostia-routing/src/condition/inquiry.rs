//! A request that is being asked: each field is looked up once, and there is an end to the work.

use std::cell::{Cell, OnceCell};

use super::{Fact, Facts, Field};

/// Most work that the conditions of a config may cost for one request. One is about what it takes to read a byte: together
/// a few tenths of a second.
pub const WORK_MAX: u64 = 1 << 28;

/// So many fields find room without a list.
const FEW: usize = 4;

/// A request that is being asked.
pub(crate) struct Inquiry<'f> {
    facts: &'f dyn Facts,
    fields: &'f [Field],
    /// What the fields hold, once they were looked up: the first few, and the others.
    few: [Found<'f>; FEW],
    more: Vec<Found<'f>>,
    work_left: Cell<u64>,
    exhausted: Cell<bool>,
}

/// What a field holds, once it was looked up.
type Found<'f> = OnceCell<Option<Fact<'f>>>;

impl<'f> Inquiry<'f> {
    /// Of this request, with regard to these fields.
    pub(crate) fn new(facts: &'f dyn Facts, fields: &'f [Field]) -> Inquiry<'f> {
        let more = fields.iter().skip(FEW).map(|_| OnceCell::new()).collect();
        let few = Default::default();
        Inquiry { facts, fields, few, more, work_left: Cell::new(WORK_MAX), exhausted: Cell::new(false) }
    }

    /// What the field of this index holds; nothing once there was too much work.
    pub(crate) fn fact(&self, index: usize) -> Option<&Fact<'f>> {
        let field = self.fields.get(index)?;
        let place = self.few.get(index).or_else(|| self.more.get(index.checked_sub(FEW)?))?;
        place.get_or_init(|| self.look_up(field)).as_ref()
    }

    fn look_up(&self, field: &Field) -> Option<Fact<'f>> {
        match field {
            Field::Time(clock) => Some(clock.at(self.facts.unix_s()).into()),
            _ if self.afford(self.facts.cost(field)) => self.facts.get(field),
            _ => None,
        }
    }

    /// The time of day, in seconds since 1970 (UTC).
    pub(crate) fn unix_s(&self) -> u64 {
        self.facts.unix_s()
    }

    /// Takes so much work from what is left; false if that is not enough, and from then on.
    pub(crate) fn afford(&self, work: u64) -> bool {
        let left = self.work_left.get().checked_sub(work).filter(|_| !self.exhausted.get());
        match left {
            Some(left) => self.work_left.set(left),
            None => self.exhausted.set(true),
        }
        left.is_some()
    }

    /// There was more to do than is done for one request: the answers so far mean nothing.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }
}
