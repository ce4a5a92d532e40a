//! Addresses at a vendor's own hosts in what it answers, told as this gateway's.
//!
//! SDKs ask for a job at the address that the answer to its submit names. At the vendor's host they would show the key that they know, which
//! is the gateway's, and nobody would record the call. What is at no host of the vendor's (signed storage, files of a CDN) stays as it is, and
//! so does what requests name in their bodies, because the vendor could not follow it to the gateway.

use std::ops::Range;

use http::HeaderName;
use ostia_dialect::json::Document;
use ostia_dialect::relay::{Patch, Path};
use percent_encoding::percent_decode_str;

use crate::Provider;
use crate::endpoint::{self, AT_HOST, HANDED_ON};
use crate::settings::Values;

/// Where the answers of a provider name such addresses: a row's, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Fields of JSON, by path; see [`Path::parse`].
    pub fields: Vec<String>,
    /// Headers, besides the `location` of redirects.
    pub headers: Vec<HeaderName>,
    /// Further hosts of the vendor's, to which its key may go: names in which `*` stands for one label.
    pub hosts: Vec<String>,
    /// Beginnings of paths behind the base URL whose addresses stay as they are.
    pub kept: Vec<String>,
}

impl Addresses {
    /// Does no answer name any?
    pub fn are_none(&self) -> bool {
        self.fields.is_empty() && self.headers.is_empty()
    }

    /// Is this the name of one of the further hosts?
    pub fn has_host(&self, name: &str) -> bool {
        let fits =
            |(own, label): (&str, &str)| is_label(label) && (own == "*" || own.eq_ignore_ascii_case(label));
        let is_it = |host: &String| {
            host.split('.').count() == name.split('.').count()
                && host.split('.').zip(name.split('.')).all(fits)
        };
        self.hosts.iter().any(is_it)
    }
}

/// How addresses in one answer are told.
#[derive(Debug, Clone, Copy)]
pub struct Retelling<'a> {
    /// Who answers.
    pub provider: &'a Provider,
    /// The base URL that calls go to, without a slash at the end.
    pub base_url: &'a str,
    /// The provider's own, where another one stands before it: that one may repeat what the provider says.
    pub own_base_url: Option<&'a str>,
    /// It was the base URL that was asked, and not one of the further hosts.
    pub is_of_base: bool,
    /// The further hosts are asked too.
    pub has_hosts: bool,
    /// How the client calls the gateway: `http://localhost:8787`.
    pub gateway: &'a str,
}

impl Retelling<'_> {
    /// An address as the gateway's: a whole URL as one, a path as one. `None`: it stays as it is.
    pub fn address(&self, address: &str) -> Option<String> {
        if address.starts_with('/') {
            let path = self.path(behind(address, split(self.base_url)?.1)?).filter(|_| self.is_of_base)?;
            return (path != address).then_some(path);
        }
        let (origin, rest) = split(address)?;
        let bases = std::iter::once(self.base_url).chain(self.own_base_url).filter_map(split);
        let mut own = bases.filter(|(own, _)| is_same_host(own, origin));
        let path = own.find_map(|(_, base_path)| self.path(behind(rest, base_path)?));
        let path = path.or_else(|| self.path_at_host(origin, rest))?;
        Some(format!("{}{path}", self.gateway))
    }

    /// A JSON text with the addresses in the row's fields told so, and every other byte as it is. `None`: all of it stays.
    pub fn answer(&self, text: &[u8]) -> Option<Vec<u8>> {
        let paths: Vec<Path<'_>> =
            self.provider.addresses.fields.iter().map(|path| Path::parse(path)).collect();
        let depth = paths.iter().map(Path::depth).max()?;
        let document = Document::parse_to(text, depth).ok()?;
        let values = paths.iter().flat_map(|path| path.find(document.root()));
        // It has no character that JSON would escape.
        let told = values
            .filter_map(|value| Some((value.range(), format!("\"{}\"", self.address(&value.as_str()?)?))));
        let told: Vec<(Range<usize>, String)> = told.collect();
        let mut patch = Patch::new(document.text());
        told.iter().for_each(|(range, address)| patch.replace(range.clone(), address));
        (!told.is_empty()).then(|| patch.finish().into_owned().into_bytes())
    }

    /// The path here that leads to exactly what is at this path and query behind the base URL; `None` where none does.
    fn path(&self, behind: &str) -> Option<String> {
        let Provider { addresses, unprefixed, prefix, .. } = self.provider;
        let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
        let is_below =
            |beginnings: &[String]| beginnings.iter().any(|own| endpoint::below(path, own).is_some());
        if is_below(&addresses.kept) {
            return None;
        }
        let rest = if is_below(unprefixed) { path } else { endpoint::below(path, prefix)? };
        if rest.len() < 2 || self.has_hosts && rest.starts_with("/@") || !is_plain(behind) {
            return None;
        }
        let here = format!("{HANDED_ON}{rest}");
        let base_path = split(self.base_url)?.1;
        let passed = endpoint::path_of_passed(self.provider, &Values::default(), &here, None);
        let leads_there = endpoint::url_path(base_path, &passed, query) == format!("{base_path}{behind}");
        leads_there.then(|| endpoint::with_query(here, query))
    }

    /// The path here that leads to one of the further hosts.
    fn path_at_host(&self, origin: &str, rest: &str) -> Option<String> {
        let name = origin.strip_prefix("https://").filter(|name| self.provider.addresses.has_host(name))?;
        let is_told = self.has_hosts && rest.starts_with('/') && is_plain(rest);
        is_told.then(|| format!("{AT_HOST}{name}{rest}"))
    }
}

/// A part of a host's name.
pub(crate) fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Scheme and authority of a URL, and what stands behind.
fn split(url: &str) -> Option<(&str, &str)> {
    let authority_at = url.find("://")? + 3;
    let end = url[authority_at..].find(['/', '?']).map_or(url.len(), |at| authority_at + at);
    Some(url.split_at(end))
}

/// Path and query behind a base URL's path.
fn behind<'r>(rest: &'r str, base_path: &str) -> Option<&'r str> {
    let path = rest.split('?').next()?;
    endpoint::below(path, base_path).map(|_| &rest[base_path.len()..])
}

/// Do both name the same host and port? A server behind somebody who ends TLS takes itself for one without.
fn is_same_host(one: &str, other: &str) -> bool {
    host(one).zip(host(other)).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// Host and port of a scheme and authority, without a port that goes without saying.
fn host(origin: &str) -> Option<&str> {
    let (scheme, authority) = origin.split_once("://")?;
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    Some(authority.strip_suffix(port).unwrap_or(authority))
}

/// Path and query of characters that a URL, a header and a text of JSON have as they are, and without segments that clients take away or
/// this gateway refuses: an answer is not to lead a client to what is the gateway's own.
fn is_plain(rest: &str) -> bool {
    let is_of_url = |byte: u8| matches!(byte, b'!'..=b'~') && !b"\"\\#<>^`{|}".contains(&byte);
    let path = rest.split('?').next().unwrap_or_default();
    let is_dots = |segment: &str| matches!(&*percent_decode_str(segment).decode_utf8_lossy(), "." | "..");
    rest.bytes().all(is_of_url) && !path.contains("//") && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests;
