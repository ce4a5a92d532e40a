//! A batch, from its first row to its end.

use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
use ostia_dialect::batches::{Row, encode_answer, encode_fault};
use ostia_store::{BatchFault, BatchStatus, FilePurpose, StoredBatch, StoredFile};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::ask::{self, Call};
use super::results::{Answered, Counts, Done, Results, WAITING_MAX};
use super::{Course, Runner, sender};
use crate::batches::rows::Rows;
use crate::batches::{self, ROOM_CHECK_BYTES, files_unreadable};
use crate::log::Level;

/// Why no row of a batch is asked any more.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// All were.
    Done,
    /// Its maker wants no more of it.
    Cancelled,
    /// It took too long.
    Expired,
    /// The gateway stops: the batch goes on after the next start.
    Stopping,
    /// It cannot go on.
    Failed(BatchFault),
}

/// Runs a batch. `headers`: those of its rows; none for one that is gone on with after a restart.
pub async fn run(
    runner: Rc<Runner>,
    batch: StoredBatch,
    headers: Option<HeaderMap>,
    course: watch::Receiver<Course>,
) {
    let (end, counts) = match carry_out(&runner, &batch, headers, course).await {
        Ok((end, counts)) => (end, Some(counts)),
        Err(error) => (End::Failed(files_unreadable(&error)), None),
    };
    if end != End::Stopping {
        close(&runner, batch, end, counts).await;
    }
}

async fn carry_out(
    runner: &Rc<Runner>,
    batch: &StoredBatch,
    headers: Option<HeaderMap>,
    course: watch::Receiver<Course>,
) -> io::Result<(End, Counts)> {
    let ids = [&batch.input_file, &batch.output_file, &batch.error_file].map(String::clone);
    let paths = runner.persist(move |tables| Ok(ids.each_ref().map(|id| tables.path(id)))).await;
    let [input, output, errors]: [PathBuf; 3] = paths;
    let (results, done) = Results::open(batch.id.clone(), [output, errors]).await?;
    let mut rows = match Rows::open(input).await {
        Ok(rows) => rows,
        Err(error) => return Ok((End::Failed(files_unreadable(&error)), results.counts)),
    };
    change(runner, batch, |batch| {
        if batch.status == BatchStatus::Validating {
            batch.is_now(BatchStatus::InProgress, batches::now_s());
        }
    });
    let sender = match headers {
        Some(headers) => Ok(headers),
        None => sender::recall(runner, batch).await,
    };
    let (lines, taken) = mpsc::channel(WAITING_MAX);
    let (own, told) = (runner.clone(), batch.clone());
    let tell = move |counts: Counts| {
        change(&own, &told, move |batch| [batch.completed, batch.failed] = counts);
    };
    let writing = tokio::task::spawn_local(results.write(taken, tell));
    let run = Run { runner, batch, lines, course };
    let end = match &sender {
        Ok(headers) => run.ask_all(headers, &mut rows, &done).await,
        Err(fault) => run.refuse_rest(fault, &mut rows, &done).await.map(|end| end.unwrap_or(End::Done)),
    };
    drop(run);
    // Also where the rows could not be read: what was answered is written.
    let (counts, written) = writing.await.map_err(io::Error::other)?;
    let end = written.and(end).unwrap_or_else(|error| End::Failed(files_unreadable(&error)));
    Ok((end, counts))
}

/// A batch whose rows are asked.
struct Run<'r> {
    runner: &'r Rc<Runner>,
    batch: &'r StoredBatch,
    lines: mpsc::Sender<Answered>,
    course: watch::Receiver<Course>,
}

impl Run<'_> {
    /// Asks all rows that are not done, as many at once as there is room for, and waits for the last.
    async fn ask_all(&self, headers: &HeaderMap, rows: &mut Rows, done: &Done) -> io::Result<End> {
        let expires_at = self.expires_at();
        let mut asked = FuturesUnordered::new();
        let (mut unchecked_bytes, mut is_one_left) = (0, false);
        let mut end = loop {
            // Timers are late by some of a millisecond, in which many rows could begin.
            let is_late = Instant::now() >= expires_at;
            if let Some(end) = self.over().or(is_late.then_some(End::Expired)) {
                break end;
            }
            let mut course = self.course.clone();
            tokio::select! {
                biased;
                Some(written) = asked.next() => match written {
                    Some(bytes) => unchecked_bytes += bytes,
                    None => is_one_left = true,
                },
                Ok(_) = course.wait_for(|course| *course != Course::On) => {}
                () = sleep_until(expires_at) => {}
                Ok(room) = self.runner.room.clone().acquire_owned() => {
                    match next(rows, done).await? {
                        Some((number, line)) => asked.push(self.ask_row(headers, number, line, room)),
                        None => break End::Done,
                    }
                }
            }
            if unchecked_bytes >= ROOM_CHECK_BYTES {
                unchecked_bytes = 0;
                if let Err(fault) = self.runner.batches.check_room().await
                    && fault.status == 413
                {
                    break End::Failed(BatchFault::new("batches_full", fault.message));
                }
            }
        };
        while let Some(written) = asked.next().await {
            is_one_left |= written.is_none();
        }
        if end == End::Expired {
            let fault = BatchFault::new("batch_expired", "The row was not asked before the batch expired.");
            end = self.refuse_rest(&fault, rows, done).await?.unwrap_or(end);
        }
        Ok(if is_one_left { End::Stopping } else { end })
    }

    /// Asks a row, and hands over what came of it: how many bytes; `None` where the gateway stops first.
    async fn ask_row(
        &self,
        headers: &HeaderMap,
        number: u64,
        line: Bytes,
        _room: OwnedSemaphorePermit,
    ) -> Option<u64> {
        let id = (self.batch.id.as_str(), number);
        let (is_ok, line) = match Row::read(&line) {
            Ok(row) => {
                let (url, custom_id) = (row.url.into_owned(), row.custom_id.into_owned());
                let call = Call { url, custom_id, body: line.slice(row.body) };
                let core = || self.runner.core.get();
                let answer = ask::ask(core, headers, &self.batch.id, &call, &mut self.course.clone()).await?;
                let told =
                    encode_answer(id, &call.custom_id, answer.status, &answer.request_id, &answer.body);
                (answer.status < 400, told)
            }
            Err(fault) => (false, encode_fault(id, "", fault.code, &fault.of_line(number).message)),
        };
        self.hand_over(is_ok, line).await
    }

    async fn hand_over(&self, is_ok: bool, line: Vec<u8>) -> Option<u64> {
        let bytes = line.len() as u64;
        // Whoever writes says why it cannot.
        let _ = self.lines.send(Answered { is_ok, line }).await;
        Some(bytes)
    }

    /// Tells of all further rows that are not done that they are not asked, and why. Gives what came in between.
    async fn refuse_rest(&self, fault: &BatchFault, rows: &mut Rows, done: &Done) -> io::Result<Option<End>> {
        while let Some((number, line)) = next(rows, done).await? {
            if let Some(end) = self.over() {
                return Ok(Some(end));
            }
            let custom_id = Row::read(&line).map(|row| row.custom_id.into_owned()).unwrap_or_default();
            let id = (self.batch.id.as_str(), number);
            self.hand_over(false, encode_fault(id, &custom_id, &fault.code, &fault.message)).await;
        }
        Ok(None)
    }

    /// Why no further row is looked at, if there is a reason.
    fn over(&self) -> Option<End> {
        match *self.course.borrow() {
            Course::Cancelled => Some(End::Cancelled),
            Course::Stopping => Some(End::Stopping),
            // Nobody writes any more, and says why.
            Course::On => self.lines.is_closed().then_some(End::Stopping),
        }
    }

    fn expires_at(&self) -> Instant {
        let left_s = self.batch.times.expires_s.saturating_sub(batches::now_s());
        Instant::now() + Duration::from_secs(left_s)
    }
}

/// The next row that is not done.
async fn next(rows: &mut Rows, done: &Done) -> io::Result<Option<(u64, Bytes)>> {
    while let Some(row) = rows.next().await? {
        if !done.has(row.number) {
            return Ok(Some((row.number, row.text)));
        }
    }
    Ok(None)
}

/// Changes what is kept of a batch, without waiting.
fn change(runner: &Runner, batch: &StoredBatch, change: impl FnOnce(&mut StoredBatch) + Send + 'static) {
    let (owner, id) = (batch.owner.clone(), batch.id.clone());
    runner.batches.tell(move |tables| tables.change_batch(&owner, &id, change).map(|_| ()));
}

/// The batch is over: its files are listed as far as anything is in them.
async fn close(runner: &Runner, batch: StoredBatch, end: End, counts: Option<Counts>) {
    let now_s = batches::now_s();
    let [completed, failed] = counts.unwrap_or([batch.completed, batch.failed]);
    let told = batch.id.clone();
    let closed = runner.persist(move |tables| {
        let mut files = Vec::new();
        for (id, rows, name) in
            [(&batch.output_file, completed, "output"), (&batch.error_file, failed, "errors")]
        {
            // Somebody may have removed it by hand.
            let bytes = std::fs::metadata(tables.path(id)).map_or(0, |metadata| metadata.len());
            if rows > 0 && bytes > 0 {
                files.push(result_file(&batch, id, name, (rows, bytes), now_s));
            }
        }
        tables.end_batch(&batch, &files, |batch| {
            (batch.completed, batch.failed) = (completed, failed);
            let was_cancelled = batch.status == BatchStatus::Cancelling;
            if end == End::Done && !was_cancelled {
                batch.is_now(BatchStatus::Finalizing, now_s);
            }
            let status = match &end {
                End::Done if was_cancelled => BatchStatus::Cancelled,
                End::Done => BatchStatus::Completed,
                End::Cancelled | End::Stopping => BatchStatus::Cancelled,
                End::Expired => BatchStatus::Expired,
                End::Failed(fault) => {
                    batch.faults.push(fault.clone());
                    BatchStatus::Failed
                }
            };
            batch.is_now(status, now_s);
        })
    });
    closed.await;
    runner.say(Level::Info, format!("Batch {told} is over: {completed} rows are answered, {failed} failed."));
}

fn result_file(
    batch: &StoredBatch,
    id: &str,
    name: &str,
    (rows, bytes): (u64, u64),
    now_s: u64,
) -> StoredFile {
    StoredFile {
        id: id.to_owned(),
        owner: batch.owner.clone(),
        created_s: now_s,
        filename: format!("{}_{name}.jsonl", batch.id),
        purpose: FilePurpose::BatchOutput,
        bytes,
        rows,
        urls: Vec::new(),
        batch: None,
        training: None,
    }
}
