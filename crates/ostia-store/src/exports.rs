//! Exports of requests as jobs: what passes a filter, as lines of JSON in a file, written by a thread of its own page by page.
//!
//! Each job has two files in the folder `exports` of the data directory: what is known of it, which is written anew after every page,
//! and its lines. So a job goes on after a restart where it was: what stands behind the last page that is known of is cut off.
//! Bounded are jobs, their rows and bytes, and how long they are kept.

mod job;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use job::{EXPORT_FIELDS, ExportJob, ExportPlan, ExportStatus};

use crate::answers::ReadError;
use crate::query::{Page, PageSize};
use crate::reader::{Busy, Readers};
use crate::writer::Tell;

/// The folder in the data directory.
pub const FOLDER: &str = "exports";
/// Most jobs that are kept.
pub const JOBS_MAX: usize = 100;
/// Most rows of one job.
pub const ROWS_MAX: u64 = 50_000;
/// Largest file of one job, in bytes.
pub const BYTES_MAX: u64 = 1 << 30;
/// How long a job and its lines are kept after its last step.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);
/// Requests of a page, and of one with bodies.
const PAGE: u32 = 200;
const PAGE_WITH_BODIES: u32 = 20;
/// Questions that wait.
const WAITING_MAX: usize = 64;
/// How often it is looked for jobs that have been kept long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long it is waited where all who read are busy, or the file cannot be read, and how often that may be in a row.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);
const TRIES_MAX: u32 = 100;

/// Why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFault {
    /// There is no such job.
    Missing,
    /// It is in this state.
    State(ExportStatus),
    /// There are [`JOBS_MAX`] of them.
    TooMany,
    /// The disk does not take it.
    Unwritten,
    /// Its file is gone, or shorter than what was written to it.
    Lost,
}

type Question = Box<dyn FnOnce(&mut Exports) + Send>;

/// Where exports are asked for.
#[derive(Clone)]
pub struct ExportStore(SyncSender<Question>);

impl fmt::Debug for ExportStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportStore")
    }
}

impl ExportStore {
    /// Starts the thread. Jobs lie in a folder of this data directory; `tell` hears why one failed.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(directory: &Path, readers: Readers, tell: Tell) -> io::Result<ExportStore> {
        let (sender, questions) = sync_channel::<Question>(WAITING_MAX);
        let mut exports = Exports::new(directory, readers, tell);
        thread::Builder::new().name("ostia-exports".to_owned()).spawn(move || exports.run(&questions))?;
        Ok(ExportStore(sender))
    }

    /// Has the thread answer this, which then tells whoever waits.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn ask(&self, question: impl FnOnce(&mut Exports) + Send + 'static) -> Result<(), Busy> {
        self.0.try_send(Box::new(question)).map_err(|_| Busy)
    }
}

/// All jobs.
pub struct Exports {
    folder: PathBuf,
    readers: Readers,
    /// How often nothing could be read in a row.
    failed_reads: u32,
    tell: Tell,
    jobs: BTreeMap<String, ExportJob>,
}

impl fmt::Debug for Exports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exports").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Exports {
    pub(crate) fn new(directory: &Path, readers: Readers, tell: Tell) -> Exports {
        let folder = directory.join(FOLDER);
        let jobs = found_in(&folder);
        Exports { folder, readers, failed_reads: 0, tell, jobs }
    }

    fn run(&mut self, questions: &Receiver<Question>) {
        loop {
            self.sweep(now_ms());
            let is_busy = self.jobs.values().any(|job| job.status == ExportStatus::InProgress);
            let next = match is_busy {
                true => questions.try_recv().map_err(|error| error == TryRecvError::Disconnected),
                false => questions
                    .recv_timeout(SWEEP_EVERY)
                    .map_err(|error| error == RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(question) => question(self),
                // Nobody can ask any more: what is left is done after the next start.
                Err(true) => return,
                Err(false) => self.step(),
            }
        }
    }

    /// Takes away what has been kept long enough.
    fn sweep(&mut self, now_ms: i64) {
        let kept_ms = KEPT_FOR.as_millis() as i64;
        let is_old = |job: &ExportJob| {
            job.status != ExportStatus::InProgress && now_ms.saturating_sub(job.updated_ms) > kept_ms
        };
        let old: Vec<String> =
            self.jobs.values().filter(|job| is_old(job)).map(|job| job.id.clone()).collect();
        for id in old {
            self.jobs.remove(&id);
            // One that is not there any more is as good.
            let _ = fs::remove_file(self.lines_path(&id));
            let _ = fs::remove_file(self.job_path(&id));
        }
    }

    /// The next page of the job that was begun first.
    fn step(&mut self) {
        let waiting = self.jobs.values().filter(|job| job.status == ExportStatus::InProgress);
        let Some(mut job) = waiting.min_by_key(|job| job.started_ms).cloned() else { return };
        let result = self.page(&mut job);
        job.updated_ms = now_ms();
        if let Err(why) = result {
            (job.status, job.error) = (ExportStatus::Failed, Some(why));
            self.failed_reads = 0;
        }
        // Where it cannot be kept it is still so here.
        let _ = self.keep(&job);
        self.jobs.insert(job.id.clone(), job);
    }

    /// Reads a page, and adds its lines to the file.
    fn page(&mut self, job: &mut ExportJob) -> Result<(), String> {
        let most = if job.plan.with_bodies() { PAGE_WITH_BODIES } else { PAGE };
        let left = job.plan.rows_max.min(ROWS_MAX).saturating_sub(job.rows);
        let size = PageSize::new(most.min(u32::try_from(left).unwrap_or(most)));
        let Some(size) = size.filter(|_| left > 0) else {
            job.status = ExportStatus::Success;
            return Ok(());
        };
        let Lines { text: lines, rows, next } = match self.read(&job.plan, Page { after: job.cursor, size }) {
            Ok(lines) => lines,
            Err(why) => {
                self.failed_reads += 1;
                thread::sleep(TRY_AGAIN_AFTER);
                if self.failed_reads < TRIES_MAX {
                    return Ok(());
                }
                (self.tell)(format!("The export {} failed: {why}.", job.id));
                return Err("the records cannot be read, or not in time".to_owned());
            }
        };
        self.failed_reads = 0;
        let unwritten = |error: io::Error| format!("the file cannot be written: {error}");
        let mut file = self.lines(job).map_err(unwritten)?;
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(unwritten)?;
        job.rows += rows;
        job.bytes += lines.len() as u64;
        job.cursor = next;
        job.wrote_page();
        Ok(())
    }

    /// A page, by one of those who read; or why there is none.
    fn read(&self, plan: &ExportPlan, page: Page) -> Result<Lines, String> {
        let (tell, told) = channel();
        let plan = plan.clone();
        let asked = self.readers.ask(move |reader| {
            let read = match plan.with_bodies() {
                true => reader.list_with_bodies(&plan.filter, page),
                false => reader.list(&plan.filter, page),
            };
            let lines = read.map(|(data, next)| Lines {
                text: data.iter().map(|record| plan.row(record).to_string() + "\n").collect(),
                rows: data.len() as u64,
                next: next.as_deref().and_then(Page::cursor),
            });
            // Whoever asked may be at its end.
            let _ = tell.send(lines);
        });
        match asked.ok().and_then(|()| told.recv().ok()) {
            Some(Ok(lines)) => Ok(lines),
            Some(Err(ReadError::TooSlow)) => Err("the records could not be read in time".to_owned()),
            Some(Err(ReadError::Unreadable(why))) => Err(format!("the records could not be read: {why}")),
            None => Err("all who read the records were busy".to_owned()),
        }
    }

    /// The file of lines, with what is known to be in it and nothing more. It is made where nothing is; one that is gone, or shorter
    /// than what was written to it, is an error.
    fn lines(&self, job: &ExportJob) -> io::Result<File> {
        let path = self.lines_path(&job.id);
        let file = OpenOptions::new().create(job.bytes == 0).append(true).mode(0o600).open(path)?;
        if file.metadata()?.len() < job.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.set_len(job.bytes)?;
        Ok(file)
    }

    fn job_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn lines_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    /// Writes what is known of a job: whole, or as it was before.
    fn keep(&self, job: &ExportJob) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.job_path(&job.id);
        let beside = path.with_extension("json.new");
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(job)?)?;
        file.sync_data()?;
        fs::rename(beside, path)
    }

    fn change(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut ExportJob) -> Result<(), ExportFault>,
    ) -> Result<ExportJob, ExportFault> {
        let mut job = self.jobs.get(id).cloned().ok_or(ExportFault::Missing)?;
        change(&mut job)?;
        job.updated_ms = now_ms();
        self.keep(&job).map_err(|_| ExportFault::Unwritten)?;
        self.jobs.insert(id.to_owned(), job.clone());
        Ok(job)
    }

    /// Makes a job of this name, which is a draft.
    ///
    /// # Errors
    /// There are too many, or the disk does not take it.
    pub fn create(&mut self, id: String, secret: String, plan: ExportPlan) -> Result<ExportJob, ExportFault> {
        if self.jobs.len() >= JOBS_MAX {
            return Err(ExportFault::TooMany);
        }
        let job = ExportJob::new(id, secret, plan, now_ms());
        self.keep(&job).map_err(|_| ExportFault::Unwritten)?;
        self.jobs.insert(job.id.clone(), job.clone());
        Ok(job)
    }

    /// All of them, the newest first.
    pub fn list(&self) -> Vec<ExportJob> {
        let mut all: Vec<ExportJob> = self.jobs.values().cloned().collect();
        all.sort_by_key(|job| std::cmp::Reverse(job.created_ms));
        all
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn one(&self, id: &str) -> Result<ExportJob, ExportFault> {
        self.jobs.get(id).cloned().ok_or(ExportFault::Missing)
    }

    /// Changes what a draft is to bring.
    ///
    /// # Errors
    /// It is none any more.
    pub fn update(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut ExportPlan),
    ) -> Result<ExportJob, ExportFault> {
        self.change(id, |job| match job.status {
            ExportStatus::Draft => {
                change(&mut job.plan);
                Ok(())
            }
            state => Err(ExportFault::State(state)),
        })
    }

    /// Begins a draft.
    ///
    /// # Errors
    /// It is none any more.
    pub fn begin(&mut self, id: &str) -> Result<ExportJob, ExportFault> {
        self.change(id, |job| match job.status {
            ExportStatus::Draft => {
                job.begin(now_ms());
                Ok(())
            }
            state => Err(ExportFault::State(state)),
        })
    }

    /// Stops one that has not come to its end; its lines so far stay.
    ///
    /// # Errors
    /// It has come to its end.
    pub fn cancel(&mut self, id: &str) -> Result<ExportJob, ExportFault> {
        self.change(id, |job| match job.status {
            ExportStatus::Draft | ExportStatus::InProgress => {
                job.status = ExportStatus::Stopped;
                Ok(())
            }
            state => Err(ExportFault::State(state)),
        })
    }

    /// The lines of one that has come to its end, and how many bytes they have.
    ///
    /// # Errors
    /// It has not, or its file is gone.
    pub fn open(&self, id: &str) -> Result<(File, u64), ExportFault> {
        let job = self.one(id)?;
        match job.status {
            ExportStatus::Success | ExportStatus::Stopped => {}
            state @ (ExportStatus::Draft | ExportStatus::InProgress | ExportStatus::Failed) => {
                return Err(ExportFault::State(state));
            }
        }
        if job.bytes == 0 {
            // One that was stopped before its first page has no file yet.
            self.lines(&job).map_err(|_| ExportFault::Unwritten)?;
        }
        let file = File::open(self.lines_path(id)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ExportFault::Lost,
            _ => ExportFault::Unwritten,
        })?;
        let length = file.metadata().map_err(|_| ExportFault::Unwritten)?.len();
        if length < job.bytes { Err(ExportFault::Lost) } else { Ok((file, job.bytes)) }
    }
}

/// A page of an export.
struct Lines {
    text: String,
    rows: u64,
    /// Behind which request the next one begins, if there is one.
    next: Option<(i64, i64)>,
}

/// The jobs that are kept in a folder. What cannot be read is none.
fn found_in(folder: &Path) -> BTreeMap<String, ExportJob> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let jobs = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "json"));
    let job = |path: PathBuf| serde_json::from_slice::<ExportJob>(&fs::read(path).ok()?).ok();
    jobs.filter_map(|entry| job(entry.path())).map(|job| (job.id.clone(), job)).collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
