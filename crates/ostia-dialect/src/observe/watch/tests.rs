#![allow(clippy::unwrap_used)]

use super::Watch;
use crate::frame::Grammar;
use proptest::prelude::*;

/// Passes the bytes through in these pieces; gives what went on, what was held back and what the end means.
fn pass<'a>(
    grammar: Grammar,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Vec<u8>, Result<bool, ()>) {
    let (mut watch, mut passed, mut rest) = (Watch::new(grammar), Vec::new(), Vec::new());
    for piece in pieces {
        rest.extend_from_slice(piece);
        let whole = watch.scan(&rest).unwrap();
        passed.extend(rest.drain(..whole));
    }
    let ending = watch.ending(&rest).map(|ending| ending.add_done).map_err(|_| ());
    (passed, rest, ending)
}

fn check(grammar: Grammar, text: &str, held_back: &str, ending: Result<bool, ()>) {
    let bytes = text.as_bytes();
    let expected = (bytes[..bytes.len() - held_back.len()].to_vec(), held_back.as_bytes().to_vec(), ending);
    for cut in 0..=bytes.len() {
        assert_eq!(pass(grammar, [&bytes[..cut], &bytes[cut..]]), expected, "{text:?} cut at {cut}");
    }
    assert_eq!(pass(grammar, bytes.chunks(1)), expected, "{text:?} byte by byte");
}

#[test]
fn chat_streams() {
    let finish = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let open =
        r#"data: {"choices":[{"delta":{"content":"\"finish_reason\":\"stop\""},"finish_reason":null}]}"#;
    let error = r#"data: {"error":{"message":"broken"}}"#;
    check(Grammar::OpenaiChat, &format!("{open}\n\n{finish}\n\ndata: [DONE]\n\n"), "", Ok(false));
    check(Grammar::OpenaiChat, &format!("{finish}\r\n\r\ndata: [DONE]\r\n\r\n"), "", Ok(false));
    check(Grammar::OpenaiChat, &format!("{finish}\n\n: bye\n\n"), "", Ok(true));
    check(Grammar::OpenaiChat, &format!("{open}\n\n"), "", Err(()));
    // A comment between two events goes on at once; one inside an event waits for its end.
    check(Grammar::OpenaiChat, ": alive\n:\n", "", Err(()));
    check(Grammar::OpenaiChat, &format!("{open}\n\n: alive\r\n"), "", Err(()));
    check(Grammar::OpenaiChat, ": a\nid: 1\n: b\n", "id: 1\n: b\n", Err(()));
    check(Grammar::OpenaiChat, &format!("{open}\n\n{finish}"), finish, Ok(true));
    check(Grammar::OpenaiChat, &format!("{open}\n\ndata: {{\"cho"), "data: {\"cho", Err(()));
    check(Grammar::OpenaiChat, &format!("{finish}\n\ndata: [DONE]"), "data: [DONE]", Ok(false));
    check(Grammar::OpenaiChat, &format!("{open}\n\n{error}\n\n"), "", Ok(false));
    check(Grammar::OpenaiChat, &format!("{open}\n\ndata: {{\"error\":\"busy\"}}\n\n"), "", Ok(false));
    check(Grammar::OpenaiChat, "", "", Err(()));
}

#[test]
fn half_an_event_at_the_end_is_not_passed_on() {
    let finish = r#"data: {"choices":[{"finish_reason":"stop"}]}"#;
    for (rest, counts) in
        [(finish, true), (&finish[..20], false), ("data: [DONE]", true), ("", true), (": bye", true)]
    {
        let mut watch = Watch::new(Grammar::OpenaiChat);
        watch.scan(format!("{finish}\n\n").as_bytes()).unwrap();
        assert_eq!(watch.ending(rest.as_bytes()).unwrap().rest_counts, counts, "{rest}");
    }
}

#[test]
fn typed_streams() {
    let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    check(Grammar::AnthropicMessages, stop, "", Ok(false));
    check(Grammar::AnthropicMessages, "event: ping\ndata: {\"type\": \"ping\"}\n\n", "", Err(()));
    let completed = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n";
    check(Grammar::OpenaiResponses, completed, "", Ok(false));
    let google = "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\r\n\r\n";
    check(Grammar::GeminiGenerate, google, "", Ok(false));
    check(
        Grammar::GeminiGenerate,
        "data: {\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}\n\n",
        "",
        Ok(false),
    );
    check(Grammar::GeminiGenerate, "data: {\"candidates\": [{\"index\": 0}]}\n\n", "", Err(()));
    let late = format!(
        "data: {{\"response\":{{\"error\":null,\"x\":\"{}\"}},\"type\":\"response.completed\"}}\n\n",
        "y".repeat(400)
    );
    check(Grammar::OpenaiResponses, &late, "", Ok(false));
    check(Grammar::OpenaiResponses, "data: {\"type\":\"response.created\"}\n\n", "", Err(()));
}

#[test]
fn a_malformed_event_passes_and_is_noted() {
    let good = "data: {\"a\":1}\n\ndata: {\ndata: \"b\":2}\n\n: note\n\ndata: text\n\n";
    for (text, malformed) in
        [("", false), ("data: {\"a\":[1\n\ndata: {}\n\n", true), ("data: {\"a\":\ndata: 1\n\n", true)]
    {
        let whole = format!("{good}{text}");
        for split in 0..=whole.len() {
            let mut watch = Watch::new(Grammar::OpenaiChat);
            let first = watch.scan(&whole.as_bytes()[..split]).unwrap();
            let second = watch.scan(&whole.as_bytes()[first..]).unwrap();
            assert_eq!(
                (first + second, watch.is_malformed()),
                (whole.len(), malformed),
                "{whole:?} at {split}"
            );
        }
    }
}

#[test]
fn an_empty_finish_reason_is_none() {
    let event =
        |reason: &str| format!("data: {{\"choices\":[{{\"text\":\"a\",\"finish_reason\":{reason}}}]}}\n\n");
    for grammar in [Grammar::OpenaiChat, Grammar::OpenaiCompletions] {
        check(grammar, &event("\"\""), "", Err(()));
        check(grammar, &event(" \"\""), "", Err(()));
        check(grammar, &(event("\"\"") + &event("\"stop\"")), "", Ok(true));
    }
    check(Grammar::GeminiGenerate, "data: {\"candidates\":[{\"finishReason\":\"\"}]}\n\n", "", Err(()));
}

#[test]
fn streams_of_an_unknown_kind_end_as_they_end() {
    let other = "data: {\"value\":\"half\"}\n\n";
    check(Grammar::OpenaiCompletions, other, "", Ok(false));
    check(Grammar::Unknown, other, "", Ok(false));
    check(Grammar::Unknown, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", "", Ok(false));
    check(Grammar::Unknown, "data: a\n\ndata: b", "data: b", Ok(false));
    check(Grammar::OpenaiChat, other, "", Err(()));
    for grammar in [Grammar::OpenaiCompletions, Grammar::Unknown] {
        check(grammar, "", "", Err(()));
        check(grammar, ": ping\n\n", "", Err(()));
    }
}

proptest! {
    #[test]
    fn any_bytes_pass_in_any_pieces(bytes in prop::collection::vec(prop::sample::select(b"data: {\"error\n\r\n}[DONE]".to_vec()), 0..120),
        size in 1usize..9) {
        let (passed, rest, ending) = pass(Grammar::OpenaiChat, bytes.chunks(size));
        prop_assert_eq!([passed, rest].concat(), bytes.clone());
        prop_assert_eq!(pass(Grammar::OpenaiChat, [bytes.as_slice()]).2, ending);
    }
}
