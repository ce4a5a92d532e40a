//! Files of the gateway's own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use ostia_testkit::{Answer, Upstream};
use serde_json::json;

use super::tools::{CHAT, config, create, form, get, id, row, rows, upload, uploaded};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open};

/// What an upload may add to the gateway's memory, whatever its length.
const GROWTH_KIB_MAX: u64 = 8 << 10;

/// The contents of files that a gateway keeps.
fn contents(gateway: &Gateway) -> Vec<PathBuf> {
    let folder = gateway.folder().join("data/batch-files");
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_file_is_kept_told_and_removed() {
    let gateway = Gateway::start();
    let rows = rows(3);
    let file = upload(&rows).to(&gateway);
    let id = id(&file);
    let told = file.json();
    assert!(id.starts_with("file-ostia-"), "{told}");
    for (name, value) in [
        ("object", json!("file")),
        ("bytes", json!(rows.len())),
        ("filename", json!("rows.jsonl")),
        ("purpose", json!("batch")),
        ("status", json!("processed")),
    ] {
        assert_eq!(told[name], value, "{told}");
    }
    assert_eq!(get(&gateway, &format!("/v1/files/{id}")).json(), told);
    let content = get(&gateway, &format!("/v1/files/{id}/content"));
    assert_eq!((content.text(), content.header("content-type")), (rows.as_str(), Some("application/jsonl")));
    let kept = contents(&gateway);
    let mode = std::fs::metadata(&kept[0]).unwrap().permissions().mode();
    assert_eq!((kept.len(), mode & 0o777), (1, 0o600));
    let second = uploaded(&gateway, &rows);
    let list = |query: &str| {
        let list = Ask::new("GET", &format!("/v1/files{query}")).header("x-portkey-provider", "portkey");
        list.to(&gateway).json()
    };
    let all = list("");
    assert_eq!((&all["data"][0]["id"], &all["data"][1]), (&json!(second), &told), "the newest first");
    assert_eq!((&all["first_id"], &all["has_more"]), (&json!(second), &json!(false)));
    let page = list(&format!("?limit=1&order=asc&after={id}"));
    assert_eq!((&page["data"][0]["id"], &page["has_more"]), (&json!(second), &json!(false)));
    assert_eq!(list("?limit=1")["has_more"], true);
    assert_eq!(list("?purpose=batch_output")["data"], json!([]));
    let refused = Ask::new("GET", "/v1/files?limit=0").to(&gateway);
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("limit")));
    let removed = Ask::new("DELETE", &format!("/v1/files/{id}")).to(&gateway);
    assert_eq!(removed.json(), json!({"id": id, "object": "file", "deleted": true}));
    assert_eq!(contents(&gateway).len(), 1);
    for method in ["GET", "DELETE"] {
        assert_eq!(Ask::new(method, &format!("/v1/files/{id}")).to(&gateway).status, 404);
    }
    assert_eq!(Ask::new("PUT", "/v1/files").to(&gateway).status, 405);
}

#[test]
fn what_is_wrong_with_a_file_is_named_by_its_line() {
    let gateway = Gateway::with("batches: {file_bytes: 4KiB}");
    let check = |rows: &str, code: &str, words: &str| {
        let refused = upload(rows).to(&gateway);
        let error = refused.json()["error"].clone();
        let message = error["message"].as_str().unwrap();
        assert_eq!((refused.status, error["code"].as_str()), (400, Some(code)), "{rows}: {error}");
        assert!(message.contains(words), "{message}");
    };
    let good = row("a", "x");
    let with = |field: &str, value: serde_json::Value| {
        let mut row = crate::json(&row("b", "x"));
        row[field] = value;
        format!("{good}\n\n{row}\n")
    };
    check("", "empty_file", "no rows");
    check("\n \n", "empty_file", "no rows");
    check(&format!("{good}\nnot json\n"), "invalid_json_line", "Line 2 of the file is no JSON");
    check(
        &with("custom_id", json!(null)),
        "missing_required_parameter",
        "Line 3 of the file has no `custom_id`",
    );
    check(&with("custom_id", json!("a")), "duplicate_custom_id", "Line 3");
    check(&with("method", json!("GET")), "invalid_method", "Line 3");
    check(&with("url", json!("/v1/files")), "invalid_url", "Line 3");
    check(&with("url", json!("/v1/batches")), "invalid_url", "Line 3");
    check(&with("url", json!("/v1/audio/speech")), "invalid_url", "more than JSON");
    check(&with("url", json!("/v1/audio/transcriptions")), "invalid_url", "more than JSON");
    check(&with("url", json!("/v1beta/models/m:streamGenerateContent")), "invalid_url", "streams");
    check(&with("url", json!("/v1/chat/completions?key=x")), "invalid_url", "no path");
    check(&with("url", json!("/v1beta/models/a%2f..%2fb:generateContent")), "invalid_url", "no path");
    check(&with("url", json!("https://example.com/v1/chat/completions")), "invalid_url", "no path");
    check(&with("body", json!("x")), "invalid_body", "Line 3");
    check(&with("body", json!({"stream": true})), "invalid_body", "`stream`");
    let large = upload(rows(100)).to(&gateway);
    assert_eq!((large.status, large.json()["error"]["code"].as_str()), (413, Some("file_too_large")));
    let other = upload("").body(form("fine-tune", good.as_bytes())).to(&gateway);
    assert_eq!((other.status, other.json()["error"]["param"].as_str()), (400, Some("purpose")));
    let plain = upload("").header("content-type", "application/json").to(&gateway);
    assert!((400..500).contains(&plain.status), "{}", plain.text());
    let no_form = Ask::post("/v1/files", "{}").to(&gateway);
    assert_eq!((no_form.status, no_form.json()["error"]["param"].as_str()), (400, Some("content-type")));
    let cut = form("batch", good.as_bytes());
    let cut = upload("").body(&cut[..cut.len() - 9]).to(&gateway);
    assert_eq!((cut.status, cut.json()["error"]["code"].as_str()), (400, Some("form_invalid")));
    assert!(contents(&gateway).is_empty(), "{:?}", contents(&gateway));
}

#[test]
fn a_client_that_leaves_half_way_leaves_nothing() {
    let gateway = Gateway::start();
    let bytes = upload(rows(20_000)).bytes();
    let mut open = Open::connect(&gateway);
    open.send(&bytes[..bytes.len() / 2]);
    gateway.wait_until(|| contents(&gateway).len() == 1);
    drop(open);
    gateway.wait_until(|| contents(&gateway).is_empty());
}

#[test]
fn all_files_together_have_a_bound() {
    let gateway = Gateway::with("batches: {bytes: 2KiB}");
    let first = uploaded(&gateway, rows(20));
    let refused = upload(rows(1)).to(&gateway);
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (413, Some("batches_full")));
    assert_eq!(Ask::new("DELETE", &format!("/v1/files/{first}")).to(&gateway).status, 200);
    uploaded(&gateway, rows(1));
}

#[test]
fn a_large_file_takes_no_more_memory_than_a_small_one() {
    let gateway = Gateway::start();
    let rows = rows(20_000);
    let large: String = rows.replace("say", &"say ".repeat(300));
    assert!(large.len() > 20 << 20, "{}", large.len());
    uploaded(&gateway, &rows);
    let idle_kib = gateway.resident_kib();
    let file = uploaded(&gateway, &large);
    assert!(get(&gateway, &format!("/v1/files/{file}/content")).body == large.as_bytes());
    let after_kib = gateway.resident_kib();
    assert!(after_kib < idle_kib + GROWTH_KIB_MAX, "{idle_kib} KiB grew to {after_kib} KiB");
}

#[test]
fn owners_do_not_see_one_another() {
    let upstream = Upstream::serve(super::tools::echo);
    let gateway = Gateway::with(&config(&upstream, "auth: {keys: [pk-a, pk-b]}"));
    let as_a = |ask: Ask| ask.header("x-ostia-api-key", "pk-a");
    let as_b = |ask: Ask| ask.header("authorization", "Bearer pk-b");
    let file = id(&as_a(upload(rows(1))).to(&gateway));
    assert_eq!(as_b(create(&file)).to(&gateway).status, 404);
    let batch = id(&as_a(create(&file)).to(&gateway));
    for (method, path) in [
        ("GET", format!("/v1/files/{file}")),
        ("GET", format!("/v1/files/{file}/content")),
        ("DELETE", format!("/v1/files/{file}")),
        ("GET", format!("/v1/batches/{batch}")),
        ("GET", format!("/v1/batches/{batch}/output")),
        ("POST", format!("/v1/batches/{batch}/cancel")),
    ] {
        let ask = || Ask::new(method, &path);
        assert_eq!(as_b(ask()).to(&gateway).status, 404, "{path}");
        assert_eq!(ask().to(&gateway).status, 401, "{path}");
    }
    for path in ["/v1/files", "/v1/batches"] {
        let list = |ask: Ask| ask.to(&gateway).json()["data"].as_array().unwrap().len();
        assert_eq!(list(as_b(Ask::new("GET", path))), 0, "{path}");
        assert!(list(as_a(Ask::new("GET", path))) >= 1, "{path}");
    }
}

#[test]
fn what_is_for_a_provider_goes_there() {
    let upstream = Upstream::always(Answer::json(r#"{"id":"x"}"#));
    // Who speaks Messages may have batches of them.
    let config =
        config(&upstream, "default_provider: up").replace("[openai_chat", "[anthropic_messages, openai_chat");
    let gateway = Gateway::with(&config);
    let body = json!({"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"}).to_string();
    let inline = r#"{"requests": [ {"custom_id":"a","params":{"model":"m"}} ]}"#;
    let to_two =
        json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "up"}, {"provider": "up"}]});
    let to_two = to_two.to_string();
    for (method, path, content_type, sent, header) in [
        ("POST", "/v1/files", "multipart/form-data; boundary=bnd", form("fine-tune", b"{}"), None),
        ("GET", "/v1/files?limit=1", "", Vec::new(), None),
        ("GET", "/v1/files/file-1/content", "", Vec::new(), None),
        ("DELETE", "/v1/files/file-1", "", Vec::new(), None),
        ("POST", "/v1/batches", "application/json", body.clone().into_bytes(), None),
        ("POST", "/v1/batches", "application/json", body.into_bytes(), Some(("x-ostia-config", &*to_two))),
        ("POST", "/v1/batches", "application/json", b"{".to_vec(), Some(("x-ostia-provider", "up"))),
        ("GET", "/v1/batches/batch_1", "", Vec::new(), None),
        ("POST", "/v1/batches/batch_1/cancel", "application/json", b"{}".to_vec(), None),
        ("GET", "/v1/batches", "", Vec::new(), Some(("x-ostia-provider", "up"))),
        ("POST", "/v1/messages/batches", "application/json", inline.into(), None),
        (
            "POST",
            "/v1/messages/batches",
            "application/json",
            inline.into(),
            Some(("x-ostia-config", &*to_two)),
        ),
        ("GET", "/v1/messages/batches/msgbatch_1/results", "", Vec::new(), None),
    ] {
        let mut ask = Ask::new(method, path).body(sent.clone());
        if !content_type.is_empty() {
            ask = ask.header("content-type", content_type);
        }
        let before = upstream.count();
        let reply = header.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, r#"{"id":"x"}"#), "{method} {path}");
        let last = upstream.last();
        assert_eq!((upstream.count(), &*last.method, &*last.target), (before + 1, method, path));
        assert!(last.body == sent, "{method} {path}: {}", last.text());
    }
}

#[test]
fn without_a_place_for_data_it_is_said_how_to_get_one() {
    let gateway = Setup::new().without_data().start();
    for ask in [upload(rows(1)), create("file-ostia-1"), Ask::new("GET", "/v1/batches/batch_ostia_1")] {
        let refused = ask.to(&gateway);
        let error = refused.json()["error"].clone();
        assert_eq!(
            (refused.status, error["code"].as_str()),
            (400, Some("data_directory_missing")),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains("--data"), "{error}");
    }
}
