//! Canonical request to the vendor's body
//! (<https://ai.google.dev/api/generate-content#request-body>).

pub(in crate::chat::gemini_generate) mod contents;
mod generation;
mod subsets;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;

pub(crate) use tools::is_native;

use crate::chat::gemini_generate::request::encode::generation::Generation;
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Writer, camel};
use crate::{Dialect, Encoded, Fault, Request};

/// Top-level fields of the vendor that a client may send under this name or in snake case.
const FIELDS: [&str; 3] = ["safetySettings", "cachedContent", "labels"];

/// Does this model take JSON Schema, and not only the vendor's older part of it?
pub(crate) fn is_json_schema(model: &str) -> bool {
    Rules::of(Dialect::GeminiGenerate, model).json_schema
}

/// The body for this request, and what it could not say.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    let mut dropped = Vec::new();
    let rules = &Rules::for_request(Dialect::GeminiGenerate, request);
    let contents = contents::plan(request, rules, &mut dropped)?;
    let mut own = Own::default();
    own.sort(request, &mut dropped);
    own.generation.plan(request, rules, &mut dropped);
    let tools = tools::plan(request, rules, &mut dropped);
    let tier = service_tier(request, &mut dropped);
    unsaid(request, &mut dropped);

    let mut writer = Writer::with_capacity(request.body_bytes());
    writer.object(|writer| {
        contents.write(writer);
        tools.write(&own.tool_config, writer);
        own.generation.write(writer);
        own.fields.iter().for_each(|(name, value)| writer.field_raw(name, value.as_str()));
        if let Some(tier) = tier {
            writer.field_str("serviceTier", tier);
        }
    });
    Ok(Encoded { body: writer.into_bytes(), dropped, ..Encoded::default() })
}

/// Fields that the client sent in the vendor's own words.
#[derive(Debug, Default)]
struct Own {
    generation: Generation,
    tool_config: Vec<(String, Json)>,
    fields: Vec<(&'static str, Json)>,
}

impl Own {
    /// Sorts the fields that the hub does not know. Clients of the vendor's own OpenAI endpoint nest them in
    /// `extra_body.google` (<https://ai.google.dev/gemini-api/docs/openai#extra-body>).
    fn sort(&mut self, request: &Request, dropped: &mut Vec<String>) {
        for (name, value) in &request.extra {
            if name != "extra_body" {
                self.take(name, name, value, dropped);
                continue;
            }
            let Ok(document) = Document::parse(value.as_str().as_bytes()) else { continue };
            for (name, value) in document.root().fields() {
                if name != "google" {
                    dropped.push(format!("extra_body.{name}"));
                    continue;
                }
                for (name, value) in value.fields() {
                    let path = format!("extra_body.google.{name}");
                    self.take(&name, &path, &Json::of(value), dropped);
                }
            }
        }
    }

    fn take(&mut self, name: &str, path: &str, value: &Json, dropped: &mut Vec<String>) {
        let name = camel(name);
        if value.as_str() == "null" {
            return;
        }
        if let Some(field) = FIELDS.iter().find(|field| **field == name) {
            self.fields.retain(|(known, _)| known != field);
            self.fields.push((field, value.clone()));
        } else if name == "toolConfig" {
            let document = Document::parse(value.as_str().as_bytes());
            let fields = document.iter().flat_map(|document| document.root().fields());
            self.tool_config = fields.map(|(name, value)| (camel(&name), Json::of(value))).collect();
        } else if let Some(name) = inside(&name, "toolConfig") {
            self.tool_config.push((name.to_owned(), value.clone()));
        } else if !self.generation.take(&name, value, dropped) {
            dropped.push(path.to_owned());
        }
    }
}

/// The field that a path such as `toolConfig.retrievalConfig` names directly below `object`: so the client half hands on
/// what only this vendor has, and reports tell where it stood.
fn inside<'n>(path: &'n str, object: &str) -> Option<&'n str> {
    let name = path.strip_prefix(object)?.strip_prefix('.')?;
    (!name.contains(['.', '['])).then_some(name)
}

/// The vendor's tiers are `standard`, `flex` and `priority`; without one the request is standard.
fn service_tier(request: &Request, dropped: &mut Vec<String>) -> Option<&'static str> {
    match request.service_tier.as_deref()? {
        "auto" | "default" | "standard" => None,
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        _ => {
            dropped.push("service_tier".to_owned());
            None
        }
    }
}

/// Fields of the hub that this dialect has no word for.
fn unsaid(request: &Request, dropped: &mut Vec<String>) {
    let fields = [
        (request.sampling.logit_bias.is_some(), "logit_bias"),
        (request.user.is_some(), "user"),
        // Several calls in one turn are what the vendor does; it cannot be told not to.
        (request.parallel_tool_calls == Some(false), "parallel_tool_calls"),
        (request.cache_control.is_some(), "cache_control"),
    ];
    dropped.extend(fields.iter().filter(|(sent, _)| *sent).map(|(_, name)| (*name).to_owned()));
}
