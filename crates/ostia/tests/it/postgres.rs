//! Records in PostgreSQL: that they add up with several gateways and with a server that comes and goes, that the command line reads
//! them, and that nobody is told the password.

use std::thread;
use std::time::Duration;

use ostia_testkit::postgres::PASSWORD;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Postgres, Upstream};

use crate::books::balance::{PRICED, check_kills};
use crate::gateway::Setup;
use crate::outward::authority::Authority;
use crate::store::{CHAT, asked, body, listed, servers};
use crate::wire::{Ask, once};

/// A configuration that keeps records in this database.
fn config(postgres: &Postgres, parameters: &str) -> String {
    let port = postgres.port();
    format!(
        "records: {{store: \"postgres://ostia:${{PG_PASSWORD}}@127.0.0.1:{port}/records{parameters}\"}}\n"
    )
}

fn with_password(config: &str, more: &str) -> Setup {
    Setup::new().config(&format!("{config}{more}")).env("PG_PASSWORD", PASSWORD)
}

/// A server with an empty database.
fn database() -> Option<Postgres> {
    let postgres = Postgres::start()?;
    postgres.create("records");
    Some(postgres)
}

#[test]
fn the_books_balance_in_a_server_too() {
    let Some(mut postgres) = database() else { return };
    let written = config(&postgres, "");
    servers::check_balance(
        |more| with_password(&written, more),
        || {
            for _ in 0..2 {
                thread::sleep(Duration::from_millis(400));
                postgres.crash();
                thread::sleep(Duration::from_millis(700));
                postgres.run();
            }
        },
    );
}

#[test]
fn what_is_lost_after_each_kill_is_within_the_bound() {
    let Some(postgres) = database() else { return };
    let written = config(&postgres, "").replace("{store", "{bodies: off, store");
    check_kills(&format!("{PRICED}\n{written}"), |setup| setup.env("PG_PASSWORD", PASSWORD));
    let twice = "SELECT count(*) - count(DISTINCT id) FROM ostia.requests; \
                 SELECT count(*) - (SELECT sum(requests) FROM ostia.sums WHERE width_ms = 60000) FROM ostia.requests";
    assert_eq!(postgres.sql("records", twice), "0\n0");
}

#[test]
fn the_command_line_reads_the_store_that_the_file_names() {
    let Some(postgres) = database() else { return };
    let written = config(&postgres, "");
    servers::check_commands(|more| with_password(&written, more));
    // The password has to be there.
    let output = Setup::new().config(&written).arg("logs").run();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("PG_PASSWORD, which is not set"), "{text}");
}

#[test]
fn a_server_that_is_away_stops_nobody_and_no_password_is_told() {
    let Some(mut postgres) = database() else { return };
    postgres.crash();
    let setup = with_password(&config(&postgres, ""), "").arg("--log").arg("debug");
    let (gateway, away) = servers::check_away(setup, || postgres.run());
    let told = asked(&gateway, "/v1/gateway/config");
    let shown = format!("{away}{told}{}", gateway.end());
    assert!(shown.contains("postgres://127.0.0.1:"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("word%1"), "{shown}");
}

#[test]
fn a_password_that_changes_is_shown_by_the_next_connection() {
    const NEW: &str = "an0ther-word";
    let Some(mut postgres) = database() else { return };
    let (port, upstream) = (postgres.port(), Upstream::always(Answer::json(openai::chat("a"))));
    let written = format!(
        "records: {{store: \"postgres://ostia@127.0.0.1:{port}/records\", password: \"file:pg-password\"}}\n"
    );
    let gateway = Setup::new().config(&written).file("pg-password", PASSWORD).start();
    let call = || Ask::post_at(&upstream, "openai", CHAT, body(false)).to(&gateway).status;
    assert_eq!((call(), listed(&gateway, 1).len()), (200, 1));
    postgres.sql("records", &format!("ALTER ROLE ostia PASSWORD '{NEW}'"));
    gateway.write("pg-password", &format!("{NEW}\n"));
    let printed = gateway.says("is reloaded");
    assert!(!printed.contains("next start"), "{printed}");
    // No connection outlives that.
    postgres.crash();
    postgres.run();
    assert_eq!((call(), listed(&gateway, 2).len()), (200, 2));
    assert!(!gateway.end().contains(NEW));
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
        once(|| {
            let printed = gateway.printed();
            let kept = Ask::new("GET", "/v1/logs").to(&gateway);
            let is_written =
                kept.status == 200 && kept.json()["data"].as_array().is_some_and(|all| all.len() == count);
            let is_told = is_written || printed.contains("cannot be written");
            if is_told { Ok((is_written, printed)) } else { Err(printed) }
        })
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
