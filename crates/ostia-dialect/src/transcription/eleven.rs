//! `POST /v1/speech-to-text` (<https://elevenlabs.io/docs/api-reference/speech-to-text/convert>).

use super::encoded::Encoded;
use super::{Request, Response, Word, dropped};
use crate::Fault;
use crate::form::{File, Writer};
use crate::json::Node;

pub(super) fn tell(request: &Request, file: &File, form: Writer) -> Result<Encoded, Fault> {
    let fields = [
        ("model_id", Some(request.model.as_str())),
        ("language_code", request.language.as_deref()),
        ("temperature", request.temperature.as_deref()),
        ("timestamps_granularity", Some("word")),
        // OpenAI's transcripts hold words only.
        ("tag_audio_events", Some("false")),
        ("diarize", request.diarize.then_some("true")),
    ];
    Encoded::form(&fields, file, form, dropped(request, &["prompt"]))
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    let words = root.some("words");
    let is_word = |word: &Node<'_>| word.str("type").is_none_or(|kind| kind == "word");
    let words = words.iter().flat_map(|words| words.items()).filter(is_word).map(word).collect();
    Some(Response {
        text: root.str("text")?.into_owned(),
        language: root.str("language_code").map(std::borrow::Cow::into_owned),
        words,
        duration: root.some("audio_duration_secs").and_then(|node| node.as_f64()),
        ..Response::default()
    })
}

fn word(word: Node<'_>) -> Word {
    let seconds = |name| word.some(name).and_then(|node| node.as_f64()).unwrap_or_default();
    Word {
        text: word.str("text").unwrap_or_default().into_owned(),
        start: seconds("start"),
        end: seconds("end"),
        speaker: word.str("speaker_id").map(std::borrow::Cow::into_owned),
        is_apart: true,
    }
}
