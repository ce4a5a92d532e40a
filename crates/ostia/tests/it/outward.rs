//! How the gateway connects to others: private authorities, client certificates.

mod authority;
mod certificates;
mod front;
