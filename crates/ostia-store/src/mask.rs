//! Secrets in texts that are kept: what looks like a key, and what the operator lists.

use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Beginnings of keys, and the shortest text behind one that is taken for a key.
const PREFIXES: [&str; 11] =
    ["sk-", "sk_", "pk-", "rk-", "gsk_", "xai-", "AIza", "AKIA", "ghp_", "eyJ", "Bearer "];
const KEY_BYTES_MIN: usize = 12;

/// The same text without what looks like a key.
///
/// ```
/// assert_eq!(ostia_store::mask_text("Incorrect key: sk-proj-0123456789abcdef."), "Incorrect key: ***.");
/// ```
pub fn mask_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) = first_prefix(rest) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '=');
        let behind = &rest[at + prefix.len()..];
        let length = behind.find(|c| !is_part(c)).unwrap_or(behind.len());
        // The end of a sentence is no part of a key.
        let length = behind[..length].trim_end_matches('.').len();
        let begins_word = rest[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
        let is_key = begins_word && length >= KEY_BYTES_MIN;
        out.push_str(&rest[..at]);
        out.push_str(if is_key { MASK } else { prefix });
        rest = if is_key { &behind[length..] } else { behind };
    }
    out.push_str(rest);
    out
}

fn first_prefix(text: &str) -> Option<(usize, &'static str)> {
    PREFIXES.iter().filter_map(|prefix| Some((text.find(prefix)?, *prefix))).min_by_key(|(at, _)| *at)
}

/// Puts the mask in the place of these fields of a JSON body: `user`, `messages.*.content`. A body that is no JSON, because
/// it was cut or is something else, cannot be searched: none of it is kept then.
pub(crate) fn mask_fields(body: &[u8], paths: &[String]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        mask_at(&mut value, &steps);
    }
    serde_json::to_vec(&value).ok()
}

fn mask_at(value: &mut Value, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else {
        *value = MASK.into();
        return;
    };
    match value {
        Value::Object(fields) if *step == "*" => fields.values_mut().for_each(|value| mask_at(value, rest)),
        Value::Object(fields) => {
            if let Some(value) = fields.get_mut(*step) {
                mask_at(value, rest);
            }
        }
        Value::Array(items) if *step == "*" => items.iter_mut().for_each(|value| mask_at(value, rest)),
        Value::Array(items) => {
            let at = step.parse().ok().filter(|at| *at < items.len());
            if let Some(at) = at {
                let at: usize = at;
                mask_at(&mut items[at], rest);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_texts() {
        let check = |text: &str, expected: &str| assert_eq!(mask_text(text), expected, "{text}");
        check("no key", "no key");
        check("Bearer abcdefghijklmnop", "***");
        check("use sk-ant-api03-abcdefghijkl, not x", "use ***, not x");
        check("risk-free-sk-short", "risk-free-sk-short");
        check("task-abcdefghijklmnopq", "task-abcdefghijklmnopq");
        check("AIzaSyA0123456789 and AKIA0123456789AB", "*** and ***");
        check("sk-0123456789ab.", "***.");
    }

    #[test]
    fn fields_of_bodies() {
        let check = |paths: &[&str], expected: Option<&str>| {
            let body = br#"{"user":"u","messages":[{"content":"a"},{"content":"b"}]}"#;
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let masked = mask_fields(body, &paths).map(|body| String::from_utf8(body).unwrap());
            assert_eq!(masked.as_deref(), expected, "{paths:?}");
        };
        check(&["user"], Some(r#"{"user":"***","messages":[{"content":"a"},{"content":"b"}]}"#));
        check(
            &["messages.*.content"],
            Some(r#"{"user":"u","messages":[{"content":"***"},{"content":"***"}]}"#),
        );
        check(&["messages.1"], Some(r#"{"user":"u","messages":[{"content":"a"},"***"]}"#));
        check(
            &["messages.9", "no.such"],
            Some(r#"{"user":"u","messages":[{"content":"a"},{"content":"b"}]}"#),
        );
        assert_eq!(mask_fields(b"{\"cut", &["user".to_owned()]), None);
    }
}
