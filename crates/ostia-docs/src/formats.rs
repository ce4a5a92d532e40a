//! What each pair of dialects carries, found out by asking: every feature, as each client dialect says it, is decoded and
//! encoded for every upstream dialect, and the outcome is noted. docs/formats.md is made of it, so that the page cannot
//! promise what the code does not do.

mod features;

use features::{FEATURES, Feature};

use std::fmt::Write;
use std::sync::Arc;

use ostia_dialect::json::Document;
use ostia_dialect::{ClientDialect, Dialect, EncodeOptions, Fault, Files, PathParams, remote};
use serde_json::{Map, Value};

use crate::title;

/// How much of a feature arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// All of it.
    Whole,
    /// What arrives is not all; the rest is reported.
    Partly,
    /// All of it, once the gateway has fetched a file.
    Fetched,
    /// Nothing; that is reported.
    Dropped,
    /// The request is refused with 400.
    Refused,
    /// The client's dialect has no words for it.
    Unsayable,
}

impl Carried {
    fn sign(self) -> &'static str {
        match self {
            Carried::Whole => "yes",
            Carried::Partly => "partly",
            Carried::Fetched => "as bytes",
            Carried::Dropped => "dropped",
            Carried::Refused => "400",
            Carried::Unsayable => "",
        }
    }
}

/// A client's dialect, and what becomes of each feature at each upstream dialect: in the order of [`FEATURES`] and
/// [`Dialect::ALL`].
type Row = (ClientDialect, Vec<[Carried; Dialect::ALL.len()]>);

/// The whole matrix.
fn matrix() -> Vec<Row> {
    let row = |client: ClientDialect| {
        let of = |feature: &Feature| Dialect::ALL.map(|upstream| carried(client, upstream, feature));
        (client, FEATURES.iter().map(of).collect())
    };
    ClientDialect::ALL.into_iter().map(row).collect()
}

/// The matrix as a page in Markdown.
pub fn markdown() -> String {
    let mut page = String::new();
    for (client, rows) in matrix() {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "## Clients of {}\n", title(client.dialect()));
        let upstreams: Vec<&str> = Dialect::ALL.into_iter().map(title).collect();
        let _ = writeln!(page, "| | {} |\n|---|{}", upstreams.join(" | "), "---|".repeat(upstreams.len()));
        for (feature, cells) in FEATURES.iter().zip(rows) {
            if cells.iter().all(|cell| *cell == Carried::Unsayable) {
                continue;
            }
            let signs: Vec<&str> = cells.iter().map(|cell| cell.sign()).collect();
            let _ = writeln!(page, "| {} | {} |", feature.name, signs.join(" | "));
        }
        page.push('\n');
    }
    page.trim_end().to_owned() + "\n"
}

/// A model of each dialect's that can do most: of some, one that refuses nothing that we know of.
fn model(upstream: Dialect) -> &'static str {
    match upstream {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::GeminiGenerate => "any",
        Dialect::AnthropicMessages => "claude-sonnet-4-5",
        Dialect::CohereChat => "command-a-reasoning-08-2025",
        Dialect::BedrockConverse => "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Dialect::OllamaChat => "qwen3:8b",
        Dialect::ReplicateText => "meta/meta-llama-3-70b-instruct",
    }
}

fn carried(client: ClientDialect, upstream: Dialect, feature: &Feature) -> Carried {
    let said = (feature.said)(client);
    let Value::Object(fields) = said else { return Carried::Unsayable };
    let (Ok(plain), Ok(asked)) = (ask(client, upstream, &Map::new()), ask(client, upstream, &fields)) else {
        return Carried::Refused;
    };
    match (asked.body == plain.body, asked.dropped.is_empty()) {
        (_, true) if asked.fetches => Carried::Fetched,
        (_, true) => Carried::Whole,
        (false, false) => Carried::Partly,
        (true, false) => Carried::Dropped,
    }
}

/// What becomes of a request.
struct Asked {
    body: Vec<u8>,
    /// What is missing from the body.
    dropped: Vec<String>,
    /// A file has to be fetched first.
    fetches: bool,
}

/// The upstream's body for a client's request with these fields. The message is left the
/// same, so that what changes is the feature.
fn ask(client: ClientDialect, upstream: Dialect, fields: &Map<String, Value>) -> Result<Asked, Fault> {
    let mut body = features::base(client);
    for (name, value) in fields {
        body[name] = value.clone();
    }
    let line = PathParams { model: model(upstream), stream: false };
    let body = body.to_string();
    let mut request = client.decode(&Document::of_request(body.as_bytes())?, line)?;
    request.model = model(upstream).to_owned();
    let options = EncodeOptions::default();
    let mut inline = |files: &Files| {
        let missing = remote::inline(&mut request, upstream, &options, files);
        missing.map_err(|unsayable| Fault::invalid(unsayable.why))
    };
    let remotes = inline(&Files::new())?;
    let fetches = !remotes.is_empty();
    inline(
        &remotes.into_iter().map(|remote| (remote.url.clone(), Ok(Arc::new(remote.stand_in())))).collect(),
    )?;
    let encoded = upstream.encode(&mut request, &options)?;
    Ok(Asked { body: encoded.body, dropped: encoded.dropped, fetches })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_feature_of_a_dialect_reaches_its_own_upstream() {
        for (client, rows) in matrix() {
            let own =
                Dialect::ALL.iter().position(|dialect| *dialect == client.dialect()).unwrap_or_default();
            for (feature, cells) in FEATURES.iter().zip(rows) {
                let whole = matches!(cells[own], Carried::Whole | Carried::Unsayable);
                // Chat Completions clients of many vendors know words that OpenAI does not.
                let beyond = ["top_k", "cache markers", "a tool failed", "budget of reasoning"]
                    .contains(&feature.name);
                assert!(
                    whole || beyond && client == ClientDialect::OpenaiChat,
                    "{client:?}: {}: {:?}",
                    feature.name,
                    cells[own]
                );
            }
        }
    }

    #[test]
    fn what_everybody_has_arrives_everywhere() {
        let everywhere = [
            "instructions of the operator",
            "image, in the request",
            "function tools",
            "result of a tool",
            "JSON after a schema",
            "limit of tokens",
            "temperature",
        ];
        for (client, rows) in matrix() {
            for (feature, cells) in
                FEATURES.iter().zip(rows).filter(|(feature, _)| everywhere.contains(&feature.name))
            {
                // Its models take a prompt, and call no tools.
                let is_text = |upstream: &Dialect| *upstream == Dialect::ReplicateText;
                for (upstream, cell) in
                    Dialect::ALL.iter().zip(cells).filter(|(upstream, _)| !is_text(upstream))
                {
                    assert_eq!(cell, Carried::Whole, "{client:?} to {upstream:?}: {}", feature.name);
                }
            }
        }
    }

    #[test]
    fn what_a_client_cannot_say_is_not_promised() {
        for (client, name) in [
            (ClientDialect::GeminiGenerate, "one call at a time"),
            (ClientDialect::GeminiGenerate, "free-text tools"),
            (ClientDialect::AnthropicMessages, "sound, in the request"),
            (ClientDialect::OpenaiResponses, "a tool failed"),
        ] {
            let feature = FEATURES.iter().find(|feature| feature.name == name).unwrap();
            for upstream in Dialect::ALL {
                assert_eq!(carried(client, upstream, feature), Carried::Unsayable, "{client:?}: {name}");
            }
        }
    }
}
