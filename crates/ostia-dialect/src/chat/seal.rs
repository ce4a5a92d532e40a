//! What one vendor wants to see again, carried through a client that speaks another dialect.
//!
//! Every client dialect has a field that holds an opaque proof and comes back unread (`thinking.signature`,
//! `encrypted_content`, `thoughtSignature`). A proof of another vendor, or a block that only another vendor knows, goes
//! there under a seal, and [`unseal`] finds it when the client hands it back. What a vendor of the client's own dialect
//! wrote is never sealed: it passes as it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Document, Json};
use crate::{Dialect, Signature};

/// What every seal begins with. No vendor's proof does: they are base64 without dots.
const MARK: &str = "ostia1.";

/// A piece under seal.
#[derive(Debug, Clone, PartialEq)]
pub enum Sealed {
    /// The proof of the block that carries the seal.
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
pub fn seal(piece: &Sealed) -> String {
    let (kind, dialect, value) = match piece {
        Sealed::Own(signature) => ("own", signature.dialect, signature.value.as_str()),
        Sealed::Next(signature) => ("next", signature.dialect, signature.value.as_str()),
        Sealed::Previous(signature) => ("previous", signature.dialect, signature.value.as_str()),
        Sealed::Foreign { dialect, value } => ("foreign", *dialect, value.as_str()),
    };
    format!("{MARK}{kind}.{}.{}", dialect.name(), URL_SAFE_NO_PAD.encode(value))
}

/// What is under a seal; `None` for anything that is no whole seal.
pub fn unseal(text: &str) -> Option<Sealed> {
    let mut words = text.strip_prefix(MARK)?.splitn(3, '.');
    let (kind, dialect, value) = (words.next()?, Dialect::from_name(words.next()?)?, words.next()?);
    let value = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    match kind {
        "own" => Some(Sealed::Own(Signature { dialect, value })),
        "next" => Some(Sealed::Next(Signature { dialect, value })),
        "previous" => Some(Sealed::Previous(Signature { dialect, value })),
        "foreign" => {
            let document = Document::parse(value.as_bytes()).ok()?;
            Some(Sealed::Foreign { dialect, value: Json::of(document.root()) })
        }
        _ => None,
    }
}

/// Is there a seal somewhere in this JSON text, as a value in the clear or in base64 (`thoughtSignature`)? A text that only
/// speaks of seals may be taken for one.
pub(crate) fn is_in(json: &str) -> bool {
    let found = |needle: &[u8]| memchr::memmem::find(json.as_bytes(), needle).is_some();
    found(b"\"ostia1.") || found(b"\"b3N0aWExL")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn seals_are_found_in_json() {
        let sealed = seal(&Sealed::Own(Signature { dialect: Dialect::GeminiGenerate, value: "x".into() }));
        let in_base64 = base64::engine::general_purpose::STANDARD.encode(&sealed);
        for (value, expected) in [(sealed.as_str(), true), (&in_base64, true), ("EqQBCgIYAh", false)] {
            assert_eq!(is_in(&format!(r#"[{{"signature": "{value}"}}]"#)), expected, "{value}");
        }
    }

    #[test]
    fn what_is_sealed_comes_out_again() {
        for dialect in Dialect::ALL {
            let signature = Signature { dialect, value: "a.b/c+d==\n\u{e9}".into() };
            let foreign =
                Sealed::Foreign { dialect, value: Json::from_value(&serde_json::json!({"a": [1.50]})) };
            for piece in [
                Sealed::Own(signature.clone()),
                Sealed::Next(signature.clone()),
                Sealed::Previous(signature),
                foreign,
            ] {
                let text = seal(&piece);
                assert_eq!(unseal(&text), Some(piece));
                assert!(unseal(&text[..text.len() - 1]) != unseal(&text));
            }
        }
    }

    #[test]
    fn nothing_else_is_a_seal() {
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
            assert_eq!(unseal(text), None, "{text}");
        }
    }
}
