//! When a client is asked whether it is there, and when its connection is left.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::convert::Infallible;
use std::future::pending;

use http_body_util::Empty;
use tokio::task::LocalSet;

use super::*;
use crate::client::Protocol;
use crate::timer::set_clock::{Peer, SETTINGS, SetClock};

/// `GET /` on the first stream, in fields of HPACK's static table (RFC 7541, appendix A).
const REQUEST: &[u8] = &[0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];
const MOMENT: Duration = Duration::from_millis(1);

/// A client that waits for its answer, for ever.
async fn client(clock: &SetClock) -> Peer {
    let limits = Limits {
        body_bytes_max: 1 << 20,
        header_bytes_max: 64 << 10,
        connections_max: 10,
        streams_max: 10,
        header_timeout: IDLE_MAX,
        body_timeout: IDLE_MAX,
    };
    let streams = Streams::new(Connection::new(None, Protocol::Http2, false), ConnectionLimit::new(10));
    let (own, other) = tokio::io::duplex(64 << 10);
    let service = service_fn(|_| pending::<Result<Response<Empty<Bytes>>, Infallible>>());
    let serving = builder(streams, &limits, clock.clone()).serve_connection(TokioIo::new(other), service);
    tokio::task::spawn_local(serving);
    let mut client = Peer(own);
    client.say(&[PREFACE, SETTINGS, REQUEST].concat()).await;
    assert_eq!(client.pings().await, Some(Vec::new()), "too early");
    client
}

#[tokio::test]
async fn a_client_that_does_not_say_that_it_is_there_is_left() {
    let clock = SetClock::new();
    let tried = async {
        let mut client = client(&clock).await;
        clock.pass(PING_AFTER - MOMENT).await;
        assert_eq!(client.pings().await, Some(Vec::new()), "asked too early");
        clock.pass(MOMENT).await;
        assert_eq!(client.pings().await.map(|pings| pings.len()), Some(1), "not asked");
        clock.pass(PING_WITHIN - MOMENT).await;
        assert_eq!(client.pings().await, Some(Vec::new()), "left too early");
        clock.pass(MOMENT).await;
        assert_eq!(client.pings().await, None, "not left");
    };
    LocalSet::new().run_until(tried).await;
}

#[tokio::test]
async fn a_client_that_says_that_it_is_there_is_waited_for() {
    let clock = SetClock::new();
    let tried = async {
        let mut client = client(&clock).await;
        for round in 0..10 {
            clock.pass(PING_AFTER).await;
            let pings = client.pings().await.unwrap_or_else(|| panic!("left in round {round}"));
            assert_eq!(pings.len(), 1, "round {round}");
            clock.pass(PING_WITHIN - MOMENT).await;
            client.answer(pings[0]).await;
        }
    };
    LocalSet::new().run_until(tried).await;
}

/// What is done at a look so long after the last request, and how long after it the next one is due.
#[test]
fn a_connection_without_requests_is_told_and_then_left() {
    let start = Instant::now();
    let check = |is_told: bool, is_draining: bool, idle: Option<Duration>, expected: &str| {
        let mut leave = Leave { is_told, ..Leave::begin(start) };
        let now = start + Duration::from_secs(1000);
        let idle_since = idle.map(|idle| now - idle);
        let word = match leave.look(now, idle_since, is_draining) {
            Next::Wait => "wait",
            Next::Tell => "tell",
            Next::End => "end",
        };
        assert_eq!(word, expected, "told: {is_told}, draining: {is_draining}, idle for {idle:?}");
        assert!(word != "wait" || leave.look_at > now, "it would not rest before the next look");
    };
    let before = |bound: Duration| Some(bound - MOMENT);
    check(false, false, before(IDLE_MAX), "wait");
    check(false, false, Some(IDLE_MAX), "tell");
    check(false, false, None, "wait");
    check(true, false, before(HEAD_DRAIN), "wait");
    check(true, false, Some(HEAD_DRAIN), "end");
    check(true, false, None, "wait");
    check(false, true, before(GOODBYE_AFTER), "wait");
    check(false, true, Some(GOODBYE_AFTER), "tell");
    check(true, true, Some(HEAD_DRAIN), "end");
}

#[test]
fn a_connection_is_looked_at_as_soon_as_it_may_be_idle_for_too_long() {
    let start = Instant::now();
    let mut leave = Leave::begin(start);
    assert_eq!(leave.look_at, start + IDLE_MAX);
    let idle_since = start + Duration::from_secs(10);
    assert!(matches!(leave.look(start + IDLE_MAX, Some(idle_since), false), Next::Wait));
    assert_eq!(leave.look_at, idle_since + IDLE_MAX);
}

#[test]
fn a_connection_that_is_cut_ends_whatever_is_under_way() {
    let start = Instant::now();
    let mut leave = Leave { cut_at: Some(start + LAST_WORDS), ..Leave::begin(start) };
    assert!(matches!(leave.look(start, None, true), Next::Wait));
    assert!(matches!(leave.look(start + LAST_WORDS, None, true), Next::End));
}
