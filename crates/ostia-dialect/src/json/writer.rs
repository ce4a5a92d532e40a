//! Writing JSON straight to bytes, without a tree in between.

use super::Node;
use super::marks::{Marks, is_special};

/// From this length on it pays to look at a text in blocks, in bytes.
const LONG_BYTES: usize = 64;

/// A value as text, known to be JSON: a schema, a vendor's field, anything that is carried and not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// The text of a scanned node.
    pub fn of(node: Node<'_>) -> Json {
        Json(node.text().into())
    }

    /// A value built in memory.
    pub fn from_value(value: &serde_json::Value) -> Json {
        Json(value.to_string().into())
    }

    /// Written by hand with a [`Writer`].
    pub fn build(write: impl FnOnce(&mut Writer)) -> Json {
        let mut writer = Writer::default();
        write(&mut writer);
        Json(String::from_utf8(writer.into_bytes()).unwrap_or_else(|_| "null".into()).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as a tree, for the few places that have to rewrite it. Numbers keep their digits up to a double.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }
}

/// Appends JSON to a buffer and sets the commas: a value or a name that does not follow `{`, `[` or `:` gets one.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// A writer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer { out: Vec::with_capacity(bytes) }
    }

    /// A writer that goes on behind `out`, which has to end inside a value (`{"id":1`) or between two texts.
    pub fn appending(out: Vec<u8>) -> Writer {
        Writer { out }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    /// An object; `write` adds its fields.
    pub fn object(&mut self, write: impl FnOnce(&mut Writer)) {
        self.comma();
        self.out.push(b'{');
        write(self);
        self.out.push(b'}');
    }

    /// An array; `write` adds its elements.
    pub fn array(&mut self, write: impl FnOnce(&mut Writer)) {
        self.comma();
        self.out.push(b'[');
        write(self);
        self.out.push(b']');
    }

    /// The name of a field; its value has to follow.
    pub fn key(&mut self, name: &str) -> &mut Writer {
        self.string(name);
        self.out.push(b':');
        self
    }

    /// A string, escaped.
    pub fn string(&mut self, text: &str) {
        self.comma();
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        let text = text.as_bytes();
        let mut marks = (text.len() >= LONG_BYTES).then(|| Marks::new(text));
        let mut from = 0;
        while from < text.len() {
            let special = match &mut marks {
                Some(marks) => marks.next_special(from),
                None => from + text[from..].iter().take_while(|byte| !is_special(**byte)).count(),
            };
            self.out.extend_from_slice(&text[from..special]);
            if let Some(&byte) = text.get(special) {
                self.escaped(byte);
            }
            from = special + 1;
        }
        self.out.push(b'"');
    }

    /// A byte that cannot stand in a string as it is (RFC 8259, section 7).
    fn escaped(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                return self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.comma();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A whole number.
    pub fn u64(&mut self, number: u64) {
        self.comma();
        let _ = serde_json::to_writer(&mut self.out, &number);
    }

    /// `true` or `false`.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `"name": "text"`
    pub fn field_str(&mut self, name: &str, text: &str) {
        self.key(name).string(text);
    }

    /// `"name": <json>`
    pub fn field_raw(&mut self, name: &str, json: &str) {
        self.key(name).raw(json);
    }

    /// `"name": 42`
    pub fn field_u64(&mut self, name: &str, number: u64) {
        self.key(name).u64(number);
    }

    /// `"name": true`
    pub fn field_bool(&mut self, name: &str, value: bool) {
        self.key(name).bool(value);
    }

    /// `"name": {...}`
    pub fn field_object(&mut self, name: &str, write: impl FnOnce(&mut Writer)) {
        self.key(name).object(write);
    }

    /// `"name": [...]`
    pub fn field_array(&mut self, name: &str, write: impl FnOnce(&mut Writer)) {
        self.key(name).array(write);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Writer;

    fn written(text: &str) -> String {
        let mut w = Writer::with_capacity(0);
        w.string(text);
        String::from_utf8(w.into_bytes()).unwrap_or_default()
    }

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in 0..=0x7f_u8 {
            for at in [0, 1, 15, 16, 62, 63, 64, 65, 127, 128] {
                let text = format!("{}{}{}", "a".repeat(at), char::from(byte), "é\u{1f600}");
                assert_eq!(
                    Ok(written(&text)),
                    serde_json::to_string(&text).map_err(|_| ()),
                    "{byte} at {at}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "(?s).{0,300}") {
            prop_assert_eq!(Ok(written(&text)), serde_json::to_string(&text).map_err(|_| ()));
        }
    }
}
