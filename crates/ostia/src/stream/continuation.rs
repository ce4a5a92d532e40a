//! What has to be known of a translated stream so that somebody else can go on with it if it breaks off.

use bytes::Bytes;
use ostia_dialect::joint::Joint;

use crate::message::body::{Mender, Mending};

/// What has been said of an answer, and who gets the rest if it breaks off.
#[derive(Default)]
pub(super) struct Continuation {
    pub(super) joint: Joint,
    /// The client's body.
    pub(super) request: Bytes,
    /// Away while at work.
    pub(super) mender: Option<Box<dyn Mender>>,
    pub(super) mending: Option<Mending>,
}

impl Continuation {
    /// Of the answer to this request.
    pub(super) fn of(request: Bytes) -> Box<Continuation> {
        Box::new(Continuation { request, ..Continuation::default() })
    }
}

impl std::fmt::Debug for Continuation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Continuation")
            .field("joint", &self.joint)
            .field("mender", &self.mender)
            .finish_non_exhaustive()
    }
}
