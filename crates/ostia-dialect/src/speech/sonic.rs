//! `POST /tts/bytes` (<https://docs.cartesia.ai/api-reference/tts/bytes>).

use super::encoded::Encoded;
use super::{Format, Request, chosen, dropped, no_voice, sound, speed};
use crate::Fault;
use crate::json::Json;

const FORMATS: [(Format, &str); 3] = [
    (Format::Mp3, r#"{"container":"mp3","sample_rate":44100,"bit_rate":128000}"#),
    (Format::Wav, r#"{"container":"wav","encoding":"pcm_s16le","sample_rate":24000}"#),
    (Format::Pcm, r#"{"container":"raw","encoding":"pcm_s16le","sample_rate":24000}"#),
];
/// Ids of voices are UUIDs, which are so long.
const VOICE_CHARS: usize = 36;

pub(super) fn tell(request: &Request) -> Result<Encoded, Fault> {
    let format = chosen(request, &FORMATS.map(|(format, _)| format))?;
    let speed = speed(request, 0.6, 1.5)?;
    let packing = FORMATS.into_iter().find(|(own, _)| *own == format).map_or("", |(_, json)| json);
    check_voice(request)?;
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("model_id", &request.model);
            w.field_str("transcript", &request.input);
            w.field_object("voice", |w| {
                w.field_str("mode", "id");
                w.field_str("id", &request.voice);
            });
            w.field_raw("output_format", packing);
            if let Some(speed) = speed {
                w.field_object("generation_config", |w| w.field_raw("speed", &speed.to_string()));
            }
        });
    });
    Ok(Encoded {
        in_path: String::new(),
        query: String::new(),
        body,
        dropped: dropped(request, &["instructions"]),
        reader: sound::passing(request, format, false),
    })
}

fn check_voice(request: &Request) -> Result<(), Fault> {
    let voice = &request.voice;
    let is_uuid =
        voice.len() == VOICE_CHARS && voice.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_uuid { Ok(()) } else { Err(no_voice(request, "send the id of a voice, a UUID")) }
}
