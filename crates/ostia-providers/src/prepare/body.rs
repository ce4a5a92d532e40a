//! What stands otherwise in the bodies of an API at one provider (a cloud's version in place of the model).

use bytes::Bytes;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::relay::Splice;
use ostia_dialect::{Api, Fault};
use serde_json::Value;

use super::Recipient;
use crate::settings::fill;

/// The body as the provider has it; `None` where it is as everywhere.
pub(super) fn edited(body: &[u8], api: Api, recipient: &Recipient<'_>) -> Result<Option<Bytes>, Fault> {
    let Some(edits) = recipient.provider.body.get(&api) else { return Ok(None) };
    let document = Document::parse_to(body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
    let mut splice = Splice::new(&document)?;
    edits.without.iter().for_each(|name| splice.remove(name));
    for (name, template) in &edits.set {
        let value = fill(template, |setting| recipient.values.get(setting));
        // A setting that a call may go without leaves no field.
        if value == *template || !value.is_empty() {
            splice.set(name, Json::from_value(&Value::from(value.as_ref())));
        }
    }
    Ok(splice.is_changed().then(|| Bytes::from(splice.finish())))
}
