//! `POST /v2/audio/transcriptions` (<https://docs.cohere.com/reference/create-audio-transcription>): the text, and nothing of its times.

use super::encoded::Encoded;
use super::{Format, Request, Response, check_format, dropped};
use crate::Fault;
use crate::form::{File, Writer};
use crate::json::Node;

pub(super) fn tell(request: &Request, file: &File, form: Writer) -> Result<Encoded, Fault> {
    check_format(request, &[Format::Json, Format::Text])?;
    let fields = [
        ("model", Some(request.model.as_str())),
        ("language", request.language.as_deref()),
        ("temperature", request.temperature.as_deref()),
    ];
    Encoded::form(&fields, file, form, dropped(request, &["prompt", "timestamp_granularities", "diarize"]))
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    Some(Response { text: root.str("text")?.trim_start().to_owned(), ..Response::default() })
}
