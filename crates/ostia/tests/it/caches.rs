//! What prompt caches save, and where a call of a session broke its prefix.

use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::store;
use crate::wire::Ask;

const MESSAGES: &str = "/v1/messages";

/// Reads all but 20 tokens from the cache, unless the prompt says that its beginning is new.
fn caching() -> Upstream {
    Upstream::serve(|request: &Request| {
        let is_new = request.text().contains("NEW");
        let (cached, written) = if is_new { (0, 4000) } else { (4000, 0) };
        let diagnostics =
            json!({"cache_miss_reason": {"type": "system_changed", "cache_missed_input_tokens": 4000}});
        Answer::json(
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                   "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn",
                   "diagnostics": if is_new { diagnostics } else { Value::Null },
                   "usage": {"input_tokens": 20, "output_tokens": 3, "cache_read_input_tokens": cached,
                             "cache_creation_input_tokens": written}})
            .to_string(),
        )
    })
}

fn ask(gateway: &Gateway, upstream: &Upstream, session: &str, system: &str) {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "system": system,
                      "messages": [{"role": "user", "content": "x"}]});
    let ask =
        Ask::post_at(upstream, "anthropic", MESSAGES, body.to_string()).header("x-ostia-session", session);
    assert_eq!(ask.to(gateway).status, 200);
}

#[track_caller]
fn told(gateway: &Gateway, query: &str, calls: u64) -> Value {
    store::told(gateway, &format!("/v1/analytics/cache?{query}"), |told| told["total"]["attempts"] == calls)
}

#[test]
fn where_a_prefix_changed_and_what_that_cost() {
    let (gateway, upstream) = (Gateway::start(), caching());
    let nothing = told(&gateway, "since=1h", 0);
    assert_eq!((&nothing["total"]["share"], &nothing["groups"]), (&Value::Null, &json!([])));
    let rules = "Be kind. ".repeat(100);
    ask(&gateway, &upstream, "one", &format!("{rules}It is Monday."));
    ask(&gateway, &upstream, "one", &format!("{rules}It is Monday."));
    ask(&gateway, &upstream, "one", &format!("{rules}It is a NEW day."));
    // Another session has nothing to do with it.
    ask(&gateway, &upstream, "two", "NEW");
    let told = told(&gateway, "since=1h", 4);
    assert_eq!((&told["calls_compared"], &told["falls_in_all"]), (&json!(2), &json!(1)), "{told}");
    let fall = &told["falls"][0];
    assert_eq!(
        (&fall["cached_before"], &fall["cached"], &fall["session"]),
        (&json!(4000), &json!(0), &json!("one"))
    );
    assert_eq!(fall["reason"], "changed");
    // 906 of 917 characters, of 4020 tokens.
    let words = fall["words"].as_str().unwrap();
    assert_eq!(
        words, "the system prompt differs from the last call at character 907, about token 3,972",
        "{fall}"
    );
    assert_eq!(fall["place"]["before"], format!("{}It is Monday.", &rules[rules.len() - 10..]));
    // 4000 tokens at 2.7 dollars for a million.
    assert_eq!(fall["missed"], json!({"USD": "0.0108"}));
    let group = &told["groups"][0];
    assert_eq!((&group["provider"], &group["model"]), (&json!("anthropic"), &json!("claude-sonnet-4-5")));
    assert_eq!(group["saved"], json!({"USD": "0.0216"}), "twice 4000 tokens: {group}");
    let one = Ask::new("GET", &format!("/v1/logs/{}", fall["request"].as_str().unwrap())).to(&gateway).json();
    assert!(one["request"]["body"]["system"].as_str().unwrap().contains("NEW"), "{one}");
    for query in ["group_by=key", "limit=1", "status=6xx"] {
        let reply = Ask::new("GET", &format!("/v1/analytics/cache?{query}")).to(&gateway);
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
    }
}

#[test]
fn without_bodies_it_says_why() {
    let (gateway, upstream) = (Gateway::with("records: {bodies: off}"), caching());
    ask(&gateway, &upstream, "one", "a");
    ask(&gateway, &upstream, "one", "NEW");
    let told = told(&gateway, "", 2);
    let fall = &told["falls"][0];
    assert_eq!((&fall["reason"], &fall["place"]), (&json!("not_kept"), &Value::Null), "{fall}");
}
