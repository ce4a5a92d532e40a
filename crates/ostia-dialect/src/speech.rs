//! Speech from text, over every vendor's way to ask for it. Clients speak OpenAI's form
//! (<https://platform.openai.com/docs/api-reference/audio/createSpeech>).
//!
//! A hub of its own like embeddings. Where the upstream has the same form the bytes are relayed, and nothing here is asked. Elsewhere the
//! voice is the vendor's own, or the one that is most like OpenAI's of that name; a format that the vendor does not give is refused by
//! its name, because nothing is recoded here.

mod aura;
mod eleven;
mod encoded;
mod gemini;
mod sonic;
mod sound;
#[cfg(test)]
mod tests;
mod translator;
mod voxtral;

pub use translator::TRANSLATOR;

use crate::Fault;
use crate::json::{Document, Node};

/// The names of OpenAI's voices, which clients send who did not choose a vendor.
pub const OPENAI_VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer",
    "verse",
];
/// Samples per second of OpenAI's `pcm`: 16 bits, one channel, little end first.
pub const PCM_HZ: u32 = 24_000;

/// A call of a speech model.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The upstream's model id.
    pub model: String,
    /// What to say.
    pub input: String,
    /// Who says it; empty where the client leaves it open.
    pub voice: String,
    /// How the sound is packed, where the client says so.
    pub format: Option<Format>,
    /// How fast, as a multiple.
    pub speed: Option<f64>,
    /// How to say it, in words.
    pub instructions: Option<String>,
    /// The sound comes in events.
    pub sse: bool,
    /// Names of other fields.
    pub others: Vec<String>,
}

/// How a sound is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// MP3.
    Mp3,
    /// Opus in Ogg.
    Opus,
    /// AAC.
    Aac,
    /// FLAC.
    Flac,
    /// Samples with a head that describes them.
    Wav,
    /// Samples alone: see [`PCM_HZ`].
    Pcm,
}

impl Format {
    /// Every format, in the order of the enum.
    pub const ALL: [Format; 6] =
        [Format::Mp3, Format::Opus, Format::Aac, Format::Flac, Format::Wav, Format::Pcm];

    /// Its name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Format::Mp3 => "mp3",
            Format::Opus => "opus",
            Format::Aac => "aac",
            Format::Flac => "flac",
            Format::Wav => "wav",
            Format::Pcm => "pcm",
        }
    }

    /// Its media type, as OpenAI tells it.
    pub fn media(self) -> &'static str {
        match self {
            Format::Mp3 => "audio/mpeg",
            Format::Opus => "audio/opus",
            Format::Aac => "audio/aac",
            Format::Flac => "audio/flac",
            Format::Wav => "audio/wav",
            Format::Pcm => "audio/pcm",
        }
    }
}

/// Reads a client's request.
///
/// # Errors
/// 400 that names the field.
pub fn decode(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let input = root.expect("input")?;
    if input.expect_str()?.is_empty() {
        return Err(input.invalid("must not be empty"));
    }
    let mut request = Request {
        model: root.expect("model")?.expect_str()?.into_owned(),
        input: input.expect_str()?.into_owned(),
        voice: String::new(),
        format: None,
        speed: None,
        instructions: None,
        sse: false,
        others: Vec::new(),
    };
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        field(&mut request, &name, value)?;
    }
    Ok(request)
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "model" | "input" => {}
        // A voice of one's own is an object with an id.
        "voice" if value.is_object() => request.voice = value.expect("id")?.expect_str()?.into_owned(),
        "voice" => request.voice = value.expect_str()?.into_owned(),
        "response_format" => request.format = Some(format(value)?),
        "speed" => {
            let speed = value.as_f64().filter(|speed| *speed > 0.0);
            request.speed = Some(speed.ok_or_else(|| value.invalid("must be a number above 0"))?);
        }
        "instructions" => {
            request.instructions = Some(value.expect_str()?.into_owned()).filter(|text| !text.is_empty());
        }
        "stream_format" => match &*value.expect_str()? {
            "sse" => request.sse = true,
            "audio" => {}
            other => return Err(value.invalid(format_args!("must be `audio` or `sse`, not `{other}`"))),
        },
        other => request.others.push(other.to_owned()),
    }
    Ok(())
}

fn format(value: Node<'_>) -> Result<Format, Fault> {
    let name = value.expect_str()?;
    let known = Format::ALL.into_iter().find(|format| format.name() == name);
    known.ok_or_else(|| value.invalid(format_args!("must be {}, not `{name}`", names(&Format::ALL))))
}

/// The format to ask a vendor for that gives these, the first where the client leaves it open.
///
/// # Errors
/// 400 that names the format.
fn chosen(request: &Request, given: &[Format]) -> Result<Format, Fault> {
    let wanted = request.format.or(given.first().copied()).unwrap_or(Format::Mp3);
    if given.contains(&wanted) {
        return Ok(wanted);
    }
    let message = format!(
        "Invalid `response_format`: model `{}` does not give `{}`; ask for {}.",
        request.model,
        wanted.name(),
        names(given)
    );
    Err(Fault::invalid(message).with_param("response_format").with_code("unsupported_format"))
}

fn names(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(|format| format!("`{}`", format.name())).collect();
    names.join(" or ")
}

/// The vendor's voice for one of OpenAI's.
fn like_openais(table: &[(&str, &'static str)], voice: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == voice).map(|(_, own)| *own)
}

/// Is this one of OpenAI's voices?
fn is_openais(voice: &str) -> bool {
    OPENAI_VOICES.contains(&voice)
}

/// Why a voice is none of the vendor's. `what` says which ones it has.
fn no_voice(request: &Request, what: &str) -> Fault {
    let message = match request.voice.as_str() {
        "" => format!("Missing `voice`: {what}."),
        voice => format!("Invalid `voice`: model `{}` has no voice `{voice}`; {what}.", request.model),
    };
    Fault::invalid(message).with_param("voice").with_code("unsupported_voice")
}

/// The speed, where the vendor has this range.
///
/// # Errors
/// 400 that names the field.
fn speed(request: &Request, min: f64, max: f64) -> Result<Option<f64>, Fault> {
    match request.speed {
        Some(speed) if !(min..=max).contains(&speed) => {
            let message =
                format!("Invalid `speed`: model `{}` takes {min} to {max}, not {speed}.", request.model);
            Err(Fault::invalid(message).with_param("speed"))
        }
        // What everybody does anyway.
        Some(1.0) => Ok(None),
        speed => Ok(speed),
    }
}

/// What of a request a vendor has no words for.
fn dropped(request: &Request, unsaid: &[&str]) -> Vec<String> {
    let is_said = |name: &str| match name {
        "instructions" => request.instructions.is_some(),
        "speed" => request.speed.is_some_and(|speed| speed != 1.0),
        "voice" => !request.voice.is_empty(),
        _ => false,
    };
    let own = unsaid.iter().filter(|name| is_said(name)).map(|name| (*name).to_owned());
    own.chain(request.others.iter().cloned()).collect()
}
