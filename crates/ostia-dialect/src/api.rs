//! The APIs that a provider can have.

use crate::Dialect;
use crate::json::{Kind, Node};

/// One API of one vendor's making: a path and the shape of what is sent there. Many providers copy OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offer {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// OpenAI's count of the tokens of a Responses request.
    OpenaiInputTokens,
    /// OpenAI's older text completions.
    OpenaiCompletions,
    /// OpenAI embeddings.
    OpenaiEmbeddings,
    /// OpenAI image generation.
    OpenaiImages,
    /// OpenAI image edits (multipart).
    OpenaiImageEdits,
    /// OpenAI text to speech.
    OpenaiSpeech,
    /// OpenAI speech to text (multipart).
    OpenaiTranscriptions,
    /// OpenAI speech to English text (multipart).
    OpenaiTranslations,
    /// OpenAI moderation.
    OpenaiModerations,
    /// OpenAI files.
    OpenaiFiles,
    /// OpenAI batches.
    OpenaiBatches,
    /// OpenAI fine-tuning jobs.
    OpenaiFineTunes,
    /// OpenAI realtime (WebSocket).
    OpenaiRealtime,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Anthropic token counting.
    AnthropicCountTokens,
    /// Anthropic message batches.
    AnthropicBatches,
    /// Google generateContent.
    GeminiGenerate,
    /// Google token counting.
    GeminiCountTokens,
    /// Google embedding of one content.
    GeminiEmbed,
    /// Google embedding of several contents.
    GeminiBatchEmbed,
    /// Cohere Chat, version 2.
    CohereChat,
    /// Cohere Embed, version 2.
    CohereEmbed,
    /// Cohere Rerank, version 2.
    CohereRerank,
    /// Jina's rerank, which vLLM, llama.cpp and others copy: like Cohere's, at the OpenAI-style path.
    JinaRerank,
    /// Voyage's rerank: `top_k` for `top_n`, `data` for `results`.
    VoyageRerank,
}

/// An array or object without anything in it, also where its values are not recorded.
fn is_empty(value: Node<'_>) -> bool {
    let text = value.text().as_bytes();
    (value.is_array() || value.is_object()) && text[1..text.len() - 1].trim_ascii().is_empty()
}

impl Offer {
    /// Every offer, in the order of the enum.
    pub const ALL: [Offer; 27] = [
        Offer::OpenaiChat,
        Offer::OpenaiResponses,
        Offer::OpenaiInputTokens,
        Offer::OpenaiCompletions,
        Offer::OpenaiEmbeddings,
        Offer::OpenaiImages,
        Offer::OpenaiImageEdits,
        Offer::OpenaiSpeech,
        Offer::OpenaiTranscriptions,
        Offer::OpenaiTranslations,
        Offer::OpenaiModerations,
        Offer::OpenaiFiles,
        Offer::OpenaiBatches,
        Offer::OpenaiFineTunes,
        Offer::OpenaiRealtime,
        Offer::AnthropicMessages,
        Offer::AnthropicCountTokens,
        Offer::AnthropicBatches,
        Offer::GeminiGenerate,
        Offer::GeminiCountTokens,
        Offer::GeminiEmbed,
        Offer::GeminiBatchEmbed,
        Offer::CohereChat,
        Offer::CohereEmbed,
        Offer::CohereRerank,
        Offer::JinaRerank,
        Offer::VoyageRerank,
    ];

    /// The name in rows and reports.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// What people read in the table of providers. Several offers may share a word.
    pub fn word(self) -> &'static str {
        self.words().1
    }

    /// The offer of this name.
    pub fn from_name(name: &str) -> Option<Offer> {
        Offer::ALL.into_iter().find(|offer| offer.name() == name)
    }

    /// The conversation dialect that is spoken there; `None` for what is no conversation.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Offer::OpenaiChat => Some(Dialect::OpenaiChat),
            Offer::OpenaiResponses => Some(Dialect::OpenaiResponses),
            Offer::AnthropicMessages => Some(Dialect::AnthropicMessages),
            Offer::GeminiGenerate => Some(Dialect::GeminiGenerate),
            Offer::CohereChat => Some(Dialect::CohereChat),
            _ => None,
        }
    }

    /// The fields of which a whole answer has one at least, and of what kind they are; none where nothing is known of it.
    pub fn answer_fields(self) -> &'static [(&'static str, Kind)] {
        match self {
            Offer::OpenaiChat | Offer::OpenaiCompletions => &[("choices", Kind::Array)],
            Offer::OpenaiResponses => &[("output", Kind::Array)],
            Offer::OpenaiEmbeddings => &[("data", Kind::Array)],
            Offer::AnthropicMessages => &[("content", Kind::Array)],
            Offer::OpenaiInputTokens | Offer::AnthropicCountTokens => &[("input_tokens", Kind::Number)],
            // A prompt that is refused has no candidates.
            Offer::GeminiGenerate => &[("candidates", Kind::Array), ("promptFeedback", Kind::Object)],
            Offer::GeminiCountTokens => &[("totalTokens", Kind::Number)],
            Offer::GeminiEmbed | Offer::GeminiBatchEmbed => {
                &[("embedding", Kind::Object), ("embeddings", Kind::Array)]
            }
            Offer::CohereChat => &[("message", Kind::Object)],
            Offer::CohereEmbed => &[("embeddings", Kind::Object), ("embeddings", Kind::Array)],
            _ => &[],
        }
    }

    /// Is an empty list no answer? Of messages and contents that say nothing it is one; there is always a first choice.
    pub fn needs_items(self) -> bool {
        matches!(self, Offer::OpenaiChat | Offer::OpenaiCompletions)
    }

    /// Could this be a whole answer? An error that is told beside an empty list is none, and neither is a Response that
    /// failed (<https://platform.openai.com/docs/api-reference/responses/object>).
    pub fn is_answered_by(self, root: Node<'_>) -> bool {
        let fields = self.answer_fields();
        let is_failed =
            self != Offer::OpenaiResponses && root.some("error").is_some_and(|error| error.is_object());
        let is_here = |(name, kind): &(&str, Kind)| {
            root.get(name).is_some_and(|value| {
                value.kind() == *kind && !((is_failed || self.needs_items()) && is_empty(value))
            })
        };
        root.is_object() && !self.is_failed(root) && (fields.is_empty() || fields.iter().any(is_here))
    }

    /// Is this a whole Response, which tells in the client's own form that it failed?
    pub fn is_failed(self, root: Node<'_>) -> bool {
        self == Offer::OpenaiResponses
            && root.str("object").as_deref() == Some("response")
            && root.str("status").as_deref() == Some("failed")
    }

    /// Does it only count the tokens of a request?
    pub fn counts(self) -> bool {
        matches!(self, Offer::OpenaiInputTokens | Offer::AnthropicCountTokens | Offer::GeminiCountTokens)
    }

    /// The offer at which this dialect is spoken.
    pub fn of_dialect(dialect: Dialect) -> Offer {
        match dialect {
            Dialect::OpenaiChat => Offer::OpenaiChat,
            Dialect::OpenaiResponses => Offer::OpenaiResponses,
            Dialect::AnthropicMessages => Offer::AnthropicMessages,
            Dialect::GeminiGenerate => Offer::GeminiGenerate,
            Dialect::CohereChat => Offer::CohereChat,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Offer::OpenaiChat => ("openai_chat", "chat"),
            Offer::OpenaiResponses => ("openai_responses", "responses"),
            Offer::OpenaiInputTokens => ("openai_input_tokens", "token count"),
            Offer::OpenaiCompletions => ("openai_completions", "completions"),
            Offer::OpenaiEmbeddings => ("openai_embeddings", "embeddings"),
            Offer::OpenaiImages => ("openai_images", "images"),
            Offer::OpenaiImageEdits => ("openai_image_edits", "images"),
            Offer::OpenaiSpeech => ("openai_speech", "speech"),
            Offer::OpenaiTranscriptions => ("openai_transcriptions", "transcription"),
            Offer::OpenaiTranslations => ("openai_translations", "transcription"),
            Offer::OpenaiModerations => ("openai_moderations", "moderation"),
            Offer::OpenaiFiles => ("openai_files", "files"),
            Offer::OpenaiBatches => ("openai_batches", "batches"),
            Offer::OpenaiFineTunes => ("openai_fine_tunes", "fine-tuning"),
            Offer::OpenaiRealtime => ("openai_realtime", "realtime"),
            Offer::AnthropicMessages => ("anthropic_messages", "messages"),
            Offer::AnthropicCountTokens => ("anthropic_count_tokens", "token count"),
            Offer::AnthropicBatches => ("anthropic_batches", "batches"),
            Offer::GeminiGenerate => ("gemini_generate", "gemini"),
            Offer::GeminiCountTokens => ("gemini_count_tokens", "token count"),
            Offer::GeminiEmbed => ("gemini_embed", "embeddings"),
            Offer::GeminiBatchEmbed => ("gemini_batch_embed", "embeddings"),
            Offer::CohereChat => ("cohere_chat", "cohere chat"),
            Offer::CohereEmbed => ("cohere_embed", "embeddings"),
            Offer::CohereRerank => ("cohere_rerank", "rerank"),
            Offer::JinaRerank => ("jina_rerank", "rerank"),
            Offer::VoyageRerank => ("voyage_rerank", "rerank"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Document;

    #[test]
    fn what_answers() {
        let check = |offer: Offer, text: &str, expected: bool| {
            // The fields of the top are enough.
            let document = Document::parse_to(text.as_bytes(), 1).unwrap();
            assert_eq!(offer.is_answered_by(document.root()), expected, "{} by {text}", offer.name());
        };
        check(Offer::OpenaiChat, r#"{"id":"1","choices":[{}]}"#, true);
        check(Offer::OpenaiChat, r#"{"choices":[]}"#, false);
        check(Offer::AnthropicMessages, r#"{"content":[]}"#, true);
        check(Offer::OpenaiChat, r#"{"choices":[ ],"error":{"message":"x"}}"#, false);
        check(Offer::OpenaiChat, r#"{"choices":[{}],"error":{"message":"x"}}"#, true);
        check(Offer::OpenaiChat, r#"{"choices":null}"#, false);
        check(Offer::OpenaiChat, r#"{"choices":"x"}"#, false);
        check(Offer::OpenaiChat, r#"[{"choices":[{}]}]"#, false);
        check(
            Offer::OpenaiResponses,
            r#"{"object":"response","status":"failed","error":{"message":"x"},"output":[]}"#,
            false,
        );
        check(Offer::OpenaiResponses, r#"{"status":"incomplete","error":null,"output":[]}"#, true);
        check(Offer::GeminiGenerate, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, true);
        check(Offer::GeminiGenerate, r#"{"error":{"code":500}}"#, false);
        check(Offer::CohereChat, r#"{"message":"no such model"}"#, false);
        check(Offer::OpenaiFiles, r#"{"anything":1}"#, true);
        check(Offer::OpenaiFiles, "null", false);
    }
}
