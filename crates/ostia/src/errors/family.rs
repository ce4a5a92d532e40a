//! Whose words a client expects errors in.

use ostia_dialect::Family;

/// Where paths of Google's begin, and of no other vendor's.
const GOOGLES: [&str; 3] = ["/v1beta/", "/upload/v1beta/", "/ws/google."];

/// The words in which a client of this path expects errors.
pub fn family(path: &str) -> Family {
    match path.strip_prefix("/v1/messages") {
        Some("") => Family::Anthropic,
        Some(rest) if rest.starts_with('/') => Family::Anthropic,
        _ if GOOGLES.iter().any(|beginning| path.starts_with(beginning)) => Family::Google,
        _ if path.starts_with("/v1/models/") && path.contains(':') => Family::Google,
        _ => Family::Openai,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ostia_dialect::Api;
    use ostia_dialect::api::Path;

    #[test]
    fn whose_words() {
        for (path, expected) in [
            ("/v1/messages", Family::Anthropic),
            ("/v1/messages/count_tokens", Family::Anthropic),
            ("/v1/messagesx", Family::Openai),
            ("/v1/chat/completions", Family::Openai),
            ("/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", Family::Google),
            ("/v1beta/models/m:generateContent", Family::Google),
            ("/v1/models/m:generateContent", Family::Google),
            ("/v1/models/m", Family::Openai),
        ] {
            assert_eq!(family(path), expected, "{path}");
        }
    }

    #[test]
    fn the_table_agrees() {
        for api in Api::ALL {
            let path = match (api.gateway_path(), api.path()) {
                (Some(path), _) => format!("/v1{path}"),
                (None, Path::OfModel { verb, .. }) => format!("/v1beta/models/m:{verb}"),
                (None, Path::Fixed(_) | Path::WithModel { .. } | Path::WithModelPath(_)) => continue,
            };
            assert_eq!(family(&path), api.family(), "{path}");
        }
    }
}
