//! Exports of logs as jobs: over a restart, and only for whoever may.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE, Reply, once};

const EXPORTS: &str = "/v1/logs/exports";
/// With bodies they are a hundred pages, each of which goes to the disk by itself: more than are done before the gateway is killed.
const ROWS: usize = 2000;

fn keeping_in(folder: &Path) -> Gateway {
    let config = "auth: {admin_keys: [pk-admin]}";
    Setup::new().config(config).env("OSTIA_DATA", &folder.display().to_string()).start()
}

fn ask(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Reply {
    let ask = Ask::new(method, path).header("x-ostia-api-key", "pk-admin");
    match body.is_null() {
        true => ask.to(gateway),
        false => ask.header("content-type", "application/json").body(body.to_string()).to(gateway),
    }
}

fn keep(gateway: &Gateway, count: usize) {
    let entry = |number: usize| {
        json!({"request": {"url": "https://a.example/v1/x", "body": {"model": "m"}},
               "response": {"status": 200, "body": {}, "response_time": number}})
    };
    for from in (0..count).step_by(100) {
        let all: Vec<Value> = (from..count.min(from + 100)).map(entry).collect();
        assert_eq!(ask(gateway, "POST", "/v1/logs", &json!(all)).status, 200);
    }
    let query = format!("/v1/logs?limit=1&latency_min={}", count - 1);
    once(|| match ask(gateway, "GET", &query, &Value::Null).json() {
        told if told["data"].as_array().is_none_or(Vec::is_empty) => Err(told),
        _ => Ok(()),
    });
}

/// The job, once it has come to an end.
#[track_caller]
fn ended(gateway: &Gateway, id: &str) -> Value {
    once(|| match ask(gateway, "GET", &format!("{EXPORTS}/{id}"), &Value::Null).json() {
        job if job["status"] == "in_progress" => Err(job),
        job => Ok(job),
    })
}

#[test]
fn a_job_outlives_the_gateway() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut gateway = keeping_in(folder.path());
    keep(&gateway, ROWS);
    let body = json!({"filters": {}, "requested_data": ["response_time", "request", "response"]});
    let made = ask(&gateway, "POST", EXPORTS, &body);
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let changed = ask(&gateway, "PUT", &format!("{EXPORTS}/{id}"), &json!({"description": "mine"}));
    assert_eq!((&made.json()["total"], &changed.json()["total"]), (&json!(ROWS), &json!(ROWS)));
    let at = |step: &str| format!("{EXPORTS}/{id}/{step}");
    assert_eq!(ask(&gateway, "GET", &at("download"), &Value::Null).status, 409);
    assert_eq!(ask(&gateway, "POST", &at("start"), &Value::Null).status, 200);
    assert_eq!(ask(&gateway, "POST", &at("start"), &Value::Null).status, 409);
    gateway.signal("KILL");
    assert!(gateway.wait(PATIENCE).is_some());
    let left = std::fs::read_to_string(folder.path().join(format!("exports/{id}.json"))).unwrap();
    assert_eq!(crate::json(&left)["status"], "in_progress", "it was over before the end: {left}");

    let gateway = keeping_in(folder.path());
    let job = ended(&gateway, &id);
    assert_eq!((&job["status"], &job["total_records"]), (&json!("success"), &json!(ROWS)), "{job}");
    let address = ask(&gateway, "GET", &at("download"), &Value::Null).json()["signed_url"].clone();
    let address = address.as_str().unwrap();
    let path = &address[address.find("/v1/").unwrap()..];
    for file in std::fs::read_dir(folder.path().join("exports")).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "what is exported is for the gateway's own user");
    }
    // Whoever has the address needs no key.
    let lines = Ask::new("GET", path).to(&gateway);
    assert_eq!((lines.status, lines.header("content-type")), (200, Some("application/jsonl")));
    let rows: std::collections::BTreeSet<u64> =
        lines.text().lines().map(|line| crate::json(line)["response_time"].as_u64().unwrap()).collect();
    assert_eq!((rows.len(), lines.text().lines().count()), (ROWS, ROWS));
    let later = path.replace("expires=", "expires=9");
    for forged in
        [later.as_str(), path.split('?').next().unwrap(), "/v1/logs/exports/x/content?expires=1&signature=zz"]
    {
        assert_eq!(Ask::new("GET", forged).to(&gateway).status, 403, "{forged}");
    }
}

#[test]
fn what_makes_no_sense_and_what_is_not_there() {
    let folder = tempfile::TempDir::new().unwrap();
    let gateway = keeping_in(folder.path());
    for (body, param) in [
        (json!({}), "filters"),
        (json!({"filters": {"colour": "red"}}), "colour"),
        (json!({"filters": {}, "requested_data": ["secrets"]}), "requested_data"),
    ] {
        let reply = ask(&gateway, "POST", EXPORTS, &body);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(param)), "{}", reply.text());
    }
    for (method, step) in
        [("GET", ""), ("PUT", ""), ("POST", "/start"), ("POST", "/cancel"), ("GET", "/download")]
    {
        let body = if method == "PUT" { json!({"filters": {}}) } else { Value::Null };
        assert_eq!(
            ask(&gateway, method, &format!("{EXPORTS}/none{step}"), &body).status,
            404,
            "{method} {step}"
        );
    }
    assert_eq!(Ask::new("GET", EXPORTS).to(&gateway).status, 401);
    assert_eq!(
        ask(&gateway, "GET", EXPORTS, &Value::Null).json(),
        json!({"object": "list", "total": 0, "data": []})
    );
}
