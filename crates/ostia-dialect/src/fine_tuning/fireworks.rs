//! Fireworks' jobs (<https://docs.fireworks.ai/api-reference/create-supervised-fine-tuning-job>,
//! <https://docs.fireworks.ai/api-reference/create-dpo-job>): those of an account, in two collections, with rows in datasets.

use super::form::{Files, State, Status, TuningForm, is_plain_id};
use super::request::{Hyperparameters, Method, NewJob};
use super::row::RowKind;
use crate::batches::fireworks::{BESIDE, UPLOAD, UPLOAD_BYTES_MAX};
use crate::batches::form::time_of;
use crate::json::{Json, Node, Writer};
use crate::step::{Content, Place, Step};
use crate::{Api, Fault};

/// Where jobs are, by how they train.
const SUPERVISED: &str = "supervisedFineTuningJobs";
const DPO: &str = "dpoJobs";
/// Longest id of a model, in bytes.
const MODEL_ID_BYTES_MAX: usize = 63;

/// Rows: <https://docs.fireworks.ai/fine-tuning/fine-tuning-models>, <https://docs.fireworks.ai/fine-tuning/dpo-fine-tuning>.
pub static FIREWORKS: TuningForm = TuningForm {
    rows: |job| match job.method {
        Method::Supervised => &[RowKind::Conversation],
        Method::Dpo => &[RowKind::Preference],
    },
    rows_min: 3,
    validation_rows_max: u64::MAX,
    bytes_max: UPLOAD_BYTES_MAX,
    storage: None,
    encode_row: None,
    upload: UPLOAD,
    unsaid,
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}:cancel")), Content::Json(b"{}".to_vec())),
    decode,
    is_id: is_plain_id,
    events: None,
    checkpoints: None,
};

fn at(path: String) -> Place {
    Place::Beside(Api::FireworksFineTunes, BESIDE, path)
}

fn unsaid(job: &NewJob) -> Vec<&'static str> {
    let numbers = job.hyperparameters;
    let has_key = job.wandb.as_ref().is_none_or(|wandb| wandb.api_key.is_some());
    let wandb = job.wandb.as_ref().filter(|_| has_key);
    let fields = [
        ("seed", job.seed.is_some()),
        // What it would be multiplied with is published nowhere: `learning_rate` says it.
        (
            "hyperparameters.learning_rate_multiplier",
            numbers.learning_rate_multiplier.is_some() && numbers.learning_rate.is_none(),
        ),
        ("hyperparameters.adapter_size", numbers.adapter_size.is_some()),
        ("validation_file", job.validation_file.is_some() && job.method == Method::Dpo),
        // A run needs a key, and an account holds none.
        ("integrations", !has_key),
        ("integrations[0].wandb.name", wandb.is_some_and(|wandb| wandb.name.is_some())),
        ("integrations[0].wandb.tags", wandb.is_some_and(|wandb| wandb.has_tags)),
    ];
    fields.into_iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| name).collect()
}

fn create(job: &NewJob, files: &Files<'_>) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("displayName", files.name);
            w.field_str("dataset", files.training);
            match job.method {
                Method::Supervised => {
                    if let Some(validation) = files.validation {
                        w.field_str("evaluationDataset", validation);
                    }
                    encode_training(job, files, w);
                }
                Method::Dpo => {
                    w.field_object("trainingConfig", |w| encode_training(job, files, w));
                    w.field_object("lossConfig", |w| encode_loss(job.hyperparameters, w));
                }
            }
            encode_wandb(job, w);
        });
    });
    let collection = match job.method {
        Method::Supervised => SUPERVISED,
        Method::Dpo => DPO,
    };
    Step::post(at(format!("/{collection}")), Content::Json(body.as_str().into()))
}

/// The fields that stand at the top of one kind of jobs, and in an object of the other.
fn encode_training(job: &NewJob, files: &Files<'_>, w: &mut Writer) {
    w.field_str("baseModel", &job.model);
    if let Some(suffix) = &job.suffix {
        w.field_str("outputModel", &model_id(suffix, files.name));
    }
    // `batchSize` counts tokens.
    let counts =
        [("epochs", job.hyperparameters.n_epochs), ("batchSizeSamples", job.hyperparameters.batch_size)];
    for (name, count) in counts {
        if let Some(count) = count {
            w.field_u64(name, count);
        }
    }
    if let Some(rate) = job.hyperparameters.learning_rate {
        w.field_raw("learningRate", &rate.to_string());
    }
}

/// Without it, a job with preferences is trained in another way.
fn encode_loss(numbers: Hyperparameters, w: &mut Writer) {
    w.field_str("method", "DPO");
    if let Some(beta) = numbers.beta {
        w.field_object("dpo", |w| w.field_raw("beta", &beta.to_string()));
    }
}

fn encode_wandb(job: &NewJob, w: &mut Writer) {
    let Some(wandb) = &job.wandb else { return };
    let Some(key) = &wandb.api_key else { return };
    w.field_object("wandbConfig", |w| {
        w.field_bool("enabled", true);
        w.field_str("apiKey", key);
        w.field_str("project", &wandb.project);
        if let Some(entity) = &wandb.entity {
            w.field_str("entity", entity);
        }
    });
}

/// Small letters, digits and hyphens; the end of the job's name makes it one that no other model has.
fn model_id(suffix: &str, name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let own: String = name.chars().rev().filter(char::is_ascii_alphanumeric).take(8).collect();
    let room = MODEL_ID_BYTES_MAX - own.len() - 1;
    let suffix: String = suffix.chars().map(plain).take(room).collect();
    let suffix = suffix.trim_matches('-');
    match suffix {
        "" => format!("tuned-{}", own.to_ascii_lowercase()),
        suffix => format!("{suffix}-{}", own.to_ascii_lowercase()),
    }
}

/// <https://docs.fireworks.ai/api-reference/get-supervised-fine-tuning-job>; the id is kept with its collection.
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let (Some(name), Some(word)) = (root.str("name"), root.str("state")) else {
        return Err(Fault::upstream("The provider's answer is no fine-tuning job."));
    };
    let status = match word.strip_prefix("JOB_STATE_").unwrap_or(&word) {
        "VALIDATING" | "CREATING_INPUT_DATASET" => Status::ValidatingFiles,
        "UNSPECIFIED" | "CREATING" | "PENDING" | "RE_QUEUEING" => Status::Queued,
        // What stopped early has a model: it learned nothing more.
        "COMPLETED" | "EARLY_STOPPED" => Status::Succeeded,
        "FAILED" | "EXPIRED" => Status::Failed,
        "CANCELLED" | "DELETING" | "DELETING_CLEANING_UP" => Status::Cancelled,
        _ => Status::Running,
    };
    let is_over = matches!(status, Status::Succeeded | Status::Failed | Status::Cancelled);
    let config = root.some("trainingConfig").unwrap_or(root);
    let text = |node: Node<'_>, name: &str| {
        node.str(name).filter(|text| !text.is_empty()).map(|text| text.into_owned())
    };
    let progress = root.some("jobProgress");
    let tokens = progress.and_then(|progress| progress.u64("inputTokens"));
    let reason = root.some("status").and_then(|status| text(status, "message"));
    Ok(State {
        id: name.splitn(3, '/').nth(2).unwrap_or_default().to_owned(),
        status,
        model: text(config, "outputModel").filter(|_| status == Status::Succeeded),
        trained_tokens: tokens.filter(|tokens| is_over && *tokens > 0),
        ended_s: time_of(root, "completedTime").filter(|_| is_over),
        reason: reason.filter(|_| status == Status::Failed),
    })
}
