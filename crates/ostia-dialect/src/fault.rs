//! What went wrong, whose fault it is, and whether it may be tried again.

mod meaning;
mod upstream;

pub(crate) use upstream::from_body;
pub use upstream::{from_answer, in_success};

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
    pub vendor_type: Option<String>,
    /// The request field to blame (`messages[2].role`).
    pub param: Option<String>,
}

/// The kinds of failure that clients tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The request cannot be served as it is; trying again does not help.
    InvalidRequest,
    /// No credential, or a wrong one.
    Authentication,
    /// The credential is good and does not allow this.
    Permission,
    /// No such model, route or object.
    NotFound,
    /// The request is larger than allowed.
    TooLarge,
    /// Too many requests, or a quota used up.
    RateLimit,
    /// The upstream is overloaded for the moment.
    Overloaded,
    /// Something took too long.
    Timeout,
    /// The upstream could not be reached, broke off or answered nonsense.
    Upstream,
    /// The upstream says that it failed.
    Server,
}

impl FaultKind {
    /// The kind that an HTTP status stands for.
    pub fn of_status(status: u16) -> FaultKind {
        match status {
            401 => FaultKind::Authentication,
            402 | 429 => FaultKind::RateLimit,
            403 => FaultKind::Permission,
            404 => FaultKind::NotFound,
            408 | 504 => FaultKind::Timeout,
            413 => FaultKind::TooLarge,
            498 | 503 | 529 => FaultKind::Overloaded,
            400..=499 => FaultKind::InvalidRequest,
            502 => FaultKind::Upstream,
            _ => FaultKind::Server,
        }
    }
}

impl Fault {
    /// A fault of this kind with the usual status for it.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        let status = match kind {
            FaultKind::InvalidRequest => 400,
            FaultKind::Authentication => 401,
            FaultKind::Permission => 403,
            FaultKind::NotFound => 404,
            FaultKind::TooLarge => 413,
            FaultKind::RateLimit => 429,
            FaultKind::Server => 500,
            FaultKind::Upstream => 502,
            FaultKind::Overloaded => 503,
            FaultKind::Timeout => 504,
        };
        Fault { kind, message: message.into(), status, code: None, vendor_type: None, param: None }
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

    /// The same with a machine-readable code.
    pub fn with_code(mut self, code: impl Into<String>) -> Fault {
        self.code = Some(code.into());
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
