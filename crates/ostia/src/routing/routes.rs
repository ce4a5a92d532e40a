//! The config that a request follows.

use std::sync::Arc;

use http::HeaderValue;
use ostia_dialect::Fault;
use ostia_routing::config::{self, Problem, Unsupported};
use ostia_routing::{Leaf, Route};

use crate::config::routes::ConfigCache;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::inbound::gateway_headers::GatewayHeaders;

/// The route of a request: of the config that it names or brings, of its key, of its model, or the operator's default.
///
/// # Errors
/// 400 for a config that is wrong or not there, or asks for what the gateway cannot do.
pub fn find(inbound: Inbound<'_>, model: Option<&str>) -> Result<Option<Arc<Route>>, Fault> {
    let Inbound { core, caller, gateway, .. } = inbound;
    let Core { settings, compiled, .. } = &**core;
    // Whoever says whom to ask is not asked again.
    let says_whom = gateway.provider.is_some() || model.is_some_and(|model| model.starts_with('@'));
    let route = if let Some(config) = &gateway.config {
        given(compiled, config)?
    } else if let Some(name) = caller.key(&settings.gateway_keys).and_then(|key| key.config.as_deref()) {
        compiled.named(name)?
    } else if says_whom {
        return Ok(None);
    } else if let Some(alias) = model.and_then(|model| compiled.aliases.get(model)) {
        alias.clone()
    } else if let Some(name) = &settings.named.default {
        compiled.named(name)?
    } else {
        return Ok(None);
    };
    match route.unsupported() {
        [] => Ok(Some(route)),
        parts => Err(unsupported(parts)),
    }
}

/// The first target of a config that is this provider's, or its only one if that names nobody: which of several is asked is not to be
/// decided any more for what is there already.
pub fn leaf_at<'r>(inbound: Inbound<'_>, route: &'r Route, provider: &str) -> Option<&'r Leaf> {
    let providers = &inbound.core.settings.providers;
    let is_at = |leaf: &&Leaf| {
        let named = leaf.settings.provider.as_deref().map(|id| id.trim_start_matches('@'));
        named.and_then(|id| providers.get(id)).is_some_and(|named| named.id == provider)
    };
    let names_nobody = |leaf: &&Leaf| leaf.settings.provider.is_none();
    route.leaves().iter().find(is_at).or_else(|| route.only_leaf().filter(names_nobody))
}

/// What the author of a request's config should hear: fields that nobody reads, or that have no effect where they stand.
pub fn warnings(gateway: &GatewayHeaders) -> Vec<String> {
    let text = gateway.config.as_ref().and_then(|config| config.to_str().ok()).unwrap_or_default();
    config::parse(text)
        .map_or_else(|_| Vec::new(), |parsed| parsed.warnings.iter().map(Problem::to_string).collect())
}

fn given(compiled: &ConfigCache, config: &HeaderValue) -> Result<Arc<Route>, Fault> {
    let refused =
        |_| Fault::invalid("Invalid header `x-ostia-config`: must be plain text").with_param("config");
    let text = config.to_str().map_err(refused)?.trim();
    match text.starts_with('{') {
        true => compiled.route(text),
        false => compiled.named(text),
    }
}

fn unsupported(parts: &[Unsupported]) -> Fault {
    let all: Vec<String> = parts.iter().map(|part| format!("{} ({})", part.path, part.what)).collect();
    let message = format!("This gateway cannot do these parts of the config yet: {}.", all.join(", "));
    Fault::invalid(message).with_code("config_unsupported").with_param("config")
}
