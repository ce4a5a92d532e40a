//! Attempts whose provider told no count, or not all of it: what they took is estimated, and marked so.

use std::time::Duration;

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use super::ledger::{attempts, sums, units};
use crate::gateway::Gateway;
use crate::wire::Ask;

const CHAT: &str = "/v1/chat/completions";
const PRICES: &str =
    "prices: {openai/gpt-4o-mini: {input: 1.5, output: 2}, anthropic/claude-x: {input: 1.5, output: 2}}";

fn body(model: &str) -> String {
    json!({"model": model, "stream": true, "max_tokens": 50, "messages": [{"role": "user", "content": "say something long"}]})
        .to_string()
}

/// The attempt of the only request, whose sums are those of it alone.
fn only(gateway: &Gateway) -> Value {
    let total = sums(gateway, 1);
    let attempts = attempts(gateway);
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!(total["estimated_cost"]["USD"], attempt["cost"]["amount"], "{total}");
    assert_eq!(attempt["usage_estimated"], true, "{attempt}");
    attempt.clone()
}

/// Tokens of so many bytes.
fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

#[test]
fn of_streams_that_break_off() {
    let words = ["It was the best of times, ", "it was the worst of times, ", "it was the age of wisdom"];
    let stream = openai::chat_stream(&words);
    let half = &stream[..stream.find("\"stop\"").unwrap()];
    let half = half[..half.rfind("data: ").unwrap()].to_owned();
    let upstream = Upstream::always(Answer::stream(half).then(Step::Cut));
    let said = tokens(words.concat().len());
    // Relayed, and told to a client of another format.
    for path in [CHAT, "/v1/messages"] {
        let (gateway, body) = (Gateway::with(PRICES), body("gpt-4o-mini"));
        Ask::post_at(&upstream, "openai", path, body.clone()).to(&gateway);
        let attempt = only(&gateway);
        let usage = &attempt["usage"];
        assert_eq!(
            (&attempt["outcome"], &usage["prompt_tokens"]),
            (&json!("broken"), &json!(tokens(body.len()))),
            "{attempt}"
        );
        assert_eq!(usage["completion_tokens"], said, "{attempt}");
        assert_eq!(units(&attempt["cost"]["amount"]), tokens(body.len()) * 15 + said * 20, "{attempt}");
    }
}

#[test]
fn of_what_a_provider_counts_before_the_end() {
    let stream = anthropic::message_stream(&["some words", " and others"]);
    let half = stream[..stream.find("event: content_block_stop").unwrap()].to_owned();
    let upstream = Upstream::always(Answer::stream(half).then(Step::Cut));
    for path in ["/v1/messages", CHAT] {
        let gateway = Gateway::with(PRICES);
        Ask::post_at(&upstream, "anthropic", path, body("claude-x")).to(&gateway);
        let attempt = only(&gateway);
        let start: Value = crate::json(crate::data_of(&stream)[0]);
        let told = &start["message"]["usage"]["input_tokens"];
        assert_eq!(&attempt["usage"]["prompt_tokens"], told, "{path}: {attempt}");
        assert_eq!(
            attempt["usage"]["completion_tokens"],
            tokens("some words and others".len()),
            "{path}: {attempt}"
        );
    }
}

/// A search that a stream cites is charged for, also where nobody asks for usage: neither it nor the tokens are lost.
#[test]
fn of_streams_that_count_nothing_and_search() {
    let cites =
        json!({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example"}}]});
    let event = format!("data: {}\n\n", openai::chunk(&cites, &Value::Null));
    let stream = openai::chat_stream(&["It is ", "sunny."]);
    let at = stream.rfind("data: {").unwrap();
    let upstream = Upstream::always(Answer::stream(format!("{}{event}{}", &stream[..at], &stream[at..])));
    let (gateway, body) = (Gateway::start(), body("gpt-4o-search-preview"));
    Ask::post_at(&upstream, "openai", CHAT, body.clone()).to(&gateway);
    sums(&gateway, 1);
    let attempt = &attempts(&gateway)[0];
    let usage = &attempt["usage"];
    let told = (&usage["web_searches"], &usage["prompt_tokens"], &attempt["usage_estimated"]);
    assert_eq!(told, (&json!(1), &json!(tokens(body.len())), &json!(true)), "{attempt}");
}

#[test]
fn of_answers_that_are_waited_for_in_vain() {
    let upstream = Upstream::always(Answer::empty().first(Step::Stall));
    let gateway = Gateway::with(PRICES);
    let body = body("gpt-4o-mini");
    let late = Ask::post_at(&upstream, "openai", CHAT, body.clone()).header("x-ostia-request-timeout", "150");
    assert_eq!(late.to(&gateway).status, 408);
    let attempt = only(&gateway);
    assert_eq!(
        (&attempt["outcome"], &attempt["usage"]["completion_tokens"]),
        (&json!("failed"), &json!(0)),
        "{attempt}"
    );
    assert_eq!(attempt["usage"]["prompt_tokens"], tokens(body.len()), "{attempt}");

    let gateway = Gateway::with(PRICES);
    let open = Ask::post_at(&upstream, "openai", CHAT, body).open(&gateway);
    assert!(upstream.wait_for_requests(2, Duration::from_secs(10)));
    drop(open);
    assert_eq!(only(&gateway)["outcome"], "abandoned");
}

#[test]
fn nothing_is_estimated_of_what_did_no_work() {
    let nobody = json!({"provider": "openai", "custom_host": format!("http://{}", ostia_testkit::dead_address()), "api_key": "k"});
    let refused =
        Upstream::always(Answer::json(r#"{"error":{"message":"m","type":"server_error"}}"#).status(500));
    let gateway = Gateway::with(PRICES);
    Ask::post(CHAT, body("gpt-4o-mini")).header("x-ostia-config", &nobody.to_string()).to(&gateway);
    Ask::post_at(&refused, "openai", CHAT, body("gpt-4o-mini")).to(&gateway);
    let total = sums(&gateway, 2);
    assert_eq!((&total["cost"], &total["prompt_tokens"]), (&json!({}), &json!(0)), "{total}");
    assert!(attempts(&gateway).iter().all(|attempt| attempt["usage"].is_null()));
}
