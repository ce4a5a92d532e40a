//! [`Prices`]: what a model costs, by tier, region, day and length of the prompt.

use crate::compact::{Cursor, Pack};
use crate::date::Date;
use crate::image::{ImageAsked, ImageKind, Names};
use crate::money::Currency;
use crate::rate::Rate;
use crate::row::{PriceText, Rates};
use crate::tier::Tier;
use crate::unit::Unit;

/// A factor of one, in thousandths.
pub(crate) const FACTOR_ONE: u16 = 1000;

/// On which terms a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms<'a> {
    /// In which tier the vendor served it.
    pub tier: Tier,
    /// In which region; nothing where the provider has none, or it is the one that is meant without a word.
    pub region: Option<&'a str>,
    /// On which day; nothing: when the data were made.
    pub on: Option<Date>,
    /// Tokens of the prompt; nothing: as many as the usage has.
    pub context_tokens: Option<u64>,
    /// Which images were made.
    pub images: ImageAsked<'a>,
}

/// All prices of a model.
#[derive(Debug, Clone, Copy)]
pub struct Prices<'a> {
    pack: &'a Pack,
    bytes: Cursor<'a>,
}

/// The prices of one tier in one region, from one day on.
#[derive(Debug, Clone, Copy)]
pub struct PriceRow<'a> {
    /// Of which tier.
    pub tier: Tier,
    /// Of which region; empty: of all that have no prices of their own.
    pub region: &'a str,
    /// From when on; nothing: already when the data were made.
    pub from: Option<Date>,
    /// In which currency.
    pub currency: Currency,
    rates: Cursor<'a>,
    images: Cursor<'a>,
    pack: &'a Pack,
}

impl<'a> Prices<'a> {
    pub(crate) fn new(pack: &'a Pack, bytes: Cursor<'a>) -> Prices<'a> {
        Prices { pack, bytes }
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = PriceRow<'a>> + use<'a> {
        let (pack, mut cursor) = (self.pack, self.bytes);
        (0..cursor.count()).map(move |_| row(pack, &mut cursor))
    }

    /// Regions whose prices are the standard ones times so many thousandths.
    pub fn factors(&self) -> impl Iterator<Item = (&'a str, u16)> + use<'a> {
        let (pack, mut cursor) = (self.pack, self.bytes);
        for _ in 0..cursor.count() {
            row(pack, &mut cursor);
        }
        (0..cursor.count()).map(move |_| {
            (pack.string(cursor.varint()), u16::try_from(cursor.varint()).unwrap_or(FACTOR_ONE))
        })
    }

    /// Is nothing known?
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// The row of a tier in a region that is in force.
    fn in_force(&self, tier: Tier, region: &str, on: Option<Date>) -> Option<PriceRow<'a>> {
        let rows = self.rows().filter(|row| row.tier == tier && row.region == region);
        rows.filter(|row| row.is_in_force(on)).max_by_key(|row| row.from)
    }

    /// What a unit costs on these terms, for a short prompt: the tier's own price, else the standard one.
    pub fn rate(&self, unit: Unit, terms: &Terms<'_>) -> Option<(Rate, Currency)> {
        let region = terms.region.unwrap_or_default();
        let mut rows = [(terms.tier, region), (Tier::Standard, region), (Tier::Standard, "")].into_iter();
        rows.find_map(|(tier, region)| {
            let row = self.in_force(tier, region, terms.on)?;
            Some((row.rate_of(unit, terms.context_tokens.unwrap_or_default(), terms.images)?, row.currency))
        })
    }
}

fn row<'a>(pack: &'a Pack, cursor: &mut Cursor<'a>) -> PriceRow<'a> {
    let part = |cursor: &mut Cursor<'a>| {
        let length = cursor.varint();
        cursor.split(length)
    };
    PriceRow {
        pack,
        tier: Tier::ALL.get(usize::from(cursor.byte())).copied().unwrap_or_default(),
        region: pack.string(cursor.varint()),
        from: Date::unpacked(cursor.varint()),
        currency: Currency::parse(pack.string(cursor.varint())).unwrap_or_default(),
        rates: part(cursor),
        images: part(cursor),
    }
}

fn kind(size: &str, quality: &str) -> ImageKind {
    ImageKind { size: size.to_owned(), quality: quality.to_owned() }
}

impl<'a> PriceRow<'a> {
    /// Has it begun by that day? Nothing: by the day when the data were made.
    pub(crate) fn is_in_force(&self, on: Option<Date>) -> bool {
        self.from.is_none_or(|from| on.is_some_and(|on| from <= on))
    }

    /// Prices with their units and the tokens of a prompt above which they hold, in that order.
    pub fn rates(&self) -> impl Iterator<Item = (Unit, u64, Rate)> + use<'a> {
        let mut cursor = self.rates;
        std::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            let unit = Unit::ALL.get(usize::from(cursor.byte())).copied()?;
            Some((unit, cursor.varint(), Rate(cursor.varint())))
        })
    }

    /// The price of a unit for a prompt of so many tokens.
    pub fn rate(&self, unit: Unit, context_tokens: u64) -> Option<Rate> {
        let of_unit = self.rates().filter(|(of, ..)| *of == unit);
        // They stand in the order of their borders. The first has none, but where a source says only what is above.
        of_unit
            .take_while(|(_, above, _)| *above == 0 || *above < context_tokens)
            .last()
            .map(|(.., rate)| rate)
    }

    /// Prices of one image with their size and quality, in that order; empty where the price is one of images for which that is not said.
    pub fn images(&self) -> impl Iterator<Item = (&'a str, &'a str, Rate)> + use<'a> {
        let (pack, mut cursor) = (self.pack, self.images);
        std::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            Some((pack.string(cursor.varint()), pack.string(cursor.varint()), Rate(cursor.varint())))
        })
    }

    /// The price of a unit, that of images by their kind.
    pub(crate) fn rate_of(&self, unit: Unit, context_tokens: u64, images: ImageAsked<'_>) -> Option<Rate> {
        if unit != Unit::OutputImages || self.images.is_empty() {
            return self.rate(unit, context_tokens);
        }
        let names = self.images().fold(Names::default(), |names, (size, quality, _)| Names {
            size: names.size || !size.is_empty(),
            quality: names.quality || !quality.is_empty(),
        });
        if images.is("", "", names) {
            return self.rate(unit, context_tokens);
        }
        self.images().find(|(size, quality, _)| images.is(size, quality, names)).map(|(.., rate)| rate)
    }

    pub(crate) fn rates_bytes(&self) -> usize {
        let images: usize = self.images().map(|(size, quality, _)| size.len() + quality.len()).sum();
        self.rates.byte_count() + self.images.byte_count() + images
    }

    /// As it is written down.
    pub(crate) fn text(&self) -> PriceText {
        PriceText {
            tier: self.tier,
            region: self.region.to_owned(),
            from: self.from,
            currency: self.currency,
            rates: Rates {
                units: self.rates().map(|(unit, above, rate)| ((unit, above), rate)).collect(),
                images: self.images().map(|(size, quality, rate)| (kind(size, quality), rate)).collect(),
            },
        }
    }
}
