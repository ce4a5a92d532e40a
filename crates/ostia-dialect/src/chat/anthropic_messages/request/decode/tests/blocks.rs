use serde_json::{Value, json};

use super::read;
use crate::chat::opaque::{self, Opaque};
use crate::json::Json;
use crate::test_support::{call, raw, result, signed, thought, turn};
use crate::{Block, Citation, Content, Dialect, Media, MediaKind, Message, Role, Signature, Source};

/// A turn of this role with this content is these messages, each with the place where it stood.
fn check(role: &str, content: Value, expected: Vec<(Message, &str)>) {
    let request = read(json!({"messages": [{"role": role, "content": content}]}));
    let (messages, places): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(request.messages, messages);
    assert_eq!(request.places, places);
}

/// One block of this role is this block, and this is what the hub has no room for.
fn check_block(role: &str, said: Value, block: Block, beyond: &[(&str, Value)]) {
    let request = read(json!({"messages": [{"role": role, "content": [said]}]}));
    assert_eq!(request.messages[0].blocks, [block]);
    let path = |field: &str| format!("messages[0].content[0].{field}");
    let beyond: Vec<(String, Json)> =
        beyond.iter().map(|(field, said)| (path(field), raw(said.clone()))).collect();
    assert_eq!(request.extra, beyond);
}

fn medium(kind: MediaKind, source: Source, mime: Option<&str>, name: Option<&str>) -> Block {
    let (mime, name) = (mime.map(str::to_owned), name.map(str::to_owned));
    Block::new(Content::Media(Media { kind, source, mime, name, detail: None }))
}

fn foreign(dialect: Dialect, said: Value) -> Content {
    Content::Foreign { dialect, value: raw(said) }
}

#[test]
fn the_system_prompt_goes_first() {
    let marker = json!({"type": "ephemeral"});
    for (system, blocks) in [
        (json!("Be brief."), vec![Block::text("Be brief.")]),
        (json!(""), vec![Block::text("")]),
        (
            json!([{"type": "text", "text": "A", "cache_control": marker}, {"type": "text", "text": "B"}]),
            vec![Block { cache_control: Some(raw(marker.clone())), ..Block::text("A") }, Block::text("B")],
        ),
    ] {
        let request = read(json!({ "system": system }));
        let user = Message::text(Role::User, "Hi");
        assert_eq!(request.messages, [turn(Role::System, blocks), user]);
        assert_eq!(request.places, ["system", "messages[0]"]);
    }
    assert_eq!(read(json!({"system": []})).places, ["messages[0]"]);
    let later = json!({"system": "A", "messages": [
        {"role": "user", "content": "Hi"}, {"role": "system", "content": "B"}]});
    let request = read(later);
    assert_eq!(request.messages[2], Message::text(Role::System, "B"));
    assert_eq!(request.places[2], "messages[1]");
}

#[test]
fn results_stand_apart_and_first() {
    let said = json!([
        {"type": "text", "text": "Before"},
        {"type": "tool_result", "tool_use_id": "a", "content": "one"},
        {"type": "tool_result", "tool_use_id": "b", "is_error": true, "content": [
            {"type": "text", "text": "two"},
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}}]},
        {"type": "tool_result", "tool_use_id": "c"},
        {"type": "text", "text": "Behind"},
    ]);
    let picture = medium(MediaKind::Image, Source::Url("https://x.test/a".into()), None, None);
    check(
        "user",
        said,
        vec![
            (turn(Role::Tool, vec![result("a", vec![Block::text("one")], false)]), "messages[0].content[1]"),
            (
                turn(Role::Tool, vec![result("b", vec![Block::text("two"), picture], true)]),
                "messages[0].content[2]",
            ),
            (turn(Role::Tool, vec![result("c", vec![], false)]), "messages[0].content[3]"),
            (turn(Role::User, vec![Block::text("Before"), Block::text("Behind")]), "messages[0]"),
        ],
    );
    check("user", json!([]), vec![(turn(Role::User, vec![]), "messages[0]")]);
}

#[test]
fn what_is_beyond_the_hub_has_the_hubs_path() {
    let document = json!({"type": "document", "context": "c", "source":
        {"type": "text", "media_type": "text/plain", "data": "d"}});
    let request = read(json!({"system": "s", "messages": [
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a", "name": "look", "input": {}, "toolset_name": "browser"}]},
        {"role": "user", "odd": 1, "content": [
            document,
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "x"}, document]}]},
    ]}));
    let names: Vec<&str> = request.extra.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "messages[1].content[0].toolset_name",
            "messages[2].content[0].content[1].context",
            "messages[3].content[0].context",
            "messages[2].odd",
        ]
    );
    assert_eq!(request.places, ["system", "messages[0]", "messages[1].content[1]", "messages[1]"]);
}

#[test]
fn media() {
    let image = |source: Value| json!({"type": "image", "source": source});
    let document = |source: Value| json!({"type": "document", "title": "t", "source": source});
    let (base64, url) = (|| Source::Base64("AAAA".into()), || Source::Url("https://x.test/a".into()));
    let pdf = Some("application/pdf");
    for (said, kind, source, mime) in [
        (
            image(json!({"type": "base64", "media_type": "image/png", "data": "AAAA"})),
            MediaKind::Image,
            base64(),
            Some("image/png"),
        ),
        (image(json!({"type": "url", "url": "https://x.test/a"})), MediaKind::Image, url(), None),
        (image(json!({"type": "file", "file_id": "f"})), MediaKind::Image, Source::FileId("f".into()), None),
        (
            document(json!({"type": "base64", "media_type": "application/pdf", "data": "AAAA"})),
            MediaKind::Document,
            base64(),
            pdf,
        ),
        (document(json!({"type": "url", "url": "https://x.test/a"})), MediaKind::Document, url(), pdf),
        (
            document(json!({"type": "file", "file_id": "f"})),
            MediaKind::Document,
            Source::FileId("f".into()),
            None,
        ),
        (
            document(json!({"type": "text", "media_type": "text/plain", "data": "d"})),
            MediaKind::Document,
            Source::Text("d".into()),
            Some("text/plain"),
        ),
    ] {
        let name = (kind == MediaKind::Document).then_some("t");
        check_block("user", said, medium(kind, source, mime, name), &[]);
    }
    let cited = json!({"type": "document", "source": {"type": "file", "file_id": "f"}, "context": "c",
                       "citations": {"enabled": true}, "cache_control": {"type": "ephemeral"}});
    let block = medium(MediaKind::Document, Source::FileId("f".into()), None, None);
    let block = Block { cache_control: Some(raw(json!({"type": "ephemeral"}))), ..block };
    check_block("user", cited, block, &[("context", json!("c")), ("citations", json!({"enabled": true}))]);
    let odd = json!({"type": "image", "source": {"type": "source_of_tomorrow"}});
    check_block("user", odd.clone(), Block::new(foreign(Dialect::AnthropicMessages, odd)), &[]);
}

#[test]
fn results_of_a_search_and_chunks_are_documents_to_others() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let block = || medium(MediaKind::Document, Source::Text("A\n\nB".into()), Some("text/plain"), Some("T"));
    let found = json!({"type": "search_result", "source": "https://x.test", "title": "T",
                       "content": [text("A"), text("B")], "citations": {"enabled": true}});
    check_block("user", found.clone(), block(), &[("search_result", found)]);
    let chunks = json!({"type": "document", "title": "T", "source":
        {"type": "content", "content": [text("A"), text("B")]}});
    check_block("user", chunks.clone(), block(), &[("document", chunks)]);
}

#[test]
fn calls_and_blocks_of_the_vendors_own() {
    let plain = json!({"type": "tool_use", "id": "a", "name": "look", "input": {"x": 1.0}});
    check_block("assistant", plain, call("a", "look", r#"{"x":1.0}"#), &[]);
    let caller = json!({"type": "code_execution_20250825", "tool_id": "s"});
    let called = json!({"type": "tool_use", "id": "a", "name": "look", "input": {}, "caller": caller});
    let block = signed(call("a", "look", "{}"), Dialect::AnthropicMessages, &caller.to_string());
    check_block("assistant", called, block, &[]);
    for own in [
        json!({"type": "redacted_thinking", "data": "EqQB"}),
        json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
        json!({"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}}),
        json!({"type": "container_upload", "file_id": "f"}),
        json!({"type": "compaction", "content": "c", "cache_control": {"type": "ephemeral"}}),
    ] {
        check_block("assistant", own.clone(), Block::new(foreign(Dialect::AnthropicMessages, own)), &[]);
    }
}

#[test]
fn sources_stand_for_their_block() {
    let page = json!({"type": "page_location", "document_title": "T", "cited_text": "c"});
    let shown = json!({"type": "web_search_result_location", "url": "https://x.test", "title": "X",
                       "cited_text": "", "encrypted_index": ""});
    let said = json!([{"type": "text", "text": "Né "},
                      {"type": "text", "text": "two", "citations": [page, shown]}]);
    let cite = |url: Option<&str>, title: &str, own: Option<&Value>| Citation {
        url: url.map(Into::into),
        title: Some(title.into()),
        start: Some(3),
        end: Some(6),
        value: own.cloned().map(raw),
    };
    let citations = vec![cite(None, "T", Some(&page)), cite(Some("https://x.test"), "X", None)];
    let text = Content::Text { text: "two".into(), citations };
    let turn = turn(Role::Assistant, vec![Block::text("Né "), Block::new(text)]);
    check("assistant", said, vec![(turn, "messages[0]")]);
}

#[test]
fn proofs_find_their_blocks() {
    let google = |proof: &str| Signature { dialect: Dialect::GeminiGenerate, value: proof.into() };
    let carrier = |wrapped: Opaque| json!({"type": "redacted_thinking", "data": opaque::encode(&wrapped)});
    let item = json!({"type": "web_search_call", "id": "w"});
    let said = json!([
        {"type": "thinking", "thinking": "own", "signature": "EqQB"},
        {"type": "thinking", "thinking": "other", "signature": opaque::encode(&Opaque::Own(google("1")))},
        {"type": "thinking", "thinking": "bare", "signature": ""},
        carrier(Opaque::Next(google("2"))),
        {"type": "tool_use", "id": "a", "name": "look", "input": {}},
        {"type": "text", "text": "Hi"},
        carrier(Opaque::Previous(google("3"))),
        carrier(Opaque::Foreign { dialect: Dialect::OpenaiResponses, value: raw(item.clone()) }),
        // The client cut the history: the block of this proof is gone.
        carrier(Opaque::Next(google("4"))),
    ]);
    let blocks = vec![
        signed(thought("own"), Dialect::AnthropicMessages, "EqQB"),
        signed(thought("other"), Dialect::GeminiGenerate, "1"),
        thought("bare"),
        signed(call("a", "look", "{}"), Dialect::GeminiGenerate, "2"),
        signed(Block::text("Hi"), Dialect::GeminiGenerate, "3"),
        Block::new(foreign(Dialect::OpenaiResponses, item)),
    ];
    check("assistant", said, vec![(turn(Role::Assistant, blocks), "messages[0]")]);
}

#[test]
fn pictures_that_an_answer_showed_are_pictures_again() {
    let shown = "![image](data:image/webp;base64,UklGRg==)";
    let picture = || medium(MediaKind::Image, Source::Base64("UklGRg==".into()), Some("image/webp"), None);
    check_block("assistant", json!({"type": "text", "text": shown}), picture(), &[]);
    check_block("user", json!({"type": "text", "text": shown}), Block::text(shown), &[]);
    for other in ["![image](https://x.test/a.png)", "See ![image](data:image/png;base64,AA==)", "![", "[]()"]
    {
        check_block("assistant", json!({"type": "text", "text": other}), Block::text(other), &[]);
    }
}
