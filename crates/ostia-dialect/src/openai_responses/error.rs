//! The error event of a stream: `{"type": "error", "code", "message", "param", "sequence_number"}`.

use crate::Fault;
use crate::json::Writer;

/// The last event of a stream that broke.
pub fn encode_event(fault: &Fault) -> Vec<u8> {
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.field_str("type", "error");
        w.field_str("code", fault.code.as_deref().unwrap_or("server_error"));
        w.field_str("message", &fault.message);
        match &fault.param {
            Some(param) => w.field_str("param", param),
            None => w.key("param").null(),
        }
        w.field_u64("sequence_number", 0);
    });
    [b"event: error\ndata: ".as_slice(), &w.into_bytes(), b"\n\n"].concat()
}
