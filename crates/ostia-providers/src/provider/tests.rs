#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::{MaxTokens, SystemRole};

fn told(id: &str, row: Row) -> Vec<String> {
    let problems = Provider::from_row(id, row).err().unwrap_or_default();
    problems.iter().map(RowProblem::to_string).collect()
}

fn check(id: &str, yaml: &str, want: &[&str]) {
    let row: Row = serde_saphyr::from_str(yaml).unwrap();
    let problems = told(id, row);
    assert_eq!(problems.len(), want.len(), "{id}: {problems:#?}");
    for (problem, want) in problems.iter().zip(want) {
        assert!(problem.starts_with(want), "{problem:?} does not begin with {want:?}");
    }
}

#[test]
fn a_whole_row_becomes_a_provider() {
    let yaml = r#"
        name: Mine
        base_url: http://10.0.0.1:8000/
        prefix: /v1
        dialects: [openai_responses, openai_chat, openai_embeddings]
        auth: {header: x-key}
        oauth: {prefix: tok-, headers: {x-beta: b}}
        key_env: MY_KEY
        headers: {x-team: red}
        paths: {openai_embeddings: /embed}
        quirks: {max_tokens: max_tokens, system_role: system, rename: {seed: random_seed}, drop: [n, "messages[].name"],
                 reasoning_field: thought, content_parts: true, repair: true}
        docs: https://example.com
        local: true
        answer_cache: false
        aliases: [me]
    "#;
    let provider = Provider::from_row("mine", serde_saphyr::from_str(yaml).unwrap()).unwrap();
    assert_eq!(provider.base_url.as_deref(), Some("http://10.0.0.1:8000"));
    assert_eq!(provider.apis, [Api::OpenaiResponses, Api::OpenaiChat, Api::OpenaiEmbeddings]);
    assert_eq!(provider.auth, Auth::Header("x-key".into()));
    assert_eq!(provider.oauth_of("tok-1").map(|oauth| &oauth.headers["x-beta"]).unwrap(), "b");
    assert_eq!(provider.oauth_of("key-1"), None);
    assert_eq!(provider.key_env, ["MY_KEY"]);
    assert_eq!(provider.headers["x-team"], "red");
    assert_eq!(provider.paths[&Api::OpenaiEmbeddings].of(true), "/embed");
    assert_eq!(provider.quirks.max_tokens.map(MaxTokens::name), Some("max_tokens"));
    assert_eq!(provider.quirks.system_role, Some(SystemRole::System));
    assert!(provider.quirks.content_parts && provider.quirks.repair);
    assert!(!provider.needs_key() && !provider.answer_cache);
    assert!(provider.dialects().eq([Dialect::OpenaiResponses, Dialect::OpenaiChat]));
}

#[test]
fn an_empty_row_is_reached_through_the_proxy_with_a_bearer_key() {
    let provider = Provider::from_row("bare", Row::default()).unwrap();
    assert_eq!((provider.name.as_str(), &provider.base_url, &provider.auth), ("bare", &None, &Auth::Bearer));
    assert_eq!(provider.dialects().next(), None);
    assert!(provider.needs_key() && provider.answer_cache);
}

#[test]
fn a_faulty_row_tells_all_of_its_problems() {
    let yaml = r#"
        base_url: ftp://h
        prefix: v1/
        pass_prefix: v2
        unprefixed: [/api/, ""]
        dialects: [openai_chat, opnai_chat, openai_chat]
        auth: {header: "x key"}
        key_env: [sk-live-1234]
        headers: {"a b": c, x-a: "d\ne", Authorization: f, host: g}
        paths: {openai_images: /x, openai_chat: "no slash"}
        quirks: {drop: [seed, "tools[0].x"], rename: {seed: random_seed}, limits: {
            tool_ids: {characters: any, chars: [0, 9]}, tool_names: {characters: dash, chars: [20, 30]},
            temperature: [1, 0], tools: 0, stops: unlimited}}
        aliases: [Me, mine]
    "#;
    let want = [
        "mine.aliases: \"Me\"",
        "mine.aliases: \"mine\"",
        "mine.prefix: \"v1/\"",
        "mine.pass_prefix: \"v2\"",
        "mine.unprefixed: \"/api/\"",
        "mine.unprefixed: holds an empty text",
        "mine.auth.header: \"x key\"",
        "mine.key_env: is no name",
        "mine.quirks.rename.seed: is in drop",
        "mine.quirks.drop: \"tools[0].x\"",
        "mine.quirks.limits.tool_ids.chars: must be two numbers",
        "mine.quirks.limits.tool_names.chars: the first must not be above 9",
        "mine.quirks.limits.temperature: must be two numbers",
        "mine.quirks.limits.tools: must be 1 or more",
        "mine.base_url: \"ftp://h\" must be https",
        "mine.dialects: \"opnai_chat\" is none of openai_chat,",
        "mine.dialects: openai_chat is there twice",
        "mine.paths.openai_chat: \"no slash\"",
        "mine.paths.openai_images: is not among",
        "mine.headers.Authorization: holds the key",
        "mine.headers.a b: is no name",
        "mine.headers.host: is set by",
        "mine.headers.x-a: has a value",
    ];
    check("mine", yaml, &want);
}

#[test]
fn base_urls_that_are_refused() {
    for (url, want) in [
        ("http://h", "is plain http"),
        ("h/v1", "is no URL"),
        ("https:///v1", "is no URL"),
        ("h", "needs a scheme"),
        ("/v1", "needs a scheme"),
        ("https://h?x=1", "must end before"),
        ("https://h#x", "must end before"),
        ("https://h h", "is no URL"),
    ] {
        let what = format!("mine.base_url: {url:?} {want}");
        check("mine", &format!("base_url: \"{url}\""), &[&what]);
    }
    check("mine", "base_url: https://u:p@h", &["mine.base_url: must not hold"]);
    check("mine", "{base_url: 'http://[::1]:80/v1', local: true}", &[]);
}

#[test]
fn ids_are_kebab_case() {
    for good in ["a", "302ai", "z-ai", "a-b-c"] {
        check(good, "{}", &[]);
    }
    for bad in ["", "A", "a_b", "-a", "a-", "a--b", "a b", "ä"] {
        check(bad, "{}", &[&format!("{bad}: the id must be")]);
    }
}

#[test]
fn a_key_in_the_wrong_place_is_not_told() {
    let row: Row = serde_saphyr::from_str(
        "{key_env: sk-live-1, headers: {authorization: sk-live-2}, base_url: 'https://u:sk-live-3@h'}",
    )
    .unwrap();
    let told = told("mine", row).join("\n");
    assert!(!told.contains("sk-live"), "{told}");
}

#[test]
fn a_field_that_nobody_knows_is_refused() {
    for yaml in ["baseurl: https://h", "quirks: {repare: true}", "auth: {cookie: x}", "auth: basic"] {
        assert!(serde_saphyr::from_str::<Row>(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn settings_and_families_are_checked() {
    let with = |more: &str| format!("base_url: https://h\ndialects: [openai_chat]\n{more}");
    let both = "settings: {zone: {kind: label}, path: {}, site: {kind: url}}\n";
    check("mine", &with("settings: {Zone: x}"), &["mine.settings.Zone: must be lower-case"]);
    check("mine", &with("settings: {model: x}"), &["mine.settings.model: must be lower-case"]);
    check("mine", &with("settings: {z: {kind: label, default: a/b}}"), &["mine.settings.z: must be letters"]);
    check("mine", &with("settings: {z: {env: [not-a-name]}}"), &["mine.settings.z.env: is no name"]);
    check("mine", &with("settings: {z: {header: a b}}"), &["mine.settings.z.header: is no name"]);
    check("mine", &with("model_setting: zone"), &["mine.model_setting: \"zone\" is none of"]);
    check("mine", &with("paths: {openai_chat: \"/{zone}\"}"), &["mine.paths.openai_chat: {zone} is neither"]);
    check("mine", &with("base_urls: {zone: {a: https://b}}"), &["mine.base_urls.zone: is none of"]);
    check("mine", &with("body: {openai_images: {}}"), &["mine.body.openai_images: is not among"]);
    check("mine", &with("families: [{strip: a}]"), &["mine.families[0].models: must name models"]);
    check("mine", &with("families: [{when: {zone: [a]}}]"), &["mine.families[0].when.zone: is none of"]);
    check(
        "mine",
        &with("families: [{models: [a], dialects: [latin]}]"),
        &["mine.families[0].dialects: \"latin\" is none of"],
    );
    check("mine", &with("hosts: {latin: {}}"), &["mine.hosts.latin.dialects: \"latin\" is none of"]);
    let host = with("hosts: {s3_objects: {base_url: \"https://{zone}.h\"}}");
    check("mine", &host, &["mine.hosts.s3_objects.base_url: {zone} is none of"]);
    let urls = format!("{both}base_url: https://{{path}}.h\n");
    check("mine", &urls, &["mine.base_url: {path} must be a setting of kind label"]);
    let urls = format!("{both}base_url: https://h/{{site}}\n");
    check("mine", &urls, &["mine.base_url: {site} must be a setting of kind label"]);
    check("mine", &format!("{both}base_url: \"{{site}}\"\n"), &[]);
    check("mine", &format!("{both}base_url: https://{{zone}}.h/v1\n"), &[]);
    check("mine", "base_url: https://{nothing}.h", &["mine.base_url: {nothing} is none of"]);
}
