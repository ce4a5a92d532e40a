//! Why a target gave no answer: what the next step is decided by, and what the client gets where there is none.

use std::time::SystemTime;

use http::Response;
use ostia_dialect::{Fault, FaultKind};
use ostia_routing::{Class, Limit, Outcome, Verdict, told_wait};

use crate::body::Body;

/// A target that was asked, or could not be asked, and gave no answer that is one.
#[derive(Debug)]
pub struct Miss {
    /// What is wrong: the provider's words where it said some, else the gateway's.
    pub fault: Fault,
    /// The same in the terms of decisions.
    pub verdict: Verdict,
    /// The provider's own error answer, in the client's dialect and with the provider's headers.
    pub answer: Option<Box<Response<Body>>>,
}

impl From<Fault> for Miss {
    /// A fault of the gateway's own making: its kind says what went wrong.
    fn from(fault: Fault) -> Miss {
        let verdict = match fault.kind {
            FaultKind::Authentication => Verdict::SignIn,
            FaultKind::Timeout => Verdict::Late(Limit::Idle),
            FaultKind::Upstream | FaultKind::Server | FaultKind::RateLimit => Verdict::BadAnswer,
            FaultKind::Overloaded => Verdict::Unreachable,
            FaultKind::InvalidRequest | FaultKind::Permission | FaultKind::NotFound | FaultKind::TooLarge => {
                Verdict::Untranslatable
            }
        };
        Miss { fault, verdict, answer: None }
    }
}

impl Miss {
    /// There was no answer, for this reason.
    pub fn without_answer(fault: Fault, verdict: Verdict) -> Miss {
        Miss { fault, verdict, answer: None }
    }

    /// The provider answered with an error.
    pub fn refused(fault: Fault, answer: Response<Body>) -> Miss {
        Miss { answer: Some(Box::new(answer)), ..Miss::told(fault) }
    }

    /// The provider told an error where an answer was promised.
    pub fn told(fault: Fault) -> Miss {
        let class = match (fault.is_too_long(), fault.is_unwanted()) {
            (true, _) => Class::ContextLength,
            (_, true) => Class::ContentPolicy,
            _ => Class::of_status(fault.status),
        };
        Miss { verdict: Verdict::Refused { status: fault.status, class }, fault, answer: None }
    }

    /// What decisions are made by. `further` headers say how long to wait, where the config wants them to.
    pub fn outcome(&self, further: bool) -> Outcome {
        let headers = self.answer.as_ref().map(|answer| answer.headers());
        let header = |name: &str| headers?.get(name)?.to_str().ok();
        Outcome { wait: told_wait(header, further, SystemTime::now()), ..Outcome::of(self.verdict) }
    }

    /// What the client gets.
    ///
    /// # Errors
    /// The fault, where the provider gave no answer of its own.
    pub fn into_answer(self) -> Result<Response<Body>, Fault> {
        match self.answer {
            Some(answer) => Ok(*answer),
            None => Err(self.fault),
        }
    }
}
