//! What a vendor's own batches are like: how rows are put together, which requests make, ask for and end a batch, and what the answers
//! say. Clients see OpenAI's form of it all (<https://platform.openai.com/docs/api-reference/batch>).
//!
//! Rows are told as calls are, each by itself; here is only what stands around them. Nothing is sent from here: a [`Step`] says what to
//! ask, and whoever has a network asks it.

use std::borrow::Cow;

use super::objects;
use super::results::Results;
use crate::json::{Document, Node};
use crate::step::Step;
use crate::{Api, Fault};

/// Longest id of a batch or a file at a vendor, in bytes.
const ID_BYTES_MAX: usize = 256;

/// Writes a row behind others: its key, and the body of its call. 400 for a body that is no JSON object.
pub type EncodeRow = fn(&mut Vec<u8>, &str, &[u8]) -> Result<(), Fault>;

/// How batches are asked for at a vendor whose form is not OpenAI's.
#[derive(Debug)]
pub struct BatchForm {
    /// A header that all clients of the vendor's own form send, and no others, where there is one.
    pub own_header: Option<&'static str>,
    /// The APIs that rows may call, and what the vendor calls each where it wants to know.
    pub rows: &'static [(Api, &'static str)],
    /// Fewest rows of a batch.
    pub rows_min: u64,
    /// Most rows of a batch.
    pub rows_max: u64,
    /// Longest input, in bytes.
    pub bytes_max: u64,
    /// All rows of a batch ask one model, and call one API.
    pub one_model: bool,
    /// What stands between two rows.
    pub separator: &'static str,
    /// The object storage that rows and results are in, where the provider keeps no files itself.
    pub storage: Option<Storage>,
    /// Writes a row: its key, and the body of its call.
    pub encode_row: EncodeRow,
    /// Sends the rows as a file, where they are no part of what makes the batch.
    pub upload: Option<Upload>,
    /// Makes the batch, of the file of this id.
    pub create: fn(&NewBatch<'_>, &str) -> Step,
    /// Asks how far the batch of this id is.
    pub status: fn(&str) -> Step,
    /// Asks for its end.
    pub cancel: fn(&str) -> Step,
    /// Reads what comes of making it, and of asking for it.
    pub decode: fn(Node<'_>) -> Result<State, Fault>,
    /// Where its results are: those of rows that were answered, or of those that failed. `None`: there are none.
    pub results: fn(&Found, Part) -> Option<Results>,
    /// Reads a row of the results.
    pub decode_result: for<'d> fn(Node<'d>) -> Result<RowResult<'d>, Fault>,
}

/// How rows are sent before the batch is made.
#[derive(Debug, Clone, Copy)]
pub struct Upload {
    /// Makes what they go into, where that is there before them.
    pub begin: Option<fn(&NewBatch<'_>) -> Step>,
    /// Sends them.
    pub send: fn(&NewBatch<'_>) -> Step,
    /// Where they are then.
    pub file: UploadedFile,
    /// What is waited for before the batch is made of them.
    pub ready: Option<Ready>,
}

/// By which id uploaded rows are known.
#[derive(Debug, Clone, Copy)]
pub enum UploadedFile {
    /// The answer says it.
    Told(fn(Node<'_>) -> Option<String>),
    /// It is where they were put, whatever the answer says.
    Chosen(fn(&NewBatch<'_>) -> String),
}

/// How long a vendor looks through rows before a batch can be made of them.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// Asks for the file of this id.
    pub step: fn(&str) -> Step,
    /// Whether it is ready, in the answer; or what is wrong with it.
    pub decode: fn(Node<'_>) -> Result<bool, Fault>,
}

/// An object storage.
#[derive(Debug, Clone, Copy)]
pub struct Storage {
    /// Its API.
    pub api: Api,
    /// Settings of the provider's without which no batch can be made there.
    pub needed: &'static [&'static str],
    /// Looks at the settings.
    pub check: fn(Settings<'_>) -> Result<(), Fault>,
}

/// The values of a provider's settings, by name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'a>(pub &'a [(String, String)]);

impl<'a> Settings<'a> {
    /// The value of this one.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A batch that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewBatch<'a> {
    /// A name that no other batch has, letters and digits and few signs between.
    pub name: &'a str,
    /// The API of the batch.
    pub api: Api,
    /// The model, where all rows ask one.
    pub model: &'a str,
    /// What the vendor calls that which rows call.
    pub endpoint: &'a str,
    /// How many rows it has.
    pub rows: u64,
    /// The provider's settings.
    pub settings: Settings<'a>,
}

/// What a vendor says of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The batch, and where its results are.
    pub found: Found,
    /// How far it is.
    pub status: Status,
    /// Rows that were answered.
    pub completed: u64,
    /// Rows that failed, were cancelled, or were not asked in time.
    pub failed: u64,
    /// In place of both, where the vendor does not count them: how much of the batch is done, in percent.
    pub percent: Option<u64>,
    /// When it has to be over, in seconds since 1970.
    pub expires_s: Option<u64>,
    /// When its end was asked for.
    pub cancelling_s: Option<u64>,
    /// When it ended.
    pub ended_s: Option<u64>,
    /// Why it failed as a whole.
    pub reason: Option<String>,
}

/// A batch at a vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its id there.
    pub id: String,
    /// The id of the file with the results of rows that were answered, or of all; in an object storage, its address.
    pub output: Option<String>,
    /// The same of rows that failed, where that is another one.
    pub errors: Option<String>,
}

/// How far a batch is, in OpenAI's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// It waits, or its rows are answered.
    #[default]
    InProgress,
    /// It was answered.
    Completed,
    /// It failed as a whole.
    Failed,
    /// It took too long.
    Expired,
    /// Its end was asked for.
    Cancelling,
    /// It was ended.
    Cancelled,
}

/// A part of what comes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Rows that were answered.
    Output,
    /// All others.
    Errors,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowResult<'d> {
    /// The key that it was sent with.
    pub key: Cow<'d, str>,
    /// What came.
    pub outcome: Outcome<'d>,
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<'d> {
    /// An answer in the vendor's words.
    Answer(&'d str),
    /// An error of the call.
    Refused(Box<Fault>),
    /// It was not asked: OpenAI's word for why, and the reason.
    NotAsked(&'static str, &'static str),
}

impl Outcome<'_> {
    /// The part of the results that it stands in.
    pub fn part(&self) -> Part {
        match self {
            Outcome::Answer(_) => Part::Output,
            Outcome::Refused(_) | Outcome::NotAsked(..) => Part::Errors,
        }
    }

    /// Its batch was ended before it was asked.
    pub(super) const CANCELLED: Outcome<'static> =
        Outcome::NotAsked("batch_cancelled", "The row was not asked before the batch was cancelled.");
    /// Its batch took too long.
    pub(super) const EXPIRED: Outcome<'static> =
        Outcome::NotAsked("batch_expired", "The row was not asked before the batch expired.");
}

impl BatchForm {
    /// What the vendor says of a batch.
    ///
    /// # Errors
    /// 502 for what says nothing of one, and for an id that could lead to another place.
    pub fn read(&self, body: &[u8]) -> Result<State, Fault> {
        let document = Document::parse(body)
            .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
        let state = (self.decode)(document.root())?;
        let Found { id, output, errors } = &state.found;
        let is_file = |file: &String| match self.storage {
            Some(_) => objects::is_address(file),
            None => is_id(file),
        };
        match is_id(id) && [output, errors].into_iter().flatten().all(is_file) {
            true => Ok(state),
            false => Err(Fault::upstream("The provider's answer names a batch or a file by no usable id.")),
        }
    }

    /// Where all results of a batch are, and the rest of them where they are in two files.
    pub fn all_results(&self, found: &Found) -> (Option<Results>, Option<Step>) {
        match ((self.results)(found, Part::Output), (self.results)(found, Part::Errors)) {
            (Some(Results::Lines(output)), Some(Results::Lines(errors))) if output != errors => {
                (Some(Results::Lines(output)), Some(errors))
            }
            (None, errors) => (errors, None),
            (output, _) => (output, None),
        }
    }

    /// What the vendor calls this API, if rows may call it.
    pub fn endpoint(&self, api: Api) -> Option<&'static str> {
        self.rows.iter().find(|(known, _)| *known == api).map(|(_, endpoint)| *endpoint)
    }
}

impl Upload {
    /// The id of the rows that were sent, and answered with this body.
    ///
    /// # Errors
    /// 502 where there is none.
    pub fn read(&self, batch: &NewBatch<'_>, body: &[u8]) -> Result<String, Fault> {
        let decode = match self.file {
            UploadedFile::Chosen(file) => return Ok(file(batch)),
            UploadedFile::Told(decode) => decode,
        };
        let document = Document::parse(body).ok();
        let id = document.as_ref().and_then(|document| decode(document.root()));
        id.filter(|id| is_id(id))
            .ok_or_else(|| Fault::upstream("The provider does not say where the uploaded rows are."))
    }
}

impl Ready {
    /// Whether a batch can be made of the file that this body speaks of.
    ///
    /// # Errors
    /// What is wrong with the rows, and 502 for what says nothing of them.
    pub fn read(&self, body: &[u8]) -> Result<bool, Fault> {
        let document = Document::parse(body)
            .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
        (self.decode)(document.root())
    }
}

/// Ids are put into paths: letters and digits with few signs between.
pub(crate) fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_plain)
}

/// Seconds since 1970 of a field with a time of RFC 3339.
pub(crate) fn time_of(root: Node<'_>, name: &str) -> Option<u64> {
    crate::chat::time::unix_seconds(&root.str(name)?)
}
