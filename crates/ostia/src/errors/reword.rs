//! Errors in relayed streams, told so that the client's own software understands what they mean. Every other event stays
//! as it came.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memmem};
use ostia_dialect::frame::Grammar;
use ostia_dialect::json::Document;
use ostia_dialect::{Family, Fault, fault, openai_chat};

use crate::errors::failure;
use crate::errors::reply;

/// These whole events, with errors that clients of this grammar would not understand in words that they do.
pub fn reword(events: Bytes, grammar: Grammar, provider: &str) -> Bytes {
    let family = match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions | Grammar::OpenaiResponses => Family::Openai,
        Grammar::AnthropicMessages => Family::Anthropic,
        // Google's clients look for no words.
        Grammar::GeminiGenerate | Grammar::Unknown => return events,
    };
    let (mut out, mut passed) = (Vec::new(), 0);
    for (start, end) in bounds(&events) {
        let event = &events[start..end];
        let Some(fault) = error_in(event).filter(|fault| !reply::is_understood(family, fault)) else {
            continue;
        };
        out.extend_from_slice(&events[passed..start]);
        match grammar {
            // The answer around the error stays whole.
            Grammar::OpenaiResponses => out.extend_from_slice(&with_code(event)),
            _ => out.extend_from_slice(&failure::event(grammar, &fault, provider)),
        }
        passed = end;
    }
    match passed {
        0 => events,
        _ => {
            out.extend_from_slice(&events[passed..]);
            out.into()
        }
    }
}

/// Where each event begins and ends, its blank line included.
fn bounds(events: &[u8]) -> Vec<(usize, usize)> {
    let (mut bounds, mut start, mut at) = (Vec::new(), 0, 0);
    for line in events.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line.trim_ascii().is_empty() {
            bounds.push((start, at));
            start = at;
        }
    }
    bounds
}

/// The error that an event tells, itself or in its Response, if it tells one.
fn error_in(event: &[u8]) -> Option<Fault> {
    let document = Document::parse_to(&event[data_of(event)?], 2).ok()?;
    let holder = document.root().some("response").unwrap_or(document.root());
    holder.some("error")?;
    fault::in_success(holder.text().as_bytes())
}

/// The event of a Response with the code by which clients know that the conversation is too long.
fn with_code(event: &[u8]) -> Vec<u8> {
    let code = || {
        let data = data_of(event)?;
        let document = Document::parse_to(&event[data.clone()], 3).ok()?;
        let holder = document.root().some("response").unwrap_or(document.root());
        let code = holder.some("error")?.get("code")?.range();
        Some(data.start + code.start..data.start + code.end)
    };
    match code() {
        Some(code) => {
            let own = format!("\"{}\"", openai_chat::error::TOO_LONG);
            [&event[..code.start], own.as_bytes(), &event[code.end..]].concat()
        }
        None => event.to_vec(),
    }
}

/// Where the data of an event stands.
fn data_of(event: &[u8]) -> Option<Range<usize>> {
    let at = match event.starts_with(b"data:") {
        true => 0,
        false => memmem::find(event, b"\ndata:")? + 1,
    };
    let start = at + "data:".len();
    let end = memchr(b'\n', &event[start..]).map_or(event.len(), |length| start + length);
    let line = &event[start..end];
    let start = end - line.trim_ascii_start().len();
    Some(start..start + line.trim_ascii().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(grammar: Grammar, events: &str, expected: &str) {
        let told = reword(Bytes::copy_from_slice(events.as_bytes()), grammar, "p");
        assert_eq!(String::from_utf8_lossy(&told), expected);
    }

    #[test]
    fn only_errors_that_would_not_be_understood_are_told_anew() {
        let good = "data: {\"choices\":[]}\r\n\r\n: note\n\n";
        let long = r#"{"error":{"message":"Prompt exceeds max length","type":"x","code":"1261"}}"#;
        let told = r#"{"error":{"message":"Prompt exceeds max length","type":"x","param":null,"code":"context_length_exceeded"},"provider":"p"}"#;
        let chat = format!("{good}data: {long}\n\ndata: [DONE]\n\n");
        check(Grammar::OpenaiChat, &chat, &format!("{good}data: {told}\n\ndata: [DONE]\n\n"));
        check(Grammar::Unknown, &chat, &chat);
        let message = |message: &str| {
            format!(
                "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"invalid_request_error\",\"message\":\"{message}\"}}}}\n\n"
            )
        };
        let long = message("Prompt exceeds max length");
        check(Grammar::AnthropicMessages, &long, &message("prompt is too long: Prompt exceeds max length"));
        for own in [message("prompt is too long: 2 tokens > 1 maximum"), message("Overloaded")] {
            check(Grammar::AnthropicMessages, &own, &own);
        }
        let own = "data: {\"error\":{\"message\":\"m\",\"code\":\"context_length_exceeded\",\"more\":1}}\n\n";
        check(Grammar::OpenaiChat, own, own);
        check(Grammar::OpenaiChat, good, good);
        let failed = |code: &str| {
            format!(
                "event: response.failed\r\ndata: {{\"type\":\"response.failed\", \"response\":{{\"id\":\"r\",\"error\":{{\"code\":{code},\"message\":\"Prompt exceeds max length\"}},\"x\":1.0}}}}\r\n\r\n"
            )
        };
        for code in ["\"invalid_prompt\"", "null", "\"context_length_exceeded\""] {
            check(Grammar::OpenaiResponses, &failed(code), &failed("\"context_length_exceeded\""));
        }
    }
}
