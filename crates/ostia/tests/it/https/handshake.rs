//! What is agreed on, and with whom.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use rustls::ProtocolVersion::{TLSv1_2, TLSv1_3};
use rustls::version::{TLS12, TLS13};

use super::authority::{Authority, Client, start};
use crate::gateway::Gateway;
use crate::http2::client::{Http2, run};
use crate::wire::{Ask, Open, PATIENCE};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn tls_12_and_13_with_http2_and_http1() {
    let authority = Authority::new("a");
    let upstream = Upstream::always(Answer::json(openai::chat("Rome")));
    let gateway = start(&authority.identity("gateway"), "");
    for (version, spoken) in [(&TLS12, TLSv1_2), (&TLS13, TLSv1_3)] {
        for (offered, agreed) in [
            (vec![], None),
            (vec!["http/1.1"], Some("http/1.1")),
            (vec!["h2", "http/1.1"], Some("h2")),
            (vec!["http/1.1", "h2"], Some("h2")),
        ] {
            let client = Client::new(&authority, &[version], None).offering(&offered);
            let mut stream = client.connect(&gateway).unwrap();
            assert_eq!(stream.conn.protocol_version(), Some(spoken));
            assert_eq!(stream.conn.alpn_protocol(), agreed.map(str::as_bytes), "{offered:?}");
            if agreed != Some("h2") {
                for _ in 0..3 {
                    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
                    let reply = super::authority::next(&mut stream, &ask).unwrap();
                    assert!(reply.text().contains("Rome"), "{}", reply.text());
                }
            }
        }
        // Nobody who offers other protocols only is answered in one of these.
        let strange = Client::new(&authority, &[version], None).offering(&["spdy/3"]);
        assert!(strange.connect(&gateway).is_err());
    }
}

#[test]
fn calls_over_http2_with_tls() {
    let authority = Authority::new("a");
    let upstream = Upstream::always(Answer::json(openai::chat("Rome")));
    let gateway = start(&authority.identity("gateway"), "");
    let config = authority.client().offering(&["h2"]).config;
    run(async {
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        let stream = connector.connect(name, stream).await.unwrap();
        let client = Http2::over(stream, "https", &h2::client::Builder::new()).await;
        for _ in 0..20 {
            let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
            assert!(client.ask(&ask).await.text().await.contains("Rome"));
        }
        // The page speaks of the way on which it is asked for.
        let page = client.ask(&Ask::new("GET", "/")).await.text().await;
        assert!(page.contains("curl https://localhost/v1") && !page.contains("http://"), "{page}");
    });
}

#[test]
fn the_oldest_version_is_the_operators_choice() {
    let authority = Authority::new("a");
    let identity = authority.identity("gateway");
    let gateway = crate::gateway::Setup::new()
        .config("tls: { cert: own.pem, key: own.key, min_version: 1.3 }")
        .file("own.pem", &identity.cert)
        .file("own.key", &identity.key)
        .start();
    let ask = Ask::new("GET", "/health");
    assert!(Client::new(&authority, &[&TLS12], None).ask(&gateway, &ask).is_err());
    assert_eq!(Client::new(&authority, &[&TLS13], None).ask(&gateway, &ask).unwrap().status, 200);
}

#[test]
fn whoever_speaks_http_where_tls_is_expected_is_told() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "");
    for ask in [Ask::new("GET", "/health"), Ask::post("/v1/chat/completions", vec![b'x'; 1 << 20])] {
        let reply = ask.to(&gateway);
        assert_eq!((reply.status, reply.whole), (400, true));
        assert_eq!(reply.json()["error"]["code"], "https_expected");
        assert!(reply.text().contains("https://"), "{}", reply.text());
    }
    let plain = Gateway::start();
    assert!(authority.client().connect(&plain).is_err());
    assert_eq!(Ask::new("GET", "/health").to(&plain).status, 200);
}

#[test]
fn a_handshake_that_does_not_come_to_its_end_is_not_waited_for() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "workers: 1");
    // The head of a record of which nothing more comes, and nothing at all.
    let begun: Vec<TcpStream> = [&b""[..], &[22], &[22, 3, 1, 2, 0, 1, 0]]
        .into_iter()
        .map(|bytes| {
            let mut stream = TcpStream::connect(gateway.address).unwrap();
            stream.write_all(bytes).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    assert_eq!(authority.client().ask(&gateway, &Ask::new("GET", "/health")).unwrap().status, 200);
    for mut stream in begun {
        stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let took = began.elapsed();
        assert!(took > Duration::from_secs(5) && took < Duration::from_secs(15), "{took:?}");
    }
    // What is no TLS and no HTTP ends at once.
    let mut open = Open::connect(&gateway);
    open.send(b"\x00\x01\x02\x03\x04\x05\x06\x07 nothing that anybody knows");
    assert!(open.read_until(PATIENCE, |_| true).is_none());
}

#[test]
fn handshakes_count_against_the_limit_on_connections() {
    let authority = Authority::new("a");
    let gateway = start(&authority.identity("gateway"), "workers: 1\nlimits: { connections: 2 }");
    let silent: Vec<Open> = (0..2).map(|_| Open::connect(&gateway)).collect();
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    let ask = || authority.client().ask(&gateway, &Ask::new("GET", "/health"));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(ask);
        std::thread::sleep(Duration::from_millis(500));
        assert!(!waiting.is_finished());
        drop(silent);
        assert_eq!(waiting.join().unwrap().unwrap().status, 200);
    });
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn whoever_has_shaken_hands_is_served_when_the_gateway_stops() {
    let authority = Authority::new("a");
    let mut gateway = start(&authority.identity("gateway"), "workers: 2");
    let silent = Open::connect(&gateway);
    // While it stands still clients are let in by the system alone.
    gateway.signal("STOP");
    let ask = Ask::new("GET", "/v1/models");
    std::thread::scope(|scope| {
        let (client, gateway, ask) = (authority.client(), &gateway, &ask);
        let asked: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || client.ask(gateway, ask).unwrap().status)
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        gateway.terminate();
        gateway.signal("CONT");
        for asked in asked {
            assert_eq!(asked.join().unwrap(), 200);
        }
    });
    assert!(gateway.wait(Duration::from_secs(5)).is_some_and(|status| status.success()));
    drop(silent);
}
