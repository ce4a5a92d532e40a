//! The guard on every outward connection: resolve, check every address, connect to an address that was checked.
//!
//! Who chose the host decides what it may be. What the operator wrote in the configuration may be private; what a
//! client names may not, unless the operator allows it. Metadata services are refused to everybody.

mod zone;

use std::net::{IpAddr, SocketAddr};

use ostia_config::{HostPattern, Network};
use zone::{Zone, own_zone, readings, zone};

use super::host;

/// Who chose a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A row of the built-in table: a public host.
    BuiltIn,
    /// The configuration file, or a built-in row for a private server.
    Operator,
    /// A header or a config object of the request.
    Client,
    /// An address in what a request says, or one that such an address leads on to. It may be the word of somebody whom the client
    /// does not know, so that machines near the gateway are no matter of course even where all clients are on the gateway's own.
    Content,
}

/// How many there are.
pub const ORIGINS: usize = 4;

/// What may be reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guard {
    /// The listener is on loopback only, so its clients may name hosts on this machine.
    pub loopback_allowed: bool,
    /// Private networks that clients may name.
    pub networks_allowed: Vec<Network>,
    /// Hosts that clients may name though they have private addresses.
    pub hosts_allowed: Vec<HostPattern>,
    /// If not empty: the only hosts that clients may name.
    pub hosts_only: Vec<HostPattern>,
    /// The operator may name metadata services. Only where credentials are fetched, and never for a request.
    pub metadata_allowed: bool,
}

/// Why a host may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    host: String,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// None of its addresses may be; this is the first.
    Address(IpAddr),
    /// It has none.
    NoAddress,
    /// It is the name of a metadata service.
    Name,
}

/// Is an address, and whatever it carries inside, one of the internet?
pub fn is_public(ip: IpAddr) -> bool {
    zone(ip) == Zone::Public
}

impl Guard {
    /// The addresses of `host` that may be connected to.
    ///
    /// # Errors
    /// Why none of them may.
    pub fn admit(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        origin: Origin,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        let admitted: Vec<SocketAddr> =
            addresses.iter().copied().filter(|address| self.admits(host, address.ip(), origin)).collect();
        match admitted.is_empty() {
            false => Ok(admitted),
            true => {
                let why = addresses.first().map_or(Why::NoAddress, |first| Why::Address(first.ip()));
                Err(Refusal { host: host.to_owned(), why })
            }
        }
    }

    /// May a proxy be asked for a host of the operator's or of the built-in table by its name? What that means is known there
    /// alone.
    ///
    /// # Errors
    /// It is the name of a metadata service.
    pub fn admit_name(&self, host: &str) -> Result<(), Refusal> {
        match host::is_metadata(host) {
            false => Ok(()),
            true => Err(Refusal { host: host.to_owned(), why: Why::Name }),
        }
    }

    /// May this address be connected to, and whatever it carries inside?
    fn admits(&self, host: &str, ip: IpAddr, origin: Origin) -> bool {
        readings(ip).all(|ip| match (own_zone(ip), origin) {
            (Zone::Public, _) => true,
            (Zone::Metadata, Origin::Operator) => self.metadata_allowed,
            (Zone::Metadata | Zone::Reserved, _) => false,
            (Zone::Loopback | Zone::Private, Origin::Operator) => true,
            (Zone::Loopback, Origin::Client) if self.loopback_allowed => true,
            (Zone::Loopback | Zone::Private, Origin::BuiltIn | Origin::Client | Origin::Content) => {
                self.allows(host) || self.networks_allowed.iter().any(|network| network.contains(ip))
            }
        })
    }

    /// Has the operator allowed this name?
    pub fn allows(&self, host: &str) -> bool {
        self.hosts_allowed.iter().any(|pattern| pattern.matches(host))
    }
}

impl std::fmt::Display for Refusal {
    /// All of it, for the operator. Whoever else is told the address learns what the operator's names stand for.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Refusal { host, why } = self;
        match why {
            Why::NoAddress => write!(f, "The host `{host}` has no address."),
            Why::Name => write!(f, "The host `{host}` is a metadata service. {}", remedy(Zone::Metadata)),
            Why::Address(address) => {
                let zone = zone(*address);
                let (kind, remedy) = (zone.describe(), remedy(zone));
                write!(f, "The host `{host}` is at {address}, which is {kind}. {remedy}")
            }
        }
    }
}

fn remedy(zone: Zone) -> &'static str {
    match zone {
        Zone::Metadata | Zone::Reserved => "Requests never go there.",
        Zone::Public | Zone::Loopback | Zone::Private => {
            "Requests may not go there; the operator can allow it under egress.allow_private in ostia.yaml."
        }
    }
}

#[cfg(test)]
mod tests;
