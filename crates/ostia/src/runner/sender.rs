//! Whoever sent a batch, after a restart: the headers that were kept, and the gateway's own key of the batch's owner.

use http::{HeaderMap, HeaderName, HeaderValue};
use ostia_store::{BatchFault, SECRET_BYTES, StoredBatch};
use secrecy::ExposeSecret as _;

use super::Runner;
use crate::batches::owner::Shown;
use crate::config::keys::GatewayKeys;

/// In which header the key is shown.
const KEY: HeaderName = HeaderName::from_static("x-ostia-api-key");

/// The headers of a batch's rows.
///
/// # Errors
/// They needed more than was kept, or their sender may not call any more.
pub async fn recall(runner: &Runner, batch: &StoredBatch) -> Result<HeaderMap, BatchFault> {
    if !batch.is_whole {
        return Err(BatchFault::new(
            "credentials_lost",
            "The row was not asked: the gateway was restarted, and keys and configs that a client sends are never written to \
             disk. Send the rows that are left in another batch. Batches that the operator's keys serve go on by themselves.",
        ));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &batch.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    if batch.owner == Shown::Nothing.owner(&[0; SECRET_BYTES]) {
        return Ok(headers);
    }
    let keys = &runner.core.get().settings.gateway_keys;
    let key = own_key(runner, keys, &batch.owner).await.ok_or_else(|| {
        BatchFault::new(
            "gateway_key_invalid",
            "The row was not asked: the key of the gateway's own that the batch was made with is none any more.",
        )
    })?;
    headers.insert(KEY, key);
    Ok(headers)
}

async fn own_key(runner: &Runner, keys: &GatewayKeys, owner: &str) -> Option<HeaderValue> {
    let secret = runner.persist(|tables| Ok(*tables.secret())).await;
    let mut keys = (0..keys.len()).filter_map(|place| keys.get(place)).map(|key| key.secret.expose_secret());
    let own = keys.find(|key| Shown::Key(key).owner(&secret) == owner)?;
    let mut value = HeaderValue::from_str(own).ok()?;
    value.set_sensitive(true);
    Some(value)
}
