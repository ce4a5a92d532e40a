//! AssemblyAI's transcripts (<https://www.assemblyai.com/docs/getting-started/transcribe-an-audio-file>): the recording is uploaded
//! (`POST /v2/upload`), the transcript is a job (`POST /v2/transcript`), and its times are in milliseconds.

use super::encoded::Encoded;
use super::{Request, Response, Segment, Word, dropped};
use crate::api::job::{Job, Place, Upload};
use crate::form::{File, Piece, Writer};
use crate::json::{Json, Node};
use crate::{Fault, FaultKind};

/// How the transcript is come by (<https://www.assemblyai.com/docs/api-reference/transcripts/get>).
pub static JOB: Job = Job {
    status: Place::Path("/v2/transcript/{id}"),
    state: "status",
    done: &["completed"],
    failed: &[("error", FaultKind::Server)],
    reasons: &[&["error"]],
    result: None,
    stream: None,
    cancel: None,
    told_at_submit: None,
    every_ms: 1000,
};

pub(super) fn tell(request: &Request, file: &File, _form: Writer) -> Result<Encoded, Fault> {
    let rest = Json::build(|w| {
        w.object(|w| {
            w.field_array("speech_models", |w| w.string(&request.model));
            match &request.language {
                Some(language) => w.field_str("language_code", language),
                None => w.field_bool("language_detection", true),
            }
            if request.diarize {
                w.field_bool("speaker_labels", true);
            }
        });
    });
    let rest = rest.as_str().trim_start_matches('{');
    Ok(Encoded {
        content_type: "application/json".to_owned(),
        body: vec![
            Piece::Bytes(b"{\"audio_url\":".to_vec()),
            Piece::Uploaded,
            Piece::Bytes(format!(",{rest}").into_bytes()),
        ],
        upload: Some(Box::new(Upload {
            path: "/v2/upload",
            content_type: "application/octet-stream".to_owned(),
            body: vec![Piece::File(file.index)],
            field: "upload_url",
        })),
        dropped: dropped(request, &["prompt", "temperature"]),
        ..Encoded::default()
    })
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    let (words, pieces) = (root.some("words"), root.some("utterances"));
    Some(Response {
        // Where nobody speaks there is none.
        text: root.get("text")?.as_str().unwrap_or_default().into_owned(),
        language: root.str("language_code").map(std::borrow::Cow::into_owned),
        duration: root.some("audio_duration").and_then(|node| node.as_f64()),
        words: words.iter().flat_map(|words| words.items()).map(word).collect(),
        segments: pieces.iter().flat_map(|pieces| pieces.items()).map(segment).collect(),
        usage: None,
    })
}

fn word(word: Node<'_>) -> Word {
    Word {
        text: text(word),
        start: seconds(word, "start"),
        end: seconds(word, "end"),
        speaker: speaker(word),
        is_apart: true,
    }
}

fn segment(piece: Node<'_>) -> Segment {
    Segment {
        text: text(piece),
        start: seconds(piece, "start"),
        end: seconds(piece, "end"),
        speaker: speaker(piece),
    }
}

fn text(node: Node<'_>) -> String {
    node.str("text").unwrap_or_default().into_owned()
}

fn speaker(node: Node<'_>) -> Option<String> {
    node.str("speaker").map(std::borrow::Cow::into_owned)
}

fn seconds(node: Node<'_>, name: &str) -> f64 {
    node.some(name).and_then(|node| node.as_f64()).unwrap_or_default() / 1000.0
}
