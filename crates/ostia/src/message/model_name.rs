//! The model that a body names which is otherwise handed on unread: a field of a JSON object, or a field of a form.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use ostia_dialect::json::{Document, Json};

/// Where a body names its model.
#[derive(Debug, PartialEq, Eq)]
pub struct ModelName<'b> {
    /// The name.
    pub name: Cow<'b, str>,
    /// The bytes that say it, quotation marks included.
    range: Range<usize>,
    /// They are JSON.
    is_json: bool,
}

impl ModelName<'_> {
    /// The body with another name in its place.
    pub fn replaced(&self, body: &[u8], name: &str) -> Bytes {
        let name = match self.is_json {
            true => Json::build(|w| w.string(name)).as_str().to_owned(),
            false => name.to_owned(),
        };
        [&body[..self.range.start], name.as_bytes(), &body[self.range.end..]].concat().into()
    }
}

/// Finds the model in a body of this media type; `None` for bodies of other types, and for such as name none.
pub fn find<'b>(content_type: &str, body: &'b [u8]) -> Option<ModelName<'b>> {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return in_json(body);
    }
    let boundary = media.eq_ignore_ascii_case("multipart/form-data").then(|| boundary(content_type))??;
    in_form(body, &boundary)
}

/// May a body of this media type name a model?
pub fn may_name(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "multipart/form-data"].iter().any(|known| media.eq_ignore_ascii_case(known))
}

fn in_json(body: &[u8]) -> Option<ModelName<'_>> {
    let document = Document::parse_to(body, 1).ok()?;
    let model = document.root().some("model")?;
    let name = model.as_str()?.into_owned().into();
    Some(ModelName { name, range: model.range(), is_json: true })
}

/// The word between the parts (RFC 2046, section 5.1.1).
fn boundary(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let own = parameters.map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
    own.into_iter()
        .find(|(name, value)| name.eq_ignore_ascii_case("boundary") && !value.is_empty())
        .map(|(_, value)| format!("--{value}"))
}

/// The field `model` of a form (RFC 7578).
fn in_form<'b>(body: &'b [u8], boundary: &str) -> Option<ModelName<'b>> {
    let mut places = memmem::find_iter(body, boundary.as_bytes());
    let mut start = places.next()? + boundary.len();
    for end in places {
        let part = start..end;
        start = end + boundary.len();
        let head = memmem::find(&body[part.clone()], b"\r\n\r\n")?;
        if !is_model(&body[part.start..part.start + head]) {
            continue;
        }
        // The line end before the boundary belongs to it.
        let range = part.start + head + 4..part.end.checked_sub(2)?;
        let name = std::str::from_utf8(body.get(range.clone())?).ok()?;
        return Some(ModelName { name: name.into(), range, is_json: false });
    }
    None
}

fn is_model(head: &[u8]) -> bool {
    let Ok(head) = std::str::from_utf8(head) else { return false };
    let is_disposition =
        |line: &&str| line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"));
    let disposition = head.split("\r\n").find(is_disposition).unwrap_or_default();
    disposition.split(';').map(str::trim).any(|field| field == r#"name="model""# || field == "name=model")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "multipart/form-data; boundary=\"b-1\"";

    #[track_caller]
    fn check(content_type: &str, body: &str, name: Option<&str>, replaced: &str) {
        let found = find(content_type, body.as_bytes());
        assert_eq!(found.as_ref().map(|found| found.name.as_ref()), name, "{body}");
        if let Some(found) = found {
            assert_eq!(found.replaced(body.as_bytes(), "w\"1"), replaced.as_bytes());
        }
    }

    #[test]
    fn bodies_that_name_a_model() {
        let json = "application/json; charset=utf-8";
        check(
            json,
            r#"{"a":{"model":"x"}, "model" : "@p\/m"}"#,
            Some("@p/m"),
            r#"{"a":{"model":"x"}, "model" : "w\"1"}"#,
        );
        check(json, r#"{"model":3}"#, None, "");
        check(json, "[", None, "");
        check("text/plain", r#"{"model":"m"}"#, None, "");
        let part = |head: &str, text: &str| format!("--b-1\r\n{head}\r\n\r\n{text}\r\n");
        let file =
            part("Content-Disposition: form-data; name=\"file\"; filename=\"model\"", "name=\"model\"");
        let head = "content-disposition: form-data; name=\"model\"";
        let form = |model: &str| format!("{file}{}--b-1--\r\n", part(head, model));
        check(FORM, &form("@p/whisper-1"), Some("@p/whisper-1"), &form("w\"1"));
        check(FORM, &form(""), Some(""), &form("w\"1"));
        check(FORM, &format!("{file}--b-1--"), None, "");
        check("multipart/form-data", &form("m"), None, "");
        for cut in 0..form("m").len() {
            let _ = find(FORM, &form("m").as_bytes()[..cut]);
        }
    }
}
