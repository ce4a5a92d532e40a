use super::super::{StoreOptions, store_options};
use super::decode;
use crate::chat::openai_responses::request::echo;
use crate::json::Document;
use crate::test_support::{function, raw};
use crate::{
    ClientDialect, Dialect, Logprobs, Message, OutputFormat, Reasoning, Request, Role, Sampling, Tool,
    ToolChoice, WebSearch,
};

fn plain() -> Request {
    Request {
        model: "m".into(),
        messages: vec![Message::text(Role::User, "q")],
        places: vec!["input".into()],
        include_usage: true,
        ..Request::default()
    }
}

/// The request with these fields beside model and input is the plain one after this change.
#[track_caller]
fn check(fields: &str, change: impl FnOnce(&mut Request)) {
    let body = format!(r#"{{"model":"m","input":"q",{fields}}}"#);
    let mut expected = plain();
    change(&mut expected);
    assert_eq!(decode(body.as_bytes()).unwrap(), expected, "{fields}");
}

/// The same for fields that are only carried.
#[track_caller]
fn check_extra(fields: &str, expected: &[(&str, &str)]) {
    check(fields, |r| r.extra = extra(expected));
}

fn extra(fields: &[(&str, &str)]) -> Vec<(String, crate::json::Json)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), raw(value))).collect()
}

#[test]
fn plain_fields() {
    check(
        r#""stream":true,"stream_options":{"include_obfuscation":false,"x":1},"parallel_tool_calls":false"#,
        |r| {
            (r.stream, r.parallel_tool_calls) = (true, Some(false));
            r.extra = extra(&[("stream_options.x", "1")]);
        },
    );
    check(r#""user":"u","service_tier":"flex""#, |r| {
        (r.user, r.service_tier) = (Some("u".into()), Some("flex".into()));
    });
    check(r#""max_output_tokens":9,"temperature":0.50,"top_p":1"#, |r| {
        let (temperature, top_p) = (Some(raw("0.50")), Some(raw("1")));
        r.sampling = Sampling { max_tokens: Some(9), temperature, top_p, ..Sampling::default() };
    });
    let nothing = r#""instructions":null,"tools":null,"tool_choice":null,"text":null,"reasoning":null,"store":null,
        "conversation":null,"include":null,"max_output_tokens":null,"metadata":null,"prompt":null"#;
    check(nothing, |_| {});
}

#[test]
fn what_only_the_vendor_has_is_carried_by_name() {
    let fields = [
        ("metadata", r#"{"a":"b"}"#),
        ("prompt", r#"{"id":"pmpt_1","version":"2"}"#),
        ("prompt_cache_key", r#""k""#),
        ("prompt_cache_retention", r#""24h""#),
        ("safety_identifier", r#""s""#),
        ("max_tool_calls", "3"),
        ("truncation", r#""auto""#),
        ("context_management", r#"[{"type":"compaction"}]"#),
        ("of_tomorrow", "1.50"),
    ];
    let body: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    check_extra(&body.join(","), &fields);
}

#[test]
fn what_the_gateway_sees_to_says_nothing_to_the_model() {
    check_extra(
        r#""store":false,"background":true,"previous_response_id":"resp_1","truncation":"disabled",
        "include":["reasoning.encrypted_content","web_search_call.action.sources"],"top_logprobs":0"#,
        &[],
    );
}

#[test]
fn logprobs() {
    for (fields, top) in [
        (r#""include":["message.output_text.logprobs"]"#, None),
        (r#""include":["message.output_text.logprobs"],"top_logprobs":0"#, None),
        (r#""include":["message.output_text.logprobs"],"top_logprobs":3"#, Some(3)),
        (r#""top_logprobs":3,"include":["message.output_text.logprobs"]"#, Some(3)),
        (r#""top_logprobs":3"#, Some(3)),
    ] {
        check(fields, |r| r.sampling.logprobs = Some(Logprobs { top }));
    }
}

#[test]
fn text() {
    let format = |format| move |r: &mut Request| r.output_format = Some(format);
    check(r#""text":{}"#, |_| {});
    check(r#""text":{"format":{"type":"text"}}"#, format(OutputFormat::Text));
    check(r#""text":{"format":{"type":"json_object"}}"#, format(OutputFormat::JsonObject));
    check(
        r#""text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{"type": "object"},"strict":true}}"#,
        format(OutputFormat::JsonSchema {
            name: "n".into(),
            description: Some("d".into()),
            schema: raw(r#"{"type": "object"}"#),
            strict: Some(true),
        }),
    );
    check_extra(r#""text":{"verbosity":"low","x":1}"#, &[("verbosity", r#""low""#), ("text.x", "1")]);
}

#[test]
fn reasoning() {
    let think = |effort: Option<&str>, visible, more: &[(&str, &str)]| {
        let reasoning = Reasoning { effort: effort.map(str::to_owned), visible, ..Reasoning::default() };
        let more = extra(more);
        move |r: &mut Request| (r.reasoning, r.extra) = (Some(reasoning), more)
    };
    check(r#""reasoning":{"effort":"low"}"#, think(Some("low"), None, &[]));
    check(r#""reasoning":{"summary":"auto","effort":null}"#, think(None, Some(true), &[]));
    let detailed = [("reasoning.summary", r#""detailed""#)];
    check(
        r#""reasoning":{"effort":"high","summary":"detailed"}"#,
        think(Some("high"), Some(true), &detailed),
    );
    check(r#""reasoning":{"generate_summary":"detailed"}"#, think(None, Some(true), &detailed));
    check(r#""reasoning":{"effort":null,"summary":null}"#, |_| {});
    check_extra(r#""reasoning":{"context":"all_turns"}"#, &[("reasoning.context", r#""all_turns""#)]);
}

#[test]
fn tools() {
    let schema = r#"{"type":"object","properties":{}}"#;
    let tool =
        format!(r#"{{"type":"function","name":"f","description":"d","parameters":{schema},"strict":false}}"#);
    check(&format!(r#""tools":[{tool},{{"type":"function","name":"g","parameters":null}}]"#), |r| {
        let f = Tool::Function {
            name: "f".into(),
            description: Some("d".into()),
            parameters: Some(raw(schema)),
            strict: Some(false),
            cache_control: None,
        };
        r.tools = vec![f, function("g")];
    });
    check(r#""tools":[{"type":"function","name":"f","defer_loading":true}]"#, |r| {
        r.tools = vec![function("f")];
        r.extra = extra(&[("tools[0].defer_loading", "true")]);
    });
    check(r#""tools":[{"type":"function","name":"f","parameters":true}]"#, |r| {
        let mut f = function("f");
        if let Tool::Function { parameters, .. } = &mut f {
            *parameters = Some(raw("true"));
        }
        r.tools = vec![f];
    });
    let hosted = r#"{"type":"mcp","server_label":"s"}"#;
    check(&format!(r#""tools":[{hosted}]"#), |r| {
        let (dialect, name) = (Dialect::OpenaiResponses, "mcp".into());
        r.tools = vec![Tool::Hosted { dialect, name, value: raw(hosted) }];
    });
}

#[test]
fn free_text_tools_take_the_shape_of_chat_completions() {
    for (given, shaped) in [
        (r#"{"type":"custom","name":"p"}"#, r#"{"type":"custom","custom":{"name":"p"}}"#),
        (
            r#"{"type":"custom","name":"p","description":"d","format":{"type":"text"}}"#,
            r#"{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"text"}}}"#,
        ),
        (
            r#"{"type":"custom","name":"p","format":{"type":"grammar","syntax":"lark","definition":"start: \"a\""}}"#,
            r#"{"type":"custom","custom":{"name":"p","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: \"a\""}}}}"#,
        ),
    ] {
        check(&format!(r#""tools":[{given}]"#), |r| {
            r.tools = vec![Tool::Custom { name: "p".into(), value: raw(shaped) }];
        });
    }
}

#[test]
fn web_search() {
    for kind in ["web_search", "web_search_preview", "web_search_2025_08_26", "web_search_preview_2025_03_11"]
    {
        check(&format!(r#""tools":[{{"type":"{kind}"}}]"#), |r| r.web_search = Some(WebSearch::default()));
    }
    for kind in ["web_search_20250305", "web_searching", "web_search_2025-08-26"] {
        let request =
            decode(format!(r#"{{"model":"m","input":"q","tools":[{{"type":"{kind}"}}]}}"#).as_bytes());
        assert!(matches!(&request.unwrap().tools[..], [Tool::Hosted { .. }]), "{kind}");
    }
    check(
        r#""tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate"},
        "filters":{"allowed_domains":["a.org"]}}]"#,
        |r| {
            let user_location = Some(raw(r#"{"type":"approximate"}"#));
            r.web_search = Some(WebSearch { context_size: Some("low".into()), user_location });
            r.extra = extra(&[("tools[0].filters", r#"{"allowed_domains":["a.org"]}"#)]);
        },
    );
}

#[test]
fn tool_choice() {
    let allowed =
        |names: [&str; 2], required| ToolChoice::Allowed { names: names.map(str::to_owned).into(), required };
    for (given, choice) in [
        (r#""auto""#, ToolChoice::Auto),
        (r#""none""#, ToolChoice::None),
        (r#""required""#, ToolChoice::Required),
        (r#"{"type":"function","name":"f"}"#, ToolChoice::Named("f".into())),
        (r#"{"type":"custom","name":"p"}"#, ToolChoice::Named("p".into())),
        (
            r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"mcp"}]}"#,
            allowed(["f", "mcp"], true),
        ),
        (
            r#"{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}]}"#,
            allowed(["f", "p"], false),
        ),
    ] {
        check(&format!(r#""tool_choice":{given}"#), |r| r.tool_choice = Some(choice));
    }
    check(
        r#""tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"web_search"},{"type":"custom","name":"p"}]}"#,
        |r| {
            r.tool_choice = Some(ToolChoice::Allowed { names: vec!["p".into()], required: false });
            r.extra = extra(&[("tool_choice.tools[0]", r#"{"type":"web_search"}"#)]);
        },
    );
    let hosted = r#"{"type":"web_search_preview"}"#;
    check_extra(&format!(r#""tool_choice":{hosted}"#), &[("tool_choice", hosted)]);
}

#[test]
fn losses_are_told_in_the_words_of_this_api() {
    let request = decode(
        br#"{"model":"m","instructions":"s","input":[{"role":"user","content":"a"},
        {"role":"assistant","content":"b"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"7"}]}"#,
    );
    for (hub, own) in [
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format", "text.format"),
        ("response_format.json_schema.description", "text.format.description"),
        ("reasoning_effort", "reasoning.effort"),
        ("verbosity", "text.verbosity"),
        ("top_logprobs", "top_logprobs"),
        ("messages[0].content[0]", "instructions.content[0]"),
        ("messages[1].content[0]", "input[0].content[0]"),
        ("messages[2].content[1]", "input[1-2].content[1]"),
        ("messages[3].content[0]", "input[3].content[0]"),
    ] {
        let told =
            ClientDialect::OpenaiResponses.in_own_words(request.as_ref().unwrap(), vec![hub.to_owned()]);
        assert_eq!(told, [own]);
    }
}

#[test]
fn what_a_request_says_about_remembering() {
    let usual =
        StoreOptions { previous_response_id: None, conversation: None, store: true, background: false };
    for (body, expected) in [
        ("{}", usual.clone()),
        (r#"{"store":null,"conversation":null}"#, usual.clone()),
        (
            r#"{"previous_response_id":"resp_1","store":false,"background":true}"#,
            StoreOptions {
                previous_response_id: Some("resp_1".into()),
                store: false,
                background: true,
                ..usual.clone()
            },
        ),
        (
            r#"{"conversation":"conv_1"}"#,
            StoreOptions { conversation: Some("conv_1".into()), ..usual.clone() },
        ),
        (
            r#"{"conversation":{"id":"conv_1"}}"#,
            StoreOptions { conversation: Some("conv_1".into()), ..usual },
        ),
    ] {
        assert_eq!(store_options(&Document::parse(body.as_bytes()).unwrap()).unwrap(), expected, "{body}");
    }
}

#[test]
fn what_an_answer_repeats() {
    for (body, expected) in [
        (r#"{"model":"m","input":"q","user":null,"of_tomorrow":1}"#, vec![]),
        (r#"{"top_p":0.50,"metadata":{"a": "b"}}"#, vec![("metadata", r#"{"a": "b"}"#), ("top_p", "0.50")]),
        (r#"{"conversation":"conv_1"}"#, vec![("conversation", r#"{"id":"conv_1"}"#)]),
        (r#"{"conversation":{"id":"conv_1"}}"#, vec![("conversation", r#"{"id":"conv_1"}"#)]),
        (
            r#"{"text":{"verbosity":"low"}}"#,
            vec![("text", r#"{"verbosity":"low","format":{"type":"text"}}"#)],
        ),
        (r#"{"reasoning":{"effort":"low"}}"#, vec![("reasoning", r#"{"effort":"low","summary":null}"#)]),
        (
            r#"{"tools":[{"type":"function","name":"f","strict":true},{"type":"web_search"}]}"#,
            vec![(
                "tools",
                r#"[{"type":"function","name":"f","strict":true,"description":null,"parameters":null},{"type":"web_search"}]"#,
            )],
        ),
    ] {
        let told = echo(&Document::parse(body.as_bytes()).unwrap());
        assert_eq!(echo(&Document::parse_to(body.as_bytes(), 1).unwrap()), told);
        assert_eq!(told, extra(&expected), "{body}");
    }
}
