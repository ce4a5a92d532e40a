//! Clients that ask all at once, rest, and ask again: their connections upstream come to rest together, so that their age
//! is known when they are used again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{FRAMINGS, HANG};
use crate::data_of;
use crate::fetch::{End, Fetch, Heard};
use crate::wire::{Ask, Reply};

/// Beyond this a client waits no longer; that something hangs is known before.
const PATIENCE: Duration = Duration::from_secs(8);
/// A body that does not fit into the buffers of a connection.
const LONG_BODY_BYTES: usize = 6 << 20;
/// One of so many requests has a long body, where some shall.
const LONG_BODY_EVERY: usize = 20;

/// Clients of one server.
#[derive(Debug)]
pub struct Crowd {
    pub server: String,
    pub clients: usize,
    /// How often each of them asks.
    pub rounds: usize,
    /// How long all rest between two rounds.
    pub rest: fn(&mut Rng) -> Duration,
    /// Some requests are longer than what a connection holds.
    pub long_bodies: bool,
}

/// What became of one request.
#[derive(Debug)]
pub struct Told {
    /// Unique, and part of the body.
    pub id: String,
    /// `None`: no answer came.
    pub status: Option<u16>,
    /// The answer is whole and says the id, or is an error that says why.
    pub is_right: bool,
    pub took: Duration,
    text: String,
}

impl Told {
    /// Answered in time, with its own words.
    pub fn is_good(&self) -> bool {
        self.is_right && self.status == Some(200) && self.took < HANG
    }

    /// Refused in time, with a reason.
    pub fn is_refused(&self) -> bool {
        self.is_right && self.status == Some(502) && self.took < HANG
    }

    /// For people.
    pub fn words(&self) -> String {
        format!("{}: {:?} after {:?}: {}", self.id, self.status, self.took, self.text)
    }
}

/// Runs all crowds at once; what each was told.
pub fn run(gateway: SocketAddr, crowds: Vec<Crowd>, seed: u64) -> Vec<Vec<Told>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = crowds
            .into_iter()
            .zip(seed..)
            .map(|(crowd, seed)| tokio::spawn(crowd.run(gateway, Rng::with_seed(seed))))
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.push(task.await.unwrap());
        }
        all
    })
}

impl Crowd {
    async fn run(self, gateway: SocketAddr, mut rng: Rng) -> Vec<Told> {
        let mut idle = Vec::new();
        for _ in 0..self.clients {
            idle.push(Fetch::connect(gateway).await);
        }
        let mut all = Vec::new();
        for round in 0..self.rounds {
            let mut asking = JoinSet::new();
            for (number, client) in idle.drain(..).enumerate() {
                let id = format!("id-{}-{}", self.server, round * self.clients + number);
                let framing = FRAMINGS[rng.usize(0..FRAMINGS.len())];
                let ask = self.ask(framing, &id, self.long_bodies && rng.usize(0..LONG_BODY_EVERY) == 0);
                asking.spawn(one(client, gateway, ask, id, framing));
            }
            for (client, told) in asking.join_all().await {
                idle.push(client);
                all.push(told);
            }
            if all.iter().any(|told: &Told| told.took > HANG) {
                // That is a failure, and more of it would take hours.
                break;
            }
            sleep((self.rest)(&mut rng)).await;
        }
        all
    }

    fn ask(&self, framing: &str, id: &str, long: bool) -> Ask {
        let body = json!({
            "model": format!("@{}-{framing}/m", self.server),
            "messages": [{"role": "user", "content": id}],
            "stream": framing == "events",
            "user": "u".repeat(if long { LONG_BODY_BYTES } else { 0 }),
        });
        Ask::post("/v1/chat/completions", body.to_string())
    }
}

async fn one(
    mut client: Fetch,
    gateway: SocketAddr,
    ask: Ask,
    id: String,
    framing: &'static str,
) -> (Fetch, Told) {
    let start = Instant::now();
    client.send(&ask).await;
    let heard = client.next(PATIENCE).await;
    let took = start.elapsed();
    if heard.end != End::Whole {
        client = Fetch::connect(gateway).await;
    }
    (client, told(id, heard, took, framing))
}

fn told(id: String, heard: Heard, took: Duration, framing: &str) -> Told {
    let text = String::from_utf8_lossy(&heard.raw).into_owned();
    let Some(reply) = heard.reply else { return Told { id, status: None, is_right: false, took, text } };
    let is_right = reply.whole && heard.surplus_bytes == 0 && says(&reply, framing, &id);
    Told { id, status: Some(reply.status), is_right, took, text }
}

/// Does an answer say this, or an error why there is none?
fn says(reply: &Reply, framing: &str, id: &str) -> bool {
    match (reply.status, framing) {
        (200, "events") => {
            let events = data_of(reply.text());
            let [event, "[DONE]"] = events[..] else { return false };
            crate::json(event)["choices"][0]["delta"]["content"] == id
        }
        (200, _) => reply.json()["choices"][0]["message"]["content"] == id,
        _ => reply.json()["error"]["message"].as_str().is_some_and(|message| !message.is_empty()),
    }
}
