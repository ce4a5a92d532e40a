//! Continue's command `cn`. It has the tools `Bash`, `Write` and `Read`, asks for no thoughts, and speaks the formats of
//! OpenAI (Chat Completions) and of Anthropic. The model is named in its file, so the target stands before the model there.

use std::process::{Command, Output};
use std::thread;

use ostia_testkit::strict::Vendor;
use serde_json::Value;

use super::{Place, TASK, Target, run};
use crate::programs;

/// Continue's word for a format, and the base URL behind the gateway's.
const FORMATS: [(&str, &str); 2] = [("openai", "/v1"), ("anthropic", "/v1")];

/// Fields of Anthropic's that the others have no word for.
const ANTHROPICS_OWN: &[&str] =
    &["messages[*].content[*].cache_control", "system.content[*].cache_control", "tools[*].cache_control"];
/// It asks models by the name of GPT-5 for an effort, and they take no functions at Chat Completions while they think.
const EFFORT: &[&str] = &["reasoning_effort"];

#[test]
fn continue_at_openai_chat() {
    at(Vendor::OpenAiChat, "gpt-5.6-sol");
}

#[test]
fn continue_at_openai_responses() {
    at(Vendor::OpenAiResponses, "gpt-5.6-sol");
}

#[test]
fn continue_at_anthropic() {
    at(Vendor::Anthropic, "claude-opus-4-8");
}

#[test]
fn continue_at_google() {
    at(Vendor::Google, "gemini-3-pro-preview");
}

#[test]
fn continue_at_a_compatible_server() {
    at(Vendor::Compatible, "qwen3-coder");
}

fn at(vendor: Vendor, model: &'static str) {
    let target = &Target { vendor, model, may_drop: &[ANTHROPICS_OWN, EFFORT] };
    let Some(cn) = programs::continue_command() else { return };
    thread::scope(|scope| {
        for format in FORMATS {
            let (cn, label) = (&cn, format!("Continue as for {}", format.0));
            scope.spawn(move || run(&[target], &label, |place| start(cn, format, place)));
        }
    });
}

fn start(cn: &std::ffi::OsStr, (provider, base): (&str, &str), place: &Place<'_>) -> Output {
    let (home, work) = (place.folder.home(), place.folder.work());
    let target: Value = serde_json::from_str(&place.config).unwrap();
    let word = |field: &Value| field.as_str().unwrap().to_owned();
    let model = format!("@{}/{}", word(&target["provider"]), word(&target["override_params"]["model"]));
    let settings = format!(
        "name: Gateway\nversion: 0.0.1\nschema: v1\nmodels:\n  - name: Model\n    provider: {provider}\n    \
         model: \"{model}\"\n    apiBase: {}{base}\n    apiKey: sk-client\n    roles: [chat]\n    \
         capabilities: [tool_use]\n",
        place.url
    );
    let file = home.join("config.yaml");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(cn);
    command.args(["-p", "--auto", "--config"]).arg(file).arg(TASK);
    super::sealed(&mut command, &home).current_dir(work).env("CONTINUE_CLI_ENABLE_TELEMETRY", "0");
    super::finish(&mut command)
}
