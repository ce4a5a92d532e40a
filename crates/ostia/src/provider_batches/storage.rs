//! Whether a batch can be made at all, as far as that is known before its rows are looked at.

use ostia_dialect::batches::{BatchForm, Settings};
use ostia_dialect::{Api, Fault};
use ostia_providers::auth;

use crate::inbound::Inbound;
use crate::provider_jobs::ask;
use crate::target;

/// Looks at the number of rows, at what the paths of its requests need, and at where rows would be stored.
///
/// # Errors
/// 400 for too few rows, for a setting that is missing, wrong or not the client's to choose, and for a credential that the storage does
/// not take.
pub fn check(
    inbound: Inbound<'_>,
    provider: &str,
    (api, form): (Api, &BatchForm),
    rows: u64,
) -> Result<(), Fault> {
    if rows < form.rows_min {
        let message = format!(
            "The file has {rows} rows, and the provider's batches have {} at least: put more into one, or have the gateway ask them \
             at once (`completion_window: \"immediate\"`).",
            form.rows_min
        );
        return Err(Fault::invalid(message).with_param("input_file_id").with_code("too_few_rows"));
    }
    let core = inbound.core;
    ask::at(inbound, provider, Some(api), |target| ask::check_settings(core, target, api))?;
    let Some(storage) = form.storage else { return Ok(()) };
    ask::at(inbound, provider, Some(api), |target| {
        target.refuse_borrowed(core)?;
        target::needs(core, target.provider, &target.values, storage.needed)?;
        (storage.check)(Settings(target.values.all()))
    })?;
    ask::at(inbound, provider, Some(storage.api), |target| {
        // A part of the name of the provider's host may make that the client's, and leave the storage's the operator's.
        target.refuse_borrowed(core)?;
        match target.credential.is_none() && target.provider.auth.takes_no_key() {
            true => Err(auth::no_pair()),
            false => Ok(()),
        }
    })
}
