//! Answers that say why there is none.

use http::Response;
use http::header::{self, HeaderValue};
use ostia_dialect::json::Document;
use ostia_dialect::{Family, Fault, fault};
use ostia_routing::{Class, Verdict};

use super::collect::collect;
use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::message::body::Body;
use crate::message::fields;
use crate::message::inflate::Inflate;
use crate::message::media::{is_json, media_type};
use crate::record::results;
use crate::target::Target;
use crate::upstream::UpstreamBody;

/// Most of the body of an error, or of whatever came in place of an answer, that is read, in bytes.
pub(super) const ERROR_BYTES_MAX: usize = 1 << 20;

/// An error answer, as a failed attempt: its status, and its words in the client's envelope.
pub async fn refused(
    mut head: http::response::Parts,
    body: UpstreamBody,
    family: Family,
    target: &Target<'_>,
) -> AttemptError {
    let bytes = match Inflate::of(&head.headers) {
        Ok(inflate) => collect(body, inflate, ERROR_BYTES_MAX).await,
        Err(error) => Err(error.into()),
    };
    // Words that do not come, or cannot be unpacked, are missing: the status and the headers still say what is wrong.
    let bytes = bytes.unwrap_or_default();
    results::read_body(&mut head, &bytes);
    let json = is_json(media_type(&head.headers));
    fields::strip(&mut head.headers);
    let fault = fault::from_answer(head.status.as_u16(), &bytes);
    reply::hint(&mut head.headers, &fault);
    let told = match json && is_envelope(&bytes, family) && reply::is_understood(family, &fault) {
        true => Body::from(bytes),
        false => {
            head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let told = reply::fault(family, &fault, Some(&target.provider.id), target.trace_id);
            head.status = told.status();
            told.into_body()
        }
    };
    AttemptError::refused(fault, Response::from_parts(head, told))
}

/// A redirect is no answer. To follow it would take the request, and maybe its key, to a host that nobody named; so would
/// the client's own software, if it were handed on.
pub(super) fn redirected(status: u16, target: &Target<'_>) -> AttemptError {
    let message = format!(
        "Provider `{}` answered with a redirect (status {status}), which is not followed. Check its base URL.",
        target.provider.id
    );
    AttemptError::without_answer(
        Fault::upstream(message),
        Verdict::Refused { status, class: Class::BadAnswer },
    )
}

/// Are these already the client's own words, so that they can go on as they are?
fn is_envelope(bytes: &[u8], family: Family) -> bool {
    let Ok(document) = Document::parse_to(bytes, 2) else { return false };
    let root = document.root();
    let Some(error) = root.some("error").filter(|error| error.is_object()) else { return false };
    let said = error.str("message").is_some_and(|message| !message.is_empty());
    let text_or_none = |name: &str| error.some(name).is_none_or(|node| node.is_string());
    match family {
        Family::Openai => said && text_or_none("type") && text_or_none("code") && text_or_none("param"),
        Family::Anthropic => {
            said && error.str("type").is_some() && root.str("type").as_deref() == Some("error")
        }
        Family::Google => said && error.u64("code").is_some() && error.str("status").is_some(),
    }
}
