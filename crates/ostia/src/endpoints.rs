//! What the gateway answers by itself.

pub mod batches;
pub mod console;
pub mod explain;
pub mod files;
pub mod fine_tunes;
pub mod gateway;
pub mod handed_on;
pub mod logs;
pub mod message_batches;
pub mod models;
pub mod openapi;
pub mod otel;
pub mod page;
pub mod responses;
