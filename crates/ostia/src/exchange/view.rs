//! What the client of a translated answer is to see.

use std::time::SystemTime;

use ostia_dialect::RenderOptions;
use ostia_dialect::json::Document;

use crate::exchange::Exchange;

/// What the client of a translated answer is to see.
pub fn view(exchange: Exchange<'_>) -> RenderOptions {
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

/// The view with what a body that is not decoded asks for.
pub fn view_asked_for(view: RenderOptions, document: &Document<'_>) -> RenderOptions {
    let root = document.root();
    let include_usage = root.some("stream_options").is_some_and(|options| {
        Document::parse(options.text().as_bytes()).is_ok_and(|options| {
            options.root().get("include_usage").and_then(|node| node.as_bool()) == Some(true)
        })
    });
    let model =
        if view.model.is_empty() { root.str("model").unwrap_or_default().into_owned() } else { view.model };
    RenderOptions { include_usage, model, ..view }
}
