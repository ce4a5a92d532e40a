//! Cohere's batches: rows in a dataset of a type of its own, one model for all, and results in the files of another dataset, at addresses
//! of their own, in Avro (<https://docs.cohere.com/reference/create-batch>, <https://docs.cohere.com/reference/create-dataset>).
//!
//! What a row may hold is fixed, and nearly what a call may: its contents are lists, and schemas are texts. Whatever else a call may hold is
//! refused by its name, because the vendor would refuse the dataset.

use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, Ready, RowResult, State, Status, Upload, UploadedFile, time_of,
};
use super::results::{FileFormat, Listing, Results};
use crate::json::{Document, Json, Node, Writer};
use crate::step::{self, Content, Place, Step};
use crate::{Api, Fault, fault};

/// The type of a dataset with conversations.
const CHAT: &str = "batch-chat-v2-input";
/// That of one with what is to be embedded.
const EMBED: &str = "batch-embed-v2-input";

/// The largest dataset: <https://docs.cohere.com/docs/datasets>. Nothing is said of the number of rows.
pub static COHERE: BatchForm = BatchForm {
    own_header: None,
    rows: &[(Api::CohereChat, CHAT), (Api::CohereEmbed, EMBED)],
    rows_min: 1,
    rows_max: u64::MAX,
    bytes_max: 1_500_000_000,
    one_model: true,
    separator: "\n",
    storage: None,
    encode_row,
    upload: Some(Upload {
        begin: None,
        send: |batch| {
            let path = format!("/v1/datasets?name={}&type={}", batch.name, batch.endpoint);
            Step::post(Place::Path(path), step::form(batch.name, &[], "data"))
        },
        file: UploadedFile::Told(|root| Some(root.str("id")?.into_owned())),
        ready: Some(Ready { step: dataset, decode: is_ready }),
    }),
    create,
    status: |id| Step::get(at(format!("/{id}"))),
    cancel: |id| Step::post(at(format!("/{id}:cancel")), Content::Nothing),
    decode,
    results,
    decode_result,
};

fn at(path: String) -> Place {
    Place::Behind(Api::CohereBatches, path)
}

fn dataset(id: &str) -> Step {
    Step::get(Place::Path(format!("/v1/datasets/{id}")))
}

/// What a row of a conversation may hold as a call has it.
const FIELDS: [&str; 9] = [
    "temperature",
    "p",
    "k",
    "seed",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "return_prompt",
];

/// What a row that embeds may hold as a call has it. A length of vectors is not among it: datasets with one are refused (crmne/ruby_llm,
/// lib/ruby_llm/protocols/cohere/batch_requests.rs).
const EMBED_FIELDS: [&str; 6] = ["texts", "images", "inputs", "input_type", "max_tokens", "truncate"];

fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    let document = Document::of_request(body)?;
    let embeds = document.root().some("messages").is_none();
    let field = if embeds { embed_field } else { field };
    let mut w = Writer::with_capacity(body.len() + 256);
    let mut written = Ok(());
    w.object(|w| {
        w.field_str("custom_id", key);
        w.field_object("body", |w| {
            written = document.root().fields().try_for_each(|(name, value)| field(w, &name, value));
        });
    });
    written?;
    let row = String::from_utf8(w.into_bytes()).map_err(|fault| Fault::invalid(fault.to_string()))?;
    // Outside of texts JSON may have line ends.
    out.extend_from_slice(row.replace(['\n', '\r'], " ").as_bytes());
    Ok(())
}

fn field(w: &mut Writer, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        // The batch says it.
        "model" => {}
        "stream" if value.as_bool() == Some(false) => {}
        _ if value.is_null() => {}
        "messages" => return list(w, name, value, message),
        "tools" => return list(w, name, value, tool),
        "thinking" => {
            w.field_bool("reasoning", value.str("type").as_deref() != Some("disabled"));
            if let Some(budget) = value.u64("token_budget") {
                w.field_u64("thinking_budget", budget);
            }
        }
        name if FIELDS.contains(&name) => w.field_raw(name, value.text()),
        name => return Err(refused(name)),
    }
    Ok(())
}

fn embed_field(w: &mut Writer, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "model" => {}
        _ if value.is_null() => {}
        // Floats in base64 are packed from numbers where the answer is told.
        "embedding_types" if value.items().any(|kind| kind.as_str().as_deref() == Some("base64")) => {
            w.field_array(name, |w| w.string("float"));
        }
        "embedding_types" => w.field_raw(name, value.text()),
        "output_dimension" => return Err(refused("dimensions")),
        name if EMBED_FIELDS.contains(&name) => w.field_raw(name, value.text()),
        name => return Err(refused(name)),
    }
    Ok(())
}

fn refused(name: &str) -> Fault {
    Fault::invalid(format!(
        "The provider's batches have no `{name}`: leave it out, or ask for the row by itself."
    ))
    .with_param(name)
    .with_code("unsupported_parameter")
}

fn list(
    w: &mut Writer,
    name: &str,
    value: Node<'_>,
    item: fn(&mut Writer, Node<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut written = Ok(());
    w.field_array(name, |w| written = value.items().try_for_each(|node| item(w, node)));
    written
}

/// An object, in which one field is written in another way.
fn object(
    w: &mut Writer,
    node: Node<'_>,
    other: &str,
    write: fn(&mut Writer, &str, Node<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut written = Ok(());
    w.object(|w| {
        written = node.fields().try_for_each(|(name, value)| match name == other && !value.is_null() {
            true => write(w, &name, value),
            false => {
                w.field_raw(&name, value.text());
                Ok(())
            }
        });
    });
    written
}

fn message(w: &mut Writer, message: Node<'_>) -> Result<(), Fault> {
    object(w, message, "content", |w, name, content| match content.as_str() {
        Some(text) => {
            w.field_array(name, |w| {
                w.object(|w| {
                    w.field_str("type", "text");
                    w.field_str("text", &text);
                });
            });
            Ok(())
        }
        None => list(w, name, content, part),
    })
}

const IMAGE: &str = "messages[].content[].image_url";

fn part(w: &mut Writer, part: Node<'_>) -> Result<(), Fault> {
    match part.str("type").as_deref() {
        Some("text" | "thinking") => w.raw(part.text()),
        Some("image_url") if part.some("image_url").is_none() => return Err(refused(IMAGE)),
        Some("image_url") => {
            return object(w, part, "image_url", |w, name, image| {
                let address = image.str("url").or(image.as_str());
                w.field_str(name, &address.ok_or_else(|| refused(IMAGE))?);
                Ok(())
            });
        }
        _ => return Err(refused("messages[].content[].type")),
    }
    Ok(())
}

fn tool(w: &mut Writer, tool: Node<'_>) -> Result<(), Fault> {
    object(w, tool, "function", |w, name, function| {
        w.key(name);
        object(w, function, "parameters", |w, name, parameters| {
            w.field_str(name, &parameters.as_str().unwrap_or_else(|| parameters.text().into()));
            Ok(())
        })
    })
}

fn is_ready(root: Node<'_>) -> Result<bool, Fault> {
    let dataset = root.some("dataset");
    let Some((dataset, status)) =
        dataset.and_then(|dataset| Some((dataset, dataset.str("validation_status")?)))
    else {
        return Err(Fault::upstream("The provider's answer is no dataset."));
    };
    match &*status {
        "validated" | "skipped" => Ok(true),
        "failed" => Err(Fault::invalid(dataset.str("validation_error").unwrap_or_default().into_owned())),
        _ => Ok(false),
    }
}

fn create(batch: &NewBatch<'_>, dataset: &str) -> Step {
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("name", batch.name);
            w.field_str("input_dataset_id", dataset);
            w.field_str("model", batch.model);
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

/// <https://docs.cohere.com/reference/get-batch>
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let batch = root.some("batch").unwrap_or(root);
    let (Some(id), Some(word)) = (batch.str("id"), batch.str("status")) else {
        return Err(Fault::upstream("The provider's answer is no batch."));
    };
    let status = match word.strip_prefix("BATCH_STATUS_").unwrap_or(&word) {
        "COMPLETED" => Status::Completed,
        "FAILED" => Status::Failed,
        "CANCELING" => Status::Cancelling,
        "CANCELED" => Status::Cancelled,
        _ => Status::InProgress,
    };
    let text = |name: &str| batch.str(name).filter(|text| !text.is_empty()).map(|text| text.into_owned());
    let count = |name: &str| batch.u64(name).unwrap_or_default();
    Ok(State {
        found: Found { id: id.into_owned(), output: text("output_dataset_id"), errors: None },
        status,
        completed: count("num_successful_records"),
        failed: count("num_failed_records"),
        percent: None,
        expires_s: None,
        cancelling_s: None,
        ended_s: if status == Status::InProgress { None } else { time_of(batch, "updated_at") },
        reason: text("status_reason"),
    })
}

/// One dataset has all rows.
fn results(found: &Found, _: Part) -> Option<Results> {
    let step = dataset(found.output.as_ref()?);
    Some(Results::Files(Listing { step, decode: addresses, format: FileFormat::Avro }))
}

/// <https://docs.cohere.com/reference/get-dataset>
fn addresses(root: Node<'_>) -> Vec<String> {
    let parts = root.some("dataset").and_then(|dataset| dataset.some("dataset_parts"));
    let parts = parts.into_iter().flat_map(|parts| parts.items());
    parts.filter_map(|part| Some(part.str("url")?.into_owned())).collect()
}

fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let Some(key) = root.str("custom_id") else {
        return Err(Fault::upstream("A row of the provider's results is none of a batch."));
    };
    let error = root.some("error").filter(|error| error.as_str().is_none_or(|words| !words.is_empty()));
    let outcome = match (root.some("body"), error) {
        (Some(body), None) => Outcome::Answer(body.text()),
        (_, error) => {
            let words = error.map_or("", |error| error.text());
            Outcome::Refused(Box::new(fault::from_answer(500, words.as_bytes())))
        }
    };
    Ok(RowResult { key, outcome })
}
