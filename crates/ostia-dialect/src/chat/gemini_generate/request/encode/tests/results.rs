//! What tools answered, and what of it is lost.

use super::*;

/// The answer to one call that a model of generation 2.5 is told, and the dropped paths.
#[track_caller]
fn check_answer(content: Vec<Block>, response: Value, dropped: &[&str]) {
    let mut request = ask("gemini-2.5-flash");
    request.messages.push(turn(Role::Assistant, vec![call("c", "f", "{}")]));
    request.messages.push(result("c", content, false));
    let encoded = encode(&request).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["contents"][2]["parts"][0]["functionResponse"]["response"], response);
    assert_eq!(encoded.dropped, dropped);
}

#[test]
fn an_answer_that_looks_like_an_envelope_goes_as_text() {
    for text in [r#"{"error":"no such file"}"#, r#"{"output":{"a":1}}"#, r#"{"result":1}"#] {
        check_answer(vec![Block::text(text)], json!({"output": text}), &[]);
    }
    let text = r#"{"error":"no such file","code":2}"#;
    check_answer(vec![Block::text(text)], json!({"error": "no such file", "code": 2}), &[]);
}

#[test]
fn texts_of_an_answer_are_paragraphs_and_so_are_documents_of_text() {
    let mut document = media(MediaKind::Document, Source::Text("b".into()), None);
    if let Content::Media(media) = &mut document.content {
        media.name = Some("b.txt".into());
    }
    let dropped = ["messages[2].content[1].file.filename"];
    check_answer(vec![Block::text("a"), document, Block::text("c")], json!({"output": "a\nb\nc"}), &dropped);
}

#[test]
fn losses_are_told_where_the_client_has_them() {
    let marker = || Some(raw(serde_json::json!({"type": "ephemeral"})));
    let answer = |id: &str, cache_control: Option<Json>| {
        let inner = Block { cache_control: marker(), ..Block::text("a") };
        Block { cache_control, ..result(id, vec![inner], false).blocks.remove(0) }
    };
    let mut request = ask("gemini-2.5-flash");
    request.messages.push(turn(Role::Assistant, vec![call("c", "f", "{}"), call("d", "f", "{}")]));
    request.messages.push(turn(Role::Tool, vec![answer("c", marker())]));
    request.messages.push(turn(Role::Tool, vec![answer("d", None), answer("e", marker())]));
    let paths = [
        "messages[2]",
        "messages[2].content[0]",
        "messages[3].content[1]",
        "messages[3].content[0].content[0]",
        "messages[3].content[1].content[0]",
    ];
    assert_eq!(encode(&request).unwrap().dropped, paths.map(|path| format!("{path}.cache_control")));
}

#[test]
fn names_and_details_of_media_are_lost() {
    let mut picture = media(MediaKind::Image, Source::Base64("iVBORw0KGgo=".into()), Some("image/png"));
    if let Content::Media(media) = &mut picture.content {
        (media.name, media.detail) = (Some("a.png".into()), Some("low".into()));
    }
    let mut request = ask("gemini-2.5-flash");
    request.messages.push(turn(Role::User, vec![picture]));
    let dropped = encode(&request).unwrap().dropped;
    assert_eq!(dropped, ["messages[1].content[0].image_url.detail", "messages[1].content[0].file.filename"]);
}

#[test]
fn a_search_cannot_be_forbidden() {
    let mut request = ask("gemini-2.5-flash");
    (request.web_search, request.tool_choice) = (Some(WebSearch::default()), Some(ToolChoice::None));
    assert_eq!(encode(&request).unwrap().dropped, ["tool_choice"]);
}

#[test]
fn a_search_of_the_usual_size_is_whole() {
    for (size, dropped) in [("medium", &[][..]), ("low", &["web_search_options.search_context_size"][..])] {
        let mut request = ask("gemini-2.5-flash");
        let context_size = Some(size.to_owned());
        request.web_search = Some(WebSearch { context_size, ..WebSearch::default() });
        assert_eq!(encode(&request).unwrap().dropped, dropped);
    }
}
