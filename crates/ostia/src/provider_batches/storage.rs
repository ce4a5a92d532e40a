//! Whether a batch can be made at all, as far as that is known before its rows are looked at.

use ostia_dialect::batches::BatchForm;
use ostia_dialect::{Api, Fault};

use crate::inbound::Inbound;
use crate::provider_jobs::{ask, check_storage};

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
    check_storage(inbound, provider, api, form.storage)
}
