//! The console, `GET /console` and below: pages that were built beforehand (`cargo xtask console`) and are part of the program.
//!
//! They hold no data, so whoever may connect gets them; what they show they ask the API for, with the operator's key. A page shows
//! texts of models and of clients, so the browser is told to run and to load nothing but the console's own files
//! (<https://www.w3.org/TR/CSP3/>).

mod built;

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, request};
use ostia_dialect::{Fault, FaultKind};

use crate::inbound::unroutable;
use crate::message::body::Body;
use built::FILES;

/// A file of the console.
struct File {
    /// Below `/console/`.
    path: &'static str,
    media: &'static str,
    /// Compressed by gzip.
    packed: &'static [u8],
}

/// What is answered wherever a page may be: which one it is, is the page's own to find out.
const PAGE: &str = "index.html";
/// Files whose names say what is in them, and so never change.
const ASSETS: &str = "assets/";
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data: blob:; media-src data: blob:; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";
/// What holds for every file.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::VARY, HeaderValue::from_static("accept-encoding")),
];

/// The page or the file at what stands behind `/console`.
///
/// # Errors
/// 404 for a file that there is not.
pub fn answer(parts: &request::Parts, path: &str) -> Result<Response<Body>, Fault> {
    let path = path.trim_start_matches('/');
    let is_asset = path.starts_with(ASSETS);
    let named = |name: &str| FILES.iter().find(|file| file.path == name);
    let file = named(path).or_else(|| named(PAGE).filter(|_| !is_asset));
    let file = file.ok_or_else(|| unroutable::missing(parts))?;
    let tag = file.tag();
    let is_known = parts.headers.get(header::IF_NONE_MATCH).is_some_and(|known| has_tag(known, &tag));
    let mut response = match is_known {
        true => not_modified(),
        false => file.answer(accepts_gzip(&parts.headers))?,
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    headers.insert(header::CACHE_CONTROL, if is_asset { FOREVER } else { ASK_AGAIN });
    headers.extend(HeaderValue::try_from(tag).map(|tag| (header::ETAG, tag)));
    Ok(response)
}

fn not_modified() -> Response<Body> {
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

impl File {
    /// The check sum and the length that gzip keeps at the end of a file (RFC 1952, section 2.3.1). Weak, because the file has it in
    /// either encoding.
    fn tag(&self) -> String {
        let end = self.packed.len().saturating_sub(8);
        let digits: String = self.packed[end..].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("W/\"{digits}\"")
    }

    fn answer(&self, is_packed: bool) -> Result<Response<Body>, Fault> {
        let bytes = match is_packed {
            true => Bytes::from_static(self.packed),
            false => self.unpacked()?,
        };
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        if is_packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }

    fn unpacked(&self) -> Result<Bytes, Fault> {
        let mut bytes = Vec::new();
        let read = GzDecoder::new(self.packed).read_to_end(&mut bytes);
        read.map_err(|error| {
            Fault::new(FaultKind::Upstream, format!("{} is damaged: {error}", self.path)).with_status(500)
        })?;
        Ok(bytes.into())
    }
}

/// Is this one of the tags that the client knows (RFC 9110, section 13.1.2)? Weak and strong ones are the same there.
fn has_tag(known: &HeaderValue, tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = known.to_str().unwrap_or_default();
    known.trim() == "*" || known.split(',').any(|one| bare(one) == bare(tag))
}

/// RFC 9110, section 12.5.3.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let weighed = codings.map(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
        (name.trim(), weight > 0.0)
    });
    let (mut named, mut any) = (None, None);
    for (name, is_accepted) in weighed {
        match name {
            "gzip" | "x-gzip" => named = Some(is_accepted),
            "*" => any = Some(is_accepted),
            _ => {}
        }
    }
    named.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn encodings_that_a_client_accepts() {
        let check = |value: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        };
        assert!(!accepts_gzip(&HeaderMap::new()));
        check("gzip, deflate, br", true);
        check("br;q=1.0, gzip;q=0.5", true);
        check("gzip;q=0, *", false);
        check("*", true);
        check("*;q=0", false);
        check("identity", false);
        check("", false);
    }

    #[test]
    fn tags_that_a_client_knows() {
        let check = |known: &'static str, expected: bool| {
            assert_eq!(has_tag(&HeaderValue::from_static(known), "W/\"1\""), expected, "{known}");
        };
        check("W/\"1\"", true);
        check("\"1\"", true);
        check("\"0\", W/\"1\"", true);
        check("*", true);
        check("\"11\"", false);
    }

    #[test]
    fn every_file_is_whole_and_the_page_names_the_others() {
        let page = FILES.iter().find(|file| file.path == PAGE).unwrap();
        let page = String::from_utf8(page.unpacked().unwrap().to_vec()).unwrap();
        for file in &FILES {
            assert!(!file.unpacked().unwrap().is_empty());
            assert!(
                file.path == PAGE || file.path.ends_with(".md") || page.contains(file.path),
                "{}",
                file.path
            );
        }
    }
}
