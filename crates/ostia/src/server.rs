//! Listeners and connections: one single-threaded runtime per core, each with a listener of its own.

mod answering;
mod connection;
pub mod descriptors;
mod http1;
mod http2;
mod late;
mod linger;
mod request;
mod stream;
mod switched;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::core::{CurrentCore, Shared};

/// Connections that the kernel keeps waiting for each core.
const BACKLOG: i32 = 4096;
/// How often idle upstream connections are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(20);
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

    /// One more, unless there are enough.
    fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// Waits until none is open any more, on whichever core.
    async fn all_closed(&self) {
        let _ = self.free.acquire_many(self.max).await;
    }
}

/// What a connection needs to be open, as long as it is.
#[derive(Debug)]
struct Admission {
    /// `None` for one that came in when the gateway stopped.
    permit: Option<OwnedSemaphorePermit>,
    /// For streams beside the first.
    limit: ConnectionLimit,
}

/// A core on this thread, and what keeps it in order.
pub fn begin(shared: Shared) -> Rc<CurrentCore> {
    let core = Rc::new(CurrentCore::new(shared));
    tokio::task::spawn_local(sweep(core.clone()));
    let followed = core.clone();
    tokio::task::spawn_local(async move { followed.follow().await });
    core
}

/// Serves until the phase changes, then lets open calls come to their end.
pub async fn serve(
    listener: std::net::TcpListener,
    shared: Shared,
    limit: ConnectionLimit,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let core = begin(shared);
    loop {
        let (stream, permit) = tokio::select! {
            biased;
            _ = phase.changed() => break,
            accepted = accept(&listener, &limit) => accepted?,
        };
        let admission = Admission { permit: Some(permit), limit: limit.clone() };
        tokio::task::spawn_local(connection::serve(core.clone(), stream, admission, phase.clone()));
    }
    // They have no permits: whoever waits for the end of all clients has them.
    let last = waiting_clients(listener)?.into_iter().map(|stream| {
        let admission = Admission { permit: None, limit: limit.clone() };
        let (core, mut phase) = (core.clone(), phase.clone());
        phase.mark_changed();
        tokio::task::spawn_local(async move {
            // A connection on which nothing was read is closed at once.
            let _ = timeout(HEAD_DRAIN, stream.readable()).await;
            connection::serve(core, stream, admission, phase).await;
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
        core.credentials.sweep();
        core.books.ring.withhold_rest();
    }
}
