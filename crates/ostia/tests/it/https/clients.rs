//! Clients that have to show a certificate, and those that leave.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream};
use rustls::version::{TLS12, TLS13};

use super::authority::{Authority, Client, Identity, start};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE};

fn with_clients(authority: &Authority, clients: &Authority) -> Gateway {
    let identity = authority.identity("gateway");
    Setup::new()
        .config("tls: { cert: own.pem, key: own.key, client_ca: clients.pem }")
        .file("own.pem", &identity.cert)
        .file("own.key", &identity.key)
        .file("clients.pem", &clients.pem)
        .start()
}

#[test]
fn clients_show_a_certificate_of_the_authority() {
    let (authority, clients, others) = (Authority::new("a"), Authority::new("b"), Authority::new("b"));
    let gateway = with_clients(&authority, &clients);
    let ask = Ask::new("GET", "/v1/models");
    for version in [&TLS12, &TLS13] {
        let answered =
            |shows: Option<&Identity>| Client::new(&authority, &[version], shows).ask(&gateway, &ask);
        assert_eq!(answered(Some(&clients.identity("client"))).unwrap().status, 200);
        // Whoever comes again shows it again: nothing is remembered that would stand for it.
        let client = Client::new(&authority, &[version], Some(&clients.identity("client")));
        for _ in 0..3 {
            let mut stream = client.connect(&gateway).unwrap();
            assert_eq!(super::authority::next(&mut stream, &ask).unwrap().status, 200);
            assert_eq!(stream.conn.handshake_kind(), Some(rustls::HandshakeKind::Full));
        }
        assert!(answered(None).is_err());
        assert!(answered(Some(&others.identity("client"))).is_err(), "of another authority");
        assert!(answered(Some(&clients.until("client", 2001))).is_err(), "it has expired");
    }
}

#[test]
fn a_client_without_certificate_is_asked_for_none_where_none_is_wanted() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "");
    let client = authority.client();
    for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let mut stream = client.connect(&gateway).unwrap();
        let reply = super::authority::next(&mut stream, &Ask::new("GET", "/health")).unwrap();
        assert_eq!((reply.status, stream.conn.handshake_kind()), (200, Some(kind)));
    }
}

#[test]
fn a_client_that_leaves_cancels_its_call() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "");
    let ask =
        |upstream: &Upstream| Ask::post_at(upstream, "openai", "/v1/chat/completions", "{\"model\":\"m\"}");
    for says_so in [true, false] {
        let upstream = Upstream::always(Answer::json("{}").first(Step::Stall));
        let mut stream = authority.client().connect(&gateway).unwrap();
        stream.write_all(&ask(&upstream).bytes()).unwrap();
        assert!(upstream.wait_for_requests(1, PATIENCE));
        if says_so {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        drop(stream);
        assert!(upstream.wait_for_leaving(1, PATIENCE), "it said so: {says_so}");
    }
}

#[test]
fn a_client_that_ends_its_half_after_the_request_gets_its_answer() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "");
    let late = Answer::json(openai::chat("Rome")).first(Step::Pause(Duration::from_millis(1500)));
    let upstream = Upstream::always(late);
    let chat = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let mut stream = authority.client().connect(&gateway).unwrap();
    stream.write_all(&Ask::post_at(&upstream, "openai", "/v1/chat/completions", chat).bytes()).unwrap();
    stream.conn.send_close_notify();
    let _ = stream.flush();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert!(text.contains("HTTP/1.1 200 ") && text.contains("Rome"), "{text}");
}

#[test]
fn handshakes_that_fail_are_told_where_somebody_wants_to_know() {
    let (authority, others) = (Authority::new("a"), Authority::new("b"));
    let identity = authority.identity("gateway");
    for (log, is_told) in [("server=debug", true), ("info", false)] {
        let setup = Setup::new().config(super::authority::TLS).arg("--log").arg(log);
        let gateway = setup.file("own.pem", &identity.cert).file("own.key", &identity.key).start();
        assert!(others.client().connect(&gateway).is_err());
        assert_eq!(authority.client().ask(&gateway, &Ask::new("GET", "/v1/models")).unwrap().status, 200);
        if is_told {
            gateway.says("No TLS with 127.0.0.1");
        }
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(gateway.printed().contains("No TLS with"), is_told, "{log}: {}", gateway.printed());
    }
}

#[test]
fn a_client_that_never_reads_is_cut_off_when_its_time_is_over() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "timeouts: { first_byte: 1s, total: 2s }");
    let upstream = Upstream::always(Answer::with("application/octet-stream", vec![b'x'; 64 << 20]));
    let began = Instant::now();
    let mut stream = authority.client().connect(&gateway).unwrap();
    stream.write_all(&Ask::new("GET", "/v1/files/f").at(&upstream, "openai").bytes()).unwrap();
    assert!(upstream.wait_for_leaving(1, PATIENCE), "the provider is let go");
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_head_beyond_its_bound_is_answered_over_tls_too() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "limits: { header_bytes: 8KiB }");
    let ask = Ask::new("GET", "/health").header("x-long", &"y".repeat(200_000));
    let reply = authority.client().ask(&gateway, &ask).unwrap();
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (431, Some("head_too_large")));
}
