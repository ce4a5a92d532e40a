//! The table of docs/clients/README.md: a line for each client and format, a column for each kind of provider.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ostia_testkit::strict::Vendor;
use serde_json::Value;

use super::Cell;

/// The columns, each with the model that is asked.
pub(super) const VENDORS: [(Vendor, &str); 5] = [
    (Vendor::OpenAiChat, "gpt-5.6-sol"),
    (Vendor::OpenAiResponses, "gpt-5.6-sol"),
    (Vendor::Anthropic, "claude-opus-4-8"),
    (Vendor::Google, "gemini-3-pro-preview"),
    (Vendor::Compatible, "qwen3-coder"),
];

/// Set by `cargo xtask packages --write`: the lines are written, not held against what is there.
const WRITE: &str = "OSTIA_WRITE_MATRIX";

/// The provider's id, as the client writes it before the model.
pub(super) fn provider(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::OpenAiChat | Vendor::OpenAiResponses => "openai",
        Vendor::Anthropic => "anthropic",
        Vendor::Google => "google",
        Vendor::Bedrock | Vendor::Invoke => "bedrock",
        Vendor::Compatible => "box",
        Vendor::Ollama => "ollama",
    }
}

/// ostia.yaml for this vendor's server.
pub(super) fn row(vendor: Vendor, url: &str, model: &str) -> String {
    let dialect = match vendor {
        Vendor::OpenAiChat | Vendor::Compatible => "openai_chat",
        Vendor::OpenAiResponses => "openai_responses",
        Vendor::Anthropic | Vendor::Invoke => "anthropic_messages",
        Vendor::Google => "gemini_generate",
        Vendor::Bedrock => "bedrock_converse",
        Vendor::Ollama => "ollama_chat",
    };
    let id = provider(vendor);
    format!(
        "providers:\n  {id}: {{base_url: \"{url}/v1\", local: true, dialects: [{dialect}], models: [{model}]}}\n"
    )
}

/// The version of the installed package that gives the client its name.
pub(super) fn version(packages: &Path, package: &str) -> String {
    let installed = packages.join(package);
    let name = package.rsplit('/').next().unwrap_or_default();
    let text = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    if package.starts_with("python/") {
        let distribution = match name {
            "aider" => "aider-chat",
            "llama_index" => "llama-index-core",
            "pydantic_ai" => "pydantic-ai-slim",
            other => other,
        };
        let wanted = format!("{}==", distribution.replace('_', "-"));
        let lock = text(installed.join("installed.lock"));
        return lock.lines().find_map(|line| line.strip_prefix(&wanted)).unwrap_or("?").trim().to_owned();
    }
    let package = match name {
        "ai-sdk" => "ai",
        "openai-agents" => "@openai/agents",
        other => other,
    };
    let manifest = text(installed.join("node_modules").join(package).join("package.json"));
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    manifest["version"].as_str().unwrap_or("?").to_owned()
}

/// A line of the table.
pub(super) fn line(name: &str, version: &str, format: &str, cells: &[Cell]) -> String {
    let words = cells.iter().map(|cell| if cell.is_whole { "yes" } else { "no" });
    let dropped: BTreeSet<String> =
        cells.iter().flat_map(|cell| &cell.dropped).map(|field| format!("`{}`", whole(field))).collect();
    let dropped = dropped.into_iter().collect::<Vec<_>>().join(", ");
    format!("| {name} {version} | {format} | {} | {dropped} |", words.collect::<Vec<_>>().join(" | "))
}

/// `messages[3].name` is one of `messages[].name`.
fn whole(field: &str) -> String {
    let parts = field.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("[]")
}

/// Holds that the table has these lines, or writes them.
pub(super) fn hold(lines: &[String]) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients/README.md");
    let text = std::fs::read_to_string(&page).unwrap();
    if std::env::var_os(WRITE).is_none() {
        let missing: Vec<&String> = lines.iter().filter(|line| !text.contains(line.as_str())).collect();
        assert!(
            missing.is_empty(),
            "docs/clients/README.md says something else: `cargo xtask packages --write`\n{missing:#?}"
        );
        return;
    }
    let known = |line: &&String| !text.contains(line.as_str());
    let mut page_lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in lines.iter().filter(known) {
        let place = page_lines.iter().position(|there| key(there) == key(line));
        match place {
            Some(at) => page_lines[at].clone_from(line),
            None => {
                let start = page_lines.iter().position(|there| there.starts_with("| client |")).unwrap();
                let lines = page_lines[start..].iter().take_while(|there| there.starts_with('|')).count();
                page_lines.insert(start + lines, line.clone());
            }
        }
    }
    std::fs::write(page, page_lines.join("\n") + "\n").unwrap();
}

/// The client without its version, and the format.
fn key(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let (client, format) = (cells.next()?, cells.next()?);
    Some((client.rsplit_once(' ')?.0, format))
}
