//! `GET /v1/models` where nobody is named, and `GET /v1/models/@provider/model`: the models of the configured providers.

use http::Response;
use ostia_dialect::json::Writer;
use ostia_dialect::{Fault, FaultKind};

use crate::core::Core;
use crate::errors::reply;
use crate::message::body::Body;

/// The models that the operator listed under each provider, as `@provider/model`.
pub fn list(core: &Core) -> Response<Body> {
    let mut configured: Vec<_> = core.settings.configured.iter().collect();
    configured.sort_unstable_by_key(|(id, _)| id.as_str());
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.field_str("object", "list");
        w.field_array("data", |w| {
            for (id, provider) in configured {
                for model in &provider.models {
                    w.object(|w| describe(w, id, &format!("@{id}/{model}")));
                }
            }
        });
    });
    reply::json(w.into_bytes())
}

/// One of them.
///
/// # Errors
/// 404 for a name that is not in the list.
pub fn one(core: &Core, name: &str) -> Result<Response<Body>, Fault> {
    let parts = name.strip_prefix('@').and_then(|name| name.split_once('/'));
    let is_listed = |(id, model): &(&str, &str)| {
        let listed = core.settings.configured.get(*id);
        listed.is_some_and(|listed| listed.models.iter().any(|listed| listed == model))
    };
    let Some((id, _)) = parts.filter(is_listed) else {
        let message = format!("There is no model `{name}` in the list of GET /v1/models.");
        return Err(Fault::new(FaultKind::NotFound, message)
            .with_param("model")
            .with_code("model_not_found"));
    };
    let mut w = Writer::with_capacity(128);
    w.object(|w| describe(w, id, name));
    Ok(reply::json(w.into_bytes()))
}

/// The fields of a model (<https://platform.openai.com/docs/api-reference/models/object>).
fn describe(w: &mut Writer, provider: &str, name: &str) {
    w.field_str("id", name);
    w.field_str("object", "model");
    w.field_u64("created", 0);
    w.field_str("owned_by", provider);
}
