//! The fields without which a call makes no sense, checked before anybody is asked.

use ostia_dialect::Fault;
use ostia_dialect::api::Required;

use super::{ApiCall, Recipient};

/// What SDKs send as the model when they were given none.
pub(super) const NO_MODEL: &str = "portkey-default";

/// Checks a body that is relayed.
///
/// # Errors
/// 400 that names the field.
pub(super) fn check(call: &ApiCall<'_>, recipient: &Recipient<'_>) -> Result<(), Fault> {
    // Of a form that is handed on while it comes the model may stand behind the file.
    if call.path.is_some() || call.is_partial() {
        return Ok(());
    }
    let root = call.document.root();
    let model = root.str("model");
    let is_given = match model.as_deref() {
        Some(NO_MODEL) => false,
        Some("") => !recipient.checks_body,
        None => !recipient.checks_body || call.api.has_default_model(),
        Some(_) => true,
    };
    if !is_given && recipient.model.is_none() {
        return Err(no_model());
    }
    if !recipient.checks_body {
        return Ok(());
    }
    match call.api.required() {
        Required::List { field, item } => {
            let list = root.expect(field)?;
            list.expect_items()?;
            if list.text().trim_matches(['[', ']']).trim_ascii().is_empty() {
                return Err(list.invalid(format!("must hold at least one {item}")));
            }
            Ok(())
        }
        Required::Field(field) => root.expect(field).map(|_| ()),
        Required::Nothing => Ok(()),
    }
}

/// Nobody says which model to ask.
pub(super) fn no_model() -> Fault {
    Fault::invalid("Missing `model`: say which model to ask, for example \"model\": \"gpt-4o-mini\".")
        .with_param("model")
        .with_code("model_missing")
}
