//! The limits as a table for people.

use std::fmt::{Display, Formatter, Result};

use super::{Characters, Limit, Limits, Range, Spelling};

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

impl Limits {
    /// Every limit that is known.
    pub fn entries(&self) -> Vec<Entry> {
        let most = |what, limit: Option<Limit<usize>>| {
            limit.map(|limit| Entry { what, takes: format!("{} at most", limit.takes), source: limit.source })
        };
        let range = |what, limit: Option<Limit<Range>>| {
            limit.map(|limit| Entry { what, takes: limit.takes.to_string(), source: limit.source })
        };
        let refused = |what, source: Option<&'static str>| {
            source.map(|source| Entry { what, takes: "refused".to_owned(), source })
        };
        let spelled = |what, limit: Limit<Spelling>| {
            Some(Entry { what, takes: limit.takes.to_string(), source: limit.source })
        };
        let entries = [
            spelled("id of a call", self.tool_ids),
            spelled("name of a tool", self.tool_names),
            most("tools", self.tools),
            most("stop sequences", self.stops),
            refused("stop sequence of white space", self.blank_stops_refused),
            refused("text of white space", self.blank_texts_refused),
            most("cache markers", self.cache_marks_max),
            self.output_tokens_min.map(|limit| Entry {
                what: "bound of the answer's tokens",
                takes: format!("from {} on", limit.takes),
                source: limit.source,
            }),
            range("temperature", self.temperature),
            range("top_p", self.top_p),
            range("top_k", self.top_k),
            range("penalties", self.penalties),
            self.seed.map(|limit| Entry {
                what: "seed",
                takes: format!("from {} to {}", limit.takes.0, limit.takes.1),
                source: limit.source,
            }),
            most("characters of the end user's id", self.user_chars_max),
            refused(
                "end user's id that is an e-mail address or a telephone number",
                self.personal_user_refused,
            ),
        ];
        entries.into_iter().flatten().collect()
    }
}

impl Display for Spelling {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let marks = match self.characters {
            Characters::Alphanumeric => "letters and digits",
            Characters::Underscore => "letters, digits and `_`",
            Characters::Dash => "letters, digits, `_` and `-`",
            Characters::DotColon => "letters, digits, `_`, `-`, `.` and `:`",
            Characters::Any => "any characters",
        };
        f.write_str(marks)?;
        if self.letter_first {
            f.write_str(", a letter or `_` first")?;
        }
        match self.chars_max {
            Some(most) if most == self.chars_min => write!(f, ", exactly {most}"),
            Some(most) => write!(f, ", {} to {most}", self.chars_min),
            None => write!(f, ", at least {}", self.chars_min),
        }
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "from {}", super::numbers::decimal(self.min_hundredths))?;
        match self.max_hundredths {
            Some(max) => write!(f, " to {}", super::numbers::decimal(max)),
            None => f.write_str(" on"),
        }
    }
}
