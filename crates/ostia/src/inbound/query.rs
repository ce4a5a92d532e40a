//! The query of a request line: what of it goes on to a provider.

use std::borrow::Cow;

use http::Uri;

use crate::config::keys::GatewayKeys;
use crate::inbound::route::percent_decode;

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
        self.0.split_once('=').is_some_and(|(name, _)| percent_decode(name).as_deref() == Some("key"))
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
