//! What the operator decided, checked and ready: one snapshot for all cores.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use ostia_catalog::Catalog;
use ostia_config::{AllowedOrigin, BodiesKept, HostPattern, Media, Price};
use ostia_dialect::Api;
use ostia_providers::{Provider, Providers};
use ostia_routing::Route;
use secrecy::SecretString;
use serde_json::Value;

use super::catalog::InForce;
use super::keys::GatewayKeys;
use super::otlp::OtlpSettings;
use super::provider_keys::ProviderKeys;
use super::tls::ServerTls;
use crate::upstream::Timeouts;
use crate::upstream::egress::{Guard, Origin};
use crate::upstream::transport::Transports;

/// The operator's decisions.
#[derive(Debug)]
pub struct Settings {
    /// The gateway listens on loopback only: clients are programs of this machine, browsers among them.
    pub loopback: bool,
    /// Keys that clients of the gateway have to show; none: everybody may call.
    pub gateway_keys: GatewayKeys,
    /// How TLS is spoken with clients; `None`: they connect in plain HTTP.
    pub tls: Option<ServerTls>,
    /// Names by which clients call the gateway.
    pub hosts: Vec<HostPattern>,
    /// Whose web pages may call it.
    pub origins: Vec<AllowedOrigin>,
    /// All providers: the built-in ones and the operator's rows.
    pub providers: Providers,
    /// The operator's keys by the provider's id: from the configuration, or on a loopback listener from the provider's
    /// usual environment variable.
    pub keys: HashMap<String, ProviderKeys>,
    /// What it takes to sign in at clouds, by the provider's id and by name.
    pub credentials: HashMap<String, HashMap<String, SecretString>>,
    /// What it takes to reach providers besides a key, as far as the operator said it: in the file, in the environment, or by
    /// leaving it as it usually is.
    pub given: Given,
    /// What else the operator configured for single providers, by id.
    pub configured: HashMap<String, Configured>,
    /// Whom to ask when a request names nobody.
    pub default_provider: Option<String>,
    /// A provider is named in a model with `@` only.
    pub strict_model_names: bool,
    /// Configs, aliases and prices by name.
    pub named: Named,
    /// What models can do and cost, the operator's word first.
    pub catalog: Arc<Catalog>,
    /// Where that was read; `None`: it comes with the program.
    pub catalog_file: Option<PathBuf>,
    /// Translated calls are held against what the catalogue says of their models.
    pub model_checks: bool,
    /// What may be reached.
    pub guard: Guard,
    /// How connections are made.
    pub transports: Transports,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// How long a client hears nothing on an open stream before it gets a sign of life; `None`: it gets none.
    pub keep_alive: Option<Duration>,
    /// How long open answers may go on when the gateway is asked to stop.
    pub drain: Duration,
    /// Named bounds.
    pub limits: Limits,
    /// Bounds on WebSockets.
    pub websockets: WebSocketLimits,
    /// Whether and how files at addresses are fetched.
    pub media: Media,
    /// The console is served.
    pub console: bool,
    /// What the operator may hear of the configuration itself.
    pub file: ConfigFile,
    /// Keys for what is told of all requests.
    pub admin_keys: GatewayKeys,
    /// Of which requests bodies are kept.
    pub bodies_kept: BodiesKept,
    /// How much of each body is kept, in bytes.
    pub body_bytes_kept: usize,
    /// What is sent by OTLP, and where to; `None`: nothing.
    pub otlp: Option<OtlpSettings>,
}

impl Settings {
    /// The catalogue as a later configuration finds it.
    pub fn catalog_in_force(&self) -> InForce {
        InForce { catalog: self.catalog.clone(), file: self.catalog_file.clone() }
    }

    /// The catalogue as people are told of it.
    pub fn catalog_told(&self) -> String {
        self.catalog_in_force().told()
    }
}

/// Where the settings come from, without secrets.
#[derive(Debug)]
pub struct ConfigFile {
    /// The file's name, or what stands in its place.
    pub name: String,
    /// What the file says, as JSON.
    pub written: Value,
    /// What works, but hardly as its author thinks, as `ostia check --json` tells it.
    pub problems: Value,
    /// Where the operator's keys come from, by the provider's id.
    pub keys: BTreeMap<String, String>,
}

/// The operator's configs, aliases and prices.
#[derive(Debug, Default)]
pub struct Named {
    /// By the name that requests and keys call them by.
    pub configs: BTreeMap<String, Route>,
    /// Models that stand for a config.
    pub aliases: BTreeMap<String, Route>,
    /// The config of requests that bring none.
    pub default: Option<String>,
    /// What models cost, by `provider/model` or `model`.
    pub prices: HashMap<String, Price>,
}

impl Named {
    /// What a model costs at a provider.
    pub fn price(&self, provider: &Provider, model: &str) -> Option<&Price> {
        if self.prices.is_empty() {
            return None;
        }
        self.prices.get(&format!("{}/{model}", provider.id)).or_else(|| self.prices.get(model))
    }
}

/// What the operator configured for one provider.
#[derive(Debug, Default)]
pub struct Configured {
    /// Models to list.
    pub models: Vec<String>,
    /// The operator wrote where it is.
    pub own_base_url: bool,
    /// APIs of which the operator wrote at which other host they are.
    pub own_hosts: Vec<Api>,
}

/// The operator's settings of providers: by the provider's id, then by the setting's name.
pub type Given = HashMap<String, HashMap<String, String>>;

/// Bounds on what clients send.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body that is read into memory, in bytes. Passed-through bodies are streamed and have no bound.
    pub body_bytes_max: usize,
    /// Largest head of a request, in bytes.
    pub header_bytes_max: usize,
    /// Open client connections, over all cores.
    pub connections_max: usize,
    /// Calls at once on one HTTP/2 connection.
    pub streams_max: u32,
    /// How long a client may take for the head of a request.
    pub header_timeout: Duration,
    /// How long a client may take between two pieces of a body.
    pub body_timeout: Duration,
}

/// Bounds on WebSockets.
#[derive(Debug, Clone, Copy)]
pub struct WebSocketLimits {
    /// Largest frame, in bytes.
    pub frame_bytes_max: usize,
    /// Largest message, which may be several frames, in bytes.
    pub message_bytes_max: usize,
    /// How long nothing may pass.
    pub idle: Duration,
    /// How long one may be open.
    pub total: Duration,
}

impl Settings {
    /// The operator's value of a provider's setting.
    pub fn given(&self, provider: &Provider, setting: &str) -> Option<&str> {
        self.given.get(&provider.id)?.get(setting).map(String::as_str)
    }

    /// Is every client the operator, or somebody on the operator's own machine?
    pub fn clients_are_operators(&self) -> bool {
        self.loopback && self.gateway_keys.is_empty()
    }

    /// Who chose the address of a provider's row. That of a private server is the operator's word only where the operator named
    /// the provider, or where the clients are on the same machine.
    pub fn origin(&self, provider: &Provider, by_operator: bool) -> Origin {
        let configured = self.configured.get(&provider.id);
        let is_private = provider.local && (self.loopback || by_operator || configured.is_some());
        let is_written = |configured: &Configured| {
            let of_host = |api: &Api| configured.own_hosts.contains(api);
            configured.own_base_url || matches!(provider.apis.as_slice(), [api] if of_host(api))
        };
        match is_private || configured.is_some_and(is_written) {
            true => Origin::Operator,
            false => Origin::BuiltIn,
        }
    }

    /// Takes away every header that holds one of the gateway's own keys, bare or behind a scheme.
    pub fn withhold_gateway_keys(&self, headers: &mut HeaderMap) {
        if self.gateway_keys.is_empty() && self.admin_keys.is_empty() {
            return;
        }
        let shown: Vec<HeaderName> = headers
            .iter()
            .filter(|(_, value)| self.shows_gateway_key(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in shown {
            headers.remove(name);
        }
    }

    fn shows_gateway_key(&self, value: &HeaderValue) -> bool {
        let value = value.to_str().unwrap_or_default();
        let key = value.split_once(' ').map_or(value, |(_, key)| key).trim();
        let keys = [&self.gateway_keys, &self.admin_keys];
        [value.trim(), key].into_iter().any(|key| keys.iter().any(|keys| keys.find(key).is_some()))
    }
}
