//! `POST /v1/text-to-speech/{voice}` (<https://elevenlabs.io/docs/api-reference/text-to-speech/convert>).

use super::encoded::Encoded;
use super::{Format, Request, chosen, dropped, like_openais, no_voice, sound, speed};
use crate::Fault;
use crate::json::Json;

/// What there is for every account, at the rates of OpenAI's where there is a choice.
const FORMATS: [(Format, &str); 4] = [
    (Format::Mp3, "mp3_44100_128"),
    (Format::Opus, "opus_48000_128"),
    (Format::Pcm, "pcm_24000"),
    // Its head is written here.
    (Format::Wav, "pcm_24000"),
];
/// Voices that every account has (<https://elevenlabs.io/docs/overview/capabilities/voices>).
const VOICES: [(&str, &str); 13] = [
    ("alloy", "21m00Tcm4TlvDq8ikWAM"),
    ("ash", "nPczCjzI2devNBz1zQrb"),
    ("ballad", "JBFqnCBsd6RMkjVDRZzb"),
    ("cedar", "CwhRBWXzGAHq8TQ4Fs17"),
    ("coral", "XrExE9yKIg1WjnnlWkGX"),
    ("echo", "pNInz6obpgDQGcFmaJgB"),
    ("fable", "onwK4e9ZLuTAKqWW03F9"),
    ("marin", "FGY2WhTYpPnrIDTdsKH5"),
    ("nova", "EXAVITQu4vr4xnSDxMaL"),
    ("onyx", "pqHfZKP75CvOlQylNhV4"),
    ("sage", "Xb7hH8MSUJpSbSDYk0k2"),
    ("shimmer", "pFZP5JQG7iQjIQuC4Bku"),
    ("verse", "IKne3meq5aSn9XLyUdCD"),
];
/// Ids of voices are so long, in letters and digits.
const VOICE_CHARS: usize = 20;

pub(super) fn tell(request: &Request) -> Result<Encoded, Fault> {
    let format = chosen(request, &FORMATS.map(|(format, _)| format))?;
    let speed = speed(request, 0.7, 1.2)?;
    let query = FORMATS.into_iter().find(|(own, _)| *own == format).map_or("", |(_, name)| name);
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("text", &request.input);
            w.field_str("model_id", &request.model);
            if let Some(speed) = speed {
                w.field_object("voice_settings", |w| w.field_raw("speed", &speed.to_string()));
            }
        });
    });
    Ok(Encoded {
        in_path: voice(request)?,
        query: format!("output_format={query}"),
        body,
        dropped: dropped(request, &["instructions"]),
        reader: sound::passing(request, format, query.starts_with("pcm")),
    })
}

fn voice(request: &Request) -> Result<String, Fault> {
    if let Some(own) = like_openais(&VOICES, &request.voice) {
        return Ok(own.to_owned());
    }
    let voice = &request.voice;
    match voice.len() == VOICE_CHARS && voice.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(voice.clone()),
        false => {
            Err(no_voice(request, "send the id of a voice (20 letters and digits), or a name of OpenAI's"))
        }
    }
}
