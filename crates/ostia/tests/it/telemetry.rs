//! OpenTelemetry out and in, and what Prometheus reads.

mod collector;
mod joined;
mod metrics;
mod traces;
