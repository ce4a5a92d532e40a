//! A workload of AWS's that asks Google for a token shows a question to AWS's token service, signed and not sent: Google sends it,
//! and hears from AWS who signed it.
//! <https://google.aip.dev/auth/4117>, "Determining the subject token in AWS"

use std::time::SystemTime;

use http::{HeaderMap, Method, Request, Uri, header};
use ostia_providers::auth::source::aws::AwsSource;
use ostia_providers::auth::{self, Payload, Signing};
use ostia_providers::{Auth, AwsAuth};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::credentials::Failure;
use crate::credentials::aws;
use crate::credentials::fetch::Fetcher;
use crate::credentials::net::{Call, Reach};
use crate::credentials::token;

/// Makes the question. `region_url`, `session_url`: where the metadata service tells the zone, and begins a session.
///
/// # Errors
/// There is no region, or no credential of AWS's.
pub async fn question(
    fetcher: &Fetcher,
    audience: &str,
    verification_url: &str,
    [region_url, session_url]: [Option<&str>; 2],
) -> Result<SecretString, Failure> {
    let region = region(fetcher, region_url, session_url).await?;
    let source = AwsSource { base: None, profile: None, role: None, region: Some(region.clone()) };
    let keys = aws::fetch(fetcher, &source, Reach::Metadata).await?;
    let url = verification_url.replace("{region}", &region);
    let mut request = unsigned(&url, audience).ok_or_else(|| {
        let words = format!("`{url}` and `{audience}` make no question to AWS");
        Failure::missing(words, "Take the file as Google gave it out.")
    })?;
    let auth = Auth::Aws(AwsAuth { service: "sts".into(), ..AwsAuth::default() });
    let signing = Signing { region: Some(&region), time: SystemTime::now(), payload: Payload::Bytes(b"") };
    auth::sign_with(&auth, &keys.credential, signing, &mut request)
        .map_err(|fault| Failure::missing(fault.message, "Check AWS_REGION and AWS's keys."))?;
    Ok(told(&url, request.headers()).into())
}

fn unsigned(url: &str, audience: &str) -> Option<Request<()>> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.parse().ok()?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    request.headers_mut().insert(header::HOST, host);
    request.headers_mut().insert("x-goog-cloud-target-resource", audience.parse().ok()?);
    Some(request)
}

/// The question as Google wants it: JSON, percent-encoded.
fn told(url: &str, headers: &HeaderMap) -> String {
    let headers: Vec<Value> = headers
        .iter()
        .filter_map(|(name, value)| Some(json!({"key": name.as_str(), "value": value.to_str().ok()?})))
        .collect();
    let question = json!({"url": url, "method": "POST", "headers": headers}).to_string();
    percent_encoding::utf8_percent_encode(&question, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The region, by the machine's variables, or by its zone at the metadata service.
async fn region(
    fetcher: &Fetcher,
    region_url: Option<&str>,
    session_url: Option<&str>,
) -> Result<String, Failure> {
    let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    if let Some(region) = names.into_iter().find_map(|name| fetcher.machine.variable(name)) {
        return Ok(region);
    }
    let Some(url) = region_url else {
        return Err(Failure::missing("nothing says which region of AWS this is", "Set AWS_REGION."));
    };
    let mut call = Call::of(Reach::Metadata, url);
    if let Some(session_url) = session_url {
        let begin =
            Call::of(Reach::Metadata, session_url).with("x-aws-ec2-metadata-token-ttl-seconds", "300");
        let session = text(fetcher, Call { method: Method::PUT, ..begin }).await?;
        call = call.with("x-aws-ec2-metadata-token", &session);
    }
    let zone = text(fetcher, call).await?;
    // `us-east-1a` is in `us-east-1`.
    Ok(zone.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned())
}

async fn text(fetcher: &Fetcher, call: Call) -> Result<String, Failure> {
    let host = token::host(&call.url).to_owned();
    let answer = fetcher.net.send(call).await?;
    match answer.is_success() {
        true => Ok(String::from_utf8_lossy(&answer.body).trim().to_owned()),
        false => Err(token::refusal(&answer, &host)),
    }
}
