//! What the fields of LiteLLM's rows mean.

use ostia_catalog::{Ability, Mode, Rate, Tier, Unit};
use serde_json::Value;

use crate::json::{rate, rate_of_one};

/// What a price is of.
pub struct Field {
    pub unit: Unit,
    pub tier: Tier,
    /// Tokens of the prompt above which it holds.
    pub above: u64,
}

impl Field {
    /// Of the standard tier, whatever the prompt's length.
    pub fn standard(unit: Unit) -> Field {
        Field { unit, tier: Tier::Standard, above: 0 }
    }
}

/// Yes or no, by the name of the field.
pub const ABILITIES: &[(&str, Ability)] = &[
    ("supports_function_calling", Ability::Tools),
    ("supports_tool_choice", Ability::ToolChoice),
    ("supports_forced_tool_use", Ability::ForcedTools),
    ("supports_parallel_function_calling", Ability::ParallelTools),
    ("supports_response_schema", Ability::JsonSchema),
    ("supports_native_structured_output", Ability::JsonSchema),
    ("supports_native_streaming", Ability::Streaming),
    ("supports_system_messages", Ability::SystemMessages),
    ("supports_assistant_prefill", Ability::Prefill),
    ("supports_prompt_caching", Ability::PromptCaching),
    ("supports_prompt_cache_breakpoint", Ability::CacheBreakpoints),
    ("supports_sampling_params", Ability::Sampling),
    ("supports_vision", Ability::Vision),
    ("supports_pdf_input", Ability::Pdf),
    ("supports_audio_input", Ability::AudioInput),
    ("supports_audio_output", Ability::AudioOutput),
    ("supports_video_input", Ability::VideoInput),
    ("supports_web_search", Ability::WebSearch),
    ("supports_url_context", Ability::UrlContext),
    ("supports_computer_use", Ability::ComputerUse),
    ("supports_reasoning", Ability::Reasoning),
    ("thinking_always_on", Ability::AlwaysReasons),
    ("thinking_on_by_default", Ability::ReasonsByDefault),
    ("supports_adaptive_thinking", Ability::AdaptiveThinking),
    ("supports_legacy_thinking", Ability::ThinkingBudget),
    ("supports_none_reasoning_effort", Ability::EffortNone),
    ("supports_minimal_reasoning_effort", Ability::EffortMinimal),
    ("supports_low_reasoning_effort", Ability::EffortLow),
    ("supports_xhigh_reasoning_effort", Ability::EffortXhigh),
    ("supports_max_reasoning_effort", Ability::EffortMax),
];

/// Levels of `reasoning_effort_levels`.
pub const EFFORTS: [(&str, Ability); 7] = [
    ("none", Ability::EffortNone),
    ("minimal", Ability::EffortMinimal),
    ("low", Ability::EffortLow),
    ("medium", Ability::EffortMedium),
    ("high", Ability::EffortHigh),
    ("xhigh", Ability::EffortXhigh),
    ("max", Ability::EffortMax),
];

/// The unit of a price, by the name of its field without tier and length.
const UNITS: &[(&str, Unit)] = &[
    ("input_cost_per_token", Unit::Input),
    ("output_cost_per_token", Unit::Output),
    ("output_cost_per_reasoning_token", Unit::Reasoning),
    ("citation_cost_per_token", Unit::Citation),
    ("cache_read_input_token_cost", Unit::CachedInput),
    ("input_cost_per_token_cache_hit", Unit::CachedInput),
    ("cache_creation_input_token_cost", Unit::CacheWrite),
    ("cache_creation_input_token_cost_above_1hr", Unit::CacheWrite1h),
    ("cache_creation_input_token_cost_above_12hr", Unit::CacheWrite12h),
    ("cache_read_input_audio_token_cost", Unit::CachedAudio),
    ("cache_creation_input_audio_token_cost", Unit::CacheWriteAudio),
    ("cache_read_input_image_token_cost", Unit::CachedImage),
    ("input_cost_per_audio_token", Unit::AudioInput),
    ("output_cost_per_audio_token", Unit::AudioOutput),
    ("input_cost_per_image_token", Unit::ImageInput),
    ("output_cost_per_image_token", Unit::ImageOutput),
    ("input_cost_per_video_token", Unit::VideoInput),
    ("output_cost_per_video_token", Unit::VideoOutput),
    ("input_cost_per_character", Unit::InputCharacters),
    ("output_cost_per_character", Unit::OutputCharacters),
    ("input_cost_per_audio_per_second", Unit::InputSeconds),
    ("input_cost_per_video_per_second", Unit::VideoInputSeconds),
    ("output_cost_per_video_per_second", Unit::VideoOutputSeconds),
    ("output_cost_per_image", Unit::OutputImages),
    ("output_cost_per_pixel", Unit::OutputPixels),
    ("ocr_cost_per_page", Unit::Pages),
    ("annotation_cost_per_page", Unit::AnnotatedPages),
    ("input_cost_per_query", Unit::Queries),
    ("input_cost_per_request", Unit::Requests),
    ("input_cost_per_text_message", Unit::Messages),
    ("google_maps_grounding_cost_per_query", Unit::MapSearches),
    ("code_interpreter_cost_per_session", Unit::CodeSessions),
];

const TIERS: [(&str, Tier); 5] = [
    ("_batches", Tier::Batch),
    ("_priority", Tier::Priority),
    ("_flex", Tier::Flex),
    ("_ultrafast", Tier::Ultrafast),
    ("_balanced", Tier::Balanced),
];

/// The prices that a field holds.
pub fn rates(name: &str, value: &Value, mode: Mode) -> Vec<(Field, Rate)> {
    match name {
        "search_context_cost_per_query" => {
            // What OpenAI searches with where a request says nothing.
            let medium = rate_of_one(&value["search_context_size_medium"]).filter(|rate| rate.0 > 0);
            medium.map(|rate| (Field::standard(Unit::WebSearches), rate)).into_iter().collect()
        }
        "file_search_cost_per_1k_calls" => {
            rate(value, 1000).map(|rate| (Field::standard(Unit::FileSearches), rate)).into_iter().collect()
        }
        "tiered_pricing" => tiered(value, mode),
        _ => field(name, mode).and_then(|field| Some((field, rate_of_one(value)?))).into_iter().collect(),
    }
}

/// A list of ranges of the prompt's length, each with prices.
fn tiered(value: &Value, mode: Mode) -> Vec<(Field, Rate)> {
    let ranges = value.as_array().into_iter().flatten();
    let of_range = |range: &Value| {
        let above = range["range"][0].as_f64().unwrap_or_default() as u64;
        let fields = crate::json::members(range).map(|(name, value)| (name.to_owned(), value.clone()));
        let prices = fields.filter_map(move |(name, value)| {
            let field = field(&name, mode)?;
            Some((Field { above, ..field }, rate_of_one(&value)?))
        });
        prices.collect::<Vec<_>>()
    };
    ranges.flat_map(of_range).collect()
}

fn field(name: &str, mode: Mode) -> Option<Field> {
    let tiered = TIERS.iter().find_map(|(end, tier)| Some((name.strip_suffix(end)?, *tier)));
    let (name, tier) = tiered.unwrap_or((name, Tier::Standard));
    // `_above_272k_tokens`; `_above_1hr` is a unit of its own.
    let bordered = name.strip_suffix("k_tokens").and_then(|rest| rest.rsplit_once("_above_"));
    let bordered = bordered.and_then(|(name, border)| Some((name, border.parse::<u64>().ok()? * 1000)));
    let (name, above) = bordered.unwrap_or((name, 0));
    Some(Field { unit: unit(name, mode)?, tier, above })
}

fn unit(name: &str, mode: Mode) -> Option<Unit> {
    let makes_images = mode == Mode::Image;
    match name {
        "input_cost_per_second" => super::seconds(mode, true),
        "output_cost_per_second" => super::seconds(mode, false),
        // What a made image costs stood in these before there were fields for output.
        "input_cost_per_image" if makes_images => Some(Unit::OutputImages),
        "input_cost_per_pixel" if makes_images => Some(Unit::OutputPixels),
        "input_cost_per_image" => Some(Unit::InputImages),
        "input_cost_per_pixel" => Some(Unit::InputPixels),
        _ => UNITS.iter().find(|(field, _)| *field == name).map(|(_, unit)| *unit),
    }
}

/// Does a field hold a price that is not read? They are counted, so that a new one is noticed.
pub fn is_unread(name: &str) -> bool {
    let is_price = name.contains("cost") && name != "token_count_model" || name.ends_with("_pricing");
    let is_read =
        matches!(name, "search_context_cost_per_query" | "file_search_cost_per_1k_calls" | "tiered_pricing")
            || field(name, Mode::Chat).is_some();
    // By the second, of what comes out as text: said once already, as input.
    is_price && !is_read && name != "output_cost_per_second"
}

/// What a model is for.
pub fn mode(name: &str) -> Mode {
    match name {
        "" => Mode::Unknown,
        "image_generation" | "image_edit" => Mode::Image,
        "video_generation" => Mode::Video,
        "audio_speech" => Mode::Speech,
        "audio_transcription" => Mode::Transcription,
        name => Mode::named(name).unwrap_or(Mode::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_say_unit_tier_and_length() {
        let check = |name: &str, mode: Mode, expected: Option<(Unit, Tier, u64)>| {
            let found = field(name, mode).map(|field| (field.unit, field.tier, field.above));
            assert_eq!(found, expected, "{name}");
        };
        use Mode::{Chat, Image, Transcription, Video};
        check("input_cost_per_token", Chat, Some((Unit::Input, Tier::Standard, 0)));
        check("input_cost_per_token_batches", Chat, Some((Unit::Input, Tier::Batch, 0)));
        check(
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            Chat,
            Some((Unit::CacheWrite1h, Tier::Standard, 200_000)),
        );
        check(
            "cache_creation_input_token_cost_above_12hr_above_272k_tokens_ultrafast",
            Chat,
            Some((Unit::CacheWrite12h, Tier::Ultrafast, 272_000)),
        );
        check("input_cost_per_second", Transcription, Some((Unit::InputSeconds, Tier::Standard, 0)));
        check("output_cost_per_second", Transcription, None);
        check("output_cost_per_second", Video, Some((Unit::VideoOutputSeconds, Tier::Standard, 0)));
        check("input_cost_per_pixel", Image, Some((Unit::OutputPixels, Tier::Standard, 0)));
        check("output_cost_per_second_1080p", Video, None);
        assert!(is_unread("output_cost_per_second_1080p") && !is_unread("input_cost_per_token_flex"));
    }
}
