//! Pieces of a transcript that can be read while they are spoken, made of its words.

use super::{Response, Segment, Word};

/// Longest piece, in characters: two lines of subtitles.
const CHARS_MAX: usize = 84;
/// Longest piece, in seconds.
const SECONDS_MAX: f64 = 7.0;
/// A pause of this length ends a piece.
const PAUSE_SECONDS: f64 = 1.5;
/// As much of the text is searched for its next word, in bytes.
const SEARCHED_BYTES_MAX: usize = 256;

impl Response {
    /// Adds what follows from what the vendor told: where spaces stand, the pieces, and how long it is.
    pub(super) fn complete(&mut self) {
        self.find_spaces();
        if self.segments.is_empty() {
            self.segments = segments(&self.words);
        }
        let ends = self.words.last().map(|word| word.end).or(self.segments.last().map(|segment| segment.end));
        self.duration = self.duration.or(ends);
    }

    /// Not every language has spaces between its words.
    fn find_spaces(&mut self) {
        let mut at = 0;
        for word in &mut self.words {
            let rest = &self.text[at..];
            let window = &rest[..rest.floor_char_boundary(SEARCHED_BYTES_MAX + word.text.len())];
            match window.find(&word.text) {
                Some(found) => {
                    word.is_apart = window[..found].contains(char::is_whitespace);
                    at += found + word.text.len();
                }
                None => word.is_apart = true,
            }
        }
    }
}

fn segments(words: &[Word]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for word in words {
        match segments.last_mut().filter(|segment| goes_on(segment, word)) {
            Some(segment) => {
                if word.is_apart {
                    segment.text.push(' ');
                }
                segment.text.push_str(&word.text);
                segment.end = word.end;
            }
            None => segments.push(Segment {
                text: word.text.clone(),
                start: word.start,
                end: word.end,
                speaker: word.speaker.clone(),
            }),
        }
    }
    segments
}

fn goes_on(segment: &Segment, word: &Word) -> bool {
    segment.speaker == word.speaker
        && !segment.text.ends_with(['.', '?', '!', '。', '？', '！'])
        && segment.text.chars().count() + 1 + word.text.chars().count() <= CHARS_MAX
        && word.end - segment.start <= SECONDS_MAX
        && word.start - segment.end < PAUSE_SECONDS
}
