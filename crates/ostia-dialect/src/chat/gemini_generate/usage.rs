//! Tokens and tier of an answer.

use crate::json::{Node, Writer};
use crate::{ServiceTier, Usage};

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
        tier: node.str("serviceTier").map(|tier| ServiceTier::named(&tier)),
        ..Usage::default()
    })
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
