//! A request made one that its vendor takes, before it is written in the vendor's dialect.
//!
//! Each step changes the request in place, and tells what is lost by the client's paths. What an answer has to have changed
//! back is in [`Undo`].

use crate::{Dialect, Encoded, Fault, Request, Undo, custom_tool, hosted_tool, tool_schema};

/// What was done to a request.
#[derive(Debug)]
pub(crate) struct Settled {
    tools: hosted_tool::Replaced,
    /// Paths of what schemas of tools said and no longer say.
    schemas: Vec<String>,
    undo: Undo,
}

/// Changes a request so that this upstream can take it.
///
/// # Errors
/// 400 for what the upstream has nothing like, naming its place.
pub(crate) fn settle(request: &mut Request, upstream: Dialect) -> Result<Settled, Fault> {
    let mut undo = Undo::default();
    if !upstream.has_custom_tools() {
        custom_tool::replace(request, &mut undo);
    }
    let schemas = tool_schema::settle(request, upstream, &mut undo);
    let tools = hosted_tool::replace(request, upstream)?;
    Ok(Settled { tools, schemas, undo })
}

impl Settled {
    /// Tells what was lost, and what has to be undone in the answer.
    pub(crate) fn report(self, encoded: &mut Encoded) {
        self.tools.report(encoded);
        encoded.dropped.extend(self.schemas);
        encoded.undo = self.undo;
    }
}
