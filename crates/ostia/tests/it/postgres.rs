//! Records in PostgreSQL: that they add up with several gateways and with a server that comes and goes, that the command line reads
//! them, and that nobody is told the password.

use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::postgres::PASSWORD;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Postgres, Upstream};
use serde_json::json;

use crate::gateway::Setup;
use crate::outward::authority::Authority;
use crate::store::{CHAT, PRICES, asked, balance, body, listed, told};
use crate::wire::{Ask, PATIENCE};

/// A configuration that keeps records in this database.
fn config(postgres: &Postgres, parameters: &str) -> String {
    let port = postgres.port();
    format!(
        "records: {{store: \"postgres://ostia:${{PG_PASSWORD}}@127.0.0.1:{port}/records{parameters}\"}}\n"
    )
}

fn setup(postgres: &Postgres, more: &str) -> Setup {
    Setup::new().config(&(config(postgres, "") + more)).env("PG_PASSWORD", PASSWORD)
}

/// A server with an empty database.
fn database() -> Option<Postgres> {
    let postgres = Postgres::start()?;
    postgres.create("records");
    Some(postgres)
}

/// Two gateways write to one store, while its server ends and begins again.
#[test]
fn the_books_balance_in_a_server_too() {
    let Some(mut postgres) = database() else { return };
    let gateways = [setup(&postgres, PRICES).start(), setup(&postgres, PRICES).start()];
    balance(&gateways, || {
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(400));
            postgres.crash();
            thread::sleep(Duration::from_millis(700));
            postgres.run();
        }
    });
    let [first, second] =
        gateways.map(|gateway| asked(&gateway, "/v1/analytics/summary?since=1h")["total"].clone());
    assert_eq!(first, second);
}

#[test]
fn the_command_line_reads_the_store_that_the_file_names() {
    let Some(postgres) = database() else { return };
    let upstream = Upstream::always(Answer::json(openai::chat("a")).header("x-request-id", "req-1"));
    let gateway = setup(&postgres, "").start();
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header("x-ostia-trace-id", "trace-1");
    assert_eq!(ask.to(&gateway).status, 200);
    let record = &listed(&gateway, 1)[0];
    assert_eq!(record["attempts"][0]["cost"]["amount"], "0.00000255", "{record}");
    let id = record["id"].as_str().unwrap();
    assert_eq!(
        asked(&gateway, &format!("/v1/logs/{id}"))["response"]["body"],
        crate::json(&openai::chat("a"))
    );
    for name in ["trace-1", "req-1", id] {
        assert_eq!(asked(&gateway, &format!("/v1/traces/{name}"))["data"][0]["id"], id, "{name}");
    }
    let feedback = json!({"trace_id": "trace-1", "value": 3}).to_string();
    assert_eq!(Ask::post("/v1/feedback", feedback).to(&gateway).status, 200);
    assert_eq!(asked(&gateway, &format!("/v1/logs/{id}"))["feedback"][0]["value"], 3);
    let run = |more: &str, args: &[&str]| {
        let setup = args.iter().fold(setup(&postgres, more), |setup, arg| setup.arg(arg));
        let output = setup.run();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), text.concat())
    };
    let (is_good, text) = run("", &["logs"]);
    assert!(is_good && text.contains("openai/gpt-4o-mini tokens=9+2 cost=0.00000255 USD"), "{text}");
    let (is_good, text) = run("", &["logs", "export", "--bodies"]);
    assert!(is_good && crate::json(&text)["request"]["body"] == crate::json(&body(false)), "{text}");
    let (is_good, text) = run("", &["top", "--once", "--since", "1h"]);
    assert!(is_good && text.lines().any(|line| line.starts_with("gpt-4o-mini ")), "{text}");
    for changed in [1, 0] {
        let (is_good, text) = run(PRICES, &["reprice", "--since", "1h"]);
        let expected = format!("1 of 1 requests gone through, {changed} cost something else now.");
        assert!(is_good && text.trim() == expected, "{text}");
    }
    let summary = asked(&gateway, "/v1/analytics/summary?since=1h");
    assert_eq!(summary["total"]["cost"], json!({"USD": "0.0000175"}), "{summary}");
    // Other credentials need not be there, this one has to be.
    let (is_good, text) = run("auth: {keys: ['${NOPE}']}\n", &["logs"]);
    assert!(is_good, "{text}");
    let output = Setup::new().config(&config(&postgres, "")).arg("logs").run();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("PG_PASSWORD, which is not set"), "{text}");
}

#[test]
fn a_server_that_is_away_stops_nobody_and_no_password_is_told() {
    let Some(mut postgres) = database() else { return };
    postgres.crash();
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let began = Instant::now();
    let gateway = setup(&postgres, "").arg("--log").arg("debug").start();
    assert!(began.elapsed() < PATIENCE);
    let ready = told(&gateway, "/ready", |told| !told["records"].is_null());
    assert_eq!((&ready["status"], &ready["records"]["written"]), (&json!("ready"), &json!(false)));
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false));
    assert_eq!(ask.to(&gateway).status, 200);
    let away = Ask::new("GET", "/v1/logs").to(&gateway);
    assert_eq!(away.status, 503, "{}", away.text());
    postgres.run();
    told(&gateway, "/ready", |told| told["records"].is_null());
    assert_eq!(listed(&gateway, 1).len(), 1);
    let printed = gateway.says("are written to");
    let said = |words: &str| printed.matches(words).count();
    assert_eq!((said("cannot be written"), said("are written to")), (1, 1), "{printed}");
    let shown = format!("{printed}{}{}", away.text(), asked(&gateway, "/v1/gateway/config"));
    assert!(shown.contains("postgres://127.0.0.1:"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("word%1"), "{shown}");
}

#[test]
fn a_server_shows_who_it_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    let own = authority.give(&["127.0.0.1"]);
    let files = [("server.crt", &*own.cert), ("server.key", &*own.key)];
    let Some(postgres) = Postgres::start_with(&files, &["ssl=on"]) else { return };
    postgres.create("records");
    let written = |parameters: &str, authority: &Authority, count: usize| {
        let setup = Setup::new().config(&config(&postgres, parameters)).file("ca.pem", &authority.pem);
        let gateway = setup.env("PG_PASSWORD", PASSWORD).start();
        let upstream = Upstream::always(Answer::json(openai::chat("a")));
        Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway);
        let end = Instant::now() + PATIENCE;
        loop {
            let printed = gateway.printed();
            let kept = Ask::new("GET", "/v1/logs").to(&gateway);
            let is_written =
                kept.status == 200 && kept.json()["data"].as_array().is_some_and(|all| all.len() == count);
            if is_written || printed.contains("cannot be written") {
                return (is_written, printed);
            }
            assert!(Instant::now() < end, "{printed}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    let verified = "?sslmode=verify-full&sslrootcert=ca.pem";
    for (parameters, count) in ["?sslmode=require", verified, "", "?sslmode=disable"].iter().zip(1..) {
        let (is_written, printed) = written(parameters, &authority, count);
        assert!(is_written, "{parameters}: {printed}");
    }
    let (is_written, printed) = written(verified, &other, 5);
    assert!(!is_written && printed.contains("invalid peer certificate"), "{printed}");
    assert_eq!(postgres.sql("records", "SELECT count(*) FROM ostia.requests"), "4");
}
