//! Which of a provider's dialects are for a call: some it has for clients of these dialects only, and not for all that they
//! may say.

use memchr::memmem;
use ostia_dialect::{Api, Dialect};

use super::{ApiCall, Recipient};
use crate::Unless;

/// Is a client's own API at the provider one that refuses something in its body, which another one has?
pub(super) fn is_told_elsewhere(call: &ApiCall<'_>, api: Api, recipient: &Recipient<'_>) -> bool {
    let Some(unless) = recipient.provider.own_clients.get(&api) else { return false };
    let root = call.document.root();
    let params = [recipient.override_params, recipient.default_params].into_iter().flatten();
    let is_set = |name: &String| params.clone().any(|params| params.contains_key(name));
    unless.fields.iter().any(|name| root.some(name).is_some() || is_set(name)) || has_type(call.body, unless)
}

/// May a call in this dialect be told in that one?
pub(super) fn is_open_to(upstream: Dialect, call: &ApiCall<'_>, recipient: &Recipient<'_>) -> bool {
    let api = Api::of_dialect(upstream);
    let is_own = call.api.dialect() == Some(upstream);
    !recipient.provider.own_clients.contains_key(&api) || is_own && !is_told_elsewhere(call, api, recipient)
}

/// Is one of these types named anywhere? Quotes inside of texts are escaped, so that only fields are found.
fn has_type(body: &[u8], unless: &Unless) -> bool {
    const NAME: &[u8] = b"\"type\"";
    let fits = |value: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => value.starts_with(beginning),
        None => value == pattern,
    };
    !unless.types.is_empty()
        && memmem::find_iter(body, NAME)
            .filter_map(|at| text_of_field(&body[at + NAME.len()..]))
            .any(|value| unless.types.iter().any(|pattern| fits(value, pattern)))
}

/// The text behind a field's name, if that is its value. Escapes in it stay: no type has any.
fn text_of_field(rest: &[u8]) -> Option<&str> {
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', value)?;
    std::str::from_utf8(&value[..end]).ok()
}
