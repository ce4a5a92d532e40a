//! The bodies of calls: what is sent, and why what comes back may end early.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::client::ClientBody;

/// The body of a call to an upstream.
#[derive(Debug)]
pub enum Sent {
    /// Bytes that are all here; `None` for no body.
    Full(Option<Bytes>),
    /// A client's body, handed on as it comes.
    Passed(ClientBody),
}

/// Why a body ended early. Whoever reads it is broken off too, so that nobody takes the rest for the whole.
#[derive(Debug)]
pub enum BodyFault {
    /// The other side of the body's connection failed.
    Connection(hyper::Error),
    /// The answer was broken; the client has been told in an event.
    Broken,
    /// Nothing came for longer than allowed.
    Silence,
}

impl std::fmt::Display for BodyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BodyFault::Connection(error) => error.fmt(f),
            BodyFault::Broken => f.write_str("the answer broke off"),
            BodyFault::Silence => f.write_str("nothing came for too long"),
        }
    }
}

impl std::error::Error for BodyFault {}

impl Body for Sent {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Sent::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Sent::Passed(body) => Pin::new(body).poll_frame(context).map_err(BodyFault::Connection),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Sent::Full(bytes) => bytes.is_none(),
            Sent::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Sent::Passed(body) => body.size_hint(),
        }
    }
}
