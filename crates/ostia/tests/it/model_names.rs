//! Names of models: whom they name, wherever they stand; and the list of those that can be asked for.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

/// `near` stands for a vendor whose models have no slash, `shop` for a reseller.
fn gateway(near: &Upstream, shop: &Upstream, more: &str) -> Gateway {
    Gateway::with(&format!(
        "{more}\nproviders:\n  near: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], \
         quirks: {{plain_models: true}}, models: [a, x/listed]}}\n  \
         shop: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], models: [near/a]}}\n",
        near.url(),
        shop.url()
    ))
}

fn two() -> [Upstream; 2] {
    [0, 1].map(|_| Upstream::always(Answer::json(openai::chat("x"))))
}

/// Who was asked for what: `near a`, or the refusal.
fn asked(upstreams: [Upstream; 2], gateway: &Gateway, ask: Ask) -> String {
    let reply = ask.to(gateway);
    let seen = ["near", "shop"].into_iter().zip(&upstreams).find(|(_, upstream)| upstream.count() > 0);
    match seen {
        Some((name, upstream)) => format!("{name} {}", upstream.last().json()["model"].as_str().unwrap()),
        None => format!("{} {}", reply.status, reply.text()),
    }
}

#[track_caller]
fn check(file: &str, model: &str, headers: &[(&str, &str)], expected: &str) {
    for path in ["/v1/chat/completions", "/v1/images/generations"] {
        let upstreams = two();
        let gateway = gateway(&upstreams[0], &upstreams[1], file);
        let body = json!({"model": model, "messages": [{"role": "user", "content": "q"}]}).to_string();
        let ask = headers.iter().fold(Ask::post(path, body), |ask, (name, value)| ask.header(name, value));
        let found = asked(upstreams, &gateway, ask);
        assert!(found.contains(expected), "{path} {model}: {found}");
    }
}

#[test]
fn a_provider_before_the_slash() {
    let near = "default_provider: near";
    let shop = "default_provider: shop";
    check("", "@shop/near/a", &[], "shop near/a");
    check("", "shop/near/a", &[], "shop near/a");
    check("", "near/a", &[], "near a");
    check("", "a", &[], "No provider was named");
    check("", "sohp/a", &[], "Did you mean `@shop/a`?");
    check(near, "shop/near/a", &[], "shop near/a");
    check(near, "near/a", &[], "near a");
    check(near, "x/listed", &[], "near x/listed");
    check(near, "nobody/a", &[], "near nobody/a");
    // Resellers have such names of their own.
    check(shop, "near/a", &[], "shop near/a");
    check(shop, "@near/a", &[], "near a");
    check("", "near/a", &[("x-ostia-provider", "shop")], "shop near/a");
    check("strict_model_names: true", "near/a", &[], "Did you mean `@near/a`?");
    check("strict_model_names: true", "@near/a", &[], "near a");
    check("strict_model_names: true\ndefault_provider: near", "shop/a", &[], "near shop/a");
}

#[test]
fn forms_that_pass_through_name_their_provider() {
    let upstream = Upstream::always(Answer::json(r#"{"text":"x"}"#));
    let gateway = gateway(&upstream, &upstream, "default_provider: shop");
    let form = |model: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n\
             --b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--b--\r\n"
        )
    };
    let ask = Ask::new("POST", "/v1/audio/transcriptions").body(form("@near/whisper-1"));
    let reply = ask.header("content-type", "multipart/form-data; boundary=b").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(upstream.last().text(), form("whisper-1"));
    assert_eq!(reply.header("x-ostia-provider"), Some("near"));
}

#[test]
fn the_list_is_told_in_the_words_of_who_asks() {
    let [near, shop] = two();
    let file = "default_provider: near\naliases: {fast: {provider: near, override_params: {model: a}}}";
    let gateway = gateway(&near, &shop, file);
    let ids = |value: &Value, list: &str, id: &str| -> Vec<String> {
        let list = value[list].as_array().unwrap_or_else(|| panic!("{value}"));
        list.iter().map(|model| model[id].as_str().unwrap().to_owned()).collect()
    };
    let names = ["fast", "@near/a", "@near/x/listed", "@shop/near/a"];
    let openai = Ask::new("GET", "/v1/models").to(&gateway).json();
    assert_eq!(ids(&openai, "data", "id"), names);
    let anthropic = Ask::new("GET", "/v1/models").header("anthropic-version", "2023-06-01");
    let anthropic = anthropic.to(&gateway).json();
    assert_eq!(ids(&anthropic, "data", "id"), names);
    assert_eq!((&anthropic["has_more"], &anthropic["last_id"]), (&false.into(), &"@shop/near/a".into()));
    let google = Ask::new("GET", "/v1beta/models").to(&gateway).json();
    assert_eq!(ids(&google, "models", "name"), names.map(|name| format!("models/{name}")));
    for (path, id) in [
        ("/v1/models/fast", json!("fast")),
        ("/v1/models/a", json!("a")),
        ("/v1/models/shop/near/a", json!("shop/near/a")),
        ("/v1beta/models/@near/a", json!(null)),
    ] {
        let reply = Ask::new("GET", path).to(&gateway);
        assert_eq!((reply.status, &reply.json()["id"]), (200, &id), "{path}");
    }
    assert_eq!(near.count() + shop.count(), 0);
    // What is not listed is the default provider's business.
    Ask::new("GET", "/v1/models/b").to(&gateway);
    assert_eq!(near.last().target, "/v1/models/b");
}

#[test]
fn the_list_says_what_the_catalogue_knows() {
    let file = "providers: {openai: {models: [gpt-4o-mini, of-nobody]}, groq: {models: [llama-3.1-8b-instant]}}\naliases: {fast: {provider: openai}}\nprices: {groq/llama-3.1-8b-instant: {input: 0.5, output: 0.0375}}";
    let gateway = Gateway::with(file);
    let list = Ask::new("GET", "/v1/models").to(&gateway).json();
    let model = |id: &str| {
        let model = list["data"].as_array().unwrap().iter().find(|model| model["id"] == id).unwrap();
        let fields = ["context_length", "max_output_tokens", "pricing"];
        fields.map(|field| model[field].clone())
    };
    // For one token, as OpenRouter tells it.
    let pricing =
        json!({"prompt": "0.00000015", "completion": "0.0000006", "input_cache_read": "0.000000075"});
    assert_eq!(model("@openai/gpt-4o-mini"), [json!(128_000), json!(16_384), pricing]);
    let own = json!({"prompt": "0.0000005", "completion": "0.0000000375"});
    let [.., pricing] = model("@groq/llama-3.1-8b-instant");
    assert_eq!(pricing, own, "the operator's prices go first, and no other is put beside them");
    for id in ["@openai/of-nobody", "fast"] {
        assert_eq!(model(id), [json!(null), json!(null), json!(null)], "{id}");
    }
    let one = Ask::new("GET", "/v1/models/@openai/gpt-4o-mini").to(&gateway).json();
    assert_eq!((&one["context_length"], &one["pricing"]["prompt"]), (&json!(128_000), &json!("0.00000015")));
    let anthropic = Ask::new("GET", "/v1/models").header("anthropic-version", "2023-06-01");
    assert!(!anthropic.to(&gateway).text().contains("context_length"));
}
