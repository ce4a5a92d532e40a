//! The items of a conversation, put together to turns.
//!
//! What the model said in one turn (thoughts, messages, calls, the work of the vendor's own tools) are
//! several items here and one message in the hub.

use std::borrow::Cow;

use super::content::Parts;
use crate::chat::opaque::{self, Opaque};
use crate::chat::openai_responses::response::output::is_made_here;
use crate::json::{Json, Node, optional_str, report_unknown};
use crate::{Block, Content, Dialect, Fault, Media, MediaKind, Message, Role, Signature, Source, ToolKind};

/// The turns so far.
#[derive(Debug)]
pub(super) struct Turns<'u> {
    messages: Vec<Message>,
    /// Where each message stands in the body.
    places: Vec<String>,
    /// Fields that nobody knows, by path.
    unknown: &'u mut Vec<(String, Json)>,
    /// The first item of the assistant's turn at the end, if more items may belong to it.
    open: Option<usize>,
    /// Characters of text in that turn.
    characters: u64,
    /// A proof that came before its block.
    next: Option<Signature>,
}

impl<'u> Turns<'u> {
    /// No turns yet.
    pub(super) fn new(unknown: &'u mut Vec<(String, Json)>) -> Turns<'u> {
        Turns { messages: Vec::new(), places: Vec::new(), unknown, open: None, characters: 0, next: None }
    }

    /// `instructions`: what the operator says before everything else.
    pub(super) fn instructions(&mut self, value: Node<'_>) -> Result<(), Fault> {
        self.push("instructions".to_owned(), Message::text(Role::System, value.expect_str()?));
        Ok(())
    }

    /// `input`: a text of the user's, or a list of items.
    pub(super) fn input(&mut self, value: Node<'_>) -> Result<(), Fault> {
        if let Some(text) = value.as_str() {
            self.push("input".to_owned(), Message::text(Role::User, text));
            return Ok(());
        }
        let items =
            value.expect_items().map_err(|_| value.invalid("must be a string or an array of items"))?;
        let before = self.messages.len();
        for (at, item) in items.enumerate() {
            self.item(at, item)?;
        }
        if self.messages.len() == before {
            return Err(value.invalid("must hold something to answer"));
        }
        Ok(())
    }

    /// The messages, and where each stands in the body.
    pub(super) fn finish(self) -> (Vec<Message>, Vec<String>) {
        (self.messages, self.places)
    }

    fn item(&mut self, at: usize, item: Node<'_>) -> Result<(), Fault> {
        item.expect_fields()?;
        let kind = item.some("type").map(|kind| kind.expect_str()).transpose()?;
        match kind.as_deref() {
            None if item.some("role").is_some() => self.message(at, item),
            None if item.some("id").is_some() => Err(unknown_reference(item)),
            None => item.expect("type").map(drop),
            Some("message") => self.message(at, item),
            Some("reasoning") => self.reasoning(at, item),
            Some("function_call") => self.call(at, item, ToolKind::Function),
            Some("custom_tool_call") => self.call(at, item, ToolKind::Custom),
            Some("function_call_output" | "custom_tool_call_output") => self.result(at, item),
            Some("item_reference") => Err(unknown_reference(item)),
            Some(kind) => {
                self.work(at, item, kind);
                Ok(())
            }
        }
    }

    fn message(&mut self, at: usize, item: Node<'_>) -> Result<(), Fault> {
        let role = item.expect("role")?;
        let role = match role.expect_str()?.as_ref() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            _ => return Err(role.invalid("must be user, assistant, system or developer")),
        };
        report_unknown(item, &["type", "id", "role", "status", "content"], self.unknown);
        let characters = if role == Role::Assistant { self.characters } else { 0 };
        let mut parts = Parts { characters, unknown: self.unknown };
        let blocks = parts.decode(item.expect("content")?)?;
        if role == Role::Assistant {
            self.characters = parts.characters;
            blocks.into_iter().for_each(|block| self.add(at, block));
        } else {
            self.push(place(at), Message { role, name: None, blocks });
        }
        Ok(())
    }

    /// Thoughts, or a carrier of what another vendor wants to see again.
    fn reasoning(&mut self, at: usize, item: Node<'_>) -> Result<(), Fault> {
        report_unknown(
            item,
            &["type", "id", "status", "summary", "content", "encrypted_content"],
            self.unknown,
        );
        let text = thoughts(item)?;
        let proof = optional_str(item, "encrypted_content")?.filter(|proof| !proof.is_empty());
        let own = |value| Opaque::Own(Signature { dialect: Dialect::OpenaiResponses, value });
        let wrapped = proof.map(|proof| opaque::decode(&proof).unwrap_or_else(|| own(proof)));
        let (signature, carried) = match wrapped {
            Some(Opaque::Own(signature)) => (Some(signature), None),
            Some(Opaque::Next(_) | Opaque::Previous(_) | Opaque::Foreign { .. }) | None => (None, wrapped),
        };
        if signature.is_some() || !text.is_empty() {
            self.add(at, Block { signature, ..Block::new(Content::Reasoning(text)) });
        }
        match carried {
            Some(Opaque::Next(signature)) => self.next = Some(signature),
            Some(Opaque::Previous(signature)) => self.sign_previous(signature),
            Some(Opaque::Foreign { dialect, value }) => {
                self.add(at, Block::new(Content::Foreign { dialect, value }));
            }
            Some(Opaque::Own(_)) | None => {}
        }
        Ok(())
    }

    fn call(&mut self, at: usize, item: Node<'_>, kind: ToolKind) -> Result<(), Fault> {
        let input = if kind == ToolKind::Custom { "input" } else { "arguments" };
        report_unknown(item, &["type", "id", "call_id", "status", "name", "namespace", input], self.unknown);
        let arguments = match item.some(input) {
            // Some clients send the arguments as an object.
            Some(arguments) if kind == ToolKind::Function && arguments.is_object() => {
                arguments.text().to_owned()
            }
            Some(arguments) => arguments.expect_str()?.into_owned(),
            None => String::new(),
        };
        let id = item.expect("call_id")?.expect_str()?.into_owned();
        let name = item.expect("name")?.expect_str()?.into_owned();
        let namespace = optional_str(item, "namespace")?;
        self.add(at, Block { namespace, ..Block::new(Content::ToolCall { id, name, arguments, kind }) });
        Ok(())
    }

    fn result(&mut self, at: usize, item: Node<'_>) -> Result<(), Fault> {
        report_unknown(item, &["type", "id", "call_id", "status", "name", "output"], self.unknown);
        let id = item.expect("call_id")?.expect_str()?.into_owned();
        let name = optional_str(item, "name")?;
        let content = Parts { characters: 0, unknown: self.unknown }.decode(item.expect("output")?)?;
        let block = Block::new(Content::ToolResult { id, name, content, is_error: false });
        self.push(place(at), Message { role: Role::Tool, name: None, blocks: vec![block] });
        Ok(())
    }

    /// The work of the vendor's own tools: what they did belongs to the model's turn, what the client did for
    /// them to a turn of the user's.
    fn work(&mut self, at: usize, item: Node<'_>, kind: &str) {
        if let Some(image) = image_made_here(item, kind) {
            return self.add(at, Block::new(Content::Media(image)));
        }
        let value = Json::of(item);
        let block = Block::new(Content::Foreign { dialect: Dialect::OpenaiResponses, value });
        if kind.ends_with("_output") || kind.ends_with("_response") {
            self.push(place(at), Message { role: Role::User, name: None, blocks: vec![block] });
        } else {
            self.add(at, block);
        }
    }

    /// A turn of its own.
    fn push(&mut self, place: String, message: Message) {
        self.messages.push(message);
        self.places.push(place);
        (self.open, self.characters, self.next) = (None, 0, None);
    }

    /// One more block of the assistant's turn.
    fn add(&mut self, at: usize, mut block: Block) {
        block.signature = block.signature.or(self.next.take());
        match (self.open, self.messages.last_mut(), self.places.last_mut()) {
            (Some(first), Some(message), Some(place)) => {
                message.blocks.push(block);
                if at > first {
                    *place = format!("input[{first}-{at}]");
                }
            }
            _ => {
                self.messages.push(Message { role: Role::Assistant, name: None, blocks: vec![block] });
                self.places.push(place(at));
                self.open = Some(at);
            }
        }
    }

    fn sign_previous(&mut self, signature: Signature) {
        let turn = self.open.and_then(|_| self.messages.last_mut());
        if let Some(block) = turn.and_then(|turn| turn.blocks.last_mut()) {
            block.signature = Some(signature);
        }
    }
}

fn place(at: usize) -> String {
    format!("input[{at}]")
}

/// The paragraphs of a summary, or of the thoughts themselves where the model shows them.
fn thoughts(item: Node<'_>) -> Result<String, Fault> {
    let mut paragraphs: Vec<Cow<'_, str>> = Vec::new();
    for name in ["summary", "content"] {
        let Some(parts) = item.some(name) else { continue };
        for part in parts.expect_items()? {
            paragraphs.push(part.expect("text")?.expect_str()?);
        }
    }
    Ok(paragraphs.join("\n\n"))
}

/// An image that a model of another vendor made, as our answers tell it. One that this vendor's tool made is
/// the tool's work.
fn image_made_here(item: Node<'_>, kind: &str) -> Option<Media> {
    if kind != "image_generation_call" || !is_made_here(&item.str("id")?) {
        return None;
    }
    let source = Source::Base64(item.str("result")?.into_owned());
    let mime = item.str("output_format").map(|format| format!("image/{format}"));
    Some(Media { kind: MediaKind::Image, source, mime, name: None, detail: None })
}

/// What the gateway remembers is put in place of its references before a request comes here.
fn unknown_reference(item: Node<'_>) -> Fault {
    let id = item.str("id").unwrap_or_default();
    item.invalid(format_args!(
        "refers to item `{id}`, which the gateway does not remember: send the item itself in its place"
    ))
}
