//! A request made one that its vendor takes, before it is written in the vendor's dialect.
//!
//! Each step changes the request in place, and tells what is lost by the client's paths. What an answer has to have changed
//! back is in [`Undo`].

use crate::{Dialect, Encoded, Fault, Form, Request, Undo, custom_tool, hosted_tool, rules, tool_schema};

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
    let mut undo = Undo::default();
    if !upstream.has_custom_tools() || upstream == Dialect::OpenaiChat && !form.takes("custom_tools") {
        custom_tool::replace(request, &mut undo);
    }
    let mut dropped = tool_schema::settle(request, upstream, &mut undo);
    let mut tools = hosted_tool::replace(request, upstream)?;
    dropped.extend(rules::settle(request, upstream, &mut tools));
    Ok(Settled { tools, dropped, undo })
}

impl Settled {
    /// Tells what was lost, and what has to be undone in the answer.
    pub(crate) fn report(self, encoded: &mut Encoded) {
        self.tools.report(encoded);
        encoded.dropped.extend(self.dropped);
        encoded.undo = self.undo;
    }
}
