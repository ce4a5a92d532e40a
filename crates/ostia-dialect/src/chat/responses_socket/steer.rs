//! What a client says while an answer is under way (`response.steer`), and what it hears of that.
//!
//! What is said so is queued: it stands in the input of the next answer. That one is asked for by itself when the answer ends as it
//! should (its settings are those of the request before), and by the client where the answer waits for what only the client has, the
//! result of a tool or a leave. Nothing that is under way is cut short.
//!
//! Sources: <https://developers.openai.com/api/docs/guides/steering>, and the types of OpenAI's SDK for Python, 3.57.0
//! (`openai/types/responses/response_steer_*.py`).

use super::chain::{items, joined};
use super::message;
use crate::Fault;
use crate::json::{Document, Json, Node, Writer};
use crate::relay::Splice;

/// More to say while an answer is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steer {
    /// The answer that is steered.
    pub previous: String,
    /// What is said, as it came: JSON.
    pub input: String,
    /// The same as items of an input, without the brackets around them; or why it is none that can be said so.
    pub items: Result<String, String>,
}

/// One that is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// By what the client knows it.
    pub id: String,
    /// What is said.
    pub steer: Steer,
}

/// Why nothing comes of one. The codes are OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid<'a> {
    /// No answer of the connection has this id.
    NotFound,
    /// It is none that can be said so.
    Invalid(&'a str),
    /// The request is none that can be steered.
    NotSupported,
    /// Too much waits already.
    TooMany,
    /// The answer is at its end.
    Completed,
    /// The next answer could not be begun.
    NoSuccessor,
}

impl<'a> Unsaid<'a> {
    fn code(self) -> &'static str {
        match self {
            Unsaid::NotFound => "response_not_found",
            Unsaid::Invalid(_) => "invalid_input",
            Unsaid::NotSupported => "steering_not_supported",
            Unsaid::TooMany => "too_many_pending_steers",
            Unsaid::Completed => "response_already_completed",
            Unsaid::NoSuccessor => "successor_creation_failed",
        }
    }

    fn message(self) -> &'a str {
        match self {
            Unsaid::Invalid(what) => what,
            Unsaid::NotFound => "No answer with this id is under way on this WebSocket.",
            Unsaid::NotSupported => {
                "Requests with `conversation`, `context_management` or `multi_agent` cannot be steered."
            }
            Unsaid::TooMany => {
                "Too much waits to be said: wait for the next answer, or send the results of tools that the last one asked for."
            }
            Unsaid::Completed => "The answer is at its end: send the input with the next `response.create`.",
            Unsaid::NoSuccessor => {
                "The next answer could not be begun: send the input with the next `response.create`."
            }
        }
    }
}

/// Reads a message. What is wrong with the input is told of in the event that gives it back.
///
/// # Errors
/// 400 where the answer or the input is missing.
pub(super) fn decode(text: &[u8]) -> Result<Steer, Fault> {
    let document = Document::of_request(text)?;
    let root = document.root();
    let previous = root.expect("previous_response_id")?.expect_str()?.into_owned();
    let input = root.expect("input")?;
    let items = checked(root, input);
    Ok(Steer { previous, input: input.text().to_owned(), items })
}

/// The items of what may be said so.
fn checked(root: Node<'_>, input: Node<'_>) -> Result<String, String> {
    let known = ["type", "previous_response_id", "input"];
    if let Some((name, _)) = root.fields().find(|(name, _)| !known.contains(&name.as_ref())) {
        return Err(format!(
            "`{name}` is not for `response.steer`: it has `previous_response_id` and `input`."
        ));
    }
    if input.is_array() && input.items().next().is_none() {
        return Err("`input` is empty.".to_owned());
    }
    if let Some(other) = input.items().find(|item| !is_message(item)) {
        return Err(format!(
            "`{}` must be a message of the user's: `type`, `role` and `content`, which is a text or a list of `input_text`, \
             `input_image` and `input_file`.",
            other.path()
        ));
    }
    items(root).map_err(|fault| fault.message)
}

/// Is this item a message of the user's, and nothing else?
fn is_message(item: &Node<'_>) -> bool {
    let parts = ["input_text", "input_image", "input_file"];
    let is_part = |part: Node<'_>| part.str("type").is_some_and(|kind| parts.contains(&kind.as_ref()));
    let is_said = |content: Node<'_>| match content.is_array() {
        true => content.items().next().is_some() && content.items().all(is_part),
        false => content.is_string(),
    };
    item.fields().all(|(name, _)| matches!(name.as_ref(), "type" | "role" | "content"))
        && item.str("role").as_deref() == Some("user")
        && item.some("type").is_none_or(|kind| kind.as_str().as_deref() == Some("message"))
        && item.get("content").is_some_and(is_said)
}

/// The event that tells that it is queued.
pub fn accepted(number: u64, queued: &Queued, stream_id: Option<&str>) -> String {
    event("response.steer.accepted", number, stream_id, |w| {
        w.field_object("steer", |w| known(w, queued));
    })
}

/// The event that tells that it waits for what only the client has. `required`: an array of [`required_input`].
pub fn pending(number: u64, queued: &Queued, required: &[String], stream_id: Option<&str>) -> String {
    event("response.steer.pending", number, stream_id, |w| {
        w.field_object("steer", |w| known(w, queued));
        w.field_str("reason", "waiting_for_required_input");
        w.field_raw("required_input", &format!("[{}]", required.join(",")));
    })
}

/// The event that gives it back. `id`: by what it was queued, if it was.
pub fn failed(
    number: u64,
    id: Option<&str>,
    steer: &Steer,
    why: Unsaid<'_>,
    stream_id: Option<&str>,
) -> String {
    event("response.steer.failed", number, stream_id, |w| {
        w.field_object("steer", |w| {
            id.into_iter().for_each(|id| w.field_str("id", id));
            w.field_str("previous_response_id", &steer.previous);
            w.field_raw("input", &steer.input);
        });
        w.field_object("error", |w| {
            w.field_str("type", "invalid_request_error");
            w.field_str("code", why.code());
            w.field_str("message", why.message());
        });
    })
}

fn known(w: &mut Writer, queued: &Queued) {
    w.field_str("id", &queued.id);
    w.field_str("previous_response_id", &queued.steer.previous);
}

fn event(kind: &str, number: u64, stream_id: Option<&str>, write: impl FnOnce(&mut Writer)) -> String {
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", kind);
            w.field_u64("sequence_number", number);
            write(w);
        });
    });
    message(json.as_str(), stream_id)
}

/// What only the client has and an answer waits for: of each an object that lacks the result. `event` ended the answer.
pub fn required_input(event: &str) -> Vec<String> {
    let Ok(document) = Document::parse(event.as_bytes()) else { return Vec::new() };
    let output = document.root().get("response").and_then(|response| response.get("output"));
    let all = || output.into_iter().flat_map(|output| output.items());
    // What ran at the provider has its result beside it.
    let has_result = |call: &Node<'_>| {
        let id = call.str("call_id");
        let is_result = |kind: &str| kind.ends_with("_output");
        all().any(|item| {
            id.is_some() && item.str("call_id") == id && item.str("type").is_some_and(|kind| is_result(&kind))
        })
    };
    all().filter(|call| !has_result(call)).filter_map(stub).collect()
}

/// The object for the result of a call, where that is the client's.
fn stub(call: Node<'_>) -> Option<String> {
    let kind = call.str("type")?;
    let (result, fields): (&str, &[&str]) = match kind.as_ref() {
        "function_call" => ("function_call_output", &["call_id", "name"]),
        "custom_tool_call" => ("custom_tool_call_output", &["call_id"]),
        "computer_call" => ("computer_call_output", &["call_id"]),
        "shell_call" => ("shell_call_output", &["call_id"]),
        "local_shell_call" => ("local_shell_call_output", &["call_id"]),
        "apply_patch_call" => ("apply_patch_call_output", &["call_id"]),
        "tool_search_call" if call.str("execution").as_deref() == Some("client") => {
            ("tool_search_output", &["call_id", "execution"])
        }
        "mcp_approval_request" => ("mcp_approval_response", &["id"]),
        _ => return None,
    };
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("type", result);
            for field in fields {
                let name = if *field == "id" { "approval_request_id" } else { *field };
                call.get(field).into_iter().for_each(|value| w.field_raw(name, value.text()));
            }
        });
    });
    Some(json.as_str().to_owned())
}

/// The body of a request with what was queued before its own input.
///
/// # Errors
/// 400 for an `input` that is no list and no text.
pub fn before_input(body: &[u8], queued: &[Queued]) -> Result<Vec<u8>, Fault> {
    let document = Document::of_request_to(body, 1)?;
    let own = items(document.root())?;
    let mut splice = Splice::new(&document)?;
    splice.set("input", array(&joined(&all_items(queued), &own)));
    Ok(splice.finish())
}

/// The body of the request that follows by itself from an answer: as the one before, but for what is said.
///
/// # Errors
/// The body before was none.
pub fn successor(body: &[u8], response_id: &str, queued: &[Queued]) -> Result<Vec<u8>, Fault> {
    let document = Document::of_request_to(body, 1)?;
    let mut splice = Splice::new(&document)?;
    splice.set("previous_response_id", Json::build(|w| w.string(response_id)));
    splice.set("input", array(&all_items(queued)));
    Ok(splice.finish())
}

fn all_items(queued: &[Queued]) -> String {
    let items = queued.iter().filter_map(|queued| queued.steer.items.as_deref().ok());
    items.fold(String::new(), |all, items| joined(&all, items))
}

fn array(items: &str) -> Json {
    Json::build(|w| w.raw(&format!("[{items}]")))
}
