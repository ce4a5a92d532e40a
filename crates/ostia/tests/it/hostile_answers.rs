//! Providers that say success and send no answer: every way to carry a call takes that for a failed attempt.

use std::time::Duration;

use ostia_testkit::vendor::{anthropic, cohere, gemini, openai};
use ostia_testkit::{Answer, Framing, Step, Upstream, gzip};
use serde_json::json;

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

/// A way for a call to be carried: at which path of the gateway, to which provider, and what a good answer to it is.
struct Way {
    name: &'static str,
    provider: &'static str,
    path: &'static str,
    body: &'static str,
    good: String,
}

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const MESSAGE: &str = r#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#;
const CONTENTS: &str = r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#;
const INPUT: &str = r#"{"model":"m","input":"x"}"#;
const PROMPT: &str = r#"{"model":"m","prompt":"x"}"#;
const DOCUMENTS: &str = r#"{"model":"m","query":"x","documents":["a"],"top_n":1}"#;
const GENERATE: &str = "/v1beta/models/m:generateContent";

fn ways() -> Vec<Way> {
    let way = |name, provider, path, body, good| Way { name, provider, path, body, good };
    let tokens = || r#"{"input_tokens":3}"#.to_owned();
    vec![
        way("chat, relayed", "openai", "/v1/chat/completions", CHAT, openai::chat("x")),
        way("chat, mended", "together-ai", "/v1/chat/completions", CHAT, openai::chat("x")),
        way("messages, relayed", "anthropic", "/v1/messages", MESSAGE, anthropic::message("x")),
        way("generateContent, relayed", "google", GENERATE, CONTENTS, gemini::generate("x")),
        way("responses, relayed", "openai", "/v1/responses", INPUT, openai::response("x").to_string()),
        way(
            "completions, relayed",
            "openai",
            "/v1/completions",
            r#"{"model":"m","prompt":"x"}"#,
            openai::completion("x"),
        ),
        way("embeddings, relayed", "openai", "/v1/embeddings", INPUT, openai::embeddings(&[&[0.5]])),
        way("a count, relayed", "anthropic", "/v1/messages/count_tokens", MESSAGE, tokens()),
        way("chat to messages", "anthropic", "/v1/chat/completions", CHAT, anthropic::message("x")),
        way("chat to generateContent", "google", "/v1/chat/completions", CHAT, gemini::generate("x")),
        way("chat to Cohere", "cohere", "/v1/chat/completions", CHAT, cohere::chat("x")),
        way("messages to chat", "openai", "/v1/messages", MESSAGE, openai::chat("x")),
        way("generateContent to chat", "groq", GENERATE, CONTENTS, openai::chat("x")),
        way("responses to messages", "anthropic", "/v1/responses", INPUT, anthropic::message("x")),
        way("embeddings to Google", "google", "/v1/embeddings", INPUT, gemini::embed(&[0.5])),
        way("a ranking, relayed", "jina", "/v1/rerank", DOCUMENTS, ranking("results")),
        way("a ranking by Voyage", "voyage", "/v1/rerank", DOCUMENTS, ranking("data")),
        way(
            "moderation by Mistral",
            "mistral-ai",
            "/v1/moderations",
            INPUT,
            r#"{"results":[{"categories":{"sexual":false},"category_scores":{"sexual":0.1}}]}"#.into(),
        ),
        way(
            "images, relayed",
            "openai",
            "/v1/images/generations",
            PROMPT,
            r#"{"data":[{"b64_json":"aGk="}]}"#.into(),
        ),
        way("images by Gemini", "google", "/v1/images/generations", PROMPT, picture()),
        way("embeddings to Cohere", "cohere", "/v1/embeddings", INPUT, cohere::embed(&[&[0.5]])),
        way(
            "a count at another provider",
            "google",
            "/v1/messages/count_tokens",
            MESSAGE,
            r#"{"totalTokens":3}"#.into(),
        ),
    ]
}

/// A ranking of one document, in a list of this name.
fn ranking(list: &str) -> String {
    format!(r#"{{"{list}":[{{"index":0,"relevance_score":0.5}}],"usage":{{"total_tokens":3}}}}"#)
}

/// An answer of `generateContent` that is an image.
fn picture() -> String {
    let part = r#"{"inlineData":{"mimeType":"image/png","data":"aGk="}}"#;
    format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}},"finishReason":"STOP"}}]}}"#)
}

/// Success without an answer, and a word that the client is told.
fn nonsense(good: &str) -> Vec<(&'static str, Answer, &'static str)> {
    let half = &good[..good.len() / 2];
    // Ends like a whole object.
    let cut_at_brace = good[..good.len() - 1].rfind('}').map_or(half, |at| &good[..=at]);
    let json = |text: &str| Answer::json(text);
    let packed = |bytes: Vec<u8>| Answer::json(bytes).header("content-encoding", "gzip");
    let long = format!("[{}]", vec!["1"; 20_000].join(","));
    let mut half_packed = gzip(good.repeat(50).as_bytes());
    half_packed.truncate(half_packed.len() / 2);
    vec![
        ("a page", Answer::with("text/html", "<html><title>Sign in</title></html>"), "Sign in"),
        ("a page that says it is JSON", json("<html><title>Sign in</title></html>"), "Sign in"),
        ("plain words", Answer::with("text/plain", "upstream is busy"), "upstream is busy"),
        ("an answer of the wrong type", Answer::with("text/plain", good), "text/plain"),
        ("a picture", Answer::with("image/png", "\u{89}PNG"), "image/png"),
        ("words without a type", Answer::empty().then(Step::Send(b"hello".to_vec())), "hello"),
        ("nothing", json(""), "empty"),
        ("nothing, without a type", Answer::empty(), "empty"),
        ("no content", Answer::empty().status(204), "empty"),
        ("white space", json(" \n "), "empty"),
        ("null", json("null"), "null"),
        ("true", json("true"), "true"),
        ("a number", json("200"), "200"),
        ("a text", json("\"ok\""), "ok"),
        ("a list", json("[]"), "[]"),
        ("a long list", json(&long), "[1,1"),
        ("an empty object", json("{}"), "{}"),
        ("another object", json(r#"{"status":"ok","version":3}"#), "version"),
        (
            "the right names with wrong values",
            json(
                r#"{"choices":"x","content":"x","data":{},"output":"x","candidates":{},"message":[],"embedding":1,"embeddings":"x","input_tokens":"x","totalTokens":null}"#,
            ),
            "",
        ),
        ("half an answer", json(half), ""),
        ("half an answer that ends like a whole one", json(cut_at_brace), ""),
        ("half an answer, chunked", json(half).framing(Framing::Chunked), ""),
        ("two answers", json(&format!("{good}{good}")), ""),
        ("less than its length", json(good).broken_after(good.len() - 3, Step::Cut), "broke off"),
        ("a broken chunk", json(half).framing(Framing::Chunked).then(Step::Cut), "broke off"),
        ("garbage instead of gzip", packed(b"this is not packed".to_vec()), "compressed"),
        ("half of a packed answer", packed(half_packed), "compressed"),
        (
            "an encoding that nobody asked for",
            json("xx").header("content-encoding", "compress"),
            "`compress`",
        ),
        ("events", Answer::stream(openai::chat_stream(&["x"])), "stream"),
        ("OpenAI's error", json(&openai::error("no quota", "x", "y")), "no quota"),
        ("Anthropic's error", json(&anthropic::error("api_error", "no quota")), "no quota"),
        ("Cohere's error", json(r#"{"id":"1","message":"no quota"}"#), "no quota"),
        ("vLLM's error", json(r#"{"object":"error","message":"no quota","type":"E","code":1}"#), "no quota"),
        ("Ollama's error", json(r#"{"error":"no quota"}"#), "no quota"),
        ("an error with a kind", json(r#"{"error":"no quota","error_type":"overloaded"}"#), "no quota"),
        ("FastAPI's error", json(r#"{"detail":"no quota"}"#), "no quota"),
        (
            "Cloudflare's errors",
            json(r#"{"success":false,"errors":[{"code":7,"message":"no quota"}],"result":null}"#),
            "no quota",
        ),
        (
            "MiniMax's error",
            json(r#"{"id":"1","choices":null,"base_resp":{"status_code":1004,"status_msg":"no quota"}}"#),
            "no quota",
        ),
        ("Baidu's error", json(r#"{"error_code":17,"error_msg":"no quota"}"#), "no quota"),
        (
            "an error beside an empty list",
            json(r#"{"choices":[],"data":[],"content":[],"candidates":[],"error":{"message":"no quota"}}"#),
            "no quota",
        ),
        (
            "an error as plain text",
            Answer::with("text/plain", r#"{"error":{"message":"no quota"}}"#),
            "no quota",
        ),
        ("an error, packed", json(r#"{"error":{"message":"no quota"}}"#).gzip(), "no quota"),
        (
            "a long error",
            json(&format!(r#"{{"error":{{"message":"no quota","x":"{}"}}}}"#, "y".repeat(30_000))),
            "no quota",
        ),
    ]
}

fn told(reply: &Reply) -> String {
    format!("{} {}", reply.status, reply.text())
}

#[test]
fn nonsense_with_a_success_is_a_failure_for_every_way() {
    let gateway = Gateway::start();
    for Way { name, provider, path, body, good } in ways() {
        for (what, answer, word) in nonsense(&good) {
            let upstream = Upstream::always(answer);
            let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
            if what == "events" && reply.status == 200 {
                // Where nothing is translated and nobody else can be asked, they go on as they came.
                assert!(reply.text().starts_with("data: "), "{name}: {}", told(&reply));
                continue;
            }
            // What says what it is gets the status for that.
            let expected = if what == "Anthropic's error" { 500 } else { 502 };
            assert_eq!(reply.status, expected, "{name}, {what}: {}", told(&reply));
            assert_eq!(reply.header("content-type"), Some("application/json"), "{name}, {what}");
            let message = reply.json()["error"]["message"].as_str().map(str::to_owned);
            let message = message.unwrap_or_else(|| panic!("{name}, {what}: {}", told(&reply)));
            assert!(message.contains(word), "{name}, {what}: {word}: {message}");
        }
        let upstream = Upstream::always(Answer::json(good));
        let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
        assert_eq!(reply.status, 200, "{name}: {}", told(&reply));
    }
}

/// First this target, then that one.
fn fallback(targets: [(&str, &Upstream); 2]) -> String {
    let target = |(provider, upstream): (&str, &Upstream)| json!({"provider": provider, "api_key": "sk-1", "custom_host": upstream.url()});
    json!({"strategy": {"mode": "fallback"}, "targets": targets.map(target)}).to_string()
}

#[test]
fn nonsense_with_a_success_moves_on() {
    let gateway = Gateway::start();
    for Way { name, provider, path, body, good } in ways() {
        for (what, answer, _) in nonsense(&good) {
            let (first, second) = (Upstream::always(answer), Upstream::always(Answer::json(good.clone())));
            let config = fallback([(provider, &first), (provider, &second)]);
            let reply = Ask::post(path, body).header("x-ostia-config", &config).to(&gateway);
            assert_eq!(reply.status, 200, "{name}, {what}: {}", told(&reply));
            assert_eq!((first.count(), second.count()), (1, 1), "{name}, {what}");
            assert_eq!(reply.header("x-ostia-last-used-option-index"), Some("config.targets[1]"));
        }
    }
}

#[test]
fn streams_that_are_none_move_on() {
    let gateway = Gateway::start();
    let with_stream = |body: &str| body.replacen('{', "{\"stream\":true,", 1);
    for (provider, path, body, good, whole) in [
        ("openai", "/v1/chat/completions", with_stream(CHAT), openai::chat_stream(&["x"]), openai::chat("x")),
        (
            "together-ai",
            "/v1/chat/completions",
            with_stream(CHAT),
            openai::chat_stream(&["x"]),
            openai::chat("x"),
        ),
        (
            "anthropic",
            "/v1/messages",
            with_stream(MESSAGE),
            anthropic::message_stream(&["x"]),
            anthropic::message("x"),
        ),
        (
            "anthropic",
            "/v1/chat/completions",
            with_stream(CHAT),
            anthropic::message_stream(&["x"]),
            anthropic::message("x"),
        ),
        (
            "google",
            "/v1/chat/completions",
            with_stream(CHAT),
            gemini::generate_stream(&["x"]),
            gemini::generate("x"),
        ),
        ("cohere", "/v1/chat/completions", with_stream(CHAT), cohere::chat_stream(&["x"]), cohere::chat("x")),
        (
            "google",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            CONTENTS.to_owned(),
            gemini::generate_stream(&["x"]),
            gemini::generate("x"),
        ),
        (
            "openai",
            "/v1/completions",
            r#"{"model":"m","stream":true,"prompt":"x"}"#.to_owned(),
            openai::chat_stream(&["x"]),
            openai::completion("x"),
        ),
    ] {
        for (what, answer, word) in [
            ("the whole answer", Answer::json(whole.clone()), "in one piece"),
            ("an error", Answer::json(r#"{"error":{"message":"no quota"}}"#), "no quota"),
            ("an error as an event", Answer::stream("data: {\"error\":{\"message\":\"no quota\"}}\n\n"), ""),
            ("a page", Answer::with("text/html", "<title>Sign in</title>"), "Sign in"),
            ("plain words", Answer::with("text/plain", "upstream is busy"), "upstream is busy"),
            ("nothing", Answer::json(""), "empty"),
            ("null", Answer::json("null"), "null"),
            ("no events", Answer::stream(""), ""),
            ("events that are no JSON", Answer::stream("data: hello\n\n"), ""),
            ("garbage instead of gzip", Answer::stream("hello").header("content-encoding", "gzip"), ""),
        ] {
            let (first, second) =
                (Upstream::always(answer.clone()), Upstream::always(Answer::stream(good.clone())));
            let config = fallback([(provider, &first), (provider, &second)]);
            let reply = Ask::post(path, body.clone()).header("x-ostia-config", &config).to(&gateway);
            assert_eq!(reply.status, 200, "{provider} {path}, {what}: {}", told(&reply));
            assert_eq!((first.count(), second.count()), (1, 1), "{provider} {path}, {what}");
            // A stream has its status before its first event, where nobody else could answer.
            if word.is_empty() {
                continue;
            }
            let reply = Ask::post_at(&first, provider, path, body.clone()).to(&gateway);
            assert_eq!(reply.status, 502, "{provider} {path}, {what}: {}", told(&reply));
            assert!(reply.text().contains(word), "{provider} {path}, {what}: {}", told(&reply));
        }
        // The stream that was asked for under another name is that stream.
        for media in ["text/plain", "application/json", "application/octet-stream"] {
            // Its first piece may be a single byte, and begin with a blank line.
            let (start, rest) = good.split_at(1);
            let pieces = Answer::with(media, format!("\n{start}"))
                .framing(Framing::Chunked)
                .then(Step::Pause(Duration::from_millis(20)))
                .then(Step::Send(rest.into()));
            let is_whole = media == "text/plain";
            let answer = if is_whole { Answer::with(media, good.clone()) } else { pieces };
            let upstream = Upstream::always(answer);
            let reply = Ask::post_at(&upstream, provider, path, body.clone()).to(&gateway);
            assert_eq!(reply.status, 200, "{provider} {path}, {media}: {}", told(&reply));
            assert!(
                reply.whole && reply.text().contains("data: "),
                "{provider} {path}, {media}: {}",
                told(&reply)
            );
            // Relayed, it keeps the type that it came under.
            let given = reply.header("content-type").unwrap_or_default();
            let is_known = given == media || given.starts_with("text/event-stream");
            assert!(is_known, "{provider} {path}, {media}: {given}");
        }
    }
}

#[test]
fn googles_array_is_no_stream_of_events_and_the_other_way_round() {
    let gateway = Gateway::start();
    let path = "/v1beta/models/m:streamGenerateContent";
    let array = format!("[{}]", gemini::generate("x"));
    for (answer, status) in [
        (Answer::json(array.clone()), 200),
        (Answer::json(array.clone()).framing(Framing::Chunked), 200),
        (Answer::with("text/plain", array.clone()), 200),
        (Answer::json(gemini::error(429, "RESOURCE_EXHAUSTED", "no quota")), 429),
        (Answer::json(format!("[{}]", gemini::error(429, "RESOURCE_EXHAUSTED", "no quota"))), 429),
        (Answer::json("[]"), 502),
        (Answer::json("null"), 502),
        (Answer::with("text/html", "<title>Sign in</title>"), 502),
        (Answer::stream(gemini::generate_stream(&["x"])), 502),
    ] {
        let upstream = Upstream::always(answer);
        let reply = Ask::post_at(&upstream, "google", path, CONTENTS).to(&gateway);
        assert_eq!(reply.status, status, "{}", told(&reply));
    }
    let upstream = Upstream::always(Answer::json(array));
    let reply = Ask::post_at(&upstream, "google", &format!("{path}?alt=sse"), CONTENTS).to(&gateway);
    assert_eq!(reply.status, 502, "{}", told(&reply));
}

#[test]
fn answers_that_look_odd_and_are_answers() {
    let gateway = Gateway::start();
    let long_text = "\"error\" ".repeat(5_000);
    let failed = json!({"id":"r","object":"response","status":"failed","error":{"code":"server_error","message":"x"},"output":[]});
    let numbers: Vec<f64> = (0..2_000).map(|n| f64::from(n) / 7.0).collect();
    for (provider, path, body, answer) in [
        ("openai", "/v1/chat/completions", CHAT, openai::chat(&long_text)),
        ("openai", "/v1/chat/completions", CHAT, openai::chat("x").replacen('{', "{\"error\":null,", 1)),
        ("openai", "/v1/chat/completions", CHAT, format!("\n {} \r\n", openai::chat("x"))),
        ("openai", "/v1/embeddings", INPUT, openai::embeddings(&[&numbers])),
        ("openai", "/v1/responses", INPUT, failed.to_string()),
        ("google", GENERATE, CONTENTS, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#.to_owned()),
    ] {
        for answer in [
            Answer::json(answer.clone()),
            Answer::json(answer.clone()).framing(Framing::Chunked),
            Answer::with("application/json; charset=utf-8", answer.clone()),
            Answer::empty().then(Step::Send(answer.clone().into_bytes())),
        ] {
            let upstream = Upstream::always(answer.clone());
            let reply = Ask::post_at(&upstream, provider, path, body).to(&gateway);
            assert_eq!((reply.status, reply.body.as_slice()), (200, answer.body().as_slice()), "{path}");
        }
    }
    // A refusal keeps the status that it names itself.
    let refusal = Upstream::always(Answer::json(r#"{"error":{"message":"slow down","code":429}}"#));
    let reply = Ask::post_at(&refusal, "openai", "/v1/chat/completions", CHAT).to(&gateway);
    assert_eq!(reply.status, 429, "{}", told(&reply));
}

#[test]
fn what_is_handed_on_unread_is_no_nonsense() {
    let gateway = Gateway::start();
    for (kind, body) in [
        ("text/html", "<html>"),
        ("application/json", "null"),
        ("text/plain", ""),
        ("application/json", r#"{"error":{"message":"x"}}"#),
    ] {
        let upstream = Upstream::always(Answer::with(kind, body));
        for path in ["/v1/files", "/v1/proxy/x"] {
            let reply = Ask::post_at(&upstream, "openai", path, "{}").to(&gateway);
            assert_eq!((reply.status, reply.text(), reply.header("content-type")), (200, body, Some(kind)));
        }
    }
}

#[test]
fn a_stream_that_breaks_before_its_first_byte_tells_why() {
    let gateway = Gateway::with("timeouts: { idle: 300ms }");
    let body = CHAT.replacen('{', "{\"stream\":true,", 1);
    let begun = || Answer::empty().header("content-type", "application/json").framing(Framing::Chunked);
    for (end, status, word) in [(Step::Cut, 502, "broke off"), (Step::Stall, 504, "nothing more")] {
        let upstream = Upstream::always(begun().then(end));
        let reply = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body.clone()).to(&gateway);
        assert_eq!(reply.status, status, "{}", told(&reply));
        assert!(reply.text().contains(word), "{}", told(&reply));
    }
}
