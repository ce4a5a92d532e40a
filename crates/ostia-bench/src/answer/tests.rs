#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;

const CLIENTS: [Client; 3] = [Client::Chat, Client::Responses, Client::Messages];

fn read(expected: Expected, client: Client, pieces: &[&str]) -> (Result<(), String>, Vec<u64>) {
    let (mut answer, mut times) = (Answer::new(expected, client), Vec::new());
    for piece in pieces {
        answer.push(piece.as_bytes(), &mut |sent_ns| times.push(sent_ns));
    }
    (answer.check(), times)
}

/// The same verdict must come of every cut of the text in two.
fn check(expected: Expected, client: Client, text: &str, verdict: Result<(), &str>, times: &[u64]) {
    for at in 0..=text.len() {
        let (first, second) = text.split_at(at);
        let found = read(expected, client, &[first, second]);
        assert_eq!(found, (verdict.map_err(str::to_owned), times.to_vec()), "{client:?} {at}");
    }
}

/// An event that adds this text.
fn delta(client: Client, text: &str) -> String {
    let event = match client {
        Client::Chat => json!({"choices": [{"delta": {"content": text}}], "usage": null}),
        Client::Responses => json!({"type": "response.output_text.delta", "delta": text}),
        Client::Messages => {
            json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}})
        }
    };
    format!("event: x\ndata: {event}\r\n\r\n: ping\n\n")
}

/// What follows the deltas: repetitions of the text where the dialect has them, the usage, the end.
fn end(client: Client, text: &str) -> [String; 2] {
    let tokens = json!({"input_tokens": PROMPT_TOKENS, "output_tokens": COMPLETION_TOKENS});
    match client {
        Client::Chat => {
            let tokens = json!({"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS});
            [format!("data: {}\n\n", json!({"choices": [], "usage": tokens})), "data: [DONE]\n\n".into()]
        }
        Client::Responses => {
            let done = json!({"type": "response.output_text.done", "text": text});
            let last =
                |usage| json!({"type": "response.completed", "response": {"text": text, "usage": usage}});
            [format!("data: {done}\n\n"), format!("data: {}\n\n", last(tokens))]
        }
        Client::Messages => {
            let delta = json!({"type": "message_delta", "usage": tokens});
            [format!("data: {delta}\n\n"), "data: {\"type\":\"message_stop\"}\n\n".into()]
        }
    }
}

const TWO: Expected = Expected::Stream { chunks: 2 };

#[test]
fn right_streams() {
    for client in CLIENTS {
        let end = end(client, "a@0:17@ b@1:18@").concat();
        let chunks = delta(client, "a@0:17@ b") + &delta(client, "@1:18@");
        check(TWO, client, &format!("{chunks}{end}"), Ok(()), &[17, 18]);
        let one_event = delta(client, "mail me @ home @0:17@ and @1:18@");
        check(TWO, client, &format!("{one_event}{end}"), Ok(()), &[17, 18]);
    }
}

#[test]
fn wrong_streams() {
    for client in CLIENTS {
        let (first, second) = (delta(client, "@0:17@"), delta(client, "@1:18@"));
        let [usage, last] = end(client, "@0:17@@1:18@");
        check(TWO, client, &format!("{first}{usage}{last}"), Err("1 of 2 chunks"), &[17]);
        check(TWO, client, &format!("{second}{first}{usage}{last}"), Err("chunks out of order"), &[18, 17]);
        let unused = last.replace("output_tokens", "tokens_out");
        check(TWO, client, &format!("{first}{second}{unused}"), Err("no usage in the stream"), &[17, 18]);
        let endless = format!("{usage}{last}").replace("response.completed", "response.done");
        let endless = endless.replace("message_stop", "x").replace("[DONE]", "x");
        check(TWO, client, &format!("{first}{second}{endless}"), Err("no end of the stream"), &[17, 18]);
    }
}

#[test]
fn unary_answers() {
    for client in CLIENTS {
        let field = if client == Client::Chat { "prompt_tokens" } else { "output_tokens" };
        let body = format!(
            "{{\"text\":\"{TEXT_END}\",\"usage\":{{\"{field}\": {PROMPT_TOKENS},\"c\":{COMPLETION_TOKENS}}}}}"
        );
        let check = |body: &str, verdict| check(Expected::Chat, client, body, verdict, &[]);
        check(&body, Ok(()));
        check(&body.replace("whole", "hole"), Err("the answer lacks the expected text"));
        check(&body.replace(field, "tokens"), Err("the answer lacks usage"));
        check(&body.replace("60643", "1"), Err("the answer lacks the completion tokens"));
    }
}

#[test]
fn embeddings() {
    let check = |body: &str, verdict| check(Expected::Embedding, Client::Chat, body, verdict, &[]);
    check(&format!("[1, {EMBEDDING_END}] \"prompt_tokens\": {PROMPT_TOKENS}"), Ok(()));
    check(&format!("[1] \"prompt_tokens\": {PROMPT_TOKENS}"), Err("the answer lacks the expected text"));
}

#[test]
fn a_reset_answer_is_a_new_one() {
    let (first, second) = (delta(Client::Chat, "@0:17@"), delta(Client::Chat, "@1:18@"));
    let mut answer = Answer::new(TWO, Client::Chat);
    answer.push(format!("{first}data: hal").as_bytes(), &mut |_| ());
    assert_eq!(answer.chunks(), 1);
    answer.reset();
    assert_eq!(answer.chunks(), 0);
    let end = end(Client::Chat, "").concat();
    answer.push(format!("{first}{second}{end}").as_bytes(), &mut |_| ());
    assert_eq!(answer.check(), Ok(()));
}
