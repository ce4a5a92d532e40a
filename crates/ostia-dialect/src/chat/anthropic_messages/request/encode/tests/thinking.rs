use serde_json::{Value, json};

use super::*;
use crate::test_support::{signed, thought};

/// What is sent for a wish to think: `thinking`, `output_config.effort`, `max_tokens`, what is reported.
fn check_thinking(
    change: impl FnOnce(&mut Request),
    thinking: Value,
    effort: Value,
    max_tokens: u64,
    reported: &[&str],
) {
    let (body, dropped) = body(&request(change));
    assert_eq!(body["thinking"], thinking);
    assert_eq!(body["output_config"]["effort"], effort);
    assert_eq!(body["max_tokens"], max_tokens);
    assert_eq!(dropped, reported);
}

fn wishing(model: &'static str, max_tokens: Option<u64>, reasoning: Reasoning) -> impl FnOnce(&mut Request) {
    move |request| {
        request.model = model.into();
        request.sampling.max_tokens = max_tokens;
        request.reasoning = Some(reasoning);
    }
}

fn effort(level: &str) -> Reasoning {
    Reasoning { effort: Some(level.into()), ..Reasoning::default() }
}

fn budget(tokens: u64) -> Reasoning {
    Reasoning { budget_tokens: Some(tokens), enabled: Some(true), ..Reasoning::default() }
}

#[test]
fn thinking_on_a_budget() {
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let none = Value::Null;
    for (level, tokens) in
        [("minimal", 1024), ("low", 1024), ("medium", 8192), ("high", 16_384), ("xhigh", 32_768)]
    {
        check_thinking(
            wishing(SONNET, Some(90_000), effort(level)),
            enabled(tokens),
            none.clone(),
            90_000,
            &[],
        );
    }
    check_thinking(wishing(SONNET, None, effort("high")), enabled(16_384), none.clone(), 64_000, &[]);
    check_thinking(
        wishing("claude-3-7-sonnet-latest", None, effort("high")),
        enabled(16_384),
        none.clone(),
        48_384,
        &[],
    );
    check_thinking(wishing(SONNET, Some(4000), effort("high")), enabled(2000), none.clone(), 4000, &[]);
    check_thinking(wishing(SONNET, Some(1025), effort("high")), enabled(1024), none.clone(), 1025, &[]);
    check_thinking(
        wishing(SONNET, Some(1024), effort("high")),
        none.clone(),
        none.clone(),
        1024,
        &["reasoning_effort"],
    );
    check_thinking(wishing(SONNET, Some(4000), budget(3000)), enabled(3000), none.clone(), 4000, &[]);
    check_thinking(
        wishing(SONNET, Some(4000), budget(4000)),
        enabled(3999),
        none.clone(),
        4000,
        &["thinking.budget_tokens"],
    );
    let both = Reasoning { effort: Some("low".into()), ..budget(3000) };
    check_thinking(wishing(SONNET, Some(4000), both), enabled(3000), none.clone(), 4000, &[]);
    check_thinking(
        wishing("claude-opus-4-5", Some(9000), effort("low")),
        enabled(1024),
        json!("low"),
        9000,
        &[],
    );
    check_thinking(
        wishing("claude-opus-4-6", Some(9000), budget(3000)),
        enabled(3000),
        none.clone(),
        9000,
        &[],
    );
    check_thinking(
        wishing("claude-3-opus-20240229", None, effort("low")),
        none.clone(),
        none,
        4096,
        &["reasoning_effort"],
    );
}

#[test]
fn thinking_as_the_model_sees_fit() {
    let adaptive = json!({"type": "adaptive"});
    let opus = "claude-opus-4-7";
    check_thinking(wishing(opus, Some(9), effort("xhigh")), adaptive.clone(), json!("xhigh"), 9, &[]);
    check_thinking(
        wishing("claude-opus-4-6", Some(9), effort("minimal")),
        adaptive.clone(),
        json!("low"),
        9,
        &[],
    );
    check_thinking(
        wishing("claude-opus-4-6", Some(9), effort("xhigh")),
        adaptive.clone(),
        json!("high"),
        9,
        &["reasoning_effort"],
    );
    check_thinking(
        wishing(opus, Some(9), budget(3000)),
        adaptive.clone(),
        Value::Null,
        9,
        &["thinking.budget_tokens"],
    );
    check_thinking(
        wishing(opus, Some(9), effort("vast")),
        adaptive.clone(),
        Value::Null,
        9,
        &["reasoning_effort"],
    );
    let shown = Reasoning { adaptive: true, visible: Some(true), ..Reasoning::default() };
    let display = json!({"type": "adaptive", "display": "summarized"});
    check_thinking(wishing(opus, Some(9), shown), display, Value::Null, 9, &[]);
}

#[test]
fn not_thinking() {
    let none = Value::Null;
    check_thinking(wishing(SONNET, Some(9), effort("none")), none.clone(), none.clone(), 9, &[]);
    check_thinking(
        wishing("claude-opus-5", Some(9), effort("none")),
        json!({"type": "disabled"}),
        none.clone(),
        9,
        &[],
    );
    let between = json!({"type": "between_tools"});
    check_thinking(wishing("claude-sonnet-5-5", Some(9), effort("none")), between, none.clone(), 9, &[]);
    check_thinking(
        wishing("claude-fable-5", Some(9), effort("none")),
        none.clone(),
        none,
        9,
        &["reasoning_effort"],
    );
}

#[test]
fn the_vendors_thinking_field_wins() {
    let own = |text: &'static str| {
        move |request: &mut Request| {
            request.reasoning = Some(effort("high"));
            request.sampling.max_tokens = Some(9000);
            request.extra.push(("thinking".into(), raw(text)));
        }
    };
    let none = Value::Null;
    let sent = json!({"type": "enabled", "budget_tokens": 2000, "display": "omitted"});
    let asked = r#"{"type":"enabled","budget_tokens":2000,"display":"omitted"}"#;
    check_thinking(own(asked), sent, none.clone(), 9000, &[]);
    check_thinking(own(r#"{"type":"disabled"}"#), none.clone(), none.clone(), 9000, &[]);
    check_thinking(own(r#"{"type":"novel"}"#), json!({"type": "novel"}), none.clone(), 9000, &[]);
    let but = |model: &'static str, level: &'static str, text: &'static str| {
        move |request: &mut Request| {
            own(text)(request);
            request.model = model.into();
            request.reasoning = Some(effort(level));
        }
    };
    let disabled = r#"{"type":"disabled"}"#;
    let off = json!({"type": "disabled"});
    check_thinking(but("claude-opus-5", "medium", disabled), off.clone(), json!("medium"), 9000, &[]);
    check_thinking(but("claude-opus-5", "max", disabled), off, json!("high"), 9000, &[]);
    check_thinking(but("claude-fable-5", "low", disabled), none.clone(), json!("low"), 9000, &["thinking"]);
    let adaptive = r#"{"type":"adaptive"}"#;
    check_thinking(but("claude-opus-5", "none", adaptive), json!({"type": "adaptive"}), none, 9000, &[]);
}

#[test]
fn thinking_gives_way_where_the_vendor_refuses_it() {
    let none = Value::Null;
    let thinks = |request: &mut Request| {
        request.sampling.max_tokens = Some(9000);
        request.reasoning = Some(effort("low"));
    };
    let forced = |request: &mut Request| {
        thinks(request);
        request.tools = vec![function("look")];
        request.tool_choice = Some(ToolChoice::Required);
    };
    check_thinking(forced, none.clone(), none.clone(), 9000, &["reasoning_effort"]);
    let forced_newer = |request: &mut Request| {
        forced(request);
        request.model = "claude-opus-5".into();
        request.reasoning = Some(effort("max"));
    };
    check_thinking(forced_newer, json!({"type": "disabled"}), json!("high"), 9000, &["reasoning_effort"]);

    let in_loop = |first: Option<Block>| {
        move |request: &mut Request| {
            thinks(request);
            let blocks: Vec<Block> = first.into_iter().chain([call("a", "{}")]).collect();
            request.messages.push(turn(Role::Assistant, blocks));
            request.messages.push(result("a", vec![Block::text("1")], false));
        }
    };
    check_thinking(in_loop(None), none.clone(), none.clone(), 9000, &["reasoning_effort"]);
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    let thought = signed(thought("Hm."), Dialect::AnthropicMessages, "sig");
    check_thinking(in_loop(Some(thought)), enabled.clone(), none.clone(), 9000, &[]);
    let prefilled = |request: &mut Request| {
        thinks(request);
        request.messages.push(Message::text(Role::Assistant, "It"));
    };
    check_thinking(prefilled, none.clone(), none.clone(), 9000, &["reasoning_effort"]);
    let heated = |request: &mut Request| {
        thinks(request);
        request.sampling.temperature = Some(raw("0.3"));
        request.sampling.top_k = Some(raw("3"));
        request.sampling.top_p = Some(raw("0.5"));
    };
    check_thinking(heated, enabled, none, 9000, &["temperature", "top_k", "top_p"]);
}
