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
use crate::provider_batches::submit;

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
    close(&runner, batch, made).await;
    runner.say(Level::Info, text);
}

/// What was sent of it nobody knows, and to send it again could have all rows answered twice.
fn interrupted() -> BatchFault {
    let message = "The gateway was restarted while the batch was made. Look whether the provider has it, and make it again if not.";
    BatchFault { code: "batch_interrupted".to_owned(), message: message.to_owned(), line: None }
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

/// What is known of the batch from now on.
async fn close(runner: &Runner, batch: StoredBatch, made: Result<Option<StoredBatch>, BatchFault>) {
    let now_s = batches::now_s();
    let closed = runner.persist(move |tables| {
        if !matches!(made, Ok(Some(_))) {
            // There will be no answers to tell.
            let _ = std::fs::remove_file(tables.path(&batch.id));
        }
        let change = |batch: &mut StoredBatch| match made {
            Ok(Some(made)) => *batch = made,
            Ok(None) => batch.is_now(BatchStatus::Cancelled, now_s),
            Err(fault) => {
                batch.faults.push(fault);
                batch.is_now(BatchStatus::Failed, now_s);
            }
        };
        tables.change_batch(&batch.owner, &batch.id, change).map(|_| ())
    });
    closed.await;
}
