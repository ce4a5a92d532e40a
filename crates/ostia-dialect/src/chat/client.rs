//! The dialects that clients speak, and what each does with the hub's terms.

use crate::chat::{anthropic_messages, gemini_generate, openai_chat, openai_responses};
use crate::frame::Grammar;
use crate::frame::KeepAlive;
use crate::json::{Document, Writer};
use crate::{Dialect, Event, Fault, RenderOptions, Request, Response};

/// A wire format that a client may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientDialect {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Google generateContent.
    GeminiGenerate,
}

/// What the request line says of a call, for the dialect whose body does not say it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PathParams<'a> {
    /// The model in the path.
    pub model: &'a str,
    /// The method asks for a stream.
    pub stream: bool,
}

impl ClientDialect {
    /// Every one of them.
    pub const ALL: [ClientDialect; 4] = [
        ClientDialect::OpenaiChat,
        ClientDialect::OpenaiResponses,
        ClientDialect::AnthropicMessages,
        ClientDialect::GeminiGenerate,
    ];

    /// The same as an upstream's dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            ClientDialect::OpenaiChat => Dialect::OpenaiChat,
            ClientDialect::OpenaiResponses => Dialect::OpenaiResponses,
            ClientDialect::AnthropicMessages => Dialect::AnthropicMessages,
            ClientDialect::GeminiGenerate => Dialect::GeminiGenerate,
        }
    }

    /// The client's side of a dialect, if it has one.
    pub fn of(dialect: Dialect) -> Option<ClientDialect> {
        ClientDialect::ALL.into_iter().find(|client| client.dialect() == dialect)
    }

    /// Reads a client's body, which has to be scanned as a whole ([`Document::is_whole`]).
    ///
    /// # Errors
    /// 400 that names the field and what it must be.
    pub fn decode(self, body: &Document<'_>, path: PathParams<'_>) -> Result<Request, Fault> {
        let request = match self {
            ClientDialect::OpenaiChat => openai_chat::request::decode(body),
            ClientDialect::OpenaiResponses => openai_responses::request::decode(body),
            ClientDialect::AnthropicMessages => anthropic_messages::request::decode(body),
            ClientDialect::GeminiGenerate => gemini_generate::request::decode(path.model, path.stream, body),
        }?;
        Ok(Request { client: Some(self), ..request })
    }

    /// Reads the body of a call that only counts its tokens: it may leave out what concerns the answer.
    ///
    /// # Errors
    /// 400 that names the field and what it must be.
    pub fn decode_counted(self, body: &Document<'_>, path: PathParams<'_>) -> Result<Request, Fault> {
        match self {
            ClientDialect::AnthropicMessages => {
                let request = anthropic_messages::request::decode_counted(body)?;
                Ok(Request { client: Some(self), ..request })
            }
            ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses | ClientDialect::GeminiGenerate => {
                self.decode(body, path)
            }
        }
    }

    /// Writes a whole answer.
    pub fn encode(self, response: &Response, options: &RenderOptions) -> Vec<u8> {
        match self {
            ClientDialect::OpenaiChat => openai_chat::response::encode(response, options),
            ClientDialect::OpenaiResponses => openai_responses::response::encode(response, options),
            ClientDialect::AnthropicMessages => anthropic_messages::response::encode(response, options),
            ClientDialect::GeminiGenerate => gemini_generate::response::encode(response, options),
        }
    }

    /// Writes a number of tokens.
    pub fn encode_count(self, tokens: u64) -> Vec<u8> {
        let mut w = Writer::with_capacity(64);
        w.object(|w| match self {
            ClientDialect::GeminiGenerate => w.field_u64("totalTokens", tokens),
            ClientDialect::AnthropicMessages | ClientDialect::OpenaiChat => {
                w.field_u64("input_tokens", tokens)
            }
            ClientDialect::OpenaiResponses => {
                w.field_str("object", "response.input_tokens");
                w.field_u64("input_tokens", tokens);
            }
        });
        w.into_bytes()
    }

    /// Paths of what was dropped, in the client's own words: upstream halves report in those of Chat Completions.
    pub fn in_own_words(self, request: &Request, dropped: Vec<String>) -> Vec<String> {
        if self == ClientDialect::OpenaiChat {
            return dropped;
        }
        dropped.into_iter().map(|path| own_path(&path, self.words(), &request.places)).collect()
    }

    /// A refusal of an upstream half, with the path of the field to blame in the client's own words.
    pub fn refusal(self, request: &Request, fault: Fault) -> Fault {
        let Some(path) = fault.param.as_deref().filter(|_| self != ClientDialect::OpenaiChat) else {
            return fault;
        };
        let own = own_path(path, self.words(), &request.places);
        let message = fault.message.replace(&format!("`{path}`"), &format!("`{own}`"));
        Fault { message, ..fault.with_param(own) }
    }

    /// What the hub's fields are called in this dialect.
    fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            ClientDialect::OpenaiChat => &[],
            ClientDialect::OpenaiResponses => openai_responses::request::WORDS,
            ClientDialect::AnthropicMessages => anthropic_messages::request::WORDS,
            ClientDialect::GeminiGenerate => gemini_generate::request::WORDS,
        }
    }
}

fn own_path(path: &str, words: &[(&str, &str)], places: &[String]) -> String {
    if let Some((index, rest)) = path.strip_prefix("messages[").and_then(|rest| rest.split_once(']'))
        && let Some(place) = index.parse().ok().and_then(|index: usize| places.get(index))
    {
        return format!("{place}{rest}");
    }
    let rest =
        |hub: &str| path.strip_prefix(hub).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let known = words.iter().filter_map(|(hub, own)| Some((hub.len(), *own, rest(hub)?)));
    match known.max_by_key(|(length, ..)| *length) {
        Some((_, own, rest)) => format!("{own}{rest}"),
        None => path.to_owned(),
    }
}

/// Writes the stream that a client of some dialect sees.
#[derive(Debug)]
pub enum Encoder {
    /// OpenAI Chat Completions.
    OpenaiChat(openai_chat::stream::Encoder),
    /// OpenAI Responses.
    OpenaiResponses(openai_responses::stream::Encoder),
    /// Anthropic Messages.
    AnthropicMessages(anthropic_messages::stream::Encoder),
    /// Google generateContent, as events or as one JSON array.
    GeminiGenerate(gemini_generate::stream::Encoder),
}

impl Encoder {
    /// An encoder at the start of a stream. `array` asks for Google's framing without `alt=sse`.
    pub fn new(client: ClientDialect, options: RenderOptions, array: bool) -> Encoder {
        match client {
            ClientDialect::OpenaiChat => Encoder::OpenaiChat(openai_chat::stream::Encoder::new(options)),
            ClientDialect::OpenaiResponses => {
                Encoder::OpenaiResponses(openai_responses::stream::Encoder::new(options))
            }
            ClientDialect::AnthropicMessages => {
                Encoder::AnthropicMessages(anthropic_messages::stream::Encoder::new(options))
            }
            ClientDialect::GeminiGenerate => {
                Encoder::GeminiGenerate(gemini_generate::stream::Encoder::new(options, array))
            }
        }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Encoder::OpenaiChat(encoder) => encoder.push(event, out),
            Encoder::OpenaiResponses(encoder) => encoder.push(event, out),
            Encoder::AnthropicMessages(encoder) => encoder.push(event, out),
            Encoder::GeminiGenerate(encoder) => encoder.push(event, out),
        }
    }

    /// What may stand between two events; `begun`: the client has had something of the stream.
    pub fn keep_alive(&self, begun: bool) -> KeepAlive {
        match self {
            Encoder::OpenaiChat(_) => Grammar::OpenaiChat.keep_alive(begun),
            Encoder::OpenaiResponses(_) => Grammar::OpenaiResponses.keep_alive(begun),
            Encoder::AnthropicMessages(_) => Grammar::AnthropicMessages.keep_alive(begun),
            Encoder::GeminiGenerate(encoder) if encoder.is_array() => KeepAlive::Space,
            Encoder::GeminiGenerate(_) => Grammar::GeminiGenerate.keep_alive(begun),
        }
    }

    /// The answer as the client's API tells it in one piece, once the stream is whole. Only the last event of a Responses
    /// stream has it; `None` of all others.
    pub fn whole(&self) -> Option<Vec<u8>> {
        match self {
            Encoder::OpenaiResponses(encoder) => encoder.whole(),
            Encoder::OpenaiChat(_) | Encoder::AnthropicMessages(_) | Encoder::GeminiGenerate(_) => None,
        }
    }

    /// Appends an error event. Nothing may follow it.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        match self {
            Encoder::OpenaiChat(encoder) => encoder.fail(fault, out),
            Encoder::OpenaiResponses(encoder) => encoder.fail(fault, out),
            Encoder::AnthropicMessages(encoder) => encoder.fail(fault, out),
            Encoder::GeminiGenerate(encoder) => encoder.fail(fault, out),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::frame::{Framer, Framing};
    use crate::json::Document;
    use crate::test_support::{END, begin, options, raw, start, stop, written};
    use crate::{Block, Citation, Content, Finish};

    #[test]
    fn json_of_others_stays_on_one_line_of_an_event() {
        let spread = raw("{\n \"a\":\r\n[1,\r2] }");
        let source = Citation { url: None, title: None, start: None, end: None, value: Some(spread.clone()) };
        let foreign = |dialect| begin(Block::new(Content::Foreign { dialect, value: spread.clone() }));
        let logprobs = raw("{\n\"content\": [{\"token\":\n\"a\",\r\"logprob\":-1,\n\"top_logprobs\":[]}]}");
        let events = [
            &[start(), begin(Block::new(Content::Text { text: "a".into(), citations: vec![source] }))][..],
            &[Event::Logprobs { choice: 0, value: logprobs }, END],
            &Dialect::ALL.map(|dialect| [foreign(dialect), END]).concat(),
            &[Event::Extra { choice: Some(0), name: "x".into(), value: spread.clone() }],
            &[Event::Extra { choice: None, name: "y".into(), value: spread.clone() }],
            &[stop(0, Finish::Stop), Event::Finish],
        ]
        .concat();
        for client in ClientDialect::ALL {
            let options = RenderOptions { echo: vec![("metadata".into(), spread.clone())], ..options(false) };
            let stream = written(Encoder::new(client, options, false), &events);
            let (mut framer, mut count) = (Framer::new(Framing::Sse), 0);
            framer.push(&stream);
            while let Some(frame) = framer.next().unwrap() {
                let whole = frame.data == b"[DONE]" || Document::parse(frame.data).is_ok();
                assert!(whole, "{client:?}: {}", String::from_utf8_lossy(frame.data));
                count += 1;
            }
            let lines = stream.split(|byte| *byte == b'\n').filter(|path| !path.trim_ascii().is_empty());
            let is_field = |path: &[u8]| path.starts_with(b"event: ") || path.starts_with(b"data: ");
            assert!(count > 5 && lines.into_iter().all(is_field), "{}", String::from_utf8_lossy(&stream));
        }
    }

    #[test]
    fn refusals_are_told_in_the_clients_words() {
        let request = Request { places: vec!["input[0]".into(), "input[1-2]".into()], ..Request::default() };
        let fault = Fault::invalid("Invalid `messages[1].name`: no").with_param("messages[1].name");
        let own = ClientDialect::OpenaiResponses.refusal(&request, fault.clone());
        assert_eq!(
            (own.message.as_str(), own.param.as_deref()),
            ("Invalid `input[1-2].name`: no", Some("input[1-2].name"))
        );
        assert_eq!(ClientDialect::OpenaiChat.refusal(&request, fault.clone()), fault);
    }

    #[test]
    fn losses_are_told_in_the_clients_words() {
        let words = [
            ("stop", "stop_sequences"),
            ("tools", "tools"),
            ("format", "text.format"),
            ("format.schema", "text.format"),
        ];
        let places = ["system".to_owned(), "messages[4]".to_owned()];
        for (path, expected) in [
            ("stop", "stop_sequences"),
            ("stop[1]", "stop_sequences[1]"),
            ("seed", "seed"),
            ("stopped", "stopped"),
            ("format", "text.format"),
            ("format.schema.name", "text.format.name"),
            ("metadata.a", "metadata.a"),
            ("messages[0].name", "system.name"),
            ("messages[1].content[0]", "messages[4].content[0]"),
            ("messages[7].name", "messages[7].name"),
        ] {
            assert_eq!(own_path(path, &words, &places), expected);
        }
    }
}
