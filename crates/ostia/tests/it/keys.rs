//! Several keys of the operator's for one provider.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply};

const CHAT: &str = "/v1/chat/completions";

/// What each key is answered now, by the key; good, where it is not here.
type Script = Arc<Mutex<BTreeMap<&'static str, Answer>>>;

/// A provider that answers by the key.
struct Provider {
    upstream: Upstream,
    script: Script,
}

impl Provider {
    fn new() -> Provider {
        let script = Script::default();
        let known = script.clone();
        let upstream = Upstream::serve(move |request| {
            let answers = known.lock().unwrap();
            answers.get(&*key_of(request)).cloned().unwrap_or_else(|| good(request))
        });
        Provider { upstream, script }
    }

    fn says(&self, key: &'static str, answer: Answer) {
        self.script.lock().unwrap().insert(key, answer);
    }

    fn is_good(&self, key: &'static str) {
        self.script.lock().unwrap().remove(key);
    }

    /// The keys of all requests from this one on.
    fn keys_from(&self, first: usize) -> Vec<String> {
        self.upstream.requests()[first..].iter().map(key_of).collect()
    }

    /// The keys that a request was asked with, and its answer.
    fn ask(&self, gateway: &Gateway, ask: &Ask) -> (Vec<String>, Reply) {
        let first = self.upstream.count();
        let reply = ask.to(gateway);
        (self.keys_from(first), reply)
    }

    #[track_caller]
    fn check(&self, gateway: &Gateway, ask: &Ask, keys: &[&str], status: u16) -> Reply {
        let (shown, reply) = self.ask(gateway, ask);
        assert_eq!(
            (shown, reply.status),
            (keys.iter().map(|key| (*key).to_owned()).collect(), status),
            "{}",
            reply.text()
        );
        reply
    }

    /// `ostia.yaml` with a provider `own` here that has these keys.
    fn config(&self, keys: &str) -> String {
        format!(
            "default_provider: own\nproviders:\n  own: {{ base_url: '{}', dialects: [openai_chat, openai_embeddings], api_key: {keys} }}\n",
            self.upstream.url()
        )
    }
}

fn key_of(request: &Request) -> String {
    let shown = request.header("authorization").or_else(|| request.header("x-api-key")).unwrap_or_default();
    shown.trim_start_matches("Bearer ").to_owned()
}

fn good(request: &Request) -> Answer {
    match (request.target.as_str(), request.text().contains("\"stream\":true")) {
        ("/chat/completions", true) => Answer::stream(openai::chat_stream(&["On the", " Tiber"])),
        ("/chat/completions", false) => Answer::json(openai::chat("x")),
        ("/embeddings", _) => Answer::json(openai::embeddings(&[&[0.5]])),
        ("/models", _) => Answer::json(r#"{"object":"list","data":[{"id":"m"}]}"#),
        _ => Answer::json(r#"{"id":"file-1"}"#),
    }
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::json(openai::error("no", "t", code)).status(status)
}

fn too_many(seconds: &str) -> Answer {
    refused(429, "rate_limit_exceeded").header("retry-after", seconds)
}

/// The first turn of a conversation of its own.
fn chat(user: &str) -> Ask {
    Ask::post(CHAT, json!({"model": "m", "messages": [{"role": "user", "content": user}]}).to_string())
}

/// A conversation that is assigned to this key while all keys are good.
fn chat_of(provider: &Provider, gateway: &Gateway, key: &str) -> Ask {
    let asks = (0..).map(|number| chat(&format!("conversation {number}")));
    asks.into_iter().find(|ask| provider.ask(gateway, ask).0 == [key]).unwrap()
}

fn explained(gateway: &Gateway, reply: &Reply) -> Value {
    let name = reply.header("x-ostia-trace-id").unwrap();
    Ask::new("GET", &format!("/v1/explain/{name}")).to(gateway).json()
}

#[test]
fn requests_are_shared_by_weight() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, { key: sk-b, weight: 3 }]"));
    let check = |ask: &dyn Fn(usize) -> Ask| {
        let first = provider.upstream.count();
        let threads = 8;
        thread::scope(|scope| {
            for thread in 0..threads {
                let gateway = &gateway;
                let asks: Vec<Ask> =
                    (0..1000 / threads).map(|number| ask(number * threads + thread)).collect();
                scope.spawn(move || asks.iter().for_each(|ask| assert_eq!(ask.to(gateway).status, 200)));
            }
        });
        let keys = provider.keys_from(first);
        let heavy = keys.iter().filter(|key| *key == "sk-b").count();
        assert!(keys.len() == 1000 && (690..810).contains(&heavy), "{heavy} of {}", keys.len());
    };
    // Drawn, and by what conversations begin with.
    check(&|_| Ask::post("/v1/embeddings", r#"{"model":"m","input":"x"}"#));
    check(&|number| chat(&number.to_string()));
}

#[test]
fn a_key_that_was_asked_too_much_rests_as_long_as_the_provider_says() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let ask = chat_of(&provider, &gateway, "sk-a");
    provider.says("sk-a", too_many("4"));
    // Without a config that asks for a retry.
    let began = Instant::now();
    let reply = provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
    assert_eq!(reply.header("x-ostia-retry-attempt-count"), Some("0"));
    provider.is_good("sk-a");
    provider.check(&gateway, &ask, &["sk-b"], 200);
    let told = explained(&gateway, &ask.to(&gateway));
    assert_eq!(
        (&told["key"], &told["keys_resting"][0]["key"]),
        (&json!("2 of 2"), &json!("1 of 2")),
        "{told}"
    );
    assert_eq!(told["keys_resting"][0]["why"], "rate_limit");
    assert!((1..=4000).contains(&told["keys_resting"][0]["for_ms"].as_u64().unwrap()), "{told}");
    thread::sleep(Duration::from_millis(4100).saturating_sub(began.elapsed()));
    provider.check(&gateway, &ask, &["sk-a"], 200);
}

#[test]
fn a_key_that_is_refused_rests_where_another_one_is_good() {
    for (name, answer, keys, why) in [
        ("not known", refused(401, "invalid_api_key"), &["sk-a", "sk-b"][..], "refused"),
        ("not known, told as 400", refused(400, "invalid_api_key"), &["sk-a", "sk-b"], "refused"),
        ("no credit", refused(402, "insufficient_quota"), &["sk-a", "sk-b"], "quota"),
        ("no credit, told as 429", refused(429, "insufficient_quota"), &["sk-a", "sk-b"], "quota"),
    ] {
        let provider = Provider::new();
        let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
        let ask = chat_of(&provider, &gateway, "sk-a");
        provider.says("sk-a", answer);
        provider.check(&gateway, &ask, keys, 200);
        let reply = provider.check(&gateway, &ask, &["sk-b"], 200);
        let resting = &explained(&gateway, &reply)["keys_resting"][0];
        assert!(resting["why"] == why && resting["for_ms"].as_u64().unwrap() > 500_000, "{name}: {resting}");
    }
    // One that may not do this may do other things.
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let ask = chat_of(&provider, &gateway, "sk-a");
    provider.says("sk-a", refused(403, "model_not_allowed"));
    provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
    provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
}

#[test]
fn what_another_key_would_not_mend_is_asked_once() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    for status in [400, 413, 500, 503] {
        for key in ["sk-a", "sk-b"] {
            provider.says(key, refused(status, "x"));
        }
        assert_eq!(provider.ask(&gateway, &chat("x")).0.len(), 1, "{status}");
    }
}

/// Nobody is refused because the gateway believes that all keys rest, and the client hears the provider's own words.
#[test]
fn when_all_rest_the_one_that_is_free_first_is_asked() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b, sk-c]"));
    let ask = chat_of(&provider, &gateway, "sk-b");
    for (key, seconds) in [("sk-a", "40"), ("sk-b", "60"), ("sk-c", "50")] {
        provider.says(key, too_many(seconds));
    }
    let (mut keys, reply) = provider.ask(&gateway, &ask);
    keys.sort();
    assert_eq!((keys, reply.status), (["sk-a", "sk-b", "sk-c"].map(str::to_owned).into(), 429));
    // The one that says to come back soonest.
    assert_eq!(reply.header("retry-after"), Some("40"), "{}", reply.text());
    let reply = provider.check(&gateway, &ask, &["sk-a"], 429);
    assert_eq!(reply.json()["error"]["message"], "no");
    provider.is_good("sk-a");
    provider.check(&gateway, &ask, &["sk-a"], 200);
    // It does not rest any more.
    let reply = provider.check(&gateway, &ask, &["sk-a"], 200);
    assert_eq!(explained(&gateway, &reply)["keys_resting"].as_array().unwrap().len(), 2);
    for key in ["sk-a", "sk-b", "sk-c"] {
        provider.says(key, refused(401, "invalid_api_key"));
    }
    // A bad key is no answer while another one only rests.
    provider.check(&gateway, &ask, &["sk-a", "sk-c"], 401);
}

/// A client whose requests are refused with every key puts none of them to rest for long.
#[test]
fn requests_that_no_key_is_good_for_do_not_take_the_keys_from_others() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    for key in ["sk-a", "sk-b"] {
        provider.says(key, refused(401, "mismatched_organization"));
    }
    let (keys, reply) = provider.ask(&gateway, &chat("x").header("openai-organization", "org-nobodys"));
    assert_eq!((keys.len(), reply.status), (2, 401));
    for key in ["sk-a", "sk-b"] {
        provider.is_good(key);
    }
    for number in 0..20 {
        assert_eq!(provider.ask(&gateway, &chat(&number.to_string())).1.status, 200);
    }
    let told = explained(&gateway, &chat("x").to(&gateway));
    let waits = told["keys_resting"].as_array().cloned().unwrap_or_default();
    assert!(waits.iter().all(|key| key["for_ms"].as_u64().unwrap() <= 10_000), "{told}");
}

#[test]
fn streams_and_other_dialects_go_on_with_the_next_key() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let stream = |user: &str| {
        let body = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": user}]});
        Ask::post(CHAT, body.to_string())
    };
    let messages = |user: &str| {
        let body = json!({"model": "m", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": user}]});
        Ask::post("/v1/messages", body.to_string())
    };
    for (make, words) in [(&stream as &dyn Fn(&str) -> Ask, "[DONE]"), (&messages, "message_stop")] {
        provider.is_good("sk-a");
        let asks = (0..).map(|number: u32| make(&format!("{words} {number}")));
        let ask = asks.into_iter().find(|ask| provider.ask(&gateway, ask).0 == ["sk-a"]).unwrap();
        provider.says("sk-a", too_many("0"));
        let reply = provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
        assert!(reply.whole && reply.text().contains(words), "{}", reply.text());
    }
    // The translation goes to the provider of the operator's with the key in its own header.
    let upstream = Upstream::serve(|request| match key_of(request).as_str() {
        "sk-a" => Answer::json(anthropic::error("rate_limit_error", "no")).status(429),
        _ => Answer::json(anthropic::message("Rome")),
    });
    let gateway = Gateway::with(&format!(
        "default_provider: anthropic\nproviders: {{ anthropic: {{ base_url: '{}', api_key: [sk-a, sk-b] }} }}",
        upstream.url()
    ));
    for number in 0..8 {
        assert_eq!(chat(&number.to_string()).to(&gateway).status, 200);
    }
    let of_a = upstream.requests().iter().filter(|request| key_of(request) == "sk-a").count();
    assert!(of_a <= 1 && upstream.last().header("x-api-key").as_deref() == Some("sk-b"), "{of_a}");
}

/// What a provider keeps is found with the key that made it only.
#[test]
fn what_is_kept_at_the_provider_stays_with_one_key_of_each_caller() {
    let provider = Provider::new();
    let keys = "[sk-a, sk-b, sk-c, sk-d]";
    let config = format!(
        "auth: {{ keys: [{{ key: gk-1, name: one }}, gk-2, gk-3, gk-4, gk-5, gk-6] }}\n{}",
        provider.config(keys)
    );
    let mut shown = BTreeMap::new();
    // The same after a restart.
    for _ in 0..2 {
        let gateway = Gateway::with(&config);
        for caller in ["gk-1", "gk-2", "gk-3", "gk-4", "gk-5", "gk-6"] {
            let of_file = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}"#;
            for ask in [
                Ask::post("/v1/files", "{}"),
                Ask::new("GET", "/v1/files/file-1"),
                Ask::post("/v1/batches", r#"{"input_file_id":"file-1"}"#),
                Ask::new("DELETE", "/v1/proxy/files/file-1"),
                Ask::post(CHAT, of_file),
            ] {
                let (keys, reply) = provider.ask(&gateway, &ask.header("x-ostia-api-key", caller));
                assert_eq!((keys.len(), reply.status), (1, 200), "{}", reply.text());
                assert_eq!(shown.entry(caller).or_insert_with(|| keys[0].clone()), &keys[0], "{caller}");
            }
        }
    }
    let different: std::collections::BTreeSet<&String> = shown.values().collect();
    assert!(different.len() > 1, "callers are spread: {shown:?}");
}

/// What a caller left with another key while its own rested is found all the same.
#[test]
fn what_is_not_found_with_one_key_is_looked_for_with_the_next() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b, sk-c, sk-d, sk-e, sk-f]"));
    let file = Ask::new("GET", "/v1/files/file-1");
    let (shown, _) = provider.ask(&gateway, &file);
    let keys = ["sk-a", "sk-b", "sk-c", "sk-d", "sk-e", "sk-f"];
    let own = keys.into_iter().find(|key| *key == shown[0]).unwrap();
    provider.says(own, too_many("1"));
    let (made_with, reply) = provider.ask(&gateway, &Ask::post("/v1/files", "{}"));
    assert_eq!((made_with.len(), reply.status), (2, 200));
    thread::sleep(Duration::from_millis(1100));
    let of_file = json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]});
    for answer in [refused(404, "not_found"), refused(400, "previous_response_not_found")] {
        for key in keys.into_iter().filter(|key| *key != made_with[1]) {
            provider.says(key, answer.clone());
        }
        for ask in [file.clone(), Ask::post(CHAT, of_file.to_string())] {
            let (asked, reply) = provider.ask(&gateway, &ask);
            assert_eq!((&asked, reply.status), (&made_with, 200));
            // It is not the key's fault.
            assert!(explained(&gateway, &reply).get("keys_resting").is_none());
        }
    }
    provider.says(keys.into_iter().find(|key| *key == made_with[1]).unwrap(), refused(404, "not_found"));
    let (asked, reply) = provider.ask(&gateway, &file);
    assert_eq!((asked.len(), reply.status >= 400), (4, true), "a few are asked for what is nowhere");
}

#[test]
fn the_turns_of_a_conversation_stay_with_one_key() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b, sk-c, sk-d]"));
    let check = |bodies: &[Value]| {
        let keys: Vec<String> = bodies
            .iter()
            .flat_map(|body| provider.ask(&gateway, &Ask::post(CHAT, body.to_string())).0)
            .collect();
        assert!(keys.len() == bodies.len() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    };
    let user = |text: &str| json!({"role": "user", "content": text});
    for number in 0..5 {
        let first = user(&format!("question {number}"));
        let turns: Vec<Value> = (0..6)
            .map(|turn| {
                let mut messages =
                    vec![json!({"role": "system", "content": format!("at {turn}")}), first.clone()];
                (0..turn).for_each(|at| {
                    messages.extend([json!({"role": "assistant", "content": "a"}), user(&at.to_string())])
                });
                json!({"model": "m", "messages": messages})
            })
            .collect();
        check(&turns);
        let cached: Vec<Value> = (0..6)
            .map(|at| json!({"model": "m", "prompt_cache_key": format!("k{number}"), "messages": [user(&at.to_string())]}))
            .collect();
        check(&cached);
    }
}

/// An upload is sent again where its length is known and within the bound; what streams is not, and its key rests all the same.
#[test]
fn bodies_that_are_handed_on_unread() {
    let provider = Provider::new();
    let gateway =
        Gateway::with(&format!("limits: {{ body_bytes: 64KiB }}\n{}", provider.config("[sk-a, sk-b]")));
    let upload =
        |bytes: usize| Ask::post("/v1/files", vec![b'x'; bytes]).header("content-type", "application/x-own");
    let (keys, _) = provider.ask(&gateway, &upload(9));
    let (own, other) = if keys == ["sk-a"] { ("sk-a", "sk-b") } else { ("sk-b", "sk-a") };
    provider.says(own, too_many("0"));
    provider.check(&gateway, &upload(60 << 10), &[own, other], 200);
    assert_eq!(provider.upstream.last().body.len(), 60 << 10);
    provider.check(&gateway, &Ask::new("GET", "/v1/files/file-1"), &[own, other], 200);
    provider.says(own, too_many("30"));
    let reply = provider.check(&gateway, &upload(80 << 10), &[own], 429);
    assert_eq!(reply.header("retry-after"), Some("30"));
    provider.check(&gateway, &upload(80 << 10), &[other], 200);
}

#[test]
fn a_config_hears_of_it_when_all_keys_have_failed() {
    let provider = Provider::new();
    let spare = Upstream::always(Answer::json(openai::chat("spare")));
    let config = format!(
        "{}  spare: {{ base_url: '{}', dialects: [openai_chat], auth: none }}\n\
         config: careful\nconfigs:\n  careful:\n    strategy: {{ mode: fallback }}\n    targets:\n      - provider: own\n        \
         cb_config: {{ failure_threshold: 1, failure_status_codes: [429], cooldown_interval: 30000 }}\n      - provider: spare\n",
        provider.config("[sk-a, sk-b]"),
        spare.url()
    );
    let gateway = Gateway::with(&config);
    let ask = chat_of(&provider, &gateway, "sk-a").header("x-ostia-explain", "true");
    provider.says("sk-a", too_many("30"));
    // One key is enough: no failure, no retry, no other target.
    let reply = provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
    let decisions = crate::json(reply.header("x-ostia-decisions").unwrap());
    assert_eq!((&decisions["attempts"], &decisions["key"]), (&json!(1), &json!("2 of 2")), "{decisions}");
    assert_eq!(decisions["targets"][0]["breaker"]["state"], "closed", "{decisions}");
    assert_eq!(decisions["keys_resting"][0]["why"], "rate_limit", "{decisions}");
    assert_eq!(spare.count(), 0);
    provider.says("sk-b", too_many("30"));
    let reply = provider.check(&gateway, &ask, &["sk-b"], 200);
    let decisions = crate::json(reply.header("x-ostia-decisions").unwrap());
    assert_eq!(decisions["targets"][0]["breaker"]["state"], "open", "{decisions}");
    assert_eq!(spare.count(), 1);
}

#[test]
fn another_configuration_keeps_what_is_known_of_keys_that_stay() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let ask = chat_of(&provider, &gateway, "sk-a");
    provider.says("sk-a", too_many("300"));
    provider.check(&gateway, &ask, &["sk-a", "sk-b"], 200);
    provider.is_good("sk-a");
    gateway.write("second", "sk-c\n");
    gateway.write("ostia.yaml", &provider.config("['file:second', { key: sk-a, weight: 1000 }]"));
    assert!(gateway.reload().status.success(), "{}", gateway.printed());
    provider.check(&gateway, &ask, &["sk-c"], 200);
    // A secret in a file that changes counts at once.
    gateway.write("second", "sk-d\n");
    gateway.wait_until(|| provider.ask(&gateway, &ask).0 == ["sk-d"]);
    gateway.write("ostia.yaml", &provider.config("sk-a"));
    assert!(gateway.reload().status.success());
    // One key alone does not rest.
    let reply = provider.check(&gateway, &ask, &["sk-a"], 200);
    assert!(explained(&gateway, &reply).get("key").is_none());
}

#[test]
fn reloads_in_the_middle_lose_no_request() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    provider.says("sk-bad", refused(401, "invalid_api_key"));
    thread::scope(|scope| {
        for thread in 0..4 {
            let gateway = &gateway;
            scope.spawn(move || {
                for number in 0..100 {
                    let reply = chat(&format!("{thread} {number}")).to(gateway);
                    assert_eq!(reply.status, 200, "{}", reply.text());
                }
            });
        }
        for keys in ["[sk-b, sk-c]", "sk-d", "[sk-bad, sk-a]", "[sk-a, { key: sk-b, weight: 9 }]"].repeat(3) {
            gateway.write("ostia.yaml", &provider.config(keys));
            assert!(gateway.reload().status.success());
        }
    });
}

/// What clients bring goes before the operator's keys, alone; and none of a list goes where a client points.
#[test]
fn keys_of_clients_are_not_mixed_with_the_operators() {
    let provider = Provider::new();
    let theirs = Upstream::always(too_many("0"));
    let gateway = Gateway::with(&format!(
        "{}\naliases: {{ fast: {{ provider: own }} }}\n",
        provider.config("[sk-a, sk-b]")
    ));
    for key in ["sk-a", "sk-b"] {
        provider.says(key, too_many("0"));
    }
    provider.says("sk-mine", too_many("0"));
    provider.check(&gateway, &chat("x").header("authorization", "Bearer sk-mine"), &["sk-mine"], 429);
    let config = r#"{"provider":"own","api_key":"sk-mine"}"#;
    provider.check(&gateway, &chat("x").header("x-ostia-config", config), &["sk-mine"], 429);
    let own = Ask::post("/v1/files", "{}").header("authorization", "Bearer sk-mine");
    provider.check(&gateway, &own, &["sk-mine"], 429);
    for ask in [
        chat("x").header("x-ostia-custom-host", &theirs.url()),
        chat("x").header("x-ostia-custom-host", &theirs.url()).header("x-ostia-provider", "own"),
        Ask::post("/v1/files", "{}").header("x-ostia-custom-host", &theirs.url()),
        chat("x")
            .header("x-ostia-config", &format!(r#"{{"provider":"own","custom_host":"{}"}}"#, theirs.url())),
        Ask::post(CHAT, r#"{"model":"fast","messages":[]}"#).header("x-ostia-custom-host", &theirs.url()),
    ] {
        let before = theirs.count();
        assert_eq!(ask.to(&gateway).status, 429);
        assert_eq!(theirs.count(), before + 1);
    }
    assert!(theirs.requests().iter().all(|request| !format!("{request:?}").contains("sk-")));
}

#[test]
fn the_log_says_which_key_and_never_the_key() {
    let provider = Provider::new();
    let config = provider.config("[sk-a, sk-b, sk-c]");
    for (format, shown, resting) in
        [("json", "\"key\":\"", "\"keys_resting\":[{\"key\":\""), ("text", "key=\"", "(too many requests)\"")]
    {
        let gateway = Setup::new().config(&config).arg("--log-format").arg(format).start();
        provider.is_good("sk-a");
        let ask = chat_of(&provider, &gateway, "sk-a");
        provider.says("sk-a", too_many("30"));
        assert_eq!(ask.header("x-ostia-trace-id", "the-one").to(&gateway).status, 200);
        let printed = gateway.says("the-one");
        let line = printed.lines().find(|line| line.contains("the-one")).unwrap();
        assert!(line.contains(shown) && line.contains(" of 3") && line.contains(resting), "{line}");
        let printed = gateway.end();
        assert!(!printed.contains("sk-"), "{printed}");
    }
}

#[test]
fn a_dry_run_says_which_key_would_be_shown() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let body = json!({"request": {"model": "m", "messages": [{"role": "user", "content": "x"}]}}).to_string();
    let told = Ask::post("/v1/explain", body).to(&gateway);
    let call = &told.json()["calls"][0];
    assert!(call["key"].as_str().is_some_and(|key| key.ends_with(" of 2")), "{}", told.text());
    assert_eq!(provider.upstream.count(), 0);
}

#[test]
fn the_doctor_the_table_and_the_check_look_at_each_key() {
    let provider = Provider::new();
    provider.says("sk-b", refused(401, "invalid_api_key"));
    let config = provider.config("['${A}', { key: sk-b, weight: 3 }, sk-c]");
    let run = |command: &str| {
        let output = Setup::new().config(&config).env("A", "sk-a").arg(command).run();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("sk-"), "{text}");
        (text, output.status.code())
    };
    let (text, code) = run("doctor");
    let lines = |words: &str| text.lines().filter(|line| line.contains(words)).count();
    assert_eq!((lines("FAIL"), code), (1, Some(1)), "{text}");
    let failed = text.lines().find(|line| line.starts_with("FAIL")).unwrap();
    assert!(failed.contains("own, key 2 of 3") && failed.contains("401"), "{text}");
    assert_eq!((lines("own, key 1 of 3"), lines("own, key 3 of 3")), (1, 1), "{text}");
    let mut shown: Vec<String> = provider.upstream.requests().iter().map(key_of).collect();
    shown.sort();
    assert_eq!(shown, ["sk-a", "sk-b", "sk-c"]);
    let (table, _) = run("providers");
    let row = table.lines().find(|line| line.starts_with("own ")).unwrap();
    let words = "3 keys: the file's ${A}, in the file itself (weight 3), in the file itself";
    assert!(row.contains(words), "{row}");
    // Two variables may hold the same key.
    let text = provider.config("['${A}', '${B}']");
    let output = Setup::new().config(&text).env("A", "sk-a").env("B", "sk-a").arg("check").run();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let words = "providers.own.api_key[1]: comes out as the same key as providers.own.api_key[0]";
    assert!(said.contains(words) && !said.contains("sk-a"), "{said}");
    let output = Setup::new().config(&text).arg("check").arg("--no-secrets").run();
    assert_eq!(output.status.code(), Some(0));
}

/// An answer that breaks off is no word against the key.
#[test]
fn a_connection_that_breaks_says_nothing_of_the_key() {
    let provider = Provider::new();
    let gateway = Gateway::with(&provider.config("[sk-a, sk-b]"));
    let ask = chat_of(&provider, &gateway, "sk-a");
    provider.says("sk-a", Answer::empty().framing(Framing::Close).first(Step::Reset));
    assert!(provider.ask(&gateway, &ask).1.status >= 500);
    provider.is_good("sk-a");
    provider.check(&gateway, &ask, &["sk-a"], 200);
}

#[test]
fn an_answer_that_broke_off_goes_on_with_another_key() {
    let beginning = openai::chunk(&json!({"content": "On the"}), &Value::Null);
    let upstream =
        Upstream::serve(move |request| match (request.text().contains("assistant"), &*key_of(request)) {
            (false, _) => Answer::stream(format!("data: {beginning}\n\n")).then(Step::Cut),
            (true, "sk-a") => too_many("9"),
            (true, _) => Answer::stream(openai::chat_stream(&[" Tiber"])),
        });
    let gateway = Gateway::with(&format!(
        "providers: {{ own: {{ base_url: '{}', dialects: [openai_chat], api_key: [sk-a, sk-b] }} }}\n\
         config: careful\nconfigs: {{ careful: {{ strategy: {{ mode: fallback }}, targets: [{{ provider: own, prefill: true, mid_stream: continue }}] }} }}\n",
        upstream.url()
    ));
    let mut with_both = 0;
    for number in 0..8 {
        let body = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": number.to_string()}]});
        let first = upstream.count();
        let reply = Ask::post(CHAT, body.to_string()).to(&gateway);
        assert!(reply.text().contains("On the") && reply.text().contains(" Tiber"), "{}", reply.text());
        let keys: Vec<String> = upstream.requests()[first..].iter().map(key_of).collect();
        with_both += usize::from(keys == ["sk-a", "sk-a", "sk-b"]);
    }
    assert_eq!(with_both, 1, "from then on it rests");
}
