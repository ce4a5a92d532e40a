//! The provider's key, put on a finished request: last, because what is signed does not change any more.

use http::Request;
use http::header;
use ostia_dialect::Fault;
use ostia_providers::{Auth, Provider, auth};
use secrecy::ExposeSecret as _;

use crate::message::fields;
use crate::target::{ClientKey, Key};
use crate::upstream::RequestBody;

/// Puts the key where the provider wants it.
///
/// # Errors
/// 401 for a key that cannot be sent.
pub fn sign(provider: &Provider, key: Key<'_>, request: &mut Request<RequestBody>) -> Result<(), Fault> {
    let (secret, bearer) = match key {
        Key::Client(ClientKey::Header(credential)) => (credential.expose(), credential.as_bearer()),
        Key::Client(ClientKey::Config(secret)) | Key::Operator(secret) => (secret.expose_secret(), None),
    };
    let auth = match provider.oauth_of(secret) {
        Some(oauth) => {
            for (name, value) in &oauth.headers {
                fields::add_members(request.headers_mut(), name.clone(), value);
            }
            &Auth::Bearer
        }
        None => &provider.auth,
    };
    match bearer.filter(|_| *auth == Auth::Bearer) {
        // The client's own header, as it came.
        Some(header) => {
            request.headers_mut().insert(header::AUTHORIZATION, header.clone());
            Ok(())
        }
        None => auth::sign(auth, secret, request),
    }
}
