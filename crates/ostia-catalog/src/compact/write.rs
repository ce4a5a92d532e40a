//! Rows to bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{HEADER_NUMBERS, MAGIC, SUM_BYTES, canonical, fingerprint, hash, sum};
use crate::mode::Modalities;
use crate::row::{PriceText, Row};
use crate::source::{Edition, Sources};

/// A slot has 16 bits for a model's number.
pub(crate) const MODELS_MAX: usize = 65_534;

/// More models or bytes than the compact form can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a catalogue holds at most {MODELS_MAX} models")
    }
}

impl std::error::Error for TooLarge {}

/// The compact form of rows. Of two models with one name the first is found, and an id goes before an alias.
///
/// # Errors
/// There are too many.
pub fn compact(rows: &[Row], editions: &[Edition]) -> Result<Vec<u8>, TooLarge> {
    if rows.len() > MODELS_MAX {
        return Err(TooLarge);
    }
    let mut parts = Parts::default();
    // What points nowhere points here.
    parts.strings.push(0);
    let (mut offsets, mut models) = (Vec::new(), Vec::new());
    for model in rows {
        offsets.extend(four(models.len())?);
        row(model, &mut models, &mut parts);
    }
    let slots = slots(rows)?;
    let editions = written_editions(editions, &mut parts);
    let Parts { strings, prices, .. } = parts;

    let mut bytes = MAGIC.to_vec();
    let summed_from = MAGIC.len() + SUM_BYTES;
    bytes.resize(summed_from, 0);
    let mut at = summed_from + HEADER_NUMBERS * 4;
    for number in [rows.len(), slots.len() / 4] {
        bytes.extend(four(number)?);
    }
    let parts = [slots, offsets, models, prices, editions, strings];
    for part in &parts {
        bytes.extend(four(at)?);
        at += part.len();
    }
    bytes.extend(parts.concat());
    let sum = sum(&bytes[summed_from..]);
    bytes[MAGIC.len()..summed_from].copy_from_slice(&sum);
    Ok(bytes)
}

#[derive(Default)]
struct Parts {
    strings: Vec<u8>,
    known_strings: BTreeMap<String, usize>,
    prices: Vec<u8>,
    known_prices: BTreeMap<Vec<u8>, usize>,
}

impl Parts {
    /// Where a text stands; 0 for none.
    fn string(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        if let Some(at) = self.known_strings.get(text) {
            return *at as u64;
        }
        let at = self.strings.len();
        varint(text.len() as u64, &mut self.strings);
        self.strings.extend(text.bytes());
        self.known_strings.insert(text.to_owned(), at);
        at as u64
    }

    /// Where these prices stand.
    fn prices(&mut self, row: &Row) -> u64 {
        let mut bytes = Vec::new();
        varint(row.prices.len() as u64, &mut bytes);
        for prices in &row.prices {
            self.price(prices, &mut bytes);
        }
        varint(row.region_factors.len() as u64, &mut bytes);
        for (region, factor) in &row.region_factors {
            varint(self.string(region), &mut bytes);
            varint(u64::from(*factor), &mut bytes);
        }
        if let Some(at) = self.known_prices.get(&bytes) {
            return *at as u64;
        }
        let at = self.prices.len();
        self.prices.extend(&bytes);
        self.known_prices.insert(bytes, at);
        at as u64
    }

    fn price(&mut self, prices: &PriceText, bytes: &mut Vec<u8>) {
        let mut rates = Vec::new();
        for ((unit, above), rate) in &prices.rates.units {
            rates.push(*unit as u8);
            varint(*above, &mut rates);
            varint(rate.0, &mut rates);
        }
        let mut images = Vec::new();
        for (kind, rate) in &prices.rates.images {
            varint(self.string(&kind.size), &mut images);
            varint(self.string(&kind.quality), &mut images);
            varint(rate.0, &mut images);
        }
        bytes.push(prices.tier as u8);
        varint(self.string(&prices.region), bytes);
        varint(prices.from.map_or(0, |date| date.packed()), bytes);
        varint(self.string(prices.currency.as_str()), bytes);
        // With their length in front, so that a reader can go on to the next row.
        for part in [rates, images] {
            varint(part.len() as u64, bytes);
            bytes.extend(part);
        }
    }
}

/// One model. What a look-up compares comes first; `read` takes it apart in the same order.
fn row(row: &Row, bytes: &mut Vec<u8>, parts: &mut Parts) {
    varint(parts.string(&row.provider), bytes);
    varint(parts.string(&row.id), bytes);
    varint(row.aliases.len() as u64, bytes);
    for alias in &row.aliases {
        varint(parts.string(alias), bytes);
    }
    varint(parts.string(row.name.as_deref().unwrap_or_default()), bytes);
    bytes.push(row.mode as u8);
    varint(row.context.unwrap_or_default(), bytes);
    varint(row.output.unwrap_or_default(), bytes);
    bytes.push(row.takes.iter().copied().collect::<Modalities>().0);
    bytes.push(row.gives.iter().copied().collect::<Modalities>().0);
    varint(row.abilities().known, bytes);
    varint(row.abilities().has, bytes);
    varint(row.released.map_or(0, |date| date.packed()), bytes);
    varint(row.retires_on.map_or(0, |date| date.packed()), bytes);
    bytes.push(u8::from(row.deprecated));
    varint(parts.string(row.successor.as_deref().unwrap_or_default()), bytes);
    varint(parts.prices(row), bytes);
    bytes.push(row.price_source.map_or(0, |source| source as u8 + 1));
    bytes.push(row.sources.iter().fold(Sources::default(), |all, source| all.with(*source)).0);
    varint(parts.string(row.page.as_deref().unwrap_or_default()), bytes);
}

fn written_editions(editions: &[Edition], parts: &mut Parts) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(editions.len() as u64, &mut bytes);
    for edition in editions {
        bytes.push(edition.source as u8);
        varint(parts.string(&edition.version), &mut bytes);
        varint(edition.date.packed(), &mut bytes);
    }
    bytes
}

/// At most half full, so that a search ends soon. A name that stands there already is not put there again: nobody would come to it,
/// and thousands of one name would stand in each other's way.
fn slots(rows: &[Row]) -> Result<Vec<u8>, TooLarge> {
    let names: usize = rows.iter().map(|row| 1 + row.aliases.len()).sum();
    let count = (names * 2).next_power_of_two().max(2);
    let mut slots = vec![0_u32; count];
    let ids = rows.iter().enumerate().map(|(at, row)| (at, row, row.id.as_str()));
    let aliases = rows.iter().enumerate();
    let aliases =
        aliases.flat_map(|(at, row)| row.aliases.iter().map(move |alias| (at, row, alias.as_str())));
    let mut seen = BTreeSet::new();
    for (at, row, name) in ids.chain(aliases) {
        let canonical_name: Vec<u8> = name.bytes().map(canonical).collect();
        if !seen.insert((row.provider.as_str(), canonical_name)) {
            continue;
        }
        let hash = hash(&row.provider, name);
        let number = u32::try_from(at + 1).map_err(|_| TooLarge)?;
        let mut slot = hash as usize & (count - 1);
        while slots[slot] != 0 {
            slot = (slot + 1) & (count - 1);
        }
        slots[slot] = fingerprint(hash) << 16 | number;
    }
    Ok(slots.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn four(number: usize) -> Result<[u8; 4], TooLarge> {
    u32::try_from(number).map(u32::to_le_bytes).map_err(|_| TooLarge)
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
