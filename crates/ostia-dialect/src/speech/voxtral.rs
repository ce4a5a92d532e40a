//! `POST /v1/audio/speech` where the sound comes as base64 in JSON (<https://docs.mistral.ai/api/endpoint/audio/speech>).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::encoded::Encoded;
use super::{Format, Request, chosen, dropped, sound};
use crate::api::{Asked, MediaAnswer, MediaReader};
use crate::json::{Document, Json};
use crate::{Api, Fault, Observed};

/// Its `pcm` has other samples than OpenAI's.
const FORMATS: [Format; 4] = [Format::Mp3, Format::Wav, Format::Flac, Format::Opus];
/// Fields that only this vendor's own clients send: they want its own answer.
const OWN_FIELDS: [&str; 2] = ["voice_id", "ref_audio"];

pub(super) fn tell(request: &Request) -> Result<Encoded, Fault> {
    let format = chosen(request, &FORMATS)?;
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("model", &request.model);
            w.field_str("input", &request.input);
            if !request.voice.is_empty() {
                w.field_str("voice_id", &request.voice);
            }
            w.field_str("response_format", format.name());
        });
    });
    let own = request.clone();
    let reader = MediaReader::whole(move |body| {
        let sound = read(body)
            .ok_or_else(|| Fault::upstream("The provider's answer has no `audio_data` in base64."))?;
        Ok(sound::whole(&own, format, sound, None))
    });
    let (in_path, query) = (String::new(), String::new());
    Ok(Encoded { in_path, query, body, dropped: dropped(request, &["instructions", "speed"]), reader })
}

/// The vendor's own form, as its clients send it and want it answered.
pub(super) fn own(asked: Asked<'_>, upstream: Api) -> Result<Option<Encoded>, Fault> {
    let document = Document::of_request_to(asked.body, 1)?;
    let root = document.root();
    let is_own = upstream == Api::MistralSpeech && OWN_FIELDS.iter().any(|name| root.some(name).is_some());
    if !is_own {
        return Ok(None);
    }
    let mut splice = crate::relay::Splice::new(&document)?;
    if let Some(model) = asked.model {
        splice.set("model", Json::build(|w| w.string(model)));
    }
    let body = String::from_utf8(splice.finish()).unwrap_or_default();
    let reader = MediaReader::whole(|body| {
        Ok(MediaAnswer {
            content_type: "application/json",
            body: body.to_vec(),
            observed: Observed::default(),
        })
    });
    Ok(Some(Encoded {
        in_path: String::new(),
        query: String::new(),
        body: Json::build(|w| w.raw(&body)),
        dropped: Vec::new(),
        reader,
    }))
}

fn read(body: &[u8]) -> Option<Vec<u8>> {
    let document = Document::parse_to(body, 1).ok()?;
    BASE64_STANDARD.decode(document.root().str("audio_data")?.as_bytes()).ok()
}
