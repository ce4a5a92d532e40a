//! What clients can make the gateway hold.

use std::time::Duration;

use ostia_testkit::vendor::anthropic;
use ostia_testkit::{Answer, Upstream};
use serde_json::json;

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, PATIENCE};

#[test]
fn heads_are_held_to_their_bound_while_they_come() {
    for (config, bound) in [
        ("", 64 << 10),
        ("limits: { header_bytes: 8KiB }", 8 << 10),
        ("limits: { header_bytes: 1MiB }", 1 << 20),
    ] {
        let gateway = Gateway::with(config);
        // One head with no end, in lines and in one value.
        for line in [format!("x-{}: y\r\n", "a".repeat(1000)), "z".repeat(1000)] {
            let mut open = Open::connect(&gateway);
            open.send(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-long: ");
            for _ in 0..(bound / 500) {
                open.send(line.as_bytes());
            }
            let reply = open.finish();
            assert_eq!(reply.status, 431, "{config}: {}", reply.text());
            assert!(reply.whole, "{config}: {}", reply.text());
        }
        // A body behind a head does not count.
        let body = format!("{{\"model\":\"m\",\"x\":\"{}\"}}", "y".repeat(300_000));
        for _ in 0..2 {
            let mut open = Open::connect(&gateway);
            for _ in 0..3 {
                open.send(&Ask::post("/v1/chat/completions", body.clone()).bytes());
                let reply = open.next();
                assert_eq!(
                    (reply.status, reply.json()["error"]["code"].as_str()),
                    (400, Some("provider_missing"))
                );
            }
        }
    }
}

#[test]
fn slow_heads_take_no_memory_beyond_their_bound() {
    let gateway = Setup::new().config("limits: { header_bytes: 8KiB }").start();
    let before = gateway.resident_kib();
    let mut opens = Vec::new();
    for _ in 0..200 {
        let mut open = Open::connect(&gateway);
        open.send(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-long: ");
        open.send(&vec![b'a'; 11 << 10]);
        opens.push(open);
    }
    std::thread::sleep(Duration::from_millis(300));
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 200 * 64, "{grown} KiB for 200 heads");
}

#[test]
fn connections_are_bounded_over_all_cores() {
    let mut gateway = Gateway::with("workers: 2\nlimits: { connections: 3 }");
    let ask = Ask::new("GET", "/health");
    // Whichever cores they come to.
    let open_three = || -> Vec<Open> { (0..3).map(|_| ask.open(&gateway)).collect() };
    let answered = |open: &mut Open| assert_eq!(open.next().status, 200);
    let mut served = open_three();
    served.iter_mut().for_each(answered);
    let mut waiting = open_three();
    for open in &mut waiting {
        assert!(open.read_until(Duration::from_millis(100), |_| true).is_none(), "it waits");
    }
    drop(served);
    waiting.iter_mut().for_each(answered);
    let _waits = ask.open(&gateway);
    gateway.terminate();
    assert_eq!(
        gateway.wait(PATIENCE).and_then(|status| status.code()),
        Some(0),
        "nobody waits for those that wait"
    );
}

#[test]
fn as_many_descriptors_as_the_system_gives() {
    let gateway = Gateway::start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

#[test]
fn events_of_background_answers_have_one_bound() {
    let words = "x".repeat(4000);
    let upstream = Upstream::always(Answer::stream(anthropic::message_stream(&[words.as_str(); 50])));
    let gateway = Gateway::with("responses: { bytes: 1MiB }");
    let asked = json!({"model": "m", "input": "x", "background": true, "stream": true});
    let before = gateway.resident_kib();
    for number in 0..300 {
        let reply = Ask::post_at(&upstream, "anthropic", "/v1/responses", asked.to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{number}: {}", reply.text());
    }
    assert!(upstream.wait_for_requests(300, PATIENCE));
    // Each has some 300 KiB of events: all of them would be 90 MiB.
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB");
}
