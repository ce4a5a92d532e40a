//! Whatever is wrong, clients hear it in their own dialect, with what to do about it.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Step, Upstream, dead_address, gzip};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, Reply};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const MESSAGE: &str = r#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#;

/// The envelope of the path's dialect with all of these words in its message.
fn check(reply: &Reply, path: &str, status: u16, words: &[&str]) {
    let told = format!("{path} {words:?}: {} {}", reply.status, reply.text());
    assert_eq!(reply.status, status, "{told}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{told}");
    let body = reply.json();
    let error = &body["error"];
    let message = error["message"].as_str().unwrap_or_else(|| panic!("{told}"));
    if path.starts_with("/v1/messages") {
        assert_eq!(body["type"], "error", "{told}");
    } else {
        assert!(error.get("param").is_some() && error.get("code").is_some(), "{told}");
    }
    assert!(error["type"].is_string(), "{told}");
    for word in words {
        assert!(message.contains(word), "{word}: {told}");
    }
}

#[test]
fn bodies_that_make_no_sense() {
    let keys = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "JINA_API_KEY"];
    let gateway = keys.iter().fold(Setup::new(), |setup, name| setup.env(name, "sk-1")).start();
    let deep = format!("{{\"model\":\"m\",\"messages\":{}", "[".repeat(100_000));
    let deep_whole =
        format!("{{\"model\":\"m\",\"x\":{}{},\"messages\":[]}}", "[".repeat(5000), "]".repeat(5000));
    for (provider, path, body, status, words) in [
        ("openai", "/v1/chat/completions", "", 400, vec!["body"]),
        ("openai", "/v1/chat/completions", "{", 400, vec!["JSON", "byte"]),
        ("openai", "/v1/chat/completions", r#"{"model":"m",}"#, 400, vec!["JSON", "byte 13"]),
        ("openai", "/v1/chat/completions", r#"{"model":"m"} x"#, 400, vec!["byte 14"]),
        ("openai", "/v1/chat/completions", "nonsense", 400, vec!["byte 0"]),
        ("openai", "/v1/chat/completions", "\"a\"", 400, vec!["object"]),
        ("openai", "/v1/chat/completions", "[]", 400, vec!["object"]),
        (
            "openai",
            "/v1/chat/completions",
            r#"{"messages":[{"role":"user","content":"x"}]}"#,
            400,
            vec!["model"],
        ),
        ("openai", "/v1/chat/completions", r#"{"model":"","messages":[{}]}"#, 400, vec!["model"]),
        ("openai", "/v1/chat/completions", r#"{"model":1,"messages":[{}]}"#, 400, vec!["model"]),
        ("openai", "/v1/chat/completions", r#"{"model":"m"}"#, 400, vec!["messages"]),
        ("openai", "/v1/chat/completions", r#"{"model":"m","messages":[]}"#, 400, vec!["messages"]),
        ("openai", "/v1/chat/completions", r#"{"model":"m","messages":"x"}"#, 400, vec!["messages"]),
        (
            "openai",
            "/v1/chat/completions",
            r#"{"model":"m","stream":"yes","messages":[{}]}"#,
            400,
            vec!["stream"],
        ),
        ("openai", "/v1/chat/completions", &deep, 400, vec![]),
        ("openai", "/v1/chat/completions", &deep_whole, 400, vec!["nesting"]),
        ("openai", "/v1/embeddings", r#"{"model":"m"}"#, 400, vec!["input"]),
        ("openai", "/v1/moderations", "{}", 400, vec!["input"]),
        ("openai", "/v1/images/generations", r#"{"model":"m"}"#, 400, vec!["prompt"]),
        ("mistral-ai", "/v1/ocr", r#"{"model":"m"}"#, 400, vec!["document"]),
        ("mistral-ai", "/v1/ocr", r#"{"document":{}}"#, 400, vec!["model"]),
        ("jina", "/v1/rerank", r#"{"model":"m","query":"q"}"#, 400, vec!["documents"]),
        ("anthropic", "/v1/messages", "{", 400, vec!["JSON", "byte"]),
        ("anthropic", "/v1/messages", r#"{"model":"m","max_tokens":5}"#, 400, vec!["messages"]),
        ("anthropic", "/v1/messages", r#"{"max_tokens":5,"messages":[{}]}"#, 400, vec!["model"]),
        // These are read to be translated, so that every field is looked at.
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"role":"user","content":5}]}"#,
            400,
            vec!["messages[0].content"],
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"content":"x"}]}"#,
            400,
            vec!["messages[0]", "role"],
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"role":"king","content":"x"}]}"#,
            400,
            vec!["messages[0].role"],
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","temperature":"hot","messages":[{"role":"user","content":"x"}]}"#,
            400,
            vec!["temperature"],
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            400,
            vec!["messages[0].content[0]"],
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            r#"{"model":"m","tools":{},"messages":[{"role":"user","content":"x"}]}"#,
            400,
            vec!["tools"],
        ),
        ("anthropic", "/v1/chat/completions", r#"{"model":"m"}"#, 400, vec!["messages"]),
        ("anthropic", "/v1/chat/completions", &deep_whole, 400, vec!["nesting"]),
        ("anthropic", "/v1/embeddings", r#"{"model":"m","input":"x"}"#, 400, vec!["embeddings", "anthropic"]),
        ("opnai", "/v1/chat/completions", CHAT, 400, vec!["opnai", "Did you mean `openai`?"]),
        ("anthropc", "/v1/messages", MESSAGE, 400, vec!["Did you mean `anthropic`?"]),
        ("", "/v1/chat/completions", CHAT, 400, vec!["No provider", "x-ostia-provider"]),
        ("", "/v1/messages", MESSAGE, 400, vec!["No provider"]),
        ("", "/v1/chat/completions", r#"{"model":"@nobody/m","messages":[]}"#, 400, vec!["nobody"]),
        ("groq", "/v1/chat/completions", CHAT, 401, vec!["groq", "GROQ_API_KEY"]),
        ("groq", "/v1/files", CHAT, 401, vec!["groq"]),
        ("azure-openai", "/v1/chat/completions", CHAT, 400, vec![]),
    ] {
        let reply = Ask::post(path, body).header("x-ostia-provider", provider).to(&gateway);
        check(&reply, path, status, &words);
    }
    let not_text = Ask::post("/v1/chat/completions", b"{\"model\":\"\xff\"}".to_vec())
        .header("x-ostia-provider", "openai");
    check(&not_text.to(&gateway), "", 400, &["byte"]);
    for (method, path) in [("GET", "/nothing"), ("POST", "/v3"), ("GET", "/v2/models"), ("GET", "/v1/")] {
        check(&Ask::new(method, path).to(&gateway), path, 404, &[method, path, "/v1/"]);
    }
}

#[test]
fn configs_and_headers_that_make_no_sense() {
    let gateway = Gateway::start();
    for (name, value, words) in [
        ("x-ostia-config", "{", vec!["config"]),
        ("x-portkey-config", "pc-some-id", vec!["config"]),
        (
            "x-portkey-config",
            r#"{"strategy":{"mode":"roulette"},"targets":[{"provider":"openai","weight":"heavy"}],"retry":{"attempts":"x"}}"#,
            vec!["strategy.mode", "targets[0].weight", "retry.attempts"],
        ),
        ("x-ostia-config", "cheep", vec!["no config named `cheep`", "ostia.yaml"]),
        ("x-ostia-config", r#"{"provider":"openai","cache":{"mode":"simple"}}"#, vec!["cannot do", "cache"]),
        ("x-ostia-request-timeout", "soon", vec!["x-ostia-request-timeout"]),
        ("x-ostia-custom-host", "ftp://x", vec!["custom host"]),
        ("x-ostia-custom-host", "http://", vec!["custom host"]),
    ] {
        for (path, body) in [("/v1/chat/completions", CHAT), ("/v1/messages", MESSAGE)] {
            let ask = Ask::post(path, body)
                .header("x-ostia-provider", "openai")
                .header("authorization", "Bearer sk-1");
            check(&ask.header(name, value).to(&gateway), path, 400, &words);
        }
    }
}

#[test]
fn heads_that_are_no_http() {
    let gateway = Gateway::with("limits: { header_bytes: 8KiB }");
    for (bytes, statuses) in [
        ("nonsense\r\n\r\n".to_owned(), vec![400]),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n".to_owned(), vec![400]),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000)), vec![431]),
        ("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".to_owned(), vec![400]),
        (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
                .to_owned(),
            vec![400],
        ),
    ] {
        let mut open = Open::connect(&gateway);
        open.send(bytes.as_bytes());
        let reply = open.finish();
        assert!(statuses.contains(&reply.status), "{}: {reply:?}", &bytes[..40.min(bytes.len())]);
    }
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
}

#[test]
fn bodies_that_are_too_large_or_never_whole() {
    let gateway = Gateway::with("limits: { body_bytes: 4KiB }");
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let large = CHAT.replace("\"x\"", &format!("\"{}\"", "x".repeat(5000)));
    for (path, body) in [("/v1/chat/completions", large.as_str()), ("/v1/messages", large.as_str())] {
        check(
            &Ask::post_at(&upstream, "openai", path, body).to(&gateway),
            path,
            413,
            &["4096 bytes", "limits.body_bytes"],
        );
    }
    // The same without a length.
    let mut open = Open::connect(&gateway);
    open.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-ostia-provider: openai\r\ntransfer-encoding: chunked\r\n\r\n");
    open.send(&[format!("{:x}\r\n", large.len()).as_bytes(), large.as_bytes(), b"\r\n0\r\n\r\n"].concat());
    check(&open.finish(), "", 413, &["4096 bytes"]);
    assert_eq!(upstream.count(), 0);
    // What is passed through is streamed, and has no bound.
    assert_eq!(Ask::post_at(&upstream, "openai", "/v1/files", large.as_str()).to(&gateway).status, 200);
    // A client that leaves in the middle of its body: nobody is asked.
    let mut open = Open::connect(&gateway);
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT).bytes();
    open.send(&ask[..ask.len() - 5]);
    drop(open);
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn upstreams_that_cannot_be_reached() {
    let plain = Upstream::always(Answer::json("{}"));
    let config = format!(
        "providers:\n  \
           openai: {{ base_url: 'http://{}', api_key: sk-1 }}\n  \
           anthropic: {{ base_url: 'http://nobody.invalid/v1', api_key: sk-1 }}\n  \
           groq: {{ base_url: 'https://{}', api_key: sk-1 }}\n",
        dead_address(),
        plain.address()
    );
    let gateway = Gateway::with(&config);
    for (provider, path, body, status, words) in [
        ("openai", "/v1/chat/completions", CHAT, 503, ["openai", "127.0.0.1", "cannot be reached"]),
        ("anthropic", "/v1/messages", MESSAGE, 503, ["anthropic", "nobody.invalid", "cannot be resolved"]),
        (
            "anthropic",
            "/v1/chat/completions",
            CHAT,
            503,
            ["anthropic", "nobody.invalid", "cannot be resolved"],
        ),
        ("groq", "/v1/chat/completions", CHAT, 502, ["groq", "127.0.0.1", "TLS"]),
        ("openai", "/v1/files", CHAT, 503, ["openai", "127.0.0.1", "cannot be reached"]),
    ] {
        let start = Instant::now();
        let reply = Ask::post(path, body).header("x-ostia-provider", provider).to(&gateway);
        check(&reply, path, status, &words);
        assert!(start.elapsed() < Duration::from_secs(8), "{provider}: {:?}", start.elapsed());
    }
    assert_eq!(plain.count(), 0);
}

#[test]
fn upstreams_that_answer_nonsense() {
    let gateway = Gateway::start();
    let page = "<html><head><title>Bad gateway</title></head></html>";
    let cases: Vec<(&str, Answer, u16, &str)> = vec![
        ("a page as success", Answer::with("text/html", page), 502, "Bad gateway"),
        ("a page as failure", Answer::with("text/html; charset=utf-8", page).status(502), 502, "Bad gateway"),
        ("a page, not found", Answer::with("text/html", page).status(404), 404, "404"),
        ("nothing", Answer::empty().header("content-type", "application/json"), 502, ""),
        ("nothing, untyped", Answer::empty(), 502, ""),
        ("no HTTP", Answer::bare("this is no HTTP\r\n\r\n"), 502, ""),
        ("silence", Answer::bare(""), 502, "closed the connection"),
        ("half a head", Answer::bare("HTTP/1.1 200 OK\r\ncontent-le"), 502, ""),
        ("reset", Answer::empty().first(Step::Reset), 502, ""),
        ("half a body", Answer::json(openai::chat("x")).broken_after(30, Step::Cut), 502, "broke off"),
        (
            "half a body, chunked",
            Answer::json("{\"id\":").framing(Framing::Chunked).then(Step::Cut),
            502,
            "broke off",
        ),
        ("an empty error", Answer::empty().status(500), 500, "500"),
        ("plain words", Answer::with("text/plain", "upstream is busy").status(503), 503, "upstream is busy"),
        ("an error that says success", Answer::json(openai::error("no quota", "x", "y")), 502, "no quota"),
        (
            "an encoding that nobody asked for",
            Answer::json("xx").header("content-encoding", "compress"),
            502,
            "`compress`",
        ),
        (
            "half of a packed answer",
            Answer::json(half_packed()).header("content-encoding", "gzip"),
            502,
            "compressed",
        ),
        (
            "damaged gzip",
            Answer::json("this is not packed at all").header("content-encoding", "gzip"),
            502,
            "compressed",
        ),
    ];
    for (what, answer, status, word) in cases {
        let upstream = Upstream::always(answer);
        for (provider, path, body) in [
            ("openai", "/v1/chat/completions", CHAT),
            ("anthropic", "/v1/messages", MESSAGE),
            ("anthropic", "/v1/chat/completions", CHAT),
            ("google", "/v1/chat/completions", CHAT),
        ] {
            let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
            eprintln!("{what}: {provider} {path}"); // shown where the check fails
            check(&reply, path, status, &[word]);
            assert!(reply.header("x-ostia-trace-id").is_some());
        }
    }
    let upstream = Upstream::always(Answer::json(r#"{"unexpected":true}"#));
    let reply = Ask::post_at(&upstream, "anthropic", "/v1/chat/completions", CHAT).to(&gateway);
    check(&reply, "", 502, &[]);
}

/// Cut where the framing says that it is whole.
fn half_packed() -> Vec<u8> {
    let mut packed = gzip(openai::chat(&"x y z ".repeat(100)).as_bytes());
    packed.truncate(packed.len() - 20);
    packed
}

#[test]
fn errors_in_the_clients_dialect_pass_as_they_are() {
    let gateway = Gateway::start();
    for (provider, path, body, error) in [
        (
            "openai",
            "/v1/chat/completions",
            CHAT,
            openai::error("no such model", "invalid_request_error", "model_not_found"),
        ),
        ("anthropic", "/v1/messages", MESSAGE, anthropic::error("not_found_error", "no such model")),
    ] {
        let upstream =
            Upstream::always(Answer::json(error.clone()).status(404).header("x-request-id", "r-1"));
        let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
        assert_eq!(
            (reply.status, reply.text(), reply.header("x-request-id")),
            (404, error.as_str(), Some("r-1"))
        );
    }
}
