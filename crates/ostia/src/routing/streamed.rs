//! Forms that are handed on while they come: which ones may be.

use http::header;
use http_body::Body as _;
use ostia_dialect::{Api, Fault};
use ostia_providers::prepare;

use crate::client::ClientBody;
use crate::exchange::Exchange;
use crate::inbound::Inbound;
use crate::inbound::upload::MEMORY_BYTES_MAX;
use crate::record::booking::Booking;
use crate::routing::routes;
use crate::target::{self, Asked};

/// May a form be handed on before it is whole? Where the headers alone say whom to ask, that one is asked once and with one key,
/// and gets the form as the client wrote it. A small one is kept: then all of it is known, and it can be sent again.
///
/// # Errors
/// 400 for a config that makes no sense.
pub fn may_be(inbound: Inbound<'_>, api: Api, body: &ClientBody) -> Result<bool, Fault> {
    let Inbound { gateway, parts, .. } = inbound;
    let is_small = body.size_hint().exact().is_some_and(|bytes| bytes <= MEMORY_BYTES_MAX as u64);
    if is_small || gateway.names_nobody() || parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(false);
    }
    let route = routes::find(inbound, None)?;
    let leaf = route.as_ref().and_then(|route| route.only_leaf());
    if route.is_some() && leaf.is_none() {
        return Ok(false);
    }
    // Whatever is wrong with the target is told when the model is known.
    let Ok(target) = target::resolve(inbound, leaf, Asked::Unread(None)) else { return Ok(false) };
    let booking = Booking::default();
    let exchange = Exchange::new(inbound, &target, &booking);
    Ok(!target.has_several_keys() && prepare::goes_as_it_came(api, &exchange.recipient()))
}
