#![allow(clippy::unwrap_used)]

use super::{
    Chat, Converse, Efforts, Maker, ModelFacts, Off, Rules, Sampling, Thinking, ToolUse,
    belongs_at_responses, has_proofs_of_others, has_to_be_retold, has_unsigned_calls, nearest, repairs, rows,
};
use crate::json::Document;
use crate::{Dialect, Reasoning, Request};

const CHAT: Dialect = Dialect::OpenaiChat;
const RESPONSES: Dialect = Dialect::OpenaiResponses;
const MESSAGES: Dialect = Dialect::AnthropicMessages;
const GEMINI: Dialect = Dialect::GeminiGenerate;

#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(dialect: Dialect, fact: impl Fn(&Rules) -> T, cases: &[(&str, T)]) {
    for (id, expected) in cases {
        assert_eq!(fact(Rules::of(dialect, id)), *expected, "{id}");
    }
}

#[test]
fn models_of_openai() {
    let levels = |rules: &Rules| rules.efforts.map_or("any".to_owned(), |levels| levels.join(" "));
    check(
        RESPONSES,
        levels,
        &[
            ("gpt-4o-2024-08-06", "".into()),
            ("ft:gpt-4.1-mini:acme-o3-pro::x", "".into()),
            ("gpt-35-turbo", "".into()),
            ("gpt-3.5-turbo", "".into()),
            ("gpt-4-32k", "".into()),
            ("chatgpt-4o-latest", "".into()),
            ("gpt-5-chat-latest", "".into()),
            ("gpt-5.2-chat-latest", "medium".into()),
            ("gpt-5", "minimal low medium high".into()),
            ("openai/gpt-5-mini-2025-08-07", "minimal low medium high".into()),
            ("gpt-5-pro", "high".into()),
            ("gpt-5.2-pro", "medium high xhigh".into()),
            ("gpt-5-codex", "low medium high".into()),
            ("gpt-5.1-codex-max", "low medium high xhigh".into()),
            ("gpt-5.1", "none low medium high".into()),
            ("gpt-5.4-mini", "none low medium high xhigh".into()),
            ("openai.gpt-5.6-luna", "none low medium high xhigh max".into()),
            ("gpt-6-astra", "low medium high xhigh max".into()),
            ("o4-mini", "low medium high".into()),
            ("o3-2025-04-16", "low medium high".into()),
            ("gpt-oss-120b", "any".into()),
            ("grok-4.3", "any".into()),
            ("our-deployment", "any".into()),
        ],
    );
    check(
        CHAT,
        |rules| rules.chat,
        &[
            ("gpt-5", Chat::All),
            ("gpt-5.3", Chat::All),
            ("gpt-5.4", Chat::NoFunctionsWhileThinking),
            ("gpt-6-sol", Chat::NoFunctionsWhileThinking),
            ("o3-pro", Chat::Nothing),
            ("o4-mini-deep-research-2025-06-26", Chat::Nothing),
            ("gpt-5.3-codex", Chat::Nothing),
            ("codex-mini-latest", Chat::Nothing),
            ("o3-mini", Chat::All),
        ],
    );
    check(
        CHAT,
        |rules| (rules.stop, rules.chat_search, rules.sampling),
        &[
            ("gpt-4o-search-preview", (true, true, Sampling::Fixed)),
            ("gpt-4o", (true, false, Sampling::All)),
            ("gpt-5", (false, false, Sampling::Fixed)),
            ("gpt-5.2", (false, false, Sampling::Thoughtless)),
            ("grok-4-0709", (false, true, Sampling::All)),
            ("grok-4-1-fast-non-reasoning", (true, true, Sampling::All)),
            ("deepseek-chat", (true, true, Sampling::All)),
        ],
    );
}

#[test]
fn models_of_anthropic() {
    let facts = |rules: &Rules| {
        (rules.thinking, rules.off, rules.sampling, rules.output_tokens_max / 1000, rules.prefill)
    };
    let (budget, both, adaptive) = (Thinking::Budget, Thinking::Both, Thinking::Adaptive);
    check(
        MESSAGES,
        facts,
        &[
            ("claude-3-haiku-20240307", (Thinking::Never, Off::Omit, Sampling::All, 4, true)),
            ("claude-instant-1.2", (Thinking::Never, Off::Omit, Sampling::All, 4, true)),
            (
                "anthropic.claude-3-5-sonnet-20241022-v2:0",
                (Thinking::Never, Off::Omit, Sampling::All, 8, true),
            ),
            ("claude-3-7-sonnet-latest", (budget, Off::Omit, Sampling::All, 64, true)),
            ("claude-opus-4-20250514", (budget, Off::Omit, Sampling::All, 32, true)),
            ("claude-opus-4-1", (budget, Off::Omit, Sampling::Either, 32, true)),
            ("claude-sonnet-4-5@20250929", (budget, Off::Omit, Sampling::Either, 64, true)),
            ("us.anthropic.claude-sonnet-4-6-v1:0", (both, Off::Omit, Sampling::Either, 128, false)),
            ("anthropic/claude-opus-4.8", (adaptive, Off::Omit, Sampling::Fixed, 128, false)),
            ("claude-opus-5", (adaptive, Off::Say("disabled"), Sampling::Fixed, 128, false)),
            ("claude-opus-5-5", (adaptive, Off::Never, Sampling::Fixed, 128, false)),
            ("claude-mythos-preview", (adaptive, Off::Never, Sampling::Fixed, 128, false)),
            ("claude-saga-6", (adaptive, Off::Omit, Sampling::Fixed, 128, false)),
            ("glm-5.2", (budget, Off::Omit, Sampling::All, 64, true)),
        ],
    );
    check(
        MESSAGES,
        |rules| rules.forced_tools,
        &[("claude-fable-5", true), ("claude-fable-5-1", false), ("claude-opus-5-5", false)],
    );
}

#[test]
fn models_of_google() {
    let facts = |rules: &Rules| (rules.thinking, rules.penalties, rules.beside_functions, rules.signed_calls);
    let (never, budget, level) = (Thinking::Never, Thinking::Budget, Thinking::Level);
    check(
        GEMINI,
        facts,
        &[
            ("gemini-1.5-pro-002", (never, true, false, false)),
            ("gemini-2.0-flash", (never, true, false, false)),
            ("models/gemini-2.5-flash-lite", (budget, false, false, false)),
            ("gemini-3-pro-preview", (level, false, true, true)),
            ("publishers/google/models/gemini-flash-latest", (level, false, true, true)),
            ("Gemini-3.8-Flash", (level, false, true, true)),
            ("gemini-exp-1206", (budget, true, true, false)),
            ("tuned", (budget, true, true, false)),
        ],
    );
    let levels = |rules: &Rules| rules.efforts.unwrap_or_default().len();
    check(
        GEMINI,
        levels,
        &[("gemini-3-pro-preview", 2), ("gemini-3.1-pro", 3), ("gemini-3-flash", 4), ("gemini-3.7-flash", 3)],
    );
}

#[test]
fn the_nearest_effort_is_not_above_the_wish() {
    let all: &[&str] = &["none", "low", "medium", "high"];
    for (levels, wish, level) in [
        (all, "minimal", Some("low")),
        (all, "none", Some("none")),
        (all, "max", Some("high")),
        (&["low", "medium", "high"], "none", Some("low")),
        (&["high"], "low", Some("high")),
        (&["medium", "high", "xhigh"], "low", Some("medium")),
        (&[], "high", None),
        (all, "vast", None),
    ] {
        assert_eq!(nearest(levels, wish), level, "{wish} of {levels:?}");
    }
}

/// What of a body is repaired: fields that go, the effort, and the name of the limit.
#[track_caller]
fn check_repairs(
    dialect: Dialect,
    model: &str,
    body: &str,
    without: &[&str],
    effort: Option<&str>,
    new_limit: bool,
) {
    let document = Document::parse_to(body.as_bytes(), 1).unwrap();
    let repairs = repairs(dialect, model, &document);
    assert_eq!(
        (repairs.without.as_slice(), repairs.effort, repairs.new_limit),
        (without, effort, new_limit),
        "{body}"
    );
}

#[test]
fn relayed_requests_lose_only_what_is_sure_to_be_refused() {
    let hot = r#"{"temperature":0.2,"top_p":1,"stop":"x","logprobs":null,"presence_penalty":0}"#;
    check_repairs(CHAT, "gpt-5", hot, &["temperature", "stop"], None, false);
    check_repairs(CHAT, "gpt-4o", hot, &[], None, false);
    check_repairs(CHAT, "openai/gpt-5", hot, &[], None, false);
    check_repairs(CHAT, "any", hot, &[], None, false);
    check_repairs(CHAT, "gpt-5.2", r#"{"temperature":0.2}"#, &[], None, false);
    let low = r#"{"temperature":0.2,"reasoning_effort":"low","logprobs":true}"#;
    check_repairs(CHAT, "gpt-5.2", low, &["temperature", "logprobs"], None, false);
    check_repairs(
        CHAT,
        "o4-mini",
        r#"{"max_tokens":5,"parallel_tool_calls":true}"#,
        &["parallel_tool_calls"],
        None,
        true,
    );
    check_repairs(
        CHAT,
        "gpt-4o",
        r#"{"max_tokens":5,"reasoning_effort":"low"}"#,
        &["reasoning_effort"],
        None,
        false,
    );
    // With functions some models do not think at Chat Completions.
    let functions = r#"{"tools":[{"type":"function"}],"temperature":0.2}"#;
    check_repairs(CHAT, "gpt-5.6", functions, &[], Some("none"), false);
    check_repairs(CHAT, "gpt-5.4", functions, &[], None, false);
    check_repairs(CHAT, "gpt-5", functions, &["temperature"], None, false);
    let thinking = r#"{"tools":[{"type":"function"}],"reasoning_effort":"high"}"#;
    check_repairs(CHAT, "gpt-5.4", thinking, &[], Some("none"), false);
    check_repairs(CHAT, "gpt-5.4", r#"{"tools":[],"reasoning_effort":"high"}"#, &[], None, false);
    check_repairs(CHAT, "gpt-5.1", r#"{"reasoning_effort":"xhigh"}"#, &[], Some("high"), false);
    check_repairs(CHAT, "gpt-5", r#"{"reasoning_effort":"none"}"#, &[], Some("minimal"), false);
    check_repairs(
        RESPONSES,
        "gpt-5",
        r#"{"reasoning":{"effort":"max"},"top_p":0.5}"#,
        &["top_p"],
        Some("high"),
        false,
    );
    check_repairs(RESPONSES, "gpt-4.1", r#"{"reasoning":{"effort":"low"}}"#, &["reasoning"], None, false);
    let brief = r#"{"verbosity":"low","text":{"verbosity":"low","format":{"type":"text"}}}"#;
    check_repairs(RESPONSES, "gpt-4.1", brief, &["text.verbosity"], None, false);
    check_repairs(RESPONSES, "gpt-5", brief, &[], None, false);
    check_repairs(CHAT, "gpt-4o", brief, &["verbosity"], None, false);
    check_repairs(CHAT, "gpt-4o", r#"{"verbosity":"medium"}"#, &[], None, false);
    let both = r#"{"temperature":0.2,"top_p":0.5,"top_k":3}"#;
    check_repairs(MESSAGES, "claude-sonnet-4-5", both, &["top_p"], None, false);
    check_repairs(MESSAGES, "claude-opus-4-7", both, &["temperature", "top_p", "top_k"], None, false);
    check_repairs(MESSAGES, "claude-3-haiku-20240307", both, &[], None, false);
    let config = r#"{"generationConfig":{"presencePenalty":0.5,"frequencyPenalty":0.0,"topP":0.1}}"#;
    check_repairs(GEMINI, "gemini-2.5-flash", config, &["generationConfig.presencePenalty"], None, false);
    check_repairs(GEMINI, "gemini-2.0-flash", config, &[], None, false);
}

#[test]
fn some_requests_are_answered_at_responses_only() {
    let tools = r#"{"tools":[{"type":"function"}]}"#;
    for (model, body, expected) in [
        ("gpt-5.6", tools, true),
        ("gpt-5.4", tools, false),
        ("gpt-5.6", r#"{"tools":[{"type":"function"}],"reasoning_effort":"none"}"#, false),
        ("gpt-5.4", r#"{"tools":[{"type":"function"}],"reasoning_effort":"low"}"#, true),
        ("gpt-5.6", r#"{"tools":[]}"#, false),
        ("gpt-5-codex", "{}", true),
        ("openai/gpt-5-codex", "{}", false),
        ("any", tools, false),
    ] {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(belongs_at_responses(model, &document), expected, "{model} {body}");
    }
}

#[test]
fn every_row_has_a_source_and_can_be_met() {
    for dialect in Dialect::ALL {
        for row in rows(dialect) {
            assert!(!row.source.is_empty() && row.from < row.below, "{row:?}");
            let version =
                if row.from == (0, 0) { String::new() } else { format!("{}.{}", row.from.0, row.from.1) };
            let id = format!("{}-{version}", row.models.join("-"));
            let id = if row.models[0] == "o" {
                format!("o{}-{}", row.from.0, row.models[1..].join("-"))
            } else {
                id
            };
            let first = rows(dialect).iter().find(|row| row.fits(&super::name::Name::of(&id))).unwrap();
            assert!(std::ptr::eq(first, row), "{id} is met by {first:?}, not by {row:?}");
        }
    }
}

#[test]
fn makers_by_name() {
    for (model, expected) in [
        ("gpt-5", true),
        ("Qwen/Qwen3-Coder", true),
        ("gemini-3-pro-preview", false),
        ("google/gemini-3-pro", false),
        ("my-model", false),
    ] {
        assert_eq!(super::is_not_googles(model), expected, "{model}");
    }
}

#[test]
fn unsigned_calls_are_told_anew_to_models_that_insist() {
    let call = r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]}]}"#;
    let snake = r#"{"contents":[{"role":"model","parts":[{"function_call":{"name":"f"}}]}]}"#;
    let signed = r#"{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"AA=="}]}]}"#;
    let words = r#"{"contents":[{"parts":[{"text":"\"functionCall\""}]}]}"#;
    for (model, body, expected) in [
        ("gemini-3-pro-preview", call, true),
        ("gemini-3-pro-preview", snake, true),
        ("gemini-3-pro-preview", signed, false),
        ("gemini-3-pro-preview", words, false),
        ("gemini-3-pro-preview", "{}", false),
        ("gemini-2.5-flash", call, false),
    ] {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(has_unsigned_calls(model, &document), expected, "{model} {body}");
    }
}

#[test]
fn some_requests_are_told_anew_to_another_model_of_their_vendor() {
    let budget = r#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#;
    let adaptive = r#"{"thinking":{"type":"adaptive"}}"#;
    let effort = r#"{"output_config":{"effort":"xhigh"}}"#;
    let system = r#"{"messages":[{"role":"user","content":"a"},{"content":"b","role":"system"}]}"#;
    let quoted = r#"{"messages":[{"role":"user","content":"\"role\":\"system\""},{"role":"user","content":["system"]}]}"#;
    for (model, body, expected) in [
        ("claude-opus-4-8", budget, true),
        ("claude-opus-4-6", budget, false),
        ("claude-sonnet-4-5", budget, false),
        ("claude-3-5-haiku-latest", budget, true),
        ("claude-opus-4-8", adaptive, false),
        ("claude-opus-4-6", adaptive, false),
        ("claude-sonnet-4-5", adaptive, true),
        ("claude-opus-4-8", effort, false),
        ("claude-opus-4-6", effort, true),
        ("claude-sonnet-4-5", effort, true),
        ("claude-opus-4-8", system, false),
        ("claude-opus-4-7", system, true),
        ("anthropic/claude-sonnet-4.5", system, true),
        ("claude-sonnet-4-5", quoted, false),
        ("claude-sonnet-4-5", r#"{"thinking":{"type":"disabled"},"output_config":{},"messages":"x"}"#, false),
        ("claude-mythos-preview", system, true),
        ("claude-fable-5", system, false),
        ("qwen3-max", system, true),
        ("qwen3-max", adaptive, false),
        ("claude", adaptive, false),
    ] {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(has_to_be_retold(model, &document), expected, "{model} {body}");
    }
}

#[test]
fn proofs_of_others_are_seen_in_the_history() {
    let thought = |proof: &str| format!(r#"[{{"type":"thinking","thinking":"t","signature":"{proof}"}}]"#);
    let said = |history: &str| format!(r#"{{"input":{history},"messages":{history},"contents":{history}}}"#);
    for (dialect, history, expected) in [
        (MESSAGES, thought("ostia1.own.gemini_generate.MQ"), true),
        (MESSAGES, thought(""), true),
        (MESSAGES, r#"[{"signature": ""}]"#.to_owned(), true),
        (MESSAGES, thought("EqQBCgIYAh"), false),
        (
            RESPONSES,
            r#"[{"type":"reasoning","encrypted_content":"ostia1.next.gemini_generate.MQ"}]"#.to_owned(),
            true,
        ),
        (RESPONSES, r#"[{"type":"reasoning","encrypted_content":"gAAAA"}]"#.to_owned(), false),
        (RESPONSES, r#""ask""#.to_owned(), false),
        (GEMINI, r#"[{"parts":[{"thoughtSignature":"b3N0aWExLm93bi5h"}]}]"#.to_owned(), true),
        (CHAT, thought("ostia1.own.gemini_generate.MQ"), false),
    ] {
        let body = said(&history);
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(has_proofs_of_others(dialect, &document), expected, "{dialect:?} {body}");
    }
    assert!(!has_proofs_of_others(MESSAGES, &Document::parse_to(b"{}", 1).unwrap()));
}

#[test]
fn models_of_many_makers_by_converse() {
    let facts = |rules: &Rules| {
        let Converse { maker, tools, formats, .. } = rules.converse;
        (maker, tools, formats, rules.prefill)
    };
    use {Maker::*, ToolUse::*};
    let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    check(
        Dialect::BedrockConverse,
        facts,
        &[
            ("anthropic.claude-3-haiku-20240307-v1:0", (Anthropic, All, false, true)),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", (Anthropic, All, false, true)),
            ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", (Anthropic, All, true, true)),
            ("global.anthropic.claude-opus-4-6-v1", (Anthropic, All, true, false)),
            (profile, (Anthropic, All, false, true)),
            (&profile.replace(':', "%3A").replace('/', "%2F"), (Anthropic, All, false, true)),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
                (Anthropic, All, true, true),
            ),
            ("apac.amazon.nova-micro-v1:0", (Nova, All, false, true)),
            ("us.amazon.nova-2-lite-v1:0", (Nova, All, false, true)),
            ("amazon.titan-text-premier-v1:0", (Other, Never, false, false)),
            ("us.meta.llama4-maverick-17b-instruct-v1:0", (Other, Whole, false, false)),
            ("mistral.mistral-7b-instruct-v0:2", (Other, Never, false, false)),
            ("mistral.mixtral-8x7b-instruct-v0:1", (Other, Never, false, false)),
            ("mistral.mistral-large-2402-v1:0", (Other, Whole, false, false)),
            ("mistral.mistral-small-2402-v1:0", (Other, Whole, false, false)),
            ("us.mistral.pixtral-large-2502-v1:0", (Other, All, true, false)),
            ("cohere.command-r-plus-v1:0", (Cohere, All, false, false)),
            ("ai21.jamba-1-5-large-v1:0", (Other, All, false, false)),
            ("us.deepseek.r1-v1:0", (Other, Never, false, false)),
            ("deepseek.v3-v1:0", (Other, All, true, false)),
            ("openai.gpt-oss-120b-1:0", (Openai, All, true, false)),
            ("qwen.qwen3-coder-480b-a35b-v1:0", (Other, All, true, false)),
            ("moonshot.kimi-k2-thinking", (Other, All, true, false)),
            ("minimax.minimax-m2", (Other, All, true, false)),
            ("zai.glm-4.7", (Other, All, true, false)),
            ("google.gemma-3-27b-it", (Other, All, true, false)),
            ("nvidia.nemotron-nano-12b-v2", (Other, All, true, false)),
            ("us.writer.palmyra-x5-v1:0", (Other, All, true, false)),
        ],
    );
}

#[test]
fn what_is_known_besides_the_name() {
    let check = |model: &str, base: Option<&str>, facts: ModelFacts, expected: Rules| {
        let base_model = base.map(str::to_owned);
        let request = Request { model: model.to_owned(), base_model, facts, ..Request::default() };
        assert_eq!(Rules::for_request(MESSAGES, &request), expected, "{model} {facts:?}");
    };
    let any = *Rules::of(MESSAGES, "prod");
    let sonnet = *Rules::of(MESSAGES, "claude-sonnet-4-5");
    let facts = ModelFacts::default();
    check("prod", None, facts, any);
    check("prod", Some("claude-sonnet-4-5"), facts, sonnet);
    // Where no row fits, the list tells.
    let short = ModelFacts { output_tokens_max: Some(8192), ..facts };
    check("prod", None, short, Rules { output_tokens_default: 8192, output_tokens_max: 8192, ..any });
    let long = ModelFacts { output_tokens_max: Some(200_000), ..facts };
    check("prod", None, long, Rules { output_tokens_max: 200_000, ..any });
    check("prod", None, ModelFacts { output_tokens_max: Some(0), ..facts }, any);
    let thoughtless = ModelFacts { thinks: Some(false), thinks_by_budget: Some(true), ..facts };
    let expected = Rules { thinking: Thinking::Never, thinks_unasked: false, efforts: Some(&[]), ..any };
    check("prod", None, thoughtless, expected);
    let free = ModelFacts { thinks_by_budget: Some(false), thinks_freely: Some(true), ..facts };
    check("prod", None, free, Rules { thinking: Thinking::Adaptive, ..any });
    let both = ModelFacts { thinks_by_budget: Some(true), ..free };
    check("prod", None, both, Rules { thinking: Thinking::Both, ..any });
    let levels = |said: &'static [(&'static str, bool)]| {
        let takes = |level: &str| said.iter().find(|(known, _)| *known == level).map(|(_, takes)| *takes);
        ModelFacts { efforts: Efforts::known(takes), ..facts }
    };
    check("prod", None, levels(&[]), any);
    let efforts = |efforts: &'static [&'static str]| Rules { efforts: Some(efforts), ..any };
    check("prod", None, levels(&[("xhigh", true)]), efforts(&["low", "medium", "high", "xhigh"]));
    let two = levels(&[("none", true), ("low", false), ("medium", false), ("high", true), ("max", false)]);
    check("prod", None, two, efforts(&["none", "high"]));
    let none = levels(&[("low", false), ("medium", false), ("high", false)]);
    check("prod", None, none, efforts(&[]));
    let fixed = ModelFacts { sampling: Some(false), ..facts };
    check("prod", None, fixed, Rules { sampling: Sampling::Fixed, ..any });
    // A row goes before the list, and an operator's bound before the row.
    check("claude-sonnet-4-5", None, short, sonnet);
    check("claude-sonnet-4-5", None, ModelFacts { output_tokens_max: None, ..thoughtless }, sonnet);
    let own = ModelFacts { is_operators: true, ..short };
    let expected = Rules { output_tokens_default: 8192, output_tokens_max: 8192, ..sonnet };
    check("claude-sonnet-4-5", None, own, expected);
}

#[test]
fn whoever_wants_no_thoughts_is_not_asked_for_few() {
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let check = |dialect: Dialect, facts: ModelFacts, expected: Option<Reasoning>| {
        let reasoning = Some(off.clone());
        let mut request = Request { model: "prod".to_owned(), facts, reasoning, ..Request::default() };
        assert!(super::adapt(&mut request, dialect).is_empty());
        assert_eq!(request.reasoning, expected, "{dialect:?} {facts:?}");
    };
    let levels = Efforts::known(|level| (level == "max").then_some(true));
    let thinker = ModelFacts { efforts: levels, ..ModelFacts::default() };
    let least = Reasoning { effort: Some("low".to_owned()), ..Reasoning::default() };
    check(CHAT, thinker, Some(least));
    let thoughtless = ModelFacts { thinks: Some(false), ..ModelFacts::default() };
    check(CHAT, thoughtless, None);
    // They have a word for it, and it is refused by models that do not think.
    for dialect in [Dialect::CohereChat, Dialect::OllamaChat] {
        check(dialect, thinker, Some(off.clone()));
        check(dialect, thoughtless, None);
    }
}
