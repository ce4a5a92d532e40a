//! Batches that a provider runs itself, in a form of its own, for clients that speak OpenAI's: rows are told anew on their way there
//! ([`encode`]), and their answers on the way back ([`results`]).
//!
//! The gateway keeps which batch it is at the provider, and how each row was asked ([`asked_rows`]); nothing of the answers. How far a
//! batch is, is asked for whenever a client asks. Ids are the gateway's own: whoever shows another key than the one that made the
//! batch finds nothing under them, and they lead to the provider that they were made at and to no other.

mod asked_rows;
pub mod encode;
mod follow;
pub mod results;
mod storage;
pub mod submit;

pub use follow::{cancel, refresh};
pub use storage::check;

use ostia_dialect::Api;
use ostia_dialect::batches::{BatchForm, State, Status};
use ostia_providers::Provider;
use ostia_store::{BatchFault, BatchStatus, RemoteBatch, StoredBatch};

/// The batches of a provider that are in a form of its vendor's own. The provider is the whole one, and not as it is for some models.
pub fn form_of(provider: &Provider) -> Option<&'static BatchForm> {
    api_of(provider).and_then(Api::batches)
}

/// The API of these.
pub fn api_of(provider: &Provider) -> Option<Api> {
    provider.apis.iter().copied().find(|api| api.batches().is_some())
}

/// Takes over what a provider says of a batch.
fn take_over(batch: &mut StoredBatch, state: &State, now_s: u64) {
    let Some(remote) = &mut batch.remote else { return };
    *remote = RemoteBatch {
        id: Some(state.found.id.clone()),
        output: state.found.output.clone(),
        errors: state.found.errors.clone(),
        ..remote.clone()
    };
    (batch.completed, batch.failed) = match state.percent {
        Some(percent) => (batch.rows * percent.min(100) / 100, 0),
        None => (state.completed, state.failed),
    };
    // Not every vendor counts.
    if state.status == Status::Completed && batch.completed + batch.failed == 0 {
        batch.completed = batch.rows;
    }
    if let Some(expires_s) = state.expires_s {
        batch.times.expires_s = expires_s;
    }
    let ended_s = state.ended_s.unwrap_or(now_s);
    let (status, time_s) = match state.status {
        // Not every vendor has a word for a batch whose end was asked for.
        Status::InProgress if batch.status == BatchStatus::Cancelling => return,
        Status::InProgress => (BatchStatus::InProgress, now_s),
        Status::Cancelling => (BatchStatus::Cancelling, state.cancelling_s.unwrap_or(now_s)),
        Status::Completed => (BatchStatus::Completed, ended_s),
        Status::Failed => (BatchStatus::Failed, ended_s),
        Status::Expired => (BatchStatus::Expired, ended_s),
        Status::Cancelled => (BatchStatus::Cancelled, ended_s),
    };
    batch.is_now(status, time_s);
    if status == BatchStatus::Failed && batch.faults.is_empty() {
        let message = state.reason.clone().unwrap_or_else(|| "The provider says no reason.".to_owned());
        batch.faults = vec![BatchFault::new("provider_failed", message)];
    }
}
