#![allow(clippy::unwrap_used)]

use http::{Method, Request};

use super::{RequestBody, repeatable};

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
