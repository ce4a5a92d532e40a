//! Where an API is: the path of its endpoint, and the whole URL at a provider or at a custom host.
//!
//! A URL is base, prefix and path. A custom host takes the place of the base alone, so whoever puts a proxy of their
//! own before a provider keeps the paths that the provider has.

use std::borrow::Cow;

use ostia_dialect::Api;
use ostia_dialect::api::Path;
use percent_encoding::percent_decode_str;

use crate::Provider;
use crate::percent::percent_encode;
use crate::settings::{self, Values, fill_path};

/// Below this path a client asks for a provider's own paths.
pub(crate) const HANDED_ON: &str = "/v1/proxy";
/// What stands here before the name of a further host of the vendor's.
pub(crate) const AT_HOST: &str = "/v1/proxy/@";

/// The usual path of an API, after base URL and prefix; what a provider's row may override. Google's paths and Bedrock's
/// depend on the model and on whether the answer is streamed (<https://ai.google.dev/api/generate-content>,
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>); Google's carry their query
/// (`?alt=sse`).
///
/// ```
/// use ostia_dialect::Api;
/// use ostia_providers::endpoint::path;
/// assert_eq!(path(Api::OpenaiChat, "any", true), "/chat/completions");
/// assert_eq!(path(Api::GeminiEmbed, "m", false), "/v1beta/models/m:embedContent");
/// ```
pub fn path(api: Api, model: &str, stream: bool) -> Cow<'static, str> {
    match api.path() {
        Path::Fixed(path) => Cow::Borrowed(path),
        Path::OfModel { stream_verb: Some(verb), .. } if stream => {
            Cow::Owned(of_model(model, verb) + "?alt=sse")
        }
        Path::OfModel { verb, .. } => Cow::Owned(of_model(model, verb)),
        Path::WithModel { stream_path: Some(path), without, .. } if stream => {
            Cow::Owned(with_model(path, model, without))
        }
        Path::WithModel { path, without, .. } => Cow::Owned(with_model(path, model, without)),
        Path::WithModelPath(path) => Cow::Owned(with_model_path(path, model)),
    }
}

/// Everything after the base URL for this API of this provider: its own path, or prefix and usual path.
pub fn path_of<'a>(
    provider: &'a Provider,
    values: &Values,
    api: Api,
    model: &str,
    stream: bool,
) -> Cow<'a, str> {
    match provider.paths.get(&api) {
        Some(own) => {
            let model = plain(model);
            fill_path(own.of(stream), |name| match name {
                "model" => Some(model.as_ref()),
                name => values.get(name),
            })
        }
        None if provider.prefix.is_empty() => path(api, model, stream),
        None => Cow::Owned(provider.prefix.clone() + &path(api, model, stream)),
    }
}

/// Where a call that is handed on unread goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed<'a> {
    /// What stands between base URL and path.
    pub prefix: &'a str,
    /// The path.
    pub path: Cow<'a, str>,
    /// It names the model.
    pub names_model: bool,
}

/// Where a call that is handed on unread goes, from the client's whole path. Below `/v1/`, what the provider offers is where
/// its row says, and everything else behind the prefix for such calls; below `/v1/proxy/`, the path is the provider's own,
/// behind its prefix. Any other path (`/v1beta/...`) is as a vendor has it. `model`: what is asked for, where that is known.
pub fn path_of_passed<'a>(
    provider: &'a Provider,
    values: &Values,
    path: &'a str,
    model: Option<&str>,
) -> Passed<'a> {
    let unprefixed = |path| provider.unprefixed.iter().any(|beginning| below(path, beginning).is_some());
    let passed = |prefix, path| Passed { prefix, path: Cow::Borrowed(path), names_model: false };
    let (prefix, rest) = match (below(path, HANDED_ON), below(path, "/v1")) {
        (Some(rest), _) => (&provider.prefix, rest),
        (None, Some(rest)) => match offered(provider, values, rest, model) {
            Some((path, names_model)) => return Passed { prefix: "", path, names_model },
            None => (&provider.pass_prefix, rest),
        },
        (None, None) => return passed("", path),
    };
    if unprefixed(rest) { passed("", rest) } else { passed(prefix, rest) }
}

/// Host and path of a call that is for a further host of the vendor's: `/v1/proxy/@HOST/PATH`.
pub fn at_host(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(AT_HOST)?;
    Some(rest.split_at(rest.find('/')?))
}

/// Path and query of that at a base URL with this path.
pub fn url_path(base_path: &str, Passed { prefix, path: rest, .. }: &Passed<'_>, query: &str) -> String {
    let mut path = format!("{base_path}{prefix}");
    // `/v1/v1/...`: the base URL and the client both say the version.
    path.push_str(below(rest, "/v1").filter(|_| path.ends_with("/v1")).unwrap_or(rest));
    with_query(path, query)
}

/// The row's own place of what a client asks for below `/v1`, be it the endpoint itself or something that it holds
/// (`/files/file-1`); and whether it names the model.
fn offered<'a>(
    provider: &'a Provider,
    values: &Values,
    rest: &'a str,
    model: Option<&str>,
) -> Option<(Cow<'a, str>, bool)> {
    let matches = provider.apis.iter().filter_map(|&api| {
        let usual = api.gateway_path()?;
        Some((usual.len(), api, below(rest, usual)?))
    });
    let (_, api, inner) = matches.max_by_key(|(length, ..)| *length)?;
    // The model is in the body, which is not read.
    if model.is_none() && names_model(provider, values, api) {
        return None;
    }
    let own = path_of(provider, values, api, model.unwrap_or_default(), false);
    let own = match own.split_once('?') {
        _ if inner.is_empty() => own,
        Some((path, query)) => Cow::Owned(format!("{path}{inner}?{query}")),
        None => own + inner,
    };
    Some((own, place_of_model(provider, api).is_some()))
}

/// Does the provider's own path for this API name the model, which no setting says?
pub fn names_model(provider: &Provider, values: &Values, api: Api) -> bool {
    let is_set = |place: &str| place.split('|').any(|name| values.get(name).is_some());
    place_of_model(provider, api).is_some_and(|place| !is_set(place))
}

/// A setting that the provider's own path for this API needs, and that has no value.
pub fn missing_setting<'p>(provider: &'p Provider, values: &Values, api: Api) -> Option<&'p str> {
    let path = &provider.paths.get(&api)?.whole;
    let is_known = |name: &str| name == "model" || values.get(name).is_some();
    let place = settings::places(path).find(|place| !place.split('|').any(is_known))?;
    place.split('|').next()
}

/// Where the provider's own path for this API has the model: `model`, maybe behind settings that go before it.
fn place_of_model(provider: &Provider, api: Api) -> Option<&str> {
    let path = &provider.paths.get(&api)?.whole;
    settings::places(path).find(|place| place.split('|').any(|name| name == "model"))
}

/// What of a path stands behind its first segments.
pub fn below<'p>(path: &'p str, segments: &str) -> Option<&'p str> {
    path.strip_prefix(segments).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The URL or path with this query at its end; the query has no `?` of its own.
pub fn with_query(mut url: String, query: &str) -> String {
    if !query.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(query);
    }
    url
}

/// Google names a model as a resource: `models/gemini-x` or `tunedModels/mine`; a bare name is one of `models`.
fn of_model(model: &str, verb: &str) -> String {
    let (collection, id) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), id)) => (collection, id),
        _ => ("models", model),
    };
    let mut path = format!("/v1beta/{collection}/");
    path.extend(percent_encode(id));
    path.push(':');
    path.push_str(verb);
    path
}

/// An id that is to be percent-encoded once. Ids at such paths have no `%` of their own (model ids, profiles, ARNs), so one
/// that has is encoded already, as clients write it who build URLs.
fn plain(model: &str) -> Cow<'_, str> {
    percent_decode_str(model).decode_utf8_lossy()
}

/// The path with this model's id, in which slashes part segments.
fn with_model_path(path: &str, model: &str) -> String {
    let plain = plain(model);
    let segments: Vec<String> =
        plain.split('/').map(|segment| Cow::from(percent_encode(segment)).into_owned()).collect();
    path.replace("{model}", &segments.join("/"))
}

/// The path with this model's id.
fn with_model(path: &str, model: &str, without: &[&str]) -> String {
    let plain = plain(model);
    let own = without.iter().find_map(|beginning| plain.strip_prefix(beginning)).unwrap_or(&plain);
    path.replace("{model}", &Cow::from(percent_encode(own)))
}

#[cfg(test)]
mod tests;
