//! What came of a batch's rows: two files that are only ever added to, and from which it is known after a crash which rows are done.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ostia_dialect::batches;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::batches::ROWS_MAX;

/// Answers that wait to be written: with that many, rows that are done wait with them.
pub const WAITING_MAX: usize = 16;
/// What is written at once, in bytes, if more waits.
const WRITE_BYTES: usize = 4 << 20;
/// How often it is told how far a batch has come.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// What came of a row.
#[derive(Debug)]
pub struct Answered {
    /// It was answered, and not refused.
    pub is_ok: bool,
    /// Its line.
    pub line: Vec<u8>,
}

/// The files.
#[derive(Debug)]
pub struct Results {
    /// Of rows that are answered, and of those that failed.
    files: Arc<[File; 2]>,
    /// How long they are with their last lines whole, in bytes.
    whole_bytes: [u64; 2],
    /// How many rows are in each.
    pub counts: Counts,
}

/// Rows that are answered, and rows that failed.
pub type Counts = [u64; 2];

/// Rows that are done, by their numbers: a bit for each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Done(Vec<u64>);

impl Done {
    fn add(&mut self, number: u64) -> bool {
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    /// Is this one done?
    pub fn has(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn place(number: u64) -> (usize, u64) {
    ((number / 64) as usize, 1 << (number % 64))
}

impl Results {
    /// Opens the files of a batch with this name, and finds out what is done.
    ///
    /// # Errors
    /// They cannot be read or written.
    pub async fn open(batch: String, [output, errors]: [PathBuf; 2]) -> io::Result<(Results, Done)> {
        let open = move || {
            let mut done = Done::default();
            let (output, output_bytes, completed) = gone_on_with(&output, &batch, &mut done)?;
            let (errors, errors_bytes, failed) = gone_on_with(&errors, &batch, &mut done)?;
            let files = Arc::new([output, errors]);
            let whole_bytes = [output_bytes, errors_bytes];
            Ok((Results { files, whole_bytes, counts: [completed, failed] }, done))
        };
        spawn_blocking(open).await.map_err(io::Error::other).flatten()
    }

    /// Writes answers as they come, many at once where many wait, and tells how far it has come. Only what is on disk is counted.
    /// Ends when nobody has any more, or with the fault for which the files cannot be written.
    pub async fn write(
        mut self,
        mut answered: mpsc::Receiver<Answered>,
        tell: impl Fn(Counts),
    ) -> (Counts, io::Result<()>) {
        let mut told = Instant::now();
        while let Some(first) = answered.recv().await {
            let mut pending = Pending::default();
            pending.add(first);
            while pending.bytes() < WRITE_BYTES
                && let Ok(next) = answered.try_recv()
            {
                pending.add(next);
            }
            if let Err(error) = self.append(pending).await {
                return (self.counts, Err(error));
            }
            if told.elapsed() >= TELL_EVERY {
                tell(self.counts);
                told = Instant::now();
            }
        }
        (self.counts, Ok(()))
    }

    async fn append(&mut self, pending: Pending) -> io::Result<()> {
        let (files, whole_bytes) = (self.files.clone(), self.whole_bytes);
        let Pending { lines, counts } = pending;
        let added = lines.each_ref().map(|lines| lines.len() as u64);
        let append = move || {
            let written = add(&files, &lines);
            if written.is_err() {
                // A part of them may be there. The next start looks, too.
                for (file, bytes) in files.iter().zip(whole_bytes) {
                    let _ = file.set_len(bytes);
                }
            }
            written
        };
        spawn_blocking(append).await.map_err(io::Error::other).flatten()?;
        for place in 0..2 {
            self.whole_bytes[place] += added[place];
            self.counts[place] += counts[place];
        }
        Ok(())
    }
}

fn add(files: &[File; 2], lines: &[Vec<u8>; 2]) -> io::Result<()> {
    for (mut file, lines) in files.iter().zip(lines).filter(|(_, lines)| !lines.is_empty()) {
        file.write_all(lines)?;
        file.sync_data()?;
    }
    Ok(())
}

/// Lines that are written at once, for each of the files.
#[derive(Debug, Default)]
struct Pending {
    lines: [Vec<u8>; 2],
    counts: Counts,
}

impl Pending {
    fn add(&mut self, answered: Answered) {
        let place = usize::from(!answered.is_ok);
        self.lines[place].extend_from_slice(&answered.line);
        self.counts[place] += 1;
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(Vec::len).sum()
    }
}

/// A file, how long it is, and how many rows are done in it. What stands behind the last line that is whole was not written to its end, and goes.
fn gone_on_with(path: &Path, batch: &str, done: &mut Done) -> io::Result<(File, u64, u64)> {
    let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    let (mut whole_bytes, mut count) = (0, 0);
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let is_whole = line.last() == Some(&b'\n');
        let number = batches::number_of(&line, batch).filter(|number| is_whole && *number <= ROWS_MAX as u64);
        let Some(number) = number else { break };
        if !done.add(number) {
            break;
        }
        whole_bytes += read as u64;
        count += 1;
    }
    file.set_len(whole_bytes)?;
    Ok((file, whole_bytes, count))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(number: u64) -> Vec<u8> {
        batches::encode_answer(("b", number), "a", 200, "r", b"{}")
    }

    async fn open(folder: &Path) -> (Results, Done) {
        let paths = ["output", "errors"].map(|name| folder.join(name));
        Results::open("b".to_owned(), paths).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_written_whole_is_done_wherever_a_crash_cut_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, last) = ([line(1), line(70)].concat(), line(3));
        for cut in 0..=last.len() {
            std::fs::write(folder.path().join("output"), [&whole, &last[..cut]].concat()).unwrap();
            std::fs::write(folder.path().join("errors"), line(2)).unwrap();
            let (results, done) = open(folder.path()).await;
            let is_done = [1, 2, 3, 4, 70, 71, 5000].map(|number| done.has(number));
            let has_last = cut == last.len();
            assert_eq!(is_done, [true, true, has_last, false, true, false, false], "{cut}");
            assert_eq!(results.counts, [2 + u64::from(has_last), 1], "{cut}");
            let (lines, taken) = mpsc::channel(WAITING_MAX);
            lines.send(Answered { is_ok: true, line: line(4) }).await.unwrap();
            drop(lines);
            let (counts, written) = results.write(taken, |_| {}).await;
            assert!(written.is_ok() && counts == [3 + u64::from(has_last), 1], "{cut}: {counts:?}");
            let written = std::fs::read(folder.path().join("output")).unwrap();
            let kept = if has_last { last.as_slice() } else { &[] };
            assert!(written == [&whole, kept, &line(4)].concat(), "{cut}");
        }
    }
}
