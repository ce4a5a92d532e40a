//! Pictures, sounds and documents in bodies that are kept: what stands there in base64 is told by its type, its size and its SHA-256.
//!
//! This is done where the record is written, and takes some ten milliseconds for a body of eight megabytes. A body need be no JSON: what
//! is looked for stands between two quotes, in events too.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Shortest text that is taken for a file, in characters: below it stands whole.
const CHARACTERS_MIN: usize = 1 << 10;
/// The same of one whose type nobody tells: thoughts are encrypted, and look like files.
const UNTYPED_CHARACTERS_MIN: usize = 64 << 10;

/// How files begin, and what they are (<https://mimesniff.spec.whatwg.org/#matching-a-mime-type-pattern>).
const SIGNATURES: [(usize, &[u8], &str); 11] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
];

/// The same body with a note in the place of each file in it; `None`: there is none. With `is_cut` its end is missing.
///
/// A note: `[image/png, 1024 bytes, sha256 9f86d0...]`.
pub(super) fn replaced(body: &[u8], is_cut: bool) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    // How much of the body is in `out`, and the quote that was seen last.
    let (mut copied, mut quote) = (0, memchr::memchr(b'"', body)?);
    loop {
        let end = memchr::memchr(b'"', &body[quote + 1..]).map(|at| quote + 1 + at);
        let text = &body[quote + 1..end.unwrap_or(body.len())];
        let is_open = end.is_none();
        if let Some(note) = (!is_open || is_cut).then(|| note(text, is_open)).flatten() {
            let out = out.get_or_insert_default();
            out.extend_from_slice(&body[copied..=quote]);
            out.extend_from_slice(note.as_bytes());
            copied = end.unwrap_or(body.len());
        }
        match end {
            Some(end) => quote = end,
            None => break,
        }
    }
    let mut out = out?;
    out.extend_from_slice(&body[copied..]);
    Some(out)
}

/// What is told of a text, if it is a file.
fn note(text: &[u8], is_open: bool) -> Option<String> {
    if text.len() < CHARACTERS_MIN {
        return None;
    }
    let (told, encoded) = of_data_url(text).unwrap_or((None, text));
    let is_url_safe = encoded.iter().any(|byte| matches!(byte, b'-' | b'_'));
    if !encoded.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte)) {
        return None;
    }
    // Where the end is missing, so may be a part of the last three bytes.
    let encoded = if is_open { &encoded[..encoded.len() / 4 * 4] } else { encoded };
    let alphabet = if is_url_safe { &URL_SAFE } else { &STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let file = GeneralPurpose::new(alphabet, config).decode(encoded).ok()?;
    let media = told.or_else(|| media_of(&file));
    let media = media.or((text.len() >= UNTYPED_CHARACTERS_MIN).then_some("application/octet-stream"))?;
    Some(match is_open {
        true => format!("[{media}, more than {} bytes, cut]", file.len()),
        false => format!(
            "[{media}, {} bytes, sha256 {}]",
            file.len(),
            hexadecimal(digest(&SHA256, &file).as_ref())
        ),
    })
}

/// Type and content of `data:image/png;base64,...`.
fn of_data_url(text: &[u8]) -> Option<(Option<&str>, &[u8])> {
    const TYPE_BYTES_MAX: usize = 100;
    let rest = text.strip_prefix(b"data:")?;
    let comma = memchr::memchr(b',', &rest[..rest.len().min(TYPE_BYTES_MAX)])?;
    let media = std::str::from_utf8(rest[..comma].strip_suffix(b";base64")?).ok()?;
    let is_plain = media.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.+-;=".contains(&byte));
    Some((Some(media).filter(|media| is_plain && !media.is_empty()), &rest[comma + 1..]))
}

fn media_of(file: &[u8]) -> Option<&'static str> {
    let is_this =
        |(at, magic, _): &&(usize, &[u8], &str)| file.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    SIGNATURES.iter().find(is_this).map(|(.., media)| *media)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A text has room for all.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn png(bytes: usize) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        file.extend((file.len()..bytes).map(|at| (at * 7 % 251) as u8));
        file
    }

    fn check(body: &str, is_cut: bool, expected: Option<&str>) {
        let told = replaced(body.as_bytes(), is_cut).map(|told| String::from_utf8(told).unwrap());
        assert_eq!(told.as_deref(), expected, "{}", &body[..body.len().min(200)]);
    }

    #[test]
    fn files_become_notes() {
        let file = png(3000);
        let hash = hexadecimal(digest(&SHA256, &file).as_ref());
        let note = format!("[image/png, 3000 bytes, sha256 {hash}]");
        let data = BASE64_STANDARD.encode(&file);
        let both = |of: &dyn Fn(&str) -> String| check(&of(&data), false, Some(&of(&note)));
        both(&|data| {
            format!(r#"{{"source":{{"type":"base64","media_type":"image/png","data":"{data}"}},"x":1}}"#)
        });
        // In events, and several of them.
        both(&|data| {
            format!("event: a\ndata: {{\"b64_json\":\"{data}\"}}\n\ndata: {{\"b\":\"{data}\"}}\n\n")
        });
        let url = format!(r#"{{"url":"data:image/heic;base64,{data}"}}"#);
        check(&url, false, Some(&format!(r#"{{"url":"[image/heic, 3000 bytes, sha256 {hash}]"}}"#)));
        let safe = BASE64_URL_SAFE_NO_PAD.encode(&file);
        check(&format!(r#"["{safe}"]"#), false, Some(&format!(r#"["{note}"]"#)));
    }

    #[test]
    fn what_is_no_file_stays() {
        check("", false, None);
        check("no quote", false, None);
        check(r#"{"a":"\"b\""}"#, false, None);
        let data = BASE64_STANDARD.encode(png(3000));
        check(&format!(r#"{{"data":"{}"}}"#, &data[..CHARACTERS_MIN - 4]), false, None);
        // Thoughts, words, and a file with something in it that is none.
        check(&format!(r#"{{"signature":"{}"}}"#, "QUJD".repeat(4000)), false, None);
        check(&format!(r#"{{"text":"{}"}}"#, "words and ".repeat(1000)), false, None);
        check(&format!(r#"{{"data":"{data}!"}}"#), false, None);
        let large = "QUJD".repeat(UNTYPED_CHARACTERS_MIN / 4);
        let told = replaced(format!(r#"["{large}"]"#).as_bytes(), false).unwrap();
        assert!(told.starts_with(br#"["[application/octet-stream, 49152 bytes, sha256 "#));
    }

    #[test]
    fn one_whose_end_is_missing_has_no_hash() {
        let data = BASE64_STANDARD.encode(png(3000));
        let cut = format!(r#"{{"data":"{}"#, &data[..2002]);
        check(&cut, true, Some(r#"{"data":"[image/png, more than 1500 bytes, cut]"#));
        check(&cut, false, None);
    }
}
