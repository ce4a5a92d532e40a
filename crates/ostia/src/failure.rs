//! What goes wrong with a call, in words for the client.

use ostia_dialect::relay::Grammar;
use ostia_dialect::{Fault, FaultKind, anthropic_messages, gemini_generate, openai_chat, openai_responses};
use ostia_routing::{Limit, Verdict};

use crate::miss::Miss;
use crate::upstream::{BodyFault, SendFault};

/// The event that tells a fault at the end of a relayed stream.
pub fn event(grammar: Grammar, fault: &Fault, provider: &str) -> Vec<u8> {
    match grammar {
        Grammar::OpenaiChat => openai_chat::error::encode_event(fault, Some(provider)),
        // The numbers of the events before are not looked at.
        Grammar::OpenaiResponses => openai_responses::error::encode_event(fault, 0),
        Grammar::AnthropicMessages => anthropic_messages::error::encode_event(fault),
        Grammar::GeminiGenerate => gemini_generate::error::encode_event(fault),
    }
}

/// What a broken body means to the client.
pub fn of_body(fault: &BodyFault) -> Fault {
    match fault {
        BodyFault::Connection(_) | BodyFault::Broken => {
            Fault::upstream("The provider's connection broke off before the answer was whole.")
        }
        BodyFault::Silence => Fault::new(
            FaultKind::Timeout,
            "The provider sent nothing more for longer than the timeout allows.",
        ),
    }
}

/// What a failed call means to the client, and to whoever decides what comes next. `requested_timeout_ms` is the one that
/// the client asked for itself.
pub fn of_send(fault: &SendFault, provider: &str, host: &str, requested_timeout_ms: Option<u64>) -> Miss {
    let verdict = match fault {
        SendFault::Refused(_) => Verdict::Untranslatable,
        SendFault::ConnectTimeout => Verdict::Late(Limit::Connect),
        SendFault::FirstByteTimeout => Verdict::Late(Limit::FirstByte),
        SendFault::Framing(_) => Verdict::BadAnswer,
        SendFault::Connect(_)
        | SendFault::Resolve(_)
        | SendFault::Tls(_)
        | SendFault::Closed
        | SendFault::Http(_) => Verdict::Unreachable,
    };
    Miss::without_answer(words_of_send(fault, provider, host, requested_timeout_ms), verdict)
}

fn words_of_send(fault: &SendFault, provider: &str, host: &str, requested_timeout_ms: Option<u64>) -> Fault {
    match (fault, requested_timeout_ms) {
        (SendFault::FirstByteTimeout, Some(timeout_ms)) => {
            let message = format!("Request exceeded the timeout sent in the request: {timeout_ms}ms");
            Fault::new(FaultKind::Timeout, message).with_status(408)
        }
        (SendFault::Refused(reason), _) => {
            Fault::new(FaultKind::Permission, reason.as_str()).with_status(400).with_param("custom_host")
        }
        (SendFault::ConnectTimeout | SendFault::FirstByteTimeout, _) => Fault::new(
            FaultKind::Timeout,
            format!(
                "Provider `{provider}` at {host} did not answer in time: {fault}. Raise the timeout or try again."
            ),
        ),
        (SendFault::Connect(_) | SendFault::Resolve(_), _) => {
            let what =
                format!("Provider `{provider}` at {host} cannot be reached: {fault}. Check its base URL.");
            Fault::new(FaultKind::Overloaded, what).with_status(503)
        }
        (SendFault::Tls(_) | SendFault::Closed | SendFault::Framing(_) | SendFault::Http(_), _) => {
            Fault::upstream(format!("Provider `{provider}` at {host} failed: {fault}."))
        }
    }
}
