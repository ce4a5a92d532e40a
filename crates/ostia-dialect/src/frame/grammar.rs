//! The kinds of event streams.

use super::KeepAlive;

/// How a stream of this kind says that it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Chat Completions: finish reasons, then `[DONE]`.
    OpenaiChat,
    /// Completions: the same. Some vendors have events of their own at this path, without `choices` (Writer,
    /// <https://dev.writer.com/api-reference/completion-api/text-generation>): of those nothing is known.
    OpenaiCompletions,
    /// Responses: `response.completed`, `.incomplete` or `.failed`.
    OpenaiResponses,
    /// Messages: `message_stop`.
    AnthropicMessages,
    /// generateContent: a finish reason, or the reason why the prompt was refused. There is no end marker.
    GeminiGenerate,
    /// Any other: only the provider knows when it is whole.
    Unknown,
}

impl Grammar {
    /// What may stand between two events; `begun`: the client has had something of the stream.
    pub fn keep_alive(self, begun: bool) -> KeepAlive {
        match self {
            Grammar::OpenaiChat
            | Grammar::OpenaiCompletions
            | Grammar::OpenaiResponses
            | Grammar::Unknown => KeepAlive::Comment,
            // Before its beginning a message has no events, not even this one.
            Grammar::AnthropicMessages if !begun => KeepAlive::Comment,
            Grammar::AnthropicMessages => KeepAlive::Ping,
            Grammar::GeminiGenerate => KeepAlive::BlankLine,
        }
    }
}
