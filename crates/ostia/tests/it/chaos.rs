//! Two thousand requests at once, through every way of carrying them, to a provider that fails in every way that it can.
//!
//! Each request has a marker of its own, which the provider repeats. Every client gets one whole answer with its own marker
//! or one clear error, in time, and nothing of anybody else's; afterwards the gateway is as it was.

mod case;
mod judge;
mod script;
mod speech;
mod upstream;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fetch::{Fetch, Heard};
use crate::gateway::Gateway;
use case::Case;
use ostia_testkit::model::Speech;
use upstream::Upstream;

/// Where all random numbers come from.
const SEED: u64 = 20_261_128;
const REQUESTS: usize = 2000;
/// Requests before the memory is measured for the first time; none of them fails.
const WARM_UP: usize = 200;
/// Requests at a time while memory is given back.
const CALM: usize = 20;
const CALM_PAUSE: Duration = Duration::from_millis(200);
/// The number of the last request of all.
const LAST: usize = WARM_UP + REQUESTS;
/// Every answer is here by then.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long the allocator has to give memory back.
const MEMORY_MAX: Duration = Duration::from_secs(20);
/// Two for each request on either side, and some for everything else.
const FILES_MIN: u64 = 2 * REQUESTS as u64 + 1000;
/// Problems that are shown.
const SHOWN_MAX: usize = 20;
/// Most bytes of an answer that are shown.
const TEXT_BYTES_MAX: usize = 1500;

#[test]
fn every_request_gets_one_answer_or_one_error() {
    allow_many_files();
    let warm_up: Vec<Case> = (0..WARM_UP).map(|number| Case::whole(number, SEED)).collect();
    let chaos: Vec<Case> = (WARM_UP..LAST).map(|number| Case::of(number, SEED)).collect();
    let last = vec![Case::whole(LAST, SEED)];
    let upstream = Upstream::start(&[&*warm_up, &*chaos, &*last].concat());
    let gateway = Gateway::with(&config(upstream.address));
    check(gateway.address, warm_up.clone());
    let idle_kib = gateway.resident_kib();
    check(gateway.address, chaos.clone());
    check_times_read(&upstream, &chaos);
    let end = Instant::now() + MEMORY_MAX;
    while gateway.resident_kib() > 2 * idle_kib && Instant::now() < end {
        // The allocator gives memory back while it is used.
        check(gateway.address, warm_up[..CALM].to_vec());
        thread::sleep(CALM_PAUSE);
    }
    let kib = gateway.resident_kib();
    assert!(kib <= 2 * idle_kib, "{idle_kib} KiB before, {kib} KiB afterwards");
    check(gateway.address, last);
}

/// Asks all at once, and looks at what they got.
fn check(gateway: SocketAddr, cases: Vec<Case>) {
    let (count, problems) = (cases.len(), problems(&ask_all(gateway, cases)));
    let shown = one_of_each(&problems);
    assert!(problems.is_empty(), "seed {SEED}: {} of {count}, such as\n{shown}", problems.len());
}

fn problems(asked: &[Asked]) -> Vec<String> {
    // Who left early did not see it all: it is the others who must not notice.
    let stayed = asked.iter().filter(|asked| asked.case.leaves_after.is_none());
    stayed.filter_map(|asked| Some(asked.words(&judge::judge(&asked.case, &asked.heard).err()?))).collect()
}

/// Was any request sent too often?
fn check_times_read(upstream: &Upstream, cases: &[Case]) {
    let too_often = |case: &&Case| upstream.times_read(case) > case.times_read_max();
    let problems: Vec<String> = cases
        .iter()
        .filter(too_often)
        .map(|case| format!("read {} times: {case:?}", upstream.times_read(case)))
        .collect();
    let shown = problems[..problems.len().min(SHOWN_MAX)].join("\n");
    assert!(problems.is_empty(), "seed {SEED}: {} requests were sent too often:\n{shown}", problems.len());
}

/// The first problem of each kind, which is what its first line says.
fn one_of_each(problems: &[String]) -> String {
    let kinds: BTreeMap<_, _> =
        problems.iter().rev().map(|problem| (problem.lines().next(), problem)).collect();
    kinds.into_values().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join("\n")
}

/// The gateway inherits it.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(FILES_MIN, |maximum| maximum.min(FILES_MIN));
    assert_eq!(current, FILES_MIN, "a process may not open {FILES_MIN} files here: raise `ulimit -Hn`");
    if limit.current.is_some_and(|current| current < FILES_MIN) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(FILES_MIN), ..limit }).unwrap();
    }
}

/// For each format a provider that fails as the case says, `main-...`, and one that never does, `spare-...`.
fn config(upstream: SocketAddr) -> String {
    let rows = ["main", "spare"].map(|role| {
        Speech::IN_EVENTS.map(|speech| {
            let (name, dialect) = (speech::name(speech), speech::dialect(speech));
            format!(
                "  {role}-{name}: {{base_url: \"http://{upstream}/{role}-{name}/v1\", local: true, dialects: [{dialect}]}}\n"
            )
        })
    });
    format!(
        "timeouts: {{connect: 5s, first_byte: {}ms, idle: {}ms, total: {}ms}}\nproviders:\n{}",
        script::FIRST_BYTE_TIMEOUT.as_millis(),
        script::IDLE_TIMEOUT.as_millis(),
        script::TOTAL_TIMEOUT.as_millis(),
        rows.as_flattened().concat()
    )
}

/// What became of a request.
struct Asked {
    case: Case,
    heard: Heard,
    took: Duration,
}

impl Asked {
    /// For people.
    fn words(&self, problem: &str) -> String {
        let Asked { case, heard, took } = self;
        let text = String::from_utf8_lossy(&heard.raw[..heard.raw.len().min(TEXT_BYTES_MAX)]);
        format!("{:?}: {problem}\n  {case:?}\n  {:?} after {took:?}: {text}", case.fault, heard.end)
    }
}

/// Asks all at once, each on a connection of its own that was opened before.
fn ask_all(gateway: SocketAddr, cases: Vec<Case>) -> Vec<Asked> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let all_connected = Arc::new(Barrier::new(cases.len()));
        let asking: JoinSet<Asked> =
            cases.into_iter().map(|case| ask(gateway, case, all_connected.clone())).collect();
        asking.join_all().await
    })
}

async fn ask(gateway: SocketAddr, case: Case, all_connected: Arc<Barrier>) -> Asked {
    let mut client = Fetch::connect(gateway).await;
    all_connected.wait().await;
    let start = Instant::now();
    client.send(&case.ask()).await;
    let heard = client.until_closed(case.leaves_after.unwrap_or(ANSWER_MAX)).await;
    Asked { case, heard, took: start.elapsed() }
}
