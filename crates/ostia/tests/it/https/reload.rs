//! Other certificates while the gateway serves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::authority::{Authority, Identity, next, shown, start};
use crate::gateway::Gateway;
use crate::wire::Ask;

fn write(gateway: &Gateway, identity: &Identity) {
    gateway.write("own.key", &identity.key);
    gateway.write("own.pem", &identity.cert);
}

/// Which certificate is shown to whoever connects now.
fn presented(gateway: &Gateway, authority: &Authority) -> Vec<u8> {
    shown(&authority.client().connect(gateway).unwrap())
}

#[test]
fn another_certificate_is_in_force_at_once_and_open_connections_stay() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("one"), "");
    type Way = fn(&Gateway);
    let ways: [(&str, Way); 3] = [
        ("the command", |gateway| assert!(gateway.reload().status.success())),
        ("the signal", |gateway| gateway.signal("HUP")),
        ("the change of the files", |_| {}),
    ];
    let health = Ask::new("GET", "/health");
    for (name, way) in ways {
        let before = presented(&gateway, &authority);
        let mut open = authority.client().connect(&gateway).unwrap();
        assert_eq!(next(&mut open, &health).unwrap().status, 200);
        write(&gateway, &authority.identity("other"));
        way(&gateway);
        gateway.wait_until(|| presented(&gateway, &authority) != before);
        assert_eq!(next(&mut open, &health).unwrap().status, 200, "{name}");
        assert_eq!(shown(&open), before);
    }
}

#[test]
fn a_wrong_certificate_is_refused_and_the_old_one_stays() {
    let (authority, other) = (Authority::new("a"), Authority::new("a"));
    let gateway = start(&authority.identity("one"), "");
    let before = presented(&gateway, &authority);
    for (name, file, text, words) in [
        ("no certificate", "own.pem", "nothing".to_owned(), "has no certificate in it"),
        ("another key's", "own.pem", authority.identity("x").cert, "does not belong to"),
        ("no key", "own.key", authority.identity("x").cert, "has no private key in it"),
    ] {
        gateway.write(file, &text);
        let output = gateway.reload();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(
            said.contains(words) && said.contains("the old one stays") && said.contains("own."),
            "{said}"
        );
        assert_eq!(presented(&gateway, &authority), before, "{name}");
    }
    gateway.remove("own.key");
    assert!(String::from_utf8_lossy(&gateway.reload().stderr).contains("own.key"));
    assert_eq!(presented(&gateway, &authority), before);
    // The right one mends it, by itself.
    write(&gateway, &other.identity("new"));
    gateway.wait_until(|| authority.client().connect(&gateway).is_err());
    presented(&gateway, &other);
}

#[test]
fn https_begins_and_ends_without_a_restart() {
    let authority = Authority::new("a");
    let identity = authority.identity("one");
    let gateway = Gateway::with("workers: 2");
    let health = Ask::new("GET", "/health");
    let mut plain = health.open(&gateway);
    assert_eq!(plain.next().status, 200);
    write(&gateway, &identity);
    gateway.write("ostia.yaml", &format!("workers: 2\n{}", super::authority::TLS));
    assert!(gateway.reload().status.success());
    gateway.wait_until(|| authority.client().ask(&gateway, &health).is_ok());
    plain.send(&health.bytes());
    assert_eq!(plain.next().status, 200, "what is open stays");
    gateway.write("ostia.yaml", "workers: 2");
    assert!(gateway.reload().status.success());
    assert_eq!(health.to(&gateway).status, 200);
}

#[test]
fn no_request_is_lost_while_certificates_change() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("0"), "workers: 2");
    let identities: Vec<Identity> = (0..4).map(|at| authority.identity(&at.to_string())).collect();
    let (ended, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let health = Ask::new("GET", "/v1/models");
    let memory = thread::scope(|scope| {
        for kept in [true, true, false, false] {
            let (gateway, authority, ended, answered, health) =
                (&gateway, &authority, &ended, &answered, &health);
            scope.spawn(move || {
                let client = authority.client();
                let mut open = client.connect(gateway).unwrap();
                while !ended.load(Ordering::Relaxed) {
                    if !kept {
                        open = client.connect(gateway).unwrap();
                    }
                    assert_eq!(next(&mut open, health).unwrap().status, 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut memory = Vec::new();
        for round in 0..60 {
            write(&gateway, &identities[round % identities.len()]);
            // Between the two files they may have been looked at; the last word is that of the command.
            assert!(gateway.reload().status.success());
            if round % 20 == 19 {
                memory.push(gateway.resident_kib());
            }
        }
        ended.store(true, Ordering::Relaxed);
        memory
    });
    assert!(answered.load(Ordering::Relaxed) > 100);
    assert!(memory[2] < memory[0] + (16 << 10), "{memory:?}");
}
