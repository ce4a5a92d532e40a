//! Bytes on their way to a file: collected, and written where nobody waits for the disk.

use std::fs::File;
use std::io::{self, Write as _};

use tokio::task::spawn_blocking;

/// As much is collected before it is written, in bytes.
const WRITE_BYTES: usize = 256 << 10;

/// A file that is being written.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// What is to be written. It may be added to.
    pub memory: Vec<u8>,
    written: u64,
}

impl Spool {
    /// A new file.
    pub fn new(file: File) -> Spool {
        Spool { file, memory: Vec::new(), written: 0 }
    }

    /// How much there is of it, in bytes.
    pub fn len(&self) -> u64 {
        self.written + self.memory.len() as u64
    }

    /// Writes what has been collected, if that is enough.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn settle(&mut self) -> io::Result<()> {
        if self.memory.len() >= WRITE_BYTES { self.flush().await } else { Ok(()) }
    }

    /// There is no more. All of it is there after the power failed, too.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn finish(mut self) -> io::Result<(File, u64)> {
        self.flush().await?;
        let (file, bytes) = (self.file, self.written);
        spawn_blocking(move || file.sync_all().map(|()| (file, bytes)))
            .await
            .map_err(io::Error::other)
            .flatten()
    }

    async fn flush(&mut self) -> io::Result<()> {
        let (mut file, bytes) = (self.file.try_clone()?, std::mem::take(&mut self.memory));
        let write = move || file.write_all(&bytes).map(|()| bytes);
        let mut bytes = spawn_blocking(write).await.map_err(io::Error::other).flatten()?;
        self.written += bytes.len() as u64;
        bytes.clear();
        self.memory = bytes;
        Ok(())
    }
}
