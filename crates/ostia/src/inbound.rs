//! All that is known of a request: its line, its headers, who sent it, and its body.

pub mod browser;
pub mod call;
pub mod caller;
pub mod credentials;
pub mod intake;
pub mod query;
pub mod route;
