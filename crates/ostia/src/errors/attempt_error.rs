//! Why a target gave no answer: what the next step is decided by, and what the client gets where there is none.

use std::time::{Duration, SystemTime};

use http::Response;
use ostia_dialect::{Fault, FaultKind};
use ostia_routing::keys::KeyFault;
use ostia_routing::{Class, Limit, Outcome, Verdict, told_wait};

use crate::log::cause::Cause;
use crate::message::body::Body;

/// How OpenAI says, with status 400, that it does not keep the answer that a request goes on from
/// (<https://developers.openai.com/api/docs/guides/websocket-mode>; maximhq/bifrost issue 2441).
const RESPONSE_NOT_FOUND: &str = "previous_response_not_found";

/// A target that was asked, or could not be asked, and gave no answer that is one.
#[derive(Debug)]
pub struct AttemptError {
    /// What is wrong: the provider's words where it said some, else the gateway's.
    pub fault: Fault,
    /// The same in the terms of decisions.
    pub verdict: Verdict,
    /// The provider's own error answer, in the client's dialect and with the provider's headers.
    pub answer: Option<Box<Response<Body>>>,
}

impl From<Fault> for AttemptError {
    /// A fault of the gateway's own making: its kind says what went wrong.
    fn from(fault: Fault) -> AttemptError {
        let verdict = match fault.kind {
            FaultKind::Authentication => Verdict::SignIn,
            FaultKind::Timeout => Verdict::Late(Limit::Idle),
            FaultKind::Upstream | FaultKind::Server | FaultKind::RateLimit => Verdict::BadAnswer,
            FaultKind::Overloaded => Verdict::Unreachable,
            FaultKind::InvalidRequest | FaultKind::Permission | FaultKind::NotFound | FaultKind::TooLarge => {
                Verdict::Untranslatable
            }
            // Only providers say these.
            FaultKind::ContextLength | FaultKind::ContentPolicy | FaultKind::Quota => {
                return AttemptError::told(fault);
            }
        };
        AttemptError { fault, verdict, answer: None }
    }
}

impl AttemptError {
    /// There was no answer, for this reason.
    pub fn without_answer(fault: Fault, verdict: Verdict) -> AttemptError {
        AttemptError { fault, verdict, answer: None }
    }

    /// The provider answered with an error.
    pub fn refused(fault: Fault, answer: Response<Body>) -> AttemptError {
        AttemptError { answer: Some(Box::new(answer)), ..AttemptError::told(fault) }
    }

    /// The provider told an error where an answer was promised.
    pub fn told(fault: Fault) -> AttemptError {
        let verdict = Verdict::Refused { status: fault.status, class: class_of(&fault) };
        AttemptError { verdict, fault, answer: None }
    }

    /// What decisions are made by. `further` headers say how long to wait, where the config wants them to.
    pub fn outcome(&self, further: bool) -> Outcome {
        let headers = self.answer.as_ref().map(|answer| answer.headers());
        let header = |name: &str| headers?.get(name)?.to_str().ok();
        let again = match header("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let told = self.fault.wait_s.map(|seconds| Duration::from_secs(seconds.get().into()));
        let wait = told_wait(header, further, SystemTime::now()).or(told);
        Outcome { verdict: self.verdict, wait, again }
    }

    /// What it says against the key that was shown; `None` where another key would not mend it.
    pub fn key_fault(&self) -> Option<KeyFault> {
        let Verdict::Refused { status, .. } = self.verdict else { return None };
        match self.fault.kind {
            FaultKind::Quota => Some(KeyFault::Quota),
            FaultKind::Authentication => Some(KeyFault::Refused),
            FaultKind::Permission => Some(KeyFault::NotAllowed),
            FaultKind::NotFound => Some(KeyFault::NotFound),
            _ if self.fault.code.as_deref() == Some(RESPONSE_NOT_FOUND) => Some(KeyFault::NotFound),
            FaultKind::RateLimit => Some(KeyFault::RateLimit(self.outcome(true).wait)),
            _ if status == 429 => Some(KeyFault::RateLimit(self.outcome(true).wait)),
            _ => None,
        }
    }

    /// The most that [`AttemptError::weight`] gives.
    pub const WEIGHT_MAX: u8 = 2;

    /// How much it tells the client, in comparison with another one: what a provider answered goes before what became of
    /// a call, and that before why there was none.
    pub fn weight(&self) -> u8 {
        match self.verdict {
            Verdict::Success { .. } | Verdict::Refused { .. } | Verdict::Denied => AttemptError::WEIGHT_MAX,
            Verdict::Unreachable
            | Verdict::Broken
            | Verdict::Late(_)
            | Verdict::BadAnswer
            | Verdict::ClientGone => 1,
            Verdict::Untranslatable | Verdict::SignIn => 0,
        }
    }

    /// What the client gets.
    ///
    /// # Errors
    /// The fault, where the provider gave no answer of its own.
    pub fn into_answer(self) -> Result<Response<Body>, Fault> {
        match self.answer {
            Some(mut answer) => {
                answer.extensions_mut().insert(Cause::from(&self.fault));
                Ok(*answer)
            }
            None => Err(self.fault),
        }
    }
}

/// The same kind of failure, as routing configs name it.
fn class_of(fault: &Fault) -> Class {
    match fault.kind {
        // A gateway behind this one, whose guardrail denied it.
        _ if fault.status == 446 => Class::Denied,
        FaultKind::InvalidRequest | FaultKind::TooLarge => Class::BadRequest,
        FaultKind::ContextLength => Class::ContextLength,
        FaultKind::ContentPolicy => Class::ContentPolicy,
        FaultKind::Authentication | FaultKind::Permission => Class::Authentication,
        FaultKind::NotFound => Class::NotFound,
        FaultKind::RateLimit => Class::RateLimit,
        FaultKind::Quota => Class::Quota,
        FaultKind::Overloaded => Class::Overloaded,
        FaultKind::Timeout => Class::Timeout,
        FaultKind::Upstream | FaultKind::Server => Class::Server,
    }
}
