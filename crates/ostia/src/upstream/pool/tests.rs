#![allow(clippy::unwrap_used)]

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};

use super::{IDLE_AGE_MAX, RequestBody, idle_age_max, repeatable};

#[test]
fn how_long_a_connection_may_be_idle() {
    let check = |version, headers: &[(&'static str, &'static str)], expected: Option<Duration>| {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(idle_age_max(version, &headers), expected, "{version:?} {headers:?}");
    };
    let ms = |ms| Some(Duration::from_millis(ms));
    check(Version::HTTP_11, &[], Some(IDLE_AGE_MAX));
    check(Version::HTTP_11, &[("connection", "close")], None);
    check(Version::HTTP_11, &[("connection", "x-a, Close")], None);
    check(Version::HTTP_11, &[("connection", "keep-alive")], Some(IDLE_AGE_MAX));
    check(Version::HTTP_11, &[("keep-alive", "timeout=5")], ms(4000));
    check(Version::HTTP_11, &[("keep-alive", "max=100, Timeout = 20")], ms(19_000));
    check(Version::HTTP_11, &[("keep-alive", "timeout=1")], ms(500));
    check(Version::HTTP_11, &[("keep-alive", "timeout=0")], ms(0));
    check(Version::HTTP_11, &[("keep-alive", "timeout=4294967295")], Some(IDLE_AGE_MAX));
    check(Version::HTTP_11, &[("keep-alive", "timeout=soon")], Some(IDLE_AGE_MAX));
    check(Version::HTTP_10, &[], None);
    check(Version::HTTP_10, &[("connection", "keep-alive"), ("keep-alive", "timeout=3")], ms(2000));
}

#[test]
fn what_a_server_may_have_read_is_repeated_only_where_the_method_allows_it() {
    for (method, expected) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::PUT, true),
        (Method::DELETE, true),
        (Method::POST, false),
        (Method::PATCH, false),
    ] {
        let request = Request::builder().method(&method).uri("/v1/x").header("a", "b");
        let request = request.body(RequestBody::Full(Some("{}".into()))).unwrap();
        let copy = repeatable(&request);
        assert_eq!(copy.is_some(), expected, "{method}");
        if let Some(copy) = copy {
            assert_eq!((copy.method(), copy.uri()), (request.method(), request.uri()));
            assert_eq!(copy.headers(), request.headers());
        }
    }
}
