//! One direction of a WebSocket: what one side says, on its way to the other.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

use super::frames::{FrameFault, Frames, Sender};

/// What is read at once, in bytes.
const PIECE_BYTES: usize = 16 << 10;
/// How long last words may take.
const LAST_WORDS_MAX: Duration = Duration::from_millis(800);
/// Most that is read and thrown away of a side that still speaks when it is over, in bytes.
const DRAINED_BYTES_MAX: usize = 64 << 20;

thread_local! {
    /// Where all connections of a core read into, one after the other. What has come is copied out of it, so that one on which nothing
    /// is said holds no room.
    static PIECE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Why one side says no more.
#[derive(Debug)]
pub enum Ended {
    /// It has closed the connection, and the other side has heard of it.
    Closed,
    /// It went without a word.
    Left,
    /// What it said cannot pass.
    Refused(FrameFault),
    /// The other side takes nothing any more.
    NotTaken,
}

/// What one side says, on its way to the other.
#[derive(Debug)]
pub struct Direction<R, W> {
    from: R,
    to: W,
    pub frames: Frames,
    buffer: BytesMut,
    /// How many bytes of the buffer may pass and have not yet.
    passing: usize,
    /// How long the other side may take nothing.
    patience: Duration,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Direction<R, W> {
    /// From one to the other. `unread`: what has come already.
    pub fn new(from: R, to: W, frames: Frames, unread: Bytes, patience: Duration) -> Direction<R, W> {
        Direction { from, to, frames, buffer: BytesMut::from(unread), passing: 0, patience }
    }

    /// Hands on what comes, until no more does. `last` is when something passed last, either way. Whoever drops this may call it again.
    pub async fn run(&mut self, last: &Cell<Instant>) -> Ended {
        loop {
            let (passing, fault) = self.frames.pass(&self.buffer[self.passing..]);
            self.passing += passing;
            if self.write(last).await.is_err() {
                return Ended::NotTaken;
            }
            if let Some(fault) = fault {
                return Ended::Refused(fault);
            }
            if self.frames.has_closed() {
                return Ended::Closed;
            }
            match self.read().await {
                Ok(0) | Err(_) => return Ended::Left,
                Ok(_) => last.set(Instant::now()),
            }
        }
    }

    /// Waits for more. How many bytes came?
    async fn read(&mut self) -> io::Result<usize> {
        let Direction { from, buffer, .. } = self;
        poll_fn(|context| {
            let mut room = PIECE.take();
            room.resize(PIECE_BYTES, 0);
            let mut piece = ReadBuf::new(&mut room);
            let polled = Pin::new(&mut *from).poll_read(context, &mut piece);
            let read = piece.filled().len();
            match polled {
                // All has passed, and nobody knows when something comes again.
                Poll::Pending if buffer.is_empty() => *buffer = BytesMut::new(),
                Poll::Pending | Poll::Ready(_) => buffer.extend_from_slice(piece.filled()),
            }
            PIECE.set(room);
            polled.map_ok(|()| read)
        })
        .await
    }

    async fn write(&mut self, last: &Cell<Instant>) -> io::Result<()> {
        if self.passing == 0 {
            return Ok(());
        }
        while self.passing > 0 {
            let written = timeout(self.patience, self.to.write(&self.buffer[..self.passing])).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.buffer.advance(written);
            self.passing -= written;
            last.set(Instant::now());
        }
        timeout(self.patience, self.to.flush()).await?
    }

    /// Closes the connection to where this leads. `frame`: what is said, if that can be said, between two frames; where the other
    /// side has closed already it has been said.
    pub async fn close(&mut self, frame: Option<CloseFrame>, to: Sender) {
        let last = Cell::new(Instant::now());
        let closing = async {
            self.write(&last).await?;
            if let Some(frame) = frame.filter(|_| self.frames.is_between() && !self.frames.has_closed()) {
                self.to.write_all(&bytes_of(frame, to)).await?;
            }
            self.to.shutdown().await
        };
        let _ = timeout(LAST_WORDS_MAX, closing).await;
    }

    /// Takes what a side still says when it is over: a socket that is closed with bytes unread is reset, and the other side may not
    /// see why it was closed.
    pub async fn drain(&mut self) {
        let drained = async {
            let mut bytes = 0;
            while bytes < DRAINED_BYTES_MAX {
                self.buffer.clear();
                match self.read().await {
                    Ok(0) | Err(_) => return,
                    Ok(read) => bytes += read,
                }
            }
        };
        let _ = timeout(LAST_WORDS_MAX, drained).await;
    }
}

/// A frame that closes the connection. One that goes to a server is masked, as a client's is.
fn bytes_of(frame: CloseFrame, to: Sender) -> Vec<u8> {
    let mut frame = Frame::close(Some(frame));
    if to == Sender::Server {
        frame.header_mut().mask = Some(fastrand::u32(..).to_be_bytes());
    }
    let mut bytes = Vec::with_capacity(frame.len());
    // Writing into memory does not fail.
    let _ = frame.format(&mut bytes);
    bytes
}
