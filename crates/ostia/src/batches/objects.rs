//! Files and batches as clients see them, in OpenAI's form (<https://platform.openai.com/docs/api-reference/files/object>,
//! <https://platform.openai.com/docs/api-reference/batch/object>).

use ostia_store::{BatchPage, StoredBatch, StoredFile};
use serde_json::{Value, json};

/// The words that clients say for rows that are asked at once.
pub const IMMEDIATE: &str = "immediate";
/// OpenAI's own, for batches that a provider runs.
pub const DAY: &str = "24h";

/// A file.
pub fn file(file: &StoredFile) -> Value {
    json!({
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created_s,
        "filename": file.filename,
        "purpose": file.purpose.as_str(),
        "status": "processed",
    })
}

/// A file that is gone.
pub fn deleted_file(id: &str) -> Value {
    json!({"id": id, "object": "file", "deleted": true})
}

/// A batch.
pub fn batch(batch: &StoredBatch) -> Value {
    let times = &batch.times;
    let is_over = !batch.status.is_open();
    let listed = |id: &str, rows: u64| (is_over && rows > 0).then(|| id.to_owned());
    let faults: Vec<Value> = batch
        .faults
        .iter()
        .map(|fault| json!({"code": fault.code, "message": fault.message, "param": null, "line": fault.line}))
        .collect();
    json!({
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": if faults.is_empty() { Value::Null } else { json!({"object": "list", "data": faults}) },
        "input_file_id": batch.input_file,
        "completion_window": if batch.remote.is_some() { DAY } else { IMMEDIATE },
        "status": batch.status.as_str(),
        "output_file_id": listed(&batch.output_file, batch.completed),
        "error_file_id": listed(&batch.error_file, batch.failed),
        "created_at": times.created_s,
        "in_progress_at": times.in_progress_s,
        "expires_at": times.expires_s,
        "finalizing_at": times.finalizing_s,
        "completed_at": times.completed_s,
        "failed_at": times.failed_s,
        "expired_at": times.expired_s,
        "cancelling_at": times.cancelling_s,
        "cancelled_at": times.cancelled_s,
        "request_counts": {"total": batch.rows, "completed": batch.completed, "failed": batch.failed},
        "metadata": if batch.metadata.is_empty() { Value::Null } else { json!(batch.metadata) },
    })
}

/// A part of a list.
pub fn list<T>(page: &BatchPage<T>, told: fn(&T) -> Value) -> Value {
    let data: Vec<Value> = page.entries.iter().map(told).collect();
    let id = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    json!({
        "object": "list",
        "first_id": id(data.first()),
        "last_id": id(data.last()),
        "has_more": page.has_more,
        "data": data,
    })
}
