#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::inline;
use crate::json::Document;
use crate::{
    ClientDialect, Content, Dialect, EncodeOptions, File, Files, Media, MediaKind, PathParams, Request,
    Source, Unfetched,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n...";
const PDF: &[u8] = b"%PDF-1.7 ...";
const HTML: &[u8] = b"\n<!DOCTYPE html><p>sign in";

fn request(client: ClientDialect, body: &Value) -> Request {
    let body = body.to_string();
    let document = Document::of_request(body.as_bytes()).unwrap();
    client.decode(&document, PathParams { model: "m", stream: false }).unwrap()
}

/// A client's request with one part.
fn said(client: ClientDialect, part: Value) -> Value {
    match client {
        ClientDialect::OpenaiChat => {
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, part]}]})
        }
        ClientDialect::OpenaiResponses => {
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "q"}, part]}]})
        }
        ClientDialect::AnthropicMessages => {
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, part]}]})
        }
        ClientDialect::GeminiGenerate => {
            json!({"contents": [{"role": "user", "parts": [{"text": "q"}, part]}]})
        }
    }
}

fn image(client: ClientDialect, url: &str) -> Value {
    said(
        client,
        match client {
            ClientDialect::OpenaiChat => json!({"type": "image_url", "image_url": {"url": url}}),
            ClientDialect::OpenaiResponses => json!({"type": "input_image", "image_url": url}),
            ClientDialect::AnthropicMessages => {
                json!({"type": "image", "source": {"type": "url", "url": url}})
            }
            ClientDialect::GeminiGenerate => json!({"fileData": {"fileUri": url, "mimeType": "image/png"}}),
        },
    )
}

fn file(content_type: Option<&str>, bytes: &[u8]) -> File {
    File { content_type: content_type.map(str::to_owned), bytes: bytes.to_vec() }
}

/// The media of a request whose files were fetched, or the fault.
fn fetched(
    client: ClientDialect,
    body: &Value,
    upstream: Dialect,
    urls: Option<&[MediaKind]>,
    file: Option<File>,
) -> Result<Vec<Media>, String> {
    let mut request = request(client, body);
    let options = EncodeOptions { media_urls: urls.map(<[_]>::to_vec), ..EncodeOptions::default() };
    let text = body.to_string();
    let document = Document::of_request(text.as_bytes()).unwrap();
    let mut files = Files::new();
    let tell = |unsayable: super::Unsayable| {
        let fault = unsayable.fault(&document);
        assert_eq!((fault.status, fault.code.as_deref()), (400, Some("file_unusable")));
        assert!(fault.message.contains(fault.param.as_deref().unwrap()), "{fault:?}");
        fault.message
    };
    for remote in inline(&mut request, upstream, &options, &files).map_err(tell)? {
        let file = file.clone().unwrap_or_else(|| remote.stand_in());
        files.insert(remote.url, Ok(Arc::new(file)));
    }
    assert!(inline(&mut request, upstream, &options, &files).map_err(tell)?.is_empty());
    let blocks = request.messages.into_iter().flat_map(|message| message.blocks);
    Ok(blocks
        .flat_map(|block| match block.content {
            Content::ToolResult { content, .. } => content,
            _ => vec![block],
        })
        .filter_map(|block| match block.content {
            Content::Media(medium) => Some(medium),
            _ => None,
        })
        .collect())
}

#[test]
fn each_upstream_gets_what_it_takes() {
    use Dialect::*;
    let web = "https://a.example/x.png";
    for (upstream, url, is_fetched) in [
        (OpenaiChat, web, false),
        (OpenaiChat, "http://a.example/x", false),
        (OpenaiResponses, web, false),
        (AnthropicMessages, web, false),
        // It refuses plain HTTP.
        (AnthropicMessages, "http://a.example/x.png", true),
        (GeminiGenerate, web, false),
        (GeminiGenerate, "gs://bucket/x.png", false),
        (CohereChat, web, false),
        (BedrockConverse, web, true),
        (BedrockConverse, "HTTPS://A.example/x.png", true),
        (BedrockConverse, "s3://bucket/x.png", false),
        (OllamaChat, web, true),
    ] {
        for client in ClientDialect::ALL {
            let media = fetched(client, &image(client, url), upstream, None, None).unwrap();
            let source = &media[0].source;
            assert_eq!(matches!(source, Source::Base64(_)), is_fetched, "{client:?} {upstream:?} {url}");
            assert!(is_fetched || *source == Source::Url(url.to_owned()), "{source:?}");
        }
    }
}

#[test]
fn a_row_may_take_less_or_more() {
    let (client, web) = (ClientDialect::OpenaiChat, "https://a.example/x.png");
    let check = |upstream, urls: &[MediaKind], url, is_fetched| {
        let media = fetched(client, &image(client, url), upstream, Some(urls), None).unwrap();
        assert_eq!(matches!(media[0].source, Source::Base64(_)), is_fetched, "{upstream:?} {urls:?} {url}");
    };
    check(Dialect::OpenaiChat, &[], web, true);
    check(Dialect::AnthropicMessages, &[], web, true);
    check(Dialect::AnthropicMessages, &[MediaKind::Document], web, true);
    check(Dialect::AnthropicMessages, &[MediaKind::Image], web, false);
    // What is the vendor's own is not of the web.
    check(Dialect::GeminiGenerate, &[], "gs://bucket/x.png", false);
    check(Dialect::GeminiGenerate, &[], web, true);
}

#[test]
fn bytes_go_before_what_is_said_of_them() {
    use ClientDialect::{AnthropicMessages, OpenaiChat, OpenaiResponses};
    let url = "https://a.example/x";
    let picture = image(OpenaiChat, url);
    let pdf = said(AnthropicMessages, json!({"type": "document", "source": {"type": "url", "url": url}}));
    let any = said(OpenaiResponses, json!({"type": "input_file", "file_url": url}));
    for (client, body, told, bytes, expected) in [
        (OpenaiChat, &picture, Some("image/png"), PNG, Ok("image/png")),
        (OpenaiChat, &picture, Some("image/jpeg"), PNG, Ok("image/png")),
        (OpenaiChat, &picture, Some("text/html; charset=utf-8"), PNG, Ok("image/png")),
        (OpenaiChat, &picture, None, PNG, Ok("image/png")),
        (OpenaiChat, &picture, Some("image/png"), HTML, Err("is no image: its bytes are text/html")),
        (OpenaiChat, &picture, Some("image/png"), PDF, Err("is no image: its bytes are application/pdf")),
        (
            OpenaiChat,
            &picture,
            Some("image/png"),
            b"so what",
            Err("is no image that is known by its bytes; its server calls it image/png"),
        ),
        (OpenaiChat, &picture, Some("image/png"), b"", Err("is empty")),
        (AnthropicMessages, &pdf, Some("text/plain"), PDF, Ok("application/pdf")),
        (AnthropicMessages, &pdf, Some("application/pdf"), HTML, Err("is no PDF: its bytes are text/html")),
        (OpenaiResponses, &any, Some("application/pdf"), PDF, Ok("application/pdf")),
        (OpenaiResponses, &any, Some("text/csv; charset=utf-8"), b"a,b", Ok("text/csv")),
        (OpenaiResponses, &any, Some("application/octet-stream"), b"a,b", Ok("text/plain")),
        (OpenaiResponses, &any, Some("text/html"), HTML, Ok("text/html")),
        (OpenaiResponses, &any, Some("text/plain"), PNG, Ok("image/png")),
        (OpenaiResponses, &any, Some("text/plain"), b"\xff\xfe", Err("is no text")),
    ] {
        let upstream = Dialect::BedrockConverse;
        let got = fetched(client, body, upstream, None, Some(file(told, bytes)));
        match (got, expected) {
            (Ok(media), Ok(mime)) => assert_eq!(media[0].mime.as_deref(), Some(mime)),
            (Err(message), Err(why)) => assert!(message.contains(why), "{message} != {why}"),
            (got, expected) => panic!("{got:?} != {expected:?}"),
        }
    }
}

#[test]
fn sound_and_films_go_by_words_where_containers_say_nothing() {
    for (kind, told, bytes, expected) in [
        (MediaKind::Audio, Some("audio/mp4"), &b"\0\0\0\x18ftypisom"[..], Ok("audio/mp4")),
        (MediaKind::Audio, None, b"\0\0\0\x18ftypisom", Ok("audio/mp4")),
        (MediaKind::Video, None, b"\0\0\0\x18ftypisom", Ok("video/mp4")),
        (MediaKind::Audio, Some("audio/webm"), b"\x1aE\xdf\xa3", Ok("audio/webm")),
        (MediaKind::Audio, Some("audio/pcm"), b"1234", Ok("audio/pcm")),
        (MediaKind::Audio, Some("text/html"), HTML, Err("is no audio: its bytes are text/html")),
        (MediaKind::Video, None, b"1234", Err("is no video that is known by its bytes")),
    ] {
        let got = file(told, bytes).media_type(kind, None, "/x");
        assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{kind:?} {told:?}");
    }
}

#[test]
fn every_address_is_fetched_once_wherever_it_stands() {
    let url = "https://a.example/x.png";
    let picture = json!({"type": "image", "source": {"type": "url", "url": url}});
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": [picture, picture, {"type": "text", "text": url}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"url": url}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [picture]}]},
    ]});
    let mut asked = request(ClientDialect::AnthropicMessages, &body);
    let options = EncodeOptions::default();
    let upstream = Dialect::BedrockConverse;
    assert!(super::is_in(&asked, upstream, &options));
    let missing = inline(&mut asked, upstream, &options, &Files::new()).unwrap();
    assert_eq!(missing.iter().map(|remote| remote.url.as_str()).collect::<Vec<_>>(), [url]);
    let media = fetched(ClientDialect::AnthropicMessages, &body, upstream, None, None).unwrap();
    assert!(media.len() == 3 && media.iter().all(|medium| matches!(medium.source, Source::Base64(_))));
    assert!(!super::is_in(&asked, Dialect::AnthropicMessages, &options));
}

#[test]
fn faults_name_the_place_in_the_clients_body() {
    let url = "https://a.example/x.png";
    for (client, place) in [
        (ClientDialect::OpenaiChat, "messages[0].content[1].image_url.url"),
        (ClientDialect::OpenaiResponses, "input[0].content[1].image_url"),
        (ClientDialect::AnthropicMessages, "messages[0].content[1].source.url"),
        (ClientDialect::GeminiGenerate, "contents[0].parts[1].fileData.fileUri"),
    ] {
        // The same words in a text are not to blame.
        let text = image(client, url).to_string().replace("\"q\"", &format!("{url:?}"));
        let mut asked = request(client, &serde_json::from_str(&text).unwrap());
        let gone = Unfetched { why: "was not there".into(), detail: Some("x".into()) };
        let files = Files::from([(url.to_owned(), Err(gone))]);
        let options = EncodeOptions::default();
        let unsayable = inline(&mut asked, Dialect::BedrockConverse, &options, &files).unwrap_err();
        let fault = unsayable.fault(&Document::of_request(text.as_bytes()).unwrap());
        assert_eq!(fault.message, format!("Invalid `{place}`: the file was not there"));
        assert_eq!((fault.param.as_deref(), fault.status), (Some(place), 400));
        assert!(fault.detail.is_some());
    }
}

/// Ids reach the vendor who gave them, and nobody else.
#[test]
fn files_by_id() {
    use ClientDialect as C;
    use Dialect as D;
    let chat = |id: &str| said(C::OpenaiChat, json!({"type": "file", "file": {"file_id": id}}));
    let responses = |id: &str| said(C::OpenaiResponses, json!({"type": "input_file", "file_id": id}));
    let messages = |id: &str| {
        said(C::AnthropicMessages, json!({"type": "document", "source": {"type": "file", "file_id": id}}))
    };
    let gemini = |uri: &str| {
        said(C::GeminiGenerate, json!({"fileData": {"fileUri": uri, "mimeType": "application/pdf"}}))
    };
    let google = "https://generativelanguage.googleapis.com/v1beta/files/abc";
    for (client, body, passes, owner) in [
        (C::OpenaiChat, chat("file-abc"), &[D::OpenaiChat, D::OpenaiResponses][..], "OpenAI"),
        (C::OpenaiResponses, responses("file-abc"), &[D::OpenaiChat, D::OpenaiResponses], "OpenAI"),
        // An id that may be anybody's, of a client that may ask anybody.
        (
            C::OpenaiChat,
            chat("file_011CN"),
            &[D::OpenaiChat, D::OpenaiResponses, D::AnthropicMessages, D::GeminiGenerate],
            "another vendor",
        ),
        (C::AnthropicMessages, messages("file_011CN"), &[D::AnthropicMessages], "Anthropic"),
        (C::GeminiGenerate, gemini("files/abc"), &[D::GeminiGenerate], "Google"),
        (C::GeminiGenerate, gemini(google), &[D::GeminiGenerate], "Google"),
        (C::OpenaiChat, chat("files/abc"), &[D::GeminiGenerate], "Google"),
    ] {
        for upstream in Dialect::ALL {
            match fetched(client, &body, upstream, None, None) {
                Ok(_) => assert!(passes.contains(&upstream), "{body} {upstream:?}"),
                Err(message) => {
                    assert!(!passes.contains(&upstream), "{body} {upstream:?}: {message}");
                    assert!(message.contains(&format!("lies with {owner}")), "{message}");
                }
            }
        }
    }
}
