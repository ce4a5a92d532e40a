use super::{call, decode};
use crate::chat::opaque::{self, Opaque};
use crate::test_support::{raw, thought, turn};
use crate::{
    Block, Citation, Content, Dialect, Media, MediaKind, Message, Role, Signature, Source, ToolKind,
};

/// These items are these messages, stand at these places, and have these unknown fields.
#[track_caller]
fn check_all(items: &str, expected: Vec<Message>, places: &[&str], unknown: &[&str]) {
    let request = decode(format!(r#"{{"model":"m","input":{items}}}"#).as_bytes()).unwrap();
    assert_eq!(request.messages, expected, "{items}");
    assert_eq!(request.places, places, "{items}");
    let paths: Vec<&str> = request.extra.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, unknown, "{items}");
}

/// These items are one assistant's turn of these blocks.
#[track_caller]
fn check_turn(items: &[&str], expected: Vec<Block>) {
    let place =
        if items.len() == 1 { "input[0]".to_owned() } else { format!("input[0-{}]", items.len() - 1) };
    let turns = vec![turn(Role::Assistant, expected)];
    check_all(&format!("[{}]", items.join(",")), turns, &[&place], &[]);
}

/// This part of a user's message is this block.
#[track_caller]
fn check_part(part: &str, expected: Content) {
    let turns = vec![turn(Role::User, vec![Block::new(expected)])];
    check_all(&format!(r#"[{{"role":"user","content":[{part}]}}]"#), turns, &["input[0]"], &[]);
}

fn media(kind: MediaKind, source: Source, mime: Option<&str>) -> Media {
    Media { kind, source, mime: mime.map(str::to_owned), name: None, detail: None }
}

fn proof(dialect: Dialect) -> Signature {
    Signature { dialect, value: "proof".into() }
}

fn signed(block: Block, dialect: Dialect) -> Block {
    Block { signature: Some(proof(dialect)), ..block }
}

/// A reasoning item without words.
fn carrier(wrapped: &Opaque) -> String {
    format!(
        r#"{{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"{}"}}"#,
        opaque::encode(wrapped)
    )
}

#[test]
fn a_text_is_what_the_user_says() {
    check_all(r#""Hi""#, vec![Message::text(Role::User, "Hi")], &["input"], &[]);
    let body = br#"{"input":"Hi","instructions":"Be brief.","model":"m"}"#;
    let request = decode(body).unwrap();
    assert_eq!(request.messages, [Message::text(Role::System, "Be brief."), Message::text(Role::User, "Hi")]);
    assert_eq!(request.places, ["instructions", "input"]);
}

#[test]
fn messages_of_every_role() {
    let items = r#"[{"role":"system","content":"s"},{"type":"message","role":"developer","content":[{"type":"input_text","text":"d"}]},
        {"role":"user","content":"u","id":"msg_1","status":"completed"},{"role":"assistant","content":"a","phase":"commentary"},
        {"role":"user","content":[]}]"#;
    let expected = vec![
        Message::text(Role::System, "s"),
        Message::text(Role::Developer, "d"),
        Message::text(Role::User, "u"),
        Message::text(Role::Assistant, "a"),
        turn(Role::User, vec![]),
    ];
    let places = ["input[0]", "input[1]", "input[2]", "input[3]", "input[4]"];
    check_all(items, expected, &places, &["input[3].phase"]);
}

#[test]
fn parts() {
    check_part(r#"{"type":"input_text","text":"a"}"#, Block::text("a").content);
    let image = |source, mime, detail: Option<&str>| {
        Content::Media(Media { detail: detail.map(str::to_owned), ..media(MediaKind::Image, source, mime) })
    };
    check_part(
        r#"{"type":"input_image","image_url":"https://e.org/a.png","detail":"high","file_id":null}"#,
        image(Source::Url("https://e.org/a.png".into()), None, Some("high")),
    );
    check_part(
        r#"{"type":"input_image","image_url":"data:image/png;base64,AAAA"}"#,
        image(Source::Base64("AAAA".into()), Some("image/png"), None),
    );
    check_part(
        r#"{"type":"input_image","file_id":"file-1","detail":"auto"}"#,
        image(Source::FileId("file-1".into()), None, Some("auto")),
    );
    check_part(
        r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}"#,
        Content::Media(media(MediaKind::Audio, Source::Base64("AAAA".into()), Some("audio/wav"))),
    );
    let pdf = media(MediaKind::Document, Source::Base64("AAAA".into()), Some("application/pdf"));
    let named = Content::Media(Media { name: Some("a.pdf".into()), ..pdf });
    for data in ["AAAA", "data:application/pdf;base64,AAAA"] {
        check_part(
            &format!(r#"{{"type":"input_file","filename":"a.pdf","file_data":"{data}"}}"#),
            named.clone(),
        );
    }
    check_part(
        r#"{"type":"input_file","file_data":"data:audio/mpeg;base64,AAAA"}"#,
        Content::Media(media(MediaKind::Audio, Source::Base64("AAAA".into()), Some("audio/mpeg"))),
    );
    check_part(
        r#"{"type":"input_file","file_url":"https://e.org/a"}"#,
        Content::Media(media(MediaKind::Document, Source::Url("https://e.org/a".into()), None)),
    );
    check_part(
        r#"{"type":"input_file","file_id":"file-1"}"#,
        Content::Media(media(MediaKind::Document, Source::FileId("file-1".into()), None)),
    );
    let odd =
        r#"[{"role":"user","content":[{"type":"input_text","text":"a","prompt_cache_breakpoint":{}}]}]"#;
    check_all(
        odd,
        vec![Message::text(Role::User, "a")],
        &["input[0]"],
        &["input[0].content[0].prompt_cache_breakpoint"],
    );
}

#[test]
fn sources_have_their_places_in_the_whole_turn() {
    let note = r#"{"type":"url_citation","start_index":1,"end_index":3,"title":"t","url":"u"}"#;
    let file = r#"{"type":"file_citation","file_id":"f","filename":"a.pdf","index":2}"#;
    let part = |text: &str, note: &str| {
        format!(r#"{{"type":"output_text","text":"{text}","logprobs":[],"annotations":[{note}]}}"#)
    };
    let said = |parts: &str| format!(r#"{{"role":"assistant","content":[{parts}]}}"#);
    let citation = |start| Citation {
        url: Some("u".into()),
        title: Some("t".into()),
        start: Some(start),
        end: Some(start + 2),
        value: Some(raw(note)),
    };
    let of_file =
        Citation { url: None, title: Some("a.pdf".into()), start: None, end: None, value: Some(raw(file)) };
    let text =
        |text: &str, citation| Block::new(Content::Text { text: text.into(), citations: vec![citation] });
    let first = said(&format!("{},{}", part("n\u{e9}e", note), part("two", note)));
    check_turn(
        &[&first, &said(&part("drei", note)), &said(&part("four", file))],
        vec![
            text("n\u{e9}e", citation(1)),
            text("two", citation(4)),
            text("drei", citation(7)),
            text("four", of_file),
        ],
    );
    let items = format!(
        r#"[{},{{"role":"user","content":"?"}},{}]"#,
        said(&part("one", note)),
        said(&part("two", note))
    );
    let turns = vec![
        turn(Role::Assistant, vec![text("one", citation(1))]),
        Message::text(Role::User, "?"),
        turn(Role::Assistant, vec![text("two", citation(1))]),
    ];
    check_all(&items, turns, &["input[0]", "input[1]", "input[2]"], &[]);
}

#[test]
fn what_a_model_did_in_one_turn_is_one_message() {
    let items = r#"[{"role":"user","content":"q"},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"proof"},
        {"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"}]},
        {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\": 1}","status":"completed"},
        {"type":"custom_tool_call","id":"ctc_1","call_id":"c2","name":"p","input":"1+1"},
        {"type":"function_call_output","id":"fco_1","call_id":"c1","output":"7","status":"completed"},
        {"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"},{"type":"input_image","image_url":"https://e.org/a.png"}]},
        {"role":"assistant","content":"done"}]"#;
    let result = |id: &str, content| {
        let content = Content::ToolResult { id: id.into(), name: None, content, is_error: false };
        turn(Role::Tool, vec![Block::new(content)])
    };
    let image = media(MediaKind::Image, Source::Url("https://e.org/a.png".into()), None);
    let expected = vec![
        Message::text(Role::User, "q"),
        turn(
            Role::Assistant,
            vec![
                signed(thought("hm"), Dialect::OpenaiResponses),
                Block::text("a"),
                Block::new(Content::Refusal("no".into())),
                call("c1", "f", r#"{"a": 1}"#, ToolKind::Function),
                call("c2", "p", "1+1", ToolKind::Custom),
            ],
        ),
        result("c1", vec![Block::text("7")]),
        result("c2", vec![Block::text("2"), Block::new(Content::Media(image))]),
        Message::text(Role::Assistant, "done"),
    ];
    check_all(items, expected, &["input[0]", "input[1-4]", "input[5]", "input[6]", "input[7]"], &[]);
}

#[test]
fn calls() {
    check_turn(
        &[r#"{"type":"function_call","call_id":"c","name":"f","arguments":{"a":1.50}}"#],
        vec![call("c", "f", r#"{"a":1.50}"#, ToolKind::Function)],
    );
    check_turn(
        &[r#"{"type":"function_call","call_id":"c","name":"f","arguments":""}"#],
        vec![call("c", "f", "", ToolKind::Function)],
    );
    check_turn(
        &[r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}","namespace":"n"}"#],
        vec![Block { namespace: Some("n".into()), ..call("c", "f", "{}", ToolKind::Function) }],
    );
}

#[test]
fn thoughts() {
    let summary = r#""summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}]"#;
    check_turn(&[&format!(r#"{{"type":"reasoning",{summary}}}"#)], vec![thought("a\n\nb")]);
    check_turn(
        &[
            r#"{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"long"}],"encrypted_content":null}"#,
        ],
        vec![thought("long")],
    );
    check_turn(
        &[r#"{"type":"reasoning","summary":[],"encrypted_content":"proof"}"#],
        vec![signed(thought(""), Dialect::OpenaiResponses)],
    );
    // What says nothing and proves nothing is nothing.
    check_turn(
        &[r#"{"role":"assistant","content":"a"}"#, r#"{"role":"assistant","content":"b"}"#],
        vec![Block::text("a"), Block::text("b")],
    );
    let empty = r#"[{"type":"reasoning","id":"rs_1","summary":[]},{"role":"user","content":"q"}]"#;
    check_all(empty, vec![Message::text(Role::User, "q")], &["input[1]"], &[]);
}

#[test]
fn proofs_of_other_vendors_come_back_to_their_blocks() {
    let (claude, gemini) = (Dialect::AnthropicMessages, Dialect::GeminiGenerate);
    let own = opaque::encode(&Opaque::Own(proof(claude)));
    let item = format!(
        r#"{{"type":"reasoning","summary":[{{"type":"summary_text","text":"hm"}}],"encrypted_content":"{own}"}}"#
    );
    check_turn(&[&item], vec![signed(thought("hm"), claude)]);
    let f = r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
    let called = || call("c", "f", "{}", ToolKind::Function);
    let (next, previous) = (carrier(&Opaque::Next(proof(gemini))), carrier(&Opaque::Previous(proof(gemini))));
    check_turn(&[f, &next, f], vec![called(), signed(called(), gemini)]);
    let turns = vec![turn(Role::Assistant, vec![called(), signed(called(), gemini)])];
    check_all(&format!("[{f},{f},{previous}]"), turns, &["input[0-1]"], &[]);
    let foreign =
        carrier(&Opaque::Foreign { dialect: claude, value: raw(r#"{"type":"redacted_thinking"}"#) });
    let block = Content::Foreign { dialect: claude, value: raw(r#"{"type":"redacted_thinking"}"#) };
    check_turn(&[&foreign, f], vec![Block::new(block), called()]);
}

#[test]
fn a_proof_does_not_wander_into_another_turn() {
    let next = carrier(&Opaque::Next(proof(Dialect::GeminiGenerate)));
    let previous = carrier(&Opaque::Previous(proof(Dialect::GeminiGenerate)));
    let items = format!(
        r#"[{previous},{next},{{"role":"user","content":"q"}},{previous},{{"role":"assistant","content":"a"}}]"#
    );
    let turns = vec![Message::text(Role::User, "q"), Message::text(Role::Assistant, "a")];
    check_all(&items, turns, &["input[2]", "input[4]"], &[]);
}

#[test]
fn the_work_of_the_vendors_tools_is_its_own() {
    let foreign = |item: &str| {
        let (dialect, value) = (Dialect::OpenaiResponses, raw(item));
        Block::new(Content::Foreign { dialect, value })
    };
    let items = [
        r#"{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search"}}"#,
        r#"{"type":"mcp_list_tools","id":"mcpl_1","server_label":"s","tools":[]}"#,
        r#"{"type":"compaction","id":"cmp_1","encrypted_content":"x"}"#,
        r#"{"type":"image_generation_call","id":"ig_0ca0","status":"completed","result":"AAAA"}"#,
        r#"{"type":"of_tomorrow"}"#,
    ];
    check_turn(&items, items.map(foreign).into());
    let [shell, output] = [
        r#"{"type":"local_shell_call","call_id":"c","action":{}}"#,
        r#"{"type":"local_shell_call_output","id":"c","output":"x"}"#,
    ];
    let approval = r#"{"type":"mcp_approval_response","approval_request_id":"r","approve":true}"#;
    check_all(
        &format!("[{shell},{output},{approval}]"),
        vec![
            turn(Role::Assistant, vec![foreign(shell)]),
            turn(Role::User, vec![foreign(output)]),
            turn(Role::User, vec![foreign(approval)]),
        ],
        &["input[0]", "input[1]", "input[2]"],
        &[],
    );
}

#[test]
fn an_image_that_another_vendor_made_is_an_image_again() {
    let image =
        Block::new(Content::Media(media(MediaKind::Image, Source::Base64("AAAA".into()), Some("image/png"))));
    check_turn(
        &[
            r#"{"type":"image_generation_call","id":"ig_9_o3","status":"completed","output_format":"png","result":"AAAA"}"#,
        ],
        vec![image],
    );
}
