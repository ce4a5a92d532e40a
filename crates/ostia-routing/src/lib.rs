//! Whom to ask: routing configs, and the decisions that follow from them.
//!
//! Pure: no I/O, no clock, no randomness, no environment. Nothing here asks a model or reads a wire format: a target is a
//! name, a credential and settings, and providers are strings that somebody else looks up. Of language models it knows
//! words only: the names of fields in configs, kinds of failure, an estimate of tokens that it is given.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

mod balance;
mod breaker;
pub mod condition;
pub mod config;
mod hash;
pub mod keys;
mod outcome;
pub mod plan;
mod problem;
pub mod record;
mod retry;
mod route;
mod spelling;
mod state;
mod time;

pub use condition::{Fact, Facts};
pub use outcome::{Class, Limit, Outcome, Verdict};
pub use plan::Plan;
pub use record::{History, Record};
pub use retry::told_wait;
pub use route::{Author, Leaf, ROUTE_BYTES_MAX, Route};
pub use spelling::nearest;
pub use state::State;
pub use time::Time;
