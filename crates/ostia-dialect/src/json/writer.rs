//! Writing JSON straight to bytes, without a tree in between.

use super::Node;

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
        // A Vec takes every write and a str is always representable, so this cannot fail.
        let _ = serde_json::to_writer(&mut self.out, text);
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
