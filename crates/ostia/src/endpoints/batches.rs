//! Batches that the gateway runs itself, each row of a file as an ordinary call at once (`completion_window: immediate`), and those that it
//! has a provider run whose own form is not OpenAI's (`24h`). All others are a provider's, and made and asked for there.

mod create;
mod remote;
pub mod sender;

pub use create::{of_file, plain};

use http::{Method, Response};
use ostia_dialect::batches::Part;
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_providers::Provider;
use ostia_store::{BatchesClosed, Paging, StoredBatch};
use secrecy::ExposeSecret as _;

use super::files::rows;
use super::fine_tunes;
use crate::batches::owner::Shown;
use crate::batches::{self, Batches, Order, objects};
use crate::client::ClientBody;
use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::query;
use crate::inbound::route::BatchPath;
use crate::message::body::Body;
use crate::provider_batches;
use crate::record::Record;
use crate::routing::routes;
use crate::target;

/// Most batches of a list, and how many where the client does not say (<https://platform.openai.com/docs/api-reference/batch/list>).
const LIST_MAX: u32 = 100;
const LIST_DEFAULT: u32 = 20;
/// The gateway itself, where a provider is named: in its own word, and in Portkey's
/// (<https://portkey.ai/docs/product/ai-gateway/batches>).
const OWN_NAMES: [&str; 2] = ["ostia", "portkey"];

/// Is what stands at this path the gateway's own? Of a batch that is made its body says so too, and [`mod@create`] reads that.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn is_ours(inbound: Inbound<'_>, path: BatchPath<'_>) -> Result<bool, Fault> {
    match path {
        BatchPath::All => Ok(names_gateway(inbound)? || is_told_anew(inbound, Api::OpenaiBatches)?),
        BatchPath::One(id) | BatchPath::Cancel(id) | BatchPath::Output(id) => Ok(batches::is_batch_id(id)),
    }
}

/// Makes a batch: here, or wherever its maker wants it.
///
/// # Errors
/// 400 for what makes no sense, 429 where too many are open, 503 where the gateway has no batches now.
pub async fn create(
    inbound: Inbound<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    create::answer(inbound, body, record).await
}

/// The answer to everything else.
///
/// # Errors
/// 404 for a batch that is not the caller's, 405, 400 for what makes no sense, 503 where the gateway has no batches now.
pub async fn answer(
    inbound: Inbound<'_>,
    path: BatchPath<'_>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let batches = inbound.core.batches.as_ref().ok_or_else(batches::missing)?;
    let owner = owner(inbound, batches).await?;
    let method = &inbound.parts.method;
    let is_read = method == Method::GET || method == Method::HEAD;
    match path {
        BatchPath::All if is_read => {
            let paging = paging(inbound.query(), LIST_DEFAULT, LIST_MAX)?;
            let page = batches.ask(move |tables| tables.batches(&owner, None, &paging)).await?;
            Ok(reply::json(objects::list(&page, objects::batch).to_string()))
        }
        BatchPath::One(id) if is_read => {
            told_of(Box::pin(refreshed(inbound, batches, owner, id, record)).await)
        }
        BatchPath::Output(id) if is_read => output(inbound, batches, owner, id, record).await,
        BatchPath::Cancel(id) if method == Method::POST => {
            told_of(Box::pin(cancelled(inbound, batches, owner, id, record)).await)
        }
        BatchPath::All => Err(wanted("GET or POST")),
        BatchPath::One(_) | BatchPath::Output(_) => Err(wanted("GET")),
        BatchPath::Cancel(_) => Err(wanted("POST")),
    }
}

fn told(batch: &StoredBatch) -> Response<Body> {
    reply::json(objects::batch(batch).to_string())
}

/// What is told of a batch that its provider was asked for.
fn told_of(batch: Result<StoredBatch, AttemptError>) -> Result<Response<Body>, Fault> {
    batch.map(|batch| told(&batch)).or_else(AttemptError::into_answer)
}

async fn find(batches: &Batches, owner: String, id: &str) -> Result<StoredBatch, Fault> {
    let own = id.to_owned();
    batches.ask(move |tables| tables.batch(&owner, &own)).await?.ok_or_else(|| not_found(id))
}

/// A batch as it is now.
///
/// # Errors
/// 404 for one that is not the caller's, and why its provider could not be asked.
pub async fn refreshed(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    let batch = find(batches, owner, id).await?;
    provider_batches::refresh(inbound, batches, batch, record).await
}

/// A batch that is over.
///
/// # Errors
/// As [`refreshed`], and 409 for one that goes on, which has nothing to show yet.
pub async fn ended(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    let batch = refreshed(inbound, batches, owner, id, record).await?;
    if !batch.status.is_open() {
        return Ok(batch);
    }
    let message = format!("The batch is {} and has no output yet: wait for its end.", batch.status.as_str());
    Err(Fault::invalid(message).with_status(409).with_code("batch_not_over").into())
}

/// Gives a batch up, and tells how it is then.
///
/// # Errors
/// As [`refreshed`].
pub async fn cancelled(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    let mut batch = find(batches, owner.clone(), id).await?;
    if !batch.is_at_provider() {
        let (own, now_s) = (id.to_owned(), batches::now_s());
        let cancelled = batches.ask(move |tables| tables.cancel(&owner, &own, now_s)).await?;
        batch = cancelled.ok_or_else(|| not_found(id))?;
    }
    // It may have got there in between.
    if batch.is_at_provider() {
        return provider_batches::cancel(inbound, batches, batch, record).await;
    }
    if batch.status.is_open() {
        batches.order(Order::Cancel(batch.id.clone()))?;
    }
    Ok(batch)
}

/// What came of a batch's rows: of those that were answered, or where there is none, of those that failed.
async fn output(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let batch = match Box::pin(ended(inbound, batches, owner.clone(), id, record)).await {
        Ok(batch) => batch,
        Err(error) => return error.into_answer(),
    };
    let part = if batch.completed > 0 { Part::Output } else { Part::Errors };
    if batch.remote.is_some() {
        return remote_rows(inbound, batches, &batch, Some(part), record).await;
    }
    let file = if batch.completed > 0 { batch.output_file } else { batch.error_file };
    let opened = batches.ask(move |tables| match tables.file(&owner, &file)? {
        Some(file) => Ok(Some((std::fs::File::open(tables.path(&file.id))?, file.bytes))),
        None => Ok(None),
    });
    let (file, bytes) = opened.await?.ok_or_else(|| {
        let message = "The batch has no output: no row was asked, or its files were deleted.";
        Fault::new(FaultKind::NotFound, message).with_code("output_not_found")
    })?;
    Ok(rows(file, bytes))
}

/// What came of the rows of a batch that is over at its provider; `None`: of all of them.
pub async fn remote_rows(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: &StoredBatch,
    part: Option<Part>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let answer = Box::pin(provider_batches::results::answer(inbound, batches, batch, part, record)).await;
    answer.or_else(AttemptError::into_answer)
}

/// There is no such batch of this caller's.
pub fn not_found(id: &str) -> Fault {
    let message =
        format!("No batch found with id '{id}': it does not exist, is too old, or belongs to another key.");
    Fault::new(FaultKind::NotFound, message).with_param("id").with_code("batch_not_found")
}

/// Another method is wanted.
pub fn wanted(methods: &str) -> Fault {
    Fault::invalid(format!("Use {methods} here.")).with_status(405).with_code("method_not_allowed")
}

/// The part of a list that a query asks for.
pub fn paging(query: &str, default: u32, max: u32) -> Result<Paging, Fault> {
    let mut paging = Paging { limit: default, ..Paging::default() };
    for (name, value) in query::fields(query).filter_map(query::Field::name_and_value) {
        let refused = |what: &str| Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(&*name);
        match &*name {
            "after" if !value.is_empty() => paging.after = Some(value.into_owned()),
            "limit" => match value.parse() {
                Ok(limit) if (1..=max).contains(&limit) => paging.limit = limit,
                _ => return Err(refused(&format!("must be a number from 1 to {max}"))),
            },
            "order" => match &*value {
                "asc" => paging.ascending = true,
                "desc" => paging.ascending = false,
                _ => return Err(refused("must be asc or desc")),
            },
            _ => {}
        }
    }
    Ok(paging)
}

/// Does a request name the gateway itself as its provider, or leave it open whom to ask where nobody is asked then? A provider that
/// the operator configured under one of these names comes first.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn names_gateway(inbound: Inbound<'_>) -> Result<bool, Fault> {
    let Inbound { core, gateway, .. } = inbound;
    match gateway.provider.as_deref() {
        _ if gateway.custom_host.is_some() => Ok(false),
        Some(name) => Ok(is_own_name(inbound, name)),
        None if core.settings.default_provider.is_some() => Ok(false),
        None => Ok(routes::find(inbound, None)?.is_none()),
    }
}

/// Does the request ask a provider whose batches (or, of files, whose jobs that train models) are in a form of its vendor's own, and not
/// in this API of OpenAI's, and is its client none of the vendor's? Then it is told there anew what it is, and here is what is kept for that.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn is_told_anew(inbound: Inbound<'_>, api: Api) -> Result<bool, Fault> {
    let headers = &inbound.parts.headers;
    asks(inbound, |provider| {
        let form = provider_batches::form_of(provider).filter(|_| !provider.offers(api));
        let is_batched =
            form.is_some_and(|form| form.own_header.is_none_or(|own| !headers.contains_key(own)));
        let is_trained = api == Api::OpenaiFiles && fine_tunes::form_of(provider).is_some();
        is_batched || is_trained && !provider.offers(api)
    })
}

/// Is the one provider that the request asks such a one? No, where nobody is named, or nobody that is known: handing it on says so.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn asks(inbound: Inbound<'_>, is_such: impl FnOnce(&Provider) -> bool) -> Result<bool, Fault> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if route.is_some() && leaf.is_none() {
        // There is something to decide, and that is done when it is handed on.
        return Ok(false);
    }
    Ok(target::provider(inbound, leaf).ok().flatten().is_some_and(is_such))
}

fn is_own_name(inbound: Inbound<'_>, name: &str) -> bool {
    OWN_NAMES.contains(&name) && !inbound.core.settings.configured.contains_key(name)
}

/// Whose what a request asks for has to be.
///
/// # Errors
/// As [`Batches::ask`].
pub async fn owner(inbound: Inbound<'_>, batches: &Batches) -> Result<String, Fault> {
    try_owner(inbound, batches).await.map_err(batches::refusal)
}

/// The same for whoever can do without.
///
/// # Errors
/// As [`Batches::try_ask`].
pub async fn try_owner(inbound: Inbound<'_>, batches: &Batches) -> Result<String, Option<BatchesClosed>> {
    let Inbound { core, caller, .. } = inbound;
    let shown = match (caller.key(&core.settings.gateway_keys), &caller.provider_key) {
        (Some(key), _) => Shown::Key(key.secret.expose_secret()),
        (None, Some(key)) => Shown::Credential(key.expose()),
        (None, None) => Shown::Nothing,
    };
    Ok(shown.owner(&batches.secret().await?))
}
