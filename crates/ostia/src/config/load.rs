//! From a configuration file to settings. Files and the environment are read here, and by what this calls, and nowhere else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ostia_catalog::{Catalog, Override, TooLarge};
use ostia_config::{
    AllowPrivate, Auth, Batches, BodiesKept, Checked, Code, Config, GatewayKey, HostPattern, Metrics, Otlp,
    Problem, Records, Report, Responses, SecretRef,
};
use ostia_routing::{Route, State};
use secrecy::SecretString;

use crate::config::catalog::{self, InForce};
use crate::config::files::Files;
use crate::config::keys::{self, GatewayKeys, KeyOrigin};
use crate::config::lookup::{environment, fetch};
use crate::config::otlp;
use crate::config::providers::{self, OfProviders};
use crate::config::record_server::{self, RecordServer};
use crate::config::settings::{ConfigFile, Limits, Named, Settings, WebSocketLimits};
use crate::config::tls::{self, ServerTls};
use crate::config::transports;
use crate::upstream::Timeouts;
use crate::upstream::egress::Guard;
use crate::upstream::transport::Transports;

/// The file that is used where none is named.
const USUAL_FILE: &str = "ostia.yaml";

/// A configuration, ready to be served.
#[derive(Debug)]
pub struct Loaded {
    /// The file's name, or what stands in its place.
    pub name: String,
    /// What works, but hardly as its author thinks.
    pub report: Report,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The files of the certificate that clients see; `None`: they connect in plain HTTP.
    pub tls: Option<ostia_config::Tls>,
    /// What cannot change while the gateway runs.
    pub fixed: Fixed,
    /// The server that records are kept in; `None`: none is named, or credentials were not looked up.
    pub record_server: Option<RecordServer>,
    /// Where the operator's keys for providers come from, by the provider's id.
    pub key_origins: BTreeMap<String, KeyOrigin>,
    /// Where a newer catalogue of models may lie; `None`: nowhere.
    pub catalog_place: Option<PathBuf>,
    /// Everything else.
    pub settings: Settings,
}

/// Are the credentials looked up?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// One that is not there is an error.
    Wanted,
    /// This machine may have none of them.
    Ignored,
}

/// What holds from the start of the gateway to its end, whatever the file says meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    listen: SocketAddr,
    /// Threads; `None` for one per core.
    pub workers: Option<usize>,
    connections_max: usize,
    /// How much of the Responses API is remembered for clients, and for how long.
    pub responses: Responses,
    /// What is kept of requests.
    pub records: Records,
    /// Bounds on batches of the gateway's own.
    pub batches: Batches,
    /// What `/metrics` tells of requests.
    pub metrics: Metrics,
    /// Anything is sent by OTLP.
    pub exports: bool,
}

impl Fixed {
    /// What this says of it. What is exported is known later.
    fn of(config: &Config, listen: SocketAddr) -> Fixed {
        Fixed {
            listen,
            workers: config.workers,
            connections_max: config.limits.connections,
            responses: config.responses.clone(),
            records: config.records.clone(),
            batches: config.batches.clone(),
            metrics: config.telemetry.metrics.clone(),
            exports: false,
        }
    }

    /// Are records kept in the same server, whatever its password is?
    pub fn has_same_server(&self, other: &Fixed) -> bool {
        self.records.fixed().store == other.records.fixed().store
    }

    /// The fields in which the other one differs.
    pub fn differences(&self, other: &Fixed) -> Vec<&'static str> {
        let fields = [
            ("listen", self.listen != other.listen),
            ("workers", self.workers != other.workers),
            ("limits.connections", self.connections_max != other.connections_max),
            ("responses.keep", self.responses.keep != other.responses.keep),
            ("responses.bytes", self.responses.bytes != other.responses.bytes),
            ("records", self.records.fixed() != other.records.fixed()),
            ("batches", self.batches != other.batches),
            ("telemetry.metrics", self.metrics != other.metrics),
            ("telemetry.otlp", self.exports != other.exports),
        ];
        fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
    }
}

/// Where a configuration comes from, and what is known before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file; the usual one where none is named.
    pub path: Option<&'a Path>,
    /// Goes before the address that stands there.
    pub listen: Option<SocketAddr>,
    /// Where the gateway listens already, and will go on listening.
    pub bound: Option<SocketAddr>,
    /// The data directory that was named.
    pub data: Option<&'a Path>,
    /// What the requests of one config share. Configs that were there before find theirs.
    pub state: &'a State,
    /// The catalogue that stays where a newer one cannot be used.
    pub catalog: &'a InForce,
    /// Are the credentials looked up?
    pub secrets: Secrets,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Read {
    /// The configuration.
    ///
    /// # Errors
    /// Everything that is wrong, with its places in the file.
    pub loaded: Result<Loaded, Box<Report>>,
    /// The file and those that it refers to, as far as they are known, as they were when they were read.
    pub files: Files,
}

/// The file that would be read.
pub fn path(path: Option<&Path>) -> Option<PathBuf> {
    let usual = Path::new(USUAL_FILE);
    path.or_else(|| usual.exists().then_some(usual)).map(Path::to_owned)
}

/// Reads the file, or the usual one, or the defaults. `listen` goes before the address that stands there.
///
/// # Errors
/// Everything that is wrong, with its places in the file.
pub fn file(path: Option<&Path>, listen: Option<SocketAddr>) -> Result<Loaded, Box<Report>> {
    check(path, listen, Secrets::Wanted)
}

/// The same, on a machine that may not have the credentials.
///
/// # Errors
/// As above.
pub fn check(
    path: Option<&Path>,
    listen: Option<SocketAddr>,
    secrets: Secrets,
) -> Result<Loaded, Box<Report>> {
    let (state, catalog) = (&State::default(), &InForce::embedded());
    read(Source { path, listen, bound: None, data: None, state, catalog, secrets }).loaded
}

/// The configuration of a gateway whose data directory is this one, for whoever needs no credentials.
///
/// # Errors
/// As above.
pub fn without_secrets(path: Option<&Path>, data: Option<&Path>) -> Result<Loaded, Box<Report>> {
    let (state, catalog) = (&State::default(), &InForce::embedded());
    let secrets = Secrets::Ignored;
    read(Source { path, listen: None, bound: None, data, state, catalog, secrets }).loaded
}

/// The same, with what has to be watched for changes.
pub fn read(source: Source<'_>) -> Read {
    let files = RefCell::new(Files::default());
    let loaded = load(source, &files);
    Read { loaded, files: files.into_inner() }
}

fn load(source: Source<'_>, files: &RefCell<Files>) -> Result<Loaded, Box<Report>> {
    let Some(path) = path(source.path) else {
        files.borrow_mut().note(Path::new(USUAL_FILE));
        let name = "embedded defaults (no ostia.yaml here)".to_owned();
        let checked = Checked { config: Config::default(), report: Report::new(&*name) };
        return settle(name, checked, source, files);
    };
    let name = path.display().to_string();
    files.borrow_mut().note(&path);
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&name, &error))?;
    settle(name.clone(), ostia_config::check(&name, &text, &environment), source, files)
}

fn unreadable(name: &str, error: &std::io::Error) -> Box<Report> {
    let mut report = Report::new(name);
    report.add(Problem::of_file(Code::UnreadableFile, format!("cannot be read: {error}")));
    Box::new(report)
}

fn settle(
    name: String,
    checked: Checked,
    source: Source<'_>,
    files: &RefCell<Files>,
) -> Result<Loaded, Box<Report>> {
    let Checked { config, mut report } = checked;
    let listen = source.listen.unwrap_or(config.listen);
    let loopback = source.bound.unwrap_or(listen).ip().is_loopback();
    let mut found = Found::besides(&config, source, files, &mut report);
    let providers = &config.all_providers.0;
    found.of_providers.check_credentials(providers, &mut report);
    if loopback {
        found.of_providers.add_usual_keys(providers);
    }
    let given = providers::given(providers, &mut report);
    let named = named(config.routes.clone(), source.state, &mut report);
    let (catalog_place, in_force) = catalog(config.catalog.clone(), source, files, &mut report);
    let catalog = with_overrides(&in_force.catalog, &config.models, &mut report);
    let otlp = otlp::resolve(&config.telemetry.otlp, found.otlp_headers, &environment, &mut report);
    if report.has_errors() {
        return Err(Box::new(report));
    }
    let OfProviders { keys, origins: key_origins, credentials, configured } = found.of_providers;
    let fixed = Fixed { exports: otlp.is_some(), ..Fixed::of(&config, listen) };
    let settings = Settings {
        loopback,
        tls: found.tls,
        gateway_keys: found.gateway_keys,
        admin_keys: found.admin_keys,
        keys,
        credentials,
        configured,
        given,
        named,
        catalog: Arc::new(catalog),
        catalog_file: in_force.file,
        guard: Guard { loopback_allowed: loopback, ..guard(&config.egress) },
        transports: found.transports,
        timeouts: timeouts(&config.timeouts),
        keep_alive: config.timeouts.keep_alive,
        drain: config.timeouts.drain,
        limits: limits(&config.limits),
        websockets: websockets(&config.websockets),
        file: config_file(&name, &report, &key_origins),
        bodies_kept: config.records.bodies.unwrap_or(usual_bodies(loopback)),
        body_bytes_kept: config.records.body_bytes,
        otlp,
        hosts: config.hosts,
        origins: config.cors.origins,
        providers: config.all_providers.0,
        default_provider: config.default_provider,
        strict_model_names: config.strict_model_names,
        model_checks: config.model_checks,
        media: config.media,
        console: config.console,
    };
    let (tls, record_server) = (config.tls, found.record_server);
    Ok(Loaded { name, report, listen, tls, fixed, record_server, key_origins, catalog_place, settings })
}

/// What the file refers to: credentials, and files of certificates.
struct Found {
    transports: Transports,
    record_server: Option<RecordServer>,
    tls: Option<ServerTls>,
    gateway_keys: GatewayKeys,
    admin_keys: GatewayKeys,
    otlp_headers: Vec<(String, SecretString)>,
    of_providers: OfProviders,
}

impl Found {
    /// Looks for everything that this configuration names. Where no secrets are wanted, this machine may have none of it: then
    /// nothing is looked for but proxies and certificates, and nothing is missed.
    fn besides(config: &Config, source: Source<'_>, files: &RefCell<Files>, report: &mut Report) -> Found {
        let is_wanted = source.secrets == Secrets::Wanted;
        let mut missed = Report::new("");
        let transports = transports::read(config, files, if is_wanted { &mut *report } else { &mut missed });
        let record_server = is_wanted.then(|| record_server::read(&config.records, files, report)).flatten();
        let mut secret = |reference: &SecretRef| is_wanted.then(|| fetch(reference, files, report)).flatten();
        let (gateway_keys, admin_keys) = keys_of(&config.auth, &mut secret);
        let otlp_headers = otlp_headers(&config.telemetry.otlp, &mut secret);
        let mut of_providers = OfProviders::default();
        let mut equal = Vec::new();
        for (id, entry) in &config.providers {
            equal.extend(of_providers.add(id, entry, source.state, &mut secret));
        }
        of_providers.add_models(&config.models);
        equal.into_iter().for_each(|problem| report.add(problem));
        let wanted = config.tls.as_ref().filter(|_| is_wanted);
        let tls = wanted.and_then(|wanted| server_tls(wanted, files, report));
        Found { transports, record_server, tls, gateway_keys, admin_keys, otlp_headers, of_providers }
    }
}

/// What is told of the file. The origins are those of keys.
fn config_file(name: &str, report: &Report, origins: &BTreeMap<String, KeyOrigin>) -> ConfigFile {
    ConfigFile {
        name: name.to_owned(),
        written: report.written(),
        problems: report.json(),
        keys: origins.iter().map(|(id, origin)| (id.clone(), origin.to_string())).collect(),
    }
}

/// The keys of the gateway's own: those for calls, and those of operators.
fn keys_of(
    auth: &Auth,
    secret: &mut impl FnMut(&SecretRef) -> Option<SecretString>,
) -> (GatewayKeys, GatewayKeys) {
    let mut for_calls = Vec::new();
    for GatewayKey { secret: reference, name, config, bodies } in &auth.keys {
        let (name, config, bodies) = (name.clone(), config.clone(), *bodies);
        for_calls.extend(secret(reference).map(|secret| keys::GatewayKey { secret, name, config, bodies }));
    }
    let of_operators = auth.admin_keys.iter().filter_map(secret);
    let of_operators =
        of_operators.map(|secret| keys::GatewayKey { secret, name: None, config: None, bodies: None });
    (GatewayKeys::new(for_calls), GatewayKeys::new(of_operators.collect()))
}

/// Headers for OTLP, looked up.
fn otlp_headers(
    otlp: &Otlp,
    secret: &mut impl FnMut(&SecretRef) -> Option<SecretString>,
) -> Vec<(String, SecretString)> {
    let Otlp::To(target) = otlp else { return Vec::new() };
    let looked_up = target.headers.iter().map(|(name, reference)| (name.clone(), secret(reference)));
    looked_up.filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Whose bodies are kept where the file does not say: everybody's who sits at this machine.
fn usual_bodies(loopback: bool) -> BodiesKept {
    if loopback { BodiesKept::Full } else { BodiesKept::Off }
}

/// Where a newer catalogue may lie, and the one in force. `named`: what `catalog` says.
fn catalog(
    named: Option<PathBuf>,
    source: Source<'_>,
    files: &RefCell<Files>,
    report: &mut Report,
) -> (Option<PathBuf>, InForce) {
    let is_named = named.is_some();
    let Some(path) = catalog::place(named, source.data) else { return (None, InForce::embedded()) };
    files.borrow_mut().note(&path);
    if is_named && source.secrets == Secrets::Wanted && !path.exists() {
        let message =
            format!("there is no file {} yet: the catalogue of this program is used", path.display());
        let hint = "`ostia catalog update CATALOG` puts one there".to_owned();
        report.add_at("catalog", Code::UnusedCatalog, message, Some(hint));
    }
    let in_force = catalog::choose(&path).unwrap_or_else(|why| {
        let stays = source.catalog.told();
        let message = format!("{} is not used: {why}. This one is: {stays}", path.display());
        report.add_at("catalog", Code::UnusedCatalog, message, None);
        source.catalog.clone()
    });
    (Some(path), in_force)
}

/// What is known of models, the operator's word first.
fn with_overrides(catalog: &Catalog, models: &[Override], report: &mut Report) -> Catalog {
    for Override { provider, model, base, .. } in models {
        let Some((of_base, base)) =
            base.as_ref().filter(|(of_base, base)| catalog.find(of_base, base).is_none())
        else {
            continue;
        };
        let message =
            format!("{of_base}/{base} is not in the catalogue: only what its name tells is known of it");
        report.add_at(&format!("models.{provider}/{model}.base"), Code::NoEffect, message, None);
    }
    catalog.clone().with_overrides(models).unwrap_or_else(|TooLarge| {
        report.add(Problem::of_file(Code::TooLarge, "has more under `models` than the catalogue can hold"));
        catalog.clone()
    })
}

/// The certificate that clients see, with its key.
fn server_tls(wanted: &ostia_config::Tls, files: &RefCell<Files>, report: &mut Report) -> Option<ServerTls> {
    let read = |path: &Path| {
        files.borrow_mut().note(path);
        tls::read(path)
    };
    ServerTls::load(wanted, &read, report)
}

fn timeouts(timeouts: &ostia_config::Timeouts) -> Timeouts {
    Timeouts {
        connect: timeouts.connect,
        first_byte: timeouts.first_byte,
        idle: timeouts.idle,
        total: timeouts.total,
    }
}

fn limits(limits: &ostia_config::Limits) -> Limits {
    Limits {
        body_bytes_max: limits.body_bytes,
        header_bytes_max: limits.header_bytes,
        connections_max: limits.connections,
        streams_max: u32::try_from(limits.streams).unwrap_or(u32::MAX),
        header_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(60),
    }
}

fn websockets(limits: &ostia_config::WebSockets) -> WebSocketLimits {
    WebSocketLimits {
        frame_bytes_max: limits.frame_bytes,
        message_bytes_max: limits.message_bytes,
        idle: limits.idle,
        total: limits.total,
    }
}

/// The operator's configs, compiled.
fn named(routes: ostia_config::Routes, state: &State, report: &mut Report) -> Named {
    let mut compiled = |section: &str, configs: BTreeMap<String, ostia_routing::config::Config>| {
        let compile = |(name, config): (String, _)| {
            let at = |path: &str| format!("{section}.{name}.{path}").trim_end_matches('.').to_owned();
            let route = match Route::new(&config, state) {
                Ok(route) => route.by_operator(),
                Err(problem) => {
                    report.add_at(&at(&problem.path), Code::InvalidConfig, problem.message, problem.hint);
                    return None;
                }
            };
            for warning in route.warnings() {
                let hint = warning.hint.clone();
                report.add_at(&at(&warning.path), Code::NoEffect, &*warning.message, hint);
            }
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
