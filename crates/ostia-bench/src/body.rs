//! The requests that the load generator sends.

use serde_json::{Value, json};

use crate::workloads::{Call, Client, Workload};

/// Bodies from this length on are a conversation of several turns.
const CONVERSATION_BYTES_MIN: usize = 4_000;
const TURNS: usize = 6;

const INSTRUCTIONS: &str = "Answer in plain English and keep it short.";

/// Words and marks that prose has: quotes and line ends (which JSON escapes) and letters beyond ASCII.
const PROSE: &str = "Please read the notes below and say in two sentences what was decided, who does what, \
    and by when. The buyer wrote: \"we need the valves before Easter, not after\" \u{2013} the supplier \
    (M\u{fc}ller & Sons) promised four weeks.\n\nTransport is open: rail is cheaper, the road is quicker. \
    Prices hold until the end of the quarter; a discount of 3.5 % starts at 200 pieces.\n- Check the \
    drawing.\n- Ask for samples.\n";

/// The whole request in wire form, `workload.body_bytes` long behind its head.
#[must_use]
pub fn request(workload: &Workload, host: &str, headers: &[String]) -> Vec<u8> {
    let body = body(workload);
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\naccept: */*\r\n\
         user-agent: ostia-bench\r\ncontent-length: {}\r\n",
        workload.path(),
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.into_bytes(), body].concat()
}

/// A body of exactly `body_bytes`, or the shortest possible where that is longer.
fn body(workload: &Workload) -> Vec<u8> {
    let empty = bytes_of(workload, 0, "");
    let room = workload.body_bytes.saturating_sub(empty);
    let turn_bytes = if workload.body_bytes < CONVERSATION_BYTES_MIN { 0 } else { room / (2 * TURNS) };
    let last = prose(workload.body_bytes.saturating_sub(bytes_of(workload, turn_bytes, "")));
    value(workload, turn_bytes, &last).to_string().into_bytes()
}

fn bytes_of(workload: &Workload, turn_bytes: usize, last: &str) -> usize {
    value(workload, turn_bytes, last).to_string().len()
}

/// The request with earlier turns of `turn_bytes` each (0: none) and the text `last`.
fn value(workload: &Workload, turn_bytes: usize, last: &str) -> Value {
    if workload.call == Call::Embeddings {
        return json!({"model": workload.model(), "input": last, "encoding_format": "float"});
    }
    let mut turns = Vec::new();
    if turn_bytes > 0 {
        let role = |turn| if turn % 2 == 0 { "user" } else { "assistant" };
        turns.extend((0..TURNS).map(|turn| json!({"role": role(turn), "content": prose(turn_bytes)})));
    }
    turns.push(json!({"role": "user", "content": last}));
    let mut request = conversation(workload, turns);
    if workload.streams() {
        request["stream"] = json!(true);
    }
    request
}

/// The turns as the client's dialect has them. The model stands first, where the mock looks for it.
fn conversation(workload: &Workload, mut turns: Vec<Value>) -> Value {
    let model = workload.model();
    match workload.client {
        Client::Chat => {
            turns.insert(0, json!({"role": "system", "content": INSTRUCTIONS}));
            let mut request =
                json!({"model": model, "messages": turns, "max_tokens": 256, "temperature": 0.7});
            if workload.streams() {
                request["stream_options"] = json!({"include_usage": true});
            }
            request
        }
        // Nothing is kept, so that translation is all that is measured.
        Client::Responses => json!({"model": model, "instructions": INSTRUCTIONS, "input": turns,
                                    "max_output_tokens": 256, "temperature": 0.7, "store": false}),
        Client::Messages => json!({"model": model, "system": INSTRUCTIONS, "messages": turns,
                                   "max_tokens": 256, "temperature": 0.7}),
    }
}

/// Prose that is `bytes` long once it stands in JSON.
fn prose(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    let mut left = bytes;
    for character in PROSE.chars().cycle() {
        let escaped = if matches!(character, '"' | '\n') { 2 } else { character.len_utf8() };
        if escaped > left {
            break;
        }
        text.push(character);
        left -= escaped;
    }
    text.extend(std::iter::repeat_n('.', left));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::workloads::WORKLOADS;

    #[test]
    fn bodies_have_the_length_they_claim() {
        for workload in WORKLOADS {
            let body = body(workload);
            assert_eq!(body.len(), workload.body_bytes, "{}", workload.name);
            let read: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(read["stream"] == json!(true), workload.streams());
        }
    }

    #[test]
    fn prose_fills_any_length() {
        for bytes in 0..1_000 {
            assert_eq!(json!(prose(bytes)).to_string().len(), bytes + 2);
        }
    }

    #[test]
    fn the_head_tells_the_length() {
        let workload = Workload::named("unary-300").unwrap();
        let text = String::from_utf8(request(workload, "h", &["x-a: b".into()])).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-length: 300") && head.contains("x-a: b"));
        assert_eq!(body.len(), 300);
    }
}
