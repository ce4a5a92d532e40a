//! Rows on their way to a provider that makes something of them: a batch, or a model.

use std::time::Duration;

use ostia_dialect::batches::{NewBatch, Ready, Upload};
use ostia_dialect::{Fault, FaultKind};
use tokio::time::{Instant, sleep};

use super::ask::{self, Sent};
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;
use crate::record::Record;

/// How long a provider may look through rows before anything can be made of them, and how often it is asked whether it has.
const READY_TIME: Duration = Duration::from_secs(1800);
const READY_PAUSE_FIRST: Duration = Duration::from_millis(500);
const READY_PAUSE_MAX: Duration = Duration::from_secs(15);

/// Sends rows, and waits until something can be made of them: the id of their file; `None`: nobody wants it any more.
///
/// # Errors
/// The provider could not be asked, or has something against the rows.
pub async fn send(
    inbound: Inbound<'_>,
    provider: &str,
    (new, upload): (&NewBatch<'_>, Upload),
    sent: Sent<'_>,
    is_wanted: &impl Fn() -> bool,
    record: &mut Record,
) -> Result<Option<String>, AttemptError> {
    if let Some(begin) = upload.begin {
        ask::ask(inbound, provider, &begin(new), Sent { rows: None, ..sent }, record).await?;
    }
    let answer = ask::ask(inbound, provider, &(upload.send)(new), sent, record).await;
    let file = upload.read(new, &answer.map_err(not_stored)?)?;
    match upload.ready {
        Some(ready) if !wait(inbound, provider, (ready, &file), is_wanted, record).await? => Ok(None),
        _ => Ok(Some(file)),
    }
}

/// It is not the provider who says so, perhaps.
fn not_stored(mut error: AttemptError) -> AttemptError {
    error.fault.message = format!("The rows could not be stored: {}", error.fault.message);
    error
}

/// Waits until something can be made of the rows. `false`: nobody wants it any more.
async fn wait(
    inbound: Inbound<'_>,
    provider: &str,
    (ready, file): (Ready, &str),
    is_wanted: &impl Fn() -> bool,
    record: &mut Record,
) -> Result<bool, AttemptError> {
    let end = Instant::now() + READY_TIME;
    let mut pause = READY_PAUSE_FIRST;
    while is_wanted() {
        let answer = ask::ask(inbound, provider, &(ready.step)(file), Sent::default(), record).await?;
        if ready.read(&answer)? {
            return Ok(true);
        }
        if Instant::now() + pause > end {
            let message = format!("The provider has not looked through the rows within {READY_TIME:?}.");
            return Err(Fault::new(FaultKind::Timeout, message).into());
        }
        sleep(pause).await;
        pause = (pause * 2).min(READY_PAUSE_MAX);
    }
    Ok(false)
}
