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
fn jobs_that_train_models_are_found_again() {
    let job =
        json!({"id": "ftjob-1", "object": "fine_tuning.job", "status": "queued", "training_file": "file-1"})
            .to_string();
    let own = job.clone();
    let upstream = Upstream::serve(move |request| match request.target.as_str() {
        "/v1/fine_tuning/jobs" | "/v1/fine_tuning/jobs/ftjob-1" | "/v1/fine_tuning/jobs/ftjob-1/cancel" => {
            Answer::json(own.clone())
        }
        "/v1/fine_tuning/jobs/ftjob-1/events?limit=2" | "/v1/fine_tuning/jobs/ftjob-1/checkpoints" => {
            Answer::json(json!({"object": "list", "data": [], "has_more": false}).to_string())
        }
        other => panic!("{other}"),
    });
    let config = format!(
        "auth: {{keys: [pk-a, pk-b]}}\nproviders:\n  one: {{base_url: \"{}/v1\", api_key: sk-one, dialects: [openai_chat, openai_fine_tunes]}}\n",
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let body = json!({"model": "m", "training_file": "file-1"}).to_string();
    let made = by("pk-a", Ask::post("/v1/fine_tuning/jobs", body).header("x-ostia-provider", "one"));
    assert_eq!((made.status, made.text()), (200, job.as_str()), "as it came");
    let below = [("GET", ""), ("POST", "/cancel"), ("GET", "/events?limit=2"), ("GET", "/checkpoints")];
    for (method, rest) in below {
        let path = format!("/v1/fine_tuning/jobs/ftjob-1{rest}");
        let told = by("pk-a", Ask::new(method, &path));
        assert_eq!(told.status, 200, "{path}: {}", told.text());
        assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-one"));
        let other = by("pk-b", Ask::new(method, &path));
        let code = other.json()["error"]["code"].clone();
        assert_eq!((other.status, code), (400, json!("provider_missing")), "{path}");
    }
    assert_eq!(upstream.count(), 1 + below.len());
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

#[test]
fn ids_lead_nobody_else_to_the_operators_account() {
    let (one, two) = (provider(), provider());
    let key = "{key: pk-c, config: both}";
    let both = "{strategy: {mode: fallback}, targets: [{provider: one}, {provider: two}]}";
    let config = config(&one, &two).replace("[pk-a, pk-b]", &format!("[pk-a, pk-b, {key}]"));
    let gateway = Gateway::with(&format!("default_provider: two\n{config}configs: {{both: {both}}}\n"));
    let by = |key: &str, ask: Ask| ask.header("x-ostia-api-key", key).to(&gateway);
    let named = |ask: Ask| ask.header("x-ostia-provider", "two");
    let body = json!({"input_file_id": "file-1", "completion_window": "24h"}).to_string();
    // As long as nobody here has it, nobody here can say whose it is.
    assert_eq!(by("pk-b", Ask::new("GET", "/v1/files/file-1")).status, 200);
    assert_eq!(by("pk-a", Ask::post("/v1/batches", body.clone())).status, 200);
    let asked = (one.count(), two.count());
    let told = r#"{"provider": "one"}"#;
    for path in [
        "/v1/files/file-1/content",
        "/v1/files/file%2D1/content",
        "/v1/files/file-1/",
        "/v1/proxy/files/file-1",
        "/v1/vector_stores/vs_1/files/file-1",
        "/v1/batches/batch_1",
    ] {
        let ask = || Ask::new("GET", path);
        let foreign = [
            by("pk-b", ask()),
            by("pk-b", named(ask())),
            by("pk-b", ask().header("x-ostia-config", told)),
            by("pk-c", ask()),
        ];
        for reply in foreign {
            assert_eq!((reply.status, &reply.json()["error"]["code"]), (404, &json!("not_found")), "{path}");
        }
    }
    assert_eq!(by("pk-b", Ask::new("DELETE", "/v1/files/file-1")).status, 404);
    let stolen = by("pk-b", named(Ask::post("/v1/batches", body)));
    assert_eq!((stolen.status, &stolen.json()["error"]["param"]), (404, &json!("input_file_id")));
    let packed = named(Ask::post("/v1/batches", "unreadable").header("content-encoding", "none-such"));
    assert!((400..500).contains(&by("pk-b", packed).status));
    assert_eq!((one.count(), two.count()), asked, "no provider hears of it");
    // With a key of one's own a provider says itself what is whose.
    let own = named(Ask::new("GET", "/v1/files/file-1")).header("authorization", "Bearer sk-mine");
    assert_eq!(by("pk-b", own).status, 200);
    assert_eq!(two.last().header("authorization").as_deref(), Some("Bearer sk-mine"));
    assert_eq!(by("pk-a", Ask::new("GET", "/v1/files/file-1")).status, 200);
}

#[test]
fn ids_go_before_the_config_of_a_key() {
    let (one, two) = (provider(), provider());
    let config = config(&one, &two).replace("[pk-a, pk-b]", "[{key: pk-a, config: both}]");
    let both = "{strategy: {mode: fallback}, targets: [{provider: one}, {provider: two, api_key: sk-team}]}";
    let gateway = Gateway::with(&format!("{config}configs: {{both: {both}}}\n"));
    let by = |ask: Ask| ask.header("x-ostia-api-key", "pk-a").to(&gateway);
    let body = json!({"input_file_id": "file-1", "completion_window": "24h"}).to_string();
    let at_two = r#"{"provider": "two"}"#;
    assert_eq!(by(Ask::post("/v1/batches", body).header("x-ostia-config", at_two)).status, 200);
    assert_eq!((one.count(), two.count()), (0, 1));
    assert_eq!(by(Ask::new("GET", "/v1/batches/batch_1")).status, 200);
    assert_eq!((one.count(), two.count()), (0, 2), "it is asked where it is");
    assert_eq!(two.last().header("authorization").as_deref(), Some("Bearer sk-team"));
}

#[test]
fn what_is_kept_may_be_out_of_reach_where_the_request_says_whom_to_ask() {
    let (one, two) = (provider(), provider());
    let folder = tempfile::TempDir::new().unwrap();
    let start = || super::tools::at(folder.path(), &config(&one, &two));
    let first = start();
    let ask = |gateway: &Gateway, method: &str, path: &str| {
        let ask = Ask::new(method, path).header("x-ostia-provider", "two");
        ask.header("x-ostia-api-key", "pk-a").to(gateway)
    };
    assert_eq!(ask(&first, "GET", "/v1/batches/batch_1").status, 200);
    // It has the tables now, as soon as an id was remembered.
    let second = start();
    let reply = ask(&second, "GET", "/v1/batches/batch_1");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let open = Ask::new("GET", "/v1/batches/batch_1").header("x-ostia-api-key", "pk-a").to(&second);
    assert_eq!((open.status, &open.json()["error"]["code"]), (400, &json!("provider_missing")));
}
