//! The query of a request line: what of it goes on to a provider.

use std::borrow::Cow;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::keys::GatewayKeys;
use crate::inbound::route::percent_decode;

/// What is written in percent encoding: all but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One field of a query, as it stands there.
#[derive(Debug, Clone, Copy)]
pub struct Field<'q>(&'q str);

/// The fields of a query.
pub fn fields(query: &str) -> impl Iterator<Item = Field<'_>> {
    query.split('&').filter(|field| !field.is_empty()).map(Field)
}

impl<'q> Field<'q> {
    /// Is it where Google's clients put their key?
    pub fn is_key(self) -> bool {
        self.is_named("key")
    }

    fn is_named(self, wanted: &str) -> bool {
        self.0.split_once('=').is_some_and(|(name, _)| percent_decode(name).as_deref() == Some(wanted))
    }

    /// Its name and its value, with percent-encoding undone; `None` for what is no UTF-8 then.
    pub fn name_and_value(self) -> Option<(Cow<'q, str>, Cow<'q, str>)> {
        let (name, value) = self.0.split_once('=').unwrap_or((self.0, ""));
        Some((percent_decode(name)?, percent_decode(value)?))
    }

    /// Its value, with percent-encoding undone.
    pub fn value(self) -> Option<Cow<'q, str>> {
        percent_decode(self.0.split_once('=')?.1)
    }
}

/// The model that a query names, for a WebSocket.
pub fn model(query: &str) -> Option<Cow<'_, str>> {
    fields(query).find(|field| field.is_named("model"))?.value().filter(|model| !model.is_empty())
}

/// The query with this model, in place of the one that it names; without one where that is `None`. A session that has begun
/// elsewhere (`call_id`) has its model already.
pub fn with_model(query: &str, model: Option<&str>) -> String {
    let has = |name: &str| fields(query).any(|field| field.is_named(name));
    let is_asked =
        |field: Field<'_>| field.is_named("model") && model.is_some() && field.value().as_deref() == model;
    // As it came, where nothing else is asked for.
    let kept = fields(query).filter(|field| !field.is_named("model") || is_asked(*field));
    let mut all: Vec<Cow<'_, str>> = kept.map(|field| Cow::Borrowed(field.0)).collect();
    let Some(model) = model.filter(|_| has("model") || !has("call_id")) else { return all.join("&") };
    if !fields(query).any(is_asked) {
        all.push(format!("model={}", utf8_percent_encode(model, ENCODED)).into());
    }
    all.join("&")
}

/// Takes out of a request line what was read as a credential, or is one of the gateway's own keys in whatever field: from here
/// on nothing can hand it on. The provider's key is put where that provider wants it. `has_key`: clients of this path put
/// their key into the query.
pub fn withhold_credentials(uri: &mut Uri, has_key: bool, keys: &GatewayKeys) {
    let withheld = |field: Field<'_>| {
        has_key && field.is_key() || field.value().is_some_and(|value| keys.find(value.trim()).is_some())
    };
    let Some(query) = uri.query().filter(|query| fields(query).any(withheld)) else { return };
    let left: Vec<&str> = fields(query).filter(|field| !withheld(*field)).map(|field| field.0).collect();
    let (path, query) = (uri.path(), left.join("&"));
    let line = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    // What is left of a valid request line is one.
    *uri = line.parse().unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_in_a_query() {
        for (query, expected) in [
            ("model=gpt-realtime", Some("gpt-realtime")),
            ("intent=transcription&model=%40openai%2Fgpt-realtime", Some("@openai/gpt-realtime")),
            ("model=", None),
            ("models=x&m=model", None),
            ("", None),
        ] {
            assert_eq!(model(query).as_deref(), expected, "{query}");
        }
        for (query, named, expected) in [
            ("model=%40p%2Fm&intent=a%20b&x", Some("m"), "intent=a%20b&x&model=m"),
            ("a=1&model=a%2Fb", Some("a/b"), "a=1&model=a%2Fb"),
            ("model=x", Some("a/b c"), "model=a%2Fb%20c"),
            ("model=x&a=1", None, "a=1"),
            ("a=1", Some("m"), "a=1&model=m"),
            ("", Some("m"), "model=m"),
            ("call_id=rtc_1", Some("m"), "call_id=rtc_1"),
            ("call_id=rtc_1", None, "call_id=rtc_1"),
        ] {
            assert_eq!(with_model(query, named), expected, "{query} {named:?}");
        }
    }
}
