//! Anthropic's message batches (`/v1/messages/batches`) for clients of theirs: the gateway's own batches in that form, whoever answers
//! the messages. Those of a provider that has them itself are handed on.

mod create;
mod objects;
mod results;

use http::{Method, Response, header};
use ostia_dialect::Api;
use ostia_dialect::Fault;
use ostia_dialect::batches::MESSAGES_URL;
use ostia_providers::Provider;
use ostia_store::{Paging, Removed, StoredBatch};

use super::batches::{self, asks, names_gateway, owner, wanted};
use super::handed_on;
use crate::batches as own;
use crate::batches::Batches;
use crate::client::ClientBody;
use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::query;
use crate::inbound::route::MessageBatchPath;
use crate::message::body::Body;
use crate::record::Record;

/// Most batches of a list, and how many where the client does not say
/// (<https://platform.claude.com/docs/en/api/messages/batches/list>).
const LIST_MAX: u32 = 1000;
const LIST_DEFAULT: u32 = 20;

/// The answer, here or by the provider that has such batches.
///
/// # Errors
/// 404 for a batch that is not the caller's, 405, 400 for what makes no sense, 503 where the gateway has no batches now.
pub async fn answer(
    inbound: Inbound<'_>,
    path: MessageBatchPath<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    if !is_ours(inbound, path)? {
        return hand_on(inbound, path, body, record).await;
    }
    let batches = inbound.core.batches.as_ref().ok_or_else(own::missing)?;
    let owner = owner(inbound, batches).await?;
    let method = &inbound.parts.method;
    let is_read = method == Method::GET || method == Method::HEAD;
    match path {
        MessageBatchPath::All if is_read => list(inbound, batches, owner).await,
        MessageBatchPath::All if method == Method::POST => {
            create::answer(inbound, batches, owner, body).await.map(|batch| told(&batch))
        }
        MessageBatchPath::One(id) if is_read => {
            told_of(Box::pin(batches::refreshed(inbound, batches, owner, id, record)).await)
        }
        MessageBatchPath::One(id) if method == Method::DELETE => remove(batches, owner, id).await,
        MessageBatchPath::Cancel(id) if method == Method::POST => {
            told_of(Box::pin(batches::cancelled(inbound, batches, owner, id, record)).await)
        }
        MessageBatchPath::Results(id) if is_read => {
            results::answer(inbound, batches, owner, id, record).await
        }
        MessageBatchPath::All => Err(wanted("GET or POST")),
        MessageBatchPath::One(_) => Err(wanted("GET or DELETE")),
        MessageBatchPath::Results(_) => Err(wanted("GET")),
        MessageBatchPath::Cancel(_) => Err(wanted("POST")),
    }
}

/// Is what stands at this path the gateway's own?
fn is_ours(inbound: Inbound<'_>, path: MessageBatchPath<'_>) -> Result<bool, Fault> {
    match path.id() {
        Some(id) => Ok(own::is_batch_id(id)),
        None => Ok(names_gateway(inbound)? || asks(inbound, has_none)?),
    }
}

/// Whoever speaks Messages may have its batches too, also where the row does not say so.
fn has_none(provider: &Provider) -> bool {
    ![Api::AnthropicMessages, Api::AnthropicBatches].into_iter().any(|api| provider.offers(api))
}

/// What a provider says of its batches, with their results where the client asked: vendors name their own hosts, and SDKs ask there, with
/// the key that they show here.
async fn hand_on(
    inbound: Inbound<'_>,
    path: MessageBatchPath<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    if let MessageBatchPath::Results(_) = path {
        return handed_on::pass(inbound, path.id(), body, record).await;
    }
    let mut parts = inbound.parts.clone();
    // What is packed would have to be unpacked to be changed.
    parts.headers.remove(header::ACCEPT_ENCODING);
    let answer = handed_on::pass(Inbound { parts: &parts, ..inbound }, path.id(), body, record).await?;
    Ok(results::with_results_here(answer))
}

async fn list(inbound: Inbound<'_>, batches: &Batches, owner: String) -> Result<Response<Body>, Fault> {
    let paging = paging(inbound.query())?;
    // Batches of other calls have no place in this form.
    let page = batches.ask(move |tables| tables.batches(&owner, Some(MESSAGES_URL), &paging)).await?;
    Ok(reply::json(objects::list(&page).to_string()))
}

/// Takes a batch away, with its rows and what came of them.
async fn remove(batches: &Batches, owner: String, id: &str) -> Result<Response<Body>, Fault> {
    let own = id.to_owned();
    match batches.ask(move |tables| tables.remove_batch(&owner, &own)).await? {
        Removed::Done => Ok(reply::json(objects::deleted(id).to_string())),
        Removed::Missing => Err(batches::not_found(id)),
        Removed::InUse => {
            let message = "The batch is not over: cancel it first, or wait.";
            Err(Fault::invalid(message).with_status(409).with_code("batch_not_over"))
        }
    }
}

fn paging(query: &str) -> Result<Paging, Fault> {
    let mut paging = Paging { limit: LIST_DEFAULT, ..Paging::default() };
    for (name, value) in query::fields(query).filter_map(query::Field::name_and_value) {
        let refused = |what: String| Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(&*name);
        match &*name {
            "after_id" if !value.is_empty() => paging.after = Some(value.into_owned()),
            "before_id" if !value.is_empty() => paging.before = Some(value.into_owned()),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LIST_MAX).contains(limit));
                paging.limit =
                    limit.ok_or_else(|| refused(format!("must be a number from 1 to {LIST_MAX}")))?;
            }
            _ => {}
        }
    }
    Ok(paging)
}

fn told(batch: &StoredBatch) -> Response<Body> {
    reply::json(objects::batch(batch).to_string())
}

fn told_of(batch: Result<StoredBatch, AttemptError>) -> Result<Response<Body>, Fault> {
    batch.map(|batch| told(&batch)).or_else(AttemptError::into_answer)
}
