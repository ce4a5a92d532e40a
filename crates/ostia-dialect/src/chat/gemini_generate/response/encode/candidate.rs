//! One candidate as a client sees it: blocks become parts (<https://ai.google.dev/api/caching#Part>), and what else is
//! known of the answer comes with its end. Whole answers and streams are written by the same code.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::chat::gemini_generate::part::media;
use crate::chat::gemini_generate::part::{Body, Part};
use crate::chat::gemini_generate::request::encode::contents::whole_object;
use crate::chat::gemini_generate::response::decode::candidate::{EXTRA, TEXT_BYTES_MAX};
use crate::chat::gemini_generate::response::encode::grounding;
use crate::chat::limits::GivenIds;
use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Writer};
use crate::{Block, Citation, Content, Dialect, Finish, RenderOptions, Signature};

/// The vendor's own reasons (<https://ai.google.dev/api/generate-content#FinishReason>): an upstream's word that is one
/// of them is told as it is.
const REASONS: [&str; 22] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "ESCALATION",
    "CONTINUATION",
    "MODEL_ARMOR",
];
/// Fields of a candidate that are written here and never as extras.
const WRITTEN: [&str; 4] = ["content", "finishReason", "index", "logprobsResult"];
/// Most that is told of a call that cannot be written, in characters.
const MALFORMED_CHARS_MAX: usize = 1000;

/// What is known of one candidate so far.
#[derive(Debug)]
pub(in crate::chat::gemini_generate) struct CandidateEncoder {
    /// Its number.
    pub(in crate::chat::gemini_generate) index: u32,
    ids: GivenIds,
    declined: bool,
    /// The call that could not be written.
    malformed: Option<String>,
    /// The words that sources refer to.
    text: String,
    citations: Vec<Citation>,
    extra: Vec<(String, Json)>,
}

impl CandidateEncoder {
    /// A candidate that has said nothing.
    pub(in crate::chat::gemini_generate) fn new(index: u32) -> CandidateEncoder {
        CandidateEncoder {
            index,
            ids: GivenIds::of(Dialect::GeminiGenerate, index),
            declined: false,
            malformed: None,
            text: String::new(),
            citations: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// The part for a whole block; `None` where the block says nothing, or a call cannot be written.
    pub(in crate::chat::gemini_generate) fn part<'b>(
        &mut self,
        block: &'b Block,
        options: &RenderOptions,
    ) -> Option<Part<'b>> {
        let body = match &block.content {
            Content::Text { text, citations } => {
                self.quote(text);
                self.citations.extend_from_slice(citations);
                Body::Text(text)
            }
            Content::Refusal(text) => {
                self.declined = true;
                Body::Text(text)
            }
            Content::Reasoning(text) => Body::Thought(text),
            Content::Media(media) => media::body(media),
            Content::ToolCall { id, name, arguments, kind } => {
                // Some vendors name no call; then one name joins it and its result.
                let id = self.ids.next(id, &options.id_suffix);
                let Some(arguments) = whole_object(arguments, *kind) else {
                    self.malformed(name, arguments);
                    return None;
                };
                Body::Call { id, name, arguments }
            }
            Content::Foreign { dialect: Dialect::GeminiGenerate, value } => Body::Own(value.as_str()),
            Content::Foreign { dialect, value } => {
                return Some(carrier(&Opaque::Foreign { dialect: *dialect, value: value.clone() }));
            }
            // Answers hold no results.
            Content::ToolResult { .. } => return None,
        };
        let signature = block.signature.as_ref().map(|signature| proof(signature, Opaque::Own));
        let silent = matches!(body, Body::Text("") | Body::Thought(""));
        (signature.is_some() || !silent).then_some(Part { body, signature })
    }

    /// Words of a text that sources may refer to.
    pub(in crate::chat::gemini_generate) fn quote(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT_BYTES_MAX {
            self.text.push_str(text);
        }
    }

    /// A source of the text.
    pub(in crate::chat::gemini_generate) fn cite(&mut self, citation: Citation) {
        self.citations.push(citation);
    }

    /// The words that follow are those of a refusal.
    pub(in crate::chat::gemini_generate) fn decline(&mut self) {
        self.declined = true;
    }

    /// A call that this dialect cannot write, because its arguments are no JSON object: mostly one that was cut off.
    pub(in crate::chat::gemini_generate) fn malformed(&mut self, name: &str, arguments: &str) {
        let start: String = arguments.chars().take(MALFORMED_CHARS_MAX).collect();
        self.malformed.get_or_insert(format!("Malformed function call: {name}({start})"));
    }

    /// A vendor's field; of several of one name the last one counts.
    pub(in crate::chat::gemini_generate) fn extra(
        &mut self,
        name: &str,
        value: &Json,
        options: &RenderOptions,
    ) {
        let shown = EXTRA.contains(&name) || !(options.strict || WRITTEN.contains(&name));
        if !shown {
            return;
        }
        match self.extra.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value.clone(),
            None => self.extra.push((name.to_owned(), value.clone())),
        }
    }

    /// Everything that the end of a candidate tells.
    pub(in crate::chat::gemini_generate) fn end(&self, w: &mut Writer, finish: Finish, native: Option<&str>) {
        w.field_str("finishReason", self.reason(finish, native));
        let is_extra = |name: &str| self.extra.iter().any(|(known, _)| known == name);
        if let Some(message) = self.malformed.as_ref().filter(|_| !is_extra("finishMessage")) {
            w.field_str("finishMessage", message);
        }
        // What the vendor itself told of the sources says more than the hub.
        if !is_extra("groundingMetadata") && !is_extra("citationMetadata") {
            grounding::encode(w, &self.citations, &self.text);
        }
        self.extra.iter().for_each(|(name, value)| w.field_raw(name, value.as_str()));
    }

    /// Calls end with `STOP` here. The vendor's models do not decline in words; who looks at the reason alone is to see
    /// that the answer is none.
    fn reason<'a>(&self, finish: Finish, native: Option<&'a str>) -> &'a str {
        let ended = matches!(finish, Finish::Stop | Finish::ToolCalls);
        if ended && self.malformed.is_some() {
            return "MALFORMED_FUNCTION_CALL";
        }
        if let Some(native) = native.filter(|native| REASONS.contains(native)) {
            return native;
        }
        match finish {
            Finish::Stop if self.declined => "SAFETY",
            Finish::Stop | Finish::ToolCalls | Finish::Pause => "STOP",
            Finish::Length => "MAX_TOKENS",
            Finish::ContentFilter | Finish::Refusal => "SAFETY",
        }
    }
}

/// A part of words without signature.
pub(in crate::chat::gemini_generate) fn words(thought: bool, text: &str) -> Part<'_> {
    Part::new(if thought { Body::Thought(text) } else { Body::Text(text) })
}

/// The part of a signature without words. Where it signs those of the part before it, because it came behind them, it is
/// `wrapped` as [`Opaque::Previous`]: the vendor's streams end so.
pub(in crate::chat::gemini_generate) fn silent(
    thought: bool,
    signature: &Signature,
    wrapped: fn(Signature) -> Opaque,
) -> Part<'_> {
    Part { signature: Some(proof(signature, wrapped)), ..words(thought, "") }
}

/// A part that is there for its opaque value. Clients do not show thoughts as the answer.
fn carrier(wrapped: &Opaque) -> Part<'static> {
    Part { body: Body::Thought(""), signature: Some(STANDARD.encode(opaque::encode(wrapped)).into()) }
}

/// What stands in `thoughtSignature`: the vendor's own proof as it is, that of another vendor as an opaque value. The field
/// is of bytes in base64, and an opaque value is not.
fn proof(signature: &Signature, wrapped: fn(Signature) -> Opaque) -> Cow<'_, str> {
    match signature.dialect {
        Dialect::GeminiGenerate => Cow::Borrowed(&signature.value),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::AnthropicMessages
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => Cow::Owned(STANDARD.encode(opaque::encode(&wrapped(signature.clone())))),
    }
}
