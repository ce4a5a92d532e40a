//! Requests that were kept, and what is sent to be kept with them.

use utoipa::openapi::HttpMethod;

use super::{Answer, For, Own, Takes, Words, read};
use crate::endpoints::openapi::JSON;
use crate::endpoints::openapi::shapes::{
    APP_LOG, KEPT, NODE, any, costs, list, map, moment, number, object, of, one_of, page, text, tokens, whole,
};
use crate::inbound::route::KeptPath;

const REQUESTS: &str = "Requests";
const FEEDBACK: &str = "Feedback";
const OTEL: &str = "OpenTelemetry";

pub(super) fn requests() -> Vec<Own> {
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
        ("estimated_cost", costs()),
        ("cost_unknown", whole()),
        ("models", list(text())),
    ]);
    let entry = object([
        ("request", any()),
        ("response", any()),
        ("metadata", map(any())),
        ("cache_status", text()),
        ("cache_type", one_of(&["simple", "semantic"])),
        ("hook_results", any()),
    ]);
    let kept = object([("status", text()), ("message", text()), ("ids", list(text()))]);
    let tree = object([
        ("object", text()),
        ("trace_id", text()),
        ("data", list(of(NODE))),
        ("logs", list(of(APP_LOG))),
    ]);
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
            about: "One, or a list of at most 100. Headers are not kept; what they say of a cache is.",
            body: Some((JSON, entry)),
            errors: &[400, 404, 413, 415, 503],
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
            about: "Its requests, and the spans that applications told of it. Each has those below it in `children`, and in `logs` what was \
                    logged in it; what names none of them stands in `logs` beside the tree.",
            ..read("get_trace", "/v1/traces/{trace_id}", REQUESTS, "A trace, as a tree", tree)
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

pub(super) fn feedback() -> Vec<Own> {
    let fields = || object([("value", whole()), ("weight", number()), ("metadata", map(any()))]);
    let entry =
        object([("trace_id", text()), ("value", whole()), ("weight", number()), ("metadata", map(any()))]);
    let kept = || object([("status", text()), ("message", text()), ("feedback_ids", list(text()))]);
    vec![
        Own {
            method: HttpMethod::Post,
            about: "One, or a list of at most 100, which is kept as a whole or not at all.",
            of: For::Both,
            body: Some((JSON, entry)),
            errors: &[400, 404, 413, 415, 503],
            ..read("create_feedback", "/v1/feedback", FEEDBACK, "What is thought of a trace", kept())
        },
        Own {
            method: HttpMethod::Put,
            of: For::Both,
            body: Some((JSON, fields())),
            errors: &[400, 404, 413, 415, 503],
            ..read("update_feedback", "/v1/feedback/{id}", FEEDBACK, "Changes it", kept())
        },
    ]
}

pub(super) fn otel() -> Vec<Own> {
    let taken = || object([("partialSuccess", map(any()))]);
    let send = |id, path, summary| Own {
        method: HttpMethod::Post,
        about: "A message of OTLP, as protobuf (application/x-protobuf) or as JSON; the answer comes in the same form.",
        of: For::Both,
        body: Some((JSON, map(any()))),
        words: Words::Otlp,
        errors: &[400, 404, 413, 415, 503],
        ..read(id, path, OTEL, summary, taken())
    };
    vec![
        send("send_spans", "/v1/otel/v1/traces", "Keeps an application's own spans"),
        send("send_span_logs", "/v1/otel/v1/logs", "Keeps what an application logged within a trace"),
    ]
}
