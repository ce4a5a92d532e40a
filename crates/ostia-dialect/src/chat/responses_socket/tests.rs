#![allow(clippy::unwrap_used)]
use super::*;

fn create(text: &str) -> Create {
    match decode(text.as_bytes()).unwrap() {
        Said::Create(create) => create,
        Said::Steer(_) | Said::Processed => unreachable!("{text}"),
    }
}

/// The lane without a name.
fn lane() -> LaneId {
    let mut lanes = Lanes::default();
    lanes.add(Ok(create(r#"{"type":"response.create"}"#))).unwrap();
    lanes.begin().unwrap().0
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
        (r#"{"type":"response.cancel"}"#, Some("type")),
        (r#"{"type":"response.steer"}"#, Some("previous_response_id")),
        (r#"{"type":"response.steer","previous_response_id":7,"input":"x"}"#, Some("previous_response_id")),
        (r#"{"type":"response.steer","previous_response_id":"resp_1"}"#, Some("input")),
        (r#"{"type":"response.create","background":true}"#, Some("background")),
        (r#"{"type":"response.create","generate":"no"}"#, Some("generate")),
        ("[]", None),
        ("{", None),
        ("", None),
    ] {
        let fault = decode(message.as_bytes()).unwrap_err().fault;
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
    let [_, completed] = prepared(&options);
    chain.remember(lane(), br#"{"model":"m","input":"Be brief."}"#, &completed);
    let body = br#"{"model":"m","previous_response_id":"resp_1","input":[{"role":"user","content":"Hi"}],"stream":true}"#;
    let whole = chain.recall(body).unwrap().unwrap();
    assert_eq!(
        text(&whole),
        r#"{"model":"m","input":[{"type":"message","role":"user","content":"Be brief."},{"role":"user","content":"Hi"}],"stream":true}"#
    );
    let completed = r#"{"type":"response.completed","response":{"id":"resp_2","output":[
        {"type":"reasoning","id":"rs_1","summary":[]},{"type":"reasoning","id":"rs_2","encrypted_content":"x"},
        {"type":"message","id":"msg_1"}]}}"#;
    chain.remember(lane(), &whole, completed);
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
        chain.remember(lane(), format!(r#"{{"input":"{input}"}}"#).as_bytes(), &completed);
    }
    let recall = |id: &str| chain.recall(format!(r#"{{"previous_response_id":"{id}"}}"#).as_bytes()).unwrap();
    assert!(recall("resp_0").is_none() && recall("resp_1").is_none() && recall("resp_2").is_some());
}

#[test]
fn names_of_lanes() {
    let long = "x".repeat(256);
    for name in ["a", "A-b_9.z", long.as_str()] {
        let message = format!(r#"{{"type":"response.create","stream_id":"{name}"}}"#);
        assert_eq!(create(&message).stream_id, Some(format!("\"{name}\"")));
    }
    let longer = format!("\"{}\"", "x".repeat(257));
    for name in [r#""""#, r#""a b""#, r#""\u00e9""#, r#""a\"b""#, "7", "{}", longer.as_str()] {
        let message = format!(r#"{{"type":"response.create","stream_id":{name}}}"#);
        let refused = decode(message.as_bytes()).unwrap_err();
        assert_eq!(refused.fault.code.as_deref(), Some("invalid_stream_id"), "{name}");
        assert_eq!((refused.fault.param.as_deref(), refused.stream_id), (Some("stream_id"), None), "{name}");
    }
    // What is wrong besides is told to the lane.
    let refused = decode(br#"{"type":"response.create","stream_id":"a","background":true}"#).unwrap_err();
    assert_eq!(refused.stream_id.as_deref(), Some(r#""a""#));
}

fn in_lane(name: &str) -> Create {
    match name {
        "" => create(r#"{"type":"response.create"}"#),
        name => create(&format!(r#"{{"type":"response.create","stream_id":"{name}"}}"#)),
    }
}

/// Begins what may begin: the names of its lanes.
fn begun(lanes: &mut Lanes) -> Vec<(LaneId, String)> {
    std::iter::from_fn(|| lanes.begin())
        .map(|(lane, asked)| (lane, asked.unwrap().stream_id.unwrap_or_default().replace('"', "")))
        .collect()
}

#[test]
fn one_lane_is_answered_in_order_and_several_at_once() {
    let mut lanes = Lanes::default();
    for name in ["a", "b", "a", "", "b", ""] {
        lanes.add(Ok(in_lane(name))).unwrap();
    }
    let first = begun(&mut lanes);
    assert_eq!(first.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["a", "b", ""]);
    assert!(lanes.are_awaited());
    lanes.end(first[1].0);
    assert_eq!(begun(&mut lanes), [(first[1].0, "b".to_owned())]);
    lanes.end(first[2].0);
    lanes.end(first[0].0);
    assert_eq!(begun(&mut lanes), [(first[0].0, "a".to_owned()), (first[2].0, String::new())]);
    assert!(!lanes.are_awaited());
}

#[test]
fn so_many_are_answered_at_once_and_so_many_wait() {
    let mut lanes = Lanes::default();
    for number in 0..16 {
        lanes.add(Ok(in_lane(&format!("l{number}")))).unwrap();
    }
    assert!(!lanes.has_room());
    let active = begun(&mut lanes);
    assert_eq!((active.len(), lanes.has_room()), (16, true));
    lanes.add(Ok(in_lane("one-more"))).unwrap();
    assert!(lanes.begin().is_none());
    lanes.end(active[3].0);
    assert_eq!(begun(&mut lanes)[0].1, "one-more");
    // A few large ones are as many.
    let large = Create { body: vec![b' '; 1 << 20], ..in_lane("l0") };
    lanes.add(Ok(large)).unwrap();
    assert!(!lanes.has_room());
}

#[test]
fn a_connection_has_so_many_names() {
    let mut lanes = Lanes::default();
    for number in 0..32 {
        lanes.add(Ok(in_lane(&format!("l{number}")))).unwrap();
    }
    let refused = lanes.add(Ok(in_lane("l32"))).unwrap_err();
    assert_eq!(refused.fault.code.as_deref(), Some("websocket_stream_limit_reached"));
    assert_eq!(refused.stream_id.as_deref(), Some(r#""l32""#));
    for name in ["", "l7"] {
        lanes.add(Ok(in_lane(name))).unwrap();
    }
}

#[test]
fn the_last_answer_of_each_lane_is_kept_longest() {
    let mut lanes = Lanes::default();
    for name in ["a", "b"] {
        lanes.add(Ok(in_lane(name))).unwrap();
    }
    let [(a, _), (b, _)]: [(LaneId, String); 2] = begun(&mut lanes).try_into().unwrap();
    let mut chain = Chain::new(1500);
    let input = "x".repeat(600);
    for (lane, id) in [(a, "a1"), (b, "b1"), (b, "b2"), (b, "b3")] {
        let completed = format!(r#"{{"response":{{"id":"{id}","output":[]}}}}"#);
        chain.remember(lane, format!(r#"{{"input":"{input}"}}"#).as_bytes(), &completed);
    }
    let recall = |id: &str| chain.recall(format!(r#"{{"previous_response_id":"{id}"}}"#).as_bytes()).unwrap();
    let kept = ["a1", "b1", "b2", "b3"].map(|id| recall(id).is_some());
    assert_eq!(kept, [true, false, false, true]);
}

#[test]
fn events_are_moved() {
    let data = r#"{"type":"x","sequence_number":4,"a":[ 1.50 ]}"#;
    assert_eq!(number(data), Some(4));
    assert_eq!(moved(data.into(), 0), data);
    assert_eq!(moved(data.into(), 2), data.replace('4', "6"));
    assert_eq!(moved("{}".into(), 2), "{}");
    let created = r#"{"type":"response.created","response":{"id":"resp_1","output":[]}}"#;
    assert_eq!(response_id(created).as_deref(), Some("resp_1"));
}

fn steer(input: &str) -> Steer {
    let text = format!(r#"{{"type":"response.steer","previous_response_id":"resp_1","input":{input}}}"#);
    match decode(text.as_bytes()).unwrap() {
        Said::Steer(steer) => steer,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn what_may_be_said_meanwhile() {
    for (input, items) in [
        (r#""Be brief.""#, r#"{"type":"message","role":"user","content":"Be brief."}"#),
        (r#"[{"role":"user","content":"x"}]"#, r#"{"role":"user","content":"x"}"#),
        (
            r#"[{"type":"message","role":"user","content":[{"type":"input_image","image_url":"u"}]},{"role":"user","content":"y"}]"#,
            r#"{"type":"message","role":"user","content":[{"type":"input_image","image_url":"u"}]},{"role":"user","content":"y"}"#,
        ),
    ] {
        let steer = steer(input);
        assert_eq!((steer.input.as_str(), steer.items.as_deref()), (input, Ok(items)));
    }
    for input in [
        "7",
        "[]",
        "{}",
        r#"["x"]"#,
        r#"[{"role":"system","content":"x"}]"#,
        r#"[{"role":"user"}]"#,
        r#"[{"role":"user","content":[]}]"#,
        r#"[{"role":"user","content":"x","id":"m"}]"#,
        r#"[{"role":"user","content":[{"type":"output_text","text":"x"}]}]"#,
        r#"[{"type":"function_call_output","call_id":"c","output":"x"}]"#,
    ] {
        assert!(steer(input).items.is_err(), "{input}");
    }
    let named =
        decode(br#"{"type":"response.steer","previous_response_id":"r","input":"x","stream_id":"a"}"#);
    let Ok(Said::Steer(named)) = named else { unreachable!() };
    assert!(named.items.unwrap_err().contains("`stream_id`"));
}

#[test]
fn what_is_heard_of_it() {
    let queued = steer::Queued { id: "steer_1".into(), steer: steer(r#""x""#) };
    assert_eq!(
        steer::accepted(4, &queued, Some(r#""a""#)),
        r#"{"stream_id":"a","type":"response.steer.accepted","sequence_number":4,"steer":{"id":"steer_1","previous_response_id":"resp_1"}}"#
    );
    assert_eq!(
        steer::pending(12, &queued, &[r#"{"type":"x"}"#.into()], None),
        r#"{"type":"response.steer.pending","sequence_number":12,"steer":{"id":"steer_1","previous_response_id":"resp_1"},"reason":"waiting_for_required_input","required_input":[{"type":"x"}]}"#
    );
    let told = steer::failed(0, None, &queued.steer, steer::Unsaid::Completed, None);
    let document = Document::parse(told.as_bytes()).unwrap();
    let (told, error) = (document.root().get("steer").unwrap(), document.root().get("error").unwrap());
    assert_eq!(told.text(), r#"{"previous_response_id":"resp_1","input":"x"}"#);
    assert_eq!(error.str("code").as_deref(), Some("response_already_completed"));
}

#[test]
fn what_only_the_client_has() {
    let check = |output: &str, expected: &[&str]| {
        let event = format!(r#"{{"type":"response.completed","response":{{"id":"r","output":[{output}]}}}}"#);
        assert_eq!(steer::required_input(&event), expected, "{output}");
    };
    check(r#"{"type":"message","content":[]}"#, &[]);
    check(
        r#"{"type":"function_call","id":"fc","call_id":"c1","name":"f","arguments":"{}"},{"type":"custom_tool_call","call_id":"c2","name":"g","input":""}"#,
        &[
            r#"{"type":"function_call_output","call_id":"c1","name":"f"}"#,
            r#"{"type":"custom_tool_call_output","call_id":"c2"}"#,
        ],
    );
    // The provider ran the first.
    check(
        r#"{"type":"shell_call","call_id":"c1"},{"type":"shell_call_output","call_id":"c1"},{"type":"shell_call","call_id":"c2"}"#,
        &[r#"{"type":"shell_call_output","call_id":"c2"}"#],
    );
    check(
        r#"{"type":"mcp_approval_request","id":"m1"},{"type":"tool_search_call","call_id":"t1","execution":"server"},{"type":"tool_search_call","call_id":"t2","execution":"client"}"#,
        &[
            r#"{"type":"mcp_approval_response","approval_request_id":"m1"}"#,
            r#"{"type":"tool_search_output","call_id":"t2","execution":"client"}"#,
        ],
    );
    assert!(steer::required_input("{").is_empty());
}

#[test]
fn it_stands_in_the_next_request() {
    let queued = [r#""one""#, r#"[{"role":"user","content":"two"}]"#]
        .map(|input| steer::Queued { id: "s".into(), steer: steer(input) });
    let said = r#"{"type":"message","role":"user","content":"one"},{"role":"user","content":"two"}"#;
    let body = br#"{"model":"m","input":[{"type":"function_call_output"}],"stream":true}"#;
    assert_eq!(
        text(&steer::before_input(body, &queued).unwrap()),
        format!(r#"{{"model":"m","input":[{said},{{"type":"function_call_output"}}],"stream":true}}"#)
    );
    assert!(steer::before_input(br#"{"input":7}"#, &queued).is_err());
    let body = br#"{"model":"m","previous_response_id":"resp_0","input":"before","store":false}"#;
    assert_eq!(
        text(&steer::successor(body, "resp_1", &queued).unwrap()),
        format!(r#"{{"model":"m","previous_response_id":"resp_1","input":[{said}],"store":false}}"#)
    );
}

#[test]
fn what_cannot_be_steered() {
    for (fields, is_steerable) in [
        ("", true),
        (r#","conversation":null"#, true),
        (r#","conversation":"conv_1""#, false),
        (r#","context_management":[{"type":"compaction"}]"#, false),
        (r#","multi_agent":{"enabled":true}"#, false),
    ] {
        let message = format!(r#"{{"type":"response.create"{fields}}}"#);
        assert_eq!(create(&message).is_steerable, is_steerable, "{fields}");
    }
}
