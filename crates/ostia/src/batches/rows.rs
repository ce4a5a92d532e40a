//! The rows of a file, one after the other, with no more of it in memory than is needed for the next.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use ostia_dialect::batches::{Line, Lines, TooLong};
use tokio::task::spawn_blocking;

/// What is read at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// A file that is read.
#[derive(Debug)]
pub struct Rows {
    file: Arc<File>,
    at: u64,
    lines: Lines,
    /// Rows so far.
    count: u64,
    /// Rows that have been read.
    ready: VecDeque<FileRow>,
    is_over: bool,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its number among all rows, from 1 on.
    pub number: u64,
    /// The number of its line: empty lines count too.
    pub line: u64,
    /// What stands there.
    pub text: Bytes,
}

impl Rows {
    /// Begins to read.
    ///
    /// # Errors
    /// The file is not there, or cannot be read.
    pub async fn open(path: PathBuf) -> io::Result<Rows> {
        let file = spawn_blocking(move || File::open(path)).await.map_err(io::Error::other).flatten()?;
        Ok(Rows {
            file: Arc::new(file),
            at: 0,
            lines: Lines::default(),
            count: 0,
            ready: VecDeque::new(),
            is_over: false,
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<FileRow>> {
        while self.ready.is_empty() && !self.is_over {
            self.read().await?;
        }
        Ok(self.ready.pop_front())
    }

    async fn read(&mut self) -> io::Result<()> {
        let (file, at) = (self.file.clone(), self.at);
        let chunk = spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read_at(&mut chunk, at)?;
            chunk.truncate(read);
            io::Result::Ok(chunk)
        });
        let chunk = chunk.await.map_err(io::Error::other).flatten()?;
        self.at += chunk.len() as u64;
        self.is_over = chunk.is_empty();
        let (ready, count) = (&mut self.ready, &mut self.count);
        let mut each = |line: Line<'_>| -> Result<(), Changed> {
            *count += 1;
            let text = Bytes::copy_from_slice(line.text);
            ready.push_back(FileRow { number: *count, line: line.number, text });
            Ok(())
        };
        let read = match self.is_over {
            true => self.lines.finish(&mut each),
            false => self.lines.push(&chunk, &mut each),
        };
        read.map_err(|Changed| io::Error::other("the file is not what it was"))
    }
}

/// A line is longer than any was when the file came.
struct Changed;

impl From<TooLong> for Changed {
    fn from(_: TooLong) -> Changed {
        Changed
    }
}
