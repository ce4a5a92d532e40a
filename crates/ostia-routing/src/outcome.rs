//! What became of an attempt, and what it was for, in the few words that routing decisions need.

use std::time::Duration;

use serde::Serialize;

/// What the shell reports of one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// What happened.
    pub verdict: Verdict,
    /// How long the target asked to be left alone (`retry::told_wait`).
    pub wait: Option<Duration>,
    /// Whether the target says that it may be asked once more (`x-should-retry`).
    pub again: Option<bool>,
}

impl Outcome {
    /// An outcome of which nothing else is known.
    pub fn of(verdict: Verdict) -> Outcome {
        Outcome { verdict, wait: None, again: None }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Outcome {
        Outcome::of(verdict)
    }
}

/// What happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A good answer, or the first piece of one. 246 says that a guardrail failed and let it pass.
    Success {
        /// The status that the client would see.
        status: u16,
    },
    /// The target answered with an error, as a status or in the first event of a stream.
    Refused {
        /// The status that the client would see.
        status: u16,
        /// What the body says; [`Class::of_status`] where it says nothing.
        class: Class,
    },
    /// No connection, or one that broke before the answer began.
    Unreachable,
    /// The answer broke off, or stopped without its end.
    Broken,
    /// Something took longer than its limit.
    Late(Limit),
    /// The gateway could not make a request for the target: its dialect cannot say it, or nobody knows the
    /// target's provider.
    Untranslatable,
    /// The gateway has no credential for the target, or could not get one.
    SignIn,
    /// The answer is nonsense: no JSON, or not of the promised shape.
    BadAnswer,
    /// A guardrail denied the request or the answer (446).
    Denied,
    /// The client does not wait any more.
    ClientGone,
}

impl Verdict {
    /// A plain 200.
    pub const SUCCESS: Verdict = Verdict::Success { status: 200 };

    /// The verdict on an answer of this status whose body says nothing more.
    pub fn of_status(status: u16) -> Verdict {
        match status {
            200..=299 => Verdict::Success { status },
            446 => Verdict::Denied,
            _ => Verdict::Refused { status, class: Class::of_status(status) },
        }
    }

    /// What lists of status codes are compared with. Failures without an answer have none.
    pub fn status(self) -> Option<u16> {
        match self {
            Verdict::Success { status } | Verdict::Refused { status, .. } => Some(status),
            Verdict::Late(_) => Some(408),
            Verdict::Denied => Some(446),
            Verdict::Unreachable
            | Verdict::Broken
            | Verdict::Untranslatable
            | Verdict::SignIn
            | Verdict::BadAnswer
            | Verdict::ClientGone => None,
        }
    }

    /// The class of a failure; `None` for what is none.
    pub fn class(self) -> Option<Class> {
        match self {
            Verdict::Success { .. } | Verdict::ClientGone => None,
            Verdict::Refused { class, .. } => Some(class),
            Verdict::Unreachable | Verdict::Broken => Some(Class::Connection),
            Verdict::Late(_) => Some(Class::Timeout),
            Verdict::Untranslatable => Some(Class::Untranslatable),
            Verdict::SignIn => Some(Class::SignIn),
            Verdict::BadAnswer => Some(Class::BadAnswer),
            Verdict::Denied => Some(Class::Denied),
        }
    }

    /// Whether the client gets this as an answer.
    pub fn is_success(self) -> bool {
        matches!(self, Verdict::Success { .. })
    }
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Connecting.
    Connect,
    /// The head of the answer (`request_timeout`).
    FirstByte,
    /// The first token (`first_token_timeout`).
    FirstToken,
    /// The silence between two pieces (`idle_timeout`).
    Idle,
    /// The deadline of the whole request.
    Deadline,
}

impl Limit {
    /// In words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Limit::Connect => "connecting took too long",
            Limit::FirstByte => "the head of the answer was late",
            Limit::FirstToken => "the first token was late",
            Limit::Idle => "nothing came for too long",
            Limit::Deadline => "the time of the request was over",
        }
    }
}

/// Kinds of failures, as `stop_on` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The request is wrong.
    BadRequest,
    /// The conversation is longer than the model takes.
    ContextLength,
    /// The target will not talk about this.
    ContentPolicy,
    /// The target does not accept the credential.
    Authentication,
    /// No such model or path there.
    NotFound,
    /// Too many requests for now.
    RateLimit,
    /// The account has no credit left, or a quota that no wait of a few minutes refills.
    Quota,
    /// The target is overloaded for the moment.
    Overloaded,
    /// The target says that it failed.
    Server,
    /// No connection, or a broken one.
    Connection,
    /// A limit was passed.
    Timeout,
    /// The gateway cannot say the request to this target.
    Untranslatable,
    /// The gateway cannot sign in there.
    SignIn,
    /// The answer is nonsense.
    BadAnswer,
    /// A guardrail denied it.
    Denied,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 15] = [
        Class::BadRequest,
        Class::ContextLength,
        Class::ContentPolicy,
        Class::Authentication,
        Class::NotFound,
        Class::RateLimit,
        Class::Quota,
        Class::Overloaded,
        Class::Server,
        Class::Connection,
        Class::Timeout,
        Class::Untranslatable,
        Class::SignIn,
        Class::BadAnswer,
        Class::Denied,
    ];

    /// The class that a status stands for where the body says nothing.
    pub fn of_status(status: u16) -> Class {
        match status {
            401 | 403 => Class::Authentication,
            404 => Class::NotFound,
            408 | 504 => Class::Timeout,
            402 => Class::Quota,
            429 => Class::RateLimit,
            446 => Class::Denied,
            498 | 503 | 529 => Class::Overloaded,
            500.. => Class::Server,
            _ => Class::BadRequest,
        }
    }

    /// May the same request to the same target go better the next time? No wait fills an account, shortens a
    /// conversation or changes what was said.
    pub(crate) fn may_pass(self) -> bool {
        !matches!(self, Class::Quota | Class::ContextLength | Class::ContentPolicy)
    }

    /// The statuses by which other vendors tell the same: an account that is empty or a key that is wrong also comes as
    /// 400. What a list says of these holds for it too.
    pub(crate) fn other_statuses(self, status: u16) -> &'static [u16] {
        match (self, status) {
            (Class::Quota, _) => &[402, 429],
            (Class::Authentication, 400) => &[401],
            _ => &[],
        }
    }

    /// As it is written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::BadRequest => "bad_request",
            Class::ContextLength => "context_length",
            Class::ContentPolicy => "content_policy",
            Class::Authentication => "authentication",
            Class::NotFound => "not_found",
            Class::RateLimit => "rate_limit",
            Class::Quota => "quota",
            Class::Overloaded => "overloaded",
            Class::Server => "server",
            Class::Connection => "connection",
            Class::Timeout => "timeout",
            Class::Untranslatable => "untranslatable",
            Class::SignIn => "sign_in",
            Class::BadAnswer => "bad_answer",
            Class::Denied => "denied",
        }
    }
}

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer.
    Usual,
    /// An answer in case another attempt stays late; the first answer counts.
    Hedge,
    /// The rest of an answer of which the client has the beginning.
    Continue,
}

/// Why no further attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// All targets that the strategy allows have failed, or were left out.
    Exhausted,
    /// The failure is one that another target would not mend, as the config has it.
    Stopped,
    /// The time of the request is over.
    Deadline,
    /// [`ATTEMPTS_MAX`](crate::plan::ATTEMPTS_MAX) attempts were made.
    AttemptsMax,
    /// The client does not wait any more.
    ClientGone,
    /// The answer broke off, and nobody may or can go on with it.
    Broken,
    /// To ask the request all that the config wants to know is more work than
    /// [`WORK_MAX`](crate::condition::WORK_MAX).
    TooMuchWork,
}
