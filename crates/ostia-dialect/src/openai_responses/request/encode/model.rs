//! What differs between the models that speak this dialect.

/// Families of models that do not think. Asking one for its encrypted thoughts is an error ("Encrypted content is not
/// supported with this model"): <https://github.com/microsoft/agent-framework/issues/7483>.
const THOUGHTLESS: &[&str] = &["gpt-3.5", "gpt-4", "gpt-5-chat", "chatgpt-"];

/// May the model have thoughts of its own? Those that we do not know are taken for thinkers.
pub(super) fn thinks(id: &str) -> bool {
    let name = name(id);
    !THOUGHTLESS.iter().any(|family| name.starts_with(family))
}

/// The least effort that the model takes, in place of no thinking at all: from 5.1 on there is `none`.
/// <https://platform.openai.com/docs/guides/reasoning>. `None` where we do not know.
pub(super) fn least_effort(id: &str) -> Option<&'static str> {
    let name = name(id);
    match name.split('-').collect::<Vec<_>>().as_slice() {
        ["o1" | "o3" | "o4", ..] => Some("low"),
        ["gpt", "5", "pro", ..] => Some("high"),
        ["gpt", "5", "codex", ..] => Some("low"),
        ["gpt", "5", ..] => Some("minimal"),
        ["gpt", version, ..] if version.starts_with("5.") => Some("none"),
        _ => None,
    }
}

/// The name without vendor, tenant and fine-tuning (`openai/gpt-5`, `openai.gpt-5`, `ft:gpt-4.1:acme::x`).
fn name(id: &str) -> &str {
    let id = id.rsplit('/').next().unwrap_or(id);
    let id = id.strip_prefix("ft:").unwrap_or(id);
    id.rsplit_once("openai.").map_or(id, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_their_names() {
        let cases = [
            ("gpt-4o-2024-08-06", false, None),
            ("ft:gpt-4.1-mini:acme::x", false, None),
            ("gpt-3.5-turbo", false, None),
            ("chatgpt-4o-latest", false, None),
            ("gpt-5-chat-latest", false, Some("minimal")),
            ("gpt-5", true, Some("minimal")),
            ("openai/gpt-5-mini", true, Some("minimal")),
            ("gpt-5-pro", true, Some("high")),
            ("openai.gpt-5.6-luna", true, Some("none")),
            ("o4-mini", true, Some("low")),
            ("grok-4.3", true, None),
            ("our-deployment", true, None),
        ];
        for (id, thinks_, effort) in cases {
            assert_eq!((thinks(id), least_effort(id)), (thinks_, effort), "{id}");
        }
    }
}
