//! What the client of a translated answer is to see.

use std::time::SystemTime;

use ostia_dialect::RenderOptions;

use crate::exchange::Exchange;

/// What the client of a translated answer is to see.
pub fn options(exchange: Exchange<'_>) -> RenderOptions {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let target = exchange.target;
    RenderOptions {
        strict: target.strict,
        include_usage: false,
        id_suffix: exchange.inbound.core.new_id(),
        model: target.model.clone().unwrap_or_default(),
        created: now.as_secs(),
        provider: target.provider.id.clone(),
        echo: Vec::new(),
    }
}
