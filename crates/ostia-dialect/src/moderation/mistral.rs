//! Mistral's moderation of texts and of conversations (<https://docs.mistral.ai/api/endpoint/classifiers>). What the vendor does
//! not know it refuses.

use super::{Input, Request, Response, Verdict};
use crate::json::{Json, Node, Writer};
use crate::{Encoded, Fault};

/// Extra fields that the vendor understands.
const OWN_FIELDS: [&str; 1] = ["metadata"];

/// Categories that mean the same as one of OpenAI's: the vendor's name, and OpenAI's.
/// - <https://docs.mistral.ai/capabilities/guardrailing>
/// - <https://platform.openai.com/docs/guides/moderation#content-classifications>
const NAMES: [(&str, &str); 4] = [
    ("hate_and_discrimination", "hate"),
    ("violence_and_threats", "violence"),
    ("dangerous_and_criminal_content", "illicit"),
    ("selfharm", "self-harm"),
];

/// The body for `POST /moderations` or `POST /chat/moderations`.
pub(super) fn encode(request: &Request) -> Result<Encoded, Fault> {
    let model = request.model.as_deref().ok_or_else(|| {
        let message = "Missing `model`: this provider has no model of its own choice, say which one to ask.";
        Fault::invalid(message).with_param("model").with_code("model_missing")
    })?;
    let (own, other): (Vec<_>, Vec<_>) =
        request.extra.iter().partition(|(name, _)| OWN_FIELDS.contains(&name.as_str()));
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_str("model", model);
        match &request.input {
            Input::Texts(texts) => {
                w.field_array("input", |w| texts.iter().for_each(|text| w.raw(text.as_str())));
            }
            Input::Conversation(messages) => w.field_array("input", |w| w.raw(messages.as_str())),
        }
        own.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    });
    let dropped = other.iter().map(|(name, _)| name.clone()).collect();
    Ok(Encoded { body: body.into_bytes(), dropped, ..Encoded::default() })
}

/// Reads `results`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let results = root.some("results").filter(Node::is_array)?;
    let tokens = root.some("usage").and_then(|usage| usage.u64("prompt_tokens"));
    Some(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        model: root.str("model").unwrap_or_default().into_owned(),
        results: results.items().map(verdict).collect::<Option<_>>()?,
        tokens,
    })
}

fn verdict(result: Node<'_>) -> Option<Verdict> {
    let mut verdict = Verdict::default();
    for (name, is_so) in result.some("categories")?.fields() {
        let is_so = is_so.as_bool()?;
        verdict.categories.extend(names(&name).map(|name| (name.to_owned(), is_so)));
    }
    let scores = result.some("category_scores");
    for (name, score) in scores.iter().flat_map(|scores| scores.fields()) {
        verdict.scores.extend(names(&name).map(|name| (name.to_owned(), Json::of(score))));
    }
    Some(verdict)
}

/// The vendor's name of a category, and OpenAI's where it has one that differs.
fn names(name: &str) -> impl Iterator<Item = &str> {
    let other = NAMES.iter().find(|(own, _)| *own == name).map(|(_, other)| *other);
    std::iter::once(name).chain(other)
}
