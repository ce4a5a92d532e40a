//! What is written is read; what was not written is no panic.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::write::MODELS_MAX;
use super::*;
use crate::ability::{Abilities, Ability};
use crate::catalog::Catalog;
use crate::date::Date;
use crate::image::ImageKind;
use crate::mode::{Modalities, Modality, Mode};
use crate::money::Currency;
use crate::rate::Rate;
use crate::row::{PriceText, Rates, Row, parse, print};
use crate::source::{Edition, Source, Sources};
use crate::tier::Tier;
use crate::unit::Unit;

fn dates() -> impl Strategy<Value = Option<Date>> {
    prop::option::of((2020_u16..2030, 1_u8..13, 1_u8..29)).prop_map(|day| {
        let (year, month, day) = day?;
        Date::of(year, month, day)
    })
}

fn prices() -> impl Strategy<Value = Vec<PriceText>> {
    let rate = (prop::sample::select(Unit::ALL), prop_oneof![Just(0), any::<u64>()], any::<u64>());
    let rates = prop::collection::btree_map(
        rate.clone().prop_map(|(unit, above, _)| (unit, above)),
        any::<u64>().prop_map(Rate),
        0..6,
    );
    let kind = ("([0-9]x[0-9])?", "[a-z]{1,3}").prop_map(|(size, quality)| ImageKind { size, quality });
    let images = prop::collection::btree_map(kind, any::<u64>().prop_map(Rate), 0..4);
    let row = (prop::sample::select(&Tier::ALL), "[a-z]{0,3}", dates(), rates, images).prop_map(
        |(tier, region, from, units, images)| PriceText {
            tier,
            region,
            from,
            currency: Currency::USD,
            rates: Rates { units, images },
        },
    );
    prop::collection::vec(row, 0..4)
}

fn row() -> impl Strategy<Value = Row> {
    let names = ("[a-c]{1,2}", "[A-Za-z@.-]{1,6}", prop::collection::vec("[a-z]{1,6}", 0..4));
    let numbers = (0_u8..64, 0_u8..32, prop::option::of(1_u64..u64::MAX), prop::option::of(1_u64..9));
    let sets = (any::<u64>(), any::<u64>(), 0..Mode::ALL.len());
    let factors = prop::collection::btree_map("[a-z]{2}", any::<u16>(), 0..3);
    let more = (prices(), factors, dates(), dates(), any::<bool>(), prop::option::of("[a-z]{1,9}"));
    (names, numbers, sets, more).prop_map(|(names, numbers, sets, more)| {
        let (prices, region_factors, released, retires_on, deprecated, text) = more;
        let all = (1 << Ability::ALL.len()) - 1;
        let known = sets.0 & all;
        let mut row = Row {
            aliases: names.2,
            mode: Mode::ALL[sets.2],
            context: numbers.2,
            output: numbers.3,
            takes: Modalities(numbers.1).iter().collect::<Vec<Modality>>(),
            released,
            retires_on,
            deprecated,
            successor: text.clone(),
            name: text.clone(),
            page: text,
            prices,
            region_factors,
            price_source: Source::ALL.get(usize::from(numbers.0)).copied(),
            sources: Sources(numbers.1).iter().collect(),
            ..Row::new(&names.0, &names.1)
        };
        row.set_abilities(Abilities { known, has: sets.1 & known });
        row
    })
}

fn pack(rows: &[Row]) -> Pack {
    Pack::open(Cow::Owned(compact(rows, &[]).unwrap())).unwrap()
}

proptest! {
    #[test]
    fn rows_come_back(rows in prop::collection::vec(row(), 0..12)) {
        let pack = pack(&rows);
        prop_assert_eq!(pack.len(), rows.len());
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(&pack.model(at).row(), row);
        }
    }

    #[test]
    fn texts_come_back(rows in prop::collection::vec(row(), 0..6)) {
        let rows: Vec<Row> = rows
            .into_iter()
            .filter(|row| !row.sources.is_empty())
            .map(|row| Row { provider: "p".to_owned(), ..row })
            .collect();
        prop_assert_eq!(parse("p", &print(&rows)), Ok(rows));
    }

    #[test]
    fn lines_are_no_panic(text in "[{}\\[\\]:,\"a-z0-9>. ]{0,80}", name in "\\PC{0,40}") {
        let _ = parse("p", &text);
        let _ = Catalog::embedded().find("openai", &name);
    }

    #[test]
    fn every_name_is_found_and_no_other(rows in prop::collection::vec(row(), 0..12), other in "[a-z]{7}") {
        let pack = pack(&rows);
        let mut seen = BTreeSet::new();
        for row in &rows {
            let name: String = row.id.bytes().map(|byte| char::from(canonical(byte))).collect();
            let found = pack.find(&row.provider, &row.id).unwrap();
            prop_assert!(same(found.id.as_bytes(), row.id.as_bytes()) && found.provider == row.provider);
            if seen.insert((row.provider.clone(), name)) {
                // Of two with one name the first.
                prop_assert_eq!(found.row(), row.clone());
            }
            for alias in &row.aliases {
                prop_assert!(pack.find(&row.provider, alias).is_some());
            }
            prop_assert!(pack.find(&row.provider, &other).is_none());
        }
    }

    /// One byte that is wrong anywhere, or one that is missing or too many: never a catalogue, and soon said.
    #[test]
    fn damage_is_found(rows in prop::collection::vec(row(), 1..6), at in any::<prop::sample::Index>(), byte: u8) {
        let bytes = compact(&rows, &[edition()]).unwrap();
        let at = at.index(bytes.len());
        let mut changed = bytes.clone();
        changed[at] = byte;
        prop_assert!(changed == bytes || check(changed).is_err());
        prop_assert!(check(bytes[..at].to_vec()).is_err());
        prop_assert!(check([&bytes[..], &[byte]].concat()).is_err());
    }

    #[test]
    fn what_is_whole_is_taken(rows in prop::collection::vec(row(), 1..6)) {
        let bytes = compact(&rows, &[edition()]).unwrap();
        let all_named = rows.iter().all(|row| !row.sources.is_empty());
        prop_assert_eq!(check(bytes.clone()).is_ok(), all_named);
        prop_assert_eq!(Catalog::read(bytes).is_ok(), all_named);
    }

    #[test]
    fn broken_bytes_are_no_panic(rows in prop::collection::vec(row(), 1..6), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = compact(&rows, &[]).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.index(bytes.len() / 4));
        let Some(pack) = Pack::open(Cow::Owned(bytes)) else { return Ok(()) };
        for row in &rows {
            if let Some(model) = pack.find(&row.provider, &row.id) {
                // As much as a test has patience for: a broken number may promise many more.
                let _ = (model.name(), model.aliases().take(99).count(), model.prices.rows().take(99).count());
            }
        }
    }
}

fn edition() -> Edition {
    Edition { source: Source::Vendor, version: "1".to_owned(), date: Date::parse("2026-11-29").unwrap() }
}

#[test]
fn what_is_refused_says_why() {
    let whole = parse("p", r#"{"id":"m","mode":"chat","sources":["vendor"]}"#).unwrap();
    let bytes = |rows: &[Row]| compact(rows, &[edition()]).unwrap();
    let mut of_another_version = bytes(&whole);
    of_another_version[7] += 1;
    let nameless = Row { id: String::new(), ..whole[0].clone() };
    // Many models that share one long text: a small file that would take gigabytes.
    let long = Row { page: Some("x".repeat(100_000)), ..whole[0].clone() };
    for (bytes, expected) in [
        (Vec::new(), Unfit::NoCatalog),
        (b"{\"id\": \"m\"}".to_vec(), Unfit::NoCatalog),
        (MAGIC.to_vec(), Unfit::Damaged),
        (of_another_version, Unfit::OtherForm),
        (vec![0; FILE_BYTES_MAX + 1], Unfit::TooLarge),
        (bytes(&vec![long; 1000]), Unfit::TooLarge),
        (bytes(&[]), Unfit::Empty),
        (compact(&whole, &[]).unwrap(), Unfit::Empty),
        (bytes(&[Row::new("p", "m")]), Unfit::NoSource("p/m".to_owned())),
        (bytes(&[nameless]), Unfit::NoSource("p/".to_owned())),
    ] {
        assert_eq!(Catalog::read(bytes).map(|_| ()), Err(expected));
    }
    assert!(Catalog::read(bytes(&whole)).is_ok());
}

/// A header that promises more than there is may not keep a reader busy.
#[test]
fn promises_are_bounded() {
    let mut bytes = compact(&[], &[edition()]).unwrap();
    let models = MAGIC.len() + SUM_BYTES;
    for count in [MODELS_MAX as u32, u32::MAX] {
        bytes[models..models + 4].copy_from_slice(&count.to_le_bytes());
        assert_eq!(check(bytes.clone()).map(|_| ()), Err(Unfit::Damaged), "{count}");
    }
}

#[test]
fn what_is_no_catalogue() {
    assert!(Pack::open(Cow::Borrowed(b"")).is_none());
    assert!(Pack::open(Cow::Borrowed(MAGIC)).is_none());
    let bytes = compact(&[], &[]).unwrap();
    assert!(Pack::open(Cow::Owned(bytes[..bytes.len() - 2].to_vec())).is_none());
    for empty in [Pack::open(Cow::Owned(bytes)).unwrap(), Pack::default()] {
        assert!(empty.len() == 0 && empty.find("p", "m").is_none());
    }
}
