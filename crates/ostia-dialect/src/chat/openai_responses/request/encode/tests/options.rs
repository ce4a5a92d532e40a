//! Everything but the conversation.

use super::*;

const FUNCTION: &str = r#"{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}"#;

fn function() -> Value {
    serde_json::from_str(FUNCTION).unwrap()
}

fn flat(strict: bool) -> Value {
    json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": strict})
}

#[test]
fn functions_are_not_strict_unless_the_client_says_so() {
    check_chat(json!({"tools": [function()]}), json!({"tools": [flat(false)]}), &[]);
    let mut strict = function();
    strict["function"]["strict"] = true.into();
    let mut closed = flat(true);
    closed["parameters"]["required"] = json!([]);
    closed["parameters"]["additionalProperties"] = false.into();
    check_chat(json!({"tools": [strict]}), json!({"tools": [closed]}), &[]);
    check_chat(
        json!({"tools": [{"type": "function", "function": {"name": "f", "description": "d"},
                          "cache_control": {"type": "ephemeral"}}]}),
        json!({"tools": [{"type": "function", "name": "f", "description": "d",
                          "parameters": {"type": "object", "properties": {}}, "strict": false}]}),
        &["tools[0].cache_control"],
    );
}

#[test]
fn free_text_tools_lie_flat() {
    let grammar = json!({"syntax": "lark", "definition": "start: x"});
    check_chat(
        json!({"tools": [
            {"type": "custom", "custom": {"name": "a", "description": "d",
                                          "format": {"type": "grammar", "grammar": grammar}}},
            {"type": "custom", "custom": {"name": "b", "format": {"type": "text"}}},
        ], "tool_choice": {"type": "custom", "custom": {"name": "a"}}}),
        json!({"tools": [
            {"type": "custom", "name": "a", "description": "d",
             "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
            {"type": "custom", "name": "b", "format": {"type": "text"}},
        ], "tool_choice": {"type": "custom", "name": "a"}}),
        &[],
    );
}

#[test]
fn the_web_is_searched() {
    let own = json!({"type": "web_search", "filters": {"allowed_domains": ["x.test"]}});
    check(
        |request| {
            let (dialect, name) = (Dialect::OpenaiResponses, "web_search".to_owned());
            request.tools = vec![Tool::Hosted { dialect, name, value: raw(own.clone()) }];
            // One search is enough.
            request.web_search = Some(Default::default());
            request.tool_choice = Some(ToolChoice::Named("web_search".into()));
        },
        json!({"tools": [own], "tool_choice": {"type": "web_search"}}),
        &[],
    );
    check_chat(
        json!({"web_search_options": {"search_context_size": "low", "user_location":
               {"type": "approximate", "approximate": {"city": "Graz", "country": "AT"}}}}),
        json!({"tools": [{"type": "web_search", "search_context_size": "low", "user_location":
               {"type": "approximate", "city": "Graz", "country": "AT"}}]}),
        &[],
    );
}

#[test]
fn choices_are_said_in_the_vendors_words() {
    let cases = [
        (json!("auto"), json!("auto")),
        (json!("none"), json!("none")),
        (json!("required"), json!("required")),
        (json!({"type": "function", "function": {"name": "f"}}), json!({"type": "function", "name": "f"})),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools":
                   [{"type": "function", "function": {"name": "f"}}]}}),
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
        ),
    ];
    for (chat, own) in cases {
        check_chat(
            json!({"tools": [function()], "tool_choice": chat, "parallel_tool_calls": false}),
            json!({"tools": [flat(false)], "tool_choice": own, "parallel_tool_calls": false}),
            &[],
        );
    }
    // Without tools there is nothing to choose.
    check_chat(json!({"tool_choice": "auto"}), json!({}), &[]);
    check_chat(json!({"tool_choice": "required"}), json!({}), &["tool_choice"]);
}

#[test]
fn the_shape_of_the_text() {
    let schema = json!({"type": "object"});
    let format =
        json!({"type": "json_schema", "name": "n", "description": "d", "schema": schema, "strict": true});
    check_chat(
        json!({"response_format": {"type": "json_schema", "json_schema":
               {"name": "n", "description": "d", "schema": schema, "strict": true}}}),
        json!({"text": {"format": format}}),
        &[],
    );
    check_chat(
        json!({"model": "m", "response_format": {"type": "json_object"}, "verbosity": "low"}),
        json!({"model": "m", "include": ["reasoning.encrypted_content"],
               "text": {"format": {"type": "json_object"}, "verbosity": "low"}}),
        &[],
    );
    check_chat(json!({"verbosity": "low"}), json!({}), &["verbosity"]);
    check_chat(json!({"response_format": {"type": "text"}}), json!({}), &[]);
}

/// What `reasoning` becomes for a model that thinks.
fn check_reasoning(model: &str, reasoning: Reasoning, expected: Value, reported: &[&str]) {
    let mut fields = json!({"include": ["reasoning.encrypted_content"]});
    if !expected.is_null() {
        fields["reasoning"] = expected;
    }
    let model = model.to_owned();
    check(|request| (request.model, request.reasoning) = (model, Some(reasoning)), fields, reported);
}

#[test]
fn how_much_to_think() {
    let plain = Reasoning::default();
    let effort = |level: &str| Reasoning { effort: Some(level.into()), ..Reasoning::default() };
    let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let model = "gpt-5.2";
    check_reasoning(model, plain.clone(), Value::Null, &[]);
    check_reasoning(model, Reasoning { adaptive: true, ..plain.clone() }, Value::Null, &[]);
    check_reasoning(model, effort("xhigh"), json!({"effort": "xhigh"}), &[]);
    check_reasoning(
        model,
        Reasoning { visible: Some(true), ..effort("low") },
        json!({"effort": "low", "summary": "auto"}),
        &[],
    );
    check_reasoning(
        model,
        Reasoning { visible: Some(false), ..effort("low") },
        json!({"effort": "low"}),
        &[],
    );
    for (tokens, level) in [(1024, "low"), (8192, "medium"), (32_000, "high")] {
        check_reasoning(model, budget(tokens), json!({"effort": level}), &[]);
    }
    check_reasoning(
        model,
        Reasoning { budget_tokens: Some(9), ..effort("high") },
        json!({"effort": "high"}),
        &["thinking.budget_tokens"],
    );
    check_reasoning(model, off.clone(), json!({"effort": "none"}), &[]);
    check_reasoning("gpt-5-mini", off.clone(), json!({"effort": "minimal"}), &[]);
    check_reasoning("some-model", off.clone(), Value::Null, &["reasoning.enabled"]);
    check(|request| request.reasoning = Some(off), json!({}), &[]);
}

#[test]
fn the_vendors_own_fields_of_reasoning_come_first() {
    check(
        |request| {
            request.model = "gpt-5.6".into();
            request.reasoning = Some(Reasoning { visible: Some(true), ..Reasoning::default() });
            request.extra.push(("reasoning.summary".into(), raw(json!("detailed"))));
            request.extra.push(("reasoning.context".into(), raw(json!("all_turns"))));
        },
        json!({"reasoning": {"context": "all_turns", "summary": "detailed"}, "include": ["reasoning.encrypted_content"]}),
        &[],
    );
}

#[test]
fn what_to_tell_besides() {
    check_chat(
        json!({"logprobs": true, "top_logprobs": 3}),
        json!({"top_logprobs": 3, "include": ["message.output_text.logprobs"]}),
        &[],
    );
    check(
        |request| {
            request.model = "gpt-5".into();
            let asked = json!(["file_search_call.results", "reasoning.encrypted_content"]);
            request.extra.push(("include".into(), raw(asked)));
        },
        json!({"include": ["file_search_call.results", "reasoning.encrypted_content"]}),
        &[],
    );
}

#[test]
fn fields_are_renamed_passed_on_or_reported() {
    check_chat(
        json!({
            "max_completion_tokens": 90, "temperature": 1.0, "top_p": 0.5, "user": "u", "service_tier": "flex",
            "store": true, "metadata": {"a": "b"}, "safety_identifier": "s", "prompt_cache_key": "k", "stream": true,
            "stream_options": {"include_usage": true, "include_obfuscation": false},
            "top_k": 4, "stop": ["x"], "seed": 1, "presence_penalty": 0.5, "frequency_penalty": 0.5, "n": 2,
            "logit_bias": {"1": 2}, "cache_control": {"type": "ephemeral"}, "modalities": ["text"], "of_tomorrow": 1,
        }),
        json!({
            "max_output_tokens": 90, "temperature": 1.0, "top_p": 0.5, "user": "u", "service_tier": "flex",
            "store": true, "metadata": {"a": "b"}, "safety_identifier": "s", "prompt_cache_key": "k", "stream": true,
            "stream_options": {"include_obfuscation": false},
        }),
        &[
            "modalities",
            "of_tomorrow",
            "top_k",
            "stop",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "n",
            "logit_bias",
            "cache_control",
        ],
    );
    check_chat(
        json!({"n": 1, "stream_options": {"include_obfuscation": false}}),
        json!({}),
        &["stream_options.include_obfuscation"],
    );
}

#[test]
fn no_alternatives_are_the_default() {
    let include = json!({"include": ["message.output_text.logprobs"]});
    check_chat(json!({"logprobs": true, "top_logprobs": 0}), include, &[]);
}
