//! How large an image is to be, in the words of vendors that have no free choice of it.

use super::Request;

/// Width and height in pixels, where the client says both.
pub(super) fn pixels(request: &Request) -> Option<(u64, u64)> {
    pair(request.size.as_deref()?, 'x')
}

/// Width to height in a vendor's words, and whether that is just what the client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ratio {
    /// The vendor's word: `16:9`.
    pub(super) word: &'static str,
    /// It is what the client asked for, and no near one.
    pub(super) is_exact: bool,
}

/// The one of a vendor's ratios that is nearest to what the client says; none where it says nothing.
pub(super) fn ratio(request: &Request, known: &[&'static str]) -> Option<Ratio> {
    let wanted =
        request.aspect_ratio.as_deref().and_then(|ratio| pair(ratio, ':')).or_else(|| pixels(request))?;
    // Of twice as wide and half as wide neither is nearer to the square.
    let distance =
        |word: &str| pair(word, ':').map_or(f64::INFINITY, |known| (of(known) / of(wanted)).ln().abs());
    let word = known.iter().copied().min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
    let is_exact = pair(word, ':').is_some_and(|(width, height)| width * wanted.1 == height * wanted.0);
    Some(Ratio { word, is_exact })
}

/// Two whole numbers that are not 0, of 32 bits each, so that their product is one of 64.
fn pair(text: &str, between: char) -> Option<(u64, u64)> {
    let (width, height) = text.split_once(between)?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    (width > 0 && height > 0).then_some((width.into(), height.into()))
}

fn of((width, height): (u64, u64)) -> f64 {
    width as f64 / height as f64
}
