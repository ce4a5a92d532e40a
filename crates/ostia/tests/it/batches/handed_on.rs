//! Files and batches of a provider that are handed on: found again by their ids, by whoever made them.

use ostia_testkit::{Answer, Upstream};
use serde_json::json;

use crate::gateway::Gateway;
use crate::wire::Ask;

/// A provider that has files and batches in OpenAI's form.
fn provider() -> Upstream {
    Upstream::serve(|request| match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/files") => Answer::json(json!({"id": "file-1", "object": "file"}).to_string()),
        ("POST", "/v1/batches") => Answer::json(
            json!({"id": "batch_1", "input_file_id": "file-1", "output_file_id": null}).to_string(),
        )
        .gzip(),
        ("GET", "/v1/batches/batch_1") => Answer::json(
            json!({"id": "batch_1", "output_file_id": "file-2", "error_file_id": ""}).to_string(),
        ),
        _ => Answer::json("{}"),
    })
}

fn config(first: &Upstream, second: &Upstream) -> String {
    let row = |name: &str, upstream: &Upstream| {
        format!(
            "  {name}: {{base_url: \"{}/v1\", api_key: sk-{name}, dialects: [openai_chat, openai_files, openai_batches]}}\n",
            upstream.url()
        )
    };
    format!("auth: {{keys: [pk-a, pk-b]}}\nproviders:\n{}{}", row("one", first), row("two", second))
}

#[test]
fn ids_find_their_way_without_a_header() {
    let (one, two) = (provider(), provider());
    let gateway = Gateway::with(&config(&one, &two));
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let named = |ask: Ask| ask.header("x-ostia-provider", "two");
    let form = b"--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b--\r\n".to_vec();
    let upload =
        Ask::new("POST", "/v1/files").header("content-type", "multipart/form-data; boundary=b").body(form);
    let told = by("pk-a", named(upload));
    assert_eq!(told.text(), json!({"id": "file-1", "object": "file"}).to_string(), "as it came");
    let body =
        json!({"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let accept = Ask::post("/v1/batches", body.to_string()).header("accept-encoding", "gzip");
    assert_eq!(by("pk-a", named(accept)).header("content-encoding"), Some("gzip"));
    let known =
        ["/v1/files/file-1", "/v1/files/file-1/content", "/v1/batches/batch_1", "/v1/files/file-2/content"];
    for (at, path) in known.into_iter().enumerate() {
        assert_eq!(by("pk-a", Ask::new("GET", path)).status, 200, "{path}");
        assert_eq!((two.count(), two.last().target.as_str()), (at + 3, path), "{path}");
        assert_eq!(two.last().header("authorization").as_deref(), Some("Bearer sk-two"));
        let other = by("pk-b", Ask::new("GET", path));
        assert_eq!(
            (other.status, &other.json()["error"]["code"]),
            (400, &json!("provider_missing")),
            "{path}"
        );
    }
    let cancel = by("pk-a", Ask::new("POST", "/v1/batches/batch_1/cancel"));
    assert_eq!((cancel.status, two.last().target.as_str()), (200, "/v1/batches/batch_1/cancel"));
    // Whoever names somebody is heard.
    by("pk-a", Ask::new("GET", "/v1/files/file-1").header("x-ostia-provider", "one"));
    assert_eq!(one.count(), 1);
    let unknown = by("pk-a", Ask::new("GET", "/v1/files/file-9"));
    assert_eq!((unknown.status, one.count()), (400, 1));
    assert_eq!(by("pk-a", Ask::new("DELETE", "/v1/files/file-1")).status, 200);
    assert_eq!(two.last().method, "DELETE");
}
