//! The load of transports that are spoken by libraries, hyper and rustls: a task for each request under way, on one thread.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use super::recorder::Recorder;
use super::{ERRORS_MAX, Job, Measured};
use crate::answer::Answer;
use crate::clock::now_ns;
use crate::workloads::{Transport, Workload};

/// Requests under way at once on a connection of HTTP/2.
const STREAMS_PER_CONNECTION: usize = 16;
/// Fields of a request are not more than these.
const FIELDS_MAX: usize = 64;

type Body = Full<Bytes>;

/// A load under way.
pub(super) struct Load {
    runtime: Runtime,
    tasks: LocalSet,
    shared: Rc<Shared>,
    moments: [u64; 2],
}

struct Shared {
    target: std::net::SocketAddr,
    workload: Workload,
    transport: Transport,
    request: Request<Body>,
    tls: Option<TlsConnector>,
    recorder: RefCell<Recorder>,
    /// Streams of which a chunk has come.
    open: Cell<u64>,
    /// There were too many wrong answers.
    is_given_up: Cell<bool>,
}

/// What takes requests.
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Load {
    pub(super) fn new(job: &Job, transport: Transport) -> io::Result<Load> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Rc::new(Shared {
            target: job.target,
            workload: *job.workload,
            transport,
            request: request(job.request, transport, job.target)?,
            tls: transport.is_tls().then(|| connector(job, transport)).transpose()?,
            recorder: RefCell::new(Recorder::new(job.workload.pace)?),
            open: Cell::default(),
            is_given_up: Cell::default(),
        });
        let tasks = LocalSet::new();
        tasks.block_on(&runtime, shared.clone().begin())?;
        let warm_end_ns = now_ns() + job.workload.warm_ms * 1_000_000;
        let moments = [warm_end_ns, warm_end_ns + job.window_ms * 1_000_000];
        shared.recorder.borrow_mut().window(moments[0], moments[1]);
        Ok(Load { runtime, tasks, shared, moments })
    }

    /// The ends of the warm-up and of the window.
    pub(super) fn moments(&self) -> [u64; 2] {
        self.moments
    }

    /// Loads the server until a moment.
    pub(super) fn drive(&self, until_ns: u64) -> io::Result<()> {
        let rest = Duration::from_nanos(until_ns.saturating_sub(now_ns()));
        self.tasks.block_on(&self.runtime, async move { sleep(rest).await });
        match self.shared.is_given_up.get() {
            true => Err(io::Error::other(format!(
                "{ERRORS_MAX} wrong answers: {}",
                self.shared.recorder.borrow().error_first()
            ))),
            false => Ok(()),
        }
    }

    pub(super) fn streams_open(&self) -> u64 {
        self.shared.open.get()
    }

    pub(super) fn measured(&self) -> Measured {
        self.shared.recorder.borrow().measured()
    }
}

impl Shared {
    /// Opens all connections, and then has a task ask on each, or on each of its streams.
    async fn begin(self: Rc<Self>) -> io::Result<()> {
        let lanes = self.workload.connections;
        let per_connection = if self.transport.is_http2() { STREAMS_PER_CONNECTION } else { 1 };
        let mut senders: Vec<Sender> = Vec::with_capacity(lanes);
        for lane in 0..lanes {
            let beside = senders.last().filter(|_| lane % per_connection != 0).and_then(Sender::another);
            senders.push(match beside {
                Some(sender) => sender,
                None => self.connect().await?,
            });
        }
        for (lane, sender) in senders.into_iter().enumerate() {
            let start = Duration::from_millis(self.workload.ramp_ms) * lane as u32 / lanes as u32;
            spawn_local(self.clone().ask_again_and_again(sender, start));
        }
        Ok(())
    }

    async fn connect(&self) -> io::Result<Sender> {
        let socket = TcpStream::connect(self.target).await?;
        socket.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return self.shake_hands(socket).await };
        let name = ServerName::from(self.target.ip());
        self.shake_hands(tls.connect(name, socket).await?).await
    }

    async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        &self,
        stream: S,
    ) -> io::Result<Sender> {
        let stream = TokioIo::new(stream);
        // What ends a connection is seen, and counted, by those who ask.
        if self.transport.is_http2() {
            let shaken = http2::Builder::new(Spawn).handshake(stream).await;
            let (sender, driver) = shaken.map_err(io::Error::other)?;
            spawn_local(async move { drop(driver.await) });
            return Ok(Sender::Http2(sender));
        }
        let (sender, driver) = http1::handshake(stream).await.map_err(io::Error::other)?;
        spawn_local(async move { drop(driver.await) });
        Ok(Sender::Http1(sender))
    }

    async fn ask_again_and_again(self: Rc<Self>, mut sender: Sender, start: Duration) {
        sleep(start).await;
        let mut answer = Answer::new(self.workload.expected(), self.workload.client);
        loop {
            let from_ns = now_ns();
            let outcome = self.ask(&mut sender, &mut answer, from_ns).await;
            if answer.chunks() > 0 {
                self.open.set(self.open.get() - 1);
            }
            answer.reset();
            let Err(reason) = outcome else {
                self.recorder.borrow_mut().answered(now_ns(), from_ns);
                continue;
            };
            if self.recorder.borrow_mut().wrong(reason) > ERRORS_MAX {
                return self.is_given_up.set(true);
            }
            match self.connect().await {
                Ok(fresh) => sender = fresh,
                Err(_) => return self.is_given_up.set(true),
            }
        }
    }

    async fn ask(&self, sender: &mut Sender, answer: &mut Answer, from_ns: u64) -> Result<(), String> {
        let broken = |error: hyper::Error| format!("connection: {error}");
        let response = sender.send(self.request.clone()).await.map_err(broken)?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame.map_err(broken)?.into_data() {
                self.take(answer, &bytes, from_ns);
            }
        }
        match status {
            200 => answer.check(),
            status => Err(format!("status {status}")),
        }
    }

    fn take(&self, answer: &mut Answer, bytes: &[u8], from_ns: u64) {
        let (now_ns, had) = (now_ns(), answer.chunks());
        let mut recorder = self.recorder.borrow_mut();
        answer.push(bytes, &mut |sent_ns| recorder.chunk(now_ns, sent_ns));
        if had == 0 && answer.chunks() > 0 {
            recorder.first_chunk(now_ns, from_ns);
            self.open.set(self.open.get() + 1);
        }
    }
}

impl Sender {
    /// Another one for the same connection, where it takes several requests at once.
    fn another(&self) -> Option<Sender> {
        match self {
            Sender::Http1(_) => None,
            Sender::Http2(sender) => Some(Sender::Http2(sender.clone())),
        }
    }

    async fn send(&mut self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        match self {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => sender.send_request(request).await,
        }
    }
}

/// Tasks of the HTTP/2 library run on the same thread.
#[derive(Clone)]
struct Spawn;

impl<F: Future + 'static> hyper::rt::Executor<F> for Spawn {
    fn execute(&self, task: F) {
        spawn_local(async { drop(task.await) });
    }
}

/// The request that [`crate::body::request`] has in wire form.
fn request(wire: &[u8], transport: Transport, target: std::net::SocketAddr) -> io::Result<Request<Body>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let parsed = head.parse(wire).map_err(io::Error::other)?;
    let httparse::Status::Complete(length) = parsed else { return Err(io::ErrorKind::InvalidData.into()) };
    let path = head.path.unwrap_or_default();
    let scheme = if transport.is_tls() { "https" } else { "http" };
    let uri = if transport.is_http2() { format!("{scheme}://{target}{path}") } else { path.to_owned() };
    let mut request = Request::builder().method(head.method.unwrap_or_default()).uri(uri);
    for field in head.headers.iter() {
        // In HTTP/2 the URL says the host.
        if !(transport.is_http2() && field.name.eq_ignore_ascii_case("host")) {
            request = request.header(field.name, field.value);
        }
    }
    let body = Bytes::copy_from_slice(wire.get(length..).unwrap_or_default());
    request.body(Full::new(body)).map_err(io::Error::other)
}

fn connector(job: &Job, transport: Transport) -> io::Result<TlsConnector> {
    let file = job.certificate.ok_or_else(|| io::Error::other("TLS needs a certificate to believe"))?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file).map_err(io::Error::other)?).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    let protocol: &[u8] = if transport.is_http2() { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
