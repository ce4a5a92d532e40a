//! Where it is asked: the provider as it is for a model, and the host, with whoever chose that.

use std::rc::Rc;

use ostia_catalog::Catalog;
use ostia_dialect::Fault;
use ostia_providers::{Provider, Values};
use ostia_routing::{Author, Leaf};

use super::Asked;
use super::choice::Choice;
use super::settings::{self, Chosen};
use crate::core::Core;
use crate::inbound::Inbound;
use crate::upstream::BaseUrl;
use crate::upstream::egress::Origin;
use crate::upstream::host;
use crate::upstream::transport::TransportId;

/// A host, and who chose it.
pub(super) enum Host {
    Operators(Rc<BaseUrl>),
    Clients(Rc<BaseUrl>),
}

/// A provider as it is for a model.
pub(super) struct OfModel<'a> {
    pub(super) provider: &'a Provider,
    /// The model, where it differs from what the body says.
    pub(super) model: Option<String>,
    pub(super) base_model: Option<&'a str>,
}

impl<'a> OfModel<'a> {
    /// The provider that was chosen, as it is for the model, or at the host of what is asked there.
    pub(super) fn find(
        choice: &Choice<'a>,
        asked: Asked<'_, '_>,
        values: &Values,
        catalog: &'a Catalog,
    ) -> OfModel<'a> {
        let provider = choice.provider;
        if let Asked::Step(Some(api)) = asked
            && let Some(there) = provider.hosts.get(&api)
        {
            return OfModel { provider: there, model: None, base_model: None };
        }
        let for_model = match asked {
            Asked::Row(_) => Provider::for_batched,
            Asked::Api(_) | Asked::Unread(_) | Asked::Step(_) => Provider::for_model,
        };
        let set = provider.model_setting.as_deref().and_then(|name| values.get(name));
        let own = set.or(choice.model.as_deref());
        let name = own.or(asked.model()).unwrap_or_default();
        let (of_name, there) = for_model(provider, name, values);
        let base_of = |name: &str| catalog.base_of(&provider.id, name);
        let base_model = base_of(name).or_else(|| base_of(there.as_deref()?));
        // A name that a family takes apart says itself where the model is; of any other that is none of the vendor's the base's does.
        let provider = match base_model.filter(|_| there.is_none()) {
            Some(base) => for_model(provider, base, values).0,
            None => of_name,
        };
        OfModel { provider, model: there.or_else(|| own.map(str::to_owned)), base_model }
    }
}

/// The host of a config, of the header, of the provider's row. The provider's own address is the operator's, whoever names it,
/// unless the client chose a part of its name.
pub(super) fn find(
    inbound: Inbound<'_>,
    leaf: Option<&Leaf>,
    provider: &Provider,
    choice: &Choice<'_>,
    chosen: &Chosen,
) -> Result<Host, Fault> {
    let Inbound { core, gateway, .. } = inbound;
    let own = provider.base_url_with(&chosen.values);
    let own = own.as_deref();
    let transport = core.settings.transports.of(&provider.id);
    let of_leaf = leaf.and_then(|leaf| Some((leaf.settings.custom_host.as_deref()?, leaf.author)));
    let of_header = gateway.custom_host.as_deref().map(|host| (host, Author::Client));
    let custom = of_leaf.or(of_header).filter(|(host, _)| own != Some(host.trim_end_matches('/')));
    settings::require(core, provider, &chosen.values, custom.is_none())?;
    match (custom, own) {
        // A host that a client chose sees no certificate that the operator has for the provider.
        (Some((host, Author::Client)), _) => {
            base_url(core, host, Origin::Client, TransportId::default()).map(Host::Clients)
        }
        (Some((host, Author::Operator)), _) => {
            base_url(core, host, Origin::Operator, transport).map(Host::Operators)
        }
        (None, Some(_)) if provider.retired.is_some() => Err(retired(provider)),
        (None, Some(own)) if chosen.host_is_clients(provider) => {
            base_url(core, own, Origin::Client, TransportId::default()).map(Host::Clients)
        }
        (None, Some(own)) => {
            let origin = core.settings.origin(provider, choice.by_operator);
            base_url(core, own, origin, transport).map(Host::Operators)
        }
        (None, None) => {
            let message = format!(
                "Provider `{}` has no address of its own: give one in the header x-ostia-custom-host, or as base_url \
                 under providers.{} in ostia.yaml.",
                provider.id, provider.id
            );
            Err(Fault::invalid(message).with_param("custom_host"))
        }
    }
}

fn base_url(core: &Core, base: &str, origin: Origin, transport: TransportId) -> Result<Rc<BaseUrl>, Fault> {
    let base_url = core.upstreams.base_url(base, origin, transport, || {
        let (scheme_and_authority, path) = host::split(base)?;
        if origin == Origin::Client {
            host::check(scheme_and_authority, &core.settings.guard)?;
        }
        Ok((scheme_and_authority, path.trim_end_matches('/')))
    });
    base_url.map_err(|why| invalid_host(&why))
}

fn invalid_host(why: &str) -> Fault {
    Fault::invalid(format!("Invalid custom host: it {why}."))
        .with_param("custom_host")
        .with_code("invalid_custom_host")
}

/// Nobody is at its address any more, and whoever takes the address over is not to have its keys.
fn retired(provider: &Provider) -> Fault {
    let why = provider.retired.as_deref().unwrap_or_default();
    let message = format!("Provider `{}` is not there any more: {why}. Name another one.", provider.id);
    Fault::invalid(message).with_param("provider").with_code("provider_retired")
}
