//! Hosts as clients write them: the checks that need no resolver. The egress guard checks the addresses.

use std::net::IpAddr;

use crate::upstream::egress::Guard;

/// Longest base URL that a client may give, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// Most labels of a host name.
const LABELS_MAX: usize = 10;

/// Top-level names that mean nothing on the internet and something inside.
const INSIDE: [&str; 10] =
    ["local", "localdomain", "internal", "intranet", "lan", "home", "corp", "invalid", "onion", "localhost"];
/// Names of metadata services, whatever they resolve to.
const METADATA: [&str; 9] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.com",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "api.metadata.cloud.ibm.com",
    "instance-data",
    "instance-data.ec2.internal",
];

/// `scheme://authority` and the path behind it.
pub fn split(url: &str) -> Result<(&str, &str), String> {
    if url.len() > URL_BYTES_MAX {
        return Err(format!("is longer than {URL_BYTES_MAX} bytes"));
    }
    let rest = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => return Err("must begin with http:// or https://".into()),
    };
    if rest.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || b"\\\"<>^`{|}".contains(&byte)) {
        return Err("has characters that a URL cannot have".into());
    }
    if rest.contains(['?', '#']) {
        return Err("must end before ? and #".into());
    }
    let authority_bytes = rest.find('/').unwrap_or(rest.len());
    let at = url.len() - rest.len() + authority_bytes;
    Ok((&url[..at], &url[at..]))
}

/// Checks the spelling of a host that a client chose.
pub fn check(scheme_and_authority: &str, guard: &Guard) -> Result<(), String> {
    let (_, authority) = scheme_and_authority.split_once("://").unwrap_or_default();
    if authority.contains(['@', '%']) {
        return Err("must not hold a user, a password or percent signs".into());
    }
    let parsed: http::uri::Authority = authority.parse().map_err(|_| "has no valid host".to_owned())?;
    let host = parsed.host().to_ascii_lowercase();
    if authority.len() > parsed.host().len() && parsed.port_u16().is_none_or(|port| port == 0) {
        return Err("has no valid port".into());
    }
    if !guard.hosts_only.is_empty() && !guard.hosts_only.iter().any(|pattern| pattern.matches(&host)) {
        return Err("is not among the hosts under egress.allow_hosts in ostia.yaml".into());
    }
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    check_name(&host, guard)
}

fn check_name(host: &str, guard: &Guard) -> Result<(), String> {
    let labels: Vec<&str> = host.split('.').collect();
    let plain = |label: &&str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if labels.len() > LABELS_MAX || !labels.iter().all(plain) {
        return Err("has no valid host name".into());
    }
    let last = labels.last().copied().unwrap_or_default();
    // Decimal, octal and hexadecimal spellings of addresses: some resolvers read them, people do not.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Err("is an address in disguise; write it with four plain numbers".into());
    }
    if is_metadata(host) {
        return Err("is a metadata service".into());
    }
    let own = last == "localhost" && guard.loopback_allowed;
    if is_inside(host) && !own && !guard.allows(host) {
        return Err(
            "is a name inside somebody's network; the operator can allow it under egress in ostia.yaml"
                .into(),
        );
    }
    Ok(())
}

/// Is it a name that means nothing on the internet and something inside a network?
pub fn is_inside(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    INSIDE.iter().any(|inside| inside.eq_ignore_ascii_case(last))
}

/// Is it the name of a metadata service, whatever it resolves to?
pub fn is_metadata(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    METADATA.iter().any(|metadata| metadata.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ostia_config::HostPattern;

    #[test]
    fn urls() {
        assert_eq!(split("http://a:1/x/y;t=1"), Ok(("http://a:1", "/x/y;t=1")));
        assert_eq!(split("https://[::1]"), Ok(("https://[::1]", "")));
        for url in ["ftp://a", "a.b", "http://a b", "http://a/?x", "http://a#x", "file:///etc/passwd"] {
            assert!(split(url).is_err(), "{url}");
        }
    }

    #[test]
    fn spellings() {
        let open = Guard {
            loopback_allowed: true,
            hosts_allowed: ["box.internal", "*.corp"]
                .iter()
                .map(|text| HostPattern::parse(text).unwrap())
                .collect(),
            ..Guard::default()
        };
        for (host, closed, opened) in [
            ("http://api.example.com", true, true),
            ("http://api.example.com:8443", true, true),
            ("http://127.0.0.1:80", true, true),
            ("http://[::1]:80", true, true),
            ("http://localhost:1234", false, true),
            ("http://box.internal", false, true),
            ("http://a.corp", false, true),
            ("http://other.internal", false, false),
            ("http://user@example.com", false, false),
            ("http://2130706433", false, false),
            ("http://0x7f000001", false, false),
            ("http://127.1", false, false),
            ("http://metadata.google.internal", false, false),
            ("http://example.com.", false, false),
            ("http://example.com:0", false, false),
            ("http://example.com:x", false, false),
            ("http://a.b.c.d.e.f.g.h.i.j.k", false, false),
            ("http://", false, false),
        ] {
            assert_eq!(check(host, &Guard::default()).is_ok(), closed, "{host} closed");
            assert_eq!(check(host, &open).is_ok(), opened, "{host} open");
        }
    }
}
