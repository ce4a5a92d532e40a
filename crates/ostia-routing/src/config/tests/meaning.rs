use secrecy::ExposeSecret;
use serde_json::json;

use super::super::*;
use super::{good, parsed, shown};

#[test]
fn both_spellings_mean_the_same() {
    let snake = r#"{"strategy":{"mode":"loadbalance","sticky":{"enabled":true,"hash_fields":["metadata.user"],"ttl":60}},
        "request_timeout":5000,"targets":[{"provider":"openai","api_key":"k","custom_host":"https://a.example/v1",
        "strict_open_ai_compliance":false,"override_params":{"topP":1,"max_tokens":2},"drop_params":["tools[0]"],
        "retry":{"attempts":2,"on_status_codes":[429],"use_retry_after_header":true},"aws_region":"eu-west-1",
        "cb_config":{"failure_threshold":3,"cooldown_interval":30000}, "forward_headers":["X-Trace"]}]}"#;
    let camel = r#"{"strategy":{"mode":"loadbalance","sticky":{"enabled":true,"hashFields":["metadata.user"],"ttl":60}},
        "requestTimeout":5000.0,"targets":[{"provider":"openai","apiKey":"k","customHost":"https://a.example/v1",
        "strictOpenAiCompliance":false,"overrideParams":{"topP":1,"max_tokens":2},"dropParams":["tools[0]"],
        "retry":{"attempts":2,"onStatusCodes":[429],"useRetryAfterHeaders":true},"awsRegion":"eu-west-1",
        "cbConfig":{"failureThreshold":3,"cooldown_interval":30000}, "forwardHeaders":["x-trace"]}]}"#;
    let (left, right) = (good(snake), good(camel));
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
    let target = &right.root.targets[0];
    assert_eq!(target.override_params.as_deref(), json!({"topP": 1, "max_tokens": 2}).as_object());
    assert_eq!(target.options.text("aws_region"), Some("eu-west-1"));
    assert_eq!(target.retry.as_ref().map(|retry| retry.use_retry_after_header), Some(true));
    assert_eq!(right.root.request_timeout_ms, Some(5000));
    assert_eq!(right.root.strategy.as_ref().unwrap().sticky.as_ref().unwrap().ttl_s, Some(60));
}

#[test]
fn names_turn_to_snake_case() {
    let cases = [
        ("customHost", "custom_host"),
        ("strictOpenAICompliance", "strict_open_ai_compliance"),
        ("awsS3Bucket", "aws_s3_bucket"),
        ("Provider", "provider"),
        ("after_requestHooks", "after_request_hooks"),
        ("vertexServiceAccountJSON", "vertex_service_account_json"),
        ("é", "é"),
    ];
    for (given, expected) in cases {
        assert_eq!(fields::snake_case(given), expected);
    }
}

#[test]
fn the_whole_schema_is_known() {
    let text = r#"{"strategy":{"mode":"conditional","default":"b","conditions":[
        {"query":{"$and":[{"metadata.tier":{"$in":["a","b"]}},{"params.temperature":{"$gte":0.5,"$lt":1}}]},"then":"a"},
        {"query":{"url.pathname":{"$regex":"^/v1/chat"},"params.model":"x","metadata.n":null},"then":"b"}]},
        "cache":{"mode":"semantic","max_age":60},
        "before_request_hooks":[{"type":"guardrail","id":"g","checks":[{"id":"default.contains","parameters":{"wordsList":[]},
            "is_enabled":true}],"deny":true,"async":false,"sequential":false,"on_fail":{"feedback":{"value":-1}}}],
        "afterRequestHooks":[{"type":"mutator","checks":[]}],
        "input_guardrails":["pg-1",{"default.contains":{"words":["x"]},"deny":true}],
        "output_guardrails":[],"input_mutators":[{"addPrefix":{"prefix":"x"}}],"output_mutators":[{"default.x":{}}],
        "default_params":{"a":1},"lossless":true,
        "targets":[
          {"name":"a","id":"one","provider":"@slug","weight":0.5,"on_status_codes":[246,446],"cache":"simple"},
          {"name":"b","strategy":{"mode":"fallback","on_status_codes":[429,529],"cb_config":{"failure_threshold_percentage":50,
             "minimum_requests":10,"failure_status_codes":[500]}},"targets":[{"virtual_key":"v"},{"prompt_id":"p"},
             {"passthrough":true},{"fetch_integrated_models":true},
             {"provider":"vertex-ai","vertex_service_account_json":{"clientEmail":"x"},"vertex_region":"r"}]}]}"#;
    let config = good(text);
    let strategy = config.root.strategy.as_ref().unwrap();
    assert_eq!(strategy.mode, Mode::Conditional);
    assert_eq!(strategy.conditions.len(), 2);
    assert_eq!(strategy.conditions[1].query["params.model"], json!("x"));
    assert_eq!(config.root.cache, Some(Cache { mode: CacheMode::Semantic, max_age_s: Some(60) }));
    let before = config.root.before.as_ref().unwrap();
    assert_eq!((before.hooks.len(), before.guardrails.len(), before.mutators.len()), (1, 2, 1));
    let nested = &config.root.targets[1];
    assert_eq!(
        nested.targets[4].options.value("vertex_service_account_json"),
        Some(&json!({"clientEmail": "x"}))
    );
    assert_eq!(config.root.targets[0].cache, Some(Cache { mode: CacheMode::Simple, max_age_s: None }));
}

#[test]
fn strangers_are_named_in_warnings() {
    let text = r#"{"provider":"openai","customHots":"https://x","retry":{"attempts":0,"backoff":1},"colour":1,"is_open":true,
        "cache":{"mode":"simple","ttl":5},"x":null}"#;
    let expected = [
        "is_open: is the gateway's own; it has no effect",
        "customHots: unknown field; it has no effect; did you mean `custom_host`?",
        "retry.backoff: unknown field; it has no effect",
        "colour: unknown field; it has no effect",
        "cache.ttl: unknown field; it has no effect",
    ];
    assert_eq!(shown(&parsed(text).warnings), expected);
}

#[test]
fn what_has_no_effect_is_said() {
    let cases = [
        (
            r#"{"strategy":{"mode":"single"},"provider":"a","targets":[{"provider":"b"},{"provider":"c"}]}"#,
            vec![
                "targets: has more than one entry; mode single uses only the first",
                "provider: has no effect beside `targets`; give it to the targets",
            ],
        ),
        (
            r#"{"strategy":{"mode":"fallback","default":"x","sticky":{"enabled":false}},"targets":[{"provider":"b"}]}"#,
            vec![
                "strategy.default: has no effect in mode fallback, only in mode conditional",
                "strategy.sticky: has no effect in mode fallback, only in mode loadbalance",
            ],
        ),
        (
            r#"{"strategy":{"mode":"conditional","default":"x","conditions":[{"query":{"model":"a"},"then":"x"}]},
                "targets":[{"provider":"b","name":"x"}]}"#,
            vec![
                "strategy.conditions[0].query.model: is never true: only metadata.<key>, params.<key> and url.pathname are known",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&parsed(text).warnings), expected, "{text}");
    }
}

#[test]
fn single_resolves_with_inheritance() {
    let text = r#"{"strategy":{"mode":"single"},"request_timeout":9,"override_params":{"a":1,"b":{"x":1}},
        "default_params":{"d":1},"drop_params":["p"],"forward_headers":["h"],"custom_host":"http://outer","lossless":true,
        "strict_open_ai_compliance":true,"retry":{"attempts":0},
        "targets":[{"strategy":{"mode":"fallback"},"override_params":{"b":{"y":2}},"drop_params":[],"targets":[
            {"name":"n","provider":"openai","api_key":"sk","openai_project":"pr","override_params":{"c":3},
             "custom_host":"http://inner","strict_open_ai_compliance":false}]}]}"#;
    let config = good(text);
    let target = config.single().unwrap();
    assert_eq!(target.index_path, "config.targets[0].targets[0]");
    assert_eq!((target.name, target.provider), (Some("n"), Some("openai")));
    assert_eq!(target.api_key.map(|key| key.expose_secret()), Some("sk"));
    assert_eq!(target.options.text("openai_project"), Some("pr"));
    let settings = &target.settings;
    assert_eq!(Some(&*settings.override_params), json!({"a":1,"b":{"y":2},"c":3}).as_object());
    assert_eq!(Some(&*settings.default_params), json!({"d":1}).as_object());
    assert!(settings.drop_params.is_empty());
    assert_eq!(settings.request_timeout_ms, Some(9));
    assert_eq!(settings.custom_host, Some("http://inner"));
    assert_eq!(settings.forward_headers, ["h"]);
    assert_eq!(settings.strict_open_ai_compliance, Some(false));
    assert_eq!(settings.lossless, Some(true));
}

#[test]
fn provider_and_key_are_not_inherited() {
    let text = r#"{"strategy":{"mode":"single"},"provider":"openai","api_key":"k","targets":[{"override_params":{"model":"m"}}]}"#;
    let config = parsed(text).config;
    let target = config.single().unwrap();
    assert_eq!((target.provider, target.api_key.is_none()), (None, true));
}

#[test]
fn a_flat_config_is_its_own_target() {
    for text in [
        r#"{"provider":"openai"}"#,
        r#"{"aws_region":"eu-west-1"}"#,
        r#"{"retry":{"attempts":0},"before_request_hooks":[]}"#,
    ] {
        assert_eq!(good(text).single().unwrap().index_path, "config");
    }
}

#[test]
fn single_says_everything_that_it_cannot_do() {
    let cases = [
        (
            r#"{"strategy":{"mode":"fallback","cb_config":{}},"cache":"simple","targets":[{"provider":"a","retry":{"attempts":1}},
                {"virtual_key":"v","output_guardrails":["x"]}]}"#,
            vec![
                "strategy.mode",
                "strategy.cb_config",
                "cache",
                "targets[0].retry",
                "targets[1].output_guardrails",
                "targets[1].virtual_key",
            ],
        ),
        (r#"{"prompt_id":"p","cb_config":{}}"#, vec!["cb_config", "prompt_id"]),
        (
            r#"{"strategy":{"mode":"loadbalance"},"targets":[{"provider":"a"},{"provider":"a"}]}"#,
            vec!["strategy.mode"],
        ),
        (
            r#"{"strategy":{"mode":"fallback"},"targets":[{"provider":"a","cache":"simple"}]}"#,
            vec!["targets[0].cache"],
        ),
    ];
    for (text, expected) in cases {
        let config = good(text);
        let unsupported = config.single().unwrap_err();
        assert!(unsupported[0].to_string().contains(": this gateway does not support "));
        let paths: Vec<&str> = unsupported.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, expected, "{text}");
    }
}

#[test]
fn only_the_first_target_of_mode_single_counts() {
    let text =
        r#"{"strategy":{"mode":"single"},"targets":[{"provider":"a"},{"provider":"b","cache":"simple"}]}"#;
    assert_eq!(parsed(text).config.single().unwrap().provider, Some("a"));
}

#[test]
fn secrets_are_not_printed() {
    let text = r#"{"provider":"p","api_key":"SECRET","aws_access_key_id":"SECRET","aws_secret_access_key":"SECRET",
        "override_params":{"tools":[{"authorization":"SECRET"}]},"default_params":{"a":"SECRET"},
        "before_request_hooks":[{"type":"guardrail","checks":[{"id":"x","parameters":{"credentials":{"apiKey":"SECRET"}}}]}],
        "input_guardrails":[{"default.webhook":{"headers":"SECRET"}}],"vertex_service_account_json":{"private_key":"SECRET"},
        "vertex_region":"r"}"#;
    let config = good(text);
    assert!(!format!("{config:?}").contains("SECRET"), "{config:?}");
    let mut plain = config.clone();
    plain.root.before = None;
    assert!(!format!("{:?}", plain.single().unwrap()).contains("SECRET"));
}
