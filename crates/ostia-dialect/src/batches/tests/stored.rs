//! Batches whose rows and results are in an object storage.

use serde_json::{Value, json};

use super::super::*;
use super::forms::{asked, lines_step, told};
use crate::json::Document;
use crate::{Api, Dialect};

const STORED: [&BatchForm; 2] = [&BEDROCK, &VERTEX];

/// What is done with the settings of a batch.
fn with<T>(settings: &[(&str, &str)], endpoint: &str, read: impl FnOnce(&NewBatch<'_>) -> T) -> T {
    let settings: Vec<(String, String)> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read(&NewBatch {
        name: "batch_ostia_0123456789abcdef0123456789abcdef",
        api: Api::OpenaiBatches,
        model: "m",
        endpoint,
        rows: 1,
        settings: Settings(&settings),
    })
}

const AWS: &[(&str, &str)] =
    &[("aws_s3_bucket", "b.mine"), ("aws_batch_role_arn", "arn:aws:iam::123456789012:role/r")];
const GOOGLE: &[(&str, &str)] =
    &[("vertex_storage_bucket_name", "b_mine"), ("vertex_storage_prefix", "/a/b.c/")];

fn json_of(step: &Step) -> Value {
    let Content::Json(json) = &step.content else { panic!("{step:?}") };
    serde_json::from_slice(json).unwrap()
}

#[test]
fn rows() {
    let check = |form: &BatchForm, body: Value, expected: Value| {
        let mut out = Vec::new();
        (form.encode_row)(&mut out, "12", format!(" {body:#}\n").as_bytes()).unwrap();
        assert!(!out.contains(&b'\n'));
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
        for wrong in ["", "[]", "\"x\"", "{"] {
            assert!((form.encode_row)(&mut Vec::new(), "12", wrong.as_bytes()).is_err(), "{wrong}");
        }
    };
    let messages = json!({"messages": [{"role": "user", "content": "a\nb"}], "max_tokens": 1});
    check(&BEDROCK, messages.clone(), json!({"recordId": "12", "modelInput": messages}));
    check(&VERTEX, messages.clone(), json!({"custom_id": "12", "request": messages}));
    let contents = json!([{"role": "user", "parts": [{"text": "a\nb"}]}]);
    check(
        &VERTEX,
        json!({"contents": contents}),
        json!({"request": {"contents": contents, "labels": {"ostia_row": "12"}}}),
    );
    check(
        &VERTEX,
        json!({"contents": contents, "labels": {"team": "red", "ostia_row": "7"}}),
        json!({"request": {"contents": contents, "labels": {"team": "red", "ostia_row": "12"}}}),
    );
    let tools = br#"{"messages":[],"toolConfig":{"tools":[]}}"#;
    let fault = (BEDROCK.encode_row)(&mut Vec::new(), "12", tools).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tools")), "{fault:?}");
}

#[test]
fn settings_that_lead_to_one_folder_only() {
    let check = |form: &BatchForm, settings: &[(&str, &str)], wrong: Option<&str>| {
        let checked = with(settings, "", |batch| (form.storage.unwrap().check)(batch.settings));
        let named = checked.as_ref().err().and_then(|fault| fault.param.as_deref());
        assert_eq!(named, wrong, "{settings:?}: {checked:?}");
    };
    for (form, bucket, prefix) in [
        (&BEDROCK, "aws_s3_bucket", "aws_s3_prefix"),
        (&VERTEX, "vertex_storage_bucket_name", "vertex_storage_prefix"),
    ] {
        check(form, &[(bucket, "b")], None);
        for name in ["a-b.c_d1", "123"] {
            check(form, &[(bucket, name)], None);
        }
        for name in ["", "a/b", "..", ".", "A", "a b", "a?b", "a%2f", "a\u{e9}", &"x".repeat(223)] {
            check(form, &[(bucket, name)], Some(bucket));
        }
        for folder in ["", "/", "a", "a/", "/a/B.c/d_e-1/", "..a"] {
            check(form, &[(bucket, "b"), (prefix, folder)], None);
        }
        for folder in ["a//b", "../a", "a/..", "a/./b", "a?b", "a b", "a#", "a%2e", &"x".repeat(513)] {
            check(form, &[(bucket, "b"), (prefix, folder)], Some(prefix));
        }
    }
}

#[test]
fn rows_go_to_a_folder_of_their_batch() {
    let upload = |form: &BatchForm, settings: &[(&str, &str)]| {
        with(settings, "", |batch| {
            let upload = form.upload.unwrap();
            ((upload.send)(batch), upload.read(batch, b"").unwrap())
        })
    };
    let rows = "batch_ostia_0123456789abcdef0123456789abcdef/rows.jsonl";
    let (step, file) = upload(&BEDROCK, AWS);
    assert_eq!((step.method, step.is_bare, &file), (Method::Put, true, &format!("b.mine/{rows}")));
    assert_eq!(step.place, Place::Behind(Api::S3Objects, format!("/b.mine/{rows}")));
    assert_eq!(step.headers, []);
    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    let encrypted: Vec<_> =
        AWS.iter().copied().chain([("amz_server_side_encryption_aws_kms_key_id", key)]).collect();
    let (step, _) = upload(&BEDROCK, &encrypted);
    let headers = [
        ("x-amz-server-side-encryption", "aws:kms".to_owned()),
        ("x-amz-server-side-encryption-aws-kms-key-id", key.to_owned()),
    ];
    assert_eq!(step.headers, headers);
    let (step, file) = upload(&VERTEX, GOOGLE);
    assert_eq!((step.method, step.is_bare, &file), (Method::Post, true, &format!("b_mine/a/b.c/{rows}")));
    let name = rows.replace('/', "%2F");
    let path = format!("/upload/storage/v1/b/b_mine/o?uploadType=media&name=a%2Fb.c%2F{name}");
    assert_eq!(step.place, Place::Behind(Api::GcsObjects, path));
    let Content::Rows { before, after, .. } = step.content else { panic!() };
    assert!(before.is_empty() && after.is_empty());
}

#[test]
fn jobs() {
    let folder = "batch_ostia_0123456789abcdef0123456789abcdef";
    let name = folder.replace('_', "-");
    let step = with(AWS, "Converse", |batch| (BEDROCK.create)(batch, "b.mine/f/rows.jsonl"));
    assert_eq!(
        json_of(&step),
        json!({
            "jobName": name, "clientRequestToken": name, "modelId": "m", "modelInvocationType": "Converse",
            "roleArn": "arn:aws:iam::123456789012:role/r",
            "inputDataConfig": {"s3InputDataConfig": {"s3InputFormat": "JSONL", "s3Uri": "s3://b.mine/f/rows.jsonl"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": format!("s3://b.mine/{folder}/")}},
        })
    );
    let step = with(GOOGLE, "publishers/anthropic", |batch| (VERTEX.create)(batch, "b_mine/f/rows.jsonl"));
    assert_eq!(
        json_of(&step),
        json!({
            "displayName": folder, "model": "publishers/anthropic/models/m",
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://b_mine/f/rows.jsonl"]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": format!("gs://b_mine/a/b.c/{folder}/")},
            },
        })
    );
    let behind = |api: Api, path: &str| Place::Behind(api, path.to_owned());
    assert_eq!((BEDROCK.status)("i").place, behind(Api::BedrockBatches, "/i"));
    assert_eq!((BEDROCK.cancel)("i").place, behind(Api::BedrockBatches, "/i/stop"));
    assert_eq!((VERTEX.status)("i").place, behind(Api::VertexBatches, "/i"));
    assert_eq!((VERTEX.cancel)("i").place, behind(Api::VertexBatches, "/i:cancel"));
}

/// A job of Bedrock's, as AWS describes it.
fn job(status: &str, more: Value) -> Value {
    let mut job = json!({
        "jobArn": "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdefghij12", "jobName": "n",
        "modelId": "m", "roleArn": "r", "submitTime": "2026-08-20T14:34:51Z", "status": status,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://b/f/rows.jsonl"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://b/f/"}},
        "jobExpirationTime": "2026-08-20T14:44:51.250Z",
    });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

#[test]
fn states_of_bedrock() {
    let check = |body: Value, expected: State| {
        assert_eq!(BEDROCK.read(body.to_string().as_bytes()).unwrap(), expected, "{body}");
    };
    let arn = job("", json!({}))["jobArn"].clone();
    let made = Found { id: "abcdefghij12".to_owned(), ..Found::default() };
    check(json!({"jobArn": arn}), State { found: made.clone(), ..State::default() });
    let output = Some("b/f/abcdefghij12/rows.jsonl.out".to_owned());
    let open = State { found: Found { output, ..made }, expires_s: Some(1_787_237_091), ..State::default() };
    for word in ["Submitted", "Validating", "Scheduled", "InProgress", "New"] {
        check(job(word, json!({})), open.clone());
    }
    let counts = json!({
        "totalRecordCount": 10, "processedRecordCount": 9, "successRecordCount": 7, "errorRecordCount": 2,
        "endTime": "2026-08-20T14:44:51Z", "message": "Why.",
    });
    for (word, status) in [
        ("Completed", Status::Completed),
        ("PartiallyCompleted", Status::Expired),
        ("Expired", Status::Expired),
        ("Failed", Status::Failed),
        ("Stopping", Status::Cancelling),
        ("Stopped", Status::Cancelled),
    ] {
        let ended = State {
            status,
            completed: 7,
            failed: 2,
            ended_s: Some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..open.clone()
        };
        check(job(word, counts.clone()), ended);
    }
}

#[test]
fn states_of_vertex() {
    let check = |body: Value, expected: State| {
        assert_eq!(VERTEX.read(body.to_string().as_bytes()).unwrap(), expected, "{body}");
    };
    let body = |state: &str| json!({"name": "projects/1/locations/us-central1/batchPredictionJobs/77", "state": state, "displayName": "n"});
    let made = Found { id: "77".to_owned(), ..Found::default() };
    let open = State { found: made.clone(), ..State::default() };
    for word in ["QUEUED", "PENDING", "RUNNING", "PAUSED", "UPDATING"] {
        check(body(&format!("JOB_STATE_{word}")), open.clone());
    }
    for (word, status) in [
        ("SUCCEEDED", Status::Completed),
        ("PARTIALLY_SUCCEEDED", Status::Completed),
        ("FAILED", Status::Failed),
        ("EXPIRED", Status::Expired),
        ("CANCELLING", Status::Cancelling),
        ("CANCELLED", Status::Cancelled),
    ] {
        let mut said = body(&format!("JOB_STATE_{word}"));
        said["endTime"] = json!("2026-08-20T14:44:51Z");
        said["outputInfo"] =
            json!({"gcsOutputDirectory": "gs://b/f/prediction-model-2026-08-20T14:34:51.5Z"});
        said["completionStats"] = json!({"successfulCount": "7", "failedCount": 2, "incompleteCount": "-1"});
        said["error"] = json!({"code": 3, "message": "Why."});
        let output = Some("b/f/prediction-model-2026-08-20T14:34:51.5Z/predictions.jsonl".to_owned());
        let ended = State {
            found: Found { output, ..made.clone() },
            status,
            completed: 7,
            failed: 2,
            ended_s: Some(1_787_237_091),
            reason: Some("Why.".to_owned()),
            ..State::default()
        };
        check(said, ended);
    }
}

#[test]
fn an_answer_that_leads_elsewhere_is_none() {
    let check = |form: &BatchForm, body: &Value| {
        let fault = form.read(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.status, 502, "{body}: {fault:?}");
    };
    for id in ["a?b", "", "a b", "a%2fb", "..", &"x".repeat(257)] {
        check(&BEDROCK, &json!({"jobArn": format!("arn:x/{id}")}));
        check(&VERTEX, &json!({"name": format!("p/batchPredictionJobs/{id}"), "state": "JOB_STATE_RUNNING"}));
    }
    for folder in ["b/../c", "b//c", "", "/c", "b/./c", "b/\n", "b\\c", &"x".repeat(1_400)] {
        let config = json!({"s3OutputDataConfig": {"s3Uri": format!("s3://{folder}/")}});
        check(&BEDROCK, &job("Completed", json!({"outputDataConfig": config})));
        let directory = json!({"gcsOutputDirectory": format!("gs://{folder}")});
        check(
            &VERTEX,
            &json!({"name": "p/batchPredictionJobs/7", "state": "JOB_STATE_SUCCEEDED", "outputInfo": directory}),
        );
    }
    for form in STORED {
        for body in [json!([]), json!({}), json!(null), json!({"jobArn": 7, "name": 7, "state": "x"})] {
            check(form, &body);
        }
    }
}

#[test]
fn results_are_where_the_vendor_says() {
    let place = |form: &BatchForm, address: &str| {
        let found = Found { id: "i".to_owned(), output: Some(address.to_owned()), errors: None };
        let [output, errors] = [Part::Output, Part::Errors].map(|part| lines_step(form, &found, part));
        assert_eq!(output, errors);
        assert!(output.is_bare && output.method == Method::Get);
        output.place
    };
    assert_eq!(
        place(&BEDROCK, "b/f/i/rows.jsonl.out?acl"),
        Place::Behind(Api::S3Objects, "/b/f/i/rows.jsonl.out%3Facl".to_owned())
    );
    let path = "/storage/v1/b/b/o/f%2Fp-14%3A34%2Fpredictions.jsonl?alt=media";
    assert_eq!(
        place(&VERTEX, "b/f/p-14:34/predictions.jsonl"),
        Place::Behind(Api::GcsObjects, path.to_owned())
    );
    for form in STORED {
        assert!((form.results)(&Found::default(), Part::Output).is_none());
    }
}

#[test]
fn results_in_the_words_of_the_client() {
    let check = |form: &BatchForm, upstream: Dialect, line: Value| {
        let (part, told) = told(form, &asked(upstream), &line.to_string());
        let body = &told["response"]["body"];
        assert_eq!((part, &told["custom_id"]), (Part::Output, &json!("mine \u{e9}")));
        assert_eq!(body["choices"][0]["message"]["content"], "6", "{told}");
    };
    let claude = json!({
        "id": "msg_0", "type": "message", "role": "assistant", "model": "claude", "content": [{"type": "text", "text": "6"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 20, "output_tokens": 5},
    });
    let converse = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "6"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25}, "metrics": {"latencyMs": 1},
    });
    let bedrock = |answer: &Value| json!({"modelInput": {"x": 1}, "modelOutput": answer, "recordId": "12"});
    check(&BEDROCK, Dialect::AnthropicMessages, bedrock(&claude));
    check(&BEDROCK, Dialect::BedrockConverse, bedrock(&converse));
    check(
        &VERTEX,
        Dialect::AnthropicMessages,
        json!({"custom_id": "12", "request": {}, "response": claude, "status": ""}),
    );
    let gemini = json!({
        "candidates": [{"content": {"parts": [{"text": "6"}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 13, "candidatesTokenCount": 1, "totalTokenCount": 14},
    });
    check(
        &VERTEX,
        Dialect::GeminiGenerate,
        json!({"status": "", "processed_time": "2026-08-20T14:44:51.4Z",
            "request": {"labels": {"ostia_row": "12"}, "contents": []}, "response": gemini}),
    );
}

#[test]
fn results_of_rows_that_failed() {
    let check = |form: &BatchForm, line: Value, status: u16, words: &str| {
        let (part, told) = told(form, &asked(Dialect::OpenaiChat), &line.to_string());
        let response = &told["response"];
        assert_eq!((part, &response["status_code"]), (Part::Errors, &status.into()), "{told}");
        let message = response["body"]["error"]["message"].as_str().unwrap();
        assert!(message.ends_with(words), "{told}");
    };
    for (code, status) in [(400, 400), (429, 429), (500, 500), (7, 500)] {
        let error = json!({"errorCode": code, "errorMessage": "bad request"});
        check(&BEDROCK, json!({"recordId": "12", "modelInput": {}, "error": error}), status, "bad request");
    }
    let row =
        |status: &str| json!({"status": status, "request": {"labels": {"ostia_row": "12"}}, "response": {}});
    let told =
        r#"Bad Request: {"error": {"code": 400, "message": "No such role.", "status": "INVALID_ARGUMENT"}}"#;
    check(&VERTEX, row(told), 400, "No such role.");
    check(&VERTEX, row("Internal error."), 500, "Internal error.");
    check(&VERTEX, row("Broken {\"error"), 500, "Broken {\"error");
    for form in STORED {
        for line in [
            "{}",
            r#"{"recordId":"1"}"#,
            r#"{"custom_id":"1","response":7,"status":""}"#,
            r#"{"request":{"labels":{"ostia_row":"1"}},"response":null,"status":""}"#,
            r#"{"modelOutput":{},"response":{}}"#,
            "[]",
        ] {
            let document = Document::parse_to(line.as_bytes(), 3).unwrap();
            let outcome = (form.decode_result)(document.root());
            assert!(outcome.is_err_and(|fault| fault.status == 502), "{line}");
        }
    }
}
