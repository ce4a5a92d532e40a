//! Batches that a provider runs in a form of its own, for clients of OpenAI's.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ostia_testkit::vendor::anthropic;
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use super::tools::{CHAT, at, batch, content, form, get, id, lines, over};
use super::vendors::Vendor;
use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, Open, PATIENCE, Reply};

fn chat(custom_id: &str, model: &str, content: &str) -> String {
    let body = json!({"model": model, "messages": [{"role": "user", "content": content}]});
    json!({"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}).to_string()
}

fn upload(vendor: Vendor, rows: &str) -> Ask {
    // Where files in OpenAI's form are the provider's own, they go to the gateway by its name.
    let provider = if vendor.has_files() { "ostia" } else { vendor.provider() };
    Ask::new("POST", "/v1/files")
        .header("content-type", "multipart/form-data; boundary=bnd")
        .header("x-ostia-provider", provider)
        .body(form("batch", rows.as_bytes()))
}

fn create(vendor: Vendor, file: &str) -> Ask {
    let body = json!({
        "input_file_id": file, "endpoint": CHAT, "completion_window": "24h", "metadata": {"team": "red"}
    });
    Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", vendor.provider())
}

/// A batch of these rows.
#[track_caller]
fn made(gateway: &Gateway, vendor: Vendor, rows: &str) -> String {
    let file = id(&upload(vendor, rows).to(gateway));
    id(&create(vendor, &file).to(gateway))
}

/// A batch that its provider has.
#[track_caller]
fn submitted(gateway: &Gateway, name: &str) -> Value {
    batch(gateway, name, |batch| batch["status"] != "validating")
}

#[test]
fn rows_go_to_the_vendor_and_their_answers_come_back() {
    for vendor in Vendor::ALL {
        let upstream = vendor.serve();
        let gateway = Gateway::with(&vendor.config(&upstream));
        let model = vendor.model();
        let rows = [
            chat("first row", model, "Hello"),
            chat("two", model, "h\u{e9}, \"you\""),
            String::new(),
            chat("3", model, "bad"),
            chat("four", model, "late"),
        ];
        let name = made(&gateway, vendor, &rows.join("\n"));
        assert!(name.starts_with("batch_ostia_"), "{name}");
        let ended = over(&gateway, &name);
        let status = if vendor == Vendor::Anthropic { "expired" } else { "completed" };
        assert_eq!(
            (&ended["status"], &ended["completion_window"]),
            (&json!(status), &json!("24h")),
            "{ended}"
        );
        assert_eq!(ended["request_counts"], json!({"total": 4, "completed": 2, "failed": 2}), "{vendor:?}");
        assert_eq!((&ended["metadata"], &ended["endpoint"]), (&json!({"team": "red"}), &json!(CHAT)));
        let output = lines(&gateway, &ended["output_file_id"]);
        let errors = lines(&gateway, &ended["error_file_id"]);
        for (custom_id, said) in [("first row", "Hello"), ("two", "h\u{e9}, \"you\"")] {
            let response = &output[custom_id]["response"];
            assert_eq!(response["status_code"], 200, "{vendor:?}: {response}");
            assert_eq!(response["body"]["object"], "chat.completion", "{vendor:?}: {response}");
            assert_eq!(response["body"]["choices"][0]["message"]["content"], said, "{vendor:?}: {response}");
            assert!(response["body"]["usage"]["total_tokens"].is_u64(), "{vendor:?}: {response}");
        }
        let refused = &errors["3"]["response"];
        // One of them says what is wrong, and no status.
        let status = if vendor == Vendor::Cohere { 500 } else { 400 };
        assert_eq!(refused["status_code"], status, "{vendor:?}: {refused}");
        let message = refused["body"]["error"]["message"].as_str().unwrap();
        assert!(message.contains("Bad row."), "{vendor:?}: {refused}");
        assert_eq!((output.len(), errors.len()), (2, 2), "{vendor:?}");
        let direct = get(&gateway, &format!("/v1/batches/{name}/output"));
        assert_eq!(direct.text().lines().count(), 2, "{vendor:?}");
        let file = get(&gateway, &format!("/v1/files/{}", ended["output_file_id"].as_str().unwrap())).json();
        assert_eq!((&file["purpose"], &file["object"]), (&json!("batch_output"), &json!("file")));
        let asked = upstream.count();
        assert_eq!(over(&gateway, &name), ended);
        assert_eq!(upstream.count(), asked, "of what is over the provider is not asked again");
    }
}

#[test]
fn the_list_of_a_client_with_one_header_has_them() {
    let vendor = Vendor::Anthropic;
    let upstream = vendor.serve();
    let gateway = Gateway::with(&vendor.config(&upstream));
    let name = made(&gateway, vendor, &chat("a", vendor.model(), "x"));
    over(&gateway, &name);
    let list =
        |path: &str| Ask::new("GET", path).header("x-ostia-provider", vendor.provider()).to(&gateway).json();
    assert_eq!(list("/v1/batches")["data"][0]["id"], json!(name));
    let purposes: Vec<Value> =
        list("/v1/files")["data"].as_array().unwrap().iter().map(|file| file["purpose"].clone()).collect();
    assert_eq!(purposes, ["batch_output", "batch"]);
    // A client of the vendor's own asks the vendor.
    let own = Ask::new("GET", "/v1/files")
        .header("x-ostia-provider", vendor.provider())
        .header("anthropic-version", "2023-06-01");
    assert_eq!(own.to(&gateway).status, 404);
    assert_eq!(upstream.last().target, "/v1/files");
}

#[test]
fn a_row_that_cannot_be_told_is_named_by_its_line_and_nothing_is_sent() {
    let other = Upstream::always(Answer::json("{}"));
    let check_at = |vendor: Vendor, provider: &str, rows: &[String], code: &str, words: &str| {
        let upstream = vendor.serve();
        let more =
            format!("  other: {{base_url: \"{}\", api_key: sk, dialects: [openai_chat]}}\n", other.url());
        let gateway = Gateway::with(&(vendor.config(&upstream) + &more));
        let file = id(&upload(vendor, &rows.join("\n")).to(&gateway));
        let body = json!({"input_file_id": file, "completion_window": "24h"});
        let create = Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", provider);
        let ended = over(&gateway, &id(&create.to(&gateway)));
        let error = &ended["errors"]["data"][0];
        assert_eq!((&ended["status"], &error["code"]), (&json!("failed"), &json!(code)), "{ended}");
        assert_eq!(error["line"], json!(rows.len()), "{ended}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("Line {}", rows.len())) && message.contains(words), "{message}");
        assert_eq!(upstream.count(), 0);
        let kept = std::fs::read_dir(gateway.folder().join("data/batch-files")).unwrap();
        assert_eq!(kept.count(), 1, "the file of the client alone");
    };
    let check = |vendor: Vendor, rows: &[String], code: &str, words: &str| {
        check_at(vendor, vendor.provider(), rows, code, words);
    };
    let good = |vendor: Vendor| chat("a", vendor.model(), "x");
    let to = |url: &str, body: Value| {
        json!({"custom_id": "b", "method": "POST", "url": url, "body": body}).to_string()
    };
    let claude = Vendor::Anthropic;
    let model = claude.model();
    let wrong = to(CHAT, json!({"model": model, "messages": "no"}));
    check(claude, &[good(claude), String::new(), wrong], "invalid_request", "messages");
    let moderation = to("/v1/moderations", json!({"model": "m", "input": "x"}));
    check(claude, &[good(claude), moderation], "unsupported_operation", "moderation");
    let later = to("/v1/responses", json!({"model": model, "input": "x", "previous_response_id": "resp_1"}));
    check(claude, &[good(claude), later], "invalid_request", "whole conversation");
    let elsewhere = [chat("a", &format!("@anthropic/{model}"), "x"), chat("b", "@other/m", "x")];
    check_at(claude, "ostia", &elsewhere, "mismatched_provider", "`other`");
    let cohere = Vendor::Cohere;
    let messages = json!([{"role": "user", "content": "x"}]);
    let stops = to(CHAT, json!({"model": cohere.model(), "messages": messages, "stop": ["x"]}));
    check(cohere, &[chat("a", cohere.model(), "x"), stops], "unsupported_parameter", "`stop_sequences`");
    for vendor in Vendor::ALL.into_iter().filter(|vendor| vendor.has_one_model()) {
        check(vendor, &[good(vendor), chat("b", "another-model", "x")], "mismatched_model", "another-model");
    }
}

#[test]
fn rows_of_other_apis_are_told_as_the_one_that_batches_have() {
    for vendor in [Vendor::Xai, Vendor::Fireworks, Vendor::Together] {
        let upstream = vendor.serve();
        let gateway = Gateway::with(&vendor.config(&upstream));
        let body = json!({"model": vendor.model(), "input": "Hello"});
        let rows =
            json!({"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body}).to_string();
        let file = id(&upload(vendor, &rows).to(&gateway));
        let body = json!({"input_file_id": file, "completion_window": "24h"});
        let create = Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", vendor.provider());
        let ended = over(&gateway, &id(&create.to(&gateway)));
        assert_eq!(ended["request_counts"]["completed"], 1, "{vendor:?}: {ended}");
        let answer = &lines(&gateway, &ended["output_file_id"])["a"]["response"]["body"];
        assert_eq!(answer["object"], "response", "{vendor:?}: {answer}");
        assert_eq!(answer["output"][0]["content"][0]["text"], "Hello", "{vendor:?}: {answer}");
    }
}

#[test]
fn what_the_path_of_batches_needs_is_asked_for_by_name() {
    let vendor = Vendor::Fireworks;
    let upstream = vendor.serve();
    let gateway =
        Gateway::with(&vendor.config(&upstream).replace(", settings: {fireworks_account_id: acme}", ""));
    let file = id(&upload(vendor, &chat("a", vendor.model(), "x")).to(&gateway));
    let refused = create(vendor, &file).to(&gateway);
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["param"]), (400, &json!("fireworks_account_id")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("x-ostia-fireworks-account-id"), "{error}");
    assert_eq!(upstream.count(), 0);
    // Whoever says it once need not say it again.
    let name = id(&create(vendor, &file).header("x-ostia-fireworks-account-id", "acme").to(&gateway));
    let ended = over(&gateway, &name);
    assert_eq!(
        (ended["status"].as_str(), lines(&gateway, &ended["output_file_id"]).len()),
        (Some("completed"), 1)
    );
}

#[test]
fn results_at_addresses_inside_of_networks_are_not_read() {
    let inside = Upstream::always(Answer::json("{}"));
    for address in [
        format!("{}/x", inside.url()),
        inside.url().replace("http://", "https://"),
        "https://127.0.0.1/x".to_owned(),
        "https://metadata.google.internal/computeMetadata/v1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "no address".to_owned(),
    ] {
        for vendor in [Vendor::Fireworks, Vendor::Together] {
            let (own, led) = (vendor.serve(), address.clone());
            let asked = own.url();
            let upstream = Upstream::serve(move |request| match request.target.as_str() {
                target if target.ends_with(":getDownloadEndpoint") => {
                    Answer::json(json!({"filenameToSignedUrls": {"a": led}}).to_string())
                }
                target if target.ends_with("/content") => {
                    Answer::json("").status(302).header("location", &led)
                }
                _ => forward(&asked, request),
            });
            let gateway = Gateway::with(&vendor.config(&upstream));
            let ended = over(&gateway, &made(&gateway, vendor, &chat("a", vendor.model(), "x")));
            let path = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
            let reply = get(&gateway, &path);
            assert_eq!(reply.status, 502, "{vendor:?} {address}: {}", reply.text());
            assert!(!reply.text().contains("127.0.0.1"), "{}", reply.text());
        }
    }
    assert_eq!(inside.count(), 0);
}

#[test]
fn a_batch_that_its_vendor_ends_says_why() {
    let ended_with = |vendor: Vendor, status: &'static str, answer: Value| {
        let own = vendor.serve_running();
        let asked = own.url();
        let upstream = Upstream::serve(move |request| {
            match request.method == "GET" && request.target.ends_with(status) {
                true => Answer::json(answer.to_string()),
                false => forward(&asked, request),
            }
        });
        let gateway = Gateway::with(&vendor.config(&upstream));
        let ended = over(&gateway, &made(&gateway, vendor, &chat("a", vendor.model(), "x")));
        assert_eq!((&ended["status"], &ended["output_file_id"]), (&json!("failed"), &Value::Null), "{ended}");
        assert_eq!(ended["errors"]["data"][0]["message"], "Line 1 is wrong.", "{vendor:?}: {ended}");
    };
    let counts =
        json!({"num_requests": 0, "num_pending": 0, "num_success": 0, "num_error": 0, "num_cancelled": 0});
    let xai = json!({
        "batch_id": "batch_1", "cancel_time": "2026-08-20", "cancel_by_xai_message": "Line 1 is wrong.", "state": counts
    });
    ended_with(Vendor::Xai, "/batches/batch_1", xai);
    let together = json!({"id": "b-1", "status": "FAILED", "progress": 0.0, "error": "Line 1 is wrong."});
    ended_with(Vendor::Together, "/batches/b-1", together);
    let fireworks = json!({
        "name": "accounts/acme/batchInferenceJobs/job-1", "state": "JOB_STATE_FAILED",
        "status": {"code": "INVALID_ARGUMENT", "message": "Line 1 is wrong."}
    });
    ended_with(Vendor::Fireworks, "/batchInferenceJobs/job-1", fireworks);
}

#[test]
fn pages_that_break_off_end_the_results_broken() {
    let vendor = Vendor::Xai;
    let rows: Vec<String> = (0..5).map(|n| chat(&format!("row-{n}"), vendor.model(), "x")).collect();
    for broken in [
        Answer::json("{\"results\":[").status(200),
        Answer::json("{}").status(500),
        Answer::json(
            json!({"results": [{"batch_request_id": "9", "batch_result": {"response": {"chat_get_completion": {}}}}]})
                .to_string(),
        ),
    ] {
        let own = vendor.serve();
        let asked = own.url();
        let upstream = Upstream::serve(move |request| match request.target.contains("pagination_token=at%2F2") {
            true => broken.clone(),
            false => forward(&asked, request),
        });
        let gateway = Gateway::with(&vendor.config(&upstream));
        let ended = over(&gateway, &made(&gateway, vendor, &rows.join("\n")));
        let path = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
        let reply = get(&gateway, &path);
        assert_eq!((reply.status, reply.whole, reply.text().lines().count()), (200, false, 2));
    }
}

#[test]
fn whoever_shows_another_key_finds_nothing() {
    let vendor = Vendor::Anthropic;
    let upstream = vendor.serve();
    let config = format!("auth: {{keys: [pk-a, pk-b]}}\n{}", vendor.config(&upstream));
    let gateway = Gateway::with(&config);
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let file = id(&by("pk-a", upload(vendor, &chat("a", vendor.model(), "x"))));
    assert_eq!(by("pk-b", create(vendor, &file)).status, 404);
    let name = id(&by("pk-a", create(vendor, &file)));
    let path = format!("/v1/batches/{name}");
    let end = Instant::now() + PATIENCE;
    let ended = loop {
        let batch = by("pk-a", Ask::new("GET", &path)).json();
        if batch["status"] == "completed" {
            break batch;
        }
        assert!(Instant::now() < end, "{batch}\n{}", gateway.printed());
    };
    let asked = upstream.count();
    let output = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
    for (method, path) in [
        ("GET", path.clone()),
        ("POST", format!("{path}/cancel")),
        ("GET", format!("{path}/output")),
        ("GET", output.clone()),
        ("DELETE", format!("/v1/files/{file}")),
    ] {
        assert_eq!(by("pk-b", Ask::new(method, &path)).status, 404, "{path}");
    }
    assert_eq!(
        by("pk-b", Ask::new("GET", "/v1/batches").header("x-ostia-provider", "ostia")).json()["data"],
        json!([])
    );
    assert_eq!(upstream.count(), asked, "the provider hears nothing of it");
    assert_eq!(by("pk-a", Ask::new("GET", &output)).status, 200);
}

#[test]
fn a_batch_is_asked_for_at_its_own_provider_only() {
    let vendor = Vendor::Anthropic;
    let (upstream, other) = (vendor.serve_running(), Upstream::always(Answer::json("{}")));
    let config = format!(
        "{}  other: {{base_url: \"{}\", api_key: sk-other, dialects: [openai_chat]}}\n",
        vendor.config(&upstream),
        other.url()
    );
    let gateway = Gateway::with(&config);
    let name = made(&gateway, vendor, &chat("a", vendor.model(), "x"));
    submitted(&gateway, &name);
    let path = format!("/v1/batches/{name}");
    let asked = |ask: Ask| ask.to(&gateway);
    let refused = asked(Ask::new("GET", &path).header("x-ostia-provider", "other"));
    let code = refused.json()["error"]["code"].clone();
    assert_eq!((refused.status, code), (400, json!("batch_of_another_provider")));
    let named = asked(Ask::new("GET", &path).header("x-ostia-provider", "anthropic"));
    assert_eq!((named.status, &named.json()["status"]), (200, &json!("in_progress")));
    // A host that a client chose gets no key of the operator's.
    let hosted = asked(Ask::new("GET", &path).header("x-ostia-custom-host", &other.url()));
    assert!(hosted.status >= 400, "{}", hosted.text());
    assert!(other.requests().iter().all(|request| request.header("x-api-key").is_none()), "{other:?}");
}

#[test]
fn a_batch_is_made_at_no_host_that_a_client_chose() {
    let vendor = Vendor::Anthropic;
    let (upstream, other) = (vendor.serve(), Upstream::always(Answer::json("{}")));
    let gateway = Gateway::with(&vendor.config(&upstream));
    let hosted = |ask: Ask| ask.header("x-ostia-custom-host", &other.url());
    let file = id(&upload(vendor, &chat("a", vendor.model(), "x")).to(&gateway));
    let refused = hosted(create(vendor, &file)).to(&gateway);
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["param"]), (400, &json!("custom_host")), "{error}");
    // What that host has is not known: files for it are handed on.
    hosted(upload(vendor, &chat("a", vendor.model(), "x"))).to(&gateway);
    assert_eq!((other.count(), other.last().target.as_str()), (1, "/files"));
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_config_of_several_targets_is_handed_on_and_what_is_made_is_found_by_its_provider() {
    let vendor = Vendor::Anthropic;
    let (upstream, other) = (vendor.serve_running(), Upstream::always(Answer::json("{}")));
    let config = format!(
        "auth: {{keys: [{{key: pk-a, config: both}}]}}\ndefault_provider: anthropic\n{}  other: {{base_url: \"{}\", api_key: sk-other, \
         dialects: [openai_chat, openai_files]}}\nconfigs: {{both: {{strategy: {{mode: fallback}}, targets: [{{provider: other}}, {{provider: anthropic}}]}}}}\n",
        vendor.config(&upstream),
        other.url()
    );
    let gateway = Gateway::with(&config);
    let by = |ask: Ask| ask.header("x-ostia-api-key", "pk-a").to(&gateway);
    let alone = |ask: Ask| by(ask.header("x-ostia-config", r#"{"provider": "anthropic"}"#));
    let rows = chat("a", vendor.model(), "x");
    let file = id(&alone(upload(vendor, &rows)));
    let open = by(create(vendor, &file).without("x-ostia-provider"));
    assert_eq!((open.status, &open.json()["error"]["code"]), (400, &json!("config_unsupported")));
    // The provider that is named is one of its targets.
    let path = format!("/v1/batches/{}", id(&by(create(vendor, &file))));
    let end = Instant::now() + PATIENCE;
    loop {
        let batch = by(Ask::new("GET", &path));
        assert_eq!(batch.status, 200, "{}", batch.text());
        if batch.json()["status"] == "in_progress" {
            break;
        }
        assert!(Instant::now() < end, "{}", batch.text());
    }
    let asked = upstream.count();
    by(upload(vendor, &rows).without("x-ostia-provider"));
    assert_eq!((other.count(), other.last().target.as_str()), (1, "/files"), "the config says whom to ask");
    assert_eq!(upstream.count(), asked);
}

#[test]
fn the_model_of_the_rows_may_say_whom_to_ask() {
    for vendor in Vendor::ALL {
        let upstream = vendor.serve();
        let gateway = Gateway::with(&vendor.config(&upstream));
        let model = format!("@{}/{}", vendor.provider(), vendor.model());
        let itself = |ask: Ask| ask.without("x-ostia-provider").header("x-ostia-provider", "ostia");
        let file = id(&itself(upload(vendor, &chat("a", &model, "Hello"))).to(&gateway));
        let ended = over(&gateway, &id(&itself(create(vendor, &file)).to(&gateway)));
        assert_eq!(ended["request_counts"]["completed"], 1, "{vendor:?}: {ended}");
        assert_eq!(content(&lines(&gateway, &ended["output_file_id"])["a"]), "Hello");
        let sent: String = upstream.requests().iter().map(ostia_testkit::Request::text).collect();
        assert!(!sent.contains('@'), "{vendor:?}: {sent}");
    }
}

#[test]
fn a_batch_is_cancelled_at_its_provider() {
    for vendor in Vendor::ALL {
        let upstream = vendor.serve_running();
        let gateway = Gateway::with(&vendor.config(&upstream));
        let name = made(&gateway, vendor, &chat("a", vendor.model(), "x"));
        assert_eq!(submitted(&gateway, &name)["status"], "in_progress");
        let early = get(&gateway, &format!("/v1/batches/{name}/output"));
        assert_eq!((early.status, early.json()["error"]["code"].as_str()), (409, Some("batch_not_over")));
        let cancelled = Ask::new("POST", &format!("/v1/batches/{name}/cancel")).to(&gateway).json();
        assert_eq!(cancelled["status"], "cancelled", "{vendor:?}: {cancelled}");
        assert!(cancelled["cancelled_at"].is_u64() && cancelled["cancelling_at"].is_u64(), "{cancelled}");
    }
}

#[test]
fn what_a_vendor_says_against_a_batch_is_told() {
    let vendor = Vendor::Anthropic;
    let upstream =
        Upstream::always(Answer::json(anthropic::error("invalid_request_error", "Too much.")).status(400));
    let gateway = Gateway::with(&vendor.config(&upstream));
    let ended = over(&gateway, &made(&gateway, vendor, &chat("a", vendor.model(), "x")));
    let error = &ended["errors"]["data"][0];
    assert_eq!((&ended["status"], &error["message"]), (&json!("failed"), &json!("Too much.")), "{ended}");
    assert_eq!(upstream.count(), 1);
    let output = get(&gateway, &format!("/v1/batches/{}/output", ended["id"].as_str().unwrap()));
    assert_eq!(output.status, 404, "{}", output.text());
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    let vendor = Vendor::Anthropic;
    let upstream = vendor.serve();
    let config = format!(
        "{}  plain: {{base_url: \"{}\", api_key: sk, dialects: [openai_chat]}}\n",
        vendor.config(&upstream),
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    let file = id(&upload(vendor, &chat("a", vendor.model(), "x")).to(&gateway));
    let refused = |provider: &str, body: Value| -> (u16, String) {
        let reply: Reply =
            Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", provider).to(&gateway);
        (reply.status, reply.json()["error"]["param"].as_str().unwrap_or_default().to_owned())
    };
    let day = |file: &str| json!({"input_file_id": file, "endpoint": CHAT, "completion_window": "24h"});
    let check = |provider: &str, body: Value, param: &str| {
        assert_eq!(refused(provider, body), (400, param.to_owned()), "{provider}");
    };
    check("plain", day(&file), "completion_window");
    check("anthropic", day("file-abc"), "input_file_id");
    check(
        "anthropic",
        json!({"input_file_id": file, "endpoint": CHAT, "completion_window": "7h"}),
        "completion_window",
    );
    check(
        "anthropic",
        json!({"input_file_id": file, "endpoint": "/v1/embeddings", "completion_window": "24h"}),
        "endpoint",
    );
    let targets =
        r#"{"strategy":{"mode":"fallback"},"targets":[{"provider":"anthropic"},{"provider":"plain"}]}"#;
    let config =
        Ask::post("/v1/batches", day(&file).to_string()).header("x-ostia-config", targets).to(&gateway);
    assert_eq!(
        (config.status, config.json()["error"]["param"].as_str()),
        (400, Some("config")),
        "{}",
        config.text()
    );
    assert_eq!(upstream.count(), 0);
}

#[test]
fn results_that_are_cut_off_or_of_nobody_end_broken() {
    let vendor = Vendor::Anthropic;
    let results = |answer: Answer| {
        let own = vendor.serve();
        let asked = own.url();
        let upstream = Upstream::serve(move |request| match request.target.ends_with("/results") {
            true => answer.clone(),
            false => forward(&asked, request),
        });
        let gateway = Gateway::with(&vendor.config(&upstream));
        let ended = over(&gateway, &made(&gateway, vendor, &chat("a", vendor.model(), "x")));
        let reply =
            get(&gateway, &format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap()));
        (reply.status, reply.whole, reply.text().lines().count())
    };
    let line = |id: &str| {
        let message = crate::json(&anthropic::message("x"));
        format!("{}\n", json!({"custom_id": id, "result": {"type": "succeeded", "message": message}}))
    };
    assert_eq!(results(Answer::json(line("1"))), (200, true, 1));
    assert_eq!(results(Answer::json(line("1").trim_end().to_owned())), (200, true, 1), "without its end");
    for broken in [line("2"), line("other"), "{\"custom_id\":\"1\"}\n".to_owned(), "no json\n".to_owned()] {
        let (status, whole, lines) = results(Answer::json(broken.clone()));
        assert_eq!((status, whole, lines), (200, false, 0), "{broken}");
    }
    let cut = Answer::json([line("1"), line("1")].concat()).broken_after(line("1").len() + 5, Step::Cut);
    let (_, whole, lines) = results(cut);
    assert_eq!((whole, lines), (false, 1));
    assert_eq!(results(Answer::json("{}").status(500)).0, 500);
}

/// The same request to another server.
pub fn forward(url: &str, request: &ostia_testkit::Request) -> Answer {
    let address = url.trim_start_matches("http://").parse().unwrap();
    let mut open = Open::to(address);
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.target);
    let headers = [
        "host",
        "x-api-key",
        "x-goog-api-key",
        "authorization",
        "anthropic-version",
        "content-type",
        "x-goog-upload-protocol",
        "x-amz-date",
        "x-amz-content-sha256",
    ];
    for name in headers {
        if let Some(value) = request.header(name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    open.send(head.as_bytes());
    open.send(&request.body);
    let reply = open.finish();
    let answer = Answer::json(reply.body.clone()).status(reply.status);
    match reply.header("location") {
        Some(location) => answer.header("location", location),
        None => answer,
    }
}

#[test]
fn a_client_that_leaves_lets_the_provider_go() {
    let vendor = Vendor::Anthropic;
    let own = vendor.serve();
    let asked = own.url();
    let message = crate::json(&anthropic::message(&"x".repeat(1 << 16)));
    let line =
        format!("{}\n", json!({"custom_id": "1", "result": {"type": "succeeded", "message": message}}));
    let upstream = Upstream::serve(move |request| match request.target.ends_with("/results") {
        true => Answer::json(line.repeat(1_000)),
        false => forward(&asked, request),
    });
    let gateway = Gateway::with(&vendor.config(&upstream));
    let ended = over(&gateway, &made(&gateway, vendor, &chat("a", vendor.model(), "x")));
    let path = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
    let mut open = Ask::new("GET", &path).open(&gateway);
    assert!(open.read_until(PATIENCE, |reply| reply.body.len() > 1 << 16).is_some());
    drop(open);
    assert!(upstream.wait_for_leaving(1, PATIENCE));
    assert!(upstream.sent_bytes() < 16 << 20, "as fast as it was taken: {}", upstream.sent_bytes());
}

#[test]
fn a_batch_that_was_being_made_is_not_made_twice_after_a_restart() {
    let vendor = Vendor::Anthropic;
    let gate = ostia_testkit::Gate::new();
    let own = gate.clone();
    let upstream = Upstream::serve(move |_| Answer::json("{}").first(Step::Wait(own.clone())));
    let data = tempfile::tempdir().unwrap();
    let mut gateway = at(data.path(), &vendor.config(&upstream));
    let name = made(&gateway, vendor, &chat("a", vendor.model(), "x"));
    assert!(upstream.wait_for_requests(1, PATIENCE));
    gateway.signal("KILL");
    gateway.wait(PATIENCE);
    gate.open();
    let gateway = at(data.path(), &vendor.config(&upstream));
    let ended = over(&gateway, &name);
    let code = &ended["errors"]["data"][0]["code"];
    assert_eq!((&ended["status"], code), (&json!("failed"), &json!("batch_interrupted")), "{ended}");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_batch_at_its_provider_is_found_again_after_a_restart() {
    let vendor = Vendor::Gemini;
    let upstream = vendor.serve();
    let data = tempfile::tempdir().unwrap();
    let mut gateway = at(data.path(), &vendor.config(&upstream));
    let file = id(&upload(vendor, &chat("a", vendor.model(), "x")).to(&gateway));
    let name = id(&create(vendor, &file).to(&gateway));
    submitted(&gateway, &name);
    // The rows are at the provider: the client's file is not needed any more.
    assert_eq!(Ask::new("DELETE", &format!("/v1/files/{file}")).to(&gateway).status, 200);
    gateway.signal("KILL");
    gateway.wait(PATIENCE);
    let gateway = at(data.path(), &vendor.config(&upstream));
    let ended = over(&gateway, &name);
    assert_eq!(lines(&gateway, &ended["output_file_id"]).len(), 1, "{ended}");
}

/// 100,000 rows, to the vendor and back: run by hand, with figures.
#[test]
#[ignore = "takes minutes: cargo nextest run -p ostia --test it --run-ignored only a_hundred_thousand_rows_told"]
fn a_hundred_thousand_rows_told_both_ways_in_flat_memory() {
    const ROWS: usize = 100_000;
    let vendor = Vendor::Anthropic;
    let upstream = vendor.serve();
    let gateway = Gateway::with(&format!("records: off\n{}", vendor.config(&upstream)));
    let rows = |count: usize| -> String {
        (0..count).map(|n| chat(&format!("row-{n}"), vendor.model(), &format!("say {n}")) + "\n").collect()
    };
    let results = |ended: &Value| {
        let path = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
        let ask = Ask::new("GET", &path).header("connection", "close");
        let (mut stream, mut raw) = (TcpStream::connect(gateway.address).unwrap(), Vec::new());
        stream.write_all(&ask.bytes()).unwrap();
        // The scripted vendor takes its time to say so much.
        stream.read_to_end(&mut raw).unwrap();
        String::from_utf8_lossy(&raw).matches("\"id\":\"batch_req_").count()
    };
    let warm = over(&gateway, &made(&gateway, vendor, &rows(2_000)));
    assert_eq!(results(&warm), 2_000);
    let idle_kib = gateway.resident_kib();
    let file = id(&upload(vendor, &rows(ROWS)).to(&gateway));
    let began = Instant::now();
    let name = id(&create(vendor, &file).to(&gateway));
    let mut most_kib = gateway.resident_kib();
    let ended = loop {
        most_kib = most_kib.max(gateway.resident_kib());
        let told = get(&gateway, &format!("/v1/batches/{name}")).json();
        if told["status"] == "completed" {
            break told;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let (there, began) = (began.elapsed(), Instant::now());
    let count = std::thread::scope(|scope| {
        let reading = scope.spawn(|| results(&ended));
        while !reading.is_finished() {
            most_kib = most_kib.max(gateway.resident_kib());
            std::thread::sleep(Duration::from_millis(50));
        }
        reading.join().unwrap()
    });
    eprintln!(
        "idle {idle_kib} KiB, most {most_kib} KiB, {ROWS} rows there {there:?}, back {:?}",
        began.elapsed()
    );
    assert_eq!(count, ROWS);
    assert!(most_kib < idle_kib + (8 << 10), "{idle_kib} KiB grew to {most_kib} KiB");
}

#[test]
fn openais_sdk() {
    let Some(python) = programs::python() else { return };
    let mut heard_of_all = String::new();
    for vendor in Vendor::ALL {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (own, heard) = (vendor.serve(), said.clone());
        let asked = own.url();
        let upstream = Upstream::serve(move |request| {
            let answer = forward(&asked, request);
            heard.lock().unwrap().extend(vendor.judged(request, &answer));
            answer
        });
        let gateway = Gateway::with(&vendor.config(&upstream));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/vendor_batches.py");
        let targets =
            [format!("http://{}", gateway.address), format!("{}={}", vendor.provider(), vendor.model())];
        let output = Command::new(&python).env_clear().arg("-B").arg(script).args(targets).output().unwrap();
        let told =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{vendor:?}: {told}\nthe gateway:\n{}", gateway.printed());
        let lines = said.lock().unwrap().iter().map(|said: &Value| format!("{said}\n")).collect::<String>();
        let kinds =
            ["create", "row", "batch", "result"].map(|kind| lines.contains(&format!("\"kind\":\"{kind}\"")));
        assert_eq!(kinds, [true, vendor != Vendor::Anthropic, true, true], "{vendor:?}");
        heard_of_all += &lines;
    }
    assert_eq!(judge(&python, &heard_of_all), "");
}

/// What the models of the vendors' SDKs have against it. To load them all takes ten seconds.
pub fn judge(python: &OsStr, lines: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/batch_judge.py");
    let mut judge = Command::new(python)
        .env_clear()
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}
