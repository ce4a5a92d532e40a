//! Canonical request to the vendor's body: the input of a model (<https://replicate.com/docs/reference/http#models.predictions.create>).
//!
//! Refuses tools, which no model has here; what else cannot be said is dropped and reported. Fields that the hub does not know are
//! inputs of the model's own.

mod inputs;
mod prompt;
#[cfg(test)]
mod tests;

use inputs::Inputs;
use prompt::Prompt;

use crate::chat::dialect::OPENAI_FEATURES;
use crate::json::Writer;
use crate::{ClientDialect, Encoded, Fault, OutputFormat, Request, ToolChoice};

/// Asks the vendor to keep the connection until the prediction is done, a minute at most.
const WAIT: (&str, &str) = ("prefer", "wait");

/// The body for this request, and what it could not say.
///
/// Fails with 400 where the request has tools that the model may call.
pub fn encode(request: &Request) -> Result<Encoded, Fault> {
    refuse_tools(request)?;
    let inputs = Inputs::of(&request.model);
    let mut dropped = Vec::new();
    let prompt = Prompt::of(&request.messages, inputs, &mut dropped);
    let mut body = Writer::with_capacity(request.body_bytes());
    body.object(|w| {
        w.field_object("input", |w| {
            prompt.write(inputs, w);
            inputs.sampling(request, w, &mut dropped);
            own_fields(request, w, &mut dropped);
        });
        if request.stream {
            w.field_bool("stream", true);
        }
    });
    unsayable(request, &mut dropped);
    let waits = (!request.stream).then(|| (WAIT.0, WAIT.1.to_owned()));
    Ok(Encoded {
        body: body.into_bytes(),
        headers: waits.into_iter().collect(),
        dropped,
        ..Encoded::default()
    })
}

/// A model that is not told of its tools would answer as if there were none.
fn refuse_tools(request: &Request) -> Result<(), Fault> {
    if request.tools.is_empty() || request.tool_choice == Some(ToolChoice::None) {
        return Ok(());
    }
    let message = "Invalid `tools`: the models of this provider call no tools. Leave them out, or choose another provider.";
    Err(Fault::invalid(message).with_param("tools").with_code("unsupported_content"))
}

/// Inputs of the model's own, as clients of the widest format write them. What is another vendor's is none.
fn own_fields(request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
    let is_open = request.client.is_none_or(|client| client == ClientDialect::OpenaiChat);
    for (name, value) in request.extra.iter().filter(|(_, value)| value.as_str() != "null") {
        match is_open && !OPENAI_FEATURES.contains(&name.as_str()) && !inputs::is_said(name) {
            true => w.field_raw(name, value.as_str()),
            false => dropped.push(name.clone()),
        }
    }
}

/// Fields of the hub that the vendor has no word for.
fn unsayable(request: &Request, dropped: &mut Vec<String>) {
    let fields = [
        ("n", request.sampling.n.is_some_and(|n| n > 1)),
        ("logprobs", request.sampling.logprobs.is_some()),
        ("logit_bias", request.sampling.logit_bias.is_some()),
        ("tools", !request.tools.is_empty()),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("response_format", !matches!(request.output_format, None | Some(OutputFormat::Text))),
        ("web_search_options", request.web_search.is_some()),
        ("user", request.user.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("cache_control", request.cache_control.is_some()),
    ];
    dropped.extend(fields.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()));
}
