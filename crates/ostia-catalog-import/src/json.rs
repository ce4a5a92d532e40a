//! Small looks into the sources' JSON.

use std::path::Path;

use ostia_catalog::{Rate, Unit};
use serde_json::Value;

/// A whole file.
pub fn file(path: &Path) -> Result<Value, String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The only folder of the sources whose name begins so: `litellm-1.110.2`.
pub fn folder(sources: &Path, name: &str) -> Result<std::path::PathBuf, String> {
    let entries =
        std::fs::read_dir(sources).map_err(|error| format!("cannot read {}: {error}", sources.display()))?;
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(name))
        .map(|entry| entry.path())
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(format!("{} has no folder, or several, whose name begins with {name}", sources.display())),
    }
}

/// The members of an object; of anything else none.
pub fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The texts of a list.
pub fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A number of tokens; sources write `128000`, `128000.0` and `"128000"`.
pub fn count(value: &Value) -> Option<u64> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let number = number.or_else(|| value.as_f64().filter(|float| *float >= 0.0).map(|float| float as u64));
    number.filter(|number| *number > 0)
}

/// A price for so many of a unit. Numbers are taken as they are printed, so that none is rounded here.
pub fn rate(value: &Value, quantity: u64) -> Option<Rate> {
    Rate::parse(&value.as_number()?.to_string(), quantity).ok()
}

/// A price in US cents for one of a unit.
pub fn rate_of_cents(value: &Value) -> Option<Rate> {
    // A hundred cents are a dollar: the price of one in cents is the price of a hundred in dollars.
    rate(value, 100)
}

/// A price for one, in dollars.
pub fn rate_of_one(value: &Value) -> Option<Rate> {
    rate(value, 1)
}

/// For how many units genai-prices writes a price, by the end of the field's name.
pub fn genai_unit(field: &str) -> Option<(Unit, u64)> {
    let (name, quantity) = [
        ("_mtok", 1_000_000),
        ("_mchars", 1_000_000),
        ("_kcount", 1000),
        ("_kpages", 1000),
        ("_hours", 3600),
    ]
    .into_iter()
    .find_map(|(end, quantity)| Some((field.strip_suffix(end)?, quantity)))?;
    let unit = match (name, quantity) {
        ("input", 1_000_000) if field.ends_with("_mchars") => Unit::InputCharacters,
        ("input", _) => Unit::Input,
        ("output", _) => Unit::Output,
        ("cache_read", _) => Unit::CachedInput,
        ("cache_write", _) => Unit::CacheWrite,
        ("cache_write_1h", _) => Unit::CacheWrite1h,
        ("output_reasoning", _) => Unit::Reasoning,
        ("output_citation", _) => Unit::Citation,
        ("input_audio", 3600) => Unit::InputSeconds,
        ("audio", 3600) => Unit::AudioSeconds,
        ("input_audio", _) => Unit::AudioInput,
        ("output_audio", _) => Unit::AudioOutput,
        ("cache_audio_read", _) => Unit::CachedAudio,
        ("input_image", _) => Unit::ImageInput,
        ("output_image", _) => Unit::ImageOutput,
        ("cache_image_read", _) => Unit::CachedImage,
        ("input_video", _) => Unit::VideoInput,
        ("output_video", _) => Unit::VideoOutput,
        ("web_searches", _) => Unit::WebSearches,
        ("storage_searches", _) => Unit::FileSearches,
        ("requests", _) => Unit::Requests,
        ("input_text_messages", _) => Unit::Messages,
        ("input_document", _) => Unit::Pages,
        ("input_annotated_document", _) => Unit::AnnotatedPages,
        _ => return None,
    };
    Some((unit, quantity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prices_are_taken_in_their_units() {
        // $2.50 for a million tokens, in the three ways in which the sources write it.
        let expected = Some(Rate(2_500_000_000));
        let (unit, quantity) = genai_unit("input_mtok").unwrap();
        assert_eq!((unit, rate(&json!(2.5), quantity)), (Unit::Input, expected));
        assert_eq!(rate_of_one(&json!(2.5e-6)), expected);
        assert_eq!(rate_of_cents(&json!(0.00025)), expected);
        assert_eq!(genai_unit("input_mchars"), Some((Unit::InputCharacters, 1_000_000)));
        assert_eq!(genai_unit("audio_hours"), Some((Unit::AudioSeconds, 3600)));
        assert_eq!(genai_unit("x_mtok"), None);
        assert_eq!(rate(&json!(-1), 1), None);
    }
}
