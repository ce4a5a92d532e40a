//! Batches as Anthropic's clients see them (<https://platform.claude.com/docs/en/api/messages/batches/retrieve>).

use std::time::{Duration, UNIX_EPOCH};

use humantime::format_rfc3339_seconds;
use ostia_dialect::batches::results_path;
use ostia_store::{BatchPage, BatchStatus, StoredBatch};
use serde_json::{Value, json};

/// A batch.
pub fn batch(batch: &StoredBatch) -> Value {
    let times = &batch.times;
    let ended_s = times.completed_s.or(times.cancelled_s).or(times.failed_s).or(times.expired_s);
    let is_over = !batch.status.is_open();
    let has_results = is_over && batch.completed + batch.failed > 0;
    json!({
        "id": batch.id,
        "type": "message_batch",
        "processing_status": match batch.status {
            _ if is_over => "ended",
            BatchStatus::Cancelling => "canceling",
            _ => "in_progress",
        },
        "request_counts": counts(batch),
        "created_at": time(times.created_s),
        "expires_at": time(times.expires_s),
        "ended_at": ended_s.map(time),
        "archived_at": null,
        "cancel_initiated_at": times.cancelling_s.map(time),
        // A path: clients know the host, and this gateway does not know by which name.
        "results_url": has_results.then(|| results_path(&batch.id)),
    })
}

/// All requests are being processed until none is.
fn counts(batch: &StoredBatch) -> Value {
    let rest = batch.rows.saturating_sub(batch.completed + batch.failed);
    let (mut errored, mut canceled, mut expired) = (batch.failed, 0, 0);
    match batch.status {
        status if status.is_open() => {
            return json!({"processing": batch.rows, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0});
        }
        BatchStatus::Cancelled => canceled = rest,
        BatchStatus::Expired => expired = rest,
        _ => errored += rest,
    }
    json!({
        "processing": 0, "succeeded": batch.completed, "errored": errored, "canceled": canceled, "expired": expired,
    })
}

fn time(seconds: u64) -> String {
    format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// What is left of one that was taken away (<https://platform.claude.com/docs/en/api/messages/batches/delete>).
pub fn deleted(id: &str) -> Value {
    json!({"id": id, "type": "message_batch_deleted"})
}

/// A part of a list.
pub fn list(page: &BatchPage<StoredBatch>) -> Value {
    let id = |batch: Option<&StoredBatch>| batch.map(|batch| batch.id.clone());
    json!({
        "data": page.entries.iter().map(batch).collect::<Vec<_>>(),
        "has_more": page.has_more,
        "first_id": id(page.entries.first()),
        "last_id": id(page.entries.last()),
    })
}
