//! How far a batch is, and its end before its time: asked of the provider when a client asks.

use ostia_dialect::batches::{BatchForm, Found, Part, State, Status};
use ostia_dialect::{Api, Fault};
use ostia_store::{BatchStatus, FilePurpose, RemoteBatch, StoredBatch, StoredFile};

use super::{results, take_over};
use crate::batches::{self, Batches};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::provider_jobs::Recalled;
use crate::provider_jobs::ask::{self, Sent};
use crate::record::Record;

/// The batch as it is now.
///
/// # Errors
/// The provider could not be asked, or refused.
pub async fn refresh(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: StoredBatch,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    follow(inbound, batches, batch, false, record).await
}

/// Asks for the end of a batch, and gives it as it is then.
///
/// # Errors
/// As [`refresh`].
pub async fn cancel(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: StoredBatch,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    follow(inbound, batches, batch, true, record).await
}

async fn follow(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: StoredBatch,
    is_to_end: bool,
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    let Some((remote, form, id)) = found(&batch)?.filter(|_| batch.status.is_open()) else {
        return Ok(batch);
    };
    record.account().call(None);
    let recalled = Recalled::of(inbound, &batch.headers, &remote.provider)?;
    let inbound = recalled.inbound(inbound);
    let is_to_end_before = batch.status == BatchStatus::Cancelling;
    if is_to_end {
        ask::ask(inbound, &remote.provider, &(form.cancel)(id), Sent::default(), record).await?;
        let (owner, own, now_s) = (batch.owner.clone(), batch.id.clone(), batches::now_s());
        batches.ask(move |tables| tables.cancel(&owner, &own, now_s)).await?;
    }
    let state = match state(inbound, &batch, (remote, form, id), record).await {
        // There are vendors that forget a batch that was ended.
        Err(error) if error.fault.status == 404 && (is_to_end || is_to_end_before) => State {
            found: Found { id: id.to_owned(), ..Found::default() },
            status: Status::Cancelled,
            ..State::default()
        },
        state => state?,
    };
    settle(batches, &batch, state).await
}

/// What the provider says of a batch; where it does not count the rows of one that is over, what its results say.
async fn state(
    inbound: Inbound<'_>,
    batch: &StoredBatch,
    (remote, form, id): (&RemoteBatch, &BatchForm, &str),
    record: &mut Record,
) -> Result<State, AttemptError> {
    let told = ask::ask(inbound, &remote.provider, &(form.status)(id), Sent::default(), record).await?;
    let mut state = form.read(&told)?;
    let is_over = match state.status {
        Status::InProgress | Status::Cancelling | Status::Failed => false,
        Status::Completed | Status::Expired | Status::Cancelled => true,
    };
    if state.percent.is_some() && is_over {
        let Found { output, errors, .. } = state.found.clone();
        let remote = RemoteBatch { output, errors, ..remote.clone() };
        let at = (&remote, form, id);
        state.failed = results::count(inbound, at, Part::Errors, record).await?;
        state.completed = match state.status {
            // Each row is in one of both.
            Status::Completed => batch.rows.saturating_sub(state.failed),
            _ => results::count(inbound, at, Part::Output, record).await?,
        };
        state.percent = None;
    }
    Ok(state)
}

/// Which batch it is at its provider; `None`: it is not there yet, or is none of a provider's.
pub fn found(batch: &StoredBatch) -> Result<Option<(&RemoteBatch, &'static BatchForm, &str)>, Fault> {
    let Some(remote) = &batch.remote else { return Ok(None) };
    let Some(id) = &remote.id else { return Ok(None) };
    Ok(Some((remote, form(remote)?, id)))
}

/// The form of its batches.
pub fn form(remote: &RemoteBatch) -> Result<&'static BatchForm, Fault> {
    Api::from_name(&remote.api).and_then(Api::batches).ok_or_else(|| {
        Fault::invalid(format!("This gateway knows no batches by the name of `{}`.", remote.api))
    })
}

async fn settle(batches: &Batches, batch: &StoredBatch, state: State) -> Result<StoredBatch, AttemptError> {
    let (own, now_s) = (batch.clone(), batches::now_s());
    let changed = batches.ask(move |tables| {
        let Some(mut batch) = tables.batch(&own.owner, &own.id)? else { return Ok(None) };
        // Somebody else may have heard of its end before.
        if !batch.status.is_open() {
            return Ok(Some(batch));
        }
        take_over(&mut batch, &state, now_s);
        let files = if batch.status.is_open() { Vec::new() } else { files(&batch, now_s) };
        let ended = batch.clone();
        tables.end_batch(&batch, &files, move |batch| *batch = ended)?;
        Ok(Some(batch))
    });
    Ok(changed.await?.unwrap_or_else(|| batch.clone()))
}

/// What clients see of the results. They stay at the provider, so that their length is not known here.
fn files(batch: &StoredBatch, now_s: u64) -> Vec<StoredFile> {
    let parts =
        [(&batch.output_file, batch.completed, "output"), (&batch.error_file, batch.failed, "errors")];
    let has_ended = batch.status != BatchStatus::Failed;
    let some = parts.into_iter().filter(|(_, rows, _)| *rows > 0 && has_ended);
    let file = |(id, rows, name): (&String, u64, &str)| StoredFile {
        id: id.clone(),
        owner: batch.owner.clone(),
        created_s: now_s,
        filename: format!("{}_{name}.jsonl", batch.id),
        purpose: FilePurpose::BatchOutput,
        bytes: 0,
        rows,
        urls: Vec::new(),
        batch: Some(batch.id.clone()),
        training: None,
    };
    some.map(file).collect()
}
