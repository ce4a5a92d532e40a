//! What a target is asked to do.

use bytes::Bytes;
use ostia_providers::prepare::ApiCall;

use crate::target::Asked;

/// What a target is asked to do.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'p, 'a> {
    /// A call that is understood.
    Api(&'p ApiCall<'a>),
    /// One that is handed on unread.
    Unread {
        /// The whole body, which may have to be sent more than once.
        body: &'p Bytes,
        /// Errors stay in the provider's own words.
        raw: bool,
    },
    /// A connection that is to go over to WebSockets.
    Socket {
        /// The model that the request line names.
        model: Option<&'p str>,
        /// Errors stay in the provider's own words.
        raw: bool,
    },
}

impl<'p, 'a> Payload<'p, 'a> {
    /// The same, as far as it decides whom to ask.
    pub fn asked(self) -> Asked<'p, 'a> {
        match self {
            Payload::Api(call) => Asked::Api(call),
            Payload::Unread { .. } => Asked::Unread(None),
            Payload::Socket { model, .. } => Asked::Unread(model),
        }
    }

    /// What is understood of it.
    pub fn api(self) -> Option<&'p ApiCall<'a>> {
        match self {
            Payload::Api(call) => Some(call),
            Payload::Unread { .. } | Payload::Socket { .. } => None,
        }
    }
}
