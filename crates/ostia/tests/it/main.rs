//! The real binary in front of scripted upstreams: what goes over the wire is the evidence.
//!
//! Each test starts its own gateway on a free port of 127.0.0.1 and its own upstreams; nothing leaves the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod agent;
mod agents;
mod amplification;
mod audio;
mod bad_input;
mod batches;
mod bedrock;
mod books;
mod caches;
mod catalogue;
mod chaos;
mod check;
mod cli;
mod clickhouse;
mod clients;
mod clouds;
mod configs;
mod console;
mod doctor;
mod embeddings;
mod encodings;
mod errors;
mod explained;
mod exports;
mod fetch;
mod fronts;
mod gateway;
mod headers;
mod hostile;
mod hostile_answers;
mod http2;
mod https;
mod image_edits;
mod images;
mod import;
mod inlined;
mod invoke;
mod jobs;
mod json_arrays;
mod kept;
mod keys;
mod lifecycle;
mod log;
mod model_names;
mod moderation;
mod newer_catalogue;
mod ollama;
mod openapi;
mod outward;
mod packages;
mod pass_through;
mod paths;
mod postgres;
mod programs;
mod provider_matrix;
mod real_servers;
mod records;
mod refused_bodies;
mod relay;
mod reload;
mod replicate;
mod rerank;
mod results;
mod routing;
mod safety;
mod sagemaker;
mod scenarios;
mod service;
mod sign_in;
mod silence;
mod snippets;
mod store;
mod streams;
mod telemetry;
mod translation;
mod websockets;
mod wire;

/// The events of a stream, without `data: `; comments are left out.
fn data_of(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
}

/// Text as JSON.
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
