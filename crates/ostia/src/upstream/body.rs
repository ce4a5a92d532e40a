//! The bodies of calls: what is sent, and why what comes back may end early.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::pieces::Pieces;
use crate::client::ClientBody;
use crate::log::End;

/// The body of a call to an upstream.
#[derive(Debug)]
pub enum RequestBody {
    /// Bytes that are all here; `None` for no body.
    Full(Option<Bytes>),
    /// A client's body, handed on as it comes.
    Passed(ClientBody),
    /// The same after what has been read of it.
    Streamed(Option<Bytes>, ClientBody),
    /// Put together from pieces.
    Pieces(Box<Pieces>),
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
    /// The client of a WebSocket went without a word.
    ClientLeft,
    /// What a client had sent could not be read from disk.
    Disk(std::io::Error),
}

impl BodyFault {
    /// How an answer ended that breaks off so.
    pub fn end(&self) -> End {
        match self {
            BodyFault::ClientLeft => End::ClientLeft,
            BodyFault::Connection(_) | BodyFault::Broken | BodyFault::Silence | BodyFault::Disk(_) => {
                End::Broken
            }
        }
    }
}

impl std::fmt::Display for BodyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BodyFault::Connection(error) => error.fmt(f),
            BodyFault::Broken => f.write_str("the answer broke off"),
            BodyFault::Silence => f.write_str("nothing came for too long"),
            BodyFault::ClientLeft => f.write_str("the client left"),
            BodyFault::Disk(error) => write!(f, "the temporary file: {error}"),
        }
    }
}

impl std::error::Error for BodyFault {}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            RequestBody::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            RequestBody::Streamed(first @ Some(_), _) => {
                Poll::Ready(first.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            RequestBody::Passed(body) | RequestBody::Streamed(None, body) => {
                Pin::new(body).poll_frame(context).map_err(BodyFault::Connection)
            }
            RequestBody::Pieces(pieces) => {
                pieces.poll_bytes(context).map_ok(Frame::data).map_err(BodyFault::Disk)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            RequestBody::Full(bytes) => bytes.is_none(),
            RequestBody::Passed(body) => body.is_end_stream(),
            RequestBody::Streamed(first, body) => first.is_none() && body.is_end_stream(),
            RequestBody::Pieces(pieces) => pieces.bytes_left() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            RequestBody::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            RequestBody::Passed(body) => body.size_hint(),
            RequestBody::Streamed(first, body) => {
                let first = first.as_ref().map_or(0, |bytes| bytes.len() as u64);
                body.size_hint()
                    .exact()
                    .map_or_else(SizeHint::default, |rest| SizeHint::with_exact(first + rest))
            }
            RequestBody::Pieces(pieces) => SizeHint::with_exact(pieces.bytes_left()),
        }
    }
}
