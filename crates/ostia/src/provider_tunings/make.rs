//! A job on its way to its provider: its files are told as that takes them, and sent, and it is made of them.

use std::path::PathBuf;
use std::sync::Arc;

use ostia_dialect::batches::{NewBatch, Settings};
use ostia_dialect::fine_tuning::{Files, NewJob, State, TuningForm};
use ostia_dialect::{Api, Fault};
use ostia_providers::Values;
use ostia_store::StoredTuning;
use tokio::task::spawn_blocking;

use super::encode::{self, Source};
use super::{form, take_over};
use crate::batches::{self, Batches};
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
    let chosen = Chosen::of(inbound, tuning)?;
    let settings = Settings(chosen.values.all());
    // Nothing is sent before all of it can be told.
    let mut files = Vec::new();
    let training = Some(tuning.training_file.as_str());
    let named = [("training_file", training), ("validation_file", validation(form, tuning, job))];
    for (field, id) in named.into_iter().filter_map(|(field, id)| Some((field, id?))) {
        if !is_wanted() {
            return Ok(None);
        }
        files.push(rows(batches, (form, tuning, job), (field, id), chosen.lossless, record).await?);
    }
    let mut names = Vec::new();
    for (place, file) in files.iter().enumerate() {
        // Two files of one job have two names.
        let name = if place == 0 { tuning.id.clone() } else { format!("{}-v", tuning.id) };
        let new = NewBatch {
            name: &name,
            api: Api::from_name(&tuning.api).unwrap_or(ask::CLIENT),
            model: &tuning.model,
            endpoint: "",
            rows: file.count,
            settings,
        };
        if !is_wanted() {
            return Ok(None);
        }
        let sent = Sent { rows: Some(&file.rows), is_long: true, ..Sent::default() };
        let sent =
            upload::send(inbound, &tuning.provider, (&new, form.upload), sent, &is_wanted, record).await?;
        let Some(sent) = sent else { return Ok(None) };
        names.push(sent);
    }
    if !is_wanted() {
        return Ok(None);
    }
    let training = names.first().map(String::as_str).unwrap_or_default();
    let validation = names.get(1).map(String::as_str);
    let files = Files { name: &tuning.id, training, validation, settings };
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
fn validation<'t>(form: &TuningForm, tuning: &'t StoredTuning, job: &NewJob) -> Option<&'t str> {
    let is_taken = !(form.unsaid)(job).contains(&"validation_file");
    tuning.validation_file.as_deref().filter(|_| is_taken)
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

/// What is chosen for the provider of a job.
struct Chosen {
    values: Values,
    /// Nothing may be lost.
    lossless: bool,
}

impl Chosen {
    fn of(inbound: Inbound<'_>, tuning: &StoredTuning) -> Result<Chosen, Fault> {
        ask::at(inbound, &tuning.provider, Api::from_name(&tuning.api), |target| {
            Ok(Chosen { values: target.values.clone(), lossless: target.lossless })
        })
    }
}

/// A file as it is sent.
struct Rows {
    rows: Stored,
    count: u64,
}

/// The rows of a file as the provider takes them.
async fn rows(
    batches: &Batches,
    (form, tuning, job): (&TuningForm, &StoredTuning, &NewJob),
    (field, id): (&'static str, &str),
    lossless: bool,
    record: &mut Record,
) -> Result<Rows, Fault> {
    let (owner, own) = (tuning.owner.clone(), id.to_owned());
    let found = batches.ask(move |tables| {
        let folder = tables.folder().to_owned();
        Ok(tables.file(&owner, &own)?.map(|file| (tables.path(&file.id), folder, file.rows)))
    });
    let (path, folder, count) = found.await?.ok_or_else(|| {
        Fault::invalid("The file was deleted before it was sent.").with_code("file_not_found")
    })?;
    let Some(encode_row) = form.encode_row else { return Ok(Rows { rows: open(path).await?, count }) };
    let source = Source { field, path, folder, lossless };
    let encoded = encode::encode(batches, job, (form, encode_row), source).await?;
    // Nothing may be lost of rows for which that is asked: each was held to it.
    let dropped = record.dropped_fields().iter().cloned().chain(encoded.dropped).collect();
    let _ = record.dropped(dropped, false);
    Ok(Rows { rows: encoded.rows, count })
}

async fn open(path: PathBuf) -> Result<Stored, Fault> {
    let opened = spawn_blocking(move || {
        let file = std::fs::File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Stored::Disk { file: Arc::new(file), start: 0, bytes })
    });
    let opened = opened.await.map_err(std::io::Error::other).flatten();
    opened.map_err(|error| encode::unreadable(&error))
}
