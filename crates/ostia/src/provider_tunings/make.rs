//! A job on its way to its provider: its files are sent, and it is made of them.

use std::path::PathBuf;
use std::sync::Arc;

use ostia_dialect::batches::{NewBatch, Settings};
use ostia_dialect::fine_tuning::{Files, NewJob, State, TuningForm};
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_store::StoredTuning;
use tokio::task::spawn_blocking;

use super::{form, take_over};
use crate::batches::{self, Batches, files_unreadable};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::provider_jobs::ask::{self, Sent};
use crate::provider_jobs::{Recalled, upload};
use crate::record::Record;
use crate::upstream::pieces::Stored;

/// Makes a job at its provider; the job is as the provider says then. `None`: nobody wants it any more.
///
/// # Errors
/// What the provider says against the job or its files, and why these cannot be read.
pub async fn make(
    inbound: Inbound<'_>,
    batches: &Batches,
    (tuning, job): (&StoredTuning, &NewJob),
    is_wanted: impl Fn() -> bool,
    record: &mut Record,
) -> Result<Option<StoredTuning>, AttemptError> {
    let form = form(tuning)?;
    let recalled = Recalled::of(inbound, &[], &tuning.provider)?;
    let inbound = recalled.inbound(inbound);
    let mut names = Vec::new();
    for (place, file) in
        [Some(&tuning.training_file), validation(form, tuning, job)].into_iter().flatten().enumerate()
    {
        // Two files of one job have two names.
        let name = if place == 0 { tuning.id.clone() } else { format!("{}-v", tuning.id) };
        let sent = send(inbound, batches, (form, tuning), (&name, file), &is_wanted, record).await?;
        let Some(sent) = sent else { return Ok(None) };
        names.push(sent);
    }
    if !is_wanted() {
        return Ok(None);
    }
    let training = names.first().map(String::as_str).unwrap_or_default();
    let files = Files { name: &tuning.id, training, validation: names.get(1).map(String::as_str) };
    let step = (form.create)(job, &files);
    let sent = Sent { model: &job.model, ..Sent::default() };
    let mut state = form.read(&ask::ask(inbound, &tuning.provider, &step, sent, record).await?)?;
    if !is_wanted() {
        // Where the provider does not hear of it, whoever asks for the job sees that it goes on.
        if let Ok(ended) = end(inbound, (form, tuning), &state, record).await {
            state = ended;
        }
    }
    let mut tuning = tuning.clone();
    take_over(&mut tuning, &state, batches::now_s());
    Ok(Some(tuning))
}

/// The file of rows that the model is held against, where the provider takes one.
fn validation<'t>(form: &TuningForm, tuning: &'t StoredTuning, job: &NewJob) -> Option<&'t String> {
    let is_taken = !(form.unsaid)(job).contains(&"validation_file");
    tuning.validation_file.as_ref().filter(|_| is_taken)
}

async fn end(
    inbound: Inbound<'_>,
    (form, tuning): (&TuningForm, &StoredTuning),
    state: &State,
    record: &mut Record,
) -> Result<State, AttemptError> {
    let provider = &tuning.provider;
    ask::ask(inbound, provider, &(form.cancel)(&state.id), Sent::default(), record).await?;
    let answer = ask::ask(inbound, provider, &(form.status)(&state.id), Sent::default(), record).await?;
    Ok(form.read(&answer)?)
}

/// Sends a file: its id at the provider. `None`: nobody wants it any more.
async fn send(
    inbound: Inbound<'_>,
    batches: &Batches,
    (form, tuning): (&TuningForm, &StoredTuning),
    (name, id): (&str, &str),
    is_wanted: &impl Fn() -> bool,
    record: &mut Record,
) -> Result<Option<String>, AttemptError> {
    if !is_wanted() {
        return Ok(None);
    }
    let (owner, own) = (tuning.owner.clone(), id.to_owned());
    let found = batches
        .ask(move |tables| Ok(tables.file(&owner, &own)?.map(|file| (tables.path(&file.id), file.rows))));
    let (path, count) = found.await?.ok_or_else(|| {
        Fault::invalid("The file was deleted before it was sent.").with_code("file_not_found")
    })?;
    let rows = open(path).await?;
    let api = Api::from_name(&tuning.api).unwrap_or(ask::CLIENT);
    let new = NewBatch {
        name,
        api,
        model: &tuning.model,
        endpoint: "",
        rows: count,
        settings: Settings::default(),
    };
    let sent = Sent { rows: Some(&rows), is_long: true, ..Sent::default() };
    upload::send(inbound, &tuning.provider, (&new, form.upload), sent, is_wanted, record).await
}

async fn open(path: PathBuf) -> Result<Stored, Fault> {
    let opened = spawn_blocking(move || {
        let file = std::fs::File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Stored::Disk { file: Arc::new(file), start: 0, bytes })
    });
    let opened = opened.await.map_err(std::io::Error::other).flatten();
    opened.map_err(|error| {
        let fault = files_unreadable(&error);
        Fault::new(FaultKind::Overloaded, fault.message).with_code(fault.code)
    })
}
