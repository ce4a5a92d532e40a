use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chunks, written};
use crate::chat::openai_chat::{request, response};
use crate::chat::repair;
use crate::test_support::{self, decoded, fold, options, raw, tell_apart, value};
use crate::{
    Block, Citation, ClientDialect, Content, Delta, Dialect, EncodeOptions, Event, Fault, Finish, Response,
    Signature, ToolKind, Usage,
};

/// A piece of an answer, and what comes behind its start.
type Piece = (Block, Vec<Delta>);

/// The events of a stream, as far as it is good, and how it ended.
fn read(stream: &[u8]) -> (Vec<Event>, Result<(), Fault>) {
    test_support::read(Dialect::OpenaiChat, &[stream])
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n{}é🦀]{1,3}"]
}

fn citation(at: u64) -> Citation {
    let value = format!(
        r#"{{"type":"url_citation","url_citation":{{"url":"u{at}","title":"t","start_index":{at},"end_index":{at}}}}}"#
    );
    Citation {
        url: Some(format!("u{at}")),
        title: Some("t".into()),
        start: Some(at),
        end: Some(at),
        value: Some(raw(&value)),
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let more = || prop::collection::vec(words(), 0..4);
    let deltas = |words: Vec<String>| words.into_iter().map(Delta::Text).collect::<Vec<_>>();
    let said = (words(), more(), prop::option::of(0..9_u64)).prop_map(move |(first, more, at)| {
        let mut all = deltas(more);
        all.extend(at.map(|at| Delta::Citation(citation(at))));
        (Block::text(first), all)
    });
    let thought = (words(), more())
        .prop_map(move |(first, more)| (Block::new(Content::Reasoning(first)), deltas(more)));
    let refused =
        (words(), more()).prop_map(move |(first, more)| (Block::new(Content::Refusal(first)), deltas(more)));
    let call = ("[a-z]{1,3}", "[a-z]{1,3}", more(), any::<bool>(), any::<bool>()).prop_map(
        |(id, name, more, custom, signed)| {
            let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
            let mut block = Block::new(Content::ToolCall { id, name, arguments: String::new(), kind });
            block.signature =
                signed.then(|| Signature { dialect: Dialect::GeminiGenerate, value: "s".into() });
            (block, more.into_iter().map(Delta::Arguments).collect())
        },
    );
    prop_oneof![said, thought, refused, call]
}

/// The events of one choice. Two neighbours of a kind are one block on this wire, so there are none.
fn choice(index: u32) -> impl Strategy<Value = Vec<Event>> {
    let finish =
        prop::sample::select(vec![Finish::Stop, Finish::Length, Finish::ContentFilter, Finish::ToolCalls]);
    let logprobs = prop::option::of(Just(raw(r#"{"content":[{"token":"x"}]}"#)));
    (prop::collection::vec(piece(), 0..5), finish, logprobs).prop_map(
        move |(mut pieces, finish, logprobs)| {
            pieces.dedup_by(|(later, _), (before, _)| {
                std::mem::discriminant(&later.content) == std::mem::discriminant(&before.content)
                    && !matches!(later.content, Content::ToolCall { .. })
            });
            tell_apart(pieces.iter_mut().map(|(block, _)| block));
            let mut events = Vec::new();
            for (block, deltas) in pieces {
                events.push(Event::BlockStart { choice: index, block });
                events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: index, delta }));
                events.push(Event::BlockEnd { choice: index });
            }
            events.extend(logprobs.map(|value| Event::Logprobs { choice: index, value }));
            let native = Some(finish.openai().to_owned());
            events.push(Event::Stop { choice: index, finish, native, stop_sequence: None });
            events
        },
    )
}

/// A whole stream of one to three choices, whose events come in turns.
fn stream() -> impl Strategy<Value = Vec<Event>> {
    let choices = (choice(0), prop::option::of(choice(1)), prop::option::of(choice(2)));
    let turns = prop::collection::vec(0..3_usize, 0..80);
    let usage = prop::option::of((0..99_u64, 0..99_u64));
    (choices, turns, usage).prop_map(|((first, second, third), turns, usage)| {
        let mut queues = [first, second.unwrap_or_default(), third.unwrap_or_default()].map(Vec::into_iter);
        let mut events = vec![Event::Start { id: "a".into(), model: "m".into(), created: Some(5) }];
        for turn in turns {
            events.extend(queues[turn].next());
        }
        events.extend(queues.into_iter().flatten());
        events.extend(usage.map(|(prompt, completion)| {
            Event::Usage(Usage {
                prompt,
                completion,
                cached: Some(0),
                audio_prompt: Some(0),
                reasoning: Some(0),
                audio_completion: Some(0),
                accepted_prediction: Some(0),
                rejected_prediction: Some(0),
                ..Usage::default()
            })
        }));
        events.push(Event::Finish);
        events
    })
}

/// What cannot be told from the wire: strict clients see no signatures.
fn without_signatures(mut response: Response) -> Response {
    let blocks = response.choices.iter_mut().flat_map(|choice| &mut choice.blocks);
    blocks.for_each(|block| block.signature = None);
    response
}

/// One role per choice, one reason, nothing behind it, calls numbered from 0, one id and model.
fn assert_chunks(chunks: &[Value]) {
    let mut seen: Vec<(u64, bool, u64)> = Vec::new();
    for chunk in chunks {
        assert_eq!((&chunk["id"], &chunk["model"], &chunk["created"]), (&json!("a"), &json!("m"), &json!(5)));
        for choice in chunk["choices"].as_array().unwrap() {
            let index = choice["index"].as_u64().unwrap();
            let is_first = !seen.iter().any(|(known, ..)| *known == index);
            assert_eq!(choice["delta"].get("role").is_some(), is_first, "{chunk}");
            if is_first {
                seen.push((index, false, 0));
            }
            let (_, stopped, calls) = seen.iter_mut().find(|(known, ..)| *known == index).unwrap();
            assert!(!*stopped, "{chunk}");
            *stopped = choice["finish_reason"].is_string();
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                let number = call["index"].as_u64().unwrap();
                *calls += u64::from(call.get("id").is_some());
                assert_eq!(number + 1, *calls, "{chunk}");
            }
        }
    }
    assert!(seen.iter().all(|(_, stopped, _)| *stopped));
}

/// A request body of real fields with values that mostly fit.
fn body() -> impl Strategy<Value = Value> {
    let odd = || {
        prop::sample::select(vec![
            json!(null),
            json!(3),
            json!("x"),
            json!([]),
            json!({}),
            json!([{}]),
            json!(true),
        ])
    };
    let part = prop_oneof![
        Just(json!({"type": "text", "text": "x"})),
        Just(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})),
        Just(json!({"type": "file", "file": {"file_id": "f"}})),
        odd().prop_map(|value| json!({"type": "text", "text": value})),
        odd().prop_map(|value| json!({"type": "input_audio", "input_audio": value})),
        odd(),
    ];
    let content =
        prop_oneof![Just(json!("x")), prop::collection::vec(part, 0..3).prop_map(Value::from), odd()];
    let role =
        prop::sample::select(vec!["system", "developer", "user", "assistant", "tool", "function", "odd"]);
    let message = (role, content, odd()).prop_map(|(role, content, odd)| {
        json!({"role": role, "content": content, "tool_call_id": "c", "name": "n",
            "tool_calls": if role == "assistant" { odd } else { Value::Null }})
    });
    let names = prop::sample::select(vec![
        "model",
        "stream",
        "stream_options",
        "tools",
        "functions",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "web_search_options",
        "user",
        "service_tier",
        "max_tokens",
        "temperature",
        "stop",
        "seed",
        "n",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "messages",
        "of_tomorrow",
    ]);
    let fields = prop::collection::vec((names, odd()), 0..4);
    (prop::collection::vec(message, 0..4), fields).prop_map(|(messages, fields)| {
        let mut body = json!({"model": "m", "messages": messages});
        fields.into_iter().for_each(|(name, value)| body[name] = value);
        body
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(events in stream(), cut in any::<prop::sample::Index>()) {
        let mut expected = fold(&events);
        repair::response(&mut expected);
        for strict in [true, false] {
            let out = written(&events, options(strict));
            assert_chunks(&chunks(&out));
            let (head, tail) = out.split_at(cut.index(out.len()));
            let (again, ended) = test_support::read(Dialect::OpenaiChat, &[head, tail]);
            prop_assert!(ended.is_ok());
            let mut told = fold(&again);
            // A source that is cited looks as if the vendor had searched, which nobody but the vendor tells.
            told.usage.iter_mut().for_each(|usage| usage.metered = Default::default());
            let Response { choices, usage, .. } = if strict { without_signatures(expected.clone()) } else { expected.clone() };
            prop_assert_eq!((told.choices, told.usage), (choices, usage));
        }
    }

    #[test]
    fn a_whole_answer_says_what_its_stream_says(events in stream()) {
        let whole = Dialect::OpenaiChat.decode(&response::encode(&fold(&events), &options(false))).unwrap();
        let told = fold(&read(&written(&events, options(false))).0);
        // A whole answer says its words first and its calls last, and joins what is of a kind.
        prop_assert_eq!(by_kind(&whole), by_kind(&told));
        prop_assert_eq!(whole.usage, told.usage);
    }

    #[test]
    fn requests_are_understood_or_refused(body in body()) {
        match decoded(ClientDialect::OpenaiChat, body.to_string()) {
            Ok(asked) => {
                prop_assert!(!asked.model.is_empty() && !asked.messages.is_empty());
                match request::encode(&asked, &EncodeOptions::default()) {
                    Ok(encoded) => prop_assert!(decoded(ClientDialect::OpenaiChat, &encoded.body).is_ok()),
                    Err(fault) => prop_assert_eq!(fault.param.as_deref(), Some("messages")),
                }
            }
            Err(fault) => prop_assert!(fault.status == 400 && fault.param.is_some(), "{:?}", fault),
        }
    }

    #[test]
    fn mutated_bytes_keep_the_grammar_or_fail(events in stream(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut out = written(&events, options(false));
        for (at, byte) in changes {
            let at = at.index(out.len());
            out[at] = byte;
        }
        let (events, ended) = read(&out);
        prop_assert_eq!(test_support::is_whole(&events), ended.is_ok());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read(&bytes), decoded(ClientDialect::OpenaiChat, &bytes), Dialect::OpenaiChat.decode(&bytes));
    }
}

/// A call at the end of an answer that breaks off may be one without arguments or cut off before them: in a whole answer
/// other calls are last than in a stream.
fn with_arguments(mut block: Block) -> Block {
    if let Content::ToolCall { arguments, kind: ToolKind::Function, .. } = &mut block.content
        && arguments.trim().is_empty()
    {
        arguments.push_str("{}");
    }
    block
}

/// Number, words by kind, calls in order, end and log-probabilities of a choice.
type Said = (u32, [String; 3], Vec<Block>, Finish, Option<Value>);

/// What each choice says, without the order of kinds.
fn by_kind(response: &Response) -> Vec<Said> {
    let choices = response.choices.iter().map(|choice| {
        let (mut words, mut calls) = ([const { String::new() }; 3], Vec::new());
        for block in &choice.blocks {
            match &block.content {
                Content::Text { text, .. } => words[0].push_str(text),
                Content::Reasoning(text) => words[1].push_str(text),
                Content::Refusal(text) => words[2].push_str(text),
                _ => calls.push(with_arguments(block.clone())),
            }
        }
        let logprobs = choice.logprobs.as_ref().map(|logprobs| value(logprobs.as_str().as_bytes()));
        (choice.index, words, calls, choice.finish, logprobs)
    });
    choices.collect()
}
