//! A batch that is made at its provider: what takes long about it, so that whoever asks for it need not wait.

use std::rc::Rc;

use http::HeaderMap;
use ostia_store::{BatchFault, BatchStatus, StoredBatch};
use tokio::sync::watch;

use super::ask::Sent;
use super::{Course, Runner};
use crate::batches;
use crate::errors::reply;
use crate::log::Level;
use crate::provider_batches::encode::told;
use crate::provider_batches::{self, submit};

/// The path that a batch is made by.
const PATH: &str = "/v1/batches";

/// Makes a batch at its provider. `headers`: those of whoever made it; none after a restart.
pub async fn run(
    runner: Rc<Runner>,
    batch: StoredBatch,
    headers: Option<HeaderMap>,
    course: watch::Receiver<Course>,
) {
    let made = match &headers {
        Some(headers) => Box::pin(make(&runner, &batch, headers, &course)).await,
        None => Err(interrupted()),
    };
    let text = match &made {
        Ok(Some(_)) => format!("Batch {} is at its provider.", batch.id),
        Ok(None) => format!("Batch {} was cancelled before it was made.", batch.id),
        Err(fault) => format!("Batch {} was not made: {}", batch.id, fault.code),
    };
    let closed = close(&runner, batch, made).await;
    runner.say(Level::Info, text);
    if let (Some(batch), Some(headers)) = (closed, &headers) {
        Box::pin(end(&runner, batch, headers)).await;
    }
}

/// What was sent of it nobody knows, and to send it again could have all rows answered twice.
fn interrupted() -> BatchFault {
    let message = "The gateway was restarted while the batch was made. Look whether the provider has it, and make it again if not.";
    BatchFault::new("batch_interrupted", message)
}

async fn make(
    runner: &Runner,
    batch: &StoredBatch,
    headers: &HeaderMap,
    course: &watch::Receiver<Course>,
) -> Result<Option<StoredBatch>, BatchFault> {
    let core = runner.core.get();
    let sent = Sent::of(&core, headers, &batch.id, PATH).map_err(|fault| told(&fault, None))?;
    let mut record = sent.record(&core, &core.new_id());
    let account = record.account().clone();
    account.call(None);
    let files = Rc::default();
    let is_wanted = || *course.borrow() != Course::Cancelled;
    let inbound = sent.inbound(&core, &files);
    let made = submit::submit(inbound, &runner.batches, batch, is_wanted, &mut record).await;
    match &made {
        Ok(_) => record.keep(&mut reply::json("{}")),
        Err(fault) => account.refused(&ostia_dialect::Fault::invalid(fault.message.clone())),
    }
    made
}

/// Ends a batch at its provider that nobody wanted any more while it was made.
async fn end(runner: &Runner, batch: StoredBatch, headers: &HeaderMap) {
    let core = runner.core.get();
    let Ok(sent) = Sent::of(&core, headers, &batch.id, PATH) else { return };
    let mut record = sent.record(&core, &core.new_id());
    let account = record.account().clone();
    let (files, id) = (Rc::default(), batch.id.clone());
    let inbound = sent.inbound(&core, &files);
    match Box::pin(provider_batches::cancel(inbound, &runner.batches, batch, &mut record)).await {
        Ok(_) => record.keep(&mut reply::json("{}")),
        // Whoever asks for the batch sees that it goes on, and may ask for its end again.
        Err(error) => {
            runner.say(Level::Warn, format!("Batch {id} was not ended: {}", error.fault.message));
            account.refused(&error.fault);
        }
    }
}

/// A batch that was made, as it is known while it was: who wanted its end then still wants it.
fn take_over(stored: &mut StoredBatch, made: StoredBatch) {
    let earlier = std::mem::replace(stored, made);
    if earlier.status == BatchStatus::Cancelling && stored.status.is_open() {
        stored.status = BatchStatus::Cancelling;
        stored.times.cancelling_s = earlier.times.cancelling_s;
    }
}

/// What is known of the batch from now on. Gives it where its end is wanted, and its provider has not heard of that.
async fn close(
    runner: &Runner,
    batch: StoredBatch,
    made: Result<Option<StoredBatch>, BatchFault>,
) -> Option<StoredBatch> {
    let was_on = made.as_ref().is_ok_and(|made| {
        made.as_ref().is_some_and(|made| made.status.is_open() && made.status != BatchStatus::Cancelling)
    });
    let now_s = batches::now_s();
    let closed = runner.persist(move |tables| {
        if !matches!(made, Ok(Some(_))) {
            // There will be no answers to tell.
            let _ = std::fs::remove_file(tables.path(&batch.id));
        }
        let change = |batch: &mut StoredBatch| match made {
            Ok(Some(made)) => take_over(batch, made),
            Ok(None) => batch.is_now(BatchStatus::Cancelled, now_s),
            Err(fault) => {
                batch.faults.push(fault);
                batch.is_now(BatchStatus::Failed, now_s);
            }
        };
        tables.change_batch(&batch.owner, &batch.id, change)
    });
    closed.await.filter(|closed| was_on && closed.status == BatchStatus::Cancelling)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_wanted_the_end_of_a_batch_while_it_was_made_still_wants_it() {
        let check = |stored: BatchStatus, made: BatchStatus, expected: BatchStatus| {
            let text = r#"{"id": "b", "owner": "o", "status": "validating", "endpoint": "", "input_file": "", "output_file": "",
                "error_file": "", "rows": 1, "completed": 0, "failed": 0, "times": {"created_s": 1, "expires_s": 2}, "metadata": {},
                "headers": [], "is_whole": true, "run": "", "faults": []}"#;
            let batch = |status: BatchStatus, now_s: u64| {
                let mut batch: StoredBatch = serde_json::from_str(text).unwrap();
                batch.is_now(status, now_s);
                batch
            };
            let (mut stored, made) = (batch(stored, 5), batch(made, 6));
            let cancelling_s = stored.times.cancelling_s;
            take_over(&mut stored, made);
            assert_eq!(stored.status, expected);
            assert!(
                cancelling_s.is_none()
                    || expected != BatchStatus::Cancelling
                    || stored.times.cancelling_s == Some(5)
            );
        };
        use BatchStatus::{Cancelled, Cancelling, Completed, InProgress, Validating};
        check(Validating, InProgress, InProgress);
        check(Cancelling, InProgress, Cancelling);
        check(Cancelling, Cancelling, Cancelling);
        check(Cancelling, Cancelled, Cancelled);
        check(Cancelling, Completed, Completed);
    }
}
