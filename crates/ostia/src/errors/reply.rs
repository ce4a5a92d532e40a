//! Answers of the gateway's own making.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ostia_dialect::{Family, Fault, anthropic_messages, gemini_generate, openai_chat};

use crate::message::body::Body;
use crate::message::inflate;

/// Text for people.
pub fn text(body: String) -> Response<Body> {
    answer("text/plain; charset=utf-8", body.into())
}

/// A page for browsers.
pub fn html(body: String) -> Response<Body> {
    answer("text/html; charset=utf-8", body.into())
}

/// A JSON text.
pub fn json(body: impl Into<Bytes>) -> Response<Body> {
    answer("application/json", body.into())
}

/// What probes hear while the gateway stops.
pub fn stopping() -> Response<Body> {
    let mut response = json(r#"{"status":"stopping"}"#);
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// A fault, in the client's dialect. `provider` is named where an upstream answered or failed.
pub fn fault(family: Family, fault: &Fault, provider: Option<&str>, trace_id: &str) -> Response<Body> {
    let mut response = json(match family {
        Family::Openai => openai_chat::error::encode(fault, provider),
        Family::Anthropic => anthropic_messages::error::encode(fault, Some(trace_id)),
        Family::Google => gemini_generate::error::encode(fault),
    });
    let status = match family {
        Family::Anthropic => anthropic_messages::error::status(fault),
        Family::Openai | Family::Google => fault.status,
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    hint(response.headers_mut(), fault);
    if fault.status == 415 && fault.param.as_deref() == Some("content-encoding") {
        // RFC 9110, section 15.5.16: which encodings would have been taken.
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(inflate::KNOWN));
    }
    response
}

/// Tells the client's own software when to try again, and whether to, as far as the provider's headers do not.
pub fn hint(headers: &mut HeaderMap, fault: &Fault) {
    static SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
    if let Some(again) = fault.should_retry() {
        let value = HeaderValue::from_static(if again { "true" } else { "false" });
        headers.entry(&SHOULD_RETRY).or_insert(value);
    }
    if let Some(seconds) = fault.wait_s {
        headers.entry(header::RETRY_AFTER).or_insert(seconds.get().into());
    }
}

/// Would a client of this family's own vendor understand these words of the provider as they are?
pub fn is_understood(family: Family, fault: &Fault) -> bool {
    match family {
        Family::Openai => openai_chat::error::is_understood(fault),
        Family::Anthropic => anthropic_messages::error::is_understood(fault),
        Family::Google => true,
    }
}

fn answer(media: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
