//! A model provider that costs little: OpenAI's chat and embeddings, Anthropic's messages, Google's
//! generateContent and Bedrock's Converse, unary and as streams, with answers of usual size and the headers that the vendors send; and
//! realtime sessions, which say back what is said.
//!
//! `GET /_control?chunks=64&gap_ms=20&latency_ms=0` sets the shape of the streams that begin later and
//! the time before every answer's head.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

use crate::workloads::Upstream;
use grammar::Grammar;
use stream::Events;

mod grammar;
mod socket;
mod stream;

/// A request body may not be longer than this.
const BODY_BYTES_MAX: usize = 4 << 20;

/// How far into a body the model is looked for.
const MODEL_WITHIN_BYTES: usize = 256;

const GEMINI_WHOLE: &str = ":generateContent";
const GEMINI_STREAM: &str = ":streamGenerateContent";
const BEDROCK_WHOLE: &str = "/converse";
const BEDROCK_STREAM: &str = "/converse-stream";

type Body = Either<Full<Bytes>, Events>;

/// What `/_control` sets.
#[derive(Debug, Clone, Copy)]
struct Shape {
    chunks: u32,
    gap: Duration,
    latency: Duration,
}

struct Mock {
    shape: Cell<Shape>,
    openai: Rc<Grammar>,
    anthropic: Rc<Grammar>,
    gemini: Rc<Grammar>,
    bedrock: Rc<Grammar>,
    embedding: Bytes,
}

/// Serves on one thread until the process ends.
///
/// # Errors
/// Where the runtime can't be made or the listener is of no use.
pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async move {
        let listener = TcpListener::from_std(listener)?;
        let mock = Rc::new(Mock::new());
        loop {
            let (socket, _) = listener.accept().await?;
            spawn_local(serve_connection(socket, mock.clone()));
        }
    })
}

async fn serve_connection(socket: TcpStream, mock: Rc<Mock>) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(request, mock.clone()));
    // A client that goes away in the middle of a stream is usual at the end of a measurement.
    let _ = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades()
        .await;
}

impl Mock {
    fn new() -> Self {
        let shape = Shape { chunks: 64, gap: Duration::ZERO, latency: Duration::ZERO };
        Self {
            shape: Cell::new(shape),
            openai: Rc::new(grammar::openai()),
            anthropic: Rc::new(grammar::anthropic()),
            gemini: Rc::new(grammar::gemini()),
            bedrock: Rc::new(grammar::bedrock()),
            embedding: grammar::embedding(),
        }
    }

    fn control(&self, query: &str) -> Response<Body> {
        let mut shape = self.shape.get();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let Ok(value) = value.parse::<u32>() else { return refusal("a value is no number") };
            match name {
                "chunks" => shape.chunks = value,
                "gap_ms" => shape.gap = Duration::from_millis(value.into()),
                "latency_ms" => shape.latency = Duration::from_millis(value.into()),
                _ => return refusal("known are chunks, gap_ms and latency_ms"),
            }
        }
        self.shape.set(shape);
        Response::new(whole(Bytes::from_static(b"{}\n")))
    }
}

async fn answer(request: Request<Incoming>, mock: Rc<Mock>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let (dialect, grammar) = match path {
        "/_control" => return Ok(mock.control(request.uri().query().unwrap_or_default())),
        "/v1/realtime" => {
            return Ok(socket::agree(request).unwrap_or_else(|| refusal("no key of a WebSocket")));
        }
        "/v1/chat/completions" => (Upstream::OpenAi, Some(mock.openai.clone())),
        "/v1/messages" => (Upstream::Anthropic, Some(mock.anthropic.clone())),
        "/v1/embeddings" => (Upstream::OpenAi, None),
        // The gateway puts the vendor's path behind the host that it was given.
        _ if path.ends_with(GEMINI_WHOLE) || path.ends_with(GEMINI_STREAM) => {
            (Upstream::Gemini, Some(mock.gemini.clone()))
        }
        _ if path.ends_with(BEDROCK_WHOLE) || path.ends_with(BEDROCK_STREAM) => {
            (Upstream::Bedrock, Some(mock.bedrock.clone()))
        }
        _ => return Ok(refusal("no such path")),
    };
    let stream_by_path = path.ends_with(GEMINI_STREAM) || path.ends_with(BEDROCK_STREAM);
    let Ok(body) = read_body(request.into_body()).await else {
        return Ok(refusal("the body broke off or is too long"));
    };
    if asks_the_wrong_vendor(dialect, &body) {
        return Ok(refusal("this vendor has no such model"));
    }
    let shape = mock.shape.get();
    if !shape.latency.is_zero() {
        tokio::time::sleep(shape.latency).await;
    }
    Ok(match grammar {
        None => respond(&mock.openai, "application/json", whole(mock.embedding.clone())),
        Some(grammar) if stream_by_path || asks_for_stream(&body) => {
            let events = Events::new(grammar.clone(), shape.chunks, shape.gap);
            respond(&grammar, grammar.stream_type(), Either::Right(events))
        }
        Some(grammar) => respond(&grammar, "application/json", whole(grammar.unary.clone())),
    })
}

async fn read_body(mut body: Incoming) -> Result<Bytes, ()> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ())?.into_data() else { continue };
        if joined.len() + first.len() + data.len() > BODY_BYTES_MAX {
            return Err(());
        }
        // Most bodies come in one piece, which need not be copied.
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

/// Whether a request names another vendor's model, which is what a gateway sends that was asked to
/// translate and did not. The model stands at the front of what the load generator sends.
fn asks_the_wrong_vendor(dialect: Upstream, body: &[u8]) -> bool {
    let models =
        [(Upstream::OpenAi, "\"gpt-"), (Upstream::Anthropic, "\"claude"), (Upstream::Gemini, "\"gemini")];
    let front = body.get(..MODEL_WITHIN_BYTES).unwrap_or(body);
    models.iter().any(|(vendor, model)| *vendor != dialect && memmem::find(front, model.as_bytes()).is_some())
}

/// Looks for `"stream": true` with any space. Text can't hold it, since its quotes are escaped.
fn asks_for_stream(body: &[u8]) -> bool {
    let key = b"\"stream\"";
    memmem::find_iter(body, key).any(|at| {
        let value = body.get(at + key.len()..).unwrap_or_default().trim_ascii_start();
        value.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
    })
}

fn respond(grammar: &Grammar, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in grammar.headers {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(reason: &'static str) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::from_static(reason.as_bytes())));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn whole(bytes: Bytes) -> Body {
    Either::Left(Full::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_belongs_to_one_vendor() {
        for (body, vendor) in [
            (r#"{"model":"gpt-4o-mini"}"#, Upstream::OpenAi),
            (r#"{"model":"claude-3-5-haiku-20241022"}"#, Upstream::Anthropic),
            (r#"{"model":"gemini-2.5-flash"}"#, Upstream::Gemini),
        ] {
            for asked in [Upstream::OpenAi, Upstream::Anthropic, Upstream::Gemini] {
                assert_eq!(
                    asks_the_wrong_vendor(asked, body.as_bytes()),
                    asked != vendor,
                    "{body} {asked:?}"
                );
            }
        }
    }

    #[test]
    fn a_stream_is_asked_for_with_any_space() {
        for body in [r#"{"stream":true}"#, "{\"a\":\"\\\"stream\\\"\", \"stream\" :\n true}"] {
            assert!(asks_for_stream(body.as_bytes()), "{body}");
        }
        for body in ["", r#"{"stream":false}"#, r#"{"a":"\"stream\":true"}"#, r#"{"stream"}"#, r#""stream""#]
        {
            assert!(!asks_for_stream(body.as_bytes()), "{body}");
        }
    }
}
