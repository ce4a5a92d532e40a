//! What is said on a stream that has nothing to say.

use super::Frame;
use crate::json::Document;

/// Longest event that only says that its sender is there, in bytes.
const PING_BYTES_MAX: usize = 96;

/// What may stand between two events so that nobody on the way takes a silent stream for a dead one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// A comment (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), as OpenRouter sends to clients of
    /// OpenAI's formats (<https://openrouter.ai/docs/api-reference/streaming>). OpenAI's own `keepalive` event breaks typed
    /// clients (openai/openai-node#1964).
    Comment,
    /// Anthropic's own event (<https://docs.claude.com/en/docs/build-with-claude/streaming>).
    Ping,
    /// An empty event: Google's SDKs for Go and Python take comments and other events for broken chunks
    /// (googleapis/go-genai#903, googleapis/python-genai#487), and pass over blank lines (Joouis/agent-maestro#249). They have
    /// to end as the events do, because the one for Go looks for LF first and then for CRLF; Google's end in CRLF.
    BlankLine,
    /// The same between events that end in LF.
    BlankLineLf,
    /// White space between two elements of a JSON array.
    Space,
}

impl KeepAlive {
    /// The bytes of it.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            KeepAlive::Comment => b": keep-alive\n\n",
            KeepAlive::Ping => b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
            KeepAlive::BlankLine => b"\r\n\r\n",
            KeepAlive::BlankLineLf => b"\n\n",
            KeepAlive::Space => b"\r\n",
        }
    }

    /// The same for a stream whose events end in LF, or in CRLF.
    pub fn in_lf(self, is_lf: bool) -> KeepAlive {
        match self {
            KeepAlive::BlankLine if is_lf => KeepAlive::BlankLineLf,
            other => other,
        }
    }
}

/// Does an event only say that its sender is there? Anthropic's `ping`, OpenAI's `keepalive` (openai/openai-node#1964), those
/// of gateways (docker/docker-agent#4203), or no data at all.
pub fn is_ping(frame: &Frame<'_>) -> bool {
    let is_name = |name: &str| matches!(name, "ping" | "keepalive" | "keep-alive" | "heartbeat");
    if frame.data.is_empty() || is_name(frame.event) {
        return true;
    }
    if frame.data.len() > PING_BYTES_MAX || !frame.event.is_empty() {
        return false;
    }
    let document = Document::parse_to(frame.data, 1);
    document.is_ok_and(|document| document.root().str("type").is_some_and(|name| is_name(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_in_every_form() {
        for (event, data, expected) in [
            ("ping", r#"{"type": "ping"}"#, true),
            ("", r#"{"type":"ping"}"#, true),
            ("keepalive", r#"{"type":"keepalive","sequence_number":466}"#, true),
            ("", r#"{"type":"keepalive","sequence_number":466}"#, true),
            ("keepalive", "{}", true),
            ("heartbeat", "", true),
            ("", "", true),
            ("", "[DONE]", false),
            ("", "{}", false),
            ("", r#"{"choices":[{"delta":{"content":"\"type\":\"ping\""}}]}"#, false),
            ("message_stop", r#"{"type":"message_stop"}"#, false),
            ("content_block_delta", r#"{"type":"ping"}"#, false),
        ] {
            assert_eq!(is_ping(&Frame { event, data: data.as_bytes() }), expected, "{event} {data}");
        }
    }

    #[test]
    fn nothing_of_it_is_an_event_with_data() {
        use crate::frame::{Framer, Framing};
        let all = [KeepAlive::Comment, KeepAlive::BlankLine, KeepAlive::BlankLineLf, KeepAlive::Space];
        for keep_alive in all.into_iter().chain([KeepAlive::Ping]) {
            let mut framer = Framer::new(Framing::Sse);
            framer.push(b"data: 1\n\n");
            framer.push(keep_alive.bytes());
            framer.push(b"data: 2\n\n");
            let mut seen = Vec::new();
            while let Ok(Some(frame)) = framer.next() {
                if !is_ping(&frame) {
                    seen.push(frame.data.to_vec());
                }
            }
            assert_eq!(seen, [b"1", b"2"], "{keep_alive:?}");
        }
    }
}
