//! `POST /v1/listen` (<https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded>): the recording is the body, and all
//! else stands in the query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::encoded::Encoded;
use super::{Request, Response, Segment, Word, dropped, media};
use crate::Fault;
use crate::form::{File, Piece, Writer};
use crate::json::Node;

/// Everything that is not unreserved (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn tell(request: &Request, file: &File, _form: Writer) -> Result<Encoded, Fault> {
    let text = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut query =
        format!("model={}&smart_format=true&punctuate=true&utterances=true", text(&request.model));
    match &request.language {
        Some(language) => query.push_str(&format!("&language={}", text(language))),
        None => query.push_str("&detect_language=true"),
    }
    if request.diarize {
        query.push_str("&diarize=true");
    }
    Ok(Encoded {
        in_path: String::new(),
        query,
        content_type: media(file).to_owned(),
        body: vec![Piece::File(file.index)],
        upload: None,
        dropped: dropped(request, &["prompt", "temperature"]),
    })
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    let results = root.some("results")?;
    let channel = results.some("channels")?.items().next()?;
    let said = channel.some("alternatives")?.items().next()?;
    let words = said.some("words").iter().flat_map(|words| words.items()).map(word).collect();
    let pieces = results.some("utterances");
    let segments = pieces.iter().flat_map(|pieces| pieces.items()).map(segment).collect();
    Some(Response {
        text: said.str("transcript")?.into_owned(),
        language: channel.str("detected_language").map(std::borrow::Cow::into_owned),
        duration: root.some("metadata").and_then(|metadata| metadata.some("duration")?.as_f64()),
        words,
        segments,
        usage: None,
    })
}

fn word(word: Node<'_>) -> Word {
    let text = word.str("punctuated_word").or_else(|| word.str("word")).unwrap_or_default();
    Word {
        text: text.into_owned(),
        start: seconds(word, "start"),
        end: seconds(word, "end"),
        speaker: speaker(word),
        is_apart: true,
    }
}

fn segment(piece: Node<'_>) -> Segment {
    Segment {
        text: piece.str("transcript").unwrap_or_default().into_owned(),
        start: seconds(piece, "start"),
        end: seconds(piece, "end"),
        speaker: speaker(piece),
    }
}

fn speaker(node: Node<'_>) -> Option<String> {
    node.some("speaker").map(|speaker| speaker.text().to_owned())
}

fn seconds(node: Node<'_>, name: &str) -> f64 {
    node.some(name).and_then(|node| node.as_f64()).unwrap_or_default()
}
