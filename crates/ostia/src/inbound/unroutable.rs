//! Requests for which nothing is here, or something for other methods: what the client hears.

use http::{HeaderValue, header, request};
use ostia_dialect::{Api, Fault, FaultKind};

use super::browser;
use super::route::Endpoint;

/// Nothing is at this path.
pub fn missing(parts: &request::Parts) -> Fault {
    let (method, path) = (&parts.method, parts.uri.path());
    let remedy = match Api::at(path) {
        Some(_) => format!("It is at /v1{path}: let the base URL end in /v1."),
        None => "The API is below /v1/, for example POST /v1/chat/completions.".to_owned(),
    };
    let message = format!("There is nothing at {method} {path}. {remedy}");
    Fault::new(FaultKind::NotFound, message).with_code("unknown_url")
}

/// Something is at this path, for these methods.
pub fn wrong_method(parts: &request::Parts, allowed: &str) -> Fault {
    let (method, path) = (&parts.method, parts.uri.path());
    if parts
        .headers
        .get(header::UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
    {
        // Clients go on with requests then (Codex, `codex-rs/core`).
        let message = format!("There are no WebSockets at {path}: send POST requests.");
        return Fault::invalid(message).with_status(426).with_code("websocket_unsupported");
    }
    let message = format!("{method} is not for {path}, which takes {allowed}.");
    Fault::invalid(message).with_status(405).with_code("method_not_allowed")
}

/// The methods of what a request asks for with another one.
pub fn allowed(parts: &request::Parts) -> HeaderValue {
    match Endpoint::of(&parts.method, parts.uri.path()) {
        Endpoint::WrongMethod(allowed) => HeaderValue::from_static(allowed),
        _ => browser::METHODS,
    }
}
