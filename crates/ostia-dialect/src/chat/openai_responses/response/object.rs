//! The Response object.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/object>.

use crate::chat::openai_responses::request::echo;
use crate::chat::openai_responses::{error, usage};
use crate::json::{Json, Writer};
use crate::{Fault, Finish, RenderOptions, Usage};

/// What is known of an answer, whole or not.
#[derive(Debug, Default)]
pub(in crate::chat::openai_responses) struct Object<'a> {
    /// `completed`, `incomplete`, `failed`, `in_progress`, `queued`, `cancelled`.
    pub(in crate::chat::openai_responses) status: &'a str,
    /// Why it is not whole.
    pub(in crate::chat::openai_responses) incomplete: Option<&'a str>,
    /// Why there is none.
    pub(in crate::chat::openai_responses) fault: Option<&'a Fault>,
    /// Unix seconds, where the upstream said.
    pub(in crate::chat::openai_responses) created: Option<u64>,
    /// The model that answered; empty where it was not said.
    pub(in crate::chat::openai_responses) model: &'a str,
    /// The items.
    pub(in crate::chat::openai_responses) output: &'a [Json],
    /// What it cost.
    pub(in crate::chat::openai_responses) usage: Option<&'a Usage>,
    /// The tier that served it.
    pub(in crate::chat::openai_responses) service_tier: Option<&'a str>,
    /// Vendor fields, for clients that want them.
    pub(in crate::chat::openai_responses) extra: Vec<&'a (String, Json)>,
}

/// The fields that every object has besides those of the request.
const OWN: [&str; 10] = [
    "id",
    "object",
    "created_at",
    "status",
    "error",
    "incomplete_details",
    "model",
    "output",
    "usage",
    "provider",
];

impl Object<'_> {
    /// The object, as these options have it.
    pub(in crate::chat::openai_responses) fn encode(&self, options: &RenderOptions) -> Vec<u8> {
        let mut w = Writer::with_capacity(1024);
        w.object(|w| self.write(w, options));
        w.into_bytes()
    }

    /// The same, to stand in events.
    pub(in crate::chat::openai_responses) fn json(&self, options: &RenderOptions) -> Json {
        Json::build(|w| w.object(|w| self.write(w, options)))
    }

    fn write(&self, w: &mut Writer, options: &RenderOptions) {
        w.field_str("id", &id(options));
        w.field_str("object", "response");
        w.field_u64("created_at", self.created.unwrap_or(options.created));
        w.field_str("status", self.status);
        match self.fault {
            Some(fault) => w.field_object("error", |w| {
                w.field_str("code", error::code(fault));
                w.field_str("message", &fault.message);
            }),
            None => w.key("error").null(),
        }
        match self.incomplete {
            Some(reason) => w.field_object("incomplete_details", |w| w.field_str("reason", reason)),
            None => w.key("incomplete_details").null(),
        }
        w.field_str("model", if self.model.is_empty() { &options.model } else { self.model });
        w.field_array("output", |w| self.output.iter().for_each(|item| w.raw(item.as_str())));
        match self.usage {
            Some(usage) => w.field_object("usage", |w| usage::encode(w, usage)),
            None => w.key("usage").null(),
        }
        echo::write(w, options, self.service_tier);
        if !options.strict {
            w.field_str("provider", &options.provider);
            let own = |name: &str| OWN.contains(&name) || echo::holds(name);
            for (name, value) in self.extra.iter().filter(|(name, _)| !own(name)) {
                w.field_raw(name, value.as_str());
            }
        }
    }
}

/// The id of an answer under these options: `resp_{id_suffix}`.
pub(in crate::chat::openai_responses) fn id(options: &RenderOptions) -> String {
    format!("resp_{}", options.id_suffix)
}

/// The state of an answer that ended so, and why it is not whole. A model that `refused` in words of its own
/// has answered.
pub(in crate::chat::openai_responses) fn status(
    finish: Finish,
    refused: bool,
) -> (&'static str, Option<&'static str>) {
    match finish {
        Finish::Stop | Finish::ToolCalls | Finish::Pause => ("completed", None),
        Finish::Refusal if refused => ("completed", None),
        Finish::Length => ("incomplete", Some("max_output_tokens")),
        Finish::ContentFilter | Finish::Refusal => ("incomplete", Some("content_filter")),
    }
}
