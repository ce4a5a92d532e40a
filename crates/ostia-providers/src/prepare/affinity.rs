//! Which calls belong together, where a provider is asked with several keys.
//!
//! What a provider keeps (files, answers, containers) belongs to the account of the key that made it, and is not found with
//! another one. Prompt caches are per account too: a conversation whose turns go with different keys pays for its beginning
//! each time. All else is best spread.

use ostia_dialect::json::{Kind, Node};
use ostia_dialect::{Api, Operation};

use super::ApiCall;
use crate::Provider;

/// Whom a call shares its key with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affinity {
    /// With all calls of its caller that refer to what the provider keeps, or make it.
    Caller,
    /// With those of its caller that say this too: the name of a cache, a user or a conversation, or how it began.
    Words(String),
    /// With nobody.
    None,
}

/// Fields by which bodies refer to what the provider keeps.
/// - `file_id`: <https://platform.openai.com/docs/guides/pdf-files>, <https://docs.claude.com/en/docs/build-with-claude/files>
/// - `container`, `container_id`: <https://docs.claude.com/en/docs/agents-and-tools/tool-use/code-execution-tool>
/// - `previous_response_id`, `conversation`, `vector_store_ids`: <https://platform.openai.com/docs/api-reference/responses/create>
/// - `fileUri`, `cachedContent`, in both spellings: <https://ai.google.dev/api/generate-content>
const REFERENCES: [&str; 10] = [
    "\"file_id\"",
    "\"container\"",
    "\"container_id\"",
    "\"previous_response_id\"",
    "\"conversation\"",
    "\"vector_store_ids\"",
    "\"fileUri\"",
    "\"file_uri\"",
    "\"cachedContent\"",
    "\"cached_content\"",
];
/// Fields that say which calls belong together, the closest first.
/// - `prompt_cache_key`, `safety_identifier`, `user`: <https://platform.openai.com/docs/api-reference/chat/create>
/// - `metadata.user_id`: <https://docs.claude.com/en/api/messages>
const NAMES: [&[&str]; 4] =
    [&["prompt_cache_key"], &["metadata", "user_id"], &["safety_identifier"], &["user"]];
/// Where conversations stand in bodies.
const CONVERSATIONS: [&str; 3] = ["messages", "contents", "input"];
/// As much of the first words of a conversation is looked at, in bytes.
const BEGINNING_BYTES_MAX: usize = 4 << 10;
/// Parts of the first message that are looked at.
const PARTS_MAX: usize = 64;

/// Whom a call to this provider shares its key with.
pub fn affinity(call: &ApiCall<'_>, provider: &Provider) -> Affinity {
    if keeps_answer(call, provider) || refers(call) {
        return Affinity::Caller;
    }
    match call.api.operation() {
        Operation::Conversation(_) | Operation::CountTokens(_) => {
            let root = call.whole().unwrap_or(&call.document).root();
            named(&root).or_else(|| beginning(&root)).map_or(Affinity::None, Affinity::Words)
        }
        Operation::Files | Operation::Batches | Operation::FineTunes | Operation::Realtime => {
            Affinity::Caller
        }
        Operation::Completion
        | Operation::Embeddings(_)
        | Operation::Images
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Speech
        | Operation::Transcription
        | Operation::Translation
        | Operation::Moderation(_)
        | Operation::Rerank(_)
        | Operation::Ocr => Affinity::None,
    }
}

/// The provider keeps answers of the Responses API unless it is told not to; those of Chat Completions where it is told to.
fn keeps_answer(call: &ApiCall<'_>, provider: &Provider) -> bool {
    let store = call.document.root().get("store").and_then(|node| node.as_bool());
    match call.api {
        Api::OpenaiResponses => provider.offers(call.api) && store != Some(false),
        _ => store == Some(true),
    }
}

/// Does the body name something that is kept? In the texts of a body quotes are escaped, so only fields are found.
fn refers(call: &ApiCall<'_>) -> bool {
    REFERENCES.iter().any(|field| memchr::memmem::find(call.body, field.as_bytes()).is_some())
}

fn named(root: &Node<'_>) -> Option<String> {
    NAMES.iter().find_map(|steps| {
        let (last, rest) = steps.split_last()?;
        let holder = rest.iter().try_fold(*root, |node, step| node.some(step).filter(Node::is_object))?;
        holder.str(last).filter(|name| !name.is_empty()).map(|name| format!("{last} {name}"))
    })
}

/// The first words of the user: they stay the same from turn to turn, while marks for caches beside them move.
fn beginning(root: &Node<'_>) -> Option<String> {
    let conversation = CONVERSATIONS.iter().find_map(|name| root.some(name))?;
    let mut words = String::new();
    if conversation.is_string() {
        add(&conversation, &mut words);
        return Some(words);
    }
    let is_users = |node: &Node<'_>| node.str("role").is_none_or(|role| role == "user");
    let first = conversation.items().find(is_users)?;
    let content = first.some("content").or_else(|| first.some("parts"))?;
    match content.kind() {
        Kind::String => add(&content, &mut words),
        Kind::Array => {
            let texts = content.items().take(PARTS_MAX).filter_map(|part| part.get("text"));
            texts.filter(Node::is_string).for_each(|text| add(&text, &mut words));
        }
        Kind::Null | Kind::Bool | Kind::Number | Kind::Object => {}
    }
    (!words.is_empty()).then_some(words)
}

fn add(text: &Node<'_>, words: &mut String) {
    let text = text.as_str().unwrap_or_default();
    let left = BEGINNING_BYTES_MAX.saturating_sub(words.len());
    words.push_str(&text[..text.floor_char_boundary(left)]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;

    use super::*;
    use crate::Providers;

    fn check(api: Api, provider: &str, body: &str, expected: &Affinity) {
        let bytes = Bytes::from(body.to_owned());
        let provider = Providers::builtin().get(provider).unwrap();
        // As deep as it is read where it is relayed, and whole.
        for depth in [1, usize::MAX] {
            let call = ApiCall::read(api, None, "", &bytes, depth).unwrap();
            assert_eq!(affinity(&call, provider), *expected, "{body} to depth {depth}");
        }
    }

    #[test]
    fn what_the_provider_keeps_is_the_callers() {
        use Api::{AnthropicMessages, OpenaiChat, OpenaiFiles, OpenaiResponses};
        let words = |words: &str| Affinity::Words(words.to_owned());
        for (api, provider, body, expected) in [
            (OpenaiResponses, "openai", r#"{"input":"x"}"#, Affinity::Caller),
            (OpenaiResponses, "openai", r#"{"input":"x","store":true}"#, Affinity::Caller),
            (OpenaiResponses, "openai", r#"{"input":"x","store":false}"#, words("x")),
            (
                OpenaiResponses,
                "openai",
                r#"{"store":false,"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}]}"#,
                words("x"),
            ),
            // The gateway remembers for it.
            (OpenaiResponses, "anthropic", r#"{"input":"x"}"#, words("x")),
            (
                OpenaiChat,
                "openai",
                r#"{"messages":[{"role":"user","content":"x"}],"store":true}"#,
                Affinity::Caller,
            ),
            (
                OpenaiChat,
                "openai",
                r#"{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#,
                Affinity::Caller,
            ),
            (
                AnthropicMessages,
                "anthropic",
                r#"{"container":"c","messages":[{"role":"user","content":"x"}]}"#,
                Affinity::Caller,
            ),
            (OpenaiFiles, "openai", "{}", Affinity::Caller),
            // Said in a text it is no field.
            (
                OpenaiChat,
                "openai",
                r#"{"messages":[{"role":"user","content":"the \"file_id\" is"}]}"#,
                words("the \"file_id\" is"),
            ),
        ] {
            check(api, provider, body, &expected);
        }
    }

    #[test]
    fn conversations_stay_together_and_all_else_is_spread() {
        use Api::{AnthropicMessages, GeminiGenerate, OpenaiChat, OpenaiEmbeddings};
        let words = |words: &str| Affinity::Words(words.to_owned());
        for (api, body, expected) in [
            (OpenaiChat, r#"{"prompt_cache_key":"k","user":"u","messages":[]}"#, words("prompt_cache_key k")),
            (
                OpenaiChat,
                r#"{"user":"u","safety_identifier":"s","messages":[]}"#,
                words("safety_identifier s"),
            ),
            (OpenaiChat, r#"{"user":"u","messages":[{"role":"user","content":"x"}]}"#, words("user u")),
            (OpenaiChat, r#"{"user":"","messages":[{"role":"user","content":"x"}]}"#, words("x")),
            (
                AnthropicMessages,
                r#"{"metadata":{"user_id":"u_session_s"},"messages":[]}"#,
                words("user_id u_session_s"),
            ),
            (
                AnthropicMessages,
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{}},{"type":"image"},
                    {"type":"text","text":"b"}]},{"role":"assistant","content":"c"},{"role":"user","content":"d"}]}"#,
                words("ab"),
            ),
            (
                OpenaiChat,
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"ab"}]}"#,
                words("ab"),
            ),
            (GeminiGenerate, r#"{"contents":[{"parts":[{"text":"ab"}]}]}"#, words("ab")),
            (
                OpenaiChat,
                r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
                Affinity::None,
            ),
            (OpenaiChat, r#"{"messages":[]}"#, Affinity::None),
            (OpenaiChat, r#"{"messages":{"a":1}}"#, Affinity::None),
            (OpenaiChat, r#"{"messages":[1,null]}"#, Affinity::None),
            (OpenaiEmbeddings, r#"{"input":"x","user":"u"}"#, Affinity::None),
        ] {
            check(api, "openai", body, &expected);
        }
    }

    #[test]
    fn no_more_than_the_beginning_is_looked_at() {
        let long = "ü".repeat(BEGINNING_BYTES_MAX);
        let body = |end: &str| format!(r#"{{"messages":[{{"role":"user","content":"a{long}{end}"}}]}}"#);
        let begins = Affinity::Words(format!("a{}", "ü".repeat((BEGINNING_BYTES_MAX - 1) / 2)));
        check(Api::OpenaiChat, "openai", &body("x"), &begins);
        check(Api::OpenaiChat, "openai", &body("y"), &begins);
    }
}
