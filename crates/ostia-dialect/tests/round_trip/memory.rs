//! What a vendor wants to see again (thoughts, proofs, signed calls, blocks that only it knows) goes through
//! a client of any dialect and comes back: the next request tells the vendor the same turn, block by block,
//! as if the client spoke the vendor's own dialect.

use ostia_dialect::json::Document;
use ostia_dialect::{
    Block, ClientDialect, Content, Delta, Dialect, Encoder, Event, Finish, Media, MediaKind, Message,
    PathParams, Request, Role, Signature, Source, ToolKind,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::clients::{self, options};
use crate::identity::form;
use crate::words::{raw, signature_of};
use crate::{holds, settings};

/// Most blocks before the calls of an answer, and calls.
const BLOCKS_MAX: usize = 4;
const CALLS_MAX: usize = 3;

/// An answer as the decoder of this vendor's dialect gives it, for a client of this dialect.
fn answer(vendor: Dialect, client: ClientDialect) -> impl Strategy<Value = Vec<Block>> {
    let said = prop::collection::vec(said(vendor, client), 0..=BLOCKS_MAX);
    let calls = prop::collection::vec(call(vendor, client), 0..=CALLS_MAX);
    (said, calls).prop_map(move |(mut said, calls)| {
        said.sort_by_key(|block| matches!(block.content, Content::Refusal(_)));
        said.dedup_by(|block, before| are_one_text(client, before, block));
        said.extend(calls.into_iter().enumerate().map(|(number, mut block)| {
            if let Content::ToolCall { id, .. } = &mut block.content {
                *id = format!("call_{number}");
            }
            block
        }));
        if said.is_empty() {
            said.push(Block::text("nothing"));
        }
        said
    })
}

/// Words of a kind that follow one another are one text in a stream of Google's. Chat Completions has a
/// refusal in one field, behind what else is said.
fn are_one_text(client: ClientDialect, before: &Block, block: &Block) -> bool {
    match (&before.content, &block.content) {
        (Content::Text { .. }, Content::Text { .. }) | (Content::Reasoning(_), Content::Reasoning(_)) => {
            client == ClientDialect::GeminiGenerate
        }
        (Content::Refusal(_), Content::Refusal(_)) => client == ClientDialect::OpenaiChat,
        _ => false,
    }
}

fn said(vendor: Dialect, client: ClientDialect) -> BoxedStrategy<Block> {
    let words = || "[a-z\"\\\\\n{}é🦀]{1,6}";
    // Clients of these read a refusal as words.
    let declines = vendor == Dialect::OpenaiResponses
        && matches!(client, ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses);
    let text = words().prop_map(Block::text);
    let signed_text = (words(), proof(vendor)).prop_map(move |(text, signature)| Block {
        signature: signature.filter(|_| vendor == Dialect::GeminiGenerate),
        ..Block::text(text)
    });
    let refusal = words().prop_map(move |text| match declines {
        true => Block::new(Content::Refusal(text)),
        false => Block::text(text),
    });
    prop_oneof![
        2 => text,
        2 => signed_text,
        1 => refusal,
        3 => thought(vendor),
        2 => whole(vendor),
    ]
    .boxed()
}

fn proof(vendor: Dialect) -> impl Strategy<Value = Option<Signature>> {
    prop::option::of(signature_of(vendor))
}

/// Thoughts, which Chat Completions, Cohere and Ollama do not prove. A proof may stand alone.
fn thought(vendor: Dialect) -> impl Strategy<Value = Block> {
    let proves = !matches!(
        vendor,
        Dialect::OpenaiChat | Dialect::CohereChat | Dialect::OllamaChat | Dialect::ReplicateText
    );
    ("[a-z \n]{1,5}", proof(vendor), any::<bool>()).prop_map(move |(text, signature, is_shown)| {
        let signature = signature.filter(|_| proves);
        let text = if signature.is_some() && !is_shown { String::new() } else { text };
        Block { signature, ..Block::new(Content::Reasoning(text)) }
    })
}

/// Blocks that only the vendor knows, and pictures where it draws.
fn whole(vendor: Dialect) -> BoxedStrategy<Block> {
    let values = match vendor {
        Dialect::OpenaiChat => {
            vec![json!({"audio": {"id": "audio_1", "data": "YWJj", "expires_at": 5, "transcript": "t"}})]
        }
        Dialect::OpenaiResponses => vec![
            json!({"id": "ws_1", "status": "completed", "type": "web_search_call"}),
            json!({"id": "cmp_1", "encrypted_content": "abc", "type": "compaction"}),
        ],
        Dialect::AnthropicMessages => vec![
            json!({"type": "redacted_thinking", "data": "EqQC"}),
            json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}),
            json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"a": 1}]}),
        ],
        Dialect::GeminiGenerate => vec![
            json!({"executableCode": {"code": "1", "language": "PYTHON"}}),
            json!({"codeExecutionResult": {"outcome": "OUTCOME_OK"}, "thoughtSignature": "c2ln"}),
        ],
        Dialect::CohereChat | Dialect::OllamaChat | Dialect::ReplicateText => {
            return Just(Block::text("plain")).boxed();
        }
        Dialect::BedrockConverse => vec![
            json!({"reasoningContent": {"redactedContent": "RXFRQw=="}}),
            json!({"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use", "input": {}}}),
        ],
    };
    let foreign = select(values)
        .prop_map(move |value| Block::new(Content::Foreign { dialect: vendor, value: raw(value) }));
    if vendor != Dialect::GeminiGenerate {
        return foreign.boxed();
    }
    let picture = proof(vendor).prop_map(|signature| {
        let (kind, source) = (MediaKind::Image, Source::Base64("iVBORw0KGgo=".into()));
        let mime = Some("image/png".into());
        let picture = Media { kind, source, mime, name: None, detail: None };
        Block { signature, ..Block::new(Content::Media(picture)) }
    });
    prop_oneof![foreign, picture].boxed()
}

/// A call, with what the vendor wants to see of it again.
fn call(vendor: Dialect, client: ClientDialect) -> impl Strategy<Value = Block> {
    let origin = |value: Value| Signature { dialect: vendor, value: value.to_string() };
    let proofs = match vendor {
        Dialect::AnthropicMessages => {
            Just(origin(json!({"tool_id": "s", "type": "code_execution_20250825"}))).boxed()
        }
        Dialect::OpenaiResponses => Just(origin(json!({"namespace": "crm"}))).boxed(),
        Dialect::OpenaiChat
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => signature_of(Dialect::GeminiGenerate).boxed(),
    };
    let signs = !matches!(vendor, Dialect::CohereChat | Dialect::BedrockConverse | Dialect::OllamaChat);
    let has_custom = vendor.has_custom_tools() && client.dialect().has_custom_tools();
    (prop::option::of(proofs), any::<bool>(), "[a-z\"é]{0,4}").prop_map(move |(signature, custom, word)| {
        let (name, kind, arguments) = match custom && has_custom {
            true => ("patch", ToolKind::Custom, word),
            false => ("look", ToolKind::Function, json!({"x": word}).to_string()),
        };
        let call = Content::ToolCall { id: String::new(), name: name.to_owned(), arguments, kind };
        Block { signature: signature.filter(|_| signs && kind == ToolKind::Function), ..Block::new(call) }
    })
}

/// The events of an answer, each block in two pieces, its proof last.
fn events(blocks: &[Block]) -> Vec<Event> {
    let mut events = vec![Event::Start { id: "a".into(), model: "m".into(), created: Some(5) }];
    for block in blocks {
        let mut begun = Block { signature: None, ..block.clone() };
        let rest = match &mut begun.content {
            Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => {
                Some(Delta::Text(text.split_off(text.chars().next().map_or(0, char::len_utf8))))
            }
            Content::ToolCall { arguments, .. } => Some(Delta::Arguments(std::mem::take(arguments))),
            Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => None,
        };
        let is_whole = rest.is_none();
        begun.signature = block.signature.clone().filter(|_| is_whole);
        let proof = block.signature.clone().filter(|_| !is_whole).map(Delta::Signature);
        events.push(Event::BlockStart { choice: 0, block: begun });
        events.extend(rest.into_iter().chain(proof).map(|delta| Event::Delta { choice: 0, delta }));
        events.push(Event::BlockEnd { choice: 0 });
    }
    let finish = Finish::Stop;
    events.push(Event::Stop { choice: 0, finish, native: None, stop_sequence: None });
    events.push(Event::Finish);
    events
}

/// The request that tells the vendor this turn of its own, in its own words.
fn native(model: &str, blocks: &[Block]) -> Request {
    let results = blocks.iter().filter_map(|block| match &block.content {
        Content::ToolCall { id, .. } => {
            let (id, name, content) = (id.clone(), None, vec![Block::text("done")]);
            let result = Block::new(Content::ToolResult { id, name, content, is_error: false });
            Some(Message { role: Role::Tool, name: None, blocks: vec![result] })
        }
        _ => None,
    });
    let turn = Message { role: Role::Assistant, name: None, blocks: blocks.to_vec() };
    let mut messages = vec![Message::text(Role::User, "question"), turn];
    messages.extend(results);
    messages.push(Message::text(Role::User, "go on"));
    Request { model: model.to_owned(), messages, ..Request::default() }
}

/// What the vendor hears of the conversation in this request.
fn heard(vendor: Dialect, request: &Request) -> Value {
    let encoded = vendor.encode(&mut request.clone(), &form()).unwrap();
    let mut body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let field = match vendor {
        Dialect::OpenaiResponses => "input",
        Dialect::GeminiGenerate => "contents",
        Dialect::OpenaiChat
        | Dialect::AnthropicMessages
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => "messages",
    };
    let mut turns = body[field].take();
    // Clients of Google's name the tool with its result, others leave it to the id.
    let results = turns.as_array_mut().unwrap().iter_mut().filter(|turn| turn["role"] == "tool");
    results.for_each(|result| drop(result.as_object_mut().unwrap().remove("name")));
    turns
}

/// A client's next request, which hands the turn of the model back as it came.
fn next(client: ClientDialect, model: &str, turn: Vec<Value>, blocks: &[Block]) -> Request {
    let body = clients::next(client, turn, blocks).to_string();
    let line = PathParams { model, stream: false };
    let request = Document::of_request(body.as_bytes()).and_then(|body| client.decode(&body, line));
    let request = request.unwrap_or_else(|fault| panic!("{fault}: {body}"));
    Request { model: model.to_owned(), ..request }
}

fn check(client: ClientDialect, vendor: Dialect, model: &str, blocks: &[Block]) -> Result<(), TestCaseError> {
    let expected = heard(vendor, &native(model, blocks)).to_string();
    let events = events(blocks);
    let mut fold = ostia_dialect::Fold::default();
    events.iter().cloned().for_each(|event| fold.push(event));
    let whole = client.encode(&fold.finish().unwrap(), &options());
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(client, options(), false);
    events.iter().for_each(|event| encoder.push(event, &mut stream));
    for (form, turn) in
        [("whole", clients::turn(client, &whole)), ("streamed", clients::gathered(client, &stream))]
    {
        let back = next(client, model, turn.clone(), blocks);
        let got = heard(vendor, &back).to_string();
        prop_assert_eq!(&got, &expected, "{}: {}", form, Value::from(turn));
    }
    Ok(())
}

fn every(client: ClientDialect, vendor: Dialect) {
    let values = (answer(vendor, client), select(settings::models(vendor)));
    holds(&values, |(blocks, model)| check(client, vendor, model, &blocks));
}

macro_rules! memories {
    ($($name:ident: $vendor:ident through $client:ident;)*) => {$(
        #[test]
        fn $name() {
            every(ClientDialect::$client, Dialect::$vendor);
        }
    )*};
}

memories! {
    chat_through_chat: OpenaiChat through OpenaiChat;
    responses_through_chat: OpenaiResponses through OpenaiChat;
    messages_through_chat: AnthropicMessages through OpenaiChat;
    gemini_through_chat: GeminiGenerate through OpenaiChat;
    cohere_through_chat: CohereChat through OpenaiChat;
    converse_through_chat: BedrockConverse through OpenaiChat;
    ollama_through_chat: OllamaChat through OpenaiChat;
    chat_through_responses: OpenaiChat through OpenaiResponses;
    responses_through_responses: OpenaiResponses through OpenaiResponses;
    messages_through_responses: AnthropicMessages through OpenaiResponses;
    gemini_through_responses: GeminiGenerate through OpenaiResponses;
    cohere_through_responses: CohereChat through OpenaiResponses;
    converse_through_responses: BedrockConverse through OpenaiResponses;
    ollama_through_responses: OllamaChat through OpenaiResponses;
    chat_through_messages: OpenaiChat through AnthropicMessages;
    responses_through_messages: OpenaiResponses through AnthropicMessages;
    messages_through_messages: AnthropicMessages through AnthropicMessages;
    gemini_through_messages: GeminiGenerate through AnthropicMessages;
    cohere_through_messages: CohereChat through AnthropicMessages;
    converse_through_messages: BedrockConverse through AnthropicMessages;
    ollama_through_messages: OllamaChat through AnthropicMessages;
    chat_through_gemini: OpenaiChat through GeminiGenerate;
    responses_through_gemini: OpenaiResponses through GeminiGenerate;
    messages_through_gemini: AnthropicMessages through GeminiGenerate;
    gemini_through_gemini: GeminiGenerate through GeminiGenerate;
    cohere_through_gemini: CohereChat through GeminiGenerate;
    converse_through_gemini: BedrockConverse through GeminiGenerate;
    ollama_through_gemini: OllamaChat through GeminiGenerate;
}
