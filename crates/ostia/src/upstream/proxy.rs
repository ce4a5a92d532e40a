//! Proxies on the way to hosts: which one, if any. How one is passed is in `tunnel`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use secrecy::{ExposeSecret as _, SecretString};

use super::egress::is_public;
use super::host;
use super::tls::Tls;

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    /// How it is spoken to.
    pub(super) kind: Kind,
    /// Name or address.
    pub(super) host: String,
    pub(super) port: u16,
    /// To a proxy behind TLS.
    pub(super) tls: Tls,
    /// Name and password, as they are sent to it.
    sign_in: Intercept,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// CONNECT of HTTP/1.1.
    Http,
    /// The same, by TLS.
    Https,
    /// SOCKS 5. Names are resolved here.
    Socks5,
    /// SOCKS 5. The proxy resolves names.
    Socks5h,
}

/// Schemes of proxies, and their ports where none is given.
const KINDS: [(&str, Kind, u16); 4] = [
    ("http", Kind::Http, 80),
    ("https", Kind::Https, 443),
    ("socks5", Kind::Socks5, 1080),
    ("socks5h", Kind::Socks5h, 1080),
];

impl Proxy {
    /// Reads a URL. `tls`: for one behind TLS.
    ///
    /// # Errors
    /// What is wrong with it. Nothing of it is repeated: it may hold a password.
    pub fn parse(url: &SecretString, tls: &Tls) -> Result<Proxy, String> {
        const SHAPE: &str = "must be http://HOST:PORT, https://, socks5:// or socks5h://, with NAME:PASSWORD@ before the host \
                             where it asks for them (percent-encoded)";
        // Of a matcher for everything: it reads the URL.
        let matcher = Matcher::builder().all(url.expose_secret().trim().to_owned()).build();
        let any = Uri::from_static("http://example.com");
        let sign_in = matcher.intercept(&any).ok_or(SHAPE)?;
        let uri = sign_in.uri();
        let scheme = uri.scheme_str().unwrap_or_default();
        let Some((_, kind, port)) = KINDS.iter().find(|(known, ..)| *known == scheme) else {
            return Err(SHAPE.to_owned());
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(SHAPE)?.to_owned();
        let port = uri.port_u16().unwrap_or(*port);
        Ok(Proxy { kind: *kind, host, port, tls: tls.clone(), sign_in })
    }

    /// Does it resolve names?
    pub(super) fn resolves(&self) -> bool {
        match self.kind {
            Kind::Http | Kind::Https | Kind::Socks5h => true,
            Kind::Socks5 => false,
        }
    }

    /// For a `Proxy-Authorization` header.
    pub(super) fn basic(&self) -> Option<&HeaderValue> {
        self.sign_in.basic_auth()
    }

    /// Name and password for SOCKS.
    pub(super) fn name_and_password(&self) -> Option<(&str, &str)> {
        self.sign_in.raw_auth()
    }

    /// Where it is.
    pub(super) fn uri(&self) -> &Uri {
        self.sign_in.uri()
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Proxy) -> bool {
        self.uri() == other.uri()
            && self.basic() == other.basic()
            && self.name_and_password() == other.name_and_password()
            && self.tls.is_same(&other.tls)
    }
}

impl fmt::Display for Proxy {
    /// Without name and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = KINDS.iter().find(|(_, kind, _)| *kind == self.kind).map_or("", |(scheme, ..)| scheme);
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Which proxy stands before which host.
#[derive(Debug, Clone, Default)]
pub enum Proxies {
    /// None.
    #[default]
    None,
    /// This one before all hosts, whatever they are: a provider's own.
    Always(Arc<Proxy>),
    /// These before all hosts but private ones and those that were excepted.
    Public(PublicProxies),
}

/// Proxies before public hosts.
#[derive(Debug, Clone)]
pub struct PublicProxies {
    /// Before hosts that are spoken to without TLS.
    http: Option<Arc<Proxy>>,
    /// Before those with TLS.
    https: Option<Arc<Proxy>>,
    /// Who says so, for the operator.
    said_by: &'static str,
    /// Hosts that are excepted.
    no_proxy: String,
    /// The same, read.
    excepted: Arc<Matcher>,
}

impl PublicProxies {
    /// `no_proxy`: excepted hosts, as curl and others read `NO_PROXY`.
    pub fn new(
        http: Option<Arc<Proxy>>,
        https: Option<Arc<Proxy>>,
        no_proxy: &str,
        said_by: &'static str,
    ) -> PublicProxies {
        // It intercepts everything but those.
        let excepted = Matcher::builder().all("http://proxy.invalid").no(no_proxy.to_owned()).build();
        PublicProxies { http, https, said_by, no_proxy: no_proxy.to_owned(), excepted: Arc::new(excepted) }
    }

    fn before(&self, host: &str, tls: bool) -> Option<&Arc<Proxy>> {
        let proxy = if tls { &self.https } else { &self.http };
        let uri = Uri::builder().scheme("http").authority(host).path_and_query("/").build().ok()?;
        proxy.as_ref().filter(|_| is_public_name(host) && self.excepted.intercept(&uri).is_some())
    }
}

impl fmt::Display for PublicProxies {
    /// For the operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.http, &self.https) {
            (Some(http), Some(https)) if http == https => write!(f, "{https} before public hosts")?,
            (http, https) => {
                let named = [(https, "https"), (http, "http")].into_iter();
                let named = named.filter_map(|(proxy, scheme)| Some((proxy.as_ref()?, scheme)));
                for (at, (proxy, scheme)) in named.enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{proxy} before public {scheme} hosts")?;
                }
            }
        }
        write!(f, " ({})", self.said_by)?;
        if !self.no_proxy.is_empty() {
            write!(f, ", but not {}", self.no_proxy)?;
        }
        Ok(())
    }
}

impl Proxies {
    /// The proxy before a host, `tls` or plain.
    pub fn before(&self, host: &str, tls: bool) -> Option<Arc<Proxy>> {
        match self {
            Proxies::None => None,
            Proxies::Always(proxy) => Some(proxy.clone()),
            Proxies::Public(proxies) => proxies.before(host, tls).cloned(),
        }
    }
}

impl PartialEq for Proxies {
    fn eq(&self, other: &Proxies) -> bool {
        match (self, other) {
            (Proxies::None, Proxies::None) => true,
            (Proxies::Always(own), Proxies::Always(other)) => own == other,
            (Proxies::Public(own), Proxies::Public(other)) => {
                own.http == other.http && own.https == other.https && own.no_proxy == other.no_proxy
            }
            (Proxies::None | Proxies::Always(_) | Proxies::Public(_), _) => false,
        }
    }
}

/// May a host be one of the internet, by its spelling? This machine, private addresses and names that mean something inside a
/// network only are not: nobody wants the way to a model server next door to lead through a proxy.
fn is_public_name(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => is_public(ip),
        Err(_) => host.trim_end_matches('.').contains('.') && !host::is_inside(host),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(url: &str) -> Result<Proxy, String> {
        Proxy::parse(&SecretString::from(url), &Tls::default())
    }

    #[test]
    fn urls_of_proxies() {
        for (url, shown) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy/", "http://proxy:80"),
            ("https://user:pa%24s@proxy", "https://proxy:443"),
            (" socks5h://u:p@10.0.0.1 ", "socks5h://10.0.0.1:1080"),
            ("socks5://[::1]:9", "socks5://[::1]:9"),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), shown, "{url}");
        }
        for url in ["", "ftp://proxy", "socks4://proxy", "http://", "http://u:p^@proxy", "http://a b"] {
            let fault = parse(url).unwrap_err();
            assert!(fault.contains("must be http://HOST:PORT"), "{url}: {fault}");
        }
    }

    #[test]
    fn passwords_are_read_and_not_shown() {
        let proxy = parse("http://user:SECRET@proxy:1").unwrap();
        assert_eq!(proxy.basic().unwrap(), "Basic dXNlcjpTRUNSRVQ=");
        let socks = parse("socks5://user:SEC%52ET@proxy:1").unwrap();
        assert_eq!(socks.name_and_password(), Some(("user", "SECRET")));
        for proxy in [proxy, socks] {
            let printed = format!("{proxy} {proxy:?} {:?}", Proxies::Always(Arc::new(proxy.clone())));
            assert!(!printed.contains("SECRET") && !printed.contains("user"), "{printed}");
        }
        assert_ne!(parse("http://a:b@p:1").unwrap(), parse("http://a:c@p:1").unwrap());
        assert_eq!(parse("http://a:b@p:1").unwrap(), parse("http://a:b@p:1").unwrap());
    }

    #[test]
    fn which_hosts_are_behind_a_proxy() {
        let proxy = Arc::new(parse("http://proxy:1").unwrap());
        let no_proxy = "excepted.example, .dotted.example,192.0.2.0/24,2001:4860::/32";
        let both = PublicProxies::new(Some(proxy.clone()), Some(proxy.clone()), no_proxy, "the file");
        let (own, both) = (Proxies::Always(proxy.clone()), Proxies::Public(both));
        for (host, expected) in [
            ("api.example.com", true),
            ("excepted.example", false),
            ("below.excepted.example", false),
            ("notexcepted.example", true),
            ("below.dotted.example", false),
            ("8.8.8.8", true),
            ("192.0.2.7", false),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("169.254.169.254", false),
            ("[::1]", false),
            ("[2606:4700::1111]", true),
            ("[2001:4860::1]", false),
            ("localhost", false),
            ("a.localhost", false),
            ("ollama", false),
            ("vllm.internal", false),
            ("box.lan", false),
        ] {
            for tls in [true, false] {
                assert_eq!(both.before(host, tls).is_some(), expected, "{host}");
                assert!(own.before(host, tls).is_some(), "{host}");
                assert!(Proxies::None.before(host, tls).is_none());
            }
        }
        let one = Proxies::Public(PublicProxies::new(None, Some(proxy.clone()), "", "the file"));
        assert!(one.before("a.example", true).is_some() && one.before("a.example", false).is_none());
        let none = Proxies::Public(PublicProxies::new(Some(proxy.clone()), Some(proxy), "*", "the file"));
        assert!(none.before("a.example", true).is_none());
    }
}
