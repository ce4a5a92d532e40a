//! The limits of a dialect in words.

use ostia_dialect::MediaKind;
use ostia_dialect::limits::{Characters, Limit, Limits, MediaForms, Range, Spelling};

/// One limit in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is bounded.
    pub what: &'static str,
    /// What is taken of it.
    pub takes: String,
    /// Where this can be read.
    pub source: &'static str,
}

/// Every limit that is known.
pub fn entries(limits: &Limits) -> Vec<Entry> {
    let most = |what, limit: Option<Limit<usize>>| {
        limit.map(|limit| Entry { what, takes: format!("{} at most", limit.takes), source: limit.source })
    };
    let range = |what, limit: Option<Limit<Range>>| {
        limit.map(|limit| Entry { what, takes: range_in_words(&limit.takes), source: limit.source })
    };
    let refused = |what, source: Option<&'static str>| {
        source.map(|source| Entry { what, takes: "refused".to_owned(), source })
    };
    let spelled = |what, limit: Limit<Spelling>| {
        Some(Entry { what, takes: spelling(&limit.takes), source: limit.source })
    };
    let entries = [
        spelled("id of a call", limits.tool_ids),
        spelled("name of a tool", limits.tool_names),
        most("tools", limits.tools),
        most("images", limits.images),
        most("documents", limits.documents),
        Some(Entry {
            what: "media",
            takes: media_in_words(&limits.media.takes),
            source: limits.media.source,
        }),
        most("stop sequences", limits.stops),
        refused("stop sequence of white space", limits.blank_stops_refused),
        refused("text of white space", limits.blank_texts_refused),
        most("cache markers", limits.cache_marks_max),
        limits.output_tokens_min.map(|limit| Entry {
            what: "bound of the answer's tokens",
            takes: format!("from {} on", limit.takes),
            source: limit.source,
        }),
        range("temperature", limits.temperature),
        range("top_p", limits.top_p),
        range("top_k", limits.top_k),
        range("penalties", limits.penalties),
        limits.seed.map(|limit| Entry {
            what: "seed",
            takes: format!("from {} to {}", limit.takes.0, limit.takes.1),
            source: limit.source,
        }),
        most("characters of the end user's id", limits.user_chars_max),
        refused(
            "end user's id that is an e-mail address or a telephone number",
            limits.personal_user_refused,
        ),
    ];
    entries.into_iter().flatten().collect()
}

fn media_in_words(forms: &MediaForms) -> String {
    let kinds = |kinds: &[MediaKind]| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let schemes: Vec<String> = forms.schemes.iter().map(|scheme| format!("`{scheme}`")).collect();
    let by_address = match forms.by_address {
        [] => String::new(),
        all => format!("; at an address ({}): {}", schemes.join(", "), kinds(all)),
    };
    let by_id = if forms.by_id { "; files by their ids" } else { "" };
    format!("as bytes: {}{by_address}{by_id}", kinds(forms.as_bytes))
}

fn spelling(spelling: &Spelling) -> String {
    let characters = match spelling.characters {
        Characters::Alphanumeric => "letters and digits",
        Characters::Underscore => "letters, digits and `_`",
        Characters::Dash => "letters, digits, `_` and `-`",
        Characters::DotColon => "letters, digits, `_`, `-`, `.` and `:`",
        Characters::Any => "any characters",
    };
    let first = if spelling.letter_first { ", a letter or `_` first" } else { "" };
    let least = spelling.chars_min;
    match spelling.chars_max {
        Some(most) if most == least => format!("{characters}{first}, exactly {most}"),
        Some(most) => format!("{characters}{first}, {least} to {most}"),
        None => format!("{characters}{first}, at least {least}"),
    }
}

fn range_in_words(range: &Range) -> String {
    let number = |hundredths: i64| hundredths as f64 / 100.0;
    let least = number(range.min_hundredths);
    match range.max_hundredths {
        Some(most) => format!("from {least} to {}", number(most)),
        None => format!("from {least} on"),
    }
}

#[cfg(test)]
mod tests {
    use ostia_dialect::Dialect;

    use super::*;

    #[test]
    fn every_entry_tells_its_source() {
        for dialect in Dialect::ALL {
            let entries = entries(&Limits::of(dialect));
            assert!(entries.iter().all(|entry| entry.source.starts_with("https://")), "{dialect:?}");
        }
        let told = |dialect, what| {
            let entries = entries(&Limits::of(dialect));
            entries.into_iter().find(|entry| entry.what == what).map(|entry| entry.takes)
        };
        let cases = [
            (Dialect::OpenaiChat, "id of a call", "any characters, 1 to 40"),
            (Dialect::AnthropicMessages, "id of a call", "letters, digits, `_` and `-`, at least 1"),
            (
                Dialect::CohereChat,
                "name of a tool",
                "letters, digits and `_`, a letter or `_` first, 1 to 64",
            ),
            (Dialect::CohereChat, "top_p", "from 0.01 to 0.99"),
            (Dialect::GeminiGenerate, "penalties", "from -2 to 1.99"),
            (Dialect::GeminiGenerate, "top_k", "from 1 on"),
            (Dialect::OpenaiResponses, "bound of the answer's tokens", "from 16 on"),
            (Dialect::OpenaiChat, "stop sequences", "4 at most"),
            (Dialect::AnthropicMessages, "text of white space", "refused"),
        ];
        for (dialect, what, takes) in cases {
            assert_eq!(told(dialect, what).as_deref(), Some(takes), "{dialect:?} {what}");
        }
    }
}
