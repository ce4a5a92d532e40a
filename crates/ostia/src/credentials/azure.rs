//! Access tokens of Entra's: for applications by secret or certificate, for machines and for workloads.
//!
//! `azure_identity` signs with certificates by OpenSSL only, which this gateway has none of, and the rest of it is two forms:
//! so the exchanges are here, as Microsoft describes them.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ostia_providers::auth::source::azure::{AzureIdentity, AzureSource, EntraApp, is_tenant};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::Failure;
use super::fetch::Fetcher;
use super::jwt::{self, Algorithm};
use super::net::{Call, Reach};
use super::slot::Fetched;
use super::token::{self, Token};

const AUTHORITY: &str = "https://login.microsoftonline.com";
const IMDS: &str = "http://169.254.169.254";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion holds.
const ASSERTION_LIFE: Duration = Duration::from_secs(600);
/// How far clocks may be apart.
const SKEW: Duration = Duration::from_secs(300);
const WHERE: &str = "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH, or \
                     AZURE_FEDERATED_TOKEN_FILE), give azure_entra_tenant_id, azure_entra_client_id and \
                     azure_entra_client_secret, or run where Azure gives the machine an identity.";

/// Fetches a token.
///
/// # Errors
/// Why there is none.
pub async fn fetch(fetcher: &Fetcher, source: &AzureSource, reach: Reach) -> Result<Fetched, Failure> {
    let scope = &source.scope;
    let token = match &source.identity {
        AzureIdentity::Secret(app, secret) => {
            by_secret(fetcher, app, &secret.to_secret_string(), scope, reach).await
        }
        AzureIdentity::Certificate(app, pem) => {
            by_certificate(fetcher, app, pem.expose(), scope, reach).await
        }
        AzureIdentity::Managed(client) => managed(fetcher, client.as_deref(), scope).await,
        AzureIdentity::Workload(client) => workload(fetcher, client.as_deref(), scope).await,
        AzureIdentity::Machine => of_machine(fetcher, scope).await,
    };
    token.map(Token::fetched)
}

/// What the machine has: an application in the environment, its workload's identity, its own.
async fn of_machine(fetcher: &Fetcher, scope: &str) -> Result<Token, Failure> {
    let machine = &fetcher.machine;
    let client = machine.variable("AZURE_CLIENT_ID");
    if let (Some(tenant), Some(client)) = (machine.variable("AZURE_TENANT_ID"), client.clone()) {
        let app = EntraApp { tenant, client };
        if let Some(secret) = machine.variable("AZURE_CLIENT_SECRET") {
            return by_secret(fetcher, &app, &secret.into(), scope, Reach::Operator).await;
        }
        if let Some(path) = machine.variable("AZURE_CLIENT_CERTIFICATE_PATH") {
            let pem = machine.file(Path::new(&path))?;
            return by_certificate(fetcher, &app, pem.expose_secret(), scope, Reach::Operator).await;
        }
        if machine.variable("AZURE_FEDERATED_TOKEN_FILE").is_some() {
            return workload(fetcher, None, scope).await;
        }
    }
    managed(fetcher, client.as_deref(), scope).await.map_err(|failure| {
        let words = format!("nothing in the environment, and no managed identity: {}", failure.words);
        Failure::new(failure.kind, words, WHERE)
    })
}

async fn by_secret(
    fetcher: &Fetcher,
    app: &EntraApp,
    secret: &SecretString,
    scope: &str,
    reach: Reach,
) -> Result<Token, Failure> {
    ask(fetcher, app, scope, &[("client_secret", secret.expose_secret())], reach).await
}

/// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>
async fn by_certificate(
    fetcher: &Fetcher,
    app: &EntraApp,
    pem: &str,
    scope: &str,
    reach: Reach,
) -> Result<Token, Failure> {
    let (url, _) = endpoint(fetcher, app, reach)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let header = json!({"typ": "JWT", "x5t#S256": jwt::thumbprint(pem)?});
    let claims = json!({
        "aud": url,
        "iss": app.client,
        "sub": app.client,
        "jti": format!("{:032x}", u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..))),
        "nbf": now.saturating_sub(SKEW).as_secs(),
        "exp": (now + ASSERTION_LIFE).as_secs(),
    });
    let assertion = jwt::sign(Algorithm::Ps256, header, &claims, pem)?;
    by_assertion(fetcher, app, &assertion, scope, reach).await
}

async fn by_assertion(
    fetcher: &Fetcher,
    app: &EntraApp,
    assertion: &str,
    scope: &str,
    reach: Reach,
) -> Result<Token, Failure> {
    let shown = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
    ask(fetcher, app, scope, &shown, reach).await
}

/// The cluster's token for one of Entra's. <https://azure.github.io/azure-workload-identity/docs/>
async fn workload(fetcher: &Fetcher, client: Option<&str>, scope: &str) -> Result<Token, Failure> {
    let machine = &fetcher.machine;
    let set = |name: &str| {
        machine.variable(name).ok_or_else(|| {
            Failure::missing(
                format!("the variable {name} is not set, as it is where Azure gives pods an identity"),
                "Use a service account and a pod with the label azure.workload.identity/use.",
            )
        })
    };
    let client = client.map_or_else(|| set("AZURE_CLIENT_ID"), |client| Ok(client.to_owned()))?;
    let app = EntraApp { tenant: set("AZURE_TENANT_ID")?, client };
    // Read anew each time: the cluster puts another token there before this one ends.
    let shown = machine.file(Path::new(&set("AZURE_FEDERATED_TOKEN_FILE")?))?;
    by_assertion(fetcher, &app, shown.expose_secret().trim(), scope, Reach::Operator).await
}

async fn ask(
    fetcher: &Fetcher,
    app: &EntraApp,
    scope: &str,
    shown: &[(&str, &str)],
    reach: Reach,
) -> Result<Token, Failure> {
    let (url, reach) = endpoint(fetcher, app, reach)?;
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", app.client.as_str()), ("scope", scope)];
    fields.extend_from_slice(shown);
    let answer = fetcher.net.send(token::form(reach, &url, &fields)).await?;
    token::read(&answer, token::host(&url))
}

/// Where a tenant's tokens are. Clouds of governments have hosts of their own, which the operator names.
fn endpoint(fetcher: &Fetcher, app: &EntraApp, reach: Reach) -> Result<(String, Reach), Failure> {
    if !is_tenant(&app.tenant) {
        return Err(Failure::missing("the tenant is no id or domain", "Check AZURE_TENANT_ID."));
    }
    let own = fetcher.machine.variable("AZURE_AUTHORITY_HOST");
    let reach = if own.is_some() { Reach::Operator } else { reach };
    let authority = own.unwrap_or_else(|| AUTHORITY.to_owned());
    let authority = match authority.contains("://") {
        true => authority,
        false => format!("https://{authority}"),
    };
    Ok((format!("{}/{}/oauth2/v2.0/token", authority.trim_end_matches('/'), app.tenant), reach))
}

/// The identity that Azure gave to the machine: of App Service where its variables are, else of the metadata service.
async fn managed(fetcher: &Fetcher, client: Option<&str>, scope: &str) -> Result<Token, Failure> {
    let machine = &fetcher.machine;
    let resource = scope.trim_end_matches("/.default");
    let parameter = |name: &str, value: &str| {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        format!("&{name}={value}")
    };
    let client = client.map(|client| parameter("client_id", client)).unwrap_or_default();
    let asked = parameter("resource", resource) + &client;
    let call = match (machine.variable("IDENTITY_ENDPOINT"), machine.variable("IDENTITY_HEADER")) {
        (Some(endpoint), Some(header)) => {
            let url = format!("{endpoint}?api-version=2019-08-01{asked}");
            Call::of(Reach::Metadata, url).with("x-identity-header", &header)
        }
        _ => {
            let host = machine.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let host = host.unwrap_or_else(|| IMDS.to_owned());
            let host = host.trim_end_matches('/');
            let url = format!("{host}/metadata/identity/oauth2/token?api-version=2018-02-01{asked}");
            Call::of(Reach::Metadata, url).with("metadata", "true")
        }
    };
    let host = token::host(&call.url).to_owned();
    let answer = fetcher.net.send(call).await?;
    token::read(&answer, &host)
}
