//! What is kept of a file, and of a batch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A file of rows, or of what came of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name for clients, and the name of its contents.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// When it was made, in seconds since 1970.
    pub created_s: u64,
    /// The name that the client gave it.
    pub filename: String,
    /// What it is for.
    pub purpose: FilePurpose,
    /// How long it is.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
    /// The paths that its rows call, each once.
    pub urls: Vec<String>,
    /// The batch at whose provider its contents are, where they are not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// What its rows are, where a model is trained with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePurpose {
    /// Rows of a batch.
    Batch,
    /// What came of them.
    BatchOutput,
    /// Rows that a model is trained with.
    #[serde(rename = "fine-tune")]
    FineTune,
}

impl FilePurpose {
    /// OpenAI's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            FilePurpose::Batch => "batch",
            FilePurpose::BatchOutput => "batch_output",
            FilePurpose::FineTune => "fine-tune",
        }
    }
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBatch {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// How far it has come.
    pub status: BatchStatus,
    /// The path that all of its rows call, where its maker said so.
    pub endpoint: String,
    /// The file of its rows.
    pub input_file: String,
    /// That file was made for it: its maker sent the rows with it.
    #[serde(default)]
    pub has_own_rows: bool,
    /// The files of what comes of them. They are listed once the batch is over, if anything is in them.
    pub output_file: String,
    /// The same for rows that failed.
    pub error_file: String,
    /// Rows in all, those that are answered, and those that failed.
    pub rows: u64,
    /// Rows that are answered.
    pub completed: u64,
    /// Rows that failed.
    pub failed: u64,
    /// When what happened.
    pub times: Times,
    /// Its maker's own words.
    pub metadata: BTreeMap<String, String>,
    /// The headers that hold for its rows, as far as they may be kept: no credentials.
    pub headers: Vec<(String, String)>,
    /// These headers are all that its rows need, besides a key of the gateway's own.
    pub is_whole: bool,
    /// In which run of the gateway it was made: that one knows more than what is kept.
    pub run: String,
    /// Why it failed as a whole.
    pub faults: Vec<BatchFault>,
    /// The provider that runs it, where the gateway does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteBatch>,
}

/// A batch at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteBatch {
    /// The provider.
    pub provider: String,
    /// The name of the API that it is asked for by.
    pub api: String,
    /// Answers have exactly the fields of their clients' dialects.
    pub strict: bool,
    /// Its id there, once it was made.
    pub id: Option<String>,
    /// What the provider calls the file with the answers, if that has a name.
    pub output: Option<String>,
    /// The same of rows that failed.
    pub errors: Option<String>,
}

/// Who has a file or a batch that was handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOn {
    /// The provider.
    pub provider: String,
    /// The headers that it was handed on with, as far as they may be kept: no credentials.
    pub headers: Vec<(String, String)>,
}

/// When what happened to a batch, in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// It was made.
    pub created_s: u64,
    /// When it has to be over.
    pub expires_s: u64,
    /// Its first row was asked.
    pub in_progress_s: Option<u64>,
    /// Its last row was answered.
    pub finalizing_s: Option<u64>,
    /// It was over.
    pub completed_s: Option<u64>,
    /// It failed.
    pub failed_s: Option<u64>,
    /// It was late.
    pub expired_s: Option<u64>,
    /// Its maker wanted no more of it.
    pub cancelling_s: Option<u64>,
    /// It ended so.
    pub cancelled_s: Option<u64>,
}

/// Why a batch failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchFault {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// The line of the file to blame, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl BatchFault {
    /// One that no line is to blame for.
    pub fn new(code: &str, message: impl Into<String>) -> BatchFault {
        BatchFault { code: code.to_owned(), message: message.into(), line: None }
    }
}

/// How far a batch has come, in OpenAI's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// It waits. Its rows were looked at when their file came.
    Validating,
    /// Rows are asked.
    InProgress,
    /// All are answered, and their files are being closed.
    Finalizing,
    /// It is over.
    Completed,
    /// It could not go on.
    Failed,
    /// It took too long.
    Expired,
    /// Its maker wants no more of it; rows that are being asked come to their end.
    Cancelling,
    /// It ended so.
    Cancelled,
}

impl BatchStatus {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            BatchStatus::Validating => "validating",
            BatchStatus::InProgress => "in_progress",
            BatchStatus::Finalizing => "finalizing",
            BatchStatus::Completed => "completed",
            BatchStatus::Failed => "failed",
            BatchStatus::Expired => "expired",
            BatchStatus::Cancelling => "cancelling",
            BatchStatus::Cancelled => "cancelled",
        }
    }

    /// Is there something left to do?
    pub fn is_open(self) -> bool {
        match self {
            BatchStatus::Validating
            | BatchStatus::InProgress
            | BatchStatus::Finalizing
            | BatchStatus::Cancelling => true,
            BatchStatus::Completed | BatchStatus::Failed | BatchStatus::Expired | BatchStatus::Cancelled => {
                false
            }
        }
    }
}

impl StoredBatch {
    /// Has the gateway itself something left to do? A batch that its provider has runs without it.
    pub fn is_open_here(&self) -> bool {
        self.status.is_open() && !self.is_at_provider()
    }

    /// Is it made at a provider?
    pub fn is_at_provider(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.id.is_some())
    }

    /// It is like this from now on.
    pub fn is_now(&mut self, status: BatchStatus, now_s: u64) {
        self.status = status;
        let times = &mut self.times;
        let time = match status {
            BatchStatus::Validating => return,
            BatchStatus::InProgress => &mut times.in_progress_s,
            BatchStatus::Finalizing => &mut times.finalizing_s,
            BatchStatus::Completed => &mut times.completed_s,
            BatchStatus::Failed => &mut times.failed_s,
            BatchStatus::Expired => &mut times.expired_s,
            BatchStatus::Cancelling => &mut times.cancelling_s,
            BatchStatus::Cancelled => &mut times.cancelled_s,
        };
        time.get_or_insert(now_s);
    }
}
