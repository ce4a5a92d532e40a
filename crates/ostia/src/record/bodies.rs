//! As much of the two bodies of a request as is kept.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ostia_config::BodiesKept;
use ostia_dialect::observe::text_bytes;
use ostia_store::{Kept, Missing};

use super::media;

/// Largest body that is held as a whole until it is written, in bytes, because there are files in it, of which only a note is kept.
const WHOLE_BYTES_MAX: usize = 8 << 20;
/// What such bodies take together, of all requests, in bytes. Beyond it only their beginnings are held.
const WHOLE_BYTES_HELD_MAX: usize = 64 << 20;

/// How much of bodies is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyPolicy {
    /// Of which requests.
    pub kept: BodiesKept,
    /// Of each body, in bytes.
    pub bytes_max: usize,
}

impl BodyPolicy {
    /// Why the bodies of a request, that failed or not, are not kept; `None`: they are.
    pub fn missing(&self, is_failure: bool) -> Option<Missing> {
        match self.kept {
            BodiesKept::Off => Some(Missing::Off),
            BodiesKept::Errors if !is_failure => Some(Missing::NoError),
            BodiesKept::Errors | BodiesKept::Full => None,
        }
    }

    /// Leaves of a body that came by itself what is kept of bodies.
    pub fn bound(&self, body: &mut Kept, is_failure: bool) {
        match (self.missing(is_failure), body) {
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
    /// Its client does not want them kept.
    is_unwanted: bool,
}

/// The beginning of a body, copied: what is shared with whoever sends it on would hold the buffer that it was read into, which is
/// many times as large.
#[derive(Debug, Default)]
struct Body {
    bytes: Vec<u8>,
    /// All of it in place of that, where it has files.
    whole: Option<Whole>,
    total: u64,
}

/// A whole body, which counts among those that are held.
#[derive(Debug)]
struct Whole(Bytes);

/// How many bytes of whole bodies are held: requests under way hold theirs, and their records until they are written.
static HELD: AtomicUsize = AtomicUsize::new(0);

impl Whole {
    /// Holds this one, if there is room.
    fn hold(bytes: &Bytes) -> Option<Whole> {
        let whole = Whole(bytes.clone());
        let before = HELD.fetch_add(bytes.len(), Ordering::Relaxed);
        (before + bytes.len() <= WHOLE_BYTES_HELD_MAX).then_some(whole)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

impl Bodies {
    pub(super) fn new(policy: BodyPolicy) -> Bodies {
        let missing = (policy.kept == BodiesKept::Off).then_some(Missing::Off);
        Bodies { policy, request: Body::default(), response: Body::default(), missing, is_unwanted: false }
    }

    /// The key that came with the request says what is kept, before there is any body. Its client's word goes before that.
    pub(super) fn keep(&mut self, kept: BodiesKept) {
        self.policy.kept = kept;
        if !self.is_unwanted {
            self.missing = (kept == BodiesKept::Off).then_some(Missing::Off);
        }
    }

    /// May anything be kept that a client or a provider said?
    pub(super) fn is_on(&self) -> bool {
        self.missing.is_none()
    }

    pub(super) fn switch_off(&mut self) {
        self.is_unwanted = true;
        self.give_up(Missing::Off);
    }

    pub(super) fn give_up(&mut self, why: Missing) {
        self.missing = Some(why);
        for body in [&mut self.request, &mut self.response] {
            (body.bytes, body.whole) = (Vec::new(), None);
        }
    }

    /// Leaves of bodies that are held as a whole their beginnings. Were there any?
    pub(super) fn cut(&mut self) -> bool {
        let bytes_max = self.policy.bytes_max;
        let mut is_cut = false;
        for body in [&mut self.request, &mut self.response] {
            if let Some(whole) = body.whole.take() {
                (body.bytes, is_cut) = (whole.0[..whole.0.len().min(bytes_max)].to_vec(), true);
            }
        }
        is_cut
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
        let held = |body: &Body| body.bytes.capacity() + body.whole.as_ref().map_or(0, |whole| whole.0.len());
        [&self.request, &self.response].into_iter().map(held).sum()
    }

    /// How long they were.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.request.total, self.response.total)
    }

    /// What is kept: of the request and of the answer. A note stands in the place of each file in them, which takes its time.
    pub(super) fn kept(self) -> (Kept, Kept) {
        let (missing, bytes_max) = (self.missing, self.policy.bytes_max);
        let kept = |body: Body| missing.map_or_else(|| body.kept(bytes_max), Kept::Missing);
        (kept(self.request), kept(self.response))
    }
}

impl Body {
    /// A body that is whole.
    fn set(&mut self, bytes: &Bytes, is_on: bool, bytes_max: usize) {
        *self = Body::default();
        let is_long = is_on && (bytes_max + 1..=WHOLE_BYTES_MAX).contains(&bytes.len());
        if is_long && text_bytes(bytes) < bytes.len() as u64 {
            self.whole = Whole::hold(bytes);
        }
        if self.whole.is_some() {
            self.total = bytes.len() as u64;
            return;
        }
        self.add(bytes, is_on, bytes_max);
    }

    fn kept(self, bytes_max: usize) -> Kept {
        let Body { bytes, whole, total } = self;
        let all = whole.as_ref().map_or(&bytes[..], |whole| &whole.0[..]);
        if all.is_empty() {
            return Kept::Missing(Missing::None);
        }
        let unseen = total.saturating_sub(all.len() as u64);
        let noted = media::replaced(all, unseen > 0);
        // So long is the body with its notes.
        let total = noted.as_ref().map_or(all.len(), Vec::len) as u64 + unseen;
        let mut bytes = noted.unwrap_or_else(|| whole.map_or(bytes, |whole| whole.0.to_vec()));
        bytes.truncate(bytes_max);
        Kept::Bytes { bytes, total }
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

    #[test]
    fn a_body_with_a_file_is_kept_with_a_note() {
        let file = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 60_000]].concat();
        let data = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, file);
        let body = Bytes::from(format!(r#"{{"image":"{data}","prompt":"the end"}}"#));
        let kept = |change: fn(&mut Bodies)| {
            let mut bodies = Bodies::new(BodyPolicy { kept: BodiesKept::Full, bytes_max: 1000 });
            bodies.request(&body);
            assert!(bodies.bytes() >= body.len());
            change(&mut bodies);
            assert_eq!(bodies.totals().0, body.len() as u64);
            match bodies.kept().0 {
                Kept::Bytes { bytes, total } => (bytes, total),
                Kept::Missing(why) => unreachable!("{}", why.as_str()),
            }
        };
        let (bytes, total) = kept(|_| ());
        let told = String::from_utf8(bytes).unwrap();
        assert!(told.starts_with(r#"{"image":"[image/png, 60008 bytes, sha256 "#), "{told}");
        assert!(told.ends_with(r#"]","prompt":"the end"}"#) && total == told.len() as u64, "{told}");
        // Where there is no room for all of it.
        let (bytes, total) = kept(|bodies| assert!(bodies.cut() && !bodies.cut()));
        assert!(bytes.len() <= 1000 && total > 60_000, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn so_much_is_held_as_a_whole_and_no_more() {
        let file = Bytes::from(vec![b'A'; WHOLE_BYTES_MAX]);
        let held: Vec<_> = (0..=WHOLE_BYTES_HELD_MAX / WHOLE_BYTES_MAX).map(|_| Whole::hold(&file)).collect();
        assert!(held.first().unwrap().is_some() && held.last().unwrap().is_none());
        drop(held);
        assert!(Whole::hold(&file).is_some());
    }

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

    #[test]
    fn a_key_says_what_is_kept_and_its_client_goes_before_it() {
        let check = |of_all: BodiesKept, of_key: BodiesKept, is_unwanted: bool, expected: bool| {
            for is_said_first in [true, false] {
                let mut bodies = Bodies::new(BodyPolicy { kept: of_all, bytes_max: 4 });
                let say = |bodies: &mut Bodies| (0..u8::from(is_unwanted)).for_each(|_| bodies.switch_off());
                if is_said_first {
                    say(&mut bodies);
                }
                bodies.keep(of_key);
                if !is_said_first {
                    say(&mut bodies);
                }
                bodies.request(&Bytes::from_static(b"a"));
                bodies.settle(false);
                let is_kept = matches!(bodies.kept().0, Kept::Bytes { .. });
                assert_eq!(is_kept, expected, "{of_all:?} {of_key:?} {is_unwanted} {is_said_first}");
            }
        };
        check(BodiesKept::Full, BodiesKept::Off, false, false);
        check(BodiesKept::Off, BodiesKept::Full, false, true);
        check(BodiesKept::Off, BodiesKept::Errors, false, false);
        check(BodiesKept::Off, BodiesKept::Full, true, false);
    }
}
