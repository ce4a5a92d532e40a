//! A file of rows on its way in: written to disk and looked at line by line as it comes, never whole in memory.

mod rows;

use std::io::{self, Write as _};

use http::{Response, header};
use ostia_dialect::batches::{LINE_BYTES_MAX, Line, Lines, RowFault, TooLong};
use ostia_dialect::form::{Content, Decoder, FIELDS_BYTES_MAX, Form, Part};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{FilePurpose, StoredFile};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::batches::{self, Batches, ROOM_CHECK_BYTES, objects};
use crate::client::ClientBody;
use crate::config::settings::Limits;
use crate::endpoints::batches::names_gateway;
use crate::endpoints::fine_tunes;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::intake::{self, Unpacked};
use crate::message::body::Body;
use crate::routing::routes;
use crate::target;
use rows::{Check, Neither, Seen};

/// As much is collected before it is written, in bytes.
const WRITE_BYTES: usize = 256 << 10;
/// Longest name of a file that is kept, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Takes a file.
///
/// # Errors
/// 400 that names the line and what is wrong there, 413 beyond a bound, 503 where too many come at once.
pub async fn answer(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    body: ClientBody,
) -> Result<Response<Body>, Fault> {
    let boundary = boundary(inbound)?;
    let Ok(_room) = batches.uploads.clone().try_acquire_owned() else { return Err(too_many()) };
    let file = empty(batches).await?;
    let (form, rows) = read(inbound, batches, &boundary, body, file).await?;
    let stored = keep(inbound, batches, owner, name_of(&form), rows).await?;
    Ok(reply::json(objects::file(&stored).to_string()))
}

/// Keeps rows of a batch that have come otherwise than as a file. `name_of` tells what the row of a number, from 1 on, is called.
///
/// # Errors
/// 400 that names the row and what is wrong there, and as [`answer`].
pub async fn keep_rows(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    (rows, name): (&[u8], &str),
    name_of: impl Fn(u64) -> String,
) -> Result<StoredFile, Fault> {
    let Ok(_room) = batches.uploads.clone().try_acquire_owned() else { return Err(too_many()) };
    let mut kept = Rows::new(empty(batches).await?, batches.bounds.file_bytes as u64);
    if rows.len() as u64 > kept.bytes_max {
        return Err(kept.too_large());
    }
    let named = |BadLine(number, fault): BadLine| {
        let param = name_of(number);
        Fault::invalid(format!("`{param}` {}.", fault.message)).with_param(param).with_code(fault.code)
    };
    for (line, number) in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).zip(1..) {
        let text = Some(line).filter(|line| line.len() <= LINE_BYTES_MAX);
        let text = text.ok_or(TooLong(number)).map_err(BadLine::from).map_err(&named)?;
        kept.row(Line { number, text }).map_err(&named)?;
    }
    kept.writing.memory.extend_from_slice(rows);
    kept.writing.finish().await?;
    keep(inbound, batches, owner, name.to_owned(), kept).await
}

fn too_many() -> Fault {
    let message = "Too many files are being uploaded: try again in a moment.";
    Fault::new(FaultKind::Overloaded, message).with_code("batches_busy")
}

/// An empty file, where there is room for one.
async fn empty(batches: &Batches) -> Result<NamedTempFile, Fault> {
    batches.check_room().await?;
    let folder = batches.ask(|tables| Ok(tables.folder().to_owned())).await?;
    let made = move || tempfile::Builder::new().prefix(".upload-").tempfile_in(folder);
    blocking(made).await
}

/// Gives a file its id, and its place among the others.
async fn keep(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    filename: String,
    Rows { writing, check, .. }: Rows,
) -> Result<StoredFile, Fault> {
    let Some(check) = check else { return Err(no_rows()) };
    let purpose = check.purpose();
    let Seen { rows, urls, training } = check.seen();
    let stored = StoredFile {
        id: batches::file_id(&inbound.core.new_id()),
        owner,
        created_s: batches::now_s(),
        filename,
        purpose,
        bytes: writing.written,
        rows,
        urls,
        batch: None,
        training,
    };
    let (own, file) = (stored.clone(), writing.file);
    let kept = batches.ask(move |tables| {
        file.persist(tables.path(&own.id)).map_err(|error| error.error)?;
        tables.add_file(&own)
    });
    kept.await?;
    Ok(stored)
}

fn boundary(inbound: Inbound<'_>) -> Result<String, Fault> {
    let content_type = inbound.parts.headers.get(header::CONTENT_TYPE);
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    ostia_dialect::form::boundary(text)?.ok_or_else(|| {
        let message = "Send the file as a form: `multipart/form-data` with the fields `purpose` and `file`.";
        Fault::invalid(message).with_param("content-type").with_code("form_invalid")
    })
}

/// The form, and its rows on disk.
async fn read(
    inbound: Inbound<'_>,
    batches: &Batches,
    boundary: &str,
    mut body: ClientBody,
    file: NamedTempFile,
) -> Result<(Form, Rows), Fault> {
    let (headers, own) = (&inbound.parts.headers, &inbound.core.settings.limits);
    // What is packed is held to the bound of bodies: a little of it may become much at once. What is not is held to that of files
    // below, and this one is only beyond it.
    let body_bytes_max = match headers.contains_key(header::CONTENT_ENCODING) {
        true => own.body_bytes_max,
        false => batches.bounds.file_bytes.saturating_add(2 * FIELDS_BYTES_MAX),
    };
    let limits = Limits { body_bytes_max, ..*own };
    let mut unpacked = Unpacked::new(headers, &limits)?;
    let mut decoder = Decoder::new(boundary);
    let trains = names_gateway(inbound)? || trains(inbound)?;
    let mut rows = Rows::new(file, batches.bounds.file_bytes as u64);
    let mut room_checked_at = 0;
    while let Some(piece) = intake::next(&mut body, &limits).await? {
        let piece = unpacked.push(piece, &limits)?;
        let mut taken = Ok(());
        decoder.push(&piece, &mut |index, bytes| {
            if taken.is_ok() {
                taken = rows.take(index, bytes);
            }
        })?;
        // The last part may still be coming; what stands before it is whole.
        if let [before @ .., _] = decoder.form().parts.as_slice() {
            rows.purpose = purpose_of(before, trains)?;
        }
        rows.settle(taken)?;
        if rows.writing.memory.len() >= WRITE_BYTES {
            rows.writing.flush().await?;
        }
        if rows.bytes - room_checked_at >= ROOM_CHECK_BYTES {
            room_checked_at = rows.bytes;
            batches.check_room().await?;
        }
    }
    unpacked.finish(&limits)?;
    let form = decoder.finish()?;
    form.file("file")?;
    rows.purpose = purpose_of(&form.parts, trains)?;
    if rows.purpose.is_none() {
        return Err(
            Fault::invalid("Missing field `purpose`: send `batch`, or `fine-tune`.").with_param("purpose")
        );
    }
    let finished = rows.finish();
    rows.settle(finished)?;
    rows.writing.finish().await?;
    Ok((form, rows))
}

/// Does the request ask a provider that trains models in a form of its vendor's own?
fn trains(inbound: Inbound<'_>) -> Result<bool, Fault> {
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    let provider = target::provider(inbound, leaf).ok().flatten();
    Ok(provider.and_then(fine_tunes::form_of).is_some())
}

/// What the file is for, as soon as it is known: nobody waits for a large file to hear that it is of no use.
fn purpose_of(parts: &[Part], trains: bool) -> Result<Option<FilePurpose>, Fault> {
    let purpose = parts.iter().find(|part| part.name == "purpose").map(|part| &part.content);
    let Some(Content::Text(purpose)) = purpose else { return Ok(None) };
    let refused =
        |message: String| Err(Fault::invalid(message).with_param("purpose").with_code("invalid_purpose"));
    match purpose.as_str() {
        "batch" => Ok(Some(FilePurpose::Batch)),
        "fine-tune" if trains => Ok(Some(FilePurpose::FineTune)),
        "fine-tune" => refused(
            "The provider that the request names trains no models for which the gateway has a form: name one that does, in \
             x-ostia-provider."
                .to_owned(),
        ),
        other => refused(format!(
            "The gateway itself keeps files for batches and for training only (`purpose=batch`, `fine-tune`), not for `{other}`: name \
             the provider that is to have the file, in x-ostia-provider."
        )),
    }
}

fn name_of(form: &Form) -> String {
    let name = form.files().next().map(|file| file.name.as_str()).unwrap_or_default();
    name[..name.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
}

/// The rows of a file that is coming.
struct Rows {
    writing: Writing,
    lines: Lines,
    /// How much of the file has come.
    bytes: u64,
    bytes_max: u64,
    /// What they are for, if the form has said so.
    purpose: Option<FilePurpose>,
    /// What has been seen of them, from the first one on.
    check: Option<Check>,
    /// The first one is a row for nothing.
    neither: Option<(u64, Box<Neither>)>,
}

impl Rows {
    fn new(file: NamedTempFile, bytes_max: u64) -> Rows {
        Rows {
            writing: Writing { file, memory: Vec::new(), written: 0 },
            lines: Lines::default(),
            bytes: 0,
            bytes_max,
            purpose: None,
            check: None,
            neither: None,
        }
    }

    /// What is wrong, in the words of what the file is for.
    fn settle(&mut self, taken: Result<(), Fault>) -> Result<(), Fault> {
        if let (Some(FilePurpose::FineTune), Some((line, neither))) = (self.purpose, &self.neither) {
            return Err(neither.example.of_line(*line));
        }
        let other = self.check.as_ref().map(Check::purpose);
        match (self.purpose, other) {
            (Some(purpose), Some(other)) if purpose != other => {
                let message = format!(
                    "The rows of the file are for `{}`, and its purpose is `{}`: rows of a batch are calls, and those of training \
                     examples.",
                    other.as_str(),
                    purpose.as_str()
                );
                Err(Fault::invalid(message).with_param("purpose").with_code("mismatched_purpose"))
            }
            _ => taken,
        }
    }

    /// Takes what has come of the form's file with this place.
    fn take(&mut self, index: usize, bytes: &[u8]) -> Result<(), Fault> {
        if index > 0 {
            return Err(Fault::invalid("Send one file only as `file`.").with_param("file"));
        }
        self.bytes += bytes.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(self.too_large());
        }
        self.writing.memory.extend_from_slice(bytes);
        let mut lines = std::mem::take(&mut self.lines);
        let taken = lines.push(bytes, &mut |line| self.row(line));
        self.lines = lines;
        taken.map_err(|BadLine(number, fault)| fault.of_line(number))
    }

    /// The file has ended.
    fn finish(&mut self) -> Result<(), Fault> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(&mut |line| self.row(line)).map_err(|BadLine(number, fault)| fault.of_line(number))?;
        match self.check {
            Some(_) => Ok(()),
            None => Err(no_rows()),
        }
    }

    fn row(&mut self, line: Line<'_>) -> Result<(), BadLine> {
        if self.check.is_none() {
            self.check = Some(Check::of(line.text).map_err(|neither| {
                let fault = neither.call.clone();
                self.neither = Some((line.number, neither));
                BadLine(line.number, fault)
            })?);
        }
        let Some(check) = &mut self.check else { return Ok(()) };
        check.row(line.text).map_err(|fault| BadLine(line.number, fault))
    }

    fn too_large(&self) -> Fault {
        let message = format!(
            "The file is larger than {} bytes: send its rows in several, or have the operator raise batches.file_bytes in \
             ostia.yaml.",
            self.bytes_max
        );
        Fault::new(FaultKind::TooLarge, message).with_param("file").with_code("file_too_large")
    }
}

fn no_rows() -> Fault {
    let message = "The file has no rows: each of its lines is one call, or one example, as JSON.";
    Fault::invalid(message).with_param("file").with_code("empty_file")
}

/// The number of a line, and what is wrong with it.
struct BadLine(u64, RowFault);

impl From<TooLong> for BadLine {
    fn from(TooLong(number): TooLong) -> BadLine {
        BadLine(number, RowFault::too_long())
    }
}

/// Bytes on their way to a file that is gone if nobody wants it in the end.
struct Writing {
    file: NamedTempFile,
    memory: Vec<u8>,
    written: u64,
}

impl Writing {
    /// Writes the rest, so that it is there after the power failed, too.
    async fn finish(&mut self) -> Result<(), Fault> {
        self.flush().await?;
        let file = self.file.as_file().try_clone().map_err(not_kept)?;
        blocking(move || file.sync_all()).await
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        let mut file = self.file.as_file().try_clone().map_err(not_kept)?;
        let bytes = std::mem::take(&mut self.memory);
        let mut bytes = blocking(move || file.write_all(&bytes).map(|()| bytes)).await?;
        self.written += bytes.len() as u64;
        bytes.clear();
        self.memory = bytes;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    spawn_blocking(work).await.map_err(io::Error::other).flatten().map_err(not_kept)
}

fn not_kept(error: io::Error) -> Fault {
    let message = "The gateway cannot keep the file: its disk is full, or cannot be written.";
    Fault::new(FaultKind::Overloaded, message).with_code("file_not_kept").with_detail(error.to_string())
}
