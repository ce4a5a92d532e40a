//! How the gateway connects to others: private authorities, client certificates, proxies, HTTP/2.

pub mod authority;
mod certificates;
mod frames;
pub mod front;
mod http2;
mod http2_real;
mod http2_server;
mod proxies;
pub mod proxy;
mod websockets;
