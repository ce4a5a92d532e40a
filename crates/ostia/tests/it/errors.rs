//! What providers say when they fail, and what becomes of it: who is asked next, and what the client's own software reads.

use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// A request that every one of these APIs takes.
fn body(path: &str, more: Value) -> String {
    let mut body = json!({"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]});
    if path == RESPONSES {
        body = json!({"model": "m", "input": "hi"});
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.to_string()
}

/// Asks one target.
fn ask(provider: &str, answer: Answer, path: &str) -> Reply {
    let upstream = Upstream::always(answer);
    Ask::post_at(&upstream, provider, path, body(path, json!({}))).to(&Gateway::start())
}

/// A config of these targets, each at its upstream.
fn config(targets: &[(&str, &Upstream)], more: Value) -> String {
    let target = |(provider, upstream): &(&str, &Upstream)| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "sk-1"});
    let mut config =
        json!({"strategy": {"mode": "fallback"}, "targets": targets.iter().map(target).collect::<Vec<_>>()});
    for (name, value) in more.as_object().into_iter().flatten() {
        config[name] = value.clone();
    }
    config.to_string()
}

fn follow(config: &str, path: &str, body: &str) -> Reply {
    Ask::post(path, body.to_owned()).header("x-ostia-config", config).to(&Gateway::start())
}

fn good() -> Upstream {
    Upstream::always(Answer::json(openai::chat("ok")))
}

#[test]
fn a_conversation_that_is_too_long_is_told_in_the_words_of_each_client() {
    let chat = |message: &str| {
        Answer::json(json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": "invalid_parameter_error"}}).to_string()).status(400)
    };
    let words = "Range of input length should be [1, 129024]";
    // Relayed too: the provider's own envelope says nothing that the client's software knows.
    for path in [CHAT, RESPONSES] {
        let reply = ask("dashscope", chat(words), path);
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["code"]), (400, &json!("context_length_exceeded")), "{path}");
        assert_eq!(error["message"], words, "{path}");
    }
    let reply = ask("dashscope", chat(words), MESSAGES);
    assert_eq!(reply.json()["error"]["message"], format!("prompt is too long: {words}"));
    assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
    // Claude Code takes 413 for a body of too many bytes.
    let github = openai::error("Request body too large. Max size: 8000 tokens.", "x", "tokens_limit_reached");
    for (path, status) in [(MESSAGES, 400), (CHAT, 413)] {
        assert_eq!(ask("openai", Answer::json(github.clone()).status(413), path).status, status, "{path}");
    }
    let own = anthropic::error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum");
    let reply = ask("anthropic", Answer::json(own.clone()).status(400), MESSAGES);
    assert_eq!(reply.text(), own);
    let reply = ask("anthropic", Answer::json(own).status(400), CHAT);
    assert_eq!(reply.json()["error"]["code"], "context_length_exceeded");
    assert_eq!(reply.header("x-should-retry"), Some("false"));
}

#[test]
fn a_provider_says_when_and_whether_to_come_again() {
    let wait = |delay: &str| {
        let detail = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay});
        let error = json!({"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": [detail]}});
        Answer::json(error.to_string()).status(429)
    };
    let reply = ask("google", wait("17.384s"), CHAT);
    assert_eq!((reply.header("retry-after"), reply.header("x-should-retry")), (Some("18"), Some("true")));
    // What a header says goes before it.
    let reply = ask("google", wait("17.384s").header("retry-after", "3"), MESSAGES);
    assert_eq!(reply.header("retry-after"), Some("3"));
    assert_eq!(reply.json()["request_id"].as_str(), reply.header("x-ostia-trace-id"));

    let error = |status, code: &str| Answer::json(openai::error("m", code, code)).status(status);
    for (answer, expected) in [
        (error(429, "rate_limit_exceeded"), Some("true")),
        (error(429, "insufficient_quota"), Some("false")),
        (error(409, "conflict"), None),
        (error(503, "busy").header("x-should-retry", "false"), Some("false")),
        (error(400, "x").header("x-should-retry", "true"), Some("true")),
    ] {
        assert_eq!(ask("openai", answer, CHAT).header("x-should-retry"), expected);
    }
}

#[test]
fn what_a_provider_says_of_another_try_is_obeyed() {
    let error = |status, again: &str| {
        Answer::json(openai::error("m", "x", "x")).status(status).header("x-should-retry", again)
    };
    for (answer, count) in [(error(503, "false"), 1), (error(409, "true"), 3), (error(503, "true"), 3)] {
        let upstream = Upstream::always(answer.header("retry-after", "0"));
        let config = config(&[("openai", &upstream)], json!({"retry": {"attempts": 2}}));
        follow(&config, CHAT, &body(CHAT, json!({})));
        assert_eq!(upstream.count(), count);
    }
}

#[test]
fn an_account_without_credit_is_left_at_once() {
    let empty = [
        ("openai", Answer::json(openai::error("m", "insufficient_quota", "insufficient_quota")).status(429)),
        (
            "anthropic",
            Answer::json(anthropic::error("invalid_request_error", "Your credit balance is too low."))
                .status(400),
        ),
    ];
    for (provider, answer) in empty {
        let (first, second) = (Upstream::always(answer), good());
        let strategy = json!({"mode": "fallback", "on_status_codes": [429]});
        let more = json!({"strategy": strategy, "retry": {"attempts": 2}});
        let reply =
            follow(&config(&[(provider, &first), ("openai", &second)], more), CHAT, &body(CHAT, json!({})));
        assert_eq!(
            (reply.status, first.count(), second.count()),
            (200, 1, 1),
            "{provider}: {}",
            reply.text()
        );
    }
}

#[test]
fn the_error_of_a_target_that_was_asked_is_not_hidden_by_one_that_could_not_be() {
    let busy = || {
        Upstream::always(
            Answer::json(openai::error("busy", "server_error", "x")).status(503).header("retry-after", "7"),
        )
    };
    let cut = json!({"messages": [{"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\":"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "x"}]});
    let (first, second) = (busy(), good());
    let dead = json!({"provider": "openai", "custom_host": format!("http://{}", ostia_testkit::dead_address()), "api_key": "k"});
    let unknown = json!({"provider": "nobody"});
    let one = |target: Value| {
        let mut config: Value = serde_json::from_str(&config(&[("openai", &first)], json!({}))).unwrap();
        config["targets"].as_array_mut().unwrap().push(target);
        config.to_string()
    };
    for (config, body) in [
        (config(&[("openai", &first), ("anthropic", &second)], json!({})), body(CHAT, cut)),
        (one(unknown), body(CHAT, json!({}))),
        (one(dead), body(CHAT, json!({}))),
    ] {
        let reply = follow(&config, CHAT, &body);
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("7")), "{}", reply.text());
        // The headers are about the same target.
        assert_eq!(reply.header("x-ostia-last-used-option-index"), Some("config.targets[0]"));
        assert_eq!(reply.header("x-ostia-provider"), Some("openai"));
    }
    // Two at once: the one that answers says more than the one that never does.
    let slow = Upstream::serve(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        Answer::json(openai::error("m", "x", "x")).status(429).header("retry-after", "9")
    });
    let silent = Upstream::always(Answer::bare("").then(Step::Stall));
    let more = json!({"hedge": {"after": 50, "budget": 100}, "request_timeout": 500});
    let reply =
        follow(&config(&[("openai", &slow), ("openai", &silent)], more), CHAT, &body(CHAT, json!({})));
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("9")), "{}", reply.text());
    assert_eq!(reply.header("x-ostia-last-used-option-index"), Some("config.targets[0]"));
    assert_eq!(silent.count(), 1);
    // Of two that answered, the last one counts.
    let limited = Upstream::always(Answer::json(openai::error("m", "x", "x")).status(429));
    let reply =
        follow(&config(&[("openai", &first), ("openai", &limited)], json!({})), CHAT, &body(CHAT, json!({})));
    assert_eq!(reply.status, 429);
}

#[test]
fn redirects_and_responses_that_failed_move_on() {
    let moved = Answer::json("{}").status(307).header("location", "http://elsewhere.example/");
    let second = good();
    let reply = follow(
        &config(&[("openai", &Upstream::always(moved)), ("openai", &second)], json!({})),
        CHAT,
        &body(CHAT, json!({})),
    );
    assert_eq!((reply.status, second.count()), (200, 1));

    let failed = json!({"id": "r", "object": "response", "status": "failed", "output": [], "error": {"code": "server_error", "message": "x"}}).to_string();
    let done = json!({"id": "r", "object": "response", "status": "completed", "output": [], "error": null})
        .to_string();
    let (first, second) =
        (Upstream::always(Answer::json(failed.clone())), Upstream::always(Answer::json(done.clone())));
    let body = body(RESPONSES, json!({}));
    let reply = follow(&config(&[("openai", &first), ("openai", &second)], json!({})), RESPONSES, &body);
    assert_eq!((reply.status, reply.text()), (200, done.as_str()));
    // If nobody does better, the client gets it in its own form.
    let reply = follow(&config(&[("openai", &first), ("openai", &first)], json!({})), RESPONSES, &body);
    assert_eq!((reply.status, reply.text()), (200, failed.as_str()));
}

#[test]
fn errors_in_streams_are_told_by_their_own_code() {
    let begun = json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": null}]});
    for (code, expected) in [
        ("rate_limit_exceeded", "rate_limit_error"),
        ("insufficient_quota", "billing_error"),
        ("context_length_exceeded", "invalid_request_error"),
    ] {
        let error = openai::error("m", "x", code);
        let upstream = Upstream::always(Answer::stream(format!("data: {begun}\n\ndata: {error}\n\n")));
        let reply = Ask::post_at(&upstream, "openai", MESSAGES, body(MESSAGES, json!({"stream": true})))
            .to(&Gateway::start());
        assert!(reply.text().contains(&format!("\"error\":{{\"type\":\"{expected}\"")), "{}", reply.text());
    }
    // Before the first words it is an error answer, with the status for it.
    let error = Answer::stream(format!("data: {}\n\n", openai::error("m", "x", "rate_limit_exceeded")));
    let upstream = Upstream::always(error);
    let config = config(&[("openai", &upstream), ("openai", &upstream)], json!({}));
    let reply = follow(&config, CHAT, &body(CHAT, json!({"stream": true})));
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (429, &json!("rate_limit_exceeded")));
}

#[test]
fn a_stream_of_an_unknown_kind_ends_as_the_provider_ends_it() {
    let stream = "data: {\"value\":\"half\"}\n\ndata: {\"value\":\" done\"}\n\n";
    let upstream = Upstream::always(Answer::stream(stream));
    let body = json!({"model": "m", "prompt": "hi", "stream": true}).to_string();
    let reply = Ask::post_at(&upstream, "openai", "/v1/completions", body).to(&Gateway::start());
    assert_eq!((reply.status, reply.text()), (200, stream));
}

#[test]
fn wrong_keys_that_come_as_bad_requests_move_on() {
    let key = gemini::error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.");
    let (first, second) = (Upstream::always(Answer::json(key).status(400)), good());
    let strategy = json!({"mode": "fallback", "stop_on": ["bad_request"]});
    let config = config(&[("google", &first), ("openai", &second)], json!({"strategy": strategy}));
    assert_eq!(follow(&config, CHAT, &body(CHAT, json!({}))).status, 200);
}
