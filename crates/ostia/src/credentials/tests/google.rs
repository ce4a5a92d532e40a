use std::time::{Duration, SystemTime};

use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;

use super::entra::{file, rsa, verified};
use super::*;

const EMAIL: &str = "a@p.iam.gserviceaccount.com";

/// The JSON of a service account, as Google gives it out.
fn key_file(token_uri: &str, key: &str) -> String {
    serde_json::json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "key-1",
        "private_key": key,
        "client_email": EMAIL,
        "token_uri": token_uri,
    })
    .to_string()
}

/// What comes of this JSON, for the operator.
fn by(json: &str, variables: &[(&'static str, &str)]) -> Result<String, Failure> {
    let settings = vec![("vertex_service_account_json", json.to_owned())];
    fetched(&on(texts(variables)), source(&Auth::Google, Giver::Operator, &settings), Holder::Operator)
}

/// What the machine has.
fn of_machine(variables: &[(&'static str, &str)]) -> Result<String, Failure> {
    let source = source(&Auth::Google, Giver::Operator, &Texts::new());
    fetched(&on(texts(variables)), source, Holder::Operator)
}

/// An answer of the endpoint that gives out tokens of service accounts.
fn generated(token: &str, at: SystemTime) -> Answer {
    let ends = humantime::format_rfc3339_seconds(at);
    Answer::json(format!(r#"{{"accessToken":"{token}","expireTime":"{ends}"}}"#))
}

fn in_an_hour() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

#[test]
fn by_a_service_accounts_key() {
    let server = Upstream::serve(|_| token("t", 3599));
    let (key, public) = rsa();
    let uri = format!("{}/token", server.url());
    assert_eq!(by(&key_file(&uri, &key), &[]).unwrap(), "t");
    let form = server.last().text();
    assert_eq!(field(&form, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let [header, claims] = verified(&field(&form, "assertion"), &RSA_PKCS1_2048_8192_SHA256, &public);
    assert_eq!((&header["alg"], &header["kid"]), (&"RS256".into(), &"key-1".into()));
    assert_eq!((&claims["iss"], &claims["aud"]), (&EMAIL.into(), &uri.as_str().into()));
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
}

#[test]
fn a_key_that_is_none() {
    let server = Upstream::serve(|_| token("t", 3599));
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let failure = by(&key_file(&server.url(), broken), &[]).unwrap_err();
    assert!(failure.words.contains("no RSA key"), "{failure}");
    assert_eq!((failure.fault(true).status, server.count()), (401, 0));
}

#[test]
fn a_clock_that_is_wrong() {
    let theirs = SystemTime::now() - Duration::from_secs(86_400);
    let of = |claims: &str| {
        use base64::Engine as _;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_secs(claims["iat"].as_u64().unwrap())
    };
    // Google's clock, a day behind ours, refuses what comes from the future.
    let server = Upstream::serve(move |request| {
        let assertion = field(&request.text(), "assertion");
        let issued = of(assertion.split('.').nth(1).unwrap());
        let answer = match issued > theirs + Duration::from_secs(300) {
            true => {
                Answer::json(r#"{"error":"invalid_grant","error_description":"Check your iat"}"#).status(400)
            }
            false => token("t", 3599),
        };
        answer.header("date", &httpdate::fmt_http_date(theirs))
    });
    assert_eq!(by(&key_file(&server.url(), &rsa().0), &[]).unwrap(), "t");
    assert_eq!(server.count(), 2);
}

#[test]
fn by_a_user_who_signed_in() {
    let server = Upstream::serve(|_| token("u", 3599));
    let json = serde_json::json!({
        "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
        "token_uri": server.url(),
    });
    assert_eq!(by(&json.to_string(), &[]).unwrap(), "u");
    let form = server.last().text();
    for (name, value) in
        [("grant_type", "refresh_token"), ("client_id", "i"), ("client_secret", "s"), ("refresh_token", "r")]
    {
        assert_eq!(field(&form, name), value);
    }
}

/// Workload identity federation, with the credential that the machine's variable names.
#[test]
fn by_a_workload_of_anothers() {
    let server = Upstream::serve(|request| match request.target.as_str() {
        "/subject" => Answer::json(r#"{"id_token":"of-the-url"}"#),
        "/sts" => token("federated", 3599),
        "/generate" => generated("impersonated", in_an_hour()),
        other => panic!("{other}"),
    });
    let url = server.url();
    let plain = file("of-the-file\n");
    let check = |source: serde_json::Value, impersonation: Option<&str>, shown: &str, expected: &str| {
        let json = serde_json::json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{url}/sts"),
            "service_account_impersonation_url": impersonation,
            "credential_source": source,
        });
        let path = file(&json.to_string());
        let got = of_machine(&[("GOOGLE_APPLICATION_CREDENTIALS", path.path().to_str().unwrap())]);
        assert_eq!(got.unwrap(), expected);
        let requests = server.requests();
        let exchange = requests.iter().rev().find(|request| request.target == "/sts").unwrap().text();
        for (name, value) in [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", "//iam.googleapis.com/pool"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", shown),
        ] {
            assert_eq!(field(&exchange, name), value);
        }
    };
    check(serde_json::json!({"file": plain.path()}), None, "of-the-file", "federated");
    let source = serde_json::json!({
        "url": format!("{url}/subject"),
        "headers": {"x-shown": "yes"},
        "format": {"type": "json", "subject_token_field_name": "id_token"},
    });
    check(source, Some(&format!("{url}/generate")), "of-the-url", "impersonated");
    let requests = server.requests();
    let asked = requests.iter().find(|request| request.target == "/subject").unwrap();
    assert_eq!(asked.header("x-shown").as_deref(), Some("yes"));
    assert_eq!(server.last().header("authorization").as_deref(), Some("Bearer federated"));
}

/// With keys of the environment, in a process of its own.
#[test]
fn by_a_workload_of_awss() {
    let server = Upstream::serve(|request| match request.target.as_str() {
        "/latest/api/token" => Answer::with("text/plain", "session"),
        "/zone" => {
            assert_eq!(request.header("x-aws-ec2-metadata-token").as_deref(), Some("session"));
            Answer::with("text/plain", "eu-west-1b")
        }
        "/sts" => token("federated", 3599),
        other => panic!("{other}"),
    });
    let url = server.url();
    let json = serde_json::json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/pool",
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": format!("{url}/sts"),
        "credential_source": {
            "environment_id": "aws1",
            "region_url": format!("{url}/zone"),
            "url": "http://169.254.169.254/latest/meta-data/iam/security-credentials",
            "regional_cred_verification_url":
                "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
            "imdsv2_session_token_url": format!("{url}/latest/api/token"),
        },
    });
    let path = file(&json.to_string());
    assert_eq!(super::chain::of_google(path.path()), "federated");
    let shown = field(&server.last().text(), "subject_token");
    let shown = percent_encoding::percent_decode_str(&shown).decode_utf8().unwrap().into_owned();
    let question: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(question["method"], "POST");
    assert_eq!(
        question["url"],
        "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    );
    let headers = question["headers"].as_array().unwrap();
    let header = |name: &str| {
        headers.iter().find(|header| header["key"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(header("host"), "sts.eu-west-1.amazonaws.com");
    assert_eq!(header("x-goog-cloud-target-resource"), "//iam.googleapis.com/pool");
    let signed = "/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date;x-goog-cloud-target-resource,";
    assert!(header("authorization").contains(signed), "{}", header("authorization"));
}

#[test]
fn by_whoever_may_ask_for_a_service_accounts_token() {
    let server = Upstream::serve(|request| match request.target.as_str() {
        "/token" => token("own", 3599),
        _ => generated("impersonated", in_an_hour()),
    });
    let json = serde_json::json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("{}/generate", server.url()),
        "delegates": ["b@p.iam.gserviceaccount.com"],
        "source_credentials": serde_json::from_str::<serde_json::Value>(
            &key_file(&format!("{}/token", server.url()), &rsa().0),
        ).unwrap(),
    });
    assert_eq!(by(&json.to_string(), &[]).unwrap(), "impersonated");
    let request = server.last();
    assert_eq!(request.header("authorization").as_deref(), Some("Bearer own"));
    assert_eq!(request.json()["delegates"][0], "b@p.iam.gserviceaccount.com");
    assert_eq!(request.json()["scope"][0], "https://www.googleapis.com/auth/cloud-platform");
}

/// What Google says of the end is counted from its own clock.
#[test]
fn an_end_by_a_clock_that_differs() {
    let theirs = SystemTime::now() - Duration::from_secs(86_400);
    let server = Upstream::serve(move |request| match request.target.as_str() {
        "/token" => token("own", 3599),
        _ => generated("impersonated", theirs + Duration::from_secs(3600))
            .header("date", &httpdate::fmt_http_date(theirs)),
    });
    let json = serde_json::json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": server.url(),
        "source_credentials": serde_json::from_str::<serde_json::Value>(
            &key_file(&format!("{}/token", server.url()), &rsa().0),
        ).unwrap(),
    });
    let settings = vec![("vertex_service_account_json", json.to_string())];
    let credentials = on(Texts::new());
    let wanted = credentials.wanted(source(&Auth::Google, Giver::Operator, &settings), Holder::Operator);
    block_on(credentials.get(&wanted)).unwrap();
    assert!(credentials.ready(&wanted).is_some(), "it holds for an hour by either clock");
}

#[test]
fn by_the_machines_metadata_service() {
    let server = Upstream::serve(|_| token("m", 3599).header("metadata-flavor", "Google"));
    let host = server.address().to_string();
    assert_eq!(of_machine(&[("GCE_METADATA_HOST", &host)]).unwrap(), "m");
    let request = server.last();
    assert_eq!(request.target, "/computeMetadata/v1/instance/service-accounts/default/token");
    assert_eq!(request.header("metadata-flavor").as_deref(), Some("Google"));
    let other = Upstream::serve(|_| token("m", 3599));
    let host = other.address().to_string();
    let failure = of_machine(&[("GCE_METADATA_HOST", &host)]).unwrap_err();
    assert!(failure.words.contains("no metadata service of Google's"), "{failure}");
}

#[test]
fn gclouds_own_file() {
    let server = Upstream::serve(|_| token("g", 3599));
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("application_default_credentials.json");
    std::fs::write(&path, key_file(&server.url(), &rsa().0)).unwrap();
    assert_eq!(of_machine(&[("CLOUDSDK_CONFIG", folder.path().to_str().unwrap())]).unwrap(), "g");
    std::fs::write(&path, "{}").unwrap();
    let failure = of_machine(&[("CLOUDSDK_CONFIG", folder.path().to_str().unwrap())]).unwrap_err();
    assert!(failure.words.contains("application_default_credentials.json has no `type`"), "{failure}");
    let missing = of_machine(&[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")]).unwrap_err();
    assert!(missing.words.contains("/nowhere/key.json cannot be read"), "{missing}");
}
