//! One candidate of an answer: its parts become blocks.
//!
//! The vendor's parts are <https://ai.google.dev/api/caching#Part>. A signature belongs to one part, so a part that
//! has one is never joined with its neighbours; text without signature is joined while nothing else comes between.

use crate::chat::gemini_generate::response::decode::grounding;
use crate::chat::gemini_generate::response::decode::partial::PartialCall;
use crate::json::{Json, Node, SurrogateJoiner};
use crate::media::kind_of_mime;
use crate::{
    Block, Content, Delta, Dialect, Event, Fault, FaultKind, Finish, Media, Signature, Source, ToolKind,
};

/// Fields of a candidate that are shown as they came.
pub(in crate::chat::gemini_generate) const EXTRA: [&str; 7] = [
    "groundingMetadata",
    "safetyRatings",
    "citationMetadata",
    "urlContextMetadata",
    "groundingAttributions",
    "avgLogprobs",
    "finishMessage",
];
/// Most text that is kept to turn byte offsets into characters; citations of a longer answer have no position.
pub(in crate::chat::gemini_generate) const TEXT_BYTES_MAX: usize = 4 << 20;

/// What is known of one candidate so far.
#[derive(Debug)]
pub(in crate::chat::gemini_generate) struct Candidate {
    /// Its number.
    pub(in crate::chat::gemini_generate) index: u32,
    /// The vendor's `finishReason`, once it came; empty where the vendor did not say.
    pub(in crate::chat::gemini_generate) reason: Option<String>,
    open: Option<Open>,
    call: Option<PartialCall>,
    /// The end of what the open block said.
    halves: SurrogateJoiner,
    /// The text so far, without thoughts.
    text: String,
}

/// The block that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    thought: bool,
    /// It has its signature: nothing more may be said in it.
    signed: bool,
}

impl Candidate {
    /// A candidate of which nothing came yet.
    pub(in crate::chat::gemini_generate) fn new(index: u32) -> Candidate {
        Candidate {
            index,
            reason: None,
            open: None,
            call: None,
            halves: SurrogateJoiner::default(),
            text: String::new(),
        }
    }

    /// Takes what is new of this candidate.
    ///
    /// Fails where it ends with a reason that means a failure.
    pub(in crate::chat::gemini_generate) fn take(
        &mut self,
        node: Node<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        let parts = node.some("content").and_then(|content| content.some("parts"));
        for part in parts.iter().flat_map(Node::items) {
            self.part(part, events);
        }
        self.cite(node, events);
        if let Some(value) = node.some("logprobsResult").and_then(grounding::logprobs) {
            events.push(Event::Logprobs { choice: self.index, value });
        }
        for name in EXTRA {
            let filled = |node: &Node<'_>| !node.is_object() || node.fields().next().is_some();
            if let Some(value) = node.some(name).filter(filled) {
                let (name, value) = (name.to_owned(), Json::of(value));
                events.push(Event::Extra { choice: Some(self.index), name, value });
            }
        }
        if let Some(reason) = node.str("finishReason") {
            if let Some(fault) = failure(&reason, node.str("finishMessage").as_deref()) {
                return Err(fault);
            }
            self.reason = Some(reason.into_owned());
        }
        Ok(())
    }

    /// Ends the open block; a call that was still being told is as whole as it gets.
    pub(in crate::chat::gemini_generate) fn close(&mut self, events: &mut Vec<Event>) {
        self.end_block(events);
        if let Some(call) = self.call.take() {
            self.whole(call.into_block(), events);
        }
    }

    fn part(&mut self, part: Node<'_>, events: &mut Vec<Event>) {
        let thought = part.get("thought").and_then(|thought| thought.as_bool()).unwrap_or(false);
        let signature = signature(part);
        if let Some(call) = part.some("functionCall") {
            return self.function_call(call, signature, events);
        }
        // A call that is still being told goes on behind what comes between its pieces.
        if let Some(text) = part.get("text").filter(Node::is_string) {
            return self.say(thought, Some(text), signature, events);
        }
        let media = part.some("inlineData").filter(|_| !thought).and_then(media);
        if let Some(media) = media {
            let content = Content::Media(media);
            return self.whole(Block { signature, ..Block::new(content) }, events);
        }
        let told = part.fields().any(|(name, _)| name != "thought" && name != "thoughtSignature");
        if told {
            let content = Content::Foreign { dialect: Dialect::GeminiGenerate, value: compact(part) };
            self.whole(Block::new(content), events);
        } else {
            self.say(thought, None, signature, events);
        }
    }

    /// Words. An empty text that only brings a signature, as streams end with, signs the open block; an empty
    /// thought never signs what was said.
    fn say(
        &mut self,
        thought: bool,
        text: Option<Node<'_>>,
        signature: Option<Signature>,
        events: &mut Vec<Event>,
    ) {
        let text = text.filter(|text| text.text() != "\"\"");
        if text.is_none() && signature.is_none() {
            return;
        }
        let joins = match self.open {
            Some(Open { signed: true, .. }) | None => false,
            Some(open) if text.is_none() => open.thought || !thought,
            Some(open) => open.thought == thought && signature.is_none(),
        };
        if !joins {
            self.end_block(events);
            let content = match thought {
                true => Content::Reasoning(String::new()),
                false => Content::Text { text: String::new(), citations: Vec::new() },
            };
            events.push(Event::BlockStart { choice: self.index, block: Block::new(content) });
            self.open = Some(Open { thought, signed: false });
        }
        if let Some(text) = text.and_then(|text| self.halves.join(text)) {
            self.words(thought, text.into_owned(), events);
        }
        if signature.is_some() {
            self.end_words(events);
        }
        if let (Some(signature), Some(open)) = (signature, &mut self.open) {
            open.signed = true;
            events.push(Event::Delta { choice: self.index, delta: Delta::Signature(signature) });
        }
    }

    fn words(&mut self, thought: bool, text: String, events: &mut Vec<Event>) {
        if !thought && self.text.len() + text.len() <= TEXT_BYTES_MAX {
            self.text.push_str(&text);
        }
        events.push(Event::Delta { choice: self.index, delta: Delta::Text(text) });
    }

    /// A half character at the end of what the open block said stays alone.
    fn end_words(&mut self, events: &mut Vec<Event>) {
        if let (Some(half), Some(open)) = (self.halves.end(), self.open) {
            self.words(open.thought, half.to_owned(), events);
        }
    }

    /// A call, or a piece of one: pieces go on until one does not say `willContinue`.
    fn function_call(&mut self, call: Node<'_>, signature: Option<Signature>, events: &mut Vec<Event>) {
        let named = call.str("name").is_some_and(|name| !name.is_empty());
        let goes_on = call.get("willContinue").and_then(|more| more.as_bool()).unwrap_or(false);
        if named {
            self.close(events);
            if !goes_on && call.some("partialArgs").is_none() {
                return self.whole(whole_call(call, signature), events);
            }
            self.call = Some(PartialCall::new(call, signature));
        } else if let (Some(partial), Some(signature)) = (&mut self.call, signature) {
            partial.sign(signature);
        }
        if let Some(partial) = &mut self.call {
            partial.take(call);
        }
        if !goes_on {
            self.close(events);
        }
    }

    fn cite(&self, node: Node<'_>, events: &mut Vec<Event>) {
        if !matches!(self.open, Some(Open { thought: false, .. })) {
            return;
        }
        for citation in grounding::citations(node, &self.text) {
            events.push(Event::Delta { choice: self.index, delta: Delta::Citation(citation) });
        }
    }

    fn whole(&mut self, block: Block, events: &mut Vec<Event>) {
        self.end_block(events);
        events.push(Event::BlockStart { choice: self.index, block });
        events.push(Event::BlockEnd { choice: self.index });
    }

    fn end_block(&mut self, events: &mut Vec<Event>) {
        self.end_words(events);
        if self.open.take().is_some() {
            events.push(Event::BlockEnd { choice: self.index });
        }
    }
}

/// The canonical reason: <https://ai.google.dev/api/generate-content#FinishReason>.
pub(crate) fn finish(reason: &str) -> Finish {
    match reason {
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        // STOP, FINISH_REASON_UNSPECIFIED and words that are newer than this list.
        _ => Finish::Stop,
    }
}

/// Reasons that mean a failure: what was said until then is no answer. Sources: the list of reasons at
/// <https://ai.google.dev/api/generate-content#FinishReason>; google-gemini/gemini-cli#12674 and
/// NousResearch/hermes-agent#83886 (a call that came with such a reason is not to be run).
const FAILURES: [(&str, FaultKind, &str); 8] = [
    ("MALFORMED_FUNCTION_CALL", FaultKind::Upstream, "The model made a function call that cannot be read."),
    ("UNEXPECTED_TOOL_CALL", FaultKind::Upstream, "The model called a tool that it was not given."),
    ("TOO_MANY_TOOL_CALLS", FaultKind::Upstream, "The model called too many tools one after the other."),
    (
        "MISSING_THOUGHT_SIGNATURE",
        FaultKind::InvalidRequest,
        "A function call in the conversation lacks the thought signature that came with it.",
    ),
    ("MALFORMED_RESPONSE", FaultKind::Upstream, "The model's answer cannot be read."),
    ("OTHER", FaultKind::Upstream, "The model stopped for a reason that the provider does not tell."),
    ("IMAGE_OTHER", FaultKind::Upstream, "The model made no image, and the provider does not tell why."),
    ("NO_IMAGE", FaultKind::Upstream, "The model was asked for an image and made none."),
];

fn failure(reason: &str, message: Option<&str>) -> Option<Fault> {
    let (word, kind, meaning) = FAILURES.into_iter().find(|(word, ..)| *word == reason)?;
    let told = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{meaning} {word}: {message}"),
        None => format!("{meaning} ({word})"),
    };
    Some(Fault { vendor_type: Some(word.into()), ..Fault::new(kind, told).with_code(word) })
}

fn signature(part: Node<'_>) -> Option<Signature> {
    let value = part.str("thoughtSignature").filter(|value| !value.is_empty())?;
    Some(Signature { dialect: Dialect::GeminiGenerate, value: value.into_owned() })
}

fn whole_call(call: Node<'_>, signature: Option<Signature>) -> Block {
    let text = |name| call.str(name).unwrap_or_default().into_owned();
    let arguments = match call.some("args") {
        Some(args) => compact(args).as_str().to_owned(),
        None => "{}".to_owned(),
    };
    let content =
        Content::ToolCall { id: text("id"), name: text("name"), arguments, kind: ToolKind::Function };
    Block { signature, ..Block::new(content) }
}

fn media(blob: Node<'_>) -> Option<Media> {
    let mime = blob.str("mimeType").unwrap_or_default().into_owned();
    let source = Source::Base64(blob.str("data")?.into_owned());
    let name = blob.str("displayName").map(|name| name.into_owned());
    let kind = kind_of_mime(&mime);
    Some(Media { kind, source, mime: (!mime.is_empty()).then_some(mime), name, detail: None })
}

/// The value without the white space that the vendor sets between its tokens.
fn compact(node: Node<'_>) -> Json {
    Json::build(|writer| write(node, writer))
}

fn write(node: Node<'_>, writer: &mut crate::json::Writer) {
    if node.is_object() {
        writer.object(|writer| {
            for (name, value) in node.fields() {
                write(value, writer.key(&name));
            }
        });
    } else if node.is_array() {
        writer.array(|writer| node.items().for_each(|item| write(item, writer)));
    } else {
        writer.raw(node.text());
    }
}
