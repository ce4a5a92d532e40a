//! One call to a collector, by HTTP or by gRPC, through the one place that opens connections.

use std::future::poll_fn;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use ostia_config::OtlpProtocol;
use tokio::time::Instant;

use super::verdict::{self, GrpcAnswer, Verdict};
use crate::config::otlp::Collector;
use crate::core::Snapshot;
use crate::upstream::egress::Origin;
use crate::upstream::http2::Http2;
use crate::upstream::transport::{Transport, TransportId, Transports};
use crate::upstream::{RequestBody, Timeouts, UpstreamBody, Upstreams, host};

/// How much of an answer is read, in bytes: it says what was not taken.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long it may take to connect, where the whole call may take longer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What stands before each message of gRPC: whether it is packed, and its length
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
const GRPC_PREFIX_BYTES: usize = 5;
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("ostia/", env!("CARGO_PKG_VERSION")));

/// The connections of one signal.
#[derive(Debug)]
pub struct Caller {
    http: Upstreams,
    grpc: Upstreams,
}

/// What came of an answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    trailers: HeaderMap,
    body: Vec<u8>,
}

impl Caller {
    /// Under this configuration, without connections yet.
    pub fn new(snapshot: &Snapshot) -> Caller {
        let settings = &snapshot.settings;
        let general = settings.transports.general();
        let over = |http2: Http2| {
            let transport = Transport { http2, ..general.clone() };
            Upstreams::new(settings.guard.clone(), &Transports::new(transport, []))
        };
        // gRPC is HTTP/2 from the first byte, with TLS or without.
        Caller { http: over(general.http2), grpc: over(Http2::PriorKnowledge) }
    }

    /// Sends this, and says what became of it.
    pub async fn send(&self, collector: &Collector, message: &[u8]) -> Verdict {
        match self.ask(collector, message).await {
            Ok(answer) => of_answer(collector.protocol, &answer),
            Err(why) => Verdict::Later { after: None, why },
        }
    }

    async fn ask(&self, collector: &Collector, message: &[u8]) -> Result<Answer, String> {
        let upstreams = match collector.protocol {
            OtlpProtocol::Http => &self.http,
            OtlpProtocol::Grpc => &self.grpc,
        };
        let (base, path) = host::split(&collector.url)?;
        // The operator's word: it may be a private host.
        let base_url =
            upstreams.base_url(base, Origin::Operator, TransportId::default(), || Ok((base, "")))?;
        let mut request = Request::new(RequestBody::Full(Some(body(collector, message))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse().map_err(|_| "its URL has no valid path".to_owned())?;
        *request.headers_mut() = headers(collector);
        request.headers_mut().insert(header::HOST, base_url.authority().clone());
        let timeouts = Timeouts {
            connect: CONNECT_MAX.min(collector.timeout),
            first_byte: collector.timeout,
            idle: collector.timeout,
            total: collector.timeout,
        };
        let sent = upstreams.send(&base_url, Box::new(request), timeouts, Instant::now()).await;
        read(sent.map_err(|fault| fault.to_string())?).await
    }

    /// Closes connections that are idle or over.
    pub fn sweep(&self) {
        self.http.sweep();
        self.grpc.sweep();
    }
}

fn headers(collector: &Collector) -> HeaderMap {
    const GZIP: HeaderValue = HeaderValue::from_static("gzip");
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, USER_AGENT);
    for (name, value) in &collector.headers {
        headers.append(name.clone(), value.clone());
    }
    match collector.protocol {
        OtlpProtocol::Http => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
            if collector.gzip {
                headers.insert(header::CONTENT_ENCODING, GZIP);
            }
        }
        OtlpProtocol::Grpc => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
            if collector.gzip {
                headers.insert(HeaderName::from_static("grpc-encoding"), GZIP);
            }
        }
    }
    headers
}

/// The message as the protocol carries it.
fn body(collector: &Collector, message: &[u8]) -> Bytes {
    let packed = if collector.gzip { gzip(message) } else { message.to_vec() };
    match collector.protocol {
        OtlpProtocol::Http => packed.into(),
        OtlpProtocol::Grpc => {
            let mut framed = Vec::with_capacity(GRPC_PREFIX_BYTES + packed.len());
            framed.push(u8::from(collector.gzip));
            // What is sent at once is bounded far below.
            framed.extend_from_slice(&u32::try_from(packed.len()).unwrap_or(u32::MAX).to_be_bytes());
            framed.extend_from_slice(&packed);
            framed.into()
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory takes everything.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

async fn read(response: Response<UpstreamBody>) -> Result<Answer, String> {
    let (head, mut body) = response.into_parts();
    let mut answer =
        Answer { status: head.status, headers: head.headers, trailers: HeaderMap::new(), body: Vec::new() };
    while let Some(frame) = poll_fn(|context| body.poll_frame(context)).await {
        let frame = frame.map_err(|fault| format!("its answer broke off: {fault}"))?;
        match frame.into_data() {
            Ok(bytes) => {
                let room = ANSWER_BYTES_MAX - answer.body.len();
                answer.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Err(frame) => answer.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    Ok(answer)
}

fn of_answer(protocol: OtlpProtocol, answer: &Answer) -> Verdict {
    let text = |name: &str| {
        let value = answer.trailers.get(name).or_else(|| answer.headers.get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    // A proxy on the way answers in HTTP's own words.
    if protocol == OtlpProtocol::Http || answer.status != StatusCode::OK {
        let wait = verdict::retry_after(text("retry-after"), SystemTime::now());
        return verdict::of_http(answer.status.as_u16(), wait, &answer.body);
    }
    verdict::of_grpc(GrpcAnswer {
        code: text("grpc-status").parse().ok(),
        message: text("grpc-message"),
        details: text("grpc-status-details-bin"),
        body: answer.body.get(GRPC_PREFIX_BYTES..).unwrap_or_default(),
    })
}
