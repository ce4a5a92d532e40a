//! No dialect names a provider: a difference between providers is a field of its row.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{files, is_test, none, root};

/// Texts that are a provider's id by chance: words of a wire format, or of the names of models.
const WIRE_WORDS: [(&str, &str); 19] = [
    // What people call that API.
    ("src/api/table.rs", "gemini"),
    // Names of models, whoever offers them.
    ("rules/table.rs", "claude"),
    ("rules/table.rs", "gemini"),
    ("rules/table.rs", "deepseek"),
    ("rules/table.rs", "grok"),
    ("rules/table.rs", "kimi"),
    ("rules/table.rs", "minimax"),
    ("rules/table.rs", "mistral"),
    ("rules/table.rs", "qwen"),
    ("rules/converse.rs", "deepseek"),
    ("rules/converse.rs", "kimi"),
    ("rules/converse.rs", "glm"),
    ("rules/converse.rs", "minimax"),
    ("rules/converse.rs", "mistral"),
    ("rules/converse.rs", "qwen"),
    // The field of `extra_content` and of `extra_body` in which this vendor's additions to OpenAI's format travel.
    ("gemini_generate/request/encode.rs", "google"),
    ("openai_chat/part.rs", "google"),
    ("openai_chat/response/encode.rs", "google"),
    // OpenAI's word for where a job that trains a model is told about.
    ("fine_tuning/request.rs", "wandb"),
];

/// Ids and aliases of all rows.
fn ids() -> BTreeSet<String> {
    let rows = std::fs::read_to_string(root().join("crates/ostia-providers/providers.yaml")).unwrap();
    let mut ids = BTreeSet::new();
    for line in rows.lines() {
        let own = line.strip_suffix(':').filter(|id| id.starts_with(|c: char| c.is_ascii_alphanumeric()));
        ids.extend(own.map(str::to_owned));
        let aliases = line.trim().strip_prefix("aliases: [").and_then(|list| list.strip_suffix(']'));
        ids.extend(aliases.into_iter().flat_map(|list| list.split(',')).map(|id| id.trim().to_owned()));
    }
    ids
}

/// Where names of models stand: the rows of rules, of schemas and of words of errors.
const MODELS_BELONG: [&str; 5] = [
    "rules/table.rs",
    "rules/converse.rs",
    "fault/table.rs",
    "tools/schema/rules.rs",
    "embeddings/limits.rs",
];
/// How names of models begin.
const MODELS: [&str; 7] = ["gpt-", "claude", "gemini-", "grok", "deepseek", "o1-", "o3-"];

#[test]
fn no_encoder_names_a_model() {
    let mut problems = Vec::new();
    for (path, text) in files("crates/ostia-dialect/src", ".rs") {
        if is_test(&path) || MODELS_BELONG.iter().any(|file| path.ends_with(file)) {
            continue;
        }
        for (line, text) in Source::of(&text).texts {
            if MODELS.iter().any(|model| text.to_ascii_lowercase().starts_with(model)) {
                problems.push(format!(
                    "{path}:{line}: \"{text}\" names a model; a rule on it is a row of rules/table.rs"
                ));
            }
        }
    }
    none(&problems);
}

#[test]
fn no_dialect_names_a_provider() {
    let ids = ids();
    assert!(ids.contains("openai") && ids.contains("claude") && ids.len() > 80, "{ids:?}");
    let mut problems = Vec::new();
    for (path, text) in files("crates/ostia-dialect/src", ".rs") {
        if is_test(&path) {
            continue;
        }
        for (line, text) in Source::of(&text).texts {
            let by_chance = WIRE_WORDS.iter().any(|(file, word)| path.ends_with(file) && text == *word);
            if ids.contains(&text) && !by_chance {
                problems.push(format!("{path}:{line}: \"{text}\" is the id of a provider"));
            }
        }
    }
    none(&problems);
}
