//! Content parts: <https://platform.openai.com/docs/api-reference/chat/create#chat_create-messages>.

use std::borrow::Cow;

use crate::json::{Json, Writer};

/// A part of `content`.
#[derive(Debug)]
pub(super) enum Part<'r> {
    Text(Cow<'r, str>),
    Refusal(&'r str),
    Thinking(&'r str),
    Image {
        url: Cow<'r, str>,
        detail: Option<&'r str>,
    },
    Audio {
        data: &'r str,
        format: &'r str,
    },
    /// Bytes as a data URL.
    File {
        url: String,
        name: &'r str,
    },
    FileId {
        id: &'r str,
        name: Option<&'r str>,
    },
    /// A part that a server of this format wrote.
    Own(&'r Json),
}

/// A string for words alone, which every server takes, else the list.
pub(super) fn write(w: &mut Writer, parts: &[Part<'_>]) {
    match parts {
        [Part::Text(text)] => w.string(text),
        parts => w.array(|w| parts.iter().for_each(|part| part.write(w))),
    }
}

impl Part<'_> {
    fn write(&self, w: &mut Writer) {
        if let Part::Own(value) = self {
            return w.raw(value.as_str());
        }
        w.object(|w| match self {
            Part::Text(text) => typed(w, "text", text),
            Part::Refusal(text) => typed(w, "refusal", text),
            Part::Thinking(text) => {
                w.field_str("type", "thinking");
                w.field_array("thinking", |w| w.object(|w| typed(w, "text", text)));
            }
            Part::Image { url, detail } => {
                w.field_str("type", "image_url");
                w.field_object("image_url", |w| {
                    w.field_str("url", url);
                    detail.iter().for_each(|detail| w.field_str("detail", detail));
                });
            }
            Part::Audio { data, format } => {
                w.field_str("type", "input_audio");
                w.field_object("input_audio", |w| {
                    w.field_str("data", data);
                    w.field_str("format", format);
                });
            }
            Part::File { url, name } => {
                w.field_str("type", "file");
                w.field_object("file", |w| {
                    w.field_str("filename", name);
                    w.field_str("file_data", url);
                });
            }
            Part::FileId { id, name } => {
                w.field_str("type", "file");
                w.field_object("file", |w| {
                    name.iter().for_each(|name| w.field_str("filename", name));
                    w.field_str("file_id", id);
                });
            }
            // Written whole above.
            Part::Own(_) => {}
        });
    }
}

/// `"type": "text", "text": "..."`, and the same of a refusal.
fn typed(w: &mut Writer, kind: &str, text: &str) {
    w.field_str("type", kind);
    w.field_str(kind, text);
}
