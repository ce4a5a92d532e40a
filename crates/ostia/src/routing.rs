//! Whom to ask: configs, and the only loop over attempts.

pub mod course;
pub mod facts;
pub mod rescue;
pub mod routes;
