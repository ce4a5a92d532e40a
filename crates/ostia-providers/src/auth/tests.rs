#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

/// The headers and the path that come out; `None` where the key must be refused.
type Want<'a> = Option<(&'a [(&'a str, &'a str)], &'a str)>;

fn check(auth: Auth, key: &str, path: &str, want: Want) {
    let mut request = Request::builder().uri(path).body(()).unwrap();
    let signed = sign(&auth, key, &mut request);
    let (headers, after) = (request.headers(), request.uri().to_string());
    match (signed, want) {
        (Ok(()), Some((pairs, expected))) => {
            let got: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
            assert_eq!((got.as_slice(), after.as_str()), (pairs, expected), "{auth:?}");
            assert!(headers.values().all(HeaderValue::is_sensitive), "{auth:?}");
            assert!(!format!("{headers:?}").contains(key), "{auth:?}");
        }
        (Err(fault), None) => {
            assert_eq!((fault.kind, fault.status), (FaultKind::Authentication, 401));
            assert!(!format!("{fault:?}").contains(key), "{fault:?}");
            assert!(headers.is_empty() && after == path, "{auth:?}");
        }
        (got, want) => panic!("{auth:?}: {got:?}, not {want:?}"),
    }
}

#[test]
fn a_key_goes_where_the_row_says() {
    check(Auth::Bearer, "sk-1", "/", Some((&[("authorization", "Bearer sk-1")], "/")));
    check(Auth::Scheme("Key".into()), "sk-1", "/", Some((&[("authorization", "Key sk-1")], "/")));
    check(Auth::Header("x-api-key".into()), "sk-1", "/m?a=b", Some((&[("x-api-key", "sk-1")], "/m?a=b")));
    check(Auth::Query("key".into()), "sk 1&", "/m", Some((&[], "/m?key=sk%201%26")));
    check(Auth::Query("key".into()), "sk-1", "/m?alt=sse", Some((&[], "/m?alt=sse&key=sk-1")));
    check(Auth::Query("key".into()), "sk-1", "https://a.b/m", Some((&[], "https://a.b/m?key=sk-1")));
    check(Auth::None, "sk-1", "/", Some((&[], "/")));
    let aws = |key_header: &str| {
        Auth::Aws(AwsAuth { service: "s".into(), key_header: key_header.into(), ..AwsAuth::default() })
    };
    check(aws(""), "sk-1", "/", Some((&[("authorization", "Bearer sk-1")], "/")));
    check(aws("x-api-key"), "sk-1", "/", Some((&[("x-api-key", "sk-1")], "/")));
}

#[test]
fn a_key_that_no_header_can_hold_is_refused_and_not_told() {
    check(Auth::Bearer, "sk-1\n", "/", None);
    check(Auth::Header("x-api-key".into()), "sk\r\nx: y", "/", None);
    check(Auth::Header("x api key".into()), "sk-1", "/", None);
}

#[test]
fn an_object_storage_of_aws_sees_no_key() {
    let aws = AwsAuth { service: "s3".into(), raw_path: true, ..AwsAuth::default() };
    let mut request = Request::builder().uri("/b/o").body(()).unwrap();
    let fault = sign(&Auth::Aws(aws), "sk-1", &mut request).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("aws_access_key_id")), "{fault:?}");
    assert!(request.headers().is_empty() && !fault.message.contains("sk-1"));
}
