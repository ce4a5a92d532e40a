//! What has to be known of a translated stream so that somebody else can go on with it if it breaks off.

use bytes::Bytes;
use ostia_dialect::continuation::Continuation;

use crate::message::body::{Resume, Resuming};

/// What has been said of an answer, and who gets the rest if it breaks off.
#[derive(Default)]
pub(super) struct Continuing {
    pub(super) said: Continuation,
    /// The client's body.
    pub(super) request: Bytes,
    /// Away while at work.
    pub(super) failover: Option<Box<dyn Resume>>,
    pub(super) resuming: Option<Resuming>,
}

impl Continuing {
    /// Of the answer to this request.
    pub(super) fn of(request: Bytes) -> Box<Continuing> {
        Box::new(Continuing { request, ..Continuing::default() })
    }
}

impl std::fmt::Debug for Continuing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Continuing")
            .field("said", &self.said)
            .field("failover", &self.failover)
            .finish_non_exhaustive()
    }
}
