use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::test_support::{signed, thought};

#[test]
fn system_turns_are_lifted_in_order() {
    let hi = json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]);
    let user = || Message::text(Role::User, "Hi");
    let system = |text| Message::text(Role::System, text);
    check_turns(vec![system("Be brief."), user()], json!("Be brief."), hi.clone(), &[]);
    check_turns(vec![system(""), user()], json!(""), hi.clone(), &[]);
    let two = json!([{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]);
    check_turns(vec![system("A"), user(), Message::text(Role::Developer, "B")], two, hi.clone(), &[]);
    let cached = json!([{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}]);
    check_turns(vec![turn(Role::System, vec![marked("A")]), user()], cached, hi.clone(), &[]);
    let picture =
        Block::new(Content::Media(medium(MediaKind::Image, Source::Url("https://x.test/a".into()))));
    let mixed = turn(Role::System, vec![Block::text("A"), picture]);
    check_turns(vec![mixed, user()], json!("A"), hi, &["messages[0].content[1]"]);
}

#[test]
fn turns_of_one_side_are_merged() {
    let messages = vec![
        Message::text(Role::User, "A"),
        Message { name: Some("Ann".into()), ..Message::text(Role::User, "B") },
        Message::text(Role::Assistant, ""),
        Message::text(Role::User, ""),
        Message::text(Role::User, "C"),
    ];
    let text = |text| json!({"type": "text", "text": text});
    let turns = json!([{"role": "user", "content": [text("A"), text("B"), text("C")]}]);
    check_turns(messages, Value::Null, turns, &["messages[1].name"]);
}

#[test]
fn nothing_to_answer_is_a_fault() {
    check_fault(|request| request.messages = vec![Message::text(Role::System, "A")], "messages");
    check_fault(|request| request.messages = vec![Message::text(Role::User, "")], "messages");
}

#[test]
fn calls_and_results() {
    let messages = vec![
        Message::text(Role::User, "Q"),
        turn(
            Role::Assistant,
            vec![Block::text("I look."), call("a", r#"{"x": 1}"#), call("functions.look:1", "")],
        ),
        result("a", vec![Block::text("one")], false),
        result("functions.look:1", vec![marked("two")], true),
        Message::text(Role::User, "And?"),
    ];
    let turns = json!([
        {"role": "user", "content": [{"type": "text", "text": "Q"}]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "a", "name": "look", "input": {"x": 1}},
            {"type": "tool_use", "id": "functions_look_1_SLCAYwQPM2A", "name": "look", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "one"},
            {"type": "tool_result", "tool_use_id": "functions_look_1_SLCAYwQPM2A", "is_error": true, "content": [
                {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}},
            ]},
            {"type": "text", "text": "And?"},
        ]},
    ]);
    check_turns(messages, Value::Null, turns, &[]);
}

#[test]
fn results_come_before_words_and_hold_media() {
    let picture = medium(MediaKind::Image, Source::Base64("iVBORw0KGgoAAAA".into()));
    let sound = Content::Media(medium(MediaKind::Audio, Source::Base64("AAAA".into())));
    let messages = vec![
        turn(Role::Assistant, vec![call("a", "{}")]),
        Message::text(Role::User, "Wait"),
        result("a", vec![Block::new(Content::Media(picture)), Block::new(sound)], false),
        result("b", vec![], false),
    ];
    let image = json!({"type": "image", "source":
        {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAA"}});
    let turns = json!([
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": [image]},
            {"type": "tool_result", "tool_use_id": "b"},
            {"type": "text", "text": "Wait"},
        ]},
    ]);
    check_turns(messages, Value::Null, turns, &["messages[2].content[1]"]);
}

#[test]
fn arguments_that_are_no_object_are_put_into_one() {
    for arguments in ["{\"x\":", "[1]", "\"x\"", "{} {}"] {
        let (body, dropped) = body(&request(|request| {
            let blocks = vec![Block::text("A"), call("a", ""), call("b", arguments)];
            request.messages.push(turn(Role::Assistant, blocks));
            request.tools = vec![function("look")];
        }));
        let input = |at: usize| body["messages"][1]["content"][at]["input"].clone();
        assert_eq!((input(1), input(2)), (json!({}), json!({"INVALID_JSON": arguments})));
        assert!(dropped.is_empty(), "{dropped:?}");
    }
}

#[test]
fn broken_arguments_of_a_tool_that_is_not_offered_are_refused() {
    let change = |request: &mut Request| {
        request.messages.push(turn(Role::Assistant, vec![call("a", "{}"), call("b", "{\"x\":")]));
    };
    check_fault(change, "messages[1].tool_calls[1].function.arguments");
}

#[test]
fn own_proofs_go_back_and_others_do_not() {
    let foreign = |dialect, text: &str| Block::new(Content::Foreign { dialect, value: raw(text) });
    let hidden = r#"{"type":"redacted_thinking","data":"xyz"}"#;
    let messages = vec![
        Message::text(Role::User, "Q"),
        turn(
            Role::Assistant,
            vec![
                signed(thought("Hm."), Dialect::AnthropicMessages, "sig"),
                signed(thought("Hm."), Dialect::GeminiGenerate, "other"),
                thought("Hm."),
                foreign(Dialect::AnthropicMessages, hidden),
                foreign(Dialect::OpenaiResponses, r#"{"type":"reasoning"}"#),
                Block::new(Content::Refusal("No.".into())),
                signed(call("a", "{}"), Dialect::AnthropicMessages, r#"{"type":"code_execution_20250825"}"#),
            ],
        ),
        result("a", vec![Block::text("1")], false),
    ];
    let (body, dropped) = body(&request(|request| request.messages = messages));
    let said = json!([
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "No."},
        {"type": "tool_use", "id": "a", "name": "look", "input": {}, "caller": {"type": "code_execution_20250825"}},
    ]);
    assert_eq!(body["messages"][1]["content"], said);
    let reported = ["messages[1].reasoning_content", "messages[1].content[4]"];
    assert_eq!(dropped, reported);
}

#[test]
fn prefill_ends_without_white_space() {
    let turns = |last: &str| {
        json!([
            {"role": "user", "content": [{"type": "text", "text": "Q"}]},
            {"role": "assistant", "content": [{"type": "text", "text": last}]},
        ])
    };
    let prefill = |texts: &[&str]| {
        let blocks: Vec<Block> = texts.iter().map(|text| Block::text(*text)).collect();
        vec![Message::text(Role::User, "Q"), turn(Role::Assistant, blocks)]
    };
    check_turns(prefill(&["It is \n"]), Value::Null, turns("It is"), &[]);
    check_turns(prefill(&["It is", " "]), Value::Null, turns("It is"), &["messages[1].content[1]"]);
    let only_user = json!([{"role": "user", "content": [{"type": "text", "text": "Q"}]}]);
    check_turns(prefill(&[" "]), Value::Null, only_user, &["messages[1].content[0]"]);
}

#[test]
fn citations_of_this_dialect_go_back() {
    let cite =
        |value: &str| Citation { url: None, title: None, start: None, end: None, value: Some(raw(value)) };
    let location = r#"{"type":"char_location","cited_text":"x","document_index":0}"#;
    let citations = vec![cite(location), cite(r#"{"type":"url_citation"}"#)];
    let block = Block::new(Content::Text { text: "A".into(), citations });
    let messages = vec![
        Message::text(Role::User, "Q"),
        turn(Role::Assistant, vec![block]),
        Message::text(Role::User, "B"),
    ];
    let (body, dropped) = body(&request(|request| request.messages = messages));
    let citations = json!([{"type": "char_location", "cited_text": "x", "document_index": 0}]);
    assert_eq!(body["messages"][1]["content"][0]["citations"], citations);
    assert_eq!(dropped, ["messages[1].annotations"]);
}

#[test]
fn media() {
    use MediaKind::{Audio, Document, Image, Video};
    let check = |media: Media, expected: Option<Value>, reported: &[&str]| {
        let block = Block::new(Content::Media(media));
        let message = turn(Role::User, vec![Block::text("See"), block]);
        let (body, dropped) = body(&request(|request| request.messages = vec![message]));
        assert_eq!(body["messages"][0]["content"].get(1), expected.as_ref());
        assert_eq!(dropped, reported);
    };
    let lost = ["messages[0].content[1]"];
    let with = |kind, source, mime: &str| Media { mime: Some(mime.into()), ..medium(kind, source) };
    let base64 = |text: &str| Source::Base64(text.into());
    let url = |text: &str| Source::Url(text.into());
    let source =
        |media_type: &str, data: &str| json!({"type": "base64", "media_type": media_type, "data": data});

    let image = |source: Value| Some(json!({"type": "image", "source": source}));
    check(with(Image, base64("AA"), "image/jpg"), image(source("image/jpeg", "AA")), &[]);
    check(medium(Image, base64("/9j/AA")), image(source("image/jpeg", "/9j/AA")), &[]);
    check(medium(Image, base64("AA")), None, &lost);
    check(
        medium(Image, url("https://x.test/a")),
        image(json!({"type": "url", "url": "https://x.test/a"})),
        &[],
    );
    check(medium(Image, url("gs://x/a")), None, &lost);
    check(medium(Image, Source::FileId("f1".into())), image(json!({"type": "file", "file_id": "f1"})), &[]);
    let detailed = Media { detail: Some("low".into()), ..with(Image, base64("AA"), "image/png") };
    check(detailed, image(source("image/png", "AA")), &["messages[0].content[1].image_url.detail"]);

    let document = |source: Value| Some(json!({"type": "document", "source": source}));
    let plain = |text: &str| json!({"type": "text", "media_type": "text/plain", "data": text});
    check(medium(Document, base64("JVBE")), document(source("application/pdf", "JVBE")), &[]);
    check(medium(Document, Source::Text("abc".into())), document(plain("abc")), &[]);
    check(with(Document, base64("YSxi"), "text/csv; charset=utf-8"), document(plain("a,b")), &[]);
    check(with(Document, base64("/w=="), "text/plain"), None, &lost);
    check(with(Document, base64("AA"), "application/zip"), None, &lost);
    let titled = Media { name: Some("Plan.pdf".into()), ..medium(Document, base64("JVBE")) };
    let expected =
        json!({"type": "document", "source": source("application/pdf", "JVBE"), "title": "Plan.pdf"});
    check(titled, Some(expected), &[]);

    check(medium(Audio, base64("AA")), None, &lost);
    check(medium(Video, url("https://x.test/v")), None, &lost);
}

/// A block with some text that may be blank.
fn any_block() -> impl Strategy<Value = Block> {
    let text = prop::sample::select(vec!["", " ", "a", "b \n", "\"{[:"]);
    let dialect = prop::sample::select(vec![Dialect::AnthropicMessages, Dialect::GeminiGenerate]);
    (0..7_u8, text, dialect).prop_map(|(kind, text, dialect)| match kind {
        0 | 1 => Block::text(text),
        2 => Block::new(Content::Refusal(text.into())),
        3 => signed(thought(text), dialect, "s"),
        4 => call(text, "{}"),
        5 => result(text, vec![Block::text(text)], false).blocks.remove(0),
        _ => Block::new(Content::Media(medium(
            MediaKind::Image,
            Source::Url(format!("https://x.test/{text}")),
        ))),
    })
}

fn any_turn() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(vec![Role::System, Role::User, Role::Assistant, Role::Tool]);
    (role, prop::collection::vec(any_block(), 0..4)).prop_map(|(role, blocks)| turn(role, blocks))
}

proptest! {
    /// Whatever the conversation, the vendor's rules hold: sides alternate, no turn and no text is empty, results
    /// come first, and a prefill ends in something that can be seen.
    #[test]
    fn any_conversation_keeps_the_vendors_rules(messages in prop::collection::vec(any_turn(), 0..8)) {
        let Ok(encoded) = encoded(Dialect::AnthropicMessages, &request(|request| request.messages = messages)) else { return Ok(()) };
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        let turns = body["messages"].as_array().unwrap();
        prop_assert!(turns.windows(2).all(|pair| pair[0]["role"] != pair[1]["role"]));
        for turn in turns {
            let content = turn["content"].as_array().unwrap();
            prop_assert!(!content.is_empty());
            prop_assert!(content.iter().all(|block| block["text"] != ""));
            let is_result = |block: &Value| block["type"] == "tool_result";
            prop_assert!(content.iter().skip_while(|block| is_result(block)).all(|block| !is_result(block)));
        }
        let last = turns.last().unwrap();
        let end = last["content"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap_or("x");
        prop_assert!(last["role"] == "user" || end == end.trim_end());
    }
}

#[test]
fn what_media_lose_is_told_where_they_stand() {
    let named = |detail: &str| {
        let picture = medium(MediaKind::Image, Source::Url("https://x.test/a".into()));
        let (name, detail) = (Some("a.png".into()), Some(detail.into()));
        Block::new(Content::Media(Media { name, detail, ..picture }))
    };
    let answer = |id: &str| {
        let (id, content) = (id.into(), vec![named("low")]);
        Block::new(Content::ToolResult { id, name: None, content, is_error: false })
    };
    let (_, dropped) = body(&request(|request| {
        request.messages = vec![
            turn(Role::User, vec![named("auto")]),
            turn(Role::Tool, vec![answer("a")]),
            turn(Role::Tool, vec![answer("b"), answer("c")]),
        ];
    }));
    let mut expected = vec!["messages[0].content[0].file.filename".to_owned()];
    for place in ["messages[1]", "messages[2].content[0]", "messages[2].content[1]"] {
        let lost = ["image_url.detail", "file.filename"];
        expected.extend(lost.map(|field| format!("{place}.content[0].{field}")));
    }
    assert_eq!(dropped, expected);
}
