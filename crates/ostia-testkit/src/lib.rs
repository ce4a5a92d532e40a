//! What tests of the gateway need around it: an upstream that does what a script says, over real sockets; every way to
//! cut bytes; and answers in the vendors' documented shapes.
//!
//! Everything here runs on blocking threads of its own, so that a fault in the gateway's runtime cannot hide one here.
//! Nothing leaves the machine: servers listen on 127.0.0.1 only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a broken test set-up ends the test

mod answer;
pub mod event_stream;
mod gate;
pub mod model;
pub mod postgres;
mod request;
pub mod split;
pub mod strict;
mod upstream;
pub mod vendor;

pub use answer::{Answer, Framing, Step, gzip};
pub use gate::Gate;
pub use postgres::Postgres;
pub use request::Request;
pub use upstream::{Upstream, dead_address};
