//! Which network an address belongs to, by IANA's registries of special addresses and the pages of clouds about their
//! metadata services.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry/>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry/>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of network an address belongs to, the strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// The internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of one's own: RFC 1918, RFC 6598 (CGNAT), RFC 4193 (ULA), RFC 8215 (a translator of one's own).
    Private,
    /// Neither a host nor a service: unspecified, multicast, documentation, reserved.
    Reserved,
    /// A cloud's metadata service, or the link-local range that holds most of them.
    Metadata,
}

impl Zone {
    /// The zone in words.
    pub fn describe(self) -> &'static str {
        match self {
            Zone::Public => "public",
            Zone::Loopback => "this machine",
            Zone::Private => "a private network",
            Zone::Metadata => "a metadata or link-local address",
            Zone::Reserved => "a reserved address",
        }
    }
}

/// The strictest zone that an address, or an IPv4 address inside it, belongs to.
pub fn zone(ip: IpAddr) -> Zone {
    readings(ip).map(own_zone).max().unwrap_or(Zone::Reserved)
}

/// Every address that a connection to this one may reach: itself, and the IPv4 addresses that it carries inside.
pub fn readings(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    // A mapped address never leaves this machine as IPv6.
    let ip = ip.to_canonical();
    let inside = match ip {
        IpAddr::V4(_) => [None; 4],
        IpAddr::V6(ip) => inside(ip),
    };
    std::iter::once(ip).chain(inside.into_iter().flatten().map(IpAddr::V4))
}

/// The zone of an address, without what it carries inside.
pub fn own_zone(ip: IpAddr) -> Zone {
    match ip {
        IpAddr::V4(ip) => own_zone_v4(ip),
        IpAddr::V6(ip) => {
            let covers =
                |(net, bits, _): &&(Ipv6Addr, u32, Zone)| (net.to_bits() ^ ip.to_bits()) >> (128 - bits) == 0;
            BLOCKS_V6.iter().find(covers).map_or(Zone::Reserved, |(_, _, zone)| *zone)
        }
    }
}

fn own_zone_v4(ip: Ipv4Addr) -> Zone {
    let covers = |(net, bits, _): &&(Ipv4Addr, u32, Zone)| (net.to_bits() ^ ip.to_bits()) >> (32 - bits) == 0;
    BLOCKS_V4.iter().find(covers).map_or(Zone::Public, |(_, _, zone)| *zone)
}

/// IPv4 addresses inside an IPv6 address that somebody may turn it into. Where a network's translator has a prefix of the
/// network's own (RFC 6052), nothing shows it.
fn inside(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let octets = ip.octets();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let last = at([12, 13, 14, 15]);
    match ip.segments() {
        // NAT64 (RFC 6052).
        [0x0064, 0xff9b, 0, 0, 0, 0, ..] => [Some(last), None, None, None],
        // NAT64 of one's own (RFC 8215): where in it the address stands depends on how long the translator's prefix is. No
        // translator leads to a reserved address, so those readings are wrong ones.
        [0x0064, 0xff9b, 1, ..] => [at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12]), last]
            .map(|inner| Some(inner).filter(|inner| own_zone_v4(*inner) != Zone::Reserved)),
        // 6to4 (RFC 3056), perhaps with ISATAP inside.
        [0x2002, _, _, _, 0 | 0x0200, 0x5efe, ..] => [Some(at([2, 3, 4, 5])), Some(last), None, None],
        [0x2002, ..] => [Some(at([2, 3, 4, 5])), None, None, None],
        // Teredo (RFC 4380): the server's address, and the client's with every bit turned.
        [0x2001, 0, ..] => [Some(at([4, 5, 6, 7])), Some(Ipv4Addr::from(!u32::from(last))), None, None],
        // ISATAP (RFC 5214), below any prefix.
        [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => [Some(last), None, None, None],
        // IPv4-compatible (RFC 4291), which `::` and `::1` are not, and IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0, 0, 0x0100..=0xffff, _] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            [Some(last), None, None, None]
        }
        _ => [None; 4],
    }
}

/// Blocks of IPv4 that are not public, narrow ones before those that hold them.
const BLOCKS_V4: [(Ipv4Addr, u32, Zone); 21] = [
    // Metadata services of Alibaba, Azure and Oracle's older cloud stand outside the link-local range.
    (Ipv4Addr::new(100, 100, 100, 200), 32, Zone::Metadata),
    (Ipv4Addr::new(168, 63, 129, 16), 32, Zone::Metadata),
    (Ipv4Addr::new(192, 0, 0, 192), 32, Zone::Metadata),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Zone::Metadata),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Zone::Loopback),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Zone::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Zone::Private),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Zone::Private),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Zone::Private),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Zone::Reserved),
    // IETF protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24, Zone::Reserved),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24, Zone::Reserved),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Zone::Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Zone::Reserved),
    // AS112, which answers for private names.
    (Ipv4Addr::new(192, 31, 196, 0), 24, Zone::Reserved),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Zone::Reserved),
    // Multicast without multicast (RFC 7450).
    (Ipv4Addr::new(192, 52, 193, 0), 24, Zone::Reserved),
    // 6to4 relays.
    (Ipv4Addr::new(192, 88, 99, 0), 24, Zone::Reserved),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15, Zone::Reserved),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4, Zone::Reserved),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Zone::Reserved),
];

/// Blocks of IPv6, narrow ones before those that hold them. What is in none of them is reserved: of the whole space only
/// `2000::/3` is given out.
const BLOCKS_V6: [(Ipv6Addr, u32, Zone); 17] = [
    (Ipv6Addr::LOCALHOST, 128, Zone::Loopback),
    // Amazon: metadata, credentials of pods, names and time.
    (Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32, Zone::Metadata),
    // Google.
    (Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254), 128, Zone::Metadata),
    // Oracle.
    (Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe), 128, Zone::Metadata),
    // Akamai.
    (Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1), 128, Zone::Metadata),
    // Scaleway.
    (Ipv6Addr::new(0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042), 128, Zone::Metadata),
    // Alibaba.
    (Ipv6Addr::new(0xfd00, 0x0100, 0, 0, 0, 0, 0x0100, 0x0200), 128, Zone::Metadata),
    // Link-local; OpenStack's metadata service is fe80::a9fe:a9fe.
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Zone::Metadata),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Zone::Private),
    // Site-local, as private networks were called before.
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Zone::Private),
    // NAT64: public by itself, and then what the address inside is.
    (Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Zone::Public),
    (Ipv6Addr::new(0x0064, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Zone::Private),
    // IETF protocol assignments: Teredo, benchmarks, identifiers that are no addresses.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Zone::Reserved),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, Zone::Reserved),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Zone::Reserved),
    // AS112.
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48, Zone::Reserved),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Zone::Public),
];
