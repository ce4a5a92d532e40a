#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use http::Method;
use ostia_dialect::Api;
use serde_json::Value;

use super::*;
use crate::inbound::route::{
    BatchPath, Endpoint, ExportPath, FilePath, GatewayPath, Graph, GroupPath, KeptPath, OtelPath,
};

fn told() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Methods and paths of the document, with a name in the place of each parameter.
fn asked(document: &Value) -> Vec<(Method, String)> {
    let fill = |path: &str| {
        let part = |part: &str| part.split_once('}').map_or(part.to_owned(), |(_, rest)| format!("x{rest}"));
        path.split('{').map(part).collect::<String>()
    };
    let paths = document["paths"].as_object().unwrap();
    let of_path = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase().parse().unwrap(), fill(path)))
    });
    of_path.collect()
}

/// The name of what is asked for, if it is the gateway's own. A new route has no name here, and so is not forgotten.
fn route(endpoint: &Endpoint<'_>) -> Option<&'static str> {
    Some(match endpoint {
        Endpoint::Health => "health",
        Endpoint::Ready => "ready",
        Endpoint::OpenApi => "openapi",
        Endpoint::Models => "models",
        Endpoint::Model(_) => "model",
        Endpoint::Explain { trace_id: Some(_) } => "explain",
        Endpoint::Explain { trace_id: None } => "dry run",
        Endpoint::Gateway(GatewayPath::Providers) => "providers",
        Endpoint::Gateway(GatewayPath::Config) => "config",
        Endpoint::Files(FilePath::All) => "files",
        Endpoint::Files(FilePath::One(_)) => "file",
        Endpoint::Files(FilePath::Content(_)) => "file content",
        Endpoint::Batches(BatchPath::All) => "batches",
        Endpoint::Batches(BatchPath::One(_)) => "batch",
        Endpoint::Batches(BatchPath::Cancel(_)) => "batch cancel",
        Endpoint::Batches(BatchPath::Output(_)) => "batch output",
        Endpoint::Kept(kept) => kept_route(kept),
        Endpoint::Root
        | Endpoint::Options
        | Endpoint::Console(_)
        | Endpoint::Api(_)
        | Endpoint::Stored
        | Endpoint::Pass { .. }
        | Endpoint::Socket { .. }
        | Endpoint::ResponsesSocket
        | Endpoint::Missing
        | Endpoint::WrongMethod(_) => return None,
    })
}

fn kept_route(kept: &KeptPath<'_>) -> &'static str {
    match kept {
        KeptPath::List => "list",
        KeptPath::Export => "export",
        KeptPath::One(_) => "one",
        KeptPath::Trace(_) => "trace",
        KeptPath::Sessions => "sessions",
        KeptPath::Summary => "summary",
        KeptPath::Series => "series",
        KeptPath::Cache => "cache",
        KeptPath::CacheSummary => "cache summary",
        KeptPath::Feedback => "feedback",
        KeptPath::FeedbackOf(_) => "feedback of",
        KeptPath::Insert => "insert",
        KeptPath::Metrics => "metrics",
        KeptPath::Otel(OtelPath::Traces) => "spans",
        KeptPath::Otel(OtelPath::Logs) => "span logs",
        KeptPath::Exports(ExportPath::List) => "exports",
        KeptPath::Exports(ExportPath::Create) => "new export",
        KeptPath::Exports(ExportPath::One(_)) => "one export",
        KeptPath::Exports(ExportPath::Change(_)) => "change export",
        KeptPath::Exports(ExportPath::Start(_)) => "start export",
        KeptPath::Exports(ExportPath::Cancel(_)) => "cancel export",
        KeptPath::Exports(ExportPath::Download(_)) => "download export",
        KeptPath::Exports(ExportPath::Content(_)) => "export content",
        KeptPath::Group(GroupPath::Users) => "users",
        KeptPath::Group(GroupPath::Models) => "models of",
        KeptPath::Group(GroupPath::Provider) => "provider",
        KeptPath::Group(GroupPath::Workspaces) => "workspaces",
        KeptPath::Group(GroupPath::Metadata(_)) => "metadata",
        KeptPath::Graph(graph) => match graph {
            Graph::Requests => "g requests",
            Graph::Cost => "g cost",
            Graph::Latency => "g latency",
            Graph::Tokens => "g tokens",
            Graph::Users => "g users",
            Graph::UserRequests => "g user requests",
            Graph::Errors => "g errors",
            Graph::ErrorRate => "g error rate",
            Graph::ErrorStacks => "g error stacks",
            Graph::StatusCodes => "g status codes",
            Graph::Rescued => "g rescued",
            Graph::CacheHitRate => "g cache hit rate",
            Graph::CacheLatency => "g cache latency",
            Graph::Feedbacks => "g feedbacks",
            Graph::FeedbackScores => "g feedback scores",
            Graph::FeedbackWeighted => "g feedback weighted",
            Graph::FeedbackModels => "g feedback models",
        },
    }
}

/// How many names [`route`] gives.
const ROUTES: usize = 61;

#[test]
fn every_route_of_the_gateways_own_is_in_it() {
    let document = told();
    let asked = asked(&document);
    let found: BTreeSet<&str> =
        asked.iter().filter_map(|(method, path)| route(&Endpoint::of(method, path))).collect();
    assert_eq!(found.len(), ROUTES, "{found:?}");
    for (method, path) in &asked {
        let endpoint = Endpoint::of(method, path);
        assert!(
            route(&endpoint).is_some() || matches!(endpoint, Endpoint::Api(_)),
            "{method} {path}: {endpoint:?}"
        );
    }
}

#[test]
fn every_api_that_clients_have_is_in_it() {
    let document = told();
    for api in Api::ALL {
        for path in clients::paths(api) {
            let is_api = matches!(Endpoint::of(&Method::POST, &path), Endpoint::Api(_));
            let named = &document["paths"][&path]["post"]["externalDocs"]["url"];
            assert_eq!(named.is_string(), is_api, "{path}");
        }
    }
}

#[test]
fn every_parameter_is_in_it_where_it_may_stand() {
    let document = told();
    for own in operations::all() {
        let Takes::At(path) = &own.takes else { continue };
        let method = serde_json::to_value(&own.method).unwrap();
        let told = &document["paths"][own.path][method.as_str().unwrap()]["parameters"];
        let names = |place: &str| {
            let all = told.as_array().unwrap().iter().filter(|one| one["in"] == place);
            all.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        let taken: BTreeSet<String> =
            table::of(path).flat_map(|row| row.names).map(|name| (*name).to_owned()).collect();
        assert_eq!(names("query"), taken, "{}", own.path);
        assert_eq!(names("path").len(), names_in(own.path).count(), "{}", own.path);
    }
    // Each row has its place.
    let rows = operations::all().into_iter().filter_map(|own| match own.takes {
        Takes::At(path) => Some(table::of(&path).map(|row| row.about).collect::<Vec<_>>()),
        Takes::Nothing | Takes::Own(_) => None,
    });
    let told: BTreeSet<&str> = rows.flatten().collect();
    assert_eq!(told.len(), table::PARAMETERS.len());
}

#[test]
fn what_is_referred_to_is_there() {
    let document = told();
    let text = document.to_string();
    let named: BTreeSet<&str> =
        text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.contains("Record") && named.contains("Attempt"), "{named:?}");
    for name in named {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    let ids: Vec<&str> =
        text.split("\"operationId\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn errors_and_keys_are_told() {
    let document = told();
    let logs = &document["paths"]["/v1/logs"]["get"];
    for status in ["200", "400", "401", "403", "503"] {
        assert!(logs["responses"][status].is_object(), "{status}");
    }
    assert_eq!(logs["security"].as_array().unwrap().len(), 3, "either key, or none where none is needed");
    assert!(document["paths"]["/health"]["get"]["security"].is_null());
}
