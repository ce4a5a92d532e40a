//! The arguments of calls: an object, as JSON text.
//!
//! A call without arguments has none or an empty text at many servers, and clients and vendors parse it: it is `{}`
//! (langchain-ai/langchain#37025, strands-agents/harness-sdk#270). Arguments that were cut off (the token limit, a
//! broken stream) come back with the history. Vendors and servers that want an object refuse them, and the session could
//! never go on (vllm-project/vllm#43995, router-for-me/CLIProxyAPI#2001): they are put into an object in the form that
//! Anthropic gives for it, <https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming>.

use std::borrow::Cow;

use crate::json::Document;
use crate::{Content, Fault, Request, Tool, ToolKind};

/// What stands before and behind a text that is no object.
pub(crate) const WRAPPED_START: &str = "{\"INVALID_JSON\":\"";
pub(crate) const WRAPPED_END: &str = "\"}";

/// The arguments as an object. What is none is a text in one, so that nothing is lost.
pub(crate) fn object(arguments: &str) -> Cow<'_, str> {
    let wrapped = || format!("{WRAPPED_START}{}{WRAPPED_END}", escaped(arguments.trim_start()));
    whole_object(arguments).map_or_else(|| Cow::Owned(wrapped()), Cow::Borrowed)
}

/// The arguments, if they are an object, or say nothing.
pub(crate) fn whole_object(arguments: &str) -> Option<&str> {
    match arguments.trim() {
        "" | "null" => Some("{}"),
        text if text.starts_with('{') && Document::parse_to(text.as_bytes(), 0).is_ok() => Some(text),
        _ => None,
    }
}

/// Checks the calls of a conversation, for vendors that take nothing but objects. A model that has the tool sees what was
/// wrong with the arguments and calls it again; of a tool that the request does not offer they mean nothing.
///
/// # Errors
/// 400 that names the arguments, where they are no object and the tool is not offered.
pub(crate) fn check(request: &Request) -> Result<(), Fault> {
    let offers = |wanted: &str| {
        request.tools.iter().any(|tool| match tool {
            Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name, .. } => {
                name == wanted
            }
        })
    };
    for (at, message) in request.messages.iter().enumerate() {
        let calls = message.blocks.iter().filter_map(|block| match &block.content {
            Content::ToolCall { name, arguments, kind, .. } => Some((name, arguments, *kind)),
            _ => None,
        });
        for (number, (name, arguments, kind)) in calls.enumerate() {
            if kind == ToolKind::Function && !offers(name) && whole_object(arguments).is_none() {
                let path = format!("messages[{at}].tool_calls[{number}].function.arguments");
                let what = "must hold a JSON object, because no tool of this name is offered that could be called again";
                return Err(Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path));
            }
        }
    }
    Ok(())
}

/// The text as it stands inside a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// Follows arguments that come in pieces, without keeping them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    begins: Option<u8>,
    depth: u32,
    in_string: bool,
    is_escaped: bool,
}

impl Progress {
    /// Takes the next piece.
    pub(crate) fn take(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if self.is_escaped {
                self.is_escaped = false;
                continue;
            }
            match byte {
                b'\\' if self.in_string => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string || byte.is_ascii_whitespace() => continue,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.begins.get_or_insert(byte);
        }
    }

    /// Nothing has come but white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.begins.is_none()
    }

    /// An object has begun and has not been closed.
    pub(crate) fn is_cut(&self) -> bool {
        self.begins == Some(b'{') && !self.is_whole()
    }

    /// An object has begun and has been closed: nothing more can come. A number or a free text may always go on.
    pub(crate) fn is_whole(&self) -> bool {
        self.begins == Some(b'{') && self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object() {
        for (arguments, expected) in [
            ("", "{}"),
            (" \n", "{}"),
            (" null ", "{}"),
            ("{}", "{}"),
            (" {\"a\": 1} ", "{\"a\": 1}"),
            ("{\"a\": \"b", r#"{"INVALID_JSON":"{\"a\": \"b"}"#),
            ("{} {}", r#"{"INVALID_JSON":"{} {}"}"#),
            ("[1]", r#"{"INVALID_JSON":"[1]"}"#),
            ("say \u{1f600}\n", r#"{"INVALID_JSON":"say 😀\n"}"#),
        ] {
            assert_eq!(object(arguments), expected);
            assert!(Document::parse(object(arguments).as_bytes()).is_ok_and(|json| json.root().is_object()));
        }
    }

    #[test]
    fn the_end_of_an_object_is_known_wherever_it_is_cut() {
        for (text, blank, whole) in [
            ("", true, false),
            (" \n", true, false),
            ("{}", false, true),
            ("{\"a\":{\"b\":[1,{}]}} ", false, true),
            ("{\"a\":{\"b\":1}", false, false),
            ("{\"}\\\"}", false, false),
            ("{\"}\\\"}\\\\\"}", false, true),
            ("1", false, false),
            ("[1]", false, false),
            ("\"{}\"", false, false),
        ] {
            for cut in 0..=text.len() {
                let mut progress = Progress::default();
                progress.take(&text[..cut]);
                progress.take(&text[cut..]);
                assert_eq!((progress.is_blank(), progress.is_whole()), (blank, whole), "{text} cut at {cut}");
            }
        }
    }
}
