//! A container's own stream inside Amazon's: each event is a `PayloadPart`, and its payload is a piece of what the container
//! sends, cut anywhere
//! (<https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html>). Here that is
//! server-sent events.

use crate::Fault;
use crate::frame::{Frame, sse};

/// The name of the events that hold a piece.
const PART: &str = "PayloadPart";

/// The container's events.
#[derive(Debug, Default)]
pub struct Framer {
    outer: super::Framer,
    inner: sse::Framer,
    /// Told once what came before it is told.
    fault: Option<Fault>,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.outer.push(bytes);
    }

    /// The next whole event, if the bytes hold one.
    ///
    /// Fails as [`super::Framer::next`], behind the events that came before, and for an event that is too large.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        if self.fault.is_none() {
            self.fault = unwrap(&mut self.outer, |part| self.inner.push(part)).err();
        }
        match (self.inner.next()?, self.fault.take()) {
            (Some(frame), fault) => {
                self.fault = fault;
                Ok(Some(frame))
            }
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(None),
        }
    }

    /// The stream has ended: an event whose last blank line is missing counts all the same.
    ///
    /// Fails with 502 where it did so within a message.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        self.outer.finish()?;
        self.inner.finish()
    }

    /// Has the container said, since this was last asked, that it is there, and nothing else?
    pub fn take_ping(&mut self) -> bool {
        self.inner.take_ping()
    }
}

/// Puts the container's stream together again, for clients that speak its format.
#[derive(Debug, Default)]
pub struct Joined {
    outer: super::Framer,
}

impl Joined {
    /// Takes more bytes; appends what the container sent.
    ///
    /// Fails as [`super::Framer::next`]; the pieces before the fault are written.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.outer.push(bytes);
        unwrap(&mut self.outer, |part| out.extend_from_slice(part))
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so within a message.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.outer.finish().map(|_| ())
    }
}

/// The pieces of all whole messages. Other events are none of the container's.
fn unwrap(outer: &mut super::Framer, mut part: impl FnMut(&[u8])) -> Result<(), Fault> {
    while let Some(frame) = outer.next()? {
        if frame.event == PART {
            part(frame.data);
        }
    }
    Ok(())
}
