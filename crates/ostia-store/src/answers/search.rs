//! Texts in bodies: what is looked for, for how long, and what was found.

use std::time::Duration;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::body::unpacked;

/// How long one answer looks. An index of all words would make the file two to three times as large, and take the writer longer than
/// all else that it does, for a question that is asked now and then.
pub(crate) const LOOKS_WITHIN: Duration = Duration::from_millis(250);

/// What was found in a part of what is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The newest first.
    pub data: Vec<Value>,
    /// Where to go on, if not all was looked through.
    pub next: Option<String>,
    /// How many requests were looked at that have bodies.
    pub looked_at: u64,
}

/// A text as it may stand in a body: as it is, and as JSON writes it.
pub(crate) struct Needles {
    plain: Finder<'static>,
    json: Finder<'static>,
}

impl Needles {
    pub(crate) fn of(text: &str) -> Needles {
        let [plain, json] = Needles::texts(text).map(|text| Finder::new(&text).into_owned());
        Needles { plain, json }
    }

    /// The text as it is, and as JSON writes it, both in small letters.
    pub(crate) fn texts(text: &str) -> [String; 2] {
        let lower = text.to_ascii_lowercase();
        let quoted = Value::from(lower.as_str()).to_string();
        let json = quoted[1..quoted.len() - 1].to_owned();
        [lower, json]
    }

    /// In a body, which is compressed?
    pub(crate) fn are_in(&self, packed: Option<&[u8]>) -> bool {
        let Some(mut bytes) = packed.and_then(unpacked) else { return false };
        bytes.make_ascii_lowercase();
        self.plain.find(&bytes).is_some() || self.json.find(&bytes).is_some()
    }
}
