//! The client of `wire` without a thread for each connection: for thousands of requests at once.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::wire::{Ask, Reply};

/// A connection to the gateway.
#[derive(Debug)]
pub struct Fetch {
    stream: TcpStream,
    /// Everything that came and does not belong to an earlier answer.
    raw: Vec<u8>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Heard {
    /// The answer, as far as it came; `None` without a head.
    pub reply: Option<Reply>,
    /// Every byte that came.
    pub raw: Vec<u8>,
    /// Bytes behind the answer's end.
    pub surplus_bytes: usize,
    /// How it was known that no more would come.
    pub end: End,
}

/// Why a client stopped reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer was whole.
    Whole,
    /// The connection ended, by FIN or RST.
    Closed,
    /// The time was up.
    Late,
}

impl Fetch {
    /// A connection on which nothing was said.
    pub async fn connect(address: SocketAddr) -> Fetch {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Fetch { stream, raw: Vec::new() }
    }

    /// Sends a request. An answer may come before all is sent, so that a broken pipe is no failure.
    pub async fn send(&mut self, ask: &Ask) {
        let _ = self.stream.write_all(&ask.bytes()).await;
    }

    /// Reads one answer; the connection stays for another where that is whole.
    pub async fn next(&mut self, patience: Duration) -> Heard {
        self.read(patience, |raw| Reply::parse(raw, false).is_some_and(|(reply, _)| reply.whole)).await
    }

    /// Reads to the connection's end.
    pub async fn until_closed(&mut self, patience: Duration) -> Heard {
        self.read(patience, |_| false).await
    }

    async fn read(&mut self, patience: Duration, enough: impl Fn(&[u8]) -> bool) -> Heard {
        let due = Instant::now() + patience;
        let mut buffer = vec![0; 16 << 10];
        let end = loop {
            match timeout_at(due, self.stream.read(&mut buffer)).await {
                Err(_) => break End::Late,
                Ok(Ok(0) | Err(_)) => break End::Closed,
                Ok(Ok(length)) => self.raw.extend_from_slice(&buffer[..length]),
            }
            if enough(&self.raw) {
                break End::Whole;
            }
        };
        let raw = std::mem::take(&mut self.raw);
        let (reply, bytes) = Reply::parse(&raw, end == End::Closed).unzip();
        Heard { reply, surplus_bytes: raw.len() - bytes.unwrap_or(raw.len()), raw, end }
    }
}
