//! How connections to hosts are made: for all hosts, and for those of single providers.

use std::collections::HashMap;
use std::sync::Arc;

use super::http2::Http2;
use super::proxy::Proxies;
use super::tls::Tls;

/// How connections are made. A part of what a pooled connection is: none is used under another transport.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// The provider that it is for; empty for all that have none of their own, and for hosts that clients choose.
    pub provider: String,
    /// Whom to trust, and what to show.
    pub tls: Tls,
    /// What stands on the way.
    pub proxies: Proxies,
    /// Whether HTTP/2 is spoken.
    pub http2: Http2,
}

impl Transport {
    /// Would the other one make the same connections to the same hosts?
    pub fn is_same(&self, other: &Transport) -> bool {
        self.provider == other.provider
            && self.tls.is_same(&other.tls)
            && self.proxies == other.proxies
            && self.http2 == other.http2
    }

    /// The same without what was agreed with servers so far.
    fn forgetful(&self) -> Transport {
        Transport { tls: self.tls.forgetful(), ..self.clone() }
    }
}

/// Which transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransportId(usize);

/// All transports of one configuration.
#[derive(Debug, Clone)]
pub struct Transports {
    /// The first is that of all who have none of their own.
    all: Vec<Arc<Transport>>,
    of_providers: HashMap<String, TransportId>,
}

impl Default for Transports {
    fn default() -> Transports {
        Transports::new(Transport::default(), [])
    }
}

impl Transports {
    /// That of all who have none of their own, and those of single providers.
    pub fn new(default: Transport, of_providers: impl IntoIterator<Item = Transport>) -> Transports {
        let mut transports = Transports { all: vec![Arc::new(default)], of_providers: HashMap::new() };
        for transport in of_providers {
            let id = TransportId(transports.all.len());
            transports.of_providers.insert(transport.provider.clone(), id);
            transports.all.push(Arc::new(transport));
        }
        transports
    }

    /// That of a provider, for the hosts that the operator or the built-in table gave it. What a client chose has the default
    /// one, which shows no certificate.
    pub fn of(&self, provider: &str) -> TransportId {
        self.of_providers.get(provider).copied().unwrap_or_default()
    }

    /// That of all who have none of their own.
    pub fn general(&self) -> &Transport {
        &self.all[0]
    }

    /// Each of them, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Transport>> {
        self.all.iter()
    }

    /// Goes on with what was agreed with servers under the transports of before, where they are the same. `forgetful`: without
    /// sessions that could be resumed.
    pub fn inherit(&mut self, before: &Transports, forgetful: bool) {
        for transport in &mut self.all {
            if let Some(same) = before.all.iter().find(|before| before.is_same(transport)) {
                *transport = if forgetful { Arc::new(same.forgetful()) } else { same.clone() };
            }
        }
    }
}

impl TransportId {
    /// Its place.
    pub(super) fn place(self) -> usize {
        self.0
    }
}
