//! Headers: which go on, which come back, which stay.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Step, Upstream, dead_address};

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const MESSAGE: &str = r#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#;

fn chat(upstream: &Upstream) -> Ask {
    Ask::post_at(upstream, "openai", "/v1/chat/completions", CHAT)
}

#[test]
fn every_answer_has_a_trace_id() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let streaming = Upstream::always(Answer::stream(openai::chat_stream(&["x"])));
    let dead = format!("http://{}", dead_address());
    let mut made = std::collections::HashSet::new();
    for ask in [
        Ask::new("GET", "/"),
        Ask::new("GET", "/health"),
        Ask::new("GET", "/v1/models"),
        Ask::new("GET", "/nothing"),
        Ask::post("/v1/chat/completions", "{"),
        Ask::post("/v1/messages", "{}").header("x-ostia-provider", "nobody"),
        Ask::post("/v1/chat/completions", CHAT).header("x-ostia-config", "{"),
        Ask::post("/v1/chat/completions", CHAT)
            .header("x-ostia-provider", "openai")
            .header("x-ostia-custom-host", &dead),
        chat(&upstream),
        chat(&streaming),
        Ask::new("GET", "/v1/files").at(&upstream, "openai"),
    ] {
        let reply = ask.to(&gateway);
        let id = reply.header("x-ostia-trace-id").unwrap_or_else(|| panic!("{ask:?}: {reply:?}")).to_owned();
        assert!(id.len() >= 16 && made.insert(id), "{ask:?}");
        assert_eq!(reply.header("x-portkey-trace-id"), None);
        let reply = ask.clone().header("x-ostia-trace-id", "mine-1").to(&gateway);
        assert_eq!(reply.header("x-ostia-trace-id"), Some("mine-1"), "{ask:?}");
        let reply = ask.clone().header("x-portkey-trace-id", "mine-2").to(&gateway);
        assert_eq!(reply.header("x-ostia-trace-id"), Some("mine-2"), "{ask:?}");
        assert_eq!(reply.header("x-portkey-trace-id"), Some("mine-2"), "{ask:?}");
    }
}

#[test]
fn portkeys_spelling_is_answered_in_both() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("x"))));
    let ask = Ask::post("/v1/chat/completions", CHAT)
        .header("x-portkey-provider", "openai")
        .header("x-portkey-custom-host", &upstream.url());
    let reply = ask.to(&gateway);
    assert_eq!(reply.status, 200);
    for name in ["provider", "trace-id", "last-used-option-index", "retry-attempt-count"] {
        let own = reply.header(&format!("x-ostia-{name}"));
        assert!(own.is_some(), "{name}");
        assert_eq!(own, reply.header(&format!("x-portkey-{name}")), "{name}");
    }
}

#[test]
fn what_is_the_gateways_stays_with_the_gateway() {
    let gateway = Gateway::with("auth: { keys: [gateway-key-1] }");
    let upstream = Upstream::always(Answer::json(openai::chat("x")).header("set-cookie", "a=b"));
    for (path, method) in [("/v1/chat/completions", "POST"), ("/v1/files", "PUT"), ("/v1/proxy/x", "PATCH")] {
        let ask = Ask::new(method, path)
            .body(CHAT)
            .header("content-type", "application/json")
            .header("cookie", "session=1")
            .header("x-portkey-api-key", "gateway-key-1")
            .header("authorization", "Bearer sk-client")
            .header("x-portkey-provider", "openai")
            .header("x-portkey-custom-host", &upstream.url())
            .header("x-portkey-metadata", r#"{"user":"u"}"#)
            .header("x-ostia-trace-id", "t")
            .header("proxy-authorization", "Basic x")
            .header("x-forwarded-for", "1.2.3.4")
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1")
            .header("user-agent", "some-sdk/1");
        let reply = ask.to(&gateway);
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None), "{}", reply.text());
        let seen = upstream.last();
        for (name, value) in &seen.headers {
            assert!(!name.starts_with("x-portkey-") && !name.starts_with("x-ostia-"), "{path}: {name}");
            assert!(!value.contains("gateway-key-1"), "{path}: {name}");
        }
        for name in ["cookie", "proxy-authorization", "x-forwarded-for", "x-hop"] {
            assert_eq!(seen.header(name), None, "{path}: {name}");
        }
        assert_eq!(seen.header("host"), Some(upstream.address().to_string()));
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
    }
}

#[test]
fn headers_that_the_client_wants_passed_on() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("x"))));
    let with_config = chat(&upstream).header("x-ostia-config", r#"{"forward_headers":["x-team"]}"#);
    for ask in [chat(&upstream).header("x-portkey-forward-headers", "X-Team, x-none"), with_config] {
        assert_eq!(ask.header("x-team", "red").header("x-other", "1").to(&gateway).status, 200);
        let seen = upstream.last();
        assert_eq!((seen.header("x-team").as_deref(), seen.header("x-other")), (Some("red"), None));
    }
    for name in ["cookie", "host", "x-portkey-api-key", "metadata-flavor", "transfer-encoding"] {
        let reply = chat(&upstream).header("x-ostia-forward-headers", name).to(&gateway);
        assert_eq!(reply.status, 400, "{name}");
        assert!(reply.text().contains(name));
    }
    assert_eq!(upstream.count(), 2);
}

#[test]
fn a_token_of_a_subscription_stays_a_bearer() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(anthropic::message("x"))));
    let check = |path: &str,
                 body: &str,
                 sent: (&str, &str),
                 betas: &[&str],
                 expected: (Option<&str>, Option<&str>),
                 expected_betas: Option<&str>| {
        let ask = Ask::new("POST", path)
            .body(body)
            .header("content-type", "application/json")
            .header("x-ostia-provider", "anthropic")
            .header("x-ostia-custom-host", &upstream.url())
            .header(sent.0, sent.1);
        let ask = betas.iter().fold(ask, |ask, betas| ask.header("anthropic-beta", betas));
        assert_eq!(ask.to(&gateway).status, 200, "{path}");
        let seen = upstream.last();
        let keys = (seen.header("authorization"), seen.header("x-api-key"));
        assert_eq!((keys.0.as_deref(), keys.1.as_deref()), expected, "{path} {sent:?}");
        assert_eq!(seen.header("anthropic-beta").as_deref(), expected_betas, "{path} {betas:?}");
    };
    let (token, beta) = ("sk-ant-oat01-x", "oauth-2025-04-20");
    let bearer = format!("Bearer {token}");
    for (path, body) in [("/v1/messages", MESSAGE), ("/v1/chat/completions", CHAT), ("/v1/skills", "{}")] {
        for sent in [("authorization", bearer.as_str()), ("x-api-key", token)] {
            check(path, body, sent, &[], (Some(&bearer), None), Some(beta));
            let both = format!("a,b,{beta}");
            check(path, body, sent, &["a", "b"], (Some(&bearer), None), Some(&both));
            check(path, body, sent, &[beta], (Some(&bearer), None), Some(beta));
        }
        check(
            path,
            body,
            ("authorization", "Bearer sk-ant-api03-x"),
            &[],
            (None, Some("sk-ant-api03-x")),
            None,
        );
    }
}

#[test]
fn what_speaks_for_the_providers_host_stays_behind() {
    let gateway = Gateway::start();
    let marked = |answer: Answer| {
        answer
            .header("connection", "x-inner, keep-alive")
            .header("x-inner", "1")
            .header("alt-svc", "h3=\":443\"")
            .header("strict-transport-security", "max-age=1")
            .header("x-accel-redirect", "/secret")
            .header("x-request-id", "r")
    };
    let upstream = Upstream::always(marked(Answer::json(openai::chat("x"))));
    let streaming = Upstream::always(marked(Answer::stream(openai::chat_stream(&["x"]))));
    let failing = Upstream::always(marked(Answer::json("{}").status(500)));
    for upstream in [&upstream, &streaming, &failing] {
        let stream = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
        let chat = if std::ptr::eq(upstream, &streaming) { stream } else { CHAT };
        for ask in [
            Ask::post_at(upstream, "openai", "/v1/chat/completions", chat),
            Ask::new("GET", "/v1/files").at(upstream, "openai"),
            Ask::new("GET", "/v1/proxy/files").at(upstream, "openai"),
        ] {
            let reply = ask.to(&gateway);
            assert_eq!(reply.header("x-request-id"), Some("r"), "{ask:?}");
            for name in ["x-inner", "alt-svc", "strict-transport-security", "x-accel-redirect"] {
                assert_eq!(reply.header(name), None, "{name} {ask:?}");
            }
        }
    }
}

#[test]
fn headers_of_the_vendors() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("x"))));
    let ask = chat(&upstream)
        .header("openai-organization", "org-1")
        .header("openai-project", "proj-1")
        .header("openai-beta", "a=v2");
    assert_eq!(ask.to(&gateway).status, 200);
    let ask = chat(&upstream)
        .header("x-portkey-openai-organization", "org-1")
        .header("x-portkey-openai-project", "proj-1")
        .header("x-ostia-openai-beta", "a=v2");
    assert_eq!(ask.to(&gateway).status, 200);
    for seen in upstream.requests() {
        assert_eq!(seen.header("openai-organization").as_deref(), Some("org-1"));
        assert_eq!(seen.header("openai-project").as_deref(), Some("proj-1"));
        assert_eq!(seen.header("openai-beta").as_deref(), Some("a=v2"));
    }
    let upstream = Upstream::always(Answer::json(anthropic::message("x")));
    for (version, expected) in [(None, "2023-06-01"), (Some("2024-10-22"), "2024-10-22")] {
        for (path, body) in [("/v1/messages", MESSAGE), ("/v1/chat/completions", CHAT)] {
            let ask = Ask::post_at(&upstream, "anthropic", path, body).header("anthropic-beta", "b1,b2");
            let ask = match version {
                Some(version) => ask.header("anthropic-version", version),
                None => ask,
            };
            assert_eq!(ask.to(&gateway).status, 200);
            let seen = upstream.last();
            assert_eq!(seen.header("anthropic-version").as_deref(), Some(expected), "{path}");
            assert!(seen.header("anthropic-beta").unwrap().contains("b1,b2"), "{path}");
            assert_eq!(seen.header("x-api-key").as_deref(), Some("sk-client"), "{path}");
            assert_eq!(seen.header("authorization"), None, "{path}");
        }
    }
}

#[test]
fn placeholder_keys_are_none() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!("providers: {{ openai: {{ base_url: '{}' }} }}", upstream.url());
    let gateway = Setup::new().config(&config).env("OPENAI_API_KEY", "sk-from-env").start();
    for (header, expected) in [
        (None, "Bearer sk-from-env"),
        (Some("Bearer OPENAI_API_KEY"), "Bearer sk-from-env"),
        (Some("Bearer sk-own"), "Bearer sk-own"),
    ] {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
        let ask = match header {
            Some(value) => ask.header("authorization", value),
            None => ask,
        };
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(upstream.last().header("authorization").as_deref(), Some(expected));
    }
}

#[test]
fn a_key_of_the_operator() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!(
        "providers: {{ openai: {{ base_url: '{}', api_key: sk-operator }} }}\ndefault_provider: openai",
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    assert_eq!(Ask::post("/v1/chat/completions", CHAT).to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-operator"));
}

#[test]
fn a_model_that_sdks_make_up_is_none() {
    let config =
        format!("providers: {{ openai: {{ base_url: 'https://{}', api_key: sk-1 }} }}", dead_address());
    let gateway = Setup::new().config(&config).env("ANTHROPIC_API_KEY", "sk-2").start();
    for provider in ["openai", "anthropic"] {
        let body = CHAT.replace("\"m\"", "\"portkey-default\"");
        let reply =
            Ask::post("/v1/chat/completions", body).header("x-portkey-provider", provider).to(&gateway);
        assert_eq!(reply.status, 400, "{provider}: {}", reply.text());
        assert_eq!(reply.json()["error"]["param"], "model", "{provider}");
    }
}

#[test]
fn the_clients_own_patience() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json("{}").first(Step::Stall));
    for ask in [
        chat(&upstream).header("x-ostia-request-timeout", "150"),
        chat(&upstream).header("x-portkey-config", r#"{"request_timeout":150}"#),
        Ask::new("GET", "/v1/files").at(&upstream, "openai").header("x-ostia-request-timeout", "150"),
    ] {
        let start = Instant::now();
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 408, "{}", reply.text());
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains("150ms"));
        assert!((Duration::from_millis(140)..Duration::from_secs(3)).contains(&start.elapsed()));
    }
    assert!(upstream.wait_for_leaving(3, Duration::from_secs(1)), "the upstream calls are given up");
}
