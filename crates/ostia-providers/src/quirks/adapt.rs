//! A relayed request in the provider's own spellings.

use std::borrow::Cow;
use std::ops::Range;

use ostia_dialect::json::{Document, Json, Node};
use ostia_dialect::limits::Spelling;
use ostia_dialect::relay::{Patch, Splice};
use ostia_dialect::{Api, Fault};

use super::{MaxTokens, Quirks};

mod text_content;

/// Edits a request in OpenAI's format so that a provider with these quirks takes it. `document` records at least the
/// fields of the body. Gives the paths of what had to be left out. `foreign_ids`: the conversation may have been led at
/// another provider, so ids of calls that this one does not take become others.
///
/// # Errors
/// Only for a body that is no object.
pub fn adapt(
    quirks: &Quirks,
    api: Api,
    document: &Document<'_>,
    foreign_ids: bool,
    splice: &mut Splice<'_>,
) -> Result<Vec<String>, Fault> {
    let mut dropped = Vec::new();
    let chat = api == Api::OpenaiChat;
    if let (true, Some(wanted)) = (chat, quirks.max_tokens) {
        let other = match wanted {
            MaxTokens::MaxTokens => MaxTokens::MaxCompletionTokens,
            MaxTokens::MaxCompletionTokens => MaxTokens::MaxTokens,
        };
        rename(splice, other.name(), wanted.name());
    }
    for (ours, theirs) in &quirks.rename {
        rename(splice, ours, theirs);
    }
    for (ours, theirs) in &quirks.rename_words {
        if document.root().some(ours).is_some_and(|value| value.is_string()) {
            rename(splice, ours, theirs);
        }
    }
    if chat {
        for field in quirks.drop.iter().filter(|field| !field.contains('.')) {
            if splice.has(field) {
                splice.remove(field);
                dropped.push(field.clone());
            }
        }
        if let Some(messages) = document.root().some("messages") {
            adapt_messages(quirks, messages.text(), foreign_ids, splice, &mut dropped)?;
        }
    }
    Ok(dropped)
}

/// The vendor's own name stays where both are given.
fn rename(splice: &mut Splice<'_>, from: &str, to: &str) {
    if splice.has(to) {
        splice.remove(from);
    } else {
        splice.rename(from, to);
    }
}

fn adapt_messages(
    quirks: &Quirks,
    text: &str,
    foreign_ids: bool,
    splice: &mut Splice<'_>,
    dropped: &mut Vec<String>,
) -> Result<(), Fault> {
    let unwanted: Vec<&str> =
        quirks.drop.iter().filter_map(|field| field.strip_prefix("messages[].")).collect();
    let developer = quirks.system_role.is_some() && text.contains("\"developer\"");
    let named = unwanted.iter().any(|field| text.contains(&format!("\"{field}\"")));
    let ids = quirks.limits.overrides().tool_ids.filter(|_| foreign_ids && text.contains("\"tool_call"));
    if !developer && !named && !quirks.text_content && ids.is_none() {
        return Ok(());
    }
    // A call, and a part of a content, stands in a list of a message.
    let depth = if ids.is_some() || quirks.text_content { 4 } else { 2 };
    let Ok(document) = Document::parse_to(text.as_bytes(), depth) else { return Ok(()) };
    let ids = ids.map(|spelling| respelled(&spelling, document.root())).unwrap_or_default();
    let texts = if quirks.text_content { text_content::edits(document.root()) } else { Vec::new() };
    let mut patch = Patch::new(text);
    texts.iter().for_each(|(range, text)| patch.replace(range.clone(), text));
    ids.iter().for_each(|(range, id)| patch.replace(range.clone(), id));
    for (index, message) in document.root().items().enumerate() {
        for (name, value) in message.fields() {
            if unwanted.contains(&name.as_ref()) {
                dropped.push(format!("messages[{index}].{name}"));
            } else if developer && name == "role" && value.as_str().as_deref() == Some("developer") {
                patch.replace(value.range(), "\"system\"");
            }
        }
        let is_unwanted =
            |name: Node<'_>| name.as_str().is_some_and(|name| unwanted.contains(&name.as_ref()));
        let fields = message.entries();
        patch.cut(fields.map(|(name, value)| (name.range().start..value.range().end, is_unwanted(name))));
    }
    if let Cow::Owned(messages) = patch.finish() {
        splice.set("messages", Json::build(|w| w.raw(&messages)));
    }
    Ok(())
}

/// The ids of calls that the vendor does not take, where they stand, and as it takes them. One that is there twice stays
/// so: the vendors with ids of their own join calls and results turn by turn.
fn respelled(spelling: &Spelling, messages: Node<'_>) -> Vec<(Range<usize>, String)> {
    let ids = messages.items().flat_map(|message| {
        let calls = message.some("tool_calls").into_iter().flat_map(|calls| calls.items());
        calls.filter_map(|call| call.some("id")).chain(message.some("tool_call_id"))
    });
    let others = ids.filter_map(|node| {
        let id = node.as_str().filter(|id| !spelling.takes(id))?;
        Some((node.range(), format!("\"{}\"", spelling.respelled(&id, 0))))
    });
    others.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SystemRole;
    use std::collections::BTreeMap;

    fn check(quirks: &Quirks, body: &str, expected: &str, expected_dropped: &[&str]) {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        let mut splice = Splice::new(&document).unwrap();
        let dropped = adapt(quirks, Api::OpenaiChat, &document, true, &mut splice).unwrap();
        assert_eq!(String::from_utf8(splice.finish()).unwrap(), expected);
        assert_eq!(dropped, expected_dropped);
    }

    #[test]
    fn ids_of_calls() {
        let quirks: Quirks =
            serde_saphyr::from_str("{limits: {tool_ids: {characters: alphanumeric, chars: [9, 9]}}}")
                .unwrap();
        let body = |first: &str, second: &str| {
            format!(
                r#"{{"messages":[{{"role":"assistant","tool_calls":[{{"id":"{first}","function":{{"name":"f"}}}},{{"id":"{second}"}}]}},{{"role":"tool","tool_call_id":"{first}","content":"call_1"}}]}}"#
            )
        };
        check(&quirks, &body("D681PevKs", "000000000"), &body("D681PevKs", "000000000"), &[]);
        check(&quirks, &body("call_1", "000000000"), &body("l36AvP7KQ", "000000000"), &[]);
        let deep = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"\"tool_calls\""}]}]}"#;
        check(&quirks, deep, deep, &[]);
    }

    #[test]
    fn contents_that_are_texts() {
        let quirks: Quirks = serde_saphyr::from_str("{text_content: true, system_role: system}").unwrap();
        let case = |message: &str, expected: &str| {
            let body =
                |message: &str| format!(r#"{{"messages":[{message},{{"role":"user","content":"z"}}]}}"#);
            check(&quirks, &body(message), &body(expected), &[]);
        };
        case(r#"{"role":"user","content":"a"}"#, r#"{"role":"user","content":"a"}"#);
        case(
            r#"{"role":"developer","content":[{"type":"text","text":"a\"b"},{"type":"text","text":"c"}]}"#,
            r#"{"role":"system","content":"a\"b\nc"}"#,
        );
        case(
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c"}]}"#,
            r#"{"role":"assistant","content":"","tool_calls":[{"id":"c"}]}"#,
        );
        case(
            r#"{"role":"assistant","tool_calls":[{"id":"c"}]}"#,
            r#"{"role":"assistant","content":"","tool_calls":[{"id":"c"}]}"#,
        );
        case(r#"{"role":"tool","content":[]}"#, r#"{"role":"tool","content":""}"#);
        // What is no text stays: models that see take lists.
        let seen = r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:,"}}]}"#;
        case(seen, seen);
    }

    #[test]
    fn spellings() {
        let quirks = Quirks {
            max_tokens: Some(MaxTokens::MaxTokens),
            system_role: Some(SystemRole::System),
            rename: BTreeMap::from([("seed".into(), "random_seed".into())]),
            drop: vec!["logit_bias".into(), "messages[].name".into()],
            ..Quirks::default()
        };
        check(&quirks, r#"{"model": "m", "x": [1]}"#, r#"{"model": "m", "x": [1]}"#, &[]);
        check(&quirks, r#"{"max_completion_tokens":5,"seed":1}"#, r#"{"max_tokens":5,"random_seed":1}"#, &[]);
        check(&quirks, r#"{"max_completion_tokens":5,"max_tokens":6}"#, r#"{"max_tokens":6}"#, &[]);
        let words = BTreeMap::from([("tool_choice".into(), "tool_choice_option".into())]);
        let words = Quirks { rename_words: words, ..Quirks::default() };
        check(&words, r#"{"tool_choice":"auto"}"#, r#"{"tool_choice_option":"auto"}"#, &[]);
        check(
            &words,
            r#"{"tool_choice":{"type":"function"}}"#,
            r#"{"tool_choice":{"type":"function"}}"#,
            &[],
        );
        check(&quirks, r#"{"logit_bias":{},"n":1}"#, r#"{"n":1}"#, &["logit_bias"]);
        check(
            &quirks,
            r#"{"messages":[{"role":"developer","content":"\"developer\""},{"role":"user","name":"n","z":1}]}"#,
            r#"{"messages":[{"role":"system","content":"\"developer\""},{"role":"user","z":1}]}"#,
            &["messages[1].name"],
        );
        check(
            &quirks,
            r#"{"messages":[{"role":"user","content":"a \"developer\""}]}"#,
            r#"{"messages":[{"role":"user","content":"a \"developer\""}]}"#,
            &[],
        );
    }
}
