#![allow(clippy::unwrap_used, clippy::panic)]
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::config;
use crate::state::Sizes;

fn route(config: &Value) -> Route {
    compiled(config).unwrap()
}

fn compiled(config: &Value) -> Result<Route, Problem> {
    Route::new(&config::from_value(config).unwrap().config, &State::default())
}

#[test]
fn leaves_in_order_with_their_paths() {
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": "a"},
        {"strategy": {"mode": "loadbalance"}, "targets": [{"provider": "b"}, {"provider": "c"}]},
        {"strategy": {"mode": "single"}, "targets": [{"provider": "d"}, {"provider": "never"}]},
    ]});
    let route = route(&config);
    let leaves: Vec<_> = route
        .leaves()
        .iter()
        .map(|leaf| (leaf.index_path.as_str(), leaf.settings.provider.as_deref()))
        .collect();
    assert_eq!(
        leaves,
        [
            ("config.targets[0]", Some("a")),
            ("config.targets[1].targets[0]", Some("b")),
            ("config.targets[1].targets[1]", Some("c")),
            ("config.targets[2].targets[0]", Some("d")),
        ]
    );
    let empty = Route::new(&Config::default(), &State::default()).unwrap();
    assert_eq!(empty.leaves()[0].index_path, "config");
}

#[test]
fn settings_apply_inward_until_an_inner_level_has_its_own() {
    let config = json!({
        "strategy": {"mode": "fallback", "cb_config": {"failure_threshold": 1}}, "request_timeout": 9, "idle_timeout": 8,
        "override_params": {"a": 1, "b": {"x": 1}}, "default_params": {"d": 1}, "drop_params": ["p"],
        "forward_headers": ["h"], "custom_host": "http://outer", "lossless": true, "strict_open_ai_compliance": true,
        "retry": {"attempts": 3, "max_wait": 5}, "mid_stream": "continue", "hedge": {"after": 5}, "deadline": 70,
        "targets": [
            {"strategy": {"mode": "fallback"}, "override_params": {"b": {"y": 2}}, "drop_params": [],
             "cb_config": {"failure_threshold": 2}, "retry": {"attempts": 1}, "targets": [
                {"name": "n", "provider": "openai", "api_key": "sk", "openai_project": "pr",
                 "override_params": {"c": 3}, "custom_host": "http://inner", "strict_open_ai_compliance": false,
                 "mid_stream": "error", "request_timeout": 7, "prefill": true}]},
            {"provider": "other"}]});
    let route = route(&config);
    let [first, second] = route.leaves() else { panic!("two leaves") };
    let own = &first.settings;
    assert_eq!((own.name.as_deref(), own.provider.as_deref()), (Some("n"), Some("openai")));
    assert_eq!(own.api_key.as_ref().map(|key| key.expose_secret()), Some("sk"));
    assert_eq!(own.options.text("openai_project"), Some("pr"));
    assert_eq!(
        own.override_params.as_deref().map(|params| &params.0),
        json!({"a": 1, "b": {"y": 2}, "c": 3}).as_object()
    );
    assert_eq!(own.default_params.as_deref().map(|params| &params.0), json!({"d": 1}).as_object());
    assert_eq!(own.drop_params.as_deref(), Some(&[][..]));
    assert_eq!((own.request_timeout_ms, own.idle_timeout_ms), (Some(7), Some(8)));
    assert_eq!((own.custom_host.as_deref(), own.lossless), (Some("http://inner"), Some(true)));
    assert_eq!((own.strict_open_ai_compliance, own.prefill), (Some(false), Some(true)));
    assert_eq!(own.breaker.as_ref().unwrap().failure_threshold, Some(2));
    assert_eq!(own.retry.as_ref().map(|retry| (retry.attempts, retry.max_wait_ms)), Some((1, None)));
    assert_eq!((first.mid_stream(), first.hedge.is_some()), (MidStreamPolicy::Error, true));
    let other = &second.settings;
    assert!(
        other.api_key.is_none()
            && other.options.is_empty()
            && other.name.is_none()
            && other.prefill.is_none()
    );
    assert_eq!(
        other.override_params.as_deref().map(|params| &params.0),
        json!({"a": 1, "b": {"x": 1}}).as_object()
    );
    assert_eq!(other.breaker.as_ref().unwrap().failure_threshold, Some(1));
    assert_eq!(second.mid_stream(), MidStreamPolicy::Continue);
    assert_eq!(route.deadline, Some(Duration::from_millis(70)));
}

#[test]
fn only_what_shares_something_has_slots() {
    let sizes = |config: Value| route(&config).slots.map(|slots| slots.sizes()).unwrap_or_default();
    assert!(sizes(json!({"provider": "a", "retry": {"attempts": 0}})).is_empty());
    assert_eq!(sizes(json!({"provider": "a", "retry": {"attempts": 1}})).targets, 1);
    let pool = |balance: &str| {
        sizes(json!({"strategy": {"mode": "loadbalance", "balance": balance},
                     "targets": [{"provider": "a"}, {"provider": "b"}]}))
    };
    assert!(pool("weighted").is_empty() && pool("least_cost").is_empty());
    assert_eq!(pool("round_robin"), Sizes { turns: 1, ..Sizes::default() });
    assert_eq!(pool("least_pending"), Sizes { gauges: 2, ..Sizes::default() });
    assert_eq!(pool("least_latency"), Sizes { gauges: 2, ..Sizes::default() });
}

#[test]
fn what_is_not_done_yet_is_said() {
    let config = json!({"strategy": {"mode": "fallback", "cb_config": {}}, "cache": "simple", "retry": {"attempts": 1},
        "targets": [{"provider": "a", "hedge": {"after": 1}}, {"virtual_key": "v", "output_guardrails": ["x"]},
                    {"strategy": {"mode": "single"}, "targets": [{"provider": "a"}, {"prompt_id": "never"}]}]});
    let route = route(&config);
    let paths: Vec<&str> = route.unsupported().iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["cache", "targets[1].output_guardrails", "targets[1].virtual_key"]);
}

#[test]
fn what_is_never_true_is_said() {
    let config = json!({"strategy": {"mode": "conditional", "default": "a", "conditions": [
            {"query": {"metadata.x": {"$regex": "("}}, "then": "a"}]},
        "targets": [{"name": "a", "strategy": {"mode": "loadbalance", "sticky": {"enabled": true,
            "hash_fields": ["metadata.user", "user"]}}, "targets": [{"provider": "p"}]}]});
    let warnings: Vec<String> = route(&config).warnings().iter().map(Problem::to_string).collect();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[0].starts_with("targets[0].strategy.sticky.hash_fields[1]: is no known field"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].starts_with("strategy.conditions[0].query.metadata.x.$regex: is never true"),
        "{warnings:?}"
    );
}

#[test]
fn cores_may_share_it() {
    fn shared<T: Send + Sync>() {}
    shared::<Route>();
    shared::<crate::State>();
    shared::<crate::Plan>();
}

#[test]
fn secrets_are_not_printed() {
    let config = json!({"provider": "p", "api_key": "SECRET", "override_params": {"a": "SECRET"},
        "aws_access_key_id": "SECRET", "aws_secret_access_key": "SECRET"});
    let route = route(&config);
    assert!(!format!("{route:?}").contains("SECRET"));
    let condition = json!({"strategy": {"mode": "conditional", "default": "a", "conditions": [
        {"query": {"headers.authorization": "SECRET"}, "then": "a"}]}, "targets": [{"name": "a", "provider": "p"}]});
    assert!(!format!("{:?}", self::route(&condition)).contains("SECRET"));
}

/// A strategy with so many targets, and what its outermost level sets for them.
fn wide(targets: usize, target: &Value, outer: &Value) -> Value {
    let mut config = json!({"strategy": {"mode": "conditional", "default": "n",
        "conditions": [{"query": {"params.a": 1}, "then": "n"}]}, "targets": vec![target.clone(); targets]});
    config["targets"][0]["name"] = json!("n");
    config.as_object_mut().unwrap().extend(outer.as_object().unwrap().clone());
    config
}

#[test]
fn what_an_outer_level_sets_is_there_once() {
    let long = "x".repeat(20_000);
    let list = vec![0; 5_000];
    let plain = json!({"provider": "p"});
    let bytes = |targets, outer: Value| route(&wide(targets, &plain, &outer)).bytes();
    let own = bytes(1000, json!({"lossless": true})) - bytes(1, json!({"lossless": true}));
    for outer in [
        json!({"override_params": {"a": list}}),
        json!({"default_params": {"a": long}}),
        json!({"drop_params": vec!["messages[*].name"; 500]}),
        json!({"forward_headers": vec!["x-a-header-with-a-name"; 500]}),
        json!({"custom_host": format!("http://localhost/{long}")}),
        json!({"before_request_hooks": [{"type": "guardrail", "checks": [{"id": "a", "parameters": {"a": long}}]}]}),
        json!({"retry": {"attempts": 1, "on_status_codes": vec![429; 500]}, "cb_config": {"failure_status_codes": vec![500; 500]}}),
    ] {
        let (one, many) = (bytes(1, outer.clone()), bytes(1000, outer));
        // A slot for a breaker or a budget is each target's own.
        assert!(many - one < own + 1000 * 120, "{one} and {many}");
        assert!(one > 3_000, "{one}");
    }
    let leaves = route(&wide(2, &plain, &json!({"override_params": {"a": list}})));
    let [first, second] = [0, 1].map(|leaf| leaves.leaves()[leaf].settings.override_params.as_ref().unwrap());
    assert!(Arc::ptr_eq(first, second));
}

#[test]
fn the_provider_of_the_clients_key_is_named_once() {
    let long = json!({"provider": "p".repeat(20_000)});
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [long, {"provider": "b"}]});
    let route = route(&config);
    let [first, second] = [0, 1].map(|leaf| route.leaves()[leaf].client_key_for.as_ref().unwrap());
    assert!(Arc::ptr_eq(first, second));
}

#[test]
fn what_would_take_too_much_memory_is_refused() {
    let plain = json!({"provider": "p"});
    assert!(compiled(&wide(1000, &plain, &json!({}))).is_ok());
    let five_thousand = json!({"strategy": {"mode": "fallback"}, "targets": vec![
        json!({"strategy": {"mode": "fallback"}, "targets": vec![plain.clone(); 49]}); 100]});
    assert!(compiled(&five_thousand).is_ok());
    let inner = json!({"strategy": {"mode": "fallback"}, "targets": vec![plain; 50]});
    let own = json!({"provider": "p", "override_params": {"b": 1}});
    for config in [
        wide(1000, &inner, &json!({})),
        wide(1000, &own, &json!({"override_params": {"a": vec![0; 10_000]}})),
        wide(1, &own, &json!({"default_params": {"a": vec![0; 400_000]}})),
    ] {
        let problem = compiled(&config).unwrap_err().to_string();
        assert!(
            problem.starts_with("config: is too large: made ready for use it takes more than 8 MiB; name"),
            "{problem}"
        );
    }
}

#[test]
fn what_an_operator_wrote_is_not_told() {
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": "a", "api_key": "sk"}, {"provider": "b", "openai_project": "pr"}]});
    let by_client = route(&config);
    assert!(!by_client.has_operators_secrets());
    let by_operator = by_client.by_operator();
    assert!(by_operator.has_operators_secrets());
    let told = by_operator.without_secrets();
    assert!(!told.has_operators_secrets());
    let names = |route: &Route| -> Vec<_> {
        route.leaves().iter().map(|leaf| leaf.settings.provider.clone()).collect()
    };
    assert_eq!(names(&told), names(&by_operator));
    assert!(!route(&json!({"provider": "a"})).by_operator().has_operators_secrets());
}

#[test]
fn a_leaf_with_nothing_to_decide_is_the_only_one() {
    let check = |config: Value, is_only: bool| {
        assert_eq!(route(&config).only_leaf().is_some(), is_only, "{config}");
    };
    check(json!({"provider": "a"}), true);
    check(json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a"}]}), true);
    check(json!({"provider": "a", "retry": {"attempts": 2}}), false);
    check(json!({"provider": "a", "hedge": {"after": 5}}), false);
    check(json!({"provider": "a", "deadline": 70}), false);
    check(json!({"provider": "a", "mid_stream": "continue"}), false);
    check(json!({"provider": "a", "first_token_timeout": 7}), false);
    check(json!({"provider": "a", "idle_timeout": 7}), false);
    check(
        json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "a"}, {"provider": "b"}]}),
        false,
    );
}
