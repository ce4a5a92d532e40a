//! Requests that are made to fit.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::super::{LimitOverrides, Limits, fit};
use crate::json::Json;
use crate::test_support::{call, function, raw, turn};
use crate::{
    Block, Choice, Content, Dialect, EncodeOptions, Fault, Finish, Media, MediaKind, Message, Request,
    Response, Role, Sampling, Source, Tool, ToolChoice, ToolKind, Undo,
};

fn result(id: &str, name: Option<&str>, words: &str) -> Block {
    let (id, name) = (id.to_owned(), name.map(str::to_owned));
    Block::new(Content::ToolResult { id, name, content: vec![Block::text(words)], is_error: false })
}

fn fitted(request: &Request, upstream: Dialect) -> Result<(Request, Undo, Vec<String>), Fault> {
    let (mut request, mut undo, mut dropped) = (request.clone(), Undo::default(), Vec::new());
    fit(&mut request, &Limits::of(upstream), &mut undo, &mut dropped)?;
    Ok((request, undo, dropped))
}

fn ids(request: &Request) -> (Vec<String>, Vec<String>) {
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for block in request.messages.iter().flat_map(|message| &message.blocks) {
        match &block.content {
            Content::ToolCall { id, .. } => calls.push(id.clone()),
            Content::ToolResult { id, .. } => results.push(id.clone()),
            _ => {}
        }
    }
    (calls, results)
}

/// The calls with these ids, and which of them each result answers (by its place among the calls).
#[track_caller]
fn check_ids(upstream: Dialect, messages: Vec<Message>, kept: &[bool], answers: &[Option<usize>]) {
    let before = Request { messages, ..Request::default() };
    let (after, ..) = fitted(&before, upstream).unwrap();
    let (calls, results) = ids(&after);
    let spelling = Limits::of(upstream).tool_ids.takes;
    assert!(calls.iter().chain(&results).all(|id| spelling.takes(id)), "{calls:?} {results:?}");
    let same: Vec<bool> = ids(&before).0.iter().zip(&calls).map(|(before, after)| before == after).collect();
    assert_eq!(same, kept, "{calls:?}");
    let answered: Vec<Option<usize>> =
        results.iter().map(|id| calls.iter().position(|call| call == id)).collect();
    assert_eq!(answered, answers, "{calls:?} {results:?}");
    let distinct: std::collections::BTreeSet<_> = calls.iter().collect();
    assert_eq!(distinct.len(), calls.len());
    assert_eq!(fitted(&after, upstream).unwrap().0, after);
}

#[test]
fn ids_of_calls() {
    use Dialect::{AnthropicMessages, CohereChat, OpenaiChat, OpenaiResponses};
    let says =
        |ids: &[&str]| turn(Role::Assistant, ids.iter().map(|id| call(id, "f", "{}")).collect::<Vec<_>>());
    let told =
        |ids: &[&str]| turn(Role::Tool, ids.iter().map(|id| result(id, None, "r")).collect::<Vec<_>>());
    let (a, b) = ("x".repeat(70) + "a", "x".repeat(70) + "b");
    check_ids(
        AnthropicMessages,
        vec![says(&["c1", "c2"]), told(&["c2", "c1"])],
        &[true, true],
        &[Some(1), Some(0)],
    );
    for upstream in [OpenaiResponses, OpenaiChat] {
        let messages = vec![says(&[&a, &b]), told(&[&b, &a])];
        check_ids(upstream, messages, &[false, false], &[Some(1), Some(0)]);
    }
    check_ids(
        AnthropicMessages,
        vec![says(&["f:1", "f.1", "f_1"]), told(&["f:1", "f.1", "f_1"])],
        &[false, false, true],
        &[Some(0), Some(1), Some(2)],
    );
    // The same id in every turn, and twice in one.
    let again = vec![says(&["c"]), told(&["c"]), says(&["c", "c"]), told(&["c", "c"])];
    for upstream in Dialect::ALL {
        check_ids(upstream, again.clone(), &[true, false, false], &[Some(0), Some(1), Some(2)]);
    }
    // A call without a result does not get that of a later one.
    check_ids(
        CohereChat,
        vec![says(&["c"]), turn(Role::User, [Block::text("no")]), says(&["c"]), told(&["c"])],
        &[true, false],
        &[Some(1)],
    );
    // A result that comes twice is of the call that it was of.
    check_ids(CohereChat, vec![says(&["c"]), told(&["c", "c"])], &[true], &[Some(0), Some(0)]);
    // A result without a call.
    check_ids(AnthropicMessages, vec![says(&["c"]), told(&["d:1"])], &[true], &[None]);
}

#[test]
fn ids_that_a_client_got_in_another_form_go_back_as_they_were() {
    let escaped = "ostia1-functions-2Ef-3A0";
    let messages = vec![
        turn(Role::Assistant, [call(escaped, "f", "{}")]),
        turn(Role::Tool, [result(escaped, None, "r")]),
    ];
    let request = Request { messages, ..Request::default() };
    for (upstream, id) in [
        (Dialect::OpenaiChat, "functions.f:0"),
        (Dialect::GeminiGenerate, "functions.f:0"),
        (Dialect::AnthropicMessages, "functions_f_0_JyY"),
    ] {
        let told = ids(&fitted(&request, upstream).unwrap().0);
        assert_eq!(told.0, told.1);
        assert!(told.0[0].starts_with(&id[..13]), "{told:?}");
    }
}

#[test]
fn calls_without_ids() {
    let calls = [call("", "f", "{}"), call("", "g", "{}"), call("", "f", "{}")];
    let results = [
        result("", Some("g"), "1"),
        result("", Some("f"), "2"),
        result("", Some("f"), "3"),
        result("", Some("h"), "4"),
    ];
    let messages = vec![turn(Role::Assistant, calls), turn(Role::Tool, results)];
    for upstream in Dialect::ALL {
        check_ids(upstream, messages.clone(), &[false; 3], &[Some(1), Some(0), Some(2), None]);
    }
    // The calls have ids, and their results have none.
    let messages = vec![
        turn(Role::Assistant, [call("a", "f", "{}"), call("b", "g", "{}")]),
        turn(Role::Tool, [result("", Some("g"), "1"), result("", None, "2")]),
    ];
    check_ids(Dialect::OpenaiChat, messages, &[true, true], &[Some(1), Some(0)]);
}

fn answer(name: &str) -> Response {
    let choice = Choice {
        index: 0,
        blocks: vec![call("c", name, "{}")],
        finish: Finish::ToolCalls,
        native_finish: None,
        stop_sequence: None,
        logprobs: None,
        extra: Vec::new(),
    };
    Response { choices: vec![choice], ..Response::default() }
}

fn name_of(response: &Response) -> &str {
    match &response.choices[0].blocks[0].content {
        Content::ToolCall { name, .. } => name,
        _ => "",
    }
}

fn names(request: &Request) -> Vec<String> {
    let mut names = Vec::new();
    super::super::names::each(&mut request.clone(), &mut |name| names.push(name.clone()));
    names
}

#[test]
fn names_of_tools_are_one_everywhere() {
    let custom = |name: &str| Tool::Custom {
        name: name.into(),
        value: raw(json!({"type": "custom", "custom": {"name": name, "description": "d"}})),
    };
    let request = Request {
        tools: vec![function("fs.read"), function("look"), custom("a b")],
        tool_choice: Some(ToolChoice::Allowed {
            names: vec!["fs.read".into(), "look".into()],
            required: true,
        }),
        messages: vec![
            turn(Role::Assistant, [call("1", "fs.read", "{}"), call("2", "gone.tool", "{}")]),
            turn(Role::Tool, [result("1", Some("fs.read"), "r"), result("2", None, "r")]),
        ],
        ..Request::default()
    };
    let (after, undo, dropped) = fitted(&request, Dialect::OpenaiChat).unwrap();
    let told = names(&after);
    let [read, look, custom, chosen, other, called, gone, answered] = &told[..] else { panic!("{told:?}") };
    assert!([chosen, called, answered].iter().all(|name| *name == read) && read.starts_with("fs_read_"));
    assert_eq!((look.as_str(), other.as_str()), ("look", "look"));
    assert!(gone.starts_with("gone_tool_"));
    let Tool::Custom { value, .. } = &after.tools[2] else { panic!("a custom tool") };
    assert_eq!(value.to_value(), json!({"type": "custom", "custom": {"name": custom, "description": "d"}}));
    assert!(dropped.is_empty());
    for (upstream, own) in [(read, "fs.read"), (look, "look"), (custom, "a b"), (gone, "gone.tool")] {
        let mut response = answer(upstream);
        undo.response(&mut response);
        assert_eq!(name_of(&response), own);
    }
}

#[test]
fn a_free_text_tool_of_another_name_is_one_again() {
    let value = raw(json!({"type": "custom", "custom": {"name": "a b"}}));
    let tools = vec![Tool::Custom { name: "a b".into(), value }];
    let messages = vec![Message::text(Role::User, "q")];
    let mut request = Request { model: "m".into(), tools, messages, ..Request::default() };
    let encoded = Dialect::AnthropicMessages.encode(&mut request, &EncodeOptions::default()).unwrap();
    let Tool::Function { name, .. } = &request.tools[0] else { panic!("a function") };
    let mut response = answer(name);
    if let Content::ToolCall { arguments, .. } = &mut response.choices[0].blocks[0].content {
        *arguments = r#"{"input":"text"}"#.into();
    }
    encoded.undo.response(&mut response);
    let expected = Content::ToolCall {
        id: "c".into(),
        name: "a b".into(),
        arguments: "text".into(),
        kind: ToolKind::Custom,
    };
    assert_eq!(response.choices[0].blocks[0].content, expected);
}

/// A change of a plain request, and what is then asked for and reported.
#[track_caller]
fn check(
    upstream: Dialect,
    change: impl FnOnce(&mut Request),
    expected: impl FnOnce(&mut Request),
    reported: &[&str],
) {
    let mut request = Request { messages: vec![Message::text(Role::User, "q")], ..Request::default() };
    change(&mut request);
    let (after, undo, dropped) = fitted(&request, upstream).unwrap();
    expected(&mut request);
    assert_eq!(after, request);
    assert_eq!(dropped, reported);
    assert!(undo.is_empty());
    let (again, _, more) = fitted(&after, upstream).unwrap();
    assert_eq!((again, more), (after, Vec::new()));
}

fn stops(count: usize) -> Vec<String> {
    (0..count).map(|at| at.to_string()).collect()
}

#[test]
fn stop_sequences() {
    for (upstream, most) in [(Dialect::OpenaiChat, 4), (Dialect::GeminiGenerate, 5), (Dialect::CohereChat, 5)]
    {
        check(upstream, |request| request.sampling.stop = stops(most), |_| {}, &[]);
        let less = |request: &mut Request| request.sampling.stop = stops(most);
        check(upstream, |request| request.sampling.stop = stops(most + 2), less, &["stop"]);
    }
    check(Dialect::AnthropicMessages, |request| request.sampling.stop = stops(20), |_| {}, &[]);
    check(
        Dialect::AnthropicMessages,
        |request| request.sampling.stop = vec!["\n".into(), "END".into()],
        |request| request.sampling.stop = vec!["END".into()],
        &["stop"],
    );
}

#[test]
fn numbers() {
    use Dialect::{AnthropicMessages, CohereChat, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let number = |text: &str| Some(raw(text));
    let all = |value: &str| Sampling {
        temperature: number(value),
        top_p: number(value),
        top_k: number(value),
        presence_penalty: number(value),
        frequency_penalty: number(value),
        ..Sampling::default()
    };
    for upstream in Dialect::ALL {
        let usual =
            Sampling { temperature: number("0.50"), top_p: number("0.9"), top_k: number("40"), ..all("0") };
        check(upstream, |request| request.sampling = usual, |_| {}, &[]);
    }
    let set = |sampling: Sampling| move |request: &mut Request| request.sampling = sampling;
    let high = Sampling {
        temperature: number("2"),
        top_p: number("1"),
        top_k: number("900"),
        presence_penalty: number("2"),
        frequency_penalty: number("2"),
        ..Sampling::default()
    };
    let both = ["presence_penalty", "frequency_penalty"];
    check(
        OpenaiChat,
        set(all("2.5")),
        set(Sampling { top_k: number("2.5"), ..high.clone() }),
        &["temperature", "top_p", both[0], both[1]],
    );
    check(
        AnthropicMessages,
        set(Sampling { temperature: number("1.7"), ..high.clone() }),
        set(Sampling { temperature: number("1"), ..high.clone() }),
        &["temperature"],
    );
    let lower =
        Sampling { presence_penalty: number("1.99"), frequency_penalty: number("1.99"), ..high.clone() };
    check(GeminiGenerate, set(high.clone()), set(lower), &both);
    check(
        GeminiGenerate,
        set(Sampling { top_k: number("0"), ..Sampling::default() }),
        set(Sampling::default()),
        &["top_k"],
    );
    let cohere = Sampling {
        top_p: number("0.99"),
        top_k: number("500"),
        presence_penalty: number("1"),
        frequency_penalty: number("1"),
        ..high.clone()
    };
    check(CohereChat, set(high), set(cohere), &["top_p", both[0], both[1], "top_k"]);
    let low = Sampling { top_p: number("0"), presence_penalty: number("-0.5"), ..Sampling::default() };
    let raised = Sampling { top_p: number("0.01"), presence_penalty: number("0"), ..Sampling::default() };
    check(CohereChat, set(low), set(raised), &["top_p", "presence_penalty"]);
    let tokens = |most| set(Sampling { max_tokens: Some(most), ..Sampling::default() });
    check(OpenaiResponses, tokens(1), tokens(16), &["max_completion_tokens"]);
    check(OpenaiResponses, tokens(16), tokens(16), &[]);
    check(OpenaiChat, tokens(1), tokens(1), &[]);
    let seed = |text: &str| set(Sampling { seed: number(text), ..Sampling::default() });
    check(GeminiGenerate, seed("-3"), seed("-3"), &[]);
    check(GeminiGenerate, seed("4294967299"), seed("3"), &[]);
    check(CohereChat, seed("-1"), seed("9223372036854775807"), &[]);
}

#[test]
fn end_users() {
    use Dialect::{AnthropicMessages, OpenaiChat, OpenaiResponses};
    let user = |user: Option<&str>| {
        let user = user.map(str::to_owned);
        move |request: &mut Request| request.user = user
    };
    let agent = json!({"device_id": "a".repeat(64), "session_id": "b".repeat(36)}).to_string();
    for id in ["u-4f1c9a", "12345", "@home", "a@b", "user 7"] {
        check(AnthropicMessages, user(Some(id)), |_| {}, &[]);
        check(OpenaiChat, user(Some(id)), |_| {}, &[]);
    }
    for id in ["bob@example.com", "Bob <bob@example.com>", "+49 (171) 555-0199", "15550199"] {
        check(AnthropicMessages, user(Some(id)), user(None), &["user"]);
        check(OpenaiChat, user(Some(id)), |_| {}, &[]);
    }
    check(AnthropicMessages, user(Some(&agent)), |_| {}, &[]);
    for upstream in [OpenaiChat, OpenaiResponses] {
        let hash = super::super::spelling::digest(&agent);
        assert_eq!(hash.len(), 32);
        check(upstream, user(Some(&agent)), user(Some(&hash)), &["user"]);
    }
    let metadata = |value| {
        move |request: &mut Request| request.extra = vec![("metadata".to_owned(), Json::from_value(&value))]
    };
    check(
        AnthropicMessages,
        metadata(json!({"a": 1, "user_id": "bob@example.com"})),
        metadata(json!({"a": 1})),
        &["metadata.user_id"],
    );
    check(OpenaiChat, metadata(json!({"user_id": "bob@example.com"})), |_| {}, &[]);
}

#[test]
fn media_types() {
    let image = |kind, mime: &str, data: &str| {
        let (mime, source) = (Some(mime.to_owned()), Source::Base64(data.into()));
        let block = Block::new(Content::Media(Media { kind, source, mime, name: None, detail: None }));
        move |request: &mut Request| request.messages[0].blocks.push(block)
    };
    for (kind, mime, data, told) in [
        (MediaKind::Image, "image/PNG;charset=utf-8", "iVBO", "image/png"),
        (MediaKind::Image, "image/jpg", "AAAA", "image/jpeg"),
        (MediaKind::Image, "image/png", "/9j/4AAQ", "image/jpeg"),
        (MediaKind::Image, "image/heic", "AAAA", "image/heic"),
        (MediaKind::Document, "Application/PDF", "AAAA", "application/pdf"),
        (MediaKind::Audio, "audio/L16;rate=24000", "AAAA", "audio/l16;rate=24000"),
    ] {
        for upstream in Dialect::ALL {
            let expected = |request: &mut Request| {
                request.messages[0].blocks.pop();
                image(kind, told, data)(request);
            };
            check(upstream, image(kind, mime, data), expected, &[]);
        }
    }
}

#[test]
fn blank_texts_say_nothing_to_some() {
    let texts = |texts: [&str; 3]| {
        let mut result = result("c", None, texts[2]);
        result.cache_control = None;
        let messages = vec![
            Message::text(Role::User, "q"),
            // Before its calls the model writes such texts itself.
            turn(Role::Assistant, vec![Block::text(" "), call("c", "f", "{}"), Block::text(texts[0])]),
            turn(Role::Tool, [result]),
            turn(Role::Assistant, vec![Block::text(texts[1]), Block::text(texts[0])]),
        ];
        move |request: &mut Request| request.messages = messages
    };
    let blank = texts([" \n", "words", "\t"]);
    let paths = ["messages[1].content[2]", "messages[2].content[0]", "messages[3].content[1]"];
    check(Dialect::AnthropicMessages, blank, texts(["", "words", ""]), &paths);
    check(Dialect::OpenaiChat, texts([" \n", "words", "\t"]), |_| {}, &[]);
}

#[test]
fn the_last_cache_markers_stay() {
    let mark = || Some(raw(json!({"type": "ephemeral"})));
    let marked = |kept: [bool; 6]| {
        let mark = move |at: usize| mark().filter(|_| kept[at]);
        let block = |at: usize, text: &str| Block { cache_control: mark(at), ..Block::text(text) };
        let mut tool = function("f");
        if let Tool::Function { cache_control, .. } = &mut tool {
            *cache_control = mark(0);
        }
        let mut answer = result("c", None, "r");
        answer.cache_control = mark(4);
        let messages = vec![
            turn(Role::User, [block(2, "a"), block(3, "b")]),
            turn(Role::System, [block(1, "s")]),
            turn(Role::Assistant, [call("c", "f", "{}")]),
            turn(Role::Tool, [answer]),
            turn(Role::User, [block(5, "c")]),
        ];
        move |request: &mut Request| (request.tools, request.messages) = (vec![tool], messages)
    };
    let lost = ["tools[0].cache_control", "messages[1].content[0].cache_control"];
    let (all, last) = ([true; 6], [false, false, true, true, true, true]);
    check(Dialect::AnthropicMessages, marked(all), marked(last), &lost);
    check(Dialect::AnthropicMessages, marked(last), |_| {}, &[]);
    check(Dialect::OpenaiChat, marked(all), |_| {}, &[]);
}

#[test]
fn too_much_is_refused_by_its_place() {
    let refused = |upstream, request: &Request| fitted(request, upstream).unwrap_err().param;
    let tools = |count: usize| Request {
        tools: (0..count).map(|at| function(&format!("f{at}"))).collect(),
        ..Request::default()
    };
    assert!(fitted(&tools(128), Dialect::OpenaiChat).is_ok());
    assert!(fitted(&tools(129), Dialect::AnthropicMessages).is_ok());
    assert_eq!(refused(Dialect::OpenaiChat, &tools(129)).as_deref(), Some("tools"));

    let said = |last: &str| Request {
        messages: [(Role::User, "q"), (Role::Assistant, "a"), (Role::User, last)]
            .map(|(role, text)| Message::text(role, text))
            .into(),
        ..Request::default()
    };
    for last in ["", " "] {
        assert_eq!(refused(Dialect::AnthropicMessages, &said(last)).as_deref(), Some("messages[2]"));
        assert!(fitted(&said(last), Dialect::OpenaiChat).is_ok());
    }
    let places = ["input[0]", "input[1]", "input[2]"].map(str::to_owned).into();
    let request = Request { places, ..said("") };
    assert_eq!(refused(Dialect::AnthropicMessages, &request).as_deref(), Some("input[2]"));
}

#[test]
fn a_row_has_ids_of_its_own() {
    let spelling = super::EXACTLY_NINE;
    let options = EncodeOptions {
        limits: LimitOverrides { tool_ids: Some(spelling), ..LimitOverrides::default() },
        ..EncodeOptions::default()
    };
    let messages = vec![
        Message::text(Role::User, "q"),
        turn(Role::Assistant, [call("call_1", "f", "{}"), call("D681PevKs", "f", "{}")]),
        turn(Role::Tool, [result("call_1", None, "r"), result("D681PevKs", None, "r")]),
    ];
    let mut request = Request { model: "m".into(), messages, ..Request::default() };
    Dialect::OpenaiChat.encode(&mut request, &options).unwrap();
    let (calls, results) = ids(&request);
    assert_eq!(calls, results);
    assert!(calls[0] != "call_1" && calls.iter().all(|id| spelling.takes(id)));
    assert_eq!(calls[1], "D681PevKs");
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![2 => "[a.:_1]{0,3}", 1 => "x{60,66}[ab]", 2 => select(vec!["look", "clock"]).prop_map(str::to_owned)]
}

fn any_message() -> impl Strategy<Value = Message> {
    let block = (any_name(), any_name(), any::<bool>());
    (prop::collection::vec(block, 1..4), any::<bool>()).prop_map(|(blocks, calls)| {
        let blocks: Vec<Block> = blocks
            .into_iter()
            .map(|(id, name, named)| match calls {
                true => call(&id, &name, "{}"),
                false => result(&id, named.then_some(&*name), "r"),
            })
            .collect();
        turn(if calls { Role::Assistant } else { Role::Tool }, blocks)
    })
}

proptest! {
    /// Names are taken, as many as before, given back in the answer, and the same in a longer conversation.
    #[test]
    fn any_names(
        tools in prop::collection::btree_set(any_name(), 0..4),
        messages in prop::collection::vec(any_message(), 0..6),
        upstream in select(Dialect::ALL.to_vec()),
    ) {
        let tools = tools.iter().map(|name| function(name)).collect();
        let request = Request { tools, messages, ..Request::default() };
        let (after, undo, _) = fitted(&request, upstream).unwrap();
        let spelling = Limits::of(upstream).tool_names.takes;
        let (before, told) = (names(&request), names(&after));
        prop_assert!(told.iter().all(|name| spelling.takes(name)));
        for (at, name) in told.iter().enumerate() {
            for (other, same) in told.iter().enumerate() {
                prop_assert_eq!(name == same, before[at] == before[other]);
            }
            let mut response = answer(name);
            undo.response(&mut response);
            prop_assert_eq!(name_of(&response), &before[at]);
        }
        let (again, none, _) = fitted(&after, upstream).unwrap();
        prop_assert_eq!(&again, &after);
        prop_assert!(none.is_empty());
        let mut longer = request.clone();
        longer.messages.push(turn(Role::Assistant, [call("later", "later:tool", "{}")]));
        let (longer, ..) = fitted(&longer, upstream).unwrap();
        prop_assert_eq!(&names(&longer)[..told.len()], &told[..]);
    }

    /// Ids are taken, each is that of one call, and two results of one call stay two of one.
    #[test]
    fn any_ids(
        messages in prop::collection::vec(any_message(), 0..8),
        upstream in select(Dialect::ALL.to_vec()),
    ) {
        let request = Request { messages, ..Request::default() };
        let (after, ..) = fitted(&request, upstream).unwrap();
        let (calls, results) = ids(&after);
        let spelling = Limits::of(upstream).tool_ids.takes;
        prop_assert!(calls.iter().chain(&results).all(|id| spelling.takes(id)));
        let distinct: std::collections::BTreeSet<&String> = calls.iter().collect();
        prop_assert_eq!(distinct.len(), calls.len());
        prop_assert_eq!(&fitted(&after, upstream).unwrap().0, &after);
    }
}
