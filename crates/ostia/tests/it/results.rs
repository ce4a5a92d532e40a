//! What caches and guardrails did, as records tell it: of another gateway behind this one, and of requests that went another way.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::store::{CHAT, asked, body, listed, told};
use crate::wire::Ask;

/// What gpt-4o-mini costs for the tokens of [`openai::chat`].
const COST: &str = "0.00000255";

/// Guardrails as Portkey's gateway tells them: one that let the request pass, and one that did not.
fn hooks(denies: bool) -> Value {
    let check = |verdict: bool| {
        json!({"data": {"word": "what was asked"}, "verdict": verdict, "id": "default.contains", "execution_time": 1.5,
               "transformed": false, "created_at": "2026-11-30T05:00:00.000Z", "log": null, "fail_on_error": false})
    };
    let hook = |id: &str, verdict: bool| {
        json!({"verdict": verdict, "id": id, "transformed": false, "checks": [check(verdict)], "feedback": null, "deny": denies,
               "execution_time": 2, "async": false, "type": "guardrail", "created_at": "2026-11-30T05:00:00.000Z"})
    };
    json!({"before_request_hooks": [hook("words", true), hook("secrets", false)], "after_request_hooks": []})
}

/// A chat completion with these results.
fn chat_with(hooks: &Value) -> String {
    let mut answer = crate::json(&openai::chat("a"));
    answer["hook_results"] = hooks.clone();
    answer.to_string()
}

/// The record of one call to this upstream, with its bodies.
fn kept(gateway: &Gateway, upstream: &Upstream, path: &str, body: String, status: u16) -> Value {
    let before = asked(gateway, "/v1/logs")["data"].as_array().map_or(0, Vec::len);
    let reply = Ask::post_at(upstream, "openai", path, body).to(gateway);
    assert_eq!(reply.status, status, "{}", reply.text());
    let id = listed(gateway, before + 1)[0]["id"].as_str().unwrap().to_owned();
    asked(gateway, &format!("/v1/logs/{id}"))
}

#[test]
fn an_answer_from_the_cache_of_another_gateway_costs_nothing() {
    let gateway = Gateway::start();
    let check = |head: &[(&str, &str)], cache: Value, cost: &str| {
        for stream in [false, true] {
            let answer = match stream {
                true => Answer::stream(openai::chat_stream_with_usage(&["a"])),
                false => Answer::json(openai::chat("a")),
            };
            let answer = head.iter().fold(answer, |answer, (name, value)| answer.header(name, value));
            let one = kept(&gateway, &Upstream::always(answer), CHAT, body(stream), 200);
            assert_eq!(one.get("cache").unwrap_or(&Value::Null), &cache, "{one}");
            let attempt = &one["attempts"][0];
            assert_eq!(attempt.get("cache").unwrap_or(&Value::Null), &cache, "{one}");
            assert_eq!(attempt["cost"]["amount"], cost, "{head:?}: {one}");
            assert_eq!(attempt["usage"]["total_tokens"], 11, "its usage stays: {one}");
            let explained = asked(&gateway, &format!("/v1/explain/{}", one["trace_id"].as_str().unwrap()));
            assert_eq!(explained.get("cache"), cache.get("status"), "{explained}");
        }
    };
    check(&[], Value::Null, COST);
    check(&[("x-portkey-cache-status", "HIT")], json!({"status": "hit", "by": "upstream"}), "0");
    check(&[("x-portkey-cache-status", "MISS")], json!({"status": "miss", "by": "upstream"}), COST);
    check(&[("x-portkey-cache-status", "DISABLED")], json!({"status": "disabled", "by": "upstream"}), COST);
    check(&[("helicone-cache", "HIT")], json!({"status": "hit", "by": "upstream"}), "0");
    check(
        &[("x-openrouter-cache-status", "HIT"), ("x-openrouter-cache-age", "12")],
        json!({"status": "hit", "by": "upstream", "age_s": 12}),
        "0",
    );
    check(
        &[("x-ai-cache-status", "HIT-L2"), ("x-ai-cache-similarity", "0.97")],
        json!({"status": "semantic_hit", "by": "upstream", "similarity": 0.97}),
        "0",
    );
    check(&[("x-cache-status", "perhaps")], Value::Null, COST);
    let one = &asked(&gateway, "/v1/logs?cost_max=0")["data"][0];
    assert_eq!(one["attempts"][0]["cost"]["lines"], json!([["cached_answers", 1, "0"]]), "{one}");
    assert_eq!(one["attempts"][0]["cost"]["priced_as"], "cache");
    let printed = gateway.says("cache=semantic_hit cost=0");
    assert!(printed.contains("cache=miss cost="), "{printed}");
    let total = &asked(&gateway, "/v1/analytics/summary")["total"];
    // Eight times at the price of the model, and eight times at none.
    assert_eq!(total["cost"], json!({"USD": "0.0000204"}), "{total}");
}

#[test]
fn only_the_answer_that_the_client_gets_is_the_requests() {
    let cached = Answer::json(openai::error("no", "server_error", "x")).status(500);
    let upstream = Upstream::in_turn(vec![
        cached.header("x-portkey-cache-status", "HIT"),
        Answer::json(openai::chat("a")).header("x-portkey-cache-status", "MISS"),
    ]);
    let gateway = Gateway::start();
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header(
        "x-ostia-config",
        &json!({"provider": "openai", "custom_host": upstream.url(), "api_key": "sk-client", "retry": {"attempts": 1}})
            .to_string(),
    );
    let reply =
        ask.without("x-ostia-provider").without("x-ostia-custom-host").without("authorization").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-portkey-cache-status"), Some("MISS"), "its client is told as well");
    let one = &listed(&gateway, 1)[0];
    assert_eq!(one["cache"]["status"], "miss", "{one}");
    assert_eq!(one["attempts"][0]["cache"]["status"], "hit", "{one}");
    assert_eq!(one["attempts"][0]["cost"]["amount"], "0", "a hit is one whatever becomes of it: {one}");
    assert_eq!(one["attempts"][1]["cost"]["amount"], COST, "{one}");
}

#[test]
fn a_hit_that_was_charged_or_that_nobody_believes_costs_something() {
    let upstream = Upstream::serve(|request| {
        let mut answer = crate::json(&openai::chat("a"));
        if request.text().contains("charge me") {
            answer["usage"]["cost"] = json!(0.5);
        }
        Answer::json(answer.to_string()).header("x-cache-status", "HIT")
    });
    let url = upstream.url();
    let gateway = Gateway::with(&format!(
        "providers: {{ openrouter: {{ base_url: '{url}' }}, openai: {{ base_url: '{url}', answer_cache: false }} }}"
    ));
    let ask = |provider: &str, body: String| {
        let before = asked(&gateway, "/v1/logs")["data"].as_array().map_or(0, Vec::len);
        let ask = Ask::post(CHAT, body).header("x-ostia-provider", provider);
        let reply = ask.header("authorization", "Bearer sk-client").to(&gateway);
        assert_eq!((reply.status, reply.header("x-cache-status")), (200, Some("HIT")), "{}", reply.text());
        listed(&gateway, before + 1).swap_remove(0)
    };
    let charged = json!({"model": "m", "messages": [{"role": "user", "content": "charge me"}]}).to_string();
    let one = ask("openrouter", charged);
    let cost = &one["attempts"][0]["cost"];
    assert_eq!((&cost["amount"], &cost["priced_as"]), (&json!("0.5"), &json!("provider")), "{one}");
    assert_eq!(one["cache"]["status"], "hit", "it is told all the same: {one}");
    let believed = ask("openrouter", body(false));
    assert_eq!(believed["attempts"][0]["cost"]["amount"], "0", "{believed}");
    let printed = gateway.says("cost=0.5");
    assert!(!printed.contains("openai/gpt-4o-mini"), "{printed}");
    let one = ask("openai", body(false));
    assert!(one.get("cache").is_none() && one["attempts"][0].get("cache").is_none(), "{one}");
    assert_eq!(one["attempts"][0]["cost"]["amount"], COST, "{one}");
    let printed = gateway.says(&format!("cost={COST}"));
    assert_eq!(printed.matches("cache=hit").count(), 2, "{printed}");
}

#[test]
fn new_prices_follow_what_is_believed_of_caches() {
    let answer = Answer::json(openai::chat("a")).header("x-cache-status", "HIT");
    let gateway = Gateway::start();
    let one = kept(&gateway, &Upstream::always(answer), CHAT, body(false), 200);
    assert_eq!(one["attempts"][0]["cost"]["amount"], "0", "{one}");
    let data = gateway.folder().join("data").display().to_string();
    let reprice = |config: &str| {
        let file = gateway.folder().join("prices.yaml");
        std::fs::write(&file, config).unwrap();
        let args = ["reprice", "--since", "1h", "--config", file.to_str().unwrap()];
        let setup = args.iter().fold(Setup::new().env("OSTIA_DATA", &data), |setup, arg| setup.arg(arg));
        let output = setup.run();
        assert!(output.status.success(), "{output:?}");
        listed(&gateway, 1)[0]["attempts"][0]["cost"]["amount"].as_str().unwrap().to_owned()
    };
    assert_eq!(reprice("prices: {openai/gpt-4o-mini: {input: 1.5, output: 2}}\n"), "0");
    assert_eq!(reprice("providers: {openai: {answer_cache: false}}\n"), COST);
    assert_eq!(reprice("providers: {openai: {answer_cache: true}}\n"), "0");
}

#[test]
fn a_stream_that_goes_on_elsewhere_is_no_hit() {
    let beginning = openai::chunk(&json!({"content": "On the"}), &Value::Null);
    let check = |[first, rest]: [Option<&'static str>; 2], expected: Option<&str>| {
        let said = |answer: Answer, word: Option<&str>| match word {
            Some(word) => answer.header("x-cache-status", word),
            None => answer,
        };
        let beginning = format!("data: {beginning}\n\n");
        let upstream = Upstream::serve(move |request| match request.text().contains("assistant") {
            false => said(Answer::stream(beginning.clone()).then(Step::Cut), first),
            true => said(Answer::stream(openai::chat_stream_with_usage(&[" Tiber"])), rest),
        });
        let gateway = Gateway::with(&format!(
            "providers: {{ own: {{ base_url: '{}', dialects: [openai_chat], auth: none }} }}
prices: {{ own/m: {{ input: 1, output: 2 }} }}
config: careful
configs: {{ careful: {{ strategy: {{ mode: fallback }}, targets: [{{ provider: own, prefill: true, mid_stream: continue }}] }} }}
",
            upstream.url()
        ));
        let asked_body =
            json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "where"}]});
        let reply = Ask::post(CHAT, asked_body.to_string()).to(&gateway);
        assert!(reply.text().contains("On the") && reply.text().contains(" Tiber"), "{}", reply.text());
        let one = &listed(&gateway, 1)[0];
        assert_eq!(one["cache"]["status"].as_str(), expected, "{one}");
        for (attempt, word) in [first, rest].into_iter().enumerate() {
            let attempt = &one["attempts"][attempt];
            let word = word.map(str::to_lowercase);
            assert_eq!(attempt["cache"]["status"].as_str(), word.as_deref(), "{one}");
            assert_eq!(attempt["cost"]["amount"] == "0", word.as_deref() == Some("hit"), "{one}");
        }
        let explained = asked(&gateway, &format!("/v1/explain/{}", one["trace_id"].as_str().unwrap()));
        assert_eq!(explained.get("cache").and_then(Value::as_str), expected, "{explained}");
        let printed = gateway.says("POST /v1/chat/completions");
        let told = expected.map(|word| format!("cache={word}"));
        assert!(told.is_none_or(|told| printed.contains(&told)), "{printed}");
        assert!(printed.contains(" cost="), "{printed}");
        assert_eq!(printed.contains("cost=0 "), expected == Some("hit"), "{printed}");
    };
    check([Some("HIT"), None], Some("miss"));
    check([Some("HIT"), Some("MISS")], Some("miss"));
    check([Some("HIT"), Some("HIT")], Some("hit"));
    check([Some("MISS"), Some("HIT")], Some("miss"));
    check([None, Some("MISS")], Some("miss"));
    check([None, None], None);
}

#[test]
fn several_calls_cost_nothing_only_where_all_were_in_the_cache() {
    let upstream = Upstream::serve(|request| {
        let text = request.json()["inputText"].as_str().unwrap().to_owned();
        let answer = Answer::json(json!({"embedding": [1.0], "inputTextTokenCount": 5}).to_string());
        answer.header("cf-aig-cache-status", if text == "new" { "MISS" } else { "HIT" })
    });
    let gateway =
        Gateway::with(&format!("providers: {{bedrock: {{base_url: \"{}\", local: true}}}}", upstream.url()));
    let check = |texts: &[&str], status: &str, cost: &str| {
        let before = asked(&gateway, "/v1/logs")["data"].as_array().map_or(0, Vec::len);
        let body = json!({"model": "amazon.titan-embed-text-v2:0", "input": texts}).to_string();
        let ask = Ask::post("/v1/embeddings", body).header("x-ostia-provider", "bedrock");
        let reply = ask.header("authorization", "Bearer sk-client").to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let one = &listed(&gateway, before + 1)[0];
        assert_eq!(
            (&one["cache"]["status"], &one["attempts"][0]["cache"]["status"]),
            (&json!(status), &json!(status))
        );
        let amounts = one["attempts"].as_array().unwrap().iter();
        let amounts: Vec<&str> = amounts.filter_map(|attempt| attempt["cost"]["amount"].as_str()).collect();
        let sum: f64 = amounts.iter().map(|amount| amount.parse::<f64>().unwrap()).sum();
        assert!((sum - cost.parse::<f64>().unwrap()).abs() < 1e-12, "{amounts:?} {cost}");
    };
    check(&["old", "old"], "hit", "0");
    // 15 tokens at 0.02 dollars for a million.
    check(&["old", "new", "old"], "miss", "0.0000003");
    check(&["new", "old", "old"], "miss", "0.0000003");
}

#[test]
fn guardrails_of_another_gateway_are_told() {
    let gateway = Gateway::start();
    let result = |id: &str, verdict: bool, denied: bool| {
        let mut result = json!({
            "id": id, "by": "upstream", "phase": "before_request", "verdict": verdict, "duration_us": 2000,
            "checks": [{"id": "default.contains", "verdict": verdict, "duration_us": 1500}],
        });
        if denied {
            result["denied"] = true.into();
        }
        result
    };
    let check = |answer: Answer, path: &str, asked_body: String, status: u16, denied: bool| {
        let one = kept(&gateway, &Upstream::always(answer), path, asked_body, status);
        assert_eq!(
            one["guardrails"],
            json!([result("words", true, false), result("secrets", false, denied)]),
            "{one}"
        );
        let explained = asked(&gateway, &format!("/v1/explain/{}", one["trace_id"].as_str().unwrap()));
        let verdict = if denied { "denied" } else { "failed" };
        if one["stream"] == false {
            assert_eq!(explained["guardrails"], verdict, "{explained}");
        }
        // What the checks looked at stands in the body alone.
        assert!(!one["guardrails"].to_string().contains("what was asked"));
        one
    };
    let portkey = |answer: Answer| answer.header("x-portkey-trace-id", "t");
    let answer = || Answer::json(chat_with(&hooks(false)));
    let one = check(portkey(answer()), CHAT, body(false), 200, false);
    assert_eq!(
        one["response"]["body"]["hook_results"]["before_request_hooks"][0]["checks"][0]["data"]["word"],
        "what was asked"
    );
    check(portkey(answer().gzip()), CHAT, body(false), 200, false);
    check(answer().status(246), CHAT, body(false), 246, false);
    let denied = json!({
        "error": {"message": "The guardrail checks failed.", "type": "hooks_failed", "param": null, "code": null},
        "hook_results": hooks(true),
    });
    let one = check(Answer::json(denied.to_string()).status(446), CHAT, body(false), 446, true);
    assert!(one["attempts"][0].get("cost").is_none(), "{one}");
    // A client of another dialect is not told, and the record is.
    let asked_body =
        json!({"model": "gpt-4o-mini", "max_tokens": 9, "messages": [{"role": "user", "content": "say a"}]});
    check(portkey(answer()), "/v1/messages", asked_body.to_string(), 200, false);
    // Before the first words of a stream.
    let stream = format!(
        "data: {}\n\n{}",
        json!({"hook_results": hooks(false)}),
        openai::chat_stream_with_usage(&["a"])
    );
    check(portkey(Answer::stream(stream)), CHAT, body(true), 200, false);
    // Nobody else's bodies are looked at for them.
    let one = kept(&gateway, &Upstream::always(answer()), CHAT, body(false), 200);
    assert!(one.get("guardrails").is_none(), "{one}");
}

#[test]
fn guardrails_of_all_calls_of_a_request_are_told() {
    let upstream = Upstream::serve(|request| {
        let text = request.json()["inputText"].as_str().unwrap().to_owned();
        let mut answer = json!({"embedding": [1.0], "inputTextTokenCount": 5});
        if text != "plain" {
            let hook = json!({"id": text, "verdict": text != "wrong", "checks": []});
            answer["hook_results"] = json!({"before_request_hooks": [hook]});
        }
        Answer::json(answer.to_string()).header("x-portkey-trace-id", "t")
    });
    let gateway =
        Gateway::with(&format!("providers: {{bedrock: {{base_url: \"{}\", local: true}}}}", upstream.url()));
    let check = |texts: &[&str], ids: &[&str], verdict: &str| {
        let before = asked(&gateway, "/v1/logs")["data"].as_array().map_or(0, Vec::len);
        let body = json!({"model": "amazon.titan-embed-text-v2:0", "input": texts}).to_string();
        let ask = Ask::post("/v1/embeddings", body).header("x-ostia-provider", "bedrock");
        let reply = ask.header("authorization", "Bearer sk-client").to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let one = &listed(&gateway, before + 1)[0];
        let told: Vec<&str> =
            one["guardrails"].as_array().unwrap().iter().map(|told| told["id"].as_str().unwrap()).collect();
        assert_eq!(told, ids, "{one}");
        let explained = asked(&gateway, &format!("/v1/explain/{}", one["trace_id"].as_str().unwrap()));
        assert_eq!(explained["guardrails"], verdict, "{explained}");
    };
    check(&["wrong", "a", "plain"], &["wrong", "a"], "failed");
    check(&["a", "b", "c"], &["a", "b", "c"], "passed");
    check(&["a"], &["a"], "passed");
}

#[test]
fn words_of_guardrails_are_kept_only_where_bodies_are() {
    let mut told = hooks(false);
    told["before_request_hooks"][1]["checks"][0]["error"] =
        json!({"name": "WebhookError", "message": "sent sk-proj-0123456789abcdef and what was asked"});
    let answer = || Answer::json(chat_with(&told)).header("x-portkey-trace-id", "t");
    let entry =
        || json!({"request": {}, "response": {"body": {"id": "c"}}, "hook_results": told}).to_string();
    let check = |bodies: &str, message: Value| {
        let gateway = Gateway::with(&format!("records: {{bodies: {bodies}}}"));
        let of = |one: &Value| one["guardrails"][1]["checks"][0]["error"].clone();
        let one = kept(&gateway, &Upstream::always(answer()), CHAT, body(false), 200);
        let expected = match message {
            Value::Null => json!({"class": "WebhookError"}),
            message => json!({"class": "WebhookError", "message": message}),
        };
        assert_eq!(of(&one), expected, "{one}");
        assert_eq!(Ask::post("/v1/logs", entry()).to(&gateway).status, 200);
        let id = listed(&gateway, 2)[0]["id"].as_str().unwrap().to_owned();
        let one = asked(&gateway, &format!("/v1/logs/{id}"));
        assert_eq!(of(&one), expected, "{one}");
        let has_words = one["response"]["body"].to_string().contains("what was asked");
        assert_eq!(has_words, bodies == "full", "{one}");
    };
    check("full", json!("sent *** and what was asked"));
    check("off", Value::Null);
    check("errors", Value::Null);
}

#[test]
fn what_writers_say_is_kept() {
    let gateway = Gateway::start();
    let entry = |more: Value| {
        let mut entry = json!({
            "request": {"url": "https://api.openai.com/v1/chat/completions", "provider": "openai",
                        "body": {"model": "gpt-4o-mini"}},
            "response": {"status": 200, "body": crate::json(&openai::chat("a")), "response_time": 3},
        });
        for (name, value) in more.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    };
    let write = |more: Value| {
        let reply = Ask::post("/v1/logs", entry(more).to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let id = reply.json()["ids"][0].as_str().unwrap().to_owned();
        told(&gateway, &format!("/v1/logs/{id}"), |told| told["id"] == id)
    };
    let both = write(json!({"cache_status": "HIT", "cache_type": "semantic", "hook_results": hooks(true)}));
    assert_eq!(both["cache"], json!({"status": "semantic_hit", "by": "upstream"}), "{both}");
    assert_eq!(both["attempts"][0]["cost"]["amount"], "0", "{both}");
    assert_eq!(both["attempts"][0]["usage"]["total_tokens"], 11, "{both}");
    assert_eq!(both["guardrails"][1]["denied"], true, "{both}");
    assert_eq!(both["guardrails"].as_array().unwrap().len(), 2);
    assert_eq!(both["response"]["body"]["hook_results"], hooks(true), "{both}");
    let miss = write(json!({"cache_status": "miss"}));
    assert_eq!(
        (&miss["cache"]["status"], &miss["attempts"][0]["cost"]["amount"]),
        (&json!("miss"), &json!(COST))
    );
    // An answer as it came, with its headers and its results.
    let whole = json!({"headers": {"X-Portkey-Cache-Status": "REFRESH"}, "body": crate::json(&chat_with(&hooks(false)))});
    let whole = write(json!({"response": whole}));
    assert_eq!(whole["cache"]["status"], "refresh", "{whole}");
    assert_eq!(whole["guardrails"][1]["verdict"], false, "{whole}");
    assert!(!whole.to_string().contains("X-Portkey-Cache-Status"), "no header is kept: {whole}");
    let rows = listed(&gateway, 3);
    assert!(rows.iter().all(|row| row["cache"]["status"].is_string()), "{rows:?}");

    let refused = |more: Value, param: &str| {
        let reply = Ask::post("/v1/logs", json!([entry(json!({})), entry(more)]).to_string()).to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(param)), "{}", reply.text());
    };
    refused(json!({"cache_status": "warm"}), "[1].cache_status");
    refused(json!({"cache_type": 7}), "[1].cache_type");
    refused(json!({"hook_results": "none"}), "[1].hook_results");
    refused(
        json!({"hook_results": {"after_request_hooks": [{"id": "a", "verdict": "yes"}]}}),
        "[1].hook_results.after_request_hooks[0].verdict",
    );
    let filtered = Ask::new("GET", "/v1/logs?cache_status=hit").to(&gateway);
    assert_eq!((filtered.status, &filtered.json()["error"]["param"]), (400, &json!("cache_status")));
}

#[test]
fn a_miss_of_a_gateway_that_speaks_another_dialect() {
    let answer = Answer::json(anthropic::message("a")).header("cf-aig-cache-status", "MISS");
    let upstream = Upstream::always(answer);
    let gateway = Gateway::start();
    let asked_body =
        json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "say a"}]}).to_string();
    assert_eq!(Ask::post_at(&upstream, "anthropic", CHAT, asked_body).to(&gateway).status, 200);
    let one = &listed(&gateway, 1)[0];
    assert_eq!(one["cache"]["status"], "miss", "{one}");
    assert_ne!(one["attempts"][0]["cost"]["amount"], "0", "{one}");
}
