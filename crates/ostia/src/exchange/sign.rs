//! The provider's key, put on a finished request: last, because what is signed does not change any more.

use std::time::SystemTime;

use http::Request;
use http::header;
use ostia_dialect::Fault;
use ostia_providers::auth::source::{self, Giver};
use ostia_providers::auth::{Payload, Signing};
use ostia_providers::{Auth, Provider, auth};
use secrecy::ExposeSecret as _;

use crate::core::Core;
use crate::credentials::{Holder, Wanted};
use crate::inbound::Inbound;
use crate::message::fields;
use crate::target::{ClientKey, Key, Target};
use crate::upstream::RequestBody;

/// Signs with a credential of a cloud, which may have to be fetched first.
///
/// # Errors
/// 401 or 502 where there is none, 400 for what cannot be signed.
pub async fn sign_with(
    core: &Core,
    target: &Target<'_>,
    wanted: &Wanted,
    request: &mut Request<RequestBody>,
) -> Result<(), Fault> {
    let discloses = core.settings.clients_are_operators() || target.destination.is_clients();
    let held = core.credentials.get(wanted).await.map_err(|failure| failure.fault(discloses))?;
    // Counted, not copied.
    let body = match request.body() {
        RequestBody::Full(body) => Some(body.clone().unwrap_or_default()),
        RequestBody::Passed(_) | RequestBody::Streamed(..) | RequestBody::Pieces(_) => None,
    };
    let payload = body.as_deref().map_or(Payload::Streamed, Payload::Bytes);
    let signing = Signing { region: target.values.get(REGION), time: SystemTime::now(), payload };
    auth::sign_with(&target.provider.auth, &held, signing, request)
}

/// What is given for a key that is shown to somebody else first.
///
/// # Errors
/// 400 for what cannot be meant so.
pub fn exchanged(inbound: Inbound<'_>, provider: &Provider, key: Key<'_>) -> Result<Option<Wanted>, Fault> {
    let (giver, holder, secret) = match key {
        Key::Operator(secret) => (Giver::Operator, Holder::Operator, secret.clone()),
        Key::Client(key) => {
            let secret = match key {
                ClientKey::Header(credential) => credential.expose().into(),
                ClientKey::Config(secret) => secret.clone(),
            };
            (Giver::Client, Holder::Client(inbound.caller.owner), secret)
        }
    };
    let source = source::read(&provider.auth, giver, Some(secret), &|_| None)?;
    Ok(source.map(|source| inbound.core.credentials.wanted(source, holder)))
}

/// The setting with the region that a signature names.
const REGION: &str = "aws_region";

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
