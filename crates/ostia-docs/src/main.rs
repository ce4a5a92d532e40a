//! Prints the pages of `docs/` that follow from the translators and their tables. `cargo xtask docs` runs it and puts the
//! head of the page above; the gateway does not carry it.

mod formats;
mod vendors;

use std::io::Write as _;
use std::process::ExitCode;

use ostia_dialect::Dialect;

fn main() -> ExitCode {
    let page = match std::env::args().nth(1).as_deref() {
        Some("formats") => formats::markdown(),
        Some("vendors") => vendors::markdown(),
        _ => {
            eprintln!("ostia-docs formats | vendors");
            return ExitCode::FAILURE;
        }
    };
    match std::io::stdout().write_all(page.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What people call a dialect.
fn title(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat => "OpenAI Chat Completions",
        Dialect::OpenaiResponses => "OpenAI Responses",
        Dialect::AnthropicMessages => "Anthropic Messages",
        Dialect::GeminiGenerate => "Google generateContent",
        Dialect::CohereChat => "Cohere Chat v2",
        Dialect::BedrockConverse => "Bedrock Converse",
        Dialect::OllamaChat => "Ollama chat",
        Dialect::ReplicateText => "Replicate predictions",
    }
}
