//! The Responses API over a WebSocket: what a client says, as the request that it would have posted; and what it hears, one event
//! of the stream in each message.
//!
//! Sources: <https://developers.openai.com/api/docs/guides/websocket-mode> and <https://developers.openai.com/api/docs/guides/steering>.
//! `generate: false` prepares a next turn; `stream_id` names a lane of a connection that leads several conversations ([`Lanes`]);
//! `response.steer` says more while an answer is under way ([`steer`]). Errors are told with their status, and with headers of the
//! answer that they would have been (Codex, `codex-rs/codex-api/src/endpoint/responses_websocket.rs`).

mod chain;
mod lanes;
pub mod steer;

use crate::chat::openai_chat::error;
use crate::chat::openai_responses::response;
use crate::json::{Document, Json, Node, Writer};
use crate::relay::Splice;
use crate::{Fault, RenderOptions};

pub use chain::Chain;
pub use lanes::{LaneId, Lanes};
pub use steer::Steer;

/// Longest name of a lane, in bytes.
const STREAM_ID_BYTES_MAX: usize = 256;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// `response.create`: it wants an answer.
    Create(Create),
    /// `response.steer`: it has more to say while an answer is under way.
    Steer(Steer),
    /// `response.processed`: it has read an answer. Nothing follows from it.
    Processed,
}

/// A request for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The body that would have been posted, which asks for a stream.
    pub body: Vec<u8>,
    /// Which lane of the connection it is for: JSON. `None`: the one without a name.
    pub stream_id: Option<String>,
    /// The answer that it goes on from.
    pub previous: Option<String>,
    /// Something is to be said. Else the request only prepares a next one.
    pub generates: bool,
    /// The answer is to be remembered beyond the connection.
    pub store: bool,
    /// More may be said while it is answered: OpenAI steers nothing that is bound to a conversation of its own, compacts by itself, or
    /// is the work of several agents.
    pub is_steerable: bool,
}

/// A message that is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong with it.
    pub fault: Box<Fault>,
    /// The lane that hears of it, where it names one: JSON.
    pub stream_id: Option<String>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused { fault: Box::new(fault), stream_id: None }
    }
}

/// Reads a message of a client's.
///
/// # Errors
/// 400 for what is no event, or none that is known here.
pub fn decode(text: &[u8]) -> Result<Said, Refused> {
    let document = Document::of_request_to(text, 1)?;
    let root = document.root();
    match root.expect("type")?.expect_str()?.as_ref() {
        "response.create" => {
            let stream_id = stream_id(root)?;
            let refused = |fault| Refused { stream_id: stream_id.clone(), ..Refused::from(fault) };
            create(&document, stream_id.clone()).map(Said::Create).map_err(refused)
        }
        "response.steer" => Ok(Said::Steer(steer::decode(text)?)),
        "response.processed" => Ok(Said::Processed),
        other => {
            let message = format!(
                "Invalid event: `{other}` is not known here; send `response.create`, or `response.steer`."
            );
            Err(Fault::invalid(message).with_param("type").with_code("unknown_event").into())
        }
    }
}

/// The name of the lane that a request is for, as JSON: of characters that need no escapes.
fn stream_id(root: Node<'_>) -> Result<Option<String>, Fault> {
    let Some(id) = root.some("stream_id") else { return Ok(None) };
    let is_named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    match id.as_str() {
        Some(name) if (1..=STREAM_ID_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_named) => {
            Ok(Some(format!("\"{name}\"")))
        }
        _ => {
            let message = "`stream_id` must have 1 to 256 characters: letters, digits, `_`, `-` and `.`. Leave it out for the \
                           lane without a name.";
            Err(Fault::invalid(message).with_param("stream_id").with_code("invalid_stream_id"))
        }
    }
}

fn create(document: &Document<'_>, stream_id: Option<String>) -> Result<Create, Fault> {
    let root = document.root();
    let flag = |name: &str| root.some(name).map(|node| node.expect_bool()).transpose();
    if flag("background")? == Some(true) {
        let message = "`background` is not for WebSockets: leave it out, or send the request by POST.";
        return Err(Fault::invalid(message).with_param("background"));
    }
    let (generates, store) = (flag("generate")?.unwrap_or(true), flag("store")?.unwrap_or(true));
    let unsteerable = ["conversation", "context_management", "multi_agent"];
    let is_steerable = unsteerable.iter().all(|name| root.some(name).is_none());
    let previous = root.str("previous_response_id").map(|id| id.into_owned());
    let mut splice = Splice::new(document)?;
    for name in ["type", "generate", "stream_id", "background"] {
        splice.remove(name);
    }
    splice.set("stream", Json::build(|w| w.bool(true)));
    Ok(Create { body: splice.finish(), stream_id, previous, generates, store, is_steerable })
}

/// The type of an event.
pub fn kind(data: &str) -> Option<String> {
    let document = Document::parse_to(data.as_bytes(), 1).ok()?;
    document.root().str("type").map(|kind| kind.into_owned())
}

/// The place of an event in its stream.
pub fn number(data: &str) -> Option<u64> {
    Document::parse_to(data.as_bytes(), 1).ok()?.root().u64("sequence_number")
}

/// The event, so many places further on: others were told before it.
pub fn moved(data: String, by: u64) -> String {
    let moved = || {
        let document = Document::parse_to(data.as_bytes(), 1).ok()?;
        let number = document.root().u64("sequence_number")?.checked_add(by)?;
        let mut splice = Splice::new(&document).ok()?;
        splice.set("sequence_number", Json::build(|w| w.u64(number)));
        String::from_utf8(splice.finish()).ok()
    };
    if by == 0 { data } else { moved().unwrap_or(data) }
}

/// The id of the answer that an event tells of.
pub fn response_id(data: &str) -> Option<String> {
    let document = Document::parse_to(data.as_bytes(), 2).ok()?;
    Some(document.root().get("response")?.str("id")?.into_owned())
}

/// Does this event end an answer?
pub fn is_last(event: &str) -> bool {
    matches!(event, "response.completed" | "response.incomplete" | "response.failed" | "error")
}

/// The message for an event of a stream.
pub fn message(data: &str, stream_id: Option<&str>) -> String {
    match stream_id {
        Some(id) => with_first(data, "stream_id", id),
        None => data.to_owned(),
    }
}

/// The same for an error that a stream ends with: clients look for a status there.
pub fn error_message(data: &str, status: u16, stream_id: Option<&str>) -> String {
    message(&with_first(data, "status", &status.to_string()), stream_id)
}

/// An object with one more field, before all others.
fn with_first(object: &str, name: &str, value: &str) -> String {
    match object.trim_start().strip_prefix('{').map(str::trim_start) {
        Some("}") => format!("{{\"{name}\":{value}}}"),
        Some(rest) => format!("{{\"{name}\":{value},{rest}"),
        None => object.to_owned(),
    }
}

/// The message for an answer that is an error: its status, its body, and headers that say when to try again.
pub fn refused<'h>(
    status: u16,
    body: &[u8],
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    stream_id: Option<&str>,
) -> String {
    let document = Document::parse(body).ok();
    let told = document.as_ref().and_then(|document| document.root().some("error"));
    write_error(status, stream_id, |w| {
        match told.filter(|error| error.fields().next().is_some()) {
            Some(error) => w.field_raw("error", error.text()),
            None => w.field_object("error", |w| {
                w.field_str("type", "server_error");
                w.field_str("code", "server_error");
                w.field_str("message", &String::from_utf8_lossy(body));
                w.key("param").null();
            }),
        }
        w.field_object("headers", |w| headers.for_each(|(name, value)| w.field_str(name, value)));
    })
}

/// The message for a fault of the gateway's.
pub fn fault(fault: &Fault, stream_id: Option<&str>) -> String {
    let body = error::encode(fault, None);
    refused(fault.status, &body, std::iter::empty(), stream_id)
}

fn write_error(status: u16, stream_id: Option<&str>, write: impl FnOnce(&mut Writer)) -> String {
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "error");
            stream_id.into_iter().for_each(|id| w.field_raw("stream_id", id));
            w.field_u64("status", status.into());
            write(w);
        });
    });
    json.as_str().to_owned()
}

/// What a client hears of a request that only prepares a next one: an answer that says nothing.
pub fn prepared(options: &RenderOptions) -> [String; 2] {
    let event = |kind: &str, number: u64, status: &str| {
        let object = response::pending(options, status);
        let json = Json::build(|w| {
            w.object(|w| {
                w.field_str("type", kind);
                w.field_u64("sequence_number", number);
                w.field_raw("response", &String::from_utf8_lossy(&object));
            });
        });
        json.as_str().to_owned()
    };
    [event("response.created", 0, "in_progress"), event("response.completed", 1, "completed")]
}

#[cfg(test)]
mod tests;
