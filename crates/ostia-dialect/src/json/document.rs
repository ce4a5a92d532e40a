//! Navigation over a scanned text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::DEPTH_MAX;
use super::scan::{Span, SyntaxFault, Tape};
use crate::Fault;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, kept as it was written.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object; of fields with the same name the last one counts, as in most parsers.
    Object,
}

/// A scanned text.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    tape: Tape,
    /// Levels below the root that have nodes.
    depth: usize,
}

impl<'a> Document<'a> {
    /// Scans the whole of `text`.
    pub fn parse(text: &'a [u8]) -> Result<Document<'a>, SyntaxFault> {
        Document::parse_to(text, usize::MAX)
    }

    /// Scans `text`, giving nodes only down to `depth` levels below the root; the rest is checked, not recorded.
    pub fn parse_to(text: &'a [u8], depth: usize) -> Result<Document<'a>, SyntaxFault> {
        let mut tape = Tape::default();
        let text = tape.scan(text, depth)?;
        Ok(Document { text, tape, depth })
    }

    /// Scans the whole of a client's body.
    ///
    /// # Errors
    /// 400 that says where it is not JSON.
    pub fn of_request(body: &'a [u8]) -> Result<Document<'a>, Fault> {
        Document::of_request_to(body, usize::MAX)
    }

    /// The same, with nodes as in [`Document::parse_to`].
    pub fn of_request_to(body: &'a [u8], depth: usize) -> Result<Document<'a>, Fault> {
        Document::parse_to(body, depth)
            .map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))
    }

    /// Are there nodes for all values, and not only down to some depth?
    pub fn is_whole(&self) -> bool {
        self.depth >= DEPTH_MAX
    }

    /// How many values and names of fields are recorded.
    pub fn nodes(&self) -> usize {
        self.tape.spans.len()
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: 0 }
    }

    fn span(&self, index: u32) -> &Span {
        &self.tape.spans[index as usize]
    }
}

/// One value in a document.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl<'d> Node<'d> {
    fn span(&self) -> &'d Span {
        self.document.span(self.index)
    }

    /// What this is.
    pub fn kind(&self) -> Kind {
        self.span().kind
    }

    /// The text of the value as it was written, quotes and all.
    pub fn text(&self) -> &'d str {
        &self.document.text[self.range()]
    }

    /// Where that text stands in the document, in bytes.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.span().start as usize..self.span().end as usize
    }

    /// Is this `null`?
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// Is this an object?
    pub fn is_object(&self) -> bool {
        self.kind() == Kind::Object
    }

    /// Is this an array?
    pub fn is_array(&self) -> bool {
        self.kind() == Kind::Array
    }

    /// Is this a string?
    pub fn is_string(&self) -> bool {
        self.kind() == Kind::String
    }

    /// The value of a string; `None` for any other kind. Copies only where escapes have to be undone.
    pub fn as_str(&self) -> Option<Cow<'d, str>> {
        let span = self.span();
        if span.kind != Kind::String {
            return None;
        }
        if !span.escaped {
            return Some(Cow::Borrowed(&self.document.text[span.start as usize + 1..span.end as usize - 1]));
        }
        let inner = &self.document.text[span.start as usize + 1..span.end as usize - 1];
        Some(Cow::Owned(unescape(inner)))
    }

    /// Is this a string whose text is not its value?
    pub(super) fn is_escaped(&self) -> bool {
        self.span().escaped
    }

    /// Is this name `text`?
    fn reads(&self, text: &str) -> bool {
        let span = self.span();
        if span.escaped {
            return self.as_str().is_some_and(|value| value == text);
        }
        self.document.text.as_bytes()[span.start as usize + 1..span.end as usize - 1] == *text.as_bytes()
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.text() == "true")
    }

    /// The value of a whole number that is not negative; `3.0` counts as 3.
    pub fn as_u64(&self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        if let Ok(whole) = self.text().parse::<u64>() {
            return Some(whole);
        }
        let number = self.text().parse::<f64>().ok()?;
        (number.fract() == 0.0 && (0.0..=9.0e15).contains(&number)).then_some(number as u64)
    }

    /// The value of a number, as near as a double comes.
    pub fn as_f64(&self) -> Option<f64> {
        if self.kind() == Kind::Number { self.text().parse().ok() } else { None }
    }

    /// The elements of an array; nothing for any other kind.
    pub fn items(&self) -> Items<'d> {
        let span = self.span();
        let end = if span.kind == Kind::Array { span.next } else { self.index + 1 };
        Items { document: self.document, at: self.index + 1, end }
    }

    /// The fields of an object in the order they were written; nothing for any other kind.
    pub fn fields(&self) -> Fields<'d> {
        Fields { entries: self.entries() }
    }

    /// Like [`Node::fields`], with the names as nodes.
    pub fn entries(&self) -> Entries<'d> {
        let span = self.span();
        let end = if span.kind == Kind::Object { span.next } else { self.index + 1 };
        Entries { document: self.document, at: self.index + 1, end }
    }

    /// The field with this name, if this is an object that has one. An explicit `null` is a field.
    pub fn get(&self, name: &str) -> Option<Node<'d>> {
        self.entries().filter(|(key, _)| key.reads(name)).last().map(|(_, value)| value)
    }

    /// Like [`Node::get`], but an explicit `null` counts as absent.
    pub fn some(&self, name: &str) -> Option<Node<'d>> {
        self.get(name).filter(|node| !node.is_null())
    }

    /// The string in the field with this name; `None` where it is absent, `null` or no string.
    pub fn str(&self, name: &str) -> Option<Cow<'d, str>> {
        self.get(name).and_then(|node| node.as_str())
    }

    /// The whole number in the field with this name; `None` where it is absent or no such number.
    pub fn u64(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|node| node.as_u64())
    }

    /// Where this stands, as a client would write it: `messages[2].content[0].type`. Empty for the root.
    pub fn path(&self) -> String {
        let mut path = String::new();
        let mut here = self.document.root();
        while here.index != self.index {
            let Some(step) = here.step_towards(self.index, &mut path) else { break };
            here = step;
        }
        path
    }

    fn step_towards(&self, target: u32, path: &mut String) -> Option<Node<'d>> {
        let holds = |node: &Node<'_>| node.index <= target && target < node.span().next;
        for (name, value) in self.fields() {
            if holds(&value) {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
                return Some(value);
            }
        }
        for (position, item) in self.items().enumerate() {
            if holds(&item) {
                let _ = write!(path, "[{position}]");
                return Some(item);
            }
        }
        None
    }

    /// A fault that blames this node: ``Invalid `messages[2].role`: <what>``.
    pub fn invalid(&self, what: impl std::fmt::Display) -> Fault {
        let path = self.path();
        let named = if path.is_empty() { "request body" } else { &path };
        Fault::invalid(format!("Invalid `{named}`: {what}")).with_param(path)
    }

    /// The value of a string, or a fault that names the path.
    pub fn expect_str(&self) -> Result<Cow<'d, str>, Fault> {
        self.as_str().ok_or_else(|| self.invalid(format_args!("must be a string, not {}", self.noun())))
    }

    /// The value of a boolean, or a fault that names the path.
    pub fn expect_bool(&self) -> Result<bool, Fault> {
        self.as_bool().ok_or_else(|| self.invalid(format_args!("must be true or false, not {}", self.noun())))
    }

    /// A whole number that is not negative, or a fault that names the path.
    pub fn expect_u64(&self) -> Result<u64, Fault> {
        self.as_u64().ok_or_else(|| {
            self.invalid(format_args!("must be a whole number of 0 or more, not {}", self.noun()))
        })
    }

    /// A number as it was written, or a fault that names the path.
    pub fn expect_number(&self) -> Result<&'d str, Fault> {
        match self.kind() {
            Kind::Number => Ok(self.text()),
            _ => Err(self.invalid(format_args!("must be a number, not {}", self.noun()))),
        }
    }

    /// The elements of an array, or a fault that names the path.
    pub fn expect_items(&self) -> Result<Items<'d>, Fault> {
        match self.kind() {
            Kind::Array => Ok(self.items()),
            _ => Err(self.invalid(format_args!("must be an array, not {}", self.noun()))),
        }
    }

    /// The fields of an object, or a fault that names the path.
    pub fn expect_fields(&self) -> Result<Fields<'d>, Fault> {
        match self.kind() {
            Kind::Object => Ok(self.fields()),
            _ => Err(self.invalid(format_args!("must be an object, not {}", self.noun()))),
        }
    }

    /// The field with this name, or a fault that says it is missing.
    pub fn expect(&self, name: &str) -> Result<Node<'d>, Fault> {
        self.expect_fields()?;
        if let Some(node) = self.some(name) {
            return Ok(node);
        }
        let mut path = self.path();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        Err(Fault::invalid(format!("Missing `{path}`: this field is required")).with_param(path))
    }

    fn noun(&self) -> &'static str {
        match self.kind() {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// The value of a checked string body. A lone surrogate becomes U+FFFD.
pub(super) fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        value.push_str(&rest[..at]);
        let (unit, length) = escaped(&rest[at..]);
        value.push(unit);
        rest = &rest[at + length..];
    }
    value.push_str(rest);
    value
}

/// The character that an escape at the start of `text` stands for, and how many bytes the escape takes.
fn escaped(text: &str) -> (char, usize) {
    match text.as_bytes().get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => match (unit(text), text.get(6..).and_then(unit)) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            (Some(code), _) => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            (None, _) => (char::REPLACEMENT_CHARACTER, 2),
        },
        Some(&plain) => (plain as char, 2),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// The number in an escape such as `\u20ac` that `text` begins with.
pub(super) fn unit(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(hex, 16).ok()
}

/// Elements of an array.
#[derive(Debug, Clone)]
pub struct Items<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node { document: self.document, index: self.at };
        self.at = node.span().next;
        Some(node)
    }
}

/// Fields of an object: the node of the name and that of the value.
#[derive(Debug, Clone)]
pub struct Entries<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Entries<'d> {
    type Item = (Node<'d>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let key = Node { document: self.document, index: self.at };
        let value = Node { document: self.document, index: self.at + 1 };
        self.at = value.span().next;
        Some((key, value))
    }
}

/// Fields of an object: name and value.
#[derive(Debug, Clone)]
pub struct Fields<'d> {
    entries: Entries<'d>,
}

impl<'d> Iterator for Fields<'d> {
    type Item = (Cow<'d, str>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.entries.next()?;
        Some((key.as_str()?, value))
    }
}
