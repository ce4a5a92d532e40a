//! A good request of each format is taken, and each change that breaks a rule is refused at its place.

use serde_json::{Value, json};

use super::{Asked, Vendor};

const PROOF: &str = "proof";

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

/// A user who asks, a call, its result.
fn good(vendor: Vendor) -> Value {
    let function = json!({"name": "look", "description": "d", "parameters": schema()});
    let call = json!({"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}});
    match vendor {
        Vendor::OpenAiChat | Vendor::Compatible => json!({
            "model": "gpt-5.2", "stream": true, "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": function}],
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [call]},
                         {"role": "tool", "tool_call_id": "c1", "content": "r"}]
        }),
        Vendor::Ollama => json!({
            "model": "qwen3", "stream": true, "think": "low", "keep_alive": "5m", "options": {"num_ctx": 4096, "stop": ["x"]},
            "tools": [{"type": "function", "function": function}],
            "messages": [{"role": "user", "content": "a", "images": ["AAAA"]},
                         {"role": "assistant", "content": "", "thinking": "t",
                          "tool_calls": [{"id": "c1", "function": {"name": "look", "arguments": {}}}]},
                         {"role": "tool", "tool_name": "look", "tool_call_id": "c1", "content": "r"}]
        }),
        Vendor::OpenAiResponses => json!({
            "model": "gpt-5.2", "include": ["reasoning.encrypted_content"],
            "tools": [{"type": "function", "name": "look", "parameters": schema()}, {"type": "custom", "name": "patch"},
                      {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "look"}]}],
            "input": [{"role": "user", "content": "a"},
                      {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": PROOF},
                      {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}"},
                      {"type": "function_call_output", "call_id": "c1", "output": "r"}]
        }),
        Vendor::Anthropic => json!({
            "model": "claude-sonnet-4-5", "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000},
            "system": [{"type": "text", "text": "s"}], "tools": [{"name": "look", "input_schema": schema()}],
            "messages": [{"role": "user", "content": "a"},
                         {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": PROOF},
                                                           {"type": "tool_use", "id": "c1", "name": "look", "input": {}}]},
                         {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "r"},
                                                      {"type": "text", "text": "b"}]}]
        }),
        Vendor::Invoke => {
            let mut body = good(Vendor::Anthropic);
            body.as_object_mut().unwrap().remove("model");
            body["anthropic_version"] = json!("bedrock-2023-05-31");
            body["anthropic_beta"] = json!(["context-1m-2025-08-07"]);
            body
        }
        Vendor::Bedrock => json!({
            "system": [{"text": "s"}], "inferenceConfig": {"maxTokens": 4000},
            "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            "toolConfig": {"tools": [{"toolSpec": {"name": "look", "description": "d", "inputSchema": {"json": schema()}}}]},
            "messages": [{"role": "user", "content": [{"text": "a"}]},
                         {"role": "assistant", "content": [
                             {"reasoningContent": {"reasoningText": {"text": "t", "signature": PROOF}}},
                             {"toolUse": {"toolUseId": "c1", "name": "look", "input": {}}}]},
                         {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "r"}]}},
                                                      {"text": "b"}]}]
        }),
        Vendor::Google => json!({
            "tools": [{"functionDeclarations": [function]}],
            "contents": [{"role": "user", "parts": [{"text": "a"}]},
                         {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}, "thoughtSignature": "cHJvb2Y="}]},
                         {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"r": 1}}}]}]
        }),
    }
}

/// Where the good request is refused once the value at `pointer` is this; null takes it away.
fn check(vendor: Vendor, changes: &[(&str, Value)], expected: Option<&str>) {
    let mut body = good(vendor);
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        match parent {
            Value::Array(items) if value.is_null() => {
                items.remove(name.parse().unwrap());
            }
            Value::Array(items) if name == "-" => items.push(value.clone()),
            Value::Object(fields) if value.is_null() => {
                fields.remove(name);
            }
            parent => match name.parse::<usize>() {
                Ok(index) => parent[index] = value.clone(),
                Err(_) => parent[name] = value.clone(),
            },
        }
    }
    let unnamed = match vendor {
        Vendor::Bedrock | Vendor::Invoke => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        _ => "gemini-3-pro-preview",
    };
    let model = body["model"].as_str().unwrap_or(unnamed).to_owned();
    if vendor == Vendor::Bedrock {
        body.as_object_mut().unwrap().remove("model");
    }
    let outcome = vendor.check_asked(&Asked { model: &model, body: &body, betas: "", proof: PROOF });
    assert_eq!(outcome.err().map(|refusal| refusal.path).as_deref(), expected, "{vendor:?} {changes:?}");
}

#[test]
fn good_requests_are_taken() {
    for vendor in Vendor::ALL {
        check(vendor, &[], None);
    }
}

#[test]
fn openai_chat() {
    let long = "x".repeat(65);
    let result = json!({"role": "tool", "tool_call_id": "c1", "content": "r"});
    for (changes, expected) in [
        (vec![("/odd", json!(1))], "odd"),
        (vec![("/stream", json!(false))], "stream_options"),
        (vec![("/max_tokens", json!(9))], "max_tokens"),
        (vec![("/temperature", json!(0.5))], "temperature"),
        (vec![("/user", json!(long))], "user"),
        (vec![("/model", json!("gpt-5.6"))], "reasoning_effort"),
        (vec![("/model", json!("gpt-5.4")), ("/reasoning_effort", json!("low"))], "reasoning_effort"),
        (vec![("/tools", json!([]))], "tools"),
        (vec![("/tools/0/type", json!("web_search"))], "tools[0].type"),
        (vec![("/tools/0/function/name", json!("a.b"))], "tools[0].function.name"),
        (vec![("/tools/0/function/name", json!(long))], "tools[0].function.name"),
        (vec![("/tools/0/function/parameters/anyOf", json!([]))], "tools[0].function.parameters"),
        (vec![("/tools/0/function/strict", json!(true))], "tools[0].function.parameters"),
        (vec![("/tools", Value::Null), ("/tool_choice", json!("auto"))], "tool_choice"),
        (vec![("/messages/1/tool_calls/0/id", json!(long))], "messages[1].tool_calls[0].id"),
        (vec![("/messages/1/reasoning_content", json!("t"))], "messages[1].reasoning_content"),
        (vec![("/messages/1/tool_calls", json!([]))], "messages[1].tool_calls"),
        (vec![("/messages/2", Value::Null)], "messages"),
        (vec![("/messages/-", result)], "messages[3]"),
        (vec![("/messages/2/tool_call_id", json!("c2"))], "messages[2]"),
    ] {
        check(Vendor::OpenAiChat, &changes, Some(expected));
    }
    check(Vendor::OpenAiChat, &[("/model", json!("gpt-5.4"))], None);
    let quiet = [("/model", json!("gpt-5.6")), ("/reasoning_effort", json!("none"))];
    check(Vendor::OpenAiChat, &quiet, None);
}

#[test]
fn a_compatible_server() {
    for (changes, expected) in [
        (vec![("/verbosity", json!("low"))], "verbosity"),
        (vec![("/max_completion_tokens", json!(9))], "max_completion_tokens"),
        (vec![("/reasoning_effort", json!("xhigh"))], "reasoning_effort"),
        (vec![("/messages/0/role", json!("developer"))], "messages[0].role"),
        (vec![("/tools/0/type", json!("custom"))], "tools[0].type"),
        (
            vec![("/messages/1/tool_calls/0/function/arguments", json!("{"))],
            "messages[1].tool_calls[0].function.arguments",
        ),
    ] {
        check(Vendor::Compatible, &changes, Some(expected));
    }
}

#[test]
fn ollama() {
    let call = "/messages/1/tool_calls/0/function/arguments";
    for (changes, expected) in [
        (vec![("/temperature", json!(1))], "temperature"),
        (vec![("/think", json!("xhigh"))], "think"),
        (vec![("/think", json!(1))], "think"),
        (vec![("/top_logprobs", json!(21))], "top_logprobs"),
        (vec![("/options/of_tomorrow", json!(1))], "options.of_tomorrow"),
        (vec![("/options/stop", json!("x"))], "options.stop"),
        (vec![("/options/num_ctx", json!("4096"))], "options.num_ctx"),
        (vec![("/tools/0/type", json!("custom"))], "tools[0].type"),
        (vec![("/tools/0/function/strict", json!(true))], "tools[0].function.strict"),
        (vec![("/tools/0/function/parameters", json!({}))], "tools[0].function.parameters"),
        (
            vec![("/tools/0/function/parameters/properties/city", json!(true))],
            "tools[0].function.parameters.properties.city",
        ),
        (vec![("/messages/0/role", json!("developer"))], "messages[0].role"),
        (vec![("/messages/0/content", json!([{"type": "text", "text": "a"}]))], "messages[0].content"),
        (vec![("/messages/0/images/0", json!("data:image/png;base64,AAAA"))], "messages[0].images[0]"),
        (vec![(call, json!("{}"))], "messages[1].tool_calls[0].function.arguments"),
        (vec![("/messages/2/tool_name", Value::Null)], "messages[2].tool_name"),
    ] {
        check(Vendor::Ollama, &changes, Some(expected));
    }
}

#[test]
fn openai_responses() {
    for (changes, expected) in [
        (vec![("/max_output_tokens", json!(1))], "max_output_tokens"),
        (vec![("/thinking", json!({}))], "thinking"),
        (vec![("/temperature", json!(0.5))], "temperature"),
        (vec![("/tools/0/type", json!("bash_20250124"))], "tools[0].type"),
        (vec![("/tools/1/name", json!("look"))], "tools[1].name"),
        (vec![("/tools/2/tools/0/name", json!("a b"))], "tools[2].tools[0].name"),
        (vec![("/input/0/content", json!([{"type": "text"}]))], "input[0].content[0].type"),
        (vec![("/input/1/encrypted_content", json!("other"))], "input[1].encrypted_content"),
        (vec![("/input/1/id", json!("x_1"))], "input[1].id"),
        (vec![("/input/2/id", json!("rs_1"))], "input[2].id"),
        (vec![("/input/2/call_id", json!("x".repeat(65)))], "input[2].call_id"),
        (vec![("/input/2", Value::Null)], "input[1]"),
        (vec![("/input/3", Value::Null)], "input[2].call_id"),
        (vec![("/input/3/type", json!("custom_tool_call_output"))], "input[3].call_id"),
        (vec![("/input/3/call_id", json!("c2"))], "input[3].call_id"),
    ] {
        check(Vendor::OpenAiResponses, &changes, Some(expected));
    }
}

#[test]
fn anthropic() {
    let system = json!({"role": "system", "content": "s"});
    let opus = json!("claude-opus-4-8");
    let adaptive = json!({"type": "adaptive"});
    for (changes, expected) in [
        (vec![("/max_tokens", Value::Null)], "max_tokens"),
        (vec![("/max_tokens", json!(2000))], "max_tokens"),
        (vec![("/store", json!(false))], "store"),
        (vec![("/context_management", json!({}))], "context_management"),
        (vec![("/temperature", json!(0.5))], "temperature"),
        (vec![("/thinking", adaptive.clone())], "thinking.type"),
        (vec![("/model", opus.clone())], "thinking.type"),
        (vec![("/output_config", json!({"effort": "low"}))], "output_config.effort"),
        (vec![("/metadata", json!({"user_id": "x".repeat(257)}))], "metadata.user_id"),
        (vec![("/system/0/text", json!(" "))], "system[0].text"),
        (vec![("/stop_sequences", json!([" "]))], "stop_sequences[0]"),
        (vec![("/tool_choice", json!({"type": "any"}))], "tool_choice"),
        (vec![("/tools/0/type", json!("namespace"))], "tools[0].type"),
        (vec![("/tools/0/input_schema", json!({"properties": {}}))], "tools[0].input_schema"),
        (vec![("/tools/0/input_schema/oneOf", json!([]))], "tools[0].input_schema"),
        (vec![("/tools/0/input_schema/properties/$x", json!({}))], "tools[0].input_schema.properties"),
        (vec![("/messages/0/role", json!("assistant"))], "messages[0].role"),
        (vec![("/messages/0/content", json!(" "))], "messages[0].content"),
        (vec![("/messages/-", system.clone())], "messages[3].role"),
        (vec![("/messages/1/content/0/signature", json!("other"))], "messages[1].content[0].signature"),
        (vec![("/messages/1/content/1/id", json!("a.b"))], "messages[1].content[1].id"),
        (vec![("/messages/1/content/1/input", json!("{}"))], "messages[1].content[1].input"),
        (vec![("/messages/2/content/0", Value::Null)], "messages[2].content"),
        (vec![("/messages/2/content/0/tool_use_id", json!("c2"))], "messages[2].content[0]"),
        (vec![("/messages/2", Value::Null)], "messages"),
    ] {
        check(Vendor::Anthropic, &changes, Some(expected));
    }
    check(Vendor::Anthropic, &[("/model", opus), ("/thinking", adaptive), ("/messages/-", system)], None);
}

#[test]
fn bedrock() {
    let llama = json!("us.meta.llama3-3-70b-instruct-v1:0");
    let config = |choice: Value| json!({"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": schema()}}}], "toolChoice": choice});
    let document =
        |name: &str| json!({"document": {"format": "txt", "name": name, "source": {"bytes": "YWJj"}}});
    let spec = "/toolConfig/tools/0/toolSpec";
    let at = |rest: &str| format!("{spec}{rest}");
    let (result, called) = ("/messages/2/content/0/toolResult", "/messages/1/content/1/toolUse");
    let of_result = |rest: &str| format!("{result}{rest}");
    let of_call = |rest: &str| format!("{called}{rest}");
    for (changes, expected) in [
        (vec![("/stream", json!(true))], "stream"),
        (vec![("/inferenceConfig/topK", json!(1))], "inferenceConfig.topK"),
        (vec![("/inferenceConfig/maxTokens", json!(0))], "inferenceConfig.maxTokens"),
        (vec![("/inferenceConfig/maxTokens", json!(2000))], "inferenceConfig.maxTokens"),
        (vec![("/inferenceConfig/temperature", json!(1.5))], "inferenceConfig.temperature"),
        (vec![("/inferenceConfig/temperature", json!(0.5))], "inferenceConfig.temperature"),
        (vec![("/inferenceConfig/stopSequences", json!([" "]))], "inferenceConfig.stopSequences[0]"),
        (vec![("/inferenceConfig", json!({"temperature": 1, "topP": 1}))], "inferenceConfig.topP"),
        (vec![("/serviceTier", json!({"type": "auto"}))], "serviceTier.type"),
        (vec![("/system/0/text", json!(" "))], "system[0].text"),
        (vec![("/toolConfig", Value::Null)], "toolConfig"),
        (vec![("/toolConfig/tools", json!([]))], "toolConfig.tools"),
        (vec![("/toolConfig", config(json!({"any": {}})))], "toolConfig.toolChoice"),
        (vec![("/toolConfig", config(json!({"none": {}})))], "toolConfig.toolChoice.none"),
        (vec![("/toolConfig", config(json!({"tool": {"name": "x"}})))], "toolConfig.toolChoice.tool.name"),
        (vec![(at("/name").as_str(), json!("a.b"))], "toolConfig.tools[0].toolSpec.name"),
        (vec![(at("/description").as_str(), json!(""))], "toolConfig.tools[0].toolSpec.description"),
        (
            vec![(at("/inputSchema/json/anyOf").as_str(), json!([]))],
            "toolConfig.tools[0].toolSpec.inputSchema.json",
        ),
        (vec![("/messages/0", Value::Null)], "messages"),
        (vec![("/messages/0/content/0/text", json!("\n"))], "messages[0].content[0].text"),
        (vec![("/messages/0/content", json!([]))], "messages[0].content"),
        (vec![("/messages/0/content/-", json!({"type": "text", "text": "a"}))], "messages[0].content[1]"),
        (vec![("/messages/0/role", json!("system"))], "messages"),
        (vec![("/messages/-", json!({"role": "user", "content": [{"text": "a"}]}))], "messages[3]"),
        (vec![("/messages/0/content", json!([document("a")]))], "messages[0].content"),
        (vec![("/messages/0/content/-", document("a.b"))], "messages[0].content[1].document.name"),
        (vec![("/messages/0/content/-", document("a  b"))], "messages[0].content[1].document.name"),
        (
            vec![("/messages/0/content/-", document("a")), ("/messages/0/content/-", document("a"))],
            "messages[0].content[2].document.name",
        ),
        (
            vec![(
                "/messages/0/content/-",
                json!({"image": {"format": "tiff", "source": {"bytes": "YWJj"}}}),
            )],
            "messages[0].content[1].image.format",
        ),
        (
            vec![("/messages/0/content/-", json!({"image": {"format": "png", "source": {"bytes": ""}}}))],
            "messages[0].content[1].image.source.bytes",
        ),
        (
            vec![(
                "/messages/0/content/-",
                json!({"image": {"format": "png", "source": {"s3Location": {"uri": "https://a"}}}}),
            )],
            "messages[0].content[1].image.source.s3Location.uri",
        ),
        (
            vec![("/messages/0/content/-", json!({"video": {"format": "mp4", "source": {"bytes": "YWJj"}}}))],
            "messages[0].content[1].video",
        ),
        (
            vec![("/messages/1/content/0/reasoningContent/reasoningText/signature", json!("x"))],
            "messages[1].content[0].reasoningContent.reasoningText.signature",
        ),
        (
            vec![(of_call("/toolUseId").as_str(), json!("x".repeat(65)))],
            "messages[1].content[1].toolUse.toolUseId",
        ),
        (vec![(of_call("/input").as_str(), json!("{}"))], "messages[1].content[1].toolUse.input"),
        (vec![(of_result("/content").as_str(), json!([]))], "messages[2].content[0].toolResult.content"),
        (vec![(of_result("/toolUseId").as_str(), json!("c2"))], "messages[2].content[0]"),
        (vec![("/messages/2/content/0", Value::Null)], "messages[2].content"),
        (vec![("/messages/2", Value::Null)], "messages"),
        (vec![("/model", llama.clone())], "messages[2].content"),
        (
            vec![("/model", llama), (of_result("/status").as_str(), json!("error"))],
            "messages[2].content[0].toolResult.status",
        ),
        (vec![("/model", json!("amazon.titan-text-express-v1"))], "toolConfig"),
        (
            vec![
                ("/model", json!("openai.gpt-oss-20b-1:0")),
                ("/inferenceConfig/stopSequences", json!(["X"])),
            ],
            "inferenceConfig.stopSequences",
        ),
        (
            vec![
                ("/model", json!("qwen.qwen3-32b-v1:0")),
                ("/system/-", json!({"cachePoint": {"type": "default"}})),
            ],
            "cachePoint",
        ),
        (
            vec![
                ("/model", json!("amazon.nova-pro-v1:0")),
                ("/toolConfig/tools/-", json!({"cachePoint": {"type": "default"}})),
            ],
            "toolConfig.tools[1]",
        ),
    ] {
        check(Vendor::Bedrock, &changes, Some(expected));
    }
    check(Vendor::Bedrock, &[("/messages/0/content/-", document("a b (1)"))], None);
}

#[test]
fn invoke() {
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}});
    let mark = json!({"type": "ephemeral", "scope": "global"});
    for (changes, expected) in [
        (vec![("/model", json!("m"))], "model"),
        (vec![("/stream", json!(true))], "stream"),
        (vec![("/anthropic_version", json!("2023-06-01"))], "anthropic_version"),
        (vec![("/anthropic_version", Value::Null)], "anthropic_version"),
        (vec![("/anthropic_beta/-", json!("oauth-2025-04-20"))], "anthropic_beta[1]"),
        (vec![("/service_tier", json!("auto"))], "service_tier"),
        (vec![("/cache_control", json!({"type": "ephemeral"}))], "cache_control"),
        (vec![("/system/0/cache_control", mark)], "system[0].cache_control.scope"),
        (vec![("/tools/0/eager_input_streaming", json!(true))], "tools[0].eager_input_streaming"),
        (vec![("/tools/-", json!({"type": "web_search_20250305", "name": "w"}))], "tools[1].type"),
        (vec![("/messages/0/content", json!([image]))], "messages[0].content[0].source.type"),
        (vec![("/max_tokens", Value::Null)], "max_tokens"),
    ] {
        check(Vendor::Invoke, &changes, Some(expected));
    }
}

#[test]
fn google() {
    let call = json!({"functionCall": {"name": "look", "args": {}}});
    let search = json!({"googleSearch": {}});
    let function = "/tools/0/functionDeclarations/0";
    let at = |rest: &str| format!("{function}{rest}");
    for (changes, expected) in [
        (vec![("/stream", json!(true))], "stream"),
        (vec![("/generationConfig", json!({"stop": 1}))], "generationConfig.stop"),
        (
            vec![("/generationConfig", json!({"stopSequences": ["1", "2", "3", "4", "5", "6"]}))],
            "generationConfig.stopSequences",
        ),
        (vec![("/tools/-", search.clone())], "toolConfig"),
        (vec![("/tools/-", search), ("/model", json!("gemini-2.5-pro"))], "tools"),
        (vec![(at("/name").as_str(), json!("1a"))], "tools[0].functionDeclarations[0].name"),
        (
            vec![(at("/parameters/$schema").as_str(), json!(""))],
            "tools[0].functionDeclarations[0].parameters.$schema",
        ),
        (
            vec![(at("/parameters/properties").as_str(), json!({}))],
            "tools[0].functionDeclarations[0].parameters.required",
        ),
        (
            vec![(at("/parameters").as_str(), json!({"type": "OBJECT"}))],
            "tools[0].functionDeclarations[0].parameters.properties",
        ),
        (vec![("/contents/0/parts", json!([]))], "contents[0].parts"),
        (vec![("/contents/0/role", json!("assistant"))], "contents[0].role"),
        (
            vec![("/contents/1/parts/0/thoughtSignature", json!("b3RoZXI="))],
            "contents[1].parts[0].thoughtSignature",
        ),
        (vec![("/contents/1/parts/0/thoughtSignature", Value::Null)], "contents[1].parts[0]"),
        (vec![("/contents/1/parts/-", call)], "contents[2]"),
        (vec![("/contents/2", Value::Null)], "contents"),
        (vec![("/contents/0", Value::Null)], "contents[0]"),
    ] {
        check(Vendor::Google, &changes, Some(expected));
    }
}
