//! Batches in the forms of their vendors.

use super::super::*;
use crate::json::Document;
use crate::{Api, ClientDialect, Dialect, Undo};

const VENDORS: [&BatchForm; 7] = [&ANTHROPIC, &COHERE, &FIREWORKS, &GEMINI, &MISTRAL, &TOGETHER, &XAI];

const NEW: NewBatch<'static> = NewBatch {
    name: "batch_1",
    api: Api::OpenaiBatches,
    model: "m",
    endpoint: "/v1/chat/completions",
    rows: 3,
    settings: Settings(&[]),
};

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
    check(&TOGETHER, r#"{"custom_id":"12","body":{  "model": "m",   "a":"\n" }}"#);
    check(
        &XAI,
        r#"{"custom_id":"12","method":"POST","url":"/v1/chat/completions","body":{  "model": "m",   "a":"\n" }}"#,
    );
    for form in [&MISTRAL, &FIREWORKS] {
        let mut out = Vec::new();
        (form.encode_row)(&mut out, "12", b"{\n\"model\": \"m\",\n\"a\":\"\\n\"}").unwrap();
        let row: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            row,
            serde_json::json!({"custom_id": "12", "body": {"a": "\n"}}),
            "the job says the model"
        );
        assert!(!out.contains(&b'\n'));
    }
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
fn states_of_counts() {
    let xai = |times: &str, counts: &str| {
        format!(
            r#"{{"batch_id":"batch_1-a","name":"n","create_time":"2026-08-20",{times},"state":{counts}}}"#
        )
    };
    let check = |body: String, status: Status, (completed, failed): (u64, u64), reason: Option<&str>| {
        let state = XAI.read(body.as_bytes()).unwrap();
        assert_eq!((state.status, state.completed, state.failed), (status, completed, failed), "{body}");
        assert_eq!((state.reason.as_deref(), state.found.id.as_str()), (reason, "batch_1-a"), "{body}");
    };
    let counts = |rows: u64, pending: u64, success: u64, error: u64, cancelled: u64| {
        format!(
            r#"{{"num_requests":{rows},"num_pending":{pending},"num_success":{success},"num_error":{error},"num_cancelled":{cancelled}}}"#
        )
    };
    let (none, ended) = (r#""cancel_time":null"#, r#""cancel_time":"2026-08-20""#);
    // Until the file has been read nothing is counted.
    check(xai(none, &counts(0, 0, 0, 0, 0)), Status::InProgress, (0, 0), None);
    check(xai(none, &counts(5, 2, 2, 1, 0)), Status::InProgress, (2, 1), None);
    check(xai(none, &counts(5, 0, 4, 1, 0)), Status::Completed, (4, 1), None);
    check(xai(ended, &counts(5, 2, 2, 1, 0)), Status::Cancelling, (2, 1), None);
    check(xai(ended, &counts(5, 0, 2, 1, 2)), Status::Cancelled, (2, 3), None);
    check(xai(ended, &counts(0, 0, 0, 0, 0)), Status::Cancelled, (0, 0), None);
    let why = format!(r#"{ended},"cancel_by_xai_message":"Line 3 is wrong.""#);
    check(xai(&why, &counts(0, 0, 0, 0, 0)), Status::Failed, (0, 0), Some("Line 3 is wrong."));
    let expires = r#""expire_time":"2026-08-20T14:44:51Z""#;
    let state = XAI.read(xai(expires, &counts(1, 1, 0, 0, 0)).as_bytes()).unwrap();
    assert_eq!(state.expires_s, Some(1_787_237_091));
}

#[test]
fn states_that_are_told_in_percent() {
    for (word, status) in [
        ("VALIDATING", Status::InProgress),
        ("IN_PROGRESS", Status::InProgress),
        ("COMPLETED", Status::Completed),
        ("FAILED", Status::Failed),
        ("EXPIRED", Status::Expired),
        ("CANCELLED", Status::Cancelled),
        ("NEW", Status::InProgress),
    ] {
        let batch = format!(
            r#"{{"id":"b-1","status":"{word}","progress":75.5,"output_file_id":"file-o","error_file_id":"","error":"Why.",
                "job_deadline":"2026-08-20T14:44:51Z","completed_at":"2026-08-20T14:44:51.25Z","endpoint":"/v1/chat/completions"}}"#
        );
        let expected = State {
            found: Found { id: "b-1".to_owned(), output: Some("file-o".to_owned()), errors: None },
            status,
            percent: Some(75),
            expires_s: Some(1_787_237_091),
            ended_s: Some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        assert_eq!(TOGETHER.read(batch.as_bytes()).unwrap(), expected, "{word}");
        // As it is answered where it is made.
        let made = format!(r#"{{"job":{batch},"warning":"W"}}"#);
        assert_eq!(TOGETHER.read(made.as_bytes()).unwrap(), expected, "{word}");
    }
}

#[test]
fn states_of_jobs() {
    for (word, status) in [
        ("VALIDATING", Status::InProgress),
        ("WRITING_RESULTS", Status::InProgress),
        ("COMPLETED", Status::Completed),
        ("FAILED", Status::Failed),
        ("EXPIRED", Status::Expired),
        ("CANCELLING", Status::Cancelling),
        ("DELETING_CLEANING_UP", Status::Cancelled),
    ] {
        let body = format!(
            r#"{{"name":"accounts/a/batchInferenceJobs/j-1","state":"JOB_STATE_{word}","outputDatasetId":"accounts/a/datasets/bij-o",
                "jobProgress":{{"successfullyProcessedRequests":3,"failedRequests":1,"totalInputRequests":4}},
                "expireTime":"2026-08-20T14:44:51.988342Z","lifecycle":{{"endTime":"2026-08-20T14:44:51.25Z"}},
                "status":{{"code":"INVALID_ARGUMENT","message":"Why."}}}}"#
        );
        let expected = State {
            found: Found { id: "j-1".to_owned(), output: Some("bij-o".to_owned()), errors: None },
            status,
            completed: 3,
            failed: 1,
            expires_s: Some(1_787_237_091),
            ended_s: Some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        assert_eq!(FIREWORKS.read(body.as_bytes()).unwrap(), expected, "{word}");
    }
    // As recorded, when it had just been made.
    let made = r#"{"name":"accounts/a/batchInferenceJobs/j","state":"JOB_STATE_PENDING","outputDatasetId":"","jobProgress":null,
        "lifecycle":null,"status":{"code":"OK","message":""}}"#;
    let expected = State { found: Found { id: "j".to_owned(), ..Found::default() }, ..State::default() };
    assert_eq!(FIREWORKS.read(made.as_bytes()).unwrap(), expected);
}

#[test]
fn datasets_that_are_looked_through() {
    let check = |body: &str| FIREWORKS.upload.unwrap().ready.unwrap().read(body.as_bytes());
    assert_eq!(check(r#"{"state":"UPLOADING","status":{"code":"OK","message":""}}"#), Ok(false));
    assert_eq!(check(r#"{"state":"READY","status":null}"#), Ok(true));
    let bad = check(r#"{"state":"UPLOADING","status":{"code":"INVALID_ARGUMENT","message":"Line 1."}}"#);
    assert_eq!(bad.map_err(|fault| (fault.status, fault.message)), Err((400, "Line 1.".to_owned())));
    for body in ["", "{}", "[]", r#"{"state":7}"#] {
        assert_eq!(check(body).map_err(|fault| fault.status), Err(502), "{body}");
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
        check(&XAI, format!(r#"{{"batch_id":"{id}","state":{{}}}}"#));
        check(&TOGETHER, format!(r#"{{"id":"{id}","status":"COMPLETED"}}"#));
        check(&TOGETHER, format!(r#"{{"id":"a","status":"COMPLETED","error_file_id":"{id}?"}}"#));
    }
    // Here the last segment of a name counts, whatever stands before it.
    for id in ["a?b", "", "a b", "a%2fb", "..", &"x".repeat(257)] {
        check(
            &FIREWORKS,
            format!(r#"{{"name":"accounts/a/batchInferenceJobs/{id}","state":"JOB_STATE_RUNNING"}}"#),
        );
    }
    for form in VENDORS {
        for body in ["", "[]", "{}", "{", "null", r#"{"id":7,"name":7,"batch_id":7}"#] {
            check(form, body.to_owned());
        }
    }
    let upload = |form: &BatchForm, body: &str| form.upload.unwrap().read(&NEW, body.as_bytes());
    assert_eq!(upload(&GEMINI, r#"{"file":{"name":"files/a-1"}}"#).unwrap(), "a-1");
    for form in [&MISTRAL, &TOGETHER, &XAI, &FIREWORKS] {
        assert_eq!(upload(form, r#"{"id":"a-1"}"#).unwrap(), "a-1");
        assert!(upload(form, r#"{"id":"a/.."}"#).is_err());
    }
    assert_eq!(upload(&FIREWORKS, r#"{"id":"accounts/a/datasets/d-1"}"#).unwrap(), "d-1");
    for body in [r#"{"file":{"name":"files/../a"}}"#, r#"{"file":{"name":"a"}}"#, "{}", ""] {
        assert!(upload(&GEMINI, body).is_err() && upload(&MISTRAL, body).is_err(), "{body}");
    }
}

/// The step that brings results in lines.
pub fn lines_step(form: &BatchForm, found: &Found, part: Part) -> Step {
    match (form.results)(found, part).unwrap() {
        Results::Lines(step) => step,
        other => panic!("{other:?}"),
    }
}

#[test]
fn steps() {
    let found = Found { id: "i".to_owned(), output: Some("o".to_owned()), errors: None };
    let check = |step: Step, method: Method, place: Place| {
        assert_eq!((step.method, step.place), (method, place));
    };
    let behind = |api: Api, path: &str| Place::Behind(api, path.to_owned());
    let beside = |path: &str| Place::Beside(Api::FireworksBatches, "/inference/v1", path.to_owned());
    let path = |path: &str| Place::Path(path.to_owned());
    use Method::{Delete, Get, Post};
    check((ANTHROPIC.status)("i"), Get, behind(Api::AnthropicBatches, "/i"));
    check((ANTHROPIC.cancel)("i"), Post, behind(Api::AnthropicBatches, "/i/cancel"));
    for part in [Part::Output, Part::Errors] {
        let all = lines_step(&ANTHROPIC, &found, part);
        check(all, Get, behind(Api::AnthropicBatches, "/i/results"));
        check(lines_step(&GEMINI, &found, part), Get, path("/download/v1beta/files/o:download?alt=media"));
    }
    check((GEMINI.status)("i"), Get, path("/v1beta/batches/i"));
    check((GEMINI.cancel)("i"), Post, path("/v1beta/batches/i:cancel"));
    check((XAI.status)("i"), Get, behind(Api::XaiBatches, "/i"));
    check((XAI.cancel)("i"), Post, behind(Api::XaiBatches, "/i:cancel"));
    check((COHERE.status)("i"), Get, behind(Api::CohereBatches, "/i"));
    check((COHERE.cancel)("i"), Post, behind(Api::CohereBatches, "/i:cancel"));
    check((FIREWORKS.status)("i"), Get, beside("/batchInferenceJobs/i"));
    check((FIREWORKS.cancel)("i"), Delete, beside("/batchInferenceJobs/i"));
    for (form, api) in [(&MISTRAL, Api::MistralBatches), (&TOGETHER, Api::TogetherBatches)] {
        check((form.status)("i"), Get, behind(api, "/i"));
        check((form.cancel)("i"), Post, behind(api, "/i/cancel"));
        let output = lines_step(form, &found, Part::Output);
        check(output, Get, behind(Api::OpenaiFiles, "/o/content"));
        assert!((form.results)(&found, Part::Errors).is_none());
    }
}

#[test]
fn what_makes_a_batch() {
    let check = |step: Step, place: Place, expected: &str| {
        let Content::Json(json) = step.content else { panic!("{step:?}") };
        assert_eq!((step.place, String::from_utf8(json).unwrap().as_str()), (place, expected));
    };
    let behind = |api: Api| Place::Behind(api, String::new());
    let beside = |path: &str| Place::Beside(Api::FireworksBatches, "/inference/v1", path.to_owned());
    check(
        (MISTRAL.create)(&NEW, "f"),
        behind(Api::MistralBatches),
        r#"{"input_files":["f"],"model":"m","endpoint":"/v1/chat/completions","metadata":{"batch":"batch_1"}}"#,
    );
    check(
        (GEMINI.create)(&NEW, "f"),
        behind(Api::GeminiBatches),
        r#"{"batch":{"displayName":"batch_1","inputConfig":{"fileName":"files/f"}}}"#,
    );
    check((XAI.create)(&NEW, "f"), behind(Api::XaiBatches), r#"{"name":"batch_1","input_file_id":"f"}"#);
    check(
        (TOGETHER.create)(&NEW, "f"),
        behind(Api::TogetherBatches),
        r#"{"input_file_id":"f","endpoint":"/v1/chat/completions","completion_window":"24h"}"#,
    );
    check(
        (COHERE.create)(&NEW, "d"),
        behind(Api::CohereBatches),
        r#"{"name":"batch_1","input_dataset_id":"d","model":"m"}"#,
    );
    check(
        FIREWORKS.upload.unwrap().begin.unwrap()(&NEW),
        beside("/datasets"),
        r#"{"datasetId":"batch-1","dataset":{"userUploaded":{},"exampleCount":"3"}}"#,
    );
    check(
        (FIREWORKS.create)(&NEW, "f"),
        beside("/batchInferenceJobs"),
        r#"{"displayName":"batch_1","model":"m","inputDatasetId":"f"}"#,
    );
}

#[test]
fn rows_in_a_form() {
    let check = |form: &BatchForm, place: Place, fields: &[(&str, &str)]| {
        let step = (form.upload.unwrap().send)(&NEW);
        let Content::Rows { content_type, before, after } = step.content else { panic!("{step:?}") };
        assert_eq!((step.place, content_type.as_str()), (place, "multipart/form-data; boundary=batch_1"));
        let mut expected: String = fields
            .iter()
            .map(|(name, value)| {
                format!("--batch_1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            })
            .collect();
        expected += "--batch_1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"batch_1.jsonl\"\r\n\
                     Content-Type: application/jsonl\r\n\r\n";
        assert_eq!(String::from_utf8(before).unwrap(), expected);
        assert_eq!(after, b"\r\n--batch_1--\r\n");
    };
    let files = |path: &str| Place::Behind(Api::OpenaiFiles, path.to_owned());
    let dataset = "/datasets/batch-1:upload".to_owned();
    check(&MISTRAL, files(""), &[("purpose", "batch")]);
    check(&XAI, files(""), &[]);
    let purpose = [("purpose", "batch-api"), ("file_name", "batch_1.jsonl"), ("file_type", "jsonl")];
    check(&TOGETHER, files("/upload"), &purpose);
    check(&FIREWORKS, Place::Beside(Api::FireworksBatches, "/inference/v1", dataset), &[]);
}

/// What is told of a row.
pub fn told(form: &BatchForm, row: &AskedRow, line: &str) -> (Part, serde_json::Value) {
    let document = Document::parse_to(line.as_bytes(), RESULT_DEPTH).unwrap();
    let result = (form.decode_result)(document.root()).unwrap();
    assert_eq!(result.key, "12");
    let telling = Telling { batch: "b_1".to_owned(), provider: "up".to_owned(), strict: true, created_s: 77 };
    let line = row.tell(12, &result.outcome, &telling);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    (result.outcome.part(), serde_json::from_slice(&line).unwrap())
}

pub fn asked(upstream: Dialect) -> AskedRow {
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
    let chat = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",
            "content":"6"},"finish_reason":"stop"}]}"#;
    let of_openai =
        |answer: &str| format!(r#"{{"custom_id":"12","response":{{"status_code":200,"body":{answer}}}}}"#);
    check(&TOGETHER, Dialect::OpenaiChat, &of_openai(chat));
    check(&FIREWORKS, Dialect::OpenaiChat, &format!(r#"{{"custom_id":"12","response":{chat}}}"#));
    for error in ["null", r#"{"code":0,"message":""}"#] {
        let line = format!(
            r#"{{"batch_request_id":"12","batch_result":{{"response":{{"chat_get_completion":{chat}}},"error":{error}}}}}"#
        );
        check(&XAI, Dialect::OpenaiChat, &line);
    }
    check(
        &COHERE,
        Dialect::CohereChat,
        r#"{"custom_id":"12","body":{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text",
            "text":"6"}],"tool_calls":null},"usage":{"billed_units":null,"tokens":{"input_tokens":3,"output_tokens":1}}},"error":null}"#,
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
    check(&TOGETHER, r#"{"custom_id":"12","error":{"message":"No.","code":"invalid_request"}}"#, 500, "No.");
    check(&TOGETHER, r#"{"custom_id":"12","error":"No."}"#, 500, "No.");
    for (code, status) in [(3, 400), (8, 429), (13, 500)] {
        let line = format!(
            r#"{{"batch_request_id":"12","batch_result":{{"error":{{"code":{code},"message":"No.","details":[]}}}}}}"#
        );
        check(&XAI, &line, status, "No.");
    }
    check(&XAI, r#"{"batch_request_id":"12","error_message":"No."}"#, 500, "No.");
    check(&XAI, r#"{"batch_request_id":"12","batch_result":{"response":{"image":{}}}}"#, 500, "500");
    check(&FIREWORKS, r#"{"custom_id":"12","error":{"message":"No."}}"#, 500, "No.");
    check(&FIREWORKS, r#"{"custom_id":"12","response":{"error":{"message":"No."}}}"#, 500, "No.");
    check(&FIREWORKS, r#"{"custom_id":"12","message":"No."}"#, 500, "No.");
    check(&COHERE, r#"{"custom_id":"12","body":null,"error":"No."}"#, 500, "No.");
    check(&COHERE, r#"{"custom_id":"12","body":null,"error":null}"#, 500, "500");
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
    let ended = r#"{"batch_request_id":"12","batch_result":{"error":{"code":1,"message":"Cancelled."}}}"#;
    let (part, told) = told(&XAI, &asked(Dialect::OpenaiChat), ended);
    assert_eq!((part, &told["error"]["code"]), (Part::Errors, &"batch_cancelled".into()));
    for form in VENDORS {
        for line in [
            "{}",
            r#"{"key":"1"}"#,
            r#"{"custom_id":"1","result":{"type":"new"}}"#,
            "[]",
            r#"{"key":1,"custom_id":1,"batch_request_id":1}"#,
        ] {
            let document = Document::parse_to(line.as_bytes(), RESULT_DEPTH).unwrap();
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

#[test]
fn rows_whose_contents_are_lists_and_whose_schemas_are_texts() {
    let row = |body: serde_json::Value| -> Result<serde_json::Value, crate::Fault> {
        let mut out = Vec::new();
        (COHERE.encode_row)(&mut out, "12", serde_json::to_string_pretty(&body).unwrap().as_bytes())?;
        assert!(!out.contains(&b'\n'), "one line");
        Ok(serde_json::from_slice(&out).unwrap())
    };
    let schema = serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let body = serde_json::json!({
        "model": "m", "stream": false, "temperature": 0.5, "p": 0.9, "max_tokens": 7, "seed": null,
        "thinking": {"type": "enabled", "token_budget": 99},
        "messages": [
            {"role": "system", "content": "Be short.\n"},
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}}]},
            {"role": "assistant", "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}], "content": null},
            {"role": "tool", "tool_call_id": "c", "content": "Rain."},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": schema}}],
    });
    let told = row(body.clone()).unwrap();
    assert_eq!(told["custom_id"], "12");
    let told = &told["body"];
    let text = |text: &str| serde_json::json!([{"type": "text", "text": text}]);
    assert_eq!(told["messages"][0], serde_json::json!({"role": "system", "content": text("Be short.\n")}));
    assert_eq!(
        told["messages"][1]["content"][1],
        serde_json::json!({"type": "image_url", "image_url": "data:x"})
    );
    assert_eq!(told["messages"][2]["tool_calls"], body["messages"][2]["tool_calls"]);
    assert_eq!(told["messages"][3]["content"], text("Rain."));
    let parameters = told["tools"][0]["function"]["parameters"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(parameters).unwrap(), schema);
    assert_eq!((&told["reasoning"], &told["thinking_budget"]), (&true.into(), &99.into()));
    assert_eq!(
        (&told["temperature"], &told["p"], &told["max_tokens"]),
        (&0.5.into(), &0.9.into(), &7.into())
    );
    for name in ["model", "stream", "seed", "thinking"] {
        assert_eq!(told.get(name), None, "{name}");
    }
    let refused = |body: serde_json::Value, name: &str| {
        let fault = row(body).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(name)), "{fault:?}");
    };
    let one =
        |part: serde_json::Value| serde_json::json!({"messages": [{"role": "user", "content": [part]}]});
    refused(serde_json::json!({"response_format": {"type": "json_object"}}), "response_format");
    refused(serde_json::json!({"stop_sequences": ["x"]}), "stop_sequences");
    refused(serde_json::json!({"stream": true}), "stream");
    refused(one(serde_json::json!({"type": "document", "document": {}})), "messages[].content[].type");
    refused(one(serde_json::json!({"type": "image_url"})), "messages[].content[].image_url");
}

#[test]
fn batches_of_datasets() {
    for (word, status) in [
        ("QUEUED", Status::InProgress),
        ("COMPLETED", Status::Completed),
        ("FAILED", Status::Failed),
        ("CANCELING", Status::Cancelling),
        ("CANCELED", Status::Cancelled),
    ] {
        let body = format!(
            r#"{{"batch":{{"id":"b-1","status":"BATCH_STATUS_{word}","output_dataset_id":"out-1","num_records":4,
                "num_successful_records":3,"num_failed_records":1,"status_reason":"Why.","updated_at":"2026-08-20T14:44:51Z"}}}}"#
        );
        let expected = State {
            found: Found { id: "b-1".to_owned(), output: Some("out-1".to_owned()), errors: None },
            status,
            completed: 3,
            failed: 1,
            ended_s: (status != Status::InProgress).then_some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        assert_eq!(COHERE.read(body.as_bytes()).unwrap(), expected, "{word}");
    }
    let ready = |status: &str| {
        let body = format!(r#"{{"dataset":{{"validation_status":"{status}","validation_error":"Row 1."}}}}"#);
        COHERE.upload.unwrap().ready.unwrap().read(body.as_bytes())
    };
    assert_eq!([ready("validated"), ready("skipped")], [Ok(true), Ok(true)]);
    assert_eq!([ready("queued"), ready("processing"), ready("unknown")], [Ok(false), Ok(false), Ok(false)]);
    assert_eq!(ready("failed").map_err(|fault| fault.message), Err("Row 1.".to_owned()));
    let found = Found { id: "b".to_owned(), output: Some("d".to_owned()), errors: None };
    let Some(Results::Files(listing)) = (COHERE.results)(&found, Part::Output) else { panic!() };
    assert_eq!(listing.step.place, Place::Path("/v1/datasets/d".to_owned()));
    let answer = br#"{"dataset":{"dataset_parts":[{"id":"1","url":"https://a/1"},{"id":"2","url":null},{"id":"3","url":"https://a/3"}]}}"#;
    let mut reader = ResultsReader::files(&listing, answer).unwrap();
    let sources = [reader.next_source(), reader.next_source(), reader.next_source()];
    assert_eq!(
        sources,
        [
            Some(Source::Address("https://a/1".to_owned())),
            Some(Source::Address("https://a/3".to_owned())),
            None
        ]
    );
}
