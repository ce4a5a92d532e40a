//! The vendor's unary answer to the canonical one (<https://docs.cohere.com/reference/chat>).
//!
//! A plan for the use of tools (`tool_plan`) becomes the first text. It is the only thing that the vendor's older models
//! say beside their calls, meant to be seen, and every client shows and sends back the text of a turn with calls;
//! reasoning is dropped by many.

#[cfg(test)]
mod tests;

use crate::chat::cohere_chat::response::{citation, ending};
use crate::chat::cohere_chat::{error, usage};
use crate::chat::response::characters;
use crate::json::{Document, Json, Node};
use crate::{Block, Choice, Content, Dialect, Fault, Response, ToolKind};

/// Reads a whole answer.
///
/// Fails with 502 where the body is no JSON, and with the vendor's message where it is an error or the answer ended with
/// one.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let Some(message) = root.some("message").filter(Node::is_object) else { return Err(error::decode(root)) };
    let mut turn = Turn::default();
    turn.content(message);
    let loose = turn.cite(message);
    turn.calls(message);
    let native_finish = root.str("finish_reason").map(|word| word.into_owned());
    let usage = root.some("usage");
    Ok(Response {
        id: root.str("id").unwrap_or_default().into_owned(),
        usage: usage.and_then(usage::decode),
        choices: vec![Choice {
            index: 0,
            blocks: turn.blocks,
            finish: ending::finish(native_finish.as_deref())?,
            native_finish,
            stop_sequence: None,
            logprobs: root.some("logprobs").map(|list| ending::logprobs(list.items())),
            extra: loose.into_iter().collect(),
        }],
        extra: usage.and_then(usage::billed_units).into_iter().collect(),
        ..Response::default()
    })
}

/// What a citation may point into.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Plan,
    Content(u64),
}

/// The blocks of the answer, and which of them are texts that can be cited.
#[derive(Default)]
struct Turn {
    blocks: Vec<Block>,
    texts: Vec<Text>,
    /// Characters of all texts so far.
    characters: u64,
}

struct Text {
    place: Place,
    block: usize,
    offset: u64,
}

impl Turn {
    /// Thoughts that open the answer, the plan, then the content: the order in which a stream brings them.
    fn content(&mut self, message: Node<'_>) {
        let mut plan = message.str("tool_plan").filter(|plan| !plan.is_empty());
        let content = message.some("content");
        if let Some(text) = content.and_then(|content| content.as_str()) {
            self.text(Place::Content(0), text.into_owned());
        }
        for (place, part) in content.iter().flat_map(|content| content.items()).enumerate() {
            let kind = part.str("type").unwrap_or_default();
            if kind != "thinking"
                && let Some(plan) = plan.take()
            {
                self.text(Place::Plan, plan.into_owned());
            }
            match &*kind {
                "text" => {
                    self.text(
                        Place::Content(place as u64),
                        part.str("text").unwrap_or_default().into_owned(),
                    );
                }
                "thinking" => {
                    let thought = part.str("thinking").unwrap_or_default().into_owned();
                    self.blocks.push(Block::new(Content::Reasoning(thought)));
                }
                _ => self.blocks.push(foreign(part)),
            }
        }
        if let Some(plan) = plan {
            self.text(Place::Plan, plan.into_owned());
        }
    }

    fn text(&mut self, place: Place, text: String) {
        self.texts.push(Text { place, block: self.blocks.len(), offset: self.characters });
        self.characters += characters(&text);
        self.blocks.push(Block::text(text));
    }

    /// Hangs the citations on the texts that they quote in. Those of thoughts have no place there and come back as a
    /// field of the choice.
    fn cite(&mut self, message: Node<'_>) -> Option<(String, Json)> {
        let mut loose = Vec::new();
        for citation in message.some("citations").iter().flat_map(|list| list.items()) {
            let Some(text) = self.texts.iter().find(|text| quotes(citation, text.place)) else {
                loose.push(Json::of(citation));
                continue;
            };
            if let Content::Text { citations, .. } = &mut self.blocks[text.block].content {
                citations.extend(citation::decode(citation, text.offset));
            }
        }
        citation::loose(&loose)
    }

    fn calls(&mut self, message: Node<'_>) {
        let calls = message.some("tool_calls");
        self.blocks.extend(calls.iter().flat_map(|calls| calls.items()).map(call));
    }
}

/// Does the citation quote in the text at this place? Citations without a place quote in the first text.
fn quotes(citation: Node<'_>, place: Place) -> bool {
    match (citation.str("type").as_deref(), place) {
        (Some("PLAN"), place) => place == Place::Plan,
        (Some("TEXT_CONTENT") | None, Place::Content(at)) => {
            citation.u64("content_index").is_none_or(|index| index == at)
        }
        (Some("TEXT_CONTENT") | None, Place::Plan) | (Some(_), _) => false,
    }
}

/// A block of a kind that only the vendor knows.
pub(in crate::chat::cohere_chat) fn foreign(part: Node<'_>) -> Block {
    Block::new(Content::Foreign { dialect: Dialect::CohereChat, value: Json::of(part) })
}

/// A call, whole or (in a stream) as far as it has come.
pub(in crate::chat::cohere_chat) fn call(call: Node<'_>) -> Block {
    let function = call.some("function");
    let text = |name: &str| function.and_then(|function| function.str(name)).unwrap_or_default().into_owned();
    Block::new(Content::ToolCall {
        id: call.str("id").unwrap_or_default().into_owned(),
        name: text("name"),
        arguments: text("arguments"),
        kind: ToolKind::Function,
    })
}
