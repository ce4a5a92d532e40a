//! An answer as a client of each dialect gets it, whole and streamed, read again by the upstream half of that
//! dialect: the two say the same, and all that the dialect can say of what the hub held.

use ostia_dialect::frame::{Framer, Framing};
use ostia_dialect::{
    Block, Choice, Citation, ClientDialect, Content, Decoder, Delta, Encoder, Event, EventGrammar, Finish,
    Fold, Media, MediaKind, Response, Source, ToolKind, Usage,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::clients::options;
use crate::holds;
use crate::told::{logprobs, told};
use crate::words::{raw, signature_of};

/// Most blocks of a kind in one answer.
const BLOCKS_MAX: usize = 3;

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,6}", "[\"\\\\\n\r{}é中🦀\u{2028}]{1,3}"]
}

/// The blocks of an answer that this dialect can say in the order that they are in.
fn blocks(client: ClientDialect) -> BoxedStrategy<Vec<Block>> {
    let call = call(client);
    let calls = prop::collection::vec(call, 0..=BLOCKS_MAX);
    match client {
        // One field for each kind, in the order of the reader.
        ClientDialect::OpenaiChat => {
            let thought = prop::option::of(words().prop_map(|text| Block::new(Content::Reasoning(text))));
            let refusal = prop::option::of(words().prop_map(|text| Block::new(Content::Refusal(text))));
            let images = prop::collection::vec(Just(picture()), 0..2);
            let audio = raw(json!({"audio": {"id": "a", "data": "YWJj"}}));
            let audio = Block::new(Content::Foreign { dialect: client.dialect(), value: audio });
            let audio = prop::option::of(Just(audio));
            (thought, prop::option::of(text(client)), refusal, images, audio, calls)
                .prop_map(|(thought, text, refusal, images, audio, calls)| {
                    let words = thought.into_iter().chain(text).chain(refusal);
                    words.chain(images).chain(audio).chain(calls).collect()
                })
                .boxed()
        }
        ClientDialect::OpenaiResponses | ClientDialect::AnthropicMessages | ClientDialect::GeminiGenerate => {
            let said = prop::collection::vec(piece(client), 0..=2 * BLOCKS_MAX);
            (said, calls)
                .prop_map(move |(mut said, calls)| {
                    said.extend(calls);
                    // Words of a kind are one text where they stand side by side in a stream of Google's.
                    let kind = |block: &Block| match &block.content {
                        Content::Refusal(_) => std::mem::discriminant(&Block::text("").content),
                        content => std::mem::discriminant(content),
                    };
                    if client == ClientDialect::GeminiGenerate {
                        said.dedup_by_key(|block| kind(block));
                    }
                    said
                })
                .boxed()
        }
    }
}

fn piece(client: ClientDialect) -> impl Strategy<Value = Block> {
    let proof = prop::option::of(signature_of(client.dialect()));
    let thought = (words(), proof)
        .prop_map(|(text, signature)| Block { signature, ..Block::new(Content::Reasoning(text)) });
    let foreign = match client {
        ClientDialect::OpenaiChat => json!({"type": "of_tomorrow"}),
        ClientDialect::OpenaiResponses => json!({"id": "ws_1", "type": "web_search_call", "x": [1.50]}),
        ClientDialect::AnthropicMessages => json!({"type": "redacted_thinking", "data": "EqQC"}),
        ClientDialect::GeminiGenerate => json!({"executableCode": {"code": "1"}}),
    };
    let foreign = Block::new(Content::Foreign { dialect: client.dialect(), value: raw(foreign) });
    prop_oneof![
        3 => text(client),
        2 => thought,
        1 => words().prop_map(|text| Block::new(Content::Refusal(text))),
        1 => Just(picture()),
        1 => Just(foreign),
        2 => call(client),
    ]
}

fn picture() -> Block {
    let (kind, source) = (MediaKind::Image, Source::Base64("iVBORw0KGgo=".into()));
    Block::new(Content::Media(Media {
        kind,
        source,
        mime: Some("image/png".into()),
        name: None,
        detail: None,
    }))
}

/// A text; its sources are written as the dialect writes them. Google's are told for the whole answer: the
/// tests of its `grounding` hold them.
fn text(client: ClientDialect) -> impl Strategy<Value = Block> {
    (words(), any::<bool>()).prop_map(move |(text, cited)| {
        let cited = cited && client != ClientDialect::GeminiGenerate;
        let citations = cited.then(|| source(client)).into_iter().collect();
        Block::new(Content::Text { text, citations })
    })
}

/// A source, which has no place yet.
fn source(client: ClientDialect) -> Citation {
    let value = match client {
        ClientDialect::AnthropicMessages => Some(raw(json!({"type": "web_search_result_location",
            "url": "https://x.test", "title": "X", "encrypted_index": "E"}))),
        _ => None,
    };
    Citation { url: Some("https://x.test".into()), title: Some("X".into()), start: None, end: None, value }
}

fn call(client: ClientDialect) -> impl Strategy<Value = Block> {
    let signs = matches!(client, ClientDialect::OpenaiChat | ClientDialect::GeminiGenerate);
    let proof = prop::option::of(signature_of(ostia_dialect::Dialect::GeminiGenerate));
    ("[a-z]{1,3}", words(), any::<bool>(), proof).prop_map(move |(id, word, custom, signature)| {
        let custom = custom && client.dialect().has_custom_tools();
        let (kind, arguments) = match custom {
            true => (ToolKind::Custom, word),
            false => (ToolKind::Function, json!({"x": word}).to_string()),
        };
        let call = Content::ToolCall { id, name: "look".into(), arguments, kind };
        Block { signature: signature.filter(|_| signs), ..Block::new(call) }
    })
}

/// The places of sources: each covers its own block.
pub fn place(blocks: &mut [Block], client: ClientDialect) {
    let mut before = 0;
    for block in blocks {
        let Content::Text { text, citations } = &mut block.content else { continue };
        let length = text.chars().count() as u64;
        for citation in citations {
            (citation.start, citation.end) = (Some(before), Some(before + length));
            let note = |start: u64| {
                json!({"url": citation.url, "title": citation.title,
                    "start_index": start, "end_index": start + length})
            };
            match client {
                ClientDialect::OpenaiChat => {
                    let note = json!({"type": "url_citation", "url_citation": note(before)});
                    citation.value = Some(raw(note));
                }
                ClientDialect::OpenaiResponses => {
                    let mut typed = json!({"type": "url_citation"});
                    typed.as_object_mut().unwrap().extend(note(0).as_object().unwrap().clone());
                    citation.value = Some(raw(typed));
                }
                ClientDialect::AnthropicMessages | ClientDialect::GeminiGenerate => {}
            }
        }
        before += length;
    }
}

fn choice(client: ClientDialect, index: u32) -> impl Strategy<Value = Choice> {
    use Finish::{ContentFilter, Length, Pause, Refusal, Stop, ToolCalls};
    let finish = select(vec![Stop, Length, ToolCalls, ContentFilter, Refusal, Pause]);
    let has_logprobs = any::<bool>();
    (blocks(client), finish, prop::option::of("[a-z]{2}"), has_logprobs).prop_map(
        move |(mut blocks, finish, stop, has_logprobs)| {
            for (at, block) in blocks.iter_mut().enumerate() {
                // No two calls have one id.
                if let Content::ToolCall { id, .. } = &mut block.content {
                    id.push_str(&at.to_string());
                }
            }
            place(&mut blocks, client);
            Choice {
                index,
                blocks,
                finish,
                native_finish: Some("of_the_vendor".into()),
                stop_sequence: stop.filter(|_| finish == Stop),
                logprobs: has_logprobs.then(logprobs),
                extra: vec![("of_choice".into(), raw(json!({"x": 1})))],
            }
        },
    )
}

fn usage() -> impl Strategy<Value = Usage> {
    let count = || prop::option::of(0..9_u64);
    let counts = (count(), count(), count(), count(), count());
    (100..999_u64, 20..99_u64, counts).prop_map(|(prompt, completion, counts)| {
        let (cached, cache_written, reasoning, audio_prompt, accepted_prediction) = counts;
        Usage {
            prompt,
            completion,
            cached,
            cache_written,
            reasoning,
            audio_prompt,
            accepted_prediction,
            ..Usage::default()
        }
    })
}

fn response(client: ClientDialect) -> impl Strategy<Value = Response> {
    let has_several = matches!(client, ClientDialect::OpenaiChat | ClientDialect::GeminiGenerate);
    let facts = (prop::option::of(Just("priority".to_owned())), prop::option::of(Just("fp_1".to_owned())));
    (choice(client, 0), prop::option::of(choice(client, 1)), prop::option::of(usage()), facts).prop_map(
        move |(first, second, usage, (service_tier, system_fingerprint))| Response {
            id: "a".into(),
            model: "m".into(),
            created: Some(1_777_924_862),
            choices: [first].into_iter().chain(second.filter(|_| has_several)).collect(),
            usage,
            service_tier,
            system_fingerprint,
            extra: vec![("of_answer".into(), raw(json!([1])))],
        },
    )
}

/// The events of an answer, every block in two pieces.
fn events(response: &Response) -> Vec<Event> {
    let Response { id, model, created, service_tier, system_fingerprint, .. } = response.clone();
    // A fact that comes when all is said has no chunk of Chat Completions to go with.
    let facts = Event::Meta { service_tier, system_fingerprint };
    let mut events = vec![Event::Start { id, model, created }, facts];
    for choice in &response.choices {
        let index = choice.index;
        let mut logprobs = choice.logprobs.clone().map(|value| Event::Logprobs { choice: index, value });
        for block in &choice.blocks {
            told_in_pieces(index, block.clone(), &mut events);
            // Probabilities come with the words.
            if matches!(block.content, Content::Text { .. }) {
                events.extend(logprobs.take());
            }
            events.push(Event::BlockEnd { choice: index });
        }
        events.extend(logprobs);
        let (name, value) = choice.extra[0].clone();
        events.push(Event::Extra { choice: Some(index), name, value });
        let Choice { finish, native_finish: native, stop_sequence, .. } = choice.clone();
        events.push(Event::Stop { choice: index, finish, native, stop_sequence });
    }
    let (name, value) = response.extra[0].clone();
    events.push(Event::Extra { choice: None, name, value });
    events.extend(response.usage.map(Event::Usage));
    events.push(Event::Finish);
    events
}

/// The events of a block up to its end.
fn told_in_pieces(choice: u32, mut block: Block, events: &mut Vec<Event>) {
    let half = |text: &mut String| {
        let at = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        text.split_off(at)
    };
    let mut deltas = match &mut block.content {
        Content::Text { text, citations } => {
            let mut deltas = vec![Delta::Text(half(text))];
            deltas.extend(std::mem::take(citations).into_iter().map(Delta::Citation));
            deltas
        }
        Content::Refusal(text) | Content::Reasoning(text) => vec![Delta::Text(half(text))],
        Content::ToolCall { arguments, .. } => vec![Delta::Arguments(half(arguments))],
        Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => Vec::new(),
    };
    if !deltas.is_empty() {
        deltas.extend(block.signature.take().map(Delta::Signature));
    }
    events.push(Event::BlockStart { choice, block });
    events.extend(deltas.into_iter().map(|delta| Event::Delta { choice, delta }));
}

/// What the upstream half of the client's dialect makes of a stream for the client.
fn streamed(client: ClientDialect, response: &Response) -> Response {
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(client, options(), false);
    events(response).iter().for_each(|event| encoder.push(event, &mut stream));
    let (mut framer, mut decoder, mut heard) =
        (Framer::new(Framing::Sse), Decoder::new(client.dialect()), Vec::new());
    framer.push(&stream);
    while let Some(frame) = framer.next().unwrap() {
        decoder.push(frame, &mut heard).unwrap();
    }
    decoder.finish(&mut heard).unwrap();
    let (mut grammar, mut fold) = (EventGrammar::default(), Fold::default());
    for event in heard {
        grammar.push(&event).unwrap_or_else(|broken| panic!("{broken}: {event:?}"));
        fold.push(event);
    }
    fold.finish().unwrap()
}

/// What a vendor's tools cost is told by nobody but the vendor: a source that is cited, or an image, looks as if one had been used.
fn without_tools(mut response: Response) -> Response {
    response.usage.iter_mut().for_each(|usage| usage.metered = Default::default());
    response
}

fn check(client: ClientDialect, response: Response) -> Result<(), TestCaseError> {
    let whole = client.encode(&response, &options());
    let whole = client.dialect().decode(&whole).map_err(|fault| TestCaseError::fail(fault.message))?;
    prop_assert_eq!(&streamed(client, &response), &whole);
    prop_assert_eq!(without_tools(whole), told(client, response));
    Ok(())
}

fn every(client: ClientDialect) {
    holds(&response(client), |response| check(client, response));
}

#[test]
fn chat_completions_says_what_was_said() {
    every(ClientDialect::OpenaiChat);
}

#[test]
fn responses_says_what_was_said() {
    every(ClientDialect::OpenaiResponses);
}

#[test]
fn messages_says_what_was_said() {
    every(ClientDialect::AnthropicMessages);
}

#[test]
fn generate_content_says_what_was_said() {
    every(ClientDialect::GeminiGenerate);
}
