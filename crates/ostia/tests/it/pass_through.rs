//! What no dialect covers goes through unread, in both directions.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Framing, Step, Upstream};

use crate::gateway::Gateway;
use crate::wire::{Ask, Open};

/// More than anybody should hold in memory.
const LARGE_BYTES: usize = 50 << 20;
/// What a stream of that size may add to the gateway's memory.
const GROWTH_KIB_MAX: u64 = 30 << 10;

#[test]
fn method_path_query_and_body_stay() {
    let gateway = Gateway::start();
    let upstream = Upstream::serve(|request| {
        let method = request.method.clone();
        Answer::with("application/x-odd; v=1", format!("did {method}"))
            .status(207)
            .header("x-own", "1")
            .header("etag", "\"e\"")
    });
    let binary: Vec<u8> = (0..=255).cycle().take(3000).collect();
    for (method, path, target, body) in [
        (
            "GET",
            "/v1/files?purpose=batch&after=%2Fx%20y&b=+&empty=&c",
            "/files?purpose=batch&after=%2Fx%20y&b=+&empty=&c",
            vec![],
        ),
        ("DELETE", "/v1/files/file-1", "/files/file-1", vec![]),
        ("PUT", "/v1/vector_stores/a%2Fb/x;y=1", "/vector_stores/a%2Fb/x;y=1", binary.clone()),
        ("PATCH", "/v1/anything/at/all?x=1&x=2", "/anything/at/all?x=1&x=2", binary.clone()),
        ("POST", "/v1/batches", "/batches", b"{ \"a\" : 1.0}".to_vec()),
        ("POST", "/v1/proxy/some/thing?q=%7B%7D", "/some/thing?q=%7B%7D", binary.clone()),
        ("GET", "/v1/proxy/some/thing", "/some/thing", vec![]),
        ("GET", "/v1/chat/completions?limit=2", "/chat/completions?limit=2", vec![]),
    ] {
        let ask = Ask::new(method, path).at(&upstream, "openai").header("content-type", "application/x-own");
        let reply = ask.body(body.clone()).to(&gateway);
        let seen = upstream.last();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method, target));
        assert!(seen.body == body, "{method} {path}: {} bytes", seen.body.len());
        assert_eq!(seen.header("content-type").as_deref(), Some("application/x-own"));
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
        assert_eq!((reply.status, reply.text()), (207, format!("did {method}").as_str()));
        assert_eq!((reply.header("x-own"), reply.header("etag")), (Some("1"), Some("\"e\"")));
        assert_eq!(reply.header("content-type"), Some("application/x-odd; v=1"));
    }
}

#[test]
fn paths_are_the_providers_own() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json("{}")));
    for (provider, base, method, path, target) in [
        ("google", "", "GET", "/v1beta/models?pageSize=2", "/v1beta/models?pageSize=2"),
        ("google", "", "GET", "/v1beta/models/m", "/v1beta/models/m"),
        ("google", "", "GET", "/v1/models", "/v1beta/models"),
        ("google", "", "POST", "/upload/v1beta/files", "/upload/v1beta/files"),
        ("google", "", "GET", "/v1/proxy/v1beta/models", "/v1beta/models"),
        ("google", "/mine", "GET", "/v1beta/models", "/mine/v1beta/models"),
        ("cohere", "", "GET", "/v1/models", "/v1/models"),
        ("ollama", "", "GET", "/v1/proxy/api/tags", "/api/tags"),
        ("ollama", "", "GET", "/v1/models", "/v1/models"),
        ("openai", "/v1", "GET", "/v1/proxy/v1/models", "/v1/models"),
        ("openai", "/v1", "GET", "/v1/proxy/v1beta/models", "/v1/v1beta/models"),
        ("openai", "/v1", "GET", "/v1/proxyx", "/v1/proxyx"),
    ] {
        let ask = Ask::new(method, path).at(&upstream, provider).without("x-ostia-custom-host");
        let ask = ask.header("x-ostia-custom-host", &format!("{}{base}", upstream.url()));
        assert_eq!(ask.to(&gateway).status, 200, "{provider} {path}");
        assert_eq!(upstream.last().target, target, "{provider} {path}");
    }
}

#[test]
fn forms_stay_as_they_are() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(r#"{"text":"hi"}"#)));
    let mut form = b"--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xc3\xa9.wav\"\r\n\r\n"
        .to_vec();
    form.extend((0..=255).cycle().take(70_000));
    form.extend_from_slice(b"\r\n--XX--\r\n");
    let ask = Ask::new("POST", "/v1/audio/transcriptions").at(&upstream, "openai");
    let reply =
        ask.header("content-type", "multipart/form-data; boundary=XX").body(form.clone()).to(&gateway);
    assert_eq!((reply.status, reply.text()), (200, r#"{"text":"hi"}"#));
    let seen = upstream.last();
    assert!(seen.body == form);
    assert_eq!(seen.target, "/audio/transcriptions");
    assert_eq!(seen.header("content-type").as_deref(), Some("multipart/form-data; boundary=XX"));
    assert_eq!(seen.header("content-length"), Some(form.len().to_string()));
}

#[test]
fn large_bodies_are_streamed_both_ways() {
    let gateway = Gateway::start();
    let piece: Vec<u8> = (0..=255).cycle().take(64 << 10).collect();
    let times = LARGE_BYTES / piece.len();
    let answer = Answer::empty().header("content-type", "application/octet-stream");
    let upstream = Upstream::serve(move |request| match request.method.as_str() {
        "GET" => answer.clone().framing(Framing::Chunked).then(Step::Repeat(piece.clone(), times)),
        _ => Answer::json(format!("{{\"got\":{}}}", request.body.len())),
    });
    let warm = Ask::new("PUT", "/v1/files/x").at(&upstream, "openai").body("x");
    assert_eq!(warm.to(&gateway).status, 200);
    let idle_kib = gateway.resident_kib();
    let upload: Vec<u8> = (0..=250).cycle().take(LARGE_BYTES).collect();
    let reply = Ask::new("POST", "/v1/files").at(&upstream, "openai").body(upload.clone()).to(&gateway);
    let after_upload_kib = gateway.resident_kib();
    assert_eq!(reply.text(), format!("{{\"got\":{LARGE_BYTES}}}"));
    assert!(upstream.last().body == upload);
    let reply = Ask::new("GET", "/v1/files/x/content").at(&upstream, "openai").to(&gateway);
    let after_download_kib = gateway.resident_kib();
    assert!(reply.whole);
    assert_eq!(reply.body.len(), LARGE_BYTES);
    assert!(reply.body.iter().zip((0..=255).cycle()).all(|(a, b): (&u8, u8)| *a == b));
    for (what, kib) in [("upload", after_upload_kib), ("download", after_download_kib)] {
        assert!(kib < idle_kib + GROWTH_KIB_MAX, "{what}: {idle_kib} KiB grew to {kib} KiB");
    }
}

#[test]
fn errors_of_the_proxy_stay_raw() {
    let gateway = Gateway::start();
    for (content_type, body) in [
        ("text/html", "<html>down</html>"),
        ("application/json", r#"{"detail":[{"msg":"no"}]}"#),
        ("text/plain", ""),
    ] {
        let upstream = Upstream::always(Answer::with(content_type, body).status(418).header("x-own", "1"));
        let reply = Ask::post_at(&upstream, "openai", "/v1/proxy/x", "{}").to(&gateway);
        assert_eq!((reply.status, reply.text(), reply.header("x-own")), (418, body, Some("1")));
        assert_eq!(reply.header("content-type"), Some(content_type));
        // Everywhere else a client of an SDK gets an envelope.
        let reply = Ask::post_at(&upstream, "openai", "/v1/x", "{}").to(&gateway);
        assert_eq!((reply.status, reply.header("x-own")), (418, Some("1")));
        assert!(reply.json()["error"]["message"].is_string(), "{}", reply.text());
    }
}

#[test]
fn answers_without_a_body_and_parts_of_one() {
    let gateway = Gateway::start();
    let upstream = Upstream::serve(|request| match request.header("range") {
        Some(range) => Answer::with("x/y", "art").status(206).header("content-range", &format!("{range}/9")),
        None => Answer::empty().status(204),
    });
    assert_eq!(Ask::new("DELETE", "/v1/files/x").at(&upstream, "openai").to(&gateway).status, 204);
    let reply =
        Ask::new("GET", "/v1/files/x").at(&upstream, "openai").header("range", "bytes=1-3").to(&gateway);
    assert_eq!(
        (reply.status, reply.text(), reply.header("content-range")),
        (206, "art", Some("bytes=1-3/9"))
    );
}

#[test]
fn a_client_that_asks_before_it_sends() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("x"))));
    for path in ["/v1/files", "/v1/chat/completions"] {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
        let ask = Ask::post_at(&upstream, "openai", path, body).header("expect", "100-continue").bytes();
        let (head, body) = ask.split_at(ask.len() - body.len());
        let mut open = Open::connect(&gateway);
        open.send(head);
        assert!(open.read_raw(b"HTTP/1.1 100 Continue\r\n\r\n"), "{path}");
        open.send(body);
        assert_eq!(open.finish().status, 200, "{path}");
        assert_eq!(upstream.last().header("expect"), None, "{path}");
    }
}

#[test]
fn a_head_alone() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::empty().status(204)));
    let reply = Ask::new("HEAD", "/v1/files/x").at(&upstream, "openai").to(&gateway);
    assert_eq!((reply.status, upstream.last().method.as_str()), (204, "HEAD"));
}

#[test]
fn redirects_are_not_followed() {
    let gateway = Gateway::start();
    let elsewhere = Upstream::always(Answer::json("{}"));
    for path in ["/v1/files", "/v1/proxy/x", "/v1/chat/completions"] {
        for status in [301, 302, 307, 308] {
            let upstream = Upstream::always(
                Answer::json("{\"a\":1}").status(status).header("location", &elsewhere.url()),
            );
            let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
            let reply = Ask::post_at(&upstream, "openai", path, body).to(&gateway);
            // Where an answer is promised, a redirect is none; the client's own software would follow it.
            let is_typed = path == "/v1/chat/completions";
            assert_eq!(reply.status, if is_typed { 502 } else { status }, "{path}");
            assert_eq!(reply.header("location").is_none(), is_typed, "{path}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}
