//! Batches of clouds, whose rows and results are in an object storage.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::clouds::{Cloud, KEY_ID, ROLE, SECRET, is_signed, rows_of};
use super::remote::judge;
use super::tools::{CHAT, batch, content, form, get, id, lines, over};
use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, PATIENCE, Reply};

/// As many rows as a batch of Bedrock's has at least.
const FEWEST: usize = 100;

fn chat(custom_id: &str, model: &str, content: &str, more: Value) -> String {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": content}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}).to_string()
}

/// These rows, and others behind them until there are enough.
fn filled(cloud: Cloud, rows: Vec<String>) -> String {
    let more = (rows.len()..FEWEST)
        .map(|number| chat(&format!("row-{number}"), cloud.model(), &format!("say {number}"), json!({})));
    let all: Vec<String> = rows.into_iter().chain(more).collect();
    all.join("\n")
}

fn upload(cloud: Cloud, rows: &str) -> Ask {
    Ask::new("POST", "/v1/files")
        .header("content-type", "multipart/form-data; boundary=bnd")
        .header("x-ostia-provider", cloud.provider())
        .body(form("batch", rows.as_bytes()))
}

fn create(cloud: Cloud, file: &str) -> Ask {
    let body = json!({"input_file_id": file, "endpoint": CHAT, "completion_window": "24h"});
    Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", cloud.provider())
}

/// A batch of these rows.
#[track_caller]
fn made(gateway: &Gateway, cloud: Cloud, rows: &str) -> String {
    let file = id(&upload(cloud, rows).to(gateway));
    id(&create(cloud, &file).to(gateway))
}

/// What is said against a batch of these rows at once.
#[track_caller]
fn refused(gateway: &Gateway, cloud: Cloud, rows: &str, prepare: impl Fn(Ask) -> Ask) -> (u16, Value) {
    let file = id(&prepare(upload(cloud, rows)).to(gateway));
    let reply: Reply = prepare(create(cloud, &file)).to(gateway);
    (reply.status, reply.json()["error"].clone())
}

#[test]
fn rows_go_to_a_bucket_and_their_answers_come_back() {
    for cloud in Cloud::ALL {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let rows = vec![
            chat("first row", cloud.model(), "Hello", json!({})),
            chat("two", cloud.model(), "h\u{e9}, \"you\"", json!({})),
            String::new(),
            chat("3", cloud.model(), "bad", json!({})),
        ];
        let name = made(
            &gateway,
            cloud,
            &(filled(cloud, rows) + "\n" + &chat("last", cloud.model(), "end", json!({}))),
        );
        let ended = over(&gateway, &name);
        assert_eq!(ended["status"], "completed", "{cloud:?}: {ended}");
        assert_eq!(
            ended["request_counts"],
            json!({"total": FEWEST, "completed": FEWEST - 1, "failed": 1}),
            "{cloud:?}"
        );
        let output = lines(&gateway, &ended["output_file_id"]);
        for (custom_id, said) in [("first row", "Hello"), ("two", "h\u{e9}, \"you\""), ("last", "end")] {
            assert_eq!(content(&output[custom_id]), said, "{cloud:?}");
        }
        let errors = lines(&gateway, &ended["error_file_id"]);
        let refused = &errors["3"]["response"];
        assert_eq!(
            (refused["status_code"].as_u64(), &refused["body"]["error"]["message"]),
            (Some(400), &json!("Bad row.")),
            "{cloud:?}: {refused}"
        );
        assert_eq!((output.len(), errors.len()), (FEWEST - 1, 1), "{cloud:?}");
        let kept = kept.lock().unwrap();
        let own = format!("rows-1/a/b/{name}/");
        assert!(kept.objects.keys().all(|object| object.starts_with(&own)), "{:?}", kept.objects.keys());
        assert_eq!(kept.objects.len(), 2, "{:?}", kept.objects.keys());
        let asked = upstream.requests();
        let secrets = [SECRET, "x-ostia", "x-portkey"];
        let told = |request: &Request| format!("{:?}{}", request.headers, request.target);
        assert!(asked.iter().all(|request| secrets.iter().all(|secret| !told(request).contains(secret))));
        if cloud.is_bedrock() {
            let kind = if cloud == Cloud::BedrockClaude { "InvokeModel" } else { "Converse" };
            let said = (&kept.job["modelInvocationType"], &kept.job["modelId"], &kept.job["roleArn"]);
            assert_eq!(said, (&json!(kind), &json!(cloud.model()), &json!(ROLE)));
        }
    }
}

#[test]
fn rows_of_other_dialects_are_told_as_the_model_takes_them() {
    let cloud = Cloud::BedrockClaude;
    let (upstream, kept) = cloud.serve();
    let gateway = Gateway::with(&cloud.config(&upstream.url()));
    let body =
        json!({"model": cloud.model(), "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
    let messages =
        json!({"custom_id": "own", "method": "POST", "url": "/v1/messages", "body": body}).to_string();
    let tool =
        json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]);
    let rows = filled(cloud, vec![messages, chat("tools", cloud.model(), "x", json!({"tools": tool}))]);
    let file = id(&upload(cloud, &rows).to(&gateway));
    let body = json!({"input_file_id": file, "completion_window": "24h"});
    let create = Ask::post("/v1/batches", body.to_string()).header("x-ostia-provider", cloud.provider());
    let ended = over(&gateway, &id(&create.to(&gateway)));
    assert_eq!(ended["status"], "completed", "{ended}");
    let output = lines(&gateway, &ended["output_file_id"]);
    assert_eq!(output["own"]["response"]["body"]["content"][0]["text"], "Hi", "as Messages has it");
    let kept = kept.lock().unwrap();
    let sent = kept.objects.iter().find(|(name, _)| name.ends_with("/rows.jsonl")).unwrap().1;
    let sent = rows_of(sent);
    let version = json!("bedrock-2023-05-31");
    assert!(sent.iter().all(|row| row["modelInput"]["anthropic_version"] == version), "{sent:?}");
    assert!(sent.iter().all(|row| row["modelInput"].get("model").is_none()), "{sent:?}");
    assert_eq!(sent[1]["modelInput"]["tools"][0]["name"], "weather", "{}", sent[1]);
}

#[test]
fn a_row_that_cannot_be_told_is_named_and_nothing_is_stored() {
    let check = |cloud: Cloud, row: String, code: &str, words: &str| {
        let (upstream, _) = cloud.serve();
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let rows = filled(cloud, vec![chat("a", cloud.model(), "x", json!({})), row]);
        let ended = over(&gateway, &made(&gateway, cloud, &rows));
        let error = &ended["errors"]["data"][0];
        assert_eq!((&ended["status"], &error["code"]), (&json!("failed"), &json!(code)), "{ended}");
        assert_eq!(error["line"], 2, "{ended}");
        assert!(error["message"].as_str().unwrap().contains(words), "{ended}");
        assert_eq!(upstream.count(), 0);
    };
    let tools =
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    let nova = Cloud::BedrockNova;
    check(nova, chat("b", nova.model(), "x", tools), "unsupported_parameter", "no tools");
    for cloud in Cloud::ALL {
        check(cloud, chat("b", "another-model", "x", json!({})), "mismatched_model", "another-model");
        let wrong = chat("b", cloud.model(), "x", json!({"messages": "no"}));
        check(cloud, wrong, "invalid_request", "messages");
    }
    let claude = Cloud::BedrockClaude;
    let nova = chat("b", Cloud::BedrockNova.model(), "x", json!({}));
    check(claude, nova, "mismatched_model", "nova");
}

#[test]
fn what_a_batch_cannot_be_made_without_is_named_at_once() {
    let same = |ask: Ask| ask;
    let few = chat("a", Cloud::BedrockClaude.model(), "x", json!({}));
    let bedrock = |entry: &str, rows: &str| {
        let cloud = Cloud::BedrockClaude;
        let upstream = Upstream::always(Answer::json("{}"));
        let config = format!("providers:\n  bedrock: {{base_url: \"{}\", {entry}}}\n", upstream.url());
        let said = refused(&Gateway::with(&config), cloud, rows, same);
        assert_eq!(upstream.count(), 0, "{said:?}");
        said
    };
    let keys = format!("credentials: {{aws_access_key_id: {KEY_ID}, aws_secret_access_key: {SECRET}}}");
    let enough = filled(Cloud::BedrockClaude, Vec::new());
    let check = |entry: &str, rows: &str, param: &str, code: &str, words: &str| {
        let (status, error) = bedrock(entry, rows);
        let said = (status, &error["param"], &error["code"]);
        assert_eq!(said, (400, &json!(param), &json!(code)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    };
    let settings = format!("settings: {{aws_s3_bucket: b, aws_batch_role_arn: \"{ROLE}\"}}");
    let whole = format!("{keys}, {settings}");
    check(&whole, &few, "input_file_id", "too_few_rows", "100 at least");
    check(&keys, &enough, "aws_s3_bucket", "setting_missing", "x-ostia-aws-s3-bucket");
    let without_role = format!("{keys}, settings: {{aws_s3_bucket: b}}");
    check(&without_role, &enough, "aws_batch_role_arn", "setting_missing", "AWS_BATCH_ROLE_ARN");
    let elsewhere = format!("{keys}, settings: {{aws_s3_bucket: \"b/..\", aws_batch_role_arn: \"{ROLE}\"}}");
    let (status, error) = bedrock(&elsewhere, &enough);
    assert_eq!((status, &error["param"]), (400, &json!("aws_s3_bucket")), "{error}");
    let with_key = format!("api_key: bedrock-api-key-1, {settings}");
    check(&with_key, &enough, "aws_access_key_id", "credential_unsupported", "no API key");
    let upstream = Upstream::always(Answer::json("{}"));
    let config = format!(
        "providers:\n  vertex-ai: {{base_url: \"{}\", api_key: t, settings: {{vertex_project_id: p}}}}\n",
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    let (status, error) =
        refused(&gateway, Cloud::VertexGemini, &chat("a", "gemini-2.5-flash", "x", json!({})), same);
    let said = (status, &error["param"], &error["code"]);
    assert_eq!(said, (400, &json!("vertex_storage_bucket_name"), &json!("setting_missing")), "{error}");
}

#[test]
fn a_client_names_a_bucket_only_for_a_credential_of_its_own() {
    let cloud = Cloud::BedrockClaude;
    let (upstream, kept) = cloud.serve();
    let gateway = Gateway::with(&format!("auth: {{keys: [pk-a]}}\n{}", cloud.config(&upstream.url())));
    let rows = filled(cloud, Vec::new());
    for (header, param) in [
        ("x-portkey-aws-s3-bucket", "aws_s3_bucket"),
        ("x-ostia-aws-s3-prefix", "aws_s3_prefix"),
        ("x-ostia-aws-batch-role-arn", "aws_batch_role_arn"),
        ("x-portkey-amz-server-side-encryption-aws-kms-key-id", "amz_server_side_encryption_aws_kms_key_id"),
    ] {
        let own = |ask: Ask| ask.header("x-ostia-api-key", "pk-a").header(header, "mine");
        let (status, error) = refused(&gateway, cloud, &rows, own);
        let said = (status, &error["param"], &error["code"]);
        assert_eq!(said, (400, &json!(param), &json!("setting_refused")), "{error}");
    }
    assert_eq!(upstream.count(), 0);
    assert!(kept.lock().unwrap().objects.is_empty());
    // With its own keys all of it is its own, and what it would have passed on is not for its bucket.
    let own = |ask: Ask| {
        ask.header("x-ostia-api-key", "pk-a")
            .header("x-portkey-aws-access-key-id", "AKIDCLIENT")
            .header("x-portkey-aws-secret-access-key", "secret-of-the-client")
            .header("x-portkey-aws-s3-bucket", "bucket-of-the-client")
            .header("x-ostia-aws-batch-role-arn", "arn:aws:iam::999999999999:role/mine")
            .header("x-ostia-forward-headers", "x-amz-copy-source, x-amz-acl")
            .header("x-amz-copy-source", "/rows-1/secret")
            .header("x-amz-acl", "public-read")
    };
    let file = id(&own(upload(cloud, &rows)).to(&gateway));
    let name = id(&own(create(cloud, &file)).to(&gateway));
    assert!(upstream.wait_for_requests(1, PATIENCE));
    let put = upstream.last();
    assert_eq!(put.target, format!("/bucket-of-the-client/a/b/{name}/rows.jsonl"));
    assert!(is_signed(&put, "s3", "AKIDCLIENT", "secret-of-the-client"));
    assert!(put.headers.iter().all(|(name, _)| !name.contains("copy") && !name.contains("acl")), "{put:?}");
}

#[test]
fn a_place_of_the_clients_choosing_lends_it_no_credential() {
    // The provider's host is the client's then, and the storage's is the same for all places.
    let cloud = Cloud::VertexGemini;
    let config = "auth: {keys: [pk-a]}\nproviders:\n  vertex-ai: {api_key: token-of-the-operator, settings: {vertex_project_id: p, \
                  vertex_region: us-central1, vertex_storage_bucket_name: rows-1}}\n";
    let gateway = Gateway::with(config);
    let own = |ask: Ask| {
        ask.header("x-ostia-api-key", "pk-a")
            .header("x-ostia-vertex-region", "europe-west4")
            .header("x-ostia-vertex-project-id", "mine")
            .header("x-ostia-vertex-storage-bucket-name", "bucket-of-the-client")
    };
    let (status, error) = refused(&gateway, cloud, &chat("a", cloud.model(), "x", json!({})), own);
    let said = (status, &error["param"], &error["code"]);
    assert_eq!(said, (400, &json!("vertex_storage_bucket_name"), &json!("setting_refused")), "{error}");
}

#[test]
fn whoever_shows_another_key_finds_nothing() {
    let cloud = Cloud::VertexGemini;
    let (upstream, _) = cloud.serve();
    let gateway = Gateway::with(&format!("auth: {{keys: [pk-a, pk-b]}}\n{}", cloud.config(&upstream.url())));
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let file = id(&by("pk-a", upload(cloud, &chat("a", cloud.model(), "x", json!({})))));
    assert_eq!(by("pk-b", create(cloud, &file)).status, 404);
    let path = format!("/v1/batches/{}", id(&by("pk-a", create(cloud, &file))));
    let end = Instant::now() + PATIENCE;
    let ended = loop {
        let batch = by("pk-a", Ask::new("GET", &path)).json();
        if batch["status"] == "completed" {
            break batch;
        }
        assert!(Instant::now() < end, "{batch}");
        thread::sleep(Duration::from_millis(20));
    };
    let output = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
    let asked = upstream.count();
    for path in [&path, &format!("{path}/output"), &output] {
        assert_eq!(by("pk-b", Ask::new("GET", path)).status, 404, "{path}");
    }
    assert_eq!(upstream.count(), asked);
    assert_eq!(by("pk-a", Ask::new("GET", &output)).status, 200);
}

#[test]
fn what_a_storage_says_against_the_rows_is_told() {
    let check = |cloud: Cloud, config: &str, words: &str| {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&config.replace("URL", &upstream.url()));
        let ended = over(&gateway, &made(&gateway, cloud, &filled(cloud, Vec::new())));
        let message = ended["errors"]["data"][0]["message"].as_str().unwrap();
        assert_eq!(message, format!("The rows could not be stored: {words}"), "{ended}");
        assert_eq!((&ended["status"], upstream.count()), (&json!("failed"), 1));
        assert_eq!(kept.lock().unwrap().job, Value::Null, "no job of what is not there");
    };
    let bedrock = Cloud::BedrockNova.config("URL");
    check(Cloud::BedrockNova, &bedrock.replace("rows-1", "nobodys"), "The specified bucket does not exist");
    let wrong = bedrock.replace(SECRET, "another-secret");
    check(Cloud::BedrockNova, &wrong, "The request signature does not match.");
    let vertex = Cloud::VertexClaude.config("URL").replace("rows-1", "nobodys");
    check(Cloud::VertexClaude, &vertex, "The specified bucket does not exist.");
}

#[test]
fn results_that_are_not_there_are_told_so() {
    for cloud in [Cloud::BedrockClaude, Cloud::VertexGemini] {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let ended = over(&gateway, &made(&gateway, cloud, &filled(cloud, Vec::new())));
        kept.lock().unwrap().objects.clear();
        let reply =
            get(&gateway, &format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap()));
        assert_eq!(reply.status, 404, "{cloud:?}: {}", reply.text());
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("does not exist") || message.contains("No such object"), "{message}");
    }
}

#[test]
fn a_job_that_failed_says_why() {
    for cloud in [Cloud::BedrockClaude, Cloud::VertexGemini] {
        let (upstream, kept) = cloud.serve();
        kept.lock().unwrap().failure = Some("The role cannot read the bucket.".to_owned());
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let ended = over(&gateway, &made(&gateway, cloud, &filled(cloud, Vec::new())));
        let error = &ended["errors"]["data"][0];
        assert_eq!(
            (&ended["status"], &error["code"]),
            (&json!("failed"), &json!("provider_failed")),
            "{ended}"
        );
        assert_eq!(error["message"], "The role cannot read the bucket.", "{ended}");
        assert_eq!(ended["output_file_id"], json!(null), "{ended}");
    }
}

#[test]
fn a_job_is_ended_before_its_time() {
    for cloud in [Cloud::BedrockNova, Cloud::VertexClaude] {
        let (upstream, kept) = cloud.serve();
        kept.lock().unwrap().is_running = true;
        let gateway = Gateway::with(&cloud.config(&upstream.url()));
        let name = made(&gateway, cloud, &filled(cloud, Vec::new()));
        let running = batch(&gateway, &name, |batch| batch["status"] != "validating");
        assert_eq!(running["status"], "in_progress", "{running}");
        let cancelled = Ask::new("POST", &format!("/v1/batches/{name}/cancel")).to(&gateway).json();
        assert_eq!(cancelled["status"], "cancelled", "{cloud:?}: {cancelled}");
    }
}

/// A server that hangs up in the middle of what it is sent, again and again; how often it was asked.
fn hanging_up() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut piece = [0; 1 << 12];
            let _ = stream.unwrap().read(&mut piece);
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (url, told)
}

#[test]
fn an_upload_that_is_cut_makes_no_batch() {
    for cloud in [Cloud::BedrockClaude, Cloud::VertexGemini] {
        let (url, asked) = hanging_up();
        let gateway = Gateway::with(&cloud.config(&url));
        let long = "x".repeat(1 << 20);
        let rows = (0..8).map(|number| chat(&format!("long-{number}"), cloud.model(), &long, json!({})));
        let ended = over(&gateway, &made(&gateway, cloud, &filled(cloud, rows.collect())));
        let error = &ended["errors"]["data"][0];
        assert_eq!(ended["status"], "failed", "{ended}");
        assert!(error["message"].as_str().unwrap().starts_with("The rows could not be stored: "), "{ended}");
        assert_eq!(asked.try_iter().count(), 1, "once: what was stored of it nobody knows");
    }
}

/// A proxy that connects to nobody, and whom it was asked for.
fn asked_of_a_proxy(region: &str) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), [0; 1 << 12]);
            let length = stream.read(&mut head).unwrap_or_default();
            let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    let cloud = Cloud::BedrockClaude;
    let config = format!(
        "upstream: {{proxy: \"http://{proxy}\"}}\nproviders:\n  bedrock: {{credentials: {{aws_access_key_id: {KEY_ID}, \
         aws_secret_access_key: {SECRET}}}, settings: {{aws_region: {region}, aws_s3_bucket: b, aws_batch_role_arn: \"{ROLE}\"}}}}\n"
    );
    let gateway = Gateway::with(&config);
    let ended = over(&gateway, &made(&gateway, cloud, &filled(cloud, Vec::new())));
    assert_eq!(ended["status"], "failed", "{ended}");
    told.try_iter().collect()
}

#[test]
fn a_bucket_is_at_the_host_of_its_region() {
    assert_eq!(asked_of_a_proxy("eu-west-1"), ["CONNECT s3.eu-west-1.amazonaws.com:443 HTTP/1.1"]);
    assert_eq!(asked_of_a_proxy("cn-north-1"), ["CONNECT s3.cn-north-1.amazonaws.com.cn:443 HTTP/1.1"]);
}

/// 100,000 rows, to the bucket and back: run by hand, with figures.
#[test]
#[ignore = "takes minutes: cargo nextest run -p ostia --test it --run-ignored only a_hundred_thousand_rows_stored"]
fn a_hundred_thousand_rows_stored_and_read_in_flat_memory() {
    const ROWS: usize = 100_000;
    for cloud in [Cloud::BedrockClaude, Cloud::VertexGemini] {
        let (upstream, kept) = cloud.serve();
        let gateway = Gateway::with(&format!("records: off\n{}", cloud.config(&upstream.url())));
        let rows = |count: usize| -> String {
            (0..count)
                .map(|n| chat(&format!("row-{n}"), cloud.model(), &format!("say {n}"), json!({})) + "\n")
                .collect()
        };
        // The cloud writes all results when it is asked how far it is: longer than a test waits for an answer elsewhere.
        let read = |path: &str| {
            let ask = Ask::new("GET", path).header("connection", "close");
            let (mut stream, mut raw) = (TcpStream::connect(gateway.address).unwrap(), Vec::new());
            stream.write_all(&ask.bytes()).unwrap();
            stream.read_to_end(&mut raw).unwrap();
            String::from_utf8_lossy(&raw).into_owned()
        };
        let results = |ended: &Value| {
            let path = format!("/v1/files/{}/content", ended["output_file_id"].as_str().unwrap());
            read(&path).matches("\"id\":\"batch_req_").count()
        };
        let warm = over(&gateway, &made(&gateway, cloud, &rows(2_000)));
        assert_eq!(results(&warm), 2_000);
        kept.lock().unwrap().heard.clear();
        let idle_kib = gateway.resident_kib();
        let file = id(&upload(cloud, &rows(ROWS)).to(&gateway));
        let (began, mut most_kib) = (Instant::now(), gateway.resident_kib());
        let name = id(&create(cloud, &file).to(&gateway));
        let ended = loop {
            most_kib = most_kib.max(gateway.resident_kib());
            let told = read(&format!("/v1/batches/{name}"));
            if told.contains("\"status\":\"completed\"") {
                break get(&gateway, &format!("/v1/batches/{name}")).json();
            }
            thread::sleep(Duration::from_millis(100));
        };
        let (there, began) = (began.elapsed(), Instant::now());
        let count = thread::scope(|scope| {
            let reading = scope.spawn(|| results(&ended));
            while !reading.is_finished() {
                most_kib = most_kib.max(gateway.resident_kib());
                thread::sleep(Duration::from_millis(50));
            }
            reading.join().unwrap()
        });
        eprintln!(
            "{cloud:?}: idle {idle_kib} KiB, most {most_kib} KiB, {ROWS} rows there {there:?}, back {:?}",
            began.elapsed()
        );
        assert_eq!(count, ROWS);
        assert!(most_kib < idle_kib + (8 << 10), "{idle_kib} KiB grew to {most_kib} KiB");
    }
}

#[test]
fn openais_sdk() {
    let Some(python) = programs::python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/vendor_batches.py");
    let mut heard_of_all = String::new();
    for cloud in [Cloud::BedrockClaude, Cloud::VertexGemini, Cloud::VertexClaude] {
        let (upstream, kept) = cloud.serve();
        // What the SDK shows is a key of the gateway's.
        let config = format!("auth: {{keys: [sk-operator]}}\n{}", cloud.config(&upstream.url()));
        let gateway = Gateway::with(&config);
        let targets =
            [format!("http://{}", gateway.address), format!("{}={}", cloud.provider(), cloud.model())];
        let output = Command::new(&python).env_clear().arg("-B").arg(&script).args(targets).output().unwrap();
        let told =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{cloud:?}: {told}\nthe gateway:\n{}", gateway.printed());
        let heard = std::mem::take(&mut kept.lock().unwrap().heard);
        let lines: String = heard.iter().map(|said| format!("{said}\n")).collect();
        for kind in ["create", "row", "batch"] {
            assert!(lines.contains(&format!("\"kind\":\"{kind}\"")), "{cloud:?}: {kind}");
        }
        heard_of_all += &lines;
    }
    assert_eq!(judge(&python, &heard_of_all), "");
}
