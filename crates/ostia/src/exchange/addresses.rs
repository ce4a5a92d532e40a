//! Addresses at a vendor's own hosts, in answers that are handed on: which are told as this gateway's is decided in
//! [`ostia_providers::addresses`]. A call for another host of the vendor's, which its row names, goes there.

use std::rc::Rc;

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderMap, HeaderValue};
use ostia_dialect::Fault;
use ostia_providers::addresses::Retelling;
use ostia_providers::{Provider, endpoint};

use crate::exchange::Exchange;
use crate::message::inflate::Inflate;
use crate::message::media::{is_json, media_type};
use crate::target::Target;
use crate::upstream::egress::Origin;
use crate::upstream::{BaseUrl, UpstreamBody};

/// Longest answer that is read for addresses, as it comes and unpacked, in bytes: a list of a hundred jobs has a fifth of it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// May there be any in this answer? The row says so, or it is a redirect. What else has a `location` tells a name, which clients take apart.
pub fn may_stand_in(answer: &Response<UpstreamBody>, provider: &Provider) -> bool {
    !provider.addresses.are_none() || answer.status().is_redirection()
}

/// Tells those in an answer as this gateway's. `is_of_base`: the base URL was asked, and no further host. Whatever cannot be read, or is too
/// long, stays as it came.
pub async fn tell_here(exchange: Exchange<'_>, is_of_base: bool, answer: &mut Response<UpstreamBody>) {
    let Target { provider, values, destination, .. } = exchange.target;
    let Some(gateway) = exchange.inbound.own_origin() else { return };
    let (asked, own) = (destination.base_url(), provider.base_url_with(values));
    let base_url = format!("{}{}", asked.origin(), asked.path);
    let retelling = Retelling {
        provider,
        base_url: &base_url,
        own_base_url: own.as_deref(),
        is_of_base,
        has_hosts: has_hosts(exchange.target),
        gateway: &gateway,
    };
    let is_redirect = answer.status().is_redirection();
    for (name, value) in answer.headers_mut().iter_mut() {
        if is_redirect && name == header::LOCATION || provider.addresses.headers.contains(name) {
            let told = value.to_str().ok().and_then(|address| retelling.address(address));
            // It has no character that a header cannot have.
            told.and_then(|told| HeaderValue::try_from(told).ok()).into_iter().for_each(|told| *value = told);
        }
    }
    if !provider.addresses.fields.is_empty() && answer.status().is_success() {
        tell_in_body(&retelling, answer).await;
    }
}

async fn tell_in_body(retelling: &Retelling<'_>, answer: &mut Response<UpstreamBody>) {
    let is_long = answer.body().size_hint().lower() > ANSWER_BYTES_MAX as u64;
    if is_long || !is_json(media_type(answer.headers())) {
        return;
    }
    let Some(bytes) = answer.body_mut().whole(ANSWER_BYTES_MAX).await else { return };
    let Some(told) = unpacked(answer.headers(), bytes).and_then(|text| retelling.answer(&text)) else {
        return;
    };
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_ENCODING);
    if headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, told.len().into());
    }
    answer.body_mut().put_back(told.into());
}

/// The text of a body that may be packed; `None` where it cannot be unpacked, or becomes too long.
fn unpacked(headers: &HeaderMap, bytes: Bytes) -> Option<Bytes> {
    match Inflate::of_request(headers, ANSWER_BYTES_MAX).ok()? {
        Some(mut inflate) => {
            let text = inflate.push(&bytes).ok()?;
            inflate.finish().ok().map(|()| text)
        }
        None => Some(bytes),
    }
}

/// May calls go to further hosts of the vendor's? Its key is for what the operator's table says, and not for what a client or a config says
/// in its place.
fn has_hosts(target: &Target<'_>) -> bool {
    let Target { provider, values, destination, .. } = target;
    let base_url = destination.base_url();
    !provider.addresses.hosts.is_empty()
        && !destination.is_clients()
        && provider
            .base_url_with(values)
            .is_some_and(|own| own == format!("{}{}", base_url.origin(), base_url.path))
}

/// The further host that a call is for, with path and query there; `None` for one at the base URL.
///
/// # Errors
/// 400 for a host that is none of the vendor's.
pub fn asked_host(exchange: Exchange<'_>) -> Result<Option<(Rc<BaseUrl>, String)>, Fault> {
    let (target, parts) = (exchange.target, exchange.inbound.parts);
    let addresses = &target.provider.addresses;
    let Some((name, path)) = endpoint::at_host(parts.uri.path()).filter(|_| !addresses.hosts.is_empty())
    else {
        return Ok(None);
    };
    if !addresses.has_host(name) || !has_hosts(target) {
        let message = format!(
            "`{name}` is no host to which calls of provider `{}` may go: ask at its base URL, or add it to addresses.hosts of its row.",
            target.provider.id
        );
        return Err(Fault::invalid(message).with_param("path").with_code("host_refused"));
    }
    let core = exchange.inbound.core;
    let (origin, transport) = (format!("https://{name}"), core.settings.transports.of(&target.provider.id));
    let base_url = core.upstreams.base_url(&origin, Origin::BuiltIn, transport, || Ok((&origin, "")));
    let base_url = base_url.map_err(|why| Fault::invalid(format!("Invalid host `{name}`: it {why}.")))?;
    Ok(Some((base_url, endpoint::with_query(path.to_owned(), exchange.inbound.query()))))
}
