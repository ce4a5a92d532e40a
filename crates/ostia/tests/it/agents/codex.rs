//! Codex. What tools it offers depends on the model that it takes itself to talk to: for one that it does not know functions
//! and a namespace of them, for gpt-5.5 a patch tool of free text, for gpt-5.6 a tool that runs programs, told in an item of
//! the input (`additional_tools`). The gateway asks the target's model instead.

use std::ffi::OsStr;
use std::process::{Command, Output};
use std::thread;

use ostia_testkit::strict::Vendor;

use super::{Folder, IMAGE, PIXEL, Place, TASK, Target, run};
use crate::programs;

const MODELS: [&str; 3] = ["some-model", "gpt-5.5", "gpt-5.6-sol"];

/// Fields of OpenAI's that say how a thing is done, or who asks.
const OPENAIS_OWN: &[&str] = &[
    "client_metadata",
    "input[*].content[*].image_url.detail",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning.context",
    "text.verbosity",
    "tools[*].external_web_access",
    "tools[*].search_content_types",
];
/// Servers of Chat Completions have no search beside functions, nor do older models of Google's.
const SEARCH: &[&str] = &["tools.web_search"];
/// OpenAI's models take no functions at Chat Completions while they think, and older ones do not think.
const THOUGHTS: &[&str] = &["reasoning", "reasoning.effort"];

/// Google's models do not read their summaries again: the signature does it.
const SUMMARIES: &[&str] = &["input[*].reasoning_content"];

#[test]
fn codex_at_openai_chat() {
    at(Vendor::OpenAiChat, "gpt-5.6-sol", &[OPENAIS_OWN, SEARCH, THOUGHTS]);
    at(Vendor::OpenAiChat, "gpt-4.1", &[OPENAIS_OWN, SEARCH, THOUGHTS]);
}

#[test]
fn codex_at_openai_responses() {
    at(Vendor::OpenAiResponses, "gpt-5.6-sol", &[]);
    at(Vendor::OpenAiResponses, "gpt-4.1", &[THOUGHTS, &["text.verbosity"]]);
}

#[test]
fn codex_at_anthropic() {
    at(Vendor::Anthropic, "claude-opus-4-8", &[OPENAIS_OWN]);
    at(Vendor::Anthropic, "claude-sonnet-4-5", &[OPENAIS_OWN]);
}

#[test]
fn codex_at_google() {
    at(Vendor::Google, "gemini-3-pro-preview", &[OPENAIS_OWN, SUMMARIES]);
    at(Vendor::Google, "gemini-2.5-flash", &[OPENAIS_OWN, SUMMARIES, SEARCH]);
}

#[test]
fn codex_at_a_compatible_server() {
    at(Vendor::Compatible, "qwen3-coder", &[OPENAIS_OWN, SEARCH]);
}

#[test]
fn codex_moves_from_vendor_to_vendor() {
    let Some(codex) = programs::codex() else { return };
    let target =
        |vendor, model| Target { vendor, model, may_drop: &[OPENAIS_OWN, SEARCH, THOUGHTS, SUMMARIES] };
    let google = &target(Vendor::Google, "gemini-3-pro-preview");
    let anthropic = &target(Vendor::Anthropic, "claude-opus-4-8");
    let openai = &target(Vendor::OpenAiResponses, "gpt-5.6-sol");
    let orders: [&[&Target]; 2] = [&[google, openai, anthropic], &[anthropic, openai, google, openai]];
    super::run_each(orders, "Codex", |place| start(&codex, "gpt-5.5", place));
}

#[test]
fn codex_over_a_websocket() {
    let Some(codex) = programs::codex() else { return };
    let target = |vendor, model| Target { vendor, model, may_drop: &[] };
    thread::scope(|scope| {
        for (vendor, model) in [
            (Vendor::OpenAiResponses, "gpt-5.6-sol"),
            (Vendor::OpenAiChat, "gpt-4.1"),
            (Vendor::Anthropic, "claude-opus-4-8"),
            (Vendor::Google, "gemini-3-pro-preview"),
        ] {
            let codex = &codex;
            scope.spawn(move || {
                let folder = Folder::new();
                std::fs::write(folder.work().join(IMAGE), PIXEL).unwrap();
                let label = format!("Codex over a WebSocket at {vendor:?}");
                let tap = super::visit(&target(vendor, model), &folder, &label, |place| {
                    start_with(codex, "gpt-5.5", &place, true)
                });
                assert!(tap.header("upgrade").contains(&"websocket".to_owned()), "{label}: by requests");
                assert!(tap.requests().is_empty(), "{label}: some went by requests");
            });
        }
    });
}

fn at(vendor: Vendor, model: &'static str, may_drop: &'static [&'static [&'static str]]) {
    let target = &Target { vendor, model, may_drop };
    let Some(codex) = programs::codex() else { return };
    thread::scope(|scope| {
        for model in MODELS {
            let codex = &codex;
            scope.spawn(move || {
                run(&[target], &format!("Codex for {model}"), |place| start(codex, model, place))
            });
        }
    });
}

fn start(codex: &OsStr, model: &str, place: &Place<'_>) -> Output {
    start_with(codex, model, place, false)
}

fn start_with(codex: &OsStr, model: &str, place: &Place<'_>, over_a_websocket: bool) -> Output {
    let (home, work) = (place.folder.home(), place.folder.work());
    let (url, config) = (&place.url, &place.config);
    let settings = format!(
        "model = \"{model}\"\nmodel_provider = \"gateway\"\n\n[model_providers.gateway]\nname = \"Gateway\"\n\
         base_url = \"{url}/v1\"\nwire_api = \"responses\"\nenv_key = \"GATEWAY_KEY\"\n\
         request_max_retries = 0\nstream_max_retries = 0\n\
         http_headers = {{ \"x-ostia-config\" = '{config}' }}\n"
    );
    let settings = if over_a_websocket { settings + "supports_websockets = true\n" } else { settings };
    std::fs::write(home.join("config.toml"), settings).unwrap();
    let mut command = Command::new(codex);
    command.args(["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json"]);
    command.args(if place.goes_on { &["resume", "--last", TASK][..] } else { &[TASK] });
    super::sealed(&mut command, &home).current_dir(work);
    super::finish(command.env("CODEX_HOME", &home).env("GATEWAY_KEY", "sk-client"))
}
