//! `GET /v1/gateway/config`: the configuration as it is in force, as the file says it, and what is doubtful about it.

use std::rc::Rc;
use std::time::Duration;

use ostia_config::AllowedOrigin;
use ostia_dialect::Fault;
use serde_json::{Value, json};

use super::super::logs::parameters;
use crate::config::keys::GatewayKeys;
use crate::config::settings::Settings;
use crate::core::Core;

/// All of it.
///
/// # Errors
/// 400: it takes no parameter.
pub(super) fn told(core: &Rc<Core>, query: &str) -> Result<Value, Fault> {
    parameters::none(query)?;
    let settings = &core.settings;
    let file = &settings.file;
    let editions = settings.catalog.editions();
    let editions = editions.iter().map(|edition| {
        let source = format!("{:?}", edition.source).to_lowercase();
        json!({"source": source, "version": edition.version, "date": edition.date.to_string()})
    });
    Ok(json!({
        "object": "gateway.config",
        "version": env!("CARGO_PKG_VERSION"),
        "file": file.name,
        "written": file.written,
        "problems": file.problems,
        "in_force": in_force(core),
        "catalogue": editions.collect::<Vec<_>>(),
    }))
}

/// What holds, by the names that the file has for it.
fn in_force(core: &Core) -> Value {
    let settings = &core.settings;
    let Settings { limits, websockets, media, timeouts, named, .. } = &**settings;
    json!({
        "open_to": if settings.loopback { "this machine" } else { "other machines" },
        "tls": settings.tls.is_some(),
        "auth": {"keys": key_names(&settings.gateway_keys), "admin_keys": settings.admin_keys.len()},
        "hosts": settings.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cors": {"origins": settings.origins.iter().map(origin).collect::<Vec<_>>()},
        "default_provider": settings.default_provider,
        "strict_model_names": settings.strict_model_names,
        "config": named.default,
        "configs": named.configs.keys().collect::<Vec<_>>(),
        "aliases": named.aliases.keys().collect::<Vec<_>>(),
        "prices": named.prices.len(),
        "model_checks": settings.model_checks,
        "console": settings.console,
        "timeouts": {
            "connect": time(Some(timeouts.connect)),
            "first_byte": time(Some(timeouts.first_byte)),
            "idle": time(Some(timeouts.idle)),
            "total": time(Some(timeouts.total)),
            "keep_alive": time(settings.keep_alive),
            "drain": time(Some(settings.drain)),
        },
        "limits": {
            "body_bytes": limits.body_bytes_max,
            "header_bytes": limits.header_bytes_max,
            "connections": limits.connections_max,
            "streams": limits.streams_max,
        },
        "websockets": {
            "frame_bytes": websockets.frame_bytes_max,
            "message_bytes": websockets.message_bytes_max,
            "idle": time(Some(websockets.idle)),
            "total": time(Some(websockets.total)),
        },
        "media": {
            "fetch": media.fetch,
            "https_only": media.https_only,
            "file_bytes": media.file_bytes,
            "request_bytes": media.request_bytes,
            "files": media.files,
            "timeout": time(Some(media.timeout)),
        },
        "records": {
            "are_kept": core.readers.is_some(),
            "bodies": settings.bodies_kept.as_str(),
            "body_bytes": settings.body_bytes_kept,
        },
    })
}

/// What the keys are called, or their places.
fn key_names(keys: &GatewayKeys) -> Vec<String> {
    let name = |place: usize| keys.get(place).and_then(|key| key.name.clone());
    (0..keys.len()).map(|place| name(place).unwrap_or_else(|| format!("#{}", place + 1))).collect()
}

fn origin(origin: &AllowedOrigin) -> &str {
    match origin {
        AllowedOrigin::Any => "*",
        AllowedOrigin::This(origin) => origin,
    }
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| "off".to_owned(), |time| humantime::format_duration(time).to_string())
}
