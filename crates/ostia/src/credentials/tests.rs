#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Credentials from stand-ins of the clouds on this machine, over real sockets.

mod cache;
mod chain;
mod entra;
mod google;
mod load;
mod oracle;
mod roles;

use std::future::Future;

use ostia_providers::auth::source::{Giver, Source, read};
use ostia_providers::{Auth, AwsAuth};
use ostia_testkit::{Answer, Upstream};
use secrecy::ExposeSecret as _;

use super::*;
use crate::log::{Filter, Format};
use crate::upstream::egress::Guard;
use crate::upstream::transport::Transports;

/// Settings or variables.
type Texts = Vec<(&'static str, String)>;

pub(super) fn texts(given: &[(&'static str, &str)]) -> Texts {
    given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// A gateway's credentials on a machine with these variables and no others.
pub(super) fn on(variables: Texts) -> Credentials {
    let find =
        move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let network = Network { guard: Guard::default(), transports: Transports::default() };
    let (log, _) = Log::new(Filter::default(), Format::Text);
    Credentials::on(Machine::with(find), network, log)
}

pub(super) fn aws() -> Auth {
    Auth::Aws(AwsAuth { service: "bedrock".into(), ..AwsAuth::default() })
}

/// The source that these settings mean.
pub(super) fn source(auth: &Auth, giver: Giver, settings: &Texts) -> Source {
    let look = |name: &str| {
        settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str().into())
    };
    read(auth, giver, None, &look).unwrap().unwrap()
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What comes of a source: `token`, or `id secret session`; or what a client is told in place of it.
pub(super) fn fetched(credentials: &Credentials, source: Source, holder: Holder) -> Result<String, Failure> {
    let wanted = credentials.wanted(source, holder);
    block_on(credentials.get(&wanted)).map(|held| exposed(&held)).map_err(|failure| (*failure).clone())
}

pub(super) fn exposed(credential: &Credential) -> String {
    match credential {
        Credential::Key(secret) | Credential::Token(secret) => secret.expose_secret().to_owned(),
        Credential::Aws(keys) => {
            let token = keys.session_token.as_ref().map_or("-", |token| token.expose_secret());
            format!("{} {} {token}", keys.access_key_id, keys.secret_access_key.expose_secret())
        }
        Credential::Oracle(key) => key.key_id.clone(),
    }
}

/// An answer of a token endpoint.
pub(super) fn token(token: &str, seconds: u64) -> Answer {
    Answer::json(format!(r#"{{"access_token":"{token}","expires_in":{seconds},"token_type":"Bearer"}}"#))
}

/// An application of Entra's whose tenant's endpoint is this server.
pub(super) fn entra(server: &Upstream) -> (Credentials, Source) {
    let settings = texts(&[
        ("azure_entra_tenant_id", "contoso"),
        ("azure_entra_client_id", "app"),
        ("azure_entra_client_secret", "top-secret"),
    ]);
    let credentials = on(texts(&[("AZURE_AUTHORITY_HOST", &server.url())]));
    (credentials, source(&Auth::Azure, Giver::Client, &settings))
}

/// The fields of a form.
pub(super) fn field(form: &str, name: &str) -> String {
    let value = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let value = value.unwrap_or_else(|| panic!("no {name} in {form}")).replace('+', " ");
    percent_encoding::percent_decode_str(&value).decode_utf8().unwrap().into_owned()
}
