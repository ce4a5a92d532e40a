#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

const JOB: Job = Job {
    status: Place::At(&["urls", "get"]),
    state: "status",
    done: &["ready"],
    failed: &[("error", FaultKind::Server), ("moderated", FaultKind::ContentPolicy)],
    reasons: &[&["error", "message"], &["error"]],
    result: Some(Place::At(&["result_url"])),
    stream: None,
    cancel: Some((Method::Put, Place::At(&["urls", "cancel"]))),
    told_at_submit: None,
    every_ms: 100,
};
const BY_ID: Job = Job { status: Place::Path("/v2/jobs/{id}"), result: None, cancel: None, ..JOB };

/// A submit that is answered without headers of interest.
fn begun(job: &Job, body: &str) -> Result<Begun, Fault> {
    job.begun(body.as_bytes(), |_| None)
}

#[test]
fn an_address_may_stand_in_a_header() {
    let job = Job { status: Place::Header("operation-location"), result: None, cancel: None, ..JOB };
    let at = |value: &'static str| {
        job.begun(b"{}", move |name| (name == "operation-location").then(|| value.to_owned()))
    };
    assert_eq!(at("https://a/1").unwrap().status, Address::Url("https://a/1".to_owned()));
    assert_eq!(at("").unwrap_err().status, 502);
    assert_eq!(begun(&job, "{}").unwrap_err().status, 502);
}

#[test]
fn a_stream_may_stand_beside_the_job() {
    let job = Job { stream: Some(Place::At(&["urls", "stream"])), ..JOB };
    let with = r#"{"urls":{"get":"https://a/1","stream":"https://b/s"}}"#;
    assert_eq!(begun(&job, with).unwrap().stream, Some(Address::Url("https://b/s".to_owned())));
    assert_eq!(begun(&job, r#"{"urls":{"get":"https://a/1"}}"#).unwrap().stream, None);
}

#[test]
fn where_a_job_is_asked_for() {
    let url = |url: &str| Address::Url(url.to_owned());
    let first =
        begun(&JOB, r#"{"urls":{"get":"https://a/1","cancel":"https://a/c"},"result_url":"https://a/r"}"#);
    let expected = Begun {
        status: url("https://a/1"),
        result: Some(url("https://a/r")),
        stream: None,
        cancel: Some((Method::Put, url("https://a/c"))),
    };
    assert_eq!(first.unwrap(), expected);
    assert_eq!(begun(&JOB, r#"{"urls":{"get":"https://a/1"}}"#).unwrap().cancel, None);
    let by_id = begun(&BY_ID, r#"{"id":"a-1_B"}"#).unwrap();
    assert_eq!(by_id.status, Address::Path("/v2/jobs/a-1_B".to_owned()));
    for body in ["{}", r#"{"id":"../x"}"#, r#"{"id":""}"#, r#"{"id":1}"#, "[]", "", r#"{"id":"a/b"}"#] {
        assert_eq!(begun(&BY_ID, body).unwrap_err().status, 502, "{body}");
    }
    for body in [r#"{"urls":{"get":""}}"#, r#"{"urls":{}}"#, r#"{"urls":"x"}"#] {
        assert_eq!(begun(&JOB, body).unwrap_err().status, 502, "{body}");
    }
    let told = begun(&JOB, r#"{"error":{"message":"no credit"}}"#).unwrap_err();
    assert!(told.message.contains("no credit"), "{told}");
}

#[test]
fn a_job_may_be_asked_for_behind_its_submit() {
    let job = Job {
        status: Place::Posted { behind: "/get_result", id: "request_id" },
        result: None,
        cancel: None,
        ..JOB
    };
    let body = r#"{"id":"a-1"}"#.to_owned();
    let expected = Address::Posted { behind: "/get_result", body };
    assert_eq!(begun(&job, r#"{"request_id":"a-1"}"#).unwrap().status, expected);
    for body in ["{}", r#"{"id":"a-1"}"#, r#"{"request_id":"a\"b"}"#, r#"{"request_id":1}"#] {
        assert_eq!(begun(&job, body).unwrap_err().status, 502, "{body}");
    }
}

#[test]
fn how_far_it_is() {
    let progress = |body: &str| JOB.progress(body.as_bytes());
    for (body, expected) in [
        ("{}", Progress::Open),
        (r#"{"status":null}"#, Progress::Open),
        (r#"{"status":"queued"}"#, Progress::Open),
        (r#"{"status":"ready"}"#, Progress::Done),
    ] {
        assert_eq!(progress(body), Ok(expected), "{body}");
    }
    for (body, kind, words) in [
        (r#"{"status":"error"}"#, FaultKind::Server, "`error`."),
        (r#"{"status":"error","error":"boom"}"#, FaultKind::Server, "boom"),
        (r#"{"status":"error","error":{"message":"bang"}}"#, FaultKind::Server, "bang"),
        (r#"{"status":"moderated"}"#, FaultKind::ContentPolicy, "`moderated`."),
        ("[]", FaultKind::Upstream, "no job"),
        ("<html>", FaultKind::Upstream, ""),
    ] {
        let fault = progress(body).unwrap_err();
        assert_eq!(fault.kind, kind, "{body}");
        assert!(fault.message.contains(words), "{fault}");
    }
}

#[test]
fn pauses_grow() {
    assert_eq!((JOB.pause_ms(0), JOB.pause_ms(19), JOB.pause_ms(20)), (100, 100, 300));
}

#[test]
fn to_whom_the_key_may_go() {
    let hosts = ["vendor.example".to_owned(), "v.test".to_owned()];
    let base = "https://api.vendor.example";
    let check = |url: &str, base: &str, expected: Option<Host<'_>>| {
        assert_eq!(host_of(url, base, &hosts).ok(), expected, "{url} from {base}");
    };
    check("https://api.vendor.example/v1/r?id=1", base, Some(Host::Same("/v1/r?id=1")));
    check("HTTPS://API.vendor.example/v1", base, Some(Host::Same("/v1")));
    check("https://us.vendor.example/r", base, Some(Host::Other("https://us.vendor.example", "/r")));
    check("https://vendor.example/r", base, Some(Host::Other("https://vendor.example", "/r")));
    check("http://127.0.0.1:8/r", "http://127.0.0.1:8", Some(Host::Same("/r")));
    for url in [
        "http://api.vendor.example/r",
        "https://us.vendor.example:444/r",
        "https://vendor.example@evil.example/r",
        "https://evil.example/vendor.example",
        "https://evilvendor.example/r",
        "https://us.vendor.example\\@evil.example/r",
        "https://us.vendor.example#/r",
        "https://us.vendor.example?/r",
        "https://us.vendor.example",
        "https://us.vendor.example/a b",
        "/r",
        "",
    ] {
        check(url, base, None);
    }
    // What stands before a vendor answers for itself.
    check("https://us.vendor.example/r", "https://proxy.example", None);
    check("https://us.vendor.example/r", "http://vendor.example", None);
}

proptest! {
    #[test]
    fn random_answers_never_panic(bytes: Vec<u8>, url: String) {
        let _ = (JOB.begun(&bytes, |_| None), JOB.progress(&bytes), BY_ID.begun(&bytes, |_| None));
        let _ = host_of(&url, "https://a.example", &["a.example".to_owned()]);
    }
}

#[test]
fn the_answer_to_the_submit_tells_what_the_last_one_leaves_out() {
    let job = Job { told_at_submit: Some("cost"), ..JOB };
    let check = |job: &Job, submitted: &str, last: &str, expected: Option<&str>| {
        let told = job.with_submitted(submitted.as_bytes(), last.as_bytes());
        assert_eq!(told.as_deref(), expected.map(str::as_bytes), "{submitted} {last}");
    };
    let submitted = r#"{"id":"1","cost":4.50}"#;
    check(
        &job,
        submitted,
        r#"{"status":"x","r":{"a":1.0}}"#,
        Some(r#"{"status":"x","r":{"a":1.0},"cost":4.50}"#),
    );
    check(&job, submitted, r#"{"cost":null}"#, Some(r#"{"cost":4.50}"#));
    check(&job, submitted, r#"{"cost":0}"#, None);
    check(&job, r#"{"cost":null}"#, "{}", None);
    check(&job, "x", "{}", None);
    check(&job, submitted, "[]", None);
    check(&JOB, submitted, "{}", None);
}
