//! `systemInstruction` and `contents` to turns (<https://ai.google.dev/api/caching#Content>).
//!
//! A signature belongs to one part. Clients hand the chunks of a stream back as they came, one part for each: so what
//! the model said in a row is one block, as it is for a reader of the stream, and an empty part that only brings a
//! signature signs the block before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::calls::Calls;
use super::{expect, field, flag, list, optional_str, report_unknown};
use crate::chat::gemini_generate::part::media::extension;
use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Node};
use crate::media::{kind_of_mime, standard_base64};
use crate::{
    Block, Content, Dialect, Fault, Media, MediaKind, Message, Request, Role, Signature, Source, ToolKind,
};

/// Reads the operator's turn: a content, or its text alone.
pub(super) fn system(system: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let mut blocks = Vec::new();
    if let Some(text) = system.as_str() {
        blocks.push(Block::text(text));
    } else {
        report_unknown(system, &["role", "parts"], &mut request.extra);
        for part in list(expect(system, "parts")?) {
            report_unknown(part, &["text", "thought"], &mut request.extra);
            if let Some(text) = optional_str(part, "text")? {
                blocks.push(Block::text(text));
            }
        }
    }
    request.messages.push(Message { role: Role::System, name: None, blocks });
    request.places.push("systemInstruction".to_owned());
    Ok(())
}

/// Reads the conversation.
pub(super) fn decode(contents: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let all = list(contents);
    if all.is_empty() {
        return Err(contents.invalid("must hold at least one content"));
    }
    let mut reader = Reader { calls: Calls::of(&all), turn: Turn::default(), request };
    for (position, content) in all.into_iter().enumerate() {
        let place = match contents.is_array() {
            true => format!("contents[{position}]"),
            false => "contents".to_owned(),
        };
        reader.content(content, place)?;
    }
    reader.end_turn();
    Ok(())
}

struct Reader<'r> {
    request: &'r mut Request,
    calls: Calls,
    turn: Turn,
}

/// What one side says until the other does.
#[derive(Default)]
struct Turn {
    is_model: bool,
    place: String,
    blocks: Vec<Block>,
    /// Results of calls, which come before what else the user says.
    results: Vec<Block>,
    /// The last block is words of the model and has no signature: more may be said in it.
    open: bool,
}

impl Reader<'_> {
    fn content(&mut self, content: Node<'_>, place: String) -> Result<(), Fault> {
        let is_model = match field(content, "role") {
            None => false,
            Some(role) => match role.expect_str()?.as_ref() {
                "model" => true,
                "user" | "function" | "" => false,
                _ => return Err(role.invalid("must be user or model")),
            },
        };
        let goes_on = is_model && self.turn.is_model && self.turn.results.is_empty();
        if !goes_on {
            self.end_turn();
            self.turn = Turn { is_model, place, ..Turn::default() };
        }
        report_unknown(content, &["role", "parts"], &mut self.request.extra);
        // The model may have had nothing to say; the user has.
        let parts = match is_model {
            true => field(content, "parts").map(list).unwrap_or_default(),
            false => list(expect(content, "parts")?),
        };
        parts.into_iter().try_for_each(|part| self.part(part))
    }

    fn end_turn(&mut self) {
        let Turn { is_model, place, blocks, results, .. } = std::mem::take(&mut self.turn);
        let role = if is_model { Role::Assistant } else { Role::User };
        let mut messages = [(role, blocks), (Role::Tool, results)];
        if !is_model {
            messages.reverse();
        }
        for (role, blocks) in messages.into_iter().filter(|(_, blocks)| !blocks.is_empty()) {
            self.request.messages.push(Message { role, name: None, blocks });
            self.request.places.push(place.clone());
        }
    }

    fn part(&mut self, part: Node<'_>) -> Result<(), Fault> {
        part.expect_fields()?;
        let signature = match proof(part)? {
            None => None,
            Some(Opaque::Own(signature)) => Some(signature),
            Some(Opaque::Foreign { dialect, value }) => {
                self.whole(Content::Foreign { dialect, value }, None);
                return Ok(());
            }
            Some(Opaque::Previous(signature)) if self.turn.open => {
                self.sign(signature);
                return Ok(());
            }
            Some(Opaque::Previous(_) | Opaque::Next(_)) => {
                report_unknown(part, &["text", "thought"], &mut self.request.extra);
                return Ok(());
            }
        };
        let thought = flag(part, "thought")?;
        // Pictures that the model drew while thinking are the vendor's own.
        let media = if thought { None } else { media(part, &mut self.request.extra)? };
        if let Some(media) = media {
            self.report(part, &["inlineData", "fileData"]);
            self.whole(Content::Media(media), signature);
        } else if let Some(text) = field(part, "text") {
            self.report(part, &["text"]);
            self.say(thought, &text.expect_str()?, signature);
        } else if let Some(call) = field(part, "functionCall") {
            self.report(part, &["functionCall"]);
            self.call(call, signature)?;
        } else if let Some(answer) = field(part, "functionResponse") {
            self.report(part, &["functionResponse"]);
            self.answer(answer)?;
        } else if part.fields().any(|(name, value)| !value.is_null() && !is_mark(&name)) {
            let value = Json::of(part);
            self.whole(Content::Foreign { dialect: Dialect::GeminiGenerate, value }, None);
        } else {
            self.say(thought, "", signature);
        }
        Ok(())
    }

    /// Fields beside the one that says what the part is.
    fn report(&mut self, part: Node<'_>, kinds: &[&str]) {
        let known = [kinds, &["thought", "thoughtSignature"]].concat();
        report_unknown(part, &known, &mut self.request.extra);
    }

    /// Words. Those of the user stay apart as they were written.
    fn say(&mut self, thought: bool, text: &str, signature: Option<Signature>) {
        if text.is_empty() && (signature.is_some() || self.turn.is_model) {
            return self.say_nothing(thought, signature);
        }
        let open = self.turn.blocks.last_mut().filter(|_| self.turn.open && signature.is_none());
        match (open.map(|block| &mut block.content), thought) {
            (Some(Content::Reasoning(before)), true) | (Some(Content::Text { text: before, .. }), false) => {
                before.push_str(text);
            }
            _ => {
                self.turn.open = self.turn.is_model && signature.is_none();
                self.turn.blocks.push(Block { signature, ..words(thought, text) });
            }
        }
    }

    /// An empty part is there for its signature. The vendor's own signs what stands before it, but a
    /// thought's never what was said; one of another vendor is of a block without words.
    fn say_nothing(&mut self, thought: bool, signature: Option<Signature>) {
        let said = self.turn.blocks.last().is_some_and(|block| matches!(block.content, Content::Text { .. }));
        let signs = self.turn.open && !(thought && said);
        match signature {
            None => {}
            Some(signature) if signature.dialect == Dialect::GeminiGenerate && signs => {
                self.sign(signature);
            }
            Some(_) => self.whole(words(thought, "").content, signature),
        }
    }

    fn sign(&mut self, signature: Signature) {
        self.turn.open = false;
        if let Some(block) = self.turn.blocks.last_mut() {
            block.signature = Some(signature);
        }
    }

    fn whole(&mut self, content: Content, signature: Option<Signature>) {
        self.turn.open = false;
        self.turn.blocks.push(Block { signature, ..Block::new(content) });
    }

    fn call(&mut self, call: Node<'_>, signature: Option<Signature>) -> Result<(), Fault> {
        report_unknown(call, &["id", "name", "args"], &mut self.request.extra);
        let name = expect(call, "name")?.expect_str()?.into_owned();
        let arguments = match field(call, "args") {
            Some(args) => args.expect_fields().map(|_| args.text().to_owned())?,
            None => "{}".to_owned(),
        };
        let id = self.calls.call(id(call)?, &name);
        self.whole(Content::ToolCall { id, name, arguments, kind: ToolKind::Function }, signature);
        Ok(())
    }

    fn answer(&mut self, answer: Node<'_>) -> Result<(), Fault> {
        report_unknown(answer, &["id", "name", "response", "parts"], &mut self.request.extra);
        let named = optional_str(answer, "name")?.filter(|name| !name.is_empty());
        let Some((id, name)) = self.calls.answer(id(answer)?, named) else {
            return Err(
                answer.invalid("must have the `name` of the function, or the `id` of a call before it")
            );
        };
        let parts = field(answer, "parts").map(list).unwrap_or_default();
        let (text, is_error) = match field(answer, "response") {
            Some(response) => told(response, parts.is_empty())?,
            None => (None, false),
        };
        let mut content: Vec<Block> = text.map(Block::text).into_iter().collect();
        for part in parts {
            content.push(shown(part, &mut self.request.extra)?);
        }
        let result = Content::ToolResult { id, name: Some(name), content, is_error };
        self.turn.results.push(Block::new(result));
        Ok(())
    }
}

fn words(thought: bool, text: &str) -> Block {
    if thought { Block::new(Content::Reasoning(text.to_owned())) } else { Block::text(text) }
}

fn is_mark(name: &str) -> bool {
    matches!(name, "thought" | "thoughtSignature" | "thought_signature")
}

fn id(node: Node<'_>) -> Result<Option<String>, Fault> {
    Ok(optional_str(node, "id")?.filter(|id| !id.is_empty()))
}

/// The signature of a part: the vendor's own, or the opaque value that an answer of ours put in its place. The field is of bytes
/// in base64, so that is what the value is wrapped in.
fn proof(part: Node<'_>) -> Result<Option<Opaque>, Fault> {
    let Some(value) = optional_str(part, "thoughtSignature")?.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(standard_base64(&value)).unwrap_or_default();
    let wrapped = std::str::from_utf8(&bytes).ok().and_then(opaque::decode);
    let own = || Opaque::Own(Signature { dialect: Dialect::GeminiGenerate, value });
    Ok(Some(wrapped.unwrap_or_else(own)))
}

/// What a function has answered, in words, and whether it failed. The vendor reads `output` and `error`
/// (<https://ai.google.dev/api/caching#FunctionResponse>), its SDK writes `result`; an object of any other shape is the
/// answer itself.
fn told(response: Node<'_>, alone: bool) -> Result<(Option<String>, bool), Fault> {
    let mut fields = response.expect_fields()?;
    let text =
        |node: Node<'_>| node.as_str().map_or_else(|| node.text().to_owned(), |text| text.into_owned());
    Ok(match (fields.next(), fields.next()) {
        (None, _) if !alone => (None, false),
        (Some((name, value)), None) if name == "error" => (Some(text(value)), true),
        (Some((name, value)), None) if name == "output" || name == "result" => (Some(text(value)), false),
        _ => (Some(response.text().to_owned()), false),
    })
}

/// What a function shows beside its words.
fn shown(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Block, Fault> {
    part.expect_fields()?;
    let Some(media) = media(part, unknown)? else {
        let value = Json::of(part);
        return Ok(Block::new(Content::Foreign { dialect: Dialect::GeminiGenerate, value }));
    };
    report_unknown(part, &["inlineData", "fileData"], unknown);
    Ok(Block::new(Content::Media(media)))
}

/// Bytes in the request, or a file elsewhere; `None` where the part is neither.
fn media(part: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Option<Media>, Fault> {
    let (node, source) = if let Some(blob) = field(part, "inlineData") {
        (blob, Source::Base64(standard_base64(&expect(blob, "data")?.expect_str()?)))
    } else if let Some(file) = field(part, "fileData") {
        let uri = expect(file, "fileUri")?.expect_str()?.into_owned();
        (file, if uri.contains("://") { Source::Url(uri) } else { Source::FileId(uri) })
    } else {
        return Ok(None);
    };
    report_unknown(node, &["data", "fileUri", "mimeType", "displayName"], unknown);
    let mime = optional_str(node, "mimeType")?.filter(|mime| !mime.is_empty());
    let name = optional_str(node, "displayName")?;
    Ok(Some(Media { kind: media_kind(mime.as_deref(), &source), source, mime, name, detail: None }))
}

fn media_kind(mime: Option<&str>, source: &Source) -> MediaKind {
    match (mime, source) {
        (Some(mime), _) => kind_of_mime(mime),
        // The only addresses of a page that the vendor reads are those of films.
        (None, Source::Url(url)) if url.contains("youtube.com/") || url.contains("youtu.be/") => {
            MediaKind::Video
        }
        (None, Source::Url(url)) => extension(url).map_or(MediaKind::Document, kind_of_mime),
        (None, Source::Base64(_) | Source::FileId(_) | Source::Text(_)) => MediaKind::Document,
    }
}
