//! The conversation of a row in a vendor's words: told as a call of the same messages would be, and cut down to what was said.

use crate::json::{Document, Json, Node, report_unknown};
use crate::{ClientDialect, Dialect, EncodeOptions, Encoded, Fault, chat};

/// These messages, with tools that the model may call, as a call in this dialect has them. `behind`: one more message, in OpenAI's words.
///
/// # Errors
/// 400 that names the field of a message that makes no sense, or that the vendor has nothing like.
pub(super) fn encode(
    dialect: Dialect,
    model: &str,
    (path, messages): (&str, Node<'_>),
    tools: Option<Node<'_>>,
    behind: Option<&str>,
) -> Result<Encoded, Fault> {
    refuse_unweighed(path, messages)?;
    let call = Json::build(|w| {
        w.object(|w| {
            w.field_str("model", model);
            w.field_array("messages", |w| {
                messages.items().for_each(|message| w.raw(message.text()));
                behind.into_iter().for_each(|message| w.raw(message));
            });
            if let Some(tools) = tools {
                w.field_raw("tools", tools.text());
            }
        });
    });
    let mut encoded = encode_call(dialect, &call)
        .map_err(|fault| Fault { message: named(path, &fault.message), ..fault })?;
    encoded.dropped.iter_mut().for_each(|own| *own = named(path, own));
    // Every turn is learned from, and that is what it says.
    encoded.dropped.retain(|own| !own.ends_with("].weight"));
    Ok(encoded)
}

fn encode_call(dialect: Dialect, call: &Json) -> Result<Encoded, Fault> {
    let document = Document::of_request(call.as_str().as_bytes())?;
    let mut request = ClientDialect::OpenaiChat.decode(&document, chat::PathParams::default())?;
    dialect.encode(&mut request, &EncodeOptions::default())
}

/// What is said of the call's messages, by the place that they have in the row.
fn named(path: &str, text: &str) -> String {
    text.replace("messages[", &format!("{path}["))
}

/// The fields at the top of a row that mean nothing to the vendor.
pub(super) fn unknown(row: Node<'_>, known: &[&str]) -> Vec<String> {
    let mut unknown = Vec::new();
    report_unknown(row, known, &mut unknown);
    unknown.into_iter().map(|(path, _)| path).collect()
}

/// A turn that is not to be learned from would be learned from where there is no word for that
/// (<https://platform.openai.com/docs/guides/supervised-fine-tuning>, multi-turn examples).
fn refuse_unweighed(path: &str, messages: Node<'_>) -> Result<(), Fault> {
    let is_unweighed =
        |message: Node<'_>| message.some("weight").and_then(|weight| weight.as_f64()) == Some(0.0);
    match messages.items().position(is_unweighed) {
        None => Ok(()),
        Some(place) => Err(wrong(format!(
            "`{path}[{place}].weight` is 0, and the provider learns from every turn of the model's: leave the row out, or end the \
             conversation before"
        ))),
    }
}

/// The kind of fault that a row has.
pub(super) fn wrong(message: String) -> Fault {
    Fault::invalid(message).with_code("invalid_training_row")
}
