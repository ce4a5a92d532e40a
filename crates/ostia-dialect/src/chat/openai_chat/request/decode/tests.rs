#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use crate::test_support::{call, decoded, raw, thought, turn};
use crate::{
    Block, ClientDialect, Content, Dialect, Fault, Logprobs, Media, MediaKind, Message, OutputFormat,
    Reasoning, Request, Role, Sampling, Signature, Source, Tool, ToolChoice, ToolKind, WebSearch,
};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::OpenaiChat, body)
}

/// The request with these fields beside model and one message is the plain one after this change.
#[track_caller]
fn check(fields: &str, change: impl FnOnce(&mut Request)) {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"q"}}],{fields}}}"#);
    let mut expected =
        Request { model: "m".into(), messages: vec![Message::text(Role::User, "q")], ..Request::default() };
    change(&mut expected);
    assert_eq!(decode(body.as_bytes()).unwrap(), expected, "{fields}");
}

/// The request with these messages holds these, and reports these paths as unknown.
#[track_caller]
fn check_messages(messages: &str, expected: Vec<Message>, unknown: &[&str]) {
    let request = decode(format!(r#"{{"model":"m","messages":[{messages}]}}"#).as_bytes()).unwrap();
    assert_eq!(request.messages, expected, "{messages}");
    let paths: Vec<&str> = request.extra.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, unknown, "{messages}");
}

#[track_caller]
fn check_block(part: &str, expected: Content) {
    let block = Block::new(expected);
    let message = Message { role: Role::User, name: None, blocks: vec![block] };
    check_messages(&format!(r#"{{"role":"user","content":[{part}]}}"#), vec![message], &[]);
}

fn think(change: impl FnOnce(&mut Reasoning)) -> impl FnOnce(&mut Request) {
    move |request| change(request.reasoning.get_or_insert_default())
}

fn extra(fields: &[(&str, &str)]) -> Vec<(String, crate::json::Json)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), raw(value))).collect()
}

#[test]
fn plain_fields() {
    check(r#""stream":true,"stream_options":{"include_usage":true}"#, |r| {
        (r.stream, r.include_usage) = (true, true);
    });
    check(r#""user":"u","service_tier":"flex""#, |r| {
        (r.user, r.service_tier) = (Some("u".into()), Some("flex".into()));
    });
    check(r#""parallel_tool_calls":false"#, |r| r.parallel_tool_calls = Some(false));
    check(r#""cache_control":{"type":"ephemeral"}"#, |r| {
        r.cache_control = Some(raw(r#"{"type":"ephemeral"}"#))
    });
    check(
        r#""web_search_options":{"search_context_size":"low","user_location":{"type":"approximate"}}"#,
        |r| {
            let user_location = Some(raw(r#"{"type":"approximate"}"#));
            r.web_search = Some(WebSearch { context_size: Some("low".into()), user_location });
        },
    );
    check(r#""tools":null,"stop":null,"reasoning":null,"n":null"#, |_| {});
}

#[test]
fn sampling() {
    let fields = r#""max_completion_tokens":5,"max_tokens":9,"temperature":0.50,"top_p":1,"top_k":4,"stop":["a","b"],
        "seed":-3,"presence_penalty":0,"frequency_penalty":1e-1,"n":2,"logprobs":true,"top_logprobs":3,
        "logit_bias":{"12":-100}"#;
    check(fields, |r| {
        r.sampling = Sampling {
            max_tokens: Some(5),
            temperature: Some(raw("0.50")),
            top_p: Some(raw("1")),
            top_k: Some(raw("4")),
            stop: vec!["a".into(), "b".into()],
            seed: Some(raw("-3")),
            presence_penalty: Some(raw("0")),
            frequency_penalty: Some(raw("1e-1")),
            n: Some(2),
            logprobs: Some(Logprobs { top: Some(3) }),
            logit_bias: Some(raw(r#"{"12":-100}"#)),
        }
    });
    check(r#""max_tokens":9,"max_completion_tokens":5"#, |r| r.sampling.max_tokens = Some(5));
    check(r#""max_tokens":9"#, |r| r.sampling.max_tokens = Some(9));
    check(r#""stop":"a""#, |r| r.sampling.stop = vec!["a".into()]);
    check(r#""logprobs":true"#, |r| r.sampling.logprobs = Some(Logprobs { top: None }));
    check(r#""top_logprobs":2,"logprobs":true"#, |r| r.sampling.logprobs = Some(Logprobs { top: Some(2) }));
    check(r#""logprobs":false"#, |_| {});
}

#[test]
fn thinking() {
    check(r#""reasoning_effort":"low""#, think(|r| r.effort = Some("low".into())));
    check(
        r#""reasoning":{"effort":"high","max_tokens":9,"enabled":true,"exclude":true}"#,
        think(|r| {
            *r = Reasoning {
                effort: Some("high".into()),
                budget_tokens: Some(9),
                enabled: Some(true),
                adaptive: false,
                visible: Some(false),
            }
        }),
    );
    let on = think(|r| (r.enabled, r.budget_tokens) = (Some(true), Some(2000)));
    check(r#""thinking":{"type":"enabled","budget_tokens":2000}"#, on);
    check(r#""thinking":{"type":"disabled"}"#, think(|r| r.enabled = Some(false)));
    let adaptive = think(|r| (r.enabled, r.adaptive, r.visible) = (Some(true), true, Some(false)));
    check(r#""thinking":{"type":"adaptive","display":"omitted"}"#, adaptive);
}

#[test]
fn output_formats() {
    check(r#""response_format":{"type":"text"}"#, |r| r.output_format = Some(OutputFormat::Text));
    check(r#""response_format":{"type":"json_object"}"#, |r| {
        r.output_format = Some(OutputFormat::JsonObject)
    });
    let schema = r#"{"type":"object","properties":{"b":{},"a":{}}}"#;
    let format = format!(
        r#""response_format":{{"type":"json_schema","json_schema":{{"name":"n","description":"d","schema":{schema},"strict":true}}}}"#
    );
    check(&format, |r| {
        r.output_format = Some(OutputFormat::JsonSchema {
            name: "n".into(),
            description: Some("d".into()),
            schema: raw(schema),
            strict: Some(true),
        });
    });
}

#[test]
fn tools() {
    let function = |strict| Tool::Function {
        name: "f".into(),
        description: Some("d".into()),
        parameters: Some(raw(r#"{"type":"object"}"#)),
        strict,
        cache_control: None,
    };
    let inner = r#""name":"f","description":"d","parameters":{"type":"object"}"#;
    check(&format!(r#""tools":[{{"type":"function","function":{{{inner},"strict":true}}}}]"#), |r| {
        r.tools = vec![function(Some(true))];
    });
    check(&format!(r#""tools":[{{"function":{{{inner}}}}}]"#), |r| r.tools = vec![function(None)]);
    check(&format!(r#""functions":[{{{inner}}}]"#), |r| r.tools = vec![function(None)]);
    let marked =
        r#""tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]"#;
    check(marked, |r| {
        r.tools = vec![Tool::Function {
            name: "f".into(),
            description: None,
            parameters: None,
            strict: None,
            cache_control: Some(raw(r#"{"type":"ephemeral"}"#)),
        }];
    });
    let custom = r#"{"type":"custom","custom":{"name":"c","format":{"type":"text"}}}"#;
    check(&format!(r#""tools":[{custom}]"#), |r| {
        r.tools = vec![Tool::Custom { name: "c".into(), value: raw(custom) }];
    });
}

#[test]
fn tools_that_the_vendor_runs() {
    for (tool, dialect, name, value) in [
        (
            r#"{"type":"web_search_20250305","name":"web_search"}"#,
            Dialect::AnthropicMessages,
            "web_search_20250305",
            None,
        ),
        (
            r#"{"type":"x","x":{"name":"x_20250305","max":1}}"#,
            Dialect::AnthropicMessages,
            "x_20250305",
            Some(r#"{"type":"x_20250305","name":"x","max":1}"#),
        ),
        (r#"{"googleSearch":{}}"#, Dialect::GeminiGenerate, "googleSearch", None),
        (r#"{"type":"browser"}"#, Dialect::OpenaiChat, "browser", None),
    ] {
        let value = raw(value.unwrap_or(tool));
        check(&format!(r#""tools":[{tool}]"#), |r| {
            r.tools = vec![Tool::Hosted { dialect, name: name.into(), value }];
        });
    }
}

#[test]
fn tool_choices() {
    let named = || ToolChoice::Named("f".into());
    for (choice, expected) in [
        (r#""auto""#, ToolChoice::Auto),
        (r#""none""#, ToolChoice::None),
        (r#""required""#, ToolChoice::Required),
        (r#""any""#, ToolChoice::Required),
        (r#"{"type":"function","function":{"name":"f"}}"#, named()),
        (r#"{"type":"custom","custom":{"name":"f"}}"#, named()),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"name":"g"}]}}"#,
            ToolChoice::Allowed { names: vec!["f".into(), "g".into()], required: true },
        ),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#,
            ToolChoice::Allowed { names: vec![], required: false },
        ),
    ] {
        check(&format!(r#""tool_choice":{choice}"#), |r| r.tool_choice = Some(expected));
    }
    check(r#""function_call":"none""#, |r| r.tool_choice = Some(ToolChoice::None));
    check(r#""function_call":{"name":"f"}"#, |r| r.tool_choice = Some(named()));
}

#[test]
fn unknown_fields_are_kept_by_path() {
    check(r#""metadata":{"a":"b"},"verbosity":"low","store":null"#, |r| {
        r.extra = extra(&[("metadata", r#"{"a":"b"}"#), ("verbosity", r#""low""#)]);
    });
    check(r#""stream_options":{"include_obfuscation":false},"reasoning":{"summary":"auto"}"#, |r| {
        r.reasoning = Some(Reasoning::default());
        r.extra =
            extra(&[("stream_options.include_obfuscation", "false"), ("reasoning.summary", r#""auto""#)]);
    });
    check(r#""response_format":{"type":"json_object","x":1},"web_search_options":{"y":2}"#, |r| {
        (r.output_format, r.web_search) = (Some(OutputFormat::JsonObject), Some(WebSearch::default()));
        r.extra = extra(&[("response_format.x", "1"), ("web_search_options.y", "2")]);
    });
    check(r#""tools":[{"type":"function","function":{"name":"f","x":1},"y":2}]"#, |r| {
        let (name, description, parameters) = ("f".to_owned(), None, None);
        r.tools = vec![Tool::Function { name, description, parameters, strict: None, cache_control: None }];
        r.extra = extra(&[("tools[0].function.x", "1"), ("tools[0].y", "2")]);
    });
}

#[test]
fn turns() {
    check_messages(
        r#"{"role":"system","content":"s","name":"op"},{"role":"developer","content":[{"type":"text","text":"d"}]},{"role":"user","content":""}"#,
        vec![
            Message { role: Role::System, name: Some("op".into()), blocks: vec![Block::text("s")] },
            Message::text(Role::Developer, "d"),
            Message::text(Role::User, ""),
        ],
        &[],
    );
    let mut marked = Block::text("q");
    marked.cache_control = Some(raw(r#"{"type":"ephemeral"}"#));
    check_messages(
        r#"{"role":"user","content":"q","cache_control":{"type":"ephemeral"},"x":1},{"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral"},"y":2}]}"#,
        vec![turn(Role::User, vec![marked.clone()]), turn(Role::User, vec![marked])],
        &["messages[0].x", "messages[1].content[0].y"],
    );
}

#[test]
fn assistant_turns() {
    let custom = Block::new(Content::ToolCall {
        id: "b".into(),
        name: "g".into(),
        arguments: "free".into(),
        kind: ToolKind::Custom,
    });
    let mut signed = call("c", "f", "{\"a\":1}");
    signed.signature = Some(Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
    check_messages(
        r#"{"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{}"},"z":1},
            {"id":"b","type":"custom","custom":{"name":"g","input":"free"}},
            {"id":"c","function":{"name":"f","arguments":{"a":1}},"extra_content":{"google":{"thought_signature":"s"}}}]}"#,
        vec![turn(Role::Assistant, vec![thought("r"), call("a", "f", "{}"), custom, signed])],
        &["messages[0].tool_calls[0].z"],
    );
    // As Snowflake wrote it: every field that there is, filled in.
    check_messages(
        r#"{"role":"assistant","tool_calls":[
            {"id":"a","type":"function","custom":{"name":"","input":""},"function":{"name":"f","arguments":"{}"}}]}"#,
        vec![turn(Role::Assistant, vec![call("a", "f", "{}")])],
        &[],
    );
    let refused = Block::new(Content::Refusal("no".into()));
    let value = raw(r#"{"audio":{"id":"a"}}"#);
    let spoken = Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value });
    check_messages(
        r#"{"role":"assistant","content":"x","refusal":"no","audio":{"id":"a"}},{"role":"assistant"},{"role":"assistant","content":[{"type":"refusal","refusal":"no"}],"refusal":null}"#,
        vec![
            turn(Role::Assistant, vec![Block::text("x"), spoken, refused.clone()]),
            turn(Role::Assistant, vec![]),
            turn(Role::Assistant, vec![refused]),
        ],
        &[],
    );
}

#[test]
fn blocks_that_a_non_strict_answer_showed_win() {
    let mut thought = thought("t");
    thought.signature = Some(Signature { dialect: Dialect::AnthropicMessages, value: "s".into() });
    let hidden = r#"{"type":"redacted_thinking","data":"d"}"#;
    let foreign = Content::Foreign { dialect: Dialect::AnthropicMessages, value: raw(hidden) };
    check_messages(
        &format!(
            r#"{{"role":"assistant","content":"x","reasoning_content":"t","content_blocks":[{{"type":"thinking","thinking":"t","signature":"s"}},{hidden},{{"type":"text","text":"x"}}]}}"#
        ),
        vec![turn(Role::Assistant, vec![thought, Block::new(foreign), Block::text("x")])],
        &[],
    );
}

#[test]
fn what_was_wrapped_comes_out_again() {
    let value = raw(r#"{"type":"web_search_call"}"#);
    let foreign = Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value });
    let mut signed = call("c", "f", "{}");
    signed.signature = Some(Signature { dialect: Dialect::AnthropicMessages, value: "s".into() });
    check_messages(
        r#"{"role":"assistant","content":null,"content_blocks":[
            {"type":"redacted_thinking","data":"ostia1.foreign.openai_responses.eyJ0eXBlIjoid2ViX3NlYXJjaF9jYWxsIn0"}],
            "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},
            "extra_content":{"google":{"thought_signature":"ostia1.own.anthropic_messages.cw"}}}]}"#,
        vec![turn(Role::Assistant, vec![foreign, signed])],
        &[],
    );
}

#[test]
fn results_of_tools() {
    let result = |id: &str, name: Option<&str>, content, is_error| {
        let (id, name) = (id.to_owned(), name.map(str::to_owned));
        turn(Role::Tool, vec![Block::new(Content::ToolResult { id, name, content, is_error })])
    };
    check_messages(
        r#"{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"},
           {"role":"tool","tool_call_id":"c","name":"f","content":[{"type":"text","text":"2"}],"is_error":true},
           {"role":"tool","tool_call_id":"d","content":null}"#,
        vec![
            turn(Role::Assistant, vec![call("f", "f", "{}")]),
            result("f", Some("f"), vec![Block::text("1")], false),
            result("c", Some("f"), vec![Block::text("2")], true),
            result("d", None, vec![], false),
        ],
        &[],
    );
}

#[test]
fn media_parts() {
    let media = |kind, source, mime: Option<&str>| {
        Content::Media(Media { kind, source, mime: mime.map(str::to_owned), name: None, detail: None })
    };
    let data = || Source::Base64("AAAA".into());
    let url = || Source::Url("https://x/y".into());
    for (part, expected) in [
        (r#"{"type":"image_url","image_url":{"url":"https://x/y"}}"#, media(MediaKind::Image, url(), None)),
        (r#"{"type":"image_url","image_url":"https://x/y"}"#, media(MediaKind::Image, url(), None)),
        (
            r#"{"type":"image_url","image_url":{"url":"https://x/y","mime_type":"image/gif"}}"#,
            media(MediaKind::Image, url(), Some("image/gif")),
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#,
            media(MediaKind::Image, data(), Some("image/png")),
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"DATA:IMAGE/PNG;x=y;base64,AAAA"}}"#,
            media(MediaKind::Image, data(), Some("IMAGE/PNG")),
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"data:video/mp4;base64,AAAA"}}"#,
            media(MediaKind::Video, data(), Some("video/mp4")),
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}"#,
            media(MediaKind::Audio, data(), Some("audio/wav")),
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"data:audio/mp3;base64,AAAA"}}"#,
            media(MediaKind::Audio, data(), Some("audio/mp3")),
        ),
        (
            r#"{"type":"file","file":{"file_id":"f1"}}"#,
            media(MediaKind::Document, Source::FileId("f1".into()), None),
        ),
        (
            r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}"#,
            media(MediaKind::Document, data(), Some("application/pdf")),
        ),
        (
            r#"{"type":"file","file":{"file_url":"https://x/y","mime_type":"audio/ogg"}}"#,
            media(MediaKind::Audio, url(), Some("audio/ogg")),
        ),
    ] {
        check_block(part, expected);
    }
    let (kind, name) = (MediaKind::Document, Some("A.PDF".to_owned()));
    let mime = Some("application/pdf".to_owned());
    check_block(
        r#"{"type":"file","file":{"file_data":"AAAA","filename":"A.PDF"}}"#,
        Content::Media(Media { kind, source: data(), mime, name, detail: None }),
    );
    let (kind, detail) = (MediaKind::Image, Some("low".to_owned()));
    check_block(
        r#"{"type":"image_url","image_url":{"url":"https://x/y","detail":"low"}}"#,
        Content::Media(Media { kind, source: url(), mime: None, name: None, detail }),
    );
}

#[test]
fn foreign_parts() {
    for (part, dialect) in [
        (r#"{"type":"document","source":{"type":"text","data":"d"}}"#, Dialect::AnthropicMessages),
        (r#"{"fileData":{"fileUri":"gs://x"}}"#, Dialect::GeminiGenerate),
    ] {
        check_block(part, Content::Foreign { dialect, value: raw(part) });
    }
    check_block(r#"{"text":"untyped"}"#, Content::Text { text: "untyped".into(), citations: vec![] });
}

/// A body that is refused, the field that is blamed and words of the advice.
#[track_caller]
fn refused(body: &str, param: Option<&str>, advice: &str) {
    let fault = decode(body.as_bytes()).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, param), "{body}: {fault}");
    assert!(fault.message.contains(advice), "{body}: {fault}");
}

#[test]
fn mistakes_are_named_with_their_remedy() {
    refused("{", None, "not valid JSON at byte 1");
    refused("[]", None, "must be an object, not an array");
    refused(r#"{"messages":[{"role":"user","content":"q"}]}"#, Some("model"), "required");
    refused(r#"{"model":"m"}"#, Some("messages"), "required");
    refused(r#"{"model":null,"messages":[{"role":"user","content":"q"}]}"#, Some("model"), "required");
    refused(r#"{"model":"m","messages":[]}"#, Some("messages"), "at least one message");
    refused(r#"{"model":"m","messages":"q"}"#, Some("messages"), "must be an array, not a string");
    for (field, param, advice) in [
        (r#""model":3"#, "model", "must be a string, not a number"),
        (r#""temperature":"hot""#, "temperature", "must be a number, not a string"),
        (r#""max_tokens":-1"#, "max_tokens", "whole number"),
        (r#""n":1.5"#, "n", "whole number"),
        (r#""stream":"yes""#, "stream", "true or false"),
        (r#""stream_options":{"include_usage":1}"#, "stream_options.include_usage", "true or false"),
        (r#""stop":[1]"#, "stop[0]", "must be a string"),
        (r#""logit_bias":[]"#, "logit_bias", "must be an object"),
        (r#""tools":{}"#, "tools", "must be an array"),
        (r#""tools":[{}]"#, "tools[0].type", "required"),
        (r#""tools":[{"type":"function"}]"#, "tools[0].function", "required"),
        (r#""tools":[{"type":"function","function":{}}]"#, "tools[0].function.name", "required"),
        (
            r#""tools":[{"type":"function","function":{"name":"f","description":1}}]"#,
            "tools[0].function.description",
            "must be a string",
        ),
        (
            r#""tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]"#,
            "tools[0].function.parameters",
            "must be an object",
        ),
        (r#""tool_choice":"maybe""#, "tool_choice", "auto, none, required"),
        (r#""tool_choice":{"type":"odd"}"#, "tool_choice.type", "function, custom or allowed_tools"),
        (r#""tool_choice":{"type":"function"}"#, "tool_choice.function", "required"),
        (r#""response_format":{"type":"yaml"}"#, "response_format.type", "json_schema"),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"n"}}"#,
            "response_format.json_schema.schema",
            "required",
        ),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"schema":7}}"#,
            "response_format.json_schema.schema",
            "must be an object",
        ),
        (r#""reasoning_effort":3"#, "reasoning_effort", "must be a string"),
        (r#""reasoning":{"max_tokens":"x"}"#, "reasoning.max_tokens", "whole number"),
        (r#""thinking":{"type":"on"}"#, "thinking.type", "enabled, disabled or adaptive"),
        (r#""user":{}"#, "user", "must be a string"),
    ] {
        refused(
            &format!(r#"{{"model":"m","messages":[{{"role":"user","content":"q"}}],{field}}}"#),
            Some(param),
            advice,
        );
    }
    for (message, param, advice) in [
        (r#"{}"#, "messages[0].role", "required"),
        (r#"{"role":"robot","content":"q"}"#, "messages[0].role", "must be system"),
        (r#"{"role":"user"}"#, "messages[0].content", "required"),
        (r#"{"role":"user","content":3}"#, "messages[0].content", "string or an array"),
        (r#"{"role":"user","content":["q"]}"#, "messages[0].content[0]", "must be an object"),
        (r#"{"role":"user","content":[{}]}"#, "messages[0].content[0].type", "required"),
        (r#"{"role":"user","content":[{"type":"text"}]}"#, "messages[0].content[0].text", "required"),
        (
            r#"{"role":"user","content":[{"type":"image_url","image_url":{}}]}"#,
            "messages[0].content[0].image_url.url",
            "required",
        ),
        (
            r#"{"role":"user","content":[{"type":"file","file":{}}]}"#,
            "messages[0].content[0].file.file_id",
            "required",
        ),
        (r#"{"role":"user","content":"q","name":3}"#, "messages[0].name", "must be a string"),
        (r#"{"role":"tool","content":"x"}"#, "messages[0].tool_call_id", "required"),
        (r#"{"role":"function","content":"x"}"#, "messages[0].tool_call_id", "required"),
        (r#"{"role":"assistant","tool_calls":{}}"#, "messages[0].tool_calls", "must be an array"),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c"}]}"#,
            "messages[0].tool_calls[0].function",
            "required",
        ),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":3}}]}"#,
            "messages[0].tool_calls[0].function.arguments",
            "must be a string",
        ),
    ] {
        refused(&format!(r#"{{"model":"m","messages":[{message}]}}"#), Some(param), advice);
    }
}
