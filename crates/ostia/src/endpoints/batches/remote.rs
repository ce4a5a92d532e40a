//! Whom a batch is made at that its provider runs: whoever its first row would be asked of.

use http::{HeaderMap, Method};
use ostia_dialect::Fault;
use ostia_dialect::batches::Row;
use ostia_providers::prepare::ApiCall;
use ostia_store::{RemoteBatch, StoredFile};

use crate::batches::Batches;
use crate::batches::rows::Rows;
use crate::inbound::Inbound;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::route::Endpoint;
use crate::provider_batches;
use crate::provider_jobs;
use crate::routing::routes;
use crate::target::{self, Asked};

/// The provider of the rows in this file, asked with these headers.
///
/// # Errors
/// 400 for a config or a provider that makes no sense, and for one without batches that rows can be told for; 401 where there is no
/// key and one is needed.
pub async fn find(
    inbound: Inbound<'_>,
    batches: &Batches,
    headers: &HeaderMap,
    file: &StoredFile,
) -> Result<RemoteBatch, Fault> {
    let id = file.id.clone();
    let path = batches.ask(move |tables| Ok(tables.path(&id))).await?;
    let unreadable = |_| Fault::invalid("The rows of the file cannot be read.").with_param("input_file_id");
    let mut rows = Rows::open(path).await.map_err(unreadable)?;
    let first = rows.next().await.map_err(unreadable)?;
    let first = first.ok_or_else(|| Fault::invalid("The file has no rows.").with_param("input_file_id"))?;
    let row = Row::read(&first.text).map_err(|fault| fault.of_line(first.line))?;
    let body = first.text.slice(row.body.clone());
    let Endpoint::Api(called) = Endpoint::of(&Method::POST, &row.url) else {
        return Err(Fault::invalid("The rows call nothing that is run in batches.").with_param("endpoint"));
    };
    let call = ApiCall::read(called.api, called.params(), "", &body, 1)?;
    let mut parts = inbound.parts.clone();
    parts.headers = headers.clone();
    let gateway = &GatewayHeaders::read(headers)?;
    let inbound = Inbound { gateway, parts: &parts, ..inbound };
    let route = routes::find(inbound, call.model())?;
    let leaf = route.as_deref().map(|route| provider_jobs::leaf_of(inbound, route)).transpose()?;
    let target = target::resolve(inbound, leaf, Asked::Api(&call))?;
    provider_jobs::refuse_clients_host(inbound, leaf, &target)?;
    // The batches are the provider's, whatever it is for the model of the row.
    let provider = inbound.core.settings.providers.get(&target.provider.id).unwrap_or(target.provider);
    let api = provider_batches::api_of(provider).ok_or_else(|| has_none(&provider.id))?;
    let form = api.batches().ok_or_else(|| has_none(&provider.id))?;
    let remote = RemoteBatch {
        provider: provider.id.clone(),
        api: api.name().to_owned(),
        strict: target.strict,
        id: None,
        output: None,
        errors: None,
    };
    let recalled = provider_jobs::Recalled::of(inbound, &[], &remote.provider)?;
    provider_batches::check(recalled.inbound(inbound), &remote.provider, (api, form), file.rows)?;
    Ok(remote)
}

fn has_none(provider: &str) -> Fault {
    let message = format!(
        "Provider `{provider}` has no batches for which the gateway could tell these rows anew. Have the gateway ask them at once \
         (`completion_window: \"immediate\"`), or, where the provider has OpenAI's own batches, upload the file there: with its name \
         in x-ostia-provider."
    );
    Fault::invalid(message).with_param("completion_window").with_code("unsupported_operation")
}
