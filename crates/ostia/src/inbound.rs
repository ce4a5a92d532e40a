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

use http::request;

use self::caller::Caller;
use self::gateway_headers::GatewayHeaders;
use self::upload::Upload;
use crate::core::Core;
use crate::fetch::Fetched;

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
}
