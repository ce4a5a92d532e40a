//! A job that trains a model, made at its provider: sending its files takes long, so that whoever makes it need not wait.

use std::rc::Rc;

use http::HeaderMap;
use ostia_dialect::fine_tuning::NewJob;
use ostia_store::{BatchFault, StoredTuning, TuningStatus};
use tokio::sync::watch;

use super::ask::Sent;
use super::{Course, Runner};
use crate::batches;
use crate::errors::reply;
use crate::log::Level;
use crate::provider_batches::encode::told;
use crate::provider_tunings;

/// The path that a job is made by.
const PATH: &str = "/v1/fine_tuning/jobs";

/// Makes a job at its provider. `made_with`: the headers and the words of whoever made it; none after a restart.
pub async fn run(
    runner: Rc<Runner>,
    tuning: StoredTuning,
    made_with: Option<(HeaderMap, Box<NewJob>)>,
    course: watch::Receiver<Course>,
) {
    let made = match &made_with {
        Some((headers, job)) => Box::pin(make(&runner, (&tuning, job), headers, &course)).await,
        None => Err(interrupted()),
    };
    let text = match &made {
        Ok(Some(_)) => format!("Job {} is at its provider.", tuning.id),
        Ok(None) => format!("Job {} was cancelled before it was made.", tuning.id),
        Err(fault) => format!("Job {} was not made: {}", tuning.id, fault.code),
    };
    let closed = close(&runner, &tuning, made).await;
    runner.say(Level::Info, text);
    if let (Some(tuning), Some((headers, _))) = (closed, &made_with) {
        Box::pin(end(&runner, tuning, headers)).await;
    }
}

/// What was sent of it nobody knows, and to send it again could train two models.
fn interrupted() -> BatchFault {
    let message = "The gateway was restarted while the job was made. Look whether the provider has it, and make it again if not.";
    BatchFault::new("fine_tuning_interrupted", message)
}

async fn make(
    runner: &Runner,
    made: (&StoredTuning, &NewJob),
    headers: &HeaderMap,
    course: &watch::Receiver<Course>,
) -> Result<Option<StoredTuning>, BatchFault> {
    let core = runner.core.get();
    let sent = Sent::of(&core, headers, &made.0.id, PATH).map_err(|fault| told(&fault, None))?;
    let mut record = sent.record(&core, &core.new_id());
    let account = record.account().clone();
    account.call(None);
    let files = Rc::default();
    let is_wanted = || *course.borrow() != Course::Cancelled;
    let inbound = sent.inbound(&core, &files);
    let made = provider_tunings::make(inbound, &runner.batches, made, is_wanted, &mut record).await;
    match made {
        Ok(made) => {
            record.keep(&mut reply::json("{}"));
            Ok(made)
        }
        Err(error) => {
            account.refused(&error.fault);
            Err(told(&error.fault, None))
        }
    }
}

/// Ends a job at its provider that nobody wanted any more while it was made.
async fn end(runner: &Runner, tuning: StoredTuning, headers: &HeaderMap) {
    let core = runner.core.get();
    let Ok(sent) = Sent::of(&core, headers, &tuning.id, PATH) else { return };
    let mut record = sent.record(&core, &core.new_id());
    let account = record.account().clone();
    let (files, id) = (Rc::default(), tuning.id.clone());
    let inbound = sent.inbound(&core, &files);
    match Box::pin(provider_tunings::cancel(inbound, &runner.batches, tuning, &mut record)).await {
        Ok(_) => record.keep(&mut reply::json("{}")),
        // Whoever asks for the job sees that it goes on, and may ask for its end again.
        Err(error) => {
            runner.say(Level::Warn, format!("Job {id} was not ended: {}", error.fault.message));
            account.refused(&error.fault);
        }
    }
}

/// What is known of the job from now on. Gives it where its end is wanted, and its provider goes on with it.
async fn close(
    runner: &Runner,
    tuning: &StoredTuning,
    made: Result<Option<StoredTuning>, BatchFault>,
) -> Option<StoredTuning> {
    let goes_on = made.as_ref().is_ok_and(|made| made.as_ref().is_some_and(|made| made.status.is_open()));
    let (owner, id, now_s) = (tuning.owner.clone(), tuning.id.clone(), batches::now_s());
    let closed = runner.persist(move |tables| {
        let mut was_cancelled = false;
        let change = |tuning: &mut StoredTuning| {
            was_cancelled = tuning.status == TuningStatus::Cancelled;
            take_over(tuning, made.clone(), now_s);
        };
        Ok(tables.change_tuning(&owner, &id, change)?.filter(|_| was_cancelled))
    });
    closed.await.filter(|_| goes_on)
}

/// A job that is at its provider is what that says, also where it was cancelled here meanwhile: its end is asked for then.
fn take_over(stored: &mut StoredTuning, made: Result<Option<StoredTuning>, BatchFault>, now_s: u64) {
    match made {
        Ok(Some(made)) => *stored = made,
        Ok(None) => stored.ends(TuningStatus::Cancelled, now_s),
        Err(_) if stored.status == TuningStatus::Cancelled => {}
        Err(fault) => {
            stored.fault = Some(fault);
            stored.ends(TuningStatus::Failed, now_s);
        }
    }
}
