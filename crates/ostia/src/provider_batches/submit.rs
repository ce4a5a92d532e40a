//! A batch on its way to its provider: the rows are told anew, sent, and the batch is made of them.

use ostia_dialect::batches::{BatchForm, NewBatch, Settings, State};
use ostia_dialect::{Api, Fault};
use ostia_store::{BatchFault, BatchStatus, RemoteBatch, StoredBatch};

use super::encode::{self, EncodedRows, Paths, told};
use super::follow::form;
use super::take_over;
use crate::batches::{self, Batches};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::provider_jobs::ask::{self, Sent};
use crate::provider_jobs::{Recalled, upload};
use crate::record::Record;

/// Makes a batch at its provider; the batch is as the provider says then. `None`: nobody wants it any more.
///
/// # Errors
/// The line of a row that cannot be told there, or what the provider says against the batch.
pub async fn submit(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: &StoredBatch,
    is_wanted: impl Fn() -> bool,
    record: &mut Record,
) -> Result<Option<StoredBatch>, BatchFault> {
    let lost = || told(&Fault::invalid("The batch names no provider."), None);
    let remote = batch.remote.as_ref().ok_or_else(lost)?;
    let form = form(remote).map_err(|fault| told(&fault, None))?;
    let (source, asked) = (batch.input_file.clone(), batch.id.clone());
    let paths = batches.ask(move |tables| {
        Ok(Paths {
            source: tables.path(&source),
            asked: tables.path(&asked),
            folder: tables.folder().to_owned(),
        })
    });
    let paths = paths.await.map_err(|fault| told(&fault, None))?;
    let mut encoded = encode::encode(inbound, batches, remote, form, paths).await?;
    // Nothing may be lost of rows for which that is asked: each was held to it.
    let _ = record.dropped(std::mem::take(&mut encoded.dropped), false);
    if !is_wanted() {
        return Ok(None);
    }
    // Where the rows say whom to ask, the batch itself is for that provider too.
    let recalled = Recalled::of(inbound, &[], &remote.provider).map_err(|fault| told(&fault, None))?;
    let inbound = recalled.inbound(inbound);
    let made = make(inbound, (&batch.id, remote, form), &encoded, &is_wanted, record).await;
    let Some(mut state) = made.map_err(|error| told(&error.fault, None))? else { return Ok(None) };
    let mut batch = batch.clone();
    if !is_wanted() {
        batch.is_now(BatchStatus::Cancelling, batches::now_s());
        // Where the provider does not hear of it, whoever asks for the batch sees that it goes on.
        if let Ok(ended) = end(inbound, (remote, form), &state, record).await {
            state = ended;
        }
    }
    take_over(&mut batch, &state, batches::now_s());
    Ok(Some(batch))
}

async fn end(
    inbound: Inbound<'_>,
    (remote, form): (&RemoteBatch, &BatchForm),
    state: &State,
    record: &mut Record,
) -> Result<State, AttemptError> {
    let id = &state.found.id;
    ask::ask(inbound, &remote.provider, &(form.cancel)(id), Sent::default(), record).await?;
    let answer = ask::ask(inbound, &remote.provider, &(form.status)(id), Sent::default(), record).await?;
    Ok(form.read(&answer)?)
}

/// `None`: nobody wants it any more.
async fn make(
    inbound: Inbound<'_>,
    (name, remote, form): (&str, &RemoteBatch, &BatchForm),
    encoded: &EncodedRows,
    is_wanted: &impl Fn() -> bool,
    record: &mut Record,
) -> Result<Option<State>, AttemptError> {
    let api = Api::from_name(&remote.api).unwrap_or(ask::CLIENT);
    let values = ask::at(inbound, &remote.provider, Some(api), |target| Ok(target.values.clone()))?;
    let EncodedRows { model, endpoint, count, .. } = encoded;
    let new = NewBatch { name, api, model, endpoint, rows: *count, settings: Settings(values.all()) };
    let sent = Sent { rows: Some(&encoded.rows), model, headers: &encoded.headers, is_long: true };
    let file = match form.upload {
        Some(upload) => {
            upload::send(inbound, &remote.provider, (&new, upload), sent, is_wanted, record).await?
        }
        None => Some(String::new()),
    };
    let Some(file) = file else { return Ok(None) };
    let answer = ask::ask(inbound, &remote.provider, &(form.create)(&new, &file), sent, record).await?;
    Ok(Some(form.read(&answer)?))
}
