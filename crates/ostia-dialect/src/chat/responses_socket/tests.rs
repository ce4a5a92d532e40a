#![allow(clippy::unwrap_used)]
use super::*;

fn create(text: &str) -> Create {
    match decode(text.as_bytes()).unwrap() {
        Said::Create(create) => create,
        Said::Processed => unreachable!("{text}"),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_request_is_the_one_that_would_have_been_posted() {
    for (message, body, stream_id, generates, store) in [
        (
            r#"{"type":"response.create","model":"m","input":"Hi"}"#,
            r#"{"model":"m","input":"Hi","stream":true}"#,
            None,
            true,
            true,
        ),
        (
            r#"{"type":"response.create","stream_id":"main","model":"m","store":false,"generate":false,"input":[ 1.50 ]}"#,
            r#"{"model":"m","store":false,"input":[ 1.50 ],"stream":true}"#,
            Some(r#""main""#),
            false,
            false,
        ),
        (
            r#"{"model":"m","type":"response.create","stream":false,"background":false}"#,
            r#"{"model":"m","stream":true}"#,
            None,
            true,
            true,
        ),
    ] {
        let create = create(message);
        assert_eq!(text(&create.body), body);
        assert_eq!(
            (create.stream_id.as_deref(), create.generates, create.store),
            (stream_id, generates, store)
        );
    }
    assert_eq!(decode(br#"{"type":"response.processed","response_id":"r"}"#).unwrap(), Said::Processed);
}

#[test]
fn what_is_no_request_is_refused_by_name() {
    for (message, param) in [
        (r#"{"model":"m"}"#, Some("type")),
        (r#"{"type":7}"#, Some("type")),
        (r#"{"type":"response.steer"}"#, Some("type")),
        (r#"{"type":"response.create","background":true}"#, Some("background")),
        (r#"{"type":"response.create","generate":"no"}"#, Some("generate")),
        ("[]", None),
        ("{", None),
        ("", None),
    ] {
        let fault = decode(message.as_bytes()).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, param), "{message}: {fault}");
    }
}

#[test]
fn events_are_messages() {
    let data = r#"{"type":"response.created","sequence_number":0}"#;
    assert_eq!(message(data, None), data);
    assert_eq!(
        message(data, Some(r#""a""#)),
        r#"{"stream_id":"a","type":"response.created","sequence_number":0}"#
    );
    assert_eq!(error_message("{}", 502, None), r#"{"status":502}"#);
    assert_eq!(
        error_message(r#"{"type":"error"}"#, 502, Some("1")),
        r#"{"stream_id":1,"status":502,"type":"error"}"#
    );
}

#[test]
fn errors_have_a_status() {
    let body = br#"{"error":{"type":"rate_limit_error","message":"slowly"}}"#;
    assert_eq!(
        refused(429, body, [("retry-after", "3")].into_iter(), None),
        r#"{"type":"error","status":429,"error":{"type":"rate_limit_error","message":"slowly"},"headers":{"retry-after":"3"}}"#
    );
    let no_json = refused(502, b"<html>", std::iter::empty(), Some(r#""a""#));
    assert!(
        no_json.starts_with(r#"{"type":"error","stream_id":"a","status":502,"error":{"type":"server_error""#)
    );
    let told = fault(&Fault::invalid("no").with_param("model").with_code("x"), None);
    let document = Document::parse(told.as_bytes()).unwrap();
    let error = document.root().get("error").unwrap();
    assert_eq!((error.str("code").as_deref(), error.str("param").as_deref()), (Some("x"), Some("model")));
}

#[test]
fn a_turn_goes_on_from_one_that_only_the_connection_remembers() {
    let mut chain = Chain::new(1 << 20);
    let options = RenderOptions { id_suffix: "1".into(), model: "m".into(), ..RenderOptions::default() };
    let [_, completed] = prepared(&options, None);
    chain.remember(br#"{"model":"m","input":"Be brief."}"#, &completed);
    let body = br#"{"model":"m","previous_response_id":"resp_1","input":[{"role":"user","content":"Hi"}],"stream":true}"#;
    let whole = chain.recall(body).unwrap().unwrap();
    assert_eq!(
        text(&whole),
        r#"{"model":"m","input":[{"type":"message","role":"user","content":"Be brief."},{"role":"user","content":"Hi"}],"stream":true}"#
    );
    let completed = r#"{"type":"response.completed","response":{"id":"resp_2","output":[
        {"type":"reasoning","id":"rs_1","summary":[]},{"type":"reasoning","id":"rs_2","encrypted_content":"x"},
        {"type":"message","id":"msg_1"}]}}"#;
    chain.remember(&whole, completed);
    let body = br#"{"previous_response_id":"resp_2"}"#;
    assert_eq!(
        text(&chain.recall(body).unwrap().unwrap()),
        r#"{"input":[{"type":"message","role":"user","content":"Be brief."},{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_2","encrypted_content":"x"},{"type":"message","id":"msg_1"}]}"#
    );
    for body in
        [r#"{"previous_response_id":"resp_9"}"#, r#"{"previous_response_id":null}"#, r#"{"input":"x"}"#]
    {
        assert_eq!(chain.recall(body.as_bytes()).unwrap(), None, "{body}");
    }
    assert!(chain.recall(br#"{"previous_response_id":"resp_1","input":7}"#).is_err());
}

#[test]
fn a_connection_remembers_so_much_and_always_the_last() {
    let mut chain = Chain::new(1000);
    let input = "x".repeat(600);
    for number in 0..3 {
        let completed = format!(r#"{{"response":{{"id":"resp_{number}","output":[]}}}}"#);
        chain.remember(format!(r#"{{"input":"{input}"}}"#).as_bytes(), &completed);
    }
    let recall = |id: &str| chain.recall(format!(r#"{{"previous_response_id":"{id}"}}"#).as_bytes()).unwrap();
    assert!(recall("resp_0").is_none() && recall("resp_1").is_none() && recall("resp_2").is_some());
}
