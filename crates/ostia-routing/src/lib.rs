//! Whom to ask: routing configs, and the decisions that follow from them.
//!
//! Pure: no I/O, no clock, no randomness, no environment. Nothing here knows what a language model is; a target is
//! a name, a credential and settings, and providers are strings that somebody else looks up.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

pub mod config;
mod spelling;

pub use spelling::nearest;
