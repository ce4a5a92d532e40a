#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod results;

use serde_json::{Value, json};

use super::encode;
use crate::json::Json;
use crate::test_support::{call, raw, signed, turn};
use crate::{
    Block, Content, Dialect, Logprobs, Media, MediaKind, Message, OutputFormat, Reasoning, Request, Role,
    Source, Tool, ToolChoice, WebSearch,
};

/// The body and the dropped paths that a request has to give.
fn check(request: Request, body: Value, dropped: &[&str]) {
    let encoded = encode(&request).unwrap();
    let got: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(got, body, "{got:#}");
    assert_eq!(encoded.dropped, dropped);
}

/// Only one field of the body, and the dropped paths.
fn check_field(request: Request, name: &str, field: Value, dropped: &[&str]) {
    let encoded = encode(&request).unwrap();
    let got: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(got[name], field, "{got:#}");
    assert_eq!(encoded.dropped, dropped);
}

fn ask(model: &str) -> Request {
    let messages = vec![Message::text(Role::User, "Hi")];
    Request { model: model.to_owned(), messages, ..Request::default() }
}

fn result(id: &str, content: Vec<Block>, is_error: bool) -> Message {
    let content = Content::ToolResult { id: id.to_owned(), name: None, content, is_error };
    turn(Role::Tool, vec![Block::new(content)])
}

fn media(kind: MediaKind, source: Source, mime: Option<&str>) -> Block {
    let mime = mime.map(str::to_owned);
    Block::new(Content::Media(Media { kind, source, mime, name: None, detail: None }))
}

fn function(name: &str, parameters: Option<Value>) -> Tool {
    let parameters = parameters.map(raw);
    Tool::Function { name: name.to_owned(), description: None, parameters, strict: None, cache_control: None }
}

#[test]
fn turns_are_sorted_and_merged() {
    let mut request = ask("gemini-2.5-flash");
    request.messages = vec![
        Message::text(Role::System, "Be kind."),
        Message::text(Role::User, "One"),
        Message::text(Role::Developer, "Be brief."),
        Message::text(Role::User, "Two"),
        Message::text(Role::Assistant, "Three"),
        Message::text(Role::User, ""),
    ];
    request.messages[1].name = Some("ann".to_owned());
    let body = json!({
        "systemInstruction": { "parts": [{ "text": "Be kind." }, { "text": "Be brief." }] },
        "contents": [
            { "role": "user", "parts": [{ "text": "One" }, { "text": "Two" }] },
            { "role": "model", "parts": [{ "text": "Three" }] },
        ],
    });
    check(request, body, &["messages[1].name"]);
}

#[test]
fn a_conversation_of_system_turns_only_becomes_the_question() {
    let mut request = ask("gemini-2.5-flash");
    request.messages = vec![Message::text(Role::System, "Say hello.")];
    check(request, json!({ "contents": [{ "role": "user", "parts": [{ "text": "Say hello." }] }] }), &[]);
}

#[test]
fn media_go_inline_or_by_address() {
    let mut request = ask("gemini-2.5-flash");
    request.messages[0].blocks = vec![
        media(MediaKind::Image, Source::Base64("iVBORw0KGgoAAA".to_owned()), None),
        media(MediaKind::Audio, Source::Base64("AAAA".to_owned()), Some("audio/opus")),
        media(MediaKind::Image, Source::Url("https://a.example/cat.webp?x=1".to_owned()), None),
        media(MediaKind::Document, Source::FileId("files/abc".to_owned()), None),
        media(MediaKind::Document, Source::Text("plain".to_owned()), None),
    ];
    let parts = json!([{ "role": "user", "parts": [
        { "inlineData": { "mimeType": "image/png", "data": "iVBORw0KGgoAAA" } },
        { "inlineData": { "mimeType": "audio/ogg", "data": "AAAA" } },
        { "fileData": { "mimeType": "image/webp", "fileUri": "https://a.example/cat.webp?x=1" } },
        { "fileData": { "fileUri": "files/abc" } },
        { "text": "plain" },
    ] }]);
    check_field(request, "contents", parts, &[]);
}

/// Two steps of calls in the current turn and one in an older turn.
fn steps(model: &str) -> Request {
    let mut request = ask(model);
    request.messages.extend([
        turn(Role::Assistant, vec![call("c0", "old", "{}")]),
        result("c0", vec![Block::text("done")], false),
        Message::text(Role::User, "Go on"),
        turn(Role::Assistant, vec![Block::text("Wait."), call("c1", "a", "{\"x\": 1}"), call("c2", "b", "")]),
        result("c1", vec![Block::text("{\"y\": 2}")], false),
        result("c2", vec![Block::text("broken")], true),
    ]);
    request
}

#[test]
fn calls_and_results_keep_their_text_ids_and_names() {
    let contents = json!([
        { "role": "user", "parts": [{ "text": "Hi" }] },
        { "role": "model", "parts": [{ "functionCall": { "id": "c0", "name": "old", "args": {} } }] },
        { "role": "user", "parts": [
            { "functionResponse": { "id": "c0", "name": "old", "response": { "output": "done" } } },
            { "text": "Go on" },
        ] },
        { "role": "model", "parts": [
            { "text": "Wait." },
            { "functionCall": { "id": "c1", "name": "a", "args": { "x": 1 } } },
            { "functionCall": { "id": "c2", "name": "b", "args": {} } },
        ] },
        { "role": "user", "parts": [
            { "functionResponse": { "id": "c1", "name": "a", "response": { "y": 2 } } },
            { "functionResponse": { "id": "c2", "name": "b", "response": { "error": "broken" } } },
        ] },
    ]);
    check_field(steps("gemini-2.5-flash"), "contents", contents, &[]);
}

#[test]
fn models_that_insist_on_signatures_get_one_for_the_first_call_of_a_step() {
    let signatures = |request: &Request| -> Vec<Value> {
        let body: Value = serde_json::from_slice(&encode(request).unwrap().body).unwrap();
        let turns = body["contents"].as_array().unwrap().clone();
        let parts = turns.iter().flat_map(|turn| turn["parts"].as_array().unwrap().clone());
        let calls = parts.filter(|part| part.get("functionCall").is_some());
        calls.map(|part| part["thoughtSignature"].clone()).collect()
    };
    let skip = json!("skip_thought_signature_validator");
    assert_eq!(signatures(&steps("gemini-3-flash-preview")), [skip.clone(), skip.clone(), Value::Null]);
    assert_eq!(signatures(&steps("gemini-2.5-pro")), [Value::Null, Value::Null, Value::Null]);
    let mut real = steps("gemini-3-pro-preview");
    let first = real.messages[4].blocks[1].clone();
    real.messages[4].blocks[1] = signed(first, Dialect::GeminiGenerate, "c2ln");
    real.messages.insert(4, Message::text(Role::User, "now"));
    real.messages.remove(2);
    assert_eq!(signatures(&real), [Value::Null, json!("c2ln"), Value::Null]);
}

#[test]
fn arguments_that_are_no_object_are_put_into_one() {
    for arguments in ["{\"x\":", "[1]", "\"text\""] {
        let mut request = ask("gemini-2.5-flash");
        let blocks = vec![call("c1", "a", "{}"), call("c2", "a", arguments)];
        request.messages.push(turn(Role::Assistant, blocks));
        let encoded = encode(&request).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        let args = |at: usize| body["contents"][1]["parts"][at]["functionCall"]["args"].clone();
        assert_eq!((args(0), args(1)), (json!({}), json!({ "INVALID_JSON": arguments })));
    }
}

#[test]
fn media_in_results_stand_where_the_model_sees_them() {
    let image = || media(MediaKind::Image, Source::Base64("/9j/AA".to_owned()), None);
    let request = |model| {
        let mut request = ask(model);
        request.messages.push(turn(Role::Assistant, vec![call("c1", "shot", "{}")]));
        request.messages.push(result("c1", vec![Block::text("ok"), image()], false));
        request
    };
    let blob = json!({ "inlineData": { "mimeType": "image/jpeg", "data": "/9j/AA" } });
    let last = |model| -> Value {
        let body: Value = serde_json::from_slice(&encode(&request(model)).unwrap().body).unwrap();
        body["contents"][2]["parts"].clone()
    };
    let answer = json!({ "id": "c1", "name": "shot", "response": { "output": "ok" } });
    assert_eq!(last("gemini-2.5-flash"), json!([{ "functionResponse": answer }, blob]));
    let mut inside = answer;
    inside["parts"] = json!([blob]);
    assert_eq!(last("gemini-3.1-pro-preview"), json!([{ "functionResponse": inside }]));
}

#[test]
fn answers_stand_before_what_else_the_user_shows() {
    let mut request = ask("gemini-2.5-flash");
    let image = media(MediaKind::Image, Source::Base64("/9j/AA".to_owned()), None);
    let foreign = Block::new(Content::Foreign { dialect: Dialect::AnthropicMessages, value: raw(json!({})) });
    request.messages.push(turn(Role::Assistant, vec![call("c1", "a", "{}"), call("c2", "b", "{}")]));
    request.messages.push(result("c1", vec![image, foreign], false));
    request.messages.push(result("c2", vec![Block::text("two")], false));
    let encoded = encode(&request).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let parts = json!([
        { "functionResponse": { "id": "c1", "name": "a", "response": { "output": "" } } },
        { "functionResponse": { "id": "c2", "name": "b", "response": { "output": "two" } } },
        { "inlineData": { "mimeType": "image/jpeg", "data": "/9j/AA" } },
    ]);
    assert_eq!(body["contents"][2]["parts"], parts);
    assert_eq!(encoded.dropped, ["messages[2].content[1]"]);
}

#[test]
fn a_result_with_references_goes_as_text() {
    let mut request = ask("gemini-2.5-flash");
    let text = "{\"$ref\": \"#/$defs/a\"}";
    request.messages.push(turn(Role::Assistant, vec![call("c1", "schema", "{}")]));
    request.messages.push(result("c1", vec![Block::text(text)], false));
    let body: Value = serde_json::from_slice(&encode(&request).unwrap().body).unwrap();
    let response = &body["contents"][2]["parts"][0]["functionResponse"]["response"];
    assert_eq!(response, &json!({ "output": text }));
}

#[test]
fn own_blocks_come_out_again_and_those_of_others_are_dropped() {
    let mut request = ask("gemini-2.5-flash");
    let own = json!({ "executableCode": { "language": "PYTHON", "code": "1" }, "thoughtSignature": "c2ln" });
    let foreign = |dialect, value| Block::new(Content::Foreign { dialect, value: raw(value) });
    let thought = || Block::new(Content::Reasoning("Hm.".to_owned()));
    let blocks = vec![
        signed(thought(), Dialect::GeminiGenerate, "b25l"),
        signed(thought(), Dialect::AnthropicMessages, "x"),
        foreign(Dialect::GeminiGenerate, own.clone()),
        foreign(Dialect::AnthropicMessages, json!({ "type": "redacted_thinking" })),
        signed(Block::text("Hello"), Dialect::GeminiGenerate, "dHdv"),
        signed(Block::text(""), Dialect::GeminiGenerate, "dGhyZWU="),
        signed(Block::text("!"), Dialect::OpenaiResponses, "x"),
    ];
    request.messages.push(turn(Role::Assistant, blocks));
    let contents = json!([
        { "role": "user", "parts": [{ "text": "Hi" }] },
        { "role": "model", "parts": [
            { "text": "Hm.", "thought": true, "thoughtSignature": "b25l" },
            own,
            { "text": "Hello", "thoughtSignature": "dHdv" },
            { "text": "", "thoughtSignature": "dGhyZWU=" },
            { "text": "!" },
        ] },
    ]);
    let dropped =
        ["messages[1].content[6].signature", "messages[1].reasoning_content", "messages[1].content[3]"];
    check_field(request, "contents", contents, &dropped);
}

#[test]
fn sampling_has_the_vendors_names() {
    let mut request = ask("gemini-2.5-flash");
    let sampling = &mut request.sampling;
    sampling.max_tokens = Some(9);
    sampling.temperature = Some(raw(json!(0.5)));
    sampling.top_p = Some(raw(json!(1)));
    sampling.top_k = Some(raw(json!(40)));
    sampling.stop = vec!["a".to_owned()];
    sampling.seed = Some(raw(json!(7)));
    sampling.presence_penalty = Some(raw(json!(0.1)));
    sampling.frequency_penalty = Some(raw(json!(0.2)));
    sampling.n = Some(2);
    sampling.logprobs = Some(Logprobs { top: Some(3) });
    sampling.logit_bias = Some(raw(json!({ "1": 2 })));
    request.user = Some("ann".to_owned());
    request.parallel_tool_calls = Some(false);
    request.service_tier = Some("scale".to_owned());
    let config = json!({
        "temperature": 0.5, "topP": 1, "topK": 40, "seed": 7, "presencePenalty": 0.1,
        "frequencyPenalty": 0.2, "maxOutputTokens": 9, "candidateCount": 2, "stopSequences": ["a"],
        "responseLogprobs": true, "logprobs": 3,
    });
    let dropped = ["service_tier", "logit_bias", "user", "parallel_tool_calls"];
    check_field(request, "generationConfig", config, &dropped);
}

#[test]
fn schemas_go_in_the_form_that_the_model_takes() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": ["string", "null"] } },
        "additionalProperties": false,
    });
    let format = |schema: &Value| OutputFormat::JsonSchema {
        name: "n".to_owned(),
        description: None,
        schema: raw(schema.clone()),
        strict: Some(true),
    };
    let mut request = ask("gemini-2.5-flash");
    request.output_format = Some(format(&schema));
    let config = json!({ "responseMimeType": "application/json", "responseJsonSchema": schema });
    check_field(request, "generationConfig", config, &[]);
    let mut request = ask("models/gemini-2.0-flash");
    request.output_format = Some(format(&schema));
    let older = json!({ "type": "object", "properties": { "a": { "type": "string", "nullable": true } } });
    let config = json!({ "responseMimeType": "application/json", "responseSchema": older });
    let dropped = ["response_format.json_schema.schema.additionalProperties"];
    check_field(request, "generationConfig", config, &dropped);
}

#[test]
fn thinking_is_a_level_or_a_budget() {
    let effort = |effort: &str| Reasoning { effort: Some(effort.to_owned()), ..Reasoning::default() };
    let with = |level| json!({ "thinkingLevel": level, "includeThoughts": true });
    let budget = |budget: i64| json!({ "thinkingBudget": budget, "includeThoughts": true });
    let hidden = Reasoning { visible: Some(false), ..effort("low") };
    let exact = Reasoning { budget_tokens: Some(99), ..effort("low") };
    let adaptive = Reasoning { adaptive: true, ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let cases: Vec<(&str, Reasoning, Value, &[&str])> = vec![
        ("gemini-3-flash-preview", effort("minimal"), with("MINIMAL"), &[]),
        ("gemini-3-pro-preview", effort("minimal"), with("LOW"), &[]),
        ("gemini-3-pro-preview", effort("medium"), with("HIGH"), &[]),
        ("gemini-3.1-pro-preview", effort("medium"), with("MEDIUM"), &[]),
        ("gemini-flash-latest", effort("xhigh"), with("HIGH"), &[]),
        ("gemini-3.5-flash", effort("none"), json!({ "thinkingLevel": "MINIMAL" }), &["reasoning_effort"]),
        ("gemini-3.5-flash", exact.clone(), budget(99), &[]),
        ("gemini-2.5-flash", effort("low"), budget(1024), &[]),
        ("gemini-2.5-flash", effort("medium"), budget(8192), &[]),
        ("gemini-2.5-flash", effort("high"), budget(24576), &[]),
        ("gemini-2.5-flash", hidden, json!({ "thinkingBudget": 1024 }), &[]),
        ("gemini-2.5-flash", exact, budget(99), &[]),
        ("gemini-2.5-flash", adaptive, budget(-1), &[]),
        ("gemini-2.5-flash", off.clone(), json!({ "thinkingBudget": 0 }), &[]),
        ("gemini-2.5-pro", off, json!({ "thinkingBudget": 128 }), &["reasoning"]),
        ("gemini-2.5-pro", effort("odd"), json!({ "includeThoughts": true }), &["reasoning_effort"]),
        ("gemini-2.0-flash", effort("high"), Value::Null, &["reasoning_effort"]),
    ];
    for (model, reasoning, expected, dropped) in cases {
        let mut request = ask(model);
        request.reasoning = Some(reasoning);
        let encoded = encode(&request).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body["generationConfig"]["thinkingConfig"], expected, "{model} {:?}", request.reasoning);
        assert_eq!(encoded.dropped, dropped);
    }
}

#[test]
fn tools_are_functions_or_the_vendors_own() {
    let schema = json!({ "type": "object", "properties": { "q": { "type": "string" } } });
    let mut request = ask("gemini-3-flash-preview");
    request.tools = vec![
        function("f", Some(json!({ "properties": {} }))),
        function("google_search", Some(schema.clone())),
        function("googleMaps", None),
        Tool::Hosted {
            dialect: Dialect::GeminiGenerate,
            name: "urlContext".to_owned(),
            value: raw(json!({ "urlContext": {} })),
        },
        Tool::Custom { name: "c".to_owned(), value: raw(json!({ "type": "custom" })) },
    ];
    request.web_search = Some(WebSearch { context_size: Some("low".to_owned()), user_location: None });
    request.tool_choice = Some(ToolChoice::Allowed { names: vec!["f".to_owned()], required: false });
    let body = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }],
        "tools": [
            { "googleMaps": {} },
            { "urlContext": {} },
            { "googleSearch": {} },
            { "functionDeclarations": [
                { "name": "f", "parametersJsonSchema": { "properties": {}, "type": "object" } },
                { "name": "google_search", "parametersJsonSchema": schema },
            ] },
        ],
        "toolConfig": {
            "functionCallingConfig": { "mode": "VALIDATED", "allowedFunctionNames": ["f"] },
            "includeServerSideToolInvocations": true,
        },
    });
    check(request, body, &["tools[4]", "web_search_options.search_context_size"]);
}

#[test]
fn choices_are_modes() {
    let cases = [
        (ToolChoice::Auto, json!({ "mode": "AUTO" })),
        (ToolChoice::None, json!({ "mode": "NONE" })),
        (ToolChoice::Required, json!({ "mode": "ANY" })),
        (ToolChoice::Named("f".to_owned()), json!({ "mode": "ANY", "allowedFunctionNames": ["f"] })),
    ];
    for (choice, config) in cases {
        let mut request = ask("gemini-2.5-flash");
        request.tools = vec![function("f", None)];
        request.tool_choice = Some(choice);
        check_field(request, "toolConfig", json!({ "functionCallingConfig": config }), &[]);
    }
    let mut both = ask("gemini-3-flash-preview");
    both.tools = vec![function("f", None), function("google_search", None)];
    both.tool_choice = Some(ToolChoice::Auto);
    check_field(both, "toolConfig", json!({ "includeServerSideToolInvocations": true }), &[]);
    let mut none = ask("gemini-2.5-flash");
    none.tool_choice = Some(ToolChoice::Required);
    check_field(none, "toolConfig", Value::Null, &["tool_choice"]);
}

#[test]
fn fields_in_the_vendors_own_words_find_their_place() {
    let mut request = ask("gemini-2.5-flash-image");
    request.sampling.temperature = Some(raw(json!(1)));
    request.reasoning = Some(Reasoning { effort: Some("low".to_owned()), ..Reasoning::default() });
    let safety = json!([{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE" }]);
    let extra = [
        ("safety_settings", safety.clone()),
        ("cachedContent", json!("cachedContents/1")),
        ("labels", json!({ "team": "a" })),
        ("modalities", json!(["text", "image"])),
        ("image_config", json!({ "aspectRatio": "1:1" })),
        ("audio", json!({ "voice": "Kore", "format": "wav" })),
        ("generation_config", json!({ "media_resolution": "MEDIA_RESOLUTION_LOW" })),
        ("tool_config", json!({ "retrieval_config": { "languageCode": "de" } })),
        ("extra_body", json!({ "google": { "thinking_config": { "thinkingBudget": 5 }, "odd": 1 }, "x": 1 })),
        ("metadata", json!({ "a": "b" })),
    ];
    request.extra = extra.map(|(name, value)| (name.to_owned(), raw(value))).to_vec();
    let body = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }],
        "toolConfig": { "retrievalConfig": { "languageCode": "de" } },
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": { "aspectRatio": "1:1" },
            "speechConfig": { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": "Kore" } } },
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": { "thinkingBudget": 5 },
            "temperature": 1,
        },
        "safetySettings": safety,
        "cachedContent": "cachedContents/1",
        "labels": { "team": "a" },
    });
    check(request, body, &["audio.format", "extra_body.google.odd", "extra_body.x", "metadata"]);
}
