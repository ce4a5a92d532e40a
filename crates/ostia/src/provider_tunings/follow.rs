//! How far a job is, what happened to it, and its end before its time: asked of the provider when a client asks.

use ostia_dialect::fine_tuning::{Checkpoint, Event, Listing, State, TuningForm};
use ostia_store::StoredTuning;

use super::{form, objects, take_over};
use crate::batches::{self, Batches};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::provider_jobs::Recalled;
use crate::provider_jobs::ask::{self, Sent};
use crate::record::Record;

/// The job as it is now.
///
/// # Errors
/// The provider could not be asked, or refused.
pub async fn refresh(
    inbound: Inbound<'_>,
    batches: &Batches,
    tuning: StoredTuning,
    record: &mut Record,
) -> Result<StoredTuning, AttemptError> {
    follow(inbound, batches, tuning, false, record).await
}

/// Asks for the end of a job, and gives it as it is then.
///
/// # Errors
/// As [`refresh`].
pub async fn cancel(
    inbound: Inbound<'_>,
    batches: &Batches,
    tuning: StoredTuning,
    record: &mut Record,
) -> Result<StoredTuning, AttemptError> {
    follow(inbound, batches, tuning, true, record).await
}

/// What happened to a job. Where its provider does not tell, or does not have it, what is known here.
///
/// # Errors
/// As [`refresh`].
pub async fn events(
    inbound: Inbound<'_>,
    batches: &Batches,
    tuning: StoredTuning,
    record: &mut Record,
) -> Result<Vec<Event>, AttemptError> {
    if let Some(events) = listed(inbound, &tuning, form(&tuning)?.events.as_ref(), record).await? {
        return Ok(events);
    }
    Ok(objects::events(&refresh(inbound, batches, tuning, record).await?))
}

/// The models that came of a job meanwhile; none where its provider keeps none.
///
/// # Errors
/// As [`refresh`].
pub async fn checkpoints(
    inbound: Inbound<'_>,
    tuning: &StoredTuning,
    record: &mut Record,
) -> Result<Vec<Checkpoint>, AttemptError> {
    let listed = listed(inbound, tuning, form(tuning)?.checkpoints.as_ref(), record).await?;
    Ok(listed.unwrap_or_default())
}

/// A list of the provider's; `None`: it has none.
async fn listed<T>(
    inbound: Inbound<'_>,
    tuning: &StoredTuning,
    listing: Option<&Listing<T>>,
    record: &mut Record,
) -> Result<Option<Vec<T>>, AttemptError> {
    let (Some(listing), Some(id)) = (listing, &tuning.remote_id) else { return Ok(None) };
    record.account().call(None);
    let recalled = Recalled::of(inbound, &tuning.headers, &tuning.provider)?;
    let inbound = recalled.inbound(inbound);
    let answer = ask::ask(inbound, &tuning.provider, &(listing.step)(id), Sent::default(), record).await?;
    Ok(Some(listing.read(&answer)?))
}

async fn follow(
    inbound: Inbound<'_>,
    batches: &Batches,
    tuning: StoredTuning,
    is_to_end: bool,
    record: &mut Record,
) -> Result<StoredTuning, AttemptError> {
    let Some(id) = tuning.remote_id.clone().filter(|_| tuning.status.is_open()) else { return Ok(tuning) };
    let form: &TuningForm = form(&tuning)?;
    record.account().call(None);
    let recalled = Recalled::of(inbound, &tuning.headers, &tuning.provider)?;
    let inbound = recalled.inbound(inbound);
    if is_to_end {
        ask::ask(inbound, &tuning.provider, &(form.cancel)(&id), Sent::default(), record).await?;
    }
    let told = ask::ask(inbound, &tuning.provider, &(form.status)(&id), Sent::default(), record).await?;
    settle(batches, &tuning, form.read(&told)?).await
}

async fn settle(
    batches: &Batches,
    tuning: &StoredTuning,
    state: State,
) -> Result<StoredTuning, AttemptError> {
    let (owner, id, now_s) = (tuning.owner.clone(), tuning.id.clone(), batches::now_s());
    let changed = batches.ask(move |tables| {
        // Somebody else may have heard of its end before.
        let change = |tuning: &mut StoredTuning| {
            if tuning.status.is_open() {
                take_over(tuning, &state, now_s);
            }
        };
        tables.change_tuning(&owner, &id, change)
    });
    Ok(changed.await?.unwrap_or_else(|| tuning.clone()))
}
