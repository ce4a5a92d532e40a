//! Who may reach a gateway without a key: nobody beyond this machine, unless the operator says so.

use std::net::SocketAddr;

use super::settings::Settings;

/// Beyond loopback anybody could spend the operator's money: there has to be a key, or an explicit word.
///
/// # Errors
/// There is neither: what to do about it.
pub fn refuse_open(address: SocketAddr, settings: &Settings, insecure: bool) -> Result<(), String> {
    if address.ip().is_loopback() || insecure || !settings.gateway_keys.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Ostia does not listen on {address} without authentication: everybody who reaches it could use it.\n\
         Do one of these:\n  \
         - put a key into ostia.yaml:   auth: {{ keys: [\"${{OSTIA_KEY}}\"] }}\n  \
         - listen on this machine only: --listen 127.0.0.1:{}\n  \
         - say that it is meant so:     --insecure",
        address.port()
    ))
}
