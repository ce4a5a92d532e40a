//! How many things an export lists, counted before any of it is decoded: two bytes of a body can become some hundred in memory.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::inbound::route::OtelPath;

/// Most things in all lists of one export together: its spans or logs, their attributes, events and links.
pub(super) const OBJECTS_MAX: usize = 1 << 17;
/// How deep messages may lie in each other: deeper ones are refused when they are decoded.
const DEPTH_MAX: usize = 128;

/// Does a body in JSON list more than that? What JSON it is, if any, is not asked here.
pub(super) fn is_too_much_json(body: &[u8]) -> bool {
    let mut count = 0;
    // Of those that are open: is it a list?
    let mut open = Vec::new();
    let (mut in_text, mut is_escaped) = (false, false);
    for &byte in body {
        if in_text {
            in_text = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => open.push(byte == b'['),
            b']' | b'}' => drop(open.pop()),
            _ => {}
        }
        // A list begins with a thing, and each comma in it is before another one.
        count += usize::from(byte == b'[' || byte == b',' && open.last() == Some(&true));
        if count > OBJECTS_MAX {
            return true;
        }
    }
    false
}

/// The messages that hold lists, or hold such as do
/// (<https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Export(OtelPath),
    /// `ResourceSpans` or `ResourceLogs`.
    OfResource(OtelPath),
    /// `ScopeSpans` or `ScopeLogs`.
    OfScope(OtelPath),
    Span,
    LogRecord,
    /// Nothing but attributes in a field of this number: a resource is told apart for its entities.
    Attributed(u32),
    Resource,
    EntityRef,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
    /// A text of a list.
    Text,
}

impl Kind {
    /// What a field of this number is, and whether there may be many of it; `None`: nothing that can hold a list.
    fn field(self, number: u32) -> Option<(Kind, bool)> {
        Some(match (self, number) {
            (Kind::Export(path), 1) => (Kind::OfResource(path), true),
            (Kind::OfResource(_), 1) => (Kind::Resource, false),
            (Kind::OfResource(path), 2) => (Kind::OfScope(path), true),
            (Kind::OfScope(_), 1) => (Kind::Attributed(3), false),
            (Kind::OfScope(OtelPath::Traces), 2) => (Kind::Span, true),
            (Kind::OfScope(OtelPath::Logs), 2) => (Kind::LogRecord, true),
            (Kind::Span, 9) | (Kind::Resource, 1) | (Kind::LogRecord, 6) | (Kind::KeyValueList, 1) => {
                (Kind::KeyValue, true)
            }
            (Kind::Span, 11) => (Kind::Attributed(3), true),
            (Kind::Span, 13) => (Kind::Attributed(4), true),
            (Kind::Attributed(own), number) if own == number => (Kind::KeyValue, true),
            (Kind::Resource, 3) => (Kind::EntityRef, true),
            (Kind::EntityRef, 3 | 4) => (Kind::Text, true),
            (Kind::KeyValue, 2) | (Kind::LogRecord, 5) => (Kind::AnyValue, false),
            (Kind::AnyValue, 5) => (Kind::ArrayValue, false),
            (Kind::AnyValue, 6) => (Kind::KeyValueList, false),
            (Kind::ArrayValue, 1) => (Kind::AnyValue, true),
            _ => return None,
        })
    }
}

/// Does a body in protobuf list more than that? The count ends where decoding does: at what is no protobuf.
pub(super) fn is_too_much_protobuf(path: OtelPath, body: &[u8]) -> bool {
    let mut count = 0;
    let _ = walk(Kind::Export(path), body, 0, &mut count);
    count > OBJECTS_MAX
}

/// Counts on in one message; `None`: enough is known.
fn walk(kind: Kind, mut rest: &[u8], depth: usize, count: &mut usize) -> Option<()> {
    while !rest.is_empty() && *count <= OBJECTS_MAX {
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        let Some((field, is_many)) = kind.field(number).filter(|_| wire_type == WireType::LengthDelimited)
        else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default()).ok()?;
            continue;
        };
        let bytes = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
        let inner = rest.split_off(..bytes)?;
        *count += usize::from(is_many);
        if field != Kind::Text {
            walk(field, inner, (depth < DEPTH_MAX).then_some(depth + 1)?, count)?;
        }
    }
    Some(())
}
