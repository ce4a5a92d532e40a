//! Which conversation, or which run of an agent, a request is part of, as far as its sender says.

use std::borrow::Cow;

use http::HeaderMap;
use ostia_dialect::Api;
use ostia_dialect::json::Document;
use ostia_providers::prepare::ApiCall;

/// Headers in which agents name their run, the first that is there counts: Claude Code
/// (<https://code.claude.com/docs/en/llm-gateway>), and Codex by its newer and its older name
/// (<https://github.com/openai/codex>, `build_conversation_headers`).
const AGENTS: [&str; 3] = ["x-claude-code-session-id", "session-id", "session_id"];
/// Fields of metadata that name it.
pub const METADATA: [&str; 2] = ["session_id", "_session"];
/// Longest name that is kept, in bytes. One that is longer is none: cut, it might be another's.
const NAME_BYTES_MAX: usize = 200;
/// What Claude Code writes before the run in `metadata.user_id`.
const MARK: &str = "_session_";

/// What an agent's headers say.
pub fn of_headers(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| named(headers.get(name)?.to_str().ok()?);
    AGENTS.into_iter().find_map(text)
}

/// What the body of a call says: Claude Code names its run in the user's id, as JSON or behind a mark
/// (<https://platform.claude.com/docs/en/api/messages>, `metadata.user_id`).
pub fn of_call(call: &ApiCall<'_>) -> Option<String> {
    if call.api != Api::AnthropicMessages {
        return None;
    }
    let metadata = Document::parse(call.document.root().get("metadata")?.text().as_bytes()).ok()?;
    of_user(&metadata.root().str("user_id")?).map(Cow::into_owned)
}

fn of_user(user_id: &str) -> Option<Cow<'_, str>> {
    if user_id.starts_with('{') {
        let fields = Document::parse(user_id.as_bytes()).ok()?;
        let session = fields.root().str("session_id")?.into_owned();
        return named(&session).is_some().then_some(session.into());
    }
    let (_, session) = user_id.rsplit_once(MARK)?;
    named(session).map(Cow::Borrowed)
}

/// A name, if it can be one.
pub fn named(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_name = !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
    is_name.then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn agents_name_their_runs() {
        let check = |fields: &[(&'static str, &'static str)], expected: Option<&str>| {
            let headers: HeaderMap =
                fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(of_headers(&headers), expected, "{fields:?}");
        };
        check(&[], None);
        check(&[("session_id", "a")], Some("a"));
        check(&[("session_id", "a"), ("session-id", "b")], Some("b"));
        check(&[("x-claude-code-session-id", "c"), ("session-id", "b")], Some("c"));
        check(&[("x-claude-code-session-id", " "), ("session-id", "b")], Some("b"));
    }

    #[test]
    fn users_that_name_their_run() {
        let check = |user_id: &str, expected: Option<&str>| {
            assert_eq!(of_user(user_id).as_deref(), expected, "{user_id}")
        };
        let run = "57a121ec-f78c-48c3-a745-e3036a3ecc33";
        check(&format!("user_0a1b_account__session_{run}"), Some(run));
        check(&format!(r#"{{"device_id":"d","account_uuid":"","session_id":"{run}"}}"#), Some(run));
        check("user_0a1b", None);
        check("user_session_", None);
        check("{", None);
        check(r#"{"session_id":7}"#, None);
        check(&format!("_session_{}", "x".repeat(NAME_BYTES_MAX + 1)), None);
    }
}
