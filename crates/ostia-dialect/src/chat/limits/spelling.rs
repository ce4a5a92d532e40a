//! How a vendor spells what names something: which characters, which first, how many. And another spelling for what does
//! not fit, which tells the original by a short hash: so that it is the same in every request, and two names stay two.

/// Characters of a hash in a name: all of 64 bits.
const HASH_CHARS: usize = 11;
/// The digits of a hash. The first 52 are letters.
const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LETTERS: u64 = 52;

/// Which characters are taken, from few to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum Characters {
    /// ASCII letters and digits.
    Alphanumeric,
    /// `_` besides.
    Underscore,
    /// `-` besides.
    Dash,
    /// `.` and `:` besides.
    DotColon,
    /// Any character.
    Any,
}

/// What a name has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// Which characters it may have.
    pub characters: Characters,
    /// It may not begin with a digit or a mark other than `_`.
    pub letter_first: bool,
    /// Fewest characters.
    pub chars_min: usize,
    /// Most characters; `None` where no bound is known.
    pub chars_max: Option<usize>,
}

impl Characters {
    fn has(self, c: char) -> bool {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => true,
            '_' => self >= Characters::Underscore,
            '-' => self >= Characters::Dash,
            '.' | ':' => self >= Characters::DotColon,
            _ => self == Characters::Any,
        }
    }
}

impl Spelling {
    /// Anything that is not empty.
    pub const ANY: Spelling =
        Spelling { characters: Characters::Any, letter_first: false, chars_min: 1, chars_max: None };
    /// ASCII letters and digits, and these marks, up to so many characters.
    pub const fn of(characters: Characters, chars_max: Option<usize>) -> Spelling {
        Spelling { characters, letter_first: false, chars_min: 1, chars_max }
    }

    /// Is this name taken as it is?
    pub fn takes(&self, name: &str) -> bool {
        // Most names are ASCII, of which the bytes are the characters.
        let count = if name.is_ascii() { name.len() } else { name.chars().count() };
        let is_first = name.chars().next().is_some_and(|c| self.takes_first(c));
        let fits = self.characters == Characters::Any || name.chars().all(|c| self.characters.has(c));
        is_first && fits && count >= self.chars_min && self.chars_max.is_none_or(|most| count <= most)
    }

    fn takes_first(&self, c: char) -> bool {
        !self.letter_first || c.is_ascii_alphabetic() || c == '_'
    }

    /// A name that fits, for one that does not or that is there already: as much of it as is taken, and a hash of it and
    /// of `number`.
    pub fn respelled(&self, name: &str, number: u32) -> String {
        let hash = hash(name, u64::from(number));
        let most = self.chars_max.unwrap_or(usize::MAX);
        // A digit first, a mark between, and the hash.
        let Some(room) = most.checked_sub(HASH_CHARS + 2).filter(|room| *room > 0) else {
            return code(hash, most.min(HASH_CHARS));
        };
        let has_mark = self.characters >= Characters::Underscore;
        let mut out = String::with_capacity(name.len().min(room) + HASH_CHARS + 2);
        for c in name.chars().take(room) {
            match self.characters.has(c) {
                true if out.is_empty() && !self.takes_first(c) && has_mark => out.extend(['_', c]),
                true if out.is_empty() && !self.takes_first(c) => {}
                true => out.push(c),
                false if has_mark => out.push('_'),
                false => {}
            }
        }
        if has_mark && !out.is_empty() {
            out.push('_');
        }
        out.push_str(&code(hash, HASH_CHARS));
        out
    }
}

/// An id that every vendor takes: letters and digits, nine of them, a letter first.
///
/// Mistral wants it so (<https://github.com/langchain-ai/langchain/pull/24668>); no other vendor is stricter.
pub fn made_up(id_suffix: &str, choice: u32, position: u32) -> String {
    code(hash(id_suffix, u64::from(choice) << 32 | u64::from(position)), 9)
}

/// What begins an id that holds another one. No vendor's does.
const ESCAPED: &str = "ostia1-";

/// An id in letters, digits, `_` and `-` that holds another one of any characters: for those who bound the characters and not
/// the length. So the vendor that gave it gets it back as it was: some models read their ids
/// (<https://github.com/MoonshotAI/Kimi-K2/blob/main/docs/tool_call_guidance.md>).
pub fn escaped(id: &str) -> String {
    let mut out = String::with_capacity(ESCAPED.len() + id.len() * 2);
    out.push_str(ESCAPED);
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => out.push(char::from(byte)),
            other => out.push_str(&format!("-{other:02X}")),
        }
    }
    out
}

/// The id in an escaped one; `None` for any other.
pub fn unescaped(id: &str) -> Option<String> {
    let mut pieces = id.strip_prefix(ESCAPED)?.split('-');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        out.push(u8::from_str_radix(code, 16).ok()?);
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(out).ok().filter(|own| escaped(own) == id)
}

/// A hash for a text that is too long to be handed on: 32 hexadecimal digits.
pub fn digest(text: &str) -> String {
    format!("{:016x}{:016x}", hash(text, 0), hash(text, 1))
}

/// So many letters and digits, a letter first.
fn code(mut hash: u64, chars: usize) -> String {
    let mut out = String::with_capacity(chars);
    let mut base = LETTERS;
    for _ in 0..chars {
        out.push(char::from(DIGITS[usize::try_from(hash % base).unwrap_or_default()]));
        hash /= base;
        base = DIGITS.len() as u64;
    }
    out
}

/// FNV-1a, whose bits are then mixed. It has to be the same in every version and process, so it is not the standard
/// library's.
pub fn hash(text: &str, number: u64) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = number.to_le_bytes();
    let all = bytes.iter().chain(text.as_bytes());
    let mut hash =
        all.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}
