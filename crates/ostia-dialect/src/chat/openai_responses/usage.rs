//! Tokens: <https://platform.openai.com/docs/api-reference/responses/object>, `usage`.

use crate::chat::usage::Charge;
use crate::json::{Node, Writer};
use crate::{Meter, Metered, Usage};

/// What the vendor charges for by this item of an answer (<https://platform.openai.com/docs/pricing>, built-in tools). Of looks at
/// the web only searches cost something. Calls of the client's own tools, of its servers and of its computer cost tokens alone.
pub(super) fn item(item: Node<'_>) -> Metered {
    let meter = item.str("type").and_then(|kind| meter_of(&kind));
    let action = item.some("action").and_then(|action| action.str("type"));
    let is_free = meter == Some(Meter::WebSearches) && action.is_some_and(|action| is_look(&action));
    meter.filter(|_| !is_free).map_or(Metered::default(), |meter| Metered::one(meter, 1))
}

/// What an item of this type is counted by.
pub(crate) fn meter_of(kind: &str) -> Option<Meter> {
    match kind {
        "web_search_call" => Some(Meter::WebSearches),
        "file_search_call" => Some(Meter::FileSearches),
        "code_interpreter_call" => Some(Meter::CodeSessions),
        "image_generation_call" => Some(Meter::ImageGenerations),
        "x_search_call" | "document_search_call" | "collections_search_call" => Some(Meter::OtherTools),
        _ => None,
    }
}

/// Is an action of this type a look at a page, and no search?
pub(crate) fn is_look(action: &str) -> bool {
    matches!(action, "open_page" | "find_in_page")
}

/// The same of a whole answer. Where it counts its searches itself, that holds.
pub(crate) fn tools(response: Node<'_>, of_items: Metered) -> Metered {
    let told = response.some("tool_usage").and_then(|tools| tools.some("web_search")?.u64("num_requests"));
    counted(told, of_items)
}

/// Tools that were seen, where the answer says that it made so many searches.
pub(crate) fn counted(searches: Option<u64>, seen: Metered) -> Metered {
    let traces = seen.count(Meter::WebSearches);
    let searches = searches.filter(|told| *told > 0).unwrap_or(traces);
    seen.minus(&Metered::one(Meter::WebSearches, traces)).with(Meter::WebSearches, searches)
}

/// The same of one that comes in one piece.
pub(crate) fn tools_of(response: Node<'_>) -> Metered {
    let items = response.some("output").into_iter().flat_map(|output| output.items());
    tools(response, items.fold(Metered::default(), |all, one| all.plus(&item(one))))
}

/// Reads the object; that of a transcript has the same with one name in the singular, or the seconds of the recording
/// (<https://platform.openai.com/docs/api-reference/audio/json-object>).
pub(crate) fn decode(usage: Node<'_>) -> Usage {
    let group = |name: &str| usage.some(name).or_else(|| usage.some(&name.replacen("tokens", "token", 1)));
    let detail = |of: &str, name: &str| group(of).and_then(|details| details.u64(name));
    let prompt = usage.u64("input_tokens").unwrap_or_default();
    let completion = usage.u64("output_tokens").unwrap_or_default();
    Usage {
        prompt,
        completion,
        total: usage.u64("total_tokens").filter(|&total| total != prompt.saturating_add(completion)),
        cached: detail("input_tokens_details", "cached_tokens"),
        cache_written: detail("input_tokens_details", "cache_write_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        audio_prompt: detail("input_tokens_details", "audio_tokens"),
        image_prompt: detail("input_tokens_details", "image_tokens"),
        image_completion: detail("output_tokens_details", "image_tokens"),
        charge: Charge::decode(usage),
        ..Usage::default()
    }
}

/// Writes the fields of the object.
pub(super) fn encode(w: &mut Writer, usage: &Usage) {
    w.field_u64("input_tokens", usage.prompt);
    w.field_object("input_tokens_details", |w| {
        w.field_u64("cached_tokens", usage.cached.unwrap_or_default());
        w.field_u64("cache_write_tokens", usage.cache_written.unwrap_or_default());
    });
    w.field_u64("output_tokens", usage.completion);
    w.field_object("output_tokens_details", |w| {
        w.field_u64("reasoning_tokens", usage.reasoning.unwrap_or_default());
    });
    w.field_u64("total_tokens", usage.total());
}
