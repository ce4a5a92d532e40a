//! `POST /v1/stt` (<https://docs.x.ai/developers/model-capabilities/audio/speech-to-text>): there is one model, which is not named.

use super::encoded::Encoded;
use super::{Request, Response, Word, dropped};
use crate::Fault;
use crate::form::{File, Writer};
use crate::json::Node;

pub(super) fn tell(request: &Request, file: &File, form: Writer) -> Result<Encoded, Fault> {
    let language = request.language.as_deref();
    let fields = [
        ("language", language),
        // Numbers and the like in figures, which needs the language.
        ("format", language.map(|_| "true")),
        ("diarize", request.diarize.then_some("true")),
    ];
    Encoded::form(&fields, file, form, dropped(request, &["prompt", "temperature"]))
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    let words = root.some("words");
    Some(Response {
        text: root.str("text")?.into_owned(),
        language: root
            .str("language")
            .filter(|language| !language.is_empty())
            .map(std::borrow::Cow::into_owned),
        duration: root.some("duration").and_then(|node| node.as_f64()),
        words: words.iter().flat_map(|words| words.items()).map(word).collect(),
        ..Response::default()
    })
}

fn word(word: Node<'_>) -> Word {
    let seconds = |name| word.some(name).and_then(|node| node.as_f64()).unwrap_or_default();
    Word {
        text: word.str("text").unwrap_or_default().into_owned(),
        start: seconds("start"),
        end: seconds("end"),
        speaker: word.some("speaker").map(|speaker| speaker.text().to_owned()),
        is_apart: true,
    }
}
