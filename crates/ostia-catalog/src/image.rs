//! Which image a price is of: [`ImageKind`], and which one was made: [`ImageAsked`].
//!
//! Some vendors charge for an image by its size and quality. A price of one kind holds for that kind alone: what stands between two
//! of them is unknown, and nobody guesses.

use std::fmt;

/// The size and the quality of images that have a price of their own, in the vendor's words and small letters; empty where the
/// price is one of images for which the request does not say that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ImageKind {
    /// Width and height (`1024x1792`), or a word that begins with a digit (`2k`).
    pub size: String,
    /// How good they are (`hd`, `low`).
    pub quality: String,
}

impl ImageKind {
    /// Reads `SIZE`, `QUALITY` or `SIZE/QUALITY`; a size begins with a digit.
    pub fn parse(text: &str) -> Option<ImageKind> {
        let text = text.to_ascii_lowercase();
        let is_size = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
        let (size, quality) = match text.split_once('/') {
            Some((size, quality)) if is_size(size) && !is_size(quality) => (size, quality),
            Some(_) => return None,
            None if is_size(&text) => (text.as_str(), ""),
            None => ("", text.as_str()),
        };
        let is_word = |word: &str| !word.contains(['/', '>']) && word.trim() == word;
        let is_whole = !text.is_empty() && !text.ends_with('/') && is_word(size) && is_word(quality);
        is_whole.then(|| ImageKind { size: size.to_owned(), quality: quality.to_owned() })
    }
}

impl fmt::Display for ImageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = if self.size.is_empty() || self.quality.is_empty() { "" } else { "/" };
        write!(f, "{}{between}{}", self.size, self.quality)
    }
}

/// How the images of a call were asked for, or how the vendor says that it made them. Empty: it was not said, and the vendor's default
/// was made. Nothing: nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageAsked<'a> {
    /// The size.
    pub size: Option<&'a str>,
    /// The quality.
    pub quality: Option<&'a str>,
}

impl ImageAsked<'_> {
    /// Are they of the kind that one of these prices is of? `names` says which of size and quality any price of the model names: what
    /// none names makes no difference.
    pub(crate) fn is(&self, size: &str, quality: &str, names: Names) -> bool {
        let same =
            |asked: Option<&str>, known: &str| asked.is_some_and(|asked| asked.eq_ignore_ascii_case(known));
        (!names.size || same(self.size, size)) && (!names.quality || same(self.quality, quality))
    }

    /// Width and height in pixels, where the size says both.
    pub fn pixels(&self) -> Option<(u64, u64)> {
        let (width, height) = self.size?.split_once(['x', 'X'])?;
        let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
        (width > 0 && height > 0).then_some((width.into(), height.into()))
    }
}

/// Which of size and quality the prices of a model name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Names {
    pub(crate) size: bool,
    pub(crate) quality: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_and_written() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let kind = ImageKind::parse(text);
            let told = kind.as_ref().map(|kind| (kind.size.as_str(), kind.quality.as_str()));
            assert_eq!(told, expected, "{text}");
            if let Some(kind) = kind {
                assert_eq!(kind.to_string(), text.to_ascii_lowercase());
            }
        };
        check("1024x1792/hd", Some(("1024x1792", "hd")));
        check("1024x1024", Some(("1024x1024", "")));
        check("0.5K", Some(("0.5k", "")));
        check("Low", Some(("", "low")));
        for wrong in
            ["", "/", "hd/1024x1024", "1024x1024/", "1024x1024/hd/x", "hd/low", "1k/2k", " hd", "/hd"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn pixels_of_sizes() {
        let check = |size: Option<&str>, expected: Option<(u64, u64)>| {
            assert_eq!(ImageAsked { size, quality: None }.pixels(), expected, "{size:?}");
        };
        check(Some("1024x768"), Some((1024, 768)));
        for size in [None, Some(""), Some("auto"), Some("0x1"), Some("1x99999999999"), Some("16:9")] {
            check(size, None);
        }
    }
}
