//! The vendor's parts (<https://ai.google.dev/api/caching#Part>), borrowed from the request or the answer until they are
//! written.

pub(crate) mod media;

use std::borrow::Cow;

use crate::json::Writer;

/// One part of a content.
#[derive(Debug)]
pub(in crate::chat::gemini_generate) struct Part<'r> {
    pub(in crate::chat::gemini_generate) body: Body<'r>,
    /// `thoughtSignature`
    pub(in crate::chat::gemini_generate) signature: Option<Cow<'r, str>>,
}

/// What the part holds.
#[derive(Debug)]
pub(in crate::chat::gemini_generate) enum Body<'r> {
    /// Words.
    Text(&'r str),
    /// Words that were thought.
    Thought(&'r str),
    /// Bytes in base64.
    Inline { mime: Cow<'r, str>, data: Cow<'r, str> },
    /// Bytes elsewhere.
    File { uri: Cow<'r, str>, mime: Option<Cow<'r, str>> },
    /// The model calls a function with an object of arguments.
    Call { id: Cow<'r, str>, name: &'r str, arguments: Cow<'r, str> },
    /// A function has answered with an object, and perhaps with media.
    Answer { id: &'r str, name: &'r str, response: String, media: Vec<Body<'r>> },
    /// A part that is the vendor's own.
    Own(&'r str),
}

impl<'r> Part<'r> {
    /// A part without signature.
    pub(in crate::chat::gemini_generate) fn new(body: Body<'r>) -> Part<'r> {
        Part { body, signature: None }
    }

    pub(in crate::chat::gemini_generate) fn write(&self, writer: &mut Writer) {
        if let Body::Own(part) = self.body {
            return writer.raw(part);
        }
        writer.object(|writer| {
            self.body.write(writer);
            if let Some(signature) = &self.signature {
                writer.field_str("thoughtSignature", signature);
            }
        });
    }
}

impl Body<'_> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Body::Text(text) => writer.field_str("text", text),
            Body::Thought(text) => {
                writer.field_str("text", text);
                writer.field_bool("thought", true);
            }
            Body::Inline { mime, data } => writer.field_object("inlineData", |writer| {
                writer.field_str("mimeType", mime);
                writer.field_str("data", data);
            }),
            Body::File { uri, mime } => writer.field_object("fileData", |writer| {
                if let Some(mime) = mime {
                    writer.field_str("mimeType", mime);
                }
                writer.field_str("fileUri", uri);
            }),
            Body::Call { id, name, arguments } => writer.field_object("functionCall", |writer| {
                write_id(writer, id);
                writer.field_str("name", name);
                writer.field_raw("args", arguments);
            }),
            Body::Answer { id, name, response, media } => {
                writer.field_object("functionResponse", |writer| {
                    write_id(writer, id);
                    writer.field_str("name", name);
                    writer.field_raw("response", response);
                    if !media.is_empty() {
                        writer.field_array("parts", |writer| {
                            media.iter().for_each(|body| writer.object(|writer| body.write(writer)));
                        });
                    }
                });
            }
            // Written whole by the part.
            Body::Own(_) => {}
        }
    }
}

/// An id joins call and answer where there is one; earlier generations go by name and order.
fn write_id(writer: &mut Writer, id: &str) {
    if !id.is_empty() {
        writer.field_str("id", id);
    }
}
