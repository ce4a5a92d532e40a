//! The handshake of a WebSocket (RFC 6455, section 4): what a client says that wants one, what a provider is asked, and what either
//! is answered. No extension is agreed on, so that frames mean the same to all three.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header, request};
use ostia_dialect::Fault;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::config::keys::GatewayKeys;
use crate::message::fields;

const PROTOCOL: &str = "websocket";
const VERSION: HeaderValue = HeaderValue::from_static("13");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");
/// The code of the fault that says which version of the protocol is spoken.
pub const VERSION_UNKNOWN: &str = "websocket_version_unsupported";
/// Longest key, and shortest: 16 bytes in Base64.
const KEY_BYTES: usize = 24;

/// Where browsers put a key for OpenAI's API, which cannot set headers
/// (<https://platform.openai.com/docs/guides/realtime-websocket>).
const KEY_PREFIX: &str = "openai-insecure-api-key.";
/// The first of two protocols of which the second is a key
/// (<https://developers.deepgram.com/docs/using-the-sec-websocket-protocol>).
const KEY_SCHEMES: [&str; 2] = ["token", "bearer"];

/// Does this request want to go over to a WebSocket? One of HTTP/2 says so in another way, and has these words when it comes here
/// (`server/http2/head.rs`); clients cannot write them there (RFC 9113, section 8.2.2).
pub fn is_wanted(parts: &request::Parts) -> bool {
    let says = |name, wanted: &str| {
        fields::members(&parts.headers, &name).any(|member| member.eq_ignore_ascii_case(wanted))
    };
    parts.method == Method::GET
        && matches!(parts.version, Version::HTTP_11 | Version::HTTP_2)
        && parts.headers.contains_key(header::UPGRADE)
        && says(header::UPGRADE, PROTOCOL)
        && says(header::CONNECTION, "upgrade")
}

/// Holds a wish for a WebSocket to the protocol.
///
/// # Errors
/// 426 for another version of it, 400 for what is missing, or for a body.
pub fn check_wish(headers: &HeaderMap, has_body: bool) -> Result<(), Fault> {
    let invalid = |param: &str, message: &str| {
        Err(Fault::invalid(message).with_param(param).with_code("websocket_invalid"))
    };
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        let fault = Fault::invalid("This gateway speaks version 13 of the WebSocket protocol.");
        return Err(fault.with_status(426).with_param("sec-websocket-version").with_code(VERSION_UNKNOWN));
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key) => {}
        _ => return invalid("sec-websocket-key", "Send one `Sec-WebSocket-Key`: 16 random bytes in Base64."),
    }
    match has_body {
        true => {
            invalid("body", "The handshake of a WebSocket has no body: send the message when it is open.")
        }
        false => Ok(()),
    }
}

fn is_key(key: &HeaderValue) -> bool {
    let key = key.as_bytes();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == KEY_BYTES && key.ends_with(b"==") && key[..KEY_BYTES - 2].iter().all(is_base64)
}

/// The key that a browser sends among the protocols.
pub fn key_among_protocols(headers: &HeaderMap) -> Option<HeaderValue> {
    let key = offered(headers).find_map(|(protocol, is_key)| is_key.then_some(protocol))?;
    HeaderValue::from_str(key.strip_prefix(KEY_PREFIX).unwrap_or(key)).ok()
}

/// The protocols that a client offers, and which of them are keys.
fn offered(headers: &HeaderMap) -> impl Iterator<Item = (&str, bool)> {
    let all = || fields::members(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    let is_pair = all().count() == 2 && all().next().is_some_and(|first| KEY_SCHEMES.contains(&first));
    all()
        .enumerate()
        .map(move |(at, protocol)| (protocol, protocol.starts_with(KEY_PREFIX) || is_pair && at == 1))
}

/// Writes the wish for a WebSocket into a request to a provider, without what is one of the gateway's own keys. Gives the wish's own
/// key, by which the agreement is known.
///
/// # Errors
/// 400 for protocols that cannot be sent.
pub fn ask(client: &HeaderMap, keys: &GatewayKeys, out: &mut HeaderMap) -> Result<String, Fault> {
    let key = generate_key();
    out.insert(header::CONNECTION, UPGRADE);
    out.insert(header::UPGRADE, HeaderValue::from_static(PROTOCOL));
    out.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
    let refused = |_| Fault::invalid("A protocol has characters that a header cannot have.");
    out.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(refused)?);
    out.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    let is_ours = |protocol: &str| {
        let behind = protocol.split_once('.').map_or(protocol, |(_, behind)| behind);
        keys.find(protocol).is_some() || keys.find(behind).is_some()
    };
    let others = offered(client).filter(|(protocol, is_key)| !is_key && !is_ours(protocol));
    let protocols: Vec<&str> = others.map(|(protocol, _)| protocol).collect();
    // A scheme without its key says nothing: the key is in a header.
    if !protocols.is_empty() && !KEY_SCHEMES.contains(&protocols[0]) {
        let protocols = HeaderValue::from_str(&protocols.join(", ")).map_err(refused)?;
        out.insert(header::SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    Ok(key)
}

/// Is this the agreement to the wish with this key? Gives the protocol that the provider chose.
///
/// # Errors
/// What is wrong with it.
pub fn check(client: &HeaderMap, answer: &HeaderMap, key: &str) -> Result<Option<HeaderValue>, &'static str> {
    let accept = derive_accept_key(key.as_bytes());
    if answer.get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|told| told.as_bytes() != accept.as_bytes()) {
        return Err("a wrong `Sec-WebSocket-Accept`");
    }
    if answer.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err("an extension that nobody asked for");
    }
    let Some(chosen) = answer.get(header::SEC_WEBSOCKET_PROTOCOL) else { return Ok(None) };
    match offered(client).any(|(protocol, is_key)| !is_key && protocol.as_bytes() == chosen.as_bytes()) {
        true => Ok(Some(chosen.clone())),
        false => Err("a protocol that nobody asked for"),
    }
}

/// Writes the agreement to a client's wish. Where nobody chose a protocol and the client's key came among them, it is the first that is
/// no key: browsers want to hear one.
pub fn agree(client: &HeaderMap, protocol: Option<&HeaderValue>, out: &mut HeaderMap) {
    for name in [
        header::SEC_WEBSOCKET_ACCEPT,
        header::SEC_WEBSOCKET_PROTOCOL,
        header::CONTENT_LENGTH,
        header::SEC_WEBSOCKET_VERSION,
    ] {
        out.remove(name);
    }
    out.insert(header::CONNECTION, UPGRADE);
    out.insert(header::UPGRADE, HeaderValue::from_static(PROTOCOL));
    let key = client.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key)) {
        out.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let first = || {
        let has_key = offered(client).any(|(_, is_key)| is_key);
        let (first, _) = offered(client).find(|(_, is_key)| has_key && !is_key)?;
        HeaderValue::from_str(first).ok()
    };
    if let Some(protocol) = protocol.cloned().or_else(first) {
        out.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
}

/// The header in which a refused client is told which version is spoken.
pub fn spoken() -> (HeaderName, HeaderValue) {
    (header::SEC_WEBSOCKET_VERSION, VERSION)
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
    fn keys_of_browsers() {
        for (protocols, key, sent, agreed) in [
            ("realtime, openai-insecure-api-key.sk-1", Some("sk-1"), Some("realtime"), Some("realtime")),
            (
                "realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1",
                Some("sk-1"),
                Some("realtime, openai-beta.realtime-v1"),
                Some("realtime"),
            ),
            ("openai-insecure-api-key.sk-1", Some("sk-1"), None, None),
            ("token, dg-1", Some("dg-1"), None, Some("token")),
            ("bearer,jwt.1", Some("jwt.1"), None, Some("bearer")),
            ("v1, token", None, Some("v1, token"), None),
            ("mqtt", None, Some("mqtt"), None),
        ] {
            let client = headers(&[("sec-websocket-protocol", protocols)]);
            let found = key_among_protocols(&client);
            assert_eq!(found.as_ref().map(|key| key.to_str().unwrap()), key, "{protocols}");
            let mut out = HeaderMap::new();
            ask(&client, &GatewayKeys::default(), &mut out).unwrap();
            let text = |map: &HeaderMap| {
                map.get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned())
            };
            assert_eq!(text(&out).as_deref(), sent, "{protocols}");
            let mut answer = HeaderMap::new();
            agree(&client, None, &mut answer);
            assert_eq!(text(&answer).as_deref(), agreed, "{protocols}");
        }
    }

    #[test]
    fn wishes_are_held_to_the_protocol() {
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let version = ("sec-websocket-version", "13");
        let check = |lines: &[(&str, &str)], has_body, expected: Option<u16>| {
            let fault = check_wish(&headers(lines), has_body).err();
            assert_eq!(fault.map(|fault| fault.status), expected, "{lines:?}");
        };
        check(&[key, version], false, None);
        check(&[key, version], true, Some(400));
        check(&[key, ("sec-websocket-version", "8")], false, Some(426));
        check(&[key], false, Some(426));
        check(&[version], false, Some(400));
        check(&[key, key, version], false, Some(400));
        check(&[("sec-websocket-key", "short=="), version], false, Some(400));
    }

    #[test]
    fn agreements_are_held_to_the_wish() {
        // RFC 6455, section 1.3.
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let client = headers(&[("sec-websocket-protocol", "realtime, openai-insecure-api-key.sk-1")]);
        let check = |lines: &[(&str, &str)], is_good: bool| {
            assert_eq!(check(&client, &headers(lines), key).is_ok(), is_good, "{lines:?}");
        };
        check(&[accept], true);
        check(&[accept, ("sec-websocket-protocol", "realtime")], true);
        check(&[accept, ("sec-websocket-protocol", "openai-insecure-api-key.sk-1")], false);
        check(&[accept, ("sec-websocket-protocol", "other")], false);
        check(&[accept, ("sec-websocket-extensions", "permessage-deflate")], false);
        check(&[("sec-websocket-accept", "x")], false);
        check(&[], false);
    }
}
