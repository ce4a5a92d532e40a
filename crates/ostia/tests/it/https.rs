//! TLS for clients.

pub mod authority;
mod clients;
mod commands;
mod files;
mod handshake;
mod reload;
mod websockets;
