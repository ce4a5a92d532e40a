#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

/// As Portkey's gateway writes one.
fn hook(verdict: bool, more: Value) -> Value {
    let mut hook = json!({
        "verdict": verdict, "id": "input_guardrail_a1b", "transformed": false, "async": false, "type": "guardrail",
        "execution_time": 12, "created_at": "2026-11-30T05:00:00.000Z", "deny": false, "feedback": null,
        "checks": [{
            "data": {"text": "what was asked"}, "verdict": verdict, "id": "default.contains", "execution_time": 0.5,
            "transformed": false, "created_at": "2026-11-30T05:00:00.000Z", "log": null, "fail_on_error": false,
        }],
    });
    let fields = more.as_object().unwrap().clone();
    hook.as_object_mut().unwrap().extend(fields);
    hook
}

fn before(hooks: &[Value]) -> Value {
    json!({"before_request_hooks": hooks, "after_request_hooks": []})
}

#[test]
fn results_are_read() {
    let told = json!({"before_request_hooks": [hook(true, json!({}))], "after_request_hooks": [hook(false, json!({
        "id": "output", "name": "No secrets", "deny": true, "transformed": true}))]});
    let read = read(&told, "hook_results").unwrap();
    assert_eq!(read, of_answer(json!({"id": "c", "hook_results": told}).to_string().as_bytes()));
    let check = CheckResult {
        id: "default.contains".into(),
        verdict: true,
        transformed: false,
        duration_us: Some(500),
        error: None,
    };
    let first = GuardrailResult {
        id: "input_guardrail_a1b".into(),
        name: None,
        by: Actor::Upstream,
        phase: GuardrailPhase::BeforeRequest,
        verdict: true,
        denied: false,
        transformed: false,
        duration_us: Some(12_000),
        checks: vec![check.clone()],
    };
    let second = GuardrailResult {
        id: "output".into(),
        name: Some("No secrets".into()),
        phase: GuardrailPhase::AfterRequest,
        verdict: false,
        denied: true,
        transformed: true,
        checks: vec![CheckResult { verdict: false, ..check }],
        ..first.clone()
    };
    assert_eq!(read, [first, second]);
    assert!(!serde_json::to_string(&read).unwrap().contains("what was asked"));
}

#[test]
fn what_only_tells_does_not_deny() {
    let told = before(&[hook(false, json!({"deny": true, "async": true}))]);
    assert!(!read(&told, "h").unwrap()[0].denied);
}

#[test]
fn errors_of_checks() {
    let check = |error: Value, expected: Option<(&str, Option<&str>)>| {
        let checks = json!({"checks": [{"id": "a", "verdict": false, "error": error}]});
        let told = read(&before(&[hook(false, checks)]), "h").unwrap().remove(0).checks.remove(0).error;
        let told = told.as_ref().map(|error| (error.class.as_str(), error.message.as_deref()));
        assert_eq!(told, expected, "{error}");
    };
    check(Value::Null, None);
    check(json!("no way"), Some(("error", Some("no way"))));
    check(json!({"name": "TimeoutError", "message": "late"}), Some(("TimeoutError", Some("late"))));
    check(json!({}), Some(("error", None)));
}

#[test]
fn the_field_that_makes_no_sense_is_named() {
    let check = |told: Value, field: &str| {
        assert_eq!(read(&told, "hook_results").unwrap_err().field, field, "{told}");
        // An answer is another's word: what can be read of it is.
        let body = json!({"hook_results": told}).to_string();
        assert!(of_answer(body.as_bytes()).len() <= GUARDRAILS_MAX);
    };
    let with = |more: Value| before(&[hook(true, more)]);
    let first = |rest: &str| format!("hook_results.before_request_hooks[0].{rest}");
    check(json!([]), "hook_results");
    check(json!({"before_request_hooks": {}}), "hook_results.before_request_hooks");
    check(before(&[json!(1)]), "hook_results.before_request_hooks[0]");
    check(with(json!({"verdict": "yes"})), &first("verdict"));
    check(with(json!({"id": 7})), &first("id"));
    check(with(json!({"id": ""})), &first("id"));
    check(with(json!({"name": []})), &first("name"));
    check(with(json!({"deny": 1})), &first("deny"));
    check(with(json!({"async": "no"})), &first("async"));
    check(with(json!({"transformed": {}})), &first("transformed"));
    check(with(json!({"execution_time": -1})), &first("execution_time"));
    check(with(json!({"execution_time": "1"})), &first("execution_time"));
    check(with(json!({"checks": {}})), &first("checks"));
    check(with(json!({"checks": [null]})), &first("checks[0]"));
    check(with(json!({"checks": [{"id": "a"}]})), &first("checks[0].verdict"));
    check(with(json!({"checks": [{"verdict": true}]})), &first("checks[0].id"));
    check(with(json!({"checks": [{"id": "a", "verdict": true, "error": 1}]})), &first("checks[0].error"));
    let many = vec![json!({"id": "a", "verdict": true}); CHECKS_MAX + 1];
    check(with(json!({"checks": many})), &first("checks"));
    check(before(&vec![hook(true, json!({})); GUARDRAILS_MAX + 1]), "hook_results.before_request_hooks");
    let most = vec![hook(true, json!({})); GUARDRAILS_MAX];
    check(json!({"before_request_hooks": most, "after_request_hooks": most}), "hook_results");
}

#[test]
fn of_an_answer_only_what_can_be_read_is_kept() {
    let told =
        before(&[hook(true, json!({"id": 7})), hook(true, json!({"id": "é".repeat(300)})), json!(null)]);
    let kept = of_answer(json!({"hook_results": told}).to_string().as_bytes());
    assert_eq!(kept.iter().map(|one| one.id.len()).collect::<Vec<_>>(), [RESULT_NAME_BYTES_MAX]);
    for body in ["", "{", "[]", "{\"hook_results\":7}", "{\"choices\":[{\"hook_results\":{}}]}"] {
        assert!(of_answer(body.as_bytes()).is_empty(), "{body}");
    }
    let mut large = json!({"hook_results": before(&[hook(true, json!({}))]), "choices": ""});
    assert_eq!(of_answer(large.to_string().as_bytes()).len(), 1);
    large["choices"] = "x".repeat(ANSWER_BYTES_MAX).into();
    assert!(of_answer(large.to_string().as_bytes()).is_empty());
    let long = before(&[hook(true, json!({"data": "x".repeat(RESULTS_BYTES_MAX)}))]);
    assert!(of_answer(json!({"hook_results": long}).to_string().as_bytes()).is_empty());
}

#[test]
fn heads_say_whether_to_look() {
    let check = |status: u16, header: Option<&'static str>, expected: bool| {
        let headers = header.map(|name| (name.parse().unwrap(), "x".parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        assert_eq!(may_be_told(StatusCode::from_u16(status).unwrap(), &headers), expected);
    };
    check(200, None, false);
    check(200, Some("x-request-id"), false);
    check(200, Some("x-portkey-trace-id"), true);
    check(246, None, true);
    check(446, None, true);
}

/// Of a stream over every split of its bytes.
#[test]
fn results_are_found_in_streams() {
    let (first, last) =
        (before(&[hook(true, json!({}))]), json!({"after_request_hooks": [hook(false, json!({}))]}));
    let stream = format!(
        "event: hook_results\ndata: {{\"hook_results\":{first}}}\r\n\ndata: {{\"choices\":[{{\"delta\":{{\"content\":\"hook_results\"}}}}]}}\n\n\
         data: [DONE]\n\ndata:{{\"hook_results\":{last}}}\n\n"
    );
    let told = |pieces: &[&[u8]]| {
        let mut events = HookEvents::default();
        pieces
            .iter()
            .flat_map(|piece| events.push(piece))
            .map(|one| (one.phase, one.verdict))
            .collect::<Vec<_>>()
    };
    let expected = [(GuardrailPhase::BeforeRequest, true), (GuardrailPhase::AfterRequest, false)];
    let bytes = stream.as_bytes();
    for split in 0..=bytes.len() {
        let (one, other) = bytes.split_at(split);
        assert_eq!(told(&[one, other]), expected, "{split}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(told(&single), expected);
    let mut events = HookEvents::default();
    let endless = vec![b'x'; RESULTS_BYTES_MAX * 2];
    assert!(events.push(b"data: {\"hook_results\":\"").is_empty() && events.push(&endless).is_empty());
    assert!(format!("{events:?}").len() < 100, "it is not held");
}
