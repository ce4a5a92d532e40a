//! How far a batch is, and its end before its time: asked of the provider when a client asks.

use ostia_dialect::batches::{BatchForm, Found, Step};
use ostia_dialect::{Api, Fault};
use ostia_store::{BatchStatus, FilePurpose, RemoteBatch, StoredBatch, StoredFile};

use super::ask::{self, Sent};
use super::recall::Recalled;
use super::take_over;
use crate::batches::{self, Batches};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
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
    if is_to_end {
        ask::ask(inbound, remote, &(form.cancel)(id), Sent::default(), record).await?;
        let (owner, own, now_s) = (batch.owner.clone(), batch.id.clone(), batches::now_s());
        batches.ask(move |tables| tables.cancel(&owner, &own, now_s)).await?;
    }
    settle(inbound, batches, &batch, (remote, form, id), record).await
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

/// The step that asks for a part of the results.
pub fn results_step(
    form: &BatchForm,
    remote: &RemoteBatch,
    id: &str,
    part: ostia_dialect::batches::Part,
) -> Option<Step> {
    let found = Found { id: id.to_owned(), output: remote.output.clone(), errors: remote.errors.clone() };
    (form.results)(&found, part)
}

async fn settle(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: &StoredBatch,
    (remote, form, id): (&RemoteBatch, &BatchForm, &str),
    record: &mut Record,
) -> Result<StoredBatch, AttemptError> {
    let told = ask::ask(inbound, remote, &(form.status)(id), Sent::default(), record).await?;
    let state = form.read(&told)?;
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
    };
    some.map(file).collect()
}
