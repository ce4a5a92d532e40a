//! How a call signs in at a cloud where a key alone does not do: whose credentials count, and which they are.

use std::sync::LazyLock;

use http::HeaderName;
use ostia_dialect::Fault;
use ostia_providers::auth::source::{self, Giver};
use ostia_providers::{Auth, Provider};
use ostia_routing::{Author, Leaf};
use secrecy::SecretString;
use serde_json::Value;

use crate::credentials::{Holder, Wanted};
use crate::inbound::Inbound;

/// The credential of a call; `None` where a key is all that it takes, or all that there is.
///
/// They count in the order in which keys do: those of the operator's target, the client's (of its target, of its headers), the
/// operator's for the provider, and last, where the operator named the provider or the machine is the client's too, what the
/// machine has. At a host that the client chose the client's alone count.
///
/// # Errors
/// 400 for what cannot be meant so.
pub(super) fn find(
    inbound: Inbound<'_>,
    leaf: Option<&Leaf>,
    provider: &Provider,
    whose: Whose,
) -> Result<Option<Wanted>, Fault> {
    let names = source::names(&provider.auth);
    if names.is_empty() {
        return Ok(None);
    }
    let Inbound { core, caller, .. } = inbound;
    let settings = &core.settings;
    let of_leaf = |author: Author| leaf.filter(|leaf| leaf.author == author);
    let operators = of_leaf(Author::Operator).filter(|_| whose == Whose::Operators { chose: true });
    if let Some(leaf) = operators {
        if leaf.settings.api_key.is_some() {
            return Ok(None);
        }
        let look = |name: &str| option(leaf, name);
        if names.iter().any(|name| look(name).is_some()) {
            return wanted(inbound, provider, Giver::Operator, &look);
        }
    }
    let clients = of_leaf(Author::Client);
    let look = |name: &str| clients.and_then(|leaf| option(leaf, name)).or_else(|| header(inbound, name));
    if names.iter().any(|name| look(name).is_some()) {
        let is_operator = whose != Whose::Clients && settings.clients_are_operators();
        return wanted(inbound, provider, if is_operator { Giver::Operator } else { Giver::Client }, &look);
    }
    let has_key =
        clients.is_some_and(|leaf| leaf.settings.api_key.is_some()) || caller.provider_key.is_some();
    if whose == Whose::Clients || has_key {
        return Ok(None);
    }
    of_operator(inbound, provider)
}

/// What the operator has for a provider, apart from a key.
fn of_operator(inbound: Inbound<'_>, provider: &Provider) -> Result<Option<Wanted>, Fault> {
    let core = inbound.core;
    let (settings, id) = (&core.settings, &provider.id);
    let given = settings.credentials.get(id);
    let is_named = settings.configured.contains_key(id) || settings.clients_are_operators();
    if given.is_none() && (!is_named || settings.keys.contains_key(id)) {
        return Ok(None);
    }
    // A family of models may sign in otherwise than its provider, under the same id.
    let place = std::ptr::from_ref(provider).addr();
    if let Some(known) = core.operators.borrow().get(&place) {
        return Ok(Some(known.clone()));
    }
    let look = |name: &str| given.and_then(|given| given.get(name)).cloned();
    let wanted = wanted(inbound, provider, Giver::Operator, &look)?;
    if let Some(wanted) = &wanted {
        core.operators.borrow_mut().insert(place, wanted.clone());
    }
    Ok(wanted)
}

/// Whose host it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The client chose it.
    Clients,
    /// The operator's, or of the built-in table. `chose`: the operator chose the provider too.
    Operators { chose: bool },
}

fn wanted(
    inbound: Inbound<'_>,
    provider: &Provider,
    giver: Giver,
    look: source::Look<'_>,
) -> Result<Option<Wanted>, Fault> {
    let holder = match giver {
        Giver::Operator => Holder::Operator,
        Giver::Client => Holder::Client(inbound.caller.owner),
    };
    let source = source::read(&provider.auth, giver, None, look)?;
    Ok(source.map(|source| inbound.core.credentials.wanted(source, holder)))
}

/// What a target says of it; an object is its JSON.
fn option(leaf: &Leaf, name: &str) -> Option<SecretString> {
    match leaf.settings.options.value(name)? {
        Value::String(text) => Some(text.as_str().into()),
        Value::Null => None,
        other => Some(other.to_string().into()),
    }
}

/// The headers of each name, in both spellings.
static HEADERS: LazyLock<Vec<(&'static str, [HeaderName; 2])>> = LazyLock::new(|| {
    let all = [Auth::Aws(Default::default()), Auth::Azure, Auth::Google, Auth::Oracle];
    let names = all.iter().flat_map(source::names);
    let spelled = |name: &str| {
        let name = name.replace('_', "-");
        let spell = |prefix: &str| HeaderName::try_from(format!("{prefix}-{name}")).ok();
        Some([spell("x-ostia")?, spell("x-portkey")?])
    };
    names.filter_map(|name| Some((*name, spelled(name)?))).collect()
});

fn header(inbound: Inbound<'_>, name: &str) -> Option<SecretString> {
    let (_, spelled) = HEADERS.iter().find(|(own, _)| *own == name)?;
    let value = spelled.iter().find_map(|name| inbound.parts.headers.get(name))?;
    value.to_str().ok().map(str::trim).filter(|text| !text.is_empty()).map(SecretString::from)
}
