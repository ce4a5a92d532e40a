//! What is kept of a job that trains a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::objects::BatchFault;

/// A job that trains a model, at a provider that has such jobs in a form of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTuning {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// When it was made, in seconds since 1970.
    pub created_s: u64,
    /// How far it is, as the provider said last.
    pub status: TuningStatus,
    /// The model that is trained.
    pub model: String,
    /// The file of its rows.
    pub training_file: String,
    /// The file of rows that it is held against.
    pub validation_file: Option<String>,
    /// Further fields of the object that clients see, as its maker said them. No key is among them.
    pub told: serde_json::Value,
    /// Its maker's own words.
    pub metadata: BTreeMap<String, String>,
    /// The headers that it was made with, as far as they may be kept: no credentials.
    pub headers: Vec<(String, String)>,
    /// In which run of the gateway it was made: that one knows more than what is kept.
    pub run: String,
    /// The provider.
    pub provider: String,
    /// The name of the API that it is asked for by.
    pub api: String,
    /// Its id there, once it was made.
    pub remote_id: Option<String>,
    /// The model that came of it.
    pub fine_tuned_model: Option<String>,
    /// Tokens that it was trained with.
    pub trained_tokens: Option<u64>,
    /// When it ended.
    pub ended_s: Option<u64>,
    /// Why it failed.
    pub fault: Option<BatchFault>,
}

/// How far a job that trains a model is, in OpenAI's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningStatus {
    /// Its files are sent, and looked through.
    ValidatingFiles,
    /// It waits at the provider.
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

impl TuningStatus {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            TuningStatus::ValidatingFiles => "validating_files",
            TuningStatus::Queued => "queued",
            TuningStatus::Running => "running",
            TuningStatus::Succeeded => "succeeded",
            TuningStatus::Failed => "failed",
            TuningStatus::Cancelled => "cancelled",
        }
    }

    /// Is there something left to do?
    pub fn is_open(self) -> bool {
        match self {
            TuningStatus::ValidatingFiles | TuningStatus::Queued | TuningStatus::Running => true,
            TuningStatus::Succeeded | TuningStatus::Failed | TuningStatus::Cancelled => false,
        }
    }
}

impl StoredTuning {
    /// Has the gateway itself something left to do? A job that its provider has runs without it.
    pub fn is_open_here(&self) -> bool {
        self.status.is_open() && self.remote_id.is_none()
    }

    /// It ended like this.
    pub fn ends(&mut self, status: TuningStatus, now_s: u64) {
        self.status = status;
        self.ended_s.get_or_insert(now_s);
    }
}
