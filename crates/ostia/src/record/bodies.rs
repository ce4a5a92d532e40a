//! As much of the two bodies of a request as is kept.

use bytes::Bytes;
use ostia_config::BodiesKept;
use ostia_store::{Kept, Missing};

/// How much of bodies is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyPolicy {
    /// Of which requests.
    pub kept: BodiesKept,
    /// Of each body, in bytes.
    pub bytes_max: usize,
}

impl BodyPolicy {
    /// Leaves of a body that came by itself what is kept of bodies.
    pub fn bound(&self, body: &mut Kept, is_failure: bool) {
        let missing = match self.kept {
            BodiesKept::Off => Some(Missing::Off),
            BodiesKept::Errors if !is_failure => Some(Missing::NoError),
            BodiesKept::Errors | BodiesKept::Full => None,
        };
        match (missing, body) {
            (Some(why), body) => *body = Kept::Missing(why),
            (None, Kept::Bytes { bytes, .. }) => bytes.truncate(self.bytes_max),
            (None, Kept::Missing(_)) => {}
        }
    }
}

/// Both bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    policy: BodyPolicy,
    request: Body,
    response: Body,
    /// Why none is kept.
    missing: Option<Missing>,
}

/// The beginning of a body, copied: what is shared with whoever sends it on would hold the buffer that it was read into, which is
/// many times as large.
#[derive(Debug, Default)]
struct Body {
    bytes: Vec<u8>,
    total: u64,
}

impl Bodies {
    pub(super) fn new(policy: BodyPolicy) -> Bodies {
        let missing = (policy.kept == BodiesKept::Off).then_some(Missing::Off);
        Bodies { policy, request: Body::default(), response: Body::default(), missing }
    }

    /// May anything be kept that a client or a provider said?
    pub(super) fn is_on(&self) -> bool {
        self.missing.is_none()
    }

    pub(super) fn switch_off(&mut self) {
        self.give_up(Missing::Off);
    }

    pub(super) fn give_up(&mut self, why: Missing) {
        self.missing = Some(why);
        for body in [&mut self.request, &mut self.response] {
            body.bytes = Vec::new();
        }
    }

    /// The client's body.
    pub(super) fn request(&mut self, bytes: &Bytes) {
        let is_on = self.is_on();
        self.request.set(bytes, is_on, self.policy.bytes_max);
    }

    /// The whole of the answer's.
    pub(super) fn whole(&mut self, bytes: &Bytes) {
        let is_on = self.is_on();
        self.response.set(bytes, is_on, self.policy.bytes_max);
    }

    /// A piece of the answer's.
    pub(super) fn piece(&mut self, bytes: &[u8]) {
        let is_on = self.is_on();
        self.response.add(bytes, is_on, self.policy.bytes_max);
    }

    /// The request is over, and was one that failed or not.
    pub(super) fn settle(&mut self, is_failure: bool) {
        if self.is_on() && self.policy.kept == BodiesKept::Errors && !is_failure {
            self.give_up(Missing::NoError);
        }
    }

    /// What is held, in bytes.
    pub(super) fn bytes(&self) -> usize {
        [&self.request, &self.response].into_iter().map(|body| body.bytes.capacity()).sum()
    }

    /// How long they were.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.request.total, self.response.total)
    }

    /// What is kept: of the request and of the answer.
    pub(super) fn kept(self) -> (Kept, Kept) {
        let missing = self.missing;
        let kept = |body: Body| match missing {
            Some(why) => Kept::Missing(why),
            None if body.bytes.is_empty() => Kept::Missing(Missing::None),
            None => Kept::Bytes { bytes: body.bytes, total: body.total },
        };
        (kept(self.request), kept(self.response))
    }
}

impl Body {
    /// A body that is whole.
    fn set(&mut self, bytes: &[u8], is_on: bool, bytes_max: usize) {
        *self = Body::default();
        self.add(bytes, is_on, bytes_max);
    }

    /// What comes next of it.
    fn add(&mut self, bytes: &[u8], is_on: bool, bytes_max: usize) {
        self.total += bytes.len() as u64;
        let room = bytes_max.saturating_sub(self.bytes.len());
        if is_on && room > 0 {
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(kept: BodiesKept, is_failure: bool, expected: (&str, &str)) {
        let mut bodies = Bodies::new(BodyPolicy { kept, bytes_max: 4 });
        bodies.request(&Bytes::from_static(b"abcdef"));
        bodies.piece(b"xy");
        bodies.piece(b"z");
        bodies.settle(is_failure);
        assert_eq!(bodies.totals(), (6, 3));
        let told = |kept: Kept| match kept {
            Kept::Bytes { bytes, total } => format!("{} of {total}", String::from_utf8(bytes).unwrap()),
            Kept::Missing(why) => why.as_str().to_owned(),
        };
        let (request, response) = bodies.kept();
        assert_eq!((told(request).as_str(), told(response).as_str()), expected, "{kept:?} {is_failure}");
    }

    #[test]
    fn what_is_kept() {
        check(BodiesKept::Full, false, ("abcd of 6", "xyz of 3"));
        check(BodiesKept::Errors, true, ("abcd of 6", "xyz of 3"));
        check(BodiesKept::Errors, false, ("no_error", "no_error"));
        check(BodiesKept::Off, true, ("off", "off"));
    }
}
