//! Bytes to models.

use std::borrow::Cow;

use super::{HEADER_NUMBERS, MAGIC, SUM_BYTES, fingerprint, hash, same};
use crate::ability::Abilities;
use crate::date::Date;
use crate::mode::{Modalities, Mode};
use crate::model::Model;
use crate::prices::Prices;
use crate::source::{Edition, Source, Sources};

/// A catalogue in its compact form.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    bytes: Cow<'static, [u8]>,
    models: usize,
    slots: usize,
    starts: [usize; 6],
}

/// The parts, by their place in `starts`.
#[derive(Clone, Copy)]
enum Part {
    Slots,
    Offsets,
    Models,
    Prices,
    Editions,
    Strings,
}

/// Without models.
impl Default for Pack {
    fn default() -> Pack {
        Pack { bytes: Cow::Borrowed(&[]), models: 0, slots: 1, starts: [0; 6] }
    }
}

impl Pack {
    /// Reads the header; nothing else is read before it is asked for.
    pub(crate) fn open(bytes: Cow<'static, [u8]>) -> Option<Pack> {
        let numbers = bytes.strip_prefix(MAGIC)?.get(SUM_BYTES..SUM_BYTES + HEADER_NUMBERS * 4)?;
        let mut header = [0; HEADER_NUMBERS];
        for (number, four) in header.iter_mut().zip(numbers.chunks_exact(4)) {
            *number = u32::from_le_bytes(four.try_into().ok()?) as usize;
        }
        let [models, slots, starts @ ..] = header;
        let fits = slots.is_power_of_two() && starts.is_sorted() && starts[5] <= bytes.len();
        fits.then_some(Pack { bytes, models, slots, starts })
    }

    pub(crate) fn len(&self) -> usize {
        self.models
    }

    pub(crate) fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many aliases a model says it has.
    pub(crate) fn alias_count(&self, at: usize) -> usize {
        let mut cursor = self.row(at);
        let _names = (cursor.varint(), cursor.varint());
        cursor.count()
    }

    /// The model of a provider that has this name, as an id or an alias.
    pub(crate) fn find(&self, provider: &str, name: &str) -> Option<Model<'_>> {
        let hash = hash(provider, name);
        let start = hash as usize & (self.slots - 1);
        // As often as there are slots: broken bytes may leave none empty.
        for step in 0..self.slots {
            let slot = self.number(Part::Slots, (start + step) & (self.slots - 1));
            if slot == 0 {
                return None;
            }
            if slot >> 16 == fingerprint(hash) {
                let at = (slot & 0xffff) as usize - 1;
                if self.is_named(at, provider, name) {
                    return Some(self.model(at));
                }
            }
        }
        None
    }

    fn is_named(&self, at: usize, provider: &str, name: &str) -> bool {
        let (mut cursor, name) = (self.row(at), name.as_bytes());
        if !same(self.text(cursor.varint()), provider.as_bytes()) {
            return false;
        }
        if same(self.text(cursor.varint()), name) {
            return true;
        }
        let aliases = cursor.count();
        (0..aliases).any(|_| same(self.text(cursor.varint()), name))
    }

    /// The model at a place.
    pub(crate) fn model(&self, at: usize) -> Model<'_> {
        let mut cursor = self.row(at);
        let (provider, id) = (self.string(cursor.varint()), self.string(cursor.varint()));
        let aliases = cursor;
        for _ in 0..cursor.count() {
            cursor.varint();
        }
        let some = |number: u64| (number > 0).then_some(number);
        Model {
            pack: self,
            provider,
            id,
            aliases,
            name_at: cursor.varint(),
            mode: Mode::ALL.get(usize::from(cursor.byte())).copied().unwrap_or(Mode::Unknown),
            context: some(cursor.varint()),
            output: some(cursor.varint()),
            takes: Modalities(cursor.byte()),
            gives: Modalities(cursor.byte()),
            abilities: Abilities { known: cursor.varint(), has: cursor.varint() },
            released: Date::unpacked(cursor.varint()),
            retires_on: Date::unpacked(cursor.varint()),
            deprecated: cursor.byte() != 0,
            successor_at: cursor.varint(),
            prices: Prices::new(self, self.part(Part::Prices).from(cursor.varint())),
            price_source: usize::from(cursor.byte())
                .checked_sub(1)
                .and_then(|at| Source::ALL.get(at).copied()),
            sources: Sources(cursor.byte()),
            page_at: cursor.varint(),
        }
    }

    pub(crate) fn editions(&self) -> Vec<Edition> {
        let mut cursor = self.part(Part::Editions);
        let edition = |cursor: &mut Cursor<'_>| {
            let source = Source::ALL.get(usize::from(cursor.byte())).copied();
            let (version, date) = (self.string(cursor.varint()).to_owned(), Date::unpacked(cursor.varint()));
            Some(Edition { source: source?, version, date: date? })
        };
        (0..cursor.varint().min(u64::from(u8::MAX))).filter_map(|_| edition(&mut cursor)).collect()
    }

    /// The text that stands there.
    pub(crate) fn string(&self, at: u64) -> &str {
        std::str::from_utf8(self.text(at)).unwrap_or_default()
    }

    fn text(&self, at: u64) -> &[u8] {
        let mut cursor = self.part(Part::Strings).from(at);
        let length = usize::try_from(cursor.varint()).unwrap_or(usize::MAX);
        cursor.0.get(..length).unwrap_or_default()
    }

    fn row(&self, at: usize) -> Cursor<'_> {
        self.part(Part::Models).from(u64::from(self.number(Part::Offsets, at)))
    }

    fn number(&self, part: Part, at: usize) -> u32 {
        let start = self.starts[part as usize] + at * 4;
        let four = self.bytes.get(start..start + 4).and_then(|four| four.try_into().ok());
        four.map_or(0, u32::from_le_bytes)
    }

    fn part(&self, part: Part) -> Cursor<'_> {
        Cursor(self.bytes.get(self.starts[part as usize]..).unwrap_or_default())
    }
}

/// Bytes that are read from the front. Behind their end there are zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn from(self, at: u64) -> Cursor<'a> {
        Cursor(usize::try_from(at).ok().and_then(|at| self.0.get(at..)).unwrap_or_default())
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(crate) fn varint(&mut self) -> u64 {
        // Most have one byte.
        let first = self.byte();
        if first < 0x80 {
            return u64::from(first);
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    /// How many of something follow. No more than there are bytes left, whatever stands there.
    pub(crate) fn count(&mut self) -> usize {
        let count = usize::try_from(self.varint()).unwrap_or(usize::MAX);
        count.min(self.0.len())
    }

    /// The next so many bytes, on their own.
    pub(crate) fn split(&mut self, length: u64) -> Cursor<'a> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.0.len());
        let (first, rest) = self.0.split_at(length);
        self.0 = rest;
        Cursor(first)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte_count(&self) -> usize {
        self.0.len()
    }
}
