//! Bills that are known, and laws that hold for all of them.

use proptest::prelude::*;

use super::*;
use crate::catalog::Catalog;
use crate::date::Date;
use crate::row::{Row, parse};

fn catalog(prices: &str, factors: &str) -> Catalog {
    let line = format!(
        r#"{{"id":"m","mode":"chat","prices":{prices},"region_factors":{factors},"sources":["vendor"]}}"#
    );
    Catalog::of(&parse("p", &line).unwrap(), &[]).unwrap()
}

fn used(counts: &[(Unit, u64)]) -> Usage {
    counts.iter().fold(Usage::default(), |usage, (unit, count)| usage.with(*unit, *count))
}

/// The bill in full, or why there is none.
fn bill(catalog: &Catalog, usage: &Usage, terms: &Terms<'_>) -> Result<String, Unknown> {
    let model = catalog.listed("p", "m").unwrap();
    cost(usage, &model.prices, terms).map(|cost| cost.total.rounded(18))
}

const OPENAI: &str = r#"[
    {"rates":{"input":"2.5","input>272000":"5","cached_input":"0.25","cached_input>272000":"0.5","output":"15","output>272000":"22.5","web_searches":"10"}},
    {"from":"2027-01-01","rates":{"input":"3","output":"16"}},
    {"tier":"batch","rates":{"input":"1.25","output":"7.5"}},
    {"region":"jp","rates":{"input":"4"}},
    {"tier":"priority","region":"jp","rates":{"input":"8"}}
]"#;

#[test]
fn bills_of_vendors() {
    use Unit::{CacheWrite, CacheWrite1h, CachedInput, Input, Output, Reasoning, WebSearches};
    let check = |prices: &str, counts: &[(Unit, u64)], expected: &str| {
        let catalog = catalog(&prices.replace('\n', ""), "{}");
        assert_eq!(bill(&catalog, &used(counts), &Terms::default()).as_deref(), Ok(expected), "{counts:?}");
    };
    // Anthropic's own example of a prompt with a cache
    // (https://platform.claude.com/docs/en/about-claude/pricing): Sonnet, $3, $3.75, $6, $0.30, $15.
    let sonnet = r#"[{"rates":{"input":"3","cache_write":"3.75","cache_write_1h":"6","cached_input":"0.3","output":"15"}}]"#;
    check(sonnet, &[(Input, 1_000_000), (Output, 1_000_000)], "18");
    check(sonnet, &[(Input, 21), (CacheWrite, 188_086), (Output, 393)], "0.7112805");
    check(sonnet, &[(Input, 21), (CachedInput, 188_086), (Output, 393)], "0.0623838");
    check(sonnet, &[(CacheWrite1h, 1000)], "0.006");
    // A short conversation with gpt-4o-mini: $0.15, $0.075, $0.60.
    let mini = r#"[{"rates":{"input":"0.15","cached_input":"0.075","output":"0.6"}}]"#;
    check(mini, &[(Input, 19), (Output, 10)], "0.00000885");
    check(mini, &[(Input, 1), (CachedInput, 1)], "0.000000225");
    // Gemini Flash-Lite: $0.0375 for a million.
    check(r#"[{"rates":{"input":"0.0375"}}]"#, &[(Input, 1)], "0.0000000375");
    check(r#"[{"rates":{"input":"0.0375"}}]"#, &[(Input, 1_000_000_000_000)], "37500");
    // Reasoning is charged as output where it has no price of its own; ten searches.
    check(OPENAI, &[(Input, 1000), (Output, 200), (Reasoning, 800), (WebSearches, 10)], "0.1175");
    let deep = r#"[{"rates":{"output":"8","reasoning":"3"}}]"#;
    check(deep, &[(Output, 1_000_000), (Reasoning, 1_000_000)], "11");
    // Whisper: $0.006 a minute.
    check(r#"[{"rates":{"input_seconds":"0.0001"}}]"#, &[(Unit::InputSeconds, 60)], "0.006");
    // Rerank: $2 for a thousand; OCR: $1 for a thousand pages.
    check(r#"[{"rates":{"queries":"2","pages":"1"}}]"#, &[(Unit::Queries, 1), (Unit::Pages, 7)], "0.009");
    check(OPENAI, &[], "0");
}

#[test]
fn terms_choose_the_price() {
    let catalog = catalog(&OPENAI.replace('\n', ""), r#"{"eu":1100}"#);
    let million = used(&[(Unit::Input, 1_000_000)]);
    let check = |usage: &Usage, terms: Terms<'_>, expected: Result<&str, Unknown>| {
        let found = bill(&catalog, usage, &terms);
        assert_eq!(found.as_deref().map_err(|unknown| *unknown), expected, "{terms:?}");
    };
    let short = Terms { context_tokens: Some(1000), ..Terms::default() };
    check(&million, short, Ok("2.5"));
    // The border itself is below; what is not said is the usage's own prompt.
    check(&million, Terms { context_tokens: Some(272_000), ..short }, Ok("2.5"));
    check(&million, Terms { context_tokens: Some(272_001), ..short }, Ok("5"));
    check(&million, Terms::default(), Ok("5"));
    check(&used(&[(Unit::Input, 272_000)]), Terms::default(), Ok("0.68"));
    check(&used(&[(Unit::Input, 272_000), (Unit::CachedInput, 1)]), Terms::default(), Ok("1.3600005"));
    // Days.
    let on = |day: &str| Terms { on: Date::parse(day), ..short };
    check(&million, on("2026-12-31"), Ok("2.5"));
    check(&million, on("2027-01-01"), Ok("3"));
    // Tiers: their own price, the standard one for what they have none for, and none for a tier that there is not.
    let batch = Terms { tier: Tier::Batch, ..short };
    check(&million, batch, Ok("1.25"));
    check(&used(&[(Unit::WebSearches, 1000)]), batch, Ok("10"));
    check(&million, Terms { tier: Tier::Flex, ..short }, Err(Unknown::Tier(Tier::Flex)));
    // Regions: a row, a factor, neither.
    let region = |region| Terms { region: Some(region), ..short };
    check(&million, region("jp"), Ok("4"));
    check(&used(&[(Unit::WebSearches, 1000)]), region("jp"), Ok("10"));
    check(&million, Terms { tier: Tier::Priority, ..region("jp") }, Ok("8"));
    check(&million, Terms { tier: Tier::Batch, ..region("jp") }, Err(Unknown::Tier(Tier::Batch)));
    check(&million, region("eu"), Ok("2.75"));
    check(&million, region("mars"), Ok("2.5"));
}

#[test]
fn what_nobody_knows_is_not_nothing() {
    let check = |prices: &str, counts: &[(Unit, u64)], expected: Unknown| {
        assert_eq!(bill(&catalog(prices, "{}"), &used(counts), &Terms::default()), Err(expected));
    };
    check("[]", &[(Unit::Input, 1)], Unknown::Prices);
    check("[]", &[], Unknown::Prices);
    let input = r#"[{"rates":{"input":"1"}}]"#;
    check(input, &[(Unit::Input, 1), (Unit::Output, 1)], Unknown::Unit(Unit::Output));
    check(input, &[(Unit::CachedInput, 1)], Unknown::Unit(Unit::CachedInput));
    check(input, &[(Unit::AudioInput, 1)], Unknown::Unit(Unit::AudioInput));
    check(input, &[(Unit::Input, COUNT_MAX + 1)], Unknown::Count(Unit::Input));
    let euro = r#"[{"tier":"standard","rates":{"input":"1","web_searches":"1"}},{"tier":"batch","currency":"EUR","rates":{"input":"1"}}]"#;
    let terms = Terms { tier: Tier::Batch, ..Terms::default() };
    let both = used(&[(Unit::Input, 1), (Unit::WebSearches, 1)]);
    assert_eq!(bill(&catalog(euro, "{}"), &both, &terms), Err(Unknown::Currencies));
}

#[test]
fn images_have_the_price_of_their_kind() {
    let check = |rates: &str, size: Option<&str>, quality: Option<&str>, expected: Result<&str, Unknown>| {
        let catalog = catalog(&format!(r#"[{{"rates":{rates}}}]"#), "{}");
        let terms = Terms { images: crate::ImageAsked { size, quality }, ..Terms::default() };
        let found = bill(&catalog, &used(&[(Unit::OutputImages, 3)]), &terms);
        assert_eq!(found.as_deref().map_err(|unknown| *unknown), expected, "{rates} {size:?} {quality:?}");
    };
    let both =
        r#"{"output_images":"0.04","output_images/1024x1792":"0.08","output_images/1024x1792/hd":"0.12"}"#;
    check(both, Some(""), Some(""), Ok("0.12"));
    check(both, Some("1024x1792"), Some(""), Ok("0.24"));
    check(both, Some("1024X1792"), Some("HD"), Ok("0.36"));
    for (size, quality) in
        [(Some("1024x1792"), Some("low")), (Some("1x1"), Some("")), (None, Some("")), (Some(""), None)]
    {
        check(both, size, quality, Err(Unknown::Images));
    }
    // What no price names makes no difference.
    let by_size = r#"{"output_images/2k":"0.1"}"#;
    check(by_size, Some("2K"), None, Ok("0.3"));
    check(by_size, Some(""), Some("hd"), Err(Unknown::Images));
    let flat = r#"{"output_images":"0.04"}"#;
    check(flat, None, None, Ok("0.12"));
    check(r#"{"input":"1"}"#, Some("2k"), None, Err(Unknown::Unit(Unit::OutputImages)));
}

fn counts() -> impl Strategy<Value = Vec<(Unit, u64)>> {
    let unit = prop::sample::select(&[Unit::Input, Unit::CachedInput, Unit::Output, Unit::Reasoning][..]);
    prop::collection::vec((unit, 0..COUNT_MAX / 16), 0..8)
}

proptest! {
    #[test]
    fn bills_add_up(one in counts(), two in counts(), context in prop::option::of(0_u64..400_000)) {
        let catalog = catalog(&OPENAI.replace('\n', ""), "{}");
        let terms = Terms { context_tokens: Some(context.unwrap_or_default()), ..Terms::default() };
        let of = |usage: &Usage| {
            let cost = cost(usage, &catalog.listed("p", "m").unwrap().prices, &terms).unwrap();
            let lines: u128 = cost.lines.iter().map(|line| line.money.atto).sum();
            assert_eq!(lines, cost.total.atto);
            cost.total.atto
        };
        let (one, two) = (used(&one), used(&two));
        prop_assert_eq!(of(&one) + of(&two), of(&one.plus(&two)));
    }

    #[test]
    fn more_never_costs_less(counts in counts(), unit in 0_usize..4, more in 0..COUNT_MAX / 16) {
        let catalog = catalog(&OPENAI.replace('\n', ""), "{}");
        let prices = catalog.listed("p", "m").unwrap().prices;
        let unit = [Unit::Input, Unit::CachedInput, Unit::Output, Unit::Reasoning][unit];
        let usage = used(&counts);
        let of = |usage: &Usage| cost(usage, &prices, &Terms::default()).unwrap().total.atto;
        prop_assert!(of(&usage) <= of(&usage.with(unit, more)));
    }

    #[test]
    fn no_bill_is_too_large(rate in 0..=u64::MAX, factor: u16) {
        let rates: Vec<((Unit, u64), Rate)> = Unit::ALL.iter().map(|unit| ((*unit, 0), Rate(rate))).collect();
        let price = crate::row::PriceText { rates: crate::row::Rates::of_units(rates.into_iter().collect()), ..Default::default() };
        let row = Row {
            prices: vec![price],
            region_factors: [("x".to_owned(), factor)].into(),
            ..Row::new("p", "m")
        };
        let catalog = Catalog::of(&[row], &[]).unwrap();
        let all = Unit::ALL.iter().fold(Usage::default(), |usage, unit| usage.with(*unit, COUNT_MAX));
        let terms = Terms { region: Some("x"), ..Terms::default() };
        let cost = cost(&all, &catalog.listed("p", "m").unwrap().prices, &terms).unwrap();
        let each = u128::from(COUNT_MAX) * u128::from(rate) * u128::from(factor);
        prop_assert_eq!(cost.total.atto, each * Unit::ALL.len() as u128);
    }
}
