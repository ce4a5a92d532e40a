#![allow(clippy::unwrap_used)]

use super::{Guard, Origin, Zone, zone};
use ostia_config::{HostPattern, Network};
use std::net::SocketAddr;

fn patterns(texts: &[&str]) -> Vec<HostPattern> {
    texts.iter().map(|text| HostPattern::parse(text).unwrap()).collect()
}

#[test]
fn zones() {
    for (ip, expected) in [
        ("1.1.1.1", Zone::Public),
        ("172.32.0.1", Zone::Public),
        ("2606:4700::1111", Zone::Public),
        ("127.8.9.1", Zone::Loopback),
        ("::1", Zone::Loopback),
        ("::ffff:127.0.0.1", Zone::Loopback),
        ("10.1.2.3", Zone::Private),
        ("172.16.0.1", Zone::Private),
        ("192.168.1.1", Zone::Private),
        ("100.64.0.1", Zone::Private),
        ("fd12::1", Zone::Private),
        ("::ffff:10.0.0.1", Zone::Private),
        ("64:ff9b::10.0.0.1", Zone::Private),
        ("2002:a00:1::", Zone::Private),
        ("169.254.169.254", Zone::Metadata),
        ("::ffff:169.254.169.254", Zone::Metadata),
        ("100.100.100.200", Zone::Metadata),
        ("168.63.129.16", Zone::Metadata),
        ("fd00:ec2::254", Zone::Metadata),
        ("fe80::1", Zone::Metadata),
        ("0.0.0.0", Zone::Reserved),
        ("224.0.0.1", Zone::Reserved),
        ("255.255.255.255", Zone::Reserved),
        ("198.18.0.1", Zone::Reserved),
        ("::", Zone::Reserved),
        ("2001::1", Zone::Reserved),
        ("ff02::1", Zone::Reserved),
    ] {
        assert_eq!(zone(ip.parse().unwrap()), expected, "{ip}");
    }
}

fn check(guard: &Guard, host: &str, ip: &str, origin: Origin, admitted: bool) {
    let address = SocketAddr::new(ip.parse().unwrap(), 443);
    assert_eq!(guard.admit(host, &[address], origin).is_ok(), admitted, "{host} at {ip} for {origin:?}");
}

#[test]
fn who_may_reach_what() {
    let closed = Guard::default();
    for origin in [Origin::BuiltIn, Origin::Operator, Origin::Client] {
        check(&closed, "api.example.com", "1.1.1.1", origin, true);
        check(&closed, "metadata", "169.254.169.254", origin, false);
        check(&closed, "nothing", "0.0.0.0", origin, false);
    }
    for (origin, admitted) in [(Origin::BuiltIn, false), (Origin::Operator, true), (Origin::Client, false)] {
        check(&closed, "rebound.example.com", "10.0.0.1", origin, admitted);
        check(&closed, "localhost", "127.0.0.1", origin, admitted);
    }
    let open = Guard {
        loopback_allowed: true,
        networks_allowed: ["10.1.0.0/16", "fd00:1::/32"]
            .iter()
            .map(|text| Network::parse(text).unwrap())
            .collect(),
        hosts_allowed: patterns(&["vllm.internal", "*.models.internal"]),
        ..Guard::default()
    };
    check(&open, "localhost", "127.0.0.1", Origin::Client, true);
    check(&open, "a", "10.1.200.3", Origin::Client, true);
    check(&open, "a", "10.2.0.1", Origin::Client, false);
    check(&open, "a", "fd00:1::7", Origin::Client, true);
    check(&open, "VLLM.internal", "10.9.9.9", Origin::Client, true);
    check(&open, "b.models.internal", "10.9.9.9", Origin::Client, true);
    check(&open, "models.internal", "10.9.9.9", Origin::Client, false);
    check(&open, "evilmodels.internal", "10.9.9.9", Origin::Client, false);
    check(&open, "vllm.internal", "169.254.169.254", Origin::Client, false);
}

#[test]
fn only_checked_addresses_are_left() {
    let addresses: Vec<SocketAddr> =
        ["10.0.0.1:80", "1.1.1.1:80"].iter().map(|address| address.parse().unwrap()).collect();
    assert_eq!(Guard::default().admit("mixed", &addresses, Origin::Client).unwrap(), vec![addresses[1]]);
    assert!(Guard::default().admit("none", &[], Origin::Client).unwrap_err().contains("no address"));
}
