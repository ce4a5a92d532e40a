//! Why an answer ended, and what stands beside it.

use crate::json::{Json, Node};
use crate::{Fault, Finish};

/// Why the answer ended
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseResponse.html>, `stopReason`).
///
/// Fails with 502 where the model said something that the vendor cannot read: what was said so far is no answer.
pub(in crate::chat::bedrock_converse) fn finish(word: Option<&str>) -> Result<Finish, Fault> {
    match word {
        Some("max_tokens" | "model_context_window_exceeded") => Ok(Finish::Length),
        Some("tool_use") => Ok(Finish::ToolCalls),
        Some("guardrail_intervened" | "content_filtered") => Ok(Finish::ContentFilter),
        // Words of Anthropic's models that the page does not have.
        Some("refusal") => Ok(Finish::Refusal),
        Some("pause_turn") => Ok(Finish::Pause),
        Some(word @ "malformed_tool_use") => {
            Err(malformed("The model made a tool call that cannot be read.", word))
        }
        Some(word @ "malformed_model_output") => Err(malformed("The model's answer cannot be read.", word)),
        // end_turn, stop_sequence, and what comes next.
        Some(_) | None => Ok(Finish::Stop),
    }
}

fn malformed(message: &str, word: &str) -> Fault {
    Fault { vendor_type: Some(word.into()), ..Fault::upstream(message) }
}

/// What the request asked for of the model's own answer.
pub(in crate::chat::bedrock_converse) fn own_fields(node: Node<'_>) -> Option<(String, Json)> {
    field(node, "additionalModelResponseFields")
}

/// The stop sequence that was met, where the request asked for it: a model's stream has it one level deeper.
pub(in crate::chat::bedrock_converse) fn stop_sequence(node: Node<'_>) -> Option<String> {
    let fields = node.some("additionalModelResponseFields")?;
    let met = |node: Node<'_>| node.str("stop_sequence").map(|text| text.into_owned());
    met(fields).or_else(|| fields.some("delta").and_then(met))
}

/// What was measured, and what a guardrail or a router did.
pub(in crate::chat::bedrock_converse) fn beside(node: Node<'_>) -> impl Iterator<Item = (String, Json)> {
    ["metrics", "trace", "performanceConfig"].into_iter().filter_map(move |name| field(node, name))
}

/// The tier that served the answer.
pub(in crate::chat::bedrock_converse) fn service_tier(node: Node<'_>) -> Option<String> {
    node.some("serviceTier")?.str("type").map(|word| word.into_owned())
}

fn field(node: Node<'_>, name: &str) -> Option<(String, Json)> {
    node.some(name).map(|value| (name.to_owned(), Json::of(value)))
}
