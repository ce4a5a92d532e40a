//! A request made one that its vendor takes, before it is written in the vendor's dialect.
//!
//! Each step changes the request in place, and tells what is lost by the client's paths. What an answer has to have changed
//! back is in [`Undo`].

use crate::{
    ClientDialect, Dialect, Encoded, Fault, Form, Request, Undo, arguments, custom_tool, hosted_tool, rules,
    tool_schema,
};

/// Top-level fields by which vendors of several dialects mean different things, with the dialects that have them. A client of
/// any other dialect means the vendor whom it asks.
///
/// Sources: <https://platform.claude.com/docs/en/build-with-claude/context-editing>,
/// <https://platform.openai.com/docs/guides/compaction>.
const HOMONYMS: [(&str, &[Dialect]); 1] =
    [("context_management", &[Dialect::AnthropicMessages, Dialect::OpenaiResponses])];

/// What was done to a request.
#[derive(Debug)]
pub(crate) struct Settled {
    tools: hosted_tool::Replaced,
    /// Paths of what schemas of tools said and no longer say, and of what the model refuses.
    dropped: Vec<String>,
    undo: Undo,
}

/// Changes a request so that this upstream can take it.
///
/// # Errors
/// 400 for what the upstream has nothing like, naming its place.
pub(crate) fn settle(request: &mut Request, upstream: Dialect, form: &Form) -> Result<Settled, Fault> {
    if matches!(upstream, Dialect::AnthropicMessages | Dialect::GeminiGenerate) {
        arguments::check(request)?;
    }
    let mut undo = Undo::default();
    if !upstream.has_custom_tools() || upstream == Dialect::OpenaiChat && !form.takes("custom_tools") {
        custom_tool::replace(request, &mut undo);
    }
    let mut dropped = tool_schema::settle(request, upstream, &mut undo);
    let mut tools = hosted_tool::replace(request, upstream)?;
    dropped.extend(rules::settle(request, upstream, &mut tools));
    leave_homonyms(request, upstream, &mut dropped);
    Ok(Settled { tools, dropped, undo })
}

/// Leaves out what the client's vendor calls by the name of something else of the upstream's.
fn leave_homonyms(request: &mut Request, upstream: Dialect, dropped: &mut Vec<String>) {
    let Some(client) = request.client.map(ClientDialect::dialect).filter(|client| *client != upstream) else {
        return;
    };
    let means_another = |name: &str| {
        let meant = HOMONYMS.iter().find(|(known, _)| *known == name);
        meant.is_some_and(|(_, by)| by.contains(&client) && by.contains(&upstream))
    };
    request.extra.retain(|(name, value)| {
        let is_left = means_another(name);
        if is_left && value.as_str() != "null" {
            dropped.push(name.clone());
        }
        !is_left
    });
}

impl Settled {
    /// Tells what was lost, and what has to be undone in the answer.
    pub(crate) fn report(self, encoded: &mut Encoded) {
        self.tools.report(encoded);
        encoded.dropped.extend(self.dropped);
        encoded.undo = self.undo;
    }
}
