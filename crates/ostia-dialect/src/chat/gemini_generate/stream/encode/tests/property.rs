use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chunks, fold, handed_back};
use crate::chat::gemini_generate::response;
use crate::test_support::tell_apart;
use crate::test_support::{options, raw};
use crate::{Block, Content, Delta, Dialect, Event, Finish, Response, Signature, ToolKind, Usage};

/// A piece of an answer, and what comes behind its start.
type Piece = (Block, Vec<Delta>);

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n{}é🦀]{1,3}"]
}

fn signature() -> impl Strategy<Value = Option<Signature>> {
    let dialect = prop::sample::select(vec![Dialect::AnthropicMessages, Dialect::OpenaiResponses]);
    prop::option::of((dialect, "[a-zA-Z+/]{4}").prop_map(|(dialect, value)| Signature { dialect, value }))
}

fn piece() -> impl Strategy<Value = Piece> {
    let said = (any::<bool>(), text(), prop::collection::vec(text(), 0..4), signature()).prop_map(
        |(thought, first, more, signature)| {
            let mut deltas: Vec<Delta> = more.into_iter().map(Delta::Text).collect();
            deltas.extend(signature.map(Delta::Signature));
            (if thought { Block::new(Content::Reasoning(first)) } else { Block::text(first) }, deltas)
        },
    );
    let silent = signature().prop_filter_map("signed", |signature| {
        let block = Block::new(Content::Reasoning(String::new()));
        Some((Block { signature: Some(signature?), ..block }, Vec::new()))
    });
    let call =
        ("[a-z]{1,3}", "[a-z]{1,3}", 0..99_u32, signature()).prop_map(|(id, name, number, signature)| {
            let (arguments, kind) = (format!("{{\"n\":{number}"), ToolKind::Function);
            let block = Block { signature, ..Block::new(Content::ToolCall { id, name, arguments, kind }) };
            (block, vec![Delta::Arguments("}".into())])
        });
    let foreign =
        prop::sample::select(vec![Dialect::AnthropicMessages, Dialect::GeminiGenerate]).prop_map(|dialect| {
            let value = raw(json!({"executableCode": {"code": "1"}}));
            (Block::new(Content::Foreign { dialect, value }), Vec::new())
        });
    prop_oneof![4 => said, 1 => silent, 2 => call, 1 => foreign]
}

fn is_words(block: &Block) -> Option<bool> {
    match &block.content {
        Content::Text { .. } => Some(false),
        Content::Reasoning(text) if !text.is_empty() => Some(true),
        _ => None,
    }
}

/// The events of one candidate. Two neighbours of a kind are one block on this wire, so there are none.
fn candidate(index: u32) -> impl Strategy<Value = Vec<Event>> {
    let finish = prop::sample::select(vec![Finish::Stop, Finish::Length, Finish::ContentFilter]);
    (prop::collection::vec(piece(), 0..6), finish).prop_map(move |(mut pieces, finish)| {
        pieces.dedup_by_key(|(block, _)| {
            is_words(block).map_or(i32::from(block.signature.is_some()) + 2, i32::from)
        });
        tell_apart(pieces.iter_mut().map(|(block, _)| block));
        let mut events = Vec::new();
        for (block, deltas) in pieces {
            events.push(Event::BlockStart { choice: index, block });
            events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: index, delta }));
            events.push(Event::BlockEnd { choice: index });
        }
        events.push(Event::Stop { choice: index, finish, native: None, stop_sequence: None });
        events
    })
}

/// A whole stream of one or two candidates, whose events come in turns.
fn stream() -> impl Strategy<Value = Vec<Event>> {
    let turns = prop::collection::vec(0..2_usize, 0..60);
    let usage = prop::option::of((0..99_u64, 0..99_u64, prop::option::of(0..9_u64)));
    (candidate(0), prop::option::of(candidate(1)), turns, usage).prop_map(|(first, second, turns, usage)| {
        let mut queues = [first, second.unwrap_or_default()].map(Vec::into_iter);
        let mut events =
            vec![Event::Start { id: "r".into(), model: "m".into(), created: Some(1_777_924_862) }];
        for turn in turns {
            events.extend(queues[turn].next());
        }
        events.extend(queues.into_iter().flatten());
        events.extend(usage.map(|(prompt, completion, reasoning)| {
            let completion = completion + reasoning.unwrap_or(0);
            Event::Usage(Usage { prompt, completion, reasoning, ..Usage::default() })
        }));
        events.push(Event::Finish);
        events
    })
}

/// The contents of one candidate in these chunks.
fn contents(chunks: &[Value], index: u32) -> Vec<Value> {
    let candidates = chunks.iter().flat_map(|chunk| chunk["candidates"].as_array().unwrap());
    candidates
        .filter(|candidate| candidate["index"] == index)
        .map(|candidate| candidate["content"].clone())
        .collect()
}

/// Everything but the blocks.
fn frame(mut response: Response) -> Response {
    response.choices.iter_mut().for_each(|choice| choice.blocks.clear());
    response
}

proptest! {
    /// What the client hands back are the blocks that the upstream said, however they came.
    #[test]
    fn blocks_come_back(events in stream()) {
        let (chunks, expected) = (chunks(&events), fold(&events));
        let whole: Value = serde_json::from_slice(&response::encode(&expected, &options(true))).unwrap();
        for choice in &expected.choices {
            prop_assert_eq!(&handed_back(contents(&chunks, choice.index)), &choice.blocks);
            prop_assert_eq!(&handed_back(contents(std::slice::from_ref(&whole), choice.index)), &choice.blocks);
        }
    }

    /// A reader of the stream and one of the whole answer learn the same, and what was said at first.
    #[test]
    fn the_stream_says_what_the_answer_says(events in stream()) {
        let expected = fold(&events);
        let streamed = response::decode(Value::from(chunks(&events)).to_string().as_bytes()).unwrap();
        let whole = response::decode(&response::encode(&expected, &options(true))).unwrap();
        prop_assert_eq!(frame(streamed.clone()), frame(whole));
        prop_assert_eq!((streamed.usage, streamed.id, streamed.model), (expected.usage, expected.id, expected.model));
        prop_assert_eq!(streamed.created, expected.created);
    }

    /// One reason for each candidate, in its last chunk, and the usage with it.
    #[test]
    fn candidates_end_once(events in stream()) {
        let chunks = chunks(&events);
        let (last, before) = chunks.split_last().unwrap();
        for chunk in before {
            prop_assert!(chunk.get("usageMetadata").is_none());
            prop_assert!(chunk["candidates"].as_array().unwrap().iter().all(|one| one.get("finishReason").is_none()));
        }
        prop_assert!(last["candidates"].as_array().unwrap().iter().all(|one| one["finishReason"].is_string()));
    }
}
