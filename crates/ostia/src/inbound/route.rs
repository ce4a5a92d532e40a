//! Method and path to endpoint.

mod own;

use std::borrow::Cow;

use http::{Method, Version, header, request};
use ostia_dialect::Api;
use ostia_dialect::{Fault, PathParams};
use percent_encoding::percent_decode_str;

pub use own::{
    BatchPath, ExportPath, FilePath, GatewayPath, Graph, GroupPath, KeptPath, MessageBatchPath, OtelPath,
    TuningPath,
};
use own::{READ, READ_AND_WRITE, WRITE};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint<'p> {
    /// `GET /`
    Root,
    /// `GET /health`
    Health,
    /// `GET /ready`
    Ready,
    /// `GET /v1/openapi.json`
    OpenApi,
    /// `GET /v1/models`, and `GET /v1beta/models`
    Models,
    /// `GET /v1/models/{name}`: one that the list names, or one of a provider's
    Model(Cow<'p, str>),
    /// `OPTIONS`, whatever the path
    Options,
    /// `POST /v1/explain`, and `GET /v1/explain/{trace id}`
    Explain {
        /// Of a request that was; none for one that is only thought of.
        trace_id: Option<&'p str>,
    },
    /// `GET /console` and below it: what stands behind that
    Console(&'p str),
    /// What is in force, for operators
    Gateway(GatewayPath),
    /// What was kept of requests, for operators
    Kept(KeptPath<'p>),
    /// A call that is understood: its dialect decides whether it is relayed or translated.
    Api(ApiPath<'p>),
    /// What the Responses API keeps, below `/v1/responses/` and `/v1/conversations`: the gateway's own, or the provider's.
    Stored,
    /// Files: the gateway's own, or a provider's.
    Files(FilePath<'p>),
    /// Batches: the same.
    Batches(BatchPath<'p>),
    /// Batches as Anthropic has them: the same.
    MessageBatches(MessageBatchPath<'p>),
    /// Jobs that train models: the same.
    FineTunes(TuningPath<'p>),
    /// Everything else below `/v1/`, `/v1beta/` and `/v1/proxy/`: handed on unread.
    Pass {
        /// Errors are told as they come: the client asked for the provider's own words.
        raw: bool,
    },
    /// A WebSocket below the same paths, or below `/ws/` as a vendor has it: its frames are handed on.
    Socket {
        /// Errors are told as they come.
        raw: bool,
    },
    /// A WebSocket at `/v1/responses`: the Responses API.
    ResponsesSocket,
    /// Nothing is here.
    Missing,
    /// Something is here, for other methods.
    WrongMethod(&'static str),
}

/// The path of a call that is understood: its API, and what it says of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPath<'p> {
    /// The API, in the client's dialect.
    pub api: Api,
    /// The model, in paths that name one. Empty elsewhere.
    model: Cow<'p, str>,
    /// The method asks for a stream.
    stream: bool,
}

impl ApiPath<'_> {
    /// Model and stream, where the path says them; `None` where the body does.
    pub fn params(&self) -> Option<PathParams<'_>> {
        (!self.model.is_empty()).then_some(PathParams { model: &self.model, stream: self.stream })
    }
}

impl<'p> From<Api> for ApiPath<'p> {
    fn from(api: Api) -> ApiPath<'p> {
        ApiPath { api, model: Cow::Borrowed(""), stream: false }
    }
}

impl<'p> Endpoint<'p> {
    /// The stored thing that the path names: a file, a batch or a job that trains a model.
    pub fn stored_id(&self) -> Option<&'p str> {
        match self {
            Endpoint::Files(path) => path.id(),
            Endpoint::Batches(path) => path.id(),
            Endpoint::MessageBatches(path) => path.id(),
            Endpoint::FineTunes(path) => path.id(),
            _ => None,
        }
    }

    /// The endpoint of a request line.
    pub fn of(method: &Method, path: &'p str) -> Endpoint<'p> {
        let get = method == Method::GET || method == Method::HEAD;
        match path {
            _ if method == Method::OPTIONS => Endpoint::Options,
            "/" if get => Endpoint::Root,
            "/health" | "/healthz" | "/v1/health" if get => Endpoint::Health,
            "/ready" | "/readyz" if get => Endpoint::Ready,
            "/metrics" if get => Endpoint::Kept(KeptPath::Metrics),
            "/v1/openapi.json" if get => Endpoint::OpenApi,
            "/v1/openapi.json" | "/" | "/health" | "/healthz" | "/v1/health" | "/ready" | "/readyz"
            | "/metrics" => Endpoint::WrongMethod(READ),
            "/v1/models" | "/v1beta/models" if get => Endpoint::Models,
            _ => match path.strip_prefix("/v1") {
                Some("/" | "/proxy" | "/proxy/") => Endpoint::Missing,
                Some(rest) if rest.starts_with("/proxy/") => Endpoint::Pass { raw: true },
                Some(rest) if rest.starts_with('/') => below_v1(method, rest),
                _ => at_console(path, get)
                    .or_else(|| at_own(method, path))
                    .unwrap_or_else(|| below_google(method, path)),
            },
        }
    }
}

impl Endpoint<'_> {
    /// The same for a request that wants a WebSocket.
    pub fn of_socket(path: &str) -> Endpoint<'_> {
        match Endpoint::of(&Method::GET, path) {
            _ if path == "/v1/responses" => Endpoint::ResponsesSocket,
            Endpoint::Pass { raw } => Endpoint::Socket { raw },
            Endpoint::Files(_)
            | Endpoint::Batches(_)
            | Endpoint::MessageBatches(_)
            | Endpoint::FineTunes(_) => Endpoint::Socket { raw: false },
            Endpoint::Missing if path.starts_with("/ws/") => Endpoint::Socket { raw: false },
            other => other,
        }
    }
}

impl Endpoint<'_> {
    /// Is it a call to a provider, and not a look at the gateway itself?
    pub fn is_call(&self) -> bool {
        matches!(self, Endpoint::Api(_) | Endpoint::Stored | Endpoint::Pass { .. })
    }

    /// The API that is called, where it is understood.
    pub fn operation(&self) -> Option<&'static str> {
        if let Endpoint::Api(api_path) = self { Some(api_path.api.name()) } else { None }
    }

    /// Does the gateway understand the body itself?
    pub fn reads_body(&self) -> bool {
        match self {
            Endpoint::Api(_) | Endpoint::Stored | Endpoint::Explain { trace_id: None } => true,
            Endpoint::Root
            | Endpoint::Health
            | Endpoint::Ready
            | Endpoint::OpenApi
            | Endpoint::Console(_)
            | Endpoint::Gateway(_)
            | Endpoint::Kept(_)
            | Endpoint::Options
            | Endpoint::Models
            | Endpoint::Model(_)
            | Endpoint::Explain { trace_id: Some(_) }
            // What is for the gateway itself among them is looked at where that is known.
            | Endpoint::Files(_)
            | Endpoint::Batches(_)
            | Endpoint::MessageBatches(_)
            | Endpoint::FineTunes(_)
            | Endpoint::Pass { .. }
            | Endpoint::Socket { .. }
            | Endpoint::ResponsesSocket
            | Endpoint::Missing
            | Endpoint::WrongMethod(_) => false,
        }
    }
}

/// Refuses request lines that mean one thing here and another one at a provider.
///
/// # Errors
/// 405 for methods that are for proxies and their testers, 400 for a path or a host that can be read in two ways.
pub fn check(parts: &request::Parts) -> Result<(), Fault> {
    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        let message = format!("The method {} is not for this gateway.", parts.method);
        return Err(Fault::invalid(message).with_status(405).with_code("method_not_allowed"));
    }
    if parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Fault::invalid("The request names more than one host.").with_param("host"));
    }
    // Where they agree there is the header alone (`server/http2/head.rs`).
    if parts.version == Version::HTTP_2 && parts.uri.authority().is_some() {
        let message =
            "The request's `:authority` and its header `host` name different hosts, or name a user.";
        return Err(Fault::invalid(message).with_param("host"));
    }
    let path = parts.uri.path();
    if path.as_bytes().windows(2).any(|pair| pair == b"//") || has_dot_segment(path) {
        let message = "The path has an empty or a dot segment (`//`, `.`, `..`): write it without.";
        return Err(Fault::invalid(message).with_param("path").with_code("path_invalid"));
    }
    Ok(())
}

/// How often a path is decoded to find what somebody behind us may find in it.
const DECODINGS_MAX: usize = 3;

/// `.` and `..` between slashes, also encoded, and with backslashes and parameters, as some servers read them.
pub fn has_dot_segment(path: &str) -> bool {
    let mut path = Cow::Borrowed(path.as_bytes());
    for _ in 0..DECODINGS_MAX {
        if is_dotted(&path) {
            return true;
        }
        if !path.contains(&b'%') {
            return false;
        }
        path = Cow::Owned(percent_encoding::percent_decode(&path).collect());
    }
    is_dotted(&path)
}

fn is_dotted(path: &[u8]) -> bool {
    let name = |segment: &[u8]| matches!(segment.split(|&byte| byte == b';').next(), Some(b"." | b".."));
    path.contains(&b'.') && path.split(|byte| matches!(byte, b'/' | b'\\')).any(name)
}

fn below_v1<'p>(method: &Method, rest: &'p str) -> Endpoint<'p> {
    let post = method == Method::POST;
    if let Some(api) = Api::at(rest) {
        return match (post, api) {
            (true, _) => Endpoint::Api(api.into()),
            // OpenAI lists what it has stored (<https://platform.openai.com/docs/api-reference/chat/list>).
            (false, Api::OpenaiChat) if method == Method::GET || method == Method::HEAD => {
                Endpoint::Pass { raw: false }
            }
            (false, Api::OpenaiChat) => Endpoint::WrongMethod(READ_AND_WRITE),
            (false, _) => Endpoint::WrongMethod(WRITE),
        };
    }
    if let Some(kept) = KeptPath::of(method, rest) {
        return kept.map_or_else(Endpoint::WrongMethod, Endpoint::Kept);
    }
    if let Some(path) = GatewayPath::at(rest) {
        let is_read = method == Method::GET || method == Method::HEAD;
        return if is_read { Endpoint::Gateway(path) } else { Endpoint::WrongMethod(READ) };
    }
    match rest {
        "/explain" if post => Endpoint::Explain { trace_id: None },
        "/explain" => Endpoint::WrongMethod(WRITE),
        _ if method == Method::GET && rest.starts_with("/explain/") => {
            Endpoint::Explain { trace_id: rest.strip_prefix("/explain/") }
        }
        _ if rest.starts_with("/explain/") => Endpoint::WrongMethod(READ),
        _ if (method == Method::GET || method == Method::HEAD) && rest.starts_with("/models/") => {
            listed_model(rest).unwrap_or(Endpoint::Pass { raw: false })
        }
        _ if rest == "/conversations" || rest.starts_with("/conversations/") => Endpoint::Stored,
        _ if rest.starts_with("/responses/") => Endpoint::Stored,
        // What senders of OTLP say is for nobody else, metrics included, which are not taken.
        _ if rest.starts_with("/otel/") => Endpoint::Missing,
        _ => {
            let own = || FilePath::at(rest).map(Endpoint::Files);
            let own = || own().or_else(|| BatchPath::at(rest).map(Endpoint::Batches));
            let own = || own().or_else(|| MessageBatchPath::at(rest).map(Endpoint::MessageBatches));
            let own = || own().or_else(|| TuningPath::at(rest).map(Endpoint::FineTunes));
            google(method, rest).or_else(own).unwrap_or(Endpoint::Pass { raw: false })
        }
    }
}

/// A model by the name that the gateway lists it under. SDKs encode the `@`, the slash, or both
/// (<https://platform.openai.com/docs/api-reference/models/retrieve>).
fn listed_model(rest: &str) -> Option<Endpoint<'_>> {
    let name = percent_decode(rest.strip_prefix("/models/")?)?;
    (!name.is_empty()).then_some(Endpoint::Model(name))
}

/// The console's pages and their files.
fn at_console(path: &str, is_read: bool) -> Option<Endpoint<'_>> {
    let rest = path.strip_prefix("/console").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    Some(if is_read { Endpoint::Console(rest) } else { Endpoint::WrongMethod(READ) })
}

/// What is understood at its vendor's own path.
fn at_own<'p>(method: &Method, path: &str) -> Option<Endpoint<'p>> {
    let api = Api::at_own(path)?;
    Some(if method == Method::POST { Endpoint::Api(api.into()) } else { Endpoint::WrongMethod(WRITE) })
}

/// Paths of Google's API: below its versions, and uploads, which stand before them.
fn below_google<'p>(method: &Method, path: &'p str) -> Endpoint<'p> {
    if path.starts_with("/upload/v1beta/") {
        return Endpoint::Pass { raw: false };
    }
    match path.strip_prefix("/v1beta").filter(|rest| rest.starts_with('/')) {
        Some("/") | None => Endpoint::Missing,
        Some(rest) => {
            let is_read = method == Method::GET || method == Method::HEAD;
            let listed = || listed_model(rest).filter(|_| is_read);
            google(method, rest).or_else(listed).unwrap_or(Endpoint::Pass { raw: false })
        }
    }
}

/// What stands before a colon in Google's API and is no model (<https://ai.google.dev/api>, Vertex's beside it).
const GOOGLES_OWN: [&str; 7] =
    ["batches", "cachedContents", "corpora", "dynamic", "fileSearchStores", "projects", "publishers"];

/// `/models/{model}:{verb}` (<https://ai.google.dev/api/generate-content>). A model may hold slashes and, encoded or not,
/// an `@`. Some clients take one that has a slash for a path and leave `models/` out (the function `getModelPath` of
/// @ai-sdk/google).
fn google<'p>(method: &Method, rest: &'p str) -> Option<Endpoint<'p>> {
    let (model, verb) = rest.rsplit_once(':')?;
    let model = model.strip_prefix('/')?;
    let bare = model.strip_prefix("models/").unwrap_or(model);
    let (api, stream) = Api::of_verb(verb)?;
    if bare.len() == model.len() && !is_model_with_maker(model) {
        return None;
    }
    if method != Method::POST {
        return Some(Endpoint::WrongMethod(WRITE));
    }
    let model = percent_decode(bare).filter(|model| !model.is_empty())?;
    Some(Endpoint::Api(ApiPath { api, model, stream }))
}

/// `@provider/model`, `maker/model` or `tunedModels/model`.
fn is_model_with_maker(model: &str) -> bool {
    let maker = model.split_once('/').map(|(maker, _)| maker);
    maker.map_or(model.starts_with("%40"), |maker| !GOOGLES_OWN.contains(&maker))
}

/// Undoes percent-encoding (RFC 3986, section 2.1), and leaves what is none; `None` for what is no UTF-8 then.
pub fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::own::{CHANGE, READ_AND_CHANGE};
    use super::*;
    use ostia_dialect::api::Path;

    #[test]
    fn request_lines() {
        let understood = |api: Api| Endpoint::Api(api.into());
        let exports = |path| Endpoint::Kept(KeptPath::Exports(path));
        let google = |api, model: &'static str, stream| {
            Endpoint::Api(ApiPath { api, model: Cow::Borrowed(model), stream })
        };
        for (method, path, expected) in [
            (Method::GET, "/", Endpoint::Root),
            (Method::HEAD, "/health", Endpoint::Health),
            (Method::GET, "/v1/openapi.json", Endpoint::OpenApi),
            (Method::POST, "/v1/openapi.json", Endpoint::WrongMethod(READ)),
            (Method::GET, "/v1/logs", Endpoint::Kept(KeptPath::List)),
            (Method::HEAD, "/v1/logs/x", Endpoint::Kept(KeptPath::One("x"))),
            (Method::GET, "/v1/traces/x", Endpoint::Kept(KeptPath::Trace("x"))),
            (Method::GET, "/v1/analytics/summary", Endpoint::Kept(KeptPath::Summary)),
            (Method::GET, "/v1/analytics/series", Endpoint::Kept(KeptPath::Series)),
            (Method::GET, "/v1/analytics/cache", Endpoint::Kept(KeptPath::Cache)),
            (Method::GET, "/v1/logs/export", Endpoint::Kept(KeptPath::Export)),
            (Method::GET, "/v1/sessions", Endpoint::Kept(KeptPath::Sessions)),
            (Method::HEAD, "/v1/logs/exports", exports(ExportPath::List)),
            (Method::POST, "/v1/logs/exports", exports(ExportPath::Create)),
            (Method::DELETE, "/v1/logs/exports", Endpoint::WrongMethod(READ_AND_WRITE)),
            (Method::GET, "/v1/logs/exports/x", exports(ExportPath::One("x"))),
            (Method::PUT, "/v1/logs/exports/x", exports(ExportPath::Change("x"))),
            (Method::POST, "/v1/logs/exports/x", Endpoint::WrongMethod(READ_AND_CHANGE)),
            (Method::POST, "/v1/logs/exports/x/start", exports(ExportPath::Start("x"))),
            (Method::POST, "/v1/logs/exports/x/cancel", exports(ExportPath::Cancel("x"))),
            (Method::GET, "/v1/logs/exports/x/cancel", Endpoint::WrongMethod(WRITE)),
            (Method::GET, "/v1/logs/exports/x/download", exports(ExportPath::Download("x"))),
            (Method::GET, "/v1/logs/exports/x/content", exports(ExportPath::Content("x"))),
            (Method::POST, "/v1/logs/exports/x/content", Endpoint::WrongMethod(READ)),
            (Method::GET, "/v1/logs/exports/", Endpoint::Pass { raw: false }),
            (Method::GET, "/v1/logs/exports/x/other", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/logs", Endpoint::Kept(KeptPath::Insert)),
            (Method::DELETE, "/v1/logs", Endpoint::WrongMethod(READ_AND_WRITE)),
            (Method::POST, "/v1/logs/x", Endpoint::WrongMethod(READ)),
            (Method::POST, "/v1/feedback", Endpoint::Kept(KeptPath::Feedback)),
            (Method::GET, "/v1/feedback", Endpoint::WrongMethod(WRITE)),
            (Method::POST, "/v1/otel/v1/traces", Endpoint::Kept(KeptPath::Otel(OtelPath::Traces))),
            (Method::POST, "/v1/otel/v1/logs", Endpoint::Kept(KeptPath::Otel(OtelPath::Logs))),
            (Method::GET, "/v1/otel/v1/logs", Endpoint::WrongMethod(WRITE)),
            (Method::POST, "/v1/otel/v1/metrics", Endpoint::Missing),
            (Method::PUT, "/v1/feedback/x", Endpoint::Kept(KeptPath::FeedbackOf("x"))),
            (Method::POST, "/v1/feedback/x", Endpoint::WrongMethod(CHANGE)),
            (
                Method::GET,
                "/v1/analytics/graphs/errors/rate",
                Endpoint::Kept(KeptPath::Graph(Graph::ErrorRate)),
            ),
            (Method::GET, "/v1/analytics/graphs/colours", Endpoint::Pass { raw: false }),
            (
                Method::GET,
                "/v1/analytics/groups/metadata/team",
                Endpoint::Kept(KeptPath::Group(GroupPath::Metadata("team"))),
            ),
            (Method::GET, "/v1/analytics/summary/cache", Endpoint::Kept(KeptPath::CacheSummary)),
            (Method::GET, "/metrics", Endpoint::Kept(KeptPath::Metrics)),
            (Method::GET, "/console", Endpoint::Console("")),
            (Method::HEAD, "/console/logs/x", Endpoint::Console("/logs/x")),
            (Method::POST, "/console", Endpoint::WrongMethod(READ)),
            (Method::GET, "/consoles", Endpoint::Missing),
            (Method::GET, "/v1/gateway/providers", Endpoint::Gateway(GatewayPath::Providers)),
            (Method::GET, "/v1/gateway/config", Endpoint::Gateway(GatewayPath::Config)),
            (Method::PUT, "/v1/gateway/config", Endpoint::WrongMethod(READ)),
            (Method::GET, "/v1/gateway/other", Endpoint::Pass { raw: false }),
            (Method::POST, "/metrics", Endpoint::WrongMethod(READ)),
            (Method::GET, "/v1/logs/x/y", Endpoint::Pass { raw: false }),
            (Method::GET, "/v1/models", Endpoint::Models),
            (Method::GET, "/v1/models/gpt-4o", Endpoint::Model("gpt-4o".into())),
            (Method::GET, "/v1/models/@p/maker/m", Endpoint::Model("@p/maker/m".into())),
            (Method::HEAD, "/v1/models/%40p%2Fm%3A8b", Endpoint::Model("@p/m:8b".into())),
            (Method::DELETE, "/v1/models/@p/m", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/chat/completions", understood(Api::OpenaiChat)),
            (Method::GET, "/v1/chat/completions", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/messages", understood(Api::AnthropicMessages)),
            (Method::POST, "/v1/messages/batches", Endpoint::MessageBatches(MessageBatchPath::All)),
            (Method::GET, "/v1/messages/batches/b", Endpoint::MessageBatches(MessageBatchPath::One("b"))),
            (
                Method::GET,
                "/v1/messages/batches/b/results",
                Endpoint::MessageBatches(MessageBatchPath::Results("b")),
            ),
            (
                Method::POST,
                "/v1/messages/batches/b/cancel",
                Endpoint::MessageBatches(MessageBatchPath::Cancel("b")),
            ),
            (Method::POST, "/v1/messages/batches/b/x", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/files", Endpoint::Files(FilePath::All)),
            (Method::GET, "/v1/files/f%2Fg", Endpoint::Files(FilePath::One("f%2Fg"))),
            (Method::GET, "/v1/files/f/content", Endpoint::Files(FilePath::Content("f"))),
            (Method::GET, "/v1/files/f/g/content", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/batches", Endpoint::Batches(BatchPath::All)),
            (Method::GET, "/v1/batches/b", Endpoint::Batches(BatchPath::One("b"))),
            (Method::POST, "/v1/batches/b/cancel", Endpoint::Batches(BatchPath::Cancel("b"))),
            (Method::GET, "/v1/batches/b/output", Endpoint::Batches(BatchPath::Output("b"))),
            (Method::POST, "/v1/fine_tuning/jobs", Endpoint::FineTunes(TuningPath::All)),
            (Method::GET, "/v1/fine_tuning/jobs/j", Endpoint::FineTunes(TuningPath::One("j"))),
            (Method::POST, "/v1/fine_tuning/jobs/j/cancel", Endpoint::FineTunes(TuningPath::Cancel("j"))),
            (Method::GET, "/v1/fine_tuning/jobs/j/events", Endpoint::FineTunes(TuningPath::Events("j"))),
            (
                Method::GET,
                "/v1/fine_tuning/jobs/j/checkpoints",
                Endpoint::FineTunes(TuningPath::Checkpoints("j")),
            ),
            (Method::POST, "/v1/fine_tuning/jobs/j/pause", Endpoint::FineTunes(TuningPath::Other("j"))),
            (Method::GET, "/v1/fine_tuning/jobs/j/events/e", Endpoint::FineTunes(TuningPath::Other("j"))),
            (Method::GET, "/v1/fine_tuning/jobs/", Endpoint::Pass { raw: false }),
            (Method::GET, "/v1/fine_tuning/jobsx", Endpoint::Pass { raw: false }),
            (Method::GET, "/v1/batches/b/other", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1/responses", understood(Api::OpenaiResponses)),
            (Method::POST, "/v1/responses/input_tokens", understood(Api::OpenaiInputTokens)),
            (Method::GET, "/v1/responses/resp_1", Endpoint::Stored),
            (Method::POST, "/v1/conversations", Endpoint::Stored),
            (Method::PATCH, "/v1/anything/at/all", Endpoint::Pass { raw: false }),
            (Method::PUT, "/v1/proxy/chat/completions", Endpoint::Pass { raw: true }),
            (Method::POST, "/v1beta/models/g-1:generateContent", google(Api::GeminiGenerate, "g-1", false)),
            (
                Method::POST,
                "/v1/models/%40openai/gpt%2D4o:streamGenerateContent",
                google(Api::GeminiGenerate, "@openai/gpt-4o", true),
            ),
            (
                Method::POST,
                "/v1beta/tunedModels/t:countTokens",
                google(Api::GeminiCountTokens, "tunedModels/t", false),
            ),
            (
                Method::POST,
                "/v1beta/@google/g-3:streamGenerateContent",
                google(Api::GeminiGenerate, "@google/g-3", true),
            ),
            (
                Method::POST,
                "/v1beta/google/g-3:generateContent",
                google(Api::GeminiGenerate, "google/g-3", false),
            ),
            (Method::POST, "/v1beta/%40p%2Fm:generateContent", google(Api::GeminiGenerate, "@p/m", false)),
            (Method::POST, "/v1beta/g-3:generateContent", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1beta/dynamic/d-1:generateContent", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1beta/models/%ff:generateContent", Endpoint::Pass { raw: false }),
            (Method::POST, "/v1beta/models/%z%41:generateContent", google(Api::GeminiGenerate, "%zA", false)),
            (Method::GET, "/v1beta/models", Endpoint::Models),
            (Method::GET, "/v1beta/models/%40p%2Fm", Endpoint::Model("@p/m".into())),
            (Method::GET, "/v1beta/files/f", Endpoint::Pass { raw: false }),
            (Method::POST, "/upload/v1beta/files", Endpoint::Pass { raw: false }),
            (Method::POST, "/v2/chat", Endpoint::Missing),
            (Method::POST, "/v1/rerank", understood(Api::JinaRerank)),
            (Method::POST, "/v2/rerank", understood(Api::CohereRerank)),
            (Method::GET, "/v2/rerank", Endpoint::WrongMethod(WRITE)),
            (Method::POST, "/", Endpoint::WrongMethod(READ)),
            (Method::PUT, "/ready", Endpoint::WrongMethod(READ)),
            (Method::PUT, "/v1/chat/completions", Endpoint::WrongMethod(READ_AND_WRITE)),
            (Method::GET, "/v1/messages", Endpoint::WrongMethod(WRITE)),
            (Method::GET, "/v1/responses", Endpoint::WrongMethod(WRITE)),
            (Method::GET, "/v1/explain", Endpoint::WrongMethod(WRITE)),
            (Method::POST, "/v1/explain/t", Endpoint::WrongMethod(READ)),
            (Method::GET, "/v1beta/models/m:generateContent", Endpoint::WrongMethod(WRITE)),
            (Method::GET, "/v1beta/models/m:8b", Endpoint::Model("m:8b".into())),
            (Method::GET, "/v1/", Endpoint::Missing),
            (Method::GET, "/v1", Endpoint::Missing),
        ] {
            assert_eq!(Endpoint::of(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn every_api_has_its_path() {
        for api in Api::ALL {
            let found = |path: &str, stream: bool| match Endpoint::of(&Method::POST, path) {
                Endpoint::Api(understood) => {
                    assert_eq!((understood.api, understood.stream), (api, stream), "{path}");
                    assert!(Endpoint::Api(understood).reads_body());
                }
                other => {
                    let is_handed_on = matches!(
                        other,
                        Endpoint::Pass { raw: false }
                            | Endpoint::Files(_)
                            | Endpoint::Batches(_)
                            | Endpoint::MessageBatches(MessageBatchPath::All)
                            | Endpoint::FineTunes(TuningPath::All)
                    );
                    assert!(!api.is_understood() && is_handed_on, "{path}: {other:?}");
                }
            };
            match (api.gateway_path(), api.path()) {
                (Some(path), _) => found(&format!("/v1{path}"), false),
                (None, Path::OfModel { verb, stream_verb }) => {
                    found(&format!("/v1beta/models/m:{verb}"), false);
                    stream_verb.into_iter().for_each(|verb| found(&format!("/v1/models/m:{verb}"), true));
                }
                (None, Path::Fixed(path)) if api.is_understood() => found(path, false),
                (None, Path::Fixed(_) | Path::WithModel { .. } | Path::WithModelPath(_)) => {
                    assert!(!api.is_understood(), "{}", api.name())
                }
            }
        }
    }

    #[test]
    fn paths_that_can_be_read_in_two_ways() {
        for path in [
            "/v1/../x",
            "/v1/.",
            "/v1/%2e%2E/x",
            "/v1/.%2e/x",
            "/v1/%252e%252e/x",
            "/v1/..%2fx",
            "/v1/a%5c..%5cb",
            "/v1/..;a/x",
        ] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in ["/v1/models/%40openai%2Fgpt-4.1", "/v1/files/a..b", "/v1/x/...", "/v1/%zz/%", "/v1/100%"]
        {
            assert!(!has_dot_segment(path), "{path}");
        }
    }
}
