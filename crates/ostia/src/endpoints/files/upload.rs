//! A file of rows on its way in: written to disk and looked at line by line as it comes, never whole in memory.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};

use http::{Method, Response, header};
use ostia_dialect::api::Answers;
use ostia_dialect::batches::{Line, Lines, Row, RowFault, TooLong};
use ostia_dialect::form::{Content, Decoder, FIELDS_BYTES_MAX, Form, Part};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{FilePurpose, StoredFile};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::batches::{self, Batches, ROOM_CHECK_BYTES, ROWS_MAX, objects};
use crate::client::ClientBody;
use crate::config::settings::Limits;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::inbound::intake::{self, Unpacked};
use crate::inbound::route::{self, Endpoint};
use crate::message::body::Body;

/// As much is collected before it is written, in bytes.
const WRITE_BYTES: usize = 256 << 10;
/// Most paths that the rows of one file call.
const URLS_MAX: usize = 16;
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
    let Ok(_room) = batches.uploads.clone().try_acquire_owned() else {
        let message = "Too many files are being uploaded: try again in a moment.";
        return Err(Fault::new(FaultKind::Overloaded, message).with_code("batches_busy"));
    };
    batches.check_room().await?;
    let folder = batches.ask(|tables| Ok(tables.folder().to_owned())).await?;
    let made = move || tempfile::Builder::new().prefix(".upload-").tempfile_in(folder);
    let file = blocking(made).await?;
    let (form, rows) = read(inbound, batches, &boundary, body, file).await?;
    let Rows { writing, rows, urls, .. } = rows;
    let stored = StoredFile {
        id: batches::file_id(&inbound.core.new_id()),
        owner,
        created_s: batches::now_s(),
        filename: name_of(&form),
        purpose: FilePurpose::Batch,
        bytes: writing.written,
        rows,
        urls,
        batch: None,
    };
    let (told, file) = (objects::file(&stored), writing.file);
    let kept = batches.ask(move |tables| {
        file.persist(tables.path(&stored.id)).map_err(|error| error.error)?;
        tables.add_file(&stored)
    });
    kept.await?;
    Ok(reply::json(told.to_string()))
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
            check_purpose(before)?;
        }
        taken?;
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
    check_form(&form)?;
    rows.finish()?;
    rows.writing.finish().await?;
    Ok((form, rows))
}

/// What the form says besides the file.
fn check_form(form: &Form) -> Result<(), Fault> {
    check_purpose(&form.parts)?;
    form.file("file")?;
    if form.parts.iter().all(|part| part.name != "purpose") {
        return Err(Fault::invalid("Missing field `purpose`: send `batch`.").with_param("purpose"));
    }
    Ok(())
}

/// As soon as it is known: nobody waits for a large file to hear that it is of no use.
fn check_purpose(parts: &[Part]) -> Result<(), Fault> {
    let purpose = parts.iter().find(|part| part.name == "purpose").map(|part| &part.content);
    match purpose {
        Some(Content::Text(purpose)) if purpose != "batch" => {
            let message = format!(
                "The gateway itself keeps files for batches only (`purpose=batch`), not for `{purpose}`: name the provider that \
                 is to have the file, in x-ostia-provider."
            );
            Err(Fault::invalid(message).with_param("purpose").with_code("invalid_purpose"))
        }
        _ => Ok(()),
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
    rows: u64,
    urls: Vec<String>,
    /// Hashes of the names of rows. Two names with one hash would need luck that nobody has, and no client knows the hash's keys.
    names: HashSet<u128>,
    hashers: [RandomState; 2],
}

impl Rows {
    fn new(file: NamedTempFile, bytes_max: u64) -> Rows {
        Rows {
            writing: Writing { file, memory: Vec::new(), written: 0 },
            lines: Lines::default(),
            bytes: 0,
            bytes_max,
            rows: 0,
            urls: Vec::new(),
            names: HashSet::new(),
            hashers: [RandomState::new(), RandomState::new()],
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
        if self.rows == 0 {
            let message = "The file has no rows: each of its lines is one call, as JSON.";
            return Err(Fault::invalid(message).with_param("file").with_code("empty_file"));
        }
        Ok(())
    }

    fn row(&mut self, line: Line<'_>) -> Result<(), BadLine> {
        self.check_row(line.text).map_err(|fault| BadLine(line.number, fault))
    }

    fn check_row(&mut self, text: &[u8]) -> Result<(), RowFault> {
        let row = Row::read(text)?;
        let [high, low] = [0, 1].map(|place: usize| self.hashers[place].hash_one(&*row.custom_id));
        if self.rows as usize >= ROWS_MAX {
            return Err(RowFault::new(
                "too_many_rows",
                format!("is one more than the {ROWS_MAX} that a file may have"),
            ));
        }
        if !self.names.insert(u128::from(high) << 64 | u128::from(low)) {
            let shown: String = row.custom_id.chars().take(64).collect();
            let message = format!("has a `custom_id` that an earlier line has too: \"{shown}\"");
            return Err(RowFault::new("duplicate_custom_id", message));
        }
        if !self.urls.iter().any(|url| *url == row.url) {
            check_url(&row.url)?;
            if self.urls.len() >= URLS_MAX {
                let message =
                    format!("has one more `url` than the {URLS_MAX} that the rows of a file may have");
                return Err(RowFault::new("invalid_url", message));
            }
            self.urls.push(row.url.into_owned());
        }
        self.rows += 1;
        Ok(())
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

/// A row calls what the gateway understands, takes JSON there, and gets JSON back.
fn check_url(url: &str) -> Result<(), RowFault> {
    let refused = |what: &str| {
        let shown: String = url.chars().take(100).collect();
        Err(RowFault::new("invalid_url", format!("calls \"{shown}\", which {what}")))
    };
    let is_clear = url.starts_with('/') && !url.contains(['?', '#']) && !url.contains("//");
    if !is_clear || route::has_dot_segment(url) || url.parse::<http::Uri>().is_err() {
        return refused("is no path, such as \"/v1/chat/completions\"");
    }
    match Endpoint::of(&Method::POST, url) {
        Endpoint::Api(path) if path.params().is_some_and(|params| params.stream) => {
            refused("streams its answer: no row of a batch can")
        }
        Endpoint::Api(path) if path.api.takes_forms() || path.api.answers() != Answers::Json => {
            refused("takes or gives more than JSON: no row of a batch can")
        }
        Endpoint::Api(_) => Ok(()),
        _ => refused("is none of the calls that the gateway runs in batches"),
    }
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
