//! Addresses of files, as they stand in what a request says and in redirects (RFC 3986).

/// Longest address, in bytes. Those of clouds are signed, and long.
const ADDRESS_BYTES_MAX: usize = 8192;

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `scheme://authority`, in which the scheme is in small letters.
    pub base: String,
    /// Path and query, in characters that a request line can have.
    pub path: String,
}

impl Address {
    /// Reads one that begins with its scheme.
    ///
    /// # Errors
    /// Why it is none, to go behind "its address ".
    pub fn parse(text: &str) -> Result<Address, &'static str> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err("is too long");
        }
        let (scheme, rest) = text.trim().split_once("://").ok_or("has no scheme")?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => "https",
            _ if scheme.eq_ignore_ascii_case("http") => "http",
            _ => return Err("must begin with https:// or http://"),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.is_empty() {
            return Err("has no host");
        }
        Ok(Address { base: format!("{scheme}://{}", authority.to_ascii_lowercase()), path: path(rest) })
    }

    /// Where a redirect leads from here.
    ///
    /// # Errors
    /// As for [`Address::parse`].
    pub fn join(&self, location: &str) -> Result<Address, &'static str> {
        let location = location.trim();
        let (scheme, _) = self.base.split_once("://").unwrap_or_default();
        let same_host = |path: String| Address { base: self.base.clone(), path };
        let own = self.path.split('?').next().unwrap_or_default();
        let folder = &own[..own.rfind('/').map_or(0, |slash| slash + 1)];
        match location {
            _ if has_scheme(location) => Address::parse(location),
            _ if location.starts_with("//") => Address::parse(&format!("{scheme}:{location}")),
            _ if location.starts_with('/') => Ok(same_host(path(location))),
            _ if location.starts_with('?') => Ok(same_host(path(&format!("{own}{location}")))),
            _ => Ok(same_host(path(&format!("{folder}{location}")))),
        }
    }

    /// Is everything on the way encrypted?
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }
}

fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Path and query without what only a browser looks at; characters that cannot stand there are encoded, as browsers do.
fn path(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let mut path = String::with_capacity(text.len() + 1);
    if !text.starts_with('/') {
        path.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => path.push(char::from(byte)),
            _ => path.push_str(percent_encoding::percent_encode_byte(byte)),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses() {
        for (text, base, path) in [
            ("https://a.example/x/y.png?v=1#top", "https://a.example", "/x/y.png?v=1"),
            ("HTTPS://A.Example:8443", "https://a.example:8443", "/"),
            ("http://a.example?v=ü 1", "http://a.example", "/?v=%C3%BC%201"),
            (" https://a.example/a|b\r\nx: y ", "https://a.example", "/a%7Cb%0D%0Ax:%20y"),
            ("https://a.example/%20%2f", "https://a.example", "/%20%2f"),
            ("https://a.example\\@b.example/", "https://a.example", "/%5C@b.example/"),
            ("https://[::1]:80/x", "https://[::1]:80", "/x"),
        ] {
            let expected = Address { base: base.to_owned(), path: path.to_owned() };
            assert_eq!(Address::parse(text), Ok(expected), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(ADDRESS_BYTES_MAX));
        for text in
            ["", "a.example/x", "ftp://a.example/x", "file:///etc/passwd", "https:///x", long.as_str()]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn redirects() {
        let here = Address::parse("https://a.example/x/y?v=1").unwrap();
        for (location, expected) in [
            ("https://b.example/z", "https://b.example/z"),
            ("//b.example/z", "https://b.example/z"),
            ("/z?w=2", "https://a.example/z?w=2"),
            ("z", "https://a.example/x/z"),
            ("?w=2", "https://a.example/x/y?w=2"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ] {
            let Address { base, path } = here.join(location).unwrap();
            assert_eq!(format!("{base}{path}"), expected, "{location}");
        }
        for location in ["file:///etc/passwd", "gopher://b.example", "javascript:alert(1)", "https://"] {
            assert!(here.join(location).is_err(), "{location}");
        }
    }
}
