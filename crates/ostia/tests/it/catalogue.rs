//! What the catalogue of models decides: refusals before a vendor is asked, and lists of models.

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const PIXEL: &str = "data:image/png;base64,iVBORw0KGgo=";

/// A provider of Anthropic's format of which the operator says what its models take.
fn blind(upstream: &Upstream, more: &str) -> Gateway {
    Gateway::with(&format!(
        "{more}\nproviders:\n  own: {{base_url: \"{}/v1\", local: true, dialects: [anthropic_messages]}}\n\
         models:\n  own/blind: {{cannot: [vision, pdf]}}\n  own/seeing: {{can: [vision]}}\n",
        upstream.url()
    ))
}

fn look(model: &str) -> Value {
    let content = json!([
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]);
    json!({"model": format!("@own/{model}"), "messages": [{"role": "user", "content": content}]})
}

fn ask(gateway: &Gateway, body: &Value) -> Reply {
    Ask::post("/v1/chat/completions", body.to_string()).to(gateway)
}

#[test]
fn what_a_model_cannot_take_is_refused_before_it_is_asked() {
    let upstream = Upstream::always(Answer::json(anthropic::message("a cat")));
    let gateway = blind(&upstream, "");
    let reply = ask(&gateway, &look("blind"));
    let error = reply.json()["error"].take();
    assert_eq!((reply.status, &error["code"]), (400, &json!("unsupported_content")), "{error}");
    assert_eq!(error["param"], "messages[0].content[1]");
    assert!(error["message"].as_str().unwrap().contains("the model `blind` takes no images"), "{error}");
    assert_eq!(upstream.count(), 0);
    // One that it takes, one that nobody knows, and words.
    for model in ["seeing", "unknown"] {
        assert_eq!(ask(&gateway, &look(model)).status, 200, "{model}");
    }
    let words = json!({"model": "@own/blind", "messages": [{"role": "user", "content": "words"}]});
    assert_eq!(ask(&gateway, &words).status, 200);
    assert_eq!(upstream.count(), 3);
}

#[test]
fn the_checks_can_be_turned_off() {
    let upstream = Upstream::always(Answer::json(anthropic::message("a cat")));
    let gateway = blind(&upstream, "model_checks: false");
    assert_eq!((ask(&gateway, &look("blind")).status, upstream.count()), (200, 1));
}

#[test]
fn another_target_may_take_it() {
    let upstream = Upstream::always(Answer::json(anthropic::message("a cat")));
    let gateway = blind(&upstream, "");
    let target = |model: &str| json!({"provider": "own", "override_params": {"model": model}});
    let config = json!({
        "strategy": {"mode": "fallback", "on_status_codes": [400]},
        "targets": [target("blind"), target("seeing")],
    });
    let body = look("x").to_string();
    let reply =
        Ask::post("/v1/chat/completions", body).header("x-ostia-config", &config.to_string()).to(&gateway);
    assert_eq!((reply.status, upstream.count()), (200, 1), "{}", reply.text());
    assert_eq!(upstream.last().json()["model"], "seeing");
}

/// What a deployment's name does not tell, the operator does: which parameters it takes, by which API it is reached, what it costs.
#[test]
fn a_deployment_is_the_model_that_the_operator_says() {
    let chat = Upstream::always(Answer::json(openai::completion("pong")));
    let gateway = Gateway::with(&format!(
        "providers:\n  azure-openai: {{base_url: \"{}/openai\", api_key: k, local: true}}\n\
         models:\n  azure-openai/prod: {{base: azure-openai/gpt-5.1}}\n",
        chat.url()
    ));
    let body = |model: &str| {
        let messages = json!([{"role": "user", "content": "ping"}]);
        json!({"model": format!("@azure-openai/{model}"), "messages": messages, "max_tokens": 9}).to_string()
    };
    let sent = |model: &str| {
        let reply = Ask::post("/v1/chat/completions", body(model)).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let sent = chat.last().json();
        [sent["max_tokens"].clone(), sent["max_completion_tokens"].clone()]
    };
    assert_eq!(sent("prod"), [json!(null), json!(9)]);
    assert_eq!(sent("other"), [json!(9), json!(null)]);
}

/// The name of an endpoint is taken apart whether or not it is known which model is there.
#[test]
fn a_tuned_model_is_where_its_name_says_and_what_the_operator_says() {
    let chat = Upstream::always(Answer::json(gemini::generate("pong")));
    let gateway = Gateway::with(&format!(
        "providers:\n  vertex-ai: {{base_url: \"{}\", api_key: k, local: true, settings: {{vertex_project_id: p, vertex_region: us-central1}}}}\n\
         models:\n  vertex-ai/456: {{base: vertex-ai/gemini-3-flash-preview}}\n",
        chat.url()
    ));
    for (endpoint, level) in [("456", Some("LOW")), ("789", None)] {
        let model = format!("@vertex-ai/projects/77/locations/us-central1/endpoints/{endpoint}");
        let messages = json!([{"role": "user", "content": "ping"}]);
        let body = json!({"model": model, "messages": messages, "reasoning_effort": "low"});
        let reply = ask(&gateway, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let sent = chat.last();
        let path = format!("/v1beta1/projects/p/locations/us-central1/endpoints/{endpoint}:generateContent");
        assert_eq!(sent.target, path);
        let sent = sent.json();
        assert_eq!(sent["generationConfig"]["thinkingConfig"]["thinkingLevel"].as_str(), level, "{sent}");
    }
}

/// A model that does not think is not asked to by a client that always asks.
#[test]
fn what_a_model_cannot_do_is_left_out() {
    let upstream = Upstream::always(Answer::json(openai::completion("pong")));
    let gateway = Gateway::with(&format!(
        "providers:\n  own: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n\
         models:\n  own/plain: {{cannot: [reasoning, sampling]}}\n  \
         own/two: {{can: [effort_none, effort_high], cannot: [effort_low, effort_medium]}}\n",
        upstream.url()
    ));
    let sent = |model: &str| {
        let body = json!({
            "model": format!("@own/{model}"), "max_tokens": 2048, "temperature": 0.5,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": [{"role": "user", "content": "ping"}],
        });
        let reply = Ask::post("/v1/messages", body.to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let sent = upstream.last().json();
        [sent["reasoning_effort"].clone(), sent["temperature"].clone()]
    };
    assert_eq!(sent("plain"), [json!(null), json!(null)]);
    assert_eq!(sent("thinker"), [json!("low"), json!(0.5)]);
    assert_eq!(sent("two"), [json!("high"), json!(0.5)]);
}

#[test]
fn the_built_in_catalogue_is_sure_of_some() {
    let gateway = Gateway::start();
    let told = |model: &str| {
        let mut request = look("x");
        request["model"] = json!(model);
        let settings = json!({"provider": "bedrock", "aws_region": "us-east-1"});
        let asked = json!({"config": settings, "request": request});
        Ask::post("/v1/explain", asked.to_string()).to(&gateway).text().to_owned()
    };
    assert!(told("minimax.minimax-m2").contains("takes no images"), "{}", told("minimax.minimax-m2"));
    let seeing = told("anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert!(!seeing.contains("takes no images"), "{seeing}");
}

fn listed(gateway: &Gateway) -> Vec<String> {
    let list = Ask::new("GET", "/v1/models").to(gateway).json();
    let ids = list["data"].as_array().unwrap_or_else(|| panic!("{list}"));
    ids.iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

fn list_of(names: &[&str]) -> String {
    let data: Vec<Value> = names.iter().map(|name| json!({"id": name, "object": "model"})).collect();
    json!({"object": "list", "data": data}).to_string()
}

#[test]
fn the_list_has_what_providers_list_themselves() {
    let live = Upstream::serve(|request| match request.target.as_str() {
        "/v1/models" => Answer::json(list_of(&["b", "a/x"])),
        _ => Answer::json(openai::chat("x")),
    });
    let told = Upstream::always(Answer::json(list_of(&["never"])));
    let gateway = Gateway::with(&format!(
        "providers:\n  live: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], api_key: sk-live}}\n  \
         told: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat], models: [m]}}\n\
         models: {{told/described: {{context: 1000, prices: {{input: 2, output: 4}}}}}}",
        live.url(),
        told.url()
    ));
    assert_eq!(listed(&gateway), ["@live/b", "@live/a/x", "@told/m", "@told/described"]);
    assert_eq!(live.last().header("authorization").as_deref(), Some("Bearer sk-live"));
    // It is not asked again for each client, and only those are asked of which nothing is told.
    let asked = live.count();
    listed(&gateway);
    assert!(live.count() <= asked + 1, "another core may ask once");
    assert_eq!(told.count(), 0);
    let one = Ask::new("GET", "/v1/models/@live/a/x").to(&gateway);
    assert_eq!((one.status, &one.json()["id"]), (200, &json!("@live/a/x")));
    assert_eq!(Ask::new("GET", "/v1/models/@live/none").to(&gateway).status, 404);
    let described = Ask::new("GET", "/v1/models/@told/described").to(&gateway).json();
    assert_eq!(
        (&described["context_length"], &described["pricing"]["prompt"]),
        (&json!(1000), &json!("0.000002"))
    );
}

#[test]
fn a_list_that_does_not_come_hides_no_other() {
    let good = Upstream::always(Answer::json(list_of(&["m"])));
    let broken = Upstream::always(Answer::json("{}").status(500));
    let silent = Upstream::always(Answer::json("").first(Step::Stall));
    let gateway = Gateway::with(&format!(
        "providers:\n  broken: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n  \
         good: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n  \
         silent: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}",
        broken.url(),
        good.url(),
        silent.url()
    ));
    let started = std::time::Instant::now();
    assert_eq!(listed(&gateway), ["@good/m"]);
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}
