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
/// OpenAI's take no functions at Chat Completions while they think.
const EFFORT: &[&str] = &["output_config.effort", "thinking"];
/// Newer models think as much as they see fit.
const BUDGET: &[&str] = &["thinking.budget_tokens"];
/// Google's models do not read their thoughts again: the signature does it.
const THOUGHTS: &[&str] = &["messages[*].reasoning_content"];

#[test]
fn claude_code_at_openai_chat() {
    at(&Target { vendor: Vendor::OpenAiChat, model: "gpt-5.6-sol", may_drop: &[ANTHROPICS_OWN, EFFORT] });
}

#[test]
fn claude_code_at_openai_responses() {
    at(&Target { vendor: Vendor::OpenAiResponses, model: "gpt-5.6-sol", may_drop: &[ANTHROPICS_OWN] });
}

#[test]
fn claude_code_at_anthropic() {
    at(&Target { vendor: Vendor::Anthropic, model: "claude-opus-4-8", may_drop: &[BUDGET] });
}

#[test]
fn claude_code_at_an_older_model_of_anthropic() {
    at(&Target { vendor: Vendor::Anthropic, model: "claude-sonnet-4-5", may_drop: &[ANTHROPICS_OWN] });
}

#[test]
fn claude_code_at_google() {
    at(&Target {
        vendor: Vendor::Google,
        model: "gemini-3-pro-preview",
        may_drop: &[ANTHROPICS_OWN, THOUGHTS],
    });
}

#[test]
fn claude_code_at_a_compatible_server() {
    at(&Target { vendor: Vendor::Compatible, model: "qwen3-coder", may_drop: &[ANTHROPICS_OWN] });
}

fn at(target: &Target) {
    let Some(claude) = programs::claude_code() else { return };
    thread::scope(|scope| {
        for model in MODELS {
            let claude = &claude;
            scope.spawn(move || {
                run(target, &format!("Claude Code for {model}"), |place| start(claude, model, place))
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
    super::sealed(&mut command, &home).current_dir(work);
    command
        .env("IS_SANDBOX", "1")
        .env("ANTHROPIC_BASE_URL", &place.url)
        .env("ANTHROPIC_API_KEY", "sk-client")
        .env("ANTHROPIC_MODEL", model)
        .env("ANTHROPIC_CUSTOM_HEADERS", format!("x-ostia-config: {}", place.config))
        .env("DISABLE_TELEMETRY", "1")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .output()
        .unwrap()
}
