use proptest::prelude::*;
use serde_json::json;

use super::{call, check, google, start, stream};
use crate::chat::limits::made_up;
use crate::test_support::{END, begin, decoded, fold, more, raw, stop};
use crate::{
    Block, Citation, ClientDialect, Content, Delta, Dialect, Event, Finish, Media, MediaKind, Message, Role,
    Signature, Source, Usage,
};

/// A block as it begins, and what comes behind.
type Piece = (Block, Vec<Delta>);

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n{}é🦀]{1,3}"]
}

fn signature() -> impl Strategy<Value = Option<Signature>> {
    let own = Signature { dialect: Dialect::AnthropicMessages, value: "EqQB".into() };
    prop_oneof![Just(None), Just(Some(google())), Just(Some(own))]
}

fn said() -> impl Strategy<Value = Piece> {
    let source =
        Citation { url: Some("https://x.test".into()), title: None, start: None, end: None, value: None };
    (words(), prop::collection::vec(words(), 0..4), any::<bool>(), any::<bool>()).prop_map(
        move |(first, more, cited, signed)| {
            let mut deltas: Vec<Delta> = more.into_iter().map(Delta::Text).collect();
            deltas.extend(cited.then(|| Delta::Citation(source.clone())));
            deltas.extend(signed.then(|| Delta::Signature(google())));
            (Block::text(first), deltas)
        },
    )
}

fn thought() -> impl Strategy<Value = Piece> {
    (words(), prop::collection::vec(words(), 0..4), signature()).prop_map(|(first, more, signature)| {
        let mut deltas: Vec<Delta> = more.into_iter().map(Delta::Text).collect();
        deltas.extend(signature.map(Delta::Signature));
        (Block::new(Content::Reasoning(first)), deltas)
    })
}

/// A call whose arguments come in two pieces.
fn called() -> impl Strategy<Value = Piece> {
    let arguments = prop_oneof![
        words().prop_map(|word| json!({ word: 1 }).to_string()),
        Just("[1]".into()),
        Just("".into())
    ];
    (arguments, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(arguments, at, signed)| {
        let at = (0..=at.index(arguments.len() + 1)).rev().find(|at| arguments.is_char_boundary(*at));
        let (first, rest) = arguments.split_at(at.unwrap_or(0));
        let block = Block { signature: signed.then(google), ..call("") };
        (block, vec![Delta::Arguments(first.into()), Delta::Arguments(rest.into())])
    })
}

fn whole() -> impl Strategy<Value = Piece> {
    let foreign = |dialect, value| Content::Foreign { dialect, value: raw(value) };
    let picture = Content::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64("AAAA".into()),
        mime: Some("image/png".into()),
        name: None,
        detail: None,
    });
    let contents = vec![
        foreign(Dialect::AnthropicMessages, json!({"type": "redacted_thinking", "data": "x"})),
        foreign(Dialect::GeminiGenerate, json!({"executableCode": {"code": "1"}})),
        Content::Refusal("No.".into()),
        picture,
    ];
    prop::sample::select(contents).prop_map(|content| (Block::new(content), Vec::new()))
}

fn answer() -> impl Strategy<Value = Vec<Event>> {
    let piece = prop_oneof![said(), thought(), called(), whole()];
    let finish = prop::sample::select(vec![Finish::Stop, Finish::Length, Finish::ToolCalls]);
    (prop::collection::vec(piece, 0..6), finish, any::<bool>()).prop_map(|(pieces, finish, counted)| {
        let mut events = vec![start()];
        for (block, deltas) in pieces {
            events.push(begin(block));
            events.extend(deltas.into_iter().map(more));
            events.push(END);
        }
        events.push(stop(0, finish));
        let usage = Usage { prompt: 7, completion: 2, reasoning: Some(1), ..Usage::default() };
        events.extend(counted.then_some(Event::Usage(usage)));
        events.push(Event::Finish);
        events
    })
}

/// What the client would send back as the turn of the model.
fn turn_of(events: &[Event]) -> Vec<Block> {
    let message = super::accumulate(&super::data(&stream(events)));
    let body = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "assistant", "content": message["content"]}]});
    let request = decoded(ClientDialect::AnthropicMessages, body.to_string()).unwrap();
    let [Message { role: Role::Assistant, blocks, .. }] = &request.messages[..] else { panic!("one turn") };
    blocks.clone()
}

/// The block as a client of this dialect can hand it back.
fn handed_back(mut block: Block, calls: &mut u32) -> Block {
    match &mut block.content {
        Content::ToolCall { id, arguments, .. } => {
            *id = made_up("9", 0, *calls);
            *calls += 1;
            match arguments.as_str() {
                "" => *arguments = "{}".into(),
                "[1]" => *arguments = r#"{"INVALID_JSON":"[1]"}"#.into(),
                _ => {}
            }
        }
        Content::Refusal(text) => {
            block.content = Content::Text { text: std::mem::take(text), citations: Vec::new() };
        }
        Content::Text { citations, .. } => citations.iter_mut().for_each(|source| {
            (source.start, source.end) = (None, None);
        }),
        Content::Reasoning(_) | Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => {}
    }
    block
}

proptest! {
    #[test]
    fn the_stream_makes_the_unary_form(events in answer()) {
        check(events);
    }

    #[test]
    fn a_turn_comes_back_as_it_was(events in answer()) {
        let response = fold(&events);
        let mut calls = 0;
        let said = response.choices[0].blocks.iter().cloned();
        let said: Vec<Block> = said.map(|block| handed_back(block, &mut calls)).collect();
        let mut calls = 0;
        let heard = turn_of(&events).into_iter().map(|mut block| {
            if let Content::Text { citations, .. } = &mut block.content {
                citations.iter_mut().for_each(|source| (source.start, source.end) = (None, None));
            }
            calls += usize::from(matches!(block.content, Content::ToolCall { .. }));
            block
        });
        prop_assert_eq!(heard.collect::<Vec<_>>(), said);
    }
}
