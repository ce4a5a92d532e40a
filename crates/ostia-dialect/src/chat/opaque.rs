//! What one vendor wants to see again, carried through a client that speaks another dialect.
//!
//! Every client dialect has a field that holds an opaque proof and comes back unread (`thinking.signature`,
//! `encrypted_content`, `thoughtSignature`). A proof of another vendor, or a block that only another vendor knows, goes
//! there as an opaque value of ours, and [`decode`] reads it when the client hands it back. What a vendor of the client's
//! own dialect wrote is never wrapped: it passes as it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Document, Json};
use crate::{Dialect, Signature};

/// What every value of ours begins with. No vendor's proof does: they are base64 without dots.
const MARK: &str = "ostia1.";

/// What such a value holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Opaque {
    /// The proof of the block that carries the value.
    Own(Signature),
    /// The proof of the block behind the carrier, which exists only to carry it.
    Next(Signature),
    /// The proof of the block before the carrier, which exists only to carry it.
    Previous(Signature),
    /// A whole block: [`crate::Content::Foreign`].
    Foreign {
        /// Whose block.
        dialect: Dialect,
        /// The block, as the vendor wrote it.
        value: Json,
    },
}

/// `ostia1.<kind>.<dialect>.<base64url>`
pub fn encode(piece: &Opaque) -> String {
    let (kind, dialect, value) = match piece {
        Opaque::Own(signature) => ("own", signature.dialect, signature.value.as_str()),
        Opaque::Next(signature) => ("next", signature.dialect, signature.value.as_str()),
        Opaque::Previous(signature) => ("previous", signature.dialect, signature.value.as_str()),
        Opaque::Foreign { dialect, value } => ("foreign", *dialect, value.as_str()),
    };
    format!("{MARK}{kind}.{}.{}", dialect.name(), URL_SAFE_NO_PAD.encode(value))
}

/// What a value holds; `None` for anything that is no whole value of ours.
pub fn decode(text: &str) -> Option<Opaque> {
    let mut words = text.strip_prefix(MARK)?.splitn(3, '.');
    let (kind, dialect, value) = (words.next()?, Dialect::from_name(words.next()?)?, words.next()?);
    let value = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    match kind {
        "own" => Some(Opaque::Own(Signature { dialect, value })),
        "next" => Some(Opaque::Next(Signature { dialect, value })),
        "previous" => Some(Opaque::Previous(Signature { dialect, value })),
        "foreign" => {
            let document = Document::parse(value.as_bytes()).ok()?;
            Some(Opaque::Foreign { dialect, value: Json::of(document.root()) })
        }
        _ => None,
    }
}

/// Is there such a value somewhere in this JSON text, in the clear or in base64 (`thoughtSignature`)? A text that only
/// speaks of them may be taken for one.
pub(crate) fn is_in(json: &str) -> bool {
    let found = |needle: &[u8]| memchr::memmem::find(json.as_bytes(), needle).is_some();
    found(b"\"ostia1.") || found(b"\"b3N0aWExL")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn opaque_values_are_found_in_json() {
        let text = encode(&Opaque::Own(Signature { dialect: Dialect::GeminiGenerate, value: "x".into() }));
        let in_base64 = base64::engine::general_purpose::STANDARD.encode(&text);
        for (value, expected) in [(text.as_str(), true), (&in_base64, true), ("EqQBCgIYAh", false)] {
            assert_eq!(is_in(&format!(r#"[{{"signature": "{value}"}}]"#)), expected, "{value}");
        }
    }

    #[test]
    fn what_is_wrapped_comes_out_again() {
        for dialect in Dialect::ALL {
            let signature = Signature { dialect, value: "a.b/c+d==\n\u{e9}".into() };
            let foreign =
                Opaque::Foreign { dialect, value: Json::from_value(&serde_json::json!({"a": [1.50]})) };
            for piece in [
                Opaque::Own(signature.clone()),
                Opaque::Next(signature.clone()),
                Opaque::Previous(signature),
                foreign,
            ] {
                let text = encode(&piece);
                assert_eq!(decode(&text), Some(piece));
                assert!(decode(&text[..text.len() - 1]) != decode(&text));
            }
        }
    }

    #[test]
    fn nothing_else_is_an_opaque_value() {
        for text in [
            "",
            "EqQBCkYIARgCKkDs",
            "ostia1.",
            "ostia1.own.openai_chat",
            "ostia1.own.nobody.YQ",
            "ostia1.other.openai_chat.YQ",
            "ostia1.own.openai_chat.%%",
            "ostia1.foreign.openai_chat.YQ",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
