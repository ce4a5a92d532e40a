//! Text from speech, over every vendor's way to ask for it. Clients speak OpenAI's forms
//! (<https://platform.openai.com/docs/api-reference/audio/createTranscription>).
//!
//! A hub of its own like speech. Where the upstream has the same form the bytes are relayed, and nothing here is asked. Elsewhere the
//! answer is made of what the vendor tells: its text, its words with their times, its speakers. What needs times is refused by its
//! name where a vendor tells none.

mod assembly;
mod cohere;
mod deepgram;
mod eleven;
mod encoded;
mod gemini;
mod render;
mod segment;
#[cfg(test)]
mod tests;
mod translator;
mod xai;

pub use assembly::JOB as ASSEMBLYAI_JOB;
pub use translator::TRANSLATOR;

use crate::form::File;
use crate::json::{Document, Node};
use crate::{Fault, Usage};

/// A recording that is to be written down.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The upstream's model id.
    pub model: String,
    /// The language that is spoken, as ISO 639-1 names it, where the client knows.
    pub language: Option<String>,
    /// Words that help the model.
    pub prompt: Option<String>,
    /// How freely the model guesses, as the client wrote it.
    pub temperature: Option<String>,
    /// How the client wants the text.
    pub format: Format,
    /// The client wants the time of every word.
    pub words: bool,
    /// The client wants the times of pieces.
    pub segments: bool,
    /// Who speaks is to be told.
    pub diarize: bool,
    /// The text comes in events.
    pub stream: bool,
    /// The text is to be in English, whatever is spoken.
    pub translate: bool,
    /// Names of other fields.
    pub others: Vec<String>,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// The text in JSON.
    #[default]
    Json,
    /// The text.
    Text,
    /// Subtitles.
    Srt,
    /// Subtitles of the Web (<https://www.w3.org/TR/webvtt1/>).
    Vtt,
    /// The text with times in JSON.
    VerboseJson,
    /// The text with speakers in JSON.
    DiarizedJson,
}

impl Format {
    /// Every format, in the order of the enum.
    pub const ALL: [Format; 6] =
        [Format::Json, Format::Text, Format::Srt, Format::Vtt, Format::VerboseJson, Format::DiarizedJson];

    /// Its name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Text => "text",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
            Format::VerboseJson => "verbose_json",
            Format::DiarizedJson => "diarized_json",
        }
    }
}

/// What was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// All of it.
    pub text: String,
    /// The language, where the vendor tells it.
    pub language: Option<String>,
    /// How long the recording is, in seconds.
    pub duration: Option<f64>,
    /// The words with their times, where the vendor tells them.
    pub words: Vec<Word>,
    /// Pieces with their times: the vendor's own, or made of the words.
    pub segments: Vec<Segment>,
    /// The tokens that it cost, where the vendor counts them.
    pub usage: Option<Usage>,
}

/// A word.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Word {
    /// With the signs behind it.
    pub text: String,
    /// When it begins, in seconds.
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// Who says it, in the vendor's word.
    pub speaker: Option<String>,
    /// A space stands before it.
    pub is_apart: bool,
}

/// A piece of what was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segment {
    /// The words.
    pub text: String,
    /// When it begins, in seconds.
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// Who says it, in the vendor's word.
    pub speaker: Option<String>,
}

/// Reads the fields of a client's form.
///
/// # Errors
/// 400 that names the field.
pub fn decode(fields: &[u8], translate: bool) -> Result<Request, Fault> {
    let document = Document::of_request(fields)?;
    let root = document.root();
    let model = root.expect("model")?.expect_str()?.into_owned();
    let mut request = Request { model, translate, ..Request::default() };
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        field(&mut request, &name, value)?;
    }
    request.diarize |= request.format == Format::DiarizedJson;
    Ok(request)
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    let text = || value.expect_str().map(|text| Some(text.into_owned()).filter(|text| !text.is_empty()));
    match name {
        "model" | "file" => {}
        "language" => request.language = text()?,
        "prompt" => request.prompt = text()?,
        "temperature" => request.temperature = Some(number(value)?),
        "response_format" => request.format = format(value)?,
        "stream" => request.stream = is_true(value),
        "diarize" => request.diarize = is_true(value),
        "timestamp_granularities" => {
            let items = value.items().filter_map(|item| item.as_str()).map(std::borrow::Cow::into_owned);
            for item in value.as_str().map(std::borrow::Cow::into_owned).into_iter().chain(items) {
                match item.as_str() {
                    "word" => request.words = true,
                    "segment" => request.segments = true,
                    other => {
                        return Err(value.invalid(format_args!("must be `word` or `segment`, not `{other}`")));
                    }
                }
            }
        }
        // Only how a long recording is cut.
        "chunking_strategy" => {}
        other => request.others.push(other.to_owned()),
    }
    Ok(())
}

/// Forms have texts only; a config sets what it likes.
fn is_true(value: Node<'_>) -> bool {
    value.as_bool() == Some(true) || value.as_str().as_deref() == Some("true")
}

fn number(value: Node<'_>) -> Result<String, Fault> {
    let text = value.as_str().unwrap_or_else(|| value.text().into()).trim().to_owned();
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    if is_number { Ok(text) } else { Err(value.invalid("must be a number")) }
}

fn format(value: Node<'_>) -> Result<Format, Fault> {
    let name = value.expect_str()?;
    let known = Format::ALL.into_iter().find(|format| format.name() == name);
    known.ok_or_else(|| value.invalid(format_args!("must be {}, not `{name}`", names(&Format::ALL))))
}

/// Holds a request to the formats that a vendor tells enough for.
///
/// # Errors
/// 400 that names the format.
fn check_format(request: &Request, given: &[Format]) -> Result<(), Fault> {
    if given.contains(&request.format) {
        return Ok(());
    }
    let message = format!(
        "Invalid `response_format`: model `{}` tells too little for `{}`; ask for {}.",
        request.model,
        request.format.name(),
        names(given)
    );
    Err(Fault::invalid(message).with_param("response_format").with_code("unsupported_format"))
}

fn names(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(|format| format!("`{}`", format.name())).collect();
    names.join(" or ")
}

/// What of a request a vendor has no words for.
fn dropped(request: &Request, unsaid: &[&str]) -> Vec<String> {
    let is_said = |name: &str| match name {
        "language" => request.language.is_some(),
        "prompt" => request.prompt.is_some(),
        "temperature" => request.temperature.is_some(),
        "timestamp_granularities" => request.words || request.segments,
        "diarize" => request.diarize,
        _ => false,
    };
    let own = unsaid.iter().filter(|name| is_said(name)).map(|name| (*name).to_owned());
    own.chain(request.others.iter().cloned()).collect()
}

/// Media types of recordings by the ends of their names.
const MEDIA: [(&str, &str); 13] = [
    ("aac", "audio/aac"),
    ("aiff", "audio/aiff"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("mp4", "audio/mp4"),
    ("mpeg", "audio/mpeg"),
    ("mpga", "audio/mpeg"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("webm", "audio/webm"),
];

/// What a recording is: as the client says, or as its name does.
fn media(file: &File) -> &str {
    let told = file.media.as_deref().filter(|media| {
        !["application/octet-stream", "binary/octet-stream", ""]
            .iter()
            .any(|vague| media.eq_ignore_ascii_case(vague))
    });
    let by_name = || {
        let (_, end) = file.name.rsplit_once('.')?;
        MEDIA.iter().find(|(known, _)| known.eq_ignore_ascii_case(end)).map(|(_, media)| *media)
    };
    told.or_else(by_name).unwrap_or("application/octet-stream")
}
