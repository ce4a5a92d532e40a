//! Images made from images: forms relayed to whoever has OpenAI's, and told to others in theirs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const EDITS: &str = "/v1/images/edits";
const VARIATIONS: &str = "/v1/images/variations";
const OPENAI: &str = r#"{"created":5,"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":300,"output_tokens":272,"total_tokens":572}}"#;

/// A picture by its first bytes, and noise behind them.
fn picture(bytes: usize) -> Vec<u8> {
    let noise = (0..=250).cycle().take(bytes);
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()
}

fn form(fields: &[(&str, &str)], pictures: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in fields {
        let part = format!("--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (name, bytes) in pictures {
        let head = format!(
            "--bnd\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--bnd--\r\n");
    body
}

fn ask(path: &str, body: impl Into<Vec<u8>>) -> Ask {
    Ask::new("POST", path).header("content-type", "multipart/form-data; boundary=bnd").body(body)
}

/// The bytes of base64, if it is that, and of an image.
fn image(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    let bytes = BASE64_STANDARD.decode(text.strip_prefix("data:image/png;base64,").unwrap_or(text)).ok()?;
    bytes.starts_with(b"\x89PNG").then_some(bytes)
}

fn has_only(object: &Value, fields: &[&str]) -> bool {
    object.as_object().is_some_and(|object| object.keys().all(|name| fields.contains(&name.as_str())))
}

/// A vendor that takes JSON in which it finds what it wants, and nothing besides.
fn vendor(answer: &'static str, takes: fn(&Value) -> bool) -> Upstream {
    Upstream::serve(move |request: &Request| {
        let is_json = request.header("content-type").as_deref() == Some("application/json");
        match serde_json::from_slice(&request.body).is_ok_and(|body| is_json && takes(&body)) {
            true => Answer::json(answer),
            false => Answer::json(r#"{"message":"ValidationException"}"#).status(400),
        }
    })
}

/// <https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html>
fn takes_nova(body: &Value) -> bool {
    let config = &body["imageGenerationConfig"];
    let is_sound = has_only(config, &["numberOfImages", "quality", "cfgScale", "seed", "width", "height"]);
    let params = match body["taskType"].as_str() {
        Some("IMAGE_VARIATION") => {
            let params = &body["imageVariationParams"];
            let all =
                params["images"].as_array().is_some_and(|list| list.iter().all(|one| image(one).is_some()));
            all && has_only(params, &["images", "similarityStrength", "text", "negativeText"])
        }
        Some("INPAINTING") => {
            let params = &body["inPaintingParams"];
            let fields = ["image", "maskPrompt", "maskImage", "text", "negativeText"];
            let is_masked = params["maskPrompt"].is_string() != is_black_and_white(&params["maskImage"]);
            let has_size = config.get("width").is_some();
            !has_size && image(&params["image"]).is_some() && is_masked && has_only(params, &fields)
        }
        _ => false,
    };
    is_sound && params
}

/// "The mask image must contain only pure black and pure white pixels": here black on the left and white on the right.
fn is_black_and_white(mask: &Value) -> bool {
    let Some(bytes) = image(mask) else { return false };
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    frame.color_type == png::ColorType::Rgb && pixels == [0, 0, 0, 255, 255, 255]
}

/// A mask as OpenAI's clients send it: transparent on the left.
fn mask() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 2, 1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&[9, 9, 9, 0, 9, 9, 9, 255]).unwrap();
    out
}

/// <https://ai.google.dev/gemini-api/docs/image-generation>
fn takes_gemini(body: &Value) -> bool {
    let parts = body["contents"][0]["parts"].as_array();
    let is_sound = |part: &Value| match part.get("inlineData") {
        Some(inline) => inline["mimeType"] == "image/png" && image(&inline["data"]).is_some(),
        None => part["text"].is_string(),
    };
    parts.is_some_and(|parts| parts.len() > 1 && parts.iter().all(is_sound))
        && has_only(&body["generationConfig"], &["responseModalities", "imageConfig", "seed"])
}

/// <https://docs.x.ai/developers/model-capabilities/images/generation>
fn takes_xai(body: &Value) -> bool {
    let fields =
        ["model", "prompt", "image", "images", "n", "aspect_ratio", "response_format", "user", "resolution"];
    let is_picture = |one: &Value| one["type"] == "image_url" && image(&one["url"]).is_some();
    let one = body.get("image").is_some_and(is_picture);
    let several = body["images"].as_array().is_some_and(|list| list.iter().all(is_picture));
    one != several && has_only(body, &fields)
}

const CANDIDATES: &str = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}]}"#;
const PICTURES: &str = r#"{"images":["aGk="]}"#;

#[test]
fn openais_forms_pass_byte_for_byte() {
    let gateway = Gateway::start();
    let deployment: &[(&str, &str)] =
        &[("x-ostia-azure-api-version", "2025-04-01-preview"), ("x-ostia-azure-resource-name", "r")];
    let azure = "/deployments/gpt-image-1/images/edits?api-version=2025-04-01-preview";
    for (provider, path, headers, target) in [
        ("openai", EDITS, &[][..], "/images/edits"),
        ("openai", VARIATIONS, &[], "/images/variations"),
        ("azure-openai", EDITS, deployment, azure),
    ] {
        // The second is more than what is kept in memory.
        for bytes in [10, 2 << 20] {
            let upstream = Upstream::always(Answer::json(OPENAI));
            let fields =
                [("model", "gpt-image-1"), ("prompt", "p"), ("input_fidelity", "high"), ("x", "1.0")];
            let picture = picture(bytes);
            let body = form(&fields, &[("image[]", &picture), ("image[]", b"\x89PNG"), ("mask", b"\x89PNG")]);
            let body = if path == VARIATIONS { form(&fields, &[("image", &picture)]) } else { body };
            let ask = ask(path, body.clone()).at(&upstream, provider);
            let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
            assert_eq!((reply.status, reply.text()), (200, OPENAI), "{provider} {path}");
            assert_eq!(upstream.last().target, target);
            assert!(upstream.last().body == body, "{provider} {path}");
        }
    }
    let upstream = Upstream::always(Answer::json(OPENAI));
    let body = r#"{ "model":"gpt-image-1", "prompt" : "p", "images":[{"file_id":"file-1"},{"image_url":"https://i.example/a"}] }"#;
    let reply = Ask::post_at(&upstream, "openai", EDITS, body).to(&gateway);
    assert_eq!((reply.status, reply.text()), (200, OPENAI));
    assert_eq!(upstream.last().text(), body);
}

#[test]
fn edits_are_streamed_where_the_provider_streams() {
    let stream = "event: image_edit.completed\ndata: {\"type\":\"image_edit.completed\",\"b64_json\":\"aGk=\",\"usage\":{\"input_tokens\":3,\"output_tokens\":272,\"total_tokens\":275}}\n\n";
    let upstream = Upstream::always(Answer::stream(stream));
    let body =
        form(&[("model", "gpt-image-1"), ("prompt", "p"), ("stream", "true")], &[("image", &picture(9))]);
    let reply = ask(EDITS, body.clone()).at(&upstream, "openai").to(&Gateway::start());
    assert_eq!((reply.status, reply.text()), (200, stream));
    assert!(upstream.last().body == body);
}

#[test]
fn other_vendors_are_asked_in_their_own_form() {
    let gateway = Gateway::start();
    let url = r#"{"data":[{"b64_json":"aGk="}]}"#;
    let fields = |model| [("model", model), ("prompt", "p"), ("response_format", "b64_json"), ("n", "1")];
    for bytes in [10, 2 << 20] {
        let picture = picture(bytes);
        let one = [("image", picture.as_slice())];
        let two = [("image[]", picture.as_slice()), ("image[]", b"\x89PNG")];
        for (provider, model, path, pictures, upstream) in [
            ("google", "gemini-3-pro-image", EDITS, &two[..], vendor(CANDIDATES, takes_gemini)),
            ("google", "gemini-3-pro-image", VARIATIONS, &one, vendor(CANDIDATES, takes_gemini)),
            ("bedrock", "amazon.nova-canvas-v1:0", EDITS, &two, vendor(PICTURES, takes_nova)),
            ("bedrock", "amazon.titan-image-generator-v2:0", VARIATIONS, &one, vendor(PICTURES, takes_nova)),
            ("x-ai", "grok-imagine-image", EDITS, &one, vendor(url, takes_xai)),
            ("x-ai", "grok-imagine-image", EDITS, &two, vendor(url, takes_xai)),
        ] {
            let reply = ask(path, form(&fields(model), pictures)).at(&upstream, provider).to(&gateway);
            assert_eq!(reply.status, 200, "{provider} {path}: {}", reply.text());
            assert_eq!(reply.json()["data"], json!([{"b64_json": "aGk="}]), "{provider} {path}");
            assert_eq!(reply.header("x-ostia-dropped"), None, "{provider} {path}");
            let (body, encoded) = (upstream.last().text(), BASE64_STANDARD.encode(&picture));
            assert!(body.contains(&encoded), "{provider} {path}: the picture is another one");
            assert_eq!(upstream.last().header("content-length"), Some(body.len().to_string()));
        }
    }
}

#[test]
fn masks_are_painted_or_said_in_words() {
    let gateway = Gateway::start();
    let upstream = vendor(PICTURES, takes_nova);
    let fields = [("model", "amazon.nova-canvas-v1:0"), ("prompt", "p"), ("mask_prompt", "the hat")];
    let picture = picture(10);
    let reply = ask(EDITS, form(&fields, &[("image", &picture)])).at(&upstream, "bedrock").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(upstream.last().text().contains("INPAINTING"));
    let masked = |mask: &[u8]| form(&fields[..2], &[("image", &picture), ("mask", mask)]);
    let reply = ask(EDITS, masked(&mask())).at(&upstream, "bedrock").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(upstream.last().text().contains("INPAINTING"));
    let data_url = |bytes: &[u8]| format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes));
    let body = json!({"model": fields[0].1, "prompt": "p", "images": [{"image_url": data_url(&picture)}],
                      "mask": {"image_url": data_url(&mask())}});
    let reply = Ask::post_at(&upstream, "bedrock", EDITS, body.to_string()).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = ask(EDITS, masked(&picture)).at(&upstream, "bedrock").to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("mask")), "{}", reply.text());
    let model = [("model", "stability.sd3-5-large-v1:0"), ("prompt", "p")];
    let reply = ask(EDITS, form(&model, &[("image", &picture), ("mask", &mask())])).at(&upstream, "bedrock");
    let reply = reply.to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("unsupported_mask")));
    assert_eq!(upstream.count(), 3);
}

/// The whole body is signed, and so has to be read before.
#[test]
fn bodies_with_files_are_signed_whole() {
    let upstream = vendor(PICTURES, takes_nova);
    let gateway = Gateway::with(&format!(
        "providers:\n  bedrock:\n    base_url: \"{}\"\n    local: true\n    credentials: {{aws_access_key_id: AKIDEXAMPLE, \
         aws_secret_access_key: wJalrXUtnFEMI}}\n",
        upstream.url()
    ));
    let fields = [("model", "amazon.nova-canvas-v1:0"), ("prompt", "p")];
    for bytes in [10, 2 << 20] {
        let body = form(&fields, &[("image", &picture(bytes))]);
        let reply = ask(EDITS, body).header("x-ostia-provider", "bedrock").to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = upstream.last();
        assert!(seen.header("authorization").is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256")));
        assert_ne!(seen.header("x-amz-content-sha256").as_deref(), Some("UNSIGNED-PAYLOAD"));
        assert_eq!(seen.header("content-length"), Some(seen.body.len().to_string()));
    }
}

#[test]
fn files_at_addresses_are_fetched_both_ways() {
    let files = Upstream::serve(|request: &Request| match request.target.as_str() {
        "/a.png" => Answer::with("image/png", picture(3)),
        "/page.png" => Answer::with("image/png", "<html>"),
        _ => Answer::empty().status(404),
    });
    let gateway = Gateway::with("egress: {allow_private: [localhost]}");
    let address = |path: &str| format!("http://localhost:{}{path}", files.address().port());
    let edit = |path: &str, upstream: &Upstream| {
        let body =
            json!({"model": "gemini-3-pro-image", "prompt": "p", "images": [{"image_url": address(path)}]});
        Ask::post_at(upstream, "google", EDITS, body.to_string()).to(&gateway)
    };
    let google = vendor(CANDIDATES, takes_gemini);
    let reply = edit("/a.png", &google);
    assert_eq!(
        (reply.status, &reply.json()["data"][0]["b64_json"]),
        (200, &json!("aGk=")),
        "{}",
        reply.text()
    );
    for (path, word) in [("/page.png", "is no image"), ("/gone.png", "404")] {
        let reply = edit(path, &google);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("image")));
        assert!(reply.text().contains(word), "{}", reply.text());
    }
    assert_eq!(google.count(), 1);

    let generate = |path: &str, format: &str| {
        let answer = json!({"data": [{"url": address(path)}]}).to_string();
        let together = Upstream::always(Answer::json(answer));
        let body = json!({"model": "m", "prompt": "p", "response_format": format}).to_string();
        Ask::post_at(&together, "together-ai", "/v1/images/generations", body).to(&gateway)
    };
    let encoded = BASE64_STANDARD.encode(picture(3));
    let reply = generate("/a.png", "b64_json");
    assert_eq!(
        (reply.status, &reply.json()["data"]),
        (200, &json!([{"b64_json": encoded}])),
        "{}",
        reply.text()
    );
    assert_eq!(generate("/a.png", "url").json()["data"][0]["url"], address("/a.png"));
    for (path, word) in [("/page.png", "is no image"), ("/gone.png", "404")] {
        let reply = generate(path, "b64_json");
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (502, &json!("response_format")));
        assert!(reply.text().contains(word), "{}", reply.text());
    }
}

#[test]
fn a_config_goes_on_from_vendor_to_vendor() {
    let gateway = Gateway::start();
    let first = Upstream::always(Answer::json(r#"{"error":{"message":"busy"}}"#).status(503));
    let second = vendor(CANDIDATES, takes_gemini);
    let target = |provider: &str, upstream: &Upstream, params: Value| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "k", "override_params": params});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        target("openai", &first, json!({})), target("google", &second, json!({"model": "gemini-3-pro-image"}))]});
    let body = form(&[("model", "gpt-image-1"), ("prompt", "p")], &[("image", &picture(2 << 20))]);
    let reply = ask(EDITS, body.clone()).header("x-ostia-config", &config.to_string()).to(&gateway);
    assert_eq!(
        (reply.status, &reply.json()["data"][0]["b64_json"]),
        (200, &json!("aGk=")),
        "{}",
        reply.text()
    );
    assert!(first.last().body == body);
    assert_eq!(second.last().target, "/v1beta/models/gemini-3-pro-image:generateContent");
}

#[test]
fn bad_forms_name_the_field() {
    let gateway = Gateway::start();
    let upstream = vendor(CANDIDATES, takes_gemini);
    let picture = picture(9);
    let [model, prompt] = [("model", "gemini-3-pro-image"), ("prompt", "p")];
    let cut = &form(&[model, prompt], &[("image", &picture)])[..60];
    for (body, param) in [
        (form(&[model], &[("image", &picture)]), json!("prompt")),
        (form(&[model, prompt], &[]), json!("image")),
        (form(&[prompt], &[("image", &picture)]), json!("model")),
        (form(&[model, model, prompt], &[("image", &picture)]), json!("model")),
        (form(&[model, prompt, ("n", "x")], &[("image", &picture)]), json!("n")),
        (form(&[model, prompt, ("stream", "true")], &[("image", &picture)]), json!("stream")),
        (cut.to_vec(), json!("body")),
        (b"no form".to_vec(), json!("body")),
    ] {
        let reply = ask(EDITS, body).at(&upstream, "google").to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &param), "{}", reply.text());
    }
    assert_eq!(upstream.count(), 0);
}
