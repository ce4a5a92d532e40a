//! Rows that differ from one another in a few fields only.

use super::{Answers, Api, Operation, OutputBound, Path, Required, Row};
use crate::batches::BatchForm;
use crate::fault::Family;
use crate::fine_tuning::TuningForm;
use crate::frame::{Framing, Grammar};
use crate::json::Kind;
use crate::{embeddings, images, rerank, transcription};

/// An API that is handed on unread: at this path here and at its vendor, with OpenAI's errors.
pub(super) const fn passed(
    api: Api,
    name: &'static str,
    word: &'static str,
    operation: Operation,
    path: &'static str,
) -> Row {
    Row {
        api,
        name,
        word,
        operation,
        family: Family::Openai,
        path: Path::Fixed(path),
        gateway_path: Some(path),
        is_understood: false,
        is_copied: false,
        grammar: Grammar::Unknown,
        framing: Framing::Sse,
        answer_fields: &[],
        needs_items: false,
        tells_failure: false,
        required: Required::Nothing,
        has_default_model: false,
        output_bound: bound(&[]),
        translator: None,
        meant: None,
        fits: None,
        input_tokens_header: None,
        media_translator: None,
        takes_forms: false,
        answers: Answers::Json,
        stream_field: ("stream", "true"),
        job: None,
        by_chat: None,
        batches: None,
        fine_tuning: None,
    }
}

/// One of Google's, with the model in the path, that the gateway understands.
pub(super) const fn of_model(
    api: Api,
    name: &'static str,
    word: &'static str,
    operation: Operation,
    verb: &'static str,
) -> Row {
    Row {
        family: Family::Google,
        path: Path::OfModel { verb, stream_verb: None },
        gateway_path: None,
        is_understood: true,
        ..passed(api, name, word, operation, "")
    }
}

/// An object storage, in which only providers are asked for files.
pub(super) const fn objects_of(api: Api, name: &'static str) -> Row {
    Row { gateway_path: None, ..passed(api, name, "files", Operation::Files, "") }
}

/// One by which only providers are asked to rank.
pub(super) const fn rerank_of(
    api: Api,
    name: &'static str,
    dialect: rerank::Dialect,
    path: &'static str,
) -> Row {
    Row { gateway_path: None, ..passed(api, name, "rerank", Operation::Rerank(dialect), path) }
}

/// One of Bedrock's models that embeds, over InvokeModel
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>).
pub(super) const fn invoked(
    api: Api,
    name: &'static str,
    dialect: embeddings::Dialect,
    answer_fields: &'static [(&'static str, Kind)],
) -> Row {
    Row {
        gateway_path: None,
        path: Path::WithModel { path: "/model/{model}/invoke", stream_path: None, without: &[] },
        answer_fields,
        translator: Some(&embeddings::TRANSLATOR),
        input_tokens_header: Some("x-amzn-bedrock-input-token-count"),
        ..passed(api, name, "embeddings", Operation::Embeddings(dialect), "")
    }
}

/// One by which only providers are asked for images.
pub(super) const fn images_of(api: Api, name: &'static str, path: &'static str) -> Row {
    Row { gateway_path: None, ..passed(api, name, "images", Operation::Images, path) }
}

/// One by which only providers are asked for embeddings.
pub(super) const fn embeddings_of(
    api: Api,
    name: &'static str,
    dialect: embeddings::Dialect,
    path: &'static str,
) -> Row {
    Row {
        gateway_path: None,
        answer_fields: &[("data", Kind::Array)],
        translator: Some(&embeddings::TRANSLATOR),
        ..passed(api, name, "embeddings", Operation::Embeddings(dialect), path)
    }
}

/// A form with a recording, of which a text is made.
pub(super) const fn transcripts(
    api: Api,
    name: &'static str,
    operation: Operation,
    path: &'static str,
) -> Row {
    Row {
        is_understood: true,
        is_copied: true,
        takes_forms: true,
        media_translator: Some(&transcription::TRANSLATOR),
        answers: Answers::JsonOrText(&["text", "srt", "vtt"]),
        answer_fields: &[("text", Kind::String)],
        ..passed(api, name, "transcription", operation, path)
    }
}

/// A form with images, of which others are made.
/// <https://platform.openai.com/docs/api-reference/images/createEdit>
pub(super) const fn images_of_images(
    api: Api,
    name: &'static str,
    operation: Operation,
    path: &'static str,
) -> Row {
    Row {
        is_understood: true,
        is_copied: true,
        takes_forms: true,
        answer_fields: &[("data", Kind::Array)],
        media_translator: Some(&images::TRANSLATOR),
        required: Required::Field("image"),
        has_default_model: true,
        ..passed(api, name, "images", operation, path)
    }
}

/// A vendor's own way to ask for speech.
pub(super) const fn speech_of(api: Api, name: &'static str, path: &'static str) -> Row {
    Row {
        gateway_path: None,
        answers: Answers::Bytes,
        ..passed(api, name, "speech", Operation::Speech, path)
    }
}

/// A vendor's own way to ask for text from speech.
pub(super) const fn transcription_of(api: Api, name: &'static str, path: &'static str) -> Row {
    Row {
        gateway_path: None,
        answer_fields: &[("text", Kind::String)],
        ..passed(api, name, "transcription", Operation::Transcription, path)
    }
}

/// A vendor's own batches, for clients of OpenAI's.
pub(super) const fn batches_of(
    api: Api,
    name: &'static str,
    form: &'static BatchForm,
    path: &'static str,
) -> Row {
    Row { gateway_path: None, batches: Some(form), ..passed(api, name, "batches", Operation::Batches, path) }
}

/// A vendor's own jobs that train models, for clients of OpenAI's.
pub(super) const fn fine_tunes_of(
    api: Api,
    name: &'static str,
    form: &'static TuningForm,
    path: &'static str,
) -> Row {
    Row {
        gateway_path: None,
        fine_tuning: Some(form),
        ..passed(api, name, "fine-tuning", Operation::FineTunes, path)
    }
}

/// A bound in fields at the top of the body.
pub(super) const fn bound(fields: &'static [&'static str]) -> OutputBound {
    OutputBound { objects: &[], fields, is_required: false }
}
