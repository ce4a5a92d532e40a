//! What is sent by OTLP and where to: what the file says, and for the rest the variables that OpenTelemetry has for it
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

mod sampler;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use ostia_config::{Code, Otlp, OtlpProtocol, OtlpTarget, Problem, Report, is_otlp_endpoint};
use secrecy::{ExposeSecret as _, SecretString};

pub use sampler::Sampler;

/// How long a call to the collector may take, where nobody says.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// How long spans and logs wait for others to be sent with.
const DELAY_DEFAULT: Duration = Duration::from_secs(5);
/// How often metrics are sent.
const METRICS_EVERY_DEFAULT: Duration = Duration::from_secs(60);
/// The name of the service, where nobody gives it another one.
const SERVICE: &str = "ostia";
/// Where collectors listen.
const HTTP_DEFAULT: &str = "http://localhost:4318";
const GRPC_DEFAULT: &str = "http://localhost:4317";

/// What is told by OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Histograms, counts and gauges.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// As metrics and messages call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }

    /// The service of gRPC that takes it, and its method.
    fn grpc_path(self) -> &'static str {
        match self {
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// What is sent, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpSettings {
    /// Where spans go, if they do.
    pub traces: Option<Collector>,
    /// Where metrics go.
    pub metrics: Option<Collector>,
    /// Where log records go.
    pub logs: Option<Collector>,
    /// Bodies go along, as far as they are kept.
    pub content: bool,
    /// What all of it comes from: attributes of the resource.
    pub resource: Vec<(String, String)>,
    /// Which traces are told.
    pub sampler: Sampler,
    /// How long spans and logs wait for others.
    pub delay: Duration,
    /// How often metrics are sent.
    pub metrics_every: Duration,
}

/// Who takes one signal.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    /// The whole URL.
    pub url: String,
    /// How it is spoken to.
    pub protocol: OtlpProtocol,
    /// Headers of each call. They may be credentials.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long a call may take.
    pub timeout: Duration,
    /// Bodies are packed.
    pub gzip: bool,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("url", &self.url).field("protocol", &self.protocol).finish()
    }
}

/// The settings; `None`: nothing is sent. `headers`: those of the file, looked up. What is wrong with a variable is told in the report,
/// and the variable passed over.
pub fn resolve(
    otlp: &Otlp,
    headers: Vec<(String, SecretString)>,
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report,
) -> Option<OtlpSettings> {
    let mut reader = Reader { env, report };
    let nothing = OtlpTarget::default();
    let target = match otlp {
        Otlp::Off => return None,
        Otlp::To(target) => target,
        Otlp::Environment if reader.is_wanted() => &nothing,
        Otlp::Environment => return None,
    };
    let headers = reader.headers_of_file(headers);
    let settings = OtlpSettings {
        traces: reader.collector(Signal::Traces, target, target.traces, &headers),
        metrics: reader.collector(Signal::Metrics, target, target.metrics, &headers),
        logs: reader.collector(Signal::Logs, target, target.logs, &headers),
        content: target.content,
        resource: reader.resource(),
        sampler: reader.sampler(),
        delay: reader.millis("OTEL_BSP_SCHEDULE_DELAY").unwrap_or(DELAY_DEFAULT),
        metrics_every: reader.millis("OTEL_METRIC_EXPORT_INTERVAL").unwrap_or(METRICS_EVERY_DEFAULT),
    };
    let is_any = settings.traces.is_some() || settings.metrics.is_some() || settings.logs.is_some();
    is_any.then_some(settings)
}

struct Reader<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    report: &'a mut Report,
}

impl Reader<'_> {
    /// The value of a variable; one that is empty is as good as not set.
    fn get(&self, name: &str) -> Option<String> {
        (self.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// That of one signal, else that of all.
    fn of(&self, signal: Signal, name: &str) -> Option<(String, String)> {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{name}", signal.as_str().to_ascii_uppercase());
        let general = format!("OTEL_EXPORTER_OTLP_{name}");
        [own, general].into_iter().find_map(|name| Some((self.get(&name)?, name)))
    }

    fn wrong(&mut self, name: &str, why: &str) {
        let message = format!("the environment's {name} is not used: it {why}");
        self.report.add(Problem::of_file(Code::NoEffect, message));
    }

    /// Does the environment want anything to be sent?
    fn is_wanted(&self) -> bool {
        let signals = [Signal::Traces, Signal::Metrics, Signal::Logs];
        let is_disabled = self.get("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        !is_disabled && signals.into_iter().any(|signal| self.of(signal, "ENDPOINT").is_some())
    }

    fn collector(
        &mut self,
        signal: Signal,
        target: &OtlpTarget,
        said: Option<bool>,
        of_file: &[(HeaderName, HeaderValue)],
    ) -> Option<Collector> {
        if !said.unwrap_or_else(|| self.is_exported(signal)) {
            return None;
        }
        let protocol = target.protocol.or_else(|| self.protocol(signal)).unwrap_or_default();
        let url = self.url(signal, target.endpoint.as_deref(), protocol)?;
        let mut headers = self.headers(signal);
        headers.retain(|(name, _)| !of_file.iter().any(|(own, _)| own == name));
        headers.extend_from_slice(of_file);
        let timeout = self.of(signal, "TIMEOUT").and_then(|(value, name)| self.parse_millis(&value, &name));
        if let Some((_, name)) = self.of(signal, "CERTIFICATE") {
            self.wrong(&name, "names an authority: put that into upstream.tls.ca");
        }
        let compression = self.of(signal, "COMPRESSION");
        let gzip = compression.is_some_and(|(value, name)| match value.as_str() {
            "gzip" => true,
            "none" => false,
            _ => {
                self.wrong(&name, "is neither gzip nor none");
                false
            }
        });
        Some(Collector { url, protocol, headers, timeout: timeout.unwrap_or(TIMEOUT_DEFAULT), gzip })
    }

    /// `OTEL_TRACES_EXPORTER` and its like name others than OTLP, or nobody.
    fn is_exported(&mut self, signal: Signal) -> bool {
        let name = format!("OTEL_{}_EXPORTER", signal.as_str().to_ascii_uppercase());
        let Some(value) = self.get(&name) else { return true };
        let mut exporters = value.split(',').map(str::trim);
        let is_otlp = exporters.clone().any(|exporter| exporter == "otlp");
        if !is_otlp && exporters.any(|exporter| exporter != "none") {
            self.wrong(&name, "names no exporter that there is here: otlp, none");
        }
        is_otlp
    }

    fn protocol(&mut self, signal: Signal) -> Option<OtlpProtocol> {
        let (value, name) = self.of(signal, "PROTOCOL")?;
        let known = OtlpProtocol::ALL.into_iter().find(|protocol| protocol.as_str() == value);
        if known.is_none() {
            self.wrong(&name, "is neither http/protobuf nor grpc");
        }
        known
    }

    /// The variable of one signal is its whole URL; to all others the signal's own path is added.
    fn url(&mut self, signal: Signal, endpoint: Option<&str>, protocol: OtlpProtocol) -> Option<String> {
        let below = |base: &str| match protocol {
            OtlpProtocol::Http => format!("{}/v1/{}", base.trim_end_matches('/'), signal.as_str()),
            OtlpProtocol::Grpc => format!("{}{}", base.trim_end_matches('/'), signal.grpc_path()),
        };
        if let Some(endpoint) = endpoint {
            return Some(below(endpoint));
        }
        let Some((value, name)) = self.of(signal, "ENDPOINT") else {
            return Some(below(if protocol == OtlpProtocol::Grpc { GRPC_DEFAULT } else { HTTP_DEFAULT }));
        };
        // gRPC's own form of an endpoint is without a scheme.
        let is_bare = protocol == OtlpProtocol::Grpc && !value.contains("://");
        let value = match is_bare {
            true if self.is_insecure(signal) => format!("http://{value}"),
            true => format!("https://{value}"),
            false => value,
        };
        if !is_otlp_endpoint(&value) {
            self.wrong(&name, "is no http or https URL without a user and a query");
            return None;
        }
        let is_whole = protocol == OtlpProtocol::Http && name != "OTEL_EXPORTER_OTLP_ENDPOINT";
        Some(if is_whole { value } else { below(&value) })
    }

    /// Is a gRPC endpoint without a scheme to be asked without TLS?
    fn is_insecure(&mut self, signal: Signal) -> bool {
        let Some((value, name)) = self.of(signal, "INSECURE") else { return false };
        match value.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => {
                self.wrong(&name, "is neither true nor false");
                false
            }
        }
    }

    /// `name=value,name=value`, with percent-encoding.
    fn headers(&mut self, signal: Signal) -> Vec<(HeaderName, HeaderValue)> {
        let Some((value, variable)) = self.of(signal, "HEADERS") else { return Vec::new() };
        let mut headers = Vec::new();
        for entry in value.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry.split_once('=').and_then(|(name, value)| header(&decoded(name)?, &decoded(value)?)) {
                Some(header) => headers.push(header),
                // What stands there may be a credential.
                None => self.wrong(&variable, "has an entry that is no name=value, or no header"),
            }
        }
        headers
    }

    fn headers_of_file(&mut self, headers: Vec<(String, SecretString)>) -> Vec<(HeaderName, HeaderValue)> {
        let mut read = Vec::new();
        for (name, value) in headers {
            match header(&name, value.expose_secret()) {
                Some(header) => read.push(header),
                None => {
                    let place = format!("telemetry.otlp.headers.{name}");
                    let message =
                        "is no header: its name or its value has characters that a header cannot have";
                    self.report.add_at(&place, Code::WrongValue, message, None);
                }
            }
        }
        read
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let mut attributes = vec![
            ("service.name".to_owned(), SERVICE.to_owned()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let mut set = |name: String, value: String| {
            attributes.retain(|(own, _)| *own != name);
            attributes.push((name, value));
        };
        let text = self.get(VARIABLE).unwrap_or_default();
        let mut is_wrong = false;
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry.split_once('=').and_then(|(name, value)| Some((decoded(name)?, decoded(value)?))) {
                Some((name, value)) if !name.is_empty() => set(name, value),
                _ => is_wrong = true,
            }
        }
        if let Some(name) = self.get("OTEL_SERVICE_NAME") {
            set("service.name".to_owned(), name);
        }
        if is_wrong {
            self.wrong(VARIABLE, "has an entry that is no name=value");
        }
        attributes
    }

    fn sampler(&mut self) -> Sampler {
        let Some(name) = self.get("OTEL_TRACES_SAMPLER") else { return Sampler::default() };
        let argument = self.get("OTEL_TRACES_SAMPLER_ARG");
        Sampler::parse(&name, argument.as_deref()).unwrap_or_else(|| {
            self.wrong("OTEL_TRACES_SAMPLER", "names no sampler that there is here, or has a wrong argument");
            Sampler::default()
        })
    }

    fn millis(&mut self, name: &str) -> Option<Duration> {
        let value = self.get(name)?;
        self.parse_millis(&value, name)
    }

    fn parse_millis(&mut self, value: &str, name: &str) -> Option<Duration> {
        let millis = value.parse::<u64>().ok().filter(|millis| *millis > 0);
        if millis.is_none() {
            self.wrong(name, "is no number of milliseconds above 0");
        }
        millis.map(Duration::from_millis)
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.trim().to_ascii_lowercase().as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn decoded(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text.trim()).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
