//! Streams that are one JSON array: what a client of Google's API gets that does not ask for events, relayed.

use std::time::Duration;

use ostia_testkit::vendor::gemini;
use ostia_testkit::{Answer, Framing, Gate, Step, Upstream, split};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE, Reply};

const PATH: &str = "/v1beta/models/m:streamGenerateContent";
const CONTENTS: &str = r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#;

/// Elements of these texts as Google separates them, the last one with the reason to end.
fn elements(texts: &[&str]) -> String {
    let last = texts.len() - 1;
    let chunk = |(at, text): (usize, &&str)| gemini::chunk(text, (at == last).then_some("STOP"));
    let chunks: Vec<String> = texts.iter().enumerate().map(chunk).map(|chunk| format!("{chunk:#}")).collect();
    chunks.join("\n,\r\n")
}

fn array(texts: &[&str]) -> String {
    format!("[{}\n]\n", elements(texts))
}

/// An answer in these pieces, each a chunk that arrives alone.
fn in_pieces<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Answer {
    let answer = Answer::empty().header("content-type", "application/json").framing(Framing::Chunked);
    let pieces = pieces.into_iter().filter(|piece| !piece.as_ref().is_empty());
    pieces.fold(answer, |answer, piece| {
        answer.then(Step::Send(piece.as_ref().to_vec())).then(Step::Pause(Duration::from_millis(1)))
    })
}

fn ask(upstream: &Upstream) -> Ask {
    Ask::post_at(upstream, "google", PATH, CONTENTS)
}

fn reply(gateway: &Gateway, answer: Answer) -> Reply {
    ask(&Upstream::always(answer)).to(gateway)
}

fn last_error(reply: &Reply) -> Value {
    reply.json().as_array().unwrap().last().unwrap()["error"].clone()
}

#[test]
fn they_pass_over_every_cut() {
    let gateway = Gateway::start();
    let stop = r#"{"candidates": [{"finishReason" : "STOP", "x": 1.50}]}"#;
    let small = format!(" [ {{\"a\":\"é ]\\\"}},[\"}}\n,\r\n{stop}\n]\r\n");
    let samples = split::sample(small.as_bytes()).into_iter();
    let cuts = split::in_two(small.as_bytes()).map(|pieces| (format!("at {}", pieces[0].len()), pieces));
    for (cut, pieces) in samples.chain(cuts) {
        let reply = reply(&gateway, in_pieces(&pieces));
        assert_eq!((reply.status, reply.text()), (200, small.as_str()), "{cut}");
        assert!(reply.whole, "{cut}");
    }
}

#[test]
fn they_are_observed_however_they_are_carried() {
    let gateway = Gateway::start();
    let long = "a".repeat(70 << 10);
    for (name, answer, is_stream) in [
        ("chunked", in_pieces([array(&["a", "b"])]), true),
        ("until the end", Answer::json(array(&["a", "b"])).framing(Framing::Close), true),
        ("large", Answer::json(array(&["a", &long])), true),
        ("packed", Answer::json(array(&["a", "b"])).framing(Framing::Chunked).gzip(), true),
        ("under another name", Answer::with("text/plain", array(&["a"])).framing(Framing::Chunked), true),
        ("at once", Answer::json(array(&["a", "b"])), false),
    ] {
        let body = answer.body();
        let upstream = Upstream::always(answer);
        let reply = ask(&upstream).header("x-ostia-trace-id", &name.replace(' ', "-")).to(&gateway);
        assert_eq!((reply.status, reply.header("content-encoding")), (200, None), "{name}");
        assert_eq!(reply.header("content-type"), Some("application/json"), "{name}");
        assert!(reply.body == body || name == "packed" && reply.text() == array(&["a", "b"]), "{name}");
        assert_eq!(reply.header("x-accel-buffering").is_some(), is_stream, "{name}");
        let record = Ask::new("GET", &format!("/v1/explain/{}", name.replace(' ', "-"))).to(&gateway).json();
        let usage = &record["usage"];
        assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(7), &json!(2)), "{name}");
        assert_eq!(record["finish_reason"], "stop", "{name}");
        assert_eq!(record["first_token_ms"].is_u64(), is_stream, "{name}: {record}");
    }
}

#[test]
fn elements_go_on_as_they_come() {
    let gateway = Gateway::with("timeouts: { keep_alive: 50ms }");
    let gate = Gate::new();
    let whole = array(&["first", "second"]);
    let (first, second) = whole.split_at(whole.find("\n,\r\n").unwrap() + 1);
    let answer = in_pieces([first]).then(Step::Wait(gate.clone())).then(Step::Send(second.into()));
    let upstream = Upstream::always(answer);
    let mut open = ask(&upstream).open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    // White space between two elements is a sign of life that leaves the array as it is.
    let begun = open.read_until(PATIENCE, |reply| reply.text().ends_with("}\r\n\r\n"));
    assert!(begun.is_some_and(|reply| !reply.text().contains("second")));
    gate.open();
    let reply = open.finish();
    assert!(reply.whole && reply.text().ends_with(second), "{}", reply.text());
    assert_eq!(reply.json(), crate::json(&whole));
}

#[test]
fn what_breaks_off_tells_it_in_a_last_element() {
    let gateway = Gateway::with("timeouts: { idle: 300ms }");
    let begun = format!("[{}\n,\r\n", gemini::chunk("a", None));
    let (half, ended) =
        (format!("{begun}{{\"candidates\": [{{\"con"), format!("[{}\n]", gemini::chunk("a", None)));
    for (name, answer, code) in [
        ("behind a comma", in_pieces([&begun]).then(Step::Cut), 502),
        ("in an element", in_pieces([&half]).then(Step::Cut), 502),
        ("in silence", in_pieces([&half]).then(Step::Stall), 504),
        ("closed too early", in_pieces([&ended]), 502),
        ("no array any more", in_pieces([format!("{begun}}}{{}}]")]), 502),
    ] {
        let reply = reply(&gateway, answer);
        assert!(!reply.whole && reply.text().starts_with(begun.trim_end_matches("\n,\r\n")), "{name}");
        assert_eq!(last_error(&reply)["code"], code, "{name}: {}", reply.text());
    }
    let whole = array(&["a"]);
    let cut_at_its_end = reply(&gateway, in_pieces([&whole]).then(Step::Cut));
    assert_eq!((cut_at_its_end.whole, cut_at_its_end.text()), (true, whole.as_str()));
}

#[test]
fn what_begins_badly_is_a_failed_attempt() {
    let gateway = Gateway::start();
    let error = gemini::error(429, "RESOURCE_EXHAUSTED", "no quota");
    // Without a config nobody waits for the first token: what begins as an array has its status already.
    for (text, status, code) in [
        (format!("[{error}]"), 200, 429),
        ("[]".to_owned(), 200, 502),
        ("[null]".to_owned(), 200, 502),
        (String::new(), 200, 502),
        (error.clone(), 429, 429),
        ("null".to_owned(), 502, 502),
    ] {
        let bad = Upstream::always(in_pieces([&text]));
        let alone = ask(&bad).to(&gateway);
        let told = if status == 200 { last_error(&alone) } else { alone.json()["error"].clone() };
        assert_eq!((alone.status, &told["code"]), (status, &json!(code)), "{text}: {}", alone.text());
        let good = Upstream::always(in_pieces([array(&["a"])]));
        let target = |upstream: &Upstream| json!({"provider": "google", "custom_host": upstream.url(), "api_key": "k"});
        let config = json!({"strategy": {"mode": "fallback"}, "targets": [target(&bad), target(&good)]});
        let routed = Ask::post(PATH, CONTENTS).header("x-ostia-config", &config.to_string()).to(&gateway);
        assert_eq!((routed.status, routed.text()), (200, array(&["a"]).as_str()), "{text}");
    }
}
