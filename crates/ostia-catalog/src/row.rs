//! A model as it is written down: one line of JSON in `data/models/PROVIDER.jsonl`.
//!
//! Lines instead of one document, so that a change of one model is a change of one line; texts instead of numbers for prices,
//! so that nobody rounds them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ability::{Abilities, Ability};
use crate::date::Date;
use crate::image::ImageKind;
use crate::mode::{Modality, Mode};
use crate::money::Currency;
use crate::rate::Rate;
use crate::source::Source;
use crate::tier::Tier;
use crate::unit::Unit;

/// A model at a provider, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Our id of the provider; the name of the file.
    #[serde(skip)]
    pub provider: String,
    /// The provider's name of the model.
    pub id: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other names that the provider takes for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it is for.
    pub mode: Mode,
    /// Tokens that a prompt may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// Tokens that an answer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// What goes in.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Modality>,
    /// What comes out.
    #[serde(default, rename = "out", skip_serializing_if = "Vec::is_empty")]
    pub gives: Vec<Modality>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<Ability>,
    /// What it cannot do. Of everything else nobody says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<Ability>,
    /// Since when there is such a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Date>,
    /// Does its vendor advise against it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// From when on it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_on: Option<Date>,
    /// What its vendor names in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<PriceText>,
    /// Regions whose prices are the standard ones times so many thousandths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub region_factors: BTreeMap<String, u16>,
    /// Who says what it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_source: Option<Source>,
    /// Who says all this.
    pub sources: Vec<Source>,
    /// The vendor's page that the source names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

impl Row {
    /// A row of which nothing is known.
    pub fn new(provider: &str, id: &str) -> Row {
        Row {
            provider: provider.to_owned(),
            id: id.to_owned(),
            name: None,
            aliases: Vec::new(),
            mode: Mode::Unknown,
            context: None,
            output: None,
            takes: Vec::new(),
            gives: Vec::new(),
            can: Vec::new(),
            cannot: Vec::new(),
            released: None,
            deprecated: false,
            retires_on: None,
            successor: None,
            prices: Vec::new(),
            region_factors: BTreeMap::new(),
            price_source: None,
            sources: Vec::new(),
            page: None,
        }
    }

    /// What is known of its abilities. What it cannot do goes before.
    pub fn abilities(&self) -> Abilities {
        let can = self.can.iter().fold(Abilities::default(), |all, ability| all.with(*ability, true));
        self.cannot.iter().fold(can, |all, ability| all.with(*ability, false))
    }

    /// Writes abilities down.
    pub fn set_abilities(&mut self, abilities: Abilities) {
        let of = |wanted: bool| {
            abilities.iter().filter(move |(_, can)| *can == wanted).map(|(ability, _)| ability).collect()
        };
        (self.can, self.cannot) = (of(true), of(false));
    }
}

/// The prices of one tier in one region, from one day on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceText {
    /// Of which tier.
    #[serde(default, skip_serializing_if = "is_standard")]
    pub tier: Tier,
    /// Of which region; empty: of all that have no prices of their own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// From when on; nothing: already when the data were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// In which currency.
    #[serde(default, skip_serializing_if = "is_dollar")]
    pub currency: Currency,
    /// Prices by unit and by the tokens of a prompt above which they hold.
    pub rates: Rates,
}

/// Prices for as many units as [`Unit::quantity`] says, each under what it is of: `{"input": "2.5", "input>272000": "5"}` for prompts
/// of more tokens, `{"output_images": "0.04", "output_images/1024x1792/hd": "0.12"}` for images of one size and quality.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Rates {
    /// By unit and by the tokens of a prompt above which they hold.
    pub units: BTreeMap<(Unit, u64), Rate>,
    /// Of one image, by its kind. Where there are some, the price of [`Unit::OutputImages`] is that of images for which a request says
    /// neither size nor quality.
    pub images: BTreeMap<ImageKind, Rate>,
}

impl Rates {
    /// Prices of units alone.
    pub fn of_units(units: BTreeMap<(Unit, u64), Rate>) -> Rates {
        Rates { units, images: BTreeMap::new() }
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.images.is_empty()
    }
}

/// The unit whose prices are told by kind.
const IMAGE: Unit = Unit::OutputImages;

impl From<Rates> for BTreeMap<String, String> {
    fn from(rates: Rates) -> BTreeMap<String, String> {
        let key = |(unit, above): (Unit, u64)| match above {
            0 => unit.name().to_owned(),
            above => format!("{}>{above}", unit.name()),
        };
        let units = rates.units.into_iter().map(|(at, rate)| (key(at), rate.text(at.0.quantity())));
        let image = |(kind, rate): (ImageKind, Rate)| {
            (format!("{}/{kind}", IMAGE.name()), rate.text(IMAGE.quantity()))
        };
        units.chain(rates.images.into_iter().map(image)).collect()
    }
}

impl TryFrom<BTreeMap<String, String>> for Rates {
    type Error = String;

    fn try_from(map: BTreeMap<String, String>) -> Result<Rates, String> {
        let mut rates = Rates::default();
        for (key, price) in map {
            let read = |unit: Unit| Rate::parse(&price, unit.quantity()).map_err(|error| error.to_string());
            if let Some((name, kind)) = key.split_once('/').filter(|(name, _)| *name == IMAGE.name()) {
                let kind = ImageKind::parse(kind).ok_or_else(|| {
                    format!("`{kind}` is no kind of images: write `{name}/SIZE`, `{name}/QUALITY` or `{name}/SIZE/QUALITY`")
                })?;
                rates.images.insert(kind, read(IMAGE)?);
                continue;
            }
            let (name, above) = key.split_once('>').unwrap_or((&key, "0"));
            let unit = Unit::named(name).ok_or_else(|| format!("`{name}` is no unit"))?;
            let above = above.parse().map_err(|_| format!("`{above}` is no number of tokens"))?;
            rates.units.insert((unit, above), read(unit)?);
        }
        Ok(rates)
    }
}

fn is_standard(tier: &Tier) -> bool {
    *tier == Tier::Standard
}

fn is_dollar(currency: &Currency) -> bool {
    *currency == Currency::USD
}

/// What is wrong with a file of models, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Fault {}

/// Reads the models of a provider.
///
/// # Errors
/// A line that is no model, or one without a source.
pub fn parse(provider: &str, text: &str) -> Result<Vec<Row>, Fault> {
    let read = |(at, line): (usize, &str)| {
        let fault = |message: String| Fault { line: at + 1, message };
        let row: Row = serde_json::from_str(line).map_err(|error| fault(error.to_string()))?;
        match row {
            row if row.id.is_empty() => Err(fault("a model needs an id".to_owned())),
            row if row.sources.is_empty() => Err(fault(format!("`{}` needs a source", row.id))),
            row => Ok(Row { provider: provider.to_owned(), ..row }),
        }
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(read).collect()
}

/// Writes models down, in the order in which they come.
pub fn print(rows: &[Row]) -> String {
    let lines = rows.iter().filter_map(|row| serde_json::to_string(row).ok());
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests;
