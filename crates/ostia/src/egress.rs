//! The guard on every outward connection: resolve, check every address, connect to an address that was checked.
//!
//! Who chose the host decides what it may be. What the operator wrote in the configuration may be private; what a
//! client names may not, unless the operator allows it. Metadata services are refused to everybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ostia_config::{HostPattern, Network};

/// Who chose a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A row of the built-in table: a public host.
    BuiltIn,
    /// The configuration file, or a built-in row for a private server.
    Operator,
    /// A header or a config object of the request.
    Client,
}

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// The listener is on loopback only, so its clients may name hosts on this machine.
    pub loopback_allowed: bool,
    /// Private networks that clients may name.
    pub networks_allowed: Vec<Network>,
    /// Hosts that clients may name though they have private addresses.
    pub hosts_allowed: Vec<HostPattern>,
    /// If not empty: the only hosts that clients may name.
    pub hosts_only: Vec<HostPattern>,
}

/// What kind of network an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of one's own: RFC 1918, RFC 6598 (CGNAT), RFC 4193 (ULA).
    Private,
    /// A cloud's metadata service, or the link-local range that holds them.
    Metadata,
    /// Neither a host nor a service: unspecified, multicast, documentation, reserved.
    Reserved,
}

impl Guard {
    /// The addresses of `host` that may be connected to.
    ///
    /// # Errors
    /// Why none of them may, in words for the client.
    pub fn admit(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        origin: Origin,
    ) -> Result<Vec<SocketAddr>, String> {
        let admitted: Vec<SocketAddr> =
            addresses.iter().copied().filter(|address| self.admits(host, address.ip(), origin)).collect();
        match (admitted.is_empty(), addresses.first()) {
            (false, _) => Ok(admitted),
            (true, None) => Err(format!("The host `{host}` has no address.")),
            (true, Some(address)) => {
                let zone = zone(address.ip());
                let (ip, kind) = (address.ip(), zone.describe());
                Err(format!("The host `{host}` is at {ip}, which is {kind}. {}", zone.remedy()))
            }
        }
    }

    fn admits(&self, host: &str, ip: IpAddr, origin: Origin) -> bool {
        let zone = zone(ip);
        match (zone, origin) {
            (Zone::Public, _) => true,
            (Zone::Metadata | Zone::Reserved, _) => false,
            (Zone::Loopback | Zone::Private, Origin::Operator) => true,
            (Zone::Loopback, Origin::Client) if self.loopback_allowed => true,
            (Zone::Loopback | Zone::Private, Origin::BuiltIn | Origin::Client) => {
                let ip = ip.to_canonical();
                self.allows(host) || self.networks_allowed.iter().any(|network| network.contains(ip))
            }
        }
    }

    /// Has the operator allowed this name?
    pub fn allows(&self, host: &str) -> bool {
        self.hosts_allowed.iter().any(|pattern| pattern.matches(host))
    }
}

impl Zone {
    fn remedy(self) -> &'static str {
        match self {
            Zone::Metadata | Zone::Reserved => "Requests never go there.",
            Zone::Public | Zone::Loopback | Zone::Private => {
                "Requests may not go there; the operator can allow it under egress.allow_private in ostia.yaml."
            }
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Zone::Public => "public",
            Zone::Loopback => "this machine",
            Zone::Private => "a private network",
            Zone::Metadata => "a metadata or link-local address",
            Zone::Reserved => "a reserved address",
        }
    }
}

/// The zone of an address. Addresses that carry an IPv4 address inside are what that one is.
pub fn zone(ip: IpAddr) -> Zone {
    match ip {
        IpAddr::V4(ip) => zone_v4(ip),
        IpAddr::V6(ip) => match embedded(ip) {
            Some(inner) => zone_v4(inner),
            None => zone_v6(ip),
        },
    }
}

fn zone_v4(ip: Ipv4Addr) -> Zone {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        // Oracle's, Alibaba's and Azure's metadata services stand outside the link-local range.
        _ if METADATA_V4.contains(&ip) => Zone::Metadata,
        (169, 254, _) => Zone::Metadata,
        (127, _, _) => Zone::Loopback,
        (10, _, _) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Zone::Private,
        (0, _, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            Zone::Reserved
        }
        (224..=255, _, _) => Zone::Reserved,
        _ => Zone::Public,
    }
}

const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

fn zone_v6(ip: Ipv6Addr) -> Zone {
    let segments = ip.segments();
    match segments {
        _ if ip.is_loopback() => Zone::Loopback,
        // fd00:ec2::254 and its neighbours are AWS's metadata service.
        [0xfd00, 0x0ec2, ..] => Zone::Metadata,
        [0xfe80..=0xfebf, ..] => Zone::Metadata,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Zone::Private,
        [0xff00..=0xffff, ..] | [0x2001, 0x0db8, ..] | [0x0100, ..] => Zone::Reserved,
        // Teredo: the address inside is somebody else's router.
        [0x2001, 0, ..] => Zone::Reserved,
        [0, 0, 0, 0, 0, 0, ..] => Zone::Reserved,
        _ => Zone::Public,
    }
}

/// IPv4 inside IPv6: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(v4(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
