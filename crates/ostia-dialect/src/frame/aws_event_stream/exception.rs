//! Failures that come in a stream: with the HTTP status that they have where they come as a whole answer.

use crate::Fault;
use crate::fault::classify;
use crate::json::Document;

/// What the exceptions of Bedrock's operations are called, and their HTTP status:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>,
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html>. The last two are SageMaker's:
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html>.
const STATUSES: [(&str, u16); 13] = [
    ("accessDeniedException", 403),
    ("internalServerException", 500),
    ("modelErrorException", 424),
    ("modelNotReadyException", 429),
    ("modelStreamErrorException", 424),
    ("modelTimeoutException", 408),
    ("resourceNotFoundException", 404),
    ("serviceQuotaExceededException", 400),
    ("serviceUnavailableException", 503),
    ("throttlingException", 429),
    ("validationException", 400),
    ("internalStreamFailure", 500),
    ("modelStreamError", 424),
];

/// An exception. Its payload is JSON with a `message`, and for a failure of the model's with the model's own.
pub(super) fn of_exception(name: &str, payload: &[u8]) -> Fault {
    let document = Document::parse(payload).ok();
    let text = |field: &str| {
        let text = document.as_ref().and_then(|document| document.root().str(field));
        text.filter(|text| !text.is_empty()).map(|text| text.into_owned())
    };
    let message = text("message").or_else(|| text("Message")).or_else(|| text("originalMessage"));
    fault(name, message)
}

/// An error, which says all in its headers.
pub(super) fn of_error(code: &str, message: &str) -> Fault {
    fault(code, Some(message.to_owned()).filter(|message| !message.is_empty()))
}

fn fault(name: &str, message: Option<String>) -> Fault {
    let message = message.unwrap_or_else(|| match name {
        "" => "The provider failed while it was answering.".to_owned(),
        name => format!("The provider failed while it was answering: {name}."),
    });
    // Clients know the word in the spelling that whole answers have.
    let word = capitalised(name);
    let mut fault = Fault { vendor_type: (!word.is_empty()).then_some(word), ..Fault::upstream(message) };
    let status = STATUSES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    // What nobody knows is the provider's failure.
    classify(&mut fault, Some(status.map_or(500, |(_, status)| *status)), None);
    fault
}

fn capitalised(name: &str) -> Box<str> {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
