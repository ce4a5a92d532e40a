//! From a configuration file to settings: files and environment are read here and nowhere else.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ostia_config::{AllowPrivate, Config, GatewayKey, HostPattern, Problem, Responses, SecretRef};
use ostia_providers::Providers;
use ostia_routing::{Route, State};
use secrecy::SecretString;
use serde_json::Value;

use crate::config::keys::{self, GatewayKeys};
use crate::config::settings::{Configured, Limits, Named, Settings};
use crate::upstream::Timeouts;
use crate::upstream::egress::Guard;

/// The file that is used where none is named.
const USUAL_FILE: &str = "ostia.yaml";

/// A configuration, ready to be served.
#[derive(Debug)]
pub struct Loaded {
    /// The file's name, or what stands in its place.
    pub name: String,
    /// What works, but hardly as its author thinks.
    pub warnings: Vec<String>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Threads; `None` for one per core.
    pub workers: Option<usize>,
    /// How much of the Responses API is remembered for clients, and for how long.
    pub responses: Responses,
    /// What the requests of one config share.
    pub state: Arc<State>,
    /// Everything else.
    pub settings: Settings,
}

/// Reads the file, or the usual one, or the defaults. `listen` goes before the address that stands there.
///
/// # Errors
/// Every problem, one per line, as `file:line:column: path: what`.
pub fn file(path: Option<&Path>, listen: Option<SocketAddr>) -> Result<Loaded, String> {
    let usual = Path::new(USUAL_FILE);
    let path = path.or_else(|| usual.exists().then_some(usual));
    let Some(path) = path else {
        return settle("embedded defaults (no ostia.yaml here)".into(), Config::default(), listen);
    };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| format!("Cannot read {name}: {error}."))?;
    match ostia_config::load(&text, &environment) {
        Ok(loaded) => {
            let warnings = loaded.warnings.iter().map(|warning| warning.render(&name)).collect();
            settle(name, loaded.config, listen).map(|settled| Loaded { warnings, ..settled })
        }
        Err(problems) => Err(lines(&name, &problems)),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn lines(file: &str, problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.render(file)).collect::<Vec<_>>().join("\n")
}

fn settle(name: String, config: Config, listen: Option<SocketAddr>) -> Result<Loaded, String> {
    let mut problems = Vec::new();
    let mut secret = |reference: &SecretRef| {
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
        match ostia_config::resolve(reference, &environment, &read) {
            Ok(secret) => Some(secret),
            Err(problem) => {
                problems.push(problem.render(&name));
                None
            }
        }
    };
    let mut gateway_keys = Vec::new();
    for key in config.auth.keys {
        let GatewayKey { secret: reference, name, config } = key;
        gateway_keys.extend(secret(&reference).map(|secret| keys::GatewayKey { secret, name, config }));
    }
    let (mut keys, mut configured) = (HashMap::new(), HashMap::new());
    let mut rows = BTreeMap::new();
    for (id, entry) in &config.providers {
        let own_base_url = entry.row.0.get("base_url").is_some();
        keys.extend(entry.api_key.as_ref().and_then(&mut secret).map(|key| (id.clone(), key)));
        configured.insert(id.clone(), Configured { models: entry.models.clone(), own_base_url });
        rows.insert(id.clone(), entry.row.0.clone());
    }
    let providers = providers(rows, &mut problems);
    let listen = listen.unwrap_or(config.listen);
    let loopback = listen.ip().is_loopback();
    if loopback {
        usual_keys(&providers, &mut keys);
    }
    let state = Arc::default();
    let named = named(config.routes, &state, &mut problems);
    if let Some(id) = config.default_provider.as_ref().filter(|id| providers.get(id).is_none()) {
        problems.push(format!("{name}: default_provider: there is no provider `{id}`"));
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let settings = Settings {
        loopback,
        gateway_keys: GatewayKeys::new(gateway_keys),
        hosts: config.hosts,
        origins: config.cors.origins,
        providers,
        keys,
        configured,
        default_provider: config.default_provider,
        strict_model_names: config.strict_model_names,
        named,
        guard: Guard { loopback_allowed: loopback, ..guard(&config.egress) },
        timeouts: Timeouts {
            connect: config.timeouts.connect,
            first_byte: config.timeouts.first_byte,
            idle: config.timeouts.idle,
            total: config.timeouts.total,
        },
        keep_alive: config.timeouts.keep_alive,
        drain: config.timeouts.drain,
        limits: Limits {
            body_bytes_max: config.limits.body_bytes,
            header_bytes_max: config.limits.header_bytes,
            connections_max: config.limits.connections,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
        },
    };
    let (warnings, workers, responses) = (Vec::new(), config.workers, config.responses);
    Ok(Loaded { name, warnings, listen, workers, responses, state, settings })
}

/// The keys of providers that the file has none for, from where the provider's own SDK looks for them.
fn usual_keys(providers: &Providers, keys: &mut HashMap<String, SecretString>) {
    for provider in providers.iter().filter(|provider| !keys.contains_key(&provider.id)).collect::<Vec<_>>() {
        let key = provider.key_env.iter().find_map(|name| environment(name)).filter(|key| !key.is_empty());
        keys.extend(key.map(|key| (provider.id.clone(), key.into())));
    }
}

/// The operator's configs, compiled. What they ask for and nobody does yet is a problem.
fn named(routes: ostia_config::Routes, state: &State, problems: &mut Vec<String>) -> Named {
    let mut compiled = |section: &str, configs: BTreeMap<String, ostia_routing::config::Config>| {
        let compile = |(name, config): (String, _)| {
            let route = Route::new(&config, state)
                .map_err(|problem| problems.push(format!("{section}.{name} {}", problem.message)))
                .ok()?
                .by_operator();
            problems.extend(route.unsupported().iter().map(|part| format!("{section}.{name}.{part}")));
            Some((name, route))
        };
        configs.into_iter().filter_map(compile).collect()
    };
    Named {
        configs: compiled("configs", routes.configs),
        aliases: compiled("aliases", routes.aliases),
        default: routes.default,
        prices: routes.prices.into_iter().collect(),
    }
}

/// The built-in providers, and the operator's rows. An entry without fields of a row leaves the built-in row alone; one
/// with a few changes those.
fn providers(rows: BTreeMap<String, Value>, problems: &mut Vec<String>) -> Providers {
    let mut own = BTreeMap::new();
    for (id, value) in rows {
        let empty = value.as_object().is_none_or(serde_json::Map::is_empty);
        if empty {
            if Providers::builtin().get(&id).is_none() {
                problems.push(format!("providers.{id}: is not known; give its base_url and dialects"));
            }
            continue;
        }
        match Providers::row(&id, value) {
            Ok(row) => {
                own.insert(id, row);
            }
            Err(problem) => problems.push(format!("providers.{id}: {problem}")),
        }
    }
    match Providers::builtin().with(own) {
        Ok(providers) => providers,
        Err(found) => {
            problems.extend(found.into_iter().map(|problem| format!("providers.{problem}")));
            Providers::builtin().clone()
        }
    }
}

fn guard(egress: &ostia_config::Egress) -> Guard {
    let mut guard = Guard { hosts_only: egress.allow_hosts.clone(), ..Guard::default() };
    for entry in &egress.allow_private {
        match entry {
            AllowPrivate::Network(network) => guard.networks_allowed.push(*network),
            AllowPrivate::Host(pattern) => guard.hosts_allowed.push(pattern.clone()),
        }
    }
    // Portkey's variable for the same: a comma list of hosts that clients may name.
    let trusted = std::env::var("TRUSTED_CUSTOM_HOSTS").unwrap_or_default();
    for host in trusted.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        match ostia_config::Network::parse(host) {
            Some(network) => guard.networks_allowed.push(network),
            None => guard.hosts_allowed.extend(HostPattern::parse(host)),
        }
    }
    guard
}
