//! Thousands of calls, in all the ways in which they fail: what is kept is what the provider bills, call by call.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::Upstream;
use serde_json::{Value, json};

use super::ledger::{Ledger, SLOW, Work, attempts, sums, units};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE};

const REQUESTS: usize = 2400;
const THREADS: usize = 12;
/// Requests between two ends by `kill -9`, and how many such ends there are.
const REQUESTS_TO_KILL: usize = 400;
const KILLS: u64 = 4;
/// What may be missing after `kill -9`: what ended in the last moments before (docs/records.md).
const LOSS_MAX: Duration = Duration::from_secs(1);
/// In units of 10^-7 dollars for a token.
const PRICES: (u64, u64) = (15, 20);
pub const PRICED: &str = "prices: {openai/gpt-4o-mini: {input: 1.5, output: 2}}";

/// Asks in one of the ways in which calls are carried, and leaves some of the answers.
fn ask(gateway: &Gateway, upstream: &Upstream, number: usize) {
    let stream = number.is_multiple_of(2);
    let text = format!("say {number}");
    let body = json!({"model": "gpt-4o-mini", "stream": stream, "stream_options": stream.then(|| json!({"include_usage": true})),
        "messages": [{"role": "user", "content": text}]});
    let target = json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "k"});
    let targets = [&target, &target];
    let retried = json!({"strategy": {"mode": "fallback"}, "retry": {"attempts": 2, "max_wait": 30}, "targets": targets});
    let hedged =
        json!({"strategy": {"mode": "fallback"}, "hedge": {"after": 40, "budget": 100}, "targets": targets});
    let ask = Ask::post("/v1/chat/completions", body.to_string());
    let ask = match number % 5 {
        0 | 1 => ask.at(upstream, "openai"),
        2 | 3 => ask.header("x-ostia-config", &retried.to_string()),
        _ => ask.header("x-ostia-config", &hedged.to_string()),
    };
    let open = ask.open(gateway);
    match number % 17 {
        // The client leaves at once.
        16 => drop(open),
        _ => drop(open.finish()),
    }
}

fn ask_all(gateway: &Gateway, upstream: &Upstream, requests: std::ops::Range<usize>) {
    let ask_some = |thread: usize| {
        requests.clone().skip(thread).step_by(THREADS).for_each(|number| ask(gateway, upstream, number));
    };
    let ask_some = &ask_some;
    thread::scope(|scope| (0..THREADS).for_each(|thread| drop(scope.spawn(move || ask_some(thread)))));
}

/// Every attempt is one call of the ledger, and says of it what is true. Gives the calls that were found.
fn check_attempts(ledger: &Ledger, attempts: &[Value]) -> HashSet<String> {
    let calls = ledger.calls();
    let mut found = HashSet::new();
    for attempt in attempts {
        let Some(id) = attempt["request_id"].as_str() else {
            // No head came before it was left: nobody knows which call it was, and that it took something is known.
            assert!(attempt["usage_estimated"] == true || attempt["outcome"] == "failed", "{attempt}");
            continue;
        };
        assert!(found.insert(id.to_owned()), "booked twice: {attempt}");
        let usage = &attempt["usage"];
        let told = (usage["prompt_tokens"].as_u64(), usage["completion_tokens"].as_u64());
        match calls[id].0 {
            Work::Refused => assert!(usage.is_null() && attempt["cost"].is_null(), "{attempt}"),
            Work::Cut => assert_eq!(attempt["usage_estimated"], true, "{attempt}"),
            // What came before the client left may not have had the count.
            Work::Whole(..) if attempt["usage_estimated"] == true => {
                assert_eq!(attempt["outcome"], "abandoned", "{attempt}");
            }
            Work::Whole(prompt, completion) => {
                assert_eq!(told, (Some(prompt), Some(completion)), "{attempt}");
                let cost = prompt * PRICES.0 + completion * PRICES.1;
                assert_eq!(units(&attempt["cost"]["amount"]), cost, "{attempt}");
            }
        }
        assert!(attempt["cost_unknown"].is_null(), "{attempt}");
    }
    found
}

/// The sums are those of the attempts, and tell how much of them is estimated.
fn check_sums(total: &Value, attempts: &[Value]) {
    let sum = |of: &dyn Fn(&Value) -> u64| attempts.iter().map(of).sum::<u64>();
    let usage =
        |name: &'static str| move |attempt: &Value| attempt["usage"][name].as_u64().unwrap_or_default();
    let cost = |attempt: &Value| units(&attempt["cost"]["amount"]);
    let estimated = |attempt: &Value| if attempt["usage_estimated"] == true { cost(attempt) } else { 0 };
    assert_eq!(total["attempts"], attempts.len(), "{total}");
    assert_eq!(total["prompt_tokens"], sum(&usage("prompt_tokens")), "{total}");
    assert_eq!(total["completion_tokens"], sum(&usage("completion_tokens")), "{total}");
    assert_eq!(units(&total["cost"]["USD"]), sum(&cost), "{total}");
    assert_eq!(units(&total["estimated_cost"]["USD"]), sum(&estimated), "{total}");
    assert!(sum(&estimated) > 0 && sum(&estimated) < sum(&cost) / 4, "{total}");
}

#[test]
fn they_balance() {
    let ledger = Ledger::default();
    let (gateway, upstream) =
        (Gateway::with(&format!("{PRICED}\nrecords: {{bodies: off}}")), ledger.upstream());
    ask_all(&gateway, &upstream, 0..REQUESTS);
    let total = sums(&gateway, REQUESTS as u64);
    let attempts = attempts(&gateway);
    let found = check_attempts(&ledger, &attempts);
    check_sums(&total, &attempts);
    // Each call is booked: those of which no head came have no name.
    let nameless = nameless(&attempts);
    let calls = ledger.calls();
    assert!((found.len()..=found.len() + nameless).contains(&calls.len()), "{nameless} {}", calls.len());
    let missed: Vec<_> = calls.keys().filter(|id| !found.contains(*id)).collect();
    assert!(missed.len() <= nameless, "{missed:?}");
    assert!(attempts.len() > REQUESTS && attempts.iter().any(|attempt| attempt["outcome"] == "abandoned"));
}

/// Of a gateway that lived for longer than [`LOSS_MAX`] after this time, in which it was asked, every whole call is kept: by its
/// name, or as one of this many attempts without one. Gives how many have their names.
#[track_caller]
fn check_kept(
    ledger: &Ledger,
    found: &HashSet<String>,
    (began, asked): (Instant, Instant),
    nameless: usize,
) -> usize {
    let is_due =
        |(work, at): &(Work, Instant)| matches!(work, Work::Whole(..)) && (began..asked).contains(at);
    let calls = ledger.calls();
    let due = calls.iter().filter(|(_, call)| is_due(call)).map(|(id, _)| id);
    let (kept, missing): (Vec<_>, Vec<_>) = due.partition(|id| found.contains(*id));
    assert!(
        missing.len() <= nameless,
        "{} of {} are missing: {missing:?}",
        missing.len(),
        missing.len() + kept.len()
    );
    kept.len()
}

fn nameless(attempts: &[Value]) -> usize {
    attempts.iter().filter(|attempt| attempt["request_id"].is_null()).count()
}

#[test]
fn they_balance_within_the_bound_after_each_kill() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    check_kills(&format!("{PRICED}\nrecords: {{bodies: off}}"), |setup| setup.env("OSTIA_DATA", &data));
}

/// A gateway with this configuration is killed again and again, and starts anew over what it kept: what ended longer than
/// [`LOSS_MAX`] before is there, once.
pub fn check_kills(config: &str, with: impl Fn(Setup) -> Setup) {
    let ledger = Ledger::default();
    let upstream = ledger.upstream();
    let start = || with(Setup::new().config(config)).start();
    let mut gateway = start();
    let mut nameless_before = 0;
    for kill in 0..KILLS {
        let first = kill as usize * REQUESTS_TO_KILL;
        let (half, end) = (first + REQUESTS_TO_KILL / 2, first + REQUESTS_TO_KILL);
        let began = Instant::now();
        ask_all(&gateway, &upstream, first..half);
        let asked = Instant::now();
        thread::sleep(LOSS_MAX);
        thread::scope(|scope| {
            // Whoever asks a gateway that is gone gets nothing.
            let rest = || ask_all(&gateway, &upstream, half..end);
            scope.spawn(move || drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(rest))));
            // At another point each time, and late enough for the last of the first half, which may have been slow.
            thread::sleep(SLOW * 2 + Duration::from_millis(kill * 170 % 400));
            gateway.signal("KILL");
        });
        assert!(gateway.wait(PATIENCE).is_some());
        gateway = start();
        let attempts = attempts(&gateway);
        let nameless = nameless(&attempts);
        let kept = check_kept(
            &ledger,
            &check_attempts(&ledger, &attempts),
            (began, asked),
            nameless - nameless_before,
        );
        assert!(kept > REQUESTS_TO_KILL / 4, "{kept} calls of {} requests", REQUESTS_TO_KILL / 2);
        nameless_before = nameless;
    }
    let requests =
        super::ledger::asked(&gateway, "/v1/analytics/summary?since=1h")["total"]["requests"].clone();
    check_sums(&sums(&gateway, requests.as_u64().unwrap()), &attempts(&gateway));
}
