#![allow(clippy::unwrap_used, clippy::panic)]

mod embedded;
mod forms;
mod messages;
mod results;
mod stored;

use super::*;

#[test]
fn lines_however_they_are_cut() {
    let text = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}\n\r\n\"c\xc3\xa9\"";
    let expected = [(1, b"{\"a\":1}".to_vec()), (4, b"{\"b\":2}".to_vec()), (6, b"\"c\xc3\xa9\"".to_vec())];
    for cut in 0..=text.len() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut each = |line: Line<'_>| -> Result<(), TooLong> {
            found.push((line.number, line.text.to_vec()));
            Ok(())
        };
        lines.push(&text[..cut], &mut each).unwrap();
        lines.push(&text[cut..], &mut each).unwrap();
        lines.finish(&mut each).unwrap();
        assert_eq!(found, expected, "{cut}");
    }
}

#[test]
fn a_line_is_no_longer_than_its_bound() {
    let piece = vec![b'x'; 1 << 20];
    let mut lines = Lines::default();
    let mut each = |_: Line<'_>| -> Result<(), TooLong> { Ok(()) };
    lines.push(b"short\n", &mut each).unwrap();
    for _ in 0..LINE_BYTES_MAX >> 20 {
        lines.push(&piece, &mut each).unwrap();
    }
    assert_eq!(lines.push(b"x", &mut each), Err(TooLong(2)));
    assert_eq!(lines.push(b"\n", &mut each), Ok(()), "as long as it may be");
    let mut lines = Lines::of_results();
    for _ in 0..RESULT_BYTES_MAX >> 20 {
        lines.push(&piece, &mut each).unwrap();
    }
    assert_eq!(lines.push(b"x", &mut each), Err(TooLong(1)));
}

#[test]
fn rows() {
    let line = br#"{"custom_id":"a \u00e9","method":"POST","url":"/v1/chat/completions","body": {"model":"m"}, "more":1}"#;
    let row = Row::read(line).unwrap();
    assert_eq!((&*row.custom_id, &*row.url), ("a \u{e9}", "/v1/chat/completions"));
    assert_eq!(&line[row.body], br#"{"model":"m"}"#);
}

#[test]
fn what_is_wrong_with_a_row_is_named() {
    let check = |line: &str, code: &str, words: &str| {
        let fault = Row::read(line.as_bytes()).unwrap_err();
        assert!(fault.code == code && fault.message.contains(words), "{line}: {fault:?}");
        let told = fault.of_line(7);
        assert!(told.status == 400 && told.message.starts_with("Line 7 of the file "), "{told:?}");
    };
    check("{", "invalid_json_line", "is no JSON");
    check("[]", "invalid_json_line", "no JSON object");
    check(r#"{"method":"POST"}"#, "missing_required_parameter", "`custom_id`");
    check(r#"{"custom_id":null}"#, "missing_required_parameter", "`custom_id`");
    check(r#"{"custom_id":7}"#, "invalid_type", "`custom_id`");
    check(r#"{"custom_id":""}"#, "invalid_custom_id", "empty");
    check(r#"{"custom_id":"a"}"#, "missing_required_parameter", "`method`");
    check(r#"{"custom_id":"a","method":"GET","url":"/"}"#, "invalid_method", "`method`");
    check(r#"{"custom_id":"a","method":"POST"}"#, "missing_required_parameter", "`url`");
    check(r#"{"custom_id":"a","method":"POST","url":"/"}"#, "missing_required_parameter", "`body`");
    check(r#"{"custom_id":"a","method":"POST","url":"/","body":"x"}"#, "invalid_body", "no object");
    check(
        r#"{"custom_id":"a","method":"POST","url":"/","body":{"stream":true}}"#,
        "invalid_body",
        "`stream`",
    );
    check(
        r#"{"custom_id":"a","method":"POST","url":"/","body":{"background":true}}"#,
        "invalid_body",
        "`background`",
    );
    check(&format!(r#"{{"custom_id":"{}"}}"#, "x".repeat(513)), "invalid_custom_id", "512");
}

#[test]
fn answers() {
    let check = |line: Vec<u8>, expected: &str| {
        assert_eq!(String::from_utf8(line.clone()).unwrap(), format!("{expected}\n"));
        assert_eq!(number_of(&line, "b1"), Some(12));
        assert_eq!(number_of(&line, "b2"), None);
        for end in 0..line.len() - 1 {
            assert_eq!(number_of(&line[..end], "b1"), None, "cut off at {end}");
        }
    };
    check(
        encode_answer(("b1", 12), "a\"", 200, "r", b"{\n  \"text\": \"a\\n\",\r\n \"n\": 1.0\n}\n"),
        r#"{"id":"batch_req_b1_12","custom_id":"a\"","response":{"status_code":200,"request_id":"r","body":{   "text": "a\n",   "n": 1.0 }},"error":null}"#,
    );
    check(
        encode_answer(("b1", 12), "a", 502, "r", b"no \xff\njson"),
        "{\"id\":\"batch_req_b1_12\",\"custom_id\":\"a\",\"response\":{\"status_code\":502,\"request_id\":\"r\",\"body\":\"no \u{fffd}\\njson\"},\"error\":null}",
    );
    check(
        encode_fault(("b1", 12), "a", "batch_expired", "Late."),
        r#"{"id":"batch_req_b1_12","custom_id":"a","response":null,"error":{"code":"batch_expired","message":"Late."}}"#,
    );
}
