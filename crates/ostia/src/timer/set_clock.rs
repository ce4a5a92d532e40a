//! A clock that stands still until a test sets it, for what the HTTP library does after minutes.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::yield_now;

/// How often the tasks of a test get a turn after the clock was set: more than they need.
const TURNS: usize = 100;

/// A clock that stands still.
#[derive(Debug, Clone)]
pub struct SetClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Instant,
    sleepers: Vec<Waker>,
}

impl SetClock {
    /// It shows the present time.
    pub fn new() -> SetClock {
        SetClock(Arc::new(Mutex::new(State { now: Instant::now(), sleepers: Vec::new() })))
    }

    /// Sets it forward, and lets all tasks do what they then have to do.
    pub async fn pass(&self, time: Duration) {
        let sleepers = {
            let mut state = self.0.lock().unwrap();
            state.now += time;
            std::mem::take(&mut state.sleepers)
        };
        sleepers.into_iter().for_each(Waker::wake);
        settle().await;
    }
}

/// Lets all tasks do what they have to do.
pub async fn settle() {
    for _ in 0..TURNS {
        yield_now().await;
    }
}

impl Timer for SetClock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { clock: self.clone(), deadline })
    }

    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }
}

struct Until {
    clock: SetClock,
    deadline: Instant,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.0.lock().unwrap();
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        state.sleepers.push(context.waker().clone());
        Poll::Pending
    }
}

/// The other side of an HTTP/2 connection, frame by frame (RFC 9113, section 4.1).
pub struct Peer(pub DuplexStream);

/// `SETTINGS` without any, and the other side's acknowledged.
pub const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
/// The type of a frame that asks whether the other side is there.
const PING: u8 = 6;
const HEAD_BYTES: usize = 9;

impl Peer {
    /// Sends frames.
    pub async fn say(&mut self, frames: &[u8]) {
        self.0.write_all(frames).await.unwrap();
        settle().await;
    }

    /// What has come meanwhile: the pings in it; `None` where nothing more can come.
    pub async fn pings(&mut self) -> Option<Vec<[u8; 8]>> {
        let mut bytes = Vec::new();
        let is_open = loop {
            let mut buffer = [0; 4096];
            tokio::select! {
                biased;
                read = self.0.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break false,
                    Ok(length) => bytes.extend_from_slice(&buffer[..length]),
                },
                () = std::future::ready(()) => break true,
            }
        };
        is_open.then(|| pings(&bytes))
    }

    /// Says that it is there.
    pub async fn answer(&mut self, ping: [u8; 8]) {
        let mut frame = vec![0, 0, 8, PING, 1, 0, 0, 0, 0];
        frame.extend_from_slice(&ping);
        self.say(&frame).await;
    }
}

/// The pings among whole frames.
fn pings(mut bytes: &[u8]) -> Vec<[u8; 8]> {
    let mut pings = Vec::new();
    while let [high, middle, low, kind, flags, ..] = *bytes {
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let (frame, rest) = bytes.split_at(HEAD_BYTES + length);
        if kind == PING && flags & 1 == 0 {
            pings.push(frame[HEAD_BYTES..].try_into().unwrap());
        }
        bytes = rest;
    }
    pings
}
