//! Conversations as agents have them: every role, every kind of block, calls with their results.

use ostia_dialect::{
    Block, Content, Dialect, Media, MediaKind, Message, Request, Role, Signature, Source, ToolKind,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::settings;
use crate::words::{arguments, cache, citation, name, raw, signature, words};

/// Most turns behind the first question, calls of one turn, blocks of one turn.
const STEPS_MAX: usize = 4;
const CALLS_MAX: usize = 3;
const BLOCKS_MAX: usize = 3;

/// Everything that the hub can say, for a model of this dialect's vendor.
pub fn request(dialect: Dialect) -> impl Strategy<Value = Request> {
    (turns(), settings::settings(dialect)).prop_map(|(messages, request)| Request { messages, ..request })
}

/// What follows the first question.
#[derive(Debug, Clone)]
enum Step {
    Said(Message),
    Worked(Work),
}

/// A turn of the model that calls tools, and what the tools answered.
#[derive(Debug, Clone)]
struct Work {
    before: Vec<Block>,
    calls: Vec<(Call, Answer)>,
    /// Which of the forms in use the ids have.
    ids: &'static str,
    /// All results stand in one message.
    together: bool,
    /// The last call is answered first.
    reversed: bool,
}

#[derive(Debug, Clone)]
struct Call {
    tool: (&'static str, ToolKind),
    arguments: String,
    signature: Option<Signature>,
    cache_control: Option<ostia_dialect::json::Json>,
}

#[derive(Debug, Clone)]
struct Answer {
    content: Vec<Block>,
    is_error: bool,
    is_named: bool,
    cache_control: Option<ostia_dialect::json::Json>,
}

fn turns() -> impl Strategy<Value = Vec<Message>> {
    let question = (blocks(spoken()), prop::option::weighted(0.2, name())).prop_map(|(mut blocks, name)| {
        blocks.push(Block::text("question"));
        Message { role: Role::User, name, blocks }
    });
    let steps = prop::collection::vec(step(), 0..=STEPS_MAX);
    (prop::option::of(operator()), question, steps).prop_map(|(operator, question, steps)| {
        let mut turns: Vec<Message> = operator.into_iter().chain([question]).collect();
        let mut calls = 0;
        for step in steps {
            match step {
                Step::Said(message) => turns.push(message),
                Step::Worked(work) => work.tell(&mut calls, &mut turns),
            }
        }
        // A last turn of the user's that says nothing is refused by Anthropic, and by us before it. Thoughts alone may stay
        // behind on their way, and then the turn before them is the last.
        let is_thought = |block: &Block| matches!(block.content, Content::Reasoning(_));
        let may_say_nothing =
            |turn: &&mut Message| turn.role == Role::User || turn.blocks.iter().all(is_thought);
        let last = turns.last_mut().filter(may_say_nothing);
        last.into_iter().for_each(|turn| turn.blocks.push(Block::text("go on")));
        turns
    })
}

fn step() -> impl Strategy<Value = Step> {
    let user = (blocks(spoken()), prop::option::weighted(0.2, name())).prop_map(|(blocks, name)| Message {
        role: Role::User,
        name,
        blocks,
    });
    let model = (blocks(thought_or_said()), prop::option::weighted(0.1, name()))
        .prop_map(|(blocks, name)| Message { role: Role::Assistant, name, blocks });
    prop_oneof![
        1 => operator().prop_map(Step::Said),
        3 => user.prop_map(Step::Said),
        4 => model.prop_map(Step::Said),
        4 => work().prop_map(Step::Worked),
    ]
}

fn operator() -> impl Strategy<Value = Message> {
    let text =
        (words(), cache()).prop_map(|(text, cache_control)| Block { cache_control, ..Block::text(text) });
    (select(vec![Role::System, Role::Developer]), blocks(text), prop::option::weighted(0.1, name()))
        .prop_map(|(role, blocks, name)| Message { role, name, blocks })
}

fn blocks(block: impl Strategy<Value = Block>) -> impl Strategy<Value = Vec<Block>> {
    prop::collection::vec(block, 1..=BLOCKS_MAX)
}

/// What a user says or shows.
fn spoken() -> impl Strategy<Value = Block> {
    let content = prop_oneof![
        4 => words().prop_map(|text| Content::Text { text, citations: Vec::new() }),
        3 => media().prop_map(Content::Media),
        1 => shown_to_tools(),
    ];
    (content, cache()).prop_map(|(content, cache_control)| {
        // A block of the vendor's own has its mark in itself.
        let is_whole = matches!(content, Content::Foreign { .. });
        Block { cache_control: cache_control.filter(|_| !is_whole), ..Block::new(content) }
    })
}

/// What a client did for tools that a vendor runs.
fn shown_to_tools() -> impl Strategy<Value = Content> {
    let blocks = vec![
        (Dialect::AnthropicMessages, json!({"type": "container_upload", "file_id": "f"})),
        (
            Dialect::OpenaiResponses,
            json!({"type": "computer_call_output", "call_id": "x", "output": {"a": 1}}),
        ),
        (Dialect::GeminiGenerate, json!({"codeExecutionResult": {"outcome": "OUTCOME_OK"}})),
        (Dialect::CohereChat, json!({"type": "of_cohere"})),
        (Dialect::BedrockConverse, json!({"guardContent": {"text": {"text": "t"}}})),
    ];
    select(blocks).prop_map(|(dialect, value)| Content::Foreign { dialect, value: raw(value) })
}

/// What a model says, thinks or does besides calling the client's tools.
fn thought_or_said() -> impl Strategy<Value = Block> {
    let text = (words(), prop::collection::vec(citation(), 0..2)).prop_map(|(text, citations)| {
        match text.is_empty() {
            true => Content::Text { text, citations: Vec::new() },
            false => Content::Text { text, citations },
        }
    });
    let content = prop_oneof![
        4 => text,
        1 => words().prop_map(Content::Refusal),
        3 => words().prop_map(Content::Reasoning),
        1 => done_by_vendor(),
        1 => media().prop_map(Content::Media),
    ];
    (content, signature(), cache()).prop_map(|(content, signature, cache_control)| {
        let is_plain = matches!(content, Content::Foreign { .. });
        let thinks = matches!(content, Content::Reasoning(_));
        let signature = signature.filter(|proof| !is_plain && proves(proof.dialect, thinks));
        let cache_control = cache_control.filter(|_| !is_plain && !thinks);
        Block { signature, cache_control, ..Block::new(content) }
    })
}

/// Has this vendor such proofs? All that have any prove thoughts; Google proves everything.
fn proves(vendor: Dialect, thinks: bool) -> bool {
    match vendor {
        Dialect::GeminiGenerate => true,
        Dialect::AnthropicMessages | Dialect::OpenaiResponses | Dialect::BedrockConverse => thinks,
        Dialect::OpenaiChat | Dialect::CohereChat | Dialect::OllamaChat | Dialect::ReplicateText => false,
    }
}

/// The work of tools that a vendor runs itself.
fn done_by_vendor() -> impl Strategy<Value = Content> {
    let blocks = vec![
        (
            Dialect::AnthropicMessages,
            json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}),
        ),
        (Dialect::AnthropicMessages, json!({"type": "redacted_thinking", "data": "EqQC"})),
        (Dialect::OpenaiResponses, json!({"type": "web_search_call", "id": "ws_1", "status": "completed"})),
        (Dialect::GeminiGenerate, json!({"executableCode": {"language": "PYTHON", "code": "1\n"}})),
        (Dialect::CohereChat, json!({"type": "of_cohere", "x": 1})),
        (Dialect::BedrockConverse, json!({"reasoningContent": {"redactedContent": "RXFRQw=="}})),
    ];
    select(blocks).prop_map(|(dialect, value)| Content::Foreign { dialect, value: raw(value) })
}

fn media() -> impl Strategy<Value = Media> {
    // "abc" and "hi" in base64, and the beginnings of a PNG and a PDF.
    let base64 = |data: &str| Source::Base64(data.to_owned());
    let url = |end: &str| Source::Url(format!("https://x.test/{end}"));
    let file = Source::FileId("file-1".into());
    let forms = vec![
        (MediaKind::Image, base64("iVBORw0KGgo="), Some("image/png")),
        (MediaKind::Image, base64("iVBORw0KGgo="), None),
        (MediaKind::Image, base64("AAAA"), Some("image/webp")),
        (MediaKind::Image, url("a.png"), None),
        (MediaKind::Image, url("a"), Some("image/jpeg")),
        (MediaKind::Image, file.clone(), None),
        (MediaKind::Audio, base64("YWJj"), Some("audio/wav")),
        (MediaKind::Audio, base64("YWJj"), Some("audio/mpeg")),
        (MediaKind::Audio, base64("YWJj"), Some("audio/flac")),
        (MediaKind::Audio, url("a.mp3"), None),
        (MediaKind::Video, base64("YWJj"), Some("video/mp4")),
        (MediaKind::Video, url("a.mp4"), Some("video/mp4")),
        (MediaKind::Document, base64("JVBERi0="), Some("application/pdf")),
        (MediaKind::Document, base64("aGk="), Some("text/plain")),
        (MediaKind::Document, base64("aGk="), Some("text/csv")),
        (MediaKind::Document, base64("YWJj"), Some("application/zip")),
        (MediaKind::Document, url("a.pdf"), Some("application/pdf")),
        (MediaKind::Document, Source::Text("plain \"words\"\n".into()), Some("text/plain")),
        (MediaKind::Document, file, None),
    ];
    let details = vec!["low".to_owned(), "high".to_owned(), "auto".to_owned()];
    let (names, details) = (prop::option::of("[a-z]{1,4}\\.bin"), prop::option::of(select(details)));
    (select(forms), names, details).prop_map(|((kind, source, mime), name, detail)| Media {
        kind,
        source,
        mime: mime.map(str::to_owned),
        name,
        detail: detail.filter(|_| kind == MediaKind::Image),
    })
}

fn work() -> impl Strategy<Value = Work> {
    let before = prop::collection::vec(thought_or_said(), 0..2);
    let calls = prop::collection::vec((call(), answer()), 1..=CALLS_MAX);
    let ids = select(vec!["call_", "toolu_01", "functions.look:", "chatcmpl-tool-"]);
    (before, calls, ids, any::<bool>(), any::<bool>())
        .prop_map(|(before, calls, ids, together, reversed)| Work { before, calls, ids, together, reversed })
}

fn call() -> impl Strategy<Value = Call> {
    let tool = select(settings::TOOLS.to_vec());
    (tool, arguments(), words(), signature(), cache()).prop_map(
        |(tool, arguments, words, signature, cache_control)| {
            let arguments = if tool.1 == ToolKind::Custom { words } else { arguments };
            let signature = signature.filter(|proof| proves(proof.dialect, false));
            Call { tool, arguments, signature, cache_control }
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let told = prop_oneof![
        6 => words(),
        1 => Just(r#"{"temperature": 21, "unit": "C"}"#.to_owned()),
        1 => select(vec![r#"{"output":"x"}"#, r#"{"error":"y"}"#, r#"{"result":1}"#]).prop_map(str::to_owned),
    ];
    let content = prop_oneof![
        4 => told.prop_map(|text| Content::Text { text, citations: Vec::new() }),
        1 => media().prop_map(Content::Media),
    ];
    let block = (content, cache())
        .prop_map(|(content, cache_control)| Block { cache_control, ..Block::new(content) });
    (prop::collection::vec(block, 0..=BLOCKS_MAX), any::<bool>(), any::<bool>(), cache()).prop_map(
        |(content, is_error, is_named, cache_control)| Answer { content, is_error, is_named, cache_control },
    )
}

impl Work {
    /// The turns of this, with ids that no call before has.
    fn tell(self, calls: &mut usize, turns: &mut Vec<Message>) {
        let Work { mut before, ids, together, reversed, .. } = self;
        let mut results = Vec::new();
        for (call, answer) in self.calls {
            *calls += 1;
            let id = format!("{ids}{calls}");
            results.push(answer.block(&id, call.tool.0));
            before.push(call.block(id));
        }
        if reversed {
            results.reverse();
        }
        turns.push(Message { role: Role::Assistant, name: None, blocks: before });
        let in_one = |blocks| Message { role: Role::Tool, name: None, blocks };
        match together {
            true => turns.push(in_one(results)),
            false => turns.extend(results.into_iter().map(|result| in_one(vec![result]))),
        }
    }
}

impl Call {
    fn block(self, id: String) -> Block {
        let (name, kind) = (self.tool.0.to_owned(), self.tool.1);
        let content = Content::ToolCall { id, name, arguments: self.arguments, kind };
        Block { signature: self.signature, cache_control: self.cache_control, ..Block::new(content) }
    }
}

impl Answer {
    fn block(self, id: &str, tool: &str) -> Block {
        let (id, name) = (id.to_owned(), self.is_named.then(|| tool.to_owned()));
        let content = Content::ToolResult { id, name, content: self.content, is_error: self.is_error };
        Block { cache_control: self.cache_control, ..Block::new(content) }
    }
}
