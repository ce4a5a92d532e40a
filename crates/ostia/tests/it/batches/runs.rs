//! Batches from their first row to their end.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use super::tools::{
    CHAT, at, batch, config, content, create, echo, get, id, lines, over, row, rows, said, uploaded,
};
use crate::gateway::{Gateway, Setup};
use crate::programs::{self, PYTHON};
use crate::wire::{Ask, PATIENCE, once};

#[test]
fn each_row_is_an_ordinary_call() {
    let upstream = Upstream::serve(|request| match &*request.target {
        "/v1/embeddings" => Answer::json(openai::embeddings(&[&[1.0, 2.0]])),
        "/a/v1/messages" => Answer::json(anthropic::message("from afar")),
        _ if said(request) == "bad" => {
            Answer::json(openai::error("No.", "invalid_request_error", "no")).status(400)
        }
        _ => echo(request).header("x-request-id", "req-1"),
    });
    let afar = format!(
        "  afar: {{base_url: \"{}/a/v1\", local: true, dialects: [anthropic_messages]}}\n",
        upstream.url()
    );
    let gateway = Gateway::with(&(config(&upstream, "") + &afar));
    let call = |custom_id: &str, url: &str, body: Value| {
        json!({"custom_id": custom_id, "method": "POST", "url": url, "body": body}).to_string()
    };
    let hello = json!([{"role": "user", "content": "hello"}]);
    let file = uploaded(
        &gateway,
        [
            row("plain", "hel\"lo\n"),
            call("translated", CHAT, json!({"model": "@afar/m", "messages": hello})),
            call("messages", "/v1/messages", json!({"model": "@up/m", "max_tokens": 9, "messages": hello})),
            call("embedded", "/v1/embeddings", json!({"model": "@up/m", "input": "a"})),
            row("refused", "bad"),
            call("nobody", CHAT, json!({"model": "@nobody/m", "messages": hello})),
        ]
        .join("\r\n"),
    );
    let body = json!({"input_file_id": file, "completion_window": "immediate", "metadata": {"team": "red"}});
    let asked = Ask::post("/v1/batches", body.to_string()).header("x-portkey-metadata", r#"{"user":"u1"}"#);
    let made = asked.to(&gateway);
    let name = id(&made);
    let first = made.json();
    assert_eq!((&first["status"], &first["output_file_id"]), (&json!("validating"), &Value::Null), "{first}");
    let batch = over(&gateway, &name);
    for (field, value) in [
        ("object", json!("batch")),
        ("status", json!("completed")),
        ("errors", Value::Null),
        ("input_file_id", json!(file)),
        ("completion_window", json!("immediate")),
        ("request_counts", json!({"total": 6, "completed": 4, "failed": 2})),
        ("metadata", json!({"team": "red"})),
    ] {
        assert_eq!(batch[field], value, "{batch}");
    }
    assert!(batch["in_progress_at"].as_u64() <= batch["completed_at"].as_u64(), "{batch}");
    let output = lines(&gateway, &batch["output_file_id"]);
    assert_eq!(output.keys().collect::<Vec<_>>(), ["embedded", "messages", "plain", "translated"]);
    assert_eq!((content(&output["plain"]), content(&output["translated"])), ("hel\"lo\n", "from afar"));
    assert_eq!(output["messages"]["response"]["body"]["content"][0]["text"], "hello");
    assert_eq!(output["embedded"]["response"]["body"]["data"][0]["embedding"], json!([1.0, 2.0]));
    assert_eq!(
        (&output["plain"]["error"], &output["plain"]["response"]["status_code"]),
        (&Value::Null, &json!(200))
    );
    let errors = lines(&gateway, &batch["error_file_id"]);
    assert_eq!(errors["refused"]["response"]["status_code"], 400);
    assert!(errors["refused"]["response"]["body"]["error"]["message"].as_str().unwrap().contains("No."));
    assert_eq!(errors["nobody"]["response"]["body"]["error"]["code"], "provider_unknown", "{errors:?}");
    // What Portkey's SDK asks for.
    let told = get(&gateway, &format!("/v1/batches/{name}/output"));
    assert_eq!(told.text().lines().count(), 4);
    // Each is recorded as a call of the trace that the batch is.
    let request = output["plain"]["response"]["request_id"].as_str().unwrap();
    let record = once(|| match get(&gateway, &format!("/v1/logs/{request}")) {
        reply if reply.status == 200 => Ok(reply.json()),
        reply => Err(reply.text().to_owned()),
    });
    let expected = json!([name, "plain", {"user": "u1"}, "openai_chat", 200, "whole"]);
    let found =
        ["trace_id", "span_name", "metadata", "operation", "status", "end"].map(|name| record[name].clone());
    assert_eq!(json!(found), expected, "{record}");
    let list = get(&gateway, "/v1/batches").json();
    assert_eq!((&list["data"][0], &list["has_more"]), (&batch, &json!(false)));
    assert_eq!(Ask::new("DELETE", &format!("/v1/files/{file}")).to(&gateway).status, 200);
}

#[test]
fn headers_of_the_batch_hold_for_its_rows() {
    let [first, second] = [500, 200].map(|status| {
        Upstream::serve(move |request| match status {
            200 => echo(request),
            status => Answer::json(openai::error("No.", "server_error", "no")).status(status),
        })
    });
    let row_of = |name: &str, upstream: &Upstream| {
        format!("  {name}: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}\n", upstream.url())
    };
    let config = format!("providers:\n{}{}", row_of("first", &first), row_of("second", &second));
    let gateway = Gateway::with(&config);
    let plain = row("a", "hello").replace("@up/m", "m");
    let file = uploaded(&gateway, plain);
    let to_both =
        json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "first"}, {"provider": "second"}]});
    let body = |options: Value| {
        let mut body = json!({"input_file_id": file, "endpoint": CHAT, "completion_window": "immediate"});
        body["portkey_options"] = options;
        Ask::post("/v1/batches", body.to_string())
    };
    for ask in [
        create(&file).header("x-ostia-config", &to_both.to_string()),
        create(&file).header("x-ostia-provider", "second").header("idempotency-key", "once"),
        body(json!({"x-portkey-config": to_both})).header("x-portkey-provider", "portkey"),
        body(json!({"provider": "@second"})).header("x-portkey-provider", "portkey"),
    ] {
        let ended = over(&gateway, &id(&ask.to(&gateway)));
        assert_eq!(content(&lines(&gateway, &ended["output_file_id"])["a"]), "hello", "{ended}");
        assert_eq!(second.last().header("idempotency-key"), None);
    }
    assert_eq!((first.count(), second.count()), (2, 4));
    let own_host = |ask: Ask| ask.header("x-ostia-custom-host", &second.url());
    let ended =
        over(&gateway, &id(&own_host(create(&file)).header("x-ostia-provider", "openai").to(&gateway)));
    assert_eq!((&ended["request_counts"]["completed"], second.count()), (&json!(1), 5), "{ended}");
    for (ask, param) in [
        (body(json!({"api_key": "sk"})), "portkey_options"),
        (body(json!({"config": "no-such"})), "config"),
        (body(json!({"config": "{"})), ""),
        (create("file-1"), "input_file_id"),
        (create("file-ostia-1"), "input_file_id"),
        (
            Ask::post("/v1/batches", json!({"input_file_id": file, "completion_window": "7h"}).to_string()),
            "completion_window",
        ),
        (
            Ask::post(
                "/v1/batches",
                json!({"input_file_id": file, "completion_window": "immediate", "endpoint": "/v1/x"})
                    .to_string(),
            ),
            "endpoint",
        ),
        (
            Ask::post(
                "/v1/batches",
                json!({"input_file_id": file, "completion_window": "immediate", "metadata": {"a": 1}})
                    .to_string(),
            ),
            "metadata.a",
        ),
    ] {
        let refused = ask.to(&gateway);
        let error = refused.json()["error"].clone();
        assert!(matches!(refused.status, 400 | 404), "{param}: {error}");
        assert_eq!(error["param"].as_str().unwrap_or_default(), param, "{error}");
    }
}

/// The size of the issue's own evidence: hundreds of rows, killed in the middle, none asked for nothing.
#[test]
fn killed_in_the_middle_it_goes_on_without_a_row_lost_or_told_twice() {
    const ROWS: usize = 400;
    const CONCURRENCY: usize = 8;
    let data = tempfile::tempdir().unwrap();
    let upstream = Upstream::serve(|request| echo(request).first(Step::Pause(Duration::from_millis(5))));
    let config = config(&upstream, &format!("batches: {{concurrency: {CONCURRENCY}}}"));
    let mut gateway = at(data.path(), &config);
    let file = uploaded(&gateway, rows(ROWS));
    let name = id(&create(&file).to(&gateway));
    for asked in [ROWS / 4, ROWS / 2] {
        assert!(upstream.wait_for_requests(asked, PATIENCE));
        gateway.signal("KILL");
        gateway.wait(PATIENCE);
        assert!(upstream.count() < ROWS, "killed too late");
        gateway = at(data.path(), &config);
    }
    let ended = over(&gateway, &name);
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["request_counts"], json!({"total": ROWS, "completed": ROWS, "failed": 0}));
    let output = lines(&gateway, &ended["output_file_id"]);
    let expected: BTreeSet<String> = (1..=ROWS).map(|number| format!("row-{number}")).collect();
    assert_eq!(output.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for (custom_id, line) in &output {
        assert_eq!(content(line), custom_id.replace("row-", "say "));
    }
    // Besides those that were under way when it was killed, and those whose answers were not yet on disk.
    let again = upstream.count() - ROWS;
    assert!(again <= 2 * (CONCURRENCY + 64), "{again} were asked again");
}

#[test]
fn stopped_in_good_order_it_goes_on_without_asking_twice() {
    const ROWS: usize = 60;
    let data = tempfile::tempdir().unwrap();
    let upstream = Upstream::serve(|request| echo(request).first(Step::Pause(Duration::from_millis(20))));
    let config = config(&upstream, "batches: {concurrency: 4}");
    let mut gateway = at(data.path(), &config);
    let name = id(&create(&uploaded(&gateway, rows(ROWS))).to(&gateway));
    assert!(upstream.wait_for_requests(ROWS / 3, PATIENCE));
    gateway.terminate();
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()), "{}", gateway.printed());
    assert!(upstream.count() < ROWS);
    let gateway = at(data.path(), &config);
    assert_eq!(lines(&gateway, &over(&gateway, &name)["output_file_id"]).len(), ROWS);
    assert_eq!(upstream.count(), ROWS);
}

#[test]
fn no_more_rows_at_once_than_the_operator_wants() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (own_now, own_most) = (now.clone(), most.clone());
    let upstream = Upstream::serve(move |request| {
        own_most.fetch_max(own_now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(10));
        own_now.fetch_sub(1, Ordering::SeqCst);
        echo(request)
    });
    let gateway = Gateway::with(&config(&upstream, "batches: {concurrency: 5}"));
    let file = uploaded(&gateway, rows(40));
    let names = [0, 1].map(|_| id(&create(&file).to(&gateway)));
    for name in names {
        let growing = batch(&gateway, &name, |batch| batch["request_counts"]["completed"].as_u64() > Some(0));
        assert_eq!(growing["request_counts"]["total"], 40);
        assert_eq!(lines(&gateway, &over(&gateway, &name)["output_file_id"]).len(), 40);
    }
    assert_eq!((most.load(Ordering::SeqCst), now.load(Ordering::SeqCst)), (5, 0));
}

#[test]
fn what_may_pass_is_tried_again() {
    let count = AtomicUsize::new(0);
    let upstream = Upstream::serve(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::json(openai::error("Slow down.", "requests", "rate_limit_exceeded"))
            .status(429)
            .header("retry-after", "1"),
        1 => Answer::empty().status(503),
        _ => echo(request),
    });
    let gateway = Gateway::with(&config(&upstream, ""));
    let ended = over(&gateway, &id(&create(&uploaded(&gateway, rows(1))).to(&gateway)));
    assert_eq!((&ended["request_counts"]["completed"], upstream.count()), (&json!(1), 3), "{ended}");
}

#[test]
fn two_gateways_do_not_share_batches() {
    let data = tempfile::tempdir().unwrap();
    let upstream = Upstream::serve(echo);
    let config = config(&upstream, "");
    let first = at(data.path(), &config);
    let name = id(&create(&uploaded(&first, rows(1))).to(&first));
    over(&first, &name);
    let second = at(data.path(), &config);
    let refused = get(&second, &format!("/v1/batches/{name}"));
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (503, Some("batches_taken")));
    drop(first);
    assert_eq!(over(&second, &name)["status"], "completed");
}

#[test]
fn openais_sdk() {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::serve(|request| match said(request).as_str() {
        "bad" => Answer::json(openai::error("No.", "invalid_request_error", "no")).status(400),
        _ => echo(request).first(Step::Pause(Duration::from_millis(5))),
    });
    let gateway = Setup::new().config(&config(&upstream, "")).start();
    let output = std::process::Command::new(python)
        .env_clear()
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openai_batches.py"))
        .arg(format!("http://{}", gateway.address))
        .arg("up=m")
        .output()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error}"));
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}\nthe gateway:\n{}", gateway.printed());
}

/// 100,000 rows, up and through: run by hand, with figures.
#[test]
#[ignore = "takes minutes: cargo nextest run -p ostia --test it --run-ignored only a_hundred_thousand"]
fn a_hundred_thousand_rows_in_flat_memory() {
    const ROWS: usize = 100_000;
    let upstream = Upstream::serve(echo);
    let gateway = Gateway::with(&config(&upstream, "batches: {concurrency: 32}\nrecords: off"));
    over(&gateway, &id(&create(&uploaded(&gateway, rows(2_000))).to(&gateway)));
    let idle_kib = gateway.resident_kib();
    let file = uploaded(&gateway, rows(ROWS));
    let uploaded_kib = gateway.resident_kib();
    let started = std::time::Instant::now();
    let name = id(&create(&file).to(&gateway));
    let mut most_kib = 0;
    loop {
        most_kib = most_kib.max(gateway.resident_kib());
        let told = get(&gateway, &format!("/v1/batches/{name}")).json();
        if told["status"] == "completed" {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let took = started.elapsed();
    eprintln!(
        "idle {idle_kib} KiB, uploaded {uploaded_kib} KiB, most {most_kib} KiB, {ROWS} rows in {took:?}"
    );
    assert_eq!(over(&gateway, &name)["request_counts"]["completed"], ROWS);
    assert!(most_kib < idle_kib + (8 << 10), "{idle_kib} KiB grew to {most_kib} KiB");
}
