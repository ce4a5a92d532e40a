//! What goes to the host of a call: nothing that the operator wrote, where the client chose it.

use std::rc::Rc;

use http::HeaderMap;
use ostia_dialect::{Fault, FaultKind};
use ostia_providers::{Provider, Providers};
use ostia_routing::{Author, Leaf};
use secrecy::SecretString;

use super::hosts::Host;
use super::{Asked, KeyTurn, fields};
use crate::config::provider_keys::{KeyList, ProviderKeys};
use crate::core::Core;
use crate::inbound::Inbound;
use crate::inbound::credentials::Credential;
use crate::upstream::BaseUrl;

/// A host, and what goes there besides what the client sent.
#[derive(Debug)]
pub enum Destination<'a> {
    /// A host of the operator's or of the built-in table.
    Operators {
        /// Host and path of the base URL.
        base_url: Rc<BaseUrl>,
        /// The key to show there.
        key: Option<Key<'a>>,
        /// Headers of the provider's row.
        headers: &'a HeaderMap,
    },
    /// A host that the client chose.
    Clients {
        /// Host and path of the base URL.
        base_url: Rc<BaseUrl>,
        /// The client's own key.
        key: Option<ClientKey<'a>>,
        /// Headers of the built-in row, which everybody can read.
        headers: Option<&'a HeaderMap>,
    },
}

/// A key for a provider.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// The client's.
    Client(ClientKey<'a>),
    /// From the configuration or the environment.
    Operator(&'a SecretString),
}

/// A key that the client brought.
#[derive(Debug, Clone, Copy)]
pub enum ClientKey<'a> {
    /// In a header.
    Header(&'a Credential),
    /// In a config of its own.
    Config(&'a SecretString),
}

impl<'a> Destination<'a> {
    /// Host and path of the base URL.
    pub fn base_url(&self) -> &Rc<BaseUrl> {
        match self {
            Destination::Operators { base_url, .. } | Destination::Clients { base_url, .. } => base_url,
        }
    }

    /// The key to show there.
    pub fn key(&self) -> Option<Key<'a>> {
        match self {
            Destination::Operators { key, .. } => *key,
            Destination::Clients { key, .. } => key.map(Key::Client),
        }
    }

    /// Headers that the provider wants on every call.
    pub fn headers(&self) -> Option<&'a HeaderMap> {
        match self {
            Destination::Operators { headers, .. } => Some(headers),
            Destination::Clients { headers, .. } => *headers,
        }
    }

    /// Did the client choose the host?
    pub fn is_clients(&self) -> bool {
        matches!(self, Destination::Clients { .. })
    }
}

/// A host, with what goes there besides what the client sent, and the way through several keys.
pub(super) fn find<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&'a Leaf>,
    asked: Asked<'_, '_>,
    provider: &'a Provider,
    host: Host,
    by_operator: bool,
) -> Result<(Destination<'a>, Option<Box<KeyTurn<'a>>>), Fault> {
    let base_url = match host {
        Host::Operators(base_url) => base_url,
        Host::Clients(base_url) => {
            refuse_operators_params(leaf)?;
            let (key, headers) =
                (clients_key(inbound, leaf, provider), public_headers(inbound.core, provider));
            return Ok((Destination::Clients { base_url, key, headers }, None));
        }
    };
    let headers = &provider.headers;
    let (key, keys) = match find_key(inbound, leaf, provider, by_operator) {
        Some(Found::Key(key)) => (Some(key), None),
        Some(Found::Several(list)) => {
            let turn = Box::new(KeyTurn::begin(list, inbound, asked, provider));
            (turn.key(), Some(turn))
        }
        None => (None, None),
    };
    Ok((Destination::Operators { base_url, key, headers }, keys))
}

/// The headers of the built-in row: of one that the operator did not touch, its own.
fn public_headers<'a>(core: &Core, provider: &'a Provider) -> Option<&'a HeaderMap> {
    match core.settings.configured.contains_key(&provider.id) {
        true => Providers::builtin().get(&provider.id).map(|builtin| &builtin.headers),
        false => Some(&provider.headers),
    }
}

/// What there is to show to a host of the operator's.
enum Found<'a> {
    Key(Key<'a>),
    Several(&'a KeyList),
}

/// The target's own key, the client's, the operator's.
fn find_key<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&'a Leaf>,
    provider: &Provider,
    by_operator: bool,
) -> Option<Found<'a>> {
    let Inbound { core, .. } = inbound;
    // A key that the operator wrote beside no provider is not for whomever a client names.
    let operators = leaf.filter(|leaf| leaf.author == Author::Operator && by_operator);
    let own = operators.and_then(|leaf| leaf.settings.api_key.as_ref()).map(Key::Operator);
    let single = own.or_else(|| clients_key(inbound, leaf, provider).map(Key::Client)).map(Found::Key);
    single.or_else(|| {
        core.settings.keys.get(&provider.id).map(|keys| match keys {
            ProviderKeys::One(key) => Found::Key(Key::Operator(key)),
            ProviderKeys::Several(list) => Found::Several(list),
        })
    })
}

/// The client's key: of the target, if it wrote the config itself, or of its headers.
fn clients_key<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&'a Leaf>,
    provider: &Provider,
) -> Option<ClientKey<'a>> {
    let Inbound { core, caller, gateway, .. } = inbound;
    let own =
        leaf.filter(|leaf| leaf.author == Author::Client).and_then(|leaf| leaf.settings.api_key.as_ref());
    if let Some(own) = own {
        return Some(ClientKey::Config(own));
    }
    // A client has one key, and a config may name several providers: the key goes to the one that it is meant for.
    let meant_for = gateway.provider.as_deref().or_else(|| leaf?.client_key_for.as_deref());
    let is_meant = |id: &str| {
        let id = id.trim_start_matches('@');
        id == provider.id || core.settings.providers.get(id).is_some_and(|meant| meant.id == provider.id)
    };
    let key = caller.provider_key.as_ref().filter(|_| meant_for.is_none_or(is_meant));
    key.map(ClientKey::Header)
}

/// What the operator's config sets in bodies is not for a host that the client chose, and a request without it would not be
/// what the operator means.
fn refuse_operators_params(leaf: Option<&Leaf>) -> Result<(), Fault> {
    let Some(leaf) = leaf.filter(|leaf| leaf.author == Author::Operator) else { return Ok(()) };
    let settings = &leaf.settings;
    if fields(&settings.override_params).or(fields(&settings.default_params)).is_none() {
        return Ok(());
    }
    let message = "The operator's config sets parameters, which do not go to a host that the client chose: leave out \
                   x-ostia-custom-host, or send a config of your own.";
    Err(Fault::invalid(message).with_param("custom_host").with_code("custom_host_refused"))
}

/// There is no key, and one is needed.
pub(super) fn no_key(core: &Core, provider: &Provider) -> Fault {
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
        let (operators, clients) = (Key::Operator(&secret), Key::Client(ClientKey::Config(&secret)));
        let printed = format!("{operators:?} {:#?}", Some(clients));
        assert!(!printed.contains("sk-top"), "{printed}");
    }
}
