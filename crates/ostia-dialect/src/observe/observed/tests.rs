#![allow(clippy::unwrap_used)]

use super::{Observed, Subject};
use crate::frame::Grammar;
use crate::{Delta, Dialect, Event, Finish};

/// What a whole body tells: tokens of the prompt and the completion, those from the cache, and the reason to end.
#[track_caller]
fn check(grammar: Grammar, body: &str, usage: Option<(u64, u64, Option<u64>)>, finish: Option<Finish>) {
    let observed = Observed::of_body(Subject::of_grammar(grammar), body.as_bytes());
    let counts = observed.count.usage().map(|usage| (usage.prompt, usage.completion, usage.cached));
    assert_eq!((counts, observed.finish), (usage, finish), "{body}");
    let dialect = match grammar {
        Grammar::OpenaiChat => Dialect::OpenaiChat,
        Grammar::OpenaiResponses => Dialect::OpenaiResponses,
        Grammar::AnthropicMessages => Dialect::AnthropicMessages,
        Grammar::GeminiGenerate => Dialect::GeminiGenerate,
        Grammar::OpenaiCompletions | Grammar::Unknown => return,
    };
    // What a translation reads of it is the same.
    if let Ok(response) = dialect.decode(body.as_bytes()) {
        let read = Observed { said_bytes: observed.said_bytes, ..Observed::of_response(&response) };
        assert_eq!(read, observed, "{body}");
    }
}

#[test]
fn whole_bodies() {
    let (chat, stop) = (Grammar::OpenaiChat, Some(Finish::Stop));
    check(
        chat,
        r#"{"choices":[{"index":0,"message":{"content":"\"usage\":{\"prompt_tokens\":1}"},"finish_reason" : "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}}"#,
        Some((10, 4, Some(8))),
        stop,
    );
    check(
        chat,
        r#"{"choices":[{"message":{"content":"a"},"finish_reason":"length"}],"usage":null}"#,
        None,
        Some(Finish::Length),
    );
    check(
        chat,
        r#"{"choices":[{"message":{"content":"a"},"finish_reason":"length"}]"#,
        None,
        Some(Finish::Length),
    );
    check(chat, "", None, None);
    check(
        Grammar::AnthropicMessages,
        r#"{"content":[{"type":"tool_use","id":"t","name":"f","input":{"usage":{"input_tokens":1}}}],"stop_reason":"tool_use",
            "usage":{"input_tokens":5,"cache_read_input_tokens":20,"output_tokens":3}}"#,
        Some((25, 3, Some(20))),
        Some(Finish::ToolCalls),
    );
    check(
        Grammar::OpenaiResponses,
        r#"{"object":"response","status":"completed","incomplete_details":null,"output":[{"type":"message","content":[]}],
            "usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":2},"output_tokens":3}}"#,
        Some((5, 3, Some(2))),
        stop,
    );
    check(
        Grammar::OpenaiResponses,
        r#"{"object":"response","status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}"#,
        None,
        Some(Finish::ContentFilter),
    );
    check(
        Grammar::GeminiGenerate,
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}],"usageMetadata":
            {"promptTokenCount":3,"candidatesTokenCount":2,"promptTokensDetails":[{"modality":"TEXT","tokenCount":3}]}}"#,
        Some((3, 2, None)),
        Some(Finish::Length),
    );
}

#[test]
fn a_total_alone_counts_where_nothing_is_written() {
    let body = r#"{"data":[],"usage":{"total_tokens":43}}"#;
    check(Grammar::Unknown, body, Some((43, 0, None)), None);
    check(Grammar::OpenaiChat, body, None, None);
}

#[test]
fn the_outermost_count_holds() {
    let parts = r#"{"models":[{"text":"}}]\"","usage":{"prompt_tokens":2,"completion_tokens":2}},{"usage":{"prompt_tokens":3,"completion_tokens":3}}]}"#;
    let counts = r#""usage":{"prompt_tokens":5,"completion_tokens":5}"#;
    let choices = r#""choices":[{"message":{"content":"a"},"finish_reason":"stop"}]"#;
    for body in [
        format!(r#"{{{choices},{counts},"usage_breakdown":{parts}}}"#),
        format!(r#"{{"usage_breakdown":{parts},{counts},{choices}}}"#),
    ] {
        check(Grammar::OpenaiChat, &body, Some((5, 5, None)), Some(Finish::Stop));
    }
}

#[test]
fn whole_bodies_with_calls() {
    let calls = Some(Finish::ToolCalls);
    let call = r#"{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}"#;
    let chat =
        format!(r#"{{"choices":[{{"message":{{"tool_calls": [ {call} ]}},"finish_reason":"stop"}}]}}"#);
    check(Grammar::OpenaiChat, &chat, None, calls);
    let none = r#"{"choices":[{"message":{"content":"a","tool_calls":[]},"finish_reason":"stop"}]}"#;
    check(Grammar::OpenaiChat, none, None, Some(Finish::Stop));
    check(
        Grammar::OpenaiResponses,
        r#"{"output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}","status":"completed"}],"status":"completed"}"#,
        None,
        calls,
    );
    check(
        Grammar::GeminiGenerate,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
        None,
        calls,
    );
    check(
        Grammar::GeminiGenerate,
        r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#,
        None,
        Some(Finish::ContentFilter),
    );
}

#[test]
fn whole_bodies_of_no_conversation() {
    let other = |body: &str, usage| check(Grammar::Unknown, body, usage, None);
    other(
        r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        Some((8, 0, None)),
    );
    other(r#"{"data":[],"usage":{"input_tokens":9,"output_tokens":1056}}"#, Some((9, 1056, None)));
    // Seconds are no tokens, and a count all the same.
    other(r#"{"usage":{"type":"duration","seconds":3}}"#, Some((0, 0, None)));
    other(&format!(r#"{{"usage":{{"input_tokens":1,"x":"{}"}}}}"#, "y".repeat(40_000)), None);
}

#[test]
fn what_is_held_back_is_not_said() {
    let mut observed = Observed::default();
    let word = |text: &str| Event::Delta { choice: 0, delta: Delta::Text(text.to_owned()) };
    for (event, is_sent, expected) in
        [(word(""), true, false), (word("a"), false, false), (Event::BlockEnd { choice: 0 }, true, true)]
    {
        observed.event(&event, is_sent);
        assert_eq!(observed.first_token, expected, "{event:?}");
    }
}
