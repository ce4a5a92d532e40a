//! What holds of records in a server, whichever it is.

use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::json;

use super::{CHAT, PRICES, asked, balance, body, listed, told};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE};

/// Two gateways write to one store, while its server ends and begins again, as `restart` has it.
pub fn check_balance(setup: impl Fn(&str) -> Setup, restart: impl FnOnce()) {
    let gateways = [setup(PRICES).start(), setup(PRICES).start()];
    balance(&gateways, restart);
    let [first, second] =
        gateways.map(|gateway| asked(&gateway, "/v1/analytics/summary?since=1h")["total"].clone());
    assert_eq!(first, second);
}

/// The server is away, and comes once the writer has tried again. Gives the gateway, and what it said of the server to whoever asked.
pub fn check_away(setup: Setup, run: impl FnOnce()) -> (Gateway, String) {
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let began = Instant::now();
    let gateway = setup.start();
    assert!(began.elapsed() < PATIENCE);
    let ready = told(&gateway, "/ready", |told| !told["records"].is_null());
    assert_eq!((&ready["status"], &ready["records"]["written"]), (&json!("ready"), &json!(false)));
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false));
    assert_eq!(ask.to(&gateway).status, 200);
    let away = Ask::new("GET", "/v1/logs").to(&gateway);
    assert_eq!(away.status, 503, "{}", away.text());
    thread::sleep(Duration::from_secs(3));
    run();
    told(&gateway, "/ready", |told| told["records"].is_null());
    assert_eq!(listed(&gateway, 1).len(), 1);
    let printed = gateway.says("are written to");
    let said = |words: &str| printed.matches(words).count();
    assert_eq!((said("cannot be written"), said("are written to")), (1, 1), "{printed}");
    (gateway, away.text().to_owned())
}

/// The commands read the store that the file names, and see what the gateway tells.
pub fn check_commands(setup: impl Fn(&str) -> Setup) {
    let upstream = Upstream::always(Answer::json(openai::chat("a")).header("x-request-id", "req-1"));
    let gateway = setup("").start();
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header("x-ostia-trace-id", "trace-1");
    assert_eq!(ask.to(&gateway).status, 200);
    let record = &listed(&gateway, 1)[0];
    assert_eq!(record["attempts"][0]["cost"]["amount"], "0.00000255", "{record}");
    let id = record["id"].as_str().unwrap();
    let one = asked(&gateway, &format!("/v1/logs/{id}"));
    assert_eq!(one["request"]["body"], crate::json(&body(false)));
    assert_eq!(one["response"]["body"], crate::json(&openai::chat("a")));
    for name in ["trace-1", "req-1", id] {
        assert_eq!(asked(&gateway, &format!("/v1/traces/{name}"))["data"][0]["id"], id, "{name}");
    }
    let feedback = json!({"trace_id": "trace-1", "value": 3}).to_string();
    assert_eq!(Ask::post("/v1/feedback", feedback).to(&gateway).status, 200);
    assert_eq!(asked(&gateway, &format!("/v1/logs/{id}"))["feedback"][0]["value"], 3);
    let run = |more: &str, args: &[&str]| {
        let output = args.iter().fold(setup(more), |setup, arg| setup.arg(arg)).run();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run("", &["logs"]);
    assert!(text.contains("openai/gpt-4o-mini tokens=9+2 cost=0.00000255 USD"), "{text}");
    let text = run("", &["logs", "export", "--bodies"]);
    assert_eq!(crate::json(&text)["request"]["body"], crate::json(&body(false)));
    let text = run("", &["top", "--once", "--since", "1h"]);
    assert!(text.lines().any(|line| line.starts_with("gpt-4o-mini ")), "{text}");
    for changed in [1, 0] {
        let text = run(PRICES, &["reprice", "--since", "1h"]);
        let expected = format!("1 of 1 requests gone through, {changed} cost something else now.");
        assert_eq!(text.trim(), expected);
    }
    let summary = asked(&gateway, "/v1/analytics/summary?since=1h");
    assert_eq!(summary["total"]["cost"], json!({"USD": "0.0000175"}), "{summary}");
    // Other credentials need not be there.
    run("auth: {keys: ['${NOPE}']}\n", &["logs"]);
}
