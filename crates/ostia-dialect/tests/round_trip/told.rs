//! What an answer loses on its way through a client dialect, as the upstream half of the same dialect reads
//! it. This is all that may differ.

use ostia_dialect::json::Json;
use ostia_dialect::{Block, Choice, ClientDialect, Content, Finish, Response, ServiceTier, Usage};
use serde_json::json;

use crate::answers::place;
use crate::clients::options;
use crate::words::raw;

/// The answer as far as this dialect can say it.
pub fn told(client: ClientDialect, mut response: Response) -> Response {
    match client {
        ClientDialect::OpenaiChat => chat(&mut response),
        ClientDialect::OpenaiResponses => responses(&mut response),
        ClientDialect::AnthropicMessages => messages(&mut response),
        ClientDialect::GeminiGenerate => gemini(&mut response),
    }
    response.choices.iter_mut().for_each(adapted);
    response
}

/// Whether it waits for the results of calls is read from its calls.
fn adapted(choice: &mut Choice) {
    let calls = choice.blocks.iter().any(|block| matches!(block.content, Content::ToolCall { .. }));
    choice.finish = match choice.finish {
        Finish::Stop | Finish::ToolCalls if calls => Finish::ToolCalls,
        Finish::Stop | Finish::ToolCalls => Finish::Stop,
        finish => finish,
    };
}

/// The provider is told besides, before the vendor's own fields.
fn provider(response: &mut Response) {
    response.extra.insert(0, ("provider".into(), Json::from_value(&options().provider.into())));
}

/// Chat Completions tells an end in its own words, knows no stop sequence, and counts what is not known as
/// nothing. What was written to a cache it tells in fields of Anthropic's, which no upstream of this format
/// has.
fn chat(response: &mut Response) {
    provider(response);
    for choice in &mut response.choices {
        choice.native_finish = Some(choice.finish.openai().to_owned());
        choice.stop_sequence = None;
        choice.finish = match choice.finish {
            Finish::Pause => Finish::Stop,
            Finish::Refusal => Finish::ContentFilter,
            finish => finish,
        };
    }
    if let Some(usage) = &mut response.usage {
        let known = |count: Option<u64>| Some(count.unwrap_or(0));
        *usage = Usage {
            cached: known(usage.cached),
            reasoning: known(usage.reasoning),
            audio_prompt: known(usage.audio_prompt),
            audio_completion: known(usage.audio_completion),
            accepted_prediction: known(usage.accepted_prediction),
            rejected_prediction: known(usage.rejected_prediction),
            cache_written: None,
            ..*usage
        };
    }
}

/// Responses gives one answer under an id of the gateway's, and tells by its calls and its state how it
/// ended. Probabilities are those of a text. There is no fingerprint, and usage has no sound and no
/// predictions.
fn responses(response: &mut Response) {
    provider(response);
    response.id = format!("resp_{}", options().id_suffix);
    response.system_fingerprint = None;
    response.choices.truncate(1);
    let choice = &mut response.choices[0];
    let own = std::mem::take(&mut choice.extra);
    let at = 1;
    response.extra.splice(at..at, own);
    let has = |wanted: fn(&Content) -> bool| choice.blocks.iter().any(|block| wanted(&block.content));
    let calls = has(|content| matches!(content, Content::ToolCall { .. }));
    let declines = has(|content| matches!(content, Content::Refusal(_)));
    if !has(|content| matches!(content, Content::Text { .. })) {
        choice.logprobs = None;
    }
    let whole = if calls { Finish::ToolCalls } else { Finish::Stop };
    let (finish, native) = match choice.finish {
        Finish::Length => (Finish::Length, "max_output_tokens"),
        Finish::Refusal if declines => (whole, "completed"),
        Finish::ContentFilter | Finish::Refusal => (Finish::ContentFilter, "content_filter"),
        Finish::Stop | Finish::ToolCalls | Finish::Pause => (whole, "completed"),
    };
    (choice.finish, choice.native_finish, choice.stop_sequence) = (finish, Some(native.to_owned()), None);
    if let Some(usage) = &mut response.usage {
        let known = |count: Option<u64>| Some(count.unwrap_or(0));
        *usage = Usage {
            prompt: usage.prompt,
            completion: usage.completion,
            total: usage.total,
            cached: known(usage.cached),
            cache_written: known(usage.cache_written),
            reasoning: known(usage.reasoning),
            ..Usage::default()
        };
    }
}

/// Messages gives one answer, without a time, a fingerprint or probabilities, and only its own vendor's
/// further fields. A model that declines does so by its end; media are shown in words. Usage is always told.
fn messages(response: &mut Response) {
    response.created = None;
    response.system_fingerprint = None;
    response.extra.clear();
    response.choices.truncate(1);
    let choice = &mut response.choices[0];
    (choice.logprobs, choice.extra) = (None, Vec::new());
    let declines = choice.blocks.iter().any(|block| matches!(block.content, Content::Refusal(_)));
    choice.blocks.iter_mut().for_each(in_words);
    place(&mut choice.blocks, ClientDialect::AnthropicMessages);
    choice.finish = match choice.finish {
        Finish::Stop if declines => Finish::Refusal,
        Finish::ContentFilter => Finish::Refusal,
        finish => finish,
    };
    let native = match choice.finish {
        Finish::Stop if choice.stop_sequence.is_some() => "stop_sequence",
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter | Finish::Refusal => "refusal",
        Finish::Pause => "pause_turn",
    };
    choice.native_finish = Some(native.to_owned());
    let usage = response.usage.unwrap_or_default();
    response.usage = Some(Usage {
        prompt: usage.prompt,
        completion: usage.completion,
        cached: Some(usage.cached.unwrap_or(0)),
        cache_written: Some(usage.cache_written.unwrap_or(0)),
        reasoning: usage.reasoning,
        tier: response.service_tier.as_deref().map(ServiceTier::named),
        ..Usage::default()
    });
}

fn in_words(block: &mut Block) {
    let text = match &block.content {
        Content::Refusal(text) => text.clone(),
        Content::Media(media) => match &media.source {
            ostia_dialect::Source::Base64(data) => format!("![image](data:image/png;base64,{data})"),
            other => panic!("no such picture: {other:?}"),
        },
        _ => return,
    };
    *block = Block::text(text);
}

/// generateContent has no refusals but by its end, no fingerprint and no stop sequence; nobody counts what is
/// written to a cache, or predictions.
fn gemini(response: &mut Response) {
    response.system_fingerprint = None;
    response.extra.clear();
    response.choices.iter_mut().for_each(candidate);
    if let Some(usage) = &mut response.usage {
        let sound = |count: Option<u64>| count.filter(|count| *count > 0);
        *usage = Usage {
            audio_prompt: sound(usage.audio_prompt),
            audio_completion: sound(usage.audio_completion),
            cache_written: None,
            accepted_prediction: None,
            rejected_prediction: None,
            tier: response.service_tier.as_deref().map(ServiceTier::named),
            ..*usage
        };
    }
}

fn candidate(choice: &mut Choice) {
    let has = |wanted: fn(&Content) -> bool| choice.blocks.iter().any(|block| wanted(&block.content));
    let calls = has(|content| matches!(content, Content::ToolCall { .. }));
    let declines = has(|content| matches!(content, Content::Refusal(_)));
    choice.blocks.iter_mut().filter(|block| matches!(block.content, Content::Refusal(_))).for_each(in_words);
    let (finish, native) = match choice.finish {
        Finish::Stop if declines => (Finish::ContentFilter, "SAFETY"),
        Finish::Stop | Finish::ToolCalls | Finish::Pause if calls => (Finish::ToolCalls, "STOP"),
        Finish::Stop | Finish::ToolCalls | Finish::Pause => (Finish::Stop, "STOP"),
        Finish::Length => (Finish::Length, "MAX_TOKENS"),
        Finish::ContentFilter | Finish::Refusal => (Finish::ContentFilter, "SAFETY"),
    };
    (choice.finish, choice.native_finish, choice.stop_sequence) = (finish, Some(native.to_owned()), None);
    choice.extra.clear();
}

/// Probabilities in the shape that all dialects can say.
pub fn logprobs() -> Json {
    raw(json!({"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}))
}
