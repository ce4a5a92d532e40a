//! The validating pass: bytes to a tape of spans.
//!
//! Written by hand because a relayed body is only looked at: with `serde_json` and `RawValue` the same look takes 1.4 to 1.9
//! times as long, with its tree 2.1 to 3.2 times (0.8 to 200 KB; benches/README.md, "Parts by hand").

use super::marks::Marks;
use super::{DEPTH_MAX, Kind, TEXT_BYTES_MAX};

/// Where and why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxFault {
    /// Byte offset of the first byte that cannot stand there.
    pub at: usize,
    /// What was expected, in words for the client.
    pub expected: &'static str,
}

impl std::fmt::Display for SyntaxFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not valid JSON at byte {}: expected {}", self.at, self.expected)
    }
}

/// One value: what it is, where its text stands, and where the next value outside it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) kind: Kind,
    /// A string that holds a backslash, so its text is not its value.
    pub(super) escaped: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the first node behind this one and its children.
    pub(super) next: u32,
}

/// The spans of one text, without the text. Reusable: a tape keeps its memory between texts.
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) spans: Vec<Span>,
}

impl Tape {
    /// Scans `text`, recording values down to `depth` levels below the root and checking the rest.
    ///
    /// Depth 1 is the fields of an object, which is all that a relay needs.
    ///
    /// Gives the text back as the string that it is.
    pub fn scan<'t>(&mut self, text: &'t [u8], depth: usize) -> Result<&'t str, SyntaxFault> {
        self.spans.clear();
        self.spans.reserve(SPANS_USUAL);
        if text.len() > TEXT_BYTES_MAX {
            return Err(SyntaxFault { at: TEXT_BYTES_MAX, expected: "a text below 4 GiB" });
        }
        let valid = simdutf8::compat::from_utf8(text)
            .map_err(|fault| SyntaxFault { at: fault.valid_up_to(), expected: "UTF-8" })?;
        let mut scanner =
            Scanner { text, marks: Marks::new(text), at: 0, spans: &mut self.spans, recorded: depth };
        scanner.space();
        scanner.value(0)?;
        scanner.space();
        match scanner.peek() {
            None => Ok(valid),
            Some(_) => Err(scanner.fault("the end of the text")),
        }
    }
}

/// Room for the values of a small request.
const SPANS_USUAL: usize = 24;

struct Scanner<'a> {
    text: &'a [u8],
    marks: Marks<'a>,
    at: usize,
    spans: &'a mut Vec<Span>,
    recorded: usize,
}

impl Scanner<'_> {
    fn fault(&self, expected: &'static str) -> SyntaxFault {
        SyntaxFault { at: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), SyntaxFault> {
        let start = self.at;
        let node = self.open(depth);
        let mut escaped = false;
        let kind = match self.peek() {
            Some(b'"') => {
                escaped = self.string()?;
                Kind::String
            }
            Some(b'{') => {
                self.object(depth)?;
                Kind::Object
            }
            Some(b'[') => {
                self.array(depth)?;
                Kind::Array
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => return Err(self.fault("a value")),
        };
        self.close(node, kind, escaped, start);
        Ok(())
    }

    /// Reserves a node, so that parents stand before their children.
    fn open(&mut self, depth: usize) -> Option<usize> {
        if depth > self.recorded {
            return None;
        }
        let index = self.spans.len();
        self.spans.push(Span { kind: Kind::Null, escaped: false, start: 0, end: 0, next: 0 });
        Some(index)
    }

    fn close(&mut self, node: Option<usize>, kind: Kind, escaped: bool, start: usize) {
        let next = self.spans.len() as u32;
        if let Some(index) = node {
            self.spans[index] = Span { kind, escaped, start: start as u32, end: self.at as u32, next };
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), SyntaxFault> {
        self.enter(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.key(depth + 1)?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.fault("a colon after the name"));
            }
            self.at += 1;
            self.space();
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("a comma or the end of the object")),
            }
            self.space();
        }
    }

    fn key(&mut self, depth: usize) -> Result<(), SyntaxFault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a name in double quotes"));
        }
        let start = self.at;
        let node = self.open(depth);
        let escaped = self.string()?;
        self.close(node, Kind::String, escaped, start);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), SyntaxFault> {
        self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("a comma or the end of the array")),
            }
            self.space();
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), SyntaxFault> {
        if depth >= DEPTH_MAX {
            return Err(self.fault("fewer than 128 levels of nesting"));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<Kind, SyntaxFault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault("a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    /// Passes over a string and says whether it holds an escape.
    fn string(&mut self) -> Result<bool, SyntaxFault> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let stop = self.marks.next(self.at);
            self.at = stop.at;
            escaped |= stop.escaped;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.fault("control characters to be escaped")),
                None => return Err(self.fault("the end of the string")),
            }
            escaped = true;
        }
        self.at += 1;
        Ok(escaped)
    }

    fn escape(&mut self) -> Result<(), SyntaxFault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => Err(self.fault("a known escape")),
        }
    }

    /// `\uXXXX`. A lone surrogate is let pass, as the grammar does: backends that escape byte by byte send them.
    fn unicode_escape(&mut self) -> Result<(), SyntaxFault> {
        match self.text.get(self.at + 2..self.at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => {
                self.at += 6;
                Ok(())
            }
            _ => Err(self.fault("four hexadecimal digits")),
        }
    }

    fn number(&mut self) -> Result<(), SyntaxFault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.fault("a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxFault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("a digit")) } else { Ok(()) }
    }
}
