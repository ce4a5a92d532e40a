//! A batch on its way to its provider: the rows are told anew, sent, and the batch is made of them.

use std::time::Duration;

use ostia_dialect::batches::{BatchForm, NewBatch, Ready, Settings, State, Upload};
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_store::{BatchFault, BatchStatus, RemoteBatch, StoredBatch};
use tokio::time::{Instant, sleep};

use super::ask::{self, Sent};
use super::encode::{self, EncodedRows, Paths, told};
use super::follow::form;
use super::recall::Recalled;
use super::take_over;
use crate::batches::{self, Batches};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::record::Record;

/// How long a provider may look through rows before a batch can be made of them, and how often it is asked whether it has.
const READY_TIME: Duration = Duration::from_secs(1800);
const READY_PAUSE_FIRST: Duration = Duration::from_millis(500);
const READY_PAUSE_MAX: Duration = Duration::from_secs(15);

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

/// It is not the provider of the batch who says so, perhaps.
fn not_stored(mut error: AttemptError) -> AttemptError {
    error.fault.message = format!("The rows could not be stored: {}", error.fault.message);
    error
}

async fn end(
    inbound: Inbound<'_>,
    (remote, form): (&RemoteBatch, &BatchForm),
    state: &State,
    record: &mut Record,
) -> Result<State, AttemptError> {
    let id = &state.found.id;
    ask::ask(inbound, remote, &(form.cancel)(id), Sent::default(), record).await?;
    let answer = ask::ask(inbound, remote, &(form.status)(id), Sent::default(), record).await?;
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
    let values = ask::at(inbound, remote, Some(api), |target| Ok(target.values.clone()))?;
    let EncodedRows { model, endpoint, count, .. } = encoded;
    let new = NewBatch { name, api, model, endpoint, rows: *count, settings: Settings(values.all()) };
    let sent = Sent { rows: Some(&encoded.rows), model, headers: &encoded.headers, is_long: true };
    let file = match form.upload {
        Some(upload) => {
            let file = send(inbound, remote, (&new, upload), sent, record).await?;
            if let Some(ready) = upload.ready
                && !wait(inbound, remote, (ready, &file), is_wanted, record).await?
            {
                return Ok(None);
            }
            file
        }
        None => String::new(),
    };
    let answer = ask::ask(inbound, remote, &(form.create)(&new, &file), sent, record).await?;
    Ok(Some(form.read(&answer)?))
}

/// Sends the rows: the id of their file.
async fn send(
    inbound: Inbound<'_>,
    remote: &RemoteBatch,
    (new, upload): (&NewBatch<'_>, Upload),
    sent: Sent<'_>,
    record: &mut Record,
) -> Result<String, AttemptError> {
    if let Some(begin) = upload.begin {
        ask::ask(inbound, remote, &begin(new), Sent { rows: None, ..sent }, record).await?;
    }
    let answer = ask::ask(inbound, remote, &(upload.send)(new), sent, record).await;
    Ok(upload.read(new, &answer.map_err(not_stored)?)?)
}

/// Waits until a batch can be made of the rows. `false`: nobody wants it any more.
async fn wait(
    inbound: Inbound<'_>,
    remote: &RemoteBatch,
    (ready, file): (Ready, &str),
    is_wanted: &impl Fn() -> bool,
    record: &mut Record,
) -> Result<bool, AttemptError> {
    let end = Instant::now() + READY_TIME;
    let mut pause = READY_PAUSE_FIRST;
    while is_wanted() {
        let answer = ask::ask(inbound, remote, &(ready.step)(file), Sent::default(), record).await?;
        if ready.read(&answer)? {
            return Ok(true);
        }
        if Instant::now() + pause > end {
            let message = format!("The provider has not looked through the rows within {READY_TIME:?}.");
            return Err(Fault::new(FaultKind::Timeout, message).into());
        }
        sleep(pause).await;
        pause = (pause * 2).min(READY_PAUSE_MAX);
    }
    Ok(false)
}
