//! Why a credential could not be had.

use ostia_dialect::{Fault, FaultKind};

/// Why a credential could not be had. No secret stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// All of it in words, hosts and names of accounts too: for whoever the source belongs to.
    pub words: String,
    /// What to set or to do.
    pub remedy: String,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// There is nothing to sign in with.
    Missing,
    /// Whoever gives them out said no.
    Refused,
    /// Whoever gives them out could not be reached in time, or failed.
    Unavailable,
    /// What came is no credential.
    Garbage,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, words: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure { kind, words: words.into(), remedy: remedy.into() }
    }

    pub(super) fn missing(words: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Missing, words, remedy)
    }

    pub(super) fn refused(words: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Refused, words, remedy)
    }

    pub(super) fn unavailable(words: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Unavailable, words, "It is tried again by itself.")
    }

    pub(super) fn garbage(words: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Garbage, words, "It is tried again by itself.")
    }

    pub(super) fn no_thread() -> Failure {
        Failure::unavailable("the thread that fetches credentials could not be started")
    }

    /// The same of this source: `words` begin with it.
    pub(super) fn of(self, source: &str) -> Failure {
        Failure { words: format!("{source}: {}", self.words), ..self }
    }

    /// What a client is told. `discloses`: the source is the client's own, or the client is the operator; else it hears that
    /// there is no credential and of what kind the trouble is, and the operator reads the rest in the log.
    pub fn fault(&self, discloses: bool) -> Fault {
        let (kind, brief) = match self.kind {
            FailureKind::Missing => (FaultKind::Authentication, "there is none"),
            FailureKind::Refused => (FaultKind::Authentication, "it was refused by whoever gives it out"),
            FailureKind::Unavailable => (FaultKind::Upstream, "whoever gives it out could not be reached"),
            FailureKind::Garbage => (FaultKind::Upstream, "what came in its place is none"),
        };
        let message = match discloses {
            true => format!("No credential for the provider: {}. {}", self.words, self.remedy),
            false => format!(
                "The gateway has no credential for the provider: {brief}. Tell whoever runs this gateway."
            ),
        };
        Fault::new(kind, message).with_code("credential_unavailable").with_detail(self.to_string())
    }
}

impl std::fmt::Display for Failure {
    /// All of it, for the operator.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}. {}", self.words, self.remedy)
    }
}
