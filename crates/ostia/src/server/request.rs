//! A request that has come, by whichever version of HTTP, and the answer that begins.

use std::rc::Rc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::answering::Answering;
use crate::client::Client;
use crate::core::CurrentCore;
use crate::errors::family;
use crate::handler;
use crate::inbound::normalize;
use crate::message::body::Body;

/// Begins the answer to a request of this client's.
pub fn answer(
    current: &CurrentCore,
    client: &Rc<Client>,
    request: Request<Incoming>,
) -> Answering<impl Future<Output = Response<Body>> + use<>> {
    let (mut parts, body) = request.into_parts();
    normalize::normalize(&mut parts.uri);
    // The configuration of this request, to its end.
    let core = current.get();
    let due = Instant::now() + core.settings.timeouts.total;
    let body = client.begin(body, parts.version, due, core.settings.keep_alive);
    let family = family::family(parts.uri.path());
    // Boxed, so that its memory is free again while the answer streams.
    let answering = Box::pin(handler::handle(core, parts, body));
    Answering::new(answering, family, client.clone())
}
