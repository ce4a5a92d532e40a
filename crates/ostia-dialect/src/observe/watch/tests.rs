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

/// What passes of an array in these pieces, what is held back, why it cannot go on, and how it ends.
fn pass_array<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (String, String, Option<String>, Result<bool, ()>) {
    let (mut watch, mut passed, mut rest) =
        (Watch::of_array(Grammar::GeminiGenerate), Vec::new(), Vec::new());
    let mut fault = None;
    for piece in pieces {
        rest.extend_from_slice(piece);
        match watch.scan(&rest) {
            Ok(whole) => passed.extend(rest.drain(..whole)),
            Err(told) => fault = Some(told.message),
        }
    }
    let ending = watch.ending(&rest).map(|ending| ending.rest_counts && !ending.add_done).map_err(|_| ());
    assert_eq!(watch.ended(), ending.is_ok());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(passed), text(rest), fault, ending)
}

/// The bytes before `held_back` pass, in every split.
#[track_caller]
fn check_array(text: &str, held_back: &str, is_whole: bool) {
    let bytes = text.as_bytes();
    let passed = text.strip_suffix(held_back).unwrap();
    let expected = (passed.to_owned(), held_back.to_owned(), None, if is_whole { Ok(true) } else { Err(()) });
    for cut in 0..=bytes.len() {
        assert_eq!(pass_array([&bytes[..cut], &bytes[cut..]]), expected, "{text:?} cut at {cut}");
    }
    assert_eq!(pass_array(bytes.chunks(1)), expected, "{text:?} byte by byte");
}

#[test]
fn arrays() {
    let word = r#"{"candidates":[{"content":{"parts":[{"text":"a\"finishReason\":\"STOP\" ]"}]}}]}"#;
    let stop = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    let error = r#"{"error":{"code":503,"message":"busy"}}"#;
    check_array(&format!("[{word}\n,\r\n{stop}\n]\n"), "\n]\n", true);
    check_array(&format!(" [ {stop}]"), "]", true);
    check_array(&format!("[{stop},{{}}]"), "]", true);
    check_array(&format!("[{blocked}]"), "]", true);
    check_array(&format!("[{word},{error}]"), "]", true);
    // What ends before it is whole, and where one more element can still tell it.
    check_array(&format!("[{word},{word}]"), "]", false);
    check_array(&format!("[{word},{stop}"), "", false);
    check_array(&format!("[{word},{stop},{{\"cand"), ",{\"cand", false);
    check_array(&format!("[{word},"), ",", false);
    check_array("[]", "[]", false);
    check_array("", "", false);
    // What stands behind the array passes with its end.
    check_array(&format!("[{stop}] x []"), "] x []", true);
}

#[test]
fn what_is_no_array_passes_as_far_as_it_is_one() {
    for (text, passes, why) in [
        ("{\"error\":{}}", 0, "does not begin"),
        ("data: {}\n\n", 0, "does not begin"),
        ("[{} {}]", 3, "neither `,` nor `]`"),
        ("[{},]", 3, "no value"),
    ] {
        let (passed, rest, fault, ending) = pass_array(text.as_bytes().chunks(1));
        assert_eq!((passed.as_str(), rest.as_str()), text.split_at(passes), "{text}");
        assert!(fault.unwrap().contains(why) && ending.is_err(), "{text}");
        let (at_once, ..) = pass_array([text.as_bytes()]);
        assert_eq!(at_once, passed, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_of_an_array_pass_in_any_pieces(
        bytes in prop::collection::vec(prop::sample::select(b"[[]{}{},,\"\\ \n1n".to_vec()), 0..120),
        size in 1usize..9,
    ) {
        let bytes = [b"[", bytes.as_slice()].concat();
        let (passed, rest, _, ending) = pass_array(bytes.chunks(size));
        prop_assert_eq!([passed.as_bytes(), rest.as_bytes()].concat(), bytes.clone());
        let (at_once, _, _, ending_at_once) = pass_array([bytes.as_slice()]);
        prop_assert_eq!((at_once, ending_at_once), (passed, ending));
    }

    #[test]
    fn any_bytes_pass_in_any_pieces(bytes in prop::collection::vec(prop::sample::select(b"data: {\"error\n\r\n}[DONE]".to_vec()), 0..120),
        size in 1usize..9) {
        let (passed, rest, ending) = pass(Grammar::OpenaiChat, bytes.chunks(size));
        prop_assert_eq!([passed, rest].concat(), bytes.clone());
        prop_assert_eq!(pass(Grammar::OpenaiChat, [bytes.as_slice()]).2, ending);
    }
}
