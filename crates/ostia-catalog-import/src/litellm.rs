//! LiteLLM's list: flat rows whose names of fields say unit, tier and length of the prompt.

mod fields;
mod images;

use std::collections::BTreeMap;
use std::path::Path;

use ostia_catalog::{
    Abilities, Ability, Date, ImageKind, Modality, Mode, PriceText, Row, Source, Tier, Unit,
};
use serde_json::Value;

use crate::json::{self, count, members, rate_of_one, texts};
use crate::providers;
use crate::report::Skipped;
use fields::{ABILITIES, EFFORTS, Field};

/// Reads the list. Rows of one model in several regions become one row.
pub fn read(sources: &Path, skipped: &mut Skipped) -> Result<Vec<Row>, String> {
    let path = json::folder(sources, "litellm-")?.join("model_prices_and_context_window.json");
    let list = json::file(&path)?;
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let (mut aliases, mut of_kinds) = (Vec::new(), Vec::new());
    for (name, model) in members(&list) {
        if let Some(of) = model["alias_of"].as_str() {
            aliases.push((name, of));
            continue;
        }
        if let Some(of_kind) = kind(name, model) {
            of_kinds.push((of_kind, model));
            continue;
        }
        let Some(place) = place(name, model, skipped) else { continue };
        let row = rows.entry(key(&place)).or_insert_with(|| Row::new(&place.provider, &place.id));
        match place.region.as_str() {
            "" => whole(model, row, skipped),
            region => regional(model, region, row, skipped),
        }
    }
    for (name, of) in aliases {
        let Some(place) = list.get(of).and_then(|model| place(of, model, skipped)) else { continue };
        let (_, begins) = providers::litellm(list[of]["litellm_provider"].as_str().unwrap_or_default());
        if let Some(row) = rows.get_mut(&key(&place)) {
            row.aliases.push(name.strip_prefix(&begins).unwrap_or(name).to_owned());
        }
    }
    for ((kind, place), model) in of_kinds {
        let row = rows.get_mut(&key(&place));
        let is_added = row.zip(images::price(model)).is_some_and(|(row, rate)| images::add(row, kind, rate));
        if !is_added {
            skipped.add("LiteLLM: a price of one size or quality of images, by the pixel or of a model that is charged for by tokens");
        }
    }
    Ok(rows.into_values().collect())
}

/// The kind of images that a row is of, and whose.
fn kind(name: &str, model: &Value) -> Option<(ImageKind, Place)> {
    let (provider, begins) = providers::litellm(model["litellm_provider"].as_str()?);
    let (kind, id) = images::kind(name.strip_prefix(&begins).unwrap_or(name))?;
    // Steps are no quality, and nobody knows how many a request took.
    let is_whole = !id.contains("-steps/");
    is_whole.then(|| (kind, Place { provider, id: id.to_owned(), region: String::new() }))
}

/// Whose model a row is of, and of which region its prices are.
struct Place {
    provider: String,
    id: String,
    region: String,
}

fn key(place: &Place) -> (String, String) {
    (place.provider.clone(), place.id.to_ascii_lowercase().replace('@', "-"))
}

fn place(name: &str, model: &Value, skipped: &mut Skipped) -> Option<Place> {
    let theirs = model["litellm_provider"].as_str()?;
    if name == "sample_spec" {
        return None;
    }
    let (provider, begins) = providers::litellm(theirs);
    let rest = name.strip_prefix(&begins).unwrap_or(name);
    if rest.split('/').any(|step| step.ends_with("-steps")) {
        skipped.add("LiteLLM: a price of images of so many steps");
        return None;
    }
    if rest.contains("-commitment/") {
        skipped.add("LiteLLM: provisioned throughput");
        return None;
    }
    if name.starts_with("together-ai-") || name.starts_with("fireworks-ai-") {
        skipped.add("LiteLLM: a class of models, by size");
        return None;
    }
    let (region, id) = match (provider.as_str(), rest.split_once('/')) {
        ("bedrock", Some(("claude_platform", id))) => {
            return Some(Place {
                provider: "claude-platform-aws".to_owned(),
                id: id.to_owned(),
                region: String::new(),
            });
        }
        ("bedrock", Some((region, id))) if region.matches('-').count() >= 2 => (region, id),
        ("azure-openai" | "azure-ai", Some((region @ ("eu" | "us" | "apac" | "global"), id))) => (region, id),
        ("azure-openai", Some(("global-standard", id))) => ("global", id),
        _ => ("", rest),
    };
    Some(Place { provider, id: id.to_owned(), region: region.to_owned() })
}

/// All that a row says.
fn whole(model: &Value, row: &mut Row, skipped: &mut Skipped) {
    row.mode = fields::mode(model["mode"].as_str().unwrap_or_default());
    row.sources = vec![Source::Litellm];
    row.context = count(&model["max_input_tokens"]).or_else(|| count(&model["max_tokens"]));
    row.output = count(&model["max_output_tokens"]);
    row.takes = modalities(&model["supported_modalities"]);
    row.gives = modalities(&model["supported_output_modalities"]);
    row.set_abilities(abilities(model, row));
    row.retires_on = model["deprecation_date"].as_str().and_then(Date::parse);
    row.successor = model["successor_model"].as_str().map(|name| bare(name).to_owned());
    row.page = page(&model["source"]);
    factors(model, row);
    price(model, "", row, skipped);
}

/// Only what a row says of its region; the rest where there is no row without one.
fn regional(model: &Value, region: &str, row: &mut Row, skipped: &mut Skipped) {
    if row.mode == Mode::Unknown {
        let prices = std::mem::take(&mut row.prices);
        whole(model, row, skipped);
        row.prices = prices;
    }
    price(model, region, row, skipped);
}

fn price(model: &Value, region: &str, row: &mut Row, skipped: &mut Skipped) {
    let mut tiers: BTreeMap<Tier, PriceText> = BTreeMap::new();
    // Where a made image has its own field, the other one is of images that go in.
    let is_own = !model["output_cost_per_image"].is_null();
    let mut kinds = Vec::new();
    for (name, value) in members(model) {
        if let Some(kind) = images::field(name, model) {
            kinds.extend(rate_of_one(value).map(|rate| (kind, rate)));
            continue;
        }
        let rates = match images::of_megapixel(name, value, model) {
            Some(rate) => vec![(Field::standard(Unit::OutputMegapixels), rate)],
            None if is_own && name == "input_cost_per_image" => fields::rates(name, value, Mode::Chat),
            None => fields::rates(name, value, row.mode),
        };
        for (field, rate) in rates {
            let Field { unit, tier, above } = field;
            let prices = tiers.entry(tier).or_insert_with(|| PriceText {
                tier,
                region: region.to_owned(),
                ..PriceText::default()
            });
            prices.rates.units.entry((unit, above)).or_insert(rate);
        }
        if fields::is_unread(name) {
            skipped.add(&format!("LiteLLM: the field {name}"));
        }
    }
    let is_free = tiers.values().all(|prices| prices.rates.units.values().all(|rate| rate.0 == 0));
    // Local servers are free; elsewhere nothing but zeros stands where nobody knew.
    if is_free && !matches!(row.provider.as_str(), "ollama" | "lemonade") {
        if !tiers.is_empty() {
            skipped.add("LiteLLM: prices that are all zero");
        }
        return;
    }
    if let Some(prices) = tiers.get_mut(&Tier::Standard) {
        prices.rates.images.extend(kinds);
    }
    row.prices.extend(tiers.into_values());
    row.price_source = Some(Source::Litellm);
}

fn factors(model: &Value, row: &mut Row) {
    const FIELDS: [(&str, &str); 4] = [
        ("fedramp_uplift_multiplier", "fedramp"),
        ("regional_endpoint_uplift_multiplier", "regional"),
        ("regional_processing_uplift_multiplier_eu", "eu"),
        ("regional_processing_uplift_multiplier_us", "us"),
    ];
    let mut add = |region: &str, value: &Value| {
        if let Some(factor) = value.as_f64() {
            row.region_factors.insert(region.to_owned(), (factor * 1000.0).round() as u16);
        }
    };
    FIELDS.iter().for_each(|(field, region)| add(region, &model[*field]));
    // Anthropic's `inference_geo`.
    add("us", &model["provider_specific_entry"]["us"]);
}

fn abilities(model: &Value, row: &Row) -> Abilities {
    let mut abilities = Abilities::default();
    let takes = [
        (Ability::Vision, Modality::Image),
        (Ability::AudioInput, Modality::Audio),
        (Ability::VideoInput, Modality::Video),
    ];
    for (ability, modality) in takes.into_iter().filter(|_| !row.takes.is_empty()) {
        abilities = abilities.with(ability, row.takes.contains(&modality));
    }
    for (ability, modality) in
        [(Ability::AudioOutput, Modality::Audio), (Ability::ImageOutput, Modality::Image)]
    {
        if !row.gives.is_empty() {
            abilities = abilities.with(ability, row.gives.contains(&modality));
        }
    }
    let endpoints: Vec<&str> = texts(&model["supported_endpoints"]).collect();
    if !endpoints.is_empty() {
        let has = |path: &str| endpoints.contains(&path);
        abilities = abilities
            .with(Ability::ChatCompletions, has("/v1/chat/completions"))
            .with(Ability::ResponsesApi, has("/v1/responses"));
        if has("/v1/batch") {
            abilities = abilities.with(Ability::BatchApi, true);
        }
    }
    let levels: Vec<&str> = texts(&model["reasoning_effort_levels"]).collect();
    if !levels.is_empty() {
        for (level, ability) in EFFORTS {
            abilities = abilities.with(ability, levels.contains(&level));
        }
    }
    for (field, ability) in ABILITIES {
        if let Some(can) = model[*field].as_bool() {
            abilities = abilities.with(*ability, can);
        }
    }
    abilities
}

fn modalities(value: &Value) -> Vec<Modality> {
    let mut all: Vec<Modality> = texts(value).filter_map(Modality::named).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A page of the vendor's, without the query that a script used.
fn page(value: &Value) -> Option<String> {
    let page = value.as_str()?.split(['?', ' ']).next()?;
    page.starts_with("https://").then(|| page.to_owned())
}

/// Without LiteLLM's name of the provider.
fn bare(name: &str) -> &str {
    const BEGINS: [&str; 10] = [
        "azure/eu/",
        "azure/us/",
        "azure/",
        "azure_ai/",
        "vertex_ai/",
        "gemini/",
        "xai/",
        "mistral/",
        "groq/",
        "bedrock/",
    ];
    BEGINS.iter().find_map(|begin| name.strip_prefix(begin)).unwrap_or(name)
}

/// A model of audio is charged by the second one way: the way that its mode names.
pub(crate) fn seconds(mode: Mode, is_input: bool) -> Option<Unit> {
    match (mode, is_input) {
        (Mode::Video, false) => Some(Unit::VideoOutputSeconds),
        (Mode::Video, true) => Some(Unit::VideoInputSeconds),
        (Mode::Speech, false) => Some(Unit::OutputSeconds),
        (Mode::Realtime, false) => Some(Unit::OutputSeconds),
        (_, true) => Some(Unit::InputSeconds),
        // What comes out of these is text.
        (_, false) => None,
    }
}
