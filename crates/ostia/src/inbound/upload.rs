//! A form that a client sends: its fields in memory, its files in memory or on disk, or still on their way.
//!
//! A file of more than [`MEMORY_BYTES_MAX`] goes into a file of the system's without a name: it is gone with the last that knows
//! it, also when the gateway is killed. Where no such file can be made (a disk that is full, or read-only) memory has to do, within
//! the same bound of the operator's.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header;
use ostia_dialect::form::{self, Decoder, Form, Piece};
use ostia_dialect::{Api, Fault, FaultKind};
use tokio::task::spawn_blocking;

use crate::client::ClientBody;
use crate::config::settings::Limits;
use crate::inbound::intake::{self, Unpacked};
use crate::upstream::RequestBody;
use crate::upstream::pieces::{Pieces, Stored};

/// As much of the files of a form is held in memory, in bytes.
pub const MEMORY_BYTES_MAX: usize = 1 << 20;
/// As much is collected before it is written, in bytes.
const WRITE_BYTES: usize = 256 << 10;

/// A form that came, or is coming.
#[derive(Debug)]
pub struct Upload {
    /// All but the contents of its files.
    pub form: Form,
    files: Vec<Stored>,
    /// What has been read of a form whose files are still coming, and the rest. It can be sent once.
    coming: RefCell<Option<(Bytes, ClientBody)>>,
}

impl Upload {
    /// The form as it came.
    ///
    /// # Errors
    /// 500 where it went to somebody already, while it came.
    pub fn as_it_came(&self) -> Result<RequestBody, Fault> {
        if !self.form.is_partial {
            return Ok(self.body(&self.form.pieces));
        }
        let coming = self.coming.borrow_mut().take();
        let (first, rest) = coming.ok_or_else(|| {
            Fault::new(
                FaultKind::Server,
                "The upload went to a provider while it came, and cannot be sent again.",
            )
        })?;
        Ok(RequestBody::Streamed(Some(first).filter(|first| !first.is_empty()), rest))
    }

    /// All of a file.
    ///
    /// # Errors
    /// 500 where it cannot be read any more.
    pub async fn contents(&self, index: usize) -> Result<Bytes, Fault> {
        let missing = |why: String| {
            Fault::new(FaultKind::Server, "The gateway could not read the upload that it kept.")
                .with_detail(why)
        };
        let stored = self.files.get(index).ok_or_else(|| missing("there is no such file".to_owned()))?;
        stored.bytes().await.map_err(|error| missing(error.to_string()))
    }

    /// A body with its files.
    pub fn body(&self, pieces: &[Piece]) -> RequestBody {
        body(pieces, &self.files)
    }
}

/// A body of these pieces. One that needs no file is sent again where it may be.
pub fn body(pieces: &[Piece], files: &[Stored]) -> RequestBody {
    match pieces {
        [Piece::Bytes(only)] => RequestBody::Full(Some(Bytes::copy_from_slice(only))),
        pieces => RequestBody::Pieces(Box::new(Pieces::new(pieces, files))),
    }
}

/// The boundary of a form that this API takes; `None`: the body is none.
///
/// # Errors
/// 400 for a form without a boundary.
pub fn boundary(api: Api, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match content_type.filter(|_| api.takes_forms()) {
        Some(content_type) => form::boundary(content_type),
        None => Ok(None),
    }
}

/// Reads a form: whole, or, where it may be `streamed`, up to a file that has begun and not ended.
///
/// # Errors
/// 400 for a body that is no form, 413 beyond a bound, 408 where the client sends nothing for too long.
pub async fn read(
    mut body: ClientBody,
    headers: &HeaderMap,
    limits: &Limits,
    boundary: &str,
    streamed: bool,
) -> Result<Upload, Fault> {
    let mut unpacked = Unpacked::new(headers, limits)?;
    if !streamed {
        intake::check_length(&body, limits)?;
    }
    let (mut decoder, mut store, mut first) = (Decoder::new(boundary), Store::default(), BytesMut::new());
    while let Some(piece) = intake::next(&mut body, limits).await? {
        let piece = match streamed {
            // What is handed on has no bound.
            true => piece,
            false => unpacked.push(piece, limits)?,
        };
        if streamed {
            first.extend_from_slice(&piece);
        }
        decoder.push(&piece, &mut |index, bytes| store.take(index, bytes))?;
        if streamed && decoder.is_in_file() {
            let coming = RefCell::new(Some((first.freeze(), body)));
            return Ok(Upload { form: decoder.into_beginning(), files: Vec::new(), coming });
        }
        store.spill().await?;
    }
    unpacked.finish(limits)?;
    let form = decoder.finish()?;
    let files = store.finish(form.files().count()).await?;
    Ok(Upload { form, files, coming: RefCell::default() })
}

/// Where the contents of files are put, one behind the other.
#[derive(Debug, Default)]
struct Store {
    /// Where each file begins, and how long it is.
    files: Vec<(u64, u64)>,
    /// What is in memory: all, or what is to be written.
    memory: Vec<u8>,
    disk: Disk,
    /// How much is on disk.
    written: u64,
}

#[derive(Debug, Default, Clone)]
enum Disk {
    /// Memory does.
    #[default]
    Unused,
    Open(Arc<File>),
    /// There is none to be had.
    Missing,
}

impl Store {
    fn take(&mut self, index: usize, bytes: &[u8]) {
        let end = self.written + self.memory.len() as u64;
        self.files.resize(self.files.len().max(index + 1), (end, 0));
        self.files[index].1 += bytes.len() as u64;
        self.memory.extend_from_slice(bytes);
    }

    /// Writes what is too much for memory.
    async fn spill(&mut self) -> Result<(), Fault> {
        match &self.disk {
            Disk::Unused if self.memory.len() > MEMORY_BYTES_MAX => {
                self.disk = match spawn_blocking(tempfile::tempfile).await {
                    Ok(Ok(file)) => Disk::Open(Arc::new(file)),
                    Ok(Err(_)) | Err(_) => Disk::Missing,
                };
                self.write().await
            }
            Disk::Open(_) if self.memory.len() >= WRITE_BYTES => self.write().await,
            Disk::Unused | Disk::Open(_) | Disk::Missing => Ok(()),
        }
    }

    async fn write(&mut self) -> Result<(), Fault> {
        let Disk::Open(file) = &self.disk else { return Ok(()) };
        let (file, at, bytes) = (file.clone(), self.written, std::mem::take(&mut self.memory));
        let write = move || file.write_all_at(&bytes, at).map(|()| bytes);
        let mut bytes = spawn_blocking(write).await.map_err(io::Error::other).flatten().map_err(not_kept)?;
        self.written += bytes.len() as u64;
        bytes.clear();
        self.memory = bytes;
        Ok(())
    }

    async fn finish(mut self, count: usize) -> Result<Vec<Stored>, Fault> {
        self.write().await?;
        self.files.resize(count, (0, 0));
        let memory = Bytes::from(self.memory);
        let stored = |(start, bytes): (u64, u64)| match &self.disk {
            Disk::Open(file) => Stored::Disk { file: file.clone(), start, bytes },
            // All of it is there.
            Disk::Unused | Disk::Missing => {
                Stored::Memory(memory.slice(start as usize..(start + bytes) as usize))
            }
        };
        Ok(self.files.iter().copied().map(stored).collect())
    }
}

fn not_kept(error: io::Error) -> Fault {
    let message = "The gateway has no room to keep the upload; try again later, or name the provider in a header, so that the \
                   upload is handed on while it comes.";
    Fault::new(FaultKind::Overloaded, message).with_code("upload_not_kept").with_detail(error.to_string())
}
