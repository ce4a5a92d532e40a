//! Paths of what the gateway answers by itself: what was kept, what is in force, files and batches of its own.

use http::Method;

/// Methods, as `Allow` tells them.
pub const READ: &str = "GET, HEAD, OPTIONS";
pub const WRITE: &str = "POST, OPTIONS";
pub const CHANGE: &str = "PUT, OPTIONS";
pub const READ_AND_WRITE: &str = "GET, HEAD, POST, OPTIONS";
pub const READ_AND_CHANGE: &str = "GET, HEAD, PUT, OPTIONS";

/// A path of what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayPath {
    /// `GET /v1/gateway/providers`
    Providers,
    /// `GET /v1/gateway/config`
    Config,
}

impl GatewayPath {
    /// By what stands behind `/v1`.
    pub fn at(rest: &str) -> Option<GatewayPath> {
        match rest {
            "/gateway/providers" => Some(GatewayPath::Providers),
            "/gateway/config" => Some(GatewayPath::Config),
            _ => None,
        }
    }
}

/// A path of what was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptPath<'p> {
    /// `GET /v1/logs`
    List,
    /// `GET /v1/logs/export`
    Export,
    /// `GET /v1/logs/{id}`
    One(&'p str),
    /// `GET /v1/traces/{trace id}`
    Trace(&'p str),
    /// `GET /v1/sessions`
    Sessions,
    /// `GET /v1/analytics/summary`
    Summary,
    /// `GET /v1/analytics/series`
    Series,
    /// `GET /v1/analytics/cache`
    Cache,
    /// `GET /v1/analytics/graphs/...`, as Portkey has them
    Graph(Graph),
    /// `GET /v1/analytics/groups/...`
    Group(GroupPath<&'p str>),
    /// `GET /v1/analytics/summary/cache`
    CacheSummary,
    /// `POST /v1/feedback`
    Feedback,
    /// `PUT /v1/feedback/{id}`
    FeedbackOf(&'p str),
    /// `POST /v1/logs`
    Insert,
    /// `/v1/logs/exports` and below it
    Exports(ExportPath<'p>),
    /// `GET /metrics`
    Metrics,
    /// `POST /v1/otel/v1/...`
    Otel(OtelPath),
}

/// A path of OTLP, below `/v1/otel`, which is what its senders are given for an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtelPath {
    /// `POST /v1/otel/v1/traces`
    Traces,
    /// `POST /v1/otel/v1/logs`
    Logs,
}

/// A path of exports, and what is done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportPath<'p> {
    /// `GET /v1/logs/exports`
    List,
    /// `POST /v1/logs/exports`
    Create,
    /// `GET /v1/logs/exports/{id}`
    One(&'p str),
    /// `PUT /v1/logs/exports/{id}`
    Change(&'p str),
    /// `POST /v1/logs/exports/{id}/start`
    Start(&'p str),
    /// `POST /v1/logs/exports/{id}/cancel`
    Cancel(&'p str),
    /// `GET /v1/logs/exports/{id}/download`
    Download(&'p str),
    /// `GET /v1/logs/exports/{id}/content`
    Content(&'p str),
}

impl<'p> ExportPath<'p> {
    /// By what stands behind `/logs/exports`, for this method; the methods for which there is something, where this is none of them.
    fn of(method: &Method, rest: &'p str) -> Option<Result<ExportPath<'p>, &'static str>> {
        let is_read = method == Method::GET || method == Method::HEAD;
        let (is_post, is_put) = (method == Method::POST, method == Method::PUT);
        let mut parts = rest.split('/');
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) if is_read => Ok(ExportPath::List),
            ("", None, ..) if is_post => Ok(ExportPath::Create),
            ("", None, ..) => Err(READ_AND_WRITE),
            (_, Some("") | None, ..) | (_, _, _, Some(_)) => return None,
            ("", Some(id), None, _) if is_read => Ok(ExportPath::One(id)),
            ("", Some(id), None, _) if is_put => Ok(ExportPath::Change(id)),
            ("", Some(_), None, _) => Err(READ_AND_CHANGE),
            ("", Some(id), Some("start"), None) if is_post => Ok(ExportPath::Start(id)),
            ("", Some(id), Some("cancel"), None) if is_post => Ok(ExportPath::Cancel(id)),
            ("", Some(_), Some("start" | "cancel"), None) => Err(WRITE),
            ("", Some(id), Some("download"), None) if is_read => Ok(ExportPath::Download(id)),
            ("", Some(id), Some("content"), None) if is_read => Ok(ExportPath::Content(id)),
            ("", Some(_), Some("download" | "content"), None) => Err(READ),
            _ => return None,
        })
    }
}

/// Portkey's graphs, by what stands behind `/analytics/graphs/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graph {
    /// `requests`
    Requests,
    /// `cost`
    Cost,
    /// `latency`
    Latency,
    /// `tokens`
    Tokens,
    /// `users`
    Users,
    /// `users/requests`
    UserRequests,
    /// `errors`
    Errors,
    /// `errors/rate`
    ErrorRate,
    /// `errors/stacks`
    ErrorStacks,
    /// `errors/status-codes`
    StatusCodes,
    /// `requests/rescued`
    Rescued,
    /// `cache/hit-rate`
    CacheHitRate,
    /// `cache/latency`
    CacheLatency,
    /// `feedbacks`
    Feedbacks,
    /// `feedbacks/scores`
    FeedbackScores,
    /// `feedbacks/weighted`
    FeedbackWeighted,
    /// `feedbacks/ai-models`
    FeedbackModels,
}

impl Graph {
    fn named(name: &str) -> Option<Graph> {
        Some(match name {
            "requests" => Graph::Requests,
            "cost" => Graph::Cost,
            "latency" => Graph::Latency,
            "tokens" => Graph::Tokens,
            "users" => Graph::Users,
            "users/requests" => Graph::UserRequests,
            "errors" => Graph::Errors,
            "errors/rate" => Graph::ErrorRate,
            "errors/stacks" => Graph::ErrorStacks,
            "errors/status-codes" => Graph::StatusCodes,
            "requests/rescued" => Graph::Rescued,
            "cache/hit-rate" => Graph::CacheHitRate,
            "cache/latency" => Graph::CacheLatency,
            "feedbacks" => Graph::Feedbacks,
            "feedbacks/scores" => Graph::FeedbackScores,
            "feedbacks/weighted" => Graph::FeedbackWeighted,
            "feedbacks/ai-models" => Graph::FeedbackModels,
            _ => return None,
        })
    }
}

/// What Portkey puts requests together by, by what stands behind `/analytics/groups/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPath<T> {
    /// `users`
    Users,
    /// `ai-models`
    Models,
    /// `provider`
    Provider,
    /// `workspaces`
    Workspaces,
    /// `metadata/{name}`
    Metadata(T),
}

impl<'p> GroupPath<&'p str> {
    fn named(name: &'p str) -> Option<GroupPath<&'p str>> {
        Some(match name {
            "users" => GroupPath::Users,
            "ai-models" => GroupPath::Models,
            "provider" => GroupPath::Provider,
            "workspaces" => GroupPath::Workspaces,
            _ => GroupPath::Metadata(name.strip_prefix("metadata/").filter(|name| !name.is_empty())?),
        })
    }
}

impl<'p> KeptPath<'p> {
    /// By what stands behind `/v1`, for this method; the methods for which there is something, where this is none of them.
    pub fn of(method: &Method, rest: &'p str) -> Option<Result<KeptPath<'p>, &'static str>> {
        let is_read = method == Method::GET || method == Method::HEAD;
        if let Some(export) = rest.strip_prefix("/logs/exports").and_then(|rest| ExportPath::of(method, rest))
        {
            return Some(export.map(KeptPath::Exports));
        }
        Some(match (rest, rest.strip_prefix("/feedback/")) {
            ("/logs", _) if method == Method::POST => Ok(KeptPath::Insert),
            ("/logs", _) if !is_read => Err(READ_AND_WRITE),
            ("/feedback", _) if method == Method::POST => Ok(KeptPath::Feedback),
            ("/feedback", _) => Err(WRITE),
            ("/otel/v1/traces", _) if method == Method::POST => Ok(KeptPath::Otel(OtelPath::Traces)),
            ("/otel/v1/logs", _) if method == Method::POST => Ok(KeptPath::Otel(OtelPath::Logs)),
            ("/otel/v1/traces" | "/otel/v1/logs", _) => Err(WRITE),
            (_, Some(id)) if method == Method::PUT && !id.is_empty() => Ok(KeptPath::FeedbackOf(id)),
            (_, Some(_)) => Err(CHANGE),
            _ => KeptPath::at(rest).map(|kept| if is_read { Ok(kept) } else { Err(READ) })?,
        })
    }

    /// What is read there.
    fn at(rest: &'p str) -> Option<KeptPath<'p>> {
        if let Some(graph) = rest.strip_prefix("/analytics/graphs/") {
            return Graph::named(graph).map(KeptPath::Graph);
        }
        if let Some(group) = rest.strip_prefix("/analytics/groups/") {
            return GroupPath::named(group).map(KeptPath::Group);
        }
        let below = |prefix: &str| rest.strip_prefix(prefix).filter(|id| !id.is_empty() && !id.contains('/'));
        match rest {
            "/logs" => Some(KeptPath::List),
            "/logs/export" => Some(KeptPath::Export),
            "/sessions" => Some(KeptPath::Sessions),
            "/analytics/summary" => Some(KeptPath::Summary),
            "/analytics/summary/cache" => Some(KeptPath::CacheSummary),
            "/analytics/series" => Some(KeptPath::Series),
            "/analytics/cache" => Some(KeptPath::Cache),
            _ => below("/logs/").map(KeptPath::One).or_else(|| below("/traces/").map(KeptPath::Trace)),
        }
    }
}

/// A path of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePath<'p> {
    /// `/v1/files`
    All,
    /// `/v1/files/{id}`
    One(&'p str),
    /// `/v1/files/{id}/content`
    Content(&'p str),
}

impl<'p> FilePath<'p> {
    /// The file that it names.
    pub fn id(self) -> Option<&'p str> {
        match self {
            FilePath::All => None,
            FilePath::One(id) | FilePath::Content(id) => Some(id),
        }
    }

    /// By what stands behind `/v1`.
    pub fn at(rest: &'p str) -> Option<FilePath<'p>> {
        let mut parts = rest.strip_prefix("/files")?.split('/');
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) => FilePath::All,
            ("", Some(id), None, _) => FilePath::One(id),
            ("", Some(id), Some("content"), None) => FilePath::Content(id),
            _ => return None,
        })
    }
}

/// A path of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchPath<'p> {
    /// `/v1/batches`
    All,
    /// `/v1/batches/{id}`
    One(&'p str),
    /// `/v1/batches/{id}/cancel`
    Cancel(&'p str),
    /// `/v1/batches/{id}/output`
    Output(&'p str),
}

impl<'p> BatchPath<'p> {
    /// The batch that it names.
    pub fn id(self) -> Option<&'p str> {
        match self {
            BatchPath::All => None,
            BatchPath::One(id) | BatchPath::Cancel(id) | BatchPath::Output(id) => Some(id),
        }
    }

    /// By what stands behind `/v1`.
    pub fn at(rest: &'p str) -> Option<BatchPath<'p>> {
        let mut parts = rest.strip_prefix("/batches")?.split('/');
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) => BatchPath::All,
            ("", Some(id), None, _) => BatchPath::One(id),
            ("", Some(id), Some("cancel"), None) => BatchPath::Cancel(id),
            ("", Some(id), Some("output"), None) => BatchPath::Output(id),
            _ => return None,
        })
    }
}

/// A path of Anthropic's message batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageBatchPath<'p> {
    /// `/v1/messages/batches`
    All,
    /// `/v1/messages/batches/{id}`
    One(&'p str),
    /// `/v1/messages/batches/{id}/cancel`
    Cancel(&'p str),
    /// `/v1/messages/batches/{id}/results`
    Results(&'p str),
}

impl<'p> MessageBatchPath<'p> {
    /// The batch that it names.
    pub fn id(self) -> Option<&'p str> {
        match self {
            MessageBatchPath::All => None,
            MessageBatchPath::One(id) | MessageBatchPath::Cancel(id) | MessageBatchPath::Results(id) => {
                Some(id)
            }
        }
    }

    /// By what stands behind `/v1`.
    pub fn at(rest: &'p str) -> Option<MessageBatchPath<'p>> {
        let mut parts = rest.strip_prefix("/messages/batches")?.split('/');
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) => MessageBatchPath::All,
            ("", Some(id), None, _) => MessageBatchPath::One(id),
            ("", Some(id), Some("cancel"), None) => MessageBatchPath::Cancel(id),
            ("", Some(id), Some("results"), None) => MessageBatchPath::Results(id),
            _ => return None,
        })
    }
}

/// A path of jobs that train models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TuningPath<'p> {
    /// `/v1/fine_tuning/jobs`
    All,
    /// `/v1/fine_tuning/jobs/{id}`
    One(&'p str),
    /// `/v1/fine_tuning/jobs/{id}/cancel`
    Cancel(&'p str),
    /// `/v1/fine_tuning/jobs/{id}/events`
    Events(&'p str),
    /// `/v1/fine_tuning/jobs/{id}/checkpoints`
    Checkpoints(&'p str),
    /// Whatever else stands below one, as `/v1/fine_tuning/jobs/{id}/pause`.
    Other(&'p str),
}

impl<'p> TuningPath<'p> {
    /// The job that it names.
    pub fn id(self) -> Option<&'p str> {
        match self {
            TuningPath::All => None,
            TuningPath::One(id)
            | TuningPath::Cancel(id)
            | TuningPath::Events(id)
            | TuningPath::Checkpoints(id)
            | TuningPath::Other(id) => Some(id),
        }
    }

    /// By what stands behind `/v1`.
    pub fn at(rest: &'p str) -> Option<TuningPath<'p>> {
        let mut parts = rest.strip_prefix("/fine_tuning/jobs")?.split('/');
        Some(match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) => TuningPath::All,
            ("", Some(""), ..) => return None,
            ("", Some(id), None, _) => TuningPath::One(id),
            ("", Some(id), Some("cancel"), None) => TuningPath::Cancel(id),
            ("", Some(id), Some("events"), None) => TuningPath::Events(id),
            ("", Some(id), Some("checkpoints"), None) => TuningPath::Checkpoints(id),
            ("", Some(id), Some(_), _) => TuningPath::Other(id),
            _ => return None,
        })
    }
}
