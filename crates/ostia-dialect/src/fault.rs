//! What went wrong, whose fault it is, and whether it may be tried again.

mod classify;
mod table;
mod upstream;

use std::num::NonZeroU32;

pub(crate) use classify::classify;
pub use table::{Row, Sign, rows};
pub use upstream::{from_answer, in_success};
pub(crate) use upstream::{from_body, is_refused};

/// A failure in terms that every dialect can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure.
    pub kind: FaultKind,
    /// What the client is told: what is wrong and what to do about it.
    pub message: String,
    /// The HTTP status that the client gets; the upstream's own where there is one.
    pub status: u16,
    /// The upstream's machine-readable code (`context_length_exceeded`), where it gave one.
    pub code: Option<String>,
    /// The upstream's own word for the kind of error (`rate_limit_error`), where it gave one.
    pub vendor_type: Option<Box<str>>,
    /// The request field to blame (`messages[2].role`).
    pub param: Option<String>,
    /// For how many seconds the upstream asks to be left alone, where its words say so.
    pub wait_s: Option<NonZeroU32>,
    /// What only the operator may read: why a connection failed.
    pub detail: Option<Box<Detail>>,
}

/// Words for the operator. Behind a pointer: few faults have any, and all are moved about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail(pub String);

/// The kinds of failure: what they mean, whatever the vendor calls them ([`rows`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The request cannot be served as it is; trying again does not help.
    InvalidRequest,
    /// The conversation is longer than the model takes. Another model may take it.
    ContextLength,
    /// The vendor declines because of what is said. That is the client's to hear, and not another vendor's.
    ContentPolicy,
    /// No credential, or a wrong one.
    Authentication,
    /// The credential is good and does not allow this.
    Permission,
    /// No such model, route or object.
    NotFound,
    /// The request is larger than allowed.
    TooLarge,
    /// Too many requests for now.
    RateLimit,
    /// The account has no credit left, or a quota that no wait of a few minutes refills.
    Quota,
    /// The upstream is overloaded for the moment.
    Overloaded,
    /// Something took too long.
    Timeout,
    /// The upstream could not be reached, broke off or answered nonsense.
    Upstream,
    /// The upstream says that it failed.
    Server,
}

/// Whose words errors are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// Google's.
    Google,
}

impl FaultKind {
    /// The kind that an HTTP status stands for.
    pub(crate) fn of_status(status: u16) -> FaultKind {
        match status {
            401 => FaultKind::Authentication,
            402 => FaultKind::Quota,
            403 => FaultKind::Permission,
            404 => FaultKind::NotFound,
            408 | 504 => FaultKind::Timeout,
            429 => FaultKind::RateLimit,
            413 => FaultKind::TooLarge,
            498 | 503 | 529 => FaultKind::Overloaded,
            // The model behind the server failed: Bedrock's `ModelErrorException`
            // (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>), and `Request failed during
            // generation` of text-generation-inference.
            424 => FaultKind::Server,
            400..=499 => FaultKind::InvalidRequest,
            502 => FaultKind::Upstream,
            _ => FaultKind::Server,
        }
    }

    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::InvalidRequest => "invalid request",
            FaultKind::ContextLength => "context too long",
            FaultKind::ContentPolicy => "content policy",
            FaultKind::Authentication => "wrong key",
            FaultKind::Permission => "not allowed",
            FaultKind::NotFound => "not found",
            FaultKind::TooLarge => "too large",
            FaultKind::RateLimit => "rate limit",
            FaultKind::Quota => "quota",
            FaultKind::Overloaded => "overloaded",
            FaultKind::Timeout => "timeout",
            FaultKind::Upstream => "unreachable or nonsense",
            FaultKind::Server => "provider failed",
        }
    }

    /// The HTTP status for it, where the upstream gave none.
    pub fn status(self) -> u16 {
        match self {
            FaultKind::InvalidRequest | FaultKind::ContextLength | FaultKind::ContentPolicy => 400,
            FaultKind::Authentication => 401,
            FaultKind::Permission => 403,
            FaultKind::NotFound => 404,
            FaultKind::TooLarge => 413,
            // OpenAI's own for an empty account, which clients and lists of statuses know best.
            FaultKind::RateLimit | FaultKind::Quota => 429,
            FaultKind::Server => 500,
            FaultKind::Upstream => 502,
            FaultKind::Overloaded => 503,
            FaultKind::Timeout => 504,
        }
    }
}

impl Fault {
    /// A fault of this kind with the usual status for it.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        let (message, status) = (message.into(), kind.status());
        Fault {
            kind,
            message,
            status,
            code: None,
            vendor_type: None,
            param: None,
            wait_s: None,
            detail: None,
        }
    }

    /// May the client's own software send the same request once more? `None` where its status says it best.
    ///
    /// The SDKs of OpenAI and Anthropic obey `x-should-retry` before they look at the status (`_should_retry` in
    /// openai-python and anthropic-sdk-python).
    pub fn should_retry(&self) -> Option<bool> {
        match self.kind {
            FaultKind::RateLimit
            | FaultKind::Overloaded
            | FaultKind::Timeout
            | FaultKind::Upstream
            | FaultKind::Server => (self.status != 501).then_some(true),
            // A lock that was not free in time (409), and whatever else may pass.
            FaultKind::InvalidRequest => (self.status != 409).then_some(false),
            FaultKind::ContextLength
            | FaultKind::ContentPolicy
            | FaultKind::Quota
            | FaultKind::Authentication
            | FaultKind::Permission
            | FaultKind::NotFound
            | FaultKind::TooLarge => Some(false),
        }
    }

    /// The client sent something that cannot be served: 400.
    pub fn invalid(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::InvalidRequest, message)
    }

    /// The upstream answered something that is not its dialect, or broke off: 502.
    pub fn upstream(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Upstream, message)
    }

    /// The same with the request field to blame; an empty path names nothing.
    pub fn with_param(mut self, path: impl Into<String>) -> Fault {
        let path = path.into();
        self.param = (!path.is_empty()).then_some(path);
        self
    }

    /// The same of something that stands at this place: the place comes before the path of the field to blame.
    pub(crate) fn below(mut self, place: &str) -> Fault {
        if let Some(path) = self.param.take() {
            let whole = format!("{place}.{path}");
            self.message = self.message.replacen(&format!("`{path}`"), &format!("`{whole}`"), 1);
            self.param = Some(whole);
        }
        self
    }

    /// The same with a machine-readable code.
    pub fn with_code(mut self, code: impl Into<String>) -> Fault {
        self.code = Some(code.into());
        self
    }

    /// The same with something for the operator alone.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Fault {
        self.detail = Some(Box::new(Detail(detail.into())));
        self
    }

    /// The same with another HTTP status.
    pub fn with_status(mut self, status: u16) -> Fault {
        self.status = status;
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
