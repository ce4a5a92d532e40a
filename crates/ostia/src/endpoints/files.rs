//! Files of the gateway's own, for batches that it runs itself, and for batches and training that it tells providers anew. All others are a provider's, and asked for there.

pub mod upload;

use http::{HeaderValue, Method, Response, header};
use ostia_dialect::batches::Part;
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_store::{FilePurpose, Paging, Removed, StoredBatch};

use super::batches::{is_told_anew, names_gateway, owner, paging, remote_rows, wanted};
use crate::batches::{self, Batches, contents, objects};
use crate::client::ClientBody;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::query;
use crate::inbound::route::FilePath;
use crate::message::body::Body;
use crate::record::Record;

/// Most files of a list, and how many where the client does not say (<https://platform.openai.com/docs/api-reference/files/list>).
const LIST_MAX: u32 = 10_000;

/// Is what stands at this path the gateway's own? Its ids say so; lists and uploads are where the client names the gateway itself,
/// or nobody, and nobody else is asked then.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn is_ours(inbound: Inbound<'_>, path: FilePath<'_>) -> Result<bool, Fault> {
    match path {
        FilePath::All => Ok(names_gateway(inbound)? || is_told_anew(inbound, Api::OpenaiFiles)?),
        FilePath::One(id) | FilePath::Content(id) => Ok(batches::is_file_id(id)),
    }
}

/// The answer.
///
/// # Errors
/// 404 for a file that is not the caller's, 405, 400 and 413 for what makes no sense, 503 where the gateway has no files now.
pub async fn answer(
    inbound: Inbound<'_>,
    path: FilePath<'_>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let batches = inbound.core.batches.as_ref().ok_or_else(batches::missing)?;
    let owner = owner(inbound, batches).await?;
    let method = &inbound.parts.method;
    let is_read = method == Method::GET || method == Method::HEAD;
    match path {
        FilePath::All if is_read => list(inbound, batches, owner).await,
        FilePath::All if method == Method::POST => upload::answer(inbound, batches, owner, body).await,
        FilePath::One(id) if is_read => one(batches, owner, id).await,
        FilePath::One(id) if method == Method::DELETE => remove(batches, owner, id).await,
        FilePath::Content(id) if is_read => content(inbound, batches, owner, id, record).await,
        FilePath::All => Err(wanted("GET or POST")),
        FilePath::One(_) => Err(wanted("GET or DELETE")),
        FilePath::Content(_) => Err(wanted("GET")),
    }
}

async fn list(inbound: Inbound<'_>, batches: &Batches, owner: String) -> Result<Response<Body>, Fault> {
    let paging: Paging = paging(inbound.query(), LIST_MAX, LIST_MAX)?;
    let named = query::fields(inbound.query()).find_map(|field| {
        field.name_and_value().filter(|(name, _)| name == "purpose").map(|(_, value)| value)
    });
    let purpose = match named.as_deref() {
        None | Some("") => None,
        Some("batch") => Some(FilePurpose::Batch),
        Some("batch_output") => Some(FilePurpose::BatchOutput),
        Some("fine-tune") => Some(FilePurpose::FineTune),
        Some(other) => {
            let message = format!(
                "Files of the gateway's own are for `batch`, `batch_output` or `fine-tune`, not `{other}`."
            );
            return Err(Fault::invalid(message).with_param("purpose"));
        }
    };
    let page = batches.ask(move |tables| tables.files(&owner, purpose, &paging)).await?;
    Ok(reply::json(objects::list(&page, objects::file).to_string()))
}

async fn one(batches: &Batches, owner: String, id: &str) -> Result<Response<Body>, Fault> {
    let own = id.to_owned();
    let found = batches.ask(move |tables| tables.file(&owner, &own)).await?;
    let file = found.ok_or_else(|| not_found(id))?;
    Ok(reply::json(objects::file(&file).to_string()))
}

async fn content(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let own = id.to_owned();
    let opened = batches.ask(move |tables| {
        let Some(file) = tables.file(&owner, &own)? else { return Ok(None) };
        match &file.batch {
            Some(batch) => Ok(tables.batch(&owner, batch)?.map(Box::new).map(Contents::Remote)),
            None => Ok(Some(Contents::Here(std::fs::File::open(tables.path(&file.id))?, file.bytes))),
        }
    });
    match opened.await?.ok_or_else(|| not_found(id))? {
        Contents::Here(file, bytes) => Ok(rows(file, bytes)),
        Contents::Remote(batch) => {
            let part = if batch.output_file == id { Part::Output } else { Part::Errors };
            remote_rows(inbound, batches, &batch, Some(part), record).await
        }
    }
}

/// Where the contents of a file are.
enum Contents {
    /// Here, so many bytes.
    Here(std::fs::File, u64),
    /// At the provider of this batch.
    Remote(Box<StoredBatch>),
}

/// Rows on their way to a client.
pub fn rows(file: std::fs::File, bytes: u64) -> Response<Body> {
    let mut response = Response::new(contents::body(file, bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    response
}

async fn remove(batches: &Batches, owner: String, id: &str) -> Result<Response<Body>, Fault> {
    let own = id.to_owned();
    match batches.ask(move |tables| tables.remove_file(&owner, &own)).await? {
        Removed::Done => Ok(reply::json(objects::deleted_file(id).to_string())),
        Removed::Missing => Err(not_found(id)),
        Removed::InUse => {
            let message = "A batch that is not over, or a job that its provider does not have yet, needs this file: cancel it first, or wait.";
            Err(Fault::invalid(message).with_status(409).with_code("file_in_use"))
        }
    }
}

/// There is no such file of this caller's.
pub fn not_found(id: &str) -> Fault {
    let message =
        format!("No such File object: {id}. It does not exist, is too old, or belongs to another key.");
    Fault::new(FaultKind::NotFound, message).with_param("id").with_code("file_not_found")
}
