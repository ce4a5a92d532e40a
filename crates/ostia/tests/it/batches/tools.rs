//! Files of rows, batches of them, and an upstream that answers each row with its own words.

use std::collections::BTreeMap;
use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply, once_within};

pub const CHAT: &str = "/v1/chat/completions";
/// How long a batch may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A provider `up` that has OpenAI's chat, at this upstream, and whatever else.
pub fn config(upstream: &Upstream, more: &str) -> String {
    format!(
        "{more}\nproviders:\n  up: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat, openai_embeddings]}}\n",
        upstream.url()
    )
}

/// A gateway that keeps its data in this folder.
pub fn at(data: &std::path::Path, config: &str) -> Gateway {
    Setup::new().config(config).env("OSTIA_DATA", &data.display().to_string()).start()
}

/// What a row of chat says.
pub fn row(custom_id: &str, content: &str) -> String {
    let body = json!({"model": "@up/m", "messages": [{"role": "user", "content": content}]});
    json!({"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}).to_string()
}

/// So many rows, `row-1` the first.
pub fn rows(count: usize) -> String {
    (1..=count).map(|number| row(&format!("row-{number}"), &format!("say {number}")) + "\n").collect()
}

/// What was said last in a chat request.
pub fn said(request: &Request) -> String {
    request.json()["messages"][0]["content"].as_str().unwrap().to_owned()
}

/// Answers with what was said.
pub fn echo(request: &Request) -> Answer {
    Answer::json(openai::chat(&said(request)))
}

pub fn form(purpose: &str, rows: &[u8]) -> Vec<u8> {
    let head = format!(
        "--bnd\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n\
         --bnd\r\nContent-Disposition: form-data; name=\"file\"; filename=\"rows.jsonl\"\r\n\
         Content-Type: application/jsonl\r\n\r\n"
    );
    [head.as_bytes(), rows, b"\r\n--bnd--\r\n"].concat()
}

/// An upload to the gateway itself.
pub fn upload(rows: impl AsRef<[u8]>) -> Ask {
    Ask::new("POST", "/v1/files")
        .header("content-type", "multipart/form-data; boundary=bnd")
        .header("x-ostia-provider", "ostia")
        .body(form("batch", rows.as_ref()))
}

#[track_caller]
pub fn uploaded(gateway: &Gateway, rows: impl AsRef<[u8]>) -> String {
    id(&upload(rows).to(gateway))
}

#[track_caller]
pub fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// A batch of the rows in this file.
pub fn create(file: &str) -> Ask {
    let body = json!({"input_file_id": file, "endpoint": CHAT, "completion_window": "immediate"});
    Ask::post("/v1/batches", body.to_string())
}

pub fn get(gateway: &Gateway, path: &str) -> Reply {
    Ask::new("GET", path).to(gateway)
}

/// A batch, once it is so.
#[track_caller]
pub fn batch(gateway: &Gateway, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    once_within(PATIENCE, || match get(gateway, &format!("/v1/batches/{id}")).json() {
        batch if is_so(&batch) => Ok(batch),
        batch => Err(format!("{batch}\n{}", gateway.printed())),
    })
}

/// A batch that is over.
#[track_caller]
pub fn over(gateway: &Gateway, id: &str) -> Value {
    batch(gateway, id, |batch| {
        ["completed", "failed", "cancelled", "expired"].iter().any(|status| batch["status"] == *status)
    })
}

/// The lines of a file by their custom ids: each is there once.
#[track_caller]
pub fn lines(gateway: &Gateway, file: &Value) -> BTreeMap<String, Value> {
    let Some(file) = file.as_str() else { return BTreeMap::new() };
    let content = get(gateway, &format!("/v1/files/{file}/content"));
    assert_eq!(content.status, 200, "{}", content.text());
    let mut lines = BTreeMap::new();
    for line in content.text().lines() {
        let line = crate::json(line);
        let before = lines.insert(line["custom_id"].as_str().unwrap().to_owned(), line);
        assert!(before.is_none(), "twice: {before:?}");
    }
    lines
}

/// What a line's answer says.
pub fn content(line: &Value) -> &str {
    line["response"]["body"]["choices"][0]["message"]["content"].as_str().unwrap()
}

/// A gate at which rows wait, and a gateway whose batch waits there.
pub fn held(
    data: &std::path::Path,
    more: &str,
    rows: usize,
    prepare: impl Fn(Ask) -> Ask,
) -> (Gateway, Upstream, Gate, String) {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = Upstream::serve(move |request| echo(request).first(Step::Wait(own.clone())));
    let gateway = at(data, &config(&upstream, more));
    let file = id(&prepare(upload(self::rows(rows))).to(&gateway));
    let name = id(&prepare(create(&file).header("x-ostia-provider", "up")).to(&gateway));
    (gateway, upstream, gate, name)
}
