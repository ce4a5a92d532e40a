//! A batch of messages that is made here: its requests become the rows of a file, and are asked by the provider's own batches where it has
//! some that rows are told for, and one by one where not.

use ostia_dialect::Fault;
use ostia_dialect::batches::{MESSAGES_URL, message_rows};
use ostia_dialect::json::Document;
use ostia_store::StoredBatch;

use crate::batches::Batches;
use crate::batches::objects::{DAY, IMMEDIATE};
use crate::client::ClientBody;
use crate::endpoints::batches::{asks, of_file};
use crate::endpoints::files::upload;
use crate::inbound::intake;
use crate::inbound::{Inbound, browser};
use crate::provider_batches;

/// What the file of the rows is called.
const FILE_NAME: &str = "message_batch.jsonl";
/// The gateway's own field beside `requests`: who asks them.
const WINDOW: &str = "completion_window";

/// Makes a batch.
///
/// # Errors
/// 400 that names the request and what is wrong with it, 413 and 429 beyond a bound.
pub async fn answer(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    body: ClientBody,
) -> Result<StoredBatch, Fault> {
    let (settings, headers) = (&inbound.core.settings, &inbound.parts.headers);
    browser::check_media(settings, headers)?;
    let body = intake::read_plain(body, headers, &settings.limits).await?;
    let rows = message_rows(&body)?;
    let is_remote = is_remote(inbound, &Document::of_request_to(&body, 1)?)?;
    let name_of = |number: u64| format!("requests[{}]", number.saturating_sub(1));
    let file = upload::keep_rows(inbound, batches, owner.clone(), (&rows, FILE_NAME), name_of).await?;
    let made = of_file(inbound, batches, (&file.id, MESSAGES_URL), is_remote).await;
    if made.is_err() {
        // Nobody knows of the file.
        batches.tell(move |tables| tables.remove_file(&owner, &file.id).map(|_| ()));
    }
    made
}

/// Does the provider run it? Where the request does not say, it does if it can.
fn is_remote(inbound: Inbound<'_>, document: &Document<'_>) -> Result<bool, Fault> {
    let Some(window) = document.root().some(WINDOW) else {
        return asks(inbound, |provider| provider_batches::form_of(provider).is_some());
    };
    match &*window.expect_str()? {
        DAY => Ok(true),
        IMMEDIATE => Ok(false),
        _ => Err(window.invalid(format!("must be \"{IMMEDIATE}\" or \"{DAY}\""))),
    }
}
