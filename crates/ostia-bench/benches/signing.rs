//! What it costs to sign a request for AWS: `cargo bench -p ostia-bench --bench signing`.
//!
//! CPU time of this thread, the least of some rounds. The bodies are hashed, so that long ones cost what SHA-256 costs.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use http::Request;
use ostia_providers::auth::{AwsKeys, Credential, Payload, Signing, sign_with};
use ostia_providers::{Auth, AwsAuth};
use rustix::time::{ClockId, clock_gettime};

/// Everything else on the machine only adds to a round: the least counts.
const ROUNDS: usize = 7;
/// Requests per round.
const REQUESTS: usize = 2000;

fn main() {
    println!("CPU time of the thread for one signature, least of {ROUNDS} rounds\n");
    let auth = Auth::Aws(AwsAuth { service: "bedrock".into(), ..AwsAuth::default() });
    let [long_lived, assumed] = [None, Some("t".repeat(800).into())].map(|session_token| {
        let (access_key_id, secret_access_key) = ("AKIAIOSFODNN7EXAMPLE".into(), "x".repeat(40).into());
        Credential::Aws(AwsKeys { access_key_id, secret_access_key, session_token })
    });
    for (name, credential) in [("keys", &long_lived), ("keys of a role", &assumed)] {
        for bytes in [300, 3000, 30_000, 300_000] {
            let body = vec![b'x'; bytes];
            let each = least(|| sign(&auth, credential, &body));
            println!("{name}, body of {bytes} bytes: {:.1} us", each.as_nanos() as f64 / 1000.0);
        }
    }
}

fn sign(auth: &Auth, credential: &Credential, body: &[u8]) {
    let mut request = Request::post("/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream")
        .header("host", "bedrock-runtime.us-east-1.amazonaws.com")
        .header("content-type", "application/json")
        .header("accept", "application/vnd.amazon.eventstream")
        .body(())
        .unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let signing = Signing { region: Some("us-east-1"), time, payload: Payload::Bytes(body) };
    sign_with(auth, credential, signing, &mut request).unwrap();
    black_box(&request);
}

/// Least CPU time of one turn of `work`.
fn least(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let began = cpu_time();
        (0..REQUESTS).for_each(|_| work());
        (cpu_time() - began) / REQUESTS as u32
    });
    rounds.min().unwrap_or_default()
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
