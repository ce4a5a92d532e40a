//! Jobs that train models at providers that have them in a form of their own. All others are a provider's, and made and asked for there.

mod create;

pub use create::form_of;

use http::{Method, Response};
use ostia_dialect::fine_tuning::{encode_checkpoints, encode_events};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{Paging, StoredTuning};

use super::batches::{asks, names_gateway, owner, paging, wanted};
use crate::batches::{self, Batches, Order};
use crate::client::ClientBody;
use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::route::TuningPath;
use crate::message::body::Body;
use crate::provider_tunings::{self, objects};
use crate::record::Record;
use crate::routing::routes;

/// Most entries of a list, and how many where the client does not say
/// (<https://platform.openai.com/docs/api-reference/fine-tuning/list>).
const LIST_MAX: u32 = 100;
const JOBS_DEFAULT: u32 = 20;
const EVENTS_DEFAULT: u32 = 20;
const CHECKPOINTS_DEFAULT: u32 = 10;

/// Is what stands at this path the gateway's own? Of a job that is made its body says so too, and [`mod@create`] reads that.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn is_ours(inbound: Inbound<'_>, path: TuningPath<'_>) -> Result<bool, Fault> {
    match path.id() {
        Some(id) => Ok(batches::is_tuning_id(id)),
        None => {
            create::refuse_ended(inbound, routes::find(inbound, None)?.as_deref(), None)?;
            Ok(names_gateway(inbound)? || asks(inbound, |provider| form_of(provider).is_some())?)
        }
    }
}

/// Makes a job: at a provider in its own form, or as it is wherever its maker wants it.
///
/// # Errors
/// 400 for what makes no sense, 429 where too many are open, 503 where the gateway keeps nothing now.
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
/// 404 for a job that is not the caller's, 405, 400 for what makes no sense, 503 where the gateway keeps nothing now.
pub async fn answer(
    inbound: Inbound<'_>,
    path: TuningPath<'_>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let batches = inbound.core.batches.as_ref().ok_or_else(batches::missing)?;
    let owner = owner(inbound, batches).await?;
    let method = &inbound.parts.method;
    let is_read = method == Method::GET || method == Method::HEAD;
    match path {
        TuningPath::All if is_read => {
            let paging = paging(inbound.query(), JOBS_DEFAULT, LIST_MAX)?;
            let page = batches.ask(move |tables| tables.tunings(&owner, &paging)).await?;
            Ok(reply::json(objects::list(&page).to_string()))
        }
        TuningPath::One(id) if is_read => {
            let tuning = find(batches, owner, id).await?;
            told_of(Box::pin(provider_tunings::refresh(inbound, batches, tuning, record)).await)
        }
        TuningPath::Cancel(id) if method == Method::POST => cancel(inbound, batches, owner, id, record).await,
        TuningPath::Events(id) if is_read => events(inbound, batches, owner, id, record).await,
        TuningPath::Checkpoints(id) if is_read => checkpoints(inbound, batches, owner, id, record).await,
        TuningPath::All => Err(wanted("GET or POST")),
        TuningPath::One(_) | TuningPath::Events(_) | TuningPath::Checkpoints(_) => Err(wanted("GET")),
        TuningPath::Cancel(_) => Err(wanted("POST")),
        TuningPath::Other(_) => {
            let message = "The gateway has no form for this at the job's provider: its jobs can be asked for, cancelled, and asked for \
                           their events and checkpoints.";
            Err(Fault::new(FaultKind::NotFound, message).with_code("unsupported_operation"))
        }
    }
}

/// What is told of a job that its provider was asked for.
fn told_of(tuning: Result<StoredTuning, AttemptError>) -> Result<Response<Body>, Fault> {
    tuning.map(|tuning| told(&tuning)).or_else(AttemptError::into_answer)
}

fn told(tuning: &StoredTuning) -> Response<Body> {
    reply::json(objects::tuning(tuning).to_string())
}

async fn find(batches: &Batches, owner: String, id: &str) -> Result<StoredTuning, Fault> {
    let own = id.to_owned();
    batches.ask(move |tables| tables.tuning(&owner, &own)).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Fault {
    let message = format!(
        "No fine-tuning job found with id '{id}': it does not exist, is too old, or belongs to another key."
    );
    Fault::new(FaultKind::NotFound, message).with_param("id").with_code("fine_tuning_job_not_found")
}

async fn cancel(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let (own, now_s) = (id.to_owned(), batches::now_s());
    let cancelled = batches.ask(move |tables| tables.cancel_tuning(&owner, &own, now_s)).await?;
    let tuning = cancelled.ok_or_else(|| not_found(id))?;
    if tuning.remote_id.is_some() {
        return told_of(Box::pin(provider_tunings::cancel(inbound, batches, tuning, record)).await);
    }
    // It may be on its way.
    batches.order(Order::Cancel(tuning.id.clone()))?;
    Ok(told(&tuning))
}

async fn events(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let Paging { after, limit, .. } = paging(inbound.query(), EVENTS_DEFAULT, LIST_MAX)?;
    let tuning = find(batches, owner, id).await?;
    match Box::pin(provider_tunings::events(inbound, batches, tuning, record)).await {
        Ok(events) => {
            let page = encode_events(id, events, after.as_deref(), limit as usize);
            Ok(reply::json(page.as_str().to_owned()))
        }
        Err(error) => error.into_answer(),
    }
}

async fn checkpoints(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let Paging { after, limit, .. } = paging(inbound.query(), CHECKPOINTS_DEFAULT, LIST_MAX)?;
    let tuning = find(batches, owner, id).await?;
    match Box::pin(provider_tunings::checkpoints(inbound, &tuning, record)).await {
        Ok(checkpoints) => {
            let page = encode_checkpoints(id, checkpoints, after.as_deref(), limit as usize);
            Ok(reply::json(page.as_str().to_owned()))
        }
        Err(error) => error.into_answer(),
    }
}
