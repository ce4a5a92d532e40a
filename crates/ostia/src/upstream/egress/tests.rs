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
        // Metadata services at addresses of their own.
        ("192.0.0.192", Zone::Metadata),
        ("fd00:ec2::23", Zone::Metadata),
        ("fd20:ce::254", Zone::Metadata),
        ("fd00:c1::a9fe:a9fe", Zone::Metadata),
        ("fd00:a9fe:a9fe::1", Zone::Metadata),
        ("fd00:42::42", Zone::Metadata),
        ("fd00:100::100:200", Zone::Metadata),
        ("fe80::a9fe:a9fe", Zone::Metadata),
        ("fd20:ce::255", Zone::Private),
        // NAT64, also of one's own, with prefixes of every length.
        ("64:ff9b::8.8.8.8", Zone::Public),
        ("64:ff9b::169.254.169.254", Zone::Metadata),
        ("64:ff9b::127.0.0.1", Zone::Loopback),
        ("64:ff9b::0.0.0.0", Zone::Reserved),
        ("64:ff9b:1::8.8.8.8", Zone::Private),
        ("64:ff9b:1::10.0.0.1", Zone::Private),
        ("64:ff9b:1::169.254.169.254", Zone::Metadata),
        ("64:ff9b:1:a9fe:a9:fe00::", Zone::Metadata),
        ("64:ff9b:1:a9:fe:a9fe::", Zone::Metadata),
        ("64:ff9b:1:0:a9:fea9:fe00:0", Zone::Metadata),
        ("64:ff9b:2::1", Zone::Reserved),
        // 6to4, Teredo, ISATAP.
        ("2002:808:808::1", Zone::Public),
        ("2002:a9fe:a9fe::1", Zone::Metadata),
        ("2002:7f00:1::1", Zone::Loopback),
        ("2002:808:808::5efe:10.0.0.1", Zone::Private),
        ("2001:0:808:808::1", Zone::Reserved),
        ("2001:0:a9fe:a9fe::1", Zone::Metadata),
        ("2001:0:808:808:0:ffff:5601:5601", Zone::Metadata),
        ("2606:4700::5efe:10.0.0.1", Zone::Private),
        ("2606:4700::200:5efe:169.254.169.254", Zone::Metadata),
        ("2606:4700::200:5efe:8.8.8.8", Zone::Public),
        // IPv4-compatible and IPv4-translated.
        ("::8.8.8.8", Zone::Reserved),
        ("::169.254.169.254", Zone::Metadata),
        ("::ffff:0:8.8.8.8", Zone::Reserved),
        ("::ffff:0:169.254.169.254", Zone::Metadata),
        ("::ffff:8.8.8.8", Zone::Public),
        // Special blocks of both registries, and what was never given out.
        ("192.0.0.8", Zone::Reserved),
        ("192.31.196.1", Zone::Reserved),
        ("192.52.193.1", Zone::Reserved),
        ("192.88.99.1", Zone::Reserved),
        ("192.175.48.1", Zone::Reserved),
        ("198.51.100.1", Zone::Reserved),
        ("203.0.113.1", Zone::Reserved),
        ("100::1", Zone::Reserved),
        ("100:0:0:1::1", Zone::Reserved),
        ("2001:1::1", Zone::Reserved),
        ("2001:2::1", Zone::Reserved),
        ("2001:4:112::1", Zone::Reserved),
        ("2001:20::1", Zone::Reserved),
        ("2001:1ff::1", Zone::Reserved),
        ("2001:200::1", Zone::Public),
        ("2001:db8::1", Zone::Reserved),
        ("2620:4f:8000::1", Zone::Reserved),
        ("3fff:fff::1", Zone::Reserved),
        ("5f00::1", Zone::Reserved),
        ("4000::1", Zone::Reserved),
        ("fec0::1", Zone::Private),
        ("fc00::1", Zone::Private),
    ] {
        assert_eq!(zone(ip.parse().unwrap()), expected, "{ip}");
    }
}

#[test]
fn edges_of_blocks() {
    for (inside, outside) in [
        ("127.255.255.255", "128.0.0.0"),
        ("10.255.255.255", "11.0.0.0"),
        ("100.127.255.255", "100.128.0.0"),
        ("172.31.255.255", "172.32.0.0"),
        ("192.168.255.255", "192.169.0.0"),
        ("169.254.255.255", "169.255.0.0"),
        ("198.19.255.255", "198.20.0.0"),
        ("224.0.0.0", "223.255.255.255"),
        ("3fff:fff:ffff::", "3fff:1000::"),
        ("2001:db8:ffff::", "2001:db9::"),
    ] {
        assert_ne!(zone(inside.parse().unwrap()), Zone::Public, "{inside}");
        assert_eq!(zone(outside.parse().unwrap()), Zone::Public, "{outside}");
    }
}

fn check(guard: &Guard, host: &str, ip: &str, origin: Origin, admitted: bool) {
    let address = SocketAddr::new(ip.parse().unwrap(), 443);
    assert_eq!(guard.admit(host, &[address], origin).is_ok(), admitted, "{host} at {ip} for {origin:?}");
}

#[test]
fn who_may_reach_what() {
    let closed = Guard::default();
    for origin in [Origin::BuiltIn, Origin::Operator, Origin::Client, Origin::Content] {
        check(&closed, "api.example.com", "1.1.1.1", origin, true);
        check(&closed, "metadata", "169.254.169.254", origin, false);
        check(&closed, "nothing", "0.0.0.0", origin, false);
    }
    for (origin, admitted) in [
        (Origin::BuiltIn, false),
        (Origin::Operator, true),
        (Origin::Client, false),
        (Origin::Content, false),
    ] {
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
    // That all clients are on this machine says nothing of whoever wrote an address into what one of them hands on.
    check(&open, "localhost", "127.0.0.1", Origin::Content, false);
    check(&open, "a", "10.1.200.3", Origin::Content, true);
    check(&open, "vllm.internal", "10.9.9.9", Origin::Content, true);
    check(&open, "vllm.internal", "169.254.169.254", Origin::Content, false);
    check(&open, "a", "10.1.200.3", Origin::Client, true);
    check(&open, "a", "10.2.0.1", Origin::Client, false);
    check(&open, "a", "fd00:1::7", Origin::Client, true);
    check(&open, "VLLM.internal", "10.9.9.9", Origin::Client, true);
    check(&open, "b.models.internal", "10.9.9.9", Origin::Client, true);
    check(&open, "models.internal", "10.9.9.9", Origin::Client, false);
    check(&open, "evilmodels.internal", "10.9.9.9", Origin::Client, false);
    check(&open, "vllm.internal", "169.254.169.254", Origin::Client, false);
    // What is inside an address counts as much as the address: either may close the way.
    check(&open, "a", "64:ff9b::10.1.0.1", Origin::Client, true);
    check(&open, "a", "64:ff9b::10.2.0.1", Origin::Client, false);
    check(&open, "a", "64:ff9b:1::8.8.8.8", Origin::Client, false);
    check(&open, "a", "64:ff9b:1::8.8.8.8", Origin::Operator, true);
    check(&open, "a", "64:ff9b:1::169.254.169.254", Origin::Operator, false);
    check(&open, "a", "fd00:1::5efe:10.2.0.1", Origin::Client, false);
}

#[test]
fn metadata_services_are_reached_for_credentials_alone() {
    let for_credentials = Guard { metadata_allowed: true, ..Guard::default() };
    for ip in ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"] {
        for origin in [Origin::BuiltIn, Origin::Operator, Origin::Client, Origin::Content] {
            check(&Guard::default(), "metadata", ip, origin, false);
            check(&for_credentials, "metadata", ip, origin, origin == Origin::Operator);
        }
    }
    check(&for_credentials, "nothing", "0.0.0.0", Origin::Operator, false);
}

#[test]
fn only_checked_addresses_are_left() {
    let addresses: Vec<SocketAddr> =
        ["10.0.0.1:80", "1.1.1.1:80"].iter().map(|address| address.parse().unwrap()).collect();
    assert_eq!(Guard::default().admit("mixed", &addresses, Origin::Client).unwrap(), vec![addresses[1]]);
    assert!(
        Guard::default().admit("none", &[], Origin::Client).unwrap_err().to_string().contains("no address")
    );
}
