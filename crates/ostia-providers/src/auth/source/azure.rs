//! Azure: a key, a token of Entra's, or whoever Entra gives one to.

use secrecy::SecretString;

use super::{Giver, Look, Secret, Source, SourceProblem, operators_only, secret, text};
use crate::auth::Credential;

/// What tokens are for, where nothing else is said.
pub const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// An access token of Entra's.
#[derive(Debug, Clone, Hash)]
pub struct AzureSource {
    /// Who asks for it.
    pub identity: AzureIdentity,
    /// What it is for: `https://cognitiveservices.azure.com/.default`.
    pub scope: String,
}

/// Whom Entra gives a token to.
#[derive(Debug, Clone, Hash)]
pub enum AzureIdentity {
    /// An application that shows a secret.
    Secret(EntraApp, Secret),
    /// An application that shows a certificate: PEM with the certificate and its key.
    Certificate(EntraApp, Secret),
    /// The machine's own identity, or one of its own by client id.
    Managed(Option<String>),
    /// A workload that shows a token of its cluster's. What is not given is in the environment.
    Workload(Option<String>),
    /// What the machine has: the environment, then its workload's identity, then its own.
    Machine,
}

/// An application in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntraApp {
    /// The tenant, by its id or domain.
    pub tenant: String,
    /// The application.
    pub client: String,
}

impl AzureSource {
    pub(super) fn uses_machine(&self) -> bool {
        match self.identity {
            AzureIdentity::Secret(..) | AzureIdentity::Certificate(..) => false,
            AzureIdentity::Managed(_) | AzureIdentity::Workload(_) | AzureIdentity::Machine => true,
        }
    }

    pub(super) fn describe(&self) -> String {
        match &self.identity {
            AzureIdentity::Secret(app, _) => format!("Entra's application {} by its secret", app.client),
            AzureIdentity::Certificate(app, _) => {
                format!("Entra's application {} by its certificate", app.client)
            }
            AzureIdentity::Managed(Some(client)) => format!("Azure's managed identity {client}"),
            AzureIdentity::Managed(None) => "Azure's managed identity of this machine".to_owned(),
            AzureIdentity::Workload(_) => "Azure's workload identity".to_owned(),
            AzureIdentity::Machine => "Azure's credentials of this machine".to_owned(),
        }
    }
}

pub(super) fn read(
    giver: Giver,
    key: Option<SecretString>,
    look: Look<'_>,
) -> Result<Option<Source>, SourceProblem> {
    if let Some(token) = secret(look, "azure_ad_token") {
        return Ok(Some(Source::Given(Credential::Token(token))));
    }
    let scope = text(look, "azure_entra_scope").unwrap_or_else(|| SCOPE.to_owned());
    let machines = |field, what: &str, identity| match giver {
        Giver::Operator => Ok(identity),
        Giver::Client => Err(operators_only(field, what)),
    };
    let identity = match text(look, "azure_auth_mode").as_deref() {
        Some("entra") => entra(look, Wanted::Always)?,
        Some("managed") => {
            let identity = AzureIdentity::Managed(text(look, "azure_managed_client_id"));
            Some(machines("azure_auth_mode", "the machine's managed identity", identity)?)
        }
        Some("workload") => {
            let identity = AzureIdentity::Workload(text(look, "azure_workload_client_id"));
            Some(machines("azure_auth_mode", "the machine's workload identity", identity)?)
        }
        Some(_) => {
            let message = "azure_auth_mode must be entra, managed or workload.";
            return Err(SourceProblem::new("azure_auth_mode", message));
        }
        None => entra(look, Wanted::IfGiven)?,
    };
    match (identity, key, giver) {
        (Some(identity), ..) => Ok(Some(Source::Azure(AzureSource { identity, scope }))),
        (None, Some(key), _) => Ok(Some(Source::Given(Credential::Key(key)))),
        (None, None, Giver::Operator) => {
            Ok(Some(Source::Azure(AzureSource { identity: AzureIdentity::Machine, scope })))
        }
        (None, None, Giver::Client) => Ok(None),
    }
}

/// Is an application of Entra's meant although nothing of it is given?
#[derive(PartialEq, Eq)]
enum Wanted {
    Always,
    IfGiven,
}

fn entra(look: Look<'_>, wanted: Wanted) -> Result<Option<AzureIdentity>, SourceProblem> {
    let [tenant, client] = ["azure_entra_tenant_id", "azure_entra_client_id"].map(|name| text(look, name));
    let [shown, certificate] =
        ["azure_entra_client_secret", "azure_entra_client_certificate"].map(|name| secret(look, name));
    let is_given = tenant.is_some() || client.is_some() || shown.is_some() || certificate.is_some();
    if !is_given && wanted == Wanted::IfGiven {
        return Ok(None);
    }
    if shown.is_some() && certificate.is_some() {
        let message = "azure_entra_client_secret and azure_entra_client_certificate are two credentials: leave one of them out.";
        return Err(SourceProblem::new("azure_entra_client_certificate", message));
    }
    let missing = |field| {
        let message = format!(
            "{field} is missing: Entra wants azure_entra_tenant_id, azure_entra_client_id, and \
             azure_entra_client_secret or azure_entra_client_certificate."
        );
        SourceProblem::new(field, message)
    };
    let tenant = tenant.ok_or_else(|| missing("azure_entra_tenant_id"))?;
    let client = client.ok_or_else(|| missing("azure_entra_client_id"))?;
    if !is_tenant(&tenant) {
        let message = "azure_entra_tenant_id must be the id or a domain of a tenant.";
        return Err(SourceProblem::new("azure_entra_tenant_id", message));
    }
    let app = EntraApp { tenant, client };
    match (shown, certificate) {
        (_, Some(certificate)) => Ok(Some(AzureIdentity::Certificate(app, certificate.into()))),
        (Some(shown), None) => Ok(Some(AzureIdentity::Secret(app, shown.into()))),
        (None, None) => Err(missing("azure_entra_client_secret")),
    }
}

/// A tenant stands in a path: an id, or a domain.
pub fn is_tenant(tenant: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !tenant.is_empty() && tenant.bytes().all(is_plain) && !tenant.starts_with('.')
}
