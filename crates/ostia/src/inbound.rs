//! All that is known of a request: its line, its headers, who sent it, and its body. Found out once, and carried as one value.

pub mod browser;
pub mod caller;
pub mod credentials;
pub mod gateway_headers;
pub mod handshake;
pub mod intake;
pub mod normalize;
pub mod query;
pub mod route;
pub mod unroutable;
pub mod upload;

use std::rc::Rc;

use http::header::{self, HeaderName};
use http::request;

use self::caller::Caller;
use self::gateway_headers::GatewayHeaders;
use self::upload::Upload;
use crate::core::Core;
use crate::fetch::Fetched;

/// Longest name of the gateway that is repeated, in bytes.
const HOST_BYTES_MAX: usize = 255;
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A request, and the core that it came to.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// This core.
    pub core: &'a Rc<Core>,
    /// Who calls.
    pub caller: &'a Caller,
    /// What the headers say: whom to ask, and how.
    pub gateway: &'a GatewayHeaders,
    /// The request line and the headers as they came.
    pub parts: &'a request::Parts,
    /// The form that it is, where it is one.
    pub upload: Option<&'a Upload>,
    /// Files that were fetched for it.
    pub files: &'a Rc<Fetched>,
}

impl<'a> Inbound<'a> {
    /// The query of the URL.
    pub fn query(&self) -> &'a str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// Scheme and host by which the client calls the gateway; `None` where it names no host that can be repeated. A server in front that
    /// ends TLS says so; whoever else does deceives itself alone.
    pub fn own_origin(&self) -> Option<String> {
        let host = plain_host(self.parts)?;
        let forwarded = self.parts.headers.get(&FORWARDED_PROTO).map(|scheme| scheme.as_bytes());
        let is_https =
            self.core.settings.tls.is_some() || forwarded.is_some_and(|scheme| scheme.starts_with(b"https"));
        Some(format!("{}://{host}", if is_https { "https" } else { "http" }))
    }
}

/// How the client calls the gateway, if that is a plain name or address.
pub fn plain_host(parts: &request::Parts) -> Option<&str> {
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    (!host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(is_plain)).then_some(host)
}
