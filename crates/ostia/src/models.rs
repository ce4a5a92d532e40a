//! `GET /v1/models` where nobody is named: every model of the configured providers.

use http::Response;
use ostia_dialect::json::Writer;

use crate::body::Body;
use crate::core::Core;
use crate::reply;

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
                    w.object(|w| {
                        w.field_str("id", &format!("@{id}/{model}"));
                        w.field_str("object", "model");
                        w.field_u64("created", 0);
                        w.field_str("owned_by", id);
                    });
                }
            }
        });
    });
    reply::json(w.into_bytes())
}
