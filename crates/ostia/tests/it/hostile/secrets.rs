//! Whatever the operator wrote stays with the operator's hosts, however a client combines it with a host of its own.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// One secret in every place that an operator can write one into.
fn config(own: &Upstream) -> String {
    format!(
        "auth:\n  keys:\n    - key-one\n    - {{ key: key-two, config: bound }}\n\
         providers:\n  openai: {{ base_url: '{url}', api_key: SECRET-provider, headers: {{ x-team: SECRET-header }} }}\n  \
         anthropic: {{ api_key: SECRET-anthropic, headers: {{ x-team: SECRET-header }} }}\n\
         configs:\n  named: {{ provider: openai, api_key: SECRET-named, retry: {{ attempts: 1 }} }}\n  \
         bound: {{ provider: openai, api_key: SECRET-bound, openai_project: SECRET-project }}\n  \
         bare: {{ passthrough: true, provider: openai, api_key: SECRET-bare }}\n  \
         params: {{ provider: openai, override_params: {{ user: SECRET-user }} }}\n  \
         usual: {{ api_key: SECRET-usual, targets: [{{ provider: openai }}, {{ provider: openai, api_key: SECRET-leaf }}], \
         strategy: {{ mode: fallback }} }}\n\
         config: usual\n\
         aliases: {{ fast: {{ provider: openai, api_key: SECRET-alias }} }}\n",
        url = own.url()
    )
}

#[test]
fn nothing_of_the_operators_reaches_a_host_that_the_client_chose() {
    let (own, other) = (
        Upstream::always(Answer::json(openai::chat("x"))),
        Upstream::always(Answer::json(openai::chat("x"))),
    );
    let gateway = Gateway::with(&config(&own));
    let mine = format!(r#"{{"custom_host":"{}","provider":"openai"}}"#, other.url());
    let fast = CHAT.replace("\"m\"", "\"fast\"");
    for key in ["key-one", "key-two"] {
        for (name, value) in [
            ("x-ostia-config", "named"),
            ("x-ostia-config", "bare"),
            ("x-ostia-config", "params"),
            ("x-ostia-config", "usual"),
            ("x-ostia-config", &mine),
            ("x-ostia-provider", "openai"),
            ("x-ostia-provider", "anthropic"),
            ("x-ostia-trace-id", "of-the-default-config"),
        ] {
            for (path, body) in [
                ("/v1/chat/completions", CHAT),
                ("/v1/chat/completions", &fast),
                ("/v1/messages", CHAT),
                ("/v1/files", "{}"),
                ("/v1/proxy/x", "{}"),
            ] {
                let ask = Ask::post(path, body).header("x-ostia-api-key", key).header(name, value);
                let ask = ask.header("x-ostia-custom-host", &other.url());
                let _ = ask.clone().to(&gateway);
                let _ = ask.header("x-ostia-provider", "openai").to(&gateway);
            }
        }
    }
    assert!(other.count() > 20, "the client's host was asked: {}", other.count());
    for seen in other.requests() {
        assert!(!format!("{seen:?}").contains("SECRET"), "{seen:?}");
    }
}

#[test]
fn settings_of_the_operators_stay_at_the_operators_hosts() {
    let (own, other) = (Upstream::always(Answer::json("{}")), Upstream::always(Answer::json("{}")));
    let gateway = Gateway::with(&format!(
        "providers:\n  placed:\n    base_url: \"{}/v1\"\n    local: true\n    dialects: [openai_chat]\n    \
         paths: {{openai_chat: \"/of/{{account}}/{{zone}}/{{tier}}\"}}\n    headers: {{x-account: \"{{account}}\"}}\n    \
         settings: {{account: {{value: operators-account, about: a}}, zone: {{default: usual, about: z}}, \
         tier: {{value: operators-tier, optional: true, about: t}}}}\n",
        own.url()
    ));
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let ask = || Ask::post("/v1/chat/completions", body).header("x-ostia-provider", "placed");
    let host = format!("{}/theirs", other.url());
    let refused = ask().header("x-ostia-custom-host", &host).to(&gateway);
    assert_eq!((refused.status, other.count()), (400, 0), "{}", refused.text());
    assert!(refused.text().contains("setting_missing") && refused.text().contains("account"));
    ask().header("x-ostia-custom-host", &host).header("x-ostia-account", "mine").to(&gateway);
    let seen = other.last();
    assert_eq!((seen.target.as_str(), seen.header("x-account")), ("/theirs/of/mine/usual/", None));
    ask().to(&gateway);
    assert_eq!(own.last().target, "/v1/of/operators-account/usual/operators-tier");
}

#[test]
fn the_operators_keys_still_reach_the_operators_host() {
    let own = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::with(&config(&own));
    let fast = CHAT.replace("\"m\"", "\"fast\"");
    for (key, name, value, body, expected) in [
        ("key-one", "x-ostia-config", "named", CHAT, "SECRET-named"),
        ("key-one", "x-ostia-config", "usual", CHAT, "SECRET-provider"),
        ("key-one", "x-ostia-provider", "openai", CHAT, "SECRET-provider"),
        ("key-one", "x-ostia-trace-id", "t", &fast, "SECRET-alias"),
        ("key-one", "x-ostia-trace-id", "t", CHAT, "SECRET-provider"),
        ("key-two", "x-ostia-trace-id", "t", CHAT, "SECRET-bound"),
    ] {
        let ask = Ask::post("/v1/chat/completions", body).header("x-ostia-api-key", key);
        assert_eq!(ask.header(name, value).to(&gateway).status, 200, "{value}");
        let seen = own.last();
        assert_eq!(seen.header("authorization").as_deref(), Some(format!("Bearer {expected}").as_str()));
        assert_eq!(seen.header("x-team").as_deref(), Some("SECRET-header"));
    }
}

#[test]
fn the_operators_config_has_a_host_of_the_operators() {
    let own = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!(
        "auth: {{ keys: [key-one] }}\nproviders: {{ openai: {{ api_key: SECRET-provider }} }}\n\
         configs: {{ near: {{ provider: openai, custom_host: '{}' }} }}",
        own.url()
    );
    let gateway = Setup::new().config(&config).arg("--listen").arg("0.0.0.0:0").start();
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-api-key", "key-one");
    assert_eq!(ask.header("x-ostia-config", "near").to(&gateway).status, 200);
    assert_eq!(own.last().header("authorization").as_deref(), Some("Bearer SECRET-provider"));
}

#[test]
fn a_key_for_one_provider_is_not_for_whomever_a_client_names() {
    let (own, other) = (
        Upstream::always(Answer::json(openai::chat("x"))),
        Upstream::always(Answer::json(openai::chat("x"))),
    );
    let config = format!(
        "default_provider: own\nproviders:\n  own: {{ base_url: '{}', dialects: [openai_chat] }}\n  \
         other: {{ base_url: '{}', dialects: [openai_chat] }}\nconfigs: {{ bare: {{ passthrough: true, provider: own, api_key: SECRET-bare }} }}",
        own.url(),
        other.url()
    );
    let gateway = Gateway::with(&config);
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-config", "bare");
    let _ = ask.clone().header("x-ostia-provider", "other").to(&gateway);
    let _ = ask.body(CHAT.replace("\"m\"", "\"@other/m\"")).to(&gateway);
    for seen in other.requests() {
        assert!(!format!("{seen:?}").contains("SECRET"), "{seen:?}");
    }
}

#[test]
fn built_in_private_servers_are_the_operators_word_only() {
    // Whoever listens there, if anybody: what counts is whether the gateway goes there at all.
    let wide = |config: &str| {
        let setup = Setup::new().config(config).arg("--insecure");
        setup.arg("--listen").arg("0.0.0.0:0").start()
    };
    let refused = |gateway: &Gateway, path: &str, name: &str, value: &str| {
        let reply = Ask::post(path, CHAT).header(name, value).to(gateway);
        reply.status == 400 && reply.text().contains("may not go to")
    };
    let open = wide("");
    let theirs = r#"{"provider":"ollama"}"#;
    for path in ["/v1/chat/completions", "/v1/api/tags", "/v1/proxy/api/pull"] {
        for provider in ["ollama", "llamacpp", "vllm", "lmstudio"] {
            if has_row(&open, provider) {
                assert!(refused(&open, path, "x-ostia-provider", provider), "{provider} {path}");
            }
        }
        assert!(refused(&open, path, "x-ostia-config", theirs), "{path}");
    }
    for named in [
        "providers: { ollama: {} }",
        "default_provider: ollama",
        "configs: { near: { provider: ollama } }\nconfig: near",
    ] {
        let gateway = wide(named);
        let reply = Ask::post("/v1/chat/completions", CHAT).to(&gateway);
        let own = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "ollama").to(&gateway);
        let replies = if named.starts_with("providers") { vec![own] } else { vec![reply] };
        for reply in replies {
            assert!(!reply.text().contains("may not go to"), "{named}: {}", reply.text());
        }
    }
    let near = Gateway::start();
    assert!(!refused(&near, "/v1/chat/completions", "x-ostia-provider", "ollama"));
}

/// Does the table have a row of this name?
fn has_row(gateway: &Gateway, provider: &str) -> bool {
    let reply = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider).to(gateway);
    !reply.text().contains("provider_unknown")
}
