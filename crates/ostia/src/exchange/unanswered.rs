//! A call that brought no answer, in words for the client.

use ostia_dialect::{Fault, FaultKind};
use ostia_routing::{Limit, Verdict};

use crate::config::settings::Settings;
use crate::errors::attempt_error::AttemptError;
use crate::target::Target;
use crate::upstream::SendFault;

/// What a failed call means to the client, and to whoever decides what comes next.
pub fn of_send(fault: &SendFault, target: &Target<'_>, settings: &Settings) -> AttemptError {
    let verdict = match fault {
        SendFault::Refused(_) | SendFault::Unchecked(_) => Verdict::Untranslatable,
        SendFault::ConnectTimeout => Verdict::Late(Limit::Connect),
        SendFault::FirstByteTimeout => Verdict::Late(Limit::FirstByte),
        SendFault::Framing(_) => Verdict::BadAnswer,
        SendFault::Connect(_)
        | SendFault::Resolve(_)
        | SendFault::Proxy(_)
        | SendFault::Tls(_)
        | SendFault::Closed
        | SendFault::Http(_) => Verdict::Unreachable,
    };
    let disclosure = Disclosure::of(target, settings);
    let told = words_of_send(fault, &disclosure, target.requested_timeout_ms);
    // A host that a client chose is the client's, and so is what is said of it. A proxy is always the operator's.
    let is_clients = target.destination.is_clients() && !matches!(fault, SendFault::Proxy(_));
    let told = if is_clients { told } else { told.with_detail(fault.to_string()) };
    AttemptError::without_answer(told, verdict)
}

/// What a client may hear of where its call went. The operator's hosts, what they resolve to and their certificates are
/// the operator's alone.
struct Disclosure<'a> {
    provider: &'a str,
    /// Host and port, for the operator and for a client that chose them.
    host: Option<&'a str>,
    /// The client is the operator.
    details: bool,
}

impl<'a> Disclosure<'a> {
    fn of(target: &'a Target<'_>, settings: &Settings) -> Disclosure<'a> {
        let details = settings.clients_are_operators();
        let host = target.destination.base_url().authority().to_str().ok();
        let host = host.filter(|_| details || target.destination.is_clients());
        Disclosure { provider: &target.provider.id, host, details }
    }

    fn whom(&self) -> String {
        match self.host {
            Some(host) => format!("Provider `{}` at {host}", self.provider),
            None => format!("Provider `{}`", self.provider),
        }
    }

    fn why(&self, fault: &SendFault) -> String {
        let brief = match fault {
            _ if self.details => return fault.to_string(),
            SendFault::Refused(_) => "it is at an address that requests may not go to",
            SendFault::Resolve(_) => "its name cannot be resolved",
            SendFault::Unchecked(_) => {
                "its name cannot be resolved here, and a host that a request chooses is checked here before a proxy hears of it"
            }
            SendFault::Proxy(_) => "the proxy on the way to it gave no connection",
            SendFault::Connect(_) => "no connection",
            SendFault::Tls(_) => "the TLS handshake failed",
            SendFault::ConnectTimeout => "no connection in time",
            SendFault::FirstByteTimeout => "no answer in time",
            SendFault::Closed => "it closed the connection without an answer",
            SendFault::Framing(what) => what,
            SendFault::Http(_) => "the connection broke, or what came is no HTTP",
        };
        brief.to_owned()
    }

    /// What to do where the place is wrong.
    fn remedy(&self) -> &'static str {
        match self.host {
            Some(_) => "Check its base URL.",
            None => "Try again later, or tell whoever runs this gateway.",
        }
    }
}

fn words_of_send(fault: &SendFault, disclosure: &Disclosure<'_>, requested_timeout_ms: Option<u64>) -> Fault {
    let (whom, why) = (disclosure.whom(), disclosure.why(fault));
    match (fault, requested_timeout_ms) {
        (SendFault::FirstByteTimeout, Some(timeout_ms)) => {
            let message = format!("Request exceeded the timeout sent in the request: {timeout_ms}ms");
            Fault::new(FaultKind::Timeout, message).with_status(408)
        }
        (SendFault::Refused(_), _) => Fault::new(FaultKind::Permission, refusal(disclosure, why))
            .with_status(400)
            .with_param("custom_host"),
        (SendFault::Unchecked(_), _) => {
            Fault::new(FaultKind::Permission, format!("{whom} is refused: {why}."))
                .with_status(400)
                .with_param("custom_host")
        }
        (SendFault::ConnectTimeout | SendFault::FirstByteTimeout, _) => Fault::new(
            FaultKind::Timeout,
            format!("{whom} did not answer in time: {why}. Raise the timeout or try again."),
        ),
        (SendFault::Connect(_) | SendFault::Resolve(_), _) => {
            let what = format!("{whom} cannot be reached: {why}. {}", disclosure.remedy());
            Fault::new(FaultKind::Overloaded, what).with_status(503)
        }
        (
            SendFault::Proxy(_)
            | SendFault::Tls(_)
            | SendFault::Closed
            | SendFault::Framing(_)
            | SendFault::Http(_),
            _,
        ) => Fault::upstream(format!("{whom} failed: {why}.")),
    }
}

/// Why the guard refused. What kind of address it was would tell what the names of a network stand for.
fn refusal(disclosure: &Disclosure<'_>, why: String) -> String {
    let whom = match disclosure.host {
        _ if disclosure.details => return why,
        Some(host) => format!("The host `{host}`"),
        None => format!("The host of provider `{}`", disclosure.provider),
    };
    format!(
        "{whom} is at an address that requests may not go to; the operator can allow private ones under \
         egress.allow_private in ostia.yaml."
    )
}
