//! Where the gateway may connect to. The addresses themselves are checked where the sockets are; here is only what
//! the file allows.

use std::fmt;
use std::net::IpAddr;

/// Exceptions from the guard on outward connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// Private networks and hosts with private addresses that may be called all the same. By default no private
    /// address may be.
    pub allow_private: Vec<AllowPrivate>,
    /// If not empty: the only hosts that a request may choose itself (`custom_host` and its like).
    pub allow_hosts: Vec<HostPattern>,
}

/// One entry of `egress.allow_private`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowPrivate {
    /// `10.0.0.0/8`, or a single address.
    Network(Network),
    /// `my-vllm.internal` or `*.internal`, whatever address it has.
    Host(HostPattern),
}

impl AllowPrivate {
    /// Reads an entry.
    ///
    /// Errors: what an entry must be.
    pub(crate) fn parse(text: &str) -> Result<AllowPrivate, &'static str> {
        let address_like = text.contains('/') || text.parse::<IpAddr>().is_ok();
        if address_like {
            return Network::parse(text).map(AllowPrivate::Network).ok_or("is no network like 10.0.0.0/8");
        }
        HostPattern::parse(text).map(AllowPrivate::Host)
    }
}

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse::<u8>().ok().filter(|bits| *bits <= bits_max)?,
            None => bits_max,
        };
        Some(Network { address, prefix_bits })
    }

    /// Whether an address is in this block. IPv6 forms of IPv4 addresses are not looked through; convert them first.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = u32::from(own) ^ u32::from(other);
                differing.leading_zeros() >= u32::from(self.prefix_bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = u128::from(own) ^ u128::from(other);
                differing.leading_zeros() >= u32::from(self.prefix_bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix_bits)
    }
}

/// A host name, or `*.` and the end of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern(String);

impl HostPattern {
    /// Reads a pattern: no scheme, no port, no path. A dot at the end is ignored.
    ///
    /// Errors: what is wrong with it.
    pub fn parse(text: &str) -> Result<HostPattern, &'static str> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let name = text.strip_prefix("*.").unwrap_or(&text);
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        match name {
            _ if text.contains(':') || text.contains('/') => {
                Err("must be a host name without scheme, port and path")
            }
            _ if name.split('.').all(label) => Ok(HostPattern(text)),
            _ => Err("is no host name, nor `*.` and the end of one"),
        }
    }

    /// Whether a host name fits. `*.internal` fits `a.internal` and `a.b.internal`, not `internal`.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match self.0.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => host == self.0,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
