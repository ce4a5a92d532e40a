//! Whom a request goes to: provider, place, key, and what applies to the call.

use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use http::HeaderName;
use ostia_dialect::{Fault, FaultKind};
use ostia_providers::Provider;
use ostia_routing::Leaf;
use ostia_routing::config::{Node, Redacted};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::call::{Call, Shown, forward_header};
use crate::core::Core;
use crate::egress::Origin;
use crate::host;
use crate::upstream::{Site, Timeouts};

/// Whom a request goes to, and how.
#[derive(Debug)]
pub struct Target<'a> {
    /// Who.
    pub provider: &'a Provider,
    /// Where: host and path of the base URL.
    pub site: Rc<Site>,
    /// The key to show there.
    pub key: Option<Key<'a>>,
    /// The model to ask for, where that is not what the body says.
    pub model: Option<String>,
    /// Body fields that are always set.
    pub override_params: Option<&'a Map<String, Value>>,
    /// Body fields that are set where the client gave none.
    pub default_params: Option<&'a Map<String, Value>>,
    /// Body fields to leave out, by path.
    pub drop_params: &'a [String],
    /// Further client headers to pass on.
    pub forward_headers: Vec<HeaderName>,
    /// How long each part of the call may take.
    pub timeouts: Timeouts,
    /// The bound that the client itself asked for.
    pub requested_timeout_ms: Option<u64>,
    /// Exactly OpenAI's fields.
    pub strict: bool,
    /// Refuse what cannot be said without loss.
    pub lossless: bool,
    /// Whatever is missing from a relayed body is told at once. Off where the client chose the host: it knows best what
    /// its server wants, and the server says the rest.
    pub checks_body: bool,
    /// Which target of the config this is.
    pub index_path: &'a str,
}

/// A key for a provider.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// As the client showed it.
    Shown(&'a Shown),
    /// From a config or the operator.
    Kept(&'a SecretString),
}

impl Target<'_> {
    /// Does the config change the body?
    pub fn has_params(&self) -> bool {
        self.override_params.is_some() || self.default_params.is_some() || !self.drop_params.is_empty()
    }
}

/// The settings of a request without a config.
static NO_SETTINGS: LazyLock<Node> = LazyLock::new(Node::default);

/// Resolves headers, a leaf of the config and the body's model to a target.
///
/// # Errors
/// 400 for a provider or host that does not exist or may not be called; 401 where there is no key and one is needed.
pub fn resolve<'a>(
    core: &'a Core,
    call: &'a Call,
    leaf: Option<&'a Leaf>,
    model: Option<&str>,
) -> Result<Target<'a>, Fault> {
    let settings = leaf.map_or(&*NO_SETTINGS, |leaf| &leaf.settings);
    let (model, provider) = choose(core, call, settings, model)?;
    let custom_host = settings.custom_host.as_deref().or(call.custom_host.as_deref());
    let (site, origin) = locate(core, provider, custom_host)?;
    let key = find_key(core, call, leaf, provider, origin);
    if key.is_none() && provider.needs_key() && origin != Origin::Client {
        return Err(no_key(core, provider));
    }
    let requested_timeout_ms = call.request_timeout_ms.or(settings.request_timeout_ms);
    Ok(Target {
        provider,
        site,
        key,
        model,
        override_params: fields(&settings.override_params),
        default_params: fields(&settings.default_params),
        drop_params: settings.drop_params.as_deref().unwrap_or_default(),
        forward_headers: settings
            .forward_headers
            .iter()
            .flatten()
            .map(|name| forward_header(name))
            .collect::<Result<_, _>>()?,
        timeouts: timeouts(core, requested_timeout_ms),
        requested_timeout_ms,
        // Portkey lets either side turn it off.
        strict: call.strict != Some(false) && settings.strict_open_ai_compliance != Some(false),
        lossless: call.lossless.or(settings.lossless).unwrap_or(false),
        checks_body: origin != Origin::Client && !provider.local,
        index_path: leaf.map_or("config", |leaf| &leaf.index_path),
    })
}

/// The target's own key, the client's, the operator's.
fn find_key<'a>(
    core: &'a Core,
    call: &'a Call,
    leaf: Option<&'a Leaf>,
    provider: &Provider,
    origin: Origin,
) -> Option<Key<'a>> {
    if let Some(own) = leaf.and_then(|leaf| leaf.settings.api_key.as_ref()) {
        return Some(Key::Kept(own));
    }
    // A client has one key, and a config may name several providers: the key goes to the one that it is meant for.
    let meant_for = call.provider.as_deref().or_else(|| leaf?.client_key_for.as_deref());
    let is_meant = |id: &str| {
        let id = id.trim_start_matches('@');
        id == provider.id || core.settings.providers.get(id).is_some_and(|meant| meant.id == provider.id)
    };
    if let Some(key) = client_key(core, call).filter(|_| meant_for.is_none_or(is_meant)) {
        return Some(Key::Shown(key));
    }
    // The operator's key goes to the operator's host and nowhere else.
    core.settings.keys.get(&provider.id).filter(|_| origin != Origin::Client).map(Key::Kept)
}

fn fields(given: &Option<Redacted<Map<String, Value>>>) -> Option<&Map<String, Value>> {
    given.as_ref().map(|fields| &fields.0).filter(|fields| !fields.is_empty())
}

/// The provider: the config's, the header's, the one in `@provider/model`, the operator's default. Also the model, where
/// it differs from what the body says.
fn choose<'a>(
    core: &'a Core,
    call: &Call,
    settings: &Node,
    model: Option<&str>,
) -> Result<(Option<String>, &'a Provider), Fault> {
    let overriding =
        fields(&settings.override_params).and_then(|fields| fields.get("model")).and_then(Value::as_str);
    let named = overriding.or(model).and_then(at_model);
    let from_leaf = settings.provider.as_deref().filter(|_| settings.passthrough != Some(true));
    let slug = named.map(|(slug, _)| slug);
    // A passthrough target is whoever the request itself names.
    let id = from_leaf
        .map(|id| id.trim_start_matches('@'))
        .or(slug.filter(|_| overriding.is_some()))
        .or(call.provider.as_deref())
        .or(slug)
        .or(core.settings.default_provider.as_deref().filter(|_| settings.passthrough != Some(true)));
    let Some(id) = id else { return Err(no_provider()) };
    let Some(provider) = core.settings.providers.get(id) else { return Err(unknown_provider(core, id)) };
    let bare = named.map(|(_, bare)| bare.to_owned()).or_else(|| overriding.map(str::to_owned));
    Ok((bare, provider))
}

/// `@provider/model`; the model may hold slashes itself.
fn at_model(model: &str) -> Option<(&str, &str)> {
    model.strip_prefix('@')?.split_once('/').filter(|(slug, bare)| !slug.is_empty() && !bare.is_empty())
}

fn locate(core: &Core, provider: &Provider, custom_host: Option<&str>) -> Result<(Rc<Site>, Origin), Fault> {
    let (base, origin) = match (custom_host, &provider.base_url) {
        (Some(custom), own) if own.as_deref() != Some(custom.trim_end_matches('/')) => {
            (custom, Origin::Client)
        }
        (_, Some(own)) => (own.as_str(), core.settings.origin(provider)),
        (_, None) => {
            let message = format!(
                "Provider `{}` has no address of its own: give one in the header x-ostia-custom-host, or as base_url \
                 under providers.{} in ostia.yaml.",
                provider.id, provider.id
            );
            return Err(Fault::invalid(message).with_param("custom_host"));
        }
    };
    let site = core.upstreams.site(base, origin, || {
        let (scheme_and_authority, path) = host::split(base)?;
        if origin == Origin::Client {
            host::check(scheme_and_authority, &core.settings.guard)?;
        }
        Ok((scheme_and_authority, path.trim_end_matches('/')))
    });
    site.map(|site| (site, origin)).map_err(|why| invalid_host(&why))
}

fn invalid_host(why: &str) -> Fault {
    Fault::invalid(format!("Invalid custom host: it {why}."))
        .with_param("custom_host")
        .with_code("invalid_custom_host")
}

/// The client's key for the provider: what is not the gateway's own.
fn client_key<'a>(core: &Core, call: &'a Call) -> Option<&'a Shown> {
    let credentials = &call.credentials;
    let provider_key = |key: &&Shown| !core.settings.is_gateway_key(key.expose());
    credentials.bearer.as_ref().filter(provider_key).or(credentials.api_key.as_ref().filter(provider_key))
}

fn timeouts(core: &Core, requested_ms: Option<u64>) -> Timeouts {
    let timeouts = core.settings.timeouts;
    let Some(requested) = requested_ms.map(Duration::from_millis) else { return timeouts };
    // A request's own bound holds for the head, and for every silence in between.
    Timeouts {
        connect: timeouts.connect.min(requested),
        first_byte: requested,
        idle: timeouts.idle.min(requested),
        total: timeouts.total.max(requested),
    }
}

fn no_provider() -> Fault {
    let message = "No provider was named. Send the header x-ostia-provider (or x-portkey-provider) or x-ostia-config, \
                   write the model as \"@provider/model\", or set default_provider in ostia.yaml.";
    Fault::invalid(message).with_code("provider_missing")
}

fn unknown_provider(core: &Core, id: &str) -> Fault {
    let known = core.settings.providers.iter().map(|provider| provider.id.as_str());
    let near =
        ostia_routing::nearest(id, known).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let message = format!("Invalid provider passed: `{id}` is not known.{near} `ostia providers` lists all.");
    Fault::invalid(message).with_code("provider_unknown").with_param("provider")
}

fn no_key(core: &Core, provider: &Provider) -> Fault {
    let environment = match (core.settings.loopback, provider.key_env.first()) {
        (true, Some(name)) => format!(" or set {name} before starting"),
        _ => String::new(),
    };
    let message = format!(
        "No key for provider `{}`: send it as `Authorization: Bearer ...`, put api_key under providers.{} in \
         ostia.yaml{environment}.",
        provider.id, provider.id
    );
    Fault::new(FaultKind::Authentication, message).with_code("key_missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_printing_shows_a_key() {
        let secret = SecretString::from("sk-top");
        let printed = format!("{:?} {:#?}", Key::Kept(&secret), Some(Key::Kept(&secret)));
        assert!(!printed.contains("sk-top"), "{printed}");
    }
}
