//! generateContent of models that hear (<https://ai.google.dev/gemini-api/docs/audio>): the recording in base64 beside words that say what
//! to do with it.

use super::encoded::Encoded;
use super::{Format, Request, Response, check_format, dropped, media};
use crate::form::{File, Piece, Writer};
use crate::json::{Json, Node};
use crate::{Fault, gemini_generate};

/// Stands for the recording while the JSON around it is written. No text can hold it as it is: a quotation mark in one is escaped.
const PLACE: &str = "\"data\":\"\"";

pub(super) fn tell(request: &Request, file: &File, _form: Writer) -> Result<Encoded, Fault> {
    check_format(request, &[Format::Json, Format::Text])?;
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_array("contents", |w| {
                w.object(|w| {
                    w.field_str("role", "user");
                    w.field_array("parts", |w| {
                        w.object(|w| w.field_str("text", &task(request)));
                        w.object(|w| {
                            w.field_object("inlineData", |w| {
                                w.field_str("mimeType", mime(file));
                                w.field_str("data", "");
                            });
                        });
                    });
                });
            });
            if let Some(temperature) = &request.temperature {
                w.field_object("generationConfig", |w| w.field_raw("temperature", &number(temperature)));
            }
        });
    });
    let (before, after) = body.as_str().split_once(PLACE).unwrap_or_default();
    Ok(Encoded {
        in_path: request.model.clone(),
        query: String::new(),
        content_type: "application/json".to_owned(),
        body: vec![
            Piece::Bytes(format!("{before}{}", &PLACE[..PLACE.len() - 1]).into_bytes()),
            Piece::Base64(file.index),
            Piece::Bytes(format!("\"{after}").into_bytes()),
        ],
        upload: None,
        dropped: dropped(request, &["timestamp_granularities", "diarize"]),
    })
}

/// A form's number as JSON writes it.
fn number(text: &str) -> String {
    format!("{:?}", text.parse::<f64>().unwrap_or_default())
}

fn task(request: &Request) -> String {
    let mut task = match request.translate {
        true => "Translate what is said in this recording into English. Answer with the translation and nothing else.".to_owned(),
        false => {
            "Write down what is said in this recording, word for word. Answer with the transcript and nothing else.".to_owned()
        }
    };
    if let Some(language) = &request.language {
        task.push_str(&format!(" The language that is spoken is `{language}`."));
    }
    if let Some(prompt) = &request.prompt {
        task.push_str(&format!(
            " These words may help with the spelling and with what came before: {prompt}"
        ));
    }
    task
}

/// The vendor's words for recordings (<https://ai.google.dev/gemini-api/docs/audio#supported-formats>).
fn mime(file: &File) -> &str {
    match media(file) {
        "audio/mpeg" | "audio/mpga" => "audio/mp3",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/x-flac" => "audio/flac",
        other => other,
    }
}

pub(super) fn read(root: Node<'_>) -> Option<Response> {
    let parts = root.some("candidates")?.items().next()?.some("content")?.some("parts")?;
    let is_thought = |part: &Node<'_>| part.some("thought").and_then(|node| node.as_bool()) == Some(true);
    let texts = parts.items().filter(|part| !is_thought(part)).filter_map(|part| part.str("text"));
    let text: String = texts.map(std::borrow::Cow::into_owned).collect();
    let usage = root.some("usageMetadata").and_then(gemini_generate::usage);
    Some(Response { text: text.trim().to_owned(), usage, ..Response::default() })
}
