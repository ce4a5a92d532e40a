//! Turns to `systemInstruction` and `contents` (<https://ai.google.dev/api/caching#Content>).

use std::borrow::Cow;

use crate::chat::gemini_generate::part::media;
use crate::chat::gemini_generate::part::{Body, Part};
use crate::chat::order;
use crate::chat::rules::Rules;
use crate::chat::tools::arguments;
use crate::json::{Document, Node, Writer};
use crate::{Block, Content, Dialect, Fault, Media, Message, Request, Role, Source, ToolKind};

/// Stands for a signature that a call never had, because it was made by another model or by hand: models that insist
/// on signatures pass it (<https://ai.google.dev/gemini-api/docs/thought-signatures#faqs>).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// The conversation in the vendor's order.
#[derive(Debug)]
pub(super) struct Contents<'r> {
    system: Vec<Part<'r>>,
    turns: Vec<Turn<'r>>,
}

#[derive(Debug)]
struct Turn<'r> {
    role: &'static str,
    parts: Vec<Part<'r>>,
}

/// Sorts the turns: those of the operator together, those of one speaker in a row as one.
pub(super) fn plan<'r>(
    request: &'r Request,
    rules: &'r Rules,
    dropped: &mut Vec<String>,
) -> Result<Contents<'r>, Fault> {
    let mut planner = Planner { request, rules, dropped };
    let mut contents = Contents { system: Vec::new(), turns: Vec::new() };
    for position in order::results_behind_calls(&request.messages) {
        let message = &request.messages[position];
        let path = format!("messages[{position}]");
        planner.marks(message, &path);
        match message.role {
            Role::System | Role::Developer => planner.system(message, &path, &mut contents.system),
            Role::User | Role::Tool => contents.say("user", planner.turn(message, position)),
            Role::Assistant => contents.say("model", planner.turn(message, position)),
        }
    }
    // The vendor refuses a conversation without turns: then the operator's words are the question.
    if contents.turns.is_empty() {
        let system = std::mem::take(&mut contents.system);
        contents.say("user", system);
    }
    contents.answers_first();
    if rules.signed_calls {
        contents.sign_calls();
    }
    Ok(contents)
}

impl<'r> Contents<'r> {
    fn say(&mut self, role: &'static str, parts: Vec<Part<'r>>) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut().filter(|turn| turn.role == role) {
            Some(turn) => turn.parts.extend(parts),
            None => self.turns.push(Turn { role, parts }),
        }
    }

    /// The vendor counts answers against calls: they stand together, before what the user says or shows.
    fn answers_first(&mut self) {
        for turn in &mut self.turns {
            turn.parts.sort_by_key(|part| turn.role == "user" && !matches!(part.body, Body::Answer { .. }));
        }
    }

    /// In every step since the user last spoke, the first call has to have a signature.
    fn sign_calls(&mut self) {
        let answers =
            |turn: &Turn<'_>| turn.parts.iter().any(|part| matches!(part.body, Body::Answer { .. }));
        let spoke = |turn: &Turn<'_>| turn.role == "user" && !answers(turn);
        let start = self.turns.iter().rposition(spoke).unwrap_or(0);
        for turn in self.turns[start..].iter_mut().filter(|turn| turn.role == "model") {
            let first = turn.parts.iter_mut().find(|part| matches!(part.body, Body::Call { .. }));
            if let Some(call) = first {
                call.signature.get_or_insert(NO_SIGNATURE.into());
            }
        }
    }

    /// Writes both fields.
    pub(super) fn write(&self, writer: &mut Writer) {
        if !self.system.is_empty() {
            writer.field_object("systemInstruction", |writer| write_parts(&self.system, writer));
        }
        writer.field_array("contents", |writer| {
            for turn in &self.turns {
                writer.object(|writer| {
                    writer.field_str("role", turn.role);
                    write_parts(&turn.parts, writer);
                });
            }
        });
    }
}

fn write_parts(parts: &[Part<'_>], writer: &mut Writer) {
    writer.field_array("parts", |writer| parts.iter().for_each(|part| part.write(writer)));
}

struct Planner<'r, 'd> {
    request: &'r Request,
    rules: &'r Rules,
    dropped: &'d mut Vec<String>,
}

impl<'r> Planner<'r, '_> {
    /// Names of speakers, sources, cache markers and the proofs of other vendors have no place.
    fn marks(&mut self, message: &Message, path: &str) {
        if message.name.is_some() && message.role != Role::Tool {
            self.dropped.push(format!("{path}.name"));
        }
        let cites = |block: &Block| matches!(&block.content, Content::Text { citations, .. } if !citations.is_empty());
        if message.blocks.iter().any(cites) {
            self.dropped.push(format!("{path}.annotations"));
        }
        for (position, block) in message.blocks.iter().enumerate() {
            if block.cache_control.is_some() {
                let path =
                    if is_result(message) { path.to_owned() } else { format!("{path}.content[{position}]") };
                self.dropped.push(format!("{path}.cache_control"));
            }
            // A thought without a proof of its own goes altogether.
            let thought = matches!(block.content, Content::Reasoning(_));
            if block.signature.is_some() && signature(block).is_none() && !thought {
                self.dropped.push(format!("{path}.content[{position}].signature"));
            }
        }
    }

    /// The operator's turn: words only.
    fn system(&mut self, message: &'r Message, path: &str, parts: &mut Vec<Part<'r>>) {
        for (position, block) in message.blocks.iter().enumerate() {
            match &block.content {
                Content::Text { text, .. } if text.is_empty() => {}
                Content::Text { text, .. } => parts.push(Part::new(Body::Text(text))),
                _ => self.dropped.push(format!("{path}.content[{position}]")),
            }
        }
    }

    fn turn(&mut self, message: &'r Message, position: usize) -> Vec<Part<'r>> {
        let mut parts = Vec::new();
        for (at, block) in message.blocks.iter().enumerate() {
            let path = format!("messages[{position}].content[{at}]");
            match &block.content {
                Content::ToolCall { id, name, arguments, kind } => {
                    let arguments =
                        whole_object(arguments, *kind).unwrap_or_else(|| arguments::object(arguments));
                    let body = Body::Call { id: id.into(), name, arguments };
                    parts.push(Part { body, signature: signature(block).map(Cow::Borrowed) });
                }
                Content::ToolResult { id, name, content, is_error } => {
                    let name = name.as_deref().unwrap_or_else(|| self.called(id, position));
                    let path = if is_result(message) { format!("messages[{position}]") } else { path };
                    self.answer(Answer { id, name, content, is_error: *is_error }, &path, &mut parts);
                }
                Content::Reasoning(_) if signature(block).is_none() => {
                    self.dropped.push(format!("messages[{position}].reasoning_content"));
                }
                _ => parts.extend(self.part(block, &path)),
            }
        }
        parts
    }

    /// The part for a block that stands for itself; `None` where there is none.
    fn part(&mut self, block: &'r Block, path: &str) -> Option<Part<'r>> {
        let signature = signature(block);
        let body = match &block.content {
            // The vendor refuses empty words, but an empty part may carry a signature.
            Content::Text { text, .. } | Content::Refusal(text) => {
                (!text.is_empty() || signature.is_some()).then_some(Body::Text(text))?
            }
            Content::Reasoning(text) if signature.is_some() => Body::Thought(text),
            Content::Media(media) => {
                self.details(media, path);
                if media.source == Source::Text(String::new()) {
                    return None;
                }
                media::body(media)
            }
            Content::Foreign { dialect: Dialect::GeminiGenerate, value } => Body::Own(value.as_str()),
            Content::Reasoning(_) | Content::Foreign { .. } => {
                self.dropped.push(path.to_owned());
                return None;
            }
            // Taken care of by the turn; inside a result there are none.
            Content::ToolCall { .. } | Content::ToolResult { .. } => return None,
        };
        Some(Part { body, signature: signature.map(Cow::Borrowed) })
    }

    /// Media have neither a level of detail here nor a name.
    fn details(&mut self, media: &Media, path: &str) {
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.dropped.push(format!("{path}.image_url.detail"));
        }
        // Clients of OpenAI's that have no name for a file write this one.
        if media.name.as_deref().is_some_and(|name| name != "document.pdf") {
            self.dropped.push(format!("{path}.file.filename"));
        }
    }

    /// The function that a call before this message named.
    fn called(&self, id: &'r str, before: usize) -> &'r str {
        let earlier = self.request.messages.iter().take(before).rev().flat_map(|message| &message.blocks);
        let mut names = earlier.filter_map(|block| match &block.content {
            Content::ToolCall { id: call, name, .. } if call == id => Some(name.as_str()),
            _ => None,
        });
        // The field is required; without a call there is only the id to name it by.
        names.next().unwrap_or(id)
    }

    /// A result: its words are the response; its media go into the answer where the models see them there, else
    /// beside it (<https://ai.google.dev/gemini-api/docs/function-calling#multimodal>).
    fn answer(&mut self, answer: Answer<'r>, path: &str, parts: &mut Vec<Part<'r>>) {
        let (mut words, mut media) = (Vec::new(), Vec::new());
        for (position, block) in answer.content.iter().enumerate() {
            let path = format!("{path}.content[{position}]");
            if block.cache_control.is_some() {
                self.dropped.push(format!("{path}.cache_control"));
            }
            match &block.content {
                Content::Text { text, .. } => words.push(text.as_str()),
                // A document of text is words of the tool's too.
                Content::Media(media @ Media { source: Source::Text(text), .. }) => {
                    self.details(media, &path);
                    words.push(text);
                }
                _ => {
                    let part = self.part(block, &path);
                    media.extend(part.map(|part| part.body));
                }
            }
        }
        let (inside, beside) = match self.rules.signed_calls {
            true => {
                media.into_iter().partition(|body| matches!(body, Body::Inline { .. } | Body::File { .. }))
            }
            false => (Vec::new(), media),
        };
        let response = response(&words.join("\n"), answer.is_error);
        let (id, name) = (answer.id, answer.name);
        parts.push(Part::new(Body::Answer { id, name, response, media: inside }));
        parts.extend(beside.into_iter().map(Part::new));
    }
}

/// Is this turn one result, which then stands where the turn does?
fn is_result(message: &Message) -> bool {
    message.role == Role::Tool && message.blocks.len() == 1
}

struct Answer<'r> {
    id: &'r str,
    name: &'r str,
    content: &'r [Block],
    is_error: bool,
}

fn signature(block: &Block) -> Option<&str> {
    let signature = block.signature.as_ref()?;
    (signature.dialect == Dialect::GeminiGenerate).then_some(signature.value.as_str())
}

/// The arguments, if they are an object. Free text, which the vendor's functions do not have, is put into one.
pub(in crate::chat::gemini_generate) fn whole_object(
    arguments: &str,
    kind: ToolKind,
) -> Option<Cow<'_, str>> {
    match kind {
        ToolKind::Custom => Some(wrapped("input", arguments).into()),
        ToolKind::Function => arguments::whole_object(arguments).map(Cow::Borrowed),
    }
}

/// The object that a function has answered with. The vendor reads `output` and `error`
/// (<https://ai.google.dev/api/caching#FunctionResponse>), and an object without them as the output. One that
/// looks like such an envelope goes as text, or a tool that says `{"error": "..."}` would have failed; and so
/// does one that has a `$ref`: the vendor would look for a medium of that name.
fn response(text: &str, is_error: bool) -> String {
    if is_error {
        return wrapped("error", text);
    }
    let is_answer = Document::parse_to(text.as_bytes(), 1)
        .is_ok_and(|document| document.root().is_object() && !is_envelope(document.root()));
    if is_answer && !text.contains("\"$ref\"") { text.to_owned() } else { wrapped("output", text) }
}

/// Does this object do nothing but say what its only field is? The vendor's SDK for Python writes `result`.
fn is_envelope(response: Node<'_>) -> bool {
    let mut names = response.fields().map(|(name, _)| name);
    let only = names.next().filter(|_| names.next().is_none());
    matches!(only.as_deref(), Some("output" | "result" | "error"))
}

fn wrapped(name: &str, text: &str) -> String {
    serde_json::json!({ name: text }).to_string()
}
