//! Oracle Cloud's signing keys: opened once, and then kept as what they can do.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use ostia_providers::auth::source::oracle::OracleSource;
use ostia_providers::auth::{Credential, OracleKey, RsaSha256};

use super::fetch::Fetcher;
use super::net::Reach;
use super::slot::Fetched;
use super::{Failure, jwt};

/// Opens the key. Nobody is asked for anything.
///
/// # Errors
/// The PEM holds no RSA key.
#[allow(clippy::unused_async)] // The other clouds' are fetched.
pub async fn fetch(_: &Fetcher, source: &OracleSource, _: Reach) -> Result<Fetched, Failure> {
    let key = jwt::key(source.private_key.expose())?;
    let sign = move |text: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
        Some(signature)
    };
    let key = OracleKey { key_id: source.key_id.clone(), signer: RsaSha256::new(sign) };
    Ok(Fetched { credential: Credential::Oracle(key), ends: None })
}
