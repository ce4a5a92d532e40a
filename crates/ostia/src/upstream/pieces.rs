//! A request's body that is put together from pieces, with files of the client's among them: in memory, or on disk.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ostia_dialect::form::Piece;
use tokio::task::{JoinHandle, spawn_blocking};

/// As much of a file is read and sent at once, in bytes: divided by three, so that the base64 of each is whole.
const CHUNK_BYTES: usize = 3 * (64 << 10);

/// The contents of a file that a client sent.
#[derive(Debug, Clone)]
pub enum Stored {
    /// Here.
    Memory(Bytes),
    /// In a file without a name, which goes with the last that knows it.
    Disk {
        /// The file.
        file: Arc<File>,
        /// Where the contents begin.
        start: u64,
        /// How long they are.
        bytes: u64,
    },
}

impl Stored {
    /// All of it.
    ///
    /// # Errors
    /// It cannot be read from disk.
    pub async fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Stored::Memory(bytes) => Ok(bytes.clone()),
            Stored::Disk { file, start, bytes } => {
                let (file, start, length) = (file.clone(), *start, *bytes as usize);
                let read = move || {
                    let mut bytes = vec![0; length];
                    file.read_exact_at(&mut bytes, start).map(|()| bytes.into())
                };
                spawn_blocking(read).await.map_err(io::Error::other).flatten()
            }
        }
    }

    /// Its length in bytes.
    fn len(&self) -> u64 {
        match self {
            Stored::Memory(bytes) => bytes.len() as u64,
            Stored::Disk { bytes, .. } => *bytes,
        }
    }
}

/// A body made of pieces, which are read as they are sent.
#[derive(Debug)]
pub struct Pieces {
    queue: VecDeque<Part>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    is_base64: bool,
    bytes_left: u64,
}

#[derive(Debug)]
struct Part {
    content: Stored,
    is_base64: bool,
}

impl Pieces {
    /// These pieces; `files` are those that they name.
    pub fn new(pieces: &[Piece], files: &[Stored]) -> Pieces {
        let part = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => {
                Some(Part { content: Stored::Memory(Bytes::copy_from_slice(bytes)), is_base64: false })
            }
            Piece::File(index) => Some(Part { content: files.get(*index)?.clone(), is_base64: false }),
            Piece::Base64(index) => Some(Part { content: files.get(*index)?.clone(), is_base64: true }),
            // What was uploaded or painted has taken their places before.
            Piece::Uploaded | Piece::Mask(_) => None,
        };
        let queue: VecDeque<Part> = pieces.iter().filter_map(part).collect();
        let bytes_left = queue.iter().map(Part::sent_bytes).sum();
        Pieces { queue, reading: None, is_base64: false, bytes_left }
    }

    /// How many bytes are still to come.
    pub fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    /// The next bytes; none at the end.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(context));
                self.reading = None;
                let is_base64 = self.is_base64;
                let bytes = read.map_err(io::Error::other).flatten();
                return Poll::Ready(Some(bytes.map(|bytes| self.sent(written(&bytes.into(), is_base64)))));
            }
            let Some(part) = self.queue.front_mut() else { return Poll::Ready(None) };
            match &mut part.content {
                Stored::Memory(bytes) if bytes.is_empty() => {}
                Stored::Memory(bytes) => {
                    let chunk = if part.is_base64 { CHUNK_BYTES.min(bytes.len()) } else { bytes.len() };
                    let next = written(&bytes.split_to(chunk), part.is_base64);
                    return Poll::Ready(Some(Ok(self.sent(next))));
                }
                Stored::Disk { bytes: 0, .. } => {}
                Stored::Disk { file, start, bytes } => {
                    let (file, at, length) = (file.clone(), *start, (*bytes).min(CHUNK_BYTES as u64));
                    (*start, *bytes) = (*start + length, *bytes - length);
                    self.is_base64 = part.is_base64;
                    self.reading = Some(spawn_blocking(move || {
                        let mut chunk = vec![0; length as usize];
                        file.read_exact_at(&mut chunk, at).map(|()| chunk)
                    }));
                    continue;
                }
            }
            self.queue.pop_front();
        }
    }

    fn sent(&mut self, bytes: Bytes) -> Bytes {
        self.bytes_left = self.bytes_left.saturating_sub(bytes.len() as u64);
        bytes
    }
}

impl Part {
    fn sent_bytes(&self) -> u64 {
        if self.is_base64 { self.content.len().div_ceil(3) * 4 } else { self.content.len() }
    }
}

fn written(bytes: &Bytes, is_base64: bool) -> Bytes {
    if is_base64 { BASE64_STANDARD.encode(bytes).into() } else { bytes.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::poll_fn;
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn pieces_come_in_their_order_and_tell_their_length() {
        for length in [0, 1, 2, CHUNK_BYTES, 2 * CHUNK_BYTES + 1] {
            let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"before").unwrap();
            file.write_all(&content).unwrap();
            let disk = Stored::Disk { file: Arc::new(file), start: 6, bytes: length as u64 };
            let files = [Stored::Memory(content.clone().into()), disk];
            let pieces = [
                Piece::Bytes(b"<".to_vec()),
                Piece::File(0),
                Piece::Base64(0),
                Piece::Bytes(b"|".to_vec()),
                Piece::File(1),
                Piece::Base64(1),
                Piece::Bytes(b">".to_vec()),
            ];
            let mut pieces = Pieces::new(&pieces, &files);
            let told = pieces.bytes_left();
            let mut all = Vec::new();
            while let Some(bytes) = poll_fn(|context| pieces.poll_bytes(context)).await {
                all.extend_from_slice(&bytes.unwrap());
            }
            let base64 = BASE64_STANDARD.encode(&content).into_bytes();
            let expected = [b"<".as_slice(), &content, &base64, b"|", &content, &base64, b">"].concat();
            assert!(all == expected, "{length}");
            assert_eq!((told, pieces.bytes_left()), (expected.len() as u64, 0));
        }
    }
}
