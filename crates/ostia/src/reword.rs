//! Errors in relayed streams, told so that the client's own software understands what they mean. Every other event stays
//! as it came.

use bytes::Bytes;
use ostia_dialect::fault;
use ostia_dialect::json::Document;
use ostia_dialect::relay::Grammar;

use crate::failure;
use crate::reply;
use crate::route::Family;

/// These whole events, with errors that clients of this grammar would not understand in words that they do.
pub fn reword(events: Bytes, grammar: Grammar, provider: &str) -> Bytes {
    let family = match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions => Family::Openai,
        Grammar::AnthropicMessages => Family::Anthropic,
        // An error of a Response stands in an answer that has to stay whole; Google's clients look for no words.
        Grammar::OpenaiResponses | Grammar::GeminiGenerate | Grammar::Unknown => return events,
    };
    let (mut out, mut passed) = (Vec::new(), 0);
    for (start, end) in bounds(&events) {
        if let Some(fault) =
            error_in(&events[start..end]).filter(|fault| !reply::is_understood(family, fault))
        {
            out.extend_from_slice(&events[passed..start]);
            out.extend_from_slice(&failure::event(grammar, &fault, provider));
            passed = end;
        }
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

/// The error that an event tells, if it tells one.
fn error_in(event: &[u8]) -> Option<ostia_dialect::Fault> {
    let line = event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data:"))?;
    let data = line.trim_ascii();
    Document::parse_to(data, 1).ok()?.root().some("error")?;
    fault::in_success(data)
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
    }
}
