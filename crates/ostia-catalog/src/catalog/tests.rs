//! Models are found by what people call them.

use super::*;
use crate::ability::{Abilities, Ability};
use crate::mode::Mode;
use crate::row::{PriceText, parse};
use crate::source::Source;

fn rows() -> Vec<Row> {
    let mut rows = parse(
        "bedrock",
        r#"{"id":"anthropic.claude-sonnet-4-20250514-v1:0","mode":"chat","sources":["litellm"]}
{"id":"eu.amazon.nova-pro-v1:0","mode":"chat","sources":["litellm"]}
{"id":"amazon.nova-pro-v1:0","mode":"chat","sources":["litellm"]}"#,
    )
    .unwrap();
    let openai = parse(
        "openai",
        r#"{"id":"gpt-4o","aliases":["gpt-4o-2024-08-06"],"mode":"chat","context":128000,"can":["tools"],"cannot":["prefill"],"prices":[{"rates":{"input":"2.5"}}],"price_source":"litellm","sources":["litellm"]}
{"id":"gpt-4o-mini","mode":"chat","sources":["litellm"]}
{"id":"ft:gpt-4o","mode":"chat","sources":["litellm"]}"#,
    );
    rows.extend(openai.unwrap());
    let vertex = r#"{"id":"claude-sonnet-4@20250514","mode":"chat","sources":["litellm"]}"#;
    rows.extend(parse("vertex-ai", vertex).unwrap());
    rows
}

#[test]
fn names_lead_to_models() {
    use NameForm::{Listed, Path, Region, Tuned, Version};
    let catalog = Catalog::of(&rows(), &[]).unwrap();
    let check = |provider: &str, name: &str, expected: Option<(&str, NameForm)>| {
        let found = catalog.find(provider, name).map(|found| (found.model.id, found.form));
        assert_eq!(found, expected, "{provider} {name}");
    };
    check("openai", "gpt-4o", Some(("gpt-4o", Listed)));
    check("openai", "GPT-4o", Some(("gpt-4o", Listed)));
    check("openai", "gpt-4o-2024-08-06", Some(("gpt-4o", Listed)));
    check("openai", "gpt-4o-2099-01-01", Some(("gpt-4o", Version)));
    check("openai", "gpt-4o-mini-latest", Some(("gpt-4o-mini", Version)));
    check("openai", "ft:gpt-4o:org::x", Some(("ft:gpt-4o", Listed)));
    check("openai", "ft:gpt-4o-mini-2024-07-18:org::x", Some(("gpt-4o-mini", Tuned)));
    check("openai", "gpt-4", None);
    check("openai", "", None);
    check("azure", "gpt-4o", None);
    check("vertex-ai", "claude-sonnet-4-20250514", Some(("claude-sonnet-4@20250514", Listed)));
    check("bedrock", "eu.amazon.nova-pro-v1:0", Some(("eu.amazon.nova-pro-v1:0", Listed)));
    check("bedrock", "us.amazon.nova-pro-v1:0", Some(("amazon.nova-pro-v1:0", Region)));
    check(
        "bedrock",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
        Some(("amazon.nova-pro-v1:0", Path)),
    );
    check(
        "bedrock",
        "arn:aws:bedrock:eu-west-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
        Some(("anthropic.claude-sonnet-4-20250514-v1:0", Region)),
    );
    check("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", None);
}

#[test]
fn the_operator_has_the_last_word() {
    let known = Override {
        provider: "openai".to_owned(),
        model: "gpt-4o-2024-08-06".to_owned(),
        context: Some(1),
        abilities: Abilities::default().with(Ability::Tools, false).with(Ability::Vision, true),
        ..Override::default()
    };
    let prices: PriceText = serde_json::from_str(r#"{"rates": {"input": "9"}}"#).unwrap();
    let own = Override {
        provider: "mine".to_owned(),
        model: "llama".to_owned(),
        aliases: vec!["big".to_owned()],
        prices: vec![prices],
        ..Override::default()
    };
    let catalog = Catalog::of(&rows(), &[]).unwrap().with_overrides(&[known, own]).unwrap();

    let model = catalog.find("openai", "gpt-4o").unwrap().model;
    assert_eq!((model.id, model.context, model.mode), ("gpt-4o", Some(1), Mode::Chat));
    let can = [Ability::Tools, Ability::Vision, Ability::Prefill, Ability::Pdf].map(|one| model.can(one));
    assert_eq!(can, [Some(false), Some(true), Some(false), None]);
    assert_eq!(model.price_source, Some(Source::Litellm));
    assert!(!model.prices.is_empty() && model.sources.has(Source::Operator));

    let model = catalog.find("mine", "big").unwrap().model;
    assert_eq!((model.id, model.mode, model.price_source), ("llama", Mode::Unknown, Some(Source::Operator)));
    let ids: Vec<_> = catalog.models().map(|model| model.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == "gpt-4o").count(), 1);
    assert_eq!(ids.len(), rows().len() + 1);
}

#[test]
fn a_model_has_what_its_base_has() {
    let base = |name: &str| Some(("openai".to_owned(), name.to_owned()));
    let own = |provider: &str, model: &str, base| Override {
        provider: provider.to_owned(),
        model: model.to_owned(),
        aliases: vec![format!("{model}-too")],
        base,
        ..Override::default()
    };
    let overrides = [own("azure", "prod", base("gpt-4o-2024-08-06")), own("azure", "new", base("gpt-9"))];
    let catalog = Catalog::of(&rows(), &[]).unwrap().with_overrides(&overrides).unwrap();
    let model = catalog.find("azure", "prod-too").unwrap().model;
    assert_eq!((model.provider, model.id, model.context), ("azure", "prod", Some(128_000)));
    assert_eq!(model.aliases().collect::<Vec<_>>(), ["prod-too"]);
    assert!(!model.prices.is_empty());
    assert_eq!(catalog.find("azure", "new").unwrap().model.context, None);
    let check = |name: &str, expected: Option<&str>| assert_eq!(catalog.base_of("azure", name), expected);
    check("prod", Some("gpt-4o-2024-08-06"));
    check("prod-too", Some("gpt-4o-2024-08-06"));
    check("new", Some("gpt-9"));
    check("gpt-4o", None);
    assert_eq!(catalog.base_of("openai", "prod"), None);
}

#[test]
fn the_embedded_catalogue_opens() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.find("openai", "gpt-4o").unwrap().model.id, "gpt-4o");
    assert_eq!(catalog.editions().len(), 3);
}
