//! What a vendor's own jobs that train models are like: which requests send files, make, ask for and end a job, and what the answers say.
//! Nothing is sent from here: a [`Step`] says what to ask, and whoever has a network asks it.

use super::listed::{Checkpoint, Event};
use super::request::NewJob;
use super::row::RowKind;
use crate::Fault;
use crate::batches::form::is_id;
use crate::batches::{Settings, Storage, Upload};
use crate::json::{Document, Node};
use crate::step::Step;

/// Writes a row of a job behind others, without a line's end: the fields of the client's that cannot be said, by path. 400 for a row that
/// the vendor cannot be told.
pub type EncodeRow = fn(&mut Vec<u8>, &NewJob, &[u8]) -> Result<Vec<String>, Fault>;

/// How jobs are asked for at a vendor whose form is not OpenAI's.
#[derive(Debug)]
pub struct TuningForm {
    /// What rows the vendor can train with for this job. None: it does not train in this way.
    pub rows: fn(&NewJob) -> &'static [RowKind],
    /// Fewest rows of a file.
    pub rows_min: u64,
    /// Most rows of a file that the model is held against.
    pub validation_rows_max: u64,
    /// Largest file that one request sends, in bytes.
    pub bytes_max: u64,
    /// The object storage that rows are in, where the provider keeps no files itself.
    pub storage: Option<Storage>,
    /// Tells a row anew, where the vendor does not take OpenAI's.
    pub encode_row: Option<EncodeRow>,
    /// Sends a file.
    pub upload: Upload,
    /// The fields of a job that the vendor has no form for, by path.
    pub unsaid: fn(&NewJob) -> Vec<&'static str>,
    /// Makes the job.
    pub create: fn(&NewJob, &Files<'_>) -> Step,
    /// Asks how far the job of this id is.
    pub status: fn(&str) -> Step,
    /// Asks for its end.
    pub cancel: fn(&str) -> Step,
    /// Reads what comes of making it, and of asking for it.
    pub decode: fn(Node<'_>) -> Result<State, Fault>,
    /// Is this the id of a job? What it does not take could lead to another place.
    pub is_id: fn(&str) -> bool,
    /// What happened to it, where the vendor tells.
    pub events: Option<Listing<Event>>,
    /// The models that came of it meanwhile, where the vendor keeps them.
    pub checkpoints: Option<Listing<Checkpoint>>,
}

/// A list that a vendor has of a job.
#[derive(Debug)]
pub struct Listing<T> {
    /// Asks for the one of the job of this id.
    pub step: fn(&str) -> Step,
    /// Reads it.
    pub decode: fn(Node<'_>) -> Vec<T>,
}

/// The files of a job, by the vendor's ids, and what the job is called there.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// A name that no other job has, letters and digits and few signs between.
    pub name: &'a str,
    /// Rows that the model is trained with.
    pub training: &'a str,
    /// Rows that it is held against.
    pub validation: Option<&'a str>,
    /// The provider's settings.
    pub settings: Settings<'a>,
}

/// What a vendor says of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Its id there.
    pub id: String,
    /// How far it is.
    pub status: Status,
    /// The model that came of it.
    pub model: Option<String>,
    /// Tokens that it was trained with.
    pub trained_tokens: Option<u64>,
    /// When it ended, in seconds since 1970.
    pub ended_s: Option<u64>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How far a job is, in OpenAI's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Its files are looked through.
    ValidatingFiles,
    /// It waits.
    #[default]
    Queued,
    /// The model is trained.
    Running,
    /// There is a model.
    Succeeded,
    /// There is none.
    Failed,
    /// It was ended.
    Cancelled,
}

impl TuningForm {
    /// What the vendor says of a job.
    ///
    /// # Errors
    /// 502 for what says nothing of one, and for an id that could lead to another place.
    pub fn read(&self, body: &[u8]) -> Result<State, Fault> {
        let document = parse(body)?;
        let state = (self.decode)(document.root())?;
        match (self.is_id)(&state.id) {
            true => Ok(state),
            false => Err(Fault::upstream("The provider's answer names a job by no usable id.")),
        }
    }
}

impl<T> Listing<T> {
    /// What the vendor lists.
    ///
    /// # Errors
    /// 502 for what is no JSON.
    pub fn read(&self, body: &[u8]) -> Result<Vec<T>, Fault> {
        Ok((self.decode)(parse(body)?.root()))
    }
}

/// Letters, digits and few signs; a collection may stand before.
pub(super) fn is_plain_id(id: &str) -> bool {
    id.split('/').count() <= 2 && id.split('/').all(is_id)
}

fn parse(body: &[u8]) -> Result<Document<'_>, Fault> {
    Document::parse(body).map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))
}
