//! The data as they are committed: whole, in the right units, and the same in both forms.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ostia_catalog::{Catalog, Edition, ImageAsked, PriceRow, Row, Source, Terms, Tier, Unit, compact, parse};

/// The embedded form may not be larger.
const BYTES_MAX: usize = 1 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

fn rows() -> Vec<Row> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join("models")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    let read = |path: PathBuf| {
        let provider = path.file_stem().unwrap().to_str().unwrap().to_owned();
        parse(&provider, &std::fs::read_to_string(&path).unwrap()).unwrap()
    };
    files.into_iter().flat_map(read).collect()
}

#[test]
fn both_forms_say_the_same() {
    let editions: Vec<Edition> =
        serde_json::from_slice(&std::fs::read(folder().join("sources.json")).unwrap()).unwrap();
    let bytes = compact(&rows(), &editions).unwrap();
    let embedded = std::fs::read(folder().join("catalog.bin")).unwrap();
    assert!(bytes == embedded, "data/catalog.bin is not what data/models/ says: run `cargo xtask catalog`");
    assert!(embedded.len() < BYTES_MAX, "{} bytes", embedded.len());
}

#[test]
fn every_model_is_found_and_has_a_source() {
    let catalog = Catalog::embedded();
    let rows = rows();
    for row in &rows {
        let model = catalog.listed(&row.provider, &row.id).unwrap();
        assert_eq!(&model.row(), row);
        for alias in &row.aliases {
            assert_eq!(catalog.listed(&row.provider, alias).unwrap().id, row.id, "{} {alias}", row.provider);
        }
        assert!(!row.sources.is_empty(), "{}", row.id);
        assert_eq!(row.prices.is_empty(), row.price_source.is_none(), "{} {}", row.provider, row.id);
        assert!(row.can.iter().all(|ability| !row.cannot.contains(ability)), "{}", row.id);
    }
    let providers: BTreeSet<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    assert!(rows.len() > 2000 && providers.len() > 50, "{} {}", rows.len(), providers.len());
    assert_eq!(catalog.models().count(), rows.len());
}

/// Prices as vendors' pages show them, in dollars for a million tokens: in, from the cache, out.
const KNOWN: [(&str, &str, &str, &str, &str); 28] = [
    // https://platform.openai.com/docs/pricing
    ("openai", "gpt-4o", "2.5", "1.25", "10"),
    ("openai", "gpt-4o-mini", "0.15", "0.075", "0.6"),
    ("openai", "gpt-4.1", "2", "0.5", "8"),
    ("openai", "gpt-4.1-mini", "0.4", "0.1", "1.6"),
    ("openai", "gpt-4.1-nano", "0.1", "0.025", "0.4"),
    ("openai", "gpt-5", "1.25", "0.125", "10"),
    ("openai", "gpt-5-mini", "0.25", "0.025", "2"),
    ("openai", "gpt-5-nano", "0.05", "0.005", "0.4"),
    ("openai", "o3", "2", "0.5", "8"),
    ("openai", "o4-mini", "1.1", "0.275", "4.4"),
    ("openai", "gpt-3.5-turbo", "0.5", "", "1.5"),
    ("openai", "text-embedding-3-small", "0.02", "", ""),
    ("openai", "text-embedding-3-large", "0.13", "", ""),
    // https://platform.claude.com/docs/en/about-claude/pricing
    ("anthropic", "claude-opus-4-5", "5", "0.5", "25"),
    ("anthropic", "claude-sonnet-4-5", "3", "0.3", "15"),
    ("anthropic", "claude-haiku-4-5", "1", "0.1", "5"),
    // https://ai.google.dev/gemini-api/docs/pricing
    ("google", "gemini-2.5-pro", "1.25", "0.125", "10"),
    ("google", "gemini-2.5-flash", "0.3", "0.03", "2.5"),
    ("google", "gemini-2.5-flash-lite", "0.1", "0.01", "0.4"),
    // https://docs.x.ai/docs/models
    ("x-ai", "grok-4", "3", "0.75", "15"),
    // https://groq.com/pricing
    ("groq", "llama-3.3-70b-versatile", "0.59", "", "0.79"),
    ("groq", "llama-3.1-8b-instant", "0.05", "", "0.08"),
    // https://cohere.com/pricing
    ("cohere", "command-r-plus-08-2024", "2.5", "", "10"),
    // https://api-docs.deepseek.com/quick_start/pricing
    ("deepseek", "deepseek-chat", "0.28", "0.028", "0.42"),
    // https://docs.voyageai.com/docs/pricing
    ("voyage", "voyage-3.5", "0.06", "", ""),
    // https://docs.perplexity.ai/getting-started/pricing
    ("perplexity-ai", "sonar-pro", "3", "", "15"),
    // https://aws.amazon.com/bedrock/pricing/
    ("bedrock", "amazon.nova-micro-v1:0", "0.035", "", "0.14"),
    // https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/
    ("azure-openai", "gpt-4o-mini", "0.15", "0.075", "0.6"),
];

#[test]
fn known_prices_are_the_vendors() {
    let catalog = Catalog::embedded();
    let mut wrong = Vec::new();
    for (provider, name, input, cached, output) in KNOWN {
        let prices = catalog.find(provider, name).unwrap().model.prices;
        for (unit, expected) in [(Unit::Input, input), (Unit::CachedInput, cached), (Unit::Output, output)] {
            let found = prices.rate(unit, &Terms::default()).map(|(rate, _)| rate.text(unit.quantity()));
            if !expected.is_empty() && found.as_deref() != Some(expected) {
                wrong.push(format!("{provider} {name} {}: {found:?}, not {expected}", unit.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What an image costs by size and quality, in dollars.
const IMAGES: [(&str, &str, &str, &str, &str); 8] = [
    // https://platform.openai.com/docs/pricing, as Portkey's list has it
    ("openai", "dall-e-3", "", "", "0.04"),
    ("openai", "dall-e-3", "1792x1024", "standard", "0.08"),
    ("openai", "dall-e-3", "1024x1024", "hd", "0.08"),
    ("openai", "dall-e-3", "1024x1792", "hd", "0.12"),
    ("openai", "dall-e-2", "512x512", "", "0.018"),
    ("azure-openai", "dall-e-3", "1024x1792", "hd", "0.12"),
    // https://fal.ai/models/openai/gpt-image-2, as LiteLLM's list has it
    ("fal", "openai/gpt-image-2", "1024x1536", "medium", "0.042"),
    // https://fal.ai/models/fal-ai/nano-banana-2
    ("fal", "fal-ai/nano-banana-2", "4K", "", "0.16"),
];

#[test]
fn images_cost_by_size_and_quality() {
    let catalog = Catalog::embedded();
    for (provider, name, size, quality, expected) in IMAGES {
        let prices = catalog.find(provider, name).unwrap().model.prices;
        let terms =
            Terms { images: ImageAsked { size: Some(size), quality: Some(quality) }, ..Terms::default() };
        let found = prices.rate(Unit::OutputImages, &terms).map(|(rate, _)| rate.text(1));
        assert_eq!(found.as_deref(), Some(expected), "{provider} {name} {size} {quality}");
    }
    // A price that is by the token has none by the image beside it, and no kind is off by a hundred.
    for model in catalog.models() {
        for row in model.prices.rows() {
            let is_by_token = row.rates().any(|(unit, ..)| matches!(unit, Unit::Output | Unit::ImageOutput));
            let kinds: Vec<f64> = row.images().map(|(.., rate)| rate.text(1).parse().unwrap()).collect();
            assert!(!is_by_token || kinds.is_empty(), "{} {}", model.provider, model.id);
            assert!(
                kinds.iter().all(|price| (0.001..2.0).contains(price)),
                "{} {} {kinds:?}",
                model.provider,
                model.id
            );
        }
    }
}

/// No price is off by a thousand or a million: bounds in dollars around all that vendors have ever asked.
#[test]
fn prices_are_in_their_units() {
    let check = |name: &str, row: &PriceRow<'_>, wrong: &mut Vec<String>| {
        for (unit, _, rate) in row.rates().filter(|(.., rate)| rate.0 > 0) {
            let price: f64 = rate.text(unit.quantity()).parse().unwrap();
            let (least, most) = match unit {
                Unit::Output | Unit::Input | Unit::Reasoning => (0.0005, 1000.0),
                Unit::InputSeconds | Unit::OutputSeconds | Unit::AudioSeconds => (0.000_000_1, 1.0),
                Unit::VideoInputSeconds | Unit::VideoOutputSeconds => (0.000_01, 10.0),
                Unit::InputImages | Unit::OutputImages => (0.000_01, 5.0),
                Unit::WebSearches | Unit::FileSearches | Unit::MapSearches | Unit::Queries => (0.01, 100.0),
                Unit::Pages | Unit::AnnotatedPages => (0.1, 100.0),
                _ => (0.000_01, 2000.0),
            };
            if !(least..=most).contains(&price) {
                wrong.push(format!("{name}: {} {price}", unit.name()));
            }
        }
    };
    let catalog = Catalog::embedded();
    let mut wrong = Vec::new();
    for model in catalog.models() {
        let name = format!("{} {}", model.provider, model.id);
        model.prices.rows().for_each(|row| check(&name, &row, &mut wrong));
        let rate = |unit: Unit, tier: Tier| {
            model.prices.rate(unit, &Terms { tier, ..Terms::default() }).map(|(rate, _)| rate.0)
        };
        // What comes from a cache is hardly dearer than what does not, and a batch no dearer than single calls.
        let Some(standard) = rate(Unit::Input, Tier::Standard).filter(|rate| *rate > 0) else { continue };
        let cached = rate(Unit::CachedInput, Tier::Standard).unwrap_or_default();
        let batch = rate(Unit::Input, Tier::Batch).unwrap_or_default();
        if cached > standard + standard / 10 || batch > standard {
            wrong.push(format!("{name}: {cached} from the cache, {batch} in a batch, {standard} else"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn where_lists_disagree_somebody_has_decided() {
    let text = std::fs::read_to_string(folder().join("disagreements.tsv")).unwrap();
    let undecided: Vec<&str> = text.lines().filter(|line| line.contains("\tundecided:")).collect();
    assert!(undecided.is_empty(), "write into data/decisions.tsv whom to believe, and why: {undecided:#?}");
}

#[test]
fn decisions_are_about_models_that_there_are() {
    let text = std::fs::read_to_string(folder().join("decisions.tsv")).unwrap();
    let rows = rows();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [provider, model, source, ..] = fields.as_slice() else { panic!("{line}") };
        let begins = model.trim_end_matches('*');
        assert!(rows.iter().any(|row| row.provider == *provider && row.id.starts_with(begins)), "{line}");
        assert!(Source::named(source).is_some(), "{line}");
    }
}

#[test]
fn the_embedded_form_passes_the_check_of_files() {
    let bytes = std::fs::read(folder().join("catalog.bin")).unwrap();
    let read = Catalog::read(bytes).unwrap();
    let embedded = Catalog::embedded();
    assert!(read.bytes() == embedded.bytes());
    assert_eq!((read.date(), read.version()), (embedded.date(), embedded.version()));
    assert!(read.date().is_some());
}
