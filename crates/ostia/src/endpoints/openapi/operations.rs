//! What of the gateway's own can be asked for: one row for each method and path.

use ostia_store::EXPORT_FIELDS;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::schema::Type;

use super::shapes::{
    self, KEPT, any, costs, flag, list, map, moment, number, object, of, or_null, page, percentiles, text,
    whole,
};
use super::{JSON, Shape};
use crate::endpoints::logs::parameters::table::{self, Form};
use crate::inbound::route::{ExportPath, Graph, GroupPath, KeptPath};

/// A method at a path.
pub(super) struct Own {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    /// More about it; empty where the summary says all.
    pub(super) about: &'static str,
    pub(super) of: For,
    pub(super) takes: Takes,
    pub(super) body: Option<(&'static str, Shape)>,
    pub(super) answer: Answer,
    /// Statuses of errors besides those for whoever may not ask.
    pub(super) errors: &'static [u16],
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Anybody,
    Clients,
    Operators,
}

/// What may stand in the query.
pub(super) enum Takes {
    Nothing,
    /// The rows of the table that may stand at this path.
    At(KeptPath<'static>),
    /// A few of its own.
    Own(&'static [(&'static str, Form, &'static str)]),
}

/// What is answered.
pub(super) enum Answer {
    /// JSON: what it is, and its shape.
    Json(&'static str, Box<Shape>),
    /// Something else: its media type, and what it is.
    Text(&'static str, &'static str),
}

/// All of them.
pub(super) fn all() -> Vec<Own> {
    [looks(), requests(), exports(), analytics(), portkeys(), feedback(), otel(), gateway(), clients_own()]
        .into_iter()
        .flatten()
        .collect()
}

fn read(
    id: &'static str,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    answer: Shape,
) -> Own {
    Own {
        method: HttpMethod::Get,
        path,
        id,
        tag,
        summary,
        about: "",
        of: For::Operators,
        takes: Takes::Nothing,
        body: None,
        answer: Answer::Json("What was asked for.", Box::new(answer)),
        errors: &[400, 404, 503, 504],
    }
}

const HEALTH: &str = "Health";
const REQUESTS: &str = "Requests";
const ANALYTICS: &str = "Analytics";
const PORTKEY: &str = "Analytics in Portkey's words";
const EXPORTS: &str = "Exports";
const FEEDBACK: &str = "Feedback";
const OTEL: &str = "OpenTelemetry";
const GATEWAY: &str = "Gateway";
const CLIENTS: &str = "Clients' own";

fn looks() -> Vec<Own> {
    let state = || object([("status", text())]);
    let look =
        |id, path, summary| Own { of: For::Anybody, errors: &[], ..read(id, path, HEALTH, summary, state()) };
    vec![
        look("health", "/health", "Is the process alive?"),
        look("health_v1", "/v1/health", "The same, at another path"),
        Own {
            errors: &[503],
            answer: Answer::Json(
                "It takes requests. Where records cannot be written, `records` says so.",
                Box::new(object([
                    ("status", text()),
                    ("records", object([("written", flag()), ("waiting", whole()), ("lost", whole())])),
                ])),
            ),
            ..look("ready", "/ready", "Does it take requests?")
        },
        Own {
            answer: Answer::Json("This document.", Box::new(any())),
            ..look("openapi", "/v1/openapi.json", "This document")
        },
        Own {
            answer: Answer::Text("application/openmetrics-text", "OpenMetrics' text form."),
            errors: &[404],
            ..read("metrics", "/metrics", HEALTH, "What Prometheus asks for", any())
        },
    ]
}

fn requests() -> Vec<Own> {
    let at = |path, own| Own { takes: Takes::At(path), ..own };
    let lines = Answer::Text("application/x-ndjson", "A line of JSON for each request, the newest first.");
    let session = object([
        ("id", text()),
        ("first", moment()),
        ("last", moment()),
        ("requests", whole()),
        ("failed", whole()),
        ("tokens", tokens()),
        ("cost", costs()),
        ("cost_unknown", whole()),
        ("models", list(text())),
    ]);
    let entry = object([("request", any()), ("response", any()), ("metadata", map(any()))]);
    let kept = object([("status", text()), ("message", text()), ("ids", list(text()))]);
    let tree = object([("object", text()), ("trace_id", text()), ("data", list(of(KEPT)))]);
    vec![
        Own {
            about: "In pages, the newest first. With `text`, `searched` tells how many requests were looked at.",
            ..at(
                KeptPath::List,
                read("list_logs", "/v1/logs", REQUESTS, "Requests that were kept", page(of(KEPT))),
            )
        },
        Own {
            method: HttpMethod::Post,
            about: "One, or a list of at most 100. Headers are not kept.",
            body: Some((JSON, entry)),
            errors: &[400, 404, 413, 503],
            ..read("insert_log", "/v1/logs", REQUESTS, "Keeps a request that went another way", kept)
        },
        Own {
            answer: lines,
            ..at(
                KeptPath::Export,
                read("export_logs", "/v1/logs/export", REQUESTS, "All of them, in one answer", any()),
            )
        },
        read("get_log", "/v1/logs/{id}", REQUESTS, "One request, with its bodies", of(KEPT)),
        Own {
            about: "Each request has those below its span in `children`.",
            ..read("get_trace", "/v1/traces/{trace_id}", REQUESTS, "The requests of a trace, as a tree", tree)
        },
        at(
            KeptPath::Sessions,
            read(
                "list_sessions",
                "/v1/sessions",
                REQUESTS,
                "Conversations, and runs of agents",
                page(session),
            ),
        ),
    ]
}

/// Exports as jobs. What an export's `filters` may have, the query of analytics may.
fn exports() -> Vec<Own> {
    let export = || {
        object([
            ("id", text()),
            ("object", text()),
            ("status", shapes::one_of(&["draft", "in_progress", "success", "failed", "stopped"])),
            ("filters", map(any())),
            ("requested_data", list(text())),
            ("description", or_null(Type::String)),
            ("workspace_id", or_null(Type::String)),
            ("created_at", moment()),
            ("last_updated_at", moment()),
            ("total_records", whole()),
            ("bytes", whole()),
            ("error", or_null(Type::String)),
        ])
    };
    let wish = || {
        let filters = table::of(&KeptPath::Exports(ExportPath::Create));
        let filters = filters.flat_map(|row| row.names.iter().map(|name| (*name, shapes::of_form(row.form))));
        object([
            ("filters", object(filters)),
            ("requested_data", list(shapes::one_of(&EXPORT_FIELDS))),
            ("description", text()),
            ("workspace_id", text()),
        ])
    };
    let made = || object([("id", text()), ("total", whole()), ("object", text())]);
    let done = || object([("message", text()), ("object", text())]);
    let all = object([("object", text()), ("total", whole()), ("data", list(export()))]);
    let post = |own: Own| Own { method: HttpMethod::Post, ..own };
    let read = |id, path, summary, shape| Own {
        errors: &[404, 409, 503],
        ..read(id, path, EXPORTS, summary, shape)
    };
    let signed: &[(&str, Form, &str)] = &[
        ("expires", Form::Whole(0, i64::MAX), "Until when it holds, in seconds since 1970."),
        ("signature", Form::Text, "What the address was signed with."),
    ];
    vec![
        Own { errors: &[503], ..read("list_exports", "/v1/logs/exports", "Exports of logs", all) },
        Own {
            about: "It is a draft until it is started. At most 50,000 rows, of `requested_data`; of the whole record where nobody says.",
            body: Some((JSON, wish())),
            errors: &[400, 429, 503],
            ..post(read("create_export", "/v1/logs/exports", "Makes one", made()))
        },
        read("get_export", "/v1/logs/exports/{id}", "How far one is", export()),
        Own {
            method: HttpMethod::Put,
            body: Some((JSON, wish())),
            errors: &[400, 404, 409, 503],
            ..read("update_export", "/v1/logs/exports/{id}", "Changes a draft", made())
        },
        post(read("start_export", "/v1/logs/exports/{id}/start", "Starts it", done())),
        post(read("cancel_export", "/v1/logs/exports/{id}/cancel", "Stops it", done())),
        Own {
            about: "The address holds for an hour, for whoever has it.",
            errors: &[404, 409, 410, 503],
            ..read(
                "download_export",
                "/v1/logs/exports/{id}/download",
                "Where its lines are",
                object([("signed_url", text())]),
            )
        },
        Own {
            of: For::Anybody,
            takes: Takes::Own(signed),
            answer: Answer::Text(LINES, "A line for each request, the newest first."),
            errors: &[403, 409, 410, 503],
            ..read(
                "get_export_content",
                "/v1/logs/exports/{id}/content",
                "Its lines, at a signed address",
                any(),
            )
        },
    ]
}

fn tokens() -> Shape {
    object(["input", "output", "cached"].map(|name| (name, whole())))
}

fn analytics() -> Vec<Own> {
    let counts = [
        "requests",
        "failed",
        "client_left",
        "attempts",
        "failed_attempts",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "attempts_of_unknown_cost",
    ];
    let sums = |more: &[(&'static str, Shape)]| {
        let counts = counts.map(|name| (name, whole()));
        let others = [("cost", costs()), ("latency_ms", percentiles()), ("first_token_ms", percentiles())];
        object(more.iter().cloned().chain(counts).chain(others))
    };
    let summary = object([
        ("object", text()),
        ("from", moment()),
        ("to", moment()),
        ("group_by", text()),
        ("total", sums(&[])),
        ("groups", list(sums(&[("name", text())]))),
    ]);
    let point = object([
        ("timestamp", moment()),
        ("requests", whole()),
        ("failed", whole()),
        ("tokens", tokens()),
        ("cost", costs()),
        ("cost_unknown", whole()),
        ("latency_ms", percentiles()),
        ("first_token_ms", percentiles()),
    ]);
    let line = object([("name", or_null(Type::String)), ("others", whole()), ("points", list(point))]);
    let series = object([
        ("object", text()),
        ("from", moment()),
        ("to", moment()),
        ("step_seconds", whole()),
        ("group_by", or_null(Type::String)),
        ("series", list(line)),
    ]);
    let at = |path, id, place, summary, shape| Own {
        takes: Takes::At(path),
        ..read(id, place, ANALYTICS, summary, shape)
    };
    vec![
        at(KeptPath::Summary, "summary", "/v1/analytics/summary", "What requests come to", summary),
        at(KeptPath::Series, "series", "/v1/analytics/series", "The same, step by step", series),
        Own {
            about: "How much of what models read came from the providers' prompt caches, what that saved, and where a call read less \
                    from the cache than the one before it in its session: what changed, as far as bodies are kept.",
            ..at(
                KeptPath::Cache,
                "prompt_caches",
                "/v1/analytics/cache",
                "What prompt caches save, and where they are missed",
                caches(),
            )
        },
    ]
}

fn caches() -> Shape {
    let counts = || [("attempts", whole()), ("input_tokens", whole()), ("cached_tokens", whole())];
    let sums = || counts().into_iter().chain([("share", number()), ("saved", costs()), ("missed", costs())]);
    let who = [("key", or_null(Type::String)), ("provider", text()), ("model", or_null(Type::String))];
    let place = object([
        ("part", text()),
        ("character", whole()),
        ("token", whole()),
        ("before", or_null(Type::String)),
        ("after", or_null(Type::String)),
    ]);
    let fall = object(who.clone().into_iter().chain([
        ("request", text()),
        ("previous", text()),
        ("session", text()),
        ("started", moment()),
        ("seconds_between", number()),
        ("input_tokens", whole()),
        ("cached_before", whole()),
        ("cached", whole()),
        ("missed", costs()),
        ("reason", text()),
        ("words", text()),
        ("place", place),
    ]));
    object([
        ("object", text()),
        ("from", moment()),
        ("to", moment()),
        ("total", object(sums())),
        ("groups", list(object(who.into_iter().chain(sums())))),
        ("falls", list(fall)),
        ("calls_compared", whole()),
    ])
}

/// Portkey's graphs, with what a point of each has.
const GRAPHS: [(Graph, &str, &str, &str); 17] = [
    (Graph::Requests, "/v1/analytics/graphs/requests", "graph_requests", "total"),
    (Graph::Cost, "/v1/analytics/graphs/cost", "graph_cost", "total, avg: cents"),
    (Graph::Latency, "/v1/analytics/graphs/latency", "graph_latency", "avg, p50, p90, p99: milliseconds"),
    (Graph::Tokens, "/v1/analytics/graphs/tokens", "graph_tokens", "total, avg"),
    (Graph::Users, "/v1/analytics/graphs/users", "graph_users", "total"),
    (Graph::UserRequests, "/v1/analytics/graphs/users/requests", "graph_user_requests", "avg"),
    (Graph::Errors, "/v1/analytics/graphs/errors", "graph_errors", "total"),
    (Graph::ErrorRate, "/v1/analytics/graphs/errors/rate", "graph_error_rate", "rate: percent"),
    (
        Graph::ErrorStacks,
        "/v1/analytics/graphs/errors/stacks",
        "graph_error_stacks",
        "stats: status_code, count",
    ),
    (
        Graph::StatusCodes,
        "/v1/analytics/graphs/errors/status-codes",
        "graph_status_codes",
        "status_code, count",
    ),
    (
        Graph::Rescued,
        "/v1/analytics/graphs/requests/rescued",
        "graph_rescued",
        "retry: retry_success_count, count; fallback",
    ),
    (
        Graph::CacheHitRate,
        "/v1/analytics/graphs/cache/hit-rate",
        "graph_cache_hit_rate",
        "simple_hits, semantic_hits, rate",
    ),
    (Graph::CacheLatency, "/v1/analytics/graphs/cache/latency", "graph_cache_latency", "avg"),
    (Graph::Feedbacks, "/v1/analytics/graphs/feedbacks", "graph_feedbacks", "total"),
    (Graph::FeedbackScores, "/v1/analytics/graphs/feedbacks/scores", "graph_feedback_scores", "score, total"),
    (Graph::FeedbackWeighted, "/v1/analytics/graphs/feedbacks/weighted", "graph_feedback_weighted", "avg"),
    (
        Graph::FeedbackModels,
        "/v1/analytics/graphs/feedbacks/ai-models",
        "graph_feedback_models",
        "ai_model, total, avg_weighted_feedback",
    ),
];

fn portkeys() -> Vec<Own> {
    let graph = || object([("object", text()), ("summary", map(any())), ("data_points", list(map(any())))]);
    let graphs = GRAPHS.into_iter().map(|(graph_of, path, id, about)| Own {
        about,
        takes: Takes::At(KeptPath::Graph(graph_of)),
        ..read(id, path, PORTKEY, "A graph, by its points", graph())
    });
    let groups = || object([("object", text()), ("total", whole()), ("data", list(map(any())))]);
    let group = |id, path, by| Own {
        takes: Takes::At(KeptPath::Group(by)),
        ..read(id, path, PORTKEY, "Requests put together", groups())
    };
    let cache =
        object(["hits", "avg_latency", "total_requests", "cache_speedup"].map(|name| (name, number())));
    graphs
        .chain([
            group("group_users", "/v1/analytics/groups/users", GroupPath::Users),
            group("group_models", "/v1/analytics/groups/ai-models", GroupPath::Models),
            group("group_providers", "/v1/analytics/groups/provider", GroupPath::Provider),
            group("group_workspaces", "/v1/analytics/groups/workspaces", GroupPath::Workspaces),
            group("group_metadata", "/v1/analytics/groups/metadata/{name}", GroupPath::Metadata("name")),
            Own {
                takes: Takes::At(KeptPath::CacheSummary),
                ..read(
                    "summary_cache",
                    "/v1/analytics/summary/cache",
                    PORTKEY,
                    "Hits of the cache of answers",
                    cache,
                )
            },
        ])
        .collect()
}

fn feedback() -> Vec<Own> {
    let fields = || object([("value", whole()), ("weight", number()), ("metadata", map(any()))]);
    let entry =
        object([("trace_id", text()), ("value", whole()), ("weight", number()), ("metadata", map(any()))]);
    let kept = || object([("status", text()), ("message", text()), ("feedback_ids", list(text()))]);
    vec![
        Own {
            method: HttpMethod::Post,
            about: "One, or a list of at most 100, which is kept as a whole or not at all.",
            of: For::Clients,
            body: Some((JSON, entry)),
            errors: &[400, 404, 413, 503],
            ..read("create_feedback", "/v1/feedback", FEEDBACK, "What is thought of a trace", kept())
        },
        Own {
            method: HttpMethod::Put,
            of: For::Clients,
            body: Some((JSON, fields())),
            errors: &[400, 404, 413, 503],
            ..read("update_feedback", "/v1/feedback/{id}", FEEDBACK, "Changes it", kept())
        },
    ]
}

fn otel() -> Vec<Own> {
    let taken = || object([("partialSuccess", map(any()))]);
    let send = |id, path, summary| Own {
        method: HttpMethod::Post,
        about: "A message of OTLP, as protobuf (application/x-protobuf) or as JSON; the answer comes in the same form.",
        of: For::Clients,
        body: Some((JSON, map(any()))),
        errors: &[400, 413, 415, 503],
        ..read(id, path, OTEL, summary, taken())
    };
    vec![
        send("send_spans", "/v1/otel/v1/traces", "Keeps an application's own spans"),
        send("send_span_logs", "/v1/otel/v1/logs", "Keeps what an application logged within a trace"),
    ]
}

fn gateway() -> Vec<Own> {
    let since: &[(&str, Form, &str)] =
        &[("since", Form::Age, "What counts as of late, like 15m; 1h where nobody says.")];
    let provider = object([
        ("id", text()),
        ("name", text()),
        ("host", or_null(Type::String)),
        ("apis", list(text())),
        ("configured", flag()),
        ("models", whole()),
        ("key", map(any())),
        ("recent", any()),
    ]);
    let providers = object([
        ("object", text()),
        ("since_ms", whole()),
        ("data", list(provider)),
        ("breakers", list(map(any()))),
        ("default_provider", or_null(Type::String)),
    ]);
    let config = object([("in_force", any()), ("written", any()), ("problems", any()), ("catalogue", any())]);
    vec![
        Own {
            takes: Takes::Own(since),
            errors: &[400],
            ..read(
                "gateway_providers",
                "/v1/gateway/providers",
                GATEWAY,
                "Providers, their keys and how they fare",
                providers,
            )
        },
        Own {
            errors: &[400],
            ..read(
                "gateway_config",
                "/v1/gateway/config",
                GATEWAY,
                "The configuration in force, without secrets",
                config,
            )
        },
    ]
}

fn clients_own() -> Vec<Own> {
    let client = |own: Own| Own { of: For::Clients, ..own };
    let explained = object([
        ("trace_id", text()),
        ("provider", text()),
        ("status", whole()),
        ("dropped", list(text())),
        ("usage", map(whole())),
        ("finish_reason", text()),
        ("first_token_ms", whole()),
        ("decisions", any()),
    ]);
    let dry = object([("request", any()), ("config", any()), ("path", text()), ("metadata", map(text()))]);
    let dry_run = object([("result", text()), ("calls", list(map(any()))), ("warnings", list(text()))]);
    let models = || object([("object", text()), ("data", list(map(any())))]);
    let all = [
        Own {
            errors: &[404],
            ..read("explain", "/v1/explain/{trace_id}", CLIENTS, "How it was decided whom to ask", explained)
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, dry)),
            errors: &[400, 413],
            ..read("dry_run", "/v1/explain", CLIENTS, "How it would be decided; nobody is asked", dry_run)
        },
        Own {
            errors: &[],
            ..read("list_models", "/v1/models", CLIENTS, "Models that can be asked", models())
        },
        Own { errors: &[404], ..read("get_model", "/v1/models/{name}", CLIENTS, "One of them", map(any())) },
    ];
    all.into_iter().chain(files()).chain(batches()).map(client).collect()
}

const LIST: [(&str, Form, &str); 3] = [
    ("after", Form::Text, "The id of the last one of the page before."),
    ("limit", Form::Whole(1, 10_000), "How many a page has."),
    ("order", Form::OneOf(&["asc", "desc"]), "By their age."),
];
const LIST_OF_FILES: [(&str, Form, &str); 4] =
    [LIST[0], LIST[1], LIST[2], ("purpose", Form::OneOf(&["batch", "batch_output"]), "What they are for.")];
const LIST_OF_BATCHES: [(&str, Form, &str); 3] =
    [LIST[0], ("limit", Form::Whole(1, 100), "How many a page has."), LIST[2]];
const OWN_FILES: &str =
    "Files of the gateway's own, in OpenAI's form: those of providers have the same paths.";
const OWN_BATCHES: &str =
    "Batches of the gateway's own, in OpenAI's form: those of providers have the same paths.";
const LINES: &str = "application/jsonl";

fn files() -> Vec<Own> {
    let file = || {
        object([
            ("id", text()),
            ("object", text()),
            ("bytes", whole()),
            ("created_at", whole()),
            ("filename", text()),
            ("purpose", text()),
            ("status", text()),
        ])
    };
    let form = object([("file", text()), ("purpose", text())]);
    let read = |id, path, summary, shape| Own {
        about: OWN_FILES,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_FILES),
            ..read("list_files", "/v1/files", "Files", stored_list(file()))
        },
        Own {
            method: HttpMethod::Post,
            body: Some(("multipart/form-data", form)),
            errors: &[400, 413, 429, 503],
            ..read("upload_file", "/v1/files", "Uploads rows of a batch", file())
        },
        read("get_file", "/v1/files/{id}", "One of them", file()),
        Own {
            method: HttpMethod::Delete,
            errors: &[404, 409, 503],
            ..read(
                "delete_file",
                "/v1/files/{id}",
                "Deletes it",
                object([("id", text()), ("deleted", flag())]),
            )
        },
        Own {
            answer: Answer::Text(LINES, "Its rows."),
            ..read("get_file_content", "/v1/files/{id}/content", "What is in it", any())
        },
    ]
}

fn batches() -> Vec<Own> {
    let batch = || {
        object([
            ("id", text()),
            ("object", text()),
            ("endpoint", text()),
            ("status", text()),
            ("input_file_id", text()),
            ("output_file_id", or_null(Type::String)),
            ("error_file_id", or_null(Type::String)),
            ("completion_window", text()),
            ("created_at", whole()),
            ("request_counts", object(["total", "completed", "failed"].map(|name| (name, whole())))),
            ("metadata", any()),
        ])
    };
    let order = object([
        ("input_file_id", text()),
        ("endpoint", text()),
        ("completion_window", text()),
        ("metadata", map(text())),
        ("ostia_options", map(any())),
        ("portkey_options", map(any())),
    ]);
    let read = |id, path, summary, shape| Own {
        about: OWN_BATCHES,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_BATCHES),
            ..read("list_batches", "/v1/batches", "Batches", stored_list(batch()))
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, order)),
            errors: &[400, 404, 429, 503],
            ..read("create_batch", "/v1/batches", "Has the rows of a file asked", batch())
        },
        read("get_batch", "/v1/batches/{id}", "One of them", batch()),
        Own {
            method: HttpMethod::Post,
            ..read("cancel_batch", "/v1/batches/{id}/cancel", "Gives it up", batch())
        },
        Own {
            answer: Answer::Text(LINES, "A row for each that was answered."),
            errors: &[404, 409, 503],
            ..read("get_batch_output", "/v1/batches/{id}/output", "What came of its rows", any())
        },
    ]
}

fn stored_list(of: Shape) -> Shape {
    object([
        ("object", text()),
        ("first_id", or_null(Type::String)),
        ("last_id", or_null(Type::String)),
        ("has_more", flag()),
        ("data", list(of)),
    ])
}
