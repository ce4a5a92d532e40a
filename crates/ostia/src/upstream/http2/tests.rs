//! When a server is asked whether it is there, and when it is given up.
#![allow(clippy::unwrap_used, clippy::panic)]

use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::*;
use crate::timer::set_clock::{Peer, SETTINGS, SetClock, settle};

const MOMENT: Duration = Duration::from_millis(1);
/// What a client begins with: the preface (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;

/// A server that has a request to answer, and what becomes of it.
async fn server(clock: &SetClock) -> (Peer, oneshot::Receiver<Result<(), hyper::Error>>) {
    let (own, other) = tokio::io::duplex(64 << 10);
    let handshake = builder(Rc::default(), clock.clone()).handshake(TokioIo::new(own));
    let (mut sender, driver) = handshake.await.unwrap();
    tokio::task::spawn_local(async move { drop(driver.await) });
    let (outcome, becomes) = oneshot::channel();
    tokio::task::spawn_local(async move {
        let request = Request::get("http://127.0.0.1/").body(RequestBody::Full(None)).unwrap();
        let _ = outcome.send(sender.send_request(request).await.map(drop));
    });
    let mut server = Peer(other);
    server.0.read_exact(&mut [0; PREFACE_BYTES]).await.unwrap();
    server.say(SETTINGS).await;
    assert_eq!(server.pings().await, Some(Vec::new()), "too early");
    (server, becomes)
}

#[tokio::test]
async fn a_server_that_does_not_say_that_it_is_there_is_given_up() {
    let clock = SetClock::new();
    let tried = async {
        let (mut server, mut becomes) = server(&clock).await;
        clock.pass(PING_AFTER - MOMENT).await;
        assert_eq!(server.pings().await, Some(Vec::new()), "asked too early");
        clock.pass(MOMENT).await;
        assert_eq!(server.pings().await.map(|pings| pings.len()), Some(1), "not asked");
        clock.pass(PING_TIMEOUT - MOMENT).await;
        assert!(becomes.try_recv().is_err(), "given up too early");
        clock.pass(MOMENT).await;
        assert!(becomes.try_recv().is_ok_and(|outcome| outcome.is_err()), "not given up");
        assert_eq!(server.pings().await, None, "not closed");
    };
    LocalSet::new().run_until(tried).await;
}

#[tokio::test]
async fn a_server_that_says_that_it_is_there_is_waited_for() {
    let clock = SetClock::new();
    let tried = async {
        let (mut server, mut becomes) = server(&clock).await;
        for round in 0..10 {
            clock.pass(PING_AFTER).await;
            let pings = server.pings().await.unwrap_or_else(|| panic!("given up in round {round}"));
            assert_eq!(pings.len(), 1, "round {round}");
            clock.pass(PING_TIMEOUT - MOMENT).await;
            server.answer(pings[0]).await;
        }
        settle().await;
        assert!(becomes.try_recv().is_err(), "given up");
    };
    LocalSet::new().run_until(tried).await;
}
