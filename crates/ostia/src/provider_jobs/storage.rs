//! Whether rows can be put where a provider reads them, as far as that is known before they are looked at.

use ostia_dialect::batches::{Settings, Storage};
use ostia_dialect::{Api, Fault};
use ostia_providers::auth;

use super::ask;
use crate::inbound::Inbound;
use crate::target;

/// Looks at where the rows of this API's batches or jobs would be stored.
///
/// # Errors
/// 400 for a setting that is missing, wrong or not the client's to choose, and for a credential that the storage does not take.
pub fn check_storage(
    inbound: Inbound<'_>,
    provider: &str,
    api: Api,
    storage: Option<Storage>,
) -> Result<(), Fault> {
    let (Some(storage), core) = (storage, inbound.core) else { return Ok(()) };
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
