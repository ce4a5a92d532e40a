//! A connection on which requests come one after the other: HTTP/1.1 and 1.0.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::either::Either;

use super::answering::SwitchedAnswer;
use super::http2::PREFACE;
use super::stream::ClientStream;
use super::{HEAD_DRAIN, LAST_WORDS, Phase, linger, request, switched};
use crate::client::Client;
use crate::client::socket::Socket;
use crate::core::CurrentCore;

/// Read buffer of a connection, in bytes. Large bodies are read in pieces of up to this size; heads have a bound of their own.
const READ_BUFFER_BYTES: usize = 400 << 10;

/// Serves the connection to its end. One that turns out to be of HTTP/2 is given back, with what came of it.
pub async fn serve(
    current: &Rc<CurrentCore>,
    socket: Socket,
    client: Rc<Client>,
    phase: &mut watch::Receiver<Phase>,
) -> Option<(Socket, Bytes)> {
    let limits = current.get().settings.limits;
    let (current, of_service) = (current.clone(), client.clone());
    let switched = SwitchedAnswer::default();
    let into = switched.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        request::answer(&current, &of_service, request).switching_into(&into)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(READ_BUFFER_BYTES.max(2 * limits.header_bytes_max))
        .serve_connection(TokioIo::new(ClientStream::new(socket, client.clone())), service);
    let (mut close_at, mut is_closing) = (Instant::now(), false);
    let served = loop {
        tokio::select! {
            biased;
            served = poll_fn(|context| connection.poll_without_shutdown(context)) => break served,
            Ok(()) = phase.changed() => {
                is_closing = true;
                client.connection.is_draining.set(true);
                if *phase.borrow_and_update() == Phase::Cutting {
                    client.connection.cut();
                    close_at = Instant::now() + LAST_WORDS;
                } else {
                    Pin::new(&mut connection).graceful_shutdown();
                    close_at = Instant::now() + HEAD_DRAIN;
                }
            }
            () = sleep_until(close_at), if is_closing => {
                // A head that does not come is not waited for; an answer is, until it is cut. The phase may be over by now without
                // this connection having heard of it: its last words are still to be said.
                if client.is_cut() || !client.is_busy() {
                    break Ok(());
                }
                is_closing = false;
            }
        }
    };
    let parts = connection.into_parts();
    let mut socket = parts.io.into_inner().into_inner();
    if served.is_err() && parts.read_buf.starts_with(PREFACE) {
        return Some((socket, parts.read_buf));
    }
    if let Some(answer) = switched.take() {
        if served.is_ok() {
            switched::serve(answer, Either::Left(socket), parts.read_buf, &client, phase).await;
        }
        return None;
    }
    // The client may be in the middle of what was not wanted.
    let lingers = (!client.is_read() || served.is_err()) && *phase.borrow() == Phase::Serving;
    let is_late = served.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty();
    let last = match client.has_too_large_head() {
        true => Some(LARGE_HEAD),
        false => Some(SLOW_HEAD).filter(|_| is_late),
    };
    end(&mut socket, last, lingers).await;
    None
}

/// Closes the connection, after these last words.
async fn end(socket: &mut Socket, last: Option<&[u8]>, lingers: bool) {
    if let Some(last) = last {
        let _ = timeout(Duration::from_secs(1), socket.write_all(last)).await;
    }
    match lingers {
        true => linger::end(socket).await,
        // One with TLS has something to say, and the client may not listen.
        false => drop(timeout(LAST_WORDS, socket.shutdown()).await),
    }
}

/// The answer to a client that began a request and did not finish its head.
const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n\
content-length: 129\r\n\r\n{\"error\":{\"message\":\"The head of the request did not come in time.\",\"type\":\"timeout_error\",\
\"param\":null,\"code\":\"header_timeout\"}}";

/// The answer to a client whose head has no end within its bound.
const LARGE_HEAD: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n\
connection: close\r\ncontent-length: 195\r\n\r\n{\"error\":{\"message\":\"The head of the request is too large; send less in \
headers, or raise limits.header_bytes in ostia.yaml.\",\"type\":\"invalid_request_error\",\"param\":null,\
\"code\":\"head_too_large\"}}";

#[cfg(test)]
mod tests {
    use super::{LARGE_HEAD, SLOW_HEAD};

    #[test]
    fn last_answers_are_as_long_as_they_say() {
        for answer in [SLOW_HEAD, LARGE_HEAD] {
            let text = String::from_utf8_lossy(answer);
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
            assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}: {head}", body.len());
            assert!(body.ends_with("}}"));
        }
    }
}
