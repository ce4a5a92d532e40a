//! Whom a request goes to: provider, host, key, and what applies to the call.
//!
//! Two people write what comes together here: the operator (the file and the environment) and the client (headers, and
//! configs in them). Nothing that the operator wrote goes to a host that the client chose: [`Destination`] has no room for it.

mod choice;
mod destination;
mod hosts;
mod key_turn;
mod settings;
mod sign_in;

use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use ostia_dialect::{Api, Fault};
use ostia_providers::prepare::ApiCall;
use ostia_providers::{Provider, Values};
use ostia_routing::config::{Node, Params, ProviderOptions};
use ostia_routing::{Author, Leaf};
use serde_json::{Map, Value};

use crate::core::Core;
use crate::credentials::Wanted;
use crate::inbound::Inbound;
use crate::inbound::gateway_headers::{GatewayHeaders, forward_header};
use crate::upstream::Timeouts;
use hosts::{Host, OfModel};
use sign_in::Whose;

pub use destination::{ClientKey, Destination, Key};
pub use key_turn::KeyTurn;
pub use settings::{missing_setting, needs};
pub use sign_in::brings_credential;

/// Whom a request goes to, and how.
#[derive(Debug)]
pub struct Target<'a> {
    /// Who.
    pub provider: &'a Provider,
    /// Its settings for this call.
    pub values: Values,
    /// Those that the client chose otherwise than the operator.
    pub chosen_by_client: Vec<String>,
    /// Where, and with which key.
    pub destination: Destination<'a>,
    /// What the request is signed with in place of a key.
    pub credential: Option<Wanted>,
    /// Provider options of the config, if they may go there.
    pub options: Option<&'a ProviderOptions>,
    /// The model to ask for, where that is not what the body says.
    pub model: Option<String>,
    /// What the model is, where the operator says that its name does not tell.
    pub base_model: Option<&'a str>,
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
    /// The request's trace id.
    pub trace_id: &'a str,
    /// The way through the operator's keys, where the destination's is one of several.
    pub keys: Option<Box<KeyTurn<'a>>>,
}

/// What is asked, as far as it decides whom and with which key.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'c, 'b> {
    /// A call that is understood.
    Api(&'c ApiCall<'b>),
    /// The same, as a row of a batch that the provider runs.
    Row(&'c ApiCall<'b>),
    /// One that is handed on unread, for this model, if that is known.
    Unread(Option<&'c str>),
    /// Something about a batch, at the host of this API.
    Step(Option<Api>),
}

impl<'c> Asked<'c, '_> {
    /// The model that the client names.
    pub fn model(self) -> Option<&'c str> {
        match self {
            Asked::Api(call) | Asked::Row(call) => call.model(),
            Asked::Unread(model) => model,
            Asked::Step(_) => None,
        }
    }
}

impl Target<'_> {
    /// A header's value with the settings that it names; `None` where these have no value.
    pub fn filled(&self, value: &HeaderValue) -> Result<Option<HeaderValue>, Fault> {
        settings::filled(value, self.provider, &self.values)
    }

    /// Is chat to go to Mistral's fill-in-the-middle endpoint?
    pub fn fills_in_the_middle(&self, gateway: &GatewayHeaders) -> bool {
        gateway.fim || self.options.is_some_and(|options| options.is_true("mistral_fim_completion"))
    }

    /// Is it called at the client's own cost and with the client's own rights: at a host that the client chose, or with its key?
    pub fn is_clients_account(&self) -> bool {
        let has_clients_key = match &self.credential {
            Some(credential) => credential.is_clients(),
            None => matches!(self.destination.key(), Some(Key::Client(_))),
        };
        self.destination.is_clients() || has_clients_key
    }

    /// Is it a target of a list? Then the conversation may have been led at another one.
    pub fn is_one_of_several(&self) -> bool {
        self.index_path.contains("targets[")
    }

    /// Settings that say where something is kept are a client's to choose only for a credential of its own: the operator's may do more
    /// there than the client.
    ///
    /// # Errors
    /// 400 that names the first that the client chose for the operator's.
    pub fn refuse_borrowed(&self, core: &Core) -> Result<(), Fault> {
        if self.is_clients_account() || core.settings.clients_are_operators() {
            return Ok(());
        }
        let settings = &self.provider.settings;
        let is_guarded = |name: &&String| settings.get(*name).is_some_and(|setting| setting.own_credential);
        let Some(name) = self.chosen_by_client.iter().find(is_guarded) else { return Ok(()) };
        let message = format!(
            "`{name}` may be chosen in a request only where the request brings its own credential too: leave it out, and the \
             operator's counts."
        );
        Err(Fault::invalid(message).with_param(name.as_str()).with_code("setting_refused"))
    }

    /// Has the whole body to be there before a call can be signed?
    pub fn signs_body(&self) -> bool {
        self.credential.is_some() && self.provider.auth.signs_body()
    }
}

/// The settings of a request without a config.
static NO_SETTINGS: LazyLock<Node> = LazyLock::new(Node::default);

/// Resolves headers, a leaf of the config and the body's model to a target.
///
/// # Errors
/// 400 for a provider or host that does not exist or may not be called; 401 where there is no key and one is needed.
pub fn resolve<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&'a Leaf>,
    asked: Asked<'_, '_>,
) -> Result<Target<'a>, Fault> {
    let Inbound { core, gateway, .. } = inbound;
    let settings = leaf.map_or(&*NO_SETTINGS, |leaf| &leaf.settings);
    let choice = choice::choose(inbound, leaf, asked.model())?;
    let by_operator = choice.by_operator;
    let mut chosen = settings::choose(inbound, leaf, choice.provider)?;
    let catalog = &core.settings.catalog;
    let mut of_model = OfModel::find(&choice, asked, &chosen.values, catalog);
    let host = hosts::find(inbound, leaf, of_model.provider, &choice, &chosen)?;
    if let Host::Clients(_) = host {
        chosen = chosen.without_operators(choice.provider);
        of_model = OfModel::find(&choice, asked, &chosen.values, catalog);
        settings::require(core, of_model.provider, &chosen.values, false)?;
    }
    let OfModel { provider, model, base_model } = of_model;
    let (destination, keys) = destination::find(inbound, leaf, asked, provider, host, by_operator)?;
    let whose = match destination.is_clients() {
        true => Whose::Clients,
        false => Whose::Operators { chose: by_operator },
    };
    let credential = sign_in::find(inbound, leaf, provider, whose)?;
    let is_signed = credential.is_some() || destination.key().is_some();
    if !is_signed && provider.needs_key() && !destination.is_clients() {
        return Err(destination::no_key(core, provider));
    }
    let options = leaf
        .filter(|leaf| leaf.author == Author::Client || !destination.is_clients())
        .map(|leaf| &leaf.settings.options);
    let checks_body = !destination.is_clients() && !provider.local;
    let requested_timeout_ms = gateway.request_timeout_ms.or(settings.request_timeout_ms);
    Ok(Target {
        provider,
        values: chosen.values,
        chosen_by_client: chosen.by_client,
        destination,
        credential,
        options,
        model,
        base_model,
        override_params: fields(&settings.override_params),
        default_params: fields(&settings.default_params),
        drop_params: settings.drop_params.as_deref().unwrap_or_default(),
        forward_headers: settings
            .forward_headers
            .as_deref()
            .unwrap_or_default()
            .iter()
            .map(|name| forward_header(name))
            .collect::<Result<_, _>>()?,
        timeouts: timeouts(core, requested_timeout_ms),
        requested_timeout_ms,
        // Portkey lets either side turn it off.
        strict: gateway.strict != Some(false) && settings.strict_open_ai_compliance != Some(false),
        lossless: gateway.lossless.or(settings.lossless).unwrap_or(false),
        checks_body,
        trace_id: gateway.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default(),
        index_path: leaf.map_or("config", |leaf| &leaf.index_path),
        keys,
    })
}

/// The provider that a request asks for nothing in particular, and `None` where its host is one that the client chose: what is
/// there nobody knows.
///
/// # Errors
/// 400 where there is none, or none of that name.
pub fn provider<'a>(inbound: Inbound<'a>, leaf: Option<&Leaf>) -> Result<Option<&'a Provider>, Fault> {
    provider_for(inbound, leaf, None)
}

/// The same where it asks for this model, which may name the provider.
///
/// # Errors
/// As [`provider`].
pub fn provider_for<'a>(
    inbound: Inbound<'a>,
    leaf: Option<&Leaf>,
    model: Option<&str>,
) -> Result<Option<&'a Provider>, Fault> {
    let choice = choice::choose(inbound, leaf, model)?;
    Ok((!client_names_host(inbound, leaf)).then_some(choice.provider))
}

/// Does the client itself name a host, in a header or in a config of its own?
pub fn client_names_host(inbound: Inbound<'_>, leaf: Option<&Leaf>) -> bool {
    let of_leaf = leaf.filter(|leaf| leaf.author == Author::Client);
    inbound.gateway.custom_host.is_some() || of_leaf.is_some_and(|leaf| leaf.settings.custom_host.is_some())
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

fn fields(given: &Params) -> Option<&Map<String, Value>> {
    given.as_ref().map(|fields| &fields.0).filter(|fields| !fields.is_empty())
}
