//! Why a request failed, for the operator: a word for it, and what to do.
//!
//! Not the message that the client gets: providers repeat in theirs what they were sent, keys and prompts among it, and the
//! gateway's own name what a client wrote.

use ostia_dialect::{Fault, FaultKind};

/// Longest code of an error that is told, in bytes.
const CODE_BYTES_MAX: usize = 48;
/// Longest reason of the network's that is told, in bytes.
const DETAIL_BYTES_MAX: usize = 300;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What kind of failure.
    pub kind: FaultKind,
    /// The machine-readable word for it, where it is one.
    pub code: Option<Box<str>>,
    /// What the network said.
    pub detail: Option<Box<str>>,
}

impl From<&Fault> for Cause {
    fn from(fault: &Fault) -> Cause {
        let detail = fault.detail.as_deref();
        let words = [fault.code.as_deref(), fault.vendor_type.as_deref()];
        Cause {
            kind: fault.kind,
            code: words.into_iter().flatten().find(|word| is_word(word)).map(Box::from),
            detail: detail.map(|detail| shortened(&detail.0, DETAIL_BYTES_MAX).into()),
        }
    }
}

/// Codes are a provider's own texts: only what cannot be a key counts as one.
fn is_word(code: &str) -> bool {
    code.len() <= CODE_BYTES_MAX && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The beginning of a text.
pub(super) fn shortened(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// What to do about errors of the gateway's own, by their code.
const BY_CODE: [(&str, &str); 14] = [
    ("gateway_key_invalid", "the client has to send one of auth.keys"),
    ("key_missing", "set api_key for the provider in ostia.yaml, or let the client send its own"),
    ("provider_missing", "set default_provider in ostia.yaml, or let the client name one"),
    ("provider_unknown", "`ostia providers` lists all"),
    ("config_unknown", "the configs that there are stand under configs in ostia.yaml"),
    ("invalid_config", "POST /v1/explain tells the client what is wrong"),
    (
        "unknown_url",
        "the client's base URL should end in /v1, or at the host for Anthropic's and Google's SDKs",
    ),
    ("body_too_large", "raise limits.body_bytes, or send less"),
    ("head_too_large", "raise limits.header_bytes, or send less in headers"),
    ("invalid_custom_host", "see egress in ostia.yaml"),
    ("custom_host_refused", "see egress in ostia.yaml"),
    ("no_target_answered", "GET /v1/explain/TRACE-ID tells what became of each target"),
    ("gateway_stopping", "the gateway was stopping; a longer timeouts.drain lets more calls end"),
    ("lossy_translation", "ask another provider, or do not ask for lossless"),
];

impl Cause {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        let of_code = |(code, _): &&(&str, &str)| self.code.as_deref() == Some(*code);
        BY_CODE.iter().find(of_code).map_or_else(|| remedy(self.kind), |(_, remedy)| remedy)
    }
}

fn remedy(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::InvalidRequest => "the client's request has to change; its answer says where",
        FaultKind::ContextLength => "shorten the conversation, or fall back to a model that takes more",
        FaultKind::ContentPolicy => "the provider declines what is said",
        FaultKind::Authentication => "check the key for this provider",
        FaultKind::Permission => "the key may not do this",
        FaultKind::NotFound => "check the model's name, and the provider's base_url",
        FaultKind::TooLarge => "send less",
        FaultKind::RateLimit => "wait, or add targets to the config",
        FaultKind::Quota => "the provider's account needs credit",
        FaultKind::Overloaded => {
            "try again, or add targets to the config; check base_url if it never answers"
        }
        FaultKind::Timeout => "raise timeouts, or add targets to the config",
        FaultKind::Upstream => "check base_url and the provider's state",
        FaultKind::Server => "the provider failed; add targets to the config",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_could_be_a_key_are_left_out() {
        for (code, expected) in [
            ("rate_limit_exceeded", true),
            ("sk-abcdefgh", false),
            ("abc123", false),
            ("Bearer", false),
            ("a code of words", false),
        ] {
            let cause = Cause::from(&Fault::invalid("secret").with_code(code));
            assert_eq!(cause.code.is_some(), expected, "{code}");
            assert!(!format!("{cause:?}").contains("secret"));
        }
    }

    #[test]
    fn codes_go_before_kinds() {
        let fault = Fault::new(FaultKind::Authentication, "m");
        assert_eq!(Cause::from(&fault).remedy(), remedy(FaultKind::Authentication));
        let own = fault.with_code("gateway_key_invalid");
        assert!(Cause::from(&own).remedy().contains("auth.keys"));
    }
}
