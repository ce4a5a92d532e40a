//! A connection that goes over to another protocol (RFC 9110, section 7.8): the server lets go of HTTP with status 101, and what is left
//! is the connection itself.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response, StatusCode, response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::Connection;
use crate::upstream::answer::UpstreamBody;
use crate::upstream::counted::CountedStream;
use crate::upstream::{RequestBody, SendFault};

/// What a server says to a request that wants another protocol.
#[derive(Debug)]
pub enum Switching {
    /// It has gone over to it, with this head.
    Switched(Box<response::Parts>, Switched),
    /// It stays with HTTP.
    Answered(Box<Response<UpstreamBody>>),
}

/// A connection that has gone over to another protocol.
#[derive(Debug)]
pub struct Switched {
    /// The connection.
    pub stream: CountedStream,
    /// What has come on it already.
    pub unread: Bytes,
}

impl Connection {
    /// Sends a request that wants another protocol. `answered` makes an answer of what is one.
    pub(in crate::upstream) async fn switch(
        mut self: Box<Self>,
        request: Box<Request<RequestBody>>,
        due: Instant,
        answered: impl FnOnce(Box<Connection>, Response<Incoming>) -> Response<UpstreamBody>,
    ) -> Result<Switching, SendFault> {
        let Some(mut driver) = self.driver.take() else { return Err(SendFault::Closed) };
        let mut response = pin!(self.sender.send_request(*request));
        let timer = &mut self.timer;
        // A driver that is over holds the connection: with status 101 that is as it should be.
        let mut is_over = false;
        let sent = poll_fn(|context| {
            let driven = match is_over {
                true => Poll::Pending,
                false => driver.poll_without_shutdown(context),
            };
            is_over |= driven.is_ready();
            match (response.as_mut().poll(context), driven) {
                (Poll::Ready(response), _) => Poll::Ready(response.map_err(SendFault::Http)),
                (Poll::Pending, Poll::Ready(Err(error))) => Poll::Ready(Err(SendFault::Http(error))),
                (Poll::Pending, Poll::Ready(Ok(()))) => Poll::Ready(Err(SendFault::Closed)),
                (Poll::Pending, Poll::Pending) => {
                    timer.poll_over(due, context).map(|()| Err(SendFault::FirstByteTimeout))
                }
            }
        });
        let response = sent.await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            self.driver = (!is_over).then_some(driver);
            return Ok(Switching::Answered(Box::new(answered(self, response))));
        }
        if !is_over {
            let driven = poll_fn(|context| driver.poll_without_shutdown(context));
            timeout_at(due, driven)
                .await
                .map_err(|_| SendFault::FirstByteTimeout)?
                .map_err(SendFault::Http)?;
        }
        let parts = driver.into_parts();
        let switched = Switched { stream: parts.io.into_inner(), unread: parts.read_buf };
        Ok(Switching::Switched(Box::new(response.into_parts().0), switched))
    }
}
