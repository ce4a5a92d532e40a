//! Everything that a request says beside its conversation: tools, the choice among them, sampling, thinking,
//! format.

use ostia_dialect::json::Json;
use ostia_dialect::{
    Dialect, Logprobs, OutputFormat, Reasoning, Request, Sampling, Tool, ToolChoice, ToolKind, WebSearch,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::words::{cache, raw, schema, words};

/// The client's tools.
pub const TOOLS: [(&str, ToolKind); 4] = [
    ("look", ToolKind::Function),
    ("clock", ToolKind::Function),
    ("patch", ToolKind::Custom),
    ("query", ToolKind::Custom),
];

/// Models of the vendor of each dialect, of every kind that its encoder tells apart.
pub fn models(dialect: Dialect) -> Vec<&'static str> {
    match dialect {
        Dialect::OpenaiChat => vec!["gpt-5"],
        Dialect::OpenaiResponses => vec!["gpt-5", "gpt-5.1", "gpt-4.1", "o4-mini"],
        Dialect::AnthropicMessages => vec![
            "claude-3-5-haiku-20241022",
            "claude-sonnet-4-5",
            "claude-opus-4-6",
            "claude-opus-4-7",
            "claude-opus-5",
            "claude-opus-5-5",
        ],
        Dialect::GeminiGenerate => {
            vec!["gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview"]
        }
        Dialect::CohereChat => vec!["command-a-reasoning-08-2025"],
        Dialect::BedrockConverse => {
            vec!["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-opus-4-6-v1"]
        }
        Dialect::OllamaChat => vec!["qwen3:4b"],
        Dialect::ReplicateText => vec!["meta/meta-llama-3-70b-instruct"],
    }
}

/// A request that holds no conversation yet.
pub fn settings(dialect: Dialect) -> impl Strategy<Value = Request> {
    let tools = (tools(), any::<prop::sample::Index>(), prop::option::of(any::<bool>()));
    let asked = (sampling(), prop::option::of(format()), prop::option::of(reasoning()));
    let rest = (any::<bool>(), prop::option::of(words()), tier(), cache(), extra());
    (select(models(dialect)), tools, asked, prop::option::weighted(0.3, web_search()), rest).prop_map(
        |(model, (tools, choice, parallel_tool_calls), asked, web_search, rest)| {
            let (sampling, output_format, reasoning) = asked;
            let (stream, user, service_tier, cache_control, extra) = rest;
            // Who brings a vendor's own search says there what it is to be like.
            let searches =
                |tool: &Tool| matches!(tool, Tool::Hosted { name, .. } if name.starts_with("web_search"));
            let web_search = match tools.iter().any(searches) {
                true => Some(WebSearch::default()),
                false => web_search,
            };
            Request {
                model: model.to_owned(),
                tool_choice: tool_choice(&tools, choice),
                tools,
                parallel_tool_calls,
                output_format,
                sampling,
                reasoning,
                web_search,
                stream,
                include_usage: true,
                user,
                service_tier,
                cache_control,
                extra,
                ..Request::default()
            }
        },
    )
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let clients = subsequence(TOOLS.to_vec(), 0..=TOOLS.len())
        .prop_flat_map(|tools| tools.into_iter().map(|(name, kind)| tool(name, kind)).collect::<Vec<_>>());
    (clients, prop::option::weighted(0.2, hosted())).prop_map(|(mut tools, hosted)| {
        tools.extend(hosted);
        tools
    })
}

fn tool(name: &'static str, kind: ToolKind) -> BoxedStrategy<Tool> {
    let description = prop::option::of(words());
    if kind == ToolKind::Custom {
        let formats = vec![
            Value::Null,
            json!({"type": "text"}),
            json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: \"a\"\n"}}),
        ];
        return (description, select(formats))
            .prop_map(move |(description, format)| custom(name, description, &format))
            .boxed();
    }
    let strict = prop::option::of(any::<bool>());
    (description, prop::option::weighted(0.9, schema()), strict, cache())
        .prop_map(move |(description, parameters, strict, cache_control)| Tool::Function {
            name: name.to_owned(),
            description,
            parameters,
            strict,
            cache_control,
        })
        .boxed()
}

fn custom(name: &str, description: Option<String>, format: &Value) -> Tool {
    let mut custom = json!({"name": name});
    if let Some(description) = description {
        custom["description"] = description.into();
    }
    if !format.is_null() {
        custom["format"] = format.clone();
    }
    Tool::Custom { name: name.to_owned(), value: raw(json!({"type": "custom", "custom": custom})) }
}

/// Tools that a vendor runs, of which others have the like.
fn hosted() -> impl Strategy<Value = Tool> {
    let tools = vec![
        (
            Dialect::OpenaiResponses,
            "code_interpreter",
            json!({"type": "code_interpreter", "container": {"type": "auto"}}),
        ),
        (
            Dialect::AnthropicMessages,
            "code_execution_20250825",
            json!({"type": "code_execution_20250825", "name": "code_execution"}),
        ),
        (Dialect::GeminiGenerate, "codeExecution", json!({"codeExecution": {}})),
        (
            Dialect::AnthropicMessages,
            "web_fetch_20250910",
            json!({"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 2}),
        ),
        (Dialect::GeminiGenerate, "urlContext", json!({"urlContext": {}})),
        (
            Dialect::AnthropicMessages,
            "web_search_20260209",
            json!({"type": "web_search_20260209", "name": "web_search", "max_uses": 2}),
        ),
    ];
    select(tools).prop_map(|(dialect, name, value)| Tool::Hosted {
        dialect,
        name: name.to_owned(),
        value: raw(value),
    })
}

/// A choice that makes sense with these tools.
fn tool_choice(tools: &[Tool], choice: prop::sample::Index) -> Option<ToolChoice> {
    let names: Vec<String> = tools
        .iter()
        .filter_map(|tool| match tool {
            Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name.clone()),
            Tool::Hosted { .. } => None,
        })
        .collect();
    let mut choices = vec![None, Some(ToolChoice::Auto), Some(ToolChoice::None), Some(ToolChoice::Required)];
    if let Some(name) = names.first() {
        choices.push(Some(ToolChoice::Named(name.clone())));
        choices.push(Some(ToolChoice::Allowed { names: names.clone(), required: true }));
        choices.push(Some(ToolChoice::Allowed { names: vec![name.clone()], required: false }));
    }
    choices.swap_remove(choice.index(choices.len()))
}

fn number(values: &[&'static str]) -> impl Strategy<Value = Option<Json>> + use<> {
    let values: Vec<Json> = values.iter().map(|text| Json::build(|w| w.raw(text))).collect();
    prop::option::of(select(values))
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let drawn = (
        prop::option::of(select(vec![1, 900, 1024, 5000, 60_000])),
        number(&["0", "0.50", "1", "1.7"]),
        number(&["0.1", "0.97", "1.0"]),
        number(&["1", "40"]),
        number(&["7", "-3"]),
    );
    let told = (
        number(&["0", "-1.5"]),
        number(&["1e-1"]),
        prop::option::of(1..3_u64),
        prop::option::of(prop::option::of(0..5_u64)),
        prop::option::of(Just(raw(json!({"12": -100})))),
    );
    (drawn, told, prop::collection::vec(words(), 0..3)).prop_map(|(drawn, told, stop)| {
        let (max_tokens, temperature, top_p, top_k, seed) = drawn;
        let (presence_penalty, frequency_penalty, n, logprobs, logit_bias) = told;
        Sampling {
            max_tokens,
            temperature,
            top_p,
            top_k,
            stop,
            seed,
            presence_penalty,
            frequency_penalty,
            n,
            logprobs: logprobs.map(|top| Logprobs { top }),
            logit_bias,
        }
    })
}

fn format() -> impl Strategy<Value = OutputFormat> {
    let by_schema = ("[a-z]{1,5}", prop::option::of(words()), schema(), prop::option::of(any::<bool>()));
    let by_schema = by_schema.prop_map(|(name, description, schema, strict)| OutputFormat::JsonSchema {
        name,
        description,
        schema,
        strict,
    });
    prop_oneof![Just(OutputFormat::Text), Just(OutputFormat::JsonObject), by_schema]
}

/// A wish that makes sense: who turns thinking off says nothing of how much.
fn reasoning() -> impl Strategy<Value = Reasoning> {
    let efforts = vec!["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let effort = select(efforts)
        .prop_map(|level| Reasoning { effort: Some(level.to_owned()), ..Reasoning::default() });
    let budget = select(vec![1024, 3000, 20_000]).prop_map(|tokens| Reasoning {
        budget_tokens: Some(tokens),
        enabled: Some(true),
        ..Reasoning::default()
    });
    let enabled = any::<bool>().prop_map(|on| Reasoning { enabled: Some(on), ..Reasoning::default() });
    let adaptive = prop::option::of(select(vec!["low", "high"])).prop_map(|level| Reasoning {
        adaptive: true,
        enabled: Some(true),
        effort: level.map(str::to_owned),
        ..Reasoning::default()
    });
    (prop_oneof![effort, budget, enabled, adaptive], prop::option::of(any::<bool>()))
        .prop_map(|(wish, visible)| Reasoning { visible, ..wish })
}

fn web_search() -> impl Strategy<Value = WebSearch> {
    let places = vec![
        json!({"type": "approximate", "city": "Rome", "country": "IT"}),
        json!({"type": "approximate", "approximate": {"city": "Rome", "timezone": "Europe/Rome"}}),
    ];
    let sizes = vec!["low".to_owned(), "medium".to_owned()];
    (prop::option::of(select(sizes)), prop::option::of(select(places).prop_map(raw)))
        .prop_map(|(context_size, user_location)| WebSearch { context_size, user_location })
}

fn tier() -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(vec!["auto", "default", "flex", "priority"]).prop_map(str::to_owned))
}

/// Fields that the hub has no word for, of every vendor, and one that nobody knows.
fn extra() -> impl Strategy<Value = Vec<(String, Json)>> {
    let fields = vec![
        ("metadata", json!({"a": "b"})),
        ("metadata", json!({"user_id": "u", "a": "b"})),
        ("verbosity", json!("low")),
        ("prompt_cache_key", json!("k")),
        ("safety_identifier", json!("s")),
        ("prediction", json!({"type": "content", "content": "x"})),
        ("modalities", json!(["text", "audio"])),
        ("max_tool_calls", json!(3)),
        ("container", json!("c")),
        ("safetySettings", json!([{"category": "c", "threshold": "t"}])),
        ("cachedContent", json!("cachedContents/1")),
        ("of_tomorrow", json!({"x": [1]})),
    ];
    subsequence(fields, 0..3).prop_map(|fields| {
        let mut named: Vec<(String, Json)> = Vec::new();
        for (name, value) in fields {
            if named.iter().all(|(known, _)| known != name) {
                named.push((name.to_owned(), raw(value)));
            }
        }
        named
    })
}
