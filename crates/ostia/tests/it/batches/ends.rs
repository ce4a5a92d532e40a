//! How batches end otherwise than with their last row.

use std::path::{Path, PathBuf};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use super::tools::{at, batch, config, create, get, held, id, lines, over, rows, uploaded};
use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, PATIENCE, once};

#[test]
fn a_cancelled_batch_ends_with_what_was_under_way() {
    let data = tempfile::tempdir().unwrap();
    let (gateway, upstream, gate, name) = held(data.path(), "batches: {concurrency: 3}", 50, |ask| ask);
    assert!(upstream.wait_for_requests(3, PATIENCE));
    let running = batch(&gateway, &name, |batch| batch["status"] == "in_progress");
    let early = get(&gateway, &format!("/v1/batches/{name}/output"));
    assert_eq!((early.status, early.json()["error"]["code"].as_str()), (409, Some("batch_not_over")));
    let file = running["input_file_id"].as_str().unwrap();
    assert_eq!(Ask::new("DELETE", &format!("/v1/files/{file}")).to(&gateway).status, 409);
    let cancel = Ask::new("POST", &format!("/v1/batches/{name}/cancel"));
    assert_eq!(cancel.to(&gateway).json()["status"], "cancelling");
    gate.open();
    let ended = over(&gateway, &name);
    assert_eq!((&ended["status"], upstream.count()), (&json!("cancelled"), 3), "{ended}");
    assert_eq!(ended["request_counts"], json!({"total": 50, "completed": 3, "failed": 0}));
    assert_eq!(lines(&gateway, &ended["output_file_id"]).len(), 3);
    assert_eq!(cancel.to(&gateway).json(), ended, "once more changes nothing");
}

#[test]
fn a_key_of_a_client_is_never_on_disk() {
    let data = tempfile::tempdir().unwrap();
    let with_key = |ask: Ask| ask.header("authorization", "Bearer sk-client-0123456789");
    let (mut gateway, upstream, gate, name) =
        held(data.path(), "batches: {concurrency: 2}\nrecords: off", 5, with_key);
    assert!(upstream.wait_for_requests(2, PATIENCE));
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-client-0123456789"));
    let config = config(&upstream, "");
    gateway.signal("KILL");
    gateway.wait(PATIENCE);
    gate.open();
    for entry in walk(data.path()) {
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!holds(&bytes, b"0123456789"), "{}", entry.display());
    }
    let gateway = at(data.path(), &config);
    let get = |path: String| with_key(Ask::new("GET", &path)).to(&gateway);
    let ended = once(|| match get(format!("/v1/batches/{name}")).json() {
        batch if batch["status"] == "completed" => Ok(batch),
        batch => Err(batch),
    });
    assert_eq!(ended["request_counts"], json!({"total": 5, "completed": 0, "failed": 5}), "{ended}");
    let errors = get(format!("/v1/files/{}/content", ended["error_file_id"].as_str().unwrap()));
    for line in errors.text().lines() {
        let line = crate::json(line);
        assert_eq!((&line["response"], &line["error"]["code"]), (&Value::Null, &json!("credentials_lost")));
    }
    assert_eq!(upstream.count(), 2, "nobody was asked again");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn a_batch_goes_on_for_the_key_that_made_it_and_for_no_other() {
    let data = tempfile::tempdir().unwrap();
    let keys = "auth: {keys: [{key: pk-a, name: alice}, pk-b]}\nbatches: {concurrency: 1}";
    let as_a = |ask: Ask| ask.header("x-ostia-api-key", "pk-a");
    let run = |keys_then: &str| {
        let (mut gateway, upstream, gate, name) = held(data.path(), keys, 3, as_a);
        assert!(upstream.wait_for_requests(1, PATIENCE));
        gateway.signal("KILL");
        gateway.wait(PATIENCE);
        gate.open();
        let gateway = at(data.path(), &config(&upstream, keys_then));
        gateway.says(&format!("Batch {name} is over"));
        let batch = as_a(Ask::new("GET", &format!("/v1/batches/{name}"))).to(&gateway);
        (batch, upstream.count())
    };
    // Its place among the keys is another one.
    let (ended, count) = run("auth: {keys: [pk-b, {key: pk-a, name: alice}]}");
    assert_eq!(ended.json()["request_counts"], json!({"total": 3, "completed": 3, "failed": 0}));
    assert_eq!(count, 4, "the one under way was asked again");
    let (ended, count) = run("auth: {keys: [pk-b]}");
    assert_eq!((ended.status, count), (401, 1), "the key is none any more");
}

#[test]
fn what_is_not_asked_in_time_is_told_so() {
    let Some(python) = programs::bare_python() else { return };
    let data = tempfile::tempdir().unwrap();
    let (mut gateway, upstream, gate, name) = held(data.path(), "batches: {concurrency: 2}", 5, |ask| ask);
    assert!(upstream.wait_for_requests(2, PATIENCE));
    gateway.signal("KILL");
    gateway.wait(PATIENCE);
    gate.open();
    // As if it had been made a day ago.
    let late = "import sqlite3, sys\n\
                db = sqlite3.connect(sys.argv[1])\n\
                db.execute(\"UPDATE batches SET document = json_set(document, '$.times.expires_s', 1)\")\n\
                db.commit()";
    let file = data.path().join("batches.db");
    let changed = std::process::Command::new(python).args(["-c", late]).arg(file).status().unwrap();
    assert!(changed.success());
    let gateway = at(data.path(), &config(&upstream, ""));
    let ended = over(&gateway, &name);
    assert_eq!((&ended["status"], upstream.count()), (&json!("expired"), 2), "{ended}");
    assert_eq!(ended["request_counts"], json!({"total": 5, "completed": 0, "failed": 5}));
    for (custom_id, line) in lines(&gateway, &ended["error_file_id"]) {
        assert_eq!(
            (&line["response"], &line["error"]["code"]),
            (&Value::Null, &json!("batch_expired")),
            "{custom_id}"
        );
    }
    let told = get(&gateway, &format!("/v1/batches/{name}/output"));
    assert_eq!(told.text().lines().count(), 5, "of a batch without output its errors");
}

#[test]
fn a_batch_whose_rows_are_gone_fails_and_says_so() {
    let data = tempfile::tempdir().unwrap();
    let (mut gateway, upstream, gate, name) = held(data.path(), "batches: {concurrency: 2}", 5, |ask| ask);
    assert!(upstream.wait_for_requests(2, PATIENCE));
    let file = batch(&gateway, &name, |_| true)["input_file_id"].as_str().unwrap().to_owned();
    gateway.signal("KILL");
    gateway.wait(PATIENCE);
    gate.open();
    std::fs::remove_file(data.path().join("batch-files").join(file)).unwrap();
    let gateway = at(data.path(), &config(&upstream, ""));
    let ended = over(&gateway, &name);
    assert_eq!(
        (&ended["status"], &ended["errors"]["data"][0]["code"]),
        (&json!("failed"), &json!("files_unreadable")),
        "{ended}"
    );
    let told = get(&gateway, &format!("/v1/batches/{name}/output"));
    assert_eq!((told.status, told.json()["error"]["code"].as_str()), (404, Some("output_not_found")));
}

#[test]
fn a_batch_that_writes_too_much_ends_and_what_it_wrote_stays() {
    const ROWS: usize = 80;
    let long = "x".repeat(1 << 20);
    let upstream = Upstream::serve(move |_| Answer::json(openai::chat(&long)));
    let gateway = Gateway::with(&config(&upstream, "batches: {bytes: 16MiB, concurrency: 4}\nrecords: off"));
    let ended = over(&gateway, &id(&create(&uploaded(&gateway, rows(ROWS))).to(&gateway)));
    assert_eq!(
        (&ended["status"], &ended["errors"]["data"][0]["code"]),
        (&json!("failed"), &json!("batches_full")),
        "{ended}"
    );
    let completed = ended["request_counts"]["completed"].as_u64().unwrap() as usize;
    assert!((32..=40).contains(&completed), "{ended}");
    assert_eq!(lines(&gateway, &ended["output_file_id"]).len(), completed);
}
