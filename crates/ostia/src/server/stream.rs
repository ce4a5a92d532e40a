//! The socket of a client that speaks HTTP/1.1, and what is seen there of what it does.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::http2::PREFACE;
use crate::client::Client;
use crate::client::socket::{self, Socket};
use crate::timer::LazyTimer;

/// How long a client that closed its half of the connection is waited for before it is asked whether it is still there.
const HALF_CLOSED_PROBE_AFTER: Duration = Duration::from_millis(300);
/// How often it is then looked whether it has left.
const HALF_CLOSED_LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long what has come of a request may wait to be read, before it is taken for half a request.
const HALF_CLOSED_READ_WITHIN: Duration = Duration::from_secs(1);
/// Asks a client that has closed its half whether it is still there: one that has left altogether refuses it. Clients pass over
/// it (RFC 9110, section 15.2).
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The socket of a client.
#[derive(Debug)]
pub struct ClientStream {
    socket: Socket,
    client: Rc<Client>,
    /// The first bytes that came, while they may be the beginning of HTTP/2; `None` once it is known.
    beginning: Option<Vec<u8>>,
    /// For a client that does not read.
    write_timer: Option<LazyTimer>,
    half_closed: Option<HalfClosed>,
}

/// A client that has closed its half of the connection after its request.
#[derive(Debug)]
struct HalfClosed {
    timer: LazyTimer,
    since: Instant,
    look_at: Instant,
    is_probed: bool,
}

impl ClientStream {
    /// The socket of this client.
    pub fn new(socket: Socket, client: Rc<Client>) -> ClientStream {
        ClientStream { socket, client, beginning: Some(Vec::new()), write_timer: None, half_closed: None }
    }

    /// The socket alone.
    pub fn into_inner(self) -> Socket {
        self.socket
    }

    /// Reads, but no more of a head that is too large already. How many bytes came?
    fn poll_read_some(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let is_head = !self.client.is_busy();
        if is_head && self.client.has_too_large_head() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let filled = buffer.filled().len();
        ready!(match self.beginning {
            None => Pin::new(&mut self.socket).poll_read(context, buffer),
            Some(_) => self.poll_read_beginning(context, buffer),
        })?;
        let read = buffer.filled().len() - filled;
        if is_head {
            self.client.head_bytes_left.set(self.client.head_bytes_left.get().saturating_sub(read));
        }
        Poll::Ready(Ok(read))
    }

    /// Reads the first bytes. HTTP/2 is known by its first 24 (RFC 9113, section 3.4), and by all of them: what may become them is
    /// kept back until it has.
    fn poll_read_beginning(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buffer.filled().len();
        buffer.put_slice(&self.beginning.take().unwrap_or_default());
        loop {
            let before = buffer.filled().len();
            if Pin::new(&mut self.socket).poll_read(context, buffer)?.is_pending() {
                self.beginning = Some(buffer.filled()[start..].to_vec());
                buffer.set_filled(start);
                return Poll::Pending;
            }
            let came = &buffer.filled()[start..];
            let may_become = came.len() < PREFACE.len() && PREFACE.starts_with(came);
            if !may_become || buffer.filled().len() == before || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// What a write that found no room comes to: the client has time until the answer is due.
    fn wait_to_write<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let due = self.client.due.get();
        let timer = self.write_timer.get_or_insert_with(|| LazyTimer::new(due));
        ready!(timer.poll_over(due, context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// A client that said no more after its whole request waits for the answer, or has left: the difference shows when
    /// something is sent to it. `Ready` when it has left, or its request is not whole.
    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = Instant::now();
        let half_closed = self.half_closed.get_or_insert_with(|| HalfClosed {
            timer: LazyTimer::new(now),
            since: now,
            look_at: now + HALF_CLOSED_LOOK_EVERY,
            is_probed: false,
        });
        loop {
            ready!(half_closed.timer.poll_over(half_closed.look_at, context));
            if let Ok(Some(error)) = socket::tcp(&self.socket).take_error() {
                return Poll::Ready(Err(error));
            }
            let now = Instant::now();
            let waited = now - half_closed.since;
            half_closed.look_at = now + HALF_CLOSED_LOOK_EVERY;
            if !self.client.is_read.get() {
                if waited >= HALF_CLOSED_READ_WITHIN {
                    return Poll::Ready(Ok(()));
                }
            } else if waited >= HALF_CLOSED_PROBE_AFTER
                && !half_closed.is_probed
                && !self.client.has_begun.get()
            {
                half_closed.is_probed = true;
                // Whatever becomes of it is seen at the next look.
                let _ = Pin::new(&mut self.socket).poll_write(context, PROBE);
                let _ = Pin::new(&mut self.socket).poll_flush(context);
            }
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.half_closed.is_none() && ready!(this.poll_read_some(context, buffer))? > 0 {
            return Poll::Ready(Ok(()));
        }
        match this.client.is_busy() && (this.half_closed.is_some() || this.client.may_half_close()) {
            true => this.poll_left(context),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.client.has_begun.set(true);
        match Pin::new(&mut this.socket).poll_write(context, bytes) {
            Poll::Pending => this.wait_to_write(context),
            written => written,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.client.has_begun.set(true);
        match Pin::new(&mut this.socket).poll_write_vectored(context, slices) {
            Poll::Pending => this.wait_to_write(context),
            written => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_flush(context) {
            Poll::Pending => this.wait_to_write(context),
            Poll::Ready(flushed) => {
                this.client.connection.flushed();
                Poll::Ready(flushed)
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
