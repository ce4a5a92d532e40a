//! Whom a request goes to: configs by name, by key, by model and in the header; and telling why.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// Two upstreams that say who they are, and a gateway that knows them as `a` and `b`.
struct House {
    a: Upstream,
    b: Upstream,
    gateway: Gateway,
}

fn house(more: &str) -> House {
    let upstream = |name| Upstream::always(Answer::json(openai::chat(name)));
    let (a, b) = (upstream("a"), upstream("b"));
    let row = |upstream: &Upstream| {
        format!("{{base_url: \"{}/v1\", local: true, dialects: [openai_chat]}}", upstream.url())
    };
    let gateway = Gateway::with(&format!("providers: {{a: {}, b: {}}}\n{more}", row(&a), row(&b)));
    House { a, b, gateway }
}

/// Who answered.
fn by(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

fn ask(body: &str) -> Ask {
    Ask::post("/v1/chat/completions", body)
}

#[test]
fn configs_by_name_by_key_and_by_model() {
    let house = house(
        "auth: {keys: [k-plain, {key: k-b, name: team-b, config: to-b}]}\nconfig: to-a\nconfigs:\n  to-a: {provider: a}\n  to-b: {provider: b}\n  pc-b-1234: {provider: b}\naliases:\n  fast: {provider: b, override_params: {model: real}}\n",
    );
    let from = |key: &str, body: &str| ask(body).header("x-ostia-api-key", key);
    assert_eq!(by(&from("k-plain", BODY).to(&house.gateway)), "a");
    assert_eq!(by(&from("k-b", BODY).to(&house.gateway)), "b");
    let fast = BODY.replace("\"m\"", "\"fast\"");
    assert_eq!(by(&from("k-plain", &fast).to(&house.gateway)), "b");
    assert_eq!(house.b.last().json()["model"], "real");
    // What the request brings goes before everything else; whoever names a provider is not asked again.
    assert_eq!(by(&from("k-b", BODY).header("x-portkey-config", "to-a").to(&house.gateway)), "a");
    assert_eq!(by(&from("k-plain", BODY).header("x-portkey-provider", "b").to(&house.gateway)), "b");
    assert_eq!(by(&from("k-plain", &BODY.replace("\"m\"", "\"@b/m\"")).to(&house.gateway)), "b");
    // Ids of saved configs are names like others.
    assert_eq!(by(&from("k-plain", BODY).header("x-portkey-config", "pc-b-1234").to(&house.gateway)), "b");
    let reply = from("k-plain", BODY).header("x-portkey-config", "to-c").to(&house.gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("config_unknown")));
}

#[test]
fn conditions_see_the_request() {
    let house = house("auth: {keys: [k, {key: k-b, name: team-b}]}\n");
    let to_b = |query: Value| {
        json!({"strategy": {"mode": "conditional", "conditions": [{"query": query, "then": "b"}], "default": "a"},
               "targets": [{"name": "a", "provider": "a"}, {"name": "b", "provider": "b"}]})
        .to_string()
    };
    let long = BODY.replace("\"x\"", &format!("\"{}\"", "word ".repeat(3000)));
    let metadata = ("x-portkey-metadata", r#"{"tier":"paid"}"#);
    for (query, body, header, expected) in [
        (json!({"metadata.tier": "paid"}), BODY, metadata, "b"),
        (json!({"metadata.tier": "free"}), BODY, metadata, "a"),
        (json!({"params.messages[0].role": "user"}), BODY, metadata, "b"),
        (json!({"params.messages.0.content": {"$regex": "^y"}}), BODY, metadata, "a"),
        (json!({"tokens": {"$gt": 1000}}), &long, metadata, "b"),
        (json!({"tokens": {"$gt": 1000}}), BODY, metadata, "a"),
        (json!({"headers.x-team": "red", "url.pathname": {"$regex": "chat"}}), BODY, ("x-team", "red"), "b"),
        (json!({"model": "m", "method": "POST", "operation": "openai_chat"}), BODY, metadata, "b"),
        (json!({"key": "team-b"}), BODY, metadata, "a"),
        // Credentials are nobody's business.
        (json!({"headers.x-ostia-api-key": {"$exists": true}}), BODY, metadata, "a"),
    ] {
        let ask = ask(body).header("x-ostia-api-key", "k").header(header.0, header.1);
        assert_eq!(
            by(&ask.header("x-ostia-config", &to_b(query.clone())).to(&house.gateway)),
            expected,
            "{query}"
        );
    }
    let team =
        ask(BODY).header("x-ostia-api-key", "k-b").header("x-ostia-config", &to_b(json!({"key": "team-b"})));
    assert_eq!(by(&team.to(&house.gateway)), "b");
}

#[test]
fn the_cheapest_is_asked() {
    let house = house("prices: {a/m: {input: 5, output: 15}, b/m: {input: 1, output: 2}}\n");
    let config = json!({"strategy": {"mode": "loadbalance", "balance": "least_cost"}, "targets": [{"provider": "a"}, {"provider": "b"}]});
    let reply = ask(BODY)
        .header("x-ostia-config", &config.to_string())
        .header("x-ostia-explain", "true")
        .to(&house.gateway);
    assert_eq!(by(&reply), "b");
    let decisions = crate::json(reply.header("x-ostia-decisions").unwrap());
    let price = |at: usize| decisions["targets"][at]["expected_price"].as_f64().unwrap();
    assert!(price(0) > price(1), "{decisions}");
}

/// Where the operator names no price, the catalogue's counts: of the model that the target sets, not the client's.
#[test]
fn the_cheapest_after_the_catalogue_is_asked() {
    let check = |prices: &str, dear: &str, cheap: &str, expected: &str| {
        let house = house(prices);
        let target = |provider: &str, model: &str, upstream: &Upstream| json!({"provider": provider, "custom_host": upstream.url(), "api_key": "k", "override_params": {"model": model}});
        let targets = [target("openai", dear, &house.a), target("groq", cheap, &house.b)];
        let config =
            json!({"strategy": {"mode": "loadbalance", "balance": "least_cost"}, "targets": targets});
        let reply = ask(BODY)
            .header("x-ostia-config", &config.to_string())
            .header("x-ostia-explain", "true")
            .to(&house.gateway);
        assert_eq!(by(&reply), expected, "{prices} {dear} {cheap}");
        crate::json(reply.header("x-ostia-decisions").unwrap())
    };
    let decisions = check("", "gpt-4o", "llama-3.1-8b-instant", "b");
    let price = |at: usize| decisions["targets"][at]["expected_price"].as_f64().unwrap();
    // $2.50 and $0.05 for a million tokens in, $10 and $0.08 out; the answer is bounded by nobody: 500 tokens.
    assert!((0.005..0.0051).contains(&price(0)) && (0.00004..0.00005).contains(&price(1)), "{decisions}");
    check("", "gpt-4o", "a-model-of-nobody", "a");
    check("prices: {openai/gpt-4o: {input: 0, output: 0}}\n", "gpt-4o", "llama-3.1-8b-instant", "a");
}

#[test]
fn what_is_handed_on_unread_follows_configs_too() {
    let house = house("");
    let down = Upstream::always(Answer::json("{}").status(503));
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a", "custom_host": down.url()}, {"provider": "b"}]});
    let ask = Ask::new("PUT", "/v1/things/1?x=y").header("x-ostia-config", &config.to_string()).body("twice");
    let reply = ask.to(&house.gateway);
    assert_eq!(
        (reply.status, reply.header("x-ostia-last-used-option-index")),
        (200, Some("config.targets[1]"))
    );
    assert_eq!((down.last().text(), house.b.last().text()), ("twice".into(), "twice".into()));
    assert_eq!(house.a.count(), 0);
}

#[test]
fn decisions_can_be_read_later() {
    let house = house("");
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a"}, {"provider": "b"}]});
    let routed = ask(BODY).header("x-ostia-config", &config.to_string()).header("x-ostia-trace-id", "t-1");
    assert_eq!(by(&routed.to(&house.gateway)), "a");
    assert_eq!(
        by(&ask(BODY).header("x-ostia-provider", "b").header("x-ostia-trace-id", "t-2").to(&house.gateway)),
        "b"
    );
    let told = |id: &str| Ask::new("GET", &format!("/v1/explain/{id}")).to(&house.gateway);
    let first = told("t-1").json();
    assert_eq!(
        (&first["status"], &first["decisions"]["answered_by"]),
        (&json!(200), &json!("config.targets[0]"))
    );
    assert_eq!(
        told("t-2").json(),
        json!({"trace_id": "t-2", "provider": "b", "status": 200, "dropped": [], "finish_reason": "stop",
               "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}})
    );
    assert_eq!(told("t-3").status, 404);
}

#[test]
fn a_stream_that_breaks_off_is_in_the_record() {
    let house = house("");
    let events = openai::chat_stream_without_done(&["Ro", "me"]);
    let half = events.split_inclusive("\n\n").take(2).collect::<String>();
    let cut = Upstream::always(Answer::stream(half).then(Step::Cut));
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a", "custom_host": cut.url()}, {"provider": "b"}]});
    let body = BODY.replace("{\"model\"", "{\"stream\":true,\"model\"");
    let asked = ask(&body).header("x-ostia-config", &config.to_string()).header("x-ostia-trace-id", "t-9");
    assert!(asked.to(&house.gateway).text().contains("\"error\""));
    let told = Ask::new("GET", "/v1/explain/t-9").to(&house.gateway).json();
    assert_eq!(told["decisions"]["result"], "broken", "{told}");
}

#[test]
fn a_dry_run_asks_nobody() {
    let house = house("");
    let targets = json!([{"provider": "a"}, {"provider": "anthropic", "api_key": "k", "override_params": {"model": "claude-sonnet-4-5"}}, {"provider": "nobody"}]);
    let asked = json!({
        "config": {"strategy": {"mode": "fallback"}, "targets": targets, "colour": "red"},
        "request": {"model": "m", "seed": 7, "messages": [{"role": "user", "content": "x"}]}
    });
    let reply =
        Ask::post("/v1/explain", asked.to_string()).header("authorization", "Bearer sk-1").to(&house.gateway);
    let told = reply.json();
    assert_eq!(told["answered_by"], "config.targets[0]", "{told}");
    assert_eq!(
        told["order_if_all_fail"],
        json!(["config.targets[0]", "config.targets[1]", "config.targets[2]"])
    );
    assert_eq!((&told["calls"][0]["way"], &told["calls"][0]["dropped"]), (&json!("relay"), &json!([])));
    assert_eq!(
        (&told["calls"][1]["way"], &told["calls"][1]["dropped"]),
        (&json!("translation"), &json!(["seed"]))
    );
    assert!(told["warnings"][0].as_str().unwrap().starts_with("colour: "), "{told}");
    assert!(told["calls"][2]["error"].as_str().unwrap().contains("nobody"));
    assert_eq!((house.a.count(), house.b.count()), (0, 0));
    for (body, field) in [
        (json!({"path": "/v1/models", "request": {}}), "path"),
        (json!({"path": "no path", "request": {}}), "path"),
        (json!({}), "request"),
        (json!({"request": {"model": "m"}, "config": {"strategy": 5}}), ""),
    ] {
        let reply = Ask::post("/v1/explain", body.to_string()).to(&house.gateway);
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.json()["error"]["param"].as_str().unwrap_or_default(), field, "{}", reply.text());
    }
}

#[test]
fn keys_stay_with_their_providers() {
    let house = house("");
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a", "api_key": "sk-a"}, {"provider": "b", "api_key": "sk-b"}]});
    let down =
        json!({"strategy": {"mode": "loadbalance"}, "targets": [{"provider": "b", "api_key": "sk-b"}]});
    assert_eq!(by(&ask(BODY).header("x-ostia-config", &config.to_string()).to(&house.gateway)), "a");
    assert_eq!(house.a.last().header("authorization").as_deref(), Some("Bearer sk-a"));
    assert_eq!(by(&ask(BODY).header("x-ostia-config", &down.to_string()).to(&house.gateway)), "b");
    assert_eq!(house.b.last().header("authorization").as_deref(), Some("Bearer sk-b"));
    // The client's one key is for the first target without its own.
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "b", "custom_host": "http://127.0.0.1:1"}, {"provider": "a"}]});
    let asked =
        ask(BODY).header("authorization", "Bearer sk-client").header("x-ostia-config", &config.to_string());
    assert_eq!(by(&asked.to(&house.gateway)), "a");
    assert_eq!(house.a.last().header("authorization"), None);
    let asked = asked.header("x-ostia-provider", "a");
    assert_eq!(by(&asked.to(&house.gateway)), "a");
    assert_eq!(house.a.last().header("authorization").as_deref(), Some("Bearer sk-client"));
}

#[test]
fn the_gateways_own_share_of_the_time() {
    let house = house("");
    let reply = ask(BODY).header("x-ostia-provider", "a").to(&house.gateway);
    let timing = reply.header("server-timing").unwrap();
    let (own, waited) = timing.split_once(", ").unwrap();
    let ms = |part: &str, name: &str| part.strip_prefix(name).unwrap().parse::<f64>().unwrap();
    assert!(ms(own, "gateway;dur=") < 1000.0 && ms(waited, "upstream;dur=") > 0.0, "{timing}");
}

#[test]
fn an_error_moves_on_in_whosoever_words_it_is_told() {
    let (failing, fine) = (
        Upstream::always(Answer::json("{\"no\":1}").status(503)),
        Upstream::always(Answer::json("{\"yes\":1}")),
    );
    let gateway = Gateway::start();
    let target =
        |upstream: &Upstream| json!({"provider": "openai", "api_key": "k", "custom_host": upstream.url()});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [target(&failing), target(&fine)]});
    for path in ["/v1/proxy/things", "/v1/things"] {
        let reply = Ask::post(path, "{}").header("x-ostia-config", &config.to_string()).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, "{\"yes\":1}"), "{path}");
    }
    let all_fail = json!({"strategy": {"mode": "fallback"}, "targets": [target(&failing), target(&failing)]});
    let ask = Ask::post("/v1/proxy/things", "{}").header("x-ostia-config", &all_fail.to_string());
    let reply = ask.to(&gateway);
    assert_eq!((reply.status, reply.text()), (503, "{\"no\":1}"), "the provider's own words stay");
}

#[test]
fn a_failure_that_an_answer_ends_with_moves_on() {
    let said = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": ""},
        "finish_reason": "error", "error": {"code": 503, "message": "gone"}}]});
    let chunk = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]});
    let malformed = json!({"candidates": [{"index": 0, "finishReason": "MALFORMED_FUNCTION_CALL"}]});
    let event = |data: &Value| Answer::stream(format!("data: {data}\n\n"));
    for (provider, stream, failing) in [
        ("openai", false, Answer::json(said.to_string())),
        ("openai", true, event(&chunk)),
        ("google", false, Answer::json(malformed.to_string())),
        ("google", true, event(&malformed)),
    ] {
        let fine = match stream {
            true => Answer::stream(openai::chat_stream(&["fine"])),
            false => Answer::json(openai::chat("fine")),
        };
        let (failing, fine) = (Upstream::always(failing), Upstream::always(fine));
        let gateway = Gateway::start();
        let target = |provider: &str, upstream: &Upstream| json!({"provider": provider, "api_key": "k", "custom_host": upstream.url()});
        let config = |second: &Value| json!({"strategy": {"mode": "fallback"}, "targets": [target(provider, &failing), second]});
        let body = json!({"model": "m", "max_tokens": 9, "stream": stream,
            "messages": [{"role": "user", "content": "x"}]});
        let ask = |config: &Value| {
            Ask::post("/v1/messages", body.to_string())
                .header("x-ostia-config", &config.to_string())
                .to(&gateway)
        };
        let reply = ask(&config(&target("openai", &fine)));
        assert!(
            reply.status == 200 && reply.text().contains("fine"),
            "{provider} {stream}: {}",
            reply.text()
        );
        let reply = ask(&config(&target(provider, &failing)));
        assert!(reply.text().contains("\"error\""), "{provider} {stream}: {}", reply.text());
        assert!(!reply.text().contains("end_turn"), "{provider} {stream}: {}", reply.text());
    }
}
