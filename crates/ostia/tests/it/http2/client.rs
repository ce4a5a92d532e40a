//! A client that speaks HTTP/2, and shows more of it than those for applications do.

use std::future::Future;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

/// Runs a client to its end.
pub fn run<T>(client: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(4 * PATIENCE, client).await.expect("the test ends in time") })
}

/// A connection.
pub struct Http2 {
    pub send: SendRequest<Bytes>,
    /// Ends with the connection.
    pub driver: JoinHandle<Result<(), h2::Error>>,
    scheme: &'static str,
}

/// An answer that has begun.
pub struct Reply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: RecvStream,
}

impl Http2 {
    /// A connection without TLS, on which each stream may have so many bytes on its way.
    pub async fn with_window(gateway: &Gateway, bytes: u32) -> Http2 {
        let mut builder = Builder::new();
        builder.initial_window_size(bytes).initial_connection_window_size(64 << 20);
        let stream = TcpStream::connect(gateway.address).await.unwrap();
        Http2::over(stream, "http", &builder).await
    }

    /// A connection without TLS.
    pub async fn to(gateway: &Gateway) -> Http2 {
        Http2::with_window(gateway, 1 << 20).await
    }

    /// Over this stream.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: &'static str,
        builder: &Builder,
    ) -> Http2 {
        let (send, connection) = builder.handshake(stream).await.unwrap();
        Http2 { send, driver: tokio::spawn(connection), scheme }
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn try_ask(&self, ask: &Ask) -> Result<Reply, h2::Error> {
        let (request, body) = ask.request(self.scheme);
        let mut send = self.send.clone().ready().await?;
        let (response, mut stream) = send.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body.into(), true)?;
        }
        let (head, body) = response.await?.into_parts();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// The same where it has to go well.
    pub async fn ask(&self, ask: &Ask) -> Reply {
        self.try_ask(ask).await.unwrap()
    }

    /// Waits for the end of the connection.
    pub async fn ended(self) -> Result<(), h2::Error> {
        drop(self.send);
        timeout(PATIENCE, self.driver).await.expect("the connection ends").unwrap()
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Reads until these words have come, and gives everything so far.
    pub async fn read_words(&mut self, words: &str) -> String {
        let mut text = String::new();
        while !text.contains(words) {
            text.push_str(&self.piece().await.unwrap_or_else(|| panic!("no {words}: {text}")).unwrap());
        }
        text
    }

    /// The rest of the body, and why it broke off if it did.
    pub async fn rest(&mut self) -> (String, Option<Reason>) {
        let mut text = String::new();
        while let Some(piece) = self.piece().await {
            match piece {
                Ok(piece) => text.push_str(&piece),
                Err(error) => return (text, Some(error.reason().unwrap_or(Reason::NO_ERROR))),
            }
        }
        (text, None)
    }

    /// The whole body.
    pub async fn text(mut self) -> String {
        let (text, broken) = self.rest().await;
        assert_eq!(broken, None, "{text}");
        text
    }

    /// The body as JSON.
    pub async fn json(self) -> serde_json::Value {
        crate::json(&self.text().await)
    }

    async fn piece(&mut self) -> Option<Result<String, h2::Error>> {
        let piece = timeout(PATIENCE, self.body.data()).await.expect("something comes")?;
        Some(piece.map(|piece| {
            let _ = self.body.flow_control().release_capacity(piece.len());
            String::from_utf8_lossy(&piece).into_owned()
        }))
    }
}
