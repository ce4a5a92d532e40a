//! How engines that are servers are reached. Whoever starts the store opens the connections, and with that decides where they may go.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection: bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that is being made.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens connections. It is asked on the store's own threads, inside of a runtime of tokio's that is theirs.
pub trait Connect: Debug + Send + Sync {
    /// A connection to a host of the operator's, without TLS.
    ///
    /// # Errors
    /// There is none, or the host may not be reached.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> Connecting<'a>;
}
