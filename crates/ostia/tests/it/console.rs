//! The console's files, and what it asks of the gateway: who may, and that no secret is told.

use std::io::Read as _;

use flate2::read::GzDecoder;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply, once};

const PROVIDERS: &str = "/v1/gateway/providers";
const CONFIG: &str = "/v1/gateway/config";

fn ask(path: &str) -> Ask {
    Ask::new("GET", path)
}

/// The file of the console with this ending, as the page names it.
#[track_caller]
fn asset(gateway: &Gateway, ending: &str) -> String {
    let page = ask("/console").to(gateway);
    let named =
        page.text().split('"').find(|part| part.starts_with("/console/assets/") && part.ends_with(ending));
    named.unwrap_or_else(|| panic!("{}", page.text())).to_owned()
}

#[test]
fn pages_are_one_page_that_may_do_nothing_but_its_own() {
    let gateway = Gateway::start();
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
                  media-src data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let check = |path: &str| {
        let page = ask(path).to(&gateway);
        assert_eq!(page.status, 200, "{path}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-cache"),
            ("vary", "accept-encoding"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path} {name}");
        }
        assert_eq!(page.header("content-encoding"), None, "{path}");
        assert!(page.text().contains("<div id=\"console\">"), "{path}: {}", page.text());
        // What the policy would not let run.
        assert!(!page.text().contains("<script>") && !page.text().contains("style="), "{}", page.text());
    };
    check("/console");
    check("/console/");
    check("/console/logs/0af7651916cd43dd8448eb211c80319c?status=error");
    check("/console/live");
    let licences = ask("/console/licenses.md").to(&gateway);
    assert!(licences.text().contains("react"), "{}", licences.text());
}

#[test]
fn files_are_kept_by_browsers_and_packed_for_those_that_unpack() {
    let gateway = Gateway::start();
    for (ending, media) in [(".js", "text/javascript; charset=utf-8"), (".css", "text/css; charset=utf-8")] {
        let path = asset(&gateway, ending);
        let plain = ask(&path).to(&gateway);
        assert_eq!((plain.status, plain.header("content-type")), (200, Some(media)), "{path}");
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let packed = ask(&path).header("accept-encoding", "gzip, br").to(&gateway);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body, "{path}");
        let tag = plain.header("etag").unwrap().to_owned();
        assert_eq!(packed.header("etag"), Some(&*tag));
        let known = ask(&path).header("if-none-match", &tag).to(&gateway);
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
        assert_eq!(known.header("etag"), Some(&*tag));
    }
    for (method, path, status) in [
        ("GET", "/console/assets/nothing.js", 404),
        ("GET", "/consoles", 404),
        ("POST", "/console", 405),
        ("DELETE", "/console/logs", 405),
        ("POST", PROVIDERS, 405),
        ("GET", "/v1/gateway/providers?limit=1", 400),
        ("GET", "/v1/gateway/providers?since=soon", 400),
        ("GET", "/v1/gateway/config?since=1h", 400),
    ] {
        assert_eq!(Ask::new(method, path).to(&gateway).status, status, "{method} {path}");
    }
    let without = Gateway::with("console: false");
    assert_eq!(ask("/console").to(&without).status, 404);
    assert_eq!(ask(CONFIG).to(&without).status, 200);
}

#[test]
fn pages_are_for_all_and_data_for_operators() {
    let check = |gateway: &Gateway, key: Option<&str>, expected: u16| {
        assert_eq!(ask("/console").to(gateway).status, 200);
        for path in [PROVIDERS, CONFIG] {
            let asked = key.iter().fold(ask(path), |ask, key| ask.header("x-ostia-api-key", key));
            let reply = asked.to(gateway);
            assert_eq!(reply.status, expected, "{path} {key:?}: {}", reply.text());
        }
    };
    let open = Gateway::start();
    check(&open, None, 200);
    let foreign = |path: &str| ask(path).header("origin", "https://elsewhere.example").to(&open).status;
    assert_eq!((foreign("/console"), foreign(PROVIDERS), foreign(CONFIG)), (200, 403, 403));
    let rebound = |path: &str| ask(path).host("elsewhere.example").to(&open).status;
    assert_eq!((rebound(PROVIDERS), rebound(CONFIG)), (403, 403));
    let shared = Gateway::with("auth: {keys: [client-1234]}");
    check(&shared, Some("client-1234"), 403);
    let guarded = Gateway::with("auth: {keys: [client-1234], admin_keys: [admin-1234]}");
    check(&guarded, None, 401);
    check(&guarded, Some("client-1234"), 401);
    check(&guarded, Some("admin-1234"), 200);
}

#[test]
fn the_configuration_is_told_without_a_secret() {
    let config = "auth: {keys: [{key: client-secret, name: red}], admin_keys: [\"${ADMIN}\"]}\n\
                  providers:\n  openai: {api_key: \"${KEY}\"}\n  groq: {api_key: groq-secret, headers: {x-team: header-secret}}\n  \
                  anthropic: {models: [m]}\n\
                  configs: {c: {provider: openai, api_key: config-secret}}\n\
                  timeouts: {connect: 3s}\n";
    let gateway =
        Setup::new().config(config).env("ADMIN", "admin-secret").env("KEY", "openai-secret").start();
    let told = |path: &str| ask(path).header("x-ostia-api-key", "admin-secret").to(&gateway);
    let config = told(CONFIG);
    for reply in [&config, &told(PROVIDERS)] {
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    let config = config.json();
    let in_force = &config["in_force"];
    assert_eq!(config["file"], "ostia.yaml");
    assert_eq!(in_force["timeouts"]["connect"], "3s");
    assert_eq!(in_force["auth"], json!({"keys": ["red"], "admin_keys": 1}));
    assert_eq!(in_force["configs"], json!(["c"]));
    assert_eq!(config["written"]["providers"]["openai"]["api_key"], "${KEY}");
    assert_eq!(config["written"]["providers"]["groq"]["api_key"], "(hidden)");
    assert_eq!(config["written"]["auth"]["keys"][0], json!({"key": "(hidden)", "name": "red"}));
}

#[test]
fn doubts_about_the_configuration_are_told_and_change_with_it() {
    let gateway = Gateway::with("timeouts: {total: 1s}");
    let problems = || ask(CONFIG).to(&gateway).json()["problems"].clone();
    let first = problems();
    assert_eq!((&first[0]["severity"], &first[0]["line"]), (&json!("warning"), &json!(1)), "{first}");
    gateway.write("ostia.yaml", "default_provider: groq");
    assert!(gateway.reload().status.success());
    assert_eq!(problems(), json!([]));
    assert_eq!(ask(CONFIG).to(&gateway).json()["in_force"]["default_provider"], "groq");
}

/// The provider of this id, once it is told so.
#[track_caller]
fn provider(gateway: &Gateway, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    once(|| {
        let told = ask(PROVIDERS).to(gateway).json();
        let all = told["data"].as_array().unwrap();
        let found = all.iter().find(|provider| provider["id"] == id).cloned().unwrap_or_default();
        if is_so(&found) { Ok(found) } else { Err(told) }
    })
}

fn call(gateway: &Gateway, model: &str) -> Reply {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]}).to_string();
    Ask::post("/v1/chat/completions", body).to(gateway)
}

#[test]
fn providers_tell_their_keys_and_how_it_went() {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let config = format!(
        "providers:\n  openai: {{base_url: \"{}/v1\", api_key: k}}\n  groq: {{models: [m]}}\n  \
         mine: {{base_url: \"http://127.0.0.1:9/v1\", dialects: [openai_chat], local: true}}\n\
         aliases: {{a: {{provider: mine, override_params: {{model: m}}, cb_config: {{failure_threshold: 1}}}}}}\n",
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    assert_eq!(call(&gateway, "@openai/gpt-4o").status, 200);
    assert_ne!(call(&gateway, "a").status, 200);
    let openai = provider(&gateway, "openai", |told| told["recent"]["requests"] == 1);
    assert_eq!(openai["key"], json!({"state": "present", "from": "in the file itself", "count": 1}));
    assert_eq!(openai["recent"]["failed_attempts"], 0);
    assert_eq!(openai["host"], upstream.url().trim_start_matches("http://"));
    let groq = provider(&gateway, "groq", |told| told["configured"] == true);
    assert_eq!(groq["key"], json!({"state": "missing", "variables": ["GROQ_API_KEY"], "read": true}));
    let mine = provider(&gateway, "mine", |told| told["recent"]["failed_attempts"] == 1);
    assert_eq!(mine["key"], json!({"state": "not_needed"}));
    let breakers = &ask(PROVIDERS).to(&gateway).json()["breakers"];
    assert_eq!(
        (&breakers[0]["config"], &breakers[0]["breaker"]["state"]),
        (&json!("a"), &json!("open")),
        "{breakers}"
    );
}

#[test]
fn without_records_providers_are_told_all_the_same() {
    let gateway = Gateway::with("records: off\nproviders: {openai: {api_key: k}}");
    let told = ask(PROVIDERS).to(&gateway).json();
    assert_eq!((&told["data"][0]["id"], &told["data"][0]["recent"]), (&json!("openai"), &Value::Null));
}
