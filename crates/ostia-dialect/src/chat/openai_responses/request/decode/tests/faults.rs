use super::decode;

/// The request with these fields is refused with 400, by this path.
#[track_caller]
fn check(body: &str, path: &str) {
    let fault = decode(body.as_bytes()).expect_err(body);
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some(path)), "{body}: {fault}");
    assert!(fault.message.contains(path), "{body}: {fault}");
}

#[test]
fn what_is_missing() {
    check(r#"{"input":"q"}"#, "model");
    check(r#"{"model":"m"}"#, "input");
    check(r#"{"model":"m","input":null}"#, "input");
    check(r#"{"model":"m","input":[]}"#, "input");
    check(r#"{"model":"m","instructions":"s","input":[]}"#, "input");
    for body in ["", "[]", "7", r#"{"model":"m","#] {
        assert_eq!(decode(body.as_bytes()).expect_err(body).status, 400);
    }
}

/// Values of every kind but the named ones.
fn wrong(right: &[&str]) -> Vec<&'static str> {
    let kinds = [
        ("bool", "true"),
        ("number", "1.5"),
        ("string", r#""?""#),
        ("array", "[7]"),
        ("object", r#"{"?":7}"#),
    ];
    kinds.into_iter().filter(|(kind, _)| !right.contains(kind)).map(|(_, value)| value).collect()
}

#[test]
fn fields_of_a_wrong_type() {
    for (name, right) in [
        ("model", &["string"][..]),
        ("input", &["string"]),
        ("instructions", &["string"]),
        ("stream", &["bool"]),
        ("stream_options", &["object"]),
        ("tools", &[]),
        ("tool_choice", &[]),
        ("parallel_tool_calls", &["bool"]),
        ("max_output_tokens", &[]),
        ("max_tool_calls", &[]),
        ("temperature", &["number"]),
        ("top_p", &["number"]),
        ("top_logprobs", &[]),
        ("include", &[]),
        ("text", &["object"]),
        ("reasoning", &["object"]),
        ("user", &["string"]),
        ("service_tier", &["string"]),
        ("truncation", &["string"]),
        ("metadata", &["object"]),
        ("prompt", &["object"]),
        ("prompt_cache_key", &["string"]),
        ("prompt_cache_retention", &["string"]),
        ("safety_identifier", &["string"]),
        ("previous_response_id", &["string"]),
        ("conversation", &["string"]),
        ("store", &["bool"]),
        ("background", &["bool"]),
    ] {
        for value in wrong(right) {
            let body = format!(r#"{{"model":"m","input":"q","{name}":{value}}}"#);
            let fault = decode(body.as_bytes()).expect_err(&body);
            let path = fault.param.clone().unwrap_or_default();
            assert_eq!(fault.status, 400, "{body}");
            // A list or an object may be right, and what is in it wrong.
            assert_eq!(path.split(['.', '[']).next(), Some(name), "{body}: {fault}");
        }
    }
}

#[test]
fn fields_inside_of_fields() {
    for (field, value, path) in [
        ("text", r#"{"format":"json"}"#, "text.format"),
        ("text", r#"{"format":{}}"#, "text.format.type"),
        ("text", r#"{"format":{"type":"xml"}}"#, "text.format.type"),
        ("text", r#"{"format":{"type":"json_schema","name":"n"}}"#, "text.format.schema"),
        ("text", r#"{"format":{"type":"json_schema","schema":{}}}"#, "text.format.name"),
        ("text", r#"{"format":{"type":"json_schema","name":"n","schema":"s"}}"#, "text.format.schema"),
        (
            "text",
            r#"{"format":{"type":"json_schema","name":"n","schema":{},"strict":1}}"#,
            "text.format.strict",
        ),
        ("text", r#"{"verbosity":1}"#, "text.verbosity"),
        ("reasoning", r#"{"effort":1}"#, "reasoning.effort"),
        ("reasoning", r#"{"summary":true}"#, "reasoning.summary"),
        ("include", r#"["a",7]"#, "include[1]"),
        ("conversation", "{}", "conversation.id"),
        ("conversation", r#"{"id":1}"#, "conversation.id"),
        ("tools", "[7]", "tools[0]"),
        ("tools", "[{}]", "tools[0].type"),
        ("tools", r#"[{"type":7}]"#, "tools[0].type"),
        ("tools", r#"[{"type":"function"}]"#, "tools[0].name"),
        ("tools", r#"[{"type":"function","function":{"name":"f"}}]"#, "tools[0].name"),
        ("tools", r#"[{"type":"function","name":"f","parameters":"p"}]"#, "tools[0].parameters"),
        ("tools", r#"[{"type":"function","name":"f","strict":"yes"}]"#, "tools[0].strict"),
        ("tools", r#"[{"type":"function","name":"f","description":1}]"#, "tools[0].description"),
        ("tools", r#"[{"type":"custom"}]"#, "tools[0].name"),
        ("tools", r#"[{"type":"custom","name":"p","format":"text"}]"#, "tools[0].format"),
        ("tools", r#"[{"type":"custom","name":"p","format":{}}]"#, "tools[0].format.type"),
        ("tools", r#"[{"type":"web_search","search_context_size":1}]"#, "tools[0].search_context_size"),
        ("tools", r#"[{"type":"web_search","user_location":"Rome"}]"#, "tools[0].user_location"),
        ("tool_choice", r#""any""#, "tool_choice"),
        ("tool_choice", "{}", "tool_choice.type"),
        ("tool_choice", r#"{"type":"function"}"#, "tool_choice.name"),
        ("tool_choice", r#"{"type":"allowed_tools","tools":[]}"#, "tool_choice.mode"),
        ("tool_choice", r#"{"type":"allowed_tools","mode":"some","tools":[]}"#, "tool_choice.mode"),
        ("tool_choice", r#"{"type":"allowed_tools","mode":"auto"}"#, "tool_choice.tools"),
        (
            "tool_choice",
            r#"{"type":"allowed_tools","mode":"auto","tools":[{}]}"#,
            "tool_choice.tools[0].type",
        ),
    ] {
        check(&format!(r#"{{"model":"m","input":"q","{field}":{value}}}"#), path);
    }
}

#[test]
fn items() {
    for (item, path) in [
        ("7", ""),
        ("{}", ".type"),
        (r#"{"type":7}"#, ".type"),
        (r#"{"type":"message","content":"a"}"#, ".role"),
        (r#"{"role":"tool","content":"a"}"#, ".role"),
        (r#"{"role":7,"content":"a"}"#, ".role"),
        (r#"{"role":"user"}"#, ".content"),
        (r#"{"role":"user","content":7}"#, ".content"),
        (r#"{"role":"user","content":["a"]}"#, ".content[0]"),
        (r#"{"role":"user","content":[{"text":"a"}]}"#, ".content[0].type"),
        (r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}"#, ".content[0].type"),
        (r#"{"role":"user","content":[{"type":"input_text"}]}"#, ".content[0].text"),
        (r#"{"role":"user","content":[{"type":"input_image"}]}"#, ".content[0]"),
        (
            r#"{"role":"user","content":[{"type":"input_image","image_url":{"url":"u"}}]}"#,
            ".content[0].image_url",
        ),
        (r#"{"role":"user","content":[{"type":"input_image","file_id":7}]}"#, ".content[0].file_id"),
        (
            r#"{"role":"user","content":[{"type":"input_image","file_id":"f","detail":1}]}"#,
            ".content[0].detail",
        ),
        (r#"{"role":"user","content":[{"type":"input_file","filename":"a.pdf"}]}"#, ".content[0]"),
        (r#"{"role":"user","content":[{"type":"input_file","file_data":7}]}"#, ".content[0].file_data"),
        (r#"{"role":"user","content":[{"type":"input_file","file_url":7}]}"#, ".content[0].file_url"),
        (
            r#"{"role":"user","content":[{"type":"input_file","file_id":"f","filename":7}]}"#,
            ".content[0].filename",
        ),
        (r#"{"role":"user","content":[{"type":"input_audio"}]}"#, ".content[0].input_audio"),
        (
            r#"{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}"#,
            ".content[0].input_audio.data",
        ),
        (r#"{"role":"assistant","content":[{"type":"refusal"}]}"#, ".content[0].refusal"),
        (
            r#"{"role":"assistant","content":[{"type":"output_text","text":"a","annotations":{}}]}"#,
            ".content[0].annotations",
        ),
        (
            r#"{"role":"assistant","content":[{"type":"output_text","text":"a","annotations":[7]}]}"#,
            ".content[0].annotations[0]",
        ),
        (r#"{"type":"function_call","name":"f","arguments":"{}"}"#, ".call_id"),
        (r#"{"type":"function_call","call_id":"c","arguments":"{}"}"#, ".name"),
        (r#"{"type":"function_call","call_id":"c","name":"f","arguments":7}"#, ".arguments"),
        (r#"{"type":"custom_tool_call","call_id":"c","name":"f","input":{}}"#, ".input"),
        (r#"{"type":"function_call_output","output":"7"}"#, ".call_id"),
        (r#"{"type":"function_call_output","call_id":"c"}"#, ".output"),
        (r#"{"type":"function_call_output","call_id":"c","output":{"a":1}}"#, ".output"),
        (r#"{"type":"function_call_output","call_id":"c","output":[{"type":"x"}]}"#, ".output[0].type"),
        (r#"{"type":"custom_tool_call_output","call_id":7,"output":"7"}"#, ".call_id"),
        (r#"{"type":"reasoning","summary":"s"}"#, ".summary"),
        (r#"{"type":"reasoning","summary":[{"type":"summary_text"}]}"#, ".summary[0].text"),
        (r#"{"type":"reasoning","summary":[],"content":[{"text":7}]}"#, ".content[0].text"),
        (r#"{"type":"reasoning","summary":[],"encrypted_content":7}"#, ".encrypted_content"),
    ] {
        let said = r#"{"role":"user","content":"a"}"#;
        check(&format!(r#"{{"model":"m","input":[{said},{item}]}}"#), &format!("input[1]{path}"));
    }
}

#[test]
fn references_to_what_is_not_remembered_say_what_to_do() {
    for item in [r#"{"type":"item_reference","id":"msg_1"}"#, r#"{"id":"msg_1"}"#] {
        let body = format!(r#"{{"model":"m","input":[{item}]}}"#);
        let fault = decode(body.as_bytes()).unwrap_err();
        assert!(
            fault.message.contains("`msg_1`") && fault.message.contains("send the item itself"),
            "{fault}"
        );
        check(&body, "input[0]");
    }
}
