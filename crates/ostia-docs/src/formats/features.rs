//! What a request can hold, in the words of each client dialect.

use ostia_dialect::ClientDialect;
use serde_json::{Value, json};

/// Something that a request can hold.
#[derive(Debug)]
pub struct Feature {
    /// What people call it.
    pub name: &'static str,
    /// Fields of a request that have it, in each client dialect.
    pub(super) said: fn(ClientDialect) -> Value,
}

/// Every feature, in the order of the page.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "instructions of the operator",
        said: |client| {
            let turns = json!([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]);
            fields(
                client,
                json!({"messages": turns}),
                json!({"instructions": "s"}),
                json!({"system": "s"}),
                json!({"systemInstruction": {"parts": [{"text": "s"}]}}),
            )
        },
    },
    Feature {
        name: "image, by address",
        said: |client| {
            let url = "https://example.com/a.png";
            part(
                client,
                json!({"type": "image_url", "image_url": {"url": url}}),
                json!({"type": "input_image", "image_url": url}),
                json!({"type": "image", "source": {"type": "url", "url": url}}),
                json!({"fileData": {"fileUri": url, "mimeType": "image/png"}}),
            )
        },
    },
    Feature {
        name: "image, in the request",
        said: |client| {
            let url = format!("data:image/png;base64,{DATA}");
            part(
                client,
                json!({"type": "image_url", "image_url": {"url": url}}),
                json!({"type": "input_image", "image_url": url}),
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}),
                json!({"inlineData": {"mimeType": "image/png", "data": DATA}}),
            )
        },
    },
    Feature {
        name: "sound, in the request",
        said: |client| {
            part(
                client,
                json!({"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}}),
                json!({"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}}),
                Value::Null,
                json!({"inlineData": {"mimeType": "audio/wav", "data": DATA}}),
            )
        },
    },
    Feature {
        name: "PDF, in the request",
        said: |client| {
            let url = format!("data:application/pdf;base64,{DATA}");
            part(
                client,
                json!({"type": "file", "file": {"filename": "a.pdf", "file_data": url}}),
                json!({"type": "input_file", "filename": "a.pdf", "file_data": url}),
                json!({"type": "document", "title": "a.pdf", "source":
                       {"type": "base64", "media_type": "application/pdf", "data": DATA}}),
                json!({"inlineData": {"mimeType": "application/pdf", "data": DATA}}),
            )
        },
    },
    Feature { name: "function tools", said: |client| tools(client, json!({})) },
    Feature {
        name: "some tool must be called",
        said: |client| {
            tools(
                client,
                fields(
                    client,
                    json!({"tool_choice": "required"}),
                    json!({"tool_choice": "required"}),
                    json!({"tool_choice": {"type": "any"}}),
                    calling("ANY"),
                ),
            )
        },
    },
    Feature {
        name: "no tool may be called",
        said: |client| {
            tools(
                client,
                fields(
                    client,
                    json!({"tool_choice": "none"}),
                    json!({"tool_choice": "none"}),
                    json!({"tool_choice": {"type": "none"}}),
                    calling("NONE"),
                ),
            )
        },
    },
    Feature {
        name: "this tool must be called",
        said: |client| {
            let named = json!({"type": "function", "name": "weather"});
            tools(
                client,
                fields(
                    client,
                    json!({"tool_choice": {"type": "function", "function": {"name": "weather"}}}),
                    json!({"tool_choice": named}),
                    json!({"tool_choice": {"type": "tool", "name": "weather"}}),
                    json!({"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}}),
                ),
            )
        },
    },
    Feature {
        name: "one call at a time",
        said: |client| {
            tools(
                client,
                fields(
                    client,
                    json!({"parallel_tool_calls": false}),
                    json!({"parallel_tool_calls": false}),
                    json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}),
                    Value::Null,
                ),
            )
        },
    },
    Feature {
        name: "result of a tool",
        said: |client| {
            result(
                client,
                json!({"role": "tool", "tool_call_id": "call_1", "content": "rain"}),
                json!({"type": "function_call_output", "call_id": "call_1", "output": "rain"}),
                json!({"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}),
                json!({"functionResponse": {"name": "weather", "response": {"output": "rain"}}}),
            )
        },
    },
    Feature {
        name: "result of a tool, an image",
        said: |client| {
            let url = format!("data:image/png;base64,{DATA}");
            let source = json!({"type": "base64", "media_type": "image/png", "data": DATA});
            result(
                client,
                json!({"role": "tool", "tool_call_id": "call_1", "content":
                       [{"type": "image_url", "image_url": {"url": url}}]}),
                json!({"type": "function_call_output", "call_id": "call_1", "output":
                       [{"type": "input_image", "image_url": url}]}),
                json!({"type": "tool_result", "tool_use_id": "call_1", "content":
                       [{"type": "image", "source": source}]}),
                json!({"functionResponse": {"name": "weather", "response": {}, "parts":
                       [{"inlineData": {"mimeType": "image/png", "data": DATA}}]}}),
            )
        },
    },
    Feature {
        name: "a tool failed",
        said: |client| {
            result(
                client,
                json!({"role": "tool", "tool_call_id": "call_1", "content": "no", "is_error": true}),
                Value::Null,
                json!({"type": "tool_result", "tool_use_id": "call_1", "content": "no", "is_error": true}),
                json!({"functionResponse": {"name": "weather", "response": {"error": "no"}}}),
            )
        },
    },
    Feature {
        name: "free-text tools",
        said: |client| {
            fields(
                client,
                json!({"tools": [{"type": "custom", "custom": {"name": "patch", "description": "d"}}]}),
                json!({"tools": [{"type": "custom", "name": "patch", "description": "d"}]}),
                Value::Null,
                Value::Null,
            )
        },
    },
    Feature {
        name: "containers of tools",
        said: |client| {
            let tool = json!({"type": "function", "name": "find", "parameters": schema()});
            let container = json!({"type": "namespace", "name": "docs", "description": "d", "tools": [tool]});
            fields(client, Value::Null, json!({"tools": [container]}), Value::Null, Value::Null)
        },
    },
    Feature {
        name: "a shell that the client runs",
        said: |client| {
            fields(
                client,
                Value::Null,
                json!({"tools": [{"type": "shell"}]}),
                json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}),
                Value::Null,
            )
        },
    },
    Feature {
        name: "web search by the vendor",
        said: |client| {
            fields(
                client,
                json!({"web_search_options": {}}),
                json!({"tools": [{"type": "web_search"}]}),
                json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
                json!({"tools": [{"googleSearch": {}}]}),
            )
        },
    },
    Feature {
        name: "JSON mode",
        said: |client| {
            fields(
                client,
                json!({"response_format": {"type": "json_object"}}),
                json!({"text": {"format": {"type": "json_object"}}}),
                Value::Null,
                generation("responseMimeType", json!("application/json")),
            )
        },
    },
    Feature {
        name: "JSON after a schema",
        said: |client| {
            fields(
                client,
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema()}}}),
                json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": schema()}}}),
                json!({"output_config": {"format": {"type": "json_schema", "schema": schema()}}}),
                json!({"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": schema()}}),
            )
        },
    },
    Feature {
        name: "limit of tokens",
        said: |client| {
            fields(
                client,
                json!({"max_completion_tokens": 90}),
                json!({"max_output_tokens": 90}),
                json!({"max_tokens": 90}),
                generation("maxOutputTokens", json!(90)),
            )
        },
    },
    Feature {
        name: "temperature",
        said: |client| {
            let said = json!({"temperature": 0.5});
            fields(client, said.clone(), said.clone(), said, generation("temperature", json!(0.5)))
        },
    },
    Feature {
        name: "top_p",
        said: |client| {
            let said = json!({"top_p": 0.5});
            fields(client, said.clone(), said.clone(), said, generation("topP", json!(0.5)))
        },
    },
    Feature {
        name: "top_k",
        said: |client| {
            let said = json!({"top_k": 5});
            fields(client, said.clone(), Value::Null, said, generation("topK", json!(5)))
        },
    },
    Feature {
        name: "stop sequences",
        said: |client| {
            fields(
                client,
                json!({"stop": ["x"]}),
                Value::Null,
                json!({"stop_sequences": ["x"]}),
                generation("stopSequences", json!(["x"])),
            )
        },
    },
    Feature {
        name: "seed",
        said: |client| {
            fields(client, json!({"seed": 7}), Value::Null, Value::Null, generation("seed", json!(7)))
        },
    },
    Feature {
        name: "presence and frequency penalty",
        said: |client| {
            fields(
                client,
                json!({"presence_penalty": 0.5, "frequency_penalty": 0.5}),
                Value::Null,
                Value::Null,
                json!({"generationConfig": {"presencePenalty": 0.5, "frequencyPenalty": 0.5}}),
            )
        },
    },
    Feature {
        name: "several answers",
        said: |client| {
            fields(client, json!({"n": 2}), Value::Null, Value::Null, generation("candidateCount", json!(2)))
        },
    },
    Feature {
        name: "log-probabilities",
        said: |client| {
            fields(
                client,
                json!({"logprobs": true, "top_logprobs": 2}),
                json!({"top_logprobs": 2, "include": ["message.output_text.logprobs"]}),
                Value::Null,
                json!({"generationConfig": {"responseLogprobs": true, "logprobs": 2}}),
            )
        },
    },
    Feature {
        name: "token biases",
        said: |client| fields(client, json!({"logit_bias": {"1": 2}}), Value::Null, Value::Null, Value::Null),
    },
    Feature {
        name: "effort of reasoning",
        said: |client| {
            fields(
                client,
                json!({"reasoning_effort": "low"}),
                json!({"reasoning": {"effort": "low"}}),
                json!({"output_config": {"effort": "low"}}),
                json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}),
            )
        },
    },
    Feature {
        name: "budget of reasoning",
        said: |client| {
            fields(
                client,
                json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
                Value::Null,
                json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
                json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 2000}}}),
            )
        },
    },
    Feature {
        name: "cache markers",
        said: |client| {
            let marker = json!({"type": "ephemeral"});
            let text = json!({"type": "text", "text": "q", "cache_control": marker});
            let said = json!({"messages": [{"role": "user", "content": [text]}]});
            fields(client, said.clone(), Value::Null, said, Value::Null)
        },
    },
    Feature {
        name: "the end user",
        said: |client| {
            let said = json!({"user": "u"});
            fields(client, said.clone(), said, json!({"metadata": {"user_id": "u"}}), Value::Null)
        },
    },
    Feature {
        name: "service tier",
        said: |client| {
            let said = json!({"service_tier": "flex"});
            fields(client, said.clone(), said, json!({"service_tier": "standard_only"}), Value::Null)
        },
    },
    Feature {
        name: "metadata",
        said: |client| {
            let said = json!({"metadata": {"a": "b"}});
            fields(client, said.clone(), said, Value::Null, json!({"labels": {"a": "b"}}))
        },
    },
    Feature {
        name: "verbosity",
        said: |client| {
            fields(
                client,
                json!({"verbosity": "low"}),
                json!({"text": {"verbosity": "low"}}),
                Value::Null,
                Value::Null,
            )
        },
    },
];

/// A request without any of them.
pub(super) fn base(client: ClientDialect) -> Value {
    match client {
        ClientDialect::OpenaiChat => json!({"model": "m", "messages": [{"role": "user", "content": "q"}]}),
        ClientDialect::OpenaiResponses => json!({"model": "m", "input": [{"role": "user", "content": "q"}]}),
        ClientDialect::AnthropicMessages => {
            json!({"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": "q"}]})
        }
        ClientDialect::GeminiGenerate => json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}]}),
    }
}

const DATA: &str = "iVBORw0KGgo=";

/// A user's turn with one more part: as each dialect writes it.
fn part(client: ClientDialect, chat: Value, responses: Value, messages: Value, gemini: Value) -> Value {
    let part = fields(client, chat, responses, messages, gemini);
    if part.is_null() {
        return Value::Null;
    }
    match client {
        ClientDialect::OpenaiChat | ClientDialect::AnthropicMessages => {
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, part]}]})
        }
        ClientDialect::OpenaiResponses => {
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "q"}, part]}]})
        }
        ClientDialect::GeminiGenerate => {
            json!({"contents": [{"role": "user", "parts": [{"text": "q"}, part]}]})
        }
    }
}

/// The words of the client's dialect, of those that each dialect has: mostly top-level fields.
fn fields(client: ClientDialect, chat: Value, responses: Value, messages: Value, gemini: Value) -> Value {
    match client {
        ClientDialect::OpenaiChat => chat,
        ClientDialect::OpenaiResponses => responses,
        ClientDialect::AnthropicMessages => messages,
        ClientDialect::GeminiGenerate => gemini,
    }
}

fn generation(field: &str, value: Value) -> Value {
    json!({"generationConfig": {field: value}})
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
           "additionalProperties": false})
}

/// Two tools, and further fields; `null` where the dialect has no words for those.
fn tools(client: ClientDialect, further: Value) -> Value {
    let Value::Object(further) = further else { return Value::Null };
    let names = ["weather", "clock"];
    let mut body = match client {
        ClientDialect::OpenaiChat => json!({"tools": names.map(|name| {
            json!({"type": "function", "function": {"name": name, "description": "d", "parameters": schema()}})})}),
        ClientDialect::OpenaiResponses => json!({"tools": names.map(|name| {
            json!({"type": "function", "name": name, "description": "d", "parameters": schema(), "strict": false})})}),
        ClientDialect::AnthropicMessages => json!({"tools": names.map(|name| {
            json!({"name": name, "description": "d", "input_schema": schema()})})}),
        ClientDialect::GeminiGenerate => json!({"tools": [{"functionDeclarations": names.map(|name| {
            json!({"name": name, "description": "d", "parametersJsonSchema": schema()})})}]}),
    };
    for (name, value) in further {
        body[name] = value;
    }
    body
}

fn calling(mode: &str) -> Value {
    json!({"toolConfig": {"functionCallingConfig": {"mode": mode}}})
}

/// A turn in which the model called a tool, and the result: as each dialect writes it.
fn result(client: ClientDialect, chat: Value, responses: Value, messages: Value, gemini: Value) -> Value {
    let result = fields(client, chat, responses, messages, gemini);
    if result.is_null() {
        return Value::Null;
    }
    let history = match client {
        ClientDialect::OpenaiChat => json!({"messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}}]},
            result]}),
        ClientDialect::OpenaiResponses => json!({"input": [
            {"role": "user", "content": "q"},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
            result]}),
        ClientDialect::AnthropicMessages => json!({"messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}]},
            {"role": "user", "content": [result]}]}),
        ClientDialect::GeminiGenerate => json!({"contents": [
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Rome"}}}]},
            {"role": "user", "parts": [result]}]}),
    };
    tools(client, history)
}
