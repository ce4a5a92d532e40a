//! Portkey's models: prices in US cents for one unit, by region and way of execution.

use std::collections::BTreeMap;
use std::path::Path;

use ostia_catalog::{ImageKind, Mode, PriceText, Rate, Row, Source, Tier, Unit};
use serde_json::Value;

use crate::json::{self, members, rate_of_cents};
use crate::providers::{PORTKEY, PORTKEY_IMAGES};
use crate::report::Skipped;

/// Units by their names, beside `additional_units` or in it.
const UNITS: &[(&str, Unit)] = &[
    ("request_token", Unit::Input),
    ("request_text_token", Unit::Input),
    ("response_token", Unit::Output),
    ("response_text_token", Unit::Output),
    ("reasoning_token", Unit::Reasoning),
    ("cache_read_input_token", Unit::CachedInput),
    ("cache_write_input_token", Unit::CacheWrite),
    ("cache_write_1h", Unit::CacheWrite1h),
    ("request_audio_token", Unit::AudioInput),
    ("response_audio_token", Unit::AudioOutput),
    ("cache_read_audio_input_token", Unit::CachedAudio),
    ("request_image_token", Unit::ImageInput),
    ("response_image_token", Unit::ImageOutput),
    ("cache_read_image_input_token", Unit::CachedImage),
    ("web_search", Unit::WebSearches),
    ("search", Unit::WebSearches),
    ("file_search", Unit::FileSearches),
    ("maps", Unit::MapSearches),
    ("video_seconds", Unit::VideoOutputSeconds),
];

/// The prices of a row, by tier and region.
type Prices = BTreeMap<(Tier, String), PriceText>;

/// Reads the files of the providers of which it is the source.
pub fn read(sources: &Path, skipped: &mut Skipped) -> Result<Vec<Row>, String> {
    let folder = json::folder(sources, "portkey-models-")?;
    let mut rows = Vec::new();
    let all = PORTKEY.iter().map(|row| (row, false));
    for ((file, provider), is_images_only) in all.chain(PORTKEY_IMAGES.iter().map(|row| (row, true))) {
        let list = json::file(&folder.join(format!("pricing/{file}.json")))?;
        let general = json::file(&folder.join(format!("general/{file}.json"))).unwrap_or_default();
        for (id, model) in members(&list) {
            if id == "default" || id.contains("-lte-") || id.contains("-gt-") {
                continue;
            }
            let prices = read_prices(model, skipped);
            if prices.is_empty() {
                skipped.add("Portkey: a model without prices");
                continue;
            }
            if is_images_only && prices.values().all(|prices| prices.rates.images.is_empty()) {
                continue;
            }
            rows.push(Row {
                mode: mode(&general[id]["type"]["primary"]),
                prices: prices.into_values().collect(),
                price_source: Some(Source::Portkey),
                sources: vec![Source::Portkey],
                ..Row::new(provider, id)
            });
        }
    }
    Ok(rows)
}

/// Names of models at their providers, with prices where it has some: dated ones, which the rules of genai-prices recognise.
pub fn names(sources: &Path) -> Result<Vec<Row>, String> {
    let folder = json::folder(sources, "portkey-models-")?;
    let mut rows = BTreeMap::new();
    // Only the first has prices, so it is read first.
    for part in ["pricing", "general"] {
        let folder = folder.join(part);
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let provider = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            for (name, model) in members(&json::file(&path)?) {
                // `gemini-1.5-pro-lte-128k`: up to that length.
                let name = name.split_once("-lte-").map_or(name, |(name, _)| name);
                if matches!(name, "default" | "name" | "description") || name.contains("-gt-") {
                    continue;
                }
                let prices = read_prices(model, &mut Skipped::default()).into_values().collect();
                let row = Row { prices, ..Row::new(&provider, name) };
                rows.entry((provider.clone(), name.to_owned())).or_insert(row);
            }
        }
    }
    Ok(rows.into_values().collect())
}

fn read_prices(model: &Value, skipped: &mut Skipped) -> Prices {
    let mut prices = Prices::new();
    let own = &model["pricing_config"];
    units(&own["pay_as_you_go"], 0, row(&mut prices, Tier::Standard, ""), skipped);
    units(&own["batch_config"], 0, row(&mut prices, Tier::Batch, ""), skipped);
    for (names, region) in members(&model["custom_pricing"]["regions"]) {
        for name in names.split(',').map(|name| if name == "default" { "" } else { name }) {
            for (way, config) in members(&region["execution_modes"]) {
                let Some(tier) = Tier::named(way) else {
                    skipped.add(&format!("Portkey: the execution mode {way}"));
                    continue;
                };
                let into = row(&mut prices, tier, name);
                units(&config["pricing_config"]["pay_as_you_go"], 0, into, skipped);
                for (border, config) in members(&config["context_tiers"]) {
                    units(&config["pricing_config"]["pay_as_you_go"], above(border), into, skipped);
                }
            }
        }
    }
    prices.retain(|_, prices| !prices.rates.units.is_empty());
    same_as_standard(&mut prices);
    prices
}

/// A region whose prices are all the standard ones is none.
fn same_as_standard(prices: &mut Prices) {
    let of = |region: &str, prices: &Prices| -> Vec<(Tier, PriceText)> {
        let rows = prices.iter().filter(|((_, name), _)| name == region);
        rows.map(|((tier, _), row)| (*tier, PriceText { region: String::new(), ..row.clone() })).collect()
    };
    let standard = of("", prices);
    let regions: Vec<String> =
        prices.keys().map(|(_, region)| region.clone()).filter(|name| !name.is_empty()).collect();
    for region in regions {
        if of(&region, prices).iter().all(|row| standard.contains(row)) {
            prices.retain(|(_, name), _| *name != region);
        }
    }
}

fn row<'a>(prices: &'a mut Prices, tier: Tier, region: &str) -> &'a mut PriceText {
    let new = || PriceText { tier, region: region.to_owned(), ..PriceText::default() };
    prices.entry((tier, region.to_owned())).or_insert_with(new)
}

/// `gt-272k`: above 272,000 tokens. `lte-272k`: no border.
fn above(border: &str) -> u64 {
    let thousands = border.strip_prefix("gt-").and_then(|rest| rest.strip_suffix('k'));
    thousands.and_then(|thousands| thousands.parse::<u64>().ok()).map_or(0, |thousands| thousands * 1000)
}

fn units(config: &Value, above: u64, into: &mut PriceText, skipped: &mut Skipped) {
    let image = &config["image"]["default"]["default"];
    let image = [("image", image)].into_iter().filter(|(_, image)| !image.is_null());
    for (name, value) in members(config).chain(members(&config["additional_units"])).chain(image) {
        let unit = UNITS.iter().find(|(theirs, _)| *theirs == name).map(|(_, unit)| *unit);
        let unit =
            unit.or_else(|| (name == "image" && !value["price"].is_null()).then_some(Unit::OutputImages));
        // Zero stands where nobody knew.
        let rate: Option<Rate> = rate_of_cents(&value["price"]).filter(|rate| rate.0 > 0);
        match (unit, rate) {
            (Some(unit), Some(rate)) => drop(into.rates.units.entry((unit, above)).or_insert(rate)),
            (None, Some(_)) => skipped.add(&format!("Portkey: the unit {name}")),
            (_, None) => {}
        }
    }
    let is_token = |(unit, _): &(Unit, u64)| matches!(unit, Unit::Output | Unit::ImageOutput);
    if !into.rates.units.keys().any(is_token) {
        into.rates.images.extend(kinds(&config["image"]));
    }
}

/// Prices of images by quality and size, each of which may be `default`. What is both is a price of a unit.
fn kinds(image: &Value) -> BTreeMap<ImageKind, Rate> {
    let word = |word: &str| if word == "default" { String::new() } else { word.to_ascii_lowercase() };
    let of_quality = |(quality, sizes): (&str, &Value)| {
        let kind = |size: &str| ImageKind { size: word(size), quality: word(quality) };
        let rates =
            members(sizes).filter_map(|(size, value)| Some((kind(size), rate_of_cents(&value["price"])?)));
        rates.collect::<Vec<_>>()
    };
    let kinds = members(image).flat_map(of_quality);
    kinds.filter(|(kind, rate)| *kind != ImageKind::default() && rate.0 > 0).collect()
}

fn mode(primary: &Value) -> Mode {
    match primary.as_str().unwrap_or_default() {
        "" => Mode::Unknown,
        "text" | "complete" => Mode::Completion,
        "embed" | "embeddings" => Mode::Embedding,
        "audio" => Mode::Speech,
        name => Mode::named(name).unwrap_or(Mode::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cents_become_dollars_and_regions_stand_apart() {
        let price = |price: f64| json!({"pay_as_you_go": {"request_token": {"price": price}, "response_token": {"price": 0}}});
        let model = json!({
            "pricing_config": price(0.00025),
            "custom_pricing": {"regions": {
                "default": {"execution_modes": {"standard": {"pricing_config": price(0.00025)}, "magic": {}}},
                "eu,us": {"execution_modes": {"standard": {"context_tiers": {"gt-272k": {"pricing_config": price(0.001)}}}}},
                "jp": {"execution_modes": {"standard": {"pricing_config": price(0.00025)}}},
            }},
        });
        let mut skipped = Skipped::default();
        let prices = read_prices(&model, &mut skipped);
        let shown: Vec<_> = prices
            .iter()
            .map(|((_, region), row)| {
                let ((unit, above), rate) = row.rates.units.first_key_value().unwrap();
                (region.as_str(), *above, rate.text(unit.quantity()))
            })
            .collect();
        assert_eq!(
            shown,
            [("", 0, "2.5".to_owned()), ("eu", 272_000, "10".to_owned()), ("us", 272_000, "10".to_owned())]
        );
        assert!(skipped.text().contains("magic"));
    }

    #[test]
    fn images_have_prices_by_size_and_quality() {
        let check = |tokens: f64, expected: &[(&str, &str)]| {
            let image = json!({
                "default": {"default": {"price": 4}, "1024x1792": {"price": 8}},
                "hd": {"default": {"price": 8}, "1024x1792": {"price": 12}},
            });
            let config = json!({"pay_as_you_go": {"image": image, "response_token": {"price": tokens}}});
            let prices = read_prices(&json!({"pricing_config": config}), &mut Skipped::default());
            let kinds = prices.values().flat_map(|prices| &prices.rates.images);
            let told: Vec<_> = kinds.map(|(kind, rate)| (kind.to_string(), rate.text(1))).collect();
            let told: Vec<_> = told.iter().map(|(kind, rate)| (kind.as_str(), rate.as_str())).collect();
            assert_eq!(told, expected);
        };
        check(0.0, &[("hd", "0.08"), ("1024x1792", "0.08"), ("1024x1792/hd", "0.12")]);
        check(0.004, &[]);
    }
}
