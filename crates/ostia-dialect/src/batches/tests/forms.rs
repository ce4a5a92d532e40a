//! Batches in the forms of their vendors.

use super::super::*;
use crate::json::Document;
use crate::{Api, ClientDialect, Dialect, Undo};

const VENDORS: [(&str, &BatchForm); 3] =
    [("anthropic", &ANTHROPIC), ("gemini", &GEMINI), ("mistral", &MISTRAL)];

const NEW: NewBatch<'static> =
    NewBatch { name: "batch_1", api: Api::OpenaiBatches, model: "m", endpoint: "/v1/chat/completions" };

#[test]
fn a_row_is_one_line_with_its_key() {
    let check = |form: &BatchForm, expected: &str| {
        let mut out = b"before".to_vec();
        (form.encode_row)(&mut out, "12", b" {\n \"model\": \"m\",\r\n \"a\":\"\\n\" }\n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{expected}"));
        assert!((form.encode_row)(&mut Vec::new(), "12", b"\xff").is_err());
    };
    check(&ANTHROPIC, r#"{"custom_id":"12","params":{  "model": "m",   "a":"\n" }}"#);
    check(&GEMINI, r#"{"key":"12","request":{  "model": "m",   "a":"\n" }}"#);
    let mut out = Vec::new();
    (MISTRAL.encode_row)(&mut out, "12", b"{\n\"model\": \"m\",\n\"a\":\"\\n\"}").unwrap();
    let row: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(row, serde_json::json!({"custom_id": "12", "body": {"a": "\n"}}), "the job says the model");
    assert!(!out.contains(&b'\n'));
}

#[test]
fn states() {
    let check = |form: &BatchForm, body: &str, expected: State| {
        assert_eq!(form.read(body.as_bytes()).unwrap(), expected, "{body}");
    };
    let found = |id: &str, output: Option<&str>, errors: Option<&str>| Found {
        id: id.to_owned(),
        output: output.map(str::to_owned),
        errors: errors.map(str::to_owned),
    };
    let anthropic = |status: &str, cancel: &str, counts: &str| {
        format!(
            r#"{{"id":"msgbatch_01","type":"message_batch","processing_status":"{status}","request_counts":{counts},
                "ended_at":null,"expires_at":"2026-08-20T14:44:51.493319+00:00","cancel_initiated_at":{cancel}}}"#
        )
    };
    let counts = r#"{"processing":2,"succeeded":3,"errored":4,"canceled":5,"expired":0}"#;
    let open = State {
        found: found("msgbatch_01", None, None),
        completed: 3,
        failed: 9,
        expires_s: Some(1_787_237_091),
        ..State::default()
    };
    check(&ANTHROPIC, &anthropic("in_progress", "null", counts), open.clone());
    check(
        &ANTHROPIC,
        &anthropic("ended", "null", counts),
        State { status: Status::Completed, ..open.clone() },
    );
    let time = "\"2026-08-20T14:44:51Z\"";
    let cancelling = State { cancelling_s: Some(1_787_237_091), status: Status::Cancelling, ..open.clone() };
    check(&ANTHROPIC, &anthropic("canceling", time, counts), cancelling.clone());
    check(&ANTHROPIC, &anthropic("ended", time, counts), State { status: Status::Cancelled, ..cancelling });
    let late = r#"{"succeeded":3,"errored":4,"expired":5}"#;
    check(&ANTHROPIC, &anthropic("ended", "null", late), State { status: Status::Expired, ..open });
    // As recorded.
    check(
        &GEMINI,
        r#"{"name":"batches/31u18","metadata":{"@type":"x","model":"models/gemini-2.5-flash","updateTime":"2026-08-19T14:34:12.2Z",
            "batchStats":{"requestCount":"2","pendingRequestCount":"2"},"state":"BATCH_STATE_PENDING","name":"batches/31u18"}}"#,
        State { found: found("31u18", None, None), ..State::default() },
    );
    for (word, status) in [
        ("BATCH_STATE_SUCCEEDED", Status::Completed),
        ("JOB_STATE_CANCELLED", Status::Cancelled),
        ("BATCH_STATE_FAILED", Status::Failed),
        ("BATCH_STATE_EXPIRED", Status::Expired),
    ] {
        let body = format!(
            r#"{{"name":"batches/b","metadata":{{"state":"{word}","endTime":"2026-08-20T14:44:51Z","batchStats":
                {{"successfulRequestCount":"1","failedRequestCount":2}},"output":{{"responsesFile":"files/batch-b"}}}},
                "error":{{"code":3,"message":"Why."}}}}"#
        );
        let state = State {
            found: found("b", Some("batch-b"), None),
            status,
            completed: 1,
            failed: 2,
            ended_s: Some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        check(&GEMINI, &body, state);
    }
    for (word, status) in [
        ("QUEUED", Status::InProgress),
        ("RUNNING", Status::InProgress),
        ("SUCCESS", Status::Completed),
        ("FAILED", Status::Failed),
        ("TIMEOUT_EXCEEDED", Status::Expired),
        ("CANCELLATION_REQUESTED", Status::Cancelling),
        ("CANCELLED", Status::Cancelled),
    ] {
        let body = format!(
            r#"{{"id":"b-1","status":"{word}","succeeded_requests":1,"failed_requests":2,"output_file":"o-1","error_file":null,
                "completed_at":7,"errors":[{{"message":"Why.","count":1}}]}}"#
        );
        let state = State {
            found: found("b-1", Some("o-1"), None),
            status,
            completed: 1,
            failed: 2,
            ended_s: Some(7),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        check(&MISTRAL, &body, state);
    }
}

#[test]
fn an_id_that_leads_elsewhere_is_none() {
    let check = |form: &BatchForm, body: String| {
        let fault = form.read(body.as_bytes()).unwrap_err();
        assert_eq!(fault.status, 502, "{body}: {fault:?}");
    };
    for id in ["a/../b", "a?b", "", "a b", "a%2fb", &"x".repeat(257)] {
        check(&ANTHROPIC, format!(r#"{{"id":"{id}","processing_status":"ended"}}"#));
        check(&GEMINI, format!(r#"{{"name":"batches/{id}","metadata":{{"state":"BATCH_STATE_RUNNING"}}}}"#));
        check(&MISTRAL, format!(r#"{{"id":"{id}","status":"RUNNING"}}"#));
        check(&MISTRAL, format!(r#"{{"id":"a","status":"SUCCESS","output_file":"{id}/"}}"#));
    }
    for (_, form) in VENDORS {
        for body in ["", "[]", "{}", "{", "null", r#"{"id":7,"name":7}"#] {
            check(form, body.to_owned());
        }
    }
    let upload = |form: &BatchForm, body: &str| BatchForm::read_upload(form.upload.unwrap(), body.as_bytes());
    assert_eq!(upload(&GEMINI, r#"{"file":{"name":"files/a-1"}}"#).unwrap(), "a-1");
    assert_eq!(upload(&MISTRAL, r#"{"id":"a-1"}"#).unwrap(), "a-1");
    for body in [r#"{"file":{"name":"files/../a"}}"#, r#"{"file":{"name":"a"}}"#, "{}", ""] {
        assert!(upload(&GEMINI, body).is_err() && upload(&MISTRAL, body).is_err(), "{body}");
    }
}

#[test]
fn steps() {
    let found = Found { id: "i".to_owned(), output: Some("o".to_owned()), errors: None };
    let check = |step: Step, is_post: bool, place: Place| {
        assert_eq!((step.is_post, step.place), (is_post, place));
    };
    let behind = |api: Api, path: &str| Place::Behind(api, path.to_owned());
    let path = |path: &str| Place::Path(path.to_owned());
    check((ANTHROPIC.status)("i"), false, behind(Api::AnthropicBatches, "/i"));
    check((ANTHROPIC.cancel)("i"), true, behind(Api::AnthropicBatches, "/i/cancel"));
    for part in [Part::Output, Part::Errors] {
        check((ANTHROPIC.results)(&found, part).unwrap(), false, behind(Api::AnthropicBatches, "/i/results"));
        let download = path("/download/v1beta/files/o:download?alt=media");
        check((GEMINI.results)(&found, part).unwrap(), false, download);
    }
    check((GEMINI.status)("i"), false, path("/v1beta/batches/i"));
    check((GEMINI.cancel)("i"), true, path("/v1beta/batches/i:cancel"));
    check((MISTRAL.status)("i"), false, behind(Api::MistralBatches, "/i"));
    check((MISTRAL.cancel)("i"), true, behind(Api::MistralBatches, "/i/cancel"));
    check((MISTRAL.results)(&found, Part::Output).unwrap(), false, behind(Api::OpenaiFiles, "/o/content"));
    assert_eq!((MISTRAL.results)(&found, Part::Errors), None);
    let json = |step: Step| match step.content {
        Content::Json(json) => String::from_utf8(json).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        json((MISTRAL.create)(&NEW, "f")),
        r#"{"input_files":["f"],"model":"m","endpoint":"/v1/chat/completions","metadata":{"batch":"batch_1"}}"#
    );
    assert_eq!(
        json((GEMINI.create)(&NEW, "f")),
        r#"{"batch":{"displayName":"batch_1","inputConfig":{"fileName":"files/f"}}}"#
    );
}

/// What is told of a row.
fn told(form: &BatchForm, row: &AskedRow, line: &str) -> (Part, serde_json::Value) {
    let document = Document::parse_to(line.as_bytes(), 3).unwrap();
    let result = (form.decode_result)(document.root()).unwrap();
    assert_eq!(result.key, "12");
    let telling = Telling { batch: "b_1".to_owned(), provider: "up".to_owned(), strict: true, created_s: 77 };
    let line = row.tell(12, &result.outcome, &telling);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    (result.outcome.part(), serde_json::from_slice(&line).unwrap())
}

fn asked(upstream: Dialect) -> AskedRow {
    let reading = AskedReading::Conversation {
        client: ClientDialect::OpenaiChat,
        upstream,
        model: "m".to_owned(),
        undo: Undo::default(),
    };
    // As it is when it was kept.
    let kept = AskedRow { custom_id: "mine \u{e9}".to_owned(), reading }.encode();
    AskedRow::decode(&kept).unwrap()
}

#[test]
fn results_in_the_words_of_the_client() {
    let check = |form: &BatchForm, upstream: Dialect, line: &str| {
        let (part, told) = told(form, &asked(upstream), line);
        assert_eq!(
            (part, &told["custom_id"], &told["error"]),
            (Part::Output, &"mine \u{e9}".into(), &().into())
        );
        let response = &told["response"];
        let body = &response["body"];
        assert_eq!((&response["status_code"], &body["object"]), (&200.into(), &"chat.completion".into()));
        assert_eq!(body["choices"][0]["message"]["content"], "6", "{body}");
    };
    // As recorded.
    check(
        &ANTHROPIC,
        Dialect::AnthropicMessages,
        r#"{"custom_id":"12","result":{"type":"succeeded","message":{"model":"claude-haiku-4-5-20251001","id":"msg_0","type":"message",
            "role":"assistant","content":[{"type":"text","text":"6"}],"stop_reason":"end_turn","stop_sequence":null,"usage":
            {"input_tokens":20,"output_tokens":5,"service_tier":"batch"}}}}"#,
    );
    check(
        &GEMINI,
        Dialect::GeminiGenerate,
        r#"{"key":"12","response":{"candidates":[{"content":{"parts":[{"text":"6"}],"role":"model"},"finishReason":"STOP","index":0}],
            "usageMetadata":{"promptTokenCount":13,"candidatesTokenCount":1,"totalTokenCount":14}}}"#,
    );
    check(
        &MISTRAL,
        Dialect::OpenaiChat,
        r#"{"id":"x","custom_id":"12","response":{"status_code":200,"body":{"id":"c","object":"chat.completion","created":1,"model":"m",
            "choices":[{"index":0,"message":{"role":"assistant","content":"6"},"finish_reason":"stop"}]}},"error":null}"#,
    );
}

#[test]
fn results_of_rows_that_failed() {
    let check = |form: &BatchForm, line: &str, status: u16, words: &str| {
        let (part, told) = told(form, &asked(Dialect::OpenaiChat), line);
        let response = &told["response"];
        assert_eq!((part, &response["status_code"]), (Part::Errors, &status.into()), "{line}: {told}");
        let message = response["body"]["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{line}: {told}");
    };
    check(
        &ANTHROPIC,
        r#"{"custom_id":"12","result":{"type":"errored","error":{"type":"error","request_id":null,"error":
            {"type":"invalid_request_error","message":"Too long."}}}}"#,
        400,
        "Too long.",
    );
    check(
        &ANTHROPIC,
        r#"{"custom_id":"12","result":{"type":"errored","error":{"type":"error","error":{"type":"api_error","message":"Oh."}}}}"#,
        500,
        "Oh.",
    );
    for (code, status) in [(3, 400), (8, 429), (5, 404), (13, 500), (14, 503), (404, 404), (77, 500)] {
        let line = format!(r#"{{"key":"12","error":{{"code":{code},"message":"No."}}}}"#);
        check(&GEMINI, &line, status, "No.");
    }
    check(
        &MISTRAL,
        r#"{"custom_id":"12","response":{"status_code":422,"body":{"message":"No."}},"error":null}"#,
        422,
        "No.",
    );
    check(&MISTRAL, r#"{"custom_id":"12","response":null,"error":{"message":"No."}}"#, 500, "No.");
    // An answer that is none.
    let none = r#"{"key":"12","response":{"candidates":7}}"#;
    let (_, told) = told(&GEMINI, &asked(Dialect::GeminiGenerate), none);
    assert_eq!(told["response"]["status_code"], 502, "{told}");
}

#[test]
fn rows_that_were_not_asked() {
    for (kind, code) in [("canceled", "batch_cancelled"), ("expired", "batch_expired")] {
        let line = format!(r#"{{"custom_id":"12","result":{{"type":"{kind}"}}}}"#);
        let (part, told) = told(&ANTHROPIC, &asked(Dialect::AnthropicMessages), &line);
        assert_eq!(
            (part, &told["response"], &told["error"]["code"]),
            (Part::Errors, &().into(), &code.into())
        );
    }
    for (_, form) in VENDORS {
        for line in [
            "{}",
            r#"{"key":"1"}"#,
            r#"{"custom_id":"1","result":{"type":"new"}}"#,
            "[]",
            r#"{"key":1,"custom_id":1}"#,
        ] {
            let document = Document::parse_to(line.as_bytes(), 3).unwrap();
            let outcome = (form.decode_result)(document.root());
            assert!(
                outcome.is_err_and(|fault| fault.status == 502)
                    || line.contains("new") && form.upload.is_some(),
                "{line}"
            );
        }
    }
}

#[test]
fn what_is_handed_on_keeps_its_own_words() {
    for api in [Api::OpenaiChat, Api::AnthropicMessages, Api::GeminiGenerate] {
        let kept = AskedRow { custom_id: "a".to_owned(), reading: AskedReading::AsItIs(api) }.encode();
        let row = AskedRow::decode(&kept).unwrap();
        let answer = r#"{"custom_id":"12","result":{"type":"succeeded","message":{"anything": [1.0]}}}"#;
        let (_, told) = told(&ANTHROPIC, &row, answer);
        assert_eq!(told["response"]["body"], serde_json::json!({"anything": [1.0]}));
        let refused = r#"{"custom_id":"12","result":{"type":"errored","error":{"type":"error","error":{"type":"overloaded_error","message":"Busy."}}}}"#;
        let (_, told) = self::told(&ANTHROPIC, &row, refused);
        assert_eq!(told["response"]["body"]["error"]["message"], "Busy.", "{told}");
    }
    for kept in [
        "",
        "{}",
        "[]",
        r#"{"id":"a","api":"x"}"#,
        r#"{"id":"a","client":"x","upstream":"y","model":"m","undo":[]}"#,
    ] {
        assert!(AskedRow::decode(kept.as_bytes()).is_none(), "{kept}");
    }
}
