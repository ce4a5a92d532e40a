//! A WebSocket between a client and a provider.
//!
//! Each side is read only when the other has taken what came before. When one side goes, so does the other: with the same words where
//! it said some.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use ostia_dialect::{Fault, FaultKind, Observed};
use tokio::io::split;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::direction::{Direction, Ended};
use super::frames::{Bounds, Frames, Sender};
use super::observe::Observer;
use super::served::{End, Served, Session, Signals};
use crate::client::socket::Channel;
use crate::config::settings::WebSocketLimits;
use crate::upstream::Switched;

/// How long the other side may take to close the connection, too.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// The session that a provider has agreed to. `provider`: its id, for the log.
pub fn relay(upstream: Switched, limits: WebSocketLimits, provider: &str) -> Served {
    let provider = provider.to_owned();
    Served::new(move |client, unread, signals| {
        Box::pin(run(client, unread, upstream, limits, provider, signals))
    })
}

/// Why nothing passes any more, while both sides may still be there.
enum Over {
    /// What the client says has come to its end.
    Client(Ended),
    /// What the provider says has.
    Upstream(Ended),
    Idle,
    TooLong,
    Stopped,
}

/// Hands on what both sides say, until one goes; then lets the other one go.
async fn run(
    client: Channel,
    unread: Bytes,
    upstream: Switched,
    limits: WebSocketLimits,
    provider: String,
    signals: Signals,
) -> Session {
    let bounds =
        Bounds { frame_bytes_max: limits.frame_bytes_max, message_bytes_max: limits.message_bytes_max };
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(upstream.stream);
    let up = Frames::new(Sender::Client, bounds, None);
    let down = Frames::new(Sender::Server, bounds, Some(Observer::default()));
    let mut up = Direction::new(from_client, to_upstream, up, unread, limits.idle);
    let mut down = Direction::new(from_upstream, to_client, down, upstream.unread, limits.idle);
    let last = Cell::new(Instant::now());
    let over = tokio::select! {
        ended = up.run(&last) => Over::Client(ended),
        ended = down.run(&last) => Over::Upstream(ended),
        over = too_long(&last, limits) => over,
        () = signals.stop.notified() => Over::Stopped,
    };
    // One has closed it: the other answers that, and may say something before.
    match &over {
        Over::Client(Ended::Closed) => drop(timeout(CLOSE_MAX, down.run(&last)).await),
        Over::Upstream(Ended::Closed) => drop(timeout(CLOSE_MAX, up.run(&last)).await),
        _ => {}
    }
    let [to_client, to_upstream] = last_words(&over);
    tokio::join!(down.close(to_client, Sender::Client), up.close(to_upstream, Sender::Server));
    up.drain().await;
    let observer = down.frames.observer().map(|observer| &*observer);
    let observed = observer.map(|observer| Observed::of_session(observer.spent())).unwrap_or_default();
    Session { end: end(over, limits, &provider), observed }
}

/// Waits until nothing has passed for too long, or it has been open for too long.
async fn too_long(last: &Cell<Instant>, limits: WebSocketLimits) -> Over {
    let until = Instant::now() + limits.total;
    loop {
        let idle = last.get() + limits.idle;
        let now = Instant::now();
        if now >= until {
            return Over::TooLong;
        }
        if now >= idle {
            return Over::Idle;
        }
        sleep_until(idle.min(until)).await;
    }
}

/// What the client and the provider hear of it, where they have not heard it from each other. Codes: RFC 6455, section 7.4, and
/// <https://www.iana.org/assignments/websocket>.
fn last_words(over: &Over) -> [Option<CloseFrame>; 2] {
    let say = |code, reason: &'static str| Some(CloseFrame { code, reason: reason.into() });
    let away = || say(CloseCode::Away, "");
    match over {
        // Whoever has heard it is not told again.
        Over::Client(Ended::Closed) | Over::Upstream(Ended::Closed) => {
            [say(CloseCode::Normal, ""), say(CloseCode::Normal, "")]
        }
        Over::Client(Ended::Refused(fault)) => [say(fault.code, fault.reason), away()],
        Over::Upstream(Ended::Refused(fault)) => {
            [say(CloseCode::Error, fault.reason), say(fault.code, fault.reason)]
        }
        // The provider takes nothing any more, or went.
        Over::Client(Ended::NotTaken) | Over::Upstream(Ended::Left) => {
            // 1014, which says that of a gateway, is taken for an error of the protocol by clients that do not know it.
            [say(CloseCode::Error, "the provider's connection broke"), away()]
        }
        Over::Client(Ended::Left) | Over::Upstream(Ended::NotTaken) => [None, away()],
        Over::Idle => [say(CloseCode::Away, "nothing passed for too long (websockets.idle)"), away()],
        Over::TooLong => [say(CloseCode::Away, "it was open for too long (websockets.total)"), away()],
        Over::Stopped => [say(CloseCode::Restart, "the gateway is shutting down"), away()],
    }
}

fn end(over: Over, limits: WebSocketLimits, provider: &str) -> End {
    let ours = |kind, message: String, code| End::Ours(Fault::new(kind, message).with_code(code));
    match over {
        Over::Client(Ended::Closed) | Over::Upstream(Ended::Closed) => End::Closed,
        Over::Client(Ended::Left) | Over::Upstream(Ended::NotTaken) => End::ClientLeft,
        Over::Client(Ended::Refused(fault)) => ours(
            FaultKind::InvalidRequest,
            format!("A frame of the client's was refused: {}.", fault.reason),
            "websocket_frame_refused",
        ),
        Over::Upstream(Ended::Refused(fault)) => End::Upstream(
            Fault::upstream(format!("A frame of provider `{provider}` was refused: {}.", fault.reason))
                .with_code("websocket_frame_refused"),
        ),
        Over::Client(Ended::NotTaken) | Over::Upstream(Ended::Left) => End::Upstream(
            Fault::upstream(format!("The WebSocket of provider `{provider}` broke off."))
                .with_code("websocket_broken"),
        ),
        Over::Idle => ours(
            FaultKind::Timeout,
            format!("Nothing passed for {} s (websockets.idle).", limits.idle.as_secs()),
            "websocket_idle",
        ),
        Over::TooLong => ours(
            FaultKind::Timeout,
            format!("It was open for {} s (websockets.total).", limits.total.as_secs()),
            "websocket_too_long",
        ),
        Over::Stopped => {
            ours(FaultKind::Overloaded, "The gateway is shutting down.".to_owned(), "gateway_stopping")
        }
    }
}
