//! The socket of a client that speaks HTTP/2.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::streams::Streams;
use crate::client::socket::Socket;
use crate::timer::LazyTimer;

/// The socket of a client that speaks HTTP/2.
pub struct Http2Socket<'s> {
    socket: &'s mut Socket,
    /// What came before it was known that it speaks HTTP/2.
    unread: Bytes,
    streams: Streams,
    /// For a client that does not read.
    write_timer: Option<LazyTimer>,
}

impl<'s> Http2Socket<'s> {
    /// The socket of a connection with these streams, of which this much has come.
    pub fn new(socket: &'s mut Socket, unread: Bytes, streams: &Streams) -> Http2Socket<'s> {
        Http2Socket { socket, unread, streams: streams.clone(), write_timer: None }
    }

    /// What a write has come to. The client has time until the last answer is due.
    fn written<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.streams.set_blocked(written.is_pending());
        if written.is_ready() {
            return written;
        }
        let due = self.streams.due();
        ready!(self.write_timer.get_or_insert_with(|| LazyTimer::new(due)).poll_over(due, context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Http2Socket<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.unread.is_empty() {
            return Pin::new(&mut *this.socket).poll_read(context, buffer);
        }
        let length = this.unread.len().min(buffer.remaining());
        buffer.put_slice(&this.unread[..length]);
        this.unread.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Socket<'_> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut *this.socket).poll_write(context, bytes);
        this.written(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut *this.socket).poll_write_vectored(context, slices);
        this.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut *this.socket).poll_flush(context);
        this.written(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().socket).poll_shutdown(context)
    }
}
