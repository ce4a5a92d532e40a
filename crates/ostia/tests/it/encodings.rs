//! Content encodings: of what clients send, and of what providers answer.

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Upstream, gzip};

use crate::gateway::Gateway;
use crate::wire::Ask;

/// A body that is one of Chat Completions and of Messages.
const BODY: &str = r#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#;
/// The same, packed by Node's brotli.
const BODY_IN_BROTLI: &str = "1b4600a82c0eec36ce6f303535e865a4d51f21c96c8bece185ad36bcd661e9ea9b22355b29f235e718873a800ebc7d839c1f9c2ea15a2e0a0050f65e6f4a749cb0a15628afef";
/// An error of OpenAI's, packed by the same.
const ERROR_IN_BROTLI: &str = "1b6400288cd315f32384750fc16da92f9723ffab821884a70e4b1fa8723a7098d5864b9e1cfc66f794852c42f6603bc31c06099e55d52d750eee7a1d273832b230acf0ca53f2feec2ec403";

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

#[test]
fn packed_requests_are_read() {
    let gateway = Gateway::start();
    let openai = Upstream::always(Answer::json(openai::chat("x")));
    let anthropic = Upstream::always(Answer::json(anthropic::message("x")));
    let body = BODY.as_bytes();
    for (encoding, packed) in [
        ("gzip", gzip(body)),
        ("br", bytes_of(BODY_IN_BROTLI)),
        ("zstd", zstd(body)),
        ("gzip, zstd", zstd(&gzip(body))),
        ("identity", body.to_vec()),
    ] {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            for (provider, upstream) in [("openai", &openai), ("anthropic", &anthropic)] {
                // What a client wants passed on does not speak for another body than its own.
                let ask = Ask::post_at(upstream, provider, path, packed.clone())
                    .header("content-encoding", encoding)
                    .header("x-ostia-forward-headers", "content-encoding");
                let reply = ask.to(&gateway);
                assert_eq!(reply.status, 200, "{encoding} {path} {provider}: {}", reply.text());
                let seen = upstream.last();
                assert_eq!(seen.header("content-encoding"), None, "{encoding} {path} {provider}");
                assert_eq!(seen.json()["messages"][0]["role"], "user", "{encoding} {path} {provider}");
            }
        }
        let raw = Ask::post_at(&openai, "openai", "/v1/proxy/chat/completions", packed.clone());
        assert_eq!(raw.header("content-encoding", encoding).to(&gateway).status, 200);
        let seen = openai.last();
        assert_eq!(
            (
                seen.body,
                seen.headers.iter().any(|(name, value)| name == "content-encoding" && value == encoding)
            ),
            (packed, true)
        );
    }
}

#[test]
fn what_cannot_be_unpacked_is_refused_in_the_clients_words() {
    let gateway = Gateway::with("limits: { body_bytes: 1MiB }");
    let bomb = gzip(&vec![b' '; 2 << 20]);
    for (path, kind, code) in [
        ("/v1/chat/completions", "/error/code", "content_encoding_unsupported"),
        ("/v1/responses", "/error/code", "content_encoding_unsupported"),
        ("/v1/messages", "/type", "error"),
        ("/v1beta/models/m:generateContent", "/error/status", "INVALID_ARGUMENT"),
    ] {
        let ask = |encoding: &str, body: &[u8]| {
            Ask::post(path, body).header("x-ostia-provider", "openai").header("content-encoding", encoding)
        };
        let reply = ask("compress", b"xyz").to(&gateway);
        assert_eq!(reply.status, 415, "{path}: {}", reply.text());
        assert_eq!(reply.json().pointer(kind).unwrap(), code, "{path}");
        assert_eq!(reply.header("accept-encoding"), Some("gzip, deflate, br, zstd"));
        assert!(reply.text().contains("send the body plain"), "{}", reply.text());
        for encoding in ["gzip", "zstd", "br"] {
            let reply = ask(encoding, b"{}").to(&gateway);
            assert_eq!(
                (reply.status, reply.header("accept-encoding")),
                (400, None),
                "{path}: {}",
                reply.text()
            );
        }
        assert_eq!(ask("gzip", &bomb).to(&gateway).status, 413, "{path}");
        assert_eq!(ask("gzip, gzip", &gzip(&bomb)).to(&gateway).status, 413, "{path}");
    }
}

#[test]
fn packed_errors_keep_status_words_and_waits() {
    let gateway = Gateway::start();
    let said = openai::error("slow down", "rate_limit_error", "rate_limit_exceeded");
    for (encoding, packed, has_words) in [
        ("br", bytes_of(ERROR_IN_BROTLI), true),
        ("zstd", zstd(said.as_bytes()), true),
        ("gzip", gzip(said.as_bytes()), true),
        ("br", b"no brotli".to_vec(), false),
        ("compress", b"xyz".to_vec(), false),
    ] {
        let answer = Answer::json(packed).status(429);
        let answer = answer.header("content-encoding", encoding).header("retry-after", "3");
        let upstream = Upstream::always(answer);
        for (path, body) in [
            ("/v1/chat/completions", BODY),
            ("/v1/messages", BODY),
            ("/v1/embeddings", r#"{"model":"m","input":"x"}"#),
            ("/v1beta/models/m:generateContent", r#"{"contents":[{"parts":[{"text":"x"}]}]}"#),
            ("/v1/images/generations", BODY),
        ] {
            let reply = Ask::post_at(&upstream, "openai", path, body).to(&gateway);
            assert_eq!((reply.status, reply.header("retry-after")), (429, Some("3")), "{encoding} {path}");
            assert_eq!(reply.header("content-encoding"), None, "{encoding} {path}");
            assert_eq!(reply.text().contains("slow down"), has_words, "{encoding} {path}: {}", reply.text());
            assert!(reply.json()["error"].is_object(), "{encoding} {path}");
        }
    }
}

#[test]
fn packed_answers_are_unpacked_on_every_way() {
    let gateway = Gateway::start();
    let packed = |answer: &str, media: &str| {
        Upstream::always(Answer::with(media, zstd(answer.as_bytes())).header("content-encoding", "zstd"))
    };
    let (json, events) = ("application/json", "text/event-stream");
    let stream = r#"{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    for (upstream, path, body) in [
        (packed(&openai::chat("hello"), json), "/v1/chat/completions", BODY),
        (packed(&openai::chat("hello"), json), "/v1/messages", BODY),
        (packed(&openai::chat_stream(&["hello"]), events), "/v1/chat/completions", stream),
        (packed(&openai::chat_stream(&["hello"]), events), "/v1/messages", stream),
        // A stream that was asked for is read as one, whatever its type.
        (packed(&openai::chat_stream(&["hello"]), "text/plain"), "/v1/chat/completions", stream),
        (packed(&openai::chat_stream(&["hello"]), "text/plain"), "/v1/messages", stream),
    ] {
        let reply = Ask::post_at(&upstream, "openai", path, body).to(&gateway);
        assert_eq!((reply.status, reply.header("content-encoding")), (200, None), "{path}");
        assert!(reply.text().contains("hello"), "{path}: {}", reply.text());
    }
    // One array that grows, of a client who did not say what it can unpack.
    let array = format!("[{}]", gemini::chunk(&"a".repeat(70 << 10), Some("STOP")));
    let upstream = packed(&array, json);
    let body = r#"{"contents":[{"parts":[{"text":"x"}]}]}"#;
    let ask = Ask::post_at(&upstream, "google", "/v1beta/models/m:streamGenerateContent", body);
    let reply = ask.to(&gateway);
    assert_eq!((reply.status, reply.header("content-encoding"), reply.text()), (200, None, array.as_str()));
}
