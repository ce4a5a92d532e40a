//! Tokens and tier of an answer.

use std::collections::HashSet;

use crate::chat::rules;
use crate::json::{Node, Writer};
use crate::{Meter, Metered, ServiceTier, Usage};

/// Reads `usageMetadata` (<https://ai.google.dev/api/generate-content#UsageMetadata>); nothing where it has no counts,
/// as in the first events of a stream.
///
/// The vendor counts thoughts apart from the candidates, and the prompts of its own tools apart from the prompt.
pub(crate) fn decode(node: Node<'_>) -> Option<Usage> {
    let counts = ["promptTokenCount", "candidatesTokenCount", "totalTokenCount"];
    counts.iter().find_map(|name| node.u64(name))?;
    let reasoning = node.u64("thoughtsTokenCount");
    let prompt = node.u64("promptTokenCount").unwrap_or(0);
    let candidates = node.u64("candidatesTokenCount").unwrap_or(0);
    let completion = candidates.saturating_add(reasoning.unwrap_or(0));
    let sum = prompt.saturating_add(completion);
    Some(Usage {
        prompt,
        completion,
        total: node.u64("totalTokenCount").filter(|&total| total != sum),
        cached: node.u64("cachedContentTokenCount"),
        reasoning,
        audio_prompt: of_kind(node, "promptTokensDetails", "AUDIO"),
        audio_completion: of_kind(node, "candidatesTokensDetails", "AUDIO"),
        cached_audio: of_kind(node, "cacheTokensDetails", "AUDIO"),
        image_completion: of_kind(node, "candidatesTokensDetails", "IMAGE"),
        // What its own tools brought is read by the model, and billed as the prompt is.
        metered: Metered::one(Meter::ToolPrompt, node.u64("toolUsePromptTokenCount").unwrap_or(0)),
        tier: node.str("serviceTier").map(|tier| ServiceTier::named(&tier)),
        ..Usage::default()
    })
}

/// Searches that an answer rests on, told beside each of its candidates
/// (<https://ai.google.dev/api/generate-content#GroundingMetadata>). In a stream the last that was told of a candidate counts.
#[derive(Debug, Default)]
pub(super) struct Grounding {
    candidates: Vec<(u64, Metered)>,
}

impl Grounding {
    /// Takes what this candidate of an answer of this model says.
    pub(super) fn observe(&mut self, model: &str, candidate: Node<'_>) {
        let Some(metadata) = candidate.some("groundingMetadata") else { return };
        let told = of_candidate(model, metadata);
        let index = candidate.u64("index").unwrap_or(0);
        match self.candidates.iter_mut().find(|(known, _)| *known == index) {
            Some((_, known)) if !told.is_empty() => *known = told,
            Some(_) => {}
            None => self.candidates.push((index, told)),
        }
    }

    /// What was searched for all of them.
    pub(super) fn metered(&self) -> Metered {
        self.candidates.iter().fold(Metered::default(), |sum, (_, one)| sum.plus(one))
    }
}

/// Searches of a whole answer.
pub(crate) fn grounding(root: Node<'_>) -> Metered {
    let mut grounding = Grounding::default();
    let answers = root.is_array().then(|| root.items()).into_iter().flatten();
    for answer in answers.chain((!root.is_array()).then_some(root)) {
        let model = answer.str("modelVersion").unwrap_or_default();
        let candidates = answer.some("candidates");
        candidates.iter().flat_map(Node::items).for_each(|candidate| grounding.observe(&model, candidate));
    }
    grounding.metered()
}

fn of_candidate(model: &str, metadata: Node<'_>) -> Metered {
    let queries = metadata.some("webSearchQueries");
    let queries = queries.iter().flat_map(Node::items).filter_map(|query| query.as_str());
    // An empty one is none, and one that is told twice was made once.
    let queries: HashSet<_> = queries.filter(|query| !query.is_empty()).collect();
    let searches = searches(model, queries.len() as u64);
    let chunks = metadata.some("groundingChunks");
    let has_map = chunks.iter().flat_map(Node::items).any(|chunk| chunk.some("maps").is_some());
    Metered::one(Meter::WebSearches, searches).with(Meter::MapSearches, u64::from(has_map))
}

/// How many searches are billed where an answer of this model rests on so many queries.
pub(crate) fn searches(model: &str, queries: u64) -> u64 {
    if rules::is_searched_by_answer(model) { queries.min(1) } else { queries }
}

/// The vendor's tier in the word that the field does use elsewhere: its `standard` is everyone's `default`.
pub(super) fn service_tier(tier: &str) -> String {
    match tier.to_ascii_lowercase() {
        standard if standard == "standard" => "default".to_owned(),
        other => other,
    }
}

/// Writes `usageMetadata`, if there is anything in it: the way back from [`decode`].
pub(super) fn encode(w: &mut Writer, usage: Option<&Usage>, tier: Option<&str>) {
    if usage.is_none() && tier.is_none() {
        return;
    }
    w.field_object("usageMetadata", |w| {
        if let Some(usage) = usage {
            let reasoning = usage.reasoning.unwrap_or(0);
            w.field_u64("promptTokenCount", usage.prompt);
            w.field_u64("candidatesTokenCount", usage.completion.saturating_sub(reasoning));
            let optional =
                [("thoughtsTokenCount", usage.reasoning), ("cachedContentTokenCount", usage.cached)];
            for (name, count) in optional {
                count.into_iter().for_each(|count| w.field_u64(name, count));
            }
            w.field_u64("totalTokenCount", usage.total());
            audio_details(w, "promptTokensDetails", usage.audio_prompt);
            audio_details(w, "candidatesTokensDetails", usage.audio_completion);
        }
        if let Some(tier) = tier {
            w.field_str("serviceTier", if tier == "default" { "standard" } else { tier });
        }
    });
}

/// Of the kinds of tokens, the hub counts those of sound apart.
fn audio_details(w: &mut Writer, name: &str, count: Option<u64>) {
    let Some(count) = count.filter(|count| *count > 0) else { return };
    w.field_array(name, |w| {
        w.object(|w| {
            w.field_str("modality", "AUDIO");
            w.field_u64("tokenCount", count);
        });
    });
}

fn of_kind(node: Node<'_>, name: &str, kind: &str) -> Option<u64> {
    let details = node.some(name)?;
    let counts = details.items().filter(|detail| detail.str("modality").as_deref() == Some(kind));
    counts.filter_map(|detail| detail.u64("tokenCount")).reduce(u64::saturating_add)
}
