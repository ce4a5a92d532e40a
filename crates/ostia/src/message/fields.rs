//! Header fields by what HTTP says of them: lists, those of one connection, those of one origin, those of a stream.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Fields that belong to one connection (RFC 9110, section 7.6.1), and cookies of a host that the client never met.
fn is_of_the_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "set-cookie"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// What an answer says of the host that it came from, or has a proxy do: the gateway is another host, and its operator
/// decides what holds there. HTTP/3 and HTTPS of the host (RFC 7838, RFC 6797, RFC 9163), where browsers send reports
/// (<https://www.w3.org/TR/reporting-1/>), what its pages may do (<https://www.w3.org/TR/CSP3/>,
/// <https://html.spec.whatwg.org/multipage/browsers.html>, <https://fetch.spec.whatwg.org/#http-cors-protocol>), what is
/// stored for it (<https://www.w3.org/TR/clear-site-data/>), and files that the server in front is to send in place of the
/// answer (<https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_headers>).
fn is_of_the_origin(name: &str) -> bool {
    let is_listed = matches!(
        name,
        "accept-ch"
            | "alt-svc"
            | "clear-site-data"
            | "content-security-policy"
            | "content-security-policy-report-only"
            | "critical-ch"
            | "cross-origin-embedder-policy"
            | "cross-origin-embedder-policy-report-only"
            | "cross-origin-opener-policy"
            | "cross-origin-opener-policy-report-only"
            | "cross-origin-resource-policy"
            | "document-policy"
            | "expect-ct"
            | "feature-policy"
            | "nel"
            | "origin-agent-cluster"
            | "origin-trial"
            | "permissions-policy"
            | "public-key-pins"
            | "public-key-pins-report-only"
            | "referrer-policy"
            | "report-to"
            | "reporting-endpoints"
            | "service-worker-allowed"
            | "strict-transport-security"
            | "timing-allow-origin"
            | "x-frame-options"
            | "x-sendfile"
            | "x-xss-protection"
    );
    is_listed || name.starts_with("access-control-") || name.starts_with("x-accel-")
}

fn stays_behind(name: &HeaderName) -> bool {
    is_of_the_connection(name.as_str()) || is_of_the_origin(name.as_str())
}

/// Takes away what belongs to the upstream's connection, also by its own word in `Connection`, and to its address.
pub fn strip_hops(headers: &mut HeaderMap) {
    for name in named_in_connection(headers) {
        headers.remove(name);
    }
    while let Some(name) = headers.keys().find(|name| stays_behind(name)).cloned() {
        headers.remove(name);
    }
}

/// The same, and what described a body that is written anew.
pub fn strip(headers: &mut HeaderMap) {
    strip_hops(headers);
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_ENCODING);
}

/// Says to proxies on the way that this is a stream: nginx would collect it
/// (<https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering>), others would compress it (RFC 9111, section
/// 5.2.2.6), and it would arrive in one piece at its end.
pub fn mark_stream(headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
}

/// The fields that `Connection` names as this connection's own. Empty, without memory of its own, for nearly all heads.
pub fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let is_field = |option: &&str| {
        !option.is_empty()
            && !option.eq_ignore_ascii_case("close")
            && !option.eq_ignore_ascii_case("keep-alive")
    };
    members(headers, &header::CONNECTION)
        .filter(is_field)
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .collect()
}

/// The members of a list over all lines of its field (RFC 9110, sections 5.3 and 5.6.1).
pub fn members<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|member| !member.is_empty())
}

/// Adds to a list, all lines of which become one. What is a member already is not added again.
pub fn add_members(headers: &mut HeaderMap, name: HeaderName, more: &HeaderValue) {
    let mut all: Vec<&str> = Vec::new();
    let added = more.to_str().unwrap_or_default().split(',').map(str::trim);
    for member in members(headers, &name).chain(added) {
        if !member.is_empty() && !all.contains(&member) {
            all.push(member);
        }
    }
    if let Ok(value) = HeaderValue::from_str(&all.join(",")) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_stays_behind() {
        let check = |lines: &[(&str, &str)], expected: &[&str]| {
            let mut headers = headers(lines);
            strip_hops(&mut headers);
            let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
            left.sort_unstable();
            assert_eq!(left, expected, "{lines:?}");
        };
        check(&[("connection", "keep-alive"), ("x-request-id", "r")], &["x-request-id"]);
        check(&[("connection", "close, X-Inner"), ("x-inner", "1"), ("retry-after", "3")], &["retry-after"]);
        check(&[("connection", "close"), ("connection", "x-a , x-b"), ("x-a", "1"), ("x-b", "1")], &[]);
        check(&[("connection", ",, not a name"), ("date", "d")], &["date"]);
        check(&[("alt-svc", "h3=\":443\""), ("strict-transport-security", "max-age=1"), ("nel", "{}")], &[]);
        check(&[("x-accel-redirect", "/secret"), ("access-control-allow-origin", "*")], &[]);
        check(&[("server", "s"), ("x-ratelimit-limit-tokens", "1")], &["server", "x-ratelimit-limit-tokens"]);
    }

    #[test]
    fn lists_of_several_lines() {
        let check = |lines: &[&str], more: &'static str, expected: &str| {
            let lines: Vec<_> = lines.iter().map(|line| ("anthropic-beta", *line)).collect();
            let mut headers = headers(&lines);
            let name = HeaderName::from_static("anthropic-beta");
            add_members(&mut headers, name, &HeaderValue::from_static(more));
            let all: Vec<_> = headers.get_all("anthropic-beta").iter().collect();
            assert_eq!(all, [expected], "{lines:?} {more}");
        };
        check(&[], "a", "a");
        check(&["a"], "b", "a,b");
        check(&["a, b", "c"], "d", "a,b,c,d");
        check(&["a", "b,"], "b,c", "a,b,c");
    }
}
