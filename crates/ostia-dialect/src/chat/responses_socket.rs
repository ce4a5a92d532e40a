//! The Responses API over a WebSocket: what a client says, as the request that it would have posted; and what it hears, one event
//! of the stream in each message.
//!
//! Source: <https://developers.openai.com/api/docs/guides/websocket-mode>. `generate: false` prepares a next turn; `stream_id` names a
//! conversation on a connection that leads several. Errors are told with their status, and with headers of the answer that they would
//! have been (Codex, `codex-rs/codex-api/src/endpoint/responses_websocket.rs`).

mod chain;

use crate::chat::openai_chat::error;
use crate::chat::openai_responses::response;
use crate::json::{Document, Json, Writer};
use crate::relay::Splice;
use crate::{Fault, RenderOptions};

pub use chain::Chain;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// `response.create`: it wants an answer.
    Create(Create),
    /// `response.processed`: it has read an answer. Nothing follows from it.
    Processed,
}

/// A request for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The body that would have been posted, which asks for a stream.
    pub body: Vec<u8>,
    /// Which of several conversations it is of: JSON.
    pub stream_id: Option<String>,
    /// Something is to be said. Else the request only prepares a next one.
    pub generates: bool,
    /// The answer is to be remembered beyond the connection.
    pub store: bool,
}

/// Reads a message of a client's.
///
/// # Errors
/// 400 for what is no event, or none that is known here.
pub fn decode(text: &[u8]) -> Result<Said, Fault> {
    let document = Document::of_request_to(text, 1)?;
    let root = document.root();
    match root.expect("type")?.expect_str()?.as_ref() {
        "response.create" => {}
        "response.processed" => return Ok(Said::Processed),
        other => {
            let message = format!("Invalid event: `{other}` is not known here; send `response.create`.");
            return Err(Fault::invalid(message).with_param("type").with_code("unknown_event"));
        }
    }
    let flag = |name: &str| root.some(name).map(|node| node.expect_bool()).transpose();
    if flag("background")? == Some(true) {
        let message = "`background` is not for WebSockets: leave it out, or send the request by POST.";
        return Err(Fault::invalid(message).with_param("background"));
    }
    let (generates, store) = (flag("generate")?.unwrap_or(true), flag("store")?.unwrap_or(true));
    let stream_id = root.some("stream_id").map(|id| id.text().to_owned());
    let mut splice = Splice::new(&document)?;
    for name in ["type", "generate", "stream_id", "background"] {
        splice.remove(name);
    }
    splice.set("stream", Json::build(|w| w.bool(true)));
    Ok(Said::Create(Create { body: splice.finish(), stream_id, generates, store }))
}

/// The type of an event.
pub fn kind(data: &str) -> Option<String> {
    let document = Document::parse_to(data.as_bytes(), 1).ok()?;
    document.root().str("type").map(|kind| kind.into_owned())
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
pub fn prepared(options: &RenderOptions, stream_id: Option<&str>) -> [String; 2] {
    let event = |kind: &str, number: u64, status: &str| {
        let object = response::pending(options, status);
        let json = Json::build(|w| {
            w.object(|w| {
                w.field_str("type", kind);
                w.field_u64("sequence_number", number);
                w.field_raw("response", &String::from_utf8_lossy(&object));
            });
        });
        message(json.as_str(), stream_id)
    };
    [event("response.created", 0, "in_progress"), event("response.completed", 1, "completed")]
}

#[cfg(test)]
mod tests;
