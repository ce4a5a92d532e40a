#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderValue;
use http::{Method, Request};

use super::*;
use crate::auth::{Credential, Payload, sign_with};
use crate::{Auth, auth};

/// 2015-08-30T12:36:00Z, the time of AWS's test suite.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

/// The keys of AWS's test suite.
fn keys(token: Option<&str>) -> AwsKeys {
    AwsKeys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: token.map(Into::into),
    }
}

struct Case<'a> {
    auth: AwsAuth,
    token: Option<&'a str>,
    headers: &'a [(&'static str, &'static str)],
    body: Payload<'a>,
}

impl Default for Case<'_> {
    fn default() -> Self {
        let auth = AwsAuth { service: "service".into(), ..AwsAuth::default() };
        Case { auth, token: None, headers: &[], body: Payload::Bytes(b"") }
    }
}

fn signed(method: Method, path: &str, case: &Case<'_>, region: Option<&str>) -> Result<Request<()>, Fault> {
    let mut request = Request::builder().method(method).uri(path).header("host", "example.amazonaws.com");
    for (name, value) in case.headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(()).unwrap();
    let signing = Signing { region, time: then(), payload: case.body };
    let credential = Credential::Aws(keys(case.token));
    sign_with(&Auth::Aws(case.auth.clone()), &credential, signing, &mut request)?;
    Ok(request)
}

fn check(method: Method, path: &str, case: Case<'_>, names: &str, signature: &str) {
    let request = signed(method, path, &case, Some("us-east-1")).unwrap();
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, SignedHeaders={names}, \
         Signature={signature}",
        case.auth.service
    );
    assert_eq!(request.headers()["authorization"].to_str().unwrap(), expected, "{path}");
    assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
    assert_eq!(request.uri(), path, "what is sent stays as it is");
}

/// The suite's cases that a gateway can meet: its header values are clean, and its paths have no dot segments. Names and
/// signatures: <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html>
#[test]
fn the_cases_of_awss_test_suite() {
    let plain = |method, path, signature| check(method, path, Case::default(), "host;x-amz-date", signature);
    plain(Method::GET, "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    plain(Method::POST, "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    plain(
        Method::GET,
        "/?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    plain(Method::GET, "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb");
    plain(
        Method::POST,
        "/?Param1=value1",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    );
    plain(Method::GET, "/?%E1%88%B4=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04");
    plain(
        Method::GET,
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    );
    plain(
        Method::GET,
        "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    );
    plain(Method::GET, "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84");
    check(
        Method::POST,
        "/",
        Case {
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: Payload::Bytes(b"Param1=value1"),
            ..Case::default()
        },
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
    check(
        Method::GET,
        "/",
        Case {
            token: Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
            ..Case::default()
        },
        "host;x-amz-date;x-amz-security-token",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    );
}

#[test]
fn a_path_is_encoded_twice_for_the_signature_and_once_for_the_wire() {
    // By botocore.
    check(
        Method::GET,
        "/model/a%3Ab/converse",
        Case::default(),
        "host;x-amz-date",
        "a39f85cdf524f2a19e399aa68989b799087e1d414933382504bf1e94a8389847",
    );
}

#[test]
fn only_what_decides_is_signed() {
    let headers = &[
        ("accept", "*/*"),
        ("authorization", "Bearer of-a-client"),
        ("connection", "keep-alive"),
        ("content-type", "application/json"),
        ("user-agent", "x"),
        ("x-amz-content-sha256", "of-a-client"),
        ("x-amz-date", "of-a-client"),
        ("x-amz-security-token", "of-a-client"),
        ("x-amzn-bedrock-trace", "ENABLED"),
        ("x-amzn-trace-id", "Root=1"),
    ];
    let request = signed(Method::POST, "/", &Case { headers, ..Case::default() }, Some("us-east-1")).unwrap();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-trace,"),
        "{authorization}"
    );
    let clients: Vec<_> =
        request.headers().iter().filter(|(_, value)| value.as_bytes().ends_with(b"of-a-client")).collect();
    assert!(clients.is_empty(), "{clients:?}");
    assert!(request.headers()["authorization"].is_sensitive());
}

#[test]
fn services_that_want_to_be_told_the_hash() {
    let sha256 = |auth: AwsAuth, body| {
        let request =
            signed(Method::PUT, "/a//b", &Case { auth, body, ..Case::default() }, Some("eu-west-1"));
        request.unwrap().headers().get("x-amz-content-sha256").map(HeaderValue::as_bytes).map(<[u8]>::to_vec)
    };
    let service = || "s".to_owned();
    let told = AwsAuth { service: service(), content_sha256: true, ..AwsAuth::default() };
    let objects = AwsAuth { service: service(), raw_path: true, ..AwsAuth::default() };
    let empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_vec();
    assert_eq!(sha256(told, Payload::Bytes(b"")), Some(empty));
    assert_eq!(sha256(objects, Payload::Streamed), Some(b"UNSIGNED-PAYLOAD".to_vec()));
    assert_eq!(sha256(AwsAuth { service: service(), ..AwsAuth::default() }, Payload::Bytes(b"")), None);
}

#[test]
fn what_cannot_be_signed_says_why() {
    let check = |case: Case<'_>, region: Option<&str>, word: &str, status: u16| {
        let fault = signed(Method::POST, "/", &case, region).unwrap_err();
        assert!(fault.message.contains(word), "{fault}");
        assert_eq!(fault.status, status);
    };
    check(Case::default(), None, "aws_region", 400);
    check(Case::default(), Some("evil.com/"), "aws_region", 400);
    check(Case { body: Payload::Streamed, ..Case::default() }, Some("eu-west-1"), "body", 400);
    check(Case { token: Some("a\nb"), ..Case::default() }, Some("eu-west-1"), "aws_session_token", 401);
}

#[test]
fn keys_sign_nowhere_else_and_tokens_are_bearers() {
    let signing = Signing { region: None, time: then(), payload: Payload::Bytes(b"") };
    let mut request = Request::new(());
    let keys = Credential::Aws(keys(None));
    assert!(sign_with(&Auth::Bearer, &keys, signing, &mut request).is_err());
    let aws = Auth::Aws(AwsAuth { service: "bedrock".into(), ..AwsAuth::default() });
    for (auth, credential, name, value) in [
        (&aws, Credential::Key("k".into()), "authorization", "Bearer k"),
        (&aws, Credential::Token("t".into()), "authorization", "Bearer t"),
        (&Auth::Google, Credential::Key("k".into()), "authorization", "Bearer k"),
        (&Auth::Azure, Credential::Key("k".into()), "api-key", "k"),
        (&Auth::Azure, Credential::Token("t".into()), "authorization", "Bearer t"),
        (&Auth::Header("x".into()), Credential::Token("t".into()), "authorization", "Bearer t"),
    ] {
        let mut request = Request::new(());
        auth::sign_with(auth, &credential, signing, &mut request).unwrap();
        assert_eq!(request.headers()[name], value, "{auth:?}");
        assert_eq!(request.headers().len(), 1, "{auth:?}");
    }
}

#[test]
fn no_way_of_printing_shows_a_secret() {
    let credentials = [Credential::Aws(keys(Some("token"))), Credential::Key("wJalr".into())];
    let printed = format!("{credentials:?}");
    assert!(!printed.contains("wJalr") && !printed.contains("\"token\""), "{printed}");
}

/// What botocore makes of the same keys at the same time (`SigV4QueryAuth`, 1.44.8), as the SageMaker SDK's token generator asks it.
#[test]
fn a_token_in_place_of_a_signature() {
    let token = AwsToken {
        host: "sagemaker.amazonaws.com".into(),
        action: "CallWithBearerToken".into(),
        prefix: "sagemaker-api-key-".into(),
    };
    let auth = AwsAuth { service: "sagemaker".into(), token: Some(token), ..AwsAuth::default() };
    for (session, signature) in [
        (None, "1dadcd5433651abe54c95943dfdf0c75fa205268edfaeb66f58597faacb35bb1"),
        (Some("AQoDYXdz+/="), "64f8ab619df4e63f293581319191b264cce075af123fc9108dbe0c1285fc0891"),
    ] {
        let case = Case { auth: auth.clone(), token: session, body: Payload::Streamed, ..Case::default() };
        let path = "/endpoints/e/openai/v1/chat/completions";
        let request = signed(Method::POST, path, &case, Some("us-east-1")).unwrap();
        let bearer = &request.headers()["authorization"];
        assert!(bearer.is_sensitive() && !request.headers().contains_key("x-amz-date"));
        let shown = bearer.to_str().unwrap().strip_prefix("Bearer sagemaker-api-key-").unwrap();
        let address = String::from_utf8(BASE64_STANDARD.decode(shown).unwrap()).unwrap();
        let (host, query) = address.split_once("/?").unwrap();
        let mut fields: Vec<&str> = query.split('&').collect();
        fields.sort_unstable();
        let session = session.map(|_| "X-Amz-Security-Token=AQoDYXdz%2B%2F%3D".to_owned());
        let mut expected: Vec<String> = [
            "Action=CallWithBearerToken",
            "Version=1",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsagemaker%2Faws4_request",
            "X-Amz-Date=20150830T123600Z",
            "X-Amz-Expires=900",
            "X-Amz-SignedHeaders=host",
        ]
        .map(str::to_owned)
        .into();
        expected.extend(session);
        expected.push(format!("X-Amz-Signature={signature}"));
        expected.sort_unstable();
        assert_eq!(
            (host, fields),
            ("sagemaker.amazonaws.com", expected.iter().map(String::as_str).collect())
        );
    }
    let case = Case { auth, ..Case::default() };
    assert_eq!(signed(Method::POST, "/", &case, None).unwrap_err().param.as_deref(), Some("aws_region"));
}
