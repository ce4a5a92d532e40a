//! [`Model`]: a look at a model of the catalogue.

use crate::ability::{Abilities, Ability};
use crate::compact::{Cursor, Pack};
use crate::date::Date;
use crate::mode::{Modalities, Mode};
use crate::prices::Prices;
use crate::row::Row;
use crate::source::{Source, Sources};

/// A model at a provider, with what is known of it. Small, and owns nothing.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    pub(crate) pack: &'a Pack,
    /// The provider's id.
    pub provider: &'a str,
    /// The provider's name of the model.
    pub id: &'a str,
    pub(crate) aliases: Cursor<'a>,
    pub(crate) name_at: u64,
    /// What it is for.
    pub mode: Mode,
    /// Tokens that a prompt may have.
    pub context: Option<u64>,
    /// Tokens that an answer may have.
    pub output: Option<u64>,
    /// What goes in; empty where nobody says.
    pub takes: Modalities,
    /// What comes out; empty where nobody says.
    pub gives: Modalities,
    /// What it can do.
    pub abilities: Abilities,
    /// Since when there is such a model.
    pub released: Option<Date>,
    /// From when on it does not answer.
    pub retires_on: Option<Date>,
    /// Does its vendor advise against it?
    pub deprecated: bool,
    pub(crate) successor_at: u64,
    /// What it costs.
    pub prices: Prices<'a>,
    /// Who says what it costs.
    pub price_source: Option<Source>,
    /// Who says all this.
    pub sources: Sources,
    pub(crate) page_at: u64,
}

impl<'a> Model<'a> {
    /// The name for people.
    pub fn name(&self) -> Option<&'a str> {
        self.text(self.name_at)
    }

    /// Other names that the provider takes for it.
    pub fn aliases(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (pack, mut cursor) = (self.pack, self.aliases);
        (0..cursor.count()).map(move |_| pack.string(cursor.varint()))
    }

    /// What its vendor names in its place.
    pub fn successor(&self) -> Option<&'a str> {
        self.text(self.successor_at)
    }

    /// The vendor's page that the source names.
    pub fn page(&self) -> Option<&'a str> {
        self.text(self.page_at)
    }

    /// Can it? Nothing where nobody says.
    pub fn can(&self, ability: Ability) -> Option<bool> {
        self.abilities.can(ability)
    }

    /// As it is written down.
    pub fn row(&self) -> Row {
        let mut row = Row {
            name: self.name().map(str::to_owned),
            aliases: self.aliases().map(str::to_owned).collect(),
            mode: self.mode,
            context: self.context,
            output: self.output,
            takes: self.takes.iter().collect(),
            gives: self.gives.iter().collect(),
            released: self.released,
            deprecated: self.deprecated,
            retires_on: self.retires_on,
            successor: self.successor().map(str::to_owned),
            prices: self.prices.rows().map(|row| row.text()).collect(),
            region_factors: self
                .prices
                .factors()
                .map(|(region, factor)| (region.to_owned(), factor))
                .collect(),
            price_source: self.price_source,
            sources: self.sources.iter().collect(),
            page: self.page().map(str::to_owned),
            ..Row::new(self.provider, self.id)
        };
        row.set_abilities(self.abilities);
        row
    }

    fn text(&self, at: u64) -> Option<&'a str> {
        Some(self.pack.string(at)).filter(|text| !text.is_empty())
    }
}
