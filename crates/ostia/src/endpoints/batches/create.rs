//! A batch that is made.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use ostia_dialect::json::{Document, Node};
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_store::{BatchStatus, FilePurpose, StoredBatch, StoredFile, Times};

use super::sender::{self, Sender};
use super::{is_told_anew, names_gateway, owner, remote, told};
use crate::batches::objects::{DAY, IMMEDIATE};
use crate::batches::{self, Batches, OPEN_MAX, Order};
use crate::client::ClientBody;
use crate::endpoints::{files, handed_on};
use crate::inbound::intake::{self, Unpacked};
use crate::inbound::{Inbound, browser};
use crate::message::body::Body;
use crate::record::Record;
use crate::routing::pass;

/// How long a batch may take, in seconds: as long as OpenAI's.
const WINDOW_S: u64 = 86_400;
/// OpenAI's bounds on metadata.
const METADATA_MAX: usize = 16;
const METADATA_NAME_CHARS_MAX: usize = 64;
const METADATA_VALUE_CHARS_MAX: usize = 512;
/// The fields that mean something here.
const FIELDS: [&str; 6] =
    ["input_file_id", "endpoint", "completion_window", "metadata", "portkey_options", "ostia_options"];

/// Makes a batch here, or has the provider make it whom the request names.
///
/// # Errors
/// 400 for what makes no sense, 429 where too many are open.
pub async fn answer(
    inbound: Inbound<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let limits = &inbound.core.settings.limits;
    let body = intake::read(body, limits).await?;
    let names_gateway = names_gateway(inbound)? || is_told_anew(inbound, Api::OpenaiBatches)?;
    let plain = plain(inbound, &body)?;
    if !names_gateway && !is_ours(&plain) {
        record.account().call(None);
        // What is in somebody else's file would come back in the batch's.
        if let Some(id) = input_file(&plain) {
            handed_on::find(inbound, &id).await.map_err(|fault| fault.with_param("input_file_id"))?;
        }
        let answer = Box::pin(pass::pass_read(inbound, body, record)).await?;
        return Ok(handed_on::remember(inbound, answer, record).await);
    }
    browser::check_media(&inbound.core.settings, &inbound.parts.headers)?;
    let batches = inbound.core.batches.as_ref().ok_or_else(batches::missing)?;
    let wanted = Wanted::read(&Document::of_request(&plain)?)?;
    record.dropped(unknown_fields(inbound, &plain)?, false)?;
    make(inbound, batches, wanted).await.map(|batch| told(&batch))
}

/// Makes a batch of the rows in a file of the gateway's own, all of which call this path. `is_remote`: the provider runs it.
///
/// # Errors
/// As [`answer`].
pub async fn of_file(
    inbound: Inbound<'_>,
    batches: &Batches,
    (file, endpoint): (&str, &str),
    is_remote: bool,
) -> Result<StoredBatch, Fault> {
    let wanted = Wanted {
        input_file: file.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        has_own_rows: true,
        metadata: BTreeMap::new(),
        options: Vec::new(),
        is_remote,
    };
    make(inbound, batches, wanted).await
}

/// The fields that mean nothing here.
///
/// # Errors
/// 400 where nothing may be lost.
fn unknown_fields(inbound: Inbound<'_>, body: &[u8]) -> Result<Vec<String>, Fault> {
    let document = Document::of_request_to(body, 1)?;
    let names = document.root().fields().map(|(name, _)| name.into_owned());
    let unknown: Vec<String> = names.filter(|name| !FIELDS.contains(&name.as_str())).collect();
    match unknown.first().filter(|_| inbound.gateway.lossless == Some(true)) {
        None => Ok(unknown),
        Some(name) => {
            let message = format!("Batches that the gateway runs have no `{name}`: leave it out.");
            Err(Fault::invalid(message).with_param(name.as_str()).with_code("lossy_translation"))
        }
    }
}

/// The body without its content encodings.
///
/// # Errors
/// 400 for one that is not packed as it says, 413 beyond the bound of bodies.
pub fn plain(inbound: Inbound<'_>, body: &Bytes) -> Result<Bytes, Fault> {
    let limits = &inbound.core.settings.limits;
    let mut unpacked = Unpacked::new(&inbound.parts.headers, limits)?;
    let plain = unpacked.push(body.clone(), limits)?;
    unpacked.finish(limits)?;
    Ok(plain)
}

/// Is it for the gateway, whoever is to be asked for its rows?
fn is_ours(body: &[u8]) -> bool {
    let Ok(document) = Document::parse_to(body, 1) else { return false };
    let text = |name: &str| document.root().str(name);
    text("completion_window").as_deref() == Some(IMMEDIATE)
        || text("input_file_id").is_some_and(|id| batches::is_file_id(&id))
}

/// The file that the body names.
fn input_file(body: &[u8]) -> Option<String> {
    let document = Document::parse_to(body, 1).ok()?;
    document.root().str("input_file_id").map(|id| id.into_owned())
}

/// What the body asks for.
struct Wanted {
    input_file: String,
    /// That was made of what the client sent for this batch.
    has_own_rows: bool,
    endpoint: Option<String>,
    metadata: BTreeMap<String, String>,
    /// Headers for the rows, in place of those that the request has.
    options: Vec<(String, String)>,
    /// A provider runs it.
    is_remote: bool,
}

impl Wanted {
    fn read(document: &Document<'_>) -> Result<Wanted, Fault> {
        let root = document.root();
        let window = root.expect("completion_window")?.expect_str()?;
        if window != IMMEDIATE && window != DAY {
            let message = format!(
                "Must be \"{IMMEDIATE}\", and the gateway asks the rows itself, at once and at the price of ordinary calls, or \
                 \"{DAY}\", and the provider runs them as a batch of its own."
            );
            return Err(Fault::invalid(message).with_param("completion_window").with_code("invalid_window"));
        }
        let input_file = root.expect("input_file_id")?.expect_str()?;
        if !batches::is_file_id(&input_file) {
            let message = "This is no file of the gateway's own, and it runs the rows of no others: upload the rows to it, by \
                           POST /v1/files with the header `x-ostia-provider: ostia`.";
            return Err(Fault::invalid(message).with_param("input_file_id").with_code("invalid_input_file"));
        }
        let endpoint = root.some("endpoint").map(|node| node.expect_str()).transpose()?;
        let mut options = Vec::new();
        for name in ["portkey_options", "ostia_options"] {
            if let Some(node) = root.some(name) {
                options.extend(read_options(node)?);
            }
        }
        Ok(Wanted {
            input_file: input_file.into_owned(),
            has_own_rows: false,
            endpoint: endpoint.map(|endpoint| endpoint.into_owned()),
            metadata: root.some("metadata").map(read_metadata).transpose()?.unwrap_or_default(),
            options,
            is_remote: window == DAY,
        })
    }
}

/// Names of headers, with their values; an object, such as a config, stands for its JSON.
fn read_options(node: Node<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut options = Vec::new();
    for (name, value) in node.expect_fields()? {
        let text = match value.as_str() {
            Some(text) => text.into_owned(),
            None if value.is_null() => continue,
            None => value.text().to_owned(),
        };
        options.push((name.into_owned(), text));
    }
    Ok(options)
}

fn read_metadata(node: Node<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut metadata = BTreeMap::new();
    for (name, value) in node.expect_fields()? {
        let value = value.expect_str()?;
        let is_short = name.chars().count() <= METADATA_NAME_CHARS_MAX
            && value.chars().count() <= METADATA_VALUE_CHARS_MAX;
        metadata.insert(name.into_owned(), value.into_owned());
        if !is_short || metadata.len() > METADATA_MAX {
            return Err(node.invalid(format!(
                "must have {METADATA_MAX} entries at most, with names of {METADATA_NAME_CHARS_MAX} and values of \
                 {METADATA_VALUE_CHARS_MAX} characters at most"
            )));
        }
    }
    Ok(metadata)
}

async fn make(inbound: Inbound<'_>, batches: &Batches, wanted: Wanted) -> Result<StoredBatch, Fault> {
    let sender = sender::of(inbound, &wanted.options)?;
    let owner = owner(inbound, batches).await?;
    let (asked, id) = (owner.clone(), wanted.input_file.clone());
    let file = batches.ask(move |tables| tables.file(&asked, &id)).await?;
    let file = file.ok_or_else(|| files::not_found(&wanted.input_file).with_param("input_file_id"))?;
    if file.purpose == FilePurpose::FineTune {
        let message = "The rows of this file are for training (`fine-tune`): upload those of a batch with `purpose=batch`.";
        return Err(Fault::invalid(message).with_param("input_file_id").with_code("invalid_input_file"));
    }
    check_endpoint(wanted.endpoint.as_deref(), &file)?;
    batches.check_room().await?;
    let remote = match wanted.is_remote {
        true => Some(Box::pin(remote::find(inbound, batches, &sender.headers, &file)).await?),
        false => None,
    };
    let Sender { headers, kept, is_whole } = sender;
    let core = inbound.core;
    let now_s = batches::now_s();
    let batch = StoredBatch {
        id: batches::batch_id(&core.new_id()),
        owner,
        status: BatchStatus::Validating,
        endpoint: wanted.endpoint.unwrap_or_else(|| file.urls.first().cloned().unwrap_or_default()),
        input_file: wanted.input_file,
        has_own_rows: wanted.has_own_rows,
        output_file: batches::file_id(&core.new_id()),
        error_file: batches::file_id(&core.new_id()),
        rows: file.rows,
        completed: 0,
        failed: 0,
        times: Times { created_s: now_s, expires_s: now_s + WINDOW_S, ..Times::default() },
        metadata: wanted.metadata,
        headers: kept,
        is_whole,
        run: batches.run.to_string(),
        faults: Vec::new(),
        remote,
    };
    let own = batch.clone();
    if !batches.ask(move |tables| tables.add_batch(&own, OPEN_MAX)).await? {
        let message = format!("{OPEN_MAX} batches are not over yet: try again later.");
        return Err(Fault::new(FaultKind::RateLimit, message).with_code("batches_open_limit"));
    }
    let (made, own) = (batch.clone(), batch.clone());
    if let Err(fault) = batches.order(Order::Run(Box::new(batch), headers)) {
        // Nobody hears of it, and nothing of it is to be asked after the next start.
        batches.tell(move |tables| {
            let give_up = |batch: &mut StoredBatch| batch.is_now(BatchStatus::Failed, now_s);
            tables.change_batch(&own.owner, &own.id, give_up).map(|_| ())
        });
        return Err(fault);
    }
    Ok(made)
}

/// The rows call what the batch says that they call.
fn check_endpoint(endpoint: Option<&str>, file: &StoredFile) -> Result<(), Fault> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    match file.urls.iter().find(|url| *url != endpoint) {
        None => Ok(()),
        Some(other) => {
            let message = format!("The batch is for `{endpoint}`, and rows of its file call `{other}`.");
            Err(Fault::invalid(message).with_param("endpoint").with_code("mismatched_endpoint"))
        }
    }
}
