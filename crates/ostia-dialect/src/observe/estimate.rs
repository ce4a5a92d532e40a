//! What tokens there may have been where nobody counted them. The rule is made to be said in one sentence, and whoever uses it marks
//! what comes of it: four bytes of text are a token.

/// Bytes of a token, about as vendors say it of English (<https://help.openai.com/en/articles/4936856>,
/// <https://ai.google.dev/gemini-api/docs/tokens>).
const TOKEN_BYTES: u64 = 4;
/// Bodies up to this length, in bytes, are taken for text as a whole.
const SMALL_BYTES: usize = 16 << 10;
/// Where a larger one is looked at, and how long.
const SAMPLES: usize = 32;
const SAMPLE_BYTES: usize = 48;

/// Tokens of so much text.
pub fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(TOKEN_BYTES)
}

/// How much of a body is text, in bytes, as far as some samples tell: a file in base64 is none. It takes the same time however large
/// the body is.
///
/// ```
/// use ostia_dialect::observe::text_bytes;
/// assert_eq!(text_bytes(br#"{"messages":[]}"#), 15);
/// let image = format!(r#"{{"data":"{}"}}"#, "iVBORw0K".repeat(10_000));
/// assert!(text_bytes(image.as_bytes()) < 4000);
/// ```
pub fn text_bytes(body: &[u8]) -> u64 {
    let all = body.len() as u64;
    if body.len() <= SMALL_BYTES {
        return all;
    }
    let step = (body.len() - SAMPLE_BYTES) / (SAMPLES - 1);
    let is_base64 = |at: &usize| body[*at..*at + SAMPLE_BYTES].iter().all(|byte| is_of_base64(*byte));
    let encoded = (0..SAMPLES).map(|sample| sample * step).filter(is_base64).count() as u64;
    all - all / SAMPLES as u64 * encoded
}

fn is_of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_no_text() {
        let words = "to be or not to be ".repeat(2000);
        assert_eq!(text_bytes(words.as_bytes()), words.len() as u64);
        let file = "QUJD".repeat(words.len() / 4);
        let both = format!("{words}{file}");
        let told = text_bytes(both.as_bytes());
        assert!(told.abs_diff(words.len() as u64) < both.len() as u64 / 16, "{told} of {}", words.len());
        assert_eq!((tokens(0), tokens(1), tokens(8)), (0, 1, 2));
    }
}
