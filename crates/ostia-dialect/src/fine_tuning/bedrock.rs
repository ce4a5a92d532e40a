//! Amazon Bedrock's model customization jobs (<https://docs.aws.amazon.com/bedrock/latest/userguide/custom-models.html>): rows in S3, told as
//! the base model is trained with them. A job is known by its ARN.

use super::conversation::{self, wrong};
use super::form::{Files, State, Status, TuningForm};
use super::request::{Method, NewJob};
use super::row::RowKind;
use crate::batches::bedrock::{FOLDER, ROLE, STORAGE, UPLOAD};
use crate::batches::form::time_of;
use crate::batches::objects;
use crate::json::{Document, Json, Node, Writer};
use crate::step::{Content, Place, Step};
use crate::{Api, Dialect, Fault};

/// Longest name of a job and of a model, in characters
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelCustomizationJob.html>).
const NAME_CHARS_MAX: usize = 63;
/// Longest ARN of a job, in characters.
const ARN_CHARS_MAX: usize = 1_011;
/// Stands behind every row while it is told: an answer at the end of a call is one that the model is to go on from, and is told otherwise.
const QUESTION: &str = r#"{"role":"user","content":"."}"#;

/// How a family of base models is trained.
struct Family {
    /// What their names hold.
    name: &'static str,
    /// What rows may be.
    rows: &'static [RowKind],
    /// A conversation is texts alone, and not as Converse has it.
    is_plain: bool,
    /// How fast it learns.
    rate: Rate,
    /// How many rows stand between two steps can be said.
    has_batch_size: bool,
}

/// How fast a model learns.
#[derive(Clone, Copy)]
enum Rate {
    /// A number of its own, and what that is where a job does not say it, if that is published.
    Absolute(Option<f64>),
    /// A multiple of what the vendor chooses.
    Multiple,
}

/// The first whose name it is counts. Rows: <https://docs.aws.amazon.com/bedrock/latest/userguide/preparing-text-data.html>. Numbers:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/custom-models-hp.html>.
static FAMILIES: [Family; 6] = [
    Family {
        name: "amazon.nova-",
        rows: &[RowKind::Conversation],
        rate: Rate::Absolute(Some(1e-5)),
        has_batch_size: false,
        ..OTHERS
    },
    Family {
        name: "anthropic.claude-",
        rows: &[RowKind::Conversation],
        is_plain: true,
        rate: Rate::Multiple,
        ..OTHERS
    },
    Family {
        name: "amazon.titan-text-premier-",
        rows: &[RowKind::Completion],
        rate: Rate::Absolute(Some(1e-6)),
        ..OTHERS
    },
    Family {
        name: "amazon.titan-text-",
        rows: &[RowKind::Completion],
        rate: Rate::Absolute(Some(1e-5)),
        ..OTHERS
    },
    Family {
        name: "cohere.command-",
        rows: &[RowKind::Completion],
        rate: Rate::Absolute(Some(1e-5)),
        ..OTHERS
    },
    Family { name: "meta.llama", rate: Rate::Absolute(Some(1e-4)), ..OTHERS },
];
const OTHERS: Family = Family {
    name: "",
    rows: &[RowKind::Conversation, RowKind::Completion],
    is_plain: false,
    rate: Rate::Absolute(None),
    has_batch_size: true,
};

/// How many rows a file may have depends on the model and on the account
/// (<https://docs.aws.amazon.com/general/latest/gr/bedrock.html>, "Sum of training and validation records"). One request puts an object of
/// 5 GB at most into S3 (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>).
pub static BEDROCK: TuningForm = TuningForm {
    rows: |job| match job.method {
        Method::Supervised => family(job).rows,
        Method::Dpo => &[],
    },
    rows_min: 1,
    validation_rows_max: u64::MAX,
    bytes_max: 5 << 30,
    storage: Some(STORAGE),
    encode_row: Some(encode_row),
    upload: UPLOAD,
    unsaid,
    create,
    status: |id| Step::get(at(format!("/{}", objects::encoded(id)))),
    cancel: |id| Step::post(at(format!("/{}/stop", objects::encoded(id))), Content::Nothing),
    decode,
    is_id: is_arn,
    events: None,
    checkpoints: None,
};

fn at(path: String) -> Place {
    Place::Behind(Api::BedrockFineTunes, path)
}

/// The id of a model, its ARN and that of one that was made of it hold the same name.
fn family(job: &NewJob) -> &'static Family {
    FAMILIES.iter().find(|family| job.model.contains(family.name)).unwrap_or(&OTHERS)
}

/// It is one segment of a path, with all signs encoded.
fn is_arn(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let is_job = id.starts_with("arn:") && id.contains(":model-customization-job/") && !id.contains("..");
    is_job && id.len() <= ARN_CHARS_MAX && id.bytes().all(is_plain)
}

fn unsaid(job: &NewJob) -> Vec<&'static str> {
    let (numbers, family) = (job.hyperparameters, family(job));
    let (loses_rate, loses_multiplier) = match family.rate {
        Rate::Multiple => (numbers.learning_rate.is_some(), false),
        // What it would be multiplied with nobody tells: `learning_rate` says it.
        Rate::Absolute(None) => {
            (false, numbers.learning_rate_multiplier.is_some() && numbers.learning_rate.is_none())
        }
        Rate::Absolute(Some(_)) => (false, false),
    };
    let fields = [
        ("seed", job.seed.is_some()),
        ("hyperparameters.batch_size", numbers.batch_size.is_some() && !family.has_batch_size),
        ("hyperparameters.learning_rate", loses_rate),
        ("hyperparameters.learning_rate_multiplier", loses_multiplier),
        ("hyperparameters.adapter_size", numbers.adapter_size.is_some()),
        ("hyperparameters.beta", numbers.beta.is_some()),
        ("integrations", job.wandb.is_some()),
    ];
    fields.into_iter().filter(|(_, is_unsaid)| *is_unsaid).map(|(name, _)| name).collect()
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelCustomizationJob.html>
fn create(job: &NewJob, files: &Files<'_>) -> Step {
    // It is the token too by which a job is not made twice.
    let name = plain(files.name);
    let body = Json::build(|w| {
        w.object(|w| {
            w.field_str("jobName", &cut(&name, NAME_CHARS_MAX));
            w.field_str("clientRequestToken", &name);
            w.field_str("customModelName", &model_name(job, &name));
            w.field_str("baseModelIdentifier", &job.model);
            w.field_str("customizationType", "FINE_TUNING");
            w.field_str("roleArn", files.settings.get(ROLE).unwrap_or_default());
            w.field_object("trainingDataConfig", |w| {
                w.field_str("s3Uri", &format!("s3://{}", files.training))
            });
            if let Some(validation) = files.validation {
                w.field_object("validationDataConfig", |w| {
                    w.field_array("validators", |w| {
                        w.object(|w| w.field_str("s3Uri", &format!("s3://{validation}")));
                    });
                });
            }
            w.field_object("outputDataConfig", |w| {
                w.field_str("s3Uri", &format!("s3://{}", FOLDER.named(files.name, files.settings)));
            });
            w.field_object("hyperParameters", |w| encode_numbers(job, w));
        });
    });
    Step::post(at(String::new()), Content::Json(body.as_str().into()))
}

/// All of them are texts.
fn encode_numbers(job: &NewJob, w: &mut Writer) {
    let (numbers, family) = (job.hyperparameters, family(job));
    if let Some(count) = numbers.n_epochs {
        w.field_str("epochCount", &count.to_string());
    }
    if let Some(size) = numbers.batch_size.filter(|_| family.has_batch_size) {
        w.field_str("batchSize", &size.to_string());
    }
    let multiplier = numbers.learning_rate_multiplier;
    let (name, rate) = match family.rate {
        Rate::Multiple => ("learningRateMultiplier", multiplier),
        Rate::Absolute(default) => {
            let scaled = multiplier.zip(default).map(|(multiplier, default)| multiplier * default);
            ("learningRate", numbers.learning_rate.or(scaled))
        }
    };
    if let Some(rate) = rate {
        w.field_str(name, &rate.to_string());
    }
}

/// Letters and digits with single hyphens between.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_ascii_alphanumeric() {
            true => plain.push(letter),
            false if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            false => {}
        }
    }
    plain.trim_end_matches('-').to_owned()
}

fn cut(text: &str, chars_max: usize) -> String {
    let short: String = text.chars().take(chars_max).collect();
    short.trim_end_matches('-').to_owned()
}

/// No two models of an account have one name: the end of the job's makes it another.
fn model_name(job: &NewJob, name: &str) -> String {
    let suffix = plain(job.suffix.as_deref().unwrap_or_default());
    if suffix.is_empty() {
        return cut(name, NAME_CHARS_MAX);
    }
    let own: String = name.chars().rev().filter(char::is_ascii_alphanumeric).take(8).collect();
    let own: String = own.chars().rev().collect();
    format!("{}-{own}", cut(&suffix, NAME_CHARS_MAX - own.len() - 1))
}

fn encode_row(out: &mut Vec<u8>, job: &NewJob, row: &[u8]) -> Result<Vec<String>, Fault> {
    let document = Document::of_request(row)?;
    let root = document.root();
    let Some(messages) = root.some("messages") else {
        out.extend_from_slice(encode_completion(root)?.as_str().as_bytes());
        return Ok(conversation::unknown(root, RowKind::Completion.fields()));
    };
    if root.some("tools").is_some_and(|tools| tools.items().next().is_some()) {
        return Err(wrong(
            "`tools` has no form here: the provider trains with conversations alone".to_owned(),
        ));
    }
    let messages = ("messages", messages);
    let encoded = conversation::encode(Dialect::BedrockConverse, &job.model, messages, None, Some(QUESTION))?;
    let document =
        Document::parse(&encoded.body).map_err(|fault| wrong(format!("it cannot be told: {fault}")))?;
    let (system, turns) = (document.root().some("system"), turns(document.root())?);
    check(&turns)?;
    let json = match family(job).is_plain {
        true => encode_plain(system, &turns)?,
        false => encode_converse(system, &turns),
    };
    out.extend_from_slice(json.as_str().as_bytes());
    let unknown = conversation::unknown(root, &["messages", "tools"]);
    Ok(unknown.into_iter().chain(encoded.dropped).collect())
}

fn encode_completion(root: Node<'_>) -> Result<Json, Fault> {
    let (prompt, completion) = (root.expect("prompt")?, root.expect("completion")?);
    Ok(Json::build(|w| {
        w.object(|w| {
            w.field_raw("prompt", prompt.text());
            w.field_raw("completion", completion.text());
        });
    }))
}

/// The turns of a row, which end with the model's.
fn turns<'d>(told: Node<'d>) -> Result<Vec<Node<'d>>, Fault> {
    let mut turns: Vec<Node<'d>> =
        told.some("messages").into_iter().flat_map(|messages| messages.items()).collect();
    // What the user said last would stand in one turn with the question.
    let behind = turns.pop().and_then(|turn| turn.some("content"));
    let is_alone = behind.is_some_and(|content| content.items().count() == 1);
    match is_alone && !turns.is_empty() {
        true => Ok(turns),
        false => Err(wrong("`messages` does not end with an answer of the model".to_owned())),
    }
}

/// A row calls nothing, and names files by their addresses.
fn check(turns: &[Node<'_>]) -> Result<(), Fault> {
    let mut blocks = turns.iter().flat_map(|turn| turn.some("content")).flat_map(|content| content.items());
    let fault = blocks.find_map(|block| {
        if block.some("toolUse").or_else(|| block.some("toolResult")).is_some() {
            return Some("`messages` has calls of tools, and the provider trains with conversations alone");
        }
        let file = ["image", "video", "document"].into_iter().find_map(|kind| block.some(kind));
        let is_within = file?.some("source").is_some_and(|source| source.some("bytes").is_some());
        is_within.then_some(
            "`messages` has a file within it, and the provider reads files in S3: put it there, and name it by its address \
             (s3://bucket/name)",
        )
    });
    fault.map_or(Ok(()), |message| Err(wrong(message.to_owned())))
}

fn encode_converse(system: Option<Node<'_>>, turns: &[Node<'_>]) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("schemaVersion", "bedrock-conversation-2024");
            if let Some(system) = system {
                w.field_raw("system", system.text());
            }
            w.field_array("messages", |w| turns.iter().for_each(|turn| w.raw(turn.text())));
        });
    })
}

/// Texts alone: what the page above has for one model only.
fn encode_plain(system: Option<Node<'_>>, turns: &[Node<'_>]) -> Result<Json, Fault> {
    let system = system.map(text).transpose()?;
    let turns = turns.iter().map(plain_turn).collect::<Result<Vec<_>, Fault>>()?;
    Ok(Json::build(|w| {
        w.object(|w| {
            if let Some(system) = &system {
                w.field_str("system", system);
            }
            w.field_array("messages", |w| {
                for (role, content) in &turns {
                    w.object(|w| {
                        w.field_str("role", role);
                        w.field_str("content", content);
                    });
                }
            });
        });
    }))
}

/// Who speaks, and what is said.
fn plain_turn(turn: &Node<'_>) -> Result<(String, String), Fault> {
    let content = turn.some("content").map(text).transpose()?;
    Ok((turn.str("role").unwrap_or_default().into_owned(), content.unwrap_or_default()))
}

/// The texts of blocks, and nothing else.
fn text(blocks: Node<'_>) -> Result<String, Fault> {
    let texts: Option<Vec<String>> =
        blocks.items().map(|block| block.str("text").map(|text| text.into_owned())).collect();
    texts.map(|texts| texts.join("\n")).ok_or_else(|| {
        wrong(
            "`messages` has more than words, and the provider trains this model with words alone".to_owned(),
        )
    })
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelCustomizationJob.html>; what makes a job is answered with its name
/// alone.
fn decode(root: Node<'_>) -> Result<State, Fault> {
    let Some(arn) = root.str("jobArn") else {
        return Err(Fault::upstream("The provider's answer is no model customization job."));
    };
    let status = match root.str("status").as_deref() {
        None => Status::Queued,
        Some("Completed") => Status::Succeeded,
        Some("Failed") => Status::Failed,
        Some("Stopped") => Status::Cancelled,
        Some(_) => Status::Running,
    };
    let is_over = matches!(status, Status::Succeeded | Status::Failed | Status::Cancelled);
    let text = |name: &str| root.str(name).filter(|text| !text.is_empty()).map(|text| text.into_owned());
    Ok(State {
        id: arn.into_owned(),
        status,
        model: text("outputModelArn").filter(|_| status == Status::Succeeded),
        trained_tokens: None,
        ended_s: time_of(root, "endTime").filter(|_| is_over),
        reason: text("failureMessage").filter(|_| status == Status::Failed),
    })
}
