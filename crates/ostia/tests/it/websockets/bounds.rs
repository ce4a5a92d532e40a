//! Bounds: on frames and messages, on silence and on time, and on what waits for a side that does not read.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use super::tools::{Client, Provider, close_of};
use crate::gateway::{Gateway, Setup};

const REALTIME: &str = "/v1/realtime?model=m";

/// How a session ends in which the client does this.
fn check(file: &str, client: impl FnOnce(&mut super::tools::Socket), code: u16, word: &str) {
    let gateway = Setup::new().config(file).arg("--log").arg("access=info").start();
    let provider = Provider::echo();
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    client(&mut socket);
    let (told, reason) = close_of(&mut socket).expect("words");
    assert!(told == code && reason.contains(word), "{told} {reason}");
    gateway.says("/v1/realtime");
}

#[test]
fn frames_and_messages_have_bounds() {
    let file = "websockets: { frame_bytes: 64KiB, message_bytes: 1MiB }";
    check(file, |socket| drop(socket.send(Message::binary(vec![0; 70_000]))), 1009, "websockets.frame_bytes");
    // The head alone says that it is too large: nobody waits for the rest.
    let head = [0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    check(file, |socket| socket.get_mut().write_all(&head).unwrap(), 1009, "websockets.frame_bytes");
    let pieces = |socket: &mut super::tools::Socket| {
        let content = vec![0_u8; 60_000];
        for number in 0..20 {
            let head = [if number == 0 { 0x02 } else { 0x00 }, 0xfe, 0xea, 0x60, 0, 0, 0, 0];
            if socket.get_mut().write_all(&[&head[..], &content].concat()).is_err() {
                return;
            }
        }
    };
    check(file, pieces, 1009, "websockets.message_bytes");
}

#[test]
fn frames_of_a_client_are_masked() {
    check("", |socket| socket.get_mut().write_all(&[0x81, 2, b'h', b'i']).unwrap(), 1002, "masked");
    check("", |socket| socket.get_mut().write_all(&[0xc1, 0x80, 0, 0, 0, 0]).unwrap(), 1002, "extension");
    check("", |socket| socket.get_mut().write_all(&[0x83, 0x80, 0, 0, 0, 0]).unwrap(), 1002, "unknown");
}

#[test]
fn silence_and_time_have_bounds() {
    check("websockets: { idle: 300ms }", |_| {}, 1001, "websockets.idle");
    let talk = |socket: &mut super::tools::Socket| {
        for _ in 0..8 {
            let _ = socket.send(Message::text("still here"));
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    check("websockets: { idle: 400ms, total: 600ms }", talk, 1001, "websockets.total");
}

#[test]
fn a_side_that_does_not_read_holds_up_the_other() {
    const PIECE: usize = 64 << 10;
    const PIECES: usize = 2000;
    let gateway = Gateway::start();
    let sent = Arc::<AtomicUsize>::default();
    let counted = sent.clone();
    let provider = Provider::serve(move |mut socket| {
        for _ in 0..PIECES {
            if socket.send(Message::binary(vec![7; PIECE])).is_err() {
                return;
            }
            counted.fetch_add(1, Ordering::SeqCst);
        }
        close_of(&mut socket);
    });
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    let before = gateway.resident_kib();
    std::thread::sleep(Duration::from_millis(700));
    let waiting = sent.load(Ordering::SeqCst);
    // What the kernels hold of it: two sockets' buffers.
    assert!(waiting < PIECES / 2, "{waiting} of {PIECES} were taken");
    assert!(gateway.resident_kib() < before + (4 << 10), "{} KiB", gateway.resident_kib() - before);
    for _ in 0..PIECES {
        assert_eq!(socket.read().unwrap().len(), PIECE);
    }
    assert_eq!(sent.load(Ordering::SeqCst), PIECES);
}

#[test]
fn a_client_that_never_reads_is_let_go() {
    let gateway = Gateway::with("websockets: { idle: 500ms }");
    let (sender, ended) = std::sync::mpsc::channel();
    let provider = Provider::serve(move |mut socket| {
        while socket.send(Message::binary(vec![7; 64 << 10])).is_ok() {}
        let _ = sender.send(());
    });
    let (socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    ended.recv_timeout(crate::wire::PATIENCE).unwrap();
    drop(socket);
}

#[test]
fn open_sockets_count_as_connections() {
    let gateway = Gateway::with("limits: { connections: 2 }");
    let provider = Provider::echo();
    let (mut one, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    let (two, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    let gateway = Arc::new(gateway);
    let (url, third) = (provider.url(), gateway.clone());
    let waiting = std::thread::spawn(move || {
        let client = Client::new(REALTIME)
            .header("x-ostia-provider", "openai")
            .header("x-ostia-custom-host", &url)
            .header("authorization", "Bearer sk-1");
        client.to(&third).0
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished());
    drop(two);
    waiting.join().unwrap();
    one.send(Message::text("x")).unwrap();
    assert_eq!(one.read().unwrap(), Message::text("x"));
}
