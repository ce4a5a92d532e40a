//! One target, asked once: the request is prepared, sent, and its answer read.

use http::Response;
use ostia_dialect::{Api, ClientDialect, Fault, Files};
use ostia_providers::prepare::{self, ApiCall, Prepared, Way, way};

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::finish;
use crate::exchange::masks;
use crate::exchange::poll::SubmittedAt;
use crate::exchange::render;
use crate::exchange::several;
use crate::exchange::upload_first;
use crate::fetch;
use crate::inbound::Inbound;
use crate::message::body::Body;
use crate::record::Record;
use crate::responses_api::{self, History};
use crate::tokens;

/// Asks one target once.
///
/// # Errors
/// What the target answered in place of an answer, or why it could not be asked.
pub async fn ask(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let way = way(call, &exchange.recipient(), is_read(exchange, call))?;
    // A rarer path is boxed, so that all others do not carry its state.
    match way {
        Way::Converse(ClientDialect::OpenaiResponses) if exchange.keep.is_none() => {
            Box::pin(remember(exchange, call, way, record)).await
        }
        _ => carry(exchange, call, way, record).await,
    }
}

/// Has an answer to be understood even if the provider speaks the client's dialect? The gateway remembers it, or may have
/// to go on with it.
pub fn is_read(exchange: Exchange<'_>, call: &ApiCall<'_>) -> bool {
    let Inbound { core, caller, .. } = exchange.inbound;
    let is_remembered =
        || exchange.keep.is_some() || responses_api::is_remembered(&core.responses, caller.owner, call);
    let is_conversation = || call.api.dialect().and_then(ClientDialect::of).is_some();
    call.api == Api::OpenaiResponses && is_remembered()
        || exchange.continues && call.peek.stream && is_conversation()
}

/// A Responses client in front of an upstream that does not remember for it.
async fn remember(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    way: Way,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let Inbound { core, caller, .. } = exchange.inbound;
    let History { body, keep } =
        responses_api::recall(&core.responses, caller.owner, render::options(exchange), call)?;
    record.account().in_session(|| Some(keep.root().to_owned()));
    let exchange = Exchange { keep: Some(&keep), ..exchange };
    match body {
        Some(body) => carry(exchange, &call.with_body(&body)?, way, record).await,
        None => carry(exchange, call, way, record).await,
    }
}

async fn carry(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    way: Way,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let mut prepared = match prepare(exchange, call, way, None).await? {
        Prepared::Request(request) => request,
        Prepared::Estimate { client, request } => {
            return Ok(finish::estimate(client, Box::pin(tokens::count(request)).await));
        }
        Prepared::Fetch(_) => return Err(Fault::upstream("What was fetched is missing.").into()),
    };
    if !prepared.more.is_empty() {
        return Box::pin(several::ask(exchange, call, prepared, record)).await;
    }
    masks::paint(&mut prepared.body, exchange.inbound.upload).await?;
    if let Some(upload) = prepared.upload.take() {
        return Box::pin(upload_first::ask(exchange, call, prepared, upload, record)).await;
    }
    let request = exchange.outgoing(&mut prepared, call.body)?;
    record.dropped(std::mem::take(&mut prepared.dropped), exchange.target.lossless)?;
    let reading = prepared.answer;
    let submitted_at = SubmittedAt::of(prepared.api, &request);
    let mut answer = exchange.dispatch(request).await?;
    if let Some(submitted_at) = submitted_at {
        answer.extensions_mut().insert(submitted_at);
    }
    finish::finish(answer, reading, exchange, call, record).await
}

/// The request for this target, with the files in it that have to be fetched first.
///
/// # Errors
/// What cannot be said to this target, and files that are not to be had.
pub async fn prepare(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    way: Way,
    beginning: Option<&str>,
) -> Result<Prepared, Fault> {
    let prepare =
        |files: &Files| prepare::prepare(way, call, &exchange.recipient_of(call, way), beginning, files);
    match prepare(&Files::new())? {
        Prepared::Fetch(remotes) => {
            let Inbound { core, files, .. } = exchange.inbound;
            let total = exchange.target.timeouts.total;
            prepare(&Box::pin(fetch::all(core, files, &remotes, total)).await)
        }
        prepared => Ok(prepared),
    }
}
