//! Files of results that are not at the provider itself: at an address in a storage, which it names or leads to. Whoever knows such an
//! address may read the file, so that no key goes there, and nothing else of the request either. The address is the provider's word and
//! not the operator's, and the egress guard has it lead to no private network.

use std::rc::Rc;

use http::header::{self, HeaderValue};
use http::{Request, Response};
use ostia_dialect::Fault;
use tokio::time::Instant;

use super::ask::Coming;
use crate::core::Core;
use crate::fetch::address::Address;
use crate::message::inflate::Inflate;
use crate::target::Target;
use crate::upstream::egress::{Guard, Origin};
use crate::upstream::{BaseUrl, RequestBody, UpstreamBody, host};

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 3;

/// The file at an address that the target has named, while it comes.
///
/// # Errors
/// 502 for an address where no file may be read, and for what is there in place of one.
pub async fn open(core: &Core, target: &Target<'_>, address: &str) -> Result<Coming, Fault> {
    let mut address = Address::parse(address).map_err(wrong)?;
    for _ in 0..=REDIRECTS_MAX {
        let answer = ask(core, target, &address).await?;
        if let Some(next) = moved(&answer, &address.base) {
            let next = Address::parse(&next).map_err(wrong)?;
            if address.is_https() && !next.is_https() {
                return Err(wrong("leads from https:// to http://"));
            }
            address = next;
            continue;
        }
        let (head, body) = answer.into_parts();
        return match head.status.as_u16() {
            200 => Ok(Coming { inflate: Inflate::of(&head.headers)?, body, deadline: None }),
            status => Err(wrong(&format!("is answered with status {status}"))),
        };
    }
    Err(wrong(&format!("leads on more than {REDIRECTS_MAX} times")))
}

/// Where an answer leads to in place of saying anything; `base`: `scheme://authority` of who gave it.
pub fn moved(answer: &Response<UpstreamBody>, base: &str) -> Option<String> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    let next = Address::parse(base).ok()?.join(location).ok()?;
    Some(format!("{}{}", next.base, next.path))
}

async fn ask(core: &Core, target: &Target<'_>, address: &Address) -> Result<Response<UpstreamBody>, Fault> {
    let base_url = base_url(core, target, address)?;
    let mut request = Box::new(Request::new(RequestBody::Full(None)));
    *request.uri_mut() = address.path.parse().map_err(|_| wrong("is none"))?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, base_url.authority().clone());
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let sent = core.upstreams.send(&base_url, request, target.timeouts, Instant::now()).await;
    sent.map_err(|fault| wrong("cannot be reached").with_detail(fault.to_string()))
}

/// The host of an address. The provider's own is the operator's choice; any other has to be a public one, reached by TLS.
fn base_url(core: &Core, target: &Target<'_>, address: &Address) -> Result<Rc<BaseUrl>, Fault> {
    let own = target.destination.base_url();
    if own.origin().eq_ignore_ascii_case(&address.base) {
        return Ok(own.clone());
    }
    if !address.is_https() {
        return Err(wrong("does not begin with https://"));
    }
    let base = address.base.as_str();
    let check = || {
        host::check(base, &Guard { loopback_allowed: false, ..core.settings.guard.clone() })?;
        Ok((base, ""))
    };
    let transport = core.settings.transports.of(&target.provider.id);
    let base_url = core.upstreams.base_url(base, Origin::Content, transport, check);
    base_url.map_err(|why| wrong(&format!("has a host that {why}")))
}

/// `why`: in words that follow on `its address`.
fn wrong(why: &str) -> Fault {
    Fault::upstream(format!("The provider's results are in a file that cannot be read: its address {why}."))
}
