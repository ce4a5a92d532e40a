//! A connection through a proxy: the proxy is connected to, asked for the host, and from then on hands bytes to and fro.

use std::fmt;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::upgrade;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::connect::{self, Stream};
use super::egress::{Guard, Origin};
use super::proxy::{Kind, Proxy};

/// Most bytes of the head of a proxy's answer. hyper takes no smaller bound.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// A proxy gave no connection.
#[derive(Debug)]
pub struct ProxyFault {
    proxy: Arc<Proxy>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// Its name cannot be resolved, or it is at an address that nobody may connect to.
    Place(String),
    Connect(io::Error),
    Tls(io::Error),
    /// What it answered in place of a connection.
    Answer(StatusCode),
    /// It said no in the words of SOCKS, or nothing that can be understood.
    Other(String),
}

impl fmt::Display for ProxyFault {
    /// For the operator. Neither name nor password are in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} ", self.proxy)?;
        match &self.why {
            Why::Place(why) => write!(f, "cannot be connected to: {why}"),
            Why::Connect(error) => write!(f, "cannot be reached: {error}"),
            Why::Tls(error) => write!(f, "cannot be spoken to by TLS: {error}"),
            // The second is what tinyproxy says to a wrong password.
            Why::Answer(status @ (StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED)) => {
                write!(f, "takes no calls without the right name and password ({})", status.as_u16())
            }
            Why::Answer(StatusCode::FORBIDDEN) => f.write_str("lets no calls through to this host (403)"),
            Why::Answer(status) => {
                write!(f, "has no connection to the host: it answered CONNECT with {}", status.as_u16())
            }
            Why::Other(why) => write!(f, "has no connection to the host: {why}"),
        }
    }
}

/// What the proxy is asked to connect to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A host that the proxy resolves.
    Name(&'a str, u16),
    /// An address that was checked.
    Address(SocketAddr),
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Name(name, port) => write!(f, "{name}:{port}"),
            Wanted::Address(address) => address.fmt(f),
        }
    }
}

/// A connection through the proxy.
pub(super) async fn open(
    proxy: &Arc<Proxy>,
    wanted: Wanted<'_>,
    guard: &Guard,
) -> Result<Stream, ProxyFault> {
    let asked = match reach(proxy, guard).await {
        Ok(stream) => match proxy.kind {
            Kind::Http | Kind::Https => ask_http(proxy, wanted, stream).await,
            Kind::Socks5 | Kind::Socks5h => ask_socks(proxy, wanted, stream).await,
        },
        Err(why) => Err(why),
    };
    asked.map_err(|why| ProxyFault { proxy: proxy.clone(), why })
}

/// A connection to the proxy itself, which is the operator's word.
async fn reach(proxy: &Proxy, guard: &Guard) -> Result<Stream, Why> {
    let found = connect::resolve(&proxy.host, proxy.port).await;
    let addresses = found.map_err(|error| Why::Place(format!("its name cannot be resolved: {error}")))?;
    let admitted = guard.admit(&proxy.host, &addresses, Origin::Operator);
    let admitted = admitted.map_err(|refusal| Why::Place(refusal.to_string()))?;
    let stream = Stream::Left(connect::connect_any(&admitted).await.map_err(Why::Connect)?);
    match proxy.kind {
        Kind::Http | Kind::Socks5 | Kind::Socks5h => Ok(stream),
        Kind::Https => {
            connect::secure(stream, &proxy.host, proxy.tls.connector(false)).await.map_err(Why::Tls)
        }
    }
}

/// CONNECT (RFC 9110, section 9.3.6).
async fn ask_http(proxy: &Proxy, wanted: Wanted<'_>, stream: Stream) -> Result<Stream, Why> {
    let other = |error: hyper::Error| Why::Other(error.to_string());
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(other)?;
    let request = connect_request(proxy, wanted).map_err(|error| Why::Other(error.to_string()))?;
    let mut connection = pin!(connection.with_upgrades());
    let mut asked = pin!(async {
        let answer = sender.send_request(request).await.map_err(other)?;
        match answer.status() {
            status if status.is_success() => upgrade::on(answer).await.map_err(other),
            status => Err(Why::Answer(status)),
        }
    });
    let mut is_over = false;
    let upgraded = loop {
        tokio::select! {
            biased;
            upgraded = &mut asked => break upgraded?,
            _ = &mut connection, if !is_over => is_over = true,
        }
    };
    match upgraded.downcast::<TokioIo<Stream>>() {
        // Nobody behind it speaks before it is spoken to.
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        Ok(_) | Err(_) => Err(Why::Other("it sent something that nobody asked for".to_owned())),
    }
}

fn connect_request(proxy: &Proxy, wanted: Wanted<'_>) -> http::Result<Request<Empty<Bytes>>> {
    let authority = wanted.to_string();
    let mut request = Request::builder().method(Method::CONNECT).uri(&authority);
    request = request.header(header::HOST, &authority);
    if let Some(basic) = proxy.basic() {
        request = request.header(header::PROXY_AUTHORIZATION, basic);
    }
    request.body(Empty::new())
}

/// SOCKS 5 (RFC 1928, RFC 1929).
async fn ask_socks(proxy: &Proxy, wanted: Wanted<'_>, stream: Stream) -> Result<Stream, Why> {
    let to = Uri::builder().scheme("http").authority(wanted.to_string()).path_and_query("/").build();
    let to = to.map_err(|error| Why::Other(error.to_string()))?;
    let mut socks = SocksV5::new(proxy.uri().clone(), Connected(Some(TokioIo::new(stream))));
    if let Some((name, password)) = proxy.name_and_password() {
        socks = socks.with_auth(name.to_owned(), password.to_owned());
    }
    let stream = socks.call(to).await.map_err(|error| Why::Other(error.to_string()))?;
    Ok(stream.into_inner())
}

/// Gives the connection that is there already to whoever wants to connect.
struct Connected(Option<TokioIo<Stream>>);

impl Service<Uri> for Connected {
    type Response = TokioIo<Stream>;
    type Error = NoConnection;
    type Future = Ready<Result<TokioIo<Stream>, NoConnection>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or(NoConnection))
    }
}

/// It was taken before.
#[derive(Debug)]
struct NoConnection;

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no connection")
    }
}

impl std::error::Error for NoConnection {}
