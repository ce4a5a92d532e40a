#![allow(clippy::unwrap_used)]
use super::*;

fn read(expected: Expected, pieces: &[&str]) -> (Result<(), String>, Vec<u64>) {
    let (mut answer, mut times) = (Answer::new(expected), Vec::new());
    for piece in pieces {
        answer.push(piece.as_bytes(), &mut |sent_ns| times.push(sent_ns));
    }
    (answer.check(), times)
}

/// The same verdict must come of every cut of the text in two.
fn check(expected: Expected, text: &str, verdict: Result<(), &str>, times: &[u64]) {
    for at in 0..=text.len() {
        let (first, second) = text.split_at(at);
        let found = read(expected, &[first, second]);
        assert_eq!(found, (verdict.map_err(str::to_owned), times.to_vec()), "{at}");
    }
}

fn usage() -> String {
    format!(
        "data: {{\"usage\":{{\"prompt_tokens\":{PROMPT_TOKENS},\"completion_tokens\":{COMPLETION_TOKENS}}}}}\n\n"
    )
}

const TWO: Expected = Expected::Stream { chunks: 2 };

#[test]
fn a_right_stream() {
    let chunks = "event: x\ndata: {\"t\":\"a@0:17@ b\"}\r\n\r\ndata: {\"t\":\"@1:18@\"}\n\n: ping\n\n";
    check(TWO, &format!("{chunks}{}data: [DONE]\n\n", usage()), Ok(()), &[17, 18]);
    let one_event = "data: {\"t\":\"mail me @ home @0:17@ and @1:18@\"}\n\n";
    check(TWO, &format!("{one_event}{}data: [DONE]\n\n", usage()), Ok(()), &[17, 18]);
}

#[test]
fn wrong_streams() {
    let (first, second, done) = ("data: @0:17@\n\n", "data: @1:18@\n\n", "data: [DONE]\n\n");
    let usage = usage();
    check(TWO, &format!("{first}{usage}{done}"), Err("1 of 2 chunks"), &[17]);
    check(TWO, &format!("{second}{first}{usage}{done}"), Err("chunks out of order"), &[18, 17]);
    check(TWO, &format!("{first}{second}{done}"), Err("no usage in the stream"), &[17, 18]);
    check(TWO, &format!("{first}{second}{usage}"), Err("no [DONE]"), &[17, 18]);
    check(
        TWO,
        &format!("{first}{second}data: {{\"usage\":null}}\n\n{done}"),
        Err("no usage in the stream"),
        &[17, 18],
    );
}

#[test]
fn unary_answers() {
    let body = format!(
        "{{\"text\":\"{TEXT_END}\",\"usage\":{{\"prompt_tokens\": {PROMPT_TOKENS},\"c\":{COMPLETION_TOKENS}}}}}"
    );
    check(Expected::Chat, &body, Ok(()), &[]);
    check(Expected::Chat, &body.replace("whole", "hole"), Err("the answer lacks the expected text"), &[]);
    check(Expected::Chat, &body.replace("prompt_tokens", "input_tokens"), Err("the answer lacks usage"), &[]);
    check(Expected::Chat, &body.replace("60643", "1"), Err("the answer lacks the completion tokens"), &[]);
    check(Expected::Embedding, &body, Err("the answer lacks the expected text"), &[]);
    let body = format!("[1, {EMBEDDING_END}] \"prompt_tokens\": {PROMPT_TOKENS}");
    check(Expected::Embedding, &body, Ok(()), &[]);
}

#[test]
fn a_reset_answer_is_a_new_one() {
    let mut answer = Answer::new(TWO);
    answer.push(b"data: @0:17@\n\ndata: hal", &mut |_| ());
    assert_eq!(answer.chunks(), 1);
    answer.reset();
    assert_eq!(answer.chunks(), 0);
    answer.push(format!("data: @0:1@\n\ndata: @1:2@\n\n{}data: [DONE]\n\n", usage()).as_bytes(), &mut |_| ());
    assert_eq!(answer.check(), Ok(()));
}
