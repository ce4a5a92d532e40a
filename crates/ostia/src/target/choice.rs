//! Who is asked: the provider that a config, a header or the name of a model names.

use ostia_dialect::Fault;
use ostia_providers::Provider;
use ostia_routing::{Author, Leaf};
use serde_json::Value;

use super::{NO_SETTINGS, fields};
use crate::core::Core;
use crate::inbound::Inbound;

/// A provider that was chosen.
pub(super) struct Choice<'a> {
    pub(super) provider: &'a Provider,
    /// The model, where it differs from what the body says.
    pub(super) model: Option<String>,
    /// The operator chose it, and not the client.
    pub(super) by_operator: bool,
}

/// The provider: the config's, the header's, the one in `@provider/model`, the operator's default.
pub(super) fn choose<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&Leaf>,
    model: Option<&str>,
) -> Result<Choice<'a>, Fault> {
    let Inbound { core, gateway, .. } = inbound;
    let settings = leaf.map_or(&*NO_SETTINGS, |leaf| &leaf.settings);
    let operators_leaf = leaf.is_some_and(|leaf| leaf.author == Author::Operator);
    let overriding =
        fields(&settings.override_params).and_then(|fields| fields.get("model")).and_then(Value::as_str);
    // A passthrough target is whoever the request itself names.
    let passes = settings.passthrough == Some(true);
    let is_named = settings.provider.is_some() && !passes || gateway.provider.is_some();
    let named = overriding.or(model).and_then(at_model).or_else(|| {
        let plain = model.filter(|_| !is_named && overriding.is_none() && gateway.custom_host.is_none());
        plain_model(core, plain?)
    });
    let slug = named.map(|(slug, _)| slug);
    let of_leaf = settings
        .provider
        .as_deref()
        .filter(|_| !passes)
        .map(|id| id.trim_start_matches('@'))
        .or(slug.filter(|_| overriding.is_some()));
    let of_client = gateway.provider.as_deref().or(slug);
    let (id, by_operator) = match (of_leaf, of_client, core.settings.default_provider.as_deref()) {
        (Some(id), ..) => (id, operators_leaf),
        (None, Some(id), _) => (id, false),
        (None, None, Some(id)) if !passes => (id, true),
        (None, None, _) => return Err(no_provider(core, overriding.or(model))),
    };
    let Some(provider) = core.settings.providers.get(id) else { return Err(unknown_provider(core, id)) };
    let model = named.map(|(_, bare)| bare.to_owned()).or_else(|| overriding.map(str::to_owned));
    Ok(Choice { provider, model, by_operator })
}

/// `@provider/model`; the model may hold slashes itself.
fn at_model(model: &str) -> Option<(&str, &str)> {
    model.strip_prefix('@')?.split_once('/').filter(|(slug, bare)| !slug.is_empty() && !bare.is_empty())
}

/// `provider/model` without the `@`, where the default provider would not take the whole for a model of its own. Names of
/// models have slashes at resellers and at servers that run anything (`openai/gpt-5` at OpenRouter), so that only a provider
/// that is known to have none gives such a name away.
fn plain_model<'m>(core: &Core, model: &'m str) -> Option<(&'m str, &'m str)> {
    let settings = &core.settings;
    let named = model.split_once('/').filter(|(slug, bare)| !slug.is_empty() && !bare.is_empty())?;
    if settings.strict_model_names || settings.providers.get(named.0).is_none() {
        return None;
    }
    let Some(default) = settings.default_provider.as_deref() else { return Some(named) };
    let lists = |id: &str| {
        settings.configured.get(id).is_some_and(|own| own.models.iter().any(|listed| listed == model))
    };
    let default = settings.providers.get(default)?;
    (default.quirks.plain_models && !lists(&default.id)).then_some(named)
}

fn no_provider(core: &Core, model: Option<&str>) -> Fault {
    let meant = model.and_then(|model| meant(core, model)).unwrap_or_default();
    let message = format!(
        "No provider was named.{meant} Send the header x-ostia-provider (or x-portkey-provider) or x-ostia-config, write \
         the model as \"@provider/model\", or set default_provider in ostia.yaml."
    );
    Fault::invalid(message).with_code("provider_missing")
}

/// What a model's name without `@` may have been meant to say.
fn meant(core: &Core, model: &str) -> Option<String> {
    let (slug, bare) = model.split_once('/')?;
    let known = core.settings.providers.iter().map(|provider| provider.id.as_str());
    let slug = match core.settings.providers.get(slug) {
        Some(_) => slug,
        None => ostia_routing::nearest(slug, known)?,
    };
    Some(format!(" Did you mean `@{slug}/{bare}`?"))
}

fn unknown_provider(core: &Core, id: &str) -> Fault {
    let known = core.settings.providers.iter().map(|provider| provider.id.as_str());
    let near =
        ostia_routing::nearest(id, known).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let message = format!("Invalid provider passed: `{id}` is not known.{near} `ostia providers` lists all.");
    Fault::invalid(message).with_code("provider_unknown").with_param("provider")
}
