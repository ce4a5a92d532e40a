//! What the headers of a request say: whom to ask, with which key, and how.
//!
//! Every gateway header has two spellings, `x-ostia-...` and `x-portkey-...`. Credentials for the gateway are taken out
//! here and never travel on.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ostia_dialect::Fault;
use ostia_routing::config;

use crate::inbound::credentials::{Credential, Credentials, KEY_HEADERS, bearer};
use crate::inbound::handshake;
use crate::inbound::query;
use crate::message::fields;
use crate::record::Record;
use crate::record::trace::{self, TraceContext, TraceParent};

/// Client headers that may go upstream as they are.
const FORWARDED: [&str; 9] = [
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-type",
    "idempotency-key",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "x-client-request-id",
];

/// Those of them that are lists: all that the client says counts, on however many lines and in whichever spelling.
const LISTS: [&str; 2] = ["anthropic-beta", "openai-beta"];

/// What the headers say.
#[derive(Debug, Clone, Default)]
pub struct GatewayHeaders {
    /// The request used Portkey's spelling, so the answer has to use it too.
    pub portkey: bool,
    /// The trace id that the client gave.
    pub trace_id: Option<HeaderValue>,
    /// Where the request stands in its trace.
    pub trace: TraceContext,
    /// What the provider hears of the trace, where the client said it in W3C's form.
    pub traceparent: Option<HeaderValue>,
    /// What goes with it.
    pub tracestate: Option<HeaderValue>,
    /// The conversation, or the agent's run, that the request is part of.
    pub session: Option<HeaderValue>,
    /// Bodies of this request are not kept.
    pub without_bodies: bool,
    /// The provider, without the `@` that Portkey writes before stored ones.
    pub provider: Option<String>,
    /// The routing config, or the name of one.
    pub config: Option<HeaderValue>,
    /// The client's own words about the request: JSON, for conditions.
    pub metadata: Option<HeaderValue>,
    /// Tell how it was decided whom to ask.
    pub explain: bool,
    /// The client's credentials, in the order in which they count.
    pub credentials: Credentials,
    /// Base URL to call in place of the provider's own.
    pub custom_host: Option<String>,
    /// How long the client wants to wait, in milliseconds.
    pub request_timeout_ms: Option<u64>,
    /// Exactly OpenAI's fields.
    pub strict: Option<bool>,
    /// Refuse what cannot be said without loss.
    pub lossless: Option<bool>,
    /// Client headers to pass on besides the usual ones, lower-case.
    pub forward_headers: Vec<HeaderName>,
    /// Headers for the upstream that the client gave in the gateway's spelling.
    pub added: Vec<(HeaderName, HeaderValue)>,
    /// Send Mistral chat to its fill-in-the-middle endpoint.
    pub fim: bool,
}

impl GatewayHeaders {
    /// Begins the record of their request with what they say, and takes its trace id.
    pub fn begin(&mut self, record: &mut Record, headers: &HeaderMap, new_id: impl Fn() -> String) {
        self.join_trace(headers, &new_id);
        record.read(&new_id, self.portkey, self.trace_id.as_ref());
        record.sender(headers, self.metadata.as_ref(), &self.trace, &new_id);
        record.account().session(self.session.as_ref(), headers);
        if self.without_bodies {
            record.account().without_bodies();
        }
        self.trace_id = record.trace_id_value();
    }

    /// Do they leave it open whom to ask?
    pub fn names_nobody(&self) -> bool {
        self.provider.is_none() && self.config.is_none()
    }

    /// Reads the headers.
    ///
    /// # Errors
    /// A gateway header that cannot be understood; all problems of a config at once.
    pub fn read(headers: &HeaderMap) -> Result<GatewayHeaders, Fault> {
        let mut read = GatewayHeaders::default();
        for (name, value) in headers {
            let name_text = name.as_str();
            if let Some(setting) = name_text.strip_prefix("x-portkey-") {
                read.portkey = true;
                read.setting(setting, value)?;
            } else if let Some(setting) = name_text.strip_prefix("x-ostia-") {
                read.setting(setting, value)?;
            } else if name == header::AUTHORIZATION {
                read.credentials.bearer = bearer(value);
            } else if KEY_HEADERS.contains(&name_text) {
                read.credentials.api_key = Credential::new(value, 0);
            }
        }
        read.credentials.settle();
        Ok(read)
    }

    /// Takes the key from a query, where Google's clients may put it (`?key=...`), if no header held one.
    pub fn read_key_in(&mut self, query: Option<&str>) {
        if self.credentials.bearer.is_some() || self.credentials.api_key.is_some() {
            return;
        }
        let key = query::fields(query.unwrap_or_default()).find(|field| field.is_key());
        let header = key.and_then(|key| HeaderValue::from_str(&key.value()?).ok());
        self.credentials.api_key = header.and_then(|header| Credential::new(&header, 0));
    }

    /// Takes the key that a browser sends among the protocols of a WebSocket, if no header held one.
    pub fn read_key_among_protocols(&mut self, headers: &HeaderMap) {
        if self.credentials.bearer.is_some() || self.credentials.api_key.is_some() {
            return;
        }
        let key = handshake::key_among_protocols(headers);
        self.credentials.api_key = key.and_then(|key| Credential::new(&key, 0));
    }

    /// Takes the trace from W3C's header, as far as the gateway's own do not say it; `unique`: an id that nobody else has.
    fn join_trace(&mut self, headers: &HeaderMap, unique: impl FnOnce() -> String) {
        let parent = headers.get("traceparent").and_then(|parent| TraceParent::parse(parent.to_str().ok()?));
        let Some(parent) = parent else { return };
        let unique = unique();
        let own = trace::span_id(&unique);
        self.traceparent = parent.below(own);
        self.tracestate = trace::state(headers);
        self.trace.state = self.tracestate.as_ref().and_then(|state| state.to_str().ok()).map(Box::from);
        self.trace.flags = Some(parent.flags());
        self.trace.span_id.get_or_insert_with(|| own.into());
        self.trace.parent_span_id.get_or_insert_with(|| parent.parent_id.into());
        self.trace_id = self.trace_id.take().or_else(|| HeaderValue::from_str(parent.trace_id).ok());
    }

    fn setting(&mut self, setting: &str, value: &HeaderValue) -> Result<(), Fault> {
        let text = || {
            let refused =
                |_| Fault::invalid(format!("Invalid header `x-ostia-{setting}`: must be plain text"));
            value.to_str().map(str::trim).map_err(refused)
        };
        match setting {
            "provider" => self.provider = given(text()?).map(|id| id.trim_start_matches('@').to_owned()),
            // Portkey's older word for a stored provider.
            "virtual-key" => self.provider = self.provider.take().or(given(text()?).map(str::to_owned)),
            "config" => self.config = given(text()?).map(|_| value.clone()),
            "metadata" => self.metadata = Some(value.clone()),
            "explain" => self.explain = text()? == "true",
            "api-key" => self.credentials.gateway = Credential::new(value, 0),
            "custom-host" => self.custom_host = given(text()?).map(str::to_owned),
            "trace-id" => self.trace_id = given(text()?).map(|_| value.clone()),
            "span-id" => self.trace.span_id = trace::kept(value),
            "parent-span-id" => self.trace.parent_span_id = trace::kept(value),
            "span-name" => self.trace.span_name = trace::kept(value),
            "session" => self.session = given(text()?).map(|_| value.clone()),
            "debug" => self.without_bodies = text()? == "false",
            "request-timeout" => self.request_timeout_ms = Some(timeout_ms(text()?)?),
            "strict-open-ai-compliance" => self.strict = Some(text()? != "false"),
            "lossless" => self.lossless = Some(text()? == "true"),
            "forward-headers" => self.forward_headers.extend(forward_headers(text()?)?),
            "mistral-fim-completion" => self.fim = text()? == "true",
            "openai-organization" => self.pass("openai-organization", value),
            "openai-project" => self.pass("openai-project", value),
            "openai-beta" => self.pass("openai-beta", value),
            "anthropic-beta" => self.pass("anthropic-beta", value),
            "anthropic-version" => self.pass("anthropic-version", value),
            // Telemetry of the SDKs and settings of features that come later: known, and without effect here.
            _ => {}
        }
        Ok(())
    }

    fn pass(&mut self, name: &'static str, value: &HeaderValue) {
        self.added.push((HeaderName::from_static(name), value.clone()));
    }

    /// Copies into `out` the client's headers that may go upstream: the listed ones, and those that the client or the
    /// config (`further`) wants to have passed on. What the client's `Connection` names is for the gateway only.
    pub fn pass_headers(&self, headers: &HeaderMap, further: &[HeaderName], out: &mut HeaderMap) {
        let hops = fields::named_in_connection(headers);
        for (name, value) in headers {
            let listed = FORWARDED.contains(&name.as_str());
            let wanted = listed || self.forward_headers.contains(name) || further.contains(name);
            if wanted && !hops.contains(name) {
                out.append(name, value.clone());
            }
        }
        for (name, value) in &self.added {
            match LISTS.contains(&name.as_str()) {
                true => out.append(name, value.clone()),
                false => out.insert(name, value.clone()).is_some(),
            };
        }
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn timeout_ms(text: &str) -> Result<u64, Fault> {
    match text.parse::<u64>() {
        Ok(timeout_ms) if (1..=config::REQUEST_TIMEOUT_MS_MAX).contains(&timeout_ms) => Ok(timeout_ms),
        _ => Err(Fault::invalid(format!(
            "Invalid header `x-ostia-request-timeout`: must be milliseconds, 1 to {}",
            config::REQUEST_TIMEOUT_MS_MAX
        ))),
    }
}

fn forward_headers(text: &str) -> Result<Vec<HeaderName>, Fault> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(forward_header).collect()
}

/// Headers that would let a client speak as the gateway, or to a metadata service, cannot be forwarded.
pub fn forward_header(name: &str) -> Result<HeaderName, Fault> {
    const REFUSED: [&str; 14] = [
        "connection",
        "content-length",
        "cookie",
        "host",
        "keep-alive",
        "metadata-flavor",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-aws-ec2-metadata-token",
        "x-google-metadata-request",
        "expect",
    ];
    let refuse = |why: &str| Err(Fault::invalid(format!("Invalid forward_headers: `{name}` {why}")));
    let Ok(header) = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()) else {
        return refuse("is no header name");
    };
    if header.as_str().starts_with("x-portkey-") || header.as_str().starts_with("x-ostia-") {
        return refuse("is a header of the gateway and cannot be forwarded");
    }
    if REFUSED.contains(&header.as_str()) {
        return refuse("cannot be forwarded");
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<GatewayHeaders, Fault> {
        let pairs =
            headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        GatewayHeaders::read(&HeaderMap::from_iter(pairs))
    }

    #[test]
    fn both_spellings() {
        for prefix in ["x-portkey", "x-ostia"] {
            let read = read(&[
                (&format!("{prefix}-provider"), "@groq"),
                (&format!("{prefix}-strict-open-ai-compliance"), "false"),
                (&format!("{prefix}-request-timeout"), "250"),
                (&format!("{prefix}-trace-id"), "t-1"),
            ])
            .unwrap();
            assert_eq!(read.provider.as_deref(), Some("groq"));
            assert_eq!((read.strict, read.request_timeout_ms), (Some(false), Some(250)));
            assert_eq!(read.trace_id.unwrap(), "t-1");
            assert_eq!(read.portkey, prefix == "x-portkey");
        }
    }

    #[test]
    fn keys_that_are_none() {
        let key = |headers: &[(&str, &str)]| {
            read(headers).unwrap().credentials.bearer.map(|key| key.expose().to_owned())
        };
        assert_eq!(key(&[("authorization", "Bearer sk-1")]).as_deref(), Some("sk-1"));
        assert_eq!(key(&[("authorization", "sk-1")]).as_deref(), Some("sk-1"));
        assert_eq!(key(&[("authorization", "Bearer OPENAI_API_KEY")]), None);
        assert_eq!(key(&[("authorization", "Bearer pk-1"), ("x-portkey-api-key", "pk-1")]), None);
        assert_eq!(
            key(&[("authorization", "Bearer sk-1"), ("x-portkey-api-key", "pk-1")]).as_deref(),
            Some("sk-1")
        );
        assert_eq!(key(&[("authorization", "Bearer ")]), None);
    }

    #[test]
    fn keys_as_the_sdks_of_vendors_send_them() {
        let check = |name: &str, value: &str, expected: Option<&str>| {
            let Credentials { bearer, api_key, .. } = read(&[(name, value)]).unwrap().credentials;
            let key = bearer.or(api_key).map(|key| key.expose().to_owned());
            assert_eq!(key.as_deref(), expected, "{name}: {value}");
        };
        for name in ["x-api-key", "x-goog-api-key", "xi-api-key", "api-key", "authorization"] {
            check(name, "k-1", Some("k-1"));
        }
        for scheme in ["Bearer", "Token", "token", "Key"] {
            check("authorization", &format!("{scheme} k-1"), Some("k-1"));
            check("authorization", scheme, None);
            check("authorization", &format!("{scheme} "), None);
        }
        check("authorization", "Basic dTpw", Some("Basic dTpw"));
        check("xi-api-key", "", None);
    }

    #[test]
    fn only_listed_headers_pass() {
        let pairs = [
            ("cookie", "a=b"),
            ("user-agent", "x"),
            ("x-team", "red"),
            ("x-portkey-forward-headers", "X-Team, user-agent"),
            ("x-portkey-openai-beta", "b2"),
            ("anthropic-beta", "b1"),
            ("x-portkey-metadata", "{}"),
        ];
        let headers = HeaderMap::from_iter(
            pairs.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())),
        );
        let mut out = HeaderMap::new();
        GatewayHeaders::read(&headers).unwrap().pass_headers(&headers, &[], &mut out);
        let mut names: Vec<_> = out.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["anthropic-beta", "openai-beta", "user-agent", "x-team"]);
    }

    #[test]
    fn lists_may_come_on_several_lines() {
        let lines = [
            ("x-ostia-anthropic-beta", "b2"),
            ("x-portkey-anthropic-beta", "b3"),
            ("anthropic-beta", "b1"),
            ("x-ostia-forward-headers", "x-a"),
            ("x-ostia-forward-headers", "x-b, x-c"),
            ("x-ostia-openai-project", "p1"),
            ("x-portkey-openai-project", "p2"),
            ("connection", "keep-alive"),
            ("connection", "x-c"),
            ("x-a", "1"),
            ("x-b", "2"),
            ("x-c", "3"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let mut out = HeaderMap::new();
        GatewayHeaders::read(&headers).unwrap().pass_headers(&headers, &[], &mut out);
        let sent =
            |name: &str| out.get_all(name).iter().map(|line| line.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(sent("anthropic-beta"), ["b1", "b2", "b3"]);
        assert_eq!((sent("x-a"), sent("x-b")), (vec!["1"], vec!["2"]));
        assert!(sent("x-c").is_empty(), "Connection names it");
        assert_eq!(sent("openai-project"), ["p2"]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (name, value, part) in [
            ("x-portkey-request-timeout", "soon", "request-timeout"),
            ("x-portkey-request-timeout", "0", "request-timeout"),
            ("x-portkey-forward-headers", "x-portkey-forward-headers", "forward_headers"),
            ("x-portkey-forward-headers", "cookie", "forward_headers"),
        ] {
            let fault = read(&[(name, value)]).unwrap_err();
            assert!(fault.status == 400 && fault.message.contains(part), "{name}: {fault}");
        }
    }
}
