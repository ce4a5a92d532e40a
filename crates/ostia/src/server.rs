//! Listeners and connections: one single-threaded runtime per core, each with a listener of its own.

mod answering;
pub mod descriptors;
mod late;
mod linger;
mod stream;
pub mod systemd;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::client::Client;
use crate::core::{CurrentCore, Shared};
use crate::errors::family;
use crate::handler;
use crate::inbound::normalize;
use answering::Answering;
use stream::ClientStream;

/// Connections that the kernel keeps waiting for each core.
const BACKLOG: i32 = 4096;
/// How often idle upstream connections are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(20);
/// Read buffer of a connection, in bytes. Large bodies are read in pieces of up to this size; heads have a bound of their own.
const READ_BUFFER_BYTES: usize = 400 << 10;
/// How long a client may take for the rest of a head after the gateway was asked to stop.
const HEAD_DRAIN: Duration = Duration::from_secs(1);
/// How long the last words of open answers may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How far the gateway has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It lets nobody in any more, and open calls come to their end.
    Draining,
    /// What is still open ends with an error.
    Cutting,
}

/// The first listener on `address`.
///
/// # Errors
/// Somebody listens there already: sharing the address is for the cores of one gateway, not for two gateways.
pub fn listen_first(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    drop(std::net::TcpListener::bind(address)?);
    listen(address)
}

/// A listener on `address` that shares it with those of other cores.
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How many connections may be open at once, over all cores.
#[derive(Debug, Clone)]
pub struct ConnectionLimit {
    free: Arc<Semaphore>,
    max: u32,
}

impl ConnectionLimit {
    /// So many of them.
    pub fn new(max: usize) -> ConnectionLimit {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        ConnectionLimit { free: Arc::new(Semaphore::new(max as usize)), max }
    }

    /// Waits until one more may be open: it may, as long as the permit is held.
    async fn acquire(&self) -> io::Result<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.map_err(io::Error::other)
    }

    /// Waits until none is open any more, on whichever core.
    async fn all_closed(&self) {
        let _ = self.free.acquire_many(self.max).await;
    }
}

/// Serves until the phase changes, then lets open calls come to their end.
pub async fn serve(
    listener: std::net::TcpListener,
    shared: Shared,
    limit: ConnectionLimit,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let core = Rc::new(CurrentCore::new(shared));
    tokio::task::spawn_local(sweep(core.clone()));
    let followed = core.clone();
    tokio::task::spawn_local(async move { followed.follow().await });
    loop {
        let (stream, permit) = tokio::select! {
            biased;
            _ = phase.changed() => break,
            accepted = accept(&listener, &limit) => accepted?,
        };
        let (core, phase) = (core.clone(), phase.clone());
        tokio::task::spawn_local(async move {
            connection(core, stream, phase).await;
            drop(permit);
        });
    }
    // They have no permits: whoever waits for the end of all clients has them.
    let last = waiting_clients(listener)?.into_iter().map(|stream| {
        let (core, mut phase) = (core.clone(), phase.clone());
        phase.mark_changed();
        tokio::task::spawn_local(async move {
            // A connection on which nothing was read is closed at once.
            let _ = timeout(HEAD_DRAIN, stream.readable()).await;
            connection(core, stream, phase).await;
        })
    });
    let last: Vec<_> = last.collect();
    let cut = async {
        let _ = phase.wait_for(|phase| *phase == Phase::Cutting).await;
        // Each connection closes by itself a little earlier.
        sleep(LAST_WORDS + Duration::from_millis(100)).await;
    };
    let closed = async {
        for client in last {
            let _ = client.await;
        }
        limit.all_closed().await;
    };
    tokio::select! {
        () = cut => {}
        () = closed => {}
    }
    Ok(())
}

/// The clients that the kernel has let in already. The listener closes: one that stays would let in others whom nobody serves
/// any more, and one that is dropped alone would break these off, with their requests.
fn waiting_clients(listener: TcpListener) -> io::Result<Vec<TcpStream>> {
    let listener = listener.into_std()?;
    let mut waiting = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        waiting.push(TcpStream::from_std(stream)?);
        if waiting.len() >= BACKLOG as usize {
            break;
        }
    }
    Ok(waiting)
}

/// The next client that may be served. One on each core is accepted before it may: whoever waited for a permit first would
/// keep it from the cores that clients come to.
async fn accept(
    listener: &TcpListener,
    limit: &ConnectionLimit,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let stream = loop {
        match listener.accept().await {
            Ok((stream, _)) => break stream,
            // No file descriptors, or a client that left at once: the next one may fare better.
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    };
    Ok((stream, limit.acquire().await?))
}

async fn sweep(core: Rc<CurrentCore>) {
    loop {
        sleep(SWEEP_EVERY).await;
        let core = core.get();
        core.upstreams.sweep();
        core.ring.withhold_rest();
    }
}

async fn connection(current: Rc<CurrentCore>, stream: TcpStream, mut phase: watch::Receiver<Phase>) {
    let _ = stream.set_nodelay(true);
    let limits = current.get().settings.limits;
    let peer = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
    let client = Client::new(limits.header_bytes_max, peer);
    let of_service = client.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut parts, body) = request.into_parts();
        normalize::normalize(&mut parts.uri);
        // The configuration of this request, to its end.
        let core = current.get();
        let due = Instant::now() + core.settings.timeouts.total;
        let body = of_service.begin(body, parts.version, due, core.settings.keep_alive);
        let family = family::family(parts.uri.path());
        // Boxed, so that its memory is free again while the answer streams.
        let answering = Box::pin(handler::handle(core, parts, body));
        Answering::new(answering, family, of_service.clone())
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(READ_BUFFER_BYTES.max(2 * limits.header_bytes_max))
        .serve_connection(TokioIo::new(ClientStream::new(stream, client.clone())), service);
    let (mut close_at, mut is_closing) = (Instant::now(), false);
    let served = loop {
        tokio::select! {
            biased;
            served = poll_fn(|context| connection.poll_without_shutdown(context)) => break served,
            Ok(()) = phase.changed() => {
                is_closing = true;
                client.is_draining.set(true);
                if *phase.borrow_and_update() == Phase::Cutting {
                    client.cut();
                    close_at = Instant::now() + LAST_WORDS;
                } else {
                    Pin::new(&mut connection).graceful_shutdown();
                    close_at = Instant::now() + HEAD_DRAIN;
                }
            }
            () = sleep_until(close_at), if is_closing => {
                // A head that does not come is not waited for; an answer is, until it is cut. The phase may be over by now without
                // this connection having heard of it: its last words are still to be said.
                if client.is_cut.get() || !client.is_busy() {
                    break Ok(());
                }
                is_closing = false;
            }
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner().into_inner();
    // The client may be in the middle of what was not wanted.
    let lingers = (!client.is_read() || served.is_err()) && *phase.borrow() == Phase::Serving;
    let is_late = served.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty();
    let last = match client.has_too_large_head() {
        true => Some(LARGE_HEAD),
        false => Some(SLOW_HEAD).filter(|_| is_late),
    };
    if let Some(last) = last {
        let _ = timeout(Duration::from_secs(1), stream.write_all(last)).await;
    }
    match lingers {
        true => linger::end(&mut stream).await,
        false => drop(stream.shutdown().await),
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
