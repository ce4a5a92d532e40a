//! File to configuration: `ostia.yaml` in, a [`Config`] out that is right, or every problem at once.
//!
//! Pure: the text, the environment and the files of secrets are arguments. The file is YAML (and so may be JSON);
//! [`load`] reads it into a tree that knows its lines, expands `${NAME}` in every text, and checks each field. An
//! unknown field is a problem, because a limit that is misspelt is a limit that is not there. Credentials are not
//! looked up here: the configuration holds [`SecretRef`]s, and the shell resolves them when it needs them.
//!
//! `ostia.example.yaml` beside this crate shows every field with its default.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

mod batches;
mod cors;
mod egress;
mod expand;
mod foreign;
pub mod import;
mod models;
mod problem;
mod providers;
mod quantity;
mod reader;
mod records;
mod report;
mod routes;
mod schema;
mod secret;
mod sections;
mod shape;
mod store;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod tree;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ostia_providers::Providers;
use ostia_routing::config::Redacted;

pub use batches::Batches;
pub use cors::{AllowedOrigin, Cors};
pub use egress::{AllowPrivate, Egress, HostPattern, Network};
pub use problem::{Code, Place, Problem, Severity};
pub use providers::{ProviderEntry, ProviderKey, equal_keys};
pub use records::{BodiesKept, Records};
pub use report::Report;
pub use routes::{Price, Routes};
pub use schema::{SCHEMA_URL, schema, schema_line};
pub use secret::{SECRET_BYTES_MAX, SecretPart, SecretRef, SecretSource, resolve};
pub use store::{ClickHouse, Encryption, Postgres, RecordServer};
pub use telemetry::{Metrics, Otlp, OtlpProtocol, OtlpTarget, Telemetry, is_otlp_endpoint};
pub use tls::{Tls, TlsVersion};
pub use transport::{Http2, TlsFiles, Transport};

/// Longest configuration file, in bytes.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// Most problems that are reported for one file; a last one says that there are more.
pub const PROBLEMS_MAX: usize = 200;
/// Most entries of any list or map in the file.
pub const ENTRIES_MAX: usize = 10_000;
/// Longest time that can be set, for any timeout.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(86_400);
/// Most tokens that a model's limit can be said to be.
pub const TOKENS_MAX: u64 = 1_000_000_000;
/// Longest time for which anything is kept.
pub const AGE_MAX: Duration = Duration::from_secs(3650 * 86_400);
/// Most worker threads.
pub const WORKERS_MAX: u64 = 1024;

/// Reads a configuration file. `env` gives the value of an environment variable.
///
/// A text with nothing in it (or only comments) is the default configuration.
///
/// Errors: every error, in the order of the file. None of them repeats a value that could be a credential.
pub fn load(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Vec<Problem>> {
    let Checked { config, report } = check("", text, env);
    let (errors, warnings) = report.problems().iter().cloned().partition(Problem::is_error);
    if report.has_errors() { Err(errors) } else { Ok(Loaded { config, warnings }) }
}

/// Reads a configuration file, for whoever has more to find in it. `file` is what the file is called.
///
/// What is wrong is in the report, and in the configuration the default stands in its place.
pub fn check(file: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Checked {
    let tree = match tree::parse(text) {
        Ok(tree) => tree,
        Err(problem) => {
            return Checked {
                config: Config::default(),
                report: Report::of(file, text, None, vec![problem]),
            };
        }
    };
    let mut reader = reader::Reader::new(env);
    let config = sections::read(&tree, &mut reader);
    Checked { config, report: Report::of(file, text, Some(tree), reader.finish()) }
}

/// What came of reading a file.
#[derive(Debug)]
pub struct Checked {
    /// The configuration. It is of no use where the report has errors.
    pub config: Config,
    /// What was found.
    pub report: Report,
}

/// A configuration that is right, and what its author should hear about it all the same.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works, but hardly as its author thinks.
    pub warnings: Vec<Problem>,
}

/// The configuration of a gateway. [`Config::default`] is what holds without a file.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect. Default: `127.0.0.1:8787`.
    pub listen: SocketAddr,
    /// HTTPS for clients; `None`: they connect in plain HTTP.
    pub tls: Option<Tls>,
    /// Who may use the gateway.
    pub auth: Auth,
    /// Names by which clients call the gateway, besides addresses and loopback names. Looked at only without `auth.keys`.
    pub hosts: Vec<HostPattern>,
    /// Which web pages may use the gateway.
    pub cors: Cors,
    /// Whom to ask where neither request nor routing config says.
    pub default_provider: Option<String>,
    /// A provider is named in a model with `@` only, as `@provider/model`.
    pub strict_model_names: bool,
    /// Providers by id: credentials for known ones, whole rows for others.
    pub providers: BTreeMap<String, ProviderEntry>,
    /// All providers: the built-in ones, and the rows of the file. Not printed, because headers may hold credentials.
    pub all_providers: Redacted<Providers>,
    /// Routing configs by name, names of models that stand for one, and prices.
    pub routes: Routes,
    /// Where a newer catalogue of models may lie; `None`: in the data directory.
    pub catalog: Option<PathBuf>,
    /// What the catalogue of models does not know, or knows otherwise.
    pub models: Vec<ostia_catalog::Override>,
    /// Translated calls are refused where the catalogue says that the model does not take what they hold.
    pub model_checks: bool,
    /// The console is served at `/console`.
    pub console: bool,
    /// Where the gateway may connect to.
    pub egress: Egress,
    /// How connections to hosts are made, where an entry of `providers` says nothing else.
    pub upstream: Transport,
    /// How long the parts of an upstream call may take.
    pub timeouts: Timeouts,
    /// How large things may get.
    pub limits: Limits,
    /// How large messages of WebSockets may get, and how long one may be open.
    pub websockets: WebSockets,
    /// Files at addresses, for providers that take bytes only.
    pub media: Media,
    /// What the gateway remembers for clients of the Responses API.
    pub responses: Responses,
    /// What is kept of each request.
    pub records: Records,
    /// What is told of requests to OpenTelemetry and Prometheus.
    pub telemetry: Telemetry,
    /// Batches that the gateway runs itself, and their files.
    pub batches: Batches,
    /// Worker threads; `None` for one per core.
    pub workers: Option<usize>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787),
            tls: None,
            auth: Auth::default(),
            hosts: Vec::new(),
            cors: Cors::default(),
            default_provider: None,
            strict_model_names: false,
            providers: BTreeMap::new(),
            all_providers: Redacted(Providers::builtin().clone()),
            routes: Routes::default(),
            catalog: None,
            models: Vec::new(),
            model_checks: true,
            console: true,
            egress: Egress::default(),
            upstream: Transport::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            websockets: WebSockets::default(),
            media: Media::default(),
            responses: Responses::default(),
            records: Records::default(),
            telemetry: Telemetry::default(),
            batches: Batches::default(),
            workers: None,
        }
    }
}

/// Who may use the gateway.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Auth {
    /// Keys of which a client must show one. Empty: anyone who can connect is let in.
    pub keys: Vec<GatewayKey>,
    /// Keys for what the gateway tells of all requests. Empty: it tells that only to this machine, and only without `keys`.
    pub admin_keys: Vec<SecretRef>,
}

/// A key of the gateway's own.
#[derive(Debug, Clone, PartialEq)]
pub struct GatewayKey {
    /// The key.
    pub secret: SecretRef,
    /// What conditions and records call it.
    pub name: Option<String>,
    /// The name of the config for requests that show it and bring none.
    pub config: Option<String>,
    /// Of which of its requests bodies are kept, in place of what `records.bodies` says.
    pub bodies: Option<BodiesKept>,
}

/// Bounds on the parts of an upstream call; each is above zero and at most [`TIMEOUT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start until the connection (with TLS) stands. Default: 5 s.
    pub connect: Duration,
    /// From the request until the first byte of the answer's body. Default: 120 s.
    pub first_byte: Duration,
    /// Between two parts of the body. Default: 120 s.
    pub idle: Duration,
    /// How long a client hears nothing on an open stream before the gateway sends something; `None`: never. Default: 15 s.
    pub keep_alive: Option<Duration>,
    /// The whole request, all attempts together. Default: 600 s.
    pub total: Duration,
    /// How long open answers may go on when the gateway is asked to stop. Default: 30 s.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(120),
            keep_alive: Some(Duration::from_secs(15)),
            total: Duration::from_secs(600),
            drain: Duration::from_secs(30),
        }
    }
}

/// Bounds on answers and conversations that are kept in memory for providers that do not keep them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responses {
    /// How long they are kept. Default: 24 h.
    pub keep: Duration,
    /// All of them together, in bytes; what was not used for longest goes first. Default: 64 MiB.
    pub bytes: usize,
}

impl Default for Responses {
    fn default() -> Responses {
        Responses { keep: Duration::from_secs(86_400), bytes: 64 << 20 }
    }
}

/// Bounds on WebSockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSockets {
    /// Longest frame, in bytes. Default: 16 MiB.
    pub frame_bytes: usize,
    /// Longest message, which may be several frames, in bytes. Default: 64 MiB.
    pub message_bytes: usize,
    /// How long nothing may pass before it is closed. Default: 10 min.
    pub idle: Duration,
    /// How long it may be open. Default: 60 min.
    pub total: Duration,
}

impl Default for WebSockets {
    fn default() -> WebSockets {
        WebSockets {
            frame_bytes: 16 << 20,
            message_bytes: 64 << 20,
            idle: Duration::from_secs(600),
            total: Duration::from_secs(3600),
        }
    }
}

/// Whether files at addresses are fetched for providers that take bytes only, and the bounds on that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// They are; otherwise a request with such a file is refused. Default: true.
    pub fetch: bool,
    /// Only from addresses that begin with `https://`. Default: false.
    pub https_only: bool,
    /// The largest file, in bytes. Default: 20 MiB.
    pub file_bytes: usize,
    /// All files of one request together, in bytes. Default: 50 MiB.
    pub request_bytes: usize,
    /// Most files of one request. Default: 20.
    pub files: usize,
    /// How long all files of one request may take. Default: 15 s.
    pub timeout: Duration,
}

impl Default for Media {
    fn default() -> Media {
        Media {
            fetch: true,
            https_only: false,
            file_bytes: 20 << 20,
            request_bytes: 50 << 20,
            files: 20,
            timeout: Duration::from_secs(15),
        }
    }
}

/// Bounds on sizes and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a client's request, in bytes. Default: 64 MiB.
    pub body_bytes: usize,
    /// Longest head of a client's request, in bytes. Default: 64 KiB.
    pub header_bytes: usize,
    /// Most client connections at a time. Default: 65536.
    pub connections: usize,
    /// Most calls at a time on one HTTP/2 connection. Default: 128.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { body_bytes: 64 << 20, header_bytes: 64 << 10, connections: 65_536, streams: 128 }
    }
}
