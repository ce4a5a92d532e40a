#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::frame::Grammar;
use crate::frame::is_ping;
use crate::frame::{Framer, Framing};
use crate::observe::Watch;
use crate::{Decoder, Dialect, Finish, Observed, Usage};

const ROLE: &str =
    r#"data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}"#;
const WORD: &str =
    r#"data: {"id":"1","choices":[{"index":0,"delta":{"content":"a \"usage\":{}"}}],"usage":null}"#;
const CALL: &str = r#"data: {"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}"#;
const MORE: &str = r#"data: {"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}"#;
const STOP: &str = r#"data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const COUNTED: &str = r#"data: {"id":"1","choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#;
const USAGE: &str = r#"data: {"id":"1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9}}"#;
const GROQ: &str = r#"data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"length"}],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":1}}}"#;
const DONE: &str = "data: [DONE]";

/// What a relay observes of a stream that comes in these pieces; `is_over`: it is closed behind them.
fn relayed<'b>(grammar: Grammar, pieces: impl IntoIterator<Item = &'b [u8]>, is_over: bool) -> Observed {
    watched(Watch::new(grammar), pieces, is_over)
}

fn watched<'b>(mut watch: Watch, pieces: impl IntoIterator<Item = &'b [u8]>, is_over: bool) -> Observed {
    let mut rest = Vec::new();
    for piece in pieces {
        rest.extend_from_slice(piece);
        let whole = watch.scan(&rest).unwrap();
        rest.drain(..whole);
    }
    if is_over {
        let _ = watch.ending(&rest);
    }
    watch.observed().clone()
}

/// What a translation of the same stream observes, unless it fails.
fn translated(dialect: Dialect, bytes: &[u8], is_over: bool) -> Option<Observed> {
    let (mut framer, mut decoder, mut events) =
        (Framer::new(Framing::Sse), Decoder::new(dialect), Vec::new());
    let mut observed = Observed::default();
    framer.push(bytes);
    while let Some(frame) = framer.next().unwrap() {
        if !is_ping(&frame) {
            decoder.push(frame, &mut events).ok()?;
        }
    }
    if is_over {
        decoder.finish(&mut events).ok()?;
    }
    events.iter().for_each(|event| observed.event(event, true));
    Some(observed)
}

fn grammar(dialect: Dialect) -> Grammar {
    match dialect {
        Dialect::OpenaiChat => Grammar::OpenaiChat,
        Dialect::OpenaiResponses => Grammar::OpenaiResponses,
        Dialect::AnthropicMessages => Grammar::AnthropicMessages,
        Dialect::GeminiGenerate => Grammar::GeminiGenerate,
        Dialect::CohereChat | Dialect::BedrockConverse | Dialect::OllamaChat | Dialect::ReplicateText => {
            Grammar::Unknown
        }
    }
}

fn stream(events: &[&str]) -> Vec<u8> {
    events.iter().flat_map(|event| [event.as_bytes(), b"\n\n"]).flatten().copied().collect()
}

/// A stream of these events tells these numbers of tokens and this reason, and `first` events of it tell no first token: in
/// every split, and to a relay as to a translation.
fn check(
    dialect: Dialect,
    events: &[&str],
    first: usize,
    tokens: Option<(u64, u64)>,
    finish: Option<Finish>,
) {
    let (bytes, grammar) = (stream(events), grammar(dialect));
    let usage = tokens.map(|(prompt, completion)| Usage { prompt, completion, ..Usage::default() });
    for split in 0..=bytes.len() {
        let observed = relayed(grammar, [&bytes[..split], &bytes[split..]], true);
        let counts =
            observed.count.usage().map(|usage| Usage { total: None, cached: None, reasoning: None, ..usage });
        assert_eq!((counts, observed.finish), (usage, finish), "{events:?} at {split}");
        assert!(observed.first_token && observed.fault.is_none(), "{events:?} at {split}: {observed:?}");
    }
    let (relayed_whole, translated_whole) =
        (relayed(grammar, [&*bytes], true), translated(dialect, &bytes, true).unwrap());
    assert_eq!(facts(&relayed_whole), facts(&translated_whole), "{events:?}");
    for count in 0..=events.len() {
        let beginning = stream(&events[..count]);
        let observed = relayed(grammar, [&*beginning], false);
        assert_eq!(observed.first_token, count > first, "{count} of {events:?}");
        assert_eq!(
            translated(dialect, &beginning, false).unwrap().first_token,
            count > first,
            "{count} of {events:?}"
        );
    }
}

fn facts(observed: &Observed) -> (bool, Option<Usage>, Option<Finish>) {
    (observed.first_token, observed.count.usage(), observed.finish)
}

#[test]
fn chat() {
    let stop = Some(Finish::Stop);
    let chat = |events: &[&str], first, tokens, finish| {
        check(Dialect::OpenaiChat, events, first, tokens, finish);
    };
    chat(&[ROLE, WORD, WORD, STOP, USAGE, DONE], 1, Some((7, 9)), stop);
    chat(&[ROLE, ": ping", WORD, STOP, DONE], 2, None, stop);
    // The last count holds, before an end or behind it.
    chat(&[ROLE, COUNTED, COUNTED, STOP, USAGE], 1, Some((7, 9)), stop);
    chat(&[ROLE, WORD, COUNTED, WORD, STOP, DONE], 1, Some((7, 2)), stop);
    chat(&[WORD, GROQ], 0, Some((1, 1)), Some(Finish::Length));
    // A call behind the first words is a reason to end.
    chat(&[ROLE, WORD, CALL, MORE, STOP, DONE], 1, None, Some(Finish::ToolCalls));
    chat(&[ROLE, CALL, MORE, MORE, STOP, USAGE], 1, Some((7, 9)), Some(Finish::ToolCalls));
}

#[test]
fn messages() {
    let start = r#"data: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":5,"output_tokens":1}}}"#;
    let open = r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let word = r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#;
    let named = format!("event: content_block_delta\n{word}");
    let close = r#"data: {"type":"content_block_stop","index":0}"#;
    let call = r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
    let input = r#"data: {"index":1,"delta":{"type":"input_json_delta","partial_json":"{}"},"type":"content_block_delta"}"#;
    let closed = r#"data: {"type":"content_block_stop","index":1}"#;
    let delta = |reason: &str| {
        format!(
            r#"data: {{"type":"message_delta","delta":{{"stop_reason":"{reason}"}},"usage":{{"output_tokens":30}}}}"#
        )
    };
    let (stop, ping) = (r#"data: {"type":"message_stop"}"#, "event: ping\ndata: {\"type\": \"ping\"}");
    let ended = delta("max_tokens");
    let events = [start, open, ping, word, &named, word, close, &ended, stop];
    check(Dialect::AnthropicMessages, &events, 3, Some((5, 30)), Some(Finish::Length));
    let called = delta("tool_use");
    let events = [start, open, word, close, call, input, closed, &called, stop];
    check(Dialect::AnthropicMessages, &events, 2, Some((5, 30)), Some(Finish::ToolCalls));
    let pings = relayed(Grammar::AnthropicMessages, [&*stream(&[start, ping, ": here", open])], false).pings;
    assert!(pings >= 2, "{pings}");
}

#[test]
fn responses() {
    let begin = r#"data: {"type":"response.created","response":{"id":"r","status":"in_progress"}}"#;
    let item = r#"data: {"type":"response.output_item.added","output_index":0,"item":{"id":"i","type":"message","content":[]}}"#;
    let word =
        r#"data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}"#;
    let named = format!("event: response.output_text.delta\n{word}");
    let call = r#"data: {"type":"response.output_item.added","output_index":1,"item":{"id":"j","type":"function_call","call_id":"c","name":"f","arguments":""}}"#;
    let end = |output: &str| {
        format!(
            r#"data: {{"type":"response.completed","response":{{"id":"r","status":"completed","output":[{output}],"usage":{{"input_tokens":4,"output_tokens":6}}}}}}"#
        )
    };
    let text = r#"{"id":"i","type":"message","content":[{"type":"output_text","text":"aaa"}]}"#;
    let ended = end(text);
    let events = [begin, item, word, &named, word, &ended];
    check(Dialect::OpenaiResponses, &events, 2, Some((4, 6)), Some(Finish::Stop));
    let called = end(&format!(
        r#"{text},{{"id":"j","type":"function_call","call_id":"c","name":"f","arguments":"{{}}"}}"#
    ));
    let events = [begin, item, word, call, &called];
    check(Dialect::OpenaiResponses, &events, 2, Some((4, 6)), Some(Finish::ToolCalls));
}

#[test]
fn gemini() {
    let part = |part: &str, more: &str| {
        format!(
            r#"data: {{"candidates":[{{"content":{{"parts":[{part}]}}{more}}}],"usageMetadata":{{"promptTokenCount":3,"candidatesTokenCount":2}}}}"#
        )
    };
    let word = part(r#"{"text":"a"}"#, "");
    let call = part(r#"{"functionCall":{"name":"f","args":{}}}"#, "");
    let stop = part("", r#","finishReason":"STOP""#).replace("\":2", "\":8");
    let bare = r#"data: {"candidates":[{"finishReason":"MAX_TOKENS"}]}"#;
    let gemini = |events: &[&str], tokens, finish| {
        check(Dialect::GeminiGenerate, events, 0, Some(tokens), Some(finish));
    };
    gemini(&[&word, &word, &stop], (3, 8), Finish::Stop);
    gemini(&[&word, &word, bare], (3, 2), Finish::Length);
    gemini(&[&word, &call, &stop], (3, 8), Finish::ToolCalls);
}

#[test]
fn an_array_tells_what_the_same_events_do() {
    let part = |part: &str, more: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{part}]}}{more}}}],"usageMetadata":{{"promptTokenCount":3,"candidatesTokenCount":2}}}}"#
        )
    };
    let word = part(r#"{"text":"a ]\","}"#, "");
    let call = part(r#"{"functionCall":{"name":"f","args":{}}}"#, "");
    let stop = part("", r#","finishReason":"STOP""#);
    let grammar = Grammar::GeminiGenerate;
    for elements in [
        vec![&*word, &word, &stop],
        vec![&word, &call, &stop],
        vec![&word, &word],
        vec![&word, r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#],
        vec![r#"{"error":{"code":429,"message":"no quota"}}"#],
        vec![r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#],
        vec!["1"],
        vec![],
    ] {
        let array = format!("[{}\n]", elements.join("\n,\r\n"));
        let events: String = elements.iter().map(|element| format!("data: {element}\n\n")).collect();
        let expected = relayed(grammar, [events.as_bytes()], true);
        for split in 0..=array.len() {
            let (first, second) = array.as_bytes().split_at(split);
            let observed = watched(Watch::of_array(grammar), [first, second], true);
            assert_eq!(observed, expected, "{array} at {split}");
        }
    }
}

#[test]
fn what_is_no_conversation() {
    let other = |grammar, events: &[&str]| {
        let observed = relayed(grammar, [&*stream(events)], true);
        (
            observed.first_token,
            observed.count.usage().map(|usage| (usage.prompt, usage.completion)),
            observed.finish,
        )
    };
    let text = r#"data: {"choices":[{"text":"a","finish_reason":null}]}"#;
    let last = r#"data: {"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#;
    let completions = Grammar::OpenaiCompletions;
    assert_eq!(other(completions, &[text, text, last, DONE]), (true, Some((2, 3)), Some(Finish::Length)));
    assert_eq!(other(completions, &["data: {\"choices\":[]}"]), (false, None, None));
    let audio = r#"data: {"type":"speech.audio.delta","audio":"QQ=="}"#;
    let done = r#"data: {"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#;
    assert_eq!(other(Grammar::Unknown, &[audio, audio, done]), (true, Some((14, 101)), None));
}

#[test]
fn faults_before_the_first_token_and_errors_are_told() {
    let fault = |events: &[&str]| relayed(Grammar::OpenaiChat, [&*stream(events)], true).fault;
    let error = r#"data: {"error":{"message":"busy"}}"#;
    assert_eq!(fault(&[ROLE, error]).unwrap().message, "busy");
    assert_eq!(fault(&[ROLE, WORD, error]).unwrap().message, "busy");
    assert!(fault(&[ROLE, "data: {\"choices\":["]).is_some());
    assert!(fault(&[ROLE, WORD, "data: {\"choices\":["]).is_some());
    assert!(fault(&[ROLE, WORD, STOP]).is_none());
    assert!(relayed(Grammar::OpenaiCompletions, [&*stream(&[error])], true).fault.is_some());
}

proptest! {
    #[test]
    fn a_relay_observes_what_a_translation_does(
        chunks in prop::collection::vec(prop::sample::select(vec![ROLE, WORD, CALL, MORE, COUNTED, ": ping"]), 0..12),
        ends in prop::sample::select(vec![vec![STOP, USAGE, DONE], vec![GROQ], vec![STOP], vec![]]),
        size in 1usize..400,
    ) {
        let events: Vec<&str> = [ROLE].into_iter().chain(chunks).chain(ends).collect();
        let bytes = stream(&events);
        let observed = relayed(Grammar::OpenaiChat, bytes.chunks(size), true);
        if let Some(expected) = translated(Dialect::OpenaiChat, &bytes, true) {
            prop_assert_eq!(facts(&observed), facts(&expected), "{:?}", events);
        }
    }
}
