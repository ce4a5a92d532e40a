#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod agent;
mod blocks;
mod identity;
mod property;

use serde_json::{Value, json};

use super::decode_counted;
use crate::json::Document;
use crate::test_support::{decoded, raw};
use crate::{
    ClientDialect, Dialect, Fault, Message, OutputFormat, Reasoning, Request, Role, Sampling, Tool,
    ToolChoice, WebSearch,
};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::AnthropicMessages, body)
}

/// The smallest request, with these fields added or replaced.
fn body(fields: &Value) -> Value {
    let mut body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn read(fields: Value) -> Request {
    decode(body(&fields).to_string().as_bytes()).unwrap()
}

/// A request with these fields is the smallest one, changed by `change`.
fn check(fields: Value, change: impl FnOnce(&mut Request)) {
    let mut expected = Request {
        model: "m".into(),
        messages: vec![Message::text(Role::User, "Hi")],
        places: vec!["messages[0]".into()],
        include_usage: true,
        sampling: Sampling { max_tokens: Some(100), ..Sampling::default() },
        ..Request::default()
    };
    change(&mut expected);
    assert_eq!(read(fields), expected);
}

fn check_fault(fields: Value, param: &str) {
    let fault = decode(body(&fields).to_string().as_bytes()).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{fields}");
    assert!(fault.message.contains(param), "{fault}");
}

fn extra(request: &mut Request, name: &str, said: Value) {
    request.extra.push((name.into(), raw(said)));
}

#[test]
fn top_level_fields() {
    check(json!({}), |_| {});
    check(json!({"temperature": null, "tools": null, "system": null, "odd": null}), |_| {});
    check(json!({"stream": true}), |request| request.stream = true);
    check(
        json!({"temperature": 0.5, "top_p": 1, "top_k": 5, "stop_sequences": ["a", "b"], "max_tokens": 0}),
        |request| {
            request.sampling = Sampling {
                max_tokens: Some(0),
                temperature: Some(raw(json!(0.5))),
                top_p: Some(raw(json!(1))),
                top_k: Some(raw(json!(5))),
                stop: vec!["a".into(), "b".into()],
                ..Sampling::default()
            };
        },
    );
    check(json!({"metadata": {"user_id": "u"}}), |request| request.user = Some("u".into()));
    check(json!({"metadata": {"user_id": null, "team": "t"}}), |request| {
        extra(request, "metadata.team", json!("t"));
    });
    check(json!({"service_tier": "auto"}), |request| request.service_tier = Some("auto".into()));
    check(json!({"service_tier": "standard_only"}), |request| request.service_tier = Some("default".into()));
    let marker = json!({"type": "ephemeral", "ttl": "1h"});
    check(json!({"cache_control": marker}), |request| request.cache_control = Some(raw(marker.clone())));
    for (name, said) in [
        ("mcp_servers", json!([{"type": "url", "url": "https://x.test", "name": "x"}])),
        ("container", json!("c1")),
        ("context_management", json!({"edits": []})),
        ("betas", json!(["a-2025-01-01"])),
        ("anthropic_version", json!("vertex-2023-10-16")),
        ("inference_geo", json!("us")),
        ("speed", json!("fast")),
        ("field_of_tomorrow", json!(1.50)),
    ] {
        check(json!({ name: said }), |request| extra(request, name, said.clone()));
    }
}

#[test]
fn thinking_and_output() {
    let thinking = |fields: Value, wish: Reasoning| {
        check(json!({ "thinking": fields }), |request| request.reasoning = Some(wish));
    };
    let on = || Reasoning { enabled: Some(true), ..Reasoning::default() };
    thinking(
        json!({"type": "enabled", "budget_tokens": 2000}),
        Reasoning { budget_tokens: Some(2000), ..on() },
    );
    thinking(json!({"type": "adaptive"}), Reasoning { adaptive: true, ..on() });
    thinking(json!({"type": "disabled"}), Reasoning { enabled: Some(false), ..on() });
    for (display, visible) in [("summarized", true), ("omitted", false)] {
        let wish = Reasoning { adaptive: true, visible: Some(visible), ..on() };
        thinking(json!({"type": "adaptive", "display": display}), wish);
    }
    let between = json!({"type": "between_tools"});
    check(json!({ "thinking": between }), |request| extra(request, "thinking", between.clone()));
    check(json!({"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}}), |request| {
        request.reasoning = Some(Reasoning { effort: Some("low".into()), adaptive: true, ..on() });
    });
    check(json!({"output_config": {"effort": "low"}}), |request| {
        request.reasoning = Some(Reasoning { effort: Some("low".into()), ..Reasoning::default() });
        extra(request, "thinking", Value::Null);
    });
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "schema": schema});
    for fields in [json!({"output_config": {"format": format}}), json!({ "output_format": format })] {
        check(fields, |request| {
            request.output_format = Some(OutputFormat::JsonSchema {
                name: "response".into(),
                description: None,
                schema: raw(schema.clone()),
                strict: None,
            });
        });
    }
    check(json!({"output_config": {"effort": null, "task_budget": {"total": 9}}}), |request| {
        extra(request, "output_config", json!({"task_budget": {"total": 9}}));
    });
}

#[test]
fn tools_and_the_choice() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    let function = |name: &str, described: bool| Tool::Function {
        name: name.into(),
        description: described.then(|| "d".into()),
        parameters: Some(raw(schema.clone())),
        strict: described.then_some(true),
        cache_control: described.then(|| raw(json!({"type": "ephemeral"}))),
    };
    let hosted = |said: Value| Tool::Hosted {
        dialect: Dialect::AnthropicMessages,
        name: said["type"].as_str().unwrap().into(),
        value: raw(said),
    };
    let plain = json!({"name": "a", "input_schema": schema});
    let full = json!({"type": "custom", "name": "b", "description": "d", "input_schema": schema, "strict": true,
                      "cache_control": {"type": "ephemeral"}, "input_examples": [{"x": "y"}]});
    let bash = json!({"type": "bash_20250124", "name": "bash"});
    let toolset = json!({"type": "mcp_toolset", "mcp_server_name": "x"});
    check(json!({"tools": [plain, bash, full, toolset]}), |request| {
        request.tools =
            vec![function("a", false), hosted(bash.clone()), function("b", true), hosted(toolset.clone())];
        extra(request, "tools[2].input_examples", json!([{"x": "y"}]));
    });

    let choice = |said: Value, choice: ToolChoice| {
        check(json!({ "tool_choice": said }), |request| request.tool_choice = Some(choice));
    };
    choice(json!({"type": "auto", "disable_parallel_tool_use": false}), ToolChoice::Auto);
    choice(json!({"type": "any"}), ToolChoice::Required);
    choice(json!({"type": "none"}), ToolChoice::None);
    choice(json!({"type": "tool", "name": "a"}), ToolChoice::Named("a".into()));
    check(json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}), |request| {
        (request.tool_choice, request.parallel_tool_calls) = (Some(ToolChoice::Auto), Some(false));
    });
}

#[test]
fn a_web_search_is_a_wish_and_its_details_stay_with_the_tool() {
    let place = json!({"type": "approximate", "city": "Rome"});
    let plain = json!({"type": "web_search_20250305", "name": "web_search", "user_location": place});
    let wish =
        |place: &Value| Some(WebSearch { context_size: None, user_location: Some(raw(place.clone())) });
    check(json!({"tools": [plain]}), |request| request.web_search = wish(&place));
    for (name, detail) in [
        ("max_uses", json!(3)),
        ("allowed_domains", json!(["x.test"])),
        ("type", json!("web_search_20260209")),
    ] {
        let mut tool = plain.clone();
        tool[name] = detail;
        check(json!({"tools": [tool]}), |request| {
            request.web_search = wish(&place);
            let (kind, value) = (tool["type"].as_str().unwrap().into(), raw(tool.clone()));
            request.tools = vec![Tool::Hosted { dialect: Dialect::AnthropicMessages, name: kind, value }];
        });
    }
}

#[test]
fn what_is_wrong_is_named() {
    let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let model = |content: Value| json!({"messages": [{"role": "assistant", "content": content}]});
    for (fields, param) in [
        (json!({"model": null}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": "9"}), "max_tokens"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (json!({"system": [{"type": "tool_use"}]}), "system[0].type"),
        (json!({"system": 7}), "system"),
        (user(json!(7)), "messages[0].content"),
        (user(json!([{"text": "x"}])), "messages[0].content[0].type"),
        (user(json!([{"type": "text"}])), "messages[0].content[0].text"),
        (user(json!([{"type": "tool_use"}])), "messages[0].content[0].type"),
        (user(json!([{"type": "image", "source": {"type": "url"}}])), "messages[0].content[0].source.url"),
        (user(json!([{"type": "tool_result"}])), "messages[0].content[0].tool_use_id"),
        (model(json!([{"type": "tool_result", "tool_use_id": "t"}])), "messages[0].content[0].type"),
        (
            model(json!([{"type": "tool_use", "id": "t", "name": "n", "input": "x"}])),
            "messages[0].content[0].input",
        ),
        (json!({"tools": [{"name": "a"}]}), "tools[0].input_schema"),
        (json!({"tools": [{"input_schema": {}}]}), "tools[0].name"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"tool_choice": {"type": "some"}}), "tool_choice.type"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"metadata": "u"}), "metadata"),
        (json!({"stop_sequences": "x"}), "stop_sequences"),
        (json!({"output_config": {"format": {"type": "json_object"}}}), "output_config.format.type"),
    ] {
        check_fault(fields, param);
    }
    assert_eq!(decode(b"{").unwrap_err().status, 400);
    assert_eq!(decode(b"[]").unwrap_err().status, 400);
}

#[test]
fn counting_needs_no_limit() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
    assert_eq!(decode_counted(&Document::of_request(body).unwrap()).unwrap().sampling.max_tokens, None);
    assert_eq!(decode(body).unwrap_err().param.as_deref(), Some("max_tokens"));
}
