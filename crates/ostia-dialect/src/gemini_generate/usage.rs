//! Tokens, tier and time of an answer.

use crate::Usage;
use crate::json::Node;

/// Reads `usageMetadata` (<https://ai.google.dev/api/generate-content#UsageMetadata>); nothing where it has no counts,
/// as in the first events of a stream.
///
/// The vendor counts thoughts apart from the candidates, and the prompts of its own tools apart from the prompt.
pub(super) fn decode(node: Node<'_>) -> Option<Usage> {
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
        audio_prompt: audio(node, "promptTokensDetails"),
        audio_completion: audio(node, "candidatesTokensDetails"),
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

/// Unix seconds of a time such as `2026-05-04T20:01:02.264968Z` (RFC 3339, UTC).
pub(super) fn unix_seconds(time: &str) -> Option<u64> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|field| field.parse::<u64>().ok());
    let mut clock = clock.split('.').next()?.splitn(3, ':').map(|field| field.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days_to_1970 = 719_468;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - days_to_1970;
    (hour < 24 && minute < 60 && second <= 60).then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

fn audio(node: Node<'_>, name: &str) -> Option<u64> {
    let details = node.some(name)?;
    let counts = details.items().filter(|detail| detail.str("modality").as_deref() == Some("AUDIO"));
    counts.filter_map(|detail| detail.u64("tokenCount")).reduce(u64::saturating_add)
}
