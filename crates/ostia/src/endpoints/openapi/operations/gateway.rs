//! How it fares: for probes, for Prometheus and for operators.

use utoipa::openapi::schema::Type;

use super::{Answer, For, Own, Takes, read};
use crate::endpoints::logs::parameters::table::Form;
use crate::endpoints::openapi::shapes::{any, flag, list, map, object, or_null, text, whole};

const HEALTH: &str = "Health";
const GATEWAY: &str = "Gateway";

pub(super) fn health() -> Vec<Own> {
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
            errors: &[],
            ..read("metrics", "/metrics", HEALTH, "What Prometheus asks for", any())
        },
    ]
}

pub(super) fn gateway() -> Vec<Own> {
    let since: &[(&str, Form, &str)] =
        &[("since", Form::Age, "What counts as of late, like 15m; 1h where nobody says.")];
    let provider = object([
        ("id", text()),
        ("name", text()),
        ("host", or_null(Type::String)),
        ("apis", list(text())),
        ("docs", or_null(Type::String)),
        ("retired", or_null(Type::String)),
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
    let config = object([
        ("object", text()),
        ("version", text()),
        ("file", or_null(Type::String)),
        ("in_force", any()),
        ("written", any()),
        ("problems", any()),
        ("catalogue", any()),
    ]);
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
