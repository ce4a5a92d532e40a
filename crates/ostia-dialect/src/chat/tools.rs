//! Tools, and what becomes of those that a vendor does not have.

pub(crate) mod arguments;
pub mod client_run;
pub mod custom;
pub(crate) mod hosted;
pub(crate) mod namespace;
pub mod schema;
