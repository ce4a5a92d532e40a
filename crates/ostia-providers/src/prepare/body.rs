//! What stands otherwise in the bodies of an API at one provider: a cloud's version in place of the model, fields that it
//! refuses, and lists that others take as headers.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use memchr::memmem;
use ostia_dialect::json::{Document, Json, Node};
use ostia_dialect::relay::Splice;
use ostia_dialect::{Api, Fault, invoked_count_body};
use serde_json::Value;

use super::{Outgoing, Recipient, drop_params};
use crate::Provider;
use crate::family::fits;
use crate::row::{BodyEdits, HeaderList};
use crate::settings::fill;

/// A body as the provider has it.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// The body; `None` where it is as everywhere.
    pub body: Option<Bytes>,
    /// What was left out, by path.
    pub dropped: Vec<String>,
}

/// The body as the provider has it.
///
/// # Errors
/// 400 for a body that is no object.
pub(super) fn own(body: &[u8], api: Api, recipient: &Recipient<'_>) -> Result<Own, Fault> {
    let Some(edits) = recipient.provider.body.get(&api) else { return Ok(Own::default()) };
    let document = parse(body)?;
    let mut splice = Splice::new(&document)?;
    edits.without.iter().for_each(|name| splice.remove(name));
    for (name, template) in &edits.set {
        let value = fill(template, |setting| recipient.values.get(setting));
        // A setting that a call may go without leaves no field.
        if value == *template || !value.is_empty() {
            splice.set(name, Json::from_value(&Value::from(value.as_ref())));
        }
    }
    let mut own = Own::default();
    for name in edits.drop.iter().filter(|path| is_at_top(path)) {
        if splice.has(name) {
            splice.remove(name);
            own.dropped.push(name.clone());
        }
    }
    own.body = splice.is_changed().then(|| Bytes::from(splice.finish()));
    for path in edits.drop.iter().filter(|path| !is_at_top(path)) {
        drop_inside(path, body, &mut own)?;
    }
    Ok(own)
}

fn is_at_top(path: &str) -> bool {
    !path.contains(['.', '['])
}

/// Leaves out what a path inside the body leads to. Its last name is nowhere in most bodies, which one search tells.
fn drop_inside(path: &str, original: &[u8], own: &mut Own) -> Result<(), Fault> {
    let last = path.rsplit('.').next().unwrap_or(path);
    if memmem::find(original, format!("\"{last}\"").as_bytes()).is_none() {
        return Ok(());
    }
    let text = std::str::from_utf8(own.body.as_deref().unwrap_or(original));
    let text = text.map_err(|fault| Fault::invalid(fault.to_string()))?;
    if let Cow::Owned(rest) = drop_params::without(text, &[path.to_owned()])? {
        own.body = Some(rest.into());
        own.dropped.push(path.to_owned());
    }
    Ok(())
}

/// The body that is sent, once the headers are known that go with it: what of them stands in the body there is taken out of
/// them.
///
/// # Errors
/// 400 for a body that is no object.
pub fn finish(
    outgoing: &mut Outgoing,
    provider: &Provider,
    mut body: Bytes,
    headers: &mut HeaderMap,
) -> Result<Bytes, Fault> {
    if let Some(edits) = provider.body.get(&outgoing.api) {
        for (header, list) in &edits.lists {
            body = with_list(header, list, body, headers, &mut outgoing.dropped)?;
        }
        without_headers(edits, headers);
    }
    Ok(match outgoing.api {
        Api::BedrockCountInvoke => invoked_count_body(&body).into(),
        _ => body,
    })
}

fn without_headers(edits: &BodyEdits, headers: &mut HeaderMap) {
    for name in edits.without_headers.iter().chain(edits.lists.keys()) {
        headers.remove(name.as_str());
    }
}

/// The body with the members of a header's list in a field, beside those that stand there.
fn with_list(
    header: &str,
    list: &HeaderList,
    body: Bytes,
    headers: &HeaderMap,
    dropped: &mut Vec<String>,
) -> Result<Bytes, Fault> {
    let said = said(header, headers);
    let document = parse(&body)?;
    let field = document.root().some(&list.field);
    if said.is_empty() && field.is_none() {
        return Ok(body);
    }
    // The members stand one level deeper than what was recorded.
    let field = field.map(|field| Document::parse(field.text().as_bytes())).transpose();
    let field = field.map_err(|fault| Fault::invalid(format!("Invalid `{}`: is {fault}", list.field)))?;
    let inside = field.iter().flat_map(|field| field.root().items()).filter(Node::is_string);
    let inside = inside.filter_map(|member| member.as_str().map(Cow::into_owned));
    let mut members: Vec<String> = Vec::new();
    for member in inside.chain(said) {
        match taken(&member, list) {
            Some(member) if members.iter().any(|known| known == member) => {}
            Some(member) => members.push(member.to_owned()),
            None => dropped.push(format!("{header}.{member}")),
        }
    }
    let mut splice = Splice::new(&document)?;
    match members.is_empty() {
        true => splice.remove(&list.field),
        false => splice.set(&list.field, Json::from_value(&Value::from(members))),
    }
    Ok(if splice.is_changed() { splice.finish().into() } else { body })
}

/// The members of a list over all lines of its header (RFC 9110, sections 5.3 and 5.6.1).
fn said(header: &str, headers: &HeaderMap) -> Vec<String> {
    let Ok(name) = HeaderName::from_bytes(header.as_bytes()) else { return Vec::new() };
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let members = lines.flat_map(|line| line.split(',')).map(str::trim);
    members.filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

/// The name that a member has there; `None` where it is refused.
fn taken<'m>(member: &'m str, list: &'m HeaderList) -> Option<&'m str> {
    match list.rename.get(member) {
        Some(other) => Some(other),
        None if list.drop.iter().any(|pattern| fits(pattern, member)) => None,
        None => Some(member),
    }
}

fn parse(body: &[u8]) -> Result<Document<'_>, Fault> {
    Document::parse_to(body, 1).map_err(|fault| Fault::invalid(fault.to_string()))
}

#[cfg(test)]
mod tests;
