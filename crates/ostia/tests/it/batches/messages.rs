//! Anthropic's message batches for clients of theirs, in front of whoever answers messages.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use super::clouds::Cloud;
use super::tools::{self, config, echo, get, said};
use super::vendors::Vendor;
use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, Reply, once_within};

const PATH: &str = "/v1/messages/batches";
/// How long a batch may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn request(custom_id: &str, model: &str, content: &str) -> Value {
    let params = json!({"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": content}]});
    json!({"custom_id": custom_id, "params": params})
}

fn create(requests: &[Value]) -> Ask {
    Ask::post(PATH, json!({"requests": requests}).to_string())
}

#[track_caller]
fn id(reply: &Reply) -> String {
    let batch = reply.json();
    assert_eq!((reply.status, &batch["type"]), (200, &json!("message_batch")), "{}", reply.text());
    assert_eq!(batch["processing_status"], "in_progress", "{batch}");
    batch["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn ended(gateway: &Gateway, id: &str) -> Value {
    once_within(PATIENCE, || match get(gateway, &format!("{PATH}/{id}")).json() {
        batch if batch["processing_status"] == "ended" => Ok(batch),
        batch => Err(format!("{batch}\n{}", gateway.printed())),
    })
}

/// The results of a batch, where it says that they are.
#[track_caller]
fn results(gateway: &Gateway, batch: &Value) -> BTreeMap<String, Value> {
    let reply = get(gateway, batch["results_url"].as_str().unwrap());
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/x-jsonl")),
        "{}",
        reply.text()
    );
    let rows = reply
        .text()
        .lines()
        .map(crate::json)
        .map(|row| (row["custom_id"].as_str().unwrap().to_owned(), row["result"].clone()));
    rows.collect()
}

fn text(result: &Value) -> &str {
    assert_eq!(
        (&result["type"], &result["message"]["type"]),
        (&json!("succeeded"), &json!("message")),
        "{result}"
    );
    result["message"]["content"][0]["text"].as_str().unwrap()
}

/// Answers with what was said, and refuses what is bad.
fn judge(request: &Request) -> Answer {
    match said(request).as_str() {
        "bad" => Answer::json(openai::error("Bad row.", "invalid_request_error", "bad")).status(400),
        _ => echo(request),
    }
}

#[test]
fn messages_are_answered_by_whoever_converses() {
    let upstream = Upstream::serve(judge);
    let gateway = Gateway::with(&config(&upstream, ""));
    let requests =
        [request("a \u{e9}", "m", "Hello"), request("b", "m", "bad"), request("c", "m", "h\u{e9}\n\"you\"")];
    // By its name in a header, or in the model while the gateway itself is asked, or nobody.
    let by_model: Vec<Value> = requests
        .iter()
        .map(|request| crate::json(&request.to_string().replace("\"m\"", "\"@up/m\"")))
        .collect();
    for (ask, before) in [
        (create(&requests).header("x-ostia-provider", "up"), 0),
        (create(&by_model).header("x-ostia-provider", "ostia"), 3),
        (create(&by_model), 6),
    ] {
        let made = id(&ask.to(&gateway));
        let batch = ended(&gateway, &made);
        let counts = json!({"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0});
        assert_eq!(batch["request_counts"], counts, "{batch}");
        assert_eq!(batch["results_url"], format!("{PATH}/{made}/results"));
        let results = results(&gateway, &batch);
        assert_eq!((text(&results["a \u{e9}"]), text(&results["c"])), ("Hello", "h\u{e9}\n\"you\""));
        let refused = &results["b"];
        assert_eq!(
            (&refused["type"], &refused["error"]["type"]),
            (&json!("errored"), &json!("error")),
            "{refused}"
        );
        assert_eq!(refused["error"]["error"]["type"], "invalid_request_error", "{refused}");
        assert_eq!((results.len(), upstream.count()), (3, before + 3));
    }
    let list = get(&gateway, &format!("{PATH}?limit=2")).json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (2, &json!(true)), "{list}");
    let rest = get(&gateway, &format!("{PATH}?after_id={}", list["last_id"].as_str().unwrap())).json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)), "{rest}");
    let (first, oldest) = (&list["data"][0], rest["data"][0]["id"].as_str().unwrap());
    let before = get(&gateway, &format!("{PATH}?limit=9&before_id={oldest}")).json();
    assert_eq!((&before["data"], &before["has_more"]), (&list["data"], &json!(false)));
    // Batches of other calls take no place in these pages.
    let other = tools::create(&tools::uploaded(&gateway, tools::rows(1))).to(&gateway);
    assert_eq!(other.status, 200, "{}", other.text());
    let newest = get(&gateway, &format!("{PATH}?limit=1")).json();
    assert_eq!((&newest["data"][0], &newest["has_more"]), (first, &json!(true)));

    let gone = Ask::new("DELETE", &format!("{PATH}/{oldest}")).to(&gateway);
    assert_eq!((gone.status, gone.json()), (200, json!({"id": oldest, "type": "message_batch_deleted"})));
    assert_eq!(get(&gateway, &format!("{PATH}/{oldest}")).status, 404);
    let left = get(&gateway, PATH).json();
    assert_eq!(left["data"], list["data"]);
    let files = get(&gateway, "/v1/files?limit=100").json();
    let of_others =
        files["data"].as_array().unwrap().iter().filter(|file| file["purpose"] == "batch").count();
    assert_eq!(of_others, 3, "its rows are gone: {files}");
}

#[test]
fn claude_in_a_cloud_has_its_batches_in_its_own_form() {
    for cloud in [Cloud::BedrockClaude, Cloud::VertexClaude] {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let content = |number: usize| if number == 7 { "bad".to_owned() } else { format!("say {number}") };
        let requests: Vec<Value> = (0..100)
            .map(|number| request(&format!("row-{number}"), cloud.model(), &content(number)))
            .collect();
        let made = id(&create(&requests).header("x-ostia-provider", cloud.provider()).to(&gateway));
        let batch = ended(&gateway, &made);
        let counts = json!({"processing": 0, "succeeded": 99, "errored": 1, "canceled": 0, "expired": 0});
        assert_eq!(batch["request_counts"], counts, "{cloud:?}: {batch}");
        let results = results(&gateway, &batch);
        assert_eq!((results.len(), text(&results["row-42"])), (100, "say 42"), "{cloud:?}");
        assert_eq!(results["row-7"]["type"], "errored", "{cloud:?}");
        assert_eq!(kept.lock().unwrap().objects.len(), 2, "{cloud:?}");
    }
}

#[test]
fn results_in_two_files_are_one() {
    let vendor = Vendor::Mistral;
    let upstream = vendor.serve();
    let gateway = Gateway::with(&vendor.config(&upstream));
    let requests =
        [("a", "Hello"), ("b", "bad"), ("c", "late")].map(|(id, said)| request(id, vendor.model(), said));
    let made = id(&create(&requests).header("x-ostia-provider", vendor.provider()).to(&gateway));
    let results = results(&gateway, &ended(&gateway, &made));
    assert_eq!((results.len(), text(&results["a"])), (3, "Hello"));
    assert_eq!((&results["b"]["type"], &results["c"]["type"]), (&json!("errored"), &json!("errored")));
    // Who wants them at once says so.
    let body = json!({"requests": requests, "completion_window": "immediate"});
    let chat = Upstream::serve(judge);
    let gateway = Gateway::with(&vendor.config(&chat));
    let ask = Ask::post(PATH, body.to_string()).header("x-ostia-provider", vendor.provider());
    let batch = ended(&gateway, &id(&ask.to(&gateway)));
    assert_eq!((&batch["request_counts"]["succeeded"], chat.count()), (&json!(2), 3), "{batch}");
}

#[test]
fn what_makes_no_sense_is_named() {
    let upstream = Upstream::serve(judge);
    let gateway = Gateway::with(&config(&upstream, ""));
    let check = |body: Value, words: &str| {
        let reply = Ask::post(PATH, body.to_string()).header("x-ostia-provider", "up").to(&gateway);
        let error = reply.json();
        assert_eq!((reply.status, &error["type"]), (400, &json!("error")), "{body}: {error}");
        assert_eq!(error["error"]["type"], "invalid_request_error", "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(words), "{error}");
    };
    let one = request("a", "m", "x");
    check(json!({}), "requests");
    check(json!({"requests": []}), "requests");
    check(json!({"requests": [one, {"custom_id": "b"}]}), "requests[1].params");
    check(json!({"requests": [one, one]}), "`requests[1]` has a `custom_id` that an earlier line has too");
    let mut stream = one.clone();
    (stream["custom_id"], stream["params"]["stream"]) = (json!("b"), json!(true));
    check(json!({"requests": [one, stream]}), "`requests[1]` asks for `stream`");
    check(json!({"requests": [one], "completion_window": "1h"}), "completion_window");
    check(json!({"requests": [one], "completion_window": "24h"}), "has no batches");
    assert_eq!(get(&gateway, "/v1/files").json()["data"], json!([]), "nothing is left of them");
    for (method, path, status) in [
        ("GET", format!("{PATH}/batch_ostia_none"), 404),
        ("GET", format!("{PATH}/batch_ostia_none/results"), 404),
        ("POST", format!("{PATH}/batch_ostia_none/cancel"), 404),
        ("DELETE", format!("{PATH}/batch_ostia_none"), 404),
        ("PUT", format!("{PATH}/batch_ostia_none"), 405),
        ("GET", format!("{PATH}?limit=0"), 400),
    ] {
        let reply = Ask::new(method, &path).to(&gateway);
        assert_eq!((reply.status, &reply.json()["type"]), (status, &json!("error")), "{method} {path}");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_batch_is_cancelled_and_its_results_are_waited_for() {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = Upstream::serve(move |request| echo(request).first(Step::Wait(own.clone())));
    let gateway = Gateway::with(&config(&upstream, "batches: {concurrency: 1}"));
    let requests: Vec<Value> = (0..3).map(|number| request(&format!("r{number}"), "m", "x")).collect();
    let made = id(&create(&requests).header("x-ostia-provider", "up").to(&gateway));
    once_within(PATIENCE, || if upstream.count() == 1 { Ok(()) } else { Err("not asked") });
    assert_eq!(get(&gateway, &format!("{PATH}/{made}/results")).status, 409);
    let early = Ask::new("DELETE", &format!("{PATH}/{made}")).to(&gateway);
    assert_eq!((early.status, &early.json()["type"]), (409, &json!("error")));
    let cancelled = Ask::post(&format!("{PATH}/{made}/cancel"), "").to(&gateway).json();
    assert_eq!(cancelled["processing_status"], "canceling", "{cancelled}");
    assert!(cancelled["cancel_initiated_at"].is_string(), "{cancelled}");
    gate.open();
    let batch = ended(&gateway, &made);
    let counts = json!({"processing": 0, "succeeded": 1, "errored": 0, "canceled": 2, "expired": 0});
    assert_eq!(batch["request_counts"], counts, "{batch}");
    assert_eq!(results(&gateway, &batch).len(), 1);
}

#[test]
fn a_batch_that_failed_says_why() {
    let vendor = Vendor::Gemini;
    let upstream = vendor.serve();
    let gateway = Gateway::with(&vendor.config(&upstream));
    let requests = [request("a", vendor.model(), "x"), request("b", "gemini-2.5-pro", "x")];
    let made = id(&create(&requests).header("x-ostia-provider", vendor.provider()).to(&gateway));
    let batch = ended(&gateway, &made);
    let counts = (&batch["results_url"], &batch["request_counts"]["errored"]);
    assert_eq!(counts, (&Value::Null, &json!(2)), "{batch}");
    let why = get(&gateway, &format!("{PATH}/{made}/results"));
    assert!(why.status == 400 && why.text().contains("Line 2"), "{}", why.text());
}

#[test]
fn what_a_provider_says_of_its_own_leads_back_here() {
    let vendor = Vendor::Anthropic;
    let upstream = vendor.serve();
    let gateway = Gateway::with(&vendor.config(&upstream));
    let of =
        |ask: Ask| ask.header("x-ostia-provider", "anthropic").header("accept-encoding", "gzip").to(&gateway);
    let made = of(create(&[request("a", vendor.model(), "Hello")]));
    assert_eq!((made.status, &made.json()["id"]), (200, &json!("msgbatch_1")), "{}", made.text());
    assert_eq!(upstream.last().header("accept-encoding"), None);
    // It is remembered whose it is.
    let batch = get(&gateway, &format!("{PATH}/msgbatch_1")).json();
    assert_eq!(batch["results_url"], format!("{PATH}/msgbatch_1/results"), "{batch}");
    let results = get(&gateway, batch["results_url"].as_str().unwrap());
    assert_eq!((results.status, &crate::json(results.text().trim())["custom_id"]), (200, &json!("a")));
}

#[test]
fn anthropics_sdk() {
    let Some(python) = programs::python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/anthropic_batches.py");
    let (chat, own) = (Upstream::serve(judge), Vendor::Anthropic.serve());
    let (of_chat, of_own) = (config(&chat, ""), Vendor::Anthropic.config(&own));
    let config = of_chat + of_own.strip_prefix("providers:\n").unwrap();
    let gateway = Gateway::with(&config);
    let targets =
        [format!("http://{}", gateway.address), "up=m".to_owned(), "anthropic=claude-sonnet-4-5".to_owned()];
    let output = Command::new(&python).env_clear().arg("-B").arg(&script).args(targets).output().unwrap();
    let told =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{told}\nthe gateway:\n{}", gateway.printed());
}
