//! generateContent of models that speak (<https://ai.google.dev/gemini-api/docs/speech-generation>): samples in base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::encoded::Encoded;
use super::{Format, PCM_HZ, Request, chosen, dropped, like_openais, no_voice, sound};
use crate::api::MediaReader;
use crate::json::{Document, Json, Node};
use crate::{Fault, Usage};

/// The first is what a client gets who leaves it open: a file that players understand.
const FORMATS: [Format; 2] = [Format::Wav, Format::Pcm];
/// <https://ai.google.dev/gemini-api/docs/speech-generation#voices>
const OWN_VOICES: [&str; 30] = [
    "Achernar",
    "Achird",
    "Algenib",
    "Algieba",
    "Alnilam",
    "Aoede",
    "Autonoe",
    "Callirrhoe",
    "Charon",
    "Despina",
    "Enceladus",
    "Erinome",
    "Fenrir",
    "Gacrux",
    "Iapetus",
    "Kore",
    "Laomedeia",
    "Leda",
    "Orus",
    "Puck",
    "Pulcherrima",
    "Rasalgethi",
    "Sadachbia",
    "Sadaltager",
    "Schedar",
    "Sulafat",
    "Umbriel",
    "Vindemiatrix",
    "Zephyr",
    "Zubenelgenubi",
];
const VOICES: [(&str, &str); 13] = [
    ("alloy", "Kore"),
    ("ash", "Charon"),
    ("ballad", "Algieba"),
    ("cedar", "Iapetus"),
    ("coral", "Leda"),
    ("echo", "Puck"),
    ("fable", "Fenrir"),
    ("marin", "Sulafat"),
    ("nova", "Aoede"),
    ("onyx", "Orus"),
    ("sage", "Autonoe"),
    ("shimmer", "Zephyr"),
    ("verse", "Enceladus"),
];

pub(super) fn tell(request: &Request) -> Result<Encoded, Fault> {
    let format = chosen(request, &FORMATS)?;
    let voice = voice(request)?;
    // The model is told how to speak in the words before the text.
    let text = match &request.instructions {
        Some(instructions) => format!("{instructions}:\n{}", request.input),
        None => request.input.clone(),
    };
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_array("contents", |w| {
                w.object(|w| {
                    w.field_str("role", "user");
                    w.field_array("parts", |w| w.object(|w| w.field_str("text", &text)));
                });
            });
            w.field_object("generationConfig", |w| {
                w.field_array("responseModalities", |w| w.string("AUDIO"));
                w.field_object("speechConfig", |w| {
                    w.field_object("voiceConfig", |w| {
                        w.field_object("prebuiltVoiceConfig", |w| w.field_str("voiceName", voice));
                    });
                });
            });
        });
    });
    let own = request.clone();
    let reader = MediaReader::whole(move |body| {
        let document = Document::parse(body)
            .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
        let (samples, hertz) = read(document.root())?;
        let usage = document.root().some("usageMetadata").map(usage);
        let sound = if format == Format::Wav { sound::wav(&samples, hertz) } else { samples };
        Ok(sound::whole(&own, format, sound, usage))
    });
    let in_path = request.model.clone();
    Ok(Encoded { in_path, query: String::new(), body, dropped: dropped(request, &["speed"]), reader })
}

fn voice(request: &Request) -> Result<&'static str, Fault> {
    let own = OWN_VOICES.into_iter().find(|own| own.eq_ignore_ascii_case(&request.voice));
    let own = own.or_else(|| like_openais(&VOICES, &request.voice));
    own.ok_or_else(|| {
        no_voice(request, &format!("send one of {}, or a name of OpenAI's", OWN_VOICES.join(", ")))
    })
}

/// The samples of all parts, and how many there are in a second.
fn read(root: Node<'_>) -> Result<(Vec<u8>, u32), Fault> {
    let candidate = root.some("candidates").and_then(|list| list.items().next());
    let parts = candidate.and_then(|candidate| candidate.some("content")?.some("parts"));
    let (mut samples, mut hertz) = (Vec::new(), PCM_HZ);
    for data in parts.iter().flat_map(Node::items).filter_map(|part| part.some("inlineData")) {
        let media = data.str("mimeType").unwrap_or_default();
        hertz = rate(&media).unwrap_or(hertz);
        let piece = BASE64_STANDARD.decode(data.str("data").unwrap_or_default().as_bytes());
        samples.extend(piece.map_err(|_| Fault::upstream("The provider's sound is not in base64."))?);
    }
    if samples.is_empty() {
        let why = candidate.and_then(|candidate| candidate.str("finishReason"));
        let why = why.map(|why| format!(" (finish reason `{why}`)")).unwrap_or_default();
        return Err(Fault::upstream(format!("The provider's answer has no sound{why}.")));
    }
    Ok((samples, hertz))
}

/// `audio/L16;codec=pcm;rate=24000`
fn rate(media: &str) -> Option<u32> {
    media.split(';').find_map(|parameter| parameter.trim().strip_prefix("rate="))?.parse().ok()
}

fn usage(usage: Node<'_>) -> Usage {
    let (prompt, completion) =
        (usage.u64("promptTokenCount").unwrap_or(0), usage.u64("candidatesTokenCount").unwrap_or(0));
    Usage { prompt, completion, audio_completion: Some(completion), ..Usage::default() }
}
