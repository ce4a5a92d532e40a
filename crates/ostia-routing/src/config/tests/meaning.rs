use serde_json::json;

use super::super::*;
use super::{good, parsed, shown};
use crate::Class;

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
    assert_eq!(format!("{:?}", left.root), format!("{:?}", right.root));
    let target = &right.root.targets[0];
    assert_eq!(
        target.override_params.as_deref().map(|params| &params.0),
        json!({"topP": 1, "max_tokens": 2}).as_object()
    );
    assert_eq!(target.options.text("aws_region"), Some("eu-west-1"));
    assert_eq!(target.retry.as_ref().map(|retry| retry.use_retry_after_header), Some(true));
    assert_eq!(right.root.request_timeout_ms, Some(5000));
    assert_eq!(right.root.strategy.as_ref().unwrap().sticky.as_ref().unwrap().ttl_s, Some(60));
}

#[test]
fn options_that_nobody_acts_upon_are_told() {
    let text = r#"{"provider":"p","openai_project":"a","openaiOrganization":"b","anthropic_beta":"c","mistral_fim_completion":true,
        "stabilityClientId":"u","strategy":{"mode":"fallback"},"targets":[{"provider":"p","resource_name":"r","oracle_serving_mode":"r"}]}"#;
    let warnings = super::shown(&super::parsed(text).warnings);
    let of_options: Vec<_> = warnings.iter().filter(|warning| warning.contains("no effect yet")).collect();
    assert_eq!(
        of_options,
        [
            "stabilityClientId: is known, and has no effect yet",
            "targets[0].oracle_serving_mode: is known, and has no effect yet"
        ]
    );
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
            r#"{"strategy":{"mode":"single","stop_on":[]},"prefill":true,"targets":[{"provider":"b","deadline":1}]}"#,
            vec![
                "strategy.stop_on: has no effect in mode single, only in mode fallback or loadbalance",
                "targets[0].deadline: has an effect only at the root, because all attempts have one deadline together",
                "prefill: has no effect beside `targets`; give it to the targets",
            ],
        ),
        (
            r#"{"strategy":{"mode":"conditional","default":"x","conditions":[{"query":{"modle":"a"},"then":"x"}]},
                "targets":[{"provider":"b","name":"x"}]}"#,
            vec![
                "strategy.conditions[0].query.modle: is no known field, and so never true; the fields are metadata.<key>, \
                 params.<path>, headers.<name>, url.pathname, method, operation, model, tokens, key, and time.hour, \
                 time.minute, time.weekday, time.date, time.of_day",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&parsed(text).warnings), expected, "{text}");
    }
}

#[test]
fn fields_of_our_own() {
    let text = r#"{"strategy":{"mode":"loadbalance","balance":"least_latency","stopOn":["content_policy","bad_request"],
        "on_status_codes":[503]},"firstTokenTimeout":1000,"idle_timeout":2000,"deadline":30000,"midStream":"continue",
        "hedge":{"after":800,"budget":2.5},"retry":{"attempts":2,"maxWait":0,"budget":10},
        "targets":[{"provider":"a","prefill":true},{"provider":"b"}]}"#;
    let root = good(text).root;
    let strategy = root.strategy.as_ref().unwrap();
    assert_eq!(strategy.balance, Some(Balance::LeastLatency));
    assert_eq!(strategy.stop_on.as_deref(), Some(&[Class::ContentPolicy, Class::BadRequest][..]));
    assert_eq!(root.mid_stream, Some(MidStreamPolicy::Continue));
    assert_eq!(root.hedge, Some(Hedge { after_ms: 800, budget_percent: Some(2.5) }));
    let retry = root.retry.unwrap();
    assert_eq!((retry.max_wait_ms, retry.budget_percent), (Some(0), Some(10.0)));
    let times = (root.first_token_timeout_ms, root.idle_timeout_ms, root.deadline_ms);
    assert_eq!(times, (Some(1000), Some(2000), Some(30_000)));
    assert_eq!(root.targets.iter().map(|target| target.prefill).collect::<Vec<_>>(), [Some(true), None]);
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
}
