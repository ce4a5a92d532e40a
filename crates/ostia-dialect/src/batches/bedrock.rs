//! Amazon Bedrock's model invocation jobs: rows and results in S3, one model for all
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html>).
//!
//! Rows are bodies of InvokeModel, or of Converse where the job says so. Which models that embed have batches is AWS's to say
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html>). Objects are named by paths (`/bucket/key`), which all buckets
//! have, also those with dots in their names.

use super::form::{
    BatchForm, Found, NewBatch, Outcome, Part, RowResult, Settings, State, Status, Storage, Upload,
    UploadedFile, time_of,
};
use super::objects::{self, Folder};
use super::results::Results;
use crate::json::{Document, Json, Node};
use crate::step::{Content, Method, Place, Step};
use crate::{Api, Fault, fault};

/// Fewest rows, and the largest file (<https://docs.aws.amazon.com/general/latest/gr/bedrock.html>, "Minimum number of records per
/// batch inference job", "Batch inference input file size"). How many rows a file may have depends on the model and on the account.
pub static BEDROCK: BatchForm = BatchForm {
    own_header: None,
    rows: &[
        (Api::BedrockConverse, "Converse"),
        (Api::AnthropicMessages, INVOKE),
        (Api::TitanTextEmbed, INVOKE),
        (Api::TitanImageEmbed, INVOKE),
        (Api::CohereInvokeEmbed, INVOKE),
        (Api::NovaEmbed, INVOKE),
    ],
    rows_min: 100,
    rows_max: u64::MAX,
    bytes_max: 1 << 30,
    one_model: true,
    separator: "\n",
    storage: Some(STORAGE),
    encode_row,
    upload: Some(UPLOAD),
    create,
    status: |id| Step::get(Place::Behind(Api::BedrockBatches, format!("/{id}"))),
    cancel: |id| Step::post(Place::Behind(Api::BedrockBatches, format!("/{id}/stop")), Content::Nothing),
    decode,
    results,
    decode_result,
};

/// Rows as an object of the bucket.
pub(crate) const UPLOAD: Upload =
    Upload { begin: None, send: upload, file: UploadedFile::Chosen(|batch| FOLDER.rows(batch)), ready: None };
/// The bucket, and the role by which Bedrock reads and writes there.
pub(crate) const STORAGE: Storage = Storage { api: Api::S3Objects, needed: &[BUCKET, ROLE], check };

const INVOKE: &str = "InvokeModel";
const BUCKET: &str = "aws_s3_bucket";
/// The role by which Bedrock reads and writes there.
pub(crate) const ROLE: &str = "aws_batch_role_arn";
/// How objects are encrypted (`aws:kms`), and the key.
const ENCRYPTION: &str = "amz_server_side_encryption";
pub(crate) const KEY: &str = "amz_server_side_encryption_aws_kms_key_id";
pub(crate) const FOLDER: Folder = Folder { bucket: BUCKET, prefix: "aws_s3_prefix" };
/// Longest name of a job, in characters.
const JOB_NAME_CHARS_MAX: usize = 63;

/// Its role is looked at by AWS alone.
fn check(settings: Settings<'_>) -> Result<(), Fault> {
    FOLDER.check(settings)
}

/// Rows of Converse have no tools
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html>, the second note).
fn encode_row(out: &mut Vec<u8>, key: &str, body: &[u8]) -> Result<(), Fault> {
    let document = Document::of_request_to(body, 1)?;
    document.root().expect_fields()?;
    if document.root().some("toolConfig").is_some() {
        let message = "The provider's batches have no tools for this model: leave them out, or have the gateway run the rows \
                       (`completion_window: \"immediate\"`).";
        return Err(Fault::invalid(message).with_param("tools").with_code("unsupported_parameter"));
    }
    super::write_row(out, body, |w, body| {
        w.field_str("recordId", key);
        w.field_raw("modelInput", body);
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
fn upload(batch: &NewBatch<'_>) -> Step {
    let content =
        Content::Rows { content_type: "application/jsonl".to_owned(), before: Vec::new(), after: Vec::new() };
    let key = batch.settings.get(KEY);
    let encryption = batch.settings.get(ENCRYPTION).or(key.map(|_| "aws:kms"));
    let headers =
        [("x-amz-server-side-encryption", encryption), ("x-amz-server-side-encryption-aws-kms-key-id", key)];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect();
    Step { headers, is_bare: true, ..Step::new(Method::Put, object(&FOLDER.rows(batch)), content) }
}

fn object(address: &str) -> Place {
    let mut path = String::with_capacity(address.len() + 1);
    for segment in address.split('/') {
        path.push('/');
        path.extend(objects::encoded(segment));
    }
    Place::Behind(Api::S3Objects, path)
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html>
fn create(batch: &NewBatch<'_>, rows: &str) -> Step {
    // Letters, digits and hyphens. It is the token too by which a job is not made twice.
    let name = batch.name.replace('_', "-");
    let short: String = name.chars().take(JOB_NAME_CHARS_MAX).collect();
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("jobName", &short);
            w.field_str("clientRequestToken", &name);
            w.field_str("modelId", batch.model);
            w.field_str("modelInvocationType", batch.endpoint);
            w.field_str("roleArn", batch.settings.get(ROLE).unwrap_or_default());
            w.field_object("inputDataConfig", |w| {
                w.field_object("s3InputDataConfig", |w| {
                    w.field_str("s3InputFormat", "JSONL");
                    w.field_str("s3Uri", &format!("s3://{rows}"));
                });
            });
            w.field_object("outputDataConfig", |w| {
                w.field_object("s3OutputDataConfig", |w| {
                    w.field_str("s3Uri", &format!("s3://{}", FOLDER.of(batch)));
                    if let Some(key) = batch.settings.get(KEY) {
                        w.field_str("s3EncryptionKeyId", key);
                    }
                });
            });
        });
    });
    let content = Content::Json(body.as_str().into());
    Step::post(Place::Behind(Api::BedrockBatches, String::new()), content)
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html>; what makes a job is answered with its name
/// alone.
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let arn = root.str("jobArn");
    let Some((_, id)) = arn.as_deref().and_then(|arn| arn.rsplit_once('/')) else {
        return Err(Fault::upstream("The provider's answer is no model invocation job."));
    };
    let status = match root.str("status").as_deref() {
        Some("Completed") => Status::Completed,
        Some("Failed") => Status::Failed,
        // Some of its rows were not asked in time.
        Some("Expired" | "PartiallyCompleted") => Status::Expired,
        Some("Stopping") => Status::Cancelling,
        Some("Stopped") => Status::Cancelled,
        _ => Status::InProgress,
    };
    Ok(State {
        found: Found { id: id.to_owned(), output: output(root, id), errors: None },
        status,
        completed: root.u64("successRecordCount").unwrap_or_default(),
        failed: root.u64("errorRecordCount").unwrap_or_default(),
        percent: None,
        expires_s: time_of(root, "jobExpirationTime"),
        cancelling_s: None,
        ended_s: time_of(root, "endTime"),
        reason: root.str("message").filter(|message| !message.is_empty()).map(|message| message.into_owned()),
    })
}

/// The file of rows with `.out` at its end, in a folder of the job's
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html>).
fn output(root: Node<'_>, id: &str) -> Option<String> {
    let uri = |config: &str, kind: &str| root.some(config)?.some(kind)?.str("s3Uri");
    let rows = uri("inputDataConfig", "s3InputDataConfig")?;
    let folder = uri("outputDataConfig", "s3OutputDataConfig")?;
    let folder = objects::address(&folder, "s3://")?.trim_end_matches('/');
    let (_, rows) = rows.rsplit_once('/')?;
    Some(format!("{folder}/{id}/{rows}.out"))
}

/// One file has all.
fn results(found: &Found, _: Part) -> Option<Results> {
    Some(Results::Lines(Step { is_bare: true, ..Step::get(object(found.output.as_ref()?)) }))
}

fn decode_result(root: Node<'_>) -> Result<RowResult<'_>, Fault> {
    let outcome = match (root.some("modelOutput"), root.some("error")) {
        (_, Some(error)) => Some(Outcome::Refused(Box::new(refused(error)))),
        (Some(answer), None) => Some(Outcome::Answer(answer.text())),
        (None, None) => None,
    };
    match (root.str("recordId"), outcome) {
        (Some(key), Some(outcome)) => Ok(RowResult { key, outcome }),
        _ => Err(Fault::upstream("A line of the provider's results is none of a model invocation job.")),
    }
}

fn refused(error: Node<'_>) -> Fault {
    let status = error.u64("errorCode").and_then(|code| u16::try_from(code).ok());
    let status = status.filter(|status| (400..600).contains(status)).unwrap_or(500);
    fault::from_answer(status, error.text().as_bytes())
}
