#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::api::by_chat::Questions;
use crate::api::{Asked, MediaReader, Told};
use crate::form::Piece;
use crate::test_support::{answered, choice, encoded};
use crate::{Api, Block, Dialect, Fault, FaultKind, Files, Finish, Meter, Metered, Response, Usage};

const PDF: &str = "data:application/pdf;base64,JVBERi0=";
const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

fn asked(body: &[u8]) -> Asked<'_> {
    Asked { api: Api::MistralOcr, path_model: "", model: None, body, inputs_max: None }
}

fn told(body: &Value) -> Result<Told, Fault> {
    let body = body.to_string();
    let translator = Api::MistralOcr.media_translator().unwrap();
    (translator.translate)(asked(body.as_bytes()), None, &Files::new(), Api::AzureAnalyze)
}

fn questions(body: &Value) -> Result<Questions, Fault> {
    let body = body.to_string();
    (Api::MistralOcr.by_chat().unwrap().ask)(asked(body.as_bytes()))
}

fn document(url: &str) -> Value {
    json!({"model": "m", "document": {"type": "document_url", "document_url": url}})
}

fn image(url: Value) -> Value {
    json!({"model": "m", "document": {"type": "image_url", "image_url": url}})
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// What Azure gets: the query's pages, and the body.
#[track_caller]
fn check(body: Value, pages: &str, sent: Value, dropped: &[&str]) {
    let told = told(&body).unwrap();
    let [Piece::Bytes(bytes)] = told.body.as_slice() else { panic!("{:?}", told.body) };
    assert_eq!(serde_json::from_slice::<Value>(bytes).unwrap(), sent);
    assert_eq!(told.query, format!("outputContentFormat=markdown&stringIndexType=unicodeCodePoint{pages}"));
    assert_eq!(
        (told.in_path.as_str(), told.dropped),
        ("m", dropped.iter().map(|name| (*name).to_owned()).collect())
    );
}

#[test]
fn documents_of_clients() {
    let web = "https://example.com/a.pdf";
    check(document(web), "", json!({"urlSource": web}), &[]);
    check(document(PDF), "", json!({"base64Source": "JVBERi0="}), &[]);
    check(image(json!(PNG)), "", json!({"base64Source": "iVBORw0KGgo="}), &[]);
    check(image(json!({"url": PNG})), "", json!({"base64Source": "iVBORw0KGgo="}), &[]);
    check(with(document(web), json!({"pages": [0, 2]})), "&pages=1,3", json!({"urlSource": web}), &[]);
    check(with(document(web), json!({"pages": "0-2, 7"})), "&pages=1-3,8", json!({"urlSource": web}), &[]);
    check(with(document(web), json!({"pages": "5,4,5,6"})), "&pages=6,5-7", json!({"urlSource": web}), &[]);
    check(with(document(web), json!({"pages": "0-1999"})), "&pages=1-2000", json!({"urlSource": web}), &[]);
    check(with(document(web), json!({"pages": 4})), "&pages=5", json!({"urlSource": web}), &[]);
    check(
        with(
            document(web),
            json!({"include_image_base64": false, "image_limit": null, "id": "x", "extract_header": true}),
        ),
        "",
        json!({"urlSource": web}),
        &["id", "extract_header"],
    );
}

#[test]
fn faults_name_the_field() {
    let bad = |body: Value, param: &str| {
        for fault in [told(&body).unwrap_err(), questions(&body).unwrap_err()] {
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}: {fault}");
        }
    };
    bad(json!({"model": "m"}), "document");
    bad(json!({"model": "m", "document": "x"}), "document");
    bad(json!({"model": "m", "document": {}}), "document.document_url");
    bad(json!({"model": "m", "document": {"type": "file", "file_id": "f"}}), "document");
    bad(json!({"model": "m", "document": {"type": "video"}}), "document");
    bad(document("ftp://x"), "document.document_url");
    bad(document("data:application/pdf,x"), "document");
    bad(image(json!(1)), "document.image_url");
    bad(with(document(PDF), json!({"pages": "2-1"})), "pages");
    bad(with(document(PDF), json!({"pages": "0-99999999999"})), "pages");
    bad(with(document(PDF), json!({"pages": "0-1999,".repeat(500) + "0"})), "pages");
    bad(with(document(PDF), json!({"pages": "a"})), "pages");
    bad(with(document(PDF), json!({"pages": [-1]})), "pages[0]");
    bad(with(document(PDF), json!({"pages": {}})), "pages");
    bad(json!({"model": 1, "document": {"document_url": PDF}}), "model");
    let none = told(&json!({"document": {"document_url": PDF}})).unwrap_err();
    assert_eq!((none.status, none.code.as_deref()), (400, Some("model_missing")));
}

#[test]
fn azure_answers_with_spans() {
    let content = "# Ünï\n\n<!-- PageBreak -->\n\nSecond 🦀 page";
    let length = content.chars().count();
    let answer = json!({"status": "succeeded", "analyzeResult": {"modelId": "prebuilt-layout", "content": content, "pages": [
        {"pageNumber": 1, "width": 8.5, "unit": "inch", "spans": [{"offset": 0, "length": 27}]},
        {"pageNumber": 2, "spans": [{"offset": 27, "length": length - 27}]}]}});
    let read = |answer: &Value| match told(&document(PDF)).unwrap().reader {
        MediaReader::Whole(read) => read(answer.to_string().as_bytes()).map(answered),
        MediaReader::Passing(_) => panic!(),
    };
    let body: Value = serde_json::from_slice(&read(&answer).unwrap().body).unwrap();
    let expected = json!({
        "pages": [{"index": 0, "markdown": "# Ünï", "images": [], "dimensions": null},
                  {"index": 1, "markdown": "Second 🦀 page", "images": [], "dimensions": null}],
        "model": "prebuilt-layout", "usage_info": {"pages_processed": 2, "doc_size_bytes": null}
    });
    assert_eq!(body, expected);
    let observed = read(&answer).unwrap().observed;
    assert_eq!(observed.usage().unwrap().metered, Metered::one(Meter::Pages, 2));
    for none in [
        json!({}),
        json!({"analyzeResult": {"content": "a"}}),
        json!({"analyzeResult": {"content": "a", "pages": [{"pageNumber": 1, "spans": [{"offset": 0, "length": 2}]}]}}),
        json!({"analyzeResult": {"content": "a", "pages": [{"pageNumber": 0, "spans": []}]}}),
    ] {
        assert_eq!(read(&none).unwrap_err().status, 502, "{none}");
    }
}

fn said(text: &str, finish: Finish) -> Response {
    Response {
        model: "own".into(),
        choices: vec![choice(vec![Block::text(text)], finish)],
        usage: Some(Usage { prompt: 9, completion: 3, ..Usage::default() }),
        ..Response::default()
    }
}

/// The pages of what a model says.
#[track_caller]
fn pages(body: Value, text: &str, expected: &[(u64, &str)]) {
    let (observed, answer) = questions(&body).unwrap().reader.read(&[said(text, Finish::Stop)]);
    assert_eq!(observed.usage().unwrap().total(), 12);
    let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
    let pages = answer["pages"].as_array().unwrap();
    let pages: Vec<(u64, &str)> = pages
        .iter()
        .map(|page| (page["index"].as_u64().unwrap(), page["markdown"].as_str().unwrap()))
        .collect();
    assert_eq!(pages, expected);
    assert_eq!(answer["usage_info"]["pages_processed"], json!(expected.len()));
}

#[test]
fn a_model_says_pages() {
    pages(image(json!(PNG)), "# A\n\n| b |", &[(0, "# A\n\n| b |")]);
    // An image is one page, whatever stands on it.
    pages(image(json!(PNG)), "<<<PAGE 2>>>", &[(0, "<<<PAGE 2>>>")]);
    pages(document(PDF), "<<<PAGE 1>>>\na\n<<<PAGE 2>>>\n\nb\nc\n", &[(0, "a"), (1, "b\nc")]);
    pages(document(PDF), "no mark", &[(0, "no mark")]);
    pages(with(document(PDF), json!({"pages": [4]})), "no mark", &[(4, "no mark")]);
    pages(document(PDF), "", &[(0, "")]);
}

#[test]
fn an_answer_that_is_not_whole_is_none() {
    for (finish, kind) in [
        (Finish::Length, FaultKind::Server),
        (Finish::ContentFilter, FaultKind::ContentPolicy),
        (Finish::Refusal, FaultKind::ContentPolicy),
    ] {
        let (observed, body) = questions(&document(PDF)).unwrap().reader.read(&[said("half", finish)]);
        assert_eq!(body.unwrap_err().kind, kind, "{finish:?}");
        assert_eq!(observed.usage().unwrap().total(), 12, "it was paid for all the same");
    }
    assert!(questions(&document(PDF)).unwrap().reader.read(&[]).1.is_err());
}

#[test]
fn a_model_is_shown_the_document() {
    let body = |body: Value| {
        let mut questions = questions(&body).unwrap();
        let encoded = encoded(Dialect::AnthropicMessages, &questions.requests.remove(0)).unwrap();
        serde_json::from_slice::<Value>(&encoded.body).unwrap()["messages"][0]["content"].clone()
    };
    let content = body(with(document(PDF), json!({"pages": [1, 3]})));
    assert_eq!(
        content[0]["source"],
        json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="})
    );
    assert!(content[1]["text"].as_str().unwrap().ends_with("Transcribe these pages only: 2, 4."));
    let last = body(with(document(PDF), json!({"pages": [u64::MAX]})));
    assert!(last[1]["text"].as_str().unwrap().ends_with(&format!("only: {}.", u64::MAX)));
    let content = body(image(json!("https://example.com/a.png")));
    assert_eq!(content[0]["source"], json!({"type": "url", "url": "https://example.com/a.png"}));
    assert!(!content[1]["text"].as_str().unwrap().contains("PAGE"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, text in "\\PC*") {
        let translator = Api::MistralOcr.media_translator().unwrap();
        let _ = (translator.translate)(asked(&bytes), None, &Files::new(), Api::AzureAnalyze);
        let _ = (Api::MistralOcr.by_chat().unwrap().ask)(asked(&bytes));
        let _ = questions(&document(PDF)).unwrap().reader.read(&[said(&text, Finish::Stop)]);
    }
}
