//! A conversation as OpenTelemetry's conventions for generative AI tell it: messages of parts and tools, as JSON, and what was asked for
//! besides, as attributes.
//!
//! The schemas: <https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai>, `gen-ai-input-messages.json`,
//! `gen-ai-output-messages.json` and `gen-ai-system-instructions.json`. What they have no part for has a type of its own, which they
//! allow. Of what has no form that is known, or whose end is missing, nothing is told.

mod parameters;
mod server_tools;

use super::{Block, Choice, ClientDialect, Content, Decoder, Fold, Media, Message, PathParams, Source};
use super::{Finish, Request, Response, Role, Tool};
use crate::MediaKind;
use crate::frame::{Framer, Framing};
use crate::json::{Document, Writer};
pub use parameters::Parameter;

/// What a client asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    request: Request,
    /// How many of the first messages say what the system says, and stand apart from the messages.
    apart: usize,
    /// The response that it goes on from.
    previous: Option<String>,
}

/// What a client was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered(Response);

impl Asked {
    /// Reads a client's body.
    pub fn read(client: ClientDialect, body: &[u8]) -> Option<Asked> {
        let document = Document::of_request(body).ok()?;
        let request = client.decode(&document, PathParams { model: "", stream: false }).ok()?;
        let apart = instructions(client, &document, &request).min(request.messages.len());
        let previous = document.root().some("previous_response_id");
        let previous = previous.and_then(|id| Some(id.as_str()?.into_owned()));
        Some(Asked { request, apart, previous })
    }

    /// What the system says, where it stands apart from the messages: parts (`gen_ai.system_instructions`).
    pub fn system_instructions(&self) -> Option<String> {
        let (system, _) = self.request.messages.split_at(self.apart);
        let blocks = || system.iter().flat_map(|message| &message.blocks);
        (self.apart > 0).then(|| written(|w| blocks().for_each(|block| part(block, w))))
    }

    /// The messages (`gen_ai.input.messages`).
    pub fn messages(&self) -> String {
        let (_, messages) = self.request.messages.split_at(self.apart);
        written(|w| messages.iter().for_each(|one| message(one, w)))
    }

    /// The tools that the model may call (`gen_ai.tool.definitions`).
    pub fn tool_definitions(&self) -> Option<String> {
        let Request { tools, web_search, .. } = &self.request;
        let is_told = !tools.is_empty() || web_search.is_some();
        is_told.then(|| {
            written(|w| {
                tools.iter().for_each(|tool| definition(tool, w));
                if web_search.is_some() {
                    w.object(|w| named(WEB_SEARCH, WEB_SEARCH, None, w));
                }
            })
        })
    }
}

/// The tool by which a model searches the web, whatever the client's dialect calls it.
const WEB_SEARCH: &str = "web_search";

impl Answered {
    /// Reads what a client was answered, as one body or as a stream.
    pub fn read(client: ClientDialect, body: &[u8]) -> Option<Answered> {
        let response = match body.trim_ascii_start().first()? {
            b'{' => client.dialect().decode(body).ok()?,
            b'[' => streamed(client, Framing::JsonArray, body)?,
            _ => streamed(client, Framing::Sse, body)?,
        };
        Some(Answered(response))
    }

    /// Its name (`gen_ai.response.id`); empty where it has none.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The messages, one for each choice (`gen_ai.output.messages`).
    pub fn messages(&self) -> String {
        written(|w| self.0.choices.iter().for_each(|one| choice(one, w)))
    }
}

/// How many of the first messages say what the system says, and stand apart from the messages: where they are among them they stay.
fn instructions(client: ClientDialect, body: &Document<'_>, request: &Request) -> usize {
    match client {
        ClientDialect::OpenaiChat => 0,
        ClientDialect::OpenaiResponses => usize::from(body.root().some("instructions").is_some()),
        ClientDialect::AnthropicMessages | ClientDialect::GeminiGenerate => {
            request.messages.iter().take_while(|message| message.role == Role::System).count()
        }
    }
}

/// The whole answer of a stream; none where its end is missing.
fn streamed(client: ClientDialect, framing: Framing, body: &[u8]) -> Option<Response> {
    let (mut framer, mut decoder) = (Framer::new(framing), Decoder::new(client.dialect()));
    let mut events = Vec::new();
    framer.push(body);
    while let Some(frame) = framer.next().ok()? {
        decoder.push(frame, &mut events).ok()?;
    }
    if let Some(frame) = framer.finish().ok()? {
        decoder.push(frame, &mut events).ok()?;
    }
    decoder.finish(&mut events).ok()?;
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// An array that this writes the items of.
fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::with_capacity(256);
    w.array(write);
    String::from_utf8_lossy(&w.into_bytes()).into_owned()
}

fn message(Message { role, name, blocks }: &Message, w: &mut Writer) {
    w.object(|w| {
        w.field_str("role", role_name(*role));
        if let Some(name) = name {
            w.field_str("name", name);
        }
        w.field_array("parts", |w| blocks.iter().for_each(|block| part(block, w)));
    });
}

fn choice(choice: &Choice, w: &mut Writer) {
    w.object(|w| {
        w.field_str("role", role_name(Role::Assistant));
        w.field_array("parts", |w| choice.blocks.iter().for_each(|block| part(block, w)));
        w.field_str("finish_reason", finish_reason(choice.finish));
    });
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_call",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
        Finish::Pause => "pause",
    }
}

fn part(block: &Block, w: &mut Writer) {
    match &block.content {
        Content::Text { text, .. } => content("text", text, w),
        Content::Refusal(text) => content("refusal", text, w),
        // Thoughts that only their vendor can read have no words.
        Content::Reasoning(text) if text.is_empty() => {}
        Content::Reasoning(text) => content("reasoning", text, w),
        Content::Media(file) => media(file, w),
        Content::ToolCall { id, name, arguments, .. } => w.object(|w| {
            w.field_str("type", "tool_call");
            w.field_str("id", id);
            w.field_str("name", name);
            // What a model wrote need be no JSON.
            match Document::parse(arguments.as_bytes()) {
                Ok(document) => w.field_raw("arguments", document.text()),
                Err(_) => w.field_str("arguments", arguments),
            }
        }),
        Content::ToolResult { id, content, is_error, .. } => w.object(|w| {
            w.field_str("type", "tool_call_response");
            w.field_str("id", id);
            match content.as_slice() {
                [Block { content: Content::Text { text, .. }, .. }] => w.field_str("response", text),
                blocks => w.field_array("response", |w| blocks.iter().for_each(|block| part(block, w))),
            }
            if *is_error {
                w.field_bool("is_error", true);
            }
        }),
        Content::Foreign { dialect, value } => {
            if server_tools::part(value, w).is_none() {
                w.object(|w| {
                    w.field_str("type", "foreign");
                    w.field_str("dialect", dialect.name());
                    w.field_raw("content", value.as_str());
                });
            }
        }
    }
}

/// A tool. What else the client said of one that is no function stands in `definition`.
fn definition(tool: &Tool, w: &mut Writer) {
    w.object(|w| match tool {
        Tool::Function { name, description, parameters, .. } => {
            named("function", name, description.as_deref(), w);
            if let Some(parameters) = parameters {
                w.field_raw("parameters", parameters.as_str());
            }
        }
        Tool::Custom { name, value } => {
            named("custom", name, None, w);
            w.field_raw("definition", value.as_str());
        }
        Tool::Hosted { name, value, .. } => {
            named(name, name, None, w);
            w.field_raw("definition", value.as_str());
        }
    });
}

/// What the schema wants of every tool, a description among it (`gen-ai-tool-definitions.json`).
fn named(of: &str, name: &str, description: Option<&str>, w: &mut Writer) {
    w.field_str("type", of);
    w.field_str("name", name);
    w.field_str("description", description.unwrap_or_default());
}

fn content(of: &str, text: &str, w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", of);
        w.field_str("content", text);
    });
}

fn media(Media { kind, source, mime, .. }: &Media, w: &mut Writer) {
    let (of, field, value) = match source {
        Source::Url(url) => ("uri", "uri", url),
        // A note in its place, of records that do not keep it.
        Source::Base64(note) if note.starts_with('[') => ("omitted", "content", note),
        Source::Base64(bytes) => ("blob", "content", bytes),
        Source::FileId(id) => ("file", "file_id", id),
        Source::Text(text) => ("text", "content", text),
    };
    w.object(|w| {
        w.field_str("type", of);
        w.field_str("modality", modality(*kind));
        if let Some(mime) = mime {
            w.field_str("mime_type", mime);
        }
        w.field_str(field, value);
    });
}

fn modality(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}

#[cfg(test)]
mod tests;
