//! Two refusals that matter to whoever decides what comes next, and that vendors tell in words of their own: another
//! model may take a conversation that is too long for this one, and what one vendor will not talk about is the client's
//! to hear.

use super::Fault;

/// Words in codes and messages of vendors whose model the conversation does not fit into.
///
/// Sources: OpenAI, Groq and DeepSeek (`context_length_exceeded`, "maximum context length"), Anthropic ("prompt is too
/// long", "exceed context limit"), Google ("exceeds the maximum number of tokens allowed"), Cohere ("too many tokens"), xAI
/// ("maximum prompt length"), Amazon ("Input is too long"), llama.cpp (`exceed_context_size_error`), TGI and Together
/// ("`inputs` tokens + `max_new_tokens` must be").
const TOO_LONG: [&str; 13] = [
    "`inputs` tokens +",
    "available context size",
    "context window",
    "context_length_exceeded",
    "exceed context limit",
    "exceed_context_size",
    "exceeds the maximum number of tokens",
    "input is too long",
    "maximum context length",
    "maximum prompt length",
    "prompt is too long",
    "reduce the length of the messages",
    "too many tokens:",
];

/// Words in codes and messages of vendors that decline because of what is said.
///
/// Sources: OpenAI (`content_policy_violation`, "safety system", "usage policy"), Azure (`content_filter`, "content
/// management policy"), Anthropic ("content filtering policy"), OpenRouter ("flagged", "moderation").
const UNWANTED: [&str; 9] = [
    "content filtering policy",
    "content management policy",
    "content_filter",
    "content_policy",
    "input was flagged",
    "prompt was flagged",
    "requires moderation",
    "safety system",
    "usage policy",
];

impl Fault {
    /// Is the conversation longer than the model takes?
    pub fn is_too_long(&self) -> bool {
        self.says(&TOO_LONG)
    }

    /// Does the vendor decline because of what is said?
    pub fn is_unwanted(&self) -> bool {
        self.says(&UNWANTED)
    }

    fn says(&self, words: &[&str]) -> bool {
        let texts = [self.code.as_deref(), self.vendor_type.as_deref(), Some(self.message.as_str())];
        (400..500).contains(&self.status)
            && texts.into_iter().flatten().any(|text| {
                let text = text.to_ascii_lowercase();
                words.iter().any(|word| text.contains(word))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_answer;

    /// What an error answer means: `long`, `unwanted` or nothing.
    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let fault = from_answer(status, body.as_bytes());
        let meaning = match (fault.is_too_long(), fault.is_unwanted()) {
            (true, false) => "long",
            (false, true) => "unwanted",
            (false, false) => "",
            (true, true) => "both",
        };
        assert_eq!(meaning, expected, "{body}");
    }

    #[test]
    fn vendors_words() {
        check(
            400,
            r#"{"error":{"message":"m","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            "long",
        );
        check(400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#, "long");
        check(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            "long",
        );
        check(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"}}"#,
            "long",
        );
        check(
            400,
            r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
            "long",
        );
        check(
            400,
            r#"{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081"}"#,
            "long",
        );
        check(
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            "long",
        );
        check(400, r#"{"error":{"message":"m","code":"content_policy_violation"}}"#, "unwanted");
        check(
            400,
            r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","code":"content_filter"}}"#,
            "unwanted",
        );
        check(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
            "unwanted",
        );
        check(
            403,
            r#"{"error":{"message":"x requires moderation. Your input was flagged for \"violence\"","code":403}}"#,
            "unwanted",
        );
        check(400, r#"{"error":{"message":"max_tokens is too large"}}"#, "");
        check(429, r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#, "");
        check(500, r#"{"error":{"message":"maximum context length"}}"#, "");
    }
}
