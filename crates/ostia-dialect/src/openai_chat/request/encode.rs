//! The canonical request to the vendor's body.
//!
//! Many vendors speak this format, and most refuse fields that they do not know: only OpenAI's own are sent. What differs
//! from vendor to vendor says the [`Form`].

mod messages;

use crate::json::{Document, Json, Writer};
use crate::{
    Dialect, Encoded, Fault, Form, OutputFormat, Reasoning, Request, Sampling, Tool, ToolChoice, WebSearch,
};

/// Fields of [`Request::extra`] that the format has.
/// <https://platform.openai.com/docs/api-reference/chat/create>
const OWN_FIELDS: [&str; 9] = [
    "audio",
    "metadata",
    "modalities",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "verbosity",
];
/// Fields of [`Request::extra`] that speak to the vendor of another dialect about that dialect itself.
const SILENT_FIELDS: [&str; 3] = ["anthropic_beta", "anthropic_version", "betas"];
/// Budgets of reasoning up to this many tokens are a low effort,
const LOW_BUDGET_TOKENS: u64 = 2048;
/// and up to this many a medium one.
const MEDIUM_BUDGET_TOKENS: u64 = 8192;

/// The body for this request, and what it could not say.
///
/// # Errors
/// 400 for a request that makes no sense in this format, naming the field.
pub fn encode(request: &Request, form: &Form) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.field_str("model", &request.model);
        messages::write(&request.messages, form, w, &mut dropped);
        write_tools(request, w, &mut dropped);
        write_format(request.output_format.as_ref(), w);
        write_sampling(&request.sampling, w, &mut dropped);
        write_reasoning(request.reasoning.as_ref(), w, &mut dropped);
        write_search(request.web_search.as_ref(), w);
        if let Some(user) = &request.user {
            w.field_str("user", user);
        }
        if let Some(tier) = &request.service_tier {
            w.field_str("service_tier", if tier == "standard_only" { "default" } else { tier });
        }
        if request.cache_control.is_some() {
            dropped.push("cache_control".into());
        }
        write_extra(request, w, &mut dropped);
        write_stream(request, form, w);
    });
    Ok(Encoded { body: w.into_bytes(), headers: Vec::new(), dropped })
}

fn write_tools(request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
    let sayable = |tool: &Tool| match tool {
        Tool::Function { .. } | Tool::Custom { .. } => true,
        Tool::Hosted { dialect, .. } => *dialect == Dialect::OpenaiChat,
    };
    for (at, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { cache_control: Some(_), .. } => {
                dropped.push(format!("tools[{at}].cache_control"))
            }
            tool if !sayable(tool) => dropped.push(format!("tools[{at}]")),
            Tool::Function { .. } | Tool::Custom { .. } | Tool::Hosted { .. } => {}
        }
    }
    if !request.tools.iter().any(sayable) {
        return;
    }
    w.field_array("tools", |w| {
        request.tools.iter().filter(|tool| sayable(tool)).for_each(|tool| write_tool(tool, w))
    });
    write_choice(request, w);
    if let Some(parallel) = request.parallel_tool_calls {
        w.field_bool("parallel_tool_calls", parallel);
    }
}

fn write_tool(tool: &Tool, w: &mut Writer) {
    match tool {
        Tool::Custom { value, .. } | Tool::Hosted { value, .. } => w.raw(value.as_str()),
        Tool::Function { name, description, parameters, strict, cache_control: _ } => w.object(|w| {
            w.field_str("type", "function");
            w.field_object("function", |w| {
                w.field_str("name", name);
                if let Some(description) = description {
                    w.field_str("description", description);
                }
                if let Some(parameters) = parameters {
                    w.field_raw("parameters", parameters.as_str());
                }
                if let Some(strict) = strict {
                    w.field_bool("strict", *strict);
                }
            });
        }),
    }
}

fn write_choice(request: &Request, w: &mut Writer) {
    let kind = |name: &str| {
        let custom = |tool: &Tool| matches!(tool, Tool::Custom { name: own, .. } if own == name);
        if request.tools.iter().any(custom) { "custom" } else { "function" }
    };
    let named = |name: &String, w: &mut Writer| {
        w.object(|w| {
            w.field_str("type", kind(name));
            w.field_object(kind(name), |w| w.field_str("name", name));
        });
    };
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => w.field_str("tool_choice", "auto"),
        Some(ToolChoice::None) => w.field_str("tool_choice", "none"),
        Some(ToolChoice::Required) => w.field_str("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => named(name, w.key("tool_choice")),
        Some(ToolChoice::Allowed { names, required }) => w.field_object("tool_choice", |w| {
            w.field_str("type", "allowed_tools");
            w.field_object("allowed_tools", |w| {
                w.field_str("mode", if *required { "required" } else { "auto" });
                w.field_array("tools", |w| names.iter().for_each(|name| named(name, w)));
            });
        }),
    }
}

fn write_format(format: Option<&OutputFormat>, w: &mut Writer) {
    match format {
        None | Some(OutputFormat::Text) => {}
        Some(OutputFormat::JsonObject) => {
            w.field_object("response_format", |w| w.field_str("type", "json_object"))
        }
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => {
            w.field_object("response_format", |w| {
                w.field_str("type", "json_schema");
                w.field_object("json_schema", |w| {
                    w.field_str("name", name);
                    if let Some(description) = description {
                        w.field_str("description", description);
                    }
                    w.field_raw("schema", schema.as_str());
                    if let Some(strict) = strict {
                        w.field_bool("strict", *strict);
                    }
                });
            });
        }
    }
}

fn write_sampling(sampling: &Sampling, w: &mut Writer, dropped: &mut Vec<String>) {
    if let Some(tokens) = sampling.max_tokens {
        w.field_u64("max_completion_tokens", tokens);
    }
    let numbers: [(&str, &Option<Json>); 6] = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("seed", &sampling.seed),
        ("presence_penalty", &sampling.presence_penalty),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("logit_bias", &sampling.logit_bias),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            w.field_raw(name, value.as_str());
        }
    }
    if !sampling.stop.is_empty() {
        w.field_array("stop", |w| sampling.stop.iter().for_each(|stop| w.string(stop)));
    }
    if let Some(n) = sampling.n {
        w.field_u64("n", n);
    }
    if let Some(logprobs) = sampling.logprobs {
        w.field_bool("logprobs", true);
        if let Some(top) = logprobs.top {
            w.field_u64("top_logprobs", top);
        }
    }
    if sampling.top_k.is_some() {
        dropped.push("top_k".into());
    }
}

/// The format has a word for the effort only. Where nothing but a budget is known, it stands for an effort; whether to
/// think at all is the model's own.
fn write_reasoning(reasoning: Option<&Reasoning>, w: &mut Writer, dropped: &mut Vec<String>) {
    let Some(reasoning) = reasoning else { return };
    let effort = match (reasoning.effort.as_deref(), reasoning.budget_tokens) {
        (Some("max"), _) => Some("xhigh"),
        (Some(effort), _) => Some(effort),
        (None, Some(..=LOW_BUDGET_TOKENS)) => Some("low"),
        (None, Some(..=MEDIUM_BUDGET_TOKENS)) => Some("medium"),
        (None, Some(_)) => Some("high"),
        (None, None) => None,
    };
    if let Some(effort) = effort {
        w.field_str("reasoning_effort", effort);
    } else if reasoning.enabled == Some(false) {
        dropped.push("thinking".into());
    }
    if reasoning.visible == Some(false) {
        dropped.push("reasoning.exclude".into());
    }
}

fn write_search(search: Option<&WebSearch>, w: &mut Writer) {
    let Some(WebSearch { context_size, user_location }) = search else { return };
    w.field_object("web_search_options", |w| {
        if let Some(size) = context_size {
            w.field_str("search_context_size", size);
        }
        let Some(location) = user_location else { return };
        let Ok(document) = Document::parse(location.as_str().as_bytes()) else { return };
        if document.root().some("approximate").is_some() {
            return w.field_raw("user_location", location.as_str());
        }
        // Other dialects put the place beside its type.
        w.field_object("user_location", |w| {
            w.field_str("type", "approximate");
            w.field_object("approximate", |w| {
                for (name, value) in document.root().fields().filter(|(name, _)| name != "type") {
                    w.field_raw(&name, value.text());
                }
            });
        });
    });
}

fn write_extra(request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
    for (name, value) in &request.extra {
        if OWN_FIELDS.contains(&name.as_str()) {
            w.field_raw(name, value.as_str());
        } else if !SILENT_FIELDS.contains(&name.as_str()) {
            dropped.push(name.clone());
        }
    }
}

/// The usage is always asked for: whether the client sees it is decided when the answer is written.
fn write_stream(request: &Request, form: &Form, w: &mut Writer) {
    if !request.stream {
        return;
    }
    w.field_bool("stream", true);
    if !form.usage_unasked {
        w.field_object("stream_options", |w| w.field_bool("include_usage", true));
    }
}
