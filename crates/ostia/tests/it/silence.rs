//! Streams that say nothing for a while: signs of life from providers, and the gateway's own.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::json;

use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

const CHAT: &str = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
const RESPONSE: &str = r#"{"model":"m","stream":true,"input":"x"}"#;
const GENERATE: &str = r#"{"contents":[{"parts":[{"text":"x"}]}]}"#;
const COMMENT: &str = ": keep-alive\n\n";
const BLANK: &str = "\n\n";
const PING: &str = "event: ping\ndata: {\"type\": \"ping\"}\n\n";

/// The clients: path, body, what keeps their streams awake once these have begun.
const CLIENTS: [(&str, &str, &str); 5] = [
    ("/v1/chat/completions", CHAT, COMMENT),
    ("/v1/responses", RESPONSE, COMMENT),
    ("/v1/messages", CHAT, PING),
    ("/v1beta/models/m:streamGenerateContent?alt=sse", GENERATE, BLANK),
    ("/v1beta/models/m:streamGenerateContent", GENERATE, "\n"),
];

/// Streams of providers in two halves, cut between two events, behind the first words.
fn halves() -> Vec<(&'static str, String, String)> {
    let cut = |provider, stream: String| {
        let at = stream.find("second").unwrap();
        let at = stream[..at].rfind("\n\n").unwrap() + 2;
        (provider, stream[..at].to_owned(), stream[at..].to_owned())
    };
    vec![
        cut("openai", openai::chat_stream(&["first", "second"])),
        cut("anthropic", anthropic::message_stream(&["first", "second"])),
        cut("google", gemini::generate_stream(&["first", "second"])),
    ]
}

fn is_relayed(provider: &str, path: &str) -> bool {
    match provider {
        "openai" => path == "/v1/chat/completions" || path == "/v1/responses",
        "anthropic" => path == "/v1/messages",
        _ => path.starts_with("/v1beta"),
    }
}

/// Does a stream end with so many signs of life, whatever its line ends?
fn ends_with_signs(text: &str, sign: &str, times: usize) -> bool {
    // An event ends as a blank line does.
    let before = if sign == BLANK { BLANK } else { "" };
    text.replace('\r', "").ends_with(&[before, &sign.repeat(times)].concat())
}

#[test]
fn signs_of_life_pass_from_one_dialect_to_another() {
    let gateway = Gateway::with("timeouts: { keep_alive: off }");
    let signs = [
        ": PROCESSING\n\n",
        ":\n",
        PING,
        "data: {\"type\":\"ping\"}\n\n",
        "event: keepalive\ndata: {}\n\n",
        "event: heartbeat\n\n",
    ];
    for (provider, first, second) in halves() {
        for (path, body, expected) in CLIENTS {
            if is_relayed(provider, path) || path == "/v1/responses" && provider == "openai" {
                continue;
            }
            for sign in signs {
                let (before, after) = (Gate::new(), Gate::new());
                let answer = Answer::stream(first.clone())
                    .then(Step::Wait(before.clone()))
                    .then(Step::Send(sign.into()))
                    .then(Step::Wait(after.clone()))
                    .then(Step::Send(second.clone().into()));
                let upstream = Upstream::always(answer);
                let mut open = Ask::post_at(&upstream, provider, path, body).open(&gateway);
                assert!(open.read_words("first", PATIENCE), "{provider} {path}");
                before.open();
                let came = open.read_until(PATIENCE, |reply| ends_with_signs(reply.text(), expected, 1));
                assert!(came.is_some(), "{provider} {path} {sign:?}");
                after.open();
                let reply = open.finish();
                assert!(reply.whole && reply.text().contains("second"), "{provider} {path} {sign:?}");
            }
        }
    }
}

#[test]
fn the_gateway_speaks_up_where_nobody_does_and_never_within_an_event() {
    let gateway = Gateway::with("timeouts: { keep_alive: 100ms }");
    for (provider, first, second) in halves() {
        for (path, body, sign) in CLIENTS {
            if provider == "openai" && path == "/v1/responses"
                || provider == "google" && !path.contains("alt=sse") && path.starts_with("/v1beta")
            {
                continue;
            }
            let plain = Upstream::always(Answer::stream([first.clone(), second.clone()].concat()));
            let plain = Ask::post_at(&plain, provider, path, body).to(&gateway);
            // Half of an event waits, while the client hears of it.
            let (half, rest) = second.split_at(second.len().min(20));
            let gate = Gate::new();
            let answer = Answer::stream([&first, half].concat())
                .then(Step::Wait(gate.clone()))
                .then(Step::Send(rest.into()));
            let upstream = Upstream::always(answer);
            let mut open = Ask::post_at(&upstream, provider, path, body).open(&gateway);
            let twice = |text: &str| text.contains("first") && ends_with_signs(text, sign, 2);
            let came = open.read_until(PATIENCE, |reply| twice(reply.text()));
            assert!(came.is_some(), "{provider} {path}");
            gate.open();
            let reply = open.finish();
            assert!(reply.whole, "{provider} {path}");
            let events = |text: &str| {
                let said = text.replace(COMMENT, "").replace(PING, "");
                anonymous(&said.replace(['\r', '\n'], ""))
            };
            assert_eq!(events(reply.text()), events(plain.text()), "{provider} {path}");
        }
    }
}

/// A text without what is made up for each answer.
fn anonymous(text: &str) -> String {
    let is_made_up =
        |word: &str| word.len() >= 20 && !word.contains(' ') && word.contains(|c: char| c.is_ascii_digit());
    let words = text.split('"').map(|word| if is_made_up(word) { "ID" } else { word });
    words.collect::<Vec<_>>().join("\"").replace(|c: char| c.is_ascii_digit(), "")
}

#[test]
fn a_client_of_messages_hears_comments_before_the_message_begins() {
    let gateway = Gateway::with("timeouts: { keep_alive: 100ms }");
    let gate = Gate::new();
    let answer = Answer::stream(": PROCESSING\n\n")
        .then(Step::Wait(gate.clone()))
        .then(Step::Send(openai::chat_stream(&["first"]).into()));
    let upstream = Upstream::always(answer);
    let mut open = Ask::post_at(&upstream, "openai", "/v1/messages", CHAT).open(&gateway);
    let came = open.read_until(PATIENCE, |reply| reply.text() == COMMENT.repeat(3));
    assert!(came.is_some());
    gate.open();
    assert!(open.finish().text().contains("message_stop"));
}

#[test]
fn a_client_that_is_to_hear_nothing_hears_nothing() {
    let gateway = Gateway::with("timeouts: { keep_alive: off }");
    for (provider, first, second) in halves() {
        let answer = Answer::stream(first)
            .then(Step::Pause(Duration::from_millis(300)))
            .then(Step::Send(second.into()));
        let upstream = Upstream::always(answer);
        let reply = Ask::post_at(&upstream, provider, "/v1/chat/completions", CHAT).to(&gateway);
        assert!(reply.whole && !reply.text().contains("keep-alive"), "{provider}: {}", reply.text());
    }
}

/// A config of these upstreams, one behind the other.
fn fallback(upstreams: &[&Upstream]) -> String {
    let target =
        |upstream: &&Upstream| json!({"provider": "openai", "api_key": "sk", "custom_host": upstream.url()});
    let targets: Vec<_> = upstreams.iter().map(target).collect();
    json!({"strategy": {"mode": "fallback"}, "targets": targets}).to_string()
}

/// A stream that opens, says that it is there for a while, and then ends as `end` says.
fn thinking(end: Step) -> Upstream {
    let (opening, _) = openai::chat_stream(&["first"])
        .split_once("\n\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let mut answer = Answer::stream(format!("{opening}\n\n"));
    for _ in 0..6 {
        answer =
            answer.then(Step::Pause(Duration::from_millis(100))).then(Step::Send(": PROCESSING\n\n".into()));
    }
    Upstream::always(answer.then(end))
}

#[test]
fn a_config_that_waits_for_words_keeps_the_client_awake_and_may_still_go_on() {
    let gateway =
        Gateway::with("timeouts: { keep_alive: 250ms }\ncors: { origins: ['http://localhost:3000'] }");
    for (path, body) in [
        ("/v1/chat/completions", CHAT),
        ("/v1/messages", CHAT),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", GENERATE),
    ] {
        let good = Upstream::always(Answer::stream(openai::chat_stream(&["other"])));
        let bad = thinking(Step::Cut);
        let ask = Ask::post(path, body)
            .header("x-ostia-config", &fallback(&[&bad, &good]))
            .header("origin", "http://localhost:3000")
            .header("x-portkey-trace-id", "t-1");
        let start = Instant::now();
        let mut open = ask.open(&gateway);
        let early = open.read_until(PATIENCE, |_| true).unwrap();
        assert!(start.elapsed() < Duration::from_millis(600), "{path}: {:?}", start.elapsed());
        assert_eq!((early.status, good.count()), (200, 0), "{path}");
        assert_eq!(early.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(
            (early.header("x-ostia-trace-id"), early.header("x-portkey-trace-id")),
            (Some("t-1"), Some("t-1"))
        );
        assert_eq!(early.header("access-control-allow-origin"), Some("http://localhost:3000"));
        let reply = open.finish();
        assert!(reply.whole && reply.text().contains("other"), "{path}: {}", reply.text());
        let signs = if path.starts_with("/v1beta") { "\r\n\r\n" } else { COMMENT };
        assert!(reply.text().starts_with(&signs.repeat(2)), "{path}: {}", reply.text());
        assert_eq!(good.count(), 1, "{path}");
        drop(bad);
        break_off(&gateway, path, body);
    }
}

/// Nobody has words: the stream ends with the error, in the client's own form.
fn break_off(gateway: &Gateway, path: &str, body: &str) {
    let bad = thinking(Step::Cut);
    let worse = Upstream::always(
        Answer::json(openai::error("It is too much.", "server_error", "overloaded")).status(503),
    );
    let reply = Ask::post(path, body).header("x-ostia-config", &fallback(&[&bad, &worse])).to(gateway);
    assert_eq!(reply.status, 200, "{path}");
    assert!(!reply.whole && reply.text().contains("It is too much."), "{path}: {}", reply.text());
    assert!(reply.text().contains("error"), "{path}: {}", reply.text());
}

#[test]
fn a_failure_before_that_has_its_status() {
    let gateway = Gateway::with("timeouts: { keep_alive: 20s }");
    let bad = thinking(Step::Cut);
    let worse = Upstream::always(Answer::json(openai::error("x", "server_error", "y")).status(503));
    let reply = Ask::post("/v1/chat/completions", CHAT)
        .header("x-ostia-config", &fallback(&[&bad, &worse]))
        .to(&gateway);
    assert_eq!(reply.status, 503, "{}", reply.text());
}

#[test]
fn streams_say_that_they_are_streams() {
    let gateway = Gateway::start();
    let upstreams =
        halves().into_iter().map(|(provider, first, second)| (provider, [first, second].concat()));
    for (provider, stream) in upstreams {
        let answer =
            Answer::stream(stream).header("cache-control", "max-age=60").header("x-accel-buffering", "yes");
        let upstream = Upstream::always(answer);
        let asks = CLIENTS.iter().map(|(path, body, _)| Ask::post_at(&upstream, provider, path, *body));
        let passed = Ask::post_at(&upstream, provider, "/v1/proxy/any/stream", "{}");
        for ask in asks.chain([passed]) {
            let reply = ask.to(&gateway);
            let array_of_events = provider == "google" && reply.status != 200;
            let responses_of_chat = provider == "openai" && reply.status != 200;
            assert!(reply.status == 200 || array_of_events || responses_of_chat, "{ask:?}: {}", reply.text());
            if reply.status == 200 {
                assert_eq!(reply.header("x-accel-buffering"), Some("no"), "{ask:?}");
                assert_eq!(reply.header("cache-control"), Some("no-cache, no-transform"), "{ask:?}");
            }
        }
    }
}
