//! `POST /v1/speak` (<https://developers.deepgram.com/reference/text-to-speech/speak-request>): the voice is a part of the model's name.

use super::encoded::Encoded;
use super::{Format, Request, chosen, dropped, is_openais, like_openais, no_voice, sound, speed};
use crate::Fault;
use crate::json::Json;

/// <https://developers.deepgram.com/docs/tts-media-output-settings>
const FORMATS: [(Format, &str); 6] = [
    (Format::Mp3, "encoding=mp3"),
    (Format::Opus, "encoding=opus&container=ogg"),
    (Format::Aac, "encoding=aac"),
    (Format::Flac, "encoding=flac"),
    (Format::Wav, "encoding=linear16&container=wav&sample_rate=24000"),
    (Format::Pcm, "encoding=linear16&container=none&sample_rate=24000"),
];
/// The families of models that have voices (<https://developers.deepgram.com/docs/tts-models>), the longest name first.
const FAMILIES: [&str; 2] = ["aura-2", "aura"];
/// Voices that both families have.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "hera"),
    ("ash", "arcas"),
    ("ballad", "orpheus"),
    ("cedar", "orion"),
    ("coral", "asteria"),
    ("echo", "orion"),
    ("fable", "orpheus"),
    ("marin", "hera"),
    ("nova", "luna"),
    ("onyx", "zeus"),
    ("sage", "athena"),
    ("shimmer", "luna"),
    ("verse", "arcas"),
];

pub(super) fn tell(request: &Request) -> Result<Encoded, Fault> {
    let format = chosen(request, &FORMATS.map(|(format, _)| format))?;
    let model = model(request)?;
    let packing = FORMATS.into_iter().find(|(own, _)| *own == format).map_or("", |(_, query)| query);
    let speed = speed(request, 0.7, 1.5)?.map(|speed| format!("&speed={speed}")).unwrap_or_default();
    // The voice is not said where the model names another one.
    let unsaid: &[&str] = if names_voice(&request.model) && is_openais(&request.voice) {
        &["voice", "instructions"]
    } else {
        &["instructions"]
    };
    Ok(Encoded {
        in_path: String::new(),
        query: format!("model={model}&{packing}{speed}"),
        body: Json::build(|w| w.object(|w| w.field_str("text", &request.input))),
        dropped: dropped(request, unsaid),
        reader: sound::passing(request, format, false),
    })
}

/// Does the model's name end with a voice, as in `aura-2-thalia-en`?
fn names_voice(model: &str) -> bool {
    !FAMILIES.contains(&model)
}

/// The model with its voice. Names have nothing that a query would have to hide.
fn model(request: &Request) -> Result<String, Fault> {
    let Request { model, voice, .. } = request;
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let what = "send a name such as `thalia` or `estrella-es`, or a name of OpenAI's";
    if !is_word(model) {
        return Err(Fault::invalid(format!("Invalid `model`: there is no `{model}`.")).with_param("model"));
    }
    if names_voice(model) {
        let is_same = voice.is_empty() || is_openais(voice) || model.contains(&**voice);
        return if is_same {
            Ok(model.clone())
        } else {
            Err(no_voice(request, "its name says whose voice it is"))
        };
    }
    let own = like_openais(&VOICES, voice).unwrap_or(voice).to_ascii_lowercase();
    match own.as_str() {
        own if !is_word(own) => Err(no_voice(request, what)),
        own if own.starts_with(&**model) => Ok(own.to_owned()),
        own if own.contains('-') => Ok(format!("{model}-{own}")),
        own => Ok(format!("{model}-{own}-en")),
    }
}
