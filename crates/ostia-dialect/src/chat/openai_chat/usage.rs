//! Tokens: <https://platform.openai.com/docs/api-reference/chat/object>, `usage`.

use crate::chat::usage::Charge;
use crate::json::{Node, Writer};
use crate::{Meter, Metered, RenderOptions, Usage};

/// Usage where OpenAI puts it, or where Groq's streams put it.
pub(super) fn decode(root: Node<'_>) -> Option<Usage> {
    root.some("usage").or_else(|| root.some("x_groq")?.some("usage")).map(counts)
}

/// Tools that the vendor ran for an answer, of which only traces are told. Models that search the web cite what they found, and are
/// charged for one search (<https://platform.openai.com/docs/guides/tools-web-search>); Groq lists what its systems did
/// (<https://console.groq.com/docs/compound>).
pub(crate) fn tools(root: Node<'_>) -> Metered {
    let choices = root.some("choices");
    let told = choices.iter().flat_map(Node::items).map(choice_tools);
    let all = told.fold(Metered::default(), |all, one| all.plus(&one));
    let more_than_one = all.count(Meter::WebSearches).saturating_sub(1);
    all.minus(&Metered::one(Meter::WebSearches, more_than_one))
}

/// The same of one choice, or of a piece of it. A stream tells a tool when it begins and again with what it gave, both times by its
/// number: that of the last one says how many there have been.
pub(super) fn choice_tools(choice: Node<'_>) -> Metered {
    let piece = choice.some("delta");
    let Some(said) = piece.or(choice.some("message")) else { return Metered::default() };
    let list = |name: &str| said.some(name).into_iter().flat_map(|list| list.items());
    let is_cited = list("annotations").any(|note| note.str("type").as_deref() == Some("url_citation"));
    let numbers = list("executed_tools").zip(1..).map(|(tool, place)| {
        match tool.u64("index").filter(|_| piece.is_some()) {
            Some(index) => index.saturating_add(1),
            None => place,
        }
    });
    Metered::one(Meter::WebSearches, u64::from(is_cited)).with(Meter::OtherTools, numbers.max().unwrap_or(0))
}

/// What two pieces of a stream say together: however often it cites, it was searched for once.
pub(super) fn merged(all: Metered, more: Metered) -> Metered {
    let most = |meter| all.count(meter).max(more.count(meter));
    Metered::one(Meter::WebSearches, most(Meter::WebSearches))
        .with(Meter::OtherTools, most(Meter::OtherTools))
}

/// Reads the object.
pub(crate) fn counts(usage: Node<'_>) -> Usage {
    let [prompt_details, completion_details] =
        ["prompt_tokens_details", "completion_tokens_details"].map(|group| usage.some(group));
    let of_prompt = |name: &str| prompt_details.and_then(|details| details.u64(name));
    let of_completion = |name: &str| completion_details.and_then(|details| details.u64(name));
    let prompt = usage.u64("prompt_tokens").unwrap_or_default();
    let completion = usage.u64("completion_tokens").unwrap_or_default();
    // Mistral bills sound by its length, and counts its tokens beside the prompt
    // (<https://docs.mistral.ai/capabilities/audio_transcription>).
    let audio_seconds = usage.u64("prompt_audio_seconds");
    let of_tools = usage.some("server_tool_use_details").or(usage.some("server_tool_use"));
    let web_searches = of_tools.and_then(|tools| tools.u64("web_search_requests"));
    Usage {
        prompt,
        completion,
        total: usage.u64("total_tokens").filter(|&total| total != prompt.saturating_add(completion)),
        cached: of_prompt("cached_tokens")
            .or(usage.u64("prompt_cache_hit_tokens"))
            .or(usage.u64("cached_tokens")),
        cache_written: of_prompt("cache_write_tokens"),
        reasoning: of_completion("reasoning_tokens").or(usage.u64("reasoning_tokens")),
        audio_prompt: of_prompt("audio_tokens").filter(|_| audio_seconds.is_none()),
        audio_completion: of_completion("audio_tokens"),
        accepted_prediction: of_completion("accepted_prediction_tokens"),
        rejected_prediction: of_completion("rejected_prediction_tokens"),
        image_completion: of_completion("image_tokens"),
        charge: Charge::decode(usage),
        metered: Metered::one(Meter::AudioInputMs, audio_seconds.unwrap_or(0).saturating_mul(1000))
            .with(Meter::WebSearches, web_searches.unwrap_or(0)),
        ..Usage::default()
    }
}

/// Writes the object. What a cache took is shown in the field that Anthropic has for it, where the client is not strict.
pub(super) fn encode(w: &mut Writer, usage: &Usage, options: &RenderOptions) {
    w.object(|w| {
        w.field_u64("prompt_tokens", usage.prompt);
        w.field_u64("completion_tokens", usage.completion);
        w.field_u64("total_tokens", usage.total());
        w.field_object("prompt_tokens_details", |w| {
            w.field_u64("cached_tokens", usage.cached.unwrap_or_default());
            w.field_u64("audio_tokens", usage.audio_prompt.unwrap_or_default());
        });
        w.field_object("completion_tokens_details", |w| {
            w.field_u64("reasoning_tokens", usage.reasoning.unwrap_or_default());
            w.field_u64("audio_tokens", usage.audio_completion.unwrap_or_default());
            w.field_u64("accepted_prediction_tokens", usage.accepted_prediction.unwrap_or_default());
            w.field_u64("rejected_prediction_tokens", usage.rejected_prediction.unwrap_or_default());
        });
        if let (false, Some(written)) = (options.strict, usage.cache_written) {
            w.field_u64("cache_creation_input_tokens", written);
            w.field_u64("cache_read_input_tokens", usage.cached.unwrap_or_default());
        }
    });
}
