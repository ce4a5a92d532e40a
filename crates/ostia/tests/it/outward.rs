//! How the gateway connects to others: private authorities, client certificates, proxies.

mod authority;
mod certificates;
mod front;
mod proxies;
mod proxy;
