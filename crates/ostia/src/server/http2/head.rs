//! The head of an HTTP/2 request, said as HTTP/1.1 says it, so that everything behind here reads one form.

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, Uri};
use http::{Method, Request, Response, StatusCode, request};
use hyper::ext::Protocol;

/// What a wish for a WebSocket names as its protocol (RFC 8441, section 5).
const WEBSOCKET: &str = "websocket";
/// Where HTTP/1.1 has a key, HTTP/2 has none (RFC 8441, section 5.1): nobody compares it.
const NO_KEY: HeaderValue = HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA==");

/// Is this a wish for a WebSocket: CONNECT with that protocol (RFC 8441)?
pub fn wants_socket<B>(request: &Request<B>) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == WEBSOCKET)
}

/// The host moves from the URL to where HTTP/1.1 has it (RFC 9113, section 8.3.1), and the lines of cookies become one (section
/// 8.2.3). A URL whose authority is not the host that the headers name stays as it is, and is refused where request lines are
/// checked.
pub fn as_http1<B>(request: Request<B>) -> Request<B> {
    let wants_socket = wants_socket(&request);
    let (mut parts, body) = request.into_parts();
    if wants_socket {
        ask_to_upgrade(&mut parts);
    }
    move_host(&mut parts);
    join_cookies(&mut parts.headers);
    Request::from_parts(parts, body)
}

/// The wish for a WebSocket as HTTP/1.1 has it (RFC 6455, section 4.1).
fn ask_to_upgrade(parts: &mut request::Parts) {
    parts.method = Method::GET;
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    parts.headers.insert(header::UPGRADE, HeaderValue::from_static(WEBSOCKET));
    parts.headers.insert(header::SEC_WEBSOCKET_KEY, NO_KEY);
}

/// An agreement to a WebSocket as HTTP/2 has it: an answer like others. The library leaves out what is of the connection.
pub fn agreed<B>(mut response: Response<B>) -> Response<B> {
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().remove(header::SEC_WEBSOCKET_ACCEPT);
    response
}

fn move_host(parts: &mut request::Parts) {
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    let is_named = match (&uri.authority, parts.headers.get(header::HOST)) {
        (None, _) => true,
        // The only method without a path: there is nothing that could be asked for.
        (Some(_), _) if uri.path_and_query.is_none() => false,
        (Some(authority), _) if authority.as_str().contains('@') => false,
        (Some(authority), Some(host)) => is_same(authority, host),
        (Some(authority), None) => match HeaderValue::from_str(authority.as_str()) {
            Ok(host) => parts.headers.insert(header::HOST, host).is_none(),
            Err(_) => false,
        },
    };
    if is_named {
        (uri.scheme, uri.authority) = (None, None);
    }
    // What came apart goes together again.
    parts.uri = Uri::from_parts(uri).unwrap_or_default();
}

/// Do both name the same host? A port is compared only where both name one: which one goes without saying depends on the scheme,
/// and a proxy in front may have changed that.
fn is_same(authority: &Authority, host: &HeaderValue) -> bool {
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let are_ports_alike = match (authority.port_u16(), host.port_u16()) {
        (Some(one), Some(other)) => one == other,
        (None, None) => true,
        (Some(one), None) | (None, Some(one)) => matches!(one, 80 | 443),
    };
    are_ports_alike && authority.host().eq_ignore_ascii_case(host.host()) && !host.as_str().contains('@')
}

fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hosts() {
        let check = |url: &str, hosts: &[&str], expected: (&str, &[&str])| {
            let mut request = Request::get(url);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            let request = as_http1(request.body(()).unwrap());
            let found: Vec<&str> =
                request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap()).collect();
            assert_eq!((request.uri().to_string().as_str(), found.as_slice()), expected, "{url} {hosts:?}");
        };
        check("http://a.b:1/v1/x?y=z", &[], ("/v1/x?y=z", &["a.b:1"]));
        check("https://[::1]:8787/", &[], ("/", &["[::1]:8787"]));
        check("http://a.b/x", &["A.b"], ("/x", &["A.b"]));
        check("https://a.b:443/x", &["a.b"], ("/x", &["a.b"]));
        check("https://a.b/x", &["a.b:443"], ("/x", &["a.b:443"]));
        check("/x", &["a.b"], ("/x", &["a.b"]));
        check("/x", &[], ("/x", &[]));
        // These are refused later.
        for (url, host) in [
            ("http://a.b/x", "c.d"),
            ("http://a.b:1/x", "a.b:2"),
            ("http://a.b/x", "a.b:8787"),
            ("http://u@a.b/x", "a.b"),
            ("http://a.b/x", "u@a.b"),
            ("http://a.b/x", "a b"),
        ] {
            check(url, &[host], (url, &[host]));
        }
        check("http://u@a.b/x", &[], ("http://u@a.b/x", &[]));
        check("http://a.b/x", &["a.b", "c.d"], ("/x", &["a.b", "c.d"]));
    }

    #[test]
    fn sockets() {
        for (method, protocol, is_wanted) in [
            (Method::CONNECT, Some("websocket"), true),
            (Method::CONNECT, Some("connect-udp"), false),
            (Method::CONNECT, None, false),
            (Method::GET, Some("websocket"), false),
        ] {
            let mut request =
                Request::builder().method(&method).uri("http://a.b/v1/realtime").body(()).unwrap();
            protocol.map(|name| request.extensions_mut().insert(Protocol::from_static(name)));
            let request = as_http1(request);
            let expected = if is_wanted { Method::GET } else { method };
            assert_eq!(request.method(), expected, "{protocol:?}");
            assert_eq!(request.headers().contains_key(header::UPGRADE), is_wanted, "{protocol:?}");
        }
        let agreement = Response::builder().status(101).header("sec-websocket-accept", "x");
        let response = agreed(agreement.header("sec-websocket-protocol", "realtime").body(()).unwrap());
        assert_eq!((response.status().as_u16(), response.headers().len()), (200, 1));
    }

    #[test]
    fn cookies() {
        let request = Request::get("/").header(header::COOKIE, "a=1").header(header::COOKIE, "b=2; c=3");
        let request = as_http1(request.body(()).unwrap());
        let cookies: Vec<&HeaderValue> = request.headers().get_all(header::COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }
}
