//! What is charged for beside tokens, over real sockets: by the catalogue where it has a price, and unknown with a reason where it
//! has none.

use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use super::ledger::{attempts, sums};
use crate::gateway::Gateway;
use crate::wire::Ask;

/// What one call cost, or why nobody knows.
#[derive(Debug)]
struct Books {
    gateway: Gateway,
    requests: u64,
}

impl Books {
    fn open() -> Books {
        let models = "models: {openai/dall-e-3: {prices: {output_images: 0.04}}}";
        Books { gateway: Gateway::with(models), requests: 0 }
    }

    #[track_caller]
    fn check(&mut self, provider: &str, ask: Ask, answer: Answer, expected: &str) -> Value {
        let upstream = Upstream::always(answer);
        let reply = ask.at(&upstream, provider).to(&self.gateway);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        self.requests += 1;
        sums(&self.gateway, self.requests);
        let attempt = attempts(&self.gateway)[0].clone();
        let told = attempt["cost"]["amount"].as_str().or(attempt["cost_unknown"].as_str());
        assert!(told.is_some_and(|told| told.contains(expected)), "{expected}: {attempt}");
        attempt
    }
}

fn post(path: &str, body: Value) -> Ask {
    Ask::post(path, body.to_string())
}

#[test]
fn sounds_images_pages_and_rankings() {
    let mut books = Books::open();
    let spoken = json!({"model": "tts-1", "voice": "alloy", "input": "n\u{e9}e!"});
    // 15 dollars for a million characters.
    let sound = Answer::with("audio/mpeg", "sound");
    let attempt = books.check("openai", post("/v1/audio/speech", spoken), sound, "0.00006");
    assert_eq!(attempt["usage"]["input_characters"], 4, "{attempt}");

    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
                --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--b--\r\n";
    let recording = || {
        let ask = Ask::new("POST", "/v1/audio/transcriptions");
        ask.header("content-type", "multipart/form-data; boundary=b").body(form)
    };
    let told = json!({"text": "hi", "usage": {"type": "duration", "seconds": 37}}).to_string();
    books.check("openai", recording(), Answer::json(told), "0.0037");
    // Nobody says how long it is.
    let untold = Answer::json(r#"{"text":"hi"}"#);
    let attempt = books.check("openai", recording(), untold, "the provider told no count of what it took");
    assert_eq!((&attempt["uncounted"], &attempt["usage"]), (&json!(true), &Value::Null), "{attempt}");

    let images = json!({"model": "dall-e-3", "prompt": "p", "n": 2});
    let made = json!({"created": 1, "data": [{"b64_json": "aGk="}, {"b64_json": "aGk="}]});
    books.check(
        "openai",
        post("/v1/images/generations", images.clone()),
        Answer::json(made.to_string()),
        "0.08",
    );
    let large = json!({"created": 1, "data": [{"b64_json": "iVBORw0K".repeat(20_000)}]});
    books.check("openai", post("/v1/images/generations", images), Answer::json(large.to_string()), "0.04");

    let document = json!({"type": "document_url", "document_url": "https://d.example/d.pdf"});
    let pages =
        || Answer::json(r#"{"pages":[{"index":0,"markdown":"x"}],"usage_info":{"pages_processed":3}}"#);
    let plain = json!({"model": "mistral-ocr-2512", "document": document});
    books.check("mistral-ai", post("/v1/ocr", plain), pages(), "0.006");
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}});
    let annotated =
        json!({"model": "mistral-ocr-2512", "document": document, "document_annotation_format": format});
    books.check("mistral-ai", post("/v1/ocr", annotated), pages(), "0.009");

    let ranked = json!({"model": "rerank-v3.5", "query": "q", "documents": ["a", "b"]});
    let answer = json!({"id": "r", "results": [{"index": 1, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 2}}});
    books.check("cohere", post("/v1/rerank", ranked), Answer::json(answer.to_string()), "0.004");
}

#[test]
fn images_by_size_and_quality() {
    let models = "models: {openai/mine: {prices: {output_images: 0.01, output_images/2K: 0.03, output_images/hd: 0.05}}}";
    let mut books = Books { gateway: Gateway::with(models), requests: 0 };
    let made = || json!({"created": 1, "data": [{"b64_json": "aGk="}, {"url": "https://i.example/i.png"}]});
    let mut check = |asked: Value, answer: Value, kept: [&str; 2], expected: &str| {
        let ask = post("/v1/images/generations", asked);
        let attempt = books.check("openai", ask, Answer::json(answer.to_string()), expected);
        assert_eq!([&attempt["image_size"], &attempt["image_quality"]], kept, "{attempt}");
    };
    let asked = |model: &str, size: &str, quality: &str| json!({"model": model, "prompt": "p", "size": size, "quality": quality});
    check(json!({"model": "dall-e-3", "prompt": "p"}), made(), ["default", "default"], "0.08");
    check(asked("dall-e-3", "1024x1792", "hd"), made(), ["1024x1792", "hd"], "0.24");
    check(asked("dall-e-3", "auto", "hd"), made(), ["auto", "hd"], "these images: size auto, quality hd");
    // The answer says what `auto` was.
    let mut told = made();
    (told["size"], told["quality"]) = (json!("1792x1024"), json!("standard"));
    check(asked("dall-e-3", "auto", "auto"), told, ["1792x1024", "standard"], "0.16");
    // The operator's, in the same words.
    check(json!({"model": "mine", "prompt": "p"}), made(), ["default", "default"], "0.02");
    check(json!({"model": "mine", "prompt": "p", "resolution": "2k"}), made(), ["2k", "default"], "0.06");
    check(asked("mine", "2K", "hd"), made(), ["2K", "hd"], "these images: size 2K, quality hd");
}

#[test]
fn tools_that_a_vendor_runs() {
    let mut books = Books::open();
    let body = |stream: bool| json!({"model": "gpt-5", "input": "find it", "stream": stream, "tools": [{"type": "web_search"}]});
    let message = json!({"id": "m", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "x", "annotations": []}]});
    let response = |item: Value| {
        json!({"id": "r", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5-2025-08-07",
            "output": [item, message.clone()], "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}})
    };
    let stream = |item: Value| {
        let event = |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
        let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item.clone()});
        let mut end = response(item);
        end["output"] = json!([]);
        let created = event(json!({"type": "response.created", "response": {"id": "r", "model": "gpt-5"}}));
        let said = json!({"type": "response.output_item.done", "output_index": 1, "item": message.clone()});
        let whole = event(json!({"type": "response.completed", "response": end}));
        Answer::stream([created, event(done), event(said), whole].concat())
    };
    let search = json!({"id": "w", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}});
    let code = json!({"id": "c", "type": "code_interpreter_call", "status": "completed", "code": "1", "container_id": "k"});
    let image = json!({"id": "i", "type": "image_generation_call", "status": "completed", "result": "aGk="});
    // A cent for the search, 1.25 and 10 dollars for a million tokens.
    for (item, expected) in [
        (search, "0.01003125"),
        (code, "no price of the model for code_sessions"),
        (image, "the tool image_generation made images"),
    ] {
        let whole = Answer::json(response(item.clone()).to_string());
        books.check("openai", post("/v1/responses", body(false)), whole, expected);
        books.check("openai", post("/v1/responses", body(true)), stream(item), expected);
    }

    let grounded = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": "STOP", "index": 0,
            "groundingMetadata": {"webSearchQueries": ["a", "b"]}}], "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 10, "toolUsePromptTokenCount": 10, "totalTokenCount": 30}});
    let ask = json!({"contents": [{"role": "user", "parts": [{"text": "find it"}]}]});
    // 0.30 and 2.50 dollars for a million tokens, 35 for a thousand answers that rest on searches.
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    books.check("google", post(path, ask), Answer::json(grounded.to_string()), "0.035031");
    // The same for a client of another format.
    let chat = json!({"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "find it"}]});
    books.check("google", post("/v1/chat/completions", chat), Answer::json(grounded.to_string()), "0.035031");
}

#[test]
fn files_in_bodies_are_kept_as_notes() {
    let (gateway, upstream) =
        (Gateway::start(), Upstream::always(Answer::json(ostia_testkit::vendor::openai::chat("a"))));
    // A PNG of 90 KB.
    let image = format!("iVBORw0KGgoA{}", "QUJD".repeat(30_000));
    let url = format!("data:image/png;base64,{image}");
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what is this?"}]}]});
    let path = "/v1/chat/completions";
    assert_eq!(Ask::post_at(&upstream, "openai", path, body.to_string()).to(&gateway).status, 200);
    sums(&gateway, 1);
    let list = super::ledger::asked(&gateway, "/v1/logs?limit=1");
    let id = list["data"][0]["id"].as_str().unwrap();
    let record = super::ledger::asked(&gateway, &format!("/v1/logs/{id}")).to_string();
    assert!(
        record.contains("[image/png, 90009 bytes, sha256 ") && record.contains("what is this?"),
        "{record}"
    );
    assert!(!record.contains("QUJDQUJD"), "{record}");
}
