#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use http::Method;
use ostia_dialect::Api;
use serde_json::Value;

use super::*;
use crate::inbound::route::{
    BatchPath, Endpoint, ExportPath, FilePath, GatewayPath, Graph, GroupPath, KeptPath, MessageBatchPath,
    OtelPath, TuningPath,
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

/// Gives each route of the gateway's own a name, from which both [`route`] and [`NAMES`] are made: a new route has no row, which the
/// compiler says, and one with a row that the document does not tell is missed by the test.
macro_rules! routes {
    ($($route:pat => $name:literal,)+) => {
        const NAMES: &[&str] = &[$($name),+];

        /// The name of what is asked for, if it is the gateway's own.
        fn route(endpoint: &Endpoint<'_>) -> Option<&'static str> {
            Some(match endpoint {
                $($route => $name,)+
                Endpoint::Root
                | Endpoint::Options
                | Endpoint::Console(_)
                | Endpoint::Api(_)
                | Endpoint::Stored
                | Endpoint::FineTunes(TuningPath::Other(_))
                | Endpoint::Pass { .. }
                | Endpoint::Socket { .. }
                | Endpoint::ResponsesSocket
                | Endpoint::Missing
                | Endpoint::WrongMethod(_) => return None,
            })
        }
    };
}

routes! {
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
    Endpoint::MessageBatches(MessageBatchPath::All) => "message batches",
    Endpoint::MessageBatches(MessageBatchPath::One(_)) => "message batch",
    Endpoint::MessageBatches(MessageBatchPath::Cancel(_)) => "message batch cancel",
    Endpoint::MessageBatches(MessageBatchPath::Results(_)) => "message batch results",
    Endpoint::FineTunes(TuningPath::All) => "fine-tuning jobs",
    Endpoint::FineTunes(TuningPath::One(_)) => "fine-tuning job",
    Endpoint::FineTunes(TuningPath::Cancel(_)) => "fine-tuning job cancel",
    Endpoint::FineTunes(TuningPath::Events(_)) => "fine-tuning job events",
    Endpoint::FineTunes(TuningPath::Checkpoints(_)) => "fine-tuning job checkpoints",
    Endpoint::Kept(KeptPath::List) => "list",
    Endpoint::Kept(KeptPath::Export) => "export",
    Endpoint::Kept(KeptPath::One(_)) => "one",
    Endpoint::Kept(KeptPath::Trace(_)) => "trace",
    Endpoint::Kept(KeptPath::Sessions) => "sessions",
    Endpoint::Kept(KeptPath::Summary) => "summary",
    Endpoint::Kept(KeptPath::Series) => "series",
    Endpoint::Kept(KeptPath::Cache) => "cache",
    Endpoint::Kept(KeptPath::CacheSummary) => "cache summary",
    Endpoint::Kept(KeptPath::Feedback) => "feedback",
    Endpoint::Kept(KeptPath::FeedbackOf(_)) => "feedback of",
    Endpoint::Kept(KeptPath::Insert) => "insert",
    Endpoint::Kept(KeptPath::Metrics) => "metrics",
    Endpoint::Kept(KeptPath::Otel(OtelPath::Traces)) => "spans",
    Endpoint::Kept(KeptPath::Otel(OtelPath::Logs)) => "span logs",
    Endpoint::Kept(KeptPath::Exports(ExportPath::List)) => "exports",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Create)) => "new export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::One(_))) => "one export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Change(_))) => "change export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Start(_))) => "start export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Cancel(_))) => "cancel export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Download(_))) => "download export",
    Endpoint::Kept(KeptPath::Exports(ExportPath::Content(_))) => "export content",
    Endpoint::Kept(KeptPath::Group(GroupPath::Users)) => "users",
    Endpoint::Kept(KeptPath::Group(GroupPath::Models)) => "models of",
    Endpoint::Kept(KeptPath::Group(GroupPath::Provider)) => "provider",
    Endpoint::Kept(KeptPath::Group(GroupPath::Workspaces)) => "workspaces",
    Endpoint::Kept(KeptPath::Group(GroupPath::Metadata(_))) => "metadata",
    Endpoint::Kept(KeptPath::Graph(Graph::Requests)) => "g requests",
    Endpoint::Kept(KeptPath::Graph(Graph::Cost)) => "g cost",
    Endpoint::Kept(KeptPath::Graph(Graph::Latency)) => "g latency",
    Endpoint::Kept(KeptPath::Graph(Graph::Tokens)) => "g tokens",
    Endpoint::Kept(KeptPath::Graph(Graph::Users)) => "g users",
    Endpoint::Kept(KeptPath::Graph(Graph::UserRequests)) => "g user requests",
    Endpoint::Kept(KeptPath::Graph(Graph::Errors)) => "g errors",
    Endpoint::Kept(KeptPath::Graph(Graph::ErrorRate)) => "g error rate",
    Endpoint::Kept(KeptPath::Graph(Graph::ErrorStacks)) => "g error stacks",
    Endpoint::Kept(KeptPath::Graph(Graph::StatusCodes)) => "g status codes",
    Endpoint::Kept(KeptPath::Graph(Graph::Rescued)) => "g rescued",
    Endpoint::Kept(KeptPath::Graph(Graph::CacheHitRate)) => "g cache hit rate",
    Endpoint::Kept(KeptPath::Graph(Graph::CacheLatency)) => "g cache latency",
    Endpoint::Kept(KeptPath::Graph(Graph::Feedbacks)) => "g feedbacks",
    Endpoint::Kept(KeptPath::Graph(Graph::FeedbackScores)) => "g feedback scores",
    Endpoint::Kept(KeptPath::Graph(Graph::FeedbackWeighted)) => "g feedback weighted",
    Endpoint::Kept(KeptPath::Graph(Graph::FeedbackModels)) => "g feedback models",
}

#[test]
fn every_route_of_the_gateways_own_is_in_it() {
    let document = told();
    let asked = asked(&document);
    let found: BTreeSet<&str> =
        asked.iter().filter_map(|(method, path)| route(&Endpoint::of(method, path))).collect();
    assert_eq!(found, NAMES.iter().copied().collect());
    assert_eq!(found.len(), NAMES.len(), "two routes have one name");
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
