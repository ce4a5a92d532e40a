//! Jobs that train models, at providers that have them in a form of their own, for clients that speak OpenAI's: their files are sent, told anew
//! where that is needed, and the job is made of them ([`make()`]), and how far it is, is asked for whenever a client asks ([`refresh`]).
//!
//! Ids are the gateway's own: whoever shows another key than the one that made the job finds nothing under them, and they lead to the
//! provider that it was made at and to no other. What a job made is the provider's, and stays there.

mod encode;
mod follow;
mod make;
pub mod objects;

pub use follow::{cancel, checkpoints, events, refresh};
pub use make::make;

use ostia_dialect::fine_tuning::{State, Status, TuningForm};
use ostia_dialect::{Api, Fault};
use ostia_providers::Provider;
use ostia_store::{BatchFault, StoredTuning, TuningStatus};

/// The API of a provider's jobs that train models, where these are in a form of its vendor's own.
pub fn api_of(provider: &Provider) -> Option<Api> {
    provider.apis.iter().copied().find(|api| api.fine_tuning().is_some())
}

/// The form of a job.
fn form(tuning: &StoredTuning) -> Result<&'static TuningForm, Fault> {
    Api::from_name(&tuning.api).and_then(Api::fine_tuning).ok_or_else(|| {
        Fault::invalid(format!("This gateway knows no fine-tuning by the name of `{}`.", tuning.api))
    })
}

/// Takes over what a provider says of a job.
pub fn take_over(tuning: &mut StoredTuning, state: &State, now_s: u64) {
    tuning.remote_id = Some(state.id.clone());
    tuning.fine_tuned_model.clone_from(&state.model);
    tuning.trained_tokens = state.trained_tokens;
    let status = match state.status {
        Status::ValidatingFiles => TuningStatus::ValidatingFiles,
        Status::Queued => TuningStatus::Queued,
        Status::Running => TuningStatus::Running,
        Status::Succeeded => TuningStatus::Succeeded,
        Status::Failed => TuningStatus::Failed,
        Status::Cancelled => TuningStatus::Cancelled,
    };
    tuning.status = status;
    if !status.is_open() {
        tuning.ends(status, state.ended_s.unwrap_or(now_s));
    }
    if status == TuningStatus::Failed {
        let message = state.reason.clone().unwrap_or_else(|| "The provider says no reason.".to_owned());
        tuning.fault = Some(BatchFault::new("provider_failed", message));
    }
}
