//! `batches`: batches that the gateway runs itself, and their files.

use std::time::Duration;

use crate::reader::{Item, Reader};

/// Bounds on batches that the gateway runs itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    /// Rows that are asked at once, all batches together. Default: 16.
    pub concurrency: usize,
    /// Largest file of rows, in bytes. Default: 200 MiB.
    pub file_bytes: usize,
    /// All files together, in bytes. Default: 10 GiB.
    pub bytes: usize,
    /// How long files and batches are kept. Default: 30 days.
    pub keep: Duration,
}

impl Default for Batches {
    fn default() -> Batches {
        Batches {
            concurrency: 16,
            file_bytes: 200 << 20,
            bytes: 10 << 30,
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Reads the section.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Batches {
    let mut batches = Batches::default();
    for (name, field) in reader.fields(item) {
        match name {
            "concurrency" => batches.concurrency = reader.integer(&field).unwrap_or(batches.concurrency),
            "file_bytes" => batches.file_bytes = reader.bytes(&field).unwrap_or(batches.file_bytes),
            "bytes" => batches.bytes = reader.bytes(&field).unwrap_or(batches.bytes),
            _ => batches.keep = reader.age(&field).unwrap_or(batches.keep),
        }
    }
    batches
}
