//! Vertex AI's tuning jobs (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.tuningJobs>):
//! rows in Cloud Storage, told as generateContent has them.

use super::conversation::{self, wrong};
use super::form::{Files, Listing, State, Status, TuningForm, is_plain_id};
use super::listed::Checkpoint;
use super::request::{Method, NewJob};
use super::row::RowKind;
use crate::batches::form::time_of;
use crate::batches::vertex::{STORAGE, UPLOAD};
use crate::json::{Document, Json, Node, Writer};
use crate::step::{Content, Place, Step};
use crate::{Api, Dialect, Fault};

/// The adapters that there are, by their size
/// (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning>, "Adapter size"; the last is in the
/// API alone).
const ADAPTERS: [(u64, &str); 6] = [
    (1, "ADAPTER_SIZE_ONE"),
    (2, "ADAPTER_SIZE_TWO"),
    (4, "ADAPTER_SIZE_FOUR"),
    (8, "ADAPTER_SIZE_EIGHT"),
    (16, "ADAPTER_SIZE_SIXTEEN"),
    (32, "ADAPTER_SIZE_THIRTY_TWO"),
];

/// Rows are told as to a model of which nothing is known. Newer ones insist on signatures of calls, and what stands for one that is not there
/// would be learned.
const ANY_MODEL: &str = "tuned";

/// Files: <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning>,
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-preference-tuning>. How many rows a model is trained with
/// depends on what is in them.
pub static VERTEX: TuningForm = TuningForm {
    rows: |job| match job.method {
        Method::Supervised => &[RowKind::Conversation],
        Method::Dpo => &[RowKind::Preference],
    },
    rows_min: 1,
    validation_rows_max: 5_000,
    bytes_max: 1 << 30,
    storage: Some(STORAGE),
    encode_row: Some(encode_row),
    upload: UPLOAD,
    unsaid,
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}:cancel")), Content::Nothing),
    decode,
    is_id: is_plain_id,
    events: None,
    checkpoints: Some(Listing { step: |id| Step::get(at(format!("/{id}"))), decode: decode_checkpoints }),
};

fn at(path: String) -> Place {
    Place::Behind(Api::VertexFineTunes, path)
}

fn adapter(job: &NewJob) -> Option<&'static str> {
    let size = job.hyperparameters.adapter_size?;
    ADAPTERS.iter().find(|(known, _)| *known == size).map(|(_, word)| *word)
}

fn unsaid(job: &NewJob) -> Vec<&'static str> {
    let numbers = job.hyperparameters;
    let fields = [
        ("seed", job.seed.is_some()),
        // Both are for models of others (`SupervisedHyperParameters` of the API).
        ("hyperparameters.batch_size", numbers.batch_size.is_some()),
        ("hyperparameters.learning_rate", numbers.learning_rate.is_some()),
        ("hyperparameters.adapter_size", numbers.adapter_size.is_some() && adapter(job).is_none()),
        ("hyperparameters.beta", numbers.beta.is_some() && job.method == Method::Supervised),
        ("integrations", job.wandb.is_some()),
    ];
    fields.into_iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| name).collect()
}

fn create(job: &NewJob, files: &Files<'_>) -> Step {
    let spec = match job.method {
        Method::Supervised => "supervisedTuningSpec",
        Method::Dpo => "preferenceOptimizationSpec",
    };
    let body = Json::build(|w| {
        w.object(|w| {
            // A model that was trained before is gone on with.
            match job.model.starts_with("projects/") {
                true => w.field_object("preTunedModel", |w| w.field_str("tunedModelName", &job.model)),
                false => w.field_str("baseModel", &job.model),
            }
            w.field_str("tunedModelDisplayName", job.suffix.as_deref().unwrap_or(files.name));
            w.field_str("description", files.name);
            w.field_object(spec, |w| {
                w.field_str("trainingDatasetUri", &format!("gs://{}", files.training));
                if let Some(validation) = files.validation {
                    w.field_str("validationDatasetUri", &format!("gs://{validation}"));
                }
                w.field_object("hyperParameters", |w| encode_numbers(job, w));
            });
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

fn encode_numbers(job: &NewJob, w: &mut Writer) {
    let numbers = job.hyperparameters;
    if let Some(count) = numbers.n_epochs {
        w.field_u64("epochCount", count);
    }
    if let Some(multiplier) = numbers.learning_rate_multiplier {
        w.field_raw("learningRateMultiplier", &multiplier.to_string());
    }
    if let Some(adapter) = adapter(job) {
        w.field_str("adapterSize", adapter);
    }
    if let (Some(beta), Method::Dpo) = (numbers.beta, job.method) {
        w.field_raw("beta", &beta.to_string());
    }
}

/// A conversation: <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare>, and with tools
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/tune-function-calling>. A preference:
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-preference-tuning-prepare>.
fn encode_row(out: &mut Vec<u8>, job: &NewJob, row: &[u8]) -> Result<Vec<String>, Fault> {
    let document = Document::of_request(row)?;
    let root = document.root();
    let known: &[&str] = match job.method {
        Method::Supervised => &["messages", "tools"],
        Method::Dpo => RowKind::Preference.fields(),
    };
    let mut dropped = conversation::unknown(root, known);
    let json = match job.method {
        Method::Supervised => {
            let messages = ("messages", root.expect("messages")?);
            encode_conversation(&Call::of(messages, root.some("tools"), &mut dropped)?)?
        }
        Method::Dpo => encode_preference(root, &mut dropped)?,
    };
    out.extend_from_slice(json.as_str().as_bytes());
    Ok(dropped)
}

/// The body of a call.
struct Call(Vec<u8>);

impl Call {
    fn of(
        messages: (&str, Node<'_>),
        tools: Option<Node<'_>>,
        dropped: &mut Vec<String>,
    ) -> Result<Call, Fault> {
        let encoded = conversation::encode(Dialect::GeminiGenerate, ANY_MODEL, messages, tools, None)?;
        dropped.extend(encoded.dropped);
        Ok(Call(encoded.body))
    }

    fn document(&self) -> Result<Document<'_>, Fault> {
        Document::parse(&self.0).map_err(|fault| wrong(format!("it cannot be told: {fault}")))
    }
}

fn encode_conversation(call: &Call) -> Result<Json, Fault> {
    let document = call.document()?;
    let root = document.root();
    let turns = turns(root, "messages")?;
    if !turns.last().is_some_and(is_models) {
        return Err(wrong("`messages` does not end with an answer of the model".to_owned()));
    }
    Ok(Json::build(|w| {
        w.object(|w| {
            for name in ["systemInstruction", "contents", "tools"] {
                if let Some(value) = root.some(name) {
                    w.field_raw(name, value.text());
                }
            }
        });
    }))
}

fn encode_preference(root: Node<'_>, dropped: &mut Vec<String>) -> Result<Json, Fault> {
    let input = root.expect("input")?;
    let question = Call::of(("input.messages", input.expect("messages")?), None, dropped)?;
    if input.some("tools").is_some() {
        return Err(wrong(
            "`input.tools` has no form here: the provider's preferences are about words alone".to_owned(),
        ));
    }
    let document = question.document()?;
    let asked = turns(document.root(), "input.messages")?;
    if asked.last().is_none_or(is_models) {
        return Err(wrong("`input.messages` does not end with the user's turn".to_owned()));
    }
    let preferred = answer(root, "preferred_output", dropped)?;
    let other = answer(root, "non_preferred_output", dropped)?;
    Ok(Json::build(|w| {
        w.object(|w| {
            if let Some(system) = document.root().some("systemInstruction") {
                w.field_raw("system_instruction", system.text());
            }
            w.field_array("contents", |w| asked.iter().for_each(|turn| w.raw(turn.text())));
            w.field_array("completions", |w| {
                for (score, completion) in [(1, &preferred), (0, &other)] {
                    w.object(|w| {
                        w.field_u64("score", score);
                        w.field_raw("completion", completion.as_str());
                    });
                }
            });
        });
    }))
}

/// The one turn of the model's that this field holds.
fn answer(root: Node<'_>, name: &str, dropped: &mut Vec<String>) -> Result<Json, Fault> {
    let call = Call::of((name, root.expect(name)?), None, dropped)?;
    let document = call.document()?;
    match turns(document.root(), name)?.as_slice() {
        [turn] if is_models(turn) => Ok(Json::of(*turn)),
        _ => Err(wrong(format!("`{name}` is more or less than one turn of the model's"))),
    }
}

fn is_models(turn: &Node<'_>) -> bool {
    turn.str("role").as_deref() == Some("model")
}

/// The turns of a call. A row names files by their addresses.
fn turns<'d>(root: Node<'d>, path: &str) -> Result<Vec<Node<'d>>, Fault> {
    let turns: Vec<Node<'d>> = root.some("contents").iter().flat_map(|turns| turns.items()).collect();
    let mut parts = turns.iter().flat_map(|turn| turn.some("parts")).flat_map(|parts| parts.items());
    match parts.any(|part| part.some("inlineData").is_some()) {
        true => Err(wrong(format!(
            "`{path}` has a file within it, and the provider reads files in Cloud Storage: put it there, and name it by its address \
             (gs://bucket/name)"
        ))),
        false => Ok(turns),
    }
}

fn decode(root: Node<'_>) -> Result<State, Fault> {
    let name = root.str("name");
    let id = name.as_deref().and_then(|name| name.rsplit_once("/tuningJobs/"));
    let (Some((_, id)), Some(word)) = (id, root.str("state")) else {
        return Err(Fault::upstream("The provider's answer is no tuning job."));
    };
    let status = match &*word {
        "JOB_STATE_UNSPECIFIED" | "JOB_STATE_QUEUED" | "JOB_STATE_PENDING" => Status::Queued,
        "JOB_STATE_SUCCEEDED" | "JOB_STATE_PARTIALLY_SUCCEEDED" => Status::Succeeded,
        "JOB_STATE_FAILED" | "JOB_STATE_EXPIRED" => Status::Failed,
        "JOB_STATE_CANCELLED" => Status::Cancelled,
        _ => Status::Running,
    };
    let is_over = matches!(status, Status::Succeeded | Status::Failed | Status::Cancelled);
    let reason = root.some("error").and_then(|error| Some(error.str("message")?.into_owned()));
    Ok(State {
        id: id.to_owned(),
        status,
        model: model(root).filter(|_| status == Status::Succeeded),
        trained_tokens: trained_tokens(root).filter(|_| is_over),
        ended_s: time_of(root, "endTime").filter(|_| is_over),
        reason: reason.filter(|_| status == Status::Failed),
    })
}

/// Calls ask the endpoint. A model that has none is told by its own name.
fn model(root: Node<'_>) -> Option<String> {
    let tuned = root.some("tunedModel")?;
    let name = |field: &str| tuned.str(field).filter(|name| !name.is_empty());
    name("endpoint").or_else(|| name("model")).map(|name| name.into_owned())
}

fn trained_tokens(root: Node<'_>) -> Option<u64> {
    let stats = root.some("tuningDataStats")?;
    let stats =
        stats.some("supervisedTuningDataStats").or_else(|| stats.some("preferenceOptimizationDataStats"))?;
    number(stats, "totalBillableTokenCount")
}

/// Google writes numbers of 64 bits as texts.
fn number(node: Node<'_>, name: &str) -> Option<u64> {
    node.u64(name).or_else(|| node.str(name)?.parse().ok())
}

/// When each was kept is not told.
fn decode_checkpoints(root: Node<'_>) -> Vec<Checkpoint> {
    let time = time_of(root, "endTime").or_else(|| time_of(root, "updateTime")).unwrap_or_default();
    let checkpoints = root.some("tunedModel").and_then(|tuned| tuned.some("checkpoints"));
    let read = |node: Node<'_>| {
        let model = node.str("endpoint").filter(|name| !name.is_empty())?.into_owned();
        Some(Checkpoint { created_s: time, model, step: number(node, "step")? })
    };
    checkpoints.iter().flat_map(|list| list.items()).filter_map(read).collect()
}
