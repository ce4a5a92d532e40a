//! Answers in the shapes that the vendors' pages document. Small, whole, and made from arguments: a test says what it
//! expects to find again.

pub mod anthropic;
pub mod bedrock;
pub mod cohere;
pub mod gemini;
pub mod ollama;
pub mod openai;
pub mod replicate;

use serde_json::Value;

/// `data: ...` and a blank line for each event.
pub(crate) fn events(events: impl IntoIterator<Item = Value>) -> String {
    events.into_iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// The same with an `event:` line that repeats the event's type.
pub(crate) fn named_events(events: impl IntoIterator<Item = Value>) -> String {
    let named =
        |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    events.into_iter().map(named).collect()
}
