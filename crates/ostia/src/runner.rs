//! Whoever asks the rows of batches: a core of its own without a listener, so that a batch takes no turn of those that serve clients.
//!
//! A row is an ordinary call, routed, tried again, recorded as any other. What it answers is written to disk at once
//! ([`results`]), and that is all that is known of how far a batch has come: a gateway that was killed reads it again and goes on with
//! the rows that have no answer there. Credentials that a client sent are never written, so that rows which need them end with
//! an error after a restart.

mod ask;
mod batch;
mod remote;
mod results;
mod sender;
mod tuning;

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use ostia_dialect::fine_tuning::NewJob;
use ostia_store::{BatchStatus, BatchesClosed, StoredBatch, StoredTuning, Tables};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::batches::{self, Batches, Order};
use crate::core::{CurrentCore, Shared};
use crate::log::{Level, Log, Target};
use crate::server::{self, Phase};

/// How soon batches that could not be read are tried again: another gateway may have them, and end.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often it is looked for what has been kept long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// What all batches share.
struct Runner {
    core: Rc<CurrentCore>,
    batches: Batches,
    /// Room for rows that are asked at once.
    room: Arc<Semaphore>,
    log: Log,
    /// It was said that batches cannot be read.
    has_warned: Cell<bool>,
}

/// What is to become of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Its rows are asked.
    On,
    /// Its maker wants no more of it.
    Cancelled,
    /// The gateway stops: it goes on after the next start.
    Stopping,
}

/// Runs batches until the gateway stops, and those that were not over when it stopped last.
///
/// # Errors
/// None: what goes wrong with a batch is the batch's.
pub async fn run(
    shared: Shared,
    mut orders: mpsc::Receiver<Order>,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let Some(batches) = shared.batches.clone() else { return Ok(()) };
    let room = Arc::new(Semaphore::new(batches.bounds.concurrency));
    let log = shared.log.clone();
    let runner =
        Rc::new(Runner { core: server::begin(shared), batches, room, log, has_warned: Cell::new(false) });
    let mut running = Running::default();
    let mut resume_at = Some(Instant::now());
    let mut sweep_at = Instant::now();
    loop {
        tokio::select! {
            biased;
            _ = phase.changed() => break,
            order = orders.recv() => match order {
                Some(Order::Run(batch, headers)) => running.begin(&runner, *batch, Some(headers)),
                Some(Order::Tune(tuning, headers, job)) => running.tune(&runner, *tuning, Some((headers, job))),
                Some(Order::Cancel(id)) => running.turn(&id, Course::Cancelled),
                None => break,
            },
            () = sleep_until(resume_at.unwrap_or(sweep_at)), if resume_at.is_some() => {
                resume_at = match runner.unfinished().await {
                    Ok((batches, tunings)) => {
                        batches.into_iter().for_each(|batch| running.begin(&runner, batch, None));
                        tunings.into_iter().for_each(|tuning| running.tune(&runner, tuning, None));
                        None
                    }
                    Err(()) => Some(Instant::now() + TRY_AGAIN_AFTER),
                };
            }
            () = sleep_until(sweep_at) => {
                runner.sweep();
                sweep_at = Instant::now() + SWEEP_EVERY;
            }
            Some(_) = running.tasks.join_next() => running.forget(),
        }
    }
    for course in running.courses.values() {
        // One that is over hears nothing.
        let _ = course.send(Course::Stopping);
    }
    let ended = async { while running.tasks.join_next().await.is_some() {} };
    tokio::select! {
        () = ended => {}
        _ = phase.wait_for(|phase| *phase == Phase::Cutting) => {}
    }
    Ok(())
}

/// The batches that are under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    courses: HashMap<String, watch::Sender<Course>>,
}

impl Running {
    /// Runs a batch, if it does not run already. `headers`: those of its rows; none for one that is gone on with.
    fn begin(&mut self, runner: &Rc<Runner>, batch: StoredBatch, headers: Option<HeaderMap>) {
        if self.courses.contains_key(&batch.id) {
            return;
        }
        let is_cancelled = batch.status == BatchStatus::Cancelling;
        let (course, heard) = watch::channel(if is_cancelled { Course::Cancelled } else { Course::On });
        self.courses.insert(batch.id.clone(), course);
        match batch.remote {
            Some(_) => self.tasks.spawn_local(remote::run(runner.clone(), batch, headers, heard)),
            None => self.tasks.spawn_local(batch::run(runner.clone(), batch, headers, heard)),
        };
    }

    /// Makes a job that trains a model. `made_with`: the headers and the words of its maker; none for one that was not made before a
    /// restart.
    fn tune(
        &mut self,
        runner: &Rc<Runner>,
        tuning: StoredTuning,
        made_with: Option<(HeaderMap, Box<NewJob>)>,
    ) {
        if self.courses.contains_key(&tuning.id) {
            return;
        }
        let (course, heard) = watch::channel(Course::On);
        self.courses.insert(tuning.id.clone(), course);
        self.tasks.spawn_local(tuning::run(runner.clone(), tuning, made_with, heard));
    }

    fn turn(&self, id: &str, course: Course) {
        if let Some(own) = self.courses.get(id) {
            // One that is over hears nothing.
            let _ = own.send(course);
        }
    }

    /// Forgets batches that are over.
    fn forget(&mut self) {
        self.courses.retain(|_, course| !course.is_closed());
    }
}

impl Runner {
    /// Batches that were not over when the gateway stopped, and jobs that were not made. Where nothing was ever kept nothing is made: another gateway may yet do so,
    /// and leave batches behind.
    async fn unfinished(&self) -> Result<(Vec<StoredBatch>, Vec<StoredTuning>), ()> {
        if !self.batches.are_there() {
            return Err(());
        }
        match self.batches.try_ask(|tables| Ok((tables.open_batches()?, tables.open_tunings()?))).await {
            Ok((mut batches, mut tunings)) => {
                // Those of this run are told of by who made them.
                batches.retain(|batch| *batch.run != *self.batches.run);
                tunings.retain(|tuning| *tuning.run != *self.batches.run);
                if !batches.is_empty() {
                    self.say(Level::Info, format!("{} batches are gone on with.", batches.len()));
                }
                Ok((batches, tunings))
            }
            // Both gateways serve; this one has no batches until the other one ends.
            Err(Some(BatchesClosed::Taken) | None) => Err(()),
            Err(Some(BatchesClosed::Unreadable(why))) => {
                if !self.has_warned.replace(true) {
                    self.say(Level::Warn, format!("Batches cannot be read: {why}."));
                }
                Err(())
            }
        }
    }

    /// Has something done to what is kept, however long that takes.
    async fn persist<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables) -> Result<T, BatchesClosed> + Clone + Send + 'static,
    ) -> T {
        loop {
            match self.batches.try_ask(work.clone()).await {
                Ok(done) => return done,
                Err(closed) => {
                    let why = closed.map_or_else(|| "too many ask".to_owned(), |closed| closed.to_string());
                    self.say(
                        Level::Warn,
                        format!("A batch waits, because batches cannot be written: {why}."),
                    );
                    sleep(TRY_AGAIN_AFTER).await;
                }
            }
        }
    }

    /// Takes away what has been kept long enough.
    fn sweep(&self) {
        if self.batches.are_there() {
            let before_s = batches::now_s().saturating_sub(self.batches.bounds.keep.as_secs());
            self.batches.tell(move |tables| tables.sweep(before_s));
        }
    }

    fn say(&self, level: Level, text: String) {
        self.log.say(level, Target::Server, text);
    }
}
