//! Paths that are nearly right.

use http::{Method, Uri};

use super::route::Endpoint;

/// Mends paths that can only mean one thing: with the version of the base URL before the client's own (`/v1/v1/messages`), or with a
/// slash behind the name of something that is here. Others stay as they are: a provider may tell them apart.
pub fn normalize(uri: &mut Uri) {
    let path = uri.path();
    let versioned = ["/v1/", "/v1beta/"];
    let once =
        path.strip_prefix("/v1").filter(|rest| versioned.iter().any(|version| rest.starts_with(version)));
    let path = once.unwrap_or(path);
    let bare = path.strip_suffix('/').filter(|bare| is_known(bare));
    if once.is_none() && bare.is_none() {
        return;
    }
    let path = bare.unwrap_or(path);
    let line = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // What is left of a valid request line is one.
    if let Ok(mended) = line.parse() {
        *uri = mended;
    }
}

/// Is something at this path that the gateway answers or understands itself?
fn is_known(path: &str) -> bool {
    let of = |method| match Endpoint::of(&method, path) {
        Endpoint::Health
        | Endpoint::Ready
        | Endpoint::OpenApi
        | Endpoint::Models
        | Endpoint::Api(_)
        | Endpoint::Gateway(_)
        | Endpoint::Kept(_)
        | Endpoint::Explain { .. } => true,
        Endpoint::Root
        | Endpoint::Console(_)
        | Endpoint::Model(_)
        | Endpoint::Options
        | Endpoint::Stored
        | Endpoint::Files(_)
        | Endpoint::Batches(_)
        | Endpoint::MessageBatches(_)
        | Endpoint::FineTunes(_)
        | Endpoint::Pass { .. }
        | Endpoint::Socket { .. }
        | Endpoint::ResponsesSocket
        | Endpoint::Missing
        | Endpoint::WrongMethod(_) => false,
    };
    of(Method::GET) || of(Method::POST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_mended_where_they_mean_one_thing() {
        for (path, expected) in [
            ("/v1/v1/messages?beta=true", "/v1/messages?beta=true"),
            ("/v1/v1/files", "/v1/files"),
            ("/v1/v1beta/models/m:generateContent?key=k", "/v1beta/models/m:generateContent?key=k"),
            ("/v1/chat/completions/", "/v1/chat/completions"),
            ("/v1/v1/chat/completions/", "/v1/chat/completions"),
            ("/v1/models/", "/v1/models"),
            ("/health/?x", "/health?x"),
            ("/", "/"),
            ("/v1/", "/v1/"),
            ("/v1/v1", "/v1/v1"),
            ("/v1/v1x/files", "/v1/v1x/files"),
            ("/v1/files/", "/v1/files/"),
            ("/v1/proxy/v1/files/", "/v1/proxy/v1/files/"),
            ("/v1/responses/resp_1/", "/v1/responses/resp_1/"),
        ] {
            let mut uri: Uri = path.parse().unwrap_or_default();
            normalize(&mut uri);
            assert_eq!(uri.to_string(), expected, "{path}");
        }
    }
}
