//! One file, from its address over its redirects to its last byte.

use std::cell::Cell;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response};
use ostia_dialect::{File, Unfetched};
use tokio::time::Instant;

use crate::core::Core;
use crate::fetch::address::Address;
use crate::fetch::unfetched;
use crate::message::inflate::{Inflate, InflateError};
use crate::upstream::egress::{Guard, Origin};
use crate::upstream::host;
use crate::upstream::transport::TransportId;
use crate::upstream::{RequestBody, SendFault, Timeouts, UpstreamBody};

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// Whom servers see. Some answer nobody who says nothing.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("ostia/", env!("CARGO_PKG_VERSION")));

/// How files are fetched for one request.
#[derive(Debug, Clone, Copy)]
pub struct Transfer<'a> {
    pub core: &'a Core,
    /// When all of them have to be there.
    pub due: Instant,
    /// Bytes of all files of the request.
    pub total: &'a Cell<usize>,
}

impl Transfer<'_> {
    /// The file at an address.
    ///
    /// # Errors
    /// Why it is not to be had.
    pub async fn file(&self, url: &str) -> Result<File, Unfetched> {
        let mut address = Address::parse(url).map_err(wrong_address)?;
        for _ in 0..=REDIRECTS_MAX {
            let (head, body) = self.ask(&address).await?.into_parts();
            match head.status.as_u16() {
                200 => return self.read(&head.headers, body).await,
                status @ (301 | 302 | 303 | 307 | 308) => {
                    let location = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
                    let location = location
                        .ok_or_else(|| unfetched(&format!("is moved (status {status}) to nowhere")))?;
                    let next = address.join(location).map_err(|why| {
                        unfetched(&format!("is moved (status {status}), and its new address {why}"))
                    })?;
                    if address.is_https() && !next.is_https() {
                        return Err(unfetched("is moved from https:// to http://, which is not followed"));
                    }
                    address = next;
                }
                status => {
                    return Err(unfetched(&format!(
                        "was not there: its server answered with status {status}"
                    )));
                }
            }
        }
        Err(unfetched(&format!("is moved more than {REDIRECTS_MAX} times")))
    }

    /// One request, to an address that the guard admits. Nothing of the client's goes along.
    async fn ask(&self, address: &Address) -> Result<Response<UpstreamBody>, Unfetched> {
        let Core { settings, upstreams, .. } = self.core;
        if settings.media.https_only && !address.is_https() {
            return Err(unfetched(
                "is at an address without encryption, and the gateway fetches from https:// only",
            ));
        }
        let base = address.base.as_str();
        let check = || {
            // Its own machine is no matter of course: see `Origin::Content`.
            host::check(base, &Guard { loopback_allowed: false, ..settings.guard.clone() })?;
            Ok((base, ""))
        };
        let base_url = upstreams.base_url(base, Origin::Content, TransportId::default(), check);
        let base_url = base_url.map_err(|why| wrong_host(&why))?;
        let mut request = Box::new(Request::new(RequestBody::Full(None)));
        *request.uri_mut() = address.path.parse().map_err(|_| wrong_address("is no address"))?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, base_url.authority().clone());
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let sent = upstreams.send(&base_url, request, self.timeouts(), Instant::now()).await;
        sent.map_err(|fault| unreachable(&fault))
    }

    fn timeouts(&self) -> Timeouts {
        // Whoever waits for all files gives up first, and says so.
        let left = self.due.saturating_duration_since(Instant::now()) + Duration::from_secs(1);
        let connect = self.core.settings.timeouts.connect.min(left);
        Timeouts { connect, first_byte: left, idle: left, total: left }
    }

    /// The whole body, as far as it may be long.
    async fn read(&self, headers: &HeaderMap, mut body: UpstreamBody) -> Result<File, Unfetched> {
        let media = &self.core.settings.media;
        let file_bytes = media.file_bytes;
        if body.size_hint().exact().is_some_and(|bytes| bytes > file_bytes as u64) {
            return Err(too_large(file_bytes));
        }
        let mut inflate =
            Inflate::of_request(headers, file_bytes).map_err(|error| packed(&error, file_bytes))?;
        let mut bytes = Vec::new();
        while let Some(piece) = body.bytes().await {
            let mut piece = piece.map_err(|_| unfetched("broke off on its way"))?;
            if let Some(inflate) = &mut inflate {
                piece = inflate.push(&piece).map_err(|error| packed(&error, file_bytes))?;
            }
            if bytes.len() + piece.len() > file_bytes {
                return Err(too_large(file_bytes));
            }
            self.total.set(self.total.get() + piece.len());
            if self.total.get() > media.request_bytes {
                let most = media.request_bytes;
                return Err(unfetched(&format!(
                    "and those before it have more than {most} bytes together (media.request_bytes)"
                )));
            }
            bytes.extend_from_slice(&piece);
        }
        if let Some(inflate) = &mut inflate {
            inflate.finish().map_err(|error| packed(&error, file_bytes))?;
        }
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(File { content_type: content_type.map(str::to_owned), bytes })
    }
}

fn too_large(most: usize) -> Unfetched {
    unfetched(&format!("has more than {most} bytes (media.file_bytes)"))
}

fn packed(error: &InflateError, file_bytes: usize) -> Unfetched {
    match error {
        InflateError::TooLarge => too_large(file_bytes),
        InflateError::Unknown(_) => unfetched("came in an encoding that was not asked for"),
        InflateError::Damaged(_) => unfetched("came compressed, and damaged"),
    }
}

fn wrong_address(why: &str) -> Unfetched {
    unfetched(&format!("cannot be fetched: its address {why}"))
}

/// What is wrong with a host by its spelling tells nothing that its client does not know.
fn wrong_host(why: &str) -> Unfetched {
    unfetched(&format!("may not be fetched: its host {why}"))
}

/// Which address a name stands for, and what is there, is the operator's to know.
fn unreachable(fault: &SendFault) -> Unfetched {
    let why = match fault {
        SendFault::Refused(_) => {
            "may not be fetched: its host is at no public address; the operator can allow it under egress.allow_private in \
             ostia.yaml"
        }
        SendFault::Resolve(_) | SendFault::Unchecked(_) => "is at a host whose name cannot be resolved",
        SendFault::Tls(_) => "is at a host with which no TLS connection came about",
        SendFault::Connect(_) | SendFault::Proxy(_) | SendFault::ConnectTimeout => {
            "is at a host that cannot be connected to"
        }
        SendFault::FirstByteTimeout => "was not there in time (media.timeout)",
        SendFault::Closed | SendFault::Framing(_) | SendFault::Http(_) => {
            "was not there: what its server answered is no HTTP"
        }
    };
    Unfetched { why: why.to_owned(), detail: Some(fault.to_string()) }
}
