//! The facts about an answer that stand beside its items: how it ended, what it cost, what went wrong.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/responses/object>, and for errors
//! <https://platform.openai.com/docs/api-reference/responses-streaming/response/failed>.

use crate::chat::openai_responses::request::echo;
use crate::chat::openai_responses::{error, usage};
use crate::json::{Json, Node};
use crate::{Event, Fault, Finish, Metered};

/// Fields of a Response object that the hub has a place for, or that only repeat the request, besides those that we
/// repeat ourselves. Everything else goes to the answer's `extra`.
const KNOWN: [&str; 14] = [
    "completed_at",
    "created_at",
    "error",
    "frequency_penalty",
    "id",
    "incomplete_details",
    "model",
    "object",
    "output",
    // The texts of `output` once more, from a few servers.
    "output_text",
    "presence_penalty",
    "prompt_cache_options",
    "status",
    "usage",
];

/// The start of an answer, from the first Response object that is seen.
pub(in crate::chat::openai_responses) fn start(response: Option<Node<'_>>) -> Event {
    let text = |name| response.and_then(|response| response.str(name)).unwrap_or_default().into_owned();
    let created = response.and_then(|response| response.u64("created_at"));
    Event::Start { id: text("id"), model: text("model"), created }
}

/// The end of an answer with this status, from the last Response object. `tools`: those that the vendor ran for its items.
///
/// # Errors
/// The provider's own error for an answer that failed; 502 for one that was put off or called off.
pub(in crate::chat::openai_responses) fn end(
    response: Node<'_>,
    status: &str,
    tools: Metered,
    events: &mut Vec<Event>,
) -> Result<(), Fault> {
    let reason = response.some("incomplete_details").and_then(|details| details.str("reason"));
    let finish = match status {
        "completed" => Finish::Stop,
        "incomplete" => finish(reason.as_deref()),
        "failed" => return Err(error::decode(response)),
        _ => {
            let what =
                format!("The provider gave no whole answer: the status of what it sent is `{status}`.");
            return Err(Fault::upstream(what));
        }
    };
    let native = Some(reason.unwrap_or(status.into()).into_owned());
    events.push(Event::Stop { choice: 0, finish, native, stop_sequence: None });
    let is_known = |name: &str| KNOWN.contains(&name) || echo::holds(name);
    let extra = response.fields().filter(|(name, value)| !is_known(name) && !value.is_null());
    events.extend(extra.map(|(name, value)| Event::Extra {
        choice: None,
        name: name.into_owned(),
        value: Json::of(value),
    }));
    if let Some(tier) = response.str("service_tier") {
        events.push(Event::Meta { service_tier: Some(tier.into_owned()), system_fingerprint: None });
    }
    let metered = usage::tools(response, tools);
    let told = response.some("usage").map(usage::decode);
    events.extend(told.map(|usage| Event::Usage(usage.with_tools(metered))));
    events.push(Event::Finish);
    Ok(())
}

/// Why an answer is not complete.
pub(crate) fn finish(reason: Option<&str>) -> Finish {
    if reason == Some("content_filter") { Finish::ContentFilter } else { Finish::Length }
}
