//! The canonical answer to the client's Response object.

#[cfg(test)]
mod tests;

use crate::chat::openai_responses::response::object::{self, Object, status};
use crate::chat::openai_responses::response::output::{COMPLETED, Events, Output};
use crate::{Choice, Fault, RenderOptions, Response};

/// The id of an answer under these options: `resp_{id_suffix}`.
pub fn id(options: &RenderOptions) -> String {
    object::id(options)
}

/// The whole Response object. The API gives one answer: of several it is the one of number 0.
pub fn encode(response: &Response, options: &RenderOptions) -> Vec<u8> {
    let mut output = Output::new(&options.id_suffix);
    let choice = response.choices.iter().find(|choice| choice.index == 0);
    let (status, incomplete) = choice.map_or((COMPLETED, None), |choice| said(choice, &mut output));
    let own = choice.map_or(&[][..], |choice| &choice.extra);
    let more = response.extra.iter().filter(|(name, _)| own.iter().all(|(known, _)| known != name));
    let object = Object {
        status,
        incomplete,
        fault: None,
        created: response.created,
        model: &response.model,
        output: output.items(),
        usage: response.usage.as_ref(),
        service_tier: response.service_tier.as_deref(),
        extra: own.iter().chain(more).collect(),
    };
    object.encode(options)
}

/// Makes the items of an answer; gives its state.
fn said(choice: &Choice, output: &mut Output) -> (&'static str, Option<&'static str>) {
    let events = &mut Events::untold();
    if let Some(logprobs) = &choice.logprobs {
        output.logprobs(logprobs, events);
    }
    for block in &choice.blocks {
        output.begin(block, events);
        output.end(events);
    }
    let (status, incomplete) = status(choice.finish, output.refused());
    output.close(status, events);
    (status, incomplete)
}

/// The Response object of an answer that is not there (yet): `queued`, `in_progress`, `cancelled`.
pub fn pending(options: &RenderOptions, status: &str) -> Vec<u8> {
    Object { status, ..Object::default() }.encode(options)
}

/// The Response object of an answer that failed.
pub fn failed(fault: &Fault, options: &RenderOptions) -> Vec<u8> {
    Object { status: "failed", fault: Some(fault), ..Object::default() }.encode(options)
}
