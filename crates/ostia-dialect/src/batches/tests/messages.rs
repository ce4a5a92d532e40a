//! Anthropic's message batches for its own clients.

use serde_json::{Value, json};

use super::super::*;

#[test]
fn requests_become_rows() {
    let params = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "a\nb"}]});
    let body = json!({"requests": [{"custom_id": "a \u{e9}", "params": params}, {"custom_id": "b", "params": {}, "more": 1}]});
    let rows = message_rows(format!("{body:#}").as_bytes()).unwrap();
    let rows: Vec<Value> =
        String::from_utf8(rows).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let row = |custom_id: &str, body: &Value| json!({"custom_id": custom_id, "method": "POST", "url": "/v1/messages", "body": body});
    assert_eq!(rows, [row("a \u{e9}", &params), row("b", &json!({}))]);
}

#[test]
fn what_is_no_batch_is_named() {
    let check = |body: Value, named: &str| {
        let fault = message_rows(body.to_string().as_bytes()).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(named)), "{body}: {fault:?}");
    };
    check(json!({}), "requests");
    check(json!({"requests": {}}), "requests");
    check(json!({"requests": []}), "requests");
    let first = json!({"custom_id": "a", "params": {}});
    check(json!({"requests": [first, {"params": {}}]}), "requests[1].custom_id");
    check(json!({"requests": [first, {"custom_id": 7, "params": {}}]}), "requests[1].custom_id");
    check(json!({"requests": [{"custom_id": "a"}]}), "requests[0].params");
    check(json!({"requests": [{"custom_id": "a", "params": []}]}), "requests[0].params");
}

#[test]
fn rows_of_results_become_the_vendors() {
    let check = |line: Vec<u8>, expected: Value| {
        let told = message_result(line.trim_ascii_end()).unwrap();
        assert_eq!(told.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(
            serde_json::from_slice::<Value>(&told).unwrap(),
            json!({"custom_id": "a\"", "result": expected})
        );
    };
    let answer = |status: u16, body: &str| encode_answer(("b", 1), "a\"", status, "r", body.as_bytes());
    check(
        answer(200, r#"{"type":"message","n":1.0}"#),
        json!({"type": "succeeded", "message": {"type": "message", "n": 1.0}}),
    );
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}});
    check(answer(529, &error.to_string()), json!({"type": "errored", "error": error}));
    let said = |words: &str| json!({"type": "errored", "error": {"type": "error", "error": {"type": "api_error", "message": words}}});
    check(answer(502, "no json"), said("no json"));
    check(encode_fault(("b", 1), "a\"", "batch_cancelled", "Gone."), json!({"type": "canceled"}));
    check(encode_fault(("b", 1), "a\"", "batch_expired", "Late."), json!({"type": "expired"}));
    check(encode_fault(("b", 1), "a\"", "credentials_lost", "No key."), said("No key."));
    for line in ["", "[]", "{}", r#"{"custom_id":7}"#] {
        assert_eq!(message_result(line.as_bytes()).map_err(|fault| fault.status), Err(502), "{line}");
    }
}

#[test]
fn results_are_where_they_were_asked_for() {
    let check = |answer: &str, expected: &str| {
        assert_eq!(String::from_utf8(with_results_here(answer.into())).unwrap(), expected);
    };
    let url = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results";
    check(
        &format!(r#"{{ "id":"msgbatch_1","results_url": "{url}","n":1.0 }}"#),
        r#"{ "id":"msgbatch_1","results_url": "/v1/messages/batches/msgbatch_1/results","n":1.0 }"#,
    );
    check(
        &format!(
            r#"{{"data":[{{"id":"a","results_url":null}},{{"results_url":"{url}","id":"b"}},7],"has_more":false}}"#
        ),
        r#"{"data":[{"id":"a","results_url":null},{"results_url":"/v1/messages/batches/b/results","id":"b"},7],"has_more":false}"#,
    );
    for same in
        ["", "[]", "no", r#"{"id":"a"}"#, r#"{"id":"../a","results_url":"x"}"#, r#"{"results_url":"x"}"#]
    {
        check(same, same);
    }
}
