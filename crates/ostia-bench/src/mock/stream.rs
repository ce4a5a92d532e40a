//! The body of a stream: opening events, chunks at fixed times with the time of sending in their text,
//! closing events.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::grammar::{self, Grammar};
use crate::clock::now_ns;

/// The events of one answer. The opening goes out with the first chunk's time; each chunk is a frame
/// (and so, with a gap, a write) of its own.
pub(super) struct Events {
    grammar: Rc<Grammar>,
    next: Next,
    chunks: u32,
    gap: Duration,
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy)]
enum Next {
    Opening,
    Chunk(u32),
    Closing,
    End,
}

impl Events {
    pub(super) fn new(grammar: Rc<Grammar>, chunks: u32, gap: Duration) -> Self {
        Self { grammar, next: Next::Opening, chunks, gap, due: Instant::now(), timer: None }
    }

    fn chunk(&self, index: u32) -> Bytes {
        let (before, after) = self.grammar.chunk;
        if let Some(kind) = self.grammar.event_stream {
            let payload = format!("{before}@{index}:{}@{after}", now_ns());
            return grammar::event(kind, payload.as_bytes());
        }
        let mut event = BytesMut::with_capacity(before.len() + after.len() + 40);
        event.put_slice(before.as_bytes());
        event.put_slice(format!("@{index}:{}@", now_ns()).as_bytes());
        event.put_slice(after.as_bytes());
        event.freeze()
    }

    /// Waits until the next chunk is due. A late chunk does not move those that follow.
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.gap.is_zero() {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(self.due)));
        ready!(timer.as_mut().poll(context));
        self.due += self.gap;
        timer.as_mut().reset(self.due);
        Poll::Ready(())
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let after = |index, chunks| if index < chunks { Next::Chunk(index) } else { Next::Closing };
        let (event, next) = match self.next {
            Next::Opening => (self.grammar.opening.clone(), after(0, self.chunks)),
            Next::Chunk(index) => {
                if index > 0 {
                    ready!(self.poll_due(context));
                } else {
                    self.due = Instant::now() + self.gap;
                }
                (self.chunk(index), after(index + 1, self.chunks))
            }
            Next::Closing => (self.grammar.closing.clone(), Next::End),
            Next::End => return Poll::Ready(None),
        };
        self.next = next;
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}
