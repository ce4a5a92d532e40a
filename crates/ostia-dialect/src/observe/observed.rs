//! What an answer has said so far, for whoever keeps an account of it: read on the way, and changed by nobody.
//!
//! It is the same however the answer is carried: a stream that is translated tells it by its events, one that is relayed
//! by the few of its events that are looked into, and an answer in one piece by its end.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use super::hosted;
use super::subject::{AskedImages, Counted, Subject};
use crate::chat::usage::Charge;
use crate::frame::Grammar;
use crate::json::{Document, Node};
use crate::realtime::Spent;
use crate::{
    Block, Content, Delta, Event, Fault, Finish, Meter, Metered, Response, ServiceTier, Usage,
    anthropic_messages, embeddings, gemini_generate, milliseconds, openai_chat, openai_responses,
};

/// Longest count of tokens that is read, in bytes: one with all turns of an answer in it.
pub(crate) const USAGE_BYTES_MAX: usize = 32 << 10;

/// What an answer has said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Something has been said: words, thoughts, a call, or that it is all.
    pub first_token: bool,
    /// What it cost, so far as it says.
    pub count: Count,
    /// What else its vendor charges for, where that does not stand in the count of tokens.
    pub metered: Metered,
    /// Bytes of words, thoughts and arguments so far; of what is not read of a stream as near as its events tell.
    pub said_bytes: u64,
    /// Why it ended: the first of its choices.
    pub finish: Option<Finish>,
    /// The model that answered, where it says which.
    pub model: Option<Box<str>>,
    /// Size and quality of the images that were made, where it says them.
    pub images: AskedImages,
    /// The tier that served it, where that stands beside the count of tokens and not in it.
    pub tier: Option<ServiceTier>,
    /// How often its sender said only that it is there.
    pub pings: u32,
    /// Why it is no answer, where that was seen: an error that was told in it, or an event before its first token that makes
    /// no sense.
    pub fault: Option<Fault>,
    /// Something has been said that is not yet on its way.
    said: bool,
}

impl Observed {
    /// Takes note of an event; `is_sent`: with it, something has been sent on. What an encoder holds back is not said yet.
    pub fn event(&mut self, event: &Event, is_sent: bool) {
        self.said = self.said || says_something(event);
        self.said_bytes = self.said_bytes.saturating_add(words(event) as u64);
        self.first_token |= self.said && is_sent;
        match event {
            Event::Start { model, .. } if !model.is_empty() => self.model = Some(model.as_str().into()),
            Event::Meta { service_tier: Some(tier), .. } => self.tier = Some(ServiceTier::named(tier)),
            Event::Usage(usage) => self.count.read(usage),
            Event::Stop { choice, finish, .. } if *choice == 0 || self.finish.is_none() => {
                self.finish = Some(*finish);
            }
            _ => {}
        }
    }

    /// Takes note of the tools that a stream shows traces of by now. A count of tokens has them in it.
    pub fn note_tools(&mut self, tools: Metered) {
        let is_counted = !matches!(self.count, Count::None);
        self.metered = if is_counted { Metered::default() } else { tools };
    }

    /// Another attempt goes on with the answer: what is counted from here on is its own.
    pub fn begin_again(&mut self) {
        (self.count, self.metered, self.said_bytes) = (Count::None, Metered::default(), 0);
    }

    /// Takes note that the sender said only that it is there.
    pub fn ping(&mut self) {
        self.pings = self.pings.saturating_add(1);
    }

    /// What a whole answer says.
    pub fn of_response(response: &Response) -> Observed {
        let finish = response.choices.first().map(|choice| choice.finish);
        let model = Some(response.model.as_str()).filter(|model| !model.is_empty()).map(Box::from);
        let tier = response.service_tier.as_deref().map(ServiceTier::named);
        let blocks = response.choices.iter().flat_map(|choice| &choice.blocks);
        let said_bytes = blocks.map(|block| words_of(block) as u64).sum();
        Observed { count: response.usage.into(), finish, model, tier, said_bytes, ..Observed::default() }
    }

    /// What a realtime session has cost.
    pub fn of_session(spent: &Spent) -> Observed {
        Observed { count: spent.usage().into(), ..Observed::default() }
    }

    /// What an answer of vectors says.
    pub fn of_embeddings(response: &embeddings::Response) -> Observed {
        let usage = response.usage.map(|usage| Usage {
            prompt: usage.prompt_tokens,
            total: Some(usage.total_tokens).filter(|total| *total != usage.prompt_tokens),
            ..Usage::default()
        });
        let metered = Metered::one(Meter::InputImages, response.images);
        Observed { metered, ..Observed::of_usage(usage) }
    }

    /// What an answer says that counts so much, and has no choices that end.
    pub fn of_usage(usage: Option<Usage>) -> Observed {
        Observed { count: usage.into(), ..Observed::default() }
    }

    /// What an answer says that has so many images. They are counted where it does not say itself what it took.
    pub fn of_images(usage: Option<Usage>, images: usize) -> Observed {
        let observed = Observed::of_usage(usage);
        let images = if observed.count.counts_something() { 0 } else { images };
        Observed { metered: Metered::one(Meter::OutputImages, images as u64), ..observed }
    }

    /// What was used that is no token, and no count of tokens.
    pub fn of_metered(metered: Metered) -> Observed {
        Observed { metered, ..Observed::default() }
    }

    /// What it took, and at which tier; none where nobody has counted anything.
    pub fn usage(&self) -> Option<Usage> {
        let told = self.count.usage();
        if told.is_none() && self.metered.is_empty() {
            return None;
        }
        let usage = told.unwrap_or_default();
        Some(Usage { tier: usage.tier.or(self.tier), ..usage.with_tools(self.metered) })
    }

    /// What the body of a whole answer of this kind says. It is searched for a few fields and not read: the outermost that
    /// counts tokens, the first that says why a choice ended, the model and the tier.
    ///
    /// ```
    /// use ostia_dialect::{Api, Finish, Observed, observe::Subject};
    /// let body = br#"{"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#;
    /// let observed = Observed::of_body(Subject::of(Api::OpenaiChat), body);
    /// assert_eq!((observed.count.usage().unwrap().total(), observed.finish), (8, Some(Finish::Length)));
    /// ```
    pub fn of_body(subject: Subject, body: &[u8]) -> Observed {
        let grammar = subject.grammar;
        let count = count_names(grammar).iter().find_map(|name| outermost(body, name));
        let count = count.map_or(Count::None, |text| Count::Unread(grammar, text.into()));
        let metered = match subject.counted {
            Counted::Nothing => Metered::default(),
            // It says itself what it took.
            Counted::Images | Counted::Seconds if count.counts_something() => Metered::default(),
            Counted::Images => {
                let images =
                    IMAGES.iter().map(|name| values(body, name).filter(|text| word(text).is_some()).count());
                Metered::one(Meter::OutputImages, images.sum::<usize>() as u64)
            }
            Counted::Seconds => {
                let seconds = values(body, &DURATION).find_map(number);
                Metered::one(Meter::AudioInputMs, seconds.map_or(0, milliseconds))
            }
        };
        let metered = metered.plus(&hosted::of_body(grammar, body));
        let model = if grammar == Grammar::GeminiGenerate { &MODEL_GOOGLE } else { &MODEL };
        let model = values(body, model).find_map(word).map(Box::from);
        let has_tier = matches!(grammar, Grammar::OpenaiChat | Grammar::OpenaiResponses);
        let tier = has_tier.then(|| values(body, &SERVICE_TIER).find_map(word)).flatten();
        let tier = tier.map(ServiceTier::named);
        let images = match subject.counted {
            Counted::Images => {
                let told = |name| values(body, name).find_map(word).map(Box::from);
                AskedImages { size: told(&SIZE), quality: told(&QUALITY) }
            }
            Counted::Nothing | Counted::Seconds => AskedImages::default(),
        };
        let said_bytes = body.len() as u64;
        let finish = finish_of(grammar, body);
        Observed { count, metered, finish, model, images, tier, said_bytes, ..Observed::default() }
    }
}

/// A count of tokens. Most are never looked at, so what a vendor wrote is read when somebody does.
#[derive(Debug, Clone, Default)]
pub enum Count {
    /// There is none.
    #[default]
    None,
    /// It has been read.
    Read(Box<Usage>),
    /// The object as a vendor of this kind of answers wrote it.
    Unread(Grammar, Arc<[u8]>),
}

impl Count {
    /// What it holds besides its own size, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Count::None => 0,
            Count::Read(_) => size_of::<Usage>(),
            Count::Unread(_, object) => object.len(),
        }
    }

    /// A later count, which holds. Some vendors count in every event.
    fn read(&mut self, usage: &Usage) {
        match self {
            Count::Read(known) => **known = *usage,
            Count::None | Count::Unread(..) => *self = Count::Read(Box::new(*usage)),
        }
    }

    /// Is there a count that can be read, and of anything but the charge?
    pub(super) fn counts_something(&self) -> bool {
        self.usage().is_some_and(|usage| usage.total() > 0 || !usage.metered.is_empty())
    }

    /// The tokens; none where there is no count, or nothing that can be read as one.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Count::None => None,
            Count::Read(usage) => Some(**usage),
            Count::Unread(grammar, text) => usage(*grammar, Document::parse(text).ok()?.root()),
        }
    }
}

/// Two are equal that say the same.
impl PartialEq for Count {
    fn eq(&self, other: &Count) -> bool {
        self.usage() == other.usage()
    }
}

impl Eq for Count {}

impl From<Option<Usage>> for Count {
    fn from(usage: Option<Usage>) -> Count {
        usage.map_or(Count::None, |usage| Count::Read(Box::new(usage)))
    }
}

/// Searches for the name of a field in its quotes. Inside a text a quote is escaped, so a name is found outside of texts only.
type Name = LazyLock<Finder<'static>>;

pub(crate) static USAGE: Name = LazyLock::new(|| Finder::new("\"usage\""));
pub(crate) static USAGE_GOOGLE: Name = LazyLock::new(|| Finder::new("\"usageMetadata\""));
/// Counts of what is no conversation, the first that is there holds: of a ranking what is billed goes before the tokens.
static OTHER_COUNTS: [Name; 3] = [
    LazyLock::new(|| Finder::new("\"billed_units\"")),
    LazyLock::new(|| Finder::new("\"usage_info\"")),
    LazyLock::new(|| Finder::new("\"usage\"")),
];
static GOOGLE_COUNTS: [Name; 1] = [LazyLock::new(|| Finder::new("\"usageMetadata\""))];
static COUNTS: [Name; 1] = [LazyLock::new(|| Finder::new("\"usage\""))];
/// An image in an answer.
static IMAGES: [Name; 2] =
    [LazyLock::new(|| Finder::new("\"b64_json\"")), LazyLock::new(|| Finder::new("\"url\""))];
/// What OpenAI's newer models say of the images that they made (<https://platform.openai.com/docs/api-reference/images/object>).
static SIZE: Name = LazyLock::new(|| Finder::new("\"size\""));
static QUALITY: Name = LazyLock::new(|| Finder::new("\"quality\""));
static DURATION: Name = LazyLock::new(|| Finder::new("\"duration\""));
static MODEL: Name = LazyLock::new(|| Finder::new("\"model\""));
static MODEL_GOOGLE: Name = LazyLock::new(|| Finder::new("\"modelVersion\""));
static SERVICE_TIER: Name = LazyLock::new(|| Finder::new("\"service_tier\""));
static FINISH_REASON: Name = LazyLock::new(|| Finder::new("\"finish_reason\""));
static STOP_REASON: Name = LazyLock::new(|| Finder::new("\"stop_reason\""));
static FINISH_REASON_GOOGLE: Name = LazyLock::new(|| Finder::new("\"finishReason\""));
static BLOCK_REASON: Name = LazyLock::new(|| Finder::new("\"blockReason\""));
static INCOMPLETE_DETAILS: Name = LazyLock::new(|| Finder::new("\"incomplete_details\""));
static STATUS: Name = LazyLock::new(|| Finder::new("\"status\""));
static TOOL_CALLS: Name = LazyLock::new(|| Finder::new("\"tool_calls\""));
static FUNCTION_CALL: Name = LazyLock::new(|| Finder::new("\"functionCall\""));
/// Of items of an output, `"custom_tool_call"` too.
static CALL_ITEMS: [Name; 2] = [
    LazyLock::new(|| Finder::new("\"function_call\"")),
    LazyLock::new(|| Finder::new("\"custom_tool_call\"")),
];

/// The names of fields that count.
fn count_names(grammar: Grammar) -> &'static [Name] {
    match grammar {
        Grammar::GeminiGenerate => &GOOGLE_COUNTS,
        Grammar::Unknown => &OTHER_COUNTS,
        Grammar::OpenaiChat
        | Grammar::OpenaiCompletions
        | Grammar::OpenaiResponses
        | Grammar::AnthropicMessages => &COUNTS,
    }
}

/// The object that is the value of the outermost field of this name; of several, the last. Arguments of calls may have such
/// a field too, and so have parts of an answer that were made by another model (`usage_breakdown`, Groq).
fn outermost<'b>(body: &'b [u8], name: &Finder<'_>) -> Option<&'b [u8]> {
    let (mut depth, mut last) = (0, None);
    let mut found: Option<(i64, &[u8])> = None;
    for at in name.find_iter(body) {
        depth += last.map_or(0, |last| depth_gained(&body[last..at]));
        last = Some(at);
        let value = object(&body[at + name.needle().len()..]);
        if let Some(value) = value.filter(|_| found.is_none_or(|(outer, _)| depth <= outer)) {
            found = Some((depth, value));
        }
    }
    found.map(|(_, value)| value)
}

/// How much deeper this piece of JSON ends than it begins. It begins outside of texts.
fn depth_gained(piece: &[u8]) -> i64 {
    let (mut depth, mut in_text, mut is_escaped) = (0, false, false);
    for byte in piece {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The value of a field and what follows it; `text` begins behind the field's name.
fn value(text: &[u8]) -> Option<&[u8]> {
    Some(text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

/// Is the value of a field an object?
pub(crate) fn is_object(text: &[u8]) -> bool {
    value(text).is_some_and(|value| value.starts_with(b"{"))
}

/// The object that is the value of a field, if it is one. The texts in a count of
/// tokens have no braces; of anything else that has, what is cut out here is no JSON.
fn object(text: &[u8]) -> Option<&[u8]> {
    let value = value(text)?;
    let value = value.starts_with(b"{").then_some(&value[..value.len().min(USAGE_BYTES_MAX)])?;
    let mut depth = 0usize;
    let end = memchr::memchr2_iter(b'{', b'}', value).find(|&at| {
        if value[at] == b'{' {
            depth += 1
        } else {
            depth -= 1
        }
        depth == 0
    });
    end.map(|end| &value[..=end])
}

/// Reads a count of tokens. What is no conversation has the fields of one of OpenAI's two formats.
pub(crate) fn usage(grammar: Grammar, counts: Node<'_>) -> Option<Usage> {
    let has = |names: [&str; 2]| names.iter().any(|name| counts.u64(name).is_some());
    match grammar {
        Grammar::AnthropicMessages => anthropic_messages::usage(counts),
        Grammar::GeminiGenerate => gemini_generate::usage(counts),
        _ if has(["input_tokens", "output_tokens"]) => {
            let told = openai_responses::usage(counts);
            let images = counts.u64("images").filter(|_| grammar == Grammar::Unknown).unwrap_or(0);
            Some(Usage { metered: told.metered.with(Meter::InputImages, images), ..told })
        }
        _ if has(["prompt_tokens", "completion_tokens"]) => Some(openai_chat::usage(counts)),
        Grammar::Unknown => of_other(counts),
        _ => None,
    }
}

/// Reads the count of what is no conversation: the same of an answer that is translated as of one that is relayed.
pub(crate) fn media_usage(counts: Node<'_>) -> Option<Usage> {
    usage(Grammar::Unknown, counts)
}

/// A count of what is no conversation and writes nothing.
fn of_other(counts: Node<'_>) -> Option<Usage> {
    let metered = of_media(counts);
    if !metered.is_empty() {
        return Some(Usage { metered, ..Usage::default() });
    }
    // The total alone (Voyage, <https://docs.voyageai.com/reference/reranker-api>), or nothing but what is charged (xAI's images).
    let told = Usage {
        prompt: counts.u64("total_tokens").unwrap_or(0),
        charge: Charge::decode(counts),
        ..Usage::default()
    };
    (counts.u64("total_tokens").is_some() || told.charge.is_some()).then_some(told)
}

/// What is counted and is no token: the length of a recording (<https://platform.openai.com/docs/api-reference/audio/json-object>),
/// pages (<https://docs.mistral.ai/api/endpoint/ocr>), searches of a ranking (<https://docs.cohere.com/reference/rerank>,
/// <https://docs.pinecone.io/reference/api/2025-04/inference/rerank>).
fn of_media(counts: Node<'_>) -> Metered {
    let is_duration = counts.str("type").as_deref() == Some("duration");
    let seconds = counts.some("seconds").filter(|_| is_duration).and_then(|seconds| seconds.as_f64());
    let count = |name: &str| counts.u64(name).unwrap_or(0);
    Metered::one(Meter::AudioInputMs, seconds.map_or(0, milliseconds))
        .with(Meter::Pages, count("pages_processed"))
        .with(Meter::Queries, count("search_units").max(count("rerank_units")))
        .with(Meter::InputImages, count("images"))
}

/// Why the first choice of a whole answer ended. Not every server says that it waits for the results of calls.
fn finish_of(grammar: Grammar, body: &[u8]) -> Option<Finish> {
    let finish = told_finish(grammar, body)?;
    let calls = || match grammar {
        Grammar::OpenaiChat => values(body, &TOOL_CALLS).any(holds_object),
        Grammar::OpenaiResponses => CALL_ITEMS.iter().any(|kind| kind.find(body).is_some()),
        Grammar::GeminiGenerate => FUNCTION_CALL.find(body).is_some(),
        // It says so itself.
        Grammar::AnthropicMessages | Grammar::OpenaiCompletions | Grammar::Unknown => false,
    };
    Some(if finish == Finish::Stop && calls() { Finish::ToolCalls } else { finish })
}

fn told_finish(grammar: Grammar, body: &[u8]) -> Option<Finish> {
    let first = |name| values(body, name).find_map(word);
    match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions => first(&FINISH_REASON).map(openai_chat::finish),
        Grammar::AnthropicMessages => first(&STOP_REASON).map(anthropic_messages::finish),
        Grammar::GeminiGenerate => first(&FINISH_REASON_GOOGLE)
            .map(gemini_generate::finish)
            .or_else(|| first(&BLOCK_REASON).map(|_| Finish::ContentFilter)),
        Grammar::OpenaiResponses => {
            if let Some(details) = values(body, &INCOMPLETE_DETAILS).find_map(object) {
                let document = Document::parse(details).ok()?;
                return Some(openai_responses::finish(document.root().str("reason").as_deref()));
            }
            let is_completed = values(body, &STATUS).filter_map(word).any(|word| word == "completed");
            is_completed.then_some(Finish::Stop)
        }
        Grammar::Unknown => None,
    }
}

/// What stands behind each place of a field's name.
fn values<'b>(body: &'b [u8], name: &'b Finder<'_>) -> impl Iterator<Item = &'b [u8]> {
    name.find_iter(body).map(|at| &body[at + name.needle().len()..])
}

/// Is the value of a field a list of objects?
fn holds_object(text: &[u8]) -> bool {
    let items = value(text).and_then(|value| value.strip_prefix(b"["));
    items.is_some_and(|items| items.trim_ascii_start().starts_with(b"{"))
}

/// The text that is the value of a field, if it is one with something in it.
fn word(text: &[u8]) -> Option<&str> {
    let value = value(text)?.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', value).filter(|end| *end > 0)?;
    std::str::from_utf8(&value[..end]).ok()
}

/// The number that is the value of a field, if it is one.
fn number(text: &[u8]) -> Option<f64> {
    let value = value(text)?;
    let end = value.iter().position(|byte| !byte.is_ascii_digit() && !b".eE+-".contains(byte));
    std::str::from_utf8(&value[..end.unwrap_or(value.len())]).ok()?.parse().ok()
}

/// Bytes of words in an event.
fn words(event: &Event) -> usize {
    match event {
        Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => text.len(),
        Event::BlockStart { block, .. } => words_of(block),
        _ => 0,
    }
}

fn words_of(block: &Block) -> usize {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => text.len(),
        Content::ToolCall { name, arguments, .. } => name.len() + arguments.len(),
        Content::Media(_) | Content::ToolResult { .. } | Content::Foreign { .. } => 0,
    }
}

/// Does an event say words, thoughts, a call, or that it is all?
fn says_something(event: &Event) -> bool {
    match event {
        Event::BlockStart { block, .. } => holds_something(block),
        Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => !text.is_empty(),
        Event::Finish => true,
        _ => false,
    }
}

fn holds_something(block: &Block) -> bool {
    match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => !text.is_empty(),
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => true,
    }
}

#[cfg(test)]
mod tests;
