//! Listeners and connections: one single-threaded runtime per core, each with a listener of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::core::{Core, Shared};
use crate::{boxed, handler};

/// Connections that the kernel keeps waiting for each core.
const BACKLOG: i32 = 4096;
/// How often idle upstream connections are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(20);
/// Read buffer of a connection, in bytes. A head beyond the operator's bound but within this one gets an answer that says
/// so; one beyond both gets a bare 431. Large bodies are read in pieces of up to this size.
const HEAD_BUFFER_BYTES: usize = 400 << 10;
/// How long calls may go on after the gateway was asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

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

/// Serves until `stop` turns true, then lets open calls come to their end.
pub async fn serve(
    listener: std::net::TcpListener,
    shared: Shared,
    connections_max: usize,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let core = Rc::new(Core::new(shared));
    let open = Rc::new(Cell::new(0_usize));
    tokio::task::spawn_local(sweep(core.clone()));
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            accepted = listener.accept(), if open.get() < connections_max => match accepted {
                Ok((stream, _)) => {
                    let (core, open, stop) = (core.clone(), open.clone(), stop.clone());
                    open.set(open.get() + 1);
                    tokio::task::spawn_local(async move {
                        connection(core, stream, stop).await;
                        open.set(open.get() - 1);
                    });
                }
                // No file descriptors, or a client that left at once: the next one may fare better.
                Err(_) => sleep(Duration::from_millis(5)).await,
            },
            // All places are taken: look again when one may be free.
            () = sleep(Duration::from_millis(5)), if open.get() >= connections_max => {}
        }
    }
    // A listener that stays would let clients in whom nobody serves any more.
    drop(listener);
    let end = Instant::now() + DRAIN;
    while open.get() > 0 && Instant::now() < end {
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn sweep(core: Rc<Core>) {
    loop {
        sleep(SWEEP_EVERY).await;
        core.upstreams.sweep();
    }
}

async fn connection(core: Rc<Core>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let limits = core.settings.limits;
    let service = service_fn(move |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        // Boxed, so that its memory is free again while the answer streams.
        boxed::pin(|| handler::handle(core.clone(), parts, body))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEAD_BUFFER_BYTES.max(limits.header_bytes_max))
        .serve_connection(TokioIo::new(stream), service);
    let served = tokio::select! {
        served = poll_fn(|context| connection.poll_without_shutdown(context)) => served,
        _ = stop.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    if served.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty() {
        let _ = timeout(Duration::from_secs(1), stream.write_all(SLOW_HEAD)).await;
    }
    let _ = stream.shutdown().await;
}

/// The answer to a client that began a request and did not finish its head.
const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n\
content-length: 135\r\n\r\n{\"error\":{\"message\":\"The head of the request did not come in time.\",\"type\":\"timeout_error\",\
\"param\":null,\"code\":\"header_timeout\"}}          ";
