#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::Auth;
use crate::Values;
use crate::auth::source;
use ostia_dialect::Api;
use serde_json::json;
use std::collections::BTreeSet;

fn rows(yaml: &str) -> BTreeMap<String, Row> {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn every_builtin_row_is_good() {
    let parsed = parse(BUILTIN_YAML).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(&parsed, Providers::builtin());
    assert_eq!(parsed.len(), rows(BUILTIN_YAML).len());
    assert!(parsed.len() >= 75, "{}", parsed.len());
}

#[test]
fn builtin_rows_keep_the_house_rules() {
    let mut names = BTreeSet::new();
    for (id, row) in rows(BUILTIN_YAML) {
        for name in std::iter::once(&id).chain(&row.aliases) {
            assert!(names.insert(name.clone()), "{name} is there twice");
        }
        assert!(row.name.is_some(), "{id} has no name for people");
        if let Some(url) = &row.base_url {
            assert!(!url.ends_with('/'), "{id}: {url}");
            let is_setting = url.starts_with('{') && url.ends_with('}');
            assert!(url.starts_with("https://") || row.local || is_setting, "{id}: {url}");
        }
        let hosts = row.hosts.values().filter_map(|host| host.base_url.as_deref());
        assert!(hosts.clone().all(|url| url.starts_with("https://") && !url.ends_with('/')), "{id}");
        // Where a request is signed with several words, those have variables of their own.
        let keyless = row.auth == Auth::None || row.local || !source::names(&row.auth).is_empty();
        assert!(keyless || !row.key_env.is_empty(), "{id} has nowhere to take a key from");
        let docs = row.docs.as_deref().unwrap_or("https://");
        assert!(docs.starts_with("https://"), "{id}: {docs}");
    }
}

#[test]
fn builtin_quirks_are_only_where_they_can_matter() {
    let openai = |api: &Api| api.name().starts_with("openai_");
    for provider in Providers::builtin().iter() {
        // What names of models look like, what is fetched, who tells what it costs and how long a list may be is no matter of the format.
        let quirks = provider.quirks.clone();
        let mut of_format =
            crate::Quirks { plain_models: false, media_urls: None, tells_charge: false, ..quirks };
        of_format.limits.inputs = None;
        if of_format != crate::Quirks::default() {
            assert!(provider.apis.iter().any(openai), "{} speaks nothing of OpenAI's", provider.id);
        }
    }
}

#[test]
fn providers_are_found_by_alias() {
    let all = Providers::builtin();
    for (name, id) in
        [("gemini", "google"), ("together", "together-ai"), ("cortex", "snowflake"), ("groq", "groq")]
    {
        assert_eq!(all.get(name).map(|provider| provider.id.as_str()), Some(id));
    }
    assert_eq!(all.get("nobody"), None);
}

#[test]
fn a_users_rows_add_and_replace() {
    let mine =
        rows("{groq: {base_url: 'https://proxy/groq'}, together: {}, house: {local: true, aliases: [home]}}");
    let all = Providers::builtin().with(mine).unwrap();
    assert_eq!(all.len(), Providers::builtin().len() + 2);
    assert_eq!(all.get("groq").unwrap().base_url.as_deref(), Some("https://proxy/groq"));
    assert_eq!(all.get("together").unwrap().id, "together");
    assert_eq!(all.get("togetherai").unwrap().id, "together-ai");
    assert_eq!(all.get("home").unwrap().id, "house");
    assert_eq!(Providers::builtin().get("together").unwrap().id, "together-ai");
}

#[test]
fn every_problem_of_every_row_is_told_at_once() {
    let mine = rows("{a: {prefix: v1}, b: {dialects: [x, y]}, c: {aliases: [groq, gemini]}}");
    let problems = Providers::builtin().with(mine).unwrap_err();
    let fields: Vec<String> =
        problems.iter().map(|problem| format!("{}.{}", problem.id, problem.field)).collect();
    assert_eq!(fields, ["a.prefix", "b.dialects", "b.dialects", "c.aliases", "c.aliases"], "{problems:#?}");
}

#[test]
fn a_document_that_is_no_yaml_is_one_problem() {
    assert_eq!(parse("a: [").unwrap_err().len(), 1);
    assert_eq!(parse("a: {}\na: {}").unwrap_err().len(), 1);
}

/// A user's `settings` of a provider, and the values that it has then, or what is wrong.
#[test]
fn a_user_gives_values_to_the_settings_of_a_known_provider() {
    let row = Providers::row("azure-openai", json!({"settings": {"resource_name": "res"}})).unwrap();
    let azure = Provider::from_row("azure-openai", row).unwrap();
    assert_eq!(azure.settings["resource_name"].value.as_deref(), Some("res"));
    assert_eq!(azure.settings["resource_name"].header.as_deref(), Some("azure-resource-name"));
    assert_eq!(azure.settings["api_version"].default.as_deref(), Some("v1"));
    let fault = Providers::row("azure-openai", json!({"settings": {"resource": "res"}})).unwrap_err();
    assert!(
        fault.starts_with(
            "`settings.resource`: azure-openai has only resource_name, deployment_id, api_version"
        ),
        "{fault}"
    );
    let own =
        json!({"base_url": "https://{zone}.h", "settings": {"zone": {"kind": "label", "default": "eu"}}});
    let own = Provider::from_row("mine", Providers::row("mine", own).unwrap()).unwrap();
    assert_eq!(own.base_url.as_deref(), Some("https://{zone}.h"));
}

#[test]
fn a_users_address_counts_for_all_settings_and_models() {
    let mut values = Values::default();
    values.insert("vertex_region", "global");
    values.insert("azure_resource_name", "res");
    for (id, model) in [("vertex-ai", "gemini-3-pro"), ("azure-ai", "claude-opus-4-5"), ("palm", "m")] {
        let row = Providers::row(id, json!({"base_url": "https://proxy.example"})).unwrap();
        let provider = Provider::from_row(id, row).unwrap();
        let (of_model, _) = provider.for_model(model, &values);
        let at = of_model.base_url_with(&values);
        assert_eq!(
            (at.as_deref(), of_model.retired.as_deref()),
            (Some("https://proxy.example"), None),
            "{id}"
        );
    }
}

#[test]
fn a_users_address_has_none_of_the_vendors_further_hosts() {
    let further = |fields| {
        let provider =
            Provider::from_row("black-forest-labs", Providers::row("black-forest-labs", fields).unwrap())
                .unwrap();
        (provider.addresses.fields.len(), provider.addresses.hosts.len())
    };
    assert_eq!(further(json!({"name": "Mine"})), (1, 1));
    assert_eq!(further(json!({"base_url": "https://proxy.example"})), (1, 0));
    let own = json!({"hosts": ["api.*.proxy.example"]});
    assert_eq!(further(json!({"base_url": "https://proxy.example", "addresses": own})), (0, 1));
}

#[test]
fn what_is_at_another_host_is_there_in_every_region() {
    let mut values = Values::default();
    let at = |provider: &Provider, api: Api, values: &Values| {
        provider.hosts[&api].base_url_with(values).unwrap().into_owned()
    };
    let bedrock = Providers::builtin().get("bedrock").unwrap();
    for (region, batches, objects) in [
        ("eu-west-1", "https://bedrock.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com"),
        (
            "cn-north-1",
            "https://bedrock.cn-north-1.amazonaws.com.cn",
            "https://s3.cn-north-1.amazonaws.com.cn",
        ),
    ] {
        values.remove("aws_region");
        values.insert("aws_region", region);
        assert_eq!(at(bedrock, Api::BedrockBatches, &values), batches);
        assert_eq!(at(bedrock, Api::BedrockFineTunes, &values), batches);
        assert_eq!(at(bedrock, Api::S3Objects, &values), objects);
    }
    let service = |api: Api| match &bedrock.hosts[&api].auth {
        Auth::Aws(aws) => (aws.service.clone(), aws.raw_path),
        other => panic!("{other:?}"),
    };
    assert_eq!(service(Api::BedrockBatches), ("bedrock".to_owned(), false));
    assert_eq!(service(Api::S3Objects), ("s3".to_owned(), true));
    let own = |fields: serde_json::Value| {
        Provider::from_row("bedrock", Providers::row("bedrock", fields).unwrap()).unwrap()
    };
    // Whoever has an address of their own before the cloud has it for all of it.
    let proxied = own(json!({"base_url": "https://proxy.example"}));
    assert_eq!(at(&proxied, Api::S3Objects, &values), "https://proxy.example");
    assert_eq!(at(&proxied, Api::BedrockBatches, &values), "https://proxy.example");
    assert_eq!(proxied.hosts[&Api::S3Objects].auth, bedrock.hosts[&Api::S3Objects].auth);
    let stored = own(json!({"hosts": {"s3_objects": {"base_url": "http://minio.internal:9000"}}}));
    assert_eq!(at(&stored, Api::S3Objects, &values), "http://minio.internal:9000");
    assert_eq!(at(&stored, Api::BedrockBatches, &values), "https://bedrock.cn-north-1.amazonaws.com.cn");
    assert_eq!(stored.hosts[&Api::S3Objects].auth, bedrock.hosts[&Api::S3Objects].auth);
    assert!(stored.hosts[&Api::S3Objects].local && !stored.local, "a private server of one of the hosts");
}

#[test]
fn rows_of_batches_are_told_as_their_models_take_them() {
    let values = Values::default();
    let claude = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let bedrock = Providers::builtin().get("bedrock").unwrap();
    let (called, _) = bedrock.for_model(claude, &values);
    assert_eq!(called.apis.first(), Some(&Api::BedrockConverse));
    let (batched, _) = bedrock.for_batched(claude, &values);
    assert_eq!(batched.apis, [Api::AnthropicMessages]);
    assert_eq!(batched.body[&Api::AnthropicMessages], called.body[&Api::AnthropicMessages]);
    let (nova, _) = bedrock.for_batched("amazon.nova-lite-v1:0", &values);
    assert_eq!(nova.apis.first(), Some(&Api::BedrockConverse));
}
