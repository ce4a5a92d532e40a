//! A provider's bad day, sixteen ways. With a config of two targets every request ends whole, or with a clean error in the
//! client's dialect, in bounded time; and each attempt is in the record.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

/// Tokens of the usual answer.
const TOKENS: usize = 60;
/// The longest that any scenario may take.
const LONGEST: Duration = Duration::from_secs(5);

/// `w0 w1 ... w59`
fn words(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|at| format!("w{at} ")).collect()
}

fn whole() -> String {
    words(0..TOKENS).concat()
}

fn stream_of(pieces: &[String]) -> String {
    openai::chat_stream_with_usage(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
}

fn healthy() -> Answer {
    Answer::stream(stream_of(&words(0..TOKENS)))
}

/// The first `tokens` of the usual stream, then this.
fn broken(tokens: usize, end: Step) -> Answer {
    let all = stream_of(&words(0..TOKENS));
    let events: Vec<&str> = all.split_inclusive("\n\n").collect();
    // The first event tells the role.
    Answer::stream(events[..=tokens].concat()).then(end)
}

fn failing(status: u16, code: &str) -> Answer {
    Answer::json(openai::error("It failed.", "server_error", code)).status(status)
}

/// A continuation: the words that are missing, if the request's last message is an assistant's beginning.
fn continuing(request: &Request) -> Answer {
    let body = request.json();
    let last = body["messages"].as_array().unwrap().last().unwrap().clone();
    if last["role"] != "assistant" {
        return healthy();
    }
    let said = last["content"]
        .as_str()
        .map_or_else(|| last["content"][0]["text"].as_str().unwrap().to_owned(), str::to_owned);
    let from = said.split_whitespace().count();
    let mut rest = words(from..TOKENS);
    rest[0].insert(0, ' ');
    Answer::stream(stream_of(&rest))
}

/// Two targets at these upstreams, and more fields.
fn config(first: &Upstream, second: &Upstream, more: Value) -> Value {
    let target = |upstream: &Upstream, key: &str| json!({"provider": "openai", "custom_host": upstream.url(), "api_key": key, "prefill": true});
    let mut config =
        json!({"strategy": {"mode": "fallback"}, "targets": [target(first, "sk-a"), target(second, "sk-b")]});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn ask(config: &Value) -> Ask {
    let body = json!({"model": "gpt-4o", "stream": true, "stream_options": {"include_usage": true},
                      "messages": [{"role": "user", "content": "Count."}]});
    Ask::post("/v1/chat/completions", body.to_string()).header("x-portkey-config", &config.to_string())
}

/// What a client gets.
#[derive(Debug, PartialEq)]
enum Told {
    /// All of it, with its end.
    Whole(String),
    /// A beginning, and an error event.
    Cut(String),
    /// An error in place of an answer.
    Refused(u16),
}

fn told(reply: &Reply) -> Told {
    if reply.status != 200 {
        assert!(reply.json()["error"]["message"].is_string(), "{}", reply.text());
        return Told::Refused(reply.status);
    }
    let events = data_of(reply.text());
    let (mut text, mut finish, mut error) = (String::new(), false, false);
    for event in events.iter().filter(|event| **event != "[DONE]").map(|event| crate::json(event)) {
        text.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        finish |= event["choices"][0]["finish_reason"].is_string();
        error |= event["error"].is_object();
    }
    let done = events.last().is_some_and(|event| *event == "[DONE]");
    assert!(done != error && done == finish, "neither whole nor broken: {}", reply.text());
    if done { Told::Whole(text) } else { Told::Cut(text) }
}

/// Asks once, and checks what is told, how often each target was asked, and that it did not take too long.
#[track_caller]
fn check(first: Upstream, second: Upstream, more: Value, expected: Told, asked: [usize; 2]) -> Reply {
    let gateway = Gateway::start();
    let began = Instant::now();
    let reply = ask(&config(&first, &second, more)).header("x-ostia-explain", "true").to(&gateway);
    assert_eq!(told(&reply), expected, "{}", reply.text());
    assert_eq!([first.count(), second.count()], asked);
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    let decisions = crate::json(reply.header("x-ostia-decisions").unwrap());
    let tried = decisions["steps"].as_array().unwrap().iter().filter(|step| step["step"] == "tried").count();
    // The record is told with the head: what came after is not in it.
    assert!(tried >= 1 && tried <= asked.iter().sum(), "{decisions}");
    reply
}

fn always(answer: Answer) -> Upstream {
    Upstream::always(answer)
}

/// Answers once, and is down from then on.
fn once(answer: Answer) -> Upstream {
    Upstream::in_turn(vec![answer, failing(503, "overloaded")])
}

#[test]
fn s01_one_429_with_retry_after() {
    let limited = failing(429, "rate_limit_exceeded").header("retry-after", "1");
    let first = Upstream::in_turn(vec![limited, healthy()]);
    let began = Instant::now();
    let reply =
        check(first, always(healthy()), json!({"retry": {"attempts": 2}}), Told::Whole(whole()), [2, 0]);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(reply.header("x-portkey-retry-attempt-count"), Some("1"));
    assert_eq!(reply.header("x-portkey-last-used-option-index"), Some("config.targets[0]"));
}

#[test]
fn s02_429_for_ever() {
    let limited = failing(429, "rate_limit_exceeded");
    let reply = check(always(limited), always(healthy()), json!({}), Told::Whole(whole()), [1, 1]);
    assert_eq!(reply.header("x-portkey-last-used-option-index"), Some("config.targets[1]"));
    // A wait that nobody has time for is not waited.
    let far = failing(429, "rate_limit_exceeded").header("retry-after", "3600");
    check(always(far), always(healthy()), json!({"retry": {"attempts": 3}}), Told::Whole(whole()), [1, 1]);
}

#[test]
fn s03_one_500() {
    let first = Upstream::in_turn(vec![failing(500, "server_error"), healthy()]);
    check(first, always(healthy()), json!({"retry": {"attempts": 1}}), Told::Whole(whole()), [2, 0]);
}

#[test]
fn s04_503_for_ever() {
    let down = || always(failing(503, "overloaded"));
    check(down(), always(healthy()), json!({"retry": {"attempts": 1}}), Told::Whole(whole()), [2, 1]);
    check(down(), down(), json!({}), Told::Refused(503), [1, 1]);
}

#[test]
fn s05_reset_before_the_head() {
    let reset = || always(Answer::bare("").then(Step::Reset));
    check(reset(), always(healthy()), json!({}), Told::Whole(whole()), [1, 1]);
    let second = always(healthy());
    let mut config = config(&second, &second, json!({}));
    config["targets"][0]["custom_host"] = json!(format!("http://{}", ostia_testkit::dead_address()));
    assert_eq!(told(&ask(&config).to(&Gateway::start())), Told::Whole(whole()));
}

#[test]
fn s06_silence() {
    let silent = always(Answer::bare("").then(Step::Stall));
    check(silent, always(healthy()), json!({"request_timeout": 300}), Told::Whole(whole()), [1, 1]);
}

#[test]
fn s07_a_head_and_then_a_late_first_token() {
    let late = || {
        let role = stream_of(&[]).split_inclusive("\n\n").next().unwrap().to_owned();
        always(Answer::stream(role).then(Step::Stall))
    };
    check(late(), always(healthy()), json!({"first_token_timeout": 300}), Told::Whole(whole()), [1, 1]);
    check(late(), always(healthy()), json!({"request_timeout": 300}), Told::Whole(whole()), [1, 1]);
    let hedge = json!({"hedge": {"after": 200, "budget": 100}});
    check(late(), always(healthy()), hedge, Told::Whole(whole()), [1, 1]);
}

#[test]
fn s08_cut_after_40_of_60() {
    let cut = || always(broken(40, Step::Cut));
    check(cut(), always(healthy()), json!({}), Told::Cut(words(0..40).concat()), [1, 0]);
    let continues = json!({"mid_stream": "continue"});
    let reply = check(
        once(broken(40, Step::Cut)),
        Upstream::serve(continuing),
        continues,
        Told::Whole(whole()),
        [2, 1],
    );
    // Both attempts are paid for.
    let events = data_of(reply.text());
    let usage = events.iter().rev().find(|event| event.contains("\"usage\":{")).unwrap();
    assert!(crate::json(usage)["usage"]["completion_tokens"].as_u64().unwrap() > 40, "{usage}");
}

#[test]
fn s09_a_stall_in_the_middle() {
    let stalled = || always(broken(40, Step::Stall));
    let idle = json!({"idle_timeout": 300});
    check(stalled(), always(healthy()), idle, Told::Cut(words(0..40).concat()), [1, 0]);
    check(
        stalled(),
        always(healthy()),
        json!({"request_timeout": 300}),
        Told::Cut(words(0..40).concat()),
        [1, 0],
    );
    let continues = json!({"idle_timeout": 300, "mid_stream": "continue"});
    check(
        once(broken(40, Step::Stall)),
        Upstream::serve(continuing),
        continues,
        Told::Whole(whole()),
        [2, 1],
    );
}

#[test]
fn s10_a_chunk_that_is_no_json() {
    let garbled = || broken(40, Step::Send(b"data: {\"id\":\"chatcmpl-1\",\"choi\n\n".to_vec()));
    let continues = json!({"mid_stream": "continue"});
    check(once(garbled()), Upstream::serve(continuing), continues, Told::Whole(whole()), [2, 1]);
    // What is relayed goes on as it came, and what follows too: the client's own software decides. It is noted.
    let mut text = stream_of(&words(0..TOKENS));
    let middle = text.find("w40 ").and_then(|at| text[..at].rfind("data: ")).unwrap();
    text.insert_str(middle, "data: {\"id\":\"chatcmpl-1\",\"choi\n\n");
    let (first, second) = (always(Answer::stream(text.clone())), always(healthy()));
    let gateway = Gateway::start();
    let reply = ask(&config(&first, &second, json!({}))).to(&gateway);
    assert_eq!((reply.status, reply.text(), second.count()), (200, text.as_str(), 0));
    let trace = reply.header("x-ostia-trace-id").unwrap();
    let record = Ask::new("GET", &format!("/v1/explain/{trace}")).to(&gateway).json();
    let is_noted = |step: &Value| step["step"] == "malformed";
    assert!(record["decisions"]["steps"].as_array().unwrap().iter().any(is_noted), "{record}");
    // At the very beginning nobody has seen it.
    let first = always(Answer::stream("data: {\"id\":\"chatcmpl-1\",\"choi\n\n"));
    check(first, always(healthy()), json!({}), Told::Whole(whole()), [1, 1]);
}

#[test]
fn s11_no_done() {
    let pieces = words(0..TOKENS);
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let first = always(Answer::stream(openai::chat_stream_without_done(&pieces)));
    check(first, always(healthy()), json!({}), Told::Whole(whole()), [1, 0]);
}

#[test]
fn s12_too_long_for_the_model() {
    let first = always(failing(400, "context_length_exceeded"));
    check(first, always(healthy()), json!({}), Told::Whole(whole()), [1, 1]);
}

#[test]
fn s13_what_a_vendor_will_not_talk_about() {
    let refusing = || always(failing(400, "content_policy_violation"));
    check(refusing(), always(healthy()), json!({}), Told::Refused(400), [1, 0]);
    let on = json!({"strategy": {"mode": "fallback", "stop_on": []}});
    check(refusing(), always(healthy()), on, Told::Whole(whole()), [1, 1]);
}

#[test]
fn s14_cut_and_nobody_who_goes_on() {
    let continues = json!({"mid_stream": "continue"});
    let refusing = Upstream::serve(|request| match request.text().contains("\"assistant\"") {
        true => failing(400, "prefill_not_supported"),
        false => healthy(),
    });
    let expected = Told::Cut(words(0..40).concat());
    let first = Upstream::in_turn(vec![broken(40, Step::Cut), failing(503, "overloaded")]);
    let reply = check(first, refusing, continues, expected, [2, 1]);
    assert!(!reply.text().contains("[DONE]"));
}

#[test]
fn s15_a_target_that_comes_and_goes() {
    let count = Arc::new(AtomicUsize::new(0));
    let first = Upstream::serve(move |_| match count.fetch_add(1, Ordering::SeqCst) / 5 % 2 {
        0 => failing(503, "overloaded"),
        _ => healthy(),
    });
    let (second, gateway) = (always(healthy()), Gateway::start());
    let breaker = json!({"cb_config": {"failure_threshold": 3, "cooldown_interval": 30000}});
    let config = config(&first, &second, breaker);
    for _ in 0..40 {
        assert_eq!(told(&ask(&config).to(&gateway)), Told::Whole(whole()));
    }
    // The breaker opened at the third failure, and its target was left alone from then on.
    assert!(first.count() < 10, "{}", first.count());
    let reply = ask(&config).header("x-ostia-explain", "true").to(&gateway);
    let decisions = crate::json(reply.header("x-ostia-decisions").unwrap());
    assert_eq!(decisions["targets"][0]["breaker"]["state"], "open", "{decisions}");
}

#[test]
fn s16_accounts_and_names_across_a_failover() {
    let first = always(failing(503, "overloaded"));
    let second = always(Answer::stream(anthropic::message_stream(&["Ro", "me"])));
    let mut config = config(&first, &second, json!({}));
    config["targets"][1]["provider"] = json!("anthropic");
    config["targets"][1]["override_params"] = json!({"model": "claude-sonnet-4-5"});
    let reply = ask(&config).to(&Gateway::start());
    assert_eq!(told(&reply), Told::Whole("Rome".into()));
    assert_eq!(reply.header("x-portkey-provider"), Some("anthropic"));
    let chunks: Vec<Value> = data_of(reply.text())
        .iter()
        .filter(|event| **event != "[DONE]")
        .map(|event| crate::json(event))
        .collect();
    // The usage is the answering target's alone, and every chunk names the model that answered.
    let model = second.last().json()["model"].clone();
    assert_eq!(model, "claude-sonnet-4-5");
    assert!(
        chunks.iter().all(|chunk| chunk["model"].as_str().unwrap().starts_with("claude")),
        "{}",
        reply.text()
    );
    assert!(
        chunks.iter().any(|chunk| chunk["usage"]["prompt_tokens"].as_u64() > Some(0)),
        "{}",
        reply.text()
    );
}

#[test]
fn whoever_goes_on_is_asked_for_the_model_in_the_path() {
    let first = once(broken(40, Step::Cut));
    let second = Upstream::serve(continuing);
    let config = config(&first, &second, json!({"mid_stream": "continue"}));
    let path = "/v1beta/models/@openai/gpt-4o:streamGenerateContent?alt=sse";
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Count."}]}]});
    let reply = Ask::post(path, body.to_string())
        .header("x-portkey-config", &config.to_string())
        .to(&Gateway::start());
    let texts: Vec<String> = data_of(reply.text())
        .iter()
        .filter_map(|event| {
            Some(crate::json(event)["candidates"][0]["content"]["parts"][0]["text"].as_str()?.to_owned())
        })
        .collect();
    assert_eq!(texts.concat(), whole(), "{}", reply.text());
    let models = |upstream: &Upstream| {
        upstream.requests().iter().map(|request| request.json()["model"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((models(&first), models(&second)), (vec![json!("gpt-4o"); 2], vec![json!("gpt-4o")]));
}
