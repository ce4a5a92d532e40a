//! A request for what a provider has, as its maker would send it: where it leaves open whom to ask, the headers hold that it was made
//! with.

use std::collections::BTreeSet;
use std::rc::Rc;

use http::{HeaderMap, HeaderName, HeaderValue, request};
use ostia_dialect::Fault;

use crate::core::Core;
use crate::fetch::Fetched;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::credentials::Credentials;
use crate::inbound::gateway_headers::GatewayHeaders;

/// Headers that say whom to ask.
const PROVIDER: [HeaderName; 2] =
    [HeaderName::from_static("x-ostia-provider"), HeaderName::from_static("x-portkey-provider")];

/// The head of the request, and what its headers say.
#[derive(Debug)]
pub struct Recalled {
    parts: request::Parts,
    gateway: GatewayHeaders,
}

impl Recalled {
    /// The request for what this provider has; `kept`: the headers that it was made with.
    ///
    /// # Errors
    /// 400 for what was kept and cannot be understood any more.
    pub fn of(inbound: Inbound<'_>, kept: &[(String, String)], provider: &str) -> Result<Recalled, Fault> {
        let Inbound { core, gateway: own, .. } = inbound;
        let mut parts = inbound.parts.clone();
        let is_known = |id: &str| core.settings.providers.get(id).is_some();
        let says_whom = own.config.is_some() || own.provider.as_deref().is_some_and(is_known);
        if !says_whom {
            for name in PROVIDER {
                parts.headers.remove(name);
            }
            recall(&mut parts.headers, kept);
        }
        let mut gateway = GatewayHeaders::read(&parts.headers)?;
        // Who calls is known.
        gateway.credentials = Credentials::default();
        gateway.trace_id.clone_from(&own.trace_id);
        gateway.traceparent.clone_from(&own.traceparent);
        gateway.tracestate.clone_from(&own.tracestate);
        if gateway.names_nobody() {
            gateway.provider = Some(provider.to_owned());
        }
        Ok(Recalled { parts, gateway })
    }

    /// The same for whoever goes on when the request itself is gone.
    pub fn kept<'a>(&'a self, core: &'a Rc<Core>, caller: &'a Caller, files: &'a Rc<Fetched>) -> Inbound<'a> {
        Inbound { core, caller, gateway: &self.gateway, parts: &self.parts, upload: None, files }
    }

    /// The same as whatever is sent is made from.
    pub fn inbound<'a>(&'a self, inbound: Inbound<'a>) -> Inbound<'a> {
        Inbound { parts: &self.parts, gateway: &self.gateway, upload: None, ..inbound }
    }
}

/// Adds what was kept of headers that the request does not have, each with all of its lines.
fn recall(headers: &mut HeaderMap, kept: &[(String, String)]) {
    let own: BTreeSet<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    for (name, value) in kept.iter().filter(|(name, _)| !own.contains(name)) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_headers_have_all_of_their_lines_where_the_request_has_none() {
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let kept = [line("openai-beta", "a"), line("openai-beta", "b"), line("user-agent", "c")];
        let mut headers = HeaderMap::from_iter([(http::header::USER_AGENT, HeaderValue::from_static("own"))]);
        recall(&mut headers, &kept);
        assert_eq!(headers.get_all("openai-beta").iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(headers.get_all("user-agent").iter().collect::<Vec<_>>(), ["own"]);
    }
}
