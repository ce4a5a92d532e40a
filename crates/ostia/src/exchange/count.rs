//! Counting the tokens of a conversation for clients whose provider does not count in their dialect: by the provider in its
//! own way where it has one, else by an estimate that says that it is one.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use ostia_dialect::Api;
use ostia_dialect::ClientDialect;

use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::exchange::Exchange;
use crate::exchange::outgoing;
use crate::exchange::receive;
use crate::inbound::api_call::ApiCall;
use crate::message::body::Body;
use crate::record::Record;

/// Says that a count is the gateway's estimate.
static ESTIMATED: HeaderName = HeaderName::from_static("x-ostia-estimated");

/// Who counts, for whoever cannot be asked in the client's dialect.
const COUNTERS: [Api; 3] = [Api::AnthropicCountTokens, Api::GeminiCountTokens, Api::OpenaiInputTokens];

/// The number of tokens that a request would be read as.
pub async fn count(
    exchange: Exchange<'_>,
    asked: &ApiCall<'_>,
    client: ClientDialect,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let (gateway, target) = (exchange.inbound.gateway, exchange.target);
    let mut request = outgoing::request(client, target, asked)?;
    let counters = COUNTERS.into_iter().filter(|api| target.provider.offers(*api));
    let counter = counters.filter_map(|api| Some((api, api.counts()?))).next();
    let Some((api, upstream)) = counter else {
        let mut response = reply::json(client.encode_count(request.estimated_tokens()));
        response.headers_mut().insert(&ESTIMATED, HeaderValue::from_static("true"));
        return Ok(response);
    };
    let encoded = outgoing::encode(upstream, target, &mut request)?;
    record.dropped(client.in_own_words(&request, encoded.dropped), target.lossless)?;
    let body = upstream.count_body(&request.model, &encoded.body);
    let path = outgoing::path(api, gateway, target, Some(&request.model), false, None);
    let answer = exchange.send(path, Some(upstream), &encoded.headers, Bytes::from(body)).await?;
    receive::counted(answer, client, (api, upstream), target).await
}
