//! What requests come to, in the gateway's own words and in Portkey's.

use utoipa::openapi::schema::Type;

use super::{Own, Takes, read};
use crate::endpoints::openapi::Shape;
use crate::endpoints::openapi::shapes::{
    any, costs, list, map, moment, number, object, or_null, percentiles, text, tokens, whole,
};
use crate::inbound::route::{Graph, GroupPath, KeptPath};

const ANALYTICS: &str = "Analytics";
const PORTKEY: &str = "Analytics in Portkey's words";

pub(super) fn analytics() -> Vec<Own> {
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
        let others = [
            ("cost", costs()),
            ("estimated_cost", costs()),
            ("latency_ms", percentiles(&["avg"])),
            ("first_token_ms", percentiles(&[])),
        ];
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
        ("estimated_cost", costs()),
        ("cost_unknown", whole()),
        ("latency_ms", percentiles(&[])),
        ("first_token_ms", percentiles(&[])),
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
    let counts = ["attempts", "input_tokens", "cached_tokens", "missed_tokens", "unpriced_tokens"];
    let others = || [("share", or_null(Type::Number)), ("saved", costs()), ("missed", costs())];
    let sums = || counts.map(|name| (name, whole())).into_iter().chain(others());
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
        ("falls_in_all", whole()),
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

pub(super) fn portkeys() -> Vec<Own> {
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
    let figures = ["hits", "avg_latency", "total_requests", "cache_speedup"].map(|name| (name, number()));
    let cache = object([("object", text())].into_iter().chain(figures));
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
