//! Together's jobs (<https://docs.together.ai/reference/post-fine-tunes>): files are sent before, as those of batches are, and a rate of
//! learning is a number of its own.

use super::form::{Files, Listing, State, Status, TuningForm, is_plain_id};
use super::listed::{Checkpoint, Event, Level};
use super::request::{Method, NewJob};
use super::row::RowKind;
use crate::batches::form::time_of;
use crate::batches::together::upload_for;
use crate::batches::{Upload, UploadedFile};
use crate::json::{Json, Node, Writer};
use crate::step::{Content, Place, Step};
use crate::{Api, Fault};

/// What `learning_rate` is where a job does not say it (<https://docs.together.ai/reference/post-fine-tunes>).
const LEARNING_RATE_DEFAULT: f64 = 1e-5;
/// Most evaluations of a job (<https://docs.together.ai/reference/finetune>).
const EVALS_MAX: u64 = 100;

/// Files: <https://docs.together.ai/docs/fine-tuning-data-preparation>. The SDK sends larger ones than this by another way
/// (<https://github.com/togethercomputer/together-py>, `MULTIPART_THRESHOLD_GB`).
pub static TOGETHER: TuningForm = TuningForm {
    rows: |job| match job.method {
        Method::Supervised => &[RowKind::Conversation, RowKind::Completion, RowKind::Text],
        Method::Dpo => &[RowKind::Preference],
    },
    rows_min: 1,
    validation_rows_max: u64::MAX,
    bytes_max: 5 << 30,
    storage: None,
    encode_row: None,
    upload: Upload {
        begin: None,
        send: |file| upload_for(file.name, "fine-tune"),
        file: UploadedFile::Told(|root| Some(root.str("id")?.into_owned())),
        ready: None,
    },
    unsaid,
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}/cancel")), Content::Nothing),
    decode,
    is_id: is_plain_id,
    events: Some(Listing { step: |id| Step::get(at(format!("/{id}/events"))), decode: decode_events }),
    checkpoints: Some(Listing {
        step: |id| Step::get(at(format!("/{id}/checkpoints"))),
        decode: decode_checkpoints,
    }),
};

fn at(path: String) -> Place {
    Place::Behind(Api::TogetherFineTunes, path)
}

fn unsaid(job: &NewJob) -> Vec<&'static str> {
    let mut unsaid = Vec::new();
    match &job.wandb {
        // A run needs a key, and an account holds none.
        Some(wandb) if wandb.api_key.is_none() => unsaid.push("integrations"),
        Some(wandb) if wandb.has_tags => unsaid.push("integrations[0].wandb.tags"),
        _ => {}
    }
    if job.hyperparameters.adapter_size.is_some() {
        unsaid.push("hyperparameters.adapter_size");
    }
    unsaid
}

fn create(job: &NewJob, files: &Files<'_>) -> Step {
    let numbers = job.hyperparameters;
    let scaled = numbers.learning_rate_multiplier.map(|multiplier| multiplier * LEARNING_RATE_DEFAULT);
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("model", &job.model);
            w.field_str("training_file", files.training);
            if let Some(validation) = files.validation {
                w.field_str("validation_file", validation);
                // Nothing is held against it otherwise.
                w.field_u64("n_evals", numbers.n_epochs.unwrap_or(1).min(EVALS_MAX));
            }
            let counts = [
                ("n_epochs", numbers.n_epochs),
                ("batch_size", numbers.batch_size),
                ("random_seed", job.seed),
            ];
            for (name, count) in counts {
                if let Some(count) = count {
                    w.field_u64(name, count);
                }
            }
            if let Some(rate) = numbers.learning_rate.or(scaled) {
                w.field_raw("learning_rate", &rate.to_string());
            }
            if let Some(suffix) = &job.suffix {
                w.field_str("suffix", suffix);
            }
            w.field_object("training_method", |w| encode_method(job, w));
            encode_wandb(job, w);
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

fn encode_method(job: &NewJob, w: &mut Writer) {
    match job.method {
        Method::Supervised => {
            w.field_str("method", "sft");
            w.field_str("train_on_inputs", "auto");
        }
        Method::Dpo => {
            w.field_str("method", "dpo");
            if let Some(beta) = job.hyperparameters.beta {
                w.field_raw("dpo_beta", &beta.to_string());
            }
        }
    }
}

fn encode_wandb(job: &NewJob, w: &mut Writer) {
    let Some(wandb) = &job.wandb else { return };
    let Some(key) = &wandb.api_key else { return };
    w.field_str("wandb_api_key", key);
    w.field_str("wandb_project_name", &wandb.project);
    for (name, text) in [("wandb_name", &wandb.name), ("wandb_entity", &wandb.entity)] {
        if let Some(text) = text {
            w.field_str(name, text);
        }
    }
}

/// <https://docs.together.ai/reference/get-fine-tunes-id>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let (Some(id), Some(word)) = (root.str("id"), root.str("status")) else {
        return Err(Fault::upstream("The provider's answer is no fine-tuning job."));
    };
    let status = match &*word {
        "pending" | "queued" => Status::Queued,
        "completed" => Status::Succeeded,
        "error" | "user_error" => Status::Failed,
        "cancelled" => Status::Cancelled,
        _ => Status::Running,
    };
    let is_over = matches!(status, Status::Succeeded | Status::Failed | Status::Cancelled);
    let model = ["model_output_name", "model_object_name"].into_iter().find_map(|name| text(root, name));
    // The job itself has no field for what went wrong.
    let events = root.some("events").into_iter().flat_map(|events| events.items());
    let errors = events.filter_map(decode_event).filter(|event| event.level == Level::Error);
    let reason = errors.max_by_key(|event| event.created_s).map(|event| event.message);
    Ok(State {
        id: id.into_owned(),
        status,
        model: model.filter(|_| status == Status::Succeeded),
        trained_tokens: root.u64("token_count").filter(|tokens| is_over && *tokens > 0),
        ended_s: time_of(root, "updated_at").filter(|_| is_over),
        reason: reason.filter(|_| status == Status::Failed),
    })
}

fn text(root: Node<'_>, name: &str) -> Option<String> {
    root.str(name).filter(|text| !text.is_empty()).map(|text| text.into_owned())
}

/// <https://docs.together.ai/reference/get-fine-tunes-id-events>
fn decode_events(root: Node<'_>) -> Vec<Event> {
    root.some("data").into_iter().flat_map(|list| list.items()).filter_map(decode_event).collect()
}

/// Levels may stand behind `legacy_` and an `i`, and types in capitals.
fn decode_event(event: Node<'_>) -> Option<Event> {
    let word = event.str("level").unwrap_or_default().to_ascii_lowercase();
    let kind = event.str("type").unwrap_or_default().to_ascii_lowercase();
    let level = match (&*word, &*kind) {
        (word, _) if word.ends_with("error") => Level::Error,
        (_, "job_error" | "job_user_error") => Level::Error,
        (word, _) if word.ends_with("warning") => Level::Warn,
        _ => Level::Info,
    };
    Some(Event {
        created_s: time_of(event, "created_at")?,
        level,
        message: text(event, "message").unwrap_or(kind),
    })
}

/// <https://docs.together.ai/reference/get-fine-tunes-id-checkpoint>
fn decode_checkpoints(root: Node<'_>) -> Vec<Checkpoint> {
    let checkpoint = |entry: Node<'_>| {
        Some(Checkpoint {
            created_s: time_of(entry, "created_at")?,
            model: text(entry, "object_name").or_else(|| text(entry, "path"))?,
            step: entry.u64("step")?,
        })
    };
    root.some("data").into_iter().flat_map(|list| list.items()).filter_map(checkpoint).collect()
}
