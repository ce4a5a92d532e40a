//! Prices that cannot be: a source put down the wrong unit.

use ostia_catalog::{PriceText, Row, Unit};

use crate::report::Skipped;

/// Dollars for as many as a unit's prices are written down for; what is outside was never asked by anybody.
const BOUNDS: [(Unit, f64, f64); 7] = [
    (Unit::Input, 0.001, 1000.0),
    (Unit::Output, 0.001, 1000.0),
    (Unit::AudioInput, 0.001, 1000.0),
    (Unit::AudioOutput, 0.001, 2000.0),
    (Unit::ImageOutput, 0.001, 1000.0),
    (Unit::Pages, 0.1, 100.0),
    (Unit::WebSearches, 0.01, 100.0),
];

/// Models whose images cost by size and quality, and of which the lists have one price for all: that is right for one kind, and nobody
/// says for which (<https://aws.amazon.com/bedrock/pricing/>, Amazon).
const ONE_PRICE_OF_MANY: [(&str, &str); 2] =
    [("bedrock", "amazon.nova-canvas"), ("bedrock", "amazon.titan-image-generator")];

/// Leaves out what cannot be.
pub fn drop_wrong(row: &mut Row, skipped: &mut Skipped) {
    let is_of_many = |(provider, name): &(&str, &str)| row.provider == *provider && row.id.contains(name);
    if ONE_PRICE_OF_MANY.iter().any(is_of_many)
        && row.prices.iter().all(|prices| prices.rates.images.is_empty())
    {
        skipped.add("one price for images of all sizes and qualities, which cost differently");
        let is_of_images = |unit: Unit| matches!(unit, Unit::InputImages | Unit::OutputImages);
        row.prices
            .iter_mut()
            .for_each(|prices| prices.rates.units.retain(|(unit, _), _| !is_of_images(*unit)));
    }
    for prices in &mut row.prices {
        let wrong = wrong(prices);
        for unit in wrong {
            skipped.add(&format!("a price of {} that cannot be", unit.name()));
            prices.rates.units.retain(|(of, _), _| *of != unit);
        }
    }
    row.prices.retain(|prices| !prices.rates.is_empty());
    if row.prices.is_empty() {
        row.price_source = None;
    }
}

fn wrong(prices: &PriceText) -> Vec<Unit> {
    let of = |unit: Unit| {
        let rate = prices.rates.units.get(&(unit, 0)).filter(|rate| rate.0 > 0)?;
        rate.text(unit.quantity()).parse::<f64>().ok()
    };
    let outside = BOUNDS
        .iter()
        .filter(|(unit, least, most)| of(*unit).is_some_and(|price| !(*least..=*most).contains(&price)));
    let mut wrong: Vec<Unit> = outside.map(|(unit, ..)| *unit).collect();
    // What comes from a cache is cheaper, or as good as: such a price is that of another unit.
    if let (Some(cached), Some(input)) = (of(Unit::CachedInput), of(Unit::Input))
        && cached > input * 1.1
    {
        wrong.push(Unit::CachedInput);
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use ostia_catalog::parse;

    #[test]
    fn wrong_units_are_noticed() {
        let check = |rates: &str, expected: &[&str]| {
            let line =
                format!(r#"{{"id":"m","mode":"chat","prices":[{{"rates":{rates}}}],"sources":["portkey"]}}"#);
            let mut row = parse("p", &line).unwrap().remove(0);
            drop_wrong(&mut row, &mut Skipped::default());
            let left = row.prices.iter().flat_map(|prices| prices.rates.units.keys());
            assert_eq!(left.map(|(unit, _)| unit.name()).collect::<Vec<_>>(), expected, "{rates}");
        };
        check(r#"{"input":"2.5","output":"10","cached_input":"0.25"}"#, &["input", "cached_input", "output"]);
        // For a million tokens what was meant for one, and the other way round.
        check(r#"{"input":"2500000","output":"0.00001"}"#, &[]);
        check(r#"{"input":"0.6","cached_input":"3"}"#, &["input"]);
        check(r#"{"input":"0","output":"0"}"#, &["input", "output"]);
    }

    #[test]
    fn one_price_for_many_kinds_of_images_is_none() {
        let check = |provider: &str, id: &str, rates: &str, expected: usize| {
            let line = format!(
                r#"{{"id":"{id}","mode":"image","prices":[{{"rates":{rates}}}],"sources":["litellm"]}}"#
            );
            let mut row = parse(provider, &line).unwrap().remove(0);
            drop_wrong(&mut row, &mut Skipped::default());
            assert_eq!(row.prices.len(), expected, "{provider} {id}");
        };
        let flat = r#"{"output_images":"0.06"}"#;
        check("bedrock", "us.amazon.nova-canvas-v1:0", flat, 0);
        check(
            "bedrock",
            "amazon.nova-canvas-v1:0",
            r#"{"output_images":"0.06","output_images/1024x1024":"0.04"}"#,
            1,
        );
        check("bedrock", "stability.sd3-large-v1:0", flat, 1);
        check("recraft-ai", "recraftv3", flat, 1);
    }
}
