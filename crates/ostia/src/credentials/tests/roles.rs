use std::time::{Duration, SystemTime};

use super::*;

/// An answer of AWS's token service.
pub(super) fn assumed(action: &str, id: &str, lasts: Duration) -> Answer {
    let ends = humantime::format_rfc3339_seconds(SystemTime::now() + lasts);
    Answer::with(
        "text/xml",
        format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
             <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/ostia</Arn>\
             <AssumedRoleId>A:ostia</AssumedRoleId></AssumedRoleUser><Credentials>\
             <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>assumed-secret</SecretAccessKey>\
             <SessionToken>assumed-token</SessionToken><Expiration>{ends}</Expiration></Credentials>\
             </{action}Result></{action}Response>"
        ),
    )
}

fn refused(code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no way</Message></Error></ErrorResponse>"
    );
    Answer::with("text/xml", body).status(403)
}

fn role() -> Texts {
    texts(&[
        ("aws_access_key_id", "AKID"),
        ("aws_secret_access_key", "top-secret"),
        ("aws_session_token", "session"),
        ("aws_role_arn", "arn:aws:iam::123456789012:role/r"),
        ("aws_external_id", "external"),
        ("aws_session_tags", r#"{"team":"search"}"#),
        ("aws_region", "eu-west-1"),
    ])
}

#[test]
fn a_role_that_is_assumed_with_keys() {
    let server = Upstream::serve(|_| assumed("AssumeRole", "ASIA", Duration::from_secs(3600)));
    let credentials = on(texts(&[("AWS_ENDPOINT_URL_STS", &server.url())]));
    let source = source(&aws(), Giver::Client, &role());
    for _ in 0..3 {
        let got = fetched(&credentials, source.clone(), Holder::Client(Owner::Nobody)).unwrap();
        assert_eq!(got, "ASIA assumed-secret assumed-token");
    }
    assert_eq!(server.count(), 1);
    let request = server.last();
    let form = request.text();
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::123456789012:role/r"),
        ("RoleSessionName", "ostia"),
        ("ExternalId", "external"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "search"),
    ] {
        assert_eq!(field(&form, name), value);
    }
    let signed = request.header("authorization").unwrap();
    assert!(
        signed.contains("Credential=AKID/") && signed.contains("/eu-west-1/sts/aws4_request"),
        "{signed}"
    );
    assert_eq!(request.header("x-amz-security-token").as_deref(), Some("session"));
}

#[test]
fn a_role_that_may_not_be_assumed() {
    let check = |answer: Answer, status: u16, word: &str, calls: std::ops::RangeInclusive<usize>| {
        let server = Upstream::serve(move |_| answer.clone());
        let credentials = on(texts(&[("AWS_ENDPOINT_URL_STS", &server.url())]));
        let source = source(&aws(), Giver::Client, &role());
        let failure = fetched(&credentials, source, Holder::Client(Owner::Nobody)).unwrap_err();
        assert!(failure.words.contains(word), "{failure}");
        assert_eq!(failure.fault(true).status, status, "{failure}");
        assert!(!format!("{failure:?}").contains("top-secret"), "{failure}");
        assert!(calls.contains(&server.count()), "{} calls: {failure}", server.count());
    };
    check(refused("AccessDenied"), 401, "AccessDenied", 1..=1);
    check(refused("InvalidClientTokenId"), 401, "InvalidClientTokenId", 1..=1);
    check(Answer::with("text/xml", "garbage"), 502, "", 1..=9);
    check(Answer::empty().status(500), 502, "", 3..=9);
}

/// The end of keys is told by AWS's clock.
#[test]
fn a_clock_that_is_wrong() {
    let check = |theirs: SystemTime| {
        let server = Upstream::serve(move |_| {
            let ours = assumed("AssumeRole", "ASIA", Duration::ZERO).body();
            let ours = String::from_utf8(ours).unwrap();
            let (before, rest) = ours.split_once("<Expiration>").unwrap();
            let (_, after) = rest.split_once("</Expiration>").unwrap();
            let ends = humantime::format_rfc3339_seconds(theirs + Duration::from_secs(3600));
            let body = format!("{before}<Expiration>{ends}</Expiration>{after}");
            Answer::with("text/xml", body).header("date", &httpdate::fmt_http_date(theirs))
        });
        let credentials = on(texts(&[("AWS_ENDPOINT_URL_STS", &server.url())]));
        let wanted = credentials.wanted(source(&aws(), Giver::Client, &role()), Holder::Operator);
        block_on(credentials.get(&wanted)).unwrap();
        assert!(credentials.ready(&wanted).is_some(), "it holds for an hour by either clock");
    };
    check(SystemTime::now() - Duration::from_secs(86_400));
    check(SystemTime::now() + Duration::from_secs(86_400));
}

#[test]
fn a_region_that_is_another_host() {
    let mut settings = role();
    settings.retain(|(name, _)| *name != "aws_region");
    settings.push(("aws_region", "evil.example/".into()));
    let source = source(&aws(), Giver::Client, &settings);
    let failure = fetched(&on(Texts::new()), source, Holder::Client(Owner::Nobody)).unwrap_err();
    assert!(failure.words.contains("aws_region"), "{failure}");
}
