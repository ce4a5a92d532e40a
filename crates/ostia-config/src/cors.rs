//! Which web pages may use the gateway from a browser.

/// Cross-origin access (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins whose pages may call the gateway and read its answers. Empty: none.
    pub origins: Vec<AllowedOrigin>,
}

/// One entry of `cors.origins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: the pages of everybody.
    Any,
    /// `https://app.example.com`, as browsers write it: scheme and host in lower case, the port unless it is the scheme's own.
    This(String),
}

impl AllowedOrigin {
    /// Reads an entry.
    ///
    /// Errors: what an entry must be.
    pub(crate) fn parse(text: &str) -> Result<AllowedOrigin, &'static str> {
        const MUST_BE: &str =
            "must be an origin like https://app.example.com or http://localhost:3000, or \"*\"";
        if text == "*" {
            return Ok(AllowedOrigin::Any);
        }
        let (scheme, rest) = text.split_once("://").ok_or(MUST_BE)?;
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(scheme) || !plain(rest) || rest.contains(['/', '?', '#', '@']) {
            return Err(MUST_BE);
        }
        let text = text.to_ascii_lowercase();
        let own_port = match scheme.eq_ignore_ascii_case("https") {
            true => ":443",
            false => ":80",
        };
        Ok(AllowedOrigin::This(text.strip_suffix(own_port).unwrap_or(&text).to_owned()))
    }

    /// Does it allow this origin, as it stands in the header `Origin`?
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            AllowedOrigin::Any => true,
            AllowedOrigin::This(own) => own.eq_ignore_ascii_case(origin),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::AllowedOrigin;

    #[test]
    fn entries_and_what_they_allow() {
        for (entry, origin, expected) in [
            ("*", "https://a.example", true),
            ("https://a.example", "https://a.example", true),
            ("https://A.example:443", "https://a.example", true),
            ("http://localhost:80", "http://localhost", true),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("tauri://localhost", "tauri://localhost", true),
            ("https://a.example", "http://a.example", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "https://a.example.evil", false),
            ("https://a.example", "https://b.a.example", false),
            ("https://a.example", "null", false),
        ] {
            assert_eq!(AllowedOrigin::parse(entry).unwrap().allows(origin), expected, "{entry} {origin}");
        }
        for entry in
            ["", "a.example", "https://", "https://a/", "https://a/b", "https://u@a", "https://a b", "null"]
        {
            assert!(AllowedOrigin::parse(entry).is_err(), "{entry}");
        }
    }
}
