//! Whom to ask: configs, and the only loop over attempts.

pub mod attempt;
pub mod execution;
pub mod facts;
pub mod failover;
pub mod follow;
pub mod pass;
pub mod routes;
pub mod socket;
pub mod streamed;
