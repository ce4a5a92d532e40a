//! What goes wrong with a call, in words for the client.

use ostia_dialect::frame::Grammar;
use ostia_dialect::{Fault, FaultKind, anthropic_messages, gemini_generate, openai_chat, openai_responses};

use crate::upstream::BodyFault;

/// The event that tells a fault at the end of a relayed stream.
pub fn event(grammar: Grammar, fault: &Fault, provider: &str) -> Vec<u8> {
    match grammar {
        Grammar::OpenaiChat | Grammar::OpenaiCompletions | Grammar::Unknown => {
            openai_chat::error::encode_event(fault, Some(provider))
        }
        // The numbers of the events before are not looked at.
        Grammar::OpenaiResponses => openai_responses::error::encode_event(fault, 0),
        Grammar::AnthropicMessages => anthropic_messages::error::encode_event(fault),
        Grammar::GeminiGenerate => gemini_generate::error::encode_event(fault),
    }
}

/// The same at the end of a relayed array, which only Google streams; `is_first`: nothing of it has gone out.
pub fn element(fault: &Fault, is_first: bool) -> Vec<u8> {
    gemini_generate::error::encode_last_element(fault, is_first)
}

/// What a broken body means to the client.
pub fn of_body(fault: &BodyFault) -> Fault {
    match fault {
        BodyFault::Connection(_) | BodyFault::Broken | BodyFault::ClientLeft | BodyFault::Disk(_) => {
            Fault::upstream("The provider's connection broke off before the answer was whole.")
        }
        BodyFault::Silence => Fault::new(
            FaultKind::Timeout,
            "The provider sent nothing more for longer than the timeout allows.",
        ),
    }
}
