//! Whom a request goes to: provider, host, key, and what applies to the call.
//!
//! Two people write what comes together here: the operator (the file and the environment) and the client (headers, and
//! configs in them). Nothing that the operator wrote goes to a host that the client chose: [`Destination`] has no room for it.

mod key_turn;
mod settings;
mod sign_in;

use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use ostia_catalog::Catalog;
use ostia_dialect::{Api, Fault, FaultKind};
use ostia_providers::prepare::ApiCall;
use ostia_providers::{Provider, Providers, Values};
use ostia_routing::config::{Node, Params, ProviderOptions};
use ostia_routing::{Author, Leaf};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::config::provider_keys::{KeyList, ProviderKeys};
use crate::core::Core;
use crate::credentials::Wanted;
use crate::inbound::Inbound;
use crate::inbound::credentials::Credential;
use crate::inbound::gateway_headers::{GatewayHeaders, forward_header};
use crate::upstream::egress::Origin;
use crate::upstream::host;
use crate::upstream::transport::TransportId;
use crate::upstream::{BaseUrl, Timeouts};
use settings::Chosen;
use sign_in::Whose;

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
    let choice = choose(inbound, leaf, asked.model())?;
    let by_operator = choice.by_operator;
    let mut chosen = settings::choose(inbound, leaf, choice.provider)?;
    let catalog = &core.settings.catalog;
    let mut of_model = OfModel::find(&choice, asked, &chosen.values, catalog);
    let host = host(inbound, leaf, of_model.provider, &choice, &chosen)?;
    if let Host::Clients(_) = host {
        chosen = chosen.without_operators(choice.provider);
        of_model = OfModel::find(&choice, asked, &chosen.values, catalog);
        settings::require(core, of_model.provider, &chosen.values, false)?;
    }
    let OfModel { provider, model, base_model } = of_model;
    let (destination, keys) = destination(inbound, leaf, asked, provider, host, by_operator)?;
    let whose = match destination.is_clients() {
        true => Whose::Clients,
        false => Whose::Operators { chose: by_operator },
    };
    let credential = sign_in::find(inbound, leaf, provider, whose)?;
    let is_signed = credential.is_some() || destination.key().is_some();
    if !is_signed && provider.needs_key() && !destination.is_clients() {
        return Err(no_key(core, provider));
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
    let choice = choose(inbound, leaf, model)?;
    Ok((!client_names_host(inbound, leaf)).then_some(choice.provider))
}

/// Does the client itself name a host, in a header or in a config of its own?
pub fn client_names_host(inbound: Inbound<'_>, leaf: Option<&Leaf>) -> bool {
    let of_leaf = leaf.filter(|leaf| leaf.author == Author::Client);
    inbound.gateway.custom_host.is_some() || of_leaf.is_some_and(|leaf| leaf.settings.custom_host.is_some())
}

/// A host, with what goes there besides what the client sent, and the way through several keys.
fn destination<'a>(
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

fn fields(given: &Params) -> Option<&Map<String, Value>> {
    given.as_ref().map(|fields| &fields.0).filter(|fields| !fields.is_empty())
}

/// A provider that was chosen.
struct Choice<'a> {
    provider: &'a Provider,
    /// The model, where it differs from what the body says.
    model: Option<String>,
    /// The operator chose it, and not the client.
    by_operator: bool,
}

/// The provider: the config's, the header's, the one in `@provider/model`, the operator's default.
fn choose<'a>(inbound: Inbound<'a>, leaf: Option<&Leaf>, model: Option<&str>) -> Result<Choice<'a>, Fault> {
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

/// A host, and who chose it.
enum Host {
    Operators(Rc<BaseUrl>),
    Clients(Rc<BaseUrl>),
}

/// A provider as it is for a model.
struct OfModel<'a> {
    provider: &'a Provider,
    /// The model, where it differs from what the body says.
    model: Option<String>,
    base_model: Option<&'a str>,
}

impl<'a> OfModel<'a> {
    /// The provider that was chosen, as it is for the model, or at the host of what is asked there.
    fn find(choice: &Choice<'a>, asked: Asked<'_, '_>, values: &Values, catalog: &'a Catalog) -> OfModel<'a> {
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
fn host(
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

/// Nobody is at its address any more, and whoever takes the address over is not to have its keys.
fn retired(provider: &Provider) -> Fault {
    let why = provider.retired.as_deref().unwrap_or_default();
    let message = format!("Provider `{}` is not there any more: {why}. Name another one.", provider.id);
    Fault::invalid(message).with_param("provider").with_code("provider_retired")
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
        let (operators, clients) = (Key::Operator(&secret), Key::Client(ClientKey::Config(&secret)));
        let printed = format!("{operators:?} {:#?}", Some(clients));
        assert!(!printed.contains("sk-top"), "{printed}");
    }
}
