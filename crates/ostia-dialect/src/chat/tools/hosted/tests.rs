#![allow(clippy::unwrap_used, clippy::panic)]

use super::replace;
use crate::json::Document;
use crate::test_support::raw;
use crate::{Dialect, EncodeOptions, Fault, Message, Request, Role, Tool, ToolChoice, WebSearch};

const CHAT: Dialect = Dialect::OpenaiChat;
const RESPONSES: Dialect = Dialect::OpenaiResponses;
const MESSAGES: Dialect = Dialect::AnthropicMessages;
const GEMINI: Dialect = Dialect::GeminiGenerate;
const COHERE: Dialect = Dialect::CohereChat;

fn hosted(dialect: Dialect, value: &str) -> Tool {
    let document = Document::parse(value.as_bytes()).unwrap();
    let key = || document.root().fields().next().unwrap().0;
    let name = document.root().str("type").unwrap_or_else(key).into_owned();
    Tool::Hosted { dialect, name, value: raw(value) }
}

fn function(cache_control: Option<&str>) -> Tool {
    let (name, cache_control) = ("f".to_owned(), cache_control.map(raw));
    Tool::Function { name, description: None, parameters: None, strict: None, cache_control }
}

fn request(tools: impl Into<Vec<Tool>>) -> Request {
    let messages = vec![Message::text(Role::User, "q")];
    Request { model: "m".into(), messages, tools: tools.into(), ..Request::default() }
}

/// The tool of one vendor becomes this one of another, or a wish to search the web, and loses these settings.
#[track_caller]
fn check(from: Dialect, tool: &str, to: Dialect, expected: Result<&str, WebSearch>, dropped: &[&str]) {
    let mut asked = request([hosted(from, tool)]);
    let lost = replaced(&mut asked, to).unwrap();
    let wanted = match expected {
        Ok(entry) => request([hosted(to, entry)]),
        Err(search) => Request { web_search: Some(search), ..request([]) },
    };
    assert_eq!((asked, lost), (wanted, owned(dropped)), "{tool}");
}

/// Replaces the tools, and gives what was lost.
fn replaced(request: &mut Request, to: Dialect) -> Result<Vec<String>, Fault> {
    let mut dropped = Vec::new();
    replace(request, to, &EncodeOptions::default(), &mut dropped)?;
    request.tool_places.clear();
    Ok(dropped)
}

fn owned(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

const CODE_OF_RESPONSES: &str = r#"{"type":"code_interpreter","container":{"type":"auto"}}"#;
const CODE_OF_MESSAGES: &str = r#"{"type":"code_execution_20250825","name":"code_execution"}"#;
const CODE_OF_GEMINI: &str = r#"{"codeExecution":{}}"#;
const FETCH_OF_MESSAGES: &str = r#"{"type":"web_fetch_20250910","name":"web_fetch"}"#;
const FETCH_OF_GEMINI: &str = r#"{"urlContext":{}}"#;

#[test]
fn code_is_run_by_whoever_can() {
    let all = [(RESPONSES, CODE_OF_RESPONSES), (MESSAGES, CODE_OF_MESSAGES), (GEMINI, CODE_OF_GEMINI)];
    for (from, asked) in all {
        for (to, entry) in all.into_iter().filter(|(to, _)| *to != from) {
            check(from, asked, to, Ok(entry), &[]);
        }
    }
    let files = r#"{"type":"code_interpreter","container":{"type":"auto","file_ids":["a"]}}"#;
    check(RESPONSES, files, GEMINI, Ok(CODE_OF_GEMINI), &["tools[0].container"]);
    check(CHAT, CODE_OF_RESPONSES, RESPONSES, Ok(CODE_OF_RESPONSES), &[]);
    let later = r#"{"type":"code_execution_20260120","name":"code_execution"}"#;
    check(MESSAGES, later, RESPONSES, Ok(CODE_OF_RESPONSES), &[]);
}

#[test]
fn pages_are_fetched_by_whoever_can() {
    check(GEMINI, FETCH_OF_GEMINI, MESSAGES, Ok(FETCH_OF_MESSAGES), &[]);
    check(GEMINI, r#"{"url_context":{}}"#, MESSAGES, Ok(FETCH_OF_MESSAGES), &[]);
    check(MESSAGES, FETCH_OF_MESSAGES, GEMINI, Ok(FETCH_OF_GEMINI), &[]);
    let limited = r#"{"type":"web_fetch_20260209","name":"web_fetch","max_uses":2,"citations":null}"#;
    check(MESSAGES, limited, GEMINI, Ok(FETCH_OF_GEMINI), &["tools[0].max_uses"]);
}

#[test]
fn the_web_is_searched_by_whoever_can() {
    let searching = WebSearch::default;
    for (from, tool) in [
        (RESPONSES, r#"{"type":"web_search"}"#),
        (RESPONSES, r#"{"type":"web_search_2025_08_26"}"#),
        (RESPONSES, r#"{"type":"web_search_preview"}"#),
        (RESPONSES, r#"{"type":"web_search_preview_2025_03_11"}"#),
        (MESSAGES, r#"{"type":"web_search_20250305","name":"web_search"}"#),
        (GEMINI, r#"{"googleSearch":{}}"#),
        (GEMINI, r#"{"google_search_retrieval":{}}"#),
    ] {
        for to in [CHAT, RESPONSES, MESSAGES, GEMINI].into_iter().filter(|to| *to != from) {
            check(from, tool, to, Err(searching()), &[]);
        }
    }
    let place = r#"{"type":"approximate","city":"Rome"}"#;
    let tool = format!(
        r#"{{"type":"web_search","search_context_size":"low","user_location":{place},"filters":{{"allowed_domains":[]}}}}"#
    );
    let search = WebSearch { context_size: Some("low".into()), user_location: Some(raw(place)) };
    check(RESPONSES, &tool, MESSAGES, Err(search), &["tools[0].filters"]);
    let recent = r#"{"googleSearch":{"timeRangeFilter":{},"excludeDomains":[]}}"#;
    let lost = ["tools[0].googleSearch.timeRangeFilter", "tools[0].googleSearch.excludeDomains"];
    check(GEMINI, recent, CHAT, Err(searching()), &lost);
    // What the client has said elsewhere stays.
    let given = WebSearch { context_size: Some("high".into()), user_location: None };
    let mut asked = Request {
        web_search: Some(given.clone()),
        ..request([hosted(RESPONSES, r#"{"type":"web_search"}"#)])
    };
    replaced(&mut asked, GEMINI).unwrap();
    assert_eq!(asked.web_search, Some(given));
}

#[test]
fn what_nobody_else_has_is_refused() {
    for (from, tool, to) in [
        (RESPONSES, r#"{"type":"file_search","vector_store_ids":["a"]}"#, GEMINI),
        (RESPONSES, r#"{"type":"code_interpreter"}"#, CHAT),
        (RESPONSES, r#"{"type":"web_search"}"#, COHERE),
        (MESSAGES, r#"{"type":"bash_20250124","name":"bash"}"#, RESPONSES),
        (MESSAGES, FETCH_OF_MESSAGES, RESPONSES),
        (GEMINI, r#"{"googleMaps":{}}"#, MESSAGES),
        (CHAT, r#"{"type":"browser"}"#, COHERE),
    ] {
        let Tool::Hosted { name, .. } = hosted(from, tool) else { panic!() };
        let Fault { status, message, param, .. } =
            replaced(&mut request([function(None), hosted(from, tool)]), to).unwrap_err();
        assert_eq!((status, param.as_deref()), (400, Some("tools[1]")));
        for word in ["`tools[1]`", &name, from.name(), to.name(), "Choose a provider", "leave"] {
            assert!(message.contains(word), "{message}");
        }
    }
}

#[test]
fn the_upstreams_own_tools_stay() {
    for tools in [vec![], vec![function(None), hosted(GEMINI, r#"{"googleMaps":{}}"#)]] {
        let mut asked = request(tools.clone());
        let lost = replaced(&mut asked, GEMINI).unwrap();
        assert_eq!((asked, lost.len()), (request(tools), 0));
    }
}

#[test]
fn a_choice_of_a_replaced_tool_cannot_be_said() {
    for (choice, kept) in [
        (ToolChoice::Auto, true),
        (ToolChoice::Required, true),
        (ToolChoice::Named("f".into()), true),
        (ToolChoice::Named("code_execution".into()), false),
        (ToolChoice::Named("code_execution_20250825".into()), false),
        (ToolChoice::Allowed { names: vec!["f".into(), "code_execution".into()], required: true }, false),
    ] {
        let tools = [function(None), hosted(MESSAGES, CODE_OF_MESSAGES)];
        let mut asked = Request { tool_choice: Some(choice.clone()), ..request(tools) };
        let lost = replaced(&mut asked, GEMINI).unwrap();
        assert_eq!(asked.tool_choice, kept.then_some(choice));
        assert_eq!(lost, if kept { vec![] } else { owned(&["tool_choice"]) });
    }
}

#[test]
fn what_may_not_be_called_is_left_out() {
    let choice = Some(ToolChoice::Allowed { names: vec!["f".into()], required: true });
    let maps = hosted(GEMINI, r#"{"googleMaps":{}}"#);
    let mut asked = Request {
        tool_choice: choice.clone(),
        ..request([hosted(MESSAGES, CODE_OF_MESSAGES), function(None), maps.clone()])
    };
    let expected = Request { tool_choice: choice, ..request([function(None), maps]) };
    let lost = replaced(&mut asked, GEMINI).unwrap();
    assert_eq!((asked, lost.len()), (expected, 0));
}

#[test]
fn losses_are_told_by_the_places_that_the_client_knows() {
    let search = |more: &str| hosted(RESPONSES, &format!(r#"{{"type":"web_search"{more}}}"#));
    let marked = || function(Some("{}"));
    let mut asked = request([marked(), search(r#","filters":{}"#), marked(), search(""), marked()]);
    let encoded = CHAT.encode(&mut asked, &EncodeOptions::default()).unwrap();
    let expected =
        ["tools[0].cache_control", "tools[2].cache_control", "tools[4].cache_control", "tools[1].filters"];
    assert_eq!(encoded.dropped, expected);
}
