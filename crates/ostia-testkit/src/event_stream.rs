//! Amazon's event stream, as its services write it: <https://smithy.io/2.0/aws/amazon-eventstream.html>.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// The value of a header.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Short(i16),
    /// Type 4.
    Integer(i32),
    /// Type 5.
    Long(i64),
    /// Type 6.
    Bytes(Vec<u8>),
    /// Type 7.
    Text(String),
    /// Type 8: milliseconds since 1970.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

impl HeaderValue {
    fn write(&self, out: &mut Vec<u8>) {
        let counted = |out: &mut Vec<u8>, kind: u8, bytes: &[u8]| {
            out.push(kind);
            out.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
            out.extend(bytes);
        };
        match self {
            HeaderValue::Bool(value) => out.push(u8::from(!value)),
            HeaderValue::Byte(value) => out.extend([2, value.to_be_bytes()[0]]),
            HeaderValue::Short(value) => out.extend([&[3][..], &value.to_be_bytes()].concat()),
            HeaderValue::Integer(value) => out.extend([&[4][..], &value.to_be_bytes()].concat()),
            HeaderValue::Long(value) => out.extend([&[5][..], &value.to_be_bytes()].concat()),
            HeaderValue::Bytes(bytes) => counted(out, 6, bytes),
            HeaderValue::Text(text) => counted(out, 7, text.as_bytes()),
            HeaderValue::Timestamp(value) => out.extend([&[8][..], &value.to_be_bytes()].concat()),
            HeaderValue::Uuid(bytes) => out.extend([&[9][..], bytes].concat()),
        }
    }
}

/// One message.
pub fn message(headers: &[(&str, HeaderValue)], payload: &[u8]) -> Vec<u8> {
    let mut named = Vec::new();
    for (name, value) in headers {
        named.push(u8::try_from(name.len()).unwrap());
        named.extend(name.as_bytes());
        value.write(&mut named);
    }
    let whole = 16 + named.len() + payload.len();
    let mut out = Vec::with_capacity(whole);
    out.extend(u32::try_from(whole).unwrap().to_be_bytes());
    out.extend(u32::try_from(named.len()).unwrap().to_be_bytes());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(named);
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

fn of_json(kind: &str, header: &str, name: &str, payload: &Value) -> Vec<u8> {
    let text = |text: &str| HeaderValue::Text(text.to_owned());
    let headers =
        [(header, text(name)), (":content-type", text("application/json")), (":message-type", text(kind))];
    message(&headers, payload.to_string().as_bytes())
}

/// An event with a payload of JSON.
pub fn event(kind: &str, payload: &Value) -> Vec<u8> {
    of_json("event", ":event-type", kind, payload)
}

/// An exception, which ends a stream.
pub fn exception(kind: &str, words: &str) -> Vec<u8> {
    of_json("exception", ":exception-type", kind, &json!({"message": words}))
}

/// A piece of what a container says, as `InvokeEndpointWithResponseStream` wraps it: the payload itself.
pub fn part(piece: &[u8]) -> Vec<u8> {
    let text = |text: &str| HeaderValue::Text(text.to_owned());
    let headers = [
        (":event-type", text("PayloadPart")),
        (":content-type", text("application/octet-stream")),
        (":message-type", text("event")),
    ];
    message(&headers, piece)
}

/// An event of a model's vendor, as `InvokeModelWithResponseStream` wraps it.
pub fn chunk(inner: &Value) -> Vec<u8> {
    event("chunk", &json!({"bytes": BASE64_STANDARD.encode(inner.to_string()), "p": "abcdef"}))
}
