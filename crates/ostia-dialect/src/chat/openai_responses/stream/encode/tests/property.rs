use proptest::prelude::*;
use serde_json::json;

use super::{check_whole, told};
use crate::test_support::tell_apart;
use crate::test_support::{decoded, fold, raw, start};
use crate::{
    Block, ClientDialect, Content, Delta, Dialect, Event, Finish, Media, MediaKind, Signature, Source,
    ToolKind, Usage,
};

/// A block as it begins, and what comes behind its start.
type Piece = (Block, Vec<Delta>);

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n{}é🦀]{1,3}"]
}

fn signature() -> impl Strategy<Value = Signature> {
    (prop::sample::select(Dialect::ALL.to_vec()), "[a-zA-Z0-9+/=]{1,9}")
        .prop_map(|(dialect, value)| Signature { dialect, value })
}

fn said() -> impl Strategy<Value = Piece> {
    let more = prop::collection::vec(words(), 0..4);
    (0..3, words(), more).prop_map(|(kind, first, more)| {
        let content = match kind {
            0 => Content::Reasoning(first),
            1 => Content::Refusal(first),
            _ => Content::Text { text: first, citations: Vec::new() },
        };
        (Block::new(content), more.into_iter().map(Delta::Text).collect())
    })
}

fn called() -> impl Strategy<Value = Piece> {
    ("[a-z]{1,3}", "[a-z]{1,3}", any::<bool>(), prop::collection::vec(words(), 0..4)).prop_map(
        |(id, name, custom, more)| {
            let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
            let call = Content::ToolCall { id, name, arguments: String::new(), kind };
            (Block::new(call), more.into_iter().map(Delta::Arguments).collect())
        },
    )
}

fn whole() -> impl Strategy<Value = Piece> {
    let (kind, source) = (MediaKind::Image, Source::Base64("AAAA".into()));
    let image =
        Content::Media(Media { kind, source, mime: Some("image/png".into()), name: None, detail: None });
    let foreign = prop::sample::select(Dialect::ALL.to_vec()).prop_map(|dialect| {
        let value = raw(r#"{"id":"x_1","type":"of_tomorrow","data":[1.5]}"#);
        Content::Foreign { dialect, value }
    });
    prop_oneof![Just(image), foreign].prop_map(|content| (Block::new(content), Vec::new()))
}

/// The signature of a block is known at its start, or comes later, or there is none.
fn piece(late: bool) -> impl Strategy<Value = Piece> {
    let signed = (prop::option::of(signature()), any::<bool>());
    (prop_oneof![said(), said(), called(), whole()], signed).prop_map(
        move |((mut block, mut deltas), (signature, behind))| {
            match signature {
                Some(signature) if late && behind => deltas.push(Delta::Signature(signature)),
                signature => block.signature = signature,
            }
            (block, deltas)
        },
    )
}

/// A whole stream.
fn stream(late: bool) -> impl Strategy<Value = Vec<Event>> {
    let finish = prop::sample::select(vec![
        Finish::Stop,
        Finish::Length,
        Finish::ContentFilter,
        Finish::ToolCalls,
        Finish::Refusal,
    ]);
    (prop::collection::vec(piece(late), 0..6), finish, prop::option::of(0..99_u64)).prop_map(
        |(mut pieces, finish, prompt)| {
            tell_apart(pieces.iter_mut().map(|(block, _)| block));
            let mut events = vec![start()];
            for (block, deltas) in pieces {
                events.push(Event::BlockStart { choice: 0, block });
                events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: 0, delta }));
                events.push(Event::BlockEnd { choice: 0 });
            }
            events.push(Event::Stop { choice: 0, finish, native: None, stop_sequence: None });
            events.extend(prompt.map(|prompt| Event::Usage(Usage { prompt, ..Usage::default() })));
            events.push(Event::Finish);
            events
        },
    )
}

proptest! {
    #[test]
    fn a_stream_is_its_whole_answer(events in stream(false)) {
        check_whole(&events);
    }

    /// Whatever was said, and whoever proved it when: what the client sends back is what the model said.
    #[test]
    fn an_answer_comes_back_as_it_was(events in stream(true)) {
        let told = told(&events);
        let output = &told.last().unwrap()["response"]["output"];
        let mut expected = fold(&events).choices.remove(0).blocks;
        let mut body = json!({"model": "m", "input": [{"role": "user", "content": "q"}]});
        body["input"].as_array_mut().unwrap().extend(output.as_array().unwrap().iter().cloned());
        let mut request = decoded(ClientDialect::OpenaiResponses, body.to_string()).unwrap();
        prop_assert!(request.extra.is_empty(), "{:?}", request.extra);
        let blocks = request.messages.drain(1..).flat_map(|turn| turn.blocks);
        prop_assert_eq!(blocks.collect::<Vec<_>>(), std::mem::take(&mut expected));
    }

    #[test]
    fn no_input_panics(at in 0..400_usize, byte in any::<u8>()) {
        let mut body = br#"{"model":"m","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
            {"type":"reasoning","summary":[{"text":"b"}],"encrypted_content":"ostia1.own.openai_chat.YQ"},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"7"}],"tools":[{"type":"custom","name":"p"}]}"#.to_vec();
        let at = at % body.len();
        body[at] = byte;
        let _ = decoded(ClientDialect::OpenaiResponses, &body);
        let _ = decoded(ClientDialect::OpenaiResponses, &body[..at]);
    }
}
