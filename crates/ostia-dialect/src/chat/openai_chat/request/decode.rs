//! The client's body to the canonical request.

#[cfg(test)]
mod tests;

use crate::chat::openai_chat::part::{decode_content, thought_signature};
use crate::chat::openai_chat::response::called;
use crate::json::{Document, Json, Node, optional_str, report_unknown};
use crate::{
    Block, Content, Dialect, Fault, Logprobs, Message, OutputFormat, Reasoning, Request, Role, Signature,
    Tool, ToolChoice, ToolKind, WebSearch,
};

/// Reads a whole request.
///
/// Faults name the field and what it must be. Fields that the format does not have are kept in [`Request::extra`], by
/// path.
pub fn decode(document: &Document<'_>) -> Result<Request, Fault> {
    let root = document.root();
    let mut request = Request::default();
    for (name, value) in root.expect_fields()? {
        // `null` means absent everywhere in this format.
        if !value.is_null() {
            decode_field(&name, value, &mut request)?;
        }
    }
    root.expect("model")?;
    root.expect("messages")?;
    Ok(request)
}

fn decode_field(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    match name {
        "model" => request.model = value.expect_str()?.into_owned(),
        "messages" => request.messages = decode_messages(value, &mut request.extra)?,
        "stream" => request.stream = value.expect_bool()?,
        "stream_options" => {
            value.expect_fields()?;
            if let Some(include) = value.some("include_usage") {
                request.include_usage = include.expect_bool()?;
            }
            report_unknown(value, &["include_usage"], &mut request.extra);
        }
        "tools" => {
            for tool in value.expect_items()? {
                request.tools.push(decode_tool(tool, &mut request.extra)?);
            }
        }
        "functions" => {
            for function in value.expect_items()? {
                request.tools.push(decode_function(function, function, &mut request.extra)?);
            }
        }
        "tool_choice" | "function_call" => request.tool_choice = Some(decode_tool_choice(value)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(value.expect_bool()?),
        "response_format" => request.output_format = Some(decode_format(value, &mut request.extra)?),
        "reasoning_effort" => reasoning(request).effort = Some(value.expect_str()?.into_owned()),
        "reasoning" => {
            decode_reasoning(value, reasoning(request))?;
            report_unknown(value, &["effort", "max_tokens", "enabled", "exclude"], &mut request.extra);
        }
        "thinking" => {
            decode_thinking(value, reasoning(request))?;
            report_unknown(value, &["type", "budget_tokens", "display"], &mut request.extra);
        }
        "web_search_options" => {
            request.web_search = Some(decode_web_search(value)?);
            report_unknown(value, &["search_context_size", "user_location"], &mut request.extra);
        }
        "user" => request.user = Some(value.expect_str()?.into_owned()),
        "service_tier" => request.service_tier = Some(value.expect_str()?.into_owned()),
        "cache_control" => request.cache_control = Some(Json::of(value)),
        _ => return decode_sampling(name, value, request),
    }
    Ok(())
}

fn decode_sampling(name: &str, value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    let number = || value.expect_number().map(|_| Some(Json::of(value)));
    match name {
        // The newer name wins, wherever it stands.
        "max_completion_tokens" => sampling.max_tokens = Some(value.expect_u64()?),
        "max_tokens" => sampling.max_tokens = sampling.max_tokens.or(Some(value.expect_u64()?)),
        "temperature" => sampling.temperature = number()?,
        "top_p" => sampling.top_p = number()?,
        "top_k" => sampling.top_k = number()?,
        "seed" => sampling.seed = number()?,
        "presence_penalty" => sampling.presence_penalty = number()?,
        "frequency_penalty" => sampling.frequency_penalty = number()?,
        "n" => sampling.n = Some(value.expect_u64()?),
        "logit_bias" => sampling.logit_bias = value.expect_fields().map(|_| Some(Json::of(value)))?,
        "logprobs" if !value.expect_bool()? => {}
        "logprobs" => sampling.logprobs = sampling.logprobs.or(Some(Logprobs { top: None })),
        "top_logprobs" => sampling.logprobs = Some(Logprobs { top: Some(value.expect_u64()?) }),
        "stop" if value.is_string() => sampling.stop = vec![value.expect_str()?.into_owned()],
        "stop" => {
            sampling.stop = value
                .expect_items()?
                .map(|item| Ok(item.expect_str()?.into_owned()))
                .collect::<Result<_, Fault>>()?;
        }
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

fn reasoning(request: &mut Request) -> &mut Reasoning {
    request.reasoning.get_or_insert_default()
}

/// OpenRouter's `reasoning` object: effort, max_tokens, enabled, exclude.
fn decode_reasoning(value: Node<'_>, reasoning: &mut Reasoning) -> Result<(), Fault> {
    for (name, value) in value.expect_fields()? {
        match name.as_ref() {
            _ if value.is_null() => {}
            "effort" => reasoning.effort = Some(value.expect_str()?.into_owned()),
            "max_tokens" => reasoning.budget_tokens = Some(value.expect_u64()?),
            "enabled" => reasoning.enabled = Some(value.expect_bool()?),
            "exclude" => reasoning.visible = Some(!value.expect_bool()?),
            _ => {}
        }
    }
    Ok(())
}

/// Anthropic's `thinking` object, which many clients of this format send for Claude and Gemini.
fn decode_thinking(value: Node<'_>, reasoning: &mut Reasoning) -> Result<(), Fault> {
    let kind = value.expect("type")?;
    match kind.expect_str()?.as_ref() {
        "enabled" => reasoning.enabled = Some(true),
        "disabled" => reasoning.enabled = Some(false),
        "adaptive" | "auto" => (reasoning.enabled, reasoning.adaptive) = (Some(true), true),
        _ => return Err(kind.invalid("must be enabled, disabled or adaptive")),
    }
    if let Some(budget) = value.some("budget_tokens") {
        reasoning.budget_tokens = Some(budget.expect_u64()?);
    }
    if let Some(display) = optional_str(value, "display")? {
        reasoning.visible = Some(display != "omitted");
    }
    Ok(())
}

fn decode_web_search(value: Node<'_>) -> Result<WebSearch, Fault> {
    value.expect_fields()?;
    Ok(WebSearch {
        context_size: optional_str(value, "search_context_size")?,
        user_location: value.some("user_location").map(Json::of),
    })
}

fn decode_format(value: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<OutputFormat, Fault> {
    let kind = value.expect("type")?;
    report_unknown(value, &["type", "json_schema"], unknown);
    match kind.expect_str()?.as_ref() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => {
            let format = value.expect("json_schema")?;
            report_unknown(format, &["name", "description", "schema", "strict"], unknown);
            let schema = format.expect("schema")?;
            schema.expect_fields()?;
            Ok(OutputFormat::JsonSchema {
                name: optional_str(format, "name")?.unwrap_or_else(|| "response".into()),
                description: optional_str(format, "description")?,
                schema: Json::of(schema),
                strict: format.some("strict").map(|strict| strict.expect_bool()).transpose()?,
            })
        }
        _ => Err(kind.invalid("must be text, json_object or json_schema")),
    }
}

fn decode_tool_choice(value: Node<'_>) -> Result<ToolChoice, Fault> {
    if let Some(mode) = value.as_str() {
        return match mode.as_ref() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(value.invalid("must be auto, none, required or an object that names a tool")),
        };
    }
    value.expect_fields()?;
    match value.str("type").as_deref() {
        Some("function") => tool_name(value.expect("function")?).map(ToolChoice::Named),
        Some("custom") => tool_name(value.expect("custom")?).map(ToolChoice::Named),
        Some("allowed_tools") => decode_allowed(value.expect("allowed_tools")?),
        // The legacy function_call object has the name alone.
        None => tool_name(value).map(ToolChoice::Named),
        Some(_) => Err(value.expect("type")?.invalid("must be function, custom or allowed_tools")),
    }
}

fn decode_allowed(value: Node<'_>) -> Result<ToolChoice, Fault> {
    let names = value
        .expect("tools")?
        .expect_items()?
        .map(|tool| tool_name(tool.some("function").or(tool.some("custom")).unwrap_or(tool)))
        .collect::<Result<_, _>>()?;
    Ok(ToolChoice::Allowed { names, required: value.str("mode").as_deref() == Some("required") })
}

fn tool_name(value: Node<'_>) -> Result<String, Fault> {
    Ok(value.expect("name")?.expect_str()?.into_owned())
}

fn decode_tool(tool: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Tool, Fault> {
    tool.expect_fields()?;
    let Some(kind) = tool.some("type") else {
        return match (tool.some("function"), tool.fields().next()) {
            (Some(function), _) => decode_function(tool, function, unknown),
            // Gemini's own tools have no type.
            (None, Some(_)) => Ok(hosted(Dialect::GeminiGenerate, tool)),
            (None, None) => tool.expect("type").map(|_| hosted(Dialect::OpenaiChat, tool)),
        };
    };
    let kind = kind.expect_str()?;
    match kind.as_ref() {
        "function" => decode_function(tool, tool.expect("function")?, unknown),
        "custom" => Ok(Tool::Custom { name: tool_name(tool.expect("custom")?)?, value: Json::of(tool) }),
        // Anthropic dates its tools (`web_search_20250305`); Portkey's clients put them into an object named after them.
        kind if is_dated(kind) => Ok(hosted(Dialect::AnthropicMessages, tool)),
        kind => match tool.some(kind).and_then(|inner| Some((inner, inner.str("name")?))) {
            Some((inner, dated)) if is_dated(&dated) => Ok(wrapped_tool(kind, &dated, inner)),
            _ => Ok(hosted(Dialect::OpenaiChat, tool)),
        },
    }
}

fn is_dated(kind: &str) -> bool {
    kind.rsplit_once('_')
        .is_some_and(|(_, date)| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
}

fn hosted(dialect: Dialect, tool: Node<'_>) -> Tool {
    let name = match tool.str("type") {
        Some(kind) => kind.into_owned(),
        None => tool.fields().next().map(|(name, _)| name.into_owned()).unwrap_or_default(),
    };
    Tool::Hosted { dialect, name, value: Json::of(tool) }
}

/// `{"type": "T", "T": {"name": "T_20250101", ...}}` to Anthropic's `{"type": "T_20250101", "name": "T", ...}`.
fn wrapped_tool(name: &str, dated: &str, inner: Node<'_>) -> Tool {
    let value = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", dated);
            w.field_str("name", name);
            for (field, value) in inner.fields().filter(|(field, _)| field != "name") {
                w.field_raw(&field, value.text());
            }
        });
    });
    Tool::Hosted { dialect: Dialect::AnthropicMessages, name: dated.to_owned(), value }
}

fn decode_function(
    tool: Node<'_>,
    function: Node<'_>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<Tool, Fault> {
    const KNOWN: &[&str] = &["name", "description", "parameters", "strict", "cache_control"];
    report_unknown(function, KNOWN, unknown);
    if tool.some("function").is_some() {
        report_unknown(tool, &["type", "function", "cache_control"], unknown);
    }
    let parameters = function.some("parameters");
    // `true` and `false` are schemas too; whether a vendor takes them is for the vendor to say.
    if let Some(parameters) = parameters.filter(|parameters| parameters.as_bool().is_none()) {
        parameters.expect_fields()?;
    }
    Ok(Tool::Function {
        name: tool_name(function)?,
        description: optional_str(function, "description")?,
        parameters: parameters.map(Json::of),
        strict: function.some("strict").map(|strict| strict.expect_bool()).transpose()?,
        cache_control: tool.some("cache_control").or(function.some("cache_control")).map(Json::of),
    })
}

fn decode_messages(messages: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Vec<Message>, Fault> {
    let decoded: Vec<Message> =
        messages.expect_items()?.map(|message| decode_message(message, unknown)).collect::<Result<_, _>>()?;
    if decoded.is_empty() {
        return Err(messages.invalid("must hold at least one message"));
    }
    Ok(decoded)
}

fn decode_message(message: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Message, Fault> {
    let role = message.expect("role")?;
    let (role, known): (Role, &[&str]) = match role.expect_str()?.as_ref() {
        "system" => (Role::System, &["content"]),
        "developer" => (Role::Developer, &["content"]),
        "user" => (Role::User, &["content"]),
        "assistant" => (Role::Assistant, ASSISTANT_FIELDS),
        "tool" => (Role::Tool, &["content", "tool_call_id", "is_error"]),
        "function" => (Role::Tool, &["content"]),
        _ => return Err(role.invalid("must be system, developer, user, assistant or tool")),
    };
    report_unknown(message, &[known, &["role", "name", "cache_control"]].concat(), unknown);
    let mut blocks = match role {
        Role::Assistant => decode_assistant(message, unknown)?,
        Role::Tool => vec![decode_tool_result(message, unknown)?],
        Role::System | Role::Developer | Role::User => decode_content(message.expect("content")?, unknown)?,
    };
    if let (Some(mark), Some(last)) = (message.some("cache_control"), blocks.last_mut()) {
        last.cache_control = Some(Json::of(mark));
    }
    // A tool's name belongs to its result.
    let name = optional_str(message, "name")?.filter(|_| role != Role::Tool);
    Ok(Message { role, name, blocks })
}

const CALL_FIELDS: &[&str] =
    &["id", "type", "function", "custom", "index", "extra_content", "thought_signature", "cache_control"];

const ASSISTANT_FIELDS: &[&str] = &[
    "content",
    "content_blocks",
    "refusal",
    "tool_calls",
    "function_call",
    "reasoning_content",
    "reasoning",
    "annotations",
    "audio",
];

fn decode_assistant(message: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Vec<Block>, Fault> {
    // What a non-strict answer showed says more than `content`: it holds the signatures.
    let content = message.some("content_blocks").or(message.some("content"));
    let mut blocks = content.map(|content| decode_content(content, unknown)).transpose()?.unwrap_or_default();
    let thought = blocks.iter().any(|block| matches!(block.content, Content::Reasoning(_)));
    if let Some(reasoning) = message.str("reasoning_content").or(message.str("reasoning"))
        && !thought
        && !reasoning.is_empty()
    {
        blocks.insert(0, Block::new(Content::Reasoning(reasoning.into_owned())));
    }
    if let Some(audio) = message.some("audio") {
        let value = Json::build(|w| w.object(|w| w.field_raw("audio", audio.text())));
        blocks.push(Block::new(Content::Foreign { dialect: Dialect::OpenaiChat, value }));
    }
    if let Some(refusal) = optional_str(message, "refusal")?.filter(|refusal| !refusal.is_empty()) {
        blocks.push(Block::new(Content::Refusal(refusal)));
    }
    if let Some(calls) = message.some("tool_calls") {
        for call in calls.expect_items()? {
            report_unknown(call, CALL_FIELDS, unknown);
            blocks.push(decode_tool_call(call)?);
        }
    }
    if let Some(call) = message.some("function_call") {
        let name = tool_name(call)?;
        let arguments = optional_str(call, "arguments")?.unwrap_or_default();
        blocks.push(Block::new(Content::ToolCall {
            id: name.clone(),
            name,
            arguments,
            kind: ToolKind::Function,
        }));
    }
    Ok(blocks)
}

fn decode_tool_call(call: Node<'_>) -> Result<Block, Fault> {
    let (inner, kind) = match called(call) {
        Some(called) => called,
        None => (call.expect("function")?, ToolKind::Function),
    };
    let input = match kind {
        ToolKind::Custom => "input",
        ToolKind::Function => "arguments",
    };
    let arguments = match inner.some(input) {
        // Some servers send the arguments as an object.
        Some(arguments) if arguments.is_object() => arguments.text().to_owned(),
        Some(arguments) => arguments.expect_str()?.into_owned(),
        None => String::new(),
    };
    let legacy = || {
        let value = inner.str("thought_signature").or(call.str("thought_signature"))?.into_owned();
        Some(Signature { dialect: Dialect::GeminiGenerate, value })
    };
    let id = optional_str(call, "id")?.unwrap_or_default();
    Ok(Block {
        signature: thought_signature(call).or_else(legacy),
        cache_control: call.some("cache_control").map(Json::of),
        ..Block::new(Content::ToolCall { id, name: tool_name(inner)?, arguments, kind })
    })
}

fn decode_tool_result(message: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Block, Fault> {
    let name = optional_str(message, "name")?;
    let id = match (message.some("tool_call_id"), &name) {
        (Some(id), _) => id.expect_str()?.into_owned(),
        // The legacy function role has no ids: the name joins call and result.
        (None, Some(name)) if message.str("role").as_deref() == Some("function") => name.clone(),
        (None, _) => message.expect("tool_call_id")?.expect_str()?.into_owned(),
    };
    let content = match message.get("content") {
        Some(content) => decode_content(content, unknown)?,
        None => Vec::new(),
    };
    let is_error = message.some("is_error").map(|node| node.expect_bool()).transpose()?.unwrap_or(false);
    Ok(Block::new(Content::ToolResult { id, name, content, is_error }))
}
