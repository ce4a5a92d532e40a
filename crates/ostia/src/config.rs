//! The operator's decisions: read, checked, and ready for all cores.

mod cache;
pub mod catalog;
pub mod exposure;
pub mod files;
pub mod hosts;
pub mod keys;
pub mod load;
pub mod lookup;
pub mod otlp;
pub mod provider_keys;
pub mod providers;
pub mod record_server;
pub mod routes;
pub mod settings;
pub mod tls;
pub mod transports;
