#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{Asked, MediaReader, Read, Told};
use crate::form::{Decoder, Form, Piece};
use crate::json::Document;
use crate::observe::Subject;
use crate::{Api, File, Files, Meter, Observed, Unfetched};

mod edits;
mod vendors;

fn told(client: Api, body: &[u8], form: Option<&Form>, files: &Files, upstream: Api) -> Result<Told, Fault> {
    let asked = Asked { api: client, path_model: "", model: None, body, inputs_max: None };
    (TRANSLATOR.translate)(asked, form, files, upstream)
}

fn translated(api: Api, body: &Value) -> Result<Told, Fault> {
    told(Api::OpenaiImages, body.to_string().as_bytes(), None, &Files::new(), api)
}

/// The body, with `<0>` in the place of the first file's base64.
fn text(told: &Told) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Piece::File(index) => format!("<file {index}>"),
        Piece::Base64(index) => format!("<{index}>"),
        Piece::Mask(mask) => format!("<{:?} {:?}>", mask.changes, mask.content),
        Piece::Uploaded => "<uploaded>".to_owned(),
    };
    told.body.iter().map(piece).collect()
}

fn json_of(told: &Told) -> Value {
    serde_json::from_str(&text(told)).unwrap()
}

fn read(told: Told, answer: &[u8]) -> Result<Read, Fault> {
    match told.reader {
        MediaReader::Whole(read) => read(answer),
        MediaReader::Passing(_) => unreachable!("images do not pass"),
    }
}

/// What an upstream gets of a client's request.
#[track_caller]
fn check(api: Api, client: &Value, upstream: Value, dropped: &[&str]) {
    let translated = translated(api, client).unwrap();
    assert_eq!(json_of(&translated), upstream, "{api:?}");
    assert_eq!(translated.dropped, dropped, "{api:?}");
}

/// What a client gets of an upstream's answer.
#[track_caller]
fn answers(api: Api, client: &Value, answer: &str) -> Result<String, Fault> {
    match read(translated(api, client)?, answer.as_bytes())? {
        Read::Answer(answer) => Ok(String::from_utf8(answer.body).unwrap()),
        Read::Fetch { .. } => unreachable!("{api:?} by {answer} needs files"),
    }
}

/// All that a client may say.
fn everything() -> Value {
    json!({"model": "m", "prompt": "p", "n": 2, "size": "1536x1024", "quality": "high", "response_format": "url", "seed": 7,
           "output_format": "png", "negative_prompt": "q", "user": "u", "background": "opaque", "steps": 4, "stream": false})
}

#[test]
fn requests_of_each_dialect() {
    let all = everything();
    check(
        Api::TogetherImages,
        &all,
        json!({"model": "m", "prompt": "p", "width": 1536, "height": 1024, "n": 2, "seed": 7, "output_format": "png",
               "negative_prompt": "q", "response_format": "url", "steps": 4}),
        &["quality", "user", "background"],
    );
    check(
        Api::GeminiImages,
        &all,
        json!({"contents": [{"role": "user", "parts": [{"text": "p"}]}],
               "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "3:2"}, "seed": 7}}),
        &[
            "n",
            "quality",
            "response_format",
            "output_format",
            "negative_prompt",
            "user",
            "background",
            "steps",
        ],
    );
    check(
        Api::ImagenPredict,
        &all,
        json!({"instances": [{"prompt": "p"}],
               "parameters": {"sampleCount": 2, "aspectRatio": "4:3", "seed": 7, "negativePrompt": "q",
                              "outputOptions": {"mimeType": "image/png"}}}),
        &["size", "quality", "response_format", "user", "background", "steps"],
    );
    check(
        Api::BedrockImages,
        &all,
        json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "p", "negativeText": "q"},
               "imageGenerationConfig": {"numberOfImages": 2, "width": 1536, "height": 1024, "quality": "premium", "seed": 7}}),
        &["response_format", "output_format", "user", "background", "steps"],
    );
    let mut stability = all;
    stability["model"] = json!("stability.sd3-5-large-v1:0");
    check(
        Api::BedrockImages,
        &stability,
        json!({"prompt": "p", "negative_prompt": "q", "aspect_ratio": "3:2", "output_format": "png", "seed": 7}),
        &["n", "quality", "response_format", "user", "background", "steps"],
    );
}

#[test]
fn what_is_not_said_is_the_vendors_to_choose() {
    let plain = json!({"model": "m", "prompt": "p", "n": 1, "size": "auto", "quality": "auto", "response_format": "b64_json"});
    let base64 = json!({"model": "m", "prompt": "p", "n": 1, "response_format": "base64"});
    check(Api::TogetherImages, &plain, base64, &[]);
    let contents = json!([{"role": "user", "parts": [{"text": "p"}]}]);
    let gemini = json!({"contents": contents, "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}});
    check(Api::GeminiImages, &plain, gemini, &[]);
    let imagen = json!({"instances": [{"prompt": "p"}], "parameters": {"sampleCount": 1}});
    check(Api::ImagenPredict, &plain, imagen, &[]);
    let amazon = json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "p"}, "imageGenerationConfig": {"numberOfImages": 1}});
    check(Api::BedrockImages, &plain, amazon, &[]);
}

#[test]
fn sizes_become_the_nearest_ratio() {
    let check = |size: &str, ratio: Value, kind: Value, is_kept: bool| {
        let asked = json!({"model": "m", "prompt": "p", "size": size});
        let translated = translated(Api::GeminiImages, &asked).unwrap();
        let body = json_of(&translated);
        let config = &body["generationConfig"]["imageConfig"];
        assert_eq!((&config["aspectRatio"], &config["imageSize"]), (&ratio, &kind), "{size}");
        assert_eq!(translated.dropped.is_empty(), is_kept, "{size}: {:?}", translated.dropped);
    };
    check("1024x1024", json!("1:1"), Value::Null, true);
    check("1024x1536", json!("2:3"), Value::Null, true);
    check("1792x1024", json!("16:9"), Value::Null, false);
    check("1024x1792", json!("9:16"), Value::Null, false);
    check("2048x2048", json!("1:1"), json!("2K"), true);
    check("4096x4096", json!("1:1"), json!("4K"), true);
    check("large", Value::Null, Value::Null, false);
    check("0x1", Value::Null, Value::Null, false);
    let asked = json!({"model": "m", "prompt": "p", "aspect_ratio": "16:9", "size": "1024x1024"});
    let told = translated(Api::GeminiImages, &asked).unwrap();
    assert!(text(&told).contains(r#""aspectRatio":"16:9""#));
}

#[test]
fn faults_name_the_field() {
    for (body, param) in [
        (json!({"model": "m"}), "prompt"),
        (json!({"model": "m", "prompt": 1}), "prompt"),
        (json!({"model": "m", "prompt": "p", "n": "two"}), "n"),
        (json!({"model": "m", "prompt": "p", "response_format": "hex"}), "response_format"),
        (json!({"model": "m", "prompt": "p", "stream": true}), "stream"),
        (json!({"prompt": "p"}), "model"),
    ] {
        let fault = translated(Api::GeminiImages, &body).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}: {fault}");
    }
}

#[test]
fn answers_of_each_dialect() {
    let client = json!({"model": "m", "prompt": "p", "response_format": "b64_json"});
    let told = |more: &str| format!(r#"{{"created":0,"data":[{{"b64_json":"aGk="}}]{more}}}"#);
    for (api, answer, expected) in [
        (
            Api::GeminiImages,
            r#"{"candidates":[{"content":{"parts":[{"text":"Here."},{"thought":true,"inlineData":{"mimeType":"image/png","data":"bm8="}},
                {"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],
                "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1290,"thoughtsTokenCount":10}}"#,
            told(r#","usage":{"input_tokens":3,"output_tokens":1300,"total_tokens":1303}"#),
        ),
        (
            Api::ImagenPredict,
            r#"{"predictions":[{"raiFilteredReason":"x"},{"mimeType":"image/png","bytesBase64Encoded":"aGk="}]}"#,
            told(""),
        ),
        (Api::BedrockImages, r#"{"images":["aGk="],"error":null}"#, told("")),
        (Api::BedrockImages, r#"{"images":["aGk="],"seeds":[1],"finish_reasons":[null]}"#, told("")),
        (
            Api::TogetherImages,
            r#"{"id":"x","model":"m","object":"list","data":[{"index":0,"b64_json":"aGk="}]}"#,
            told(""),
        ),
    ] {
        assert_eq!(answers(api, &client, answer).unwrap(), expected, "{api:?}");
    }
    let url = r#"{"created":5,"data":[{"url":"https://i.example/1.png","revised_prompt":"pp"}]}"#;
    let told = answers(Api::TogetherImages, &json!({"model": "m", "prompt": "p"}), url).unwrap();
    assert_eq!(told, url);
}

/// The same as of an answer that is relayed.
#[test]
fn what_is_charged_is_told() {
    let check = |usage: &str, expected: (Option<&str>, u64, u64)| {
        let answer = format!(r#"{{"created":5,"data":[{{"b64_json":"aGk="}}]{usage}}}"#);
        let told = translated(Api::TogetherImages, &json!({"model": "m", "prompt": "p"})).unwrap();
        let Read::Answer(read) = read(told, answer.as_bytes()).unwrap() else { unreachable!() };
        let relayed = Observed::of_body(Subject::of(Api::OpenaiImages), answer.as_bytes());
        for observed in [&read.observed, &relayed] {
            let told = observed.usage().unwrap();
            let charge = told.charge.map(|charge| charge.to_string());
            let images = told.metered.count(Meter::OutputImages);
            assert_eq!((charge.as_deref(), told.total(), images), expected, "{usage}");
        }
        let is_told = String::from_utf8(read.body).unwrap().contains("usage");
        assert_eq!(is_told, expected.1 > 0, "{usage}");
    };
    check("", (None, 0, 1));
    check(r#","usage":{"cost_in_usd_ticks":700000000}"#, (Some("0.07"), 0, 1));
    check(
        r#","usage":{"input_tokens":3,"output_tokens":4,"cost_in_usd_ticks":700000000}"#,
        (Some("0.07"), 7, 0),
    );
}

/// Base64 was asked for, and an address came.
#[test]
fn images_at_addresses_are_fetched_where_base64_is_wanted() {
    let client = json!({"model": "m", "prompt": "p", "response_format": "b64_json"});
    let answer = br#"{"created":5,"data":[{"url":"https://i.example/1.png","revised_prompt":"pp"},{"b64_json":"aGk="}]}"#;
    let finished = |outcome: Result<&[u8], &str>| {
        let Read::Fetch { remotes, finish } =
            read(translated(Api::TogetherImages, &client).unwrap(), answer).unwrap()
        else {
            unreachable!()
        };
        let urls: Vec<&str> = remotes.iter().map(|remote| remote.url.as_str()).collect();
        assert_eq!(urls, ["https://i.example/1.png"]);
        let file = outcome.map(|bytes| File { content_type: None, bytes: bytes.to_vec() }.into());
        let file = file.map_err(|why| Unfetched { why: why.to_owned(), detail: None });
        finish(&Files::from([(urls[0].to_owned(), file)]))
    };
    let body = finished(Ok(b"\x89PNG\r\n\x1a\n")).unwrap().body;
    assert_eq!(
        String::from_utf8(body).unwrap(),
        r#"{"created":5,"data":[{"b64_json":"iVBORw0KGgo=","revised_prompt":"pp"},{"b64_json":"aGk="}]}"#
    );
    for (outcome, word) in [(Err("was not there"), "was not there"), (Ok(&b"<html>"[..]), "is no image")] {
        let fault = finished(outcome).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (502, Some("response_format")));
        assert!(fault.message.contains(word), "{fault}");
    }
}

#[test]
fn images_that_a_vendor_would_not_make() {
    let client = json!({"model": "m", "prompt": "p"});
    for (api, answer, word) in [
        (
            Api::GeminiImages,
            r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#,
            "PROHIBITED_CONTENT",
        ),
        (Api::GeminiImages, r#"{"candidates":[{"finishReason":"IMAGE_SAFETY"}]}"#, "IMAGE_SAFETY"),
        (Api::ImagenPredict, r#"{"predictions":[{"raiFilteredReason":"not this"}]}"#, "not this"),
        (Api::BedrockImages, r#"{"images":[],"error":"blocked by filters"}"#, "blocked by filters"),
        (
            Api::BedrockImages,
            r#"{"images":[""],"finish_reasons":["Filter reason: prompt"]}"#,
            "Filter reason",
        ),
    ] {
        let fault = answers(api, &client, answer).unwrap_err();
        assert_eq!((fault.status, fault.kind), (400, FaultKind::ContentPolicy), "{answer}");
        assert!(fault.message.contains(word), "{fault}");
    }
    for api in [Api::TogetherImages, Api::GeminiImages, Api::ImagenPredict, Api::BedrockImages] {
        for answer in [
            "",
            "{}",
            "[]",
            r#"{"data":[],"images":[],"predictions":[],"candidates":[]}"#,
            r#"{"data":[{"url":1}]}"#,
        ] {
            assert_eq!(answers(api, &client, answer).unwrap_err().status, 502, "{api:?} {answer}");
        }
    }
}

#[test]
fn bodies_that_are_their_vendors_own() {
    let check = |body: &str, fits: bool| {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(Api::OpenaiImages.fits(Api::TogetherImages, document.root()), fits, "{body}");
        assert!(!Api::OpenaiImages.fits(Api::GeminiImages, document.root()), "{body}");
    };
    check(r#"{"prompt":"p","response_format":"base64","inputs":"","steps":4,"width":512}"#, true);
    check(r#"{"prompt":"p","response_format":"b64_json"}"#, false);
    check(r#"{"prompt":"p","size":"512x512"}"#, false);
    check(r#"{"prompt":"p","size":null,"n":1}"#, true);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, size in "[0-9]{1,20}x[0-9]{1,20}") {
        for task in [Task::Generate, Task::Edit, Task::Vary] {
            let _ = openai::decode_request(task, &bytes, None, &Files::new());
        }
        for api in Api::ALL {
            let client = json!({"model": "m", "prompt": "p", "size": size});
            if let Ok(told) = translated(api, &client) {
                let _ = read(told, &bytes);
            }
        }
    }
}
