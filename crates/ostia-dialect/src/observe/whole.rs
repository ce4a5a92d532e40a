//! What a large answer in one piece says, searched for as its pieces pass: nothing is held but the count of tokens, and a few short
//! texts.

mod tools;

use std::str::FromStr;

use self::tools::Tools;
use super::observed::{Count, Observed, USAGE_BYTES_MAX};
use super::subject::{AskedImages, Counted, Subject};
use crate::frame::Grammar;
use crate::{
    Finish, Meter, Metered, ServiceTier, anthropic_messages, gemini_generate, milliseconds, openai_chat,
    openai_responses,
};

/// Longest text that may be a name, or a value that is looked for, in bytes. Longer ones are passed over.
const TEXT_BYTES_MAX: usize = 200;
/// Longest number that is looked for, in bytes.
const NUMBER_BYTES_MAX: usize = 32;

/// Searches an answer that comes in pieces for its model, its first reason to end, and its outermost count of tokens.
///
/// ```
/// use ostia_dialect::{Api, observe::{Subject, WholeAnswer}};
/// let mut answer = WholeAnswer::new(Subject::of(Api::OpenaiChat));
/// for piece in [r#"{"model":"m","usa"#, r#"ge":{"prompt_tokens":3,"completion_tokens":5}}"#] {
///     answer.push(piece.as_bytes());
/// }
/// assert_eq!(answer.observed().count.usage().unwrap().total(), 8);
/// ```
#[derive(Debug)]
pub struct WholeAnswer {
    subject: Subject,
    /// How many objects are open. Lists do not count: that of the numbers of a vector would be looked at for nothing.
    depth: usize,
    state: State,
    /// What has come of the text that is open, as far as it may matter, and how long it is so far, in bytes.
    text: Vec<u8>,
    text_bytes: usize,
    count: Option<Object>,
    model: Option<Box<str>>,
    finish: Option<Finish>,
    tier: Option<ServiceTier>,
    /// How much of it has passed, in bytes.
    bytes: u64,
    /// Images that are in it.
    images: u64,
    /// How they were made, as it says.
    told: AskedImages,
    /// The length of the recording that it is about, in seconds, as it is written.
    duration: Vec<u8>,
    /// How often it says that the web was searched, as it is written.
    searches: Vec<u8>,
    tools: Tools,
}

/// An object that is kept.
#[derive(Debug)]
struct Object {
    depth: usize,
    bytes: Vec<u8>,
    is_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of texts.
    Between,
    /// In a text; which field's value it is, if one is looked for, and whether the last byte was a backslash.
    Text { value_of: Option<Field>, is_escaped: bool },
    /// Behind a text that is the name of a field, if a colon follows.
    Behind(Field),
    /// Behind that colon.
    Value(Field),
    /// In the number that is the value of this field.
    Number(Field),
    /// In the list of queries, between them.
    Queries,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Usage,
    Model,
    Finish,
    Tier,
    Image,
    Duration,
    Size,
    Quality,
    Queries,
    Searches,
}

impl WholeAnswer {
    /// An answer of this kind, of which nothing has come.
    pub fn new(subject: Subject) -> WholeAnswer {
        WholeAnswer {
            subject,
            depth: 0,
            state: State::Between,
            text: Vec::new(),
            text_bytes: 0,
            count: None,
            model: None,
            finish: None,
            tier: None,
            bytes: 0,
            images: 0,
            told: AskedImages::default(),
            duration: Vec::new(),
            searches: Vec::new(),
            tools: Tools::default(),
        }
    }

    /// What it says, once all of it has passed.
    pub fn observed(&self) -> Observed {
        let whole = self.count.as_ref().filter(|count| !count.is_open && !count.bytes.is_empty());
        let mut observed = Observed::default();
        let grammar = self.subject.grammar;
        observed.count =
            whole.map_or(Count::None, |count| Count::Unread(grammar, count.bytes.as_slice().into()));
        observed.said_bytes = self.bytes;
        let metered = match self.subject.counted {
            Counted::Nothing => Metered::default(),
            Counted::Images | Counted::Seconds if observed.count.counts_something() => Metered::default(),
            Counted::Images => Metered::one(Meter::OutputImages, self.images),
            Counted::Seconds => {
                Metered::one(Meter::AudioInputMs, written(&self.duration).map_or(0, milliseconds))
            }
        };
        let tools = self.tools.metered(self.model.as_deref().unwrap_or_default());
        observed.metered = metered.plus(&match grammar {
            Grammar::OpenaiResponses => openai_responses::counted(written(&self.searches), tools),
            _ => tools,
        });
        observed.images = self.told.clone();
        (observed.finish, observed.model, observed.tier) = (self.finish, self.model.clone(), self.tier);
        observed
    }

    /// More of it.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let mut at = 0;
        while at < piece.len() {
            let from = at;
            at += match self.state {
                State::Text { value_of, is_escaped } => self.text(&piece[at..], value_of, is_escaped),
                State::Between => self.between(&piece[at..]),
                State::Behind(field) => self.behind(piece[at], field),
                State::Value(field) => self.value(piece[at], field),
                State::Number(field) => self.number(piece[at], field),
                State::Queries => self.queries(piece[at]),
            };
            self.keep(&piece[from..at]);
        }
    }

    /// Adds what has been looked at to the count, if that is open.
    fn keep(&mut self, bytes: &[u8]) {
        let depth = self.depth;
        let Some(count) = self.count.as_mut().filter(|count| count.is_open) else { return };
        count.bytes.extend_from_slice(bytes);
        count.is_open = depth >= count.depth;
        if count.bytes.len() > USAGE_BYTES_MAX {
            // No count is so long.
            (count.is_open, count.bytes) = (false, Vec::new());
        }
    }

    /// Inside a text, to its end or that of the piece.
    fn text(&mut self, piece: &[u8], value_of: Option<Field>, is_escaped: bool) -> usize {
        if is_escaped {
            self.state = State::Text { value_of, is_escaped: false };
            self.remember(&piece[..1]);
            return 1;
        }
        let Some(end) = memchr::memchr2(b'"', b'\\', piece) else {
            self.remember(piece);
            return piece.len();
        };
        self.remember(&piece[..end]);
        self.state = match piece[end] {
            b'\\' => State::Text { value_of, is_escaped: true },
            _ => self.text_ended(value_of),
        };
        end + 1
    }

    fn remember(&mut self, bytes: &[u8]) {
        let room = (TEXT_BYTES_MAX + 1).saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.text_bytes = self.text_bytes.saturating_add(bytes.len());
    }

    fn text_ended(&mut self, value_of: Option<Field>) -> State {
        if value_of == Some(Field::Queries) {
            self.tools.query(&self.text, self.text_bytes);
            return State::Queries;
        }
        let text = if self.text.len() <= TEXT_BYTES_MAX { self.text.as_slice() } else { b"" };
        match (value_of, std::str::from_utf8(text)) {
            (Some(Field::Model), Ok(text)) => self.model = self.model.take().or(Some(text.into())),
            (Some(Field::Finish), Ok(text)) => {
                self.finish = self.finish.or(finish(self.subject.grammar, text))
            }
            (Some(Field::Tier), Ok(text)) => self.tier = self.tier.or(Some(ServiceTier::named(text))),
            (Some(Field::Size), Ok(text)) => self.told.size = Some(text.into()),
            (Some(Field::Quality), Ok(text)) => self.told.quality = Some(text.into()),
            (Some(Field::Image), _) => self.images += u64::from(!self.text.is_empty()),
            (None, Ok(text)) => {
                self.tools.note(self.subject.grammar, self.depth, text);
                return self.field(text).map_or(State::Between, State::Behind);
            }
            (Some(Field::Usage | Field::Duration | Field::Queries | Field::Searches), _) | (_, Err(_)) => {}
        }
        State::Between
    }

    /// The field that a text names, if it is looked for where it stands.
    fn field(&self, name: &str) -> Option<Field> {
        let Subject { grammar, counted } = self.subject;
        let is_google = grammar == Grammar::GeminiGenerate;
        match name {
            "usageMetadata" if is_google => Some(Field::Usage),
            "usage" if !is_google => Some(Field::Usage),
            "usage_info" | "billed_units" if grammar == Grammar::Unknown => Some(Field::Usage),
            "b64_json" | "url" if counted == Counted::Images => Some(Field::Image),
            "size" if counted == Counted::Images && self.depth == 1 => Some(Field::Size),
            "quality" if counted == Counted::Images && self.depth == 1 => Some(Field::Quality),
            "duration" if counted == Counted::Seconds && self.depth == 1 => Some(Field::Duration),
            "webSearchQueries" if is_google => Some(Field::Queries),
            "num_requests" if self.tools.counts_searches(self.depth) => Some(Field::Searches),
            "model" | "modelVersion" if self.depth == 1 => Some(Field::Model),
            "service_tier" if self.depth == 1 => Some(Field::Tier),
            "status" if self.depth == 1 && grammar == Grammar::OpenaiResponses => Some(Field::Finish),
            "finish_reason" | "stop_reason" | "finishReason" | "blockReason" => Some(Field::Finish),
            _ => None,
        }
    }

    /// Outside of texts, to the next brace or quote.
    fn between(&mut self, piece: &[u8]) -> usize {
        let Some(at) = memchr::memchr3(b'"', b'{', b'}', piece) else { return piece.len() };
        match piece[at] {
            b'{' => {
                self.depth += 1;
                self.tools.begin(self.depth);
            }
            b'}' => self.depth = self.depth.saturating_sub(1),
            _ => self.begin_text(None),
        }
        at + 1
    }

    fn begin_text(&mut self, value_of: Option<Field>) {
        self.text.clear();
        self.text_bytes = 0;
        self.state = State::Text { value_of, is_escaped: false };
    }

    fn behind(&mut self, byte: u8, field: Field) -> usize {
        match byte {
            b':' => self.state = State::Value(field),
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                self.state = State::Between;
                return 0;
            }
        }
        1
    }

    fn value(&mut self, byte: u8, field: Field) -> usize {
        match (byte, field) {
            (
                b'"',
                Field::Model | Field::Finish | Field::Tier | Field::Image | Field::Size | Field::Quality,
            ) => {
                self.begin_text(Some(field));
                return 1;
            }
            (b'[', Field::Queries) => {
                self.state = State::Queries;
                return 1;
            }
            (b'0'..=b'9' | b'-', Field::Duration | Field::Searches) => self.state = State::Number(field),
            (b'{', Field::Usage) => {
                self.state = State::Between;
                self.depth += 1;
                self.begin_count();
                return 1;
            }
            _ if byte.is_ascii_whitespace() => return 1,
            _ => self.state = State::Between,
        }
        0
    }

    fn number(&mut self, byte: u8, field: Field) -> usize {
        let digits = if field == Field::Searches { &mut self.searches } else { &mut self.duration };
        let is_number = byte.is_ascii_digit() || b".eE+-".contains(&byte);
        if !is_number || digits.len() == NUMBER_BYTES_MAX {
            self.state = State::Between;
            return 0;
        }
        digits.push(byte);
        1
    }

    /// In the list of what was searched for, to the next text or its end.
    fn queries(&mut self, byte: u8) -> usize {
        match byte {
            b'"' => self.begin_text(Some(Field::Queries)),
            b']' => self.state = State::Between,
            _ => {}
        }
        1
    }

    /// A count begins. One that stands further out than those before, or last of several there, is the answer's; arguments of calls
    /// and parts that another model made may have one too.
    fn begin_count(&mut self) {
        let is_inner = self.count.as_ref().is_some_and(|count| count.is_open || count.depth < self.depth);
        if !is_inner {
            self.count = Some(Object { depth: self.depth, bytes: Vec::new(), is_open: true });
        }
    }
}

/// The number that is written so, if it is one of this kind.
fn written<T: FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn finish(grammar: Grammar, word: &str) -> Option<Finish> {
    match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions => Some(openai_chat::finish(word)),
        Grammar::AnthropicMessages => Some(anthropic_messages::finish(word)),
        Grammar::GeminiGenerate => Some(gemini_generate::finish(word)),
        Grammar::OpenaiResponses => match word {
            "completed" => Some(Finish::Stop),
            "incomplete" => Some(Finish::Length),
            _ => None,
        },
        Grammar::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Api;

    /// The same as of a body that is looked at whole, however it is cut.
    fn check(api: Api, body: &str, model: Option<&str>, tokens: Option<(u64, u64)>, finish: Option<Finish>) {
        for cut in 0..=body.len() {
            let mut answer = WholeAnswer::new(Subject::of(api));
            let (first, second) = body.as_bytes().split_at(cut);
            answer.push(first);
            answer.push(second);
            let seen = answer.observed();
            let told = seen.count.usage().map(|usage| (usage.prompt, usage.completion));
            assert_eq!((seen.model.as_deref(), told, seen.finish), (model, tokens, finish), "{cut}: {body}");
        }
        let whole = Observed::of_body(Subject::of(api), body.as_bytes());
        assert_eq!(whole.count.usage().map(|usage| (usage.prompt, usage.completion)), tokens, "{body}");
    }

    #[test]
    fn answers_in_pieces() {
        let stop = Some(Finish::Stop);
        let chat = r#"{"id":"c","model":"m-1","choices":[{"index":0,"message":{"content":"say \"usage\": {\\"},
            "finish_reason":"stop"}],"usage" : {"prompt_tokens":3,"completion_tokens":5,"details":{"cached":1}},"x":{}}"#;
        check(Api::OpenaiChat, chat, Some("m-1"), Some((3, 5)), stop);
        let message = r#"{"model":"c","content":[{"type":"tool_use","input":{"usage":{"input_tokens":9,"output_tokens":9}}}],
            "stop_reason":"end_turn","usage":{"input_tokens":4,"output_tokens":6}}"#;
        check(Api::AnthropicMessages, message, Some("c"), Some((4, 6)), stop);
        let google = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,
            "candidatesTokenCount":2},"modelVersion":"g"}"#;
        check(Api::GeminiGenerate, google, Some("g"), Some((1, 2)), stop);
        let vectors = r#"{"data":[{"embedding":[0.1,-2e-3,4]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
        check(Api::OpenaiEmbeddings, vectors, Some("e"), Some((8, 0)), None);
        let response = r#"{"status":"completed","output":[{"status":"x"}],"usage":{"input_tokens":1,"output_tokens":2}}"#;
        check(Api::OpenaiResponses, response, None, Some((1, 2)), stop);
        check(Api::OpenaiChat, r#"["no","answer",{"usage":null}]"#, None, None, None);
        check(Api::OpenaiChat, r#"{"usage":{"prompt_tokens":3,"#, None, None, None);
    }

    #[test]
    fn the_tier_and_what_is_charged_beside_tokens() {
        use ServiceTier::{Fast, Flex, Priority};
        let check = |api, body: &str, expected: Option<ServiceTier>| {
            let subject = Subject::of(api);
            let mut answer = WholeAnswer::new(subject);
            body.as_bytes().chunks(7).for_each(|piece| answer.push(piece));
            for observed in [answer.observed(), Observed::of_body(subject, body.as_bytes())] {
                assert_eq!(observed.usage().and_then(|usage| usage.tier), expected, "{body}");
            }
            answer.observed().usage().unwrap_or_default()
        };
        let chat = r#"{"model":"m","service_tier":"priority","choices":[{"message":{"content":"\"service_tier\":\"flex\""}}],
            "usage":{"prompt_tokens":3,"completion_tokens":5,"cost":0.5}}"#;
        let told = check(Api::OpenaiChat, chat, Some(Priority));
        assert_eq!(told.charge.map(|charge| charge.to_string()).as_deref(), Some("0.5"));
        check(
            Api::OpenaiResponses,
            r#"{"service_tier":"flex","usage":{"input_tokens":1,"output_tokens":2}}"#,
            Some(Flex),
        );
        check(Api::OpenaiChat, r#"{"usage":{"prompt_tokens":3,"completion_tokens":5}}"#, None);
        let message = r#"{"usage":{"input_tokens":4,"output_tokens":6,"cache_creation_input_tokens":9,
            "cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7},
            "server_tool_use":{"web_search_requests":3},"service_tier":"standard","speed":"fast"}}"#;
        let told = check(Api::AnthropicMessages, message, Some(Fast));
        assert_eq!((told.cache_written_1h, told.metered.count(Meter::WebSearches)), (Some(7), 3));
        let google = r#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":5,"cachedContentTokenCount":4,
            "promptTokensDetails":[{"modality":"AUDIO","tokenCount":6}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":2}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":3}],"serviceTier":"FLEX"}}"#;
        let told = check(Api::GeminiGenerate, google, Some(Flex));
        assert_eq!(
            (told.audio_prompt, told.cached_audio, told.image_completion),
            (Some(6), Some(2), Some(3))
        );
    }

    #[test]
    fn nothing_grows() {
        let mut answer = WholeAnswer::new(Subject::of(Api::OpenaiChat));
        answer.push(br#"{"usage":{"a":""#);
        for _ in 0..100 {
            answer.push(&[b'x'; 1000]);
        }
        let kept = answer.count.as_ref().map_or(0, |count| count.bytes.len());
        assert!(kept <= USAGE_BYTES_MAX && answer.text.len() <= TEXT_BYTES_MAX + 1);
        answer.push(br#""}, "}}}}}}{{"#);
        assert_eq!(answer.observed().count, Count::None);
    }
}
