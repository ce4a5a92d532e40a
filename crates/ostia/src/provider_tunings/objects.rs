//! Jobs that train models as clients see them, in OpenAI's form (<https://platform.openai.com/docs/api-reference/fine-tuning/object>).

use ostia_dialect::fine_tuning::{Event, Level};
use ostia_store::{BatchFault, BatchPage, StoredTuning, TuningStatus};
use serde_json::{Value, json};

/// A job.
pub fn tuning(tuning: &StoredTuning) -> Value {
    let fault = |fault: &BatchFault| json!({"code": fault.code, "message": fault.message, "param": null});
    let mut object = json!({
        "id": tuning.id,
        "object": "fine_tuning.job",
        "created_at": tuning.created_s,
        "status": tuning.status.as_str(),
        "model": tuning.model,
        "training_file": tuning.training_file,
        "validation_file": tuning.validation_file,
        "fine_tuned_model": tuning.fine_tuned_model,
        "trained_tokens": tuning.trained_tokens,
        "finished_at": tuning.ended_s,
        "estimated_finish": null,
        "error": tuning.fault.as_ref().map(fault),
        // Whose account it is at the provider nobody here knows.
        "organization_id": tuning.provider,
        "result_files": [],
        "metadata": if tuning.metadata.is_empty() { Value::Null } else { json!(tuning.metadata) },
    });
    if let (Some(fields), Some(told)) = (object.as_object_mut(), tuning.told.as_object()) {
        fields.extend(told.clone());
    }
    object
}

/// A part of a list.
pub fn list(page: &BatchPage<StoredTuning>) -> Value {
    let data: Vec<Value> = page.entries.iter().map(tuning).collect();
    json!({"object": "list", "data": data, "has_more": page.has_more})
}

/// What is known to have happened to a job whose provider does not tell, or does not have it.
pub fn events(tuning: &StoredTuning) -> Vec<Event> {
    let made =
        Event { created_s: tuning.created_s, level: Level::Info, message: "The job was made.".to_owned() };
    let ended = tuning.ended_s.map(|created_s| {
        let (level, message) = match (tuning.status, &tuning.fault) {
            (TuningStatus::Succeeded, _) => (Level::Info, "There is a model.".to_owned()),
            (TuningStatus::Cancelled, _) => (Level::Info, "The job was cancelled.".to_owned()),
            (_, Some(fault)) => (Level::Error, fault.message.clone()),
            (_, None) => (Level::Error, "The job failed.".to_owned()),
        };
        Event { created_s, level, message }
    });
    [Some(made), ended].into_iter().flatten().collect()
}
