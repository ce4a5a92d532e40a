//! A scripted model that speaks any vendor's format: it thinks, speaks and calls tools as its script says, and what it was
//! told can be read back in terms that are the same for all formats.

mod chat;
mod cohere;
mod converse;
mod gemini;
mod messages;
mod ollama;
mod responses;

use serde_json::Value;

use crate::vendor::bedrock;
use crate::{Answer, Framing};
pub(crate) use gemini::spelled;

/// One answer of the model.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// What it thinks before it speaks, and the vendor's proof of the thought.
    pub thought: Option<(String, String)>,
    /// What it says.
    pub text: Option<String>,
    /// The tools that it calls, all at once.
    pub calls: Vec<Call>,
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub struct Call {
    /// Joins call and result, in formats that have such a thing.
    pub id: String,
    /// The group of tools that it belongs to, in formats that have such a thing.
    pub namespace: Option<String>,
    /// The tool.
    pub name: String,
    /// A JSON object; or the text that a tool of free text is called with.
    pub arguments: Value,
}

/// A tool that a request offers and that the client itself runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The group of tools that it belongs to, in formats that have such a thing.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The schema of its arguments; `None` where it takes free text.
    pub schema: Option<Value>,
}

/// A piece of what a model was told, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The user's words.
    User(String),
    /// A thought of its own, by its proof.
    Thought(String),
    /// Its own words.
    Said(String),
    /// Its own call of a tool: name and arguments. Calls count from 0.
    Called(String, Value),
    /// What came of the call with this number.
    Result(usize, String),
}

/// A format that a model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
    /// Google generateContent.
    Gemini,
    /// Cohere Chat v2.
    Cohere,
    /// Amazon Bedrock Converse.
    Converse,
    /// Ollama's own chat.
    Ollama,
}

impl Speech {
    /// Every format.
    pub const ALL: [Speech; 7] = [
        Speech::Chat,
        Speech::Responses,
        Speech::Messages,
        Speech::Gemini,
        Speech::Cohere,
        Speech::Converse,
        Speech::Ollama,
    ];
    /// Those that stream as server-sent events.
    pub const IN_EVENTS: [Speech; 5] =
        [Speech::Chat, Speech::Responses, Speech::Messages, Speech::Gemini, Speech::Cohere];

    /// The fields of a provider's row.
    pub fn row(self) -> &'static str {
        match self {
            Speech::Chat => "dialects: [openai_chat]",
            Speech::Responses => "dialects: [openai_responses]",
            Speech::Messages => "dialects: [anthropic_messages], auth: {header: x-api-key}",
            Speech::Gemini => "dialects: [gemini_generate], auth: {header: x-goog-api-key}",
            Speech::Cohere => "dialects: [cohere_chat]",
            Speech::Converse => "dialects: [bedrock_converse]",
            Speech::Ollama => "dialects: [ollama_chat]",
        }
    }

    /// Does the format take a model's proofs of its thoughts back?
    pub fn takes_proofs(self) -> bool {
        match self {
            Speech::Responses | Speech::Messages | Speech::Gemini | Speech::Converse => true,
            Speech::Chat | Speech::Cohere | Speech::Ollama => false,
        }
    }

    /// The turn as an answer, whole or as a stream.
    pub fn answer(self, turn: &Turn, stream: bool) -> Answer {
        if stream {
            let events = match self {
                Speech::Chat => chat::events(turn),
                Speech::Responses => responses::events(turn),
                Speech::Messages => messages::events(turn),
                Speech::Gemini => gemini::events(turn),
                Speech::Cohere => cohere::events(turn),
                Speech::Converse => {
                    let answer = Answer::with(bedrock::STREAM, converse::events(turn));
                    return answer.framing(Framing::Chunked);
                }
                Speech::Ollama => return Answer::json_lines(ollama::events(turn)),
            };
            return Answer::stream(events);
        }
        let whole = match self {
            Speech::Chat => chat::whole(turn),
            Speech::Responses => responses::whole(turn),
            Speech::Messages => messages::whole(turn),
            Speech::Gemini => gemini::whole(turn),
            Speech::Cohere => cohere::whole(turn),
            Speech::Converse => converse::whole(turn),
            Speech::Ollama => ollama::whole(turn),
        };
        Answer::json(whole.to_string())
    }

    /// The tools that a request offers. Those that the vendor itself runs are left out.
    pub fn offers(self, body: &Value) -> Vec<Offer> {
        match self {
            Speech::Chat | Speech::Cohere | Speech::Ollama => chat::offers(body),
            Speech::Responses => responses::offers(body),
            Speech::Messages => messages::offers(body),
            Speech::Gemini => gemini::offers(body),
            Speech::Converse => converse::offers(body),
        }
    }

    /// What a request tells the model, instructions left out.
    pub fn read(self, body: &Value) -> Vec<Told> {
        match self {
            Speech::Chat => chat::read(body),
            Speech::Responses => responses::read(body),
            Speech::Messages => messages::read(body),
            Speech::Gemini => gemini::read(body),
            Speech::Cohere => cohere::read(body),
            Speech::Converse => converse::read(body),
            Speech::Ollama => ollama::read(body),
        }
    }
}

/// The two halves of a text, so that streams come in pieces.
fn halves(text: &str) -> [&str; 2] {
    let middle = (text.len() / 2..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    let (first, second) = text.split_at(middle);
    [first, second]
}

/// The text of a content value: a string, or parts with `text`.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The number of the call with this id among all calls so far.
fn number_of(ids: &[String], id: &Value) -> usize {
    let id = id.as_str().unwrap_or_default();
    ids.iter().rposition(|known| known == id).unwrap_or_else(|| panic!("no call has the id {id:?}: {ids:?}"))
}

/// Told calls of free text have a text in place of an object.
fn called(name: &Value, arguments: Value) -> Told {
    Told::Called(name.as_str().unwrap_or_default().to_owned(), arguments)
}

fn offer(name: &Value, schema: Option<&Value>) -> Offer {
    let name = name.as_str().unwrap_or_default().to_owned();
    Offer { namespace: None, name, schema: schema.cloned() }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn json_of(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_else(|| panic!("arguments are a string: {text}"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
