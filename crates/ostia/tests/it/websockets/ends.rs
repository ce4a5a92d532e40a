//! When one side goes, so does the other, and hears why.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use super::tools::{Client, Provider, close, close_of};
use crate::gateway::Gateway;
use crate::wire::PATIENCE;

const REALTIME: &str = "/v1/realtime?model=m";

/// A provider that tells how the other side closes.
fn listening() -> (Provider, Receiver<Option<(u16, String)>>) {
    let (sender, closes) = channel();
    let provider = Provider::serve(move |mut socket| {
        let _ = socket.send(Message::text("ready"));
        let _ = sender.send(close_of(&mut socket));
    });
    (provider, closes)
}

#[test]
fn the_client_closes() {
    let gateway = Gateway::start();
    let (provider, closes) = listening();
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    socket.close(close(4000, "that was all")).unwrap();
    assert_eq!(close_of(&mut socket), Some((4000, "that was all".to_owned())));
    assert_eq!(closes.recv_timeout(PATIENCE).unwrap(), Some((4000, "that was all".to_owned())));
}

#[test]
fn the_provider_closes() {
    let gateway = Gateway::start();
    let provider = Provider::serve(|mut socket| {
        socket.close(close(3000, "session expired")).unwrap();
        close_of(&mut socket);
    });
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    assert_eq!(close_of(&mut socket), Some((3000, "session expired".to_owned())));
}

#[test]
fn the_client_goes_without_a_word() {
    let gateway = Gateway::start();
    let (provider, closes) = listening();
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    assert_eq!(socket.read().unwrap(), Message::text("ready"));
    drop(socket);
    assert_eq!(closes.recv_timeout(PATIENCE).unwrap(), Some((1001, String::new())));
}

#[test]
fn the_provider_goes_without_a_word() {
    let gateway = Gateway::start();
    let provider = Provider::serve(|mut socket| {
        let _ = socket.read();
    });
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    socket.send(Message::text("go")).unwrap();
    let (code, reason) = close_of(&mut socket).unwrap();
    assert!(code == 1011 && reason.contains("provider"), "{code} {reason}");
}

#[test]
fn the_gateway_stops() {
    let mut gateway = Gateway::with("timeouts: { drain: 300ms }");
    let (provider, closes) = listening();
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    assert_eq!(socket.read().unwrap(), Message::text("ready"));
    let asked = Instant::now();
    gateway.terminate();
    let (code, _) = close_of(&mut socket).unwrap();
    assert_eq!(code, 1012);
    // What is open has its time before it is cut.
    assert!(asked.elapsed() >= Duration::from_millis(300), "{:?}", asked.elapsed());
    assert_eq!(closes.recv_timeout(PATIENCE).unwrap(), Some((1001, String::new())));
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
}

#[test]
fn a_session_ends_while_the_gateway_stops() {
    let mut gateway = Gateway::with("timeouts: { drain: 20s }");
    let (provider, _closes) = listening();
    let (mut socket, _) = Client::new(REALTIME).at(&provider, "openai").to(&gateway);
    assert_eq!(socket.read().unwrap(), Message::text("ready"));
    gateway.terminate();
    std::thread::sleep(Duration::from_millis(100));
    socket.close(close(1000, "")).unwrap();
    assert_eq!(close_of(&mut socket), Some((1000, String::new())));
    assert!(gateway.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
}
