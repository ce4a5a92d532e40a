use serde_json::{Value, json};

use super::super::*;
use super::shown;

#[test]
fn every_problem_is_reported_at_once() {
    let text = r#"{"strategy":{"mode":"fallbak","on_status_codes":[99,"429",2.5]},"cache":{"maxAge":0},"targets":[
        {"provider":5,"apiKey":"","retry":{"attempts":6,"on_status_codes":429}},
        {"weight":-1,"custom_host":"ftp://x","customHost":"http://x","requestTimeout":"5s","provder":"a"},
        7,{}]}"#;
    let expected = [
        "strategy.mode: must be single, fallback, loadbalance or conditional; did you mean `fallback`?",
        "strategy.on_status_codes[0]: must be a whole number from 100 to 599, not 99",
        "strategy.on_status_codes[1]: must be a whole number from 100 to 599, not a text",
        "strategy.on_status_codes[2]: must be a whole number from 100 to 599, not 2.5",
        "cache.maxAge: must be a whole number from 1 to 25923000, not 0",
        "cache: has no `mode`; add `\"mode\"`: simple or semantic",
        "targets[0].provider: must be a text, not a number",
        "targets[0].apiKey: is empty; give a value, or leave the field out",
        "targets[0].retry.attempts: must be a whole number from 0 to 5, not 6",
        "targets[0].retry.on_status_codes: must be a list, not a number",
        "targets[1].customHost: is given in two spellings; keep one of `targets[1].custom_host` and `customHost`",
        "targets[1].weight: must be a number of at least 0, not -1",
        "targets[1].custom_host: must be an http or https URL; write it like `https://host.example/v1`",
        "targets[1].requestTimeout: must be a whole number from 1 to 86400000, not a text",
        "targets[2]: must be an object, not a number",
        "targets[3]: asks for nothing; add `provider`, or `strategy` and `targets`, or a setting such as `retry` or \
         `override_params`",
        "targets[1].provder: unknown field; it has no effect; did you mean `provider`?",
    ];
    assert_eq!(shown(&parse(text).unwrap_err()), expected);
}

#[test]
fn faults_by_case() {
    let nothing = "asks for nothing; add `provider`, or `strategy` and `targets`, or a setting such as `retry` or `override_params`";
    let url = "; write it like `https://host.example/v1`";
    let cases: &[(&str, &[&str])] = &[
        ("", &["config: is not valid JSON: EOF while parsing a value at line 1 column 0"]),
        ("pc-abc-1", &["config: is not valid JSON: expected value at line 1 column 1"]),
        ("[]", &["config: must be an object, not a list"]),
        ("null", &["config: must be an object, not null"]),
        ("{}", &[&format!("config: {nothing}")]),
        (r#"{"name":"n","weight":1}"#, &[&format!("config: {nothing}")]),
        (
            r#"{"api_key":"k"}"#,
            &["api_key: is given and no provider to use it for; add `provider` beside it"],
        ),
        (
            r#"{"strategy":{"mode":"single"},"targets":[{"awsRegion":"k"}]}"#,
            &["targets[0].awsRegion: is given and no provider to use it for; add `provider` beside it"],
        ),
        (
            r#"{"provider":"a","provider":"b","override_params":{"x":[{"y":1,"y":{"z":1,"z":2}}]}}"#,
            &[
                "provider: is given twice",
                "override_params.x[0].y.z: is given twice",
                "override_params.x[0].y: is given twice",
            ],
        ),
        (r#"{"provider":"a"} x"#, &["config: is not valid JSON: trailing characters at line 1 column 18"]),
        (
            r#"{"provider":"p","aws_access_key_id":"k","azureEntraClientSecret":"x"}"#,
            &[
                "aws_access_key_id: needs `aws_secret_access_key` beside it; add `aws_secret_access_key`",
                "azureEntraClientSecret: needs `azure_entra_client_id` beside it; add `azure_entra_client_id`",
                "azureEntraClientSecret: needs `azure_entra_tenant_id` beside it; add `azure_entra_tenant_id`",
            ],
        ),
        (
            r#"{"provider":"p","resource_name":"a/b"}"#,
            &["resource_name: may contain only letters, digits, `-`, `_` and `.`"],
        ),
        (
            r#"{"strategy":{"mode":"single"}}"#,
            &["strategy: has no `targets` to choose from; add `targets`, a list of configs, beside it"],
        ),
        (
            r#"{"targets":[{"provider":"p"}]}"#,
            &[
                "targets: has no `strategy` beside it; add `\"strategy\": {\"mode\": \"fallback\"}` (or single, loadbalance, conditional)",
            ],
        ),
        (r#"{"strategy":{"mode":"single"},"targets":[]}"#, &["targets: is empty; add at least one target"]),
        (
            r#"{"strategy":{},"targets":[{"provider":"p"}]}"#,
            &["strategy: has no `mode`; add `\"mode\"`: single, fallback, loadbalance or conditional"],
        ),
        (
            r#"{"strategy":{"mode":"loadbalance"},"targets":[{"provider":"p","weight":0}]}"#,
            &["targets: have no weight at all; give one of them a `weight` above 0"],
        ),
        (
            r#"{"strategy":{"mode":"conditional"},"targets":[{"provider":"p"}]}"#,
            &[
                "strategy: is conditional and has no `conditions`; add `conditions`: [{query, then}]",
                "strategy: is conditional and has no `default`; add `default`, the name of the target when no condition is true",
            ],
        ),
        (
            r#"{"strategy":{"mode":"conditional","default":"chep","conditions":[{"query":{"metadata.a":{"$gtt":1,"$in":1}},"then":"cheap"},
                {"then":"x"},{"query":{"$nor":[]},"then":"big"},{"query":{},"then":"cheap"},{"query":{"metadata.a":[1]},"then":"c"}]},
                "targets":[{"provider":"p","name":"cheap"}]}"#,
            &[
                "strategy.conditions[0].query.metadata.a.$gtt: is no known operator; did you mean `$gt`?",
                "strategy.conditions[0].query.metadata.a.$in: must be a list, not a number",
                "strategy.conditions[1]: has no `query`; a condition is {\"query\": {...}, \"then\": \"name\"}",
                "strategy.conditions[2].query.$nor: is no known operator; did you mean `$or`?",
                "strategy.conditions[3].query: is empty; compare something, for example {\"metadata.tier\": \"paid\"}",
                "strategy.conditions[4].query.metadata.a: must be a value or an object of operators, not a list",
                "strategy.default: names the target `chep`, and there is none of that name; did you mean `cheap`?",
            ],
        ),
        (
            r#"{"strategy":{"mode":"conditional","default":"a","conditions":[{"query":{"params.m":1},"then":"zzz"}]},
                "targets":[{"provider":"p","name":"a"}]}"#,
            &[
                "strategy.conditions[0].then: names the target `zzz`, and there is none of that name; give a target this `name`",
            ],
        ),
        (
            r#"{"options":[{"provider":"p"}],"mode":"single"}"#,
            &[
                "options: belongs to an older form of configs, which is not supported; write the entries as `targets` and the mode as `strategy`",
                "mode: unknown field; it has no effect",
            ],
        ),
        (
            r#"{"custom_host":"https://u:p@h"}"#,
            &[&format!("custom_host: must not contain a user name or password{url}")],
        ),
        (
            r#"{"custom_host":"https://h/#x@y"}"#,
            &[&format!("custom_host: must end with its path, without `?` and `#`{url}")],
        ),
        (
            r#"{"custom_host":"https://h:0"}"#,
            &[&format!("custom_host: has a port that is no number from 1 to 65535{url}")],
        ),
        (r#"{"custom_host":"https://"}"#, &[&format!("custom_host: has no valid host name{url}")]),
        (r#"{"custom_host":"https://h%00"}"#, &[&format!("custom_host: has no valid host name{url}")]),
        (r#"{"custom_host":"https://[::g]/"}"#, &[&format!("custom_host: has no valid host name{url}")]),
        (
            r#"{"custom_host":"https://a b"}"#,
            &[&format!(
                "custom_host: is not a URL: it contains spaces, control characters or backslashes{url}"
            )],
        ),
        (
            r#"{"forward_headers":["a b","X-Portkey-Forward-Headers","ok"]}"#,
            &[
                "forward_headers[0]: is not the name of a header",
                "forward_headers[1]: must not be the `x-portkey-forward-headers` header itself",
            ],
        ),
        (
            r#"{"drop_params":["a..b","tools[x]","[0]","ok[0][*].b",""]}"#,
            &[
                "drop_params[0]: is no path of a body field; write it like `user`, `a.b`, `tools[0]` or `messages[*].name`",
                "drop_params[1]: is no path of a body field; write it like `user`, `a.b`, `tools[0]` or `messages[*].name`",
                "drop_params[2]: is no path of a body field; write it like `user`, `a.b`, `tools[0]` or `messages[*].name`",
                "drop_params[4]: is empty; give a value, or leave the field out",
            ],
        ),
        (
            r#"{"override_params":[],"passthrough":"yes"}"#,
            &[
                "override_params: must be an object, not a list",
                "passthrough: must be true or false, not a text",
            ],
        ),
        (
            r#"{"before_request_hooks":[{"checks":[{}],"deny":"no"},{"type":"other"}],"input_guardrails":[{"deny":true},3,{"a":1}]}"#,
            &[
                "before_request_hooks[0].checks[0]: has no `id`; add the check's id, for example `default.contains`",
                "before_request_hooks[0].deny: must be true or false, not a text",
                "before_request_hooks[0]: has no `type`; add `\"type\": \"guardrail\"` or `\"type\": \"mutator\"`",
                "before_request_hooks[1].type: must be guardrail or mutator",
                "input_guardrails[0]: names no check; add one, for example {\"default.contains\": {...}}",
                "input_guardrails[1]: must be an object, not a number",
                "input_guardrails[2].a: must be an object, not a number",
            ],
        ),
        (
            r#"{"cb_config":{"cooldown_interval":1000,"failure_threshold":0,"failure_threshold_percentage":101}}"#,
            &[
                "cb_config.cooldown_interval: must be a whole number from 30000 to 86400000, not 1000",
                "cb_config.failure_threshold: must be a whole number from 1 to 1000000000, not 0",
                "cb_config.failure_threshold_percentage: must be a number from 0 to 100, not 101",
            ],
        ),
        (
            r#"{"strategy":{"mode":"loadbalance","sticky":{"enabled":true}},"targets":[{"provider":"p"}]}"#,
            &[
                "strategy.sticky: is enabled and names no `hash_fields`; add `hash_fields`, for example [\"metadata.user_id\"]",
            ],
        ),
        (
            r#"{"strategy":{"mode":"round_robin","balance":"leastlatency","stop_on":["context_lenght","x"]},
                "hedge":{"budget":101},"mid_stream":"go on","targets":[{"provider":"p"}]}"#,
            &[
                "strategy.mode: must be single, fallback, loadbalance or conditional; write `\"mode\": \"loadbalance\", \
                 \"balance\": \"round_robin\"`",
                "strategy.balance: must be weighted, round_robin, least_pending, least_latency or least_cost; did you mean \
                 `least_latency`?",
                "strategy.stop_on[0]: must be bad_request, context_length, content_policy, authentication, not_found, \
                 rate_limit, quota, overloaded, server, connection, timeout, untranslatable, sign_in, bad_answer or denied; did \
                 you mean `context_length`?",
                "strategy.stop_on[1]: must be bad_request, context_length, content_policy, authentication, not_found, \
                 rate_limit, quota, overloaded, server, connection, timeout, untranslatable, sign_in, bad_answer or denied",
                "hedge.budget: must be a number from 0 to 100, not 101",
                "hedge: has no `after`; add `after`, the milliseconds to wait for the first token",
                "mid_stream: must be error or continue",
            ],
        ),
        (
            r#"{"provider":"p","mid_stream":"restart"}"#,
            &[
                "mid_stream: must be error or continue; there is no restart; leave it out: a stream that breaks before its first \
                 words is a failed attempt, after which `retry` and the strategy ask again",
            ],
        ),
        (r#"{"retry":{}}"#, &["retry: has no `attempts`; add `attempts`, from 0 to 5"]),
        (
            r#"{"retry":3,"cache":"exact"}"#,
            &["retry: must be an object, not a number", "cache: must be simple or semantic"],
        ),
    ];
    for (text, expected) in cases {
        let problems = parse(text).expect_err(text);
        assert_eq!(shown(&problems), *expected, "{text}");
    }
}

#[test]
fn hosts_that_are_good() {
    for host in [
        "http://localhost:11434",
        "https://[::1]:8080/v1",
        "HTTPS://a.b-c.example/x/y",
        "http://10.0.0.1/v1/",
    ] {
        assert!(from_value(&json!({"custom_host": host})).is_ok(), "{host}");
    }
}

#[test]
fn bounds_hold() {
    let leaf = json!({"provider": "p"});
    let of = |mode: &str, targets: Vec<Value>| {
        let mut strategy = json!({"mode": mode});
        if mode == "conditional" {
            strategy["default"] = json!("n");
            strategy["conditions"] = json!([{"query": {"params.a": 1}, "then": "n"}]);
        }
        json!({"strategy": strategy, "targets": targets})
    };
    let mut named = vec![leaf.clone(); 1000];
    named[0]["name"] = json!("n");
    let mut nested = json!({"provider": "p"});
    for _ in 0..TARGET_DEPTH_MAX {
        nested = of("single", vec![nested]);
    }
    let inner = of("fallback", vec![of("fallback", vec![leaf.clone(); 25]); 2]);
    let mut deep = json!(1);
    for _ in 0..VALUE_DEPTH_MAX {
        deep = json!([deep]);
    }
    let cases: Vec<(Value, Option<&str>)> = vec![
        (of("fallback", vec![leaf.clone(); 100]), None),
        (of("fallback", vec![leaf.clone(); 101]), Some("targets: has 101 entries; at most 100 are allowed")),
        (of("conditional", named.clone()), None),
        (
            of("conditional", [named, vec![leaf.clone()]].concat()),
            Some("targets: has 1001 entries; at most 1000 are allowed"),
        ),
        (of("fallback", vec![of("fallback", vec![leaf.clone(); 50])]), None),
        (
            of("fallback", vec![of("fallback", vec![leaf; 51])]),
            Some("targets[0].targets: has 51 entries; at most 50 are allowed"),
        ),
        (of("fallback", vec![inner]), Some("targets[0]: has 52 targets below it; at most 50 are allowed")),
        (nested.clone(), None),
        (of("single", vec![nested]), Some("is nested deeper than 16 levels of targets")),
        (json!({"override_params": deep}), Some("config: is nested deeper than 100 levels")),
    ];
    for (value, expected) in cases {
        let problems = from_value(&value).map(|_| ()).err().map(|problems| shown(&problems));
        match (&problems, expected) {
            (None, None) => {}
            (Some(problems), Some(expected)) if problems[0].ends_with(expected) => {}
            _ => panic!("{problems:?} is not {expected:?}"),
        }
    }
    assert_eq!(
        parse(&" ".repeat(TEXT_BYTES_MAX + 1)).unwrap_err()[0].message,
        "the config is longer than 1048576 bytes"
    );
    let many = json!({"on_status_codes": vec![0; 500], "forward_headers": vec!["a b"; 500]});
    let problems = from_value(&many).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_MAX + 1);
    assert_eq!(problems[PROBLEMS_MAX].message, "there are more problems than these");
}

#[test]
fn problems_hold_no_secret() {
    let text = r#"{"provider":{"SECRET":1},"api_key":["SECRET"],"custom_host":"http://SECRET@x","aws_secret_access_key":"SECRET",
        "vertex_service_account_json":"SECRET","cache":"SECRET","retry":"SECRET","resource_name":"SECRET/","drop_params":["SECRET]"]}"#;
    let problems = parse(text).unwrap_err();
    assert!(problems.len() >= 8, "{problems:?}");
    assert!(!format!("{problems:?}").contains("SECRET"), "{problems:?}");
    assert!(!format!("{:?}", parse(r#"{"api_key": SECRET}"#)).contains("SECRET"));
}

#[test]
fn problems_are_no_longer_than_the_config_that_has_them() {
    let twice: String = (0..150).map(|key| format!(r#""k{key}":1,"k{key}":2,"#)).collect();
    let text = format!(r#"{{"override_params":{{"{}":{{{twice}"z":1}}}}}}"#, "\u{e9}".repeat(5_000));
    let problems = parse(&text).unwrap_err();
    assert_eq!(problems.len(), 150);
    let told: usize = problems.iter().map(|problem| problem.to_string().len()).sum();
    assert!(told < 100_000, "{told}");
    assert!(
        problems[0].path.starts_with("override_params.\u{e9}") && problems[0].path.ends_with("\u{e9}...")
    );
    let mut wide = json!({"provider": "p"});
    for name in 0..LIST_MAX {
        wide[format!("name{name}")] = json!(1);
    }
    assert_eq!(shown(&from_value(&wide).unwrap_err()), ["config: has 501 fields; at most 500 are allowed"]);
}
