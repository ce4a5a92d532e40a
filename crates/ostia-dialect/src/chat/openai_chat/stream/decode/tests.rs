#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod calls;

use serde_json::{Value, json};

use crate::test_support::{self, fold, read_cut};
use crate::{Dialect, Event, Fault, FaultKind, Finish};

const DONE: &str = "data: [DONE]\n\n";

/// The events of a stream, as far as it is good, and how it ended.
fn read(stream: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    test_support::read(Dialect::OpenaiChat, &[stream])
}

fn frames(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

/// A chunk of one choice.
fn chunk(index: u32, delta: Value, finish: Option<&str>) -> Value {
    json!({"id": "a", "object": "chat.completion.chunk", "created": 5, "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}]})
}

fn end(finish: &str) -> Value {
    chunk(0, json!({}), Some(finish))
}

/// A stream, cut anywhere, says the same as the unary answer with these choices and fields.
#[track_caller]
fn check(stream: &str, choices: Value, fields: Value) {
    let mut unary =
        json!({"id": "a", "object": "chat.completion", "created": 5, "model": "m", "choices": choices});
    for (name, field) in fields.as_object().unwrap() {
        unary[name] = field.clone();
    }
    let expected = Dialect::OpenaiChat.decode(unary.to_string().as_bytes()).unwrap();
    let (events, ended) = read_cut(Dialect::OpenaiChat, stream.as_bytes());
    ended.unwrap();
    assert_eq!(fold(&events), expected);
    let crlf = stream.replace('\n', "\r\n");
    assert_eq!(read(crlf.as_bytes()), (events, Ok(())));
}

/// Deltas of one choice say the same as this message.
#[track_caller]
fn check_deltas(deltas: &[Value], finish: &str, message: Value) {
    let mut chunks: Vec<Value> = deltas.iter().map(|delta| chunk(0, delta.clone(), None)).collect();
    chunks.push(end(finish));
    let choices = json!([{"index": 0, "message": message, "finish_reason": finish}]);
    check(&(frames(&chunks) + DONE), choices, json!({}));
}

#[test]
fn words() {
    let text = |text: &str| json!({"content": text});
    check_deltas(
        &[
            json!({"role": "assistant", "content": "", "refusal": null}),
            text("Grü"),
            text("ße \n"),
            json!({}),
        ],
        "stop",
        text("Grüße \n"),
    );
    check_deltas(&[json!({"role": "assistant"})], "length", json!({"content": null}));
    check_deltas(&[json!({"refusal": "n"}), json!({"refusal": "o"})], "stop", json!({"refusal": "no"}));
    for name in ["reasoning", "reasoning_content"] {
        let thoughts =
            [json!({name: "r"}), json!({name: "s", "content": null}), json!({"content": "x", name: ""})];
        check_deltas(&thoughts, "stop", json!({"reasoning": "rs", "content": "x"}));
    }
    let part =
        |text: &str| json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]});
    let message = json!({"content": [{"type": "thinking", "thinking": "rs"}, {"type": "text", "text": "x"}]});
    check_deltas(&[part("r"), part("s"), json!({"content": "x"})], "stop", message);
}

#[test]
fn sources_may_come_with_the_words_or_behind_them() {
    let note = json!({"type": "url_citation", "url_citation": {"url": "https://x", "title": "X", "start_index": 0, "end_index": 1}});
    let message = json!({"content": "xy", "annotations": [note]});
    check_deltas(
        &[json!({"content": "x"}), json!({"content": "y", "annotations": [note]})],
        "stop",
        message.clone(),
    );
    check_deltas(&[json!({"content": "xy"}), json!({"annotations": [note]})], "stop", message.clone());
    check_deltas(
        &[json!({"content": "xy", "annotations": []}), json!({"annotations": [note]})],
        "stop",
        message,
    );
}

/// A piece of a call.
fn piece(index: Option<u32>, id: Option<&str>, name: Option<&str>, arguments: &str) -> Value {
    json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

#[test]
fn calls() {
    let two = json!({"tool_calls": [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]});
    let pieces = [
        piece(Some(0), Some("a"), Some("f"), ""),
        piece(Some(0), None, None, "{\"x\":"),
        piece(Some(0), None, None, "1}"),
        piece(Some(1), Some("b"), Some("g"), "{}"),
    ];
    check_deltas(&pieces, "tool_calls", two.clone());
    // Whole calls in one delta, each with index 0 or with none (Groq, Mistral, Ollama).
    for index in [Some(0), None] {
        let whole =
            [piece(index, Some("a"), Some("f"), "{\"x\":1}"), piece(index, Some("b"), Some("g"), "{}")];
        check_deltas(&whole, "tool_calls", two.clone());
    }
    let mut both = piece(Some(0), Some("a"), Some("f"), "{\"x\":1}");
    let second = piece(Some(1), Some("b"), Some("g"), "{}")["tool_calls"][0].clone();
    both["tool_calls"].as_array_mut().unwrap().push(second);
    check_deltas(&[both], "tool_calls", two);
    // Later pieces with an empty name, or with id and name once more.
    let one = json!({"content": "x", "tool_calls": [call("a", "f", "{}")]});
    for (id, name) in [(Some(""), Some("")), (Some("a"), Some("f")), (None, Some(""))] {
        let pieces = [
            json!({"content": "x"}),
            piece(Some(0), Some("a"), Some("f"), "{"),
            piece(Some(0), id, name, "}"),
        ];
        check_deltas(&pieces, "tool_calls", one.clone());
    }
    // Arguments that the token limit cut off stay as they are.
    let cut = json!({"tool_calls": [call("a", "f", "{\"x")]});
    check_deltas(&[piece(Some(0), Some("a"), Some("f"), "{\"x")], "length", cut);
}

#[test]
fn other_kinds_of_calls() {
    let legacy = |name: Option<&str>, arguments: &str| json!({"function_call": {"name": name, "arguments": arguments}});
    let deltas = [legacy(Some("f"), ""), legacy(None, "{"), legacy(None, "}")];
    check_deltas(&deltas, "function_call", legacy(Some("f"), "{}"));
    let custom = |id: Option<&str>, name: Option<&str>, input: &str| json!({"tool_calls": [{"index": 0, "id": id, "type": "custom", "custom": {"name": name, "input": input}}]});
    check_deltas(
        &[custom(Some("a"), Some("f"), "fr"), custom(None, None, "ee")],
        "tool_calls",
        custom(Some("a"), Some("f"), "free"),
    );
    let object = json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}]});
    check_deltas(std::slice::from_ref(&object), "tool_calls", object.clone());
    // Google's signature may come with the call or behind it.
    let signature = json!({"google": {"thought_signature": "s"}});
    let mut signed = piece(Some(0), Some("a"), Some("f"), "{}");
    signed["tool_calls"][0]["extra_content"] = signature.clone();
    check_deltas(std::slice::from_ref(&signed), "tool_calls", signed.clone());
    for late in
        [json!({"extra_content": signature, "function": {}}), json!({"index": 0, "extra_content": signature})]
    {
        let late = json!({"tool_calls": [late]});
        check_deltas(&[piece(Some(0), Some("a"), Some("f"), "{}"), late], "tool_calls", signed.clone());
    }
}

#[test]
fn empty_shells_are_no_calls() {
    let shell = json!({"content": "x", "function_call": {"name": "", "arguments": ""},
        "tool_calls": [{"id": "", "type": "", "function": {"name": "", "arguments": ""}}]});
    check_deltas(std::slice::from_ref(&shell), "stop", shell.clone());
}

#[test]
fn choices_may_come_in_turns() {
    let text = |text: &str| json!({"content": text});
    let stream = frames(&[
        chunk(0, json!({"role": "assistant"}), None),
        chunk(1, json!({"role": "assistant"}), None),
        chunk(1, text("b"), None),
        chunk(0, text("a"), None),
        chunk(1, text("B"), Some("length")),
        chunk(0, text("A"), Some("stop")),
    ]) + DONE;
    let choices = json!([{"index": 0, "message": text("aA"), "finish_reason": "stop"},
        {"index": 1, "message": text("bB"), "finish_reason": "length"}]);
    check(&stream, choices.clone(), json!({}));
    let mut both = chunk(0, text("aA"), Some("stop"));
    let second = chunk(1, text("bB"), Some("length"))["choices"][0].clone();
    both["choices"].as_array_mut().unwrap().push(second);
    check(&(frames(&[both]) + DONE), choices, json!({}));
}

#[test]
fn facts_beside_the_words() {
    let usage =
        |prompt: u64| json!({"prompt_tokens": prompt, "completion_tokens": 2, "total_tokens": prompt + 2});
    let logprobs = |token: &str| json!({"content": [{"token": token, "logprob": -1}]});
    let mut first = chunk(0, json!({"content": "a"}), None);
    first["choices"][0]["logprobs"] = logprobs("a");
    first["usage"] = usage(1);
    first["service_tier"] = json!("flex");
    let mut last = chunk(0, json!({"content": "b"}), Some("stop"));
    last["choices"][0]["logprobs"] = logprobs("b");
    last["choices"][0]["seed"] = json!(4);
    last["system_fingerprint"] = json!("fp");
    last["obfuscation"] = json!("xxxx");
    let only_usage = json!({"id": "a", "choices": [], "usage": usage(3), "citations": ["https://x"]});
    let choices = json!([{"index": 0, "message": {"content": "ab"}, "finish_reason": "stop", "seed": 4,
        "logprobs": {"content": [logprobs("a")["content"][0], logprobs("b")["content"][0]]}}]);
    let facts = json!({"usage": usage(3), "service_tier": "flex", "system_fingerprint": "fp", "citations": ["https://x"]});
    check(&(frames(&[first.clone(), last.clone(), only_usage]) + DONE), choices.clone(), facts.clone());
    let mut groq = last;
    groq["x_groq"] = json!({"id": "r", "usage": usage(3)});
    groq["citations"] = json!(["https://x"]);
    check(&frames(&[first, groq]), choices, facts);
}

#[test]
fn the_first_chunk_may_tell_only_facts() {
    let early = json!({"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]});
    let choices = json!([{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}]);
    let stream = frames(&[early, chunk(0, json!({"content": "x"}), None), end("stop")]) + DONE;
    check(&stream, choices, json!({"prompt_filter_results": [{"prompt_index": 0}]}));
}

#[test]
fn the_message_so_far_beside_the_delta_is_not_new() {
    let both = |delta: &str, message: &str, finish: Option<&str>| {
        let mut chunk = chunk(0, json!({"content": delta}), finish);
        chunk["choices"][0]["message"] = json!({"role": "assistant", "content": message});
        chunk
    };
    let choices = json!([{"index": 0, "message": {"content": "ab"}, "finish_reason": "stop"}]);
    check(&frames(&[both("a", "a", None), both("b", "ab", Some("stop"))]), choices, json!({}));
}

#[test]
fn ends() {
    let choices =
        |finish: Option<&str>| json!([{"index": 0, "message": {"content": "x"}, "finish_reason": finish}]);
    let words = chunk(0, json!({"content": "x"}), None);
    let whole = frames(&[words.clone(), end("eos_token")]);
    // No [DONE]; the last blank line missing; comments; no space behind the colon; chunks behind the end.
    check(&whole, choices(Some("eos_token")), json!({}));
    check(whole.trim_end(), choices(Some("eos_token")), json!({}));
    check(&format!(": hi\n\n{whole}: bye\n\n{DONE}"), choices(Some("eos_token")), json!({}));
    check(&whole.replace("data: ", "data:"), choices(Some("eos_token")), json!({}));
    let late = chunk(0, json!({"content": "late"}), None);
    check(
        &(whole.clone() + &frames(std::slice::from_ref(&late)) + DONE),
        choices(Some("eos_token")),
        json!({}),
    );
    check(&(whole + DONE + &frames(&[late])), choices(Some("eos_token")), json!({}));
    // [DONE] without a reason (Snowflake, LiteLLM).
    check(&(frames(std::slice::from_ref(&words)) + DONE), choices(None), json!({}));
    let mut unsaid = words;
    unsaid["choices"][0]["finish_reason"] = json!("");
    check(&(frames(&[unsaid]) + DONE), choices(Some("")), json!({}));
}

#[test]
fn calls_without_a_reason_wait_for_results() {
    let (events, ended) =
        read((frames(&[chunk(0, piece(None, Some("a"), Some("f"), "{}"), None)]) + DONE).as_bytes());
    ended.unwrap();
    assert_eq!(fold(&events).choices[0].finish, Finish::ToolCalls);
}

#[track_caller]
fn fails(stream: &str) -> Fault {
    let (events, ended) = read_cut(Dialect::OpenaiChat, stream.as_bytes());
    assert!(!events.contains(&Event::Finish));
    ended.unwrap_err()
}

#[test]
fn broken_streams_are_faults() {
    let words = frames(&[chunk(0, json!({"content": "x"}), None)]);
    let broken = |stream: &str, message: &str| {
        let fault = fails(stream);
        assert_eq!((fault.kind, fault.status), (FaultKind::Upstream, 502), "{stream}");
        assert!(fault.message.contains(message), "{fault}");
    };
    broken("", "before the answer was whole");
    broken(DONE, "before the answer was whole");
    broken(&words, "before the answer was whole");
    let other = frames(&[chunk(1, json!({"content": "x"}), Some("stop"))]);
    broken(&(words.clone() + &other), "before the answer was whole");
    broken(&(words.clone() + "data: {\"choices\n\n"), "not valid JSON");
    broken(&(words.clone() + &frames(&[chunk(0, piece(Some(2), None, None, "{"), None)])), "not open");
    let many: Vec<Value> = (0..300).map(|index| chunk(index, json!({}), Some("stop"))).collect();
    let (_, ended) = read(frames(&many).as_bytes());
    assert!(ended.unwrap_err().message.contains("256 choices"));
}

#[test]
fn errors_in_a_stream_keep_what_the_upstream_said() {
    let words = frames(&[chunk(0, json!({"content": "x"}), None)]);
    let error = json!({"error": {"message": "did not call", "type": "invalid_request_error", "code": "tool_use_failed"}});
    let fault = fails(&format!("{words}event: error\ndata: {error}\n\n"));
    assert_eq!((fault.message.as_str(), fault.status), ("did not call", 400));
    assert_eq!(fault.vendor_type.as_deref(), Some("invalid_request_error"));
    assert_eq!(fault.code.as_deref(), Some("tool_use_failed"));
    let limited = fails(&frames(&[json!({"error": {"message": "slow down", "code": 429}})]));
    assert_eq!((limited.kind, limited.status), (FaultKind::RateLimit, 429));
    assert_eq!(fails(&frames(&[json!({"error": "plain"})])).message, "plain");
    let minimax = fails(&frames(&[
        json!({"choices": null, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
    ]));
    assert_eq!((minimax.kind, minimax.code.as_deref()), (FaultKind::Quota, Some("1008")));
    let fine = json!({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}], "base_resp": {"status_code": 0, "status_msg": ""}});
    assert!(read(frames(&[fine]).as_bytes()).1.is_ok());
    assert_eq!(fails(&frames(&[json!({"error": {}})])).kind, FaultKind::Upstream);
    let null =
        frames(&[json!({"error": null, "choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]})]);
    assert!(read(null.as_bytes()).1.is_ok());
}
