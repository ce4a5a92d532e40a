//! Clients that mean no good, or that the network has cut off: on a relayed session, and on a WebSocket of the Responses API.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::responses::{connect, create, hear};
use super::tools::{Client, Provider, Socket, close_of};
use crate::gateway::Gateway;
use crate::wire::PATIENCE;

/// The head of a frame of 2 GiB of text.
const TWO_GIB: [u8; 14] = [0x81, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 1, 2, 3, 4];

fn chat() -> Upstream {
    Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])))
}

/// Reads over pings and pongs, up to an event of this kind.
fn hear_kind(socket: &mut Socket, kind: &str) {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) if crate::json(&text)["type"] == kind => return,
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_too_large_is_refused_by_its_announcement() {
    let gateway = Gateway::start();
    let (provider, upstream) = (Provider::echo(), chat());
    let before = gateway.resident_kib();
    let relayed = Client::new("/v1/realtime?model=m").at(&provider, "openai").to(&gateway).0;
    for mut socket in [relayed, connect(&gateway, &upstream, "mistral")] {
        socket.get_mut().write_all(&TWO_GIB).unwrap();
        assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1009));
    }
    assert!(gateway.resident_kib() < before + (8 << 10), "{} KiB", gateway.resident_kib() - before);
}

#[test]
fn pieces_without_end_are_one_message() {
    let gateway = Gateway::with("websockets: { message_bytes: 1MiB }");
    let upstream = chat();
    let mut socket = connect(&gateway, &upstream, "mistral");
    let content = vec![b' '; 60_000];
    for number in 0..20 {
        let head = [if number == 0 { 0x01 } else { 0x00 }, 0xfe, 0xea, 0x60, 0, 0, 0, 0];
        if socket.get_mut().write_all(&[&head[..], &content].concat()).is_err() {
            break;
        }
    }
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1009));
}

/// A client that says nothing more, and has not said so.
#[test]
fn a_half_closed_client_has_left() {
    let gateway = Gateway::start();
    let (sender, left) = std::sync::mpsc::channel();
    let provider = Provider::serve(move |mut socket| sender.send(close_of(&mut socket)).unwrap());
    let (socket, _) = Client::new("/v1/realtime?model=m").at(&provider, "openai").to(&gateway);
    socket.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_eq!(left.recv_timeout(PATIENCE).unwrap().map(|(code, _)| code), Some(1001));
    let stalled = Upstream::always(
        Answer::stream_in([format!("data: {}\n\n", openai::chunk(&json!({"content": "x"}), &json!(null)))])
            .then(Step::Stall),
    );
    let mut socket = connect(&gateway, &stalled, "mistral");
    create(&mut socket, &json!({"input": "x"}));
    assert_eq!(hear(&mut socket)["type"], "response.created");
    socket.get_ref().shutdown(Shutdown::Write).unwrap();
    assert!(stalled.wait_for_leaving(1, PATIENCE));
}

/// Nobody reads the pongs.
#[test]
fn a_flood_of_pings_takes_no_memory_and_no_turn() {
    const PINGS: usize = 400_000;
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    let flood = ping.repeat(100);
    let gateway = Gateway::start();
    let upstream = chat();
    let mut socket = connect(&gateway, &upstream, "mistral");
    let mut other = connect(&gateway, &upstream, "mistral");
    // What the first answer of a process takes is not the flood's.
    create(&mut other, &json!({"input": "x"}));
    hear_kind(&mut other, "response.completed");
    let before = gateway.resident_kib();
    // Sooner or later no more of it is taken: a client that does not read what it asks for is not read either.
    socket.get_ref().set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let taken = (0..PINGS / 100).take_while(|_| socket.get_mut().write_all(&flood).is_ok()).count();
    assert!(taken < PINGS / 100);
    create(&mut other, &json!({"input": "x"}));
    hear_kind(&mut other, "response.completed");
    assert!(gateway.resident_kib() < before + (8 << 10), "{} KiB", gateway.resident_kib() - before);
}

#[test]
fn a_flood_of_what_makes_no_sense_is_not_piled_up() {
    const EVENTS: usize = 20_000;
    let gateway = Gateway::with("websockets: { idle: 2s }");
    let upstream = chat();
    let mut socket = connect(&gateway, &upstream, "mistral");
    socket.get_ref().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let before = gateway.resident_kib();
    let steer = json!({"type": "response.steer", "previous_response_id": "resp_x", "input": "x".repeat(500)});
    // Of none of it the answer is read: sooner or later no more is taken.
    for _ in 0..EVENTS {
        if socket.send(Message::text(steer.to_string())).is_err() {
            break;
        }
    }
    assert!(gateway.resident_kib() < before + (8 << 10), "{} KiB", gateway.resident_kib() - before);
    // A client that takes nothing is let go.
    std::thread::sleep(Duration::from_secs(3));
    let mut heard = 0;
    while socket.read().is_ok() {
        heard += 1;
    }
    assert!(heard < EVENTS, "{heard}");
}

/// `permessage-deflate` (RFC 7692): nobody who offers it is agreed with, nobody is made an offer, and whoever compresses all the same
/// breaks the protocol.
#[test]
fn compression_is_declined_both_ways() {
    const OFFER: &str = "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame";
    /// "Hello" compressed, as RFC 7692 has it (section 7.2.3.1): the first reserved bit is set.
    const HELLO: [u8; 9] = [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let gateway = Gateway::start();
    let upstream = chat();
    let provider = Provider::serve(|mut socket| {
        socket.get_mut().write_all(&HELLO).unwrap();
        close_of(&mut socket);
    });
    let relayed = Client::new("/v1/realtime?model=m").at(&provider, "openai");
    let (mut socket, agreed) = relayed.header("sec-websocket-extensions", OFFER).to(&gateway);
    assert!(!agreed.headers().contains_key("sec-websocket-extensions"));
    assert_eq!(provider.last().header("sec-websocket-extensions"), None);
    let (code, reason) = close_of(&mut socket).expect("words");
    assert!(code == 1011 && reason.contains("extension"), "{code} {reason}");
    let served = Client::new("/v1/responses")
        .header("x-ostia-provider", "mistral")
        .header("x-ostia-custom-host", &upstream.url())
        .header("authorization", "Bearer sk-client")
        .header("sec-websocket-extensions", OFFER);
    let (mut socket, agreed) = served.to(&gateway);
    assert!(!agreed.headers().contains_key("sec-websocket-extensions"));
    create(&mut socket, &json!({"input": "x"}));
    hear_kind(&mut socket, "response.completed");
    // What a handshake says is nothing for the provider that is asked by HTTP.
    for name in ["sec-websocket-extensions", "sec-websocket-version"] {
        assert_eq!(upstream.last().header(name), None, "{name}");
    }
    let masked = [&[HELLO[0], 0x80 | HELLO[1], 0, 0, 0, 0][..], &HELLO[2..]].concat();
    socket.get_mut().write_all(&masked).unwrap();
    assert_eq!(close_of(&mut socket).map(|(code, _)| code), Some(1002));
}
