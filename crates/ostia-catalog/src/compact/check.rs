//! Whether bytes are a whole catalogue, of which nothing is taken on trust.
//!
//! The rows that are read from a file are written again, and have to come out as the file's own bytes: so there is nothing in it
//! that a reader of single models could meet, and that was not looked at. Damage, and what a newer version added, is seen the same way.

use std::borrow::Cow;
use std::fmt;

use super::read::Pack;
use super::write::{MODELS_MAX, compact};
use super::{MAGIC, MAGIC_NAME};
use crate::model::Model;
use crate::row::Row;

/// Longest file, in bytes; the embedded one may have 1 MiB.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// How much the rows of a file may say, in bytes and numbers: many models may point at the same long text.
const SAID_MAX: usize = 64 << 20;

/// Why bytes are no catalogue that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// They are something else.
    NoCatalog,
    /// They are a catalogue in a form of another version.
    OtherForm,
    /// A part is missing or changed, or says what this version has no word for.
    Damaged,
    /// More than [`FILE_BYTES_MAX`], or more than so many bytes can honestly say.
    TooLarge,
    /// No model, or no version of a source: nobody could tell how old it is.
    Empty,
    /// Of this model nobody says where it is from.
    NoSource(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::NoCatalog => f.write_str(
                "it is no catalogue: it has to be the `catalog.bin` that `cargo xtask catalog` makes",
            ),
            Unfit::OtherForm => f.write_str("it is a catalogue in the form of another version of Ostia"),
            Unfit::Damaged => f.write_str(
                "it is not whole, or has words of a newer version of Ostia: fetch it again, or update Ostia",
            ),
            Unfit::TooLarge => {
                write!(f, "it is larger than a catalogue may be ({} MiB)", FILE_BYTES_MAX >> 20)
            }
            Unfit::Empty => f.write_str("it has no models, or does not say of which day they are"),
            Unfit::NoSource(model) => write!(f, "nobody says where its model {model:?} is from"),
        }
    }
}

impl std::error::Error for Unfit {}

/// Opens bytes of which everything has been read and found right.
pub(crate) fn check(bytes: Vec<u8>) -> Result<Pack, Unfit> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unfit::TooLarge);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(if bytes.starts_with(MAGIC_NAME) { Unfit::OtherForm } else { Unfit::NoCatalog });
    }
    let pack = Pack::open(Cow::Owned(bytes)).filter(|pack| pack.len() <= MODELS_MAX).ok_or(Unfit::Damaged)?;
    let rows = rows(&pack)?;
    let editions = pack.editions();
    let again = compact(&rows, &editions).map_err(|_| Unfit::TooLarge)?;
    if again != pack.bytes() {
        return Err(Unfit::Damaged);
    }
    if rows.is_empty() || editions.is_empty() {
        return Err(Unfit::Empty);
    }
    match rows.iter().find(|row| row.id.is_empty() || row.sources.is_empty()) {
        Some(row) => Err(Unfit::NoSource(format!("{}/{}", row.provider, row.id))),
        None => Ok(pack),
    }
}

/// All rows, as long as they say no more than [`SAID_MAX`].
fn rows(pack: &Pack) -> Result<Vec<Row>, Unfit> {
    let mut left = SAID_MAX;
    let row = |at: usize| {
        // Before the model is looked at: that passes over all of its aliases.
        spend(&mut left, pack.alias_count(at))?;
        let model = pack.model(at);
        weigh(&model, &mut left)?;
        Ok(model.row())
    };
    (0..pack.len()).map(row).collect()
}

/// Takes what a model says from what may still be said.
fn weigh(model: &Model<'_>, left: &mut usize) -> Result<(), Unfit> {
    let texts = [Some(model.provider), Some(model.id), model.name(), model.successor(), model.page()];
    for text in texts.into_iter().flatten().chain(model.aliases()) {
        spend(left, text.len())?;
    }
    for row in model.prices.rows() {
        spend(left, row.region.len() + row.rates_bytes() + 1)?;
    }
    for (region, _) in model.prices.factors() {
        spend(left, region.len() + 1)?;
    }
    Ok(())
}

fn spend(left: &mut usize, count: usize) -> Result<(), Unfit> {
    *left = left.checked_sub(count).ok_or(Unfit::TooLarge)?;
    Ok(())
}
