//! Files of other gateways, known by the fields at their top: whoever brings one is told how to have it translated.

use crate::reader::Item;
use crate::{Code, Problem};

/// A gateway whose files can be imported.
struct Gateway {
    name: &'static str,
    /// Fields at the top that only its files have.
    fields: &'static [&'static str],
    hint: &'static str,
}

static GATEWAYS: [Gateway; 2] = [
    // https://docs.litellm.ai/docs/proxy/config_settings
    Gateway {
        name: "LiteLLM",
        fields: &["model_list", "litellm_params", "litellm_settings", "general_settings", "router_settings"],
        hint: "`ostia import litellm FILE` translates it",
    },
    // https://portkey.ai/docs/api-reference/inference-api/config-object
    Gateway {
        name: "Portkey",
        fields: &[
            "strategy",
            "targets",
            "virtual_key",
            "virtual_keys",
            "virtualKey",
            "override_params",
            "custom_host",
        ],
        hint: "`ostia import portkey FILE` translates it; a routing config of your own stands under `configs:` with a name",
    },
];

/// What is said of a file of another gateway. One that has a section of ours is ours.
pub(crate) fn recognise(root: &Item<'_>) -> Option<Problem> {
    if root.shape.fields().iter().any(|(name, ..)| root.has(name)) {
        return None;
    }
    let (gateway, field) = GATEWAYS.iter().find_map(|gateway| {
        let field = gateway.fields.iter().find_map(|name| root.field_named(name))?;
        Some((gateway, field))
    })?;
    let message = format!("is a field of {}: this file is not in Ostia's form", gateway.name);
    let hint = Some(gateway.hint.to_owned());
    Some(Problem { place: field.key_place(), code: Code::ForeignFile, message, hint })
}
