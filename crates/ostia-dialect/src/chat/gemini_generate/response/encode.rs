//! The canonical answer to the client's body.

pub(in crate::chat::gemini_generate) mod candidate;
pub(in crate::chat::gemini_generate) mod grounding;

use crate::chat::gemini_generate::part::Part;
use crate::chat::gemini_generate::response::encode::candidate::CandidateEncoder;
use crate::chat::gemini_generate::usage;
use crate::chat::time;
use crate::json::{Json, Writer};
use crate::{Choice, RenderOptions, Response, Usage};

/// Fields of an answer that are written here and never as extras.
const WRITTEN: [&str; 5] = ["candidates", "usageMetadata", "modelVersion", "responseId", "createTime"];

/// The whole `GenerateContentResponse`
/// (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).
pub fn encode(response: &Response, options: &RenderOptions) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.field_array("candidates", |w| {
            response.choices.iter().for_each(|choice| candidate(w, choice, options));
        });
        tail(w, &response.extra, response.usage.as_ref(), response.service_tier.as_deref(), options);
        Head::of(&response.id, &response.model, response.created, options).write(w);
    });
    w.into_bytes()
}

fn candidate(w: &mut Writer, choice: &Choice, options: &RenderOptions) {
    let mut said = CandidateEncoder::new(choice.index);
    let parts: Vec<Part<'_>> = choice.blocks.iter().filter_map(|block| said.part(block, options)).collect();
    choice.extra.iter().for_each(|(name, value)| said.extra(name, value, options));
    w.object(|w| {
        content(w, &parts);
        said.end(w, choice.finish, choice.native_finish.as_deref());
        w.field_u64("index", choice.index.into());
        if let Some(logprobs) = &choice.logprobs {
            grounding::encode_logprobs(w, logprobs);
        }
    });
}

/// `"content": {"role": "model", "parts": [...]}`
pub(in crate::chat::gemini_generate) fn content(w: &mut Writer, parts: &[Part<'_>]) {
    w.field_object("content", |w| {
        w.field_str("role", "model");
        w.field_array("parts", |w| parts.iter().for_each(|part| part.write(w)));
    });
}

/// What is told of the whole answer once it is whole. Strict clients see the vendor's own fields only.
pub(in crate::chat::gemini_generate) fn tail(
    w: &mut Writer,
    extra: &[(String, Json)],
    usage: Option<&Usage>,
    tier: Option<&str>,
    options: &RenderOptions,
) {
    for (name, value) in extra {
        if name == "promptFeedback" || !(options.strict || WRITTEN.contains(&name.as_str())) {
            w.field_raw(name, value.as_str());
        }
    }
    usage::encode(w, usage, tier);
}

/// What every answer, and every chunk of a stream, says of itself.
#[derive(Debug, Default)]
pub(in crate::chat::gemini_generate) struct Head {
    model: String,
    id: String,
    /// In the vendor's form.
    created: Option<String>,
}

impl Head {
    /// What the upstream says; where it is silent, what the client asked for.
    pub(in crate::chat::gemini_generate) fn of(
        id: &str,
        model: &str,
        created: Option<u64>,
        options: &RenderOptions,
    ) -> Head {
        let or = |given: &str, fallback: &str| if given.is_empty() { fallback } else { given }.to_owned();
        Head {
            model: or(model, &options.model),
            id: or(id, &options.id_suffix),
            created: created.map(time::timestamp),
        }
    }

    /// Writes the fields.
    pub(in crate::chat::gemini_generate) fn write(&self, w: &mut Writer) {
        w.field_str("modelVersion", &self.model);
        w.field_str("responseId", &self.id);
        if let Some(created) = &self.created {
            w.field_str("createTime", created);
        }
    }
}

#[cfg(test)]
mod tests;
