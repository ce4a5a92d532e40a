//! Images: relayed to whoever has OpenAI's form, and told to others in theirs.

use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const PATH: &str = "/v1/images/generations";
const OPENAI: &str = r#"{"created":5,"data":[{"b64_json":"aGk="}],"size":"1024x1024","usage":{"input_tokens":3,"output_tokens":272,"total_tokens":275}}"#;

#[test]
fn openais_form_passes_byte_for_byte() {
    let gateway = Gateway::start();
    let body =
        r#"{ "prompt" : "p", "model":"gpt-image-1", "background":"opaque", "moderation":"low", "x": 1.0 }"#;
    let url = r#"{"data":[{"url":"https://i.example/1.png","mime_type":"image/jpeg"}],"usage":{"cost_in_usd_ticks":7}}"#;
    let deployment: &[(&str, &str)] =
        &[("x-ostia-azure-api-version", "2024-10-21"), ("x-ostia-azure-resource-name", "r")];
    for (provider, headers, target, answer) in [
        ("openai", &[][..], "/images/generations", OPENAI),
        ("x-ai", &[], "/images/generations", url),
        ("recraft-ai", &[], "/images/generations", url),
        ("nebius", &[], "/images/generations", OPENAI),
        (
            "azure-openai",
            deployment,
            "/deployments/gpt-image-1/images/generations?api-version=2024-10-21",
            OPENAI,
        ),
    ] {
        let upstream = Upstream::always(Answer::json(answer));
        let ask = Ask::post_at(&upstream, provider, PATH, body);
        let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, answer), "{provider}");
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.text().as_str()), (target, body), "{provider}");
    }
}

#[test]
fn partial_images_pass_as_events() {
    let gateway = Gateway::start();
    // Larger than what is read of a stream at once.
    let picture = "aGk=".repeat(100_000);
    let stream = format!(
        "event: image_generation.partial_image\ndata: {{\"type\":\"image_generation.partial_image\",\"b64_json\":\"{picture}\",\"partial_image_index\":0}}\n\n\
         event: image_generation.completed\ndata: {{\"type\":\"image_generation.completed\",\"b64_json\":\"{picture}\",\"usage\":{{\"input_tokens\":3,\"output_tokens\":272,\"total_tokens\":275}}}}\n\n"
    );
    let upstream = Upstream::always(Answer::stream(stream.clone()));
    let body = r#"{"prompt":"p","model":"gpt-image-1","stream":true,"partial_images":1}"#;
    let ask = Ask::post_at(&upstream, "openai", PATH, body).header("x-ostia-trace-id", "t");
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": "openai", "custom_host": upstream.url(), "api_key": "k"}]});
    let routed = Ask::post(PATH, body).header("x-ostia-config", &config.to_string());
    for ask in [ask, routed] {
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200);
        assert!(reply.text() == stream, "{} of {} bytes", reply.body.len(), stream.len());
        assert_eq!(upstream.last().text(), body);
    }
    let record = Ask::new("GET", "/v1/explain/t").to(&gateway).json();
    assert_eq!(
        (&record["usage"]["prompt_tokens"], &record["usage"]["completion_tokens"]),
        (&json!(3), &json!(272)),
        "{record}"
    );
}

#[test]
fn other_vendors_are_asked_in_their_own_form() {
    let gateway = Gateway::start();
    let google: &[(&str, &str)] = &[("x-ostia-vertex-project-id", "p")];
    let place = "projects/p/locations/global/publishers/google/models";
    let candidates = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1290}}"#;
    let predictions = r#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"aGk="}]}"#;
    let pictures = r#"{"images":["aGk="]}"#;
    let gemini = format!("/v1beta1/{place}/gemini-3-pro-image:generateContent");
    let imagen = format!("/v1/{place}/imagen-4.0-generate-001:predict");
    for (provider, model, headers, target, answer) in [
        (
            "google",
            "gemini-3-pro-image",
            &[][..],
            "/v1beta/models/gemini-3-pro-image:generateContent",
            candidates,
        ),
        (
            "google",
            "imagen-4.0-generate-001",
            &[],
            "/v1beta/models/imagen-4.0-generate-001:predict",
            predictions,
        ),
        ("vertex-ai", "gemini-3-pro-image", google, gemini.as_str(), candidates),
        ("vertex-ai", "imagen-4.0-generate-001", google, imagen.as_str(), predictions),
        ("bedrock", "amazon.nova-canvas-v1:0", &[], "/model/amazon.nova-canvas-v1%3A0/invoke", pictures),
        (
            "bedrock",
            "stability.sd3-5-large-v1:0",
            &[],
            "/model/stability.sd3-5-large-v1%3A0/invoke",
            pictures,
        ),
        ("together-ai", "m", &[], "/v1/images/generations", r#"{"data":[{"index":0,"b64_json":"aGk="}]}"#),
    ] {
        let upstream = Upstream::always(Answer::json(answer));
        let body = json!({"model": model, "prompt": "a cat", "size": "1024x1024", "response_format": "b64_json", "user": "u"});
        let ask = Ask::post_at(&upstream, provider, PATH, body.to_string());
        let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!(reply.status, 200, "{provider} {model}: {}", reply.text());
        assert_eq!(reply.json()["data"], json!([{"b64_json": "aGk="}]), "{provider} {model}");
        assert_eq!(reply.header("x-ostia-dropped"), Some("user"), "{provider} {model}");
        let seen = upstream.last();
        assert_eq!(seen.target, target, "{provider} {model}");
        assert!(seen.text().contains("a cat"), "{}", seen.text());
    }
}

#[test]
fn together_is_asked_in_its_own_words_where_the_client_has_them() {
    let answer = r#"{"id":"x","data":[{"timings":{"inference":1.50},"index":0,"b64_json":"aGk="}]}"#;
    let upstream = Upstream::always(Answer::json(answer));
    let body = r#"{ "prompt" : "p", "model":"m", "response_format":"base64", "steps":4 }"#;
    let reply = Ask::post_at(&upstream, "together-ai", PATH, body).to(&Gateway::start());
    assert_eq!((reply.status, reply.text()), (200, answer));
    assert_eq!(upstream.last().text(), body);
}

#[test]
fn what_no_image_was_made_of_is_told() {
    let gateway = Gateway::start();
    let check = |model: &str, answer: &str, status: u16, word: &str| {
        let upstream = Upstream::always(Answer::json(answer));
        let body = json!({"model": model, "prompt": "p"}).to_string();
        let reply = Ask::post_at(&upstream, "bedrock", PATH, body).to(&gateway);
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains(word), "{}", reply.text());
    };
    check(
        "amazon.nova-canvas-v1:0",
        r#"{"images":null,"error":"This is blocked."}"#,
        400,
        "This is blocked.",
    );
    check(
        "stability.sd3-5-large-v1:0",
        r#"{"images":[],"finish_reasons":["Filter reason: prompt"]}"#,
        400,
        "Filter reason",
    );
    check("amazon.nova-canvas-v1:0", r#"{"images":[]}"#, 502, "no images");
    let upstream = Upstream::always(Answer::json("{}"));
    for (body, param) in [
        (json!({"model": "gemini-3-pro-image", "prompt": "p", "stream": true}), "stream"),
        (json!({"model": "gemini-3-pro-image"}), "prompt"),
        (json!({"prompt": "p"}), "model"),
    ] {
        let reply = Ask::post_at(&upstream, "google", PATH, body.to_string()).to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(param)), "{}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_config_goes_on_from_vendor_to_vendor() {
    let gateway = Gateway::start();
    let first = Upstream::always(Answer::json(r#"{"error":{"message":"busy"}}"#).status(503));
    let second = Upstream::always(Answer::json(r#"{"predictions":[{"bytesBase64Encoded":"aGk="}]}"#));
    let target = |provider: &str, upstream: &Upstream, params: Value| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "k", "override_params": params});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        target("openai", &first, json!({})), target("google", &second, json!({"model": "imagen-4.0-generate-001"}))]});
    let body = json!({"model": "gpt-image-1", "prompt": "p"}).to_string();
    let reply = Ask::post(PATH, body).header("x-ostia-config", &config.to_string()).to(&gateway);
    assert_eq!(
        (reply.status, &reply.json()["data"][0]["b64_json"]),
        (200, &json!("aGk=")),
        "{}",
        reply.text()
    );
    assert_eq!(second.last().target, "/v1beta/models/imagen-4.0-generate-001:predict");
}
