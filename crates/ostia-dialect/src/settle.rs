//! A request made one that its vendor takes, before it is written in the vendor's dialect.
//!
//! Each step changes the request in place, and tells what is lost by the client's paths. What an answer has to have changed
//! back is in [`Undo`].

use crate::limits::{self, Limits};
use crate::{Dialect, Encoded, Fault, Form, Request, Undo, custom_tool, hosted_tool};

/// What was done to a request.
#[derive(Debug)]
pub(crate) struct Settled {
    tools: hosted_tool::Replaced,
    undo: Undo,
    /// Paths of what the vendor does not take.
    dropped: Vec<String>,
}

/// Changes a request so that this upstream can take it.
///
/// # Errors
/// 400 for what the upstream has nothing like, naming its place.
pub(crate) fn settle(request: &mut Request, upstream: Dialect, form: &Form) -> Result<Settled, Fault> {
    let mut undo = Undo::default();
    if !upstream.has_custom_tools() {
        custom_tool::replace(request, &mut undo);
    }
    let tools = hosted_tool::replace(request, upstream)?;
    let limits = limits_of(upstream, form);
    let mut dropped = Vec::new();
    limits::fit(request, &limits, &mut undo, &mut dropped)?;
    Ok(Settled { tools, undo, dropped })
}

/// What a row says of limits is about the formats of OpenAI.
fn limits_of(upstream: Dialect, form: &Form) -> Limits {
    let limits = Limits::of(upstream);
    match upstream {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => limits.but(&form.limits),
        Dialect::AnthropicMessages | Dialect::GeminiGenerate | Dialect::CohereChat => limits,
    }
}

impl Settled {
    /// Tells what was lost, and what has to be undone in the answer.
    pub(crate) fn report(self, encoded: &mut Encoded) {
        let told = std::mem::replace(&mut encoded.dropped, self.dropped);
        for path in told {
            if !encoded.dropped.contains(&path) {
                encoded.dropped.push(path);
            }
        }
        self.tools.report(encoded);
        encoded.undo = self.undo;
    }
}
