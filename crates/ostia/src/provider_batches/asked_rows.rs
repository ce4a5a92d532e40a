//! How each row of a batch was asked, in a file that is read by the numbers of rows: what was written of each, one behind the other, and
//! behind all of them where each begins. No row needs more memory than itself.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use ostia_dialect::batches::{ASKED_BYTES_MAX, AskedRow};

use crate::provider_jobs::spool::Spool;

/// How long a place is, in bytes.
const PLACE_BYTES: u64 = 8;

/// Rows that are being asked.
#[derive(Debug)]
pub struct Writer {
    spool: Spool,
    /// Where each row begins.
    places: Vec<u64>,
}

impl Writer {
    /// A new file at this path.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn create(path: &Path) -> io::Result<Writer> {
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
        Ok(Writer { spool: Spool::new(file), places: Vec::new() })
    }

    /// The next row.
    pub fn push(&mut self, row: &AskedRow) {
        self.places.push(self.spool.len());
        self.spool.memory.extend_from_slice(&row.encode());
    }

    /// Writes what has been collected, if that is enough.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn settle(&mut self) -> io::Result<()> {
        self.spool.settle().await
    }

    /// There is no further row.
    ///
    /// # Errors
    /// As for [`Writer::settle`].
    pub async fn finish(mut self) -> io::Result<()> {
        self.places.push(self.spool.len());
        for place in self.places {
            self.spool.memory.extend_from_slice(&place.to_be_bytes());
            self.spool.settle().await?;
        }
        self.spool.finish().await.map(|_| ())
    }
}

/// Rows that were asked.
#[derive(Debug)]
pub struct Reader {
    file: File,
    rows: u64,
    /// Where the places begin.
    places_at: u64,
}

impl Reader {
    /// The rows at this path, of which there are so many.
    ///
    /// # Errors
    /// They are not there, or not whole.
    pub fn open(path: &Path, rows: u64) -> io::Result<Reader> {
        let file = File::open(path)?;
        let places_bytes = rows.saturating_add(1).saturating_mul(PLACE_BYTES);
        let places_at = file.metadata()?.len().checked_sub(places_bytes);
        let places_at = places_at.ok_or_else(|| io::Error::other("rows are missing"))?;
        Ok(Reader { file, rows, places_at })
    }

    /// The row of this number, from 1 on; `None`: there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn row(&self, number: u64) -> io::Result<Option<AskedRow>> {
        if !(1..=self.rows).contains(&number) {
            return Ok(None);
        }
        let mut places = [0; 2 * PLACE_BYTES as usize];
        self.file.read_exact_at(&mut places, self.places_at + (number - 1) * PLACE_BYTES)?;
        let [begin, end] = [0, 1].map(|at: usize| {
            let mut place = [0; PLACE_BYTES as usize];
            place.copy_from_slice(&places[at * PLACE_BYTES as usize..][..PLACE_BYTES as usize]);
            u64::from_be_bytes(place)
        });
        let length = end.checked_sub(begin).filter(|length| *length <= ASKED_BYTES_MAX as u64);
        let mut row = vec![0; length.ok_or_else(|| io::Error::other("a row has no end"))? as usize];
        self.file.read_exact_at(&mut row, begin)?;
        Ok(AskedRow::decode(&row))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ostia_dialect::Api;
    use ostia_dialect::batches::AskedReading;

    use super::*;

    #[tokio::test]
    async fn rows_are_found_by_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let rows = 2_000;
        let mut writer = Writer::create(&path).unwrap();
        for number in 1..=rows {
            let custom_id = format!("{number}-{}", "x".repeat(number as usize % 400));
            writer.push(&AskedRow { custom_id, reading: AskedReading::AsItIs(Api::OpenaiChat) });
            writer.settle().await.unwrap();
        }
        writer.finish().await.unwrap();
        let reader = Reader::open(&path, rows).unwrap();
        for number in [1, 2, 777, rows] {
            let row = reader.row(number).unwrap().unwrap();
            assert!(row.custom_id.starts_with(&format!("{number}-")), "{}", row.custom_id);
        }
        assert!(reader.row(0).unwrap().is_none() && reader.row(rows + 1).unwrap().is_none());
        assert!(Writer::create(&path).is_err(), "it is there");
        assert!(Reader::open(&path, 1 << 40).is_err());
    }
}
