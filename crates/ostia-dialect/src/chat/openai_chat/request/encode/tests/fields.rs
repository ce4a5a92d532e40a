use serde_json::json;

use super::{check, request, written};
use crate::test_support::raw;
use crate::{Dialect, EncodeOptions, Logprobs, Reasoning, Request, Tool, ToolChoice, WebSearch};

#[test]
fn budgets_are_efforts() {
    let effort = |wish: Reasoning, fields, dropped: &[&str]| {
        check(|request| request.reasoning = Some(wish), fields, dropped);
    };
    let budget =
        |tokens| Reasoning { budget_tokens: Some(tokens), enabled: Some(true), ..Default::default() };
    for (tokens, word) in [(1, "low"), (1024, "low"), (1025, "medium"), (8192, "medium"), (8193, "high")] {
        effort(budget(tokens), json!({"reasoning_effort": word}), &[]);
    }
    effort(Reasoning { budget_tokens: Some(0), ..Default::default() }, json!({}), &["thinking"]);
    let both = Reasoning { effort: Some("xhigh".into()), ..budget(2000) };
    effort(both, json!({"reasoning_effort": "xhigh"}), &["thinking.budget_tokens"]);
    effort(
        Reasoning { enabled: Some(true), ..Default::default() },
        json!({"reasoning_effort": "medium"}),
        &[],
    );
    effort(Reasoning { enabled: Some(true), adaptive: true, ..Default::default() }, json!({}), &[]);
    effort(Reasoning { enabled: Some(false), ..Default::default() }, json!({}), &["thinking"]);
    let off =
        |effort: &str| Reasoning { effort: Some(effort.into()), enabled: Some(false), ..Default::default() };
    effort(off("high"), json!({}), &["thinking", "reasoning_effort"]);
    effort(off("none"), json!({"reasoning_effort": "none"}), &[]);
    effort(Reasoning { visible: Some(true), ..Default::default() }, json!({}), &[]);
}

#[test]
fn usage_is_always_asked_for() {
    let stream = |request: &mut Request| request.stream = true;
    check(stream, json!({"stream": true, "stream_options": {"include_usage": true}}), &[]);
    let options = EncodeOptions { usage_unasked: true, ..EncodeOptions::default() };
    let obfuscated = |request: &mut Request| {
        request.stream = true;
        request.extra = vec![("stream_options.include_obfuscation".into(), raw("false"))];
    };
    let (body, dropped) = written(&request(obfuscated), &options);
    assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &json!(null)));
    assert_eq!(dropped, ["stream_options.include_obfuscation"]);
}

#[test]
fn tiers_of_other_dialects() {
    for (tier, own) in [
        ("standard_only", "default"),
        ("standard", "default"),
        ("auto", "auto"),
        ("flex", "flex"),
        ("on_demand", "on_demand"),
    ] {
        check(|request| request.service_tier = Some(tier.into()), json!({"service_tier": own}), &[]);
    }
}

#[test]
fn a_place_is_one_level_deeper_here() {
    let flat = raw(r#"{"type":"approximate","city":"Rome","region":null}"#);
    let search = WebSearch { context_size: None, user_location: Some(flat) };
    let place = json!({"type": "approximate", "approximate": {"city": "Rome"}});
    check(
        |request| request.web_search = Some(search),
        json!({"web_search_options": {"user_location": place}}),
        &[],
    );
}

#[test]
fn what_the_format_has_no_word_for() {
    let marker = raw(r#"{"type":"ephemeral"}"#);
    check(|request| request.sampling.top_k = Some(raw("4")), json!({}), &["top_k"]);
    check(|request| request.cache_control = Some(marker.clone()), json!({}), &["cache_control"]);
    check(
        |request| {
            request.extra = vec![
                ("safety_settings".into(), raw("[]")),
                ("mcp_servers".into(), raw("null")),
                ("messages[0].x".into(), raw("1")),
                ("store".into(), raw("false")),
            ];
        },
        json!({"store": false}),
        &["safety_settings", "messages[0].x"],
    );
    let logprobs = |request: &mut Request| request.sampling.logprobs = Some(Logprobs { top: None });
    check(logprobs, json!({"logprobs": true}), &[]);
    let (description, parameters, strict) = (None, None, None);
    let marked =
        Tool::Function { name: "f".into(), description, parameters, strict, cache_control: Some(marker) };
    check(
        |request| request.tools = vec![marked],
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
        &["tools[0].cache_control"],
    );
}

#[test]
fn a_choice_needs_tools() {
    for (choice, dropped) in [
        (ToolChoice::Auto, &[][..]),
        (ToolChoice::None, &[]),
        (ToolChoice::Required, &["tool_choice"]),
        (ToolChoice::Named("f".into()), &["tool_choice"]),
        (ToolChoice::Allowed { names: vec![], required: false }, &["tool_choice"]),
    ] {
        check(
            |request| (request.tool_choice, request.parallel_tool_calls) = (Some(choice), Some(false)),
            json!({}),
            dropped,
        );
    }
    let (dialect, name, value) =
        (Dialect::GeminiGenerate, "googleMaps".to_owned(), raw(r#"{"googleMaps":{}}"#));
    let foreign = Tool::Hosted { dialect, name, value };
    check(
        |request| (request.tools, request.tool_choice) = (vec![foreign], Some(ToolChoice::Required)),
        json!({}),
        &["tools[0]", "tool_choice"],
    );
}

#[test]
fn a_search_cannot_be_forbidden() {
    let change = |request: &mut Request| {
        request.web_search = Some(WebSearch::default());
        request.tool_choice = Some(ToolChoice::None);
    };
    check(change, json!({"web_search_options": {}}), &["tool_choice"]);
}
