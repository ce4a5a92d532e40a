//! Access tokens of IBM Cloud's IAM, for a key.
//!
//! <https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey>

use ostia_providers::auth::source::ibm::IbmSource;

use super::Failure;
use super::fetch::Fetcher;
use super::net::Reach;
use super::slot::Fetched;
use super::token::{self, Token};

const IAM: &str = "https://iam.cloud.ibm.com";
/// The variable of IBM's own tools for another IAM: a private or a regional one.
const OTHER: &str = "IBMCLOUD_IAM_API_ENDPOINT";
const GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";

/// Fetches a token.
///
/// # Errors
/// Why there is none.
pub async fn fetch(fetcher: &Fetcher, source: &IbmSource, reach: Reach) -> Result<Fetched, Failure> {
    let own = fetcher.machine.variable(OTHER);
    let reach = if own.is_some() { Reach::Operator } else { reach };
    let host = own.unwrap_or_else(|| IAM.to_owned());
    let url = format!("{}/identity/token", host.trim_end_matches('/'));
    let fields = [("grant_type", GRANT), ("apikey", source.api_key.expose())];
    let answer = fetcher.net.send(token::form(reach, &url, &fields)).await?;
    token::read(&answer, token::host(&url)).map(Token::fetched)
}
