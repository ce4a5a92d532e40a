//! Claude Code. For a model that it does not know it asks as for Anthropic's newest: adaptive thinking, an effort, and
//! turns of the role `system`. The gateway asks the target's model instead.

use std::process::{Command, Output};
use std::thread;

use ostia_testkit::strict::Vendor;

use super::{Place, TASK, Target, run};
use crate::programs;

const MODELS: [&str; 2] = ["claude-sonnet-4-5", "some-model"];

/// Fields of Anthropic's that say how to do it, not what.
const ANTHROPICS_OWN: &[&str] = &[
    "context_management",
    "messages[*].content[*].cache_control",
    "metadata.user_id",
    "system.content[*].cache_control",
    "thinking.display",
    "tools[*].defer_loading",
];
/// OpenAI's formats do not say that a tool failed; its words do.
const FAILURES: &[&str] = &["messages[*].content[*].is_error"];
/// OpenAI's models take no functions at Chat Completions while they think, and older ones do not think.
const EFFORT: &[&str] = &["output_config.effort", "thinking"];
/// Newer models think as much as they see fit.
const BUDGET: &[&str] = &["thinking.budget_tokens"];
/// Google's models do not read their thoughts again: the signature does it.
const THOUGHTS: &[&str] = &["messages[*].reasoning_content"];

#[test]
fn claude_code_at_openai_chat() {
    at(Vendor::OpenAiChat, "gpt-5.6-sol", &[ANTHROPICS_OWN, FAILURES, EFFORT]);
    at(Vendor::OpenAiChat, "gpt-4.1", &[ANTHROPICS_OWN, FAILURES, EFFORT]);
}

#[test]
fn claude_code_at_openai_responses() {
    at(Vendor::OpenAiResponses, "gpt-5.6-sol", &[ANTHROPICS_OWN, FAILURES]);
    at(Vendor::OpenAiResponses, "gpt-4.1", &[ANTHROPICS_OWN, FAILURES, EFFORT]);
}

#[test]
fn claude_code_at_anthropic() {
    at(Vendor::Anthropic, "claude-opus-4-8", &[BUDGET]);
    at(Vendor::Anthropic, "claude-opus-4-6", &[]);
}

#[test]
fn claude_code_at_an_older_model_of_anthropic() {
    at(Vendor::Anthropic, "claude-sonnet-4-5", &[ANTHROPICS_OWN]);
    at(Vendor::Anthropic, "claude-3-5-haiku-20241022", &[ANTHROPICS_OWN, EFFORT]);
}

#[test]
fn claude_code_at_google() {
    at(Vendor::Google, "gemini-3-pro-preview", &[ANTHROPICS_OWN, THOUGHTS]);
    at(Vendor::Google, "gemini-2.5-flash", &[ANTHROPICS_OWN, THOUGHTS]);
}

#[test]
fn claude_code_at_a_compatible_server() {
    at(Vendor::Compatible, "qwen3-coder", &[ANTHROPICS_OWN, FAILURES]);
    // In Anthropic's format.
    at(Vendor::Anthropic, "qwen3-coder", &[ANTHROPICS_OWN]);
}

#[test]
fn claude_code_moves_from_vendor_to_vendor() {
    let Some(claude) = programs::claude_code() else { return };
    let target = |vendor, model| Target {
        vendor,
        model,
        may_drop: &[ANTHROPICS_OWN, FAILURES, EFFORT, BUDGET, THOUGHTS],
    };
    let google = &target(Vendor::Google, "gemini-3-pro-preview");
    let anthropic = &target(Vendor::Anthropic, "claude-opus-4-8");
    let openai = &target(Vendor::OpenAiResponses, "gpt-5.6-sol");
    let compatible = &target(Vendor::Compatible, "qwen3-coder");
    let orders: [&[&Target]; 2] =
        [&[compatible, anthropic, openai, google, anthropic], &[google, openai, anthropic]];
    super::run_each(orders, "Claude Code", |place| start(&claude, "some-model", place));
}

fn at(vendor: Vendor, model: &'static str, may_drop: &'static [&'static [&'static str]]) {
    let target = &Target { vendor, model, may_drop };
    let Some(claude) = programs::claude_code() else { return };
    thread::scope(|scope| {
        for model in MODELS {
            let claude = &claude;
            scope.spawn(move || {
                run(&[target], &format!("Claude Code for {model}"), |place| start(claude, model, place))
            });
        }
    });
}

fn start(claude: &std::ffi::OsStr, model: &str, place: &Place<'_>) -> Output {
    let (home, work) = (place.folder.home(), place.folder.work());
    let mut command = Command::new(claude);
    command.args([
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--dangerously-skip-permissions",
        TASK,
    ]);
    if place.goes_on {
        command.arg("--continue");
    }
    super::sealed(&mut command, &home).current_dir(work);
    command
        .env("IS_SANDBOX", "1")
        .env("ANTHROPIC_BASE_URL", &place.url)
        .env("ANTHROPIC_API_KEY", "sk-client")
        .env("ANTHROPIC_MODEL", model)
        .env("ANTHROPIC_CUSTOM_HEADERS", format!("x-ostia-config: {}", place.config))
        .env("DISABLE_TELEMETRY", "1")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "0");
    super::finish(&mut command)
}
