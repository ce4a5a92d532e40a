//! Answers of the gateway's own making.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use ostia_dialect::{Fault, anthropic_messages, gemini_generate, openai_chat};

use crate::body::Body;
use crate::inflate;
use crate::route::Family;

/// A line for people.
pub fn text(body: &'static str) -> Response<Body> {
    answer("text/plain; charset=utf-8", Bytes::from_static(body.as_bytes()))
}

/// A JSON text.
pub fn json(body: impl Into<Bytes>) -> Response<Body> {
    answer("application/json", body.into())
}

/// A fault, in the client's dialect. `provider` is named where an upstream answered or failed.
pub fn fault(family: Family, fault: &Fault, provider: Option<&str>, trace_id: &str) -> Response<Body> {
    let mut response = json(match family {
        Family::Openai => openai_chat::error::encode(fault, provider),
        Family::Anthropic => anthropic_messages::error::encode(fault, Some(trace_id)),
        Family::Google => gemini_generate::error::encode(fault),
    });
    *response.status_mut() = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_GATEWAY);
    if fault.status == 415 && fault.param.as_deref() == Some("content-encoding") {
        // RFC 9110, section 15.5.16: which encodings would have been taken.
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(inflate::KNOWN));
    }
    response
}

fn answer(media: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
