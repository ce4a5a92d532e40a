//! One export: what it is to bring, and how far it is. The names of states and fields are Portkey's
//! (<https://portkey.ai/docs/api-reference/admin-api/data-plane/logs/log-exports-beta/create-a-log-export>).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::BYTES_MAX;
use crate::query::Filter;

/// Fields that a row can have.
pub const EXPORT_FIELDS: [&str; 17] = [
    "id",
    "trace_id",
    "created_at",
    "request",
    "response",
    "is_success",
    "ai_org",
    "ai_model",
    "req_units",
    "res_units",
    "total_units",
    "request_url",
    "cost",
    "cost_currency",
    "response_time",
    "response_status_code",
    "metadata",
];

/// What an export is to bring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportPlan {
    /// Which requests.
    pub filter: Filter,
    /// The same as it was asked for, to be told.
    pub filters: Value,
    /// What of each, of [`EXPORT_FIELDS`]; nothing: its record as it is told elsewhere.
    pub fields: Vec<String>,
    /// At most so many rows.
    pub rows_max: u64,
    /// What its maker calls it.
    pub description: Option<String>,
    /// What its maker calls its workspace: there is only one.
    pub workspace: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportStatus {
    /// It has not been started.
    Draft,
    /// It is being written.
    InProgress,
    /// It is whole.
    Success,
    /// It could not be written to its end.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

impl ExportStatus {
    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            ExportStatus::Draft => "draft",
            ExportStatus::InProgress => "in_progress",
            ExportStatus::Success => "success",
            ExportStatus::Failed => "failed",
            ExportStatus::Stopped => "stopped",
        }
    }
}

/// An export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportJob {
    /// Its name.
    pub id: String,
    /// What addresses of its file are signed with.
    pub secret: String,
    /// What it is to bring.
    pub plan: ExportPlan,
    /// How far it is.
    pub status: ExportStatus,
    /// Why it failed, or why there would have been more.
    pub error: Option<String>,
    /// When it was made, started and changed last, in milliseconds since 1970.
    pub created_ms: i64,
    /// See above.
    pub started_ms: i64,
    /// See above.
    pub updated_ms: i64,
    /// Rows that are written.
    pub rows: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// Behind which request the next page begins.
    pub(super) cursor: Option<(i64, i64)>,
}

impl ExportJob {
    pub(super) fn new(id: String, secret: String, plan: ExportPlan, now_ms: i64) -> ExportJob {
        ExportJob {
            id,
            secret,
            plan,
            status: ExportStatus::Draft,
            error: None,
            created_ms: now_ms,
            started_ms: 0,
            updated_ms: now_ms,
            rows: 0,
            bytes: 0,
            cursor: None,
        }
    }

    /// What comes from now on is none of it, so that it comes to an end.
    pub(super) fn begin(&mut self, now_ms: i64) {
        (self.status, self.started_ms) = (ExportStatus::InProgress, now_ms);
        let to_ms = &mut self.plan.filter.to_ms;
        *to_ms = Some(to_ms.unwrap_or(i64::MAX).min(now_ms + 1));
    }

    /// A page was written. It was the last one where there are no more, or where the file is as large as it may be, which is said.
    pub(super) fn wrote_page(&mut self) {
        let is_cut = self.cursor.is_some() && self.bytes >= BYTES_MAX;
        if is_cut {
            self.error = Some(format!("stopped at {} GiB: narrow the filters", BYTES_MAX >> 30));
        }
        if is_cut || self.cursor.is_none() {
            self.status = ExportStatus::Success;
        }
    }
}

impl ExportPlan {
    /// Are bodies wanted?
    pub(super) fn with_bodies(&self) -> bool {
        self.fields.iter().any(|field| field == "request" || field == "response")
    }

    /// A request as a row.
    pub(super) fn row(&self, record: &Value) -> Value {
        if self.fields.is_empty() {
            return record.clone();
        }
        let fields = self.fields.iter().map(|field| (field.clone(), value(record, field)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

fn value(record: &Value, field: &str) -> Value {
    let attempts = record["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_answer = |attempt: &&Value| matches!(attempt["outcome"].as_str(), Some("answered" | "broken"));
    let answer = attempts.iter().rev().find(is_answer).or(attempts.last()).unwrap_or(&Value::Null);
    let tokens = |name: &str| attempts.iter().filter_map(|one| one["usage"][name].as_u64()).sum::<u64>();
    match field {
        "created_at" => record["started_ms"].clone(),
        "request" | "response" => record[field]["body"].clone(),
        "is_success" => {
            json!(record["status"].as_u64().is_some_and(|status| status < 400) && record["end"] == "whole")
        }
        "ai_org" => answer["provider"].clone(),
        "ai_model" => match &record["model"] {
            Value::Null => answer["model"].clone(),
            model => model.clone(),
        },
        "req_units" => tokens("prompt_tokens").into(),
        "res_units" => tokens("completion_tokens").into(),
        "total_units" => (tokens("prompt_tokens") + tokens("completion_tokens")).into(),
        "request_url" => record["path"].clone(),
        "cost" => cost(attempts),
        "cost_currency" => answer["cost"]["currency"].clone(),
        "response_time" => record["duration_us"].as_u64().map_or(Value::Null, |us| (us / 1000).into()),
        "response_status_code" => record["status"].clone(),
        // Those that have the same name here.
        name => record[name].clone(),
    }
}

/// What all attempts cost in the currency of the last one, exact; unknown where that of one is.
fn cost(attempts: &[Value]) -> Value {
    if attempts.iter().any(|one| !one["cost_unknown"].is_null()) {
        return Value::Null;
    }
    let costs: Vec<&Value> = attempts.iter().map(|one| &one["cost"]).filter(|cost| !cost.is_null()).collect();
    let Some(currency) = costs.last().map(|cost| &cost["currency"]) else { return Value::Null };
    let own = costs.iter().filter(|cost| cost["currency"] == *currency);
    let sum =
        own.filter_map(|cost| crate::price::atto(cost["amount"].as_str()?)).fold(0, u128::saturating_add);
    crate::price::decimal(sum).into()
}
