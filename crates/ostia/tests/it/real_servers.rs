//! Kept connections that the other side closes: by real servers, which close idle ones, and by scripted ones, which close
//! at the worst moments. Ten thousand requests in all: none hangs, none is sent twice, and none fails that need not.
//!
//! A request is a POST, so that one whose bytes a server may have read must not be repeated: then 502 is right.

mod crowd;
mod scripted;
mod started;

use std::time::Duration;

use fastrand::Rng;

use crate::gateway::Gateway;
use crowd::{Crowd, Told};
use scripted::{Close, Kind, Scripted, When};
use started::Started;

/// Where all random numbers come from.
const SEED: u64 = 20_261_128;
/// How an answer's end is known: the first part of the path at every server here.
const FRAMINGS: [&str; 3] = ["length", "chunked", "events"];
/// A request that takes so long hangs.
const HANG: Duration = Duration::from_secs(5);
/// Problems that are shown.
const SHOWN_MAX: usize = 12;

const REAL_CLIENTS: usize = 20;
const REAL_ROUNDS: usize = 67;
const SCRIPTED_CLIENTS: usize = 11;
const SCRIPTED_ROUNDS: usize = 50;
const HINTED_CLIENTS: usize = 10;
const HINTED_ROUNDS: usize = 27;

/// Mostly short. A long rest is clearly shorter or longer than the second after which the servers close: a request that
/// meets a server in that very moment may be read or not, and nobody can say which. (Python closes what it did not read.)
fn real_rest(rng: &mut Rng) -> Duration {
    Duration::from_millis(match rng.u8(0..8) {
        0 => rng.u64(300..700),
        1 => rng.u64(1300..1600),
        _ => rng.u64(0..40),
    })
}

#[test]
fn servers_that_close_idle_connections() {
    let servers: Vec<Started> =
        [Started::uvicorn(), Started::node(), Started::nginx(), Started::http_server()]
            .into_iter()
            .flatten()
            .collect();
    let gateway = gateway(servers.iter().map(|server| (server.name, server.address.to_string())));
    let crowds = servers.iter().map(|server| Crowd {
        server: server.name.into(),
        clients: REAL_CLIENTS,
        rounds: REAL_ROUNDS,
        rest: real_rest,
        long_bodies: false,
    });
    let told = crowd::run(gateway.address, crowds.collect(), SEED);
    let mut problems = Vec::new();
    for (server, told) in servers.iter().zip(&told) {
        problems.extend(told.iter().filter(|told| !told.is_good()).map(|told| told.words()));
        problems.extend(server.log_problems(told));
    }
    check(&problems, &gateway);
}

fn short_rest(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(0..30))
}

#[test]
fn servers_that_close_at_the_worst_moment() {
    let kinds = [When::AnswerSent, When::Idle, When::RequestArrives, When::HalfHeadSent]
        .into_iter()
        .flat_map(|when| [Close::Fin, Close::Rst].map(|close| Kind { when, close }));
    let servers = Scripted::start(kinds.collect(), SEED);
    let gateway = gateway(servers.all.iter().map(|server| (&*server.name, server.address.to_string())));
    let crowds = servers.all.iter().map(|server| Crowd {
        server: server.name.clone(),
        clients: SCRIPTED_CLIENTS,
        rounds: SCRIPTED_ROUNDS,
        rest: short_rest,
        long_bodies: server.kind.when == When::RequestArrives,
    });
    let told = crowd::run(gateway.address, crowds.collect(), SEED);
    let problems: Vec<String> =
        servers.all.iter().zip(&told).flat_map(|(server, told)| server.problems(told)).collect();
    check(&problems, &gateway);
}

/// Mostly around the second that the server promises.
fn hinted_rest(rng: &mut Rng) -> Duration {
    Duration::from_millis(match rng.u8(0..3) {
        0 => rng.u64(0..400),
        _ => rng.u64(900..1100),
    })
}

#[test]
fn a_server_that_says_how_long_it_keeps_connections() {
    let servers = Scripted::start(vec![Kind { when: When::AfterOneSecond, close: Close::Rst }], SEED);
    let server = &servers.all[0];
    let gateway = gateway([(&*server.name, server.address.to_string())].into_iter());
    let crowd = Crowd {
        server: server.name.clone(),
        clients: HINTED_CLIENTS,
        rounds: HINTED_ROUNDS,
        rest: hinted_rest,
        long_bodies: false,
    };
    let told = crowd::run(gateway.address, vec![crowd], SEED);
    // No excuse: it said when it would close.
    let bad = told.iter().flatten().filter(|told| !told.is_good());
    let problems: Vec<String> = bad.map(Told::words).chain(server.problems(&told[0])).collect();
    check(&problems, &gateway);
}

/// A gateway that knows each server by three names, one for each framing.
fn gateway<'a>(servers: impl Iterator<Item = (&'a str, String)>) -> Gateway {
    let row = |name: &str, address: &str, framing: &str| {
        format!(
            "  {name}-{framing}: {{base_url: \"http://{address}/{framing}/v1\", local: true, dialects: [openai_chat]}}\n"
        )
    };
    let rows = servers.flat_map(|(name, address)| FRAMINGS.map(|framing| row(name, &address, framing)));
    Gateway::with(&format!("providers:\n{}", rows.collect::<String>()))
}

fn check(problems: &[String], gateway: &Gateway) {
    let shown = problems[..problems.len().min(SHOWN_MAX)].join("\n");
    assert!(
        problems.is_empty(),
        "seed {SEED}: {} problems, such as\n{shown}\nthe gateway:\n{}",
        problems.len(),
        gateway.printed()
    );
}
