//! Images, documents, sound and moving pictures.

use serde_json::{Value, json};

use super::{CLAUDE, OWN, encode, of_messages};
use crate::test_support::{result, turn};
use crate::{Block, Content, Media, MediaKind, Message, Request, Role, Source};

fn medium(kind: MediaKind, source: Source, mime: Option<&str>, name: Option<&str>) -> Block {
    let (mime, name) = (mime.map(str::to_owned), name.map(str::to_owned));
    Block::new(Content::Media(Media { kind, source, mime, name, detail: None }))
}

fn bytes(kind: MediaKind, mime: &str) -> Block {
    medium(kind, Source::Base64("YWJj".into()), Some(mime), None)
}

fn ask(model: &str, blocks: Vec<Block>) -> (Value, Vec<String>) {
    let messages = vec![turn(Role::User, blocks)];
    let request = Request { model: model.into(), messages, ..Request::default() };
    let (body, dropped) = encode(&request).unwrap();
    (body["messages"][0]["content"].clone(), dropped)
}

/// What the first block becomes beside a text; null where it is lost.
#[track_caller]
fn check(block: Block, expected: Value) {
    let (content, dropped) = ask("amazon.nova-pro-v1:0", vec![block, Block::text("q")]);
    let lost = if expected.is_null() { vec!["messages[0].content[0]".to_owned()] } else { vec![] };
    let told = if expected.is_null() { json!([{"text": "q"}]) } else { json!([expected, {"text": "q"}]) };
    assert_eq!((content, dropped), (told, lost));
}

#[test]
fn formats_of_each_kind() {
    use MediaKind::{Audio, Document, Image, Video};
    for (kind, word, mime, format) in [
        (Image, "image", "image/webp", "webp"),
        (Image, "image", "image/JPG", "jpeg"),
        (Image, "image", "image/gif", "gif"),
        (Video, "video", "video/quicktime", "mov"),
        (Video, "video", "video/3gpp", "three_gp"),
        (Audio, "audio", "audio/wav", "wav"),
        (Audio, "audio", "audio/mpeg", "mp3"),
    ] {
        check(bytes(kind, mime), json!({word: {"format": format, "source": {"bytes": "YWJj"}}}));
    }
    for (mime, format) in [
        ("application/pdf", "pdf"),
        ("text/csv", "csv"),
        ("application/msword", "doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.ms-excel", "xls"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("text/html; charset=utf-8", "html"),
        ("text/plain", "txt"),
        ("text/markdown", "md"),
        ("text/x-rust", "txt"),
        ("application/json", "txt"),
    ] {
        let document = json!({"format": format, "name": "document", "source": {"bytes": "YWJj"}});
        check(bytes(Document, mime), json!({"document": document}));
    }
    check(bytes(Image, "image/tiff"), Value::Null);
    check(bytes(Document, "application/zip"), Value::Null);
    let png = "iVBORw0KGgo=";
    check(
        medium(Image, Source::Base64(png.into()), None, None),
        json!({"image": {"format": "png", "source": {"bytes": png}}}),
    );
    check(
        medium(Document, Source::Text("abc".into()), None, Some("notes.md")),
        json!({"document": {"format": "txt", "name": "notes", "source": {"bytes": "YWJj"}}}),
    );
}

#[test]
fn what_stands_elsewhere() {
    let place = |kind, url: &str, mime| medium(kind, Source::Url(url.into()), mime, None);
    check(
        place(MediaKind::Image, "s3://bucket/a.JPG", None),
        json!({"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.JPG"}}}}),
    );
    check(
        place(MediaKind::Video, "s3://bucket/a", Some("video/mp4")),
        json!({"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a"}}}}),
    );
    check(place(MediaKind::Image, "https://a.example/a.png", None), Value::Null);
    check(place(MediaKind::Document, "https://a.example/a.pdf", Some("application/pdf")), Value::Null);
    check(medium(MediaKind::Image, Source::FileId("f".into()), Some("image/png"), None), Value::Null);
    // Anthropic's models see no moving pictures.
    let (content, dropped) = ask(CLAUDE, vec![bytes(MediaKind::Video, "video/mp4"), Block::text("q")]);
    assert_eq!((content, dropped), (json!([{"text": "q"}]), vec!["messages[0].content[0]".to_owned()]));
}

#[test]
fn names_of_documents() {
    let names = |given: &[&str]| -> Vec<String> {
        let document = |name: &&str| medium(MediaKind::Document, Source::Text("t".into()), None, Some(name));
        let blocks = given.iter().map(document).chain([Block::text("q")]).collect();
        let (content, _) = ask(CLAUDE, blocks);
        let documents =
            content.as_array().unwrap().iter().filter_map(|block| block["document"]["name"].as_str());
        documents.map(str::to_owned).collect()
    };
    assert_eq!(
        names(&["John's  report.pdf", "résumé #2.pdf", "a_b-(c)[d].x.txt", "分析　表.xlsx"]),
        ["John s report", "r sum 2", "a_b-(c)[d] x", "document"]
    );
    assert_eq!(
        names(&["r.pdf", "r.docx", "r 2.txt", ".pdf", ""]),
        ["r", "r 2", "r 2 2", "document", "document 2"]
    );
    let long = "x".repeat(300);
    let given = names(&[&long, &long]);
    assert!(given.iter().all(|name| name.len() == 200) && given[1].ends_with(" 2"), "{given:?}");
}

#[test]
fn documents_stand_beside_words() {
    let document = || medium(MediaKind::Document, Source::Text("t".into()), None, Some("a.txt"));
    let (content, dropped) = ask(CLAUDE, vec![document(), document()]);
    assert_eq!((&content[2], dropped), (&json!({"text": "a.txt, a.txt"}), vec![]));
    let nameless = medium(MediaKind::Document, Source::Text("t".into()), None, Some(" "));
    assert_eq!(ask(CLAUDE, vec![nameless]).0[1], json!({"text": "document"}));
    let (content, _) = ask(CLAUDE, vec![bytes(MediaKind::Image, "image/png")]);
    assert_eq!(content.as_array().unwrap().len(), 1);
    let (body, dropped) = of_messages(
        CLAUDE,
        json!({"messages": [{"role": "user", "content": [
            {"type": "document", "title": "T", "context": "c", "citations": {"enabled": true}, "source": {"type": "text", "media_type": "text/plain", "data": "abc"}},
            {"type": "text", "text": "q"}]}]}),
    );
    let document = json!({"format": "txt", "name": "T", "source": {"bytes": "YWJj"}, "context": "c", "citations": {"enabled": true}});
    assert_eq!((&body["messages"][0]["content"][0]["document"], dropped), (&document, vec![]));
}

#[test]
fn media_in_results() {
    let inside = vec![
        Block::text("see"),
        bytes(MediaKind::Image, "image/png"),
        medium(MediaKind::Image, Source::Url("https://a.example/a.png".into()), None, None),
    ];
    let messages = vec![
        Message::text(Role::User, "q"),
        turn(Role::Assistant, [crate::test_support::call("c", "f", "{}")]),
        turn(Role::Tool, [result("c", inside, false)]),
    ];
    let request = Request { model: CLAUDE.into(), messages, ..Request::default() };
    let (body, dropped) = encode(&request).unwrap();
    let content = json!([{"text": "see"}, {"image": {"format": "png", "source": {"bytes": "YWJj"}}}]);
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["content"], content);
    assert_eq!(dropped, ["messages[2].content[2]"]);
}

#[test]
fn no_more_than_the_vendor_takes() {
    let fails = |block: Block, count: usize| {
        let messages = vec![turn(Role::User, vec![block; count])];
        let mut request = Request { model: CLAUDE.into(), messages, ..Request::default() };
        OWN.encode(&mut request, &crate::EncodeOptions::default())
            .err()
            .map(|fault| (fault.status, fault.message))
    };
    let document = || medium(MediaKind::Document, Source::Text("t".into()), None, None);
    assert_eq!(fails(document(), 5), None);
    let words = "Invalid `messages`: this provider takes 5 documents at most, and there are 6.";
    assert_eq!(fails(document(), 6), Some((400, words.to_owned())));
    assert_eq!(fails(bytes(MediaKind::Image, "image/png"), 20), None);
    assert!(fails(bytes(MediaKind::Image, "image/png"), 21).is_some());
    let elsewhere = medium(MediaKind::Image, Source::Url("https://a.example".into()), None, None);
    assert_eq!(fails(elsewhere, 21).map(|(status, _)| status), Some(400), "nothing is left to say");
}
